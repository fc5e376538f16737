//! What can be set. The table ([`table`]) names every setting with its type, bounds, default and documentation. Worker variables, options of the package and all
//! of their documentation follow from it.

// It reads and writes files.
#[cfg(all(test, not(target_family = "wasm")))]
mod generated;
mod object_key;
mod origins;
mod read;
mod table;

pub use object_key::ObjectKey;
pub use origins::Origins;
pub use read::{Given, Misconfigured};

use crate::api::{Router, Service, Version};
use crate::options::EncodeOptions;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which paths are answered.
    pub router: Router,
    /// From identifiers to keys of the storage.
    pub object_key: ObjectKey,
    /// Scheme, host and perhaps a path, without a slash at the end; otherwise each request's own.
    pub public_url: Option<String>,
    /// What is offered, and its limits.
    pub service: Service,
    /// How answers are encoded.
    pub encode: EncodeOptions,
    /// Whose pages may read the answers.
    pub origins: Origins,
    /// The `Cache-Control` of images and information.
    pub cache_control: String,
    /// Whether requests in another than the canonical form are redirected (tiles never are).
    pub redirect: bool,
    /// What is logged.
    pub log: Log,
    /// Whether `identifier;2` is the second page of `identifier`, and `identifier;label` the label of a slide.
    pub pages: bool,
    /// Whether the index of a JPEG file may be put beside it.
    pub write_index: bool,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Every request.
    All,
    /// Only what is the service's fault.
    Errors,
    /// Nothing.
    None,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            router: Router { prefix: "/iiif/{version}/".to_owned(), versions: Version::ALL.to_vec(), allow_slashes: false },
            object_key: ObjectKey::default(),
            public_url: None,
            service: Service::default(),
            encode: EncodeOptions::default(),
            origins: Origins::All,
            cache_control: "public, max-age=3600, stale-while-revalidate=604800".to_owned(),
            redirect: false,
            log: Log::All,
            pages: true,
            write_index: false,
        }
    }
}
