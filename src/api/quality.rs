//! The quality: 1.x §4.4, 2.1 §4.4, 3.0 §4.4.

use super::Version;
use crate::error::{Error, Part, Result};

/// The colours of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// As the image is: `default`, in 1.x `native`.
    Default,
    /// All colour there is.
    Color,
    /// Shades of gray: `gray`, in 1.x `grey`.
    Gray,
    /// Black and white.
    Bitonal,
}

impl Quality {
    /// All of them, in the order in which they are published.
    pub const ALL: [Self; 4] = [Self::Default, Self::Color, Self::Gray, Self::Bitonal];

    /// Reads the (decoded) name, which differs between 1.x and later versions.
    pub fn parse(version: Version, text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|quality| quality.name(version) == text);
        known.ok_or_else(|| Error::Syntax {
            part: Part::Quality,
            value: text.to_owned(),
            expected: if version.is_1() { "native, color, grey or bitonal" } else { "default, color, gray or bitonal" },
        })
    }

    /// The name that the version has for it.
    pub fn name(self, version: Version) -> &'static str {
        match (self, version.is_1()) {
            (Self::Default, true) => "native",
            (Self::Default, false) => "default",
            (Self::Color, _) => "color",
            (Self::Gray, true) => "grey",
            (Self::Gray, false) => "gray",
            (Self::Bitonal, _) => "bitonal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_belong_to_versions() {
        assert_eq!(Quality::parse(Version::V1_0, "grey"), Ok(Quality::Gray));
        assert_eq!(Quality::parse(Version::V3, "default"), Ok(Quality::Default));
        assert!(Quality::parse(Version::V1_1, "default").is_err());
        assert!(Quality::parse(Version::V2, "native").is_err());
        assert!(Quality::parse(Version::V2, "grey").is_err());
        assert!(Quality::parse(Version::V3, "Default").is_err());
    }
}
