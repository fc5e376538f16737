//! What the published limits and the formats do to sizes: 2.1 §5.3 and 3.0 §5.2 (`maxWidth`, `maxHeight`, `maxArea`), 3.0 implementation notes on `max`.

use super::Format;
use crate::error::SizeLimit;
use crate::geometry::{Dimensions, scale_round};
use crate::limits::Limits;

/// The limits of a service, with every default filled in, and the longest side of a format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The greatest sides: those of the service, or that of the format if it is less.
    width: u32,
    height: u32,
    area: u64,
    service: Sides,
    format: Format,
    limited: bool,
}

/// The greatest sides that a service allows.
#[derive(Debug, Clone, Copy)]
struct Sides {
    width: u32,
    height: u32,
    height_is_own: bool,
}

impl Bounds {
    /// Of answers in a format.
    pub(super) fn of(limits: &Limits, format: Format) -> Self {
        // maxHeight means something only beside maxWidth, and is maxWidth if it is not given.
        let own_height = limits.max_width.and(limits.max_height);
        let service = Sides {
            width: limits.max_width.unwrap_or(u32::MAX).max(1),
            height: own_height.or(limits.max_width).unwrap_or(u32::MAX).max(1),
            height_is_own: own_height.is_some(),
        };
        Self {
            width: service.width.min(format.longest_side()),
            height: service.height.min(format.longest_side()),
            area: limits.max_area.unwrap_or(u64::MAX).max(1),
            service,
            format,
            limited: limits.max_width.is_some() || limits.max_area.is_some(),
        }
    }

    /// Of files in a format, whatever the service allows.
    pub(super) fn of_format(format: Format) -> Self {
        Self::of(&Limits { max_width: None, max_height: None, max_area: None, ..Limits::default() }, format)
    }

    pub(super) fn allow(&self, size: Dimensions) -> bool {
        self.over(size).is_none()
    }

    /// The limit that a size is over, if it is.
    pub(super) fn over(&self, size: Dimensions) -> Option<SizeLimit> {
        let Sides { width, height, height_is_own } = self.service;
        if size.width() > width {
            Some(SizeLimit::MaxWidth(width))
        } else if size.height() > height {
            Some(if height_is_own { SizeLimit::MaxHeight(height) } else { SizeLimit::MaxWidth(height) })
        } else if size.area() > self.area {
            Some(SizeLimit::MaxArea(self.area))
        } else {
            (size.width().max(size.height()) > self.format.longest_side()).then_some(SizeLimit::Side(self.format))
        }
    }

    /// `max`: the region, made smaller where it is over the limits.
    pub(super) fn shrink(&self, region: Dimensions) -> Dimensions {
        if self.allow(region) {
            return region;
        }
        // The order and the rounding of the implementation notes: area first, then each side from the original.
        let mut size = if region.area() > self.area { self.cut_area(region, region) } else { region };
        if size.width() > self.width {
            size = with_width(region, self.width).unwrap_or(size);
        }
        if size.height() > self.height {
            size = with_height(region, self.height).unwrap_or(size);
        }
        self.within_area(Dimensions::at_least_one(size.width().min(self.width), size.height().min(self.height)))
    }

    /// `^max`: the largest size of the region's shape.
    pub(super) fn enlarge(&self, region: Dimensions) -> Dimensions {
        if self.limited && self.allow(region) { self.fit(region, Dimensions::at_least_one(u32::MAX, u32::MAX)) } else { self.shrink(region) }
    }

    /// `!w,h`: the largest size of the region's shape that fits into the box and the limits.
    pub(super) fn fit(&self, region: Dimensions, into: Dimensions) -> Dimensions {
        let (width, height) = (into.width().min(self.width), into.height().min(self.height));
        let by_width = u64::from(width).saturating_mul(u64::from(region.height())) <= u64::from(height).saturating_mul(u64::from(region.width()));
        let size = if by_width { with_width(region, width) } else { with_height(region, height) }.unwrap_or(into);
        let size = Dimensions::at_least_one(size.width().min(width), size.height().min(height));
        if size.area() > self.area { self.cut_area(region, size) } else { size }
    }

    /// Both sides × √(limit ÷ area), rounded down; nothing over `most`.
    fn cut_area(&self, region: Dimensions, most: Dimensions) -> Dimensions {
        let side = |side: u32, other: u32, most: u32| {
            let square = u128::from(side).saturating_mul(u128::from(self.area)).checked_div(u128::from(other)).unwrap_or(0);
            u32::try_from(square.isqrt()).unwrap_or(u32::MAX).min(most)
        };
        let (width, height) = (region.width(), region.height());
        self.within_area(Dimensions::at_least_one(side(width, height, most.width()), side(height, width, most.height())))
    }

