//! From a URL's path to what it asks for: 1.x §2, 2.1 §2, 3.0 §2, and §9 on decoding.

use super::{Identifier, ImageRequest, Region, Rotation, Size, Version, percent};
use crate::error::{Error, Part, Result};

/// The place of `{version}` in a prefix.
const VERSION: &str = "{version}";

/// Which paths are the service's, and how they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Router {
    /// What stands before the identifier, with `{version}` at most once: `/iiif/{version}/`.
    pub prefix: String,
    /// The versions that are served. Without `{version}` in the prefix it is the first.
    pub versions: Vec<Version>,
    /// Whether an identifier may hold slashes that are not encoded.
    pub allow_slashes: bool,
}

/// The two forms of image information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InfoForm {
    /// `info.json`.
    Json,
    /// `info.xml` (1.0 only).
    Xml,
}

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The base URI of an image, which leads to its information.
    Base,
    /// The information document.
    Info(InfoForm),
    /// An image.
    Image(ImageRequest),
}

/// A path under the prefix, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The version of the prefix.
    pub version: Version,
    /// The identifier, decoded once; an error if it cannot be one.
    pub identifier: Result<Identifier>,
    /// The identifier as it stood in the URL, for `id`.
    pub raw_identifier: String,
    /// What is asked of the image; an error for a request that is not well-formed, to be told only if the image exists.
    pub what: Result<What>,
}

impl Router {
    /// Reads a path as it was received: percent-encoded, without a query. `None` if it is not the service's: 404.
    pub fn route(&self, path: &str) -> Option<Routed> {
        let (version, rest) = self.versions.iter().find_map(|version| Some((*version, self.rest(*version, path)?)))?;
        if rest.is_empty() || rest.starts_with('/') {
            return None;
        }
        let (raw, what) = if self.allow_slashes { from_the_right(version, rest) } else { from_the_left(version, rest) };
        Some(Routed { version, identifier: Identifier::decode(raw), raw_identifier: raw.to_owned(), what })
    }

    /// The path of an image's base URI; the identifier is encoded already.
    pub fn base(&self, version: Version, raw_identifier: &str) -> String {
        let prefix = self.trimmed().replacen(VERSION, version.as_str(), 1);
        if prefix.is_empty() { format!("/{raw_identifier}") } else { format!("/{prefix}/{raw_identifier}") }
    }

    /// What follows the prefix of a version.
    fn rest<'a>(&self, version: Version, path: &'a str) -> Option<&'a str> {
        let path = path.strip_prefix('/')?;
        let prefix = self.trimmed();
        let rest = match prefix.split_once(VERSION) {
            Some((before, after)) => path.strip_prefix(before)?.strip_prefix(version.as_str())?.strip_prefix(after)?,
            None if self.versions.first() != Some(&version) => return None,
            None if prefix.is_empty() => return Some(path),
            None => path.strip_prefix(prefix)?,
        };
        rest.strip_prefix('/')
    }

    fn trimmed(&self) -> &str {
        self.prefix.trim_matches('/')
    }
}

/// The identifier is the first segment.
fn from_the_left(version: Version, rest: &str) -> (&str, Result<What>) {
    match rest.split_once('/') {
        // A slash at the end is part of the base URI for those who write it so.
        None | Some((_, "")) => (rest.trim_end_matches('/'), Ok(What::Base)),
        Some((raw, tail)) => match info_form(version, tail) {
            Some(form) => (raw, Ok(What::Info(form))),
            None => (raw, ImageRequest::parse(version, tail).map(What::Image)),
        },
    }
}

/// The identifier is whatever stands before what is understood.
fn from_the_right(version: Version, rest: &str) -> (&str, Result<What>) {
    if let Some((raw, tail)) = rest.rsplit_once('/') {
        if let Some(form) = info_form(version, tail) {
            return (raw, Ok(What::Info(form)));
        }
        if tail.is_empty() {
            let error = || Error::Syntax { part: Part::Path, value: rest.to_owned(), expected: "at most one slash at the end" };
            return if raw.ends_with('/') { (raw.trim_end_matches('/'), Err(error())) } else { (raw, Ok(What::Base)) };
        }
    }
    if let Some((raw, tail)) = last_four(rest) {
        match ImageRequest::parse(version, tail) {
            Ok(request) => return (raw, Ok(What::Image(request))),
            Err(error) if resembles_request(version, tail) => return (raw, Err(error)),
            Err(_) => {}
        }
    }
    (rest, Ok(What::Base))
}

fn info_form(version: Version, segment: &str) -> Option<InfoForm> {
    match percent::decode(segment)?.as_str() {
        "info.json" => Some(InfoForm::Json),
        "info.xml" if version == Version::V1_0 => Some(InfoForm::Xml),
        _ => None,
    }
}

fn last_four(rest: &str) -> Option<(&str, &str)> {
    let (at, _) = rest.rmatch_indices('/').nth(3)?;
    let (raw, tail) = rest.split_at_checked(at)?;
    Some((raw, tail.strip_prefix('/')?))
}

/// Whether four segments are an image request with a mistake rather than part of an identifier: two of the first three
/// parameters are sound.
fn resembles_request(version: Version, tail: &str) -> bool {
    let mut parts = tail.split('/').map(|part| percent::decode(part).unwrap_or_default());
    let mut next = || parts.next().unwrap_or_default();
    let sound = [Region::parse(version, &next()).is_ok(), Size::parse(version, &next()).is_ok(), Rotation::parse(version, &next()).is_ok()];
    sound.into_iter().filter(|sound| *sound).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(prefix: &str, versions: &[Version], path: &str) -> Option<(Version, String)> {
        let router = Router { prefix: prefix.to_owned(), versions: versions.to_vec(), allow_slashes: false };
        let routed = router.route(path)?;
        assert!(path.starts_with(&router.base(routed.version, &routed.raw_identifier)));
        Some((routed.version, routed.raw_identifier))
    }

    #[test]
    fn prefixes() {
        let both = [Version::V2, Version::V3];
        let map = |version| Some((version, "map".to_owned()));
        assert_eq!(route("/iiif/{version}/", &both, "/iiif/2/map/info.json"), map(Version::V2));
        assert_eq!(route("iiif/{version}", &both, "/iiif/3/map/info.json"), map(Version::V3));
        assert_eq!(route("/iiif/{version}/", &both, "/iiif/1.1/map/info.json"), None);
        assert_eq!(route("/{version}/a/b/", &both, "/3/a/b/map"), map(Version::V3));
        assert_eq!(route("/image/v{version}/", &both, "/image/v3/map"), map(Version::V3));
        assert_eq!(route("/images/", &[Version::V3], "/images/map"), map(Version::V3));
        assert_eq!(route("/", &[Version::V3], "/map/info.json"), map(Version::V3));
        assert_eq!(route("/iiif/{version}/", &[], "/iiif/3/map"), None);
    }
}
