//! The IIIF Image API's vocabulary, in versions 1.0, 1.1, 2 (2.1.1) and 3 (3.0): text and numbers only.
//!
//! A path becomes a [`Routed`], its [`ImageRequest`] is resolved against an image's [`Info`] into a [`ResolvedRequest`], of which only legal ones exist.
//! Each parameter has a file in which it is parsed, resolved and written canonically.
//!
//! ```
//! use azulejo::Dimensions;
//! use azulejo::api::{ImageRequest, Info, Service, Version};
//!
//! let info = Info::new(Dimensions::new(300, 200).unwrap(), &Service::default());
//! let request = ImageRequest::parse(Version::V3, "125,15,200,200/pct:50/0/default.jpg")?;
//! assert_eq!(request.resolve(&info)?.canonical(), "125,15,175,185/88,93/0/default.jpg");
//! # Ok::<(), azulejo::Error>(())
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation, clippy::arithmetic_side_effects)
)]

mod bounds;
mod features;
mod format;
mod headers;
mod identifier;
mod info;
mod info_json;
mod info_xml;
mod json;
mod number;
mod page;
mod percent;
mod quality;
mod region;
mod request;
mod resolve;
mod rotation;
mod route;
mod size;
mod version;

pub use features::{ConfinedUpscale, Service};
pub use format::Format;
pub use headers::{
    ERROR_XML_MEDIA_TYPE, INFO_XML_MEDIA_TYPE, canonical_link, content_disposition, error_xml, info_media_type, negotiate_format, page_link, profile_link,
};
pub use identifier::Identifier;
pub use info::{Info, Stored, TileSet};
pub(crate) use info_xml::of_lines as info_xml_of_lines;
pub(crate) use json::Object;
pub use number::Decimal;
pub use page::{Associated, AssociatedSet, Page};
pub(crate) use percent::decode as decode_percent;
pub use quality::Quality;
pub use region::Region;
pub use request::ImageRequest;
pub use resolve::ResolvedRequest;
pub use rotation::Rotation;
pub use route::{InfoForm, Routed, Router, What};
pub use size::{Size, SizeForm};
pub use version::Version;
