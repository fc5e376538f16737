//! The size: 1.x §4.2, 2.1 §4.2, 3.0 §4.2.

use std::fmt;

use super::bounds::{Bounds, with_height, with_width};
use super::number::{Decimal, integer};
use super::{ConfinedUpscale, Format, Rotation, Service, Version};
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
    /// `full` (1.x, 2.x): not scaled, unless the format cannot hold it.
    Full,
    /// `max` (2.1, 3.0): as large as the limits and the format allow.
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

    /// The size in pixels for a region of an image (before rotation) in a format.
    pub fn resolve(&self, version: Version, region: Dimensions, format: Format, service: &Service) -> Result<Dimensions> {
        let bounds = Bounds::of(&service.limits, format);
        let side = |size: Option<u32>| size.unwrap_or(u32::MAX);
        let (size, shape) = match self.form {
            SizeForm::Full => (Bounds::of_format(format).shrink(region), region),
            SizeForm::Max if self.upscale => (bounds.enlarge(region), region),
            SizeForm::Max => (bounds.shrink(region), region),
            // A computed side beyond 32 bits is over the longest side of every format.
            SizeForm::Width(width) => (with_width(region, width).unwrap_or(Dimensions::at_least_one(width, u32::MAX)), region),
            SizeForm::Height(height) => (with_height(region, height).unwrap_or(Dimensions::at_least_one(u32::MAX, height)), region),
            SizeForm::Percent(number) => (Dimensions::at_least_one(side(number.percent_of(region.width())), side(number.percent_of(region.height()))), region),
            SizeForm::Exact(size) => (size, size),
            SizeForm::Confined(into) => (self.confine(version, region, into, service, &bounds), region),
        };
        let over_hundred = matches!(self.form, SizeForm::Percent(number) if number > Decimal::from_integer(100));
        let upscaled = !size.fits_in(region);
        if version == Version::V3 && !self.upscale && (upscaled || over_hundred) {
            return Err(Error::UpscaleNeedsCaret { value: self.to_string(), width: region.width(), height: region.height() });
        }
        if let Some(limit) = bounds.over(size) {
            return Err(Error::TooLarge { value: self.to_string(), rotated: None, limit, largest: Some(bounds.fit(shape, size)) });
        }
        if upscaled && !service.upscaling {
            return Err(Error::UpscaleUnsupported { value: self.to_string() });
        }
        Ok(size)
    }

    /// Refuses a size whose box is over the limits once it is rotated. Right angles are left alone: the limits are those of the size (3.0 §5.2).
    pub(super) fn check_rotated(&self, size: Dimensions, rotation: Rotation, format: Format, service: &Service) -> Result<()> {
        if rotation.is_right_angle().is_some() {
            return Ok(());
        }
        let bounds = Bounds::of(&service.limits, format);
        let rotated = rotation.apply(size);
        let Some(limit) = bounds.over(rotated) else { return Ok(()) };
        let largest = size.largest_that(|size| bounds.allow(rotation.apply(size)));
        Err(Error::TooLarge { value: self.to_string(), rotated: Some(rotated), limit, largest })
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
    pub(super) fn canonical(version: Version, size: Dimensions, region: Dimensions, format: Format, service: &Service) -> String {
        let (width, height) = (size.width(), size.height());
        if version == Version::V3 {
            let bounds = Bounds::of(&service.limits, format);
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
        match Size::parse(version, text).and_then(|size| size.resolve(version, region, Format::Png, service)) {
            Ok(size) => format!("{size} {}", Size::canonical(version, size, region, Format::Png, service)),
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

    fn refusal(version: Version, text: &str, rotation: &str, format: Format, service: &Service) -> String {
        let region = Dimensions::new(300, 200).unwrap();
        let rotation = Rotation::parse(version, rotation).unwrap();
        let size = Size::parse(version, text).unwrap();
        let resolved = size.resolve(version, region, format, service);
        resolved.and_then(|resolved| size.check_rotated(resolved, rotation, format, service)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_too_large_is_told_the_largest_size_that_fits() {
        let mut service = Service::default();
        service.limits.max_area = None;
        let far = |text, format| refusal(Version::V2, text, "0", format, &service);
        assert_eq!(far("100000,", Format::Jpg), "The size \"100000,\" is over the longest side of jpg, 65535 pixels: at most 65535,43690 fits.");
        assert_eq!(far(",4294967295", Format::Gif), "The size \",4294967295\" is over the longest side of gif, 65535 pixels: at most 65535,43690 fits.");
        service.limits.max_width = Some(100);
        let near = |text, rotation| refusal(Version::V2, text, rotation, Format::Png, &service);
        assert_eq!(near("full", "0"), "The size \"full\" is over this service's maxWidth of 100 pixels: at most 100,67 fits.");
        assert_eq!(near("200,50", "0"), "The size \"200,50\" is over this service's maxWidth of 100 pixels: at most 100,25 fits.");
        assert_eq!(
            near("80,80", "45"),
            "The size \"80,80\" becomes 114 × 114 pixels when it is rotated, over this service's maxWidth of 100 pixels: at most 70,70 fits with this rotation."
        );
        service.limits.max_width = Some(1);
        assert!(refusal(Version::V2, "1,1", "45", Format::Png, &service).ends_with(": no size fits with this rotation."));
    }

    #[test]
    fn right_angles_are_not_held_against_the_limits_again() {
        let mut service = Service::default();
        (service.limits.max_width, service.limits.max_height) = (Some(300), Some(200));
        let size = Dimensions::new(300, 200).unwrap();
        let full = Size { form: SizeForm::Max, upscale: false };
        let check = |rotation| full.check_rotated(size, Rotation::parse(Version::V3, rotation).unwrap(), Format::Jpg, &service);
        assert_eq!(check("90"), Ok(()));
        assert!(check("90.1").is_err());
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
