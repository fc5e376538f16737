//! The size: 1.x §4.2, 2.1 §4.2, 3.0 §4.2.

use std::fmt;

use super::bounds::{Bounds, with_height, with_width};
use super::number::{Decimal, integer};
use super::{ConfinedUpscale, Service, Version};
use crate::error::{Error, Part, Result};
use crate::geometry::Dimensions;

/// The size to which the region is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// What was asked for.
    pub form: SizeForm,
    /// `^` before it (3.0): it may be larger than the region.
    pub upscale: bool,
}

/// The forms of the size parameter, without `^`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SizeForm {
    /// `full` (1.x, 2.x): not scaled.
    Full,
    /// `max` (2.1, 3.0): as large as the limits allow.
    Max,
    /// `w,`.
    Width(u32),
    /// `,h`.
    Height(u32),
    /// `pct:n`.
    Percent(Decimal),
    /// `w,h`: exactly so, distorted if need be.
    Exact(Dimensions),
    /// `!w,h`: the largest of the region's shape that fits into this.
    Confined(Dimensions),
}

impl Size {
    /// Reads the (decoded) parameter.
    pub fn parse(version: Version, text: &str) -> Result<Self> {
        let syntax = || Error::Syntax { part: Part::Size, value: text.to_owned(), expected: expected(version) };
        let empty = || Error::EmptyResult { part: Part::Size, value: text.to_owned() };
        let (upscale, rest) = match text.strip_prefix('^') {
            Some(rest) if version == Version::V3 => (true, rest),
            Some(_) => return Err(syntax()),
            None => (false, text),
        };
        let form = if rest == "full" && version != Version::V3 {
            SizeForm::Full
        } else if rest == "max" && !version.is_1() {
            SizeForm::Max
        } else if let Some(number) = rest.strip_prefix("pct:") {
            let number = Decimal::parse(number).ok_or_else(syntax)?;
            if number.is_zero() {
                return Err(empty());
            }
            SizeForm::Percent(number)
        } else {
            let (confined, sides) = rest.strip_prefix('!').map_or((false, rest), |sides| (true, sides));
            let (width, height) = sides.split_once(',').ok_or_else(syntax)?;
            let side = |text: &str| match integer(text) {
                Some(0) => Err(empty()),
                Some(side) => Ok(side),
                None => Err(syntax()),
            };
            match (width, height) {
                (width, "") if !confined => SizeForm::Width(side(width)?),
                ("", height) if !confined => SizeForm::Height(side(height)?),
                (width, height) => {
                    // Malformed comes before empty: `0,x` is not a size at all.
                    let (width, height) = (integer(width).ok_or_else(syntax)?, integer(height).ok_or_else(syntax)?);
                    let size = Dimensions::new(width, height).ok_or_else(empty)?;
                    if confined { SizeForm::Confined(size) } else { SizeForm::Exact(size) }
                }
            }
        };
        Ok(Self { form, upscale })
    }

    /// The size in pixels for a region of an image (before rotation).
    pub fn resolve(&self, version: Version, region: Dimensions, service: &Service) -> Result<Dimensions> {
        let bounds = Bounds::of(&service.limits);
        // Whatever the limits are, a side has 32 bits.
        let beyond = || Error::TooLarge { what: "maxWidth", limit: u64::from(u32::MAX) };
        let size = match self.form {
            SizeForm::Full => region,
            SizeForm::Max if self.upscale => bounds.enlarge(region),
            SizeForm::Max => bounds.shrink(region),
            SizeForm::Width(width) => with_width(region, width).ok_or_else(beyond)?,
            SizeForm::Height(height) => with_height(region, height).ok_or_else(beyond)?,
            SizeForm::Percent(number) => {
                let side = |side: u32| number.percent_of(side).ok_or_else(beyond);
                Dimensions::at_least_one(side(region.width())?, side(region.height())?)
            }
            SizeForm::Exact(size) => size,
            SizeForm::Confined(into) => self.confine(version, region, into, service, &bounds),
        };
        let over_hundred = matches!(self.form, SizeForm::Percent(number) if number > Decimal::from_integer(100));
        let upscaled = !size.fits_in(region);
        if version == Version::V3 && !self.upscale && (upscaled || over_hundred) {
            return Err(Error::UpscaleNeedsCaret { value: self.to_string(), width: region.width(), height: region.height() });
        }
        bounds.check(size)?;
        if upscaled && !service.upscaling {
            return Err(Error::UpscaleUnsupported { value: self.to_string() });
        }
        Ok(size)
    }

