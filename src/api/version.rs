//! The versions of the Image API, <https://iiif.io/api/image/>.

use std::fmt;

/// A version of the Image API that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 1.0 of 2012.
    V1_0,
    /// 1.1 of 2013.
    V1_1,
    /// 2.1.1 of 2017, which contains 2.0.
    V2,
    /// 3.0 of 2020.
    V3,
}

impl Version {
    /// All of them, oldest first.
    pub const ALL: [Self; 4] = [Self::V1_0, Self::V1_1, Self::V2, Self::V3];

    /// The version as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V2 => "2",
            Self::V3 => "3",
        }
    }

    /// Reads a version from a setting, where `2.0`, `2.1`, `2.1.1` and `3.0` are also understood.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1.0" => Some(Self::V1_0),
            "1.1" => Some(Self::V1_1),
            "2" | "2.0" | "2.1" | "2.1.1" => Some(Self::V2),
            "3" | "3.0" => Some(Self::V3),
            _ => None,
        }
    }

    /// Whether this is 1.0 or 1.1.
    pub fn is_1(self) -> bool {
        matches!(self, Self::V1_0 | Self::V1_1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for version in Version::ALL {
            assert_eq!(Version::parse(version.as_str()), Some(version));
        }
        assert_eq!(Version::parse("2.1.1"), Some(Version::V2));
        assert_eq!(Version::parse("1"), None);
    }
}
