//! What the published limits do to sizes: 2.1 §5.3 and 3.0 §5.2 (`maxWidth`, `maxHeight`, `maxArea`), 3.0 implementation notes on `max`.

use crate::error::{Error, Result};
use crate::geometry::{Dimensions, scale_round};
use crate::limits::Limits;

/// The three limits with every default filled in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    width: u32,
    height: u32,
    area: u64,
    height_name: &'static str,
    limited: bool,
}

impl Bounds {
    pub(super) fn of(limits: &Limits) -> Self {
        // maxHeight means something only beside maxWidth, and is maxWidth if it is not given.
        let own_height = limits.max_width.and(limits.max_height);
        Self {
            width: limits.max_width.unwrap_or(u32::MAX).max(1),
            height: own_height.or(limits.max_width).unwrap_or(u32::MAX).max(1),
            area: limits.max_area.unwrap_or(u64::MAX).max(1),
            height_name: if own_height.is_some() { "maxHeight" } else { "maxWidth" },
            limited: limits.max_width.is_some() || limits.max_area.is_some(),
        }
    }

    pub(super) fn allow(&self, size: Dimensions) -> bool {
        self.check(size).is_ok()
    }

    /// Refuses a size over a limit, and names the limit.
    pub(super) fn check(&self, size: Dimensions) -> Result<()> {
        let too_large = |what, limit| Err(Error::TooLarge { what, limit });
        if size.width() > self.width {
            too_large("maxWidth", u64::from(self.width))
        } else if size.height() > self.height {
            too_large(self.height_name, u64::from(self.height))
        } else if size.area() > self.area {
            too_large("maxArea", self.area)
        } else {
            Ok(())
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
        self.cut_to_box(size)
    }

    /// `^max`: the largest size of the region's shape.
    pub(super) fn enlarge(&self, region: Dimensions) -> Dimensions {
        if !self.limited {
            region
        } else if self.allow(region) {
            self.fit(region, Dimensions::at_least_one(u32::MAX, u32::MAX))
        } else {
            self.shrink(region)
        }
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
        self.cut_to_box(Dimensions::at_least_one(side(width, height, most.width()), side(height, width, most.height())))
    }

    /// Where a side was raised to 1 or rounded up, the other gives way.
    fn cut_to_box(&self, size: Dimensions) -> Dimensions {
        let (mut width, mut height) = (size.width().min(self.width), size.height().min(self.height));
        let share = |of: u32| u32::try_from(self.area.checked_div(u64::from(of)).unwrap_or(1)).unwrap_or(u32::MAX).max(1);
        width = width.min(share(height));
        height = height.min(share(width));
        Dimensions::at_least_one(width, height)
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
        Bounds::of(&limits)
    }

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    #[test]
    fn max() {
        assert_eq!(bounds(Some(200), None, None).shrink(size(300, 200)), size(200, 133));
        assert_eq!(bounds(Some(3000), Some(2000), Some(4_000_000)).shrink(size(6000, 4000)), size(2449, 1632));
        assert_eq!(bounds(None, Some(10), None).shrink(size(300, 200)), size(300, 200));
        assert_eq!(bounds(Some(360), None, None).enlarge(size(300, 200)), size(360, 240));
        assert_eq!(bounds(None, None, None).enlarge(size(300, 200)), size(300, 200));
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
