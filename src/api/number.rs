//! Numbers as the specification writes them (3.0 §4.7): integers of digits, and decimals of digits and a point, kept exact.

use std::fmt;

/// Decimal places of a [`Decimal`]. The last one only tells whether there were more.
const PLACES: usize = 25;
/// Units of a [`Decimal`] in one.
const ONE: u128 = 10u128.pow(25);

/// Reads a pixel count: digits only; leading zeros are tolerated. `None` beyond `u32`.
pub(super) fn integer(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.bytes().try_fold(0u32, |sum, b| sum.checked_mul(10)?.checked_add(u32::from(b.wrapping_sub(b'0'))))
}

/// A number that is not negative, exact to 24 decimal places.
///
/// One with more places has a 1 in the 25th, so that it compares with every shorter number as it should: it is not 0, not 100 and not 360. What is dropped moves an
/// edge of the widest image (2³² px) by less than 10⁻¹⁶ px.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    /// The value × 10²⁵.
    units: u128,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { units: 0 };

    /// The greatest value, 10¹³. In a request no greater number means anything else.
    const MOST: Self = Self { units: 10u128.pow(38) };

    /// Reads `12`, `12.5` or `.5` of any length; `None` for anything else. A number beyond the greatest becomes the greatest.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, places)) => (whole, places),
            None if text.is_empty() => return None,
            None => (text, ""),
        };
        if !whole.bytes().chain(places.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let exact = PLACES.saturating_sub(1);
        let more = if places.bytes().skip(exact).any(|b| b != b'0') { b'1' } else { b'0' };
        let kept = places.bytes().chain(std::iter::repeat(b'0')).take(exact).chain([more]);
        let units = whole.bytes().chain(kept).try_fold(0u128, |sum, b| sum.checked_mul(10)?.checked_add(u128::from(b.wrapping_sub(b'0'))));
        Some(units.map_or(Self::MOST, |units| Self { units }.min(Self::MOST)))
    }

    /// The value to 24 decimal places, without the mark that there were more.
    pub(super) fn truncated(self) -> Self {
        Self { units: self.units.saturating_sub(self.units % 10) }
    }

    /// The number of this value.
    pub const fn from_integer(value: u32) -> Self {
        Self { units: (value as u128).saturating_mul(ONE) }
    }

    /// Whether the value is 0.
    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    /// The value, if it has no decimal places and fits.
    pub fn to_integer(self) -> Option<u32> {
        if self.units.is_multiple_of(ONE) { u32::try_from(self.units / ONE).ok() } else { None }
    }

    /// The sum, or the greatest value.
    pub(super) fn saturating_add(self, other: Self) -> Self {
        Self { units: self.units.saturating_add(other.units) }
    }

    /// This many percent of `length`, rounded half up; `None` beyond `u32`.
    pub(super) fn percent_of(self, length: u32) -> Option<u32> {
        // An overflow of u128 means a result over 10¹¹, so it is beyond u32 as well.
        let divisor = ONE.checked_mul(100)?;
        let doubled = self.units.checked_mul(u128::from(length))?.checked_mul(2)?;
        u32::try_from(doubled.checked_add(divisor)?.checked_div(divisor.checked_mul(2)?)?).ok()
    }

    /// The nearest `f64` (exactly the nearest for up to 15 digits), the same on every platform.
    #[allow(clippy::cast_precision_loss, reason = "the digits are reduced first, so that both numbers are exact where they can be")]
    pub fn to_f64(self) -> f64 {
        let (mut digits, mut scale) = (self.units, ONE);
        while scale > 1 && digits % 10 == 0 {
            digits /= 10;
            scale /= 10;
        }
        digits as f64 / scale as f64
    }
}

impl fmt::Display for Decimal {
    /// An integer if it is one; else a leading 0 and no trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, places) = (self.units / ONE, self.units % ONE);
        if places == 0 {
            return write!(f, "{whole}");
        }
        let places = format!("{places:0PLACES$}");
        write!(f, "{whole}.{}", places.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        assert_eq!(integer("007"), Some(7));
        assert_eq!(integer("4294967295"), Some(u32::MAX));
        for bad in ["", "4294967296", "99999999999999999999", "+1", "-1", " 1", "1e3", "1.0", "٣"] {
            assert_eq!(integer(bad), None, "{bad}");
        }
    }

    #[test]
    fn decimals() {
        for (text, canonical) in [
            ("0", "0"),
            ("22.50", "22.5"),
            (".5", "0.5"),
            ("007.0", "7"),
            ("33.33333333333333333", "33.33333333333333333"),
            ("0.000000000000000000000001", "0.000000000000000000000001"),
            ("0.0000000000000000000000019", "0.0000000000000000000000011"),
            ("41.6666666666666666666666666666666667", "41.6666666666666666666666661"),
            ("0.0000000000000000000000000000000001", "0.0000000000000000000000001"),
            ("00000000000000000000000000000000000000000000000050.000000000000000000000000000000000000000", "50"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), canonical);
        }
        for bad in
            ["", ".", "5.", "1.2.3", "+5", "-5", "1e2", "NaN", "inf", "0x1", "5 ", "0.0000000000000000000000001x", "99999999999999999999999999999999999999999-"]
        {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_of_any_length() {
        let long = |start: &str, digit: &str, count| Decimal::parse(&format!("{start}{}", digit.repeat(count)));
        assert_eq!(long("9", "9", 100_000), Some(Decimal::MOST));
        assert_eq!(long("0.", "9", 100_000).map(Decimal::truncated), Decimal::parse("0.999999999999999999999999"));
        assert!(Decimal::MOST > Decimal::from_integer(u32::MAX));
        assert_eq!(Decimal::MOST.percent_of(100), None);
    }

    #[test]
    fn more_places_than_are_kept_still_count_in_comparisons() {
        let hundred = Decimal::from_integer(100);
        let more = Decimal::parse("100.000000000000000000000000000001").unwrap();
        assert!(more > hundred && more < Decimal::parse("100.000000000000000000000001").unwrap());
        assert_eq!((more.truncated(), more.to_integer(), more.percent_of(200)), (hundred, None, Some(200)));
        assert!(Decimal::parse("99.999999999999999999999999999999").unwrap() < hundred);
        assert!(!Decimal::parse("0.000000000000000000000000000001").unwrap().is_zero());
        assert!(Decimal::parse("0.000000000000000000000000000000").unwrap().is_zero());
    }

    #[test]
    fn arithmetic() {
        assert_eq!(Decimal::parse("41.6").unwrap().percent_of(300), Some(125));
        assert_eq!(Decimal::parse("50").unwrap().percent_of(185), Some(93));
        assert_eq!(Decimal::parse("0.1").unwrap().percent_of(10), Some(0));
        assert_eq!(Decimal::parse("340000000000000").unwrap().percent_of(u32::MAX), None);
        assert_eq!(Decimal::parse("22.5").unwrap().to_f64(), 22.5);
        assert_eq!(Decimal::parse("0.1").unwrap().to_f64(), 0.1);
        assert_eq!(Decimal::parse("359.99999").unwrap().to_f64(), 359.99999);
    }
}
