//! The rotation: 1.x §4.3, 2.1 §4.3, 3.0 §4.3.

use std::fmt;

use super::Version;
use super::number::Decimal;
use crate::error::{Error, Part, Result};
use crate::geometry::Dimensions;

/// A turn clockwise, after a mirroring if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rotation {
    /// `!` (from 2.0): left and right are exchanged first.
    pub mirror: bool,
    degrees: Decimal,
}

impl Rotation {
    /// Reads the (decoded) parameter; 360 becomes 0, and an angle is exact to 24 decimal places.
    pub fn parse(version: Version, text: &str) -> Result<Self> {
        let (mirror, number) = match text.strip_prefix('!') {
            Some(number) if !version.is_1() => (true, number),
            _ => (false, text),
        };
        let full_turn = Decimal::from_integer(360);
        match Decimal::parse(number) {
            Some(degrees) if degrees < full_turn => Ok(Self { mirror, degrees: degrees.truncated() }),
            Some(degrees) if degrees == full_turn => Ok(Self { mirror, degrees: Decimal::ZERO }),
            _ => {
                let expected = if version.is_1() { "a number from 0 to 360" } else { "a number from 0 to 360, with ! before it to mirror" };
                Err(Error::Syntax { part: Part::Rotation, value: text.to_owned(), expected })
            }
        }
    }

    /// Degrees clockwise, `0.0 <= d < 360.0`.
    pub fn degrees(&self) -> f64 {
        self.degrees.to_f64()
    }

    /// Quarter turns clockwise (0 to 3), if that is what it is.
    pub fn is_right_angle(&self) -> Option<u8> {
        match self.degrees.to_integer()? {
            0 => Some(0),
            90 => Some(1),
            180 => Some(2),
            270 => Some(3),
            _ => None,
        }
    }

    /// The size of the answer that a scaled region of this size becomes: the smallest box that holds it.
    pub fn apply(&self, size: Dimensions) -> Dimensions {
        match self.is_right_angle() {
            Some(0 | 2) => size,
            Some(_) => size.transposed(),
            None => size.rotated(self.degrees()),
        }
    }

    /// Whether nothing is mirrored or turned.
    pub fn is_identity(&self) -> bool {
        !self.mirror && self.degrees.is_zero()
    }
}

impl fmt::Display for Rotation {
    /// The canonical text: an integer if possible, no trailing zeros, a leading 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.mirror { "!" } else { "" }, self.degrees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical() {
        for (text, canonical) in [("0", "0"), ("360", "0"), ("!360.0", "!0"), ("22.50", "22.5"), (".5", "0.5"), ("090", "90"), ("!180", "!180")] {
            assert_eq!(Rotation::parse(Version::V3, text).unwrap().to_string(), canonical);
        }
        for bad in ["360.000000000000000000000000000001", "", "!", "-1", "+5", "1e2", "NaN", "360.01", "361", "!!0", "90!", " 0", "0,5"] {
            assert!(Rotation::parse(Version::V3, bad).is_err(), "{bad}");
        }
        assert!(Rotation::parse(Version::V1_1, "!0").is_err());
        assert_eq!(Rotation::parse(Version::V2, "!270").unwrap().is_right_angle(), Some(3));
        assert_eq!(Rotation::parse(Version::V2, "270.5").unwrap().is_right_angle(), None);
    }

    #[test]
    fn an_angle_below_all_measure_is_none() {
        let tiny = Rotation::parse(Version::V3, "0.000000000000000000000000000001").unwrap();
        assert_eq!((tiny.is_right_angle(), tiny.to_string().as_str()), (Some(0), "0"));
    }

    #[test]
    fn the_size_of_the_answer() {
        let size = Dimensions::new(300, 200).unwrap();
        for (text, expected) in [("0", "300×200"), ("!180", "300×200"), ("90", "200×300"), ("270", "200×300"), ("45", "354×354"), ("!45", "354×354")] {
            assert_eq!(Rotation::parse(Version::V3, text).unwrap().apply(size).to_string(), expected, "{text}");
        }
    }
}