    /// `!w,h`. Where upscaling was not asked for (3.0) or is off (before 3.0, where stopping is the server's right) the region itself is the most.
    fn confine(&self, version: Version, region: Dimensions, into: Dimensions, service: &Service, bounds: &Bounds) -> Dimensions {
        let clamp = match version {
            Version::V3 => !self.upscale && service.confined_upscale == ConfinedUpscale::Clamp,
            _ => !service.upscaling,
        };
        if clamp {
            bounds.fit(region, Dimensions::at_least_one(into.width().min(region.width()), into.height().min(region.height())))
        } else {
            bounds.fit(region, into)
        }
    }

    /// The canonical text of a resolved size: 2.1 §4.7, 3.0 §4.8. 1.x has none and borrows that of 2.1.
    pub(super) fn canonical(version: Version, size: Dimensions, region: Dimensions, service: &Service) -> String {
        let (width, height) = (size.width(), size.height());
        if version == Version::V3 {
            let bounds = Bounds::of(&service.limits);
            let caret = if size.fits_in(region) { "" } else { "^" };
            return if size == bounds.shrink(region) {
                "max".to_owned()
            } else if size == bounds.enlarge(region) {
                "^max".to_owned()
            } else {
                format!("{caret}{width},{height}")
            };
        }
        if size == region {
            "full".to_owned()
        } else if Some(size) == with_width(region, width) {
            // Only where `w,` gives this height again; `,h` may have rounded the other way.
            format!("{width},")
        } else {
            format!("{width},{height}")
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.upscale {
            f.write_str("^")?;
        }
        match self.form {
            SizeForm::Full => f.write_str("full"),
            SizeForm::Max => f.write_str("max"),
            SizeForm::Width(width) => write!(f, "{width},"),
            SizeForm::Height(height) => write!(f, ",{height}"),
            SizeForm::Percent(number) => write!(f, "pct:{number}"),
            SizeForm::Exact(size) => write!(f, "{},{}", size.width(), size.height()),
            SizeForm::Confined(size) => write!(f, "!{},{}", size.width(), size.height()),
        }
    }
}

fn expected(version: Version) -> &'static str {
    match version {
        Version::V1_0 | Version::V1_1 => "full, w,  ,h  pct:n  w,h or !w,h",
        Version::V2 => "full, max, w,  ,h  pct:n  w,h or !w,h",
        Version::V3 => "max, w,  ,h  pct:n  w,h or !w,h, with ^ before it to scale up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size and its canonical text, or the error's code.
    fn resolve(version: Version, text: &str, service: &Service) -> String {
        let region = Dimensions::new(300, 200).unwrap();
        match Size::parse(version, text).and_then(|size| size.resolve(version, region, service)) {
            Ok(size) => format!("{size} {}", Size::canonical(version, size, region, service)),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn examples_of_3_0() {
        let mut service = Service::default();
        service.limits.max_width = Some(360);
        for (text, expected) in [
            ("max", "300×200 max"),
            ("^max", "360×240 ^max"),
            ("150,", "150×100 150,100"),
            ("^360,", "360×240 ^max"),
            (",150", "225×150 225,150"),
            ("pct:50", "150×100 150,100"),
            ("pct:120", "upscale-needs-caret"),
            ("^pct:120", "360×240 ^max"),
            ("225,100", "225×100 225,100"),
            ("^360,360", "360×360 ^360,360"),
            ("!225,100", "150×100 150,100"),
            ("^!360,360", "360×240 ^max"),
            ("^361,", "too-large"),
            ("full", "syntax"),
            ("0,", "empty-result"),
            ("0,x", "syntax"),
        ] {
            assert_eq!(resolve(Version::V3, text, &service), expected, "{text}");
        }
        service.upscaling = false;
        assert_eq!(resolve(Version::V3, "^pct:120", &service), "upscale-unsupported");
    }

    #[test]
    fn canonical_of_2_1() {
        let service = Service::default();
        for (text, expected) in [
            ("max", "300×200 full"),
            ("300,", "300×200 full"),
            ("150,100", "150×100 150,"),
            ("150,101", "150×101 150,101"),
            ("600,", "600×400 600,"),
            ("!600,600", "600×400 600,"),
            ("^600,", "syntax"),
        ] {
            assert_eq!(resolve(Version::V2, text, &service), expected, "{text}");
        }
    }

    #[test]
    fn numbers_beyond_32_bits_are_too_large() {
        let mut service = Service::default();
        service.limits.max_area = None;
        for text in [",4294967295", "pct:1431655766", "pct:340000000000000"] {
            assert_eq!(resolve(Version::V2, text, &service), "too-large", "{text}");
        }
    }
}
