//! The format: 1.x §4.5, 2.1 §4.5, 3.0 §4.5.

use super::Version;
use crate::error::{Error, Part, Result};

/// A file format that answers can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
    /// TIFF.
    Tif,
}

impl Format {
    /// All of them, in the order in which they are published.
    pub const ALL: [Self; 5] = [Self::Jpg, Self::Png, Self::WebP, Self::Gif, Self::Tif];

    /// Reads the (decoded) extension. Every version takes every format; one that is not built in, known or not, is `Unsupported`.
    pub fn parse(version: Version, text: &str) -> Result<Self> {
        match Self::from_extension(text) {
            Some(format) => Ok(format),
            None if text.is_empty() => Err(Self::missing(text)),
            None => Err(Self::unsupported(text, version, &Self::ALL)),
        }
    }

    /// The format of a IIIF extension, which is lower-case and has no dot.
    pub fn from_extension(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.extension() == text)
    }

    /// The specification's name and extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Tif => "tif",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Tif => "image/tiff",
        }
    }

    /// The longest side that a file of the format can have, px: fields of 16 bits in JPEG (ITU T.81, B.2.2) and GIF, of 14 in WebP, of 31 in PNG. In TIFF they have
    /// 32, of which readers take 31.
    pub fn longest_side(self) -> u32 {
        match self {
            Self::Jpg | Self::Gif => 65_535,
            Self::WebP => 16_383,
            Self::Png | Self::Tif => i32::MAX.unsigned_abs(),
        }
    }

    /// Whether it can be transparent where a turned image leaves corners.
    pub fn has_alpha(self) -> bool {
        self != Self::Jpg
    }

    /// The error for a format that is not among `offered`.
    pub(super) fn unsupported(value: &str, version: Version, offered: &[Self]) -> Error {
        let offered = offered.iter().map(|format| format.extension()).collect::<Vec<_>>().join(", ");
        Error::Unsupported { part: Part::Format, value: value.to_owned(), offered, version }
    }

    /// The error for a last segment without an extension.
    pub(super) fn missing(value: &str) -> Error {
        Error::Syntax { part: Part::Format, value: value.to_owned(), expected: "an extension such as .jpg after the quality" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_is_415_in_1() {
        assert_eq!(Format::parse(Version::V2, "tif"), Ok(Format::Tif));
        for name in ["jp2", "pdf", "avif", "jxl", "jpeg", "tiff", "JPG", "x y"] {
            assert_eq!(Format::parse(Version::V1_1, name).unwrap_err().status(), 415);
            assert_eq!(Format::parse(Version::V3, name).unwrap_err().status(), 400);
        }
        assert_eq!(Format::parse(Version::V1_1, "").unwrap_err().status(), 400);
    }
}
