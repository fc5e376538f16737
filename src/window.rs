//! Which stored values become black and white: the setting WINDOW.

/// Which values of a TIFF's samples become black and white.
///
/// It applies to gray and RGB samples of more than 8 bits, to signed and to floating-point ones. Ordinary samples (unsigned, up to 8 bits) and all other colour
/// models always span the range of their type. Where a TIFF says that white is zero, the two ends change places. Values beyond the window are black or white.
///
/// The setting does not concern transparency: samples with the value of the tag `GDAL_NODATA` are transparent in any case.
///
/// ```
/// # use azulejo::Window;
/// assert_eq!(Window::parse("auto"), Some(Window::Auto));
/// assert_eq!(Window::parse("full"), Some(Window::Full));
/// assert_eq!(Window::parse("-40,1.5e3"), Some(Window::Between { black: -40.0, white: 1500.0 }));
/// assert_eq!(Window::parse("9,9"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Window {
    /// What the file says: the tags `SMinSampleValue` and `SMaxSampleValue`, else `MinSampleValue` and `MaxSampleValue`, else GDAL's statistics (the items
    /// `STATISTICS_MINIMUM` and `STATISTICS_MAXIMUM` of the tag `GDAL_METADATA`). Where the file says nothing, or has an ICC profile, the same as `Full`.
    #[default]
    Auto,
    /// The whole range of the type; from 0 to 1 for floating point.
    Full,
    /// These values, `black` below `white`, both finite.
    Between {
        /// The value that becomes black.
        black: f64,
        /// The value that becomes white.
        white: f64,
    },
}

// The numbers of a window are never NaN.
impl Eq for Window {}

impl Window {
    /// What [`Self::parse`] reads, for messages.
    pub const EXPECTED: &str = "auto, full, or two numbers MIN,MAX of which the first is smaller";

    /// Reads `auto`, `full` or `MIN,MAX`; `None` if the text is something else.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "auto" => Some(Self::Auto),
            "full" => Some(Self::Full),
            text => {
                let (black, white) = text.split_once(',')?;
                let (black, white) = (number(black)?, number(white)?);
                (black < white && black.is_finite() && white.is_finite()).then_some(Self::Between { black, white })
            }
        }
    }
}

/// Reads a number such as `-9999`, `1.5e-3` or `nan`, with spaces around it; `None` if it is something else. The result is the same on every platform, and
/// within a few units in the last place of the nearest `f64`.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0');
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let size = match () {
        () if digits.eq_ignore_ascii_case("nan") => f64::NAN,
        () if digits.eq_ignore_ascii_case("inf") || digits.eq_ignore_ascii_case("infinity") => f64::INFINITY,
        () => decimal(digits)?,
    };
    Some(if negative { -size } else { size })
}

/// Digits with an optional point and exponent.
fn decimal(text: &str) -> Option<f64> {
    /// More digits than an `f64` tells apart.
    const DIGITS: u64 = 10_u64.pow(17);
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok().filter(|exponent| exponent.unsigned_abs() < 10_000)?),
        None => (text, 0),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.len() > 1000 || whole.len().saturating_add(places.len()) == 0 {
        return None;
    }
    let (mut mantissa, mut exponent) = (0_u64, exponent);
    for (index, digit) in whole.bytes().chain(places.bytes()).enumerate() {
        let digit = char::from(digit).to_digit(10)?;
        let is_place = index >= whole.len();
        if mantissa < DIGITS {
            mantissa = mantissa.saturating_mul(10).saturating_add(digit.into());
            exponent = exponent.saturating_sub(is_place.into());
        } else {
            exponent = exponent.saturating_add((!is_place).into());
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "the nearest number is meant")]
    let mantissa = mantissa as f64;
    // Powers of ten up to the 22nd are exact; a division by one keeps 0.1 and the like exact.
    Some(match exponent {
        0.. => power(mantissa, exponent, |value, power| value * power),
        _ => power(mantissa, exponent.saturating_neg(), |value, power| value / power),
    })
}

fn power(mut value: f64, mut exponent: i32, apply: impl Fn(f64, f64) -> f64) -> f64 {
    while exponent > 0 && value != 0.0 && value.is_finite() {
        let step = exponent.min(22);
        value = apply(value, (0..step).fold(1.0, |power, _| power * 10.0));
        exponent = exponent.saturating_sub(step);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_writers_print_them() {
        for text in
            ["0", "-9999", "+12", "65535", "0.1", "1e3", "1.5E-3", ".5", "5.", "-3.40282346638529e+38", "123456789012345678901234567890", "0.000", "1e22"]
        {
            let expected: f64 = text.parse().unwrap();
            let found = number(text).unwrap();
            assert!((found - expected).abs() <= expected.abs() * 1e-15, "{text}: {found}");
        }
        assert_eq!(number(" -32768 \0"), Some(-32_768.0));
        // The least number of 32 bits, as GDAL prints it.
        assert_eq!(number("-3.4028234663852886e+38").unwrap() as f32, f32::MIN);
        assert!(number("nan").unwrap().is_nan() && number("-NaN").unwrap().is_nan());
        assert_eq!((number("inf"), number("-INF")), (Some(f64::INFINITY), Some(f64::NEG_INFINITY)));
        assert_eq!((number("1e9999"), number("1e-9999")), (Some(f64::INFINITY), Some(0.0)));
        for text in ["", "-", ".", "e3", "1e", "0x10", "1,5", "one", "--1", "1e99999999999", "1 2", "١"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }

    #[test]
    fn windows_that_cannot_be_are_refused() {
        assert_eq!(Window::parse(" 0 , 4095 "), Some(Window::Between { black: 0.0, white: 4095.0 }));
        for text in ["", "Auto", "4095", "0,", ",1", "1,0", "1,1", "nan,1", "0,nan", "-inf,0", "0,inf", "0,1,2", "0..1"] {
            assert_eq!(Window::parse(text), None, "{text:?}");
        }
    }
}