    /// Where a side was raised to 1 or rounded up, the other gives way.
    fn within_area(&self, size: Dimensions) -> Dimensions {
        let share = |of: u32| u32::try_from(self.area.checked_div(u64::from(of)).unwrap_or(1)).unwrap_or(u32::MAX).max(1);
        let width = size.width().min(share(size.height()));
        Dimensions::at_least_one(width, size.height().min(share(width)))
    }
}

/// Exactly this width and the region's shape; `None` for a height beyond `u32`.
pub(super) fn with_width(region: Dimensions, width: u32) -> Option<Dimensions> {
    let height = scale_round(region.height(), u64::from(width), u64::from(region.width()))?;
    Some(Dimensions::at_least_one(width, height))
}

/// Exactly this height and the region's shape; `None` for a width beyond `u32`.
pub(super) fn with_height(region: Dimensions, height: u32) -> Option<Dimensions> {
    with_width(region.transposed(), height).map(Dimensions::transposed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(width: Option<u32>, height: Option<u32>, area: Option<u64>) -> Bounds {
        let mut limits = Limits::default();
        (limits.max_width, limits.max_height, limits.max_area) = (width, height, area);
        Bounds::of(&limits, Format::Png)
    }

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    #[test]
    fn max() {
        assert_eq!(bounds(Some(200), None, None).shrink(size(300, 200)), size(200, 133));
        assert_eq!(bounds(Some(3000), Some(2000), Some(4_000_000)).shrink(size(6000, 4000)), size(2449, 1632));
        // A side that is still too long after the area was cut takes the other along.
        assert_eq!(bounds(Some(900), Some(300), Some(500_000)).shrink(size(1000, 1000)), size(300, 300));
        assert_eq!(bounds(None, Some(10), None).shrink(size(300, 200)), size(300, 200));
        assert_eq!(bounds(Some(360), None, None).enlarge(size(300, 200)), size(360, 240));
        assert_eq!(bounds(None, None, None).enlarge(size(300, 200)), size(300, 200));
    }

    #[test]
    fn max_is_what_the_format_holds() {
        let wide = size(100_000, 100);
        let shrunk = |format| Bounds::of_format(format).shrink(wide);
        assert_eq!(shrunk(Format::Jpg), size(65_535, 66));
        assert_eq!(shrunk(Format::Gif), size(65_535, 66));
        assert_eq!(shrunk(Format::WebP), size(16_383, 16));
        assert_eq!(shrunk(Format::Png), wide);
        assert_eq!(Bounds::of_format(Format::Jpg).enlarge(wide), size(65_535, 66));
        assert_eq!(Bounds::of(&Limits::default(), Format::Jpg).shrink(size(1_000_000, 100)), size(65_535, 7));
        let small = Bounds::of(&Limits { max_area: Some(1 << 40), ..Limits::default() }, Format::Jpg).enlarge(size(3, 2));
        assert_eq!(small, size(65_535, 43_690));
    }

    #[test]
    fn the_limit_is_named() {
        let bounds = bounds(Some(200), Some(100), Some(10_000));
        assert_eq!(bounds.over(size(201, 1)), Some(SizeLimit::MaxWidth(200)));
        assert_eq!(bounds.over(size(1, 101)), Some(SizeLimit::MaxHeight(100)));
        assert_eq!(bounds.over(size(200, 100)), Some(SizeLimit::MaxArea(10_000)));
        assert_eq!(bounds.over(size(100, 100)), None);
        assert_eq!(Bounds::of_format(Format::WebP).over(size(1, 16_384)), Some(SizeLimit::Side(Format::WebP)));
    }

    #[test]
    fn thin_images_stay_within_the_area() {
        for limit in [1, 2, 3, 100, 12345] {
            let bounds = bounds(None, None, Some(limit));
            for region in [size(1, 1_000_000_000), size(1_000_000_000, 1), size(3, 7919), size(1, 1), size(u32::MAX, u32::MAX)] {
                assert!(bounds.allow(bounds.shrink(region)), "{limit} {region}");
                assert!(bounds.allow(bounds.enlarge(region)), "{limit} {region}");
                assert!(bounds.allow(bounds.fit(region, size(50_000, 50_000))), "{limit} {region}");
            }
        }
    }
}
