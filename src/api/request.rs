//! An image request: 1.x §3, 2.1 §2.1, 3.0 §2.1.

use super::{Format, Info, Quality, Region, ResolvedRequest, Rotation, Size, Version, percent};
use crate::error::{Error, Part, Result};

/// The parameters of an image request: well-formed, but not yet held against an image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRequest {
    /// The version whose rules and names hold.
    pub version: Version,
    /// The part of the image.
    pub region: Region,
    /// The size it is scaled to.
    pub size: Size,
    /// How it is turned.
    pub rotation: Rotation,
    /// Its colours.
    pub quality: Quality,
    /// The file format; `None` only in 1.x, where [`super::negotiate_format`] chooses one.
    pub format: Option<Format>,
}

impl ImageRequest {
    /// Reads `region/size/rotation/quality.format` as it stands in a URL: split at the slashes, then each segment decoded once.
    pub fn parse(version: Version, segments: &str) -> Result<Self> {
        let mut parts = segments.split('/');
        let (Some(region), Some(size), Some(rotation), Some(last), None) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(Error::Syntax { part: Part::Path, value: segments.to_owned(), expected: "{identifier}/{region}/{size}/{rotation}/{quality}.{format}" });
        };
        let region = Region::parse(version, &decode(Part::Region, region)?)?;
        let size = Size::parse(version, &decode(Part::Size, size)?)?;
        let rotation = Rotation::parse(version, &decode(Part::Rotation, rotation)?)?;
        let last = decode(Part::Quality, last)?;
        let (quality, format) = match last.rsplit_once('.') {
            Some((quality, format)) => (quality, Some(format)),
            None => (last.as_str(), None),
        };
        let quality = Quality::parse(version, quality)?;
        let format = match format {
            Some(format) => Some(Format::parse(version, format)?),
            None if version.is_1() => None,
            None => return Err(Format::missing(&last)),
        };
        Ok(Self { version, region, size, rotation, quality, format })
    }

    /// Holds the request against an image and its service.
    pub fn resolve(&self, info: &Info) -> Result<ResolvedRequest> {
        ResolvedRequest::new(self, info)
    }
}

fn decode(part: Part, raw: &str) -> Result<String> {
    percent::decode(raw).ok_or_else(|| Error::Syntax { part, value: raw.to_owned(), expected: "percent-encoded UTF-8" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_split_then_decoded() {
        let plain = ImageRequest::parse(Version::V3, "0,0,10,10/^!5,5/!90/gray.png").unwrap();
        assert_eq!(ImageRequest::parse(Version::V3, "0%2C0%2C10%2C10/%5E%215%2C5/%2190/gray%2Epng"), Ok(plain));
        assert_eq!(ImageRequest::parse(Version::V3, "full%2Fmax/0/default.jpg").unwrap_err().part(), Some(Part::Path));
        assert_eq!(ImageRequest::parse(Version::V3, "full/max%zz/0/default.jpg").unwrap_err().part(), Some(Part::Size));
    }

    #[test]
    fn the_last_dot_parts_quality_and_format() {
        let part = |version, text: &str| ImageRequest::parse(version, text).unwrap_err().part();
        assert_eq!(part(Version::V2, "full/full/0/default.jpg.png"), Some(Part::Quality));
        assert_eq!(part(Version::V2, "full/full/0/default"), Some(Part::Format));
        assert_eq!(part(Version::V1_1, "full/full/0/native."), Some(Part::Format));
        assert_eq!(ImageRequest::parse(Version::V1_0, "full/full/0/native").unwrap().format, None);
    }
}
