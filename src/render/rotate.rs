//! Rotation by any angle, about the centre, onto the smallest box that holds the whole.

use super::raster::Raster;

/// Fractional bits of a place in the source.
const BITS: i64 = 16;

/// The raster turned clockwise by `degrees`, with an alpha channel that is 0 where nothing was. Bilinear.
pub(crate) fn rotate(raster: &Raster, degrees: f64) -> Raster {
    let radians = degrees * (std::f64::consts::PI / 180.0);
    let (sin, cos) = (libm::sin(radians), libm::cos(radians));
    let (width, height) = (f64::from(raster.dimensions.width()), f64::from(raster.dimensions.height()));
    let size = raster.dimensions.rotated(degrees);
    let colors = if raster.is_gray() { 1 } else { 3 };
    let fixed = |value: f64| libm::round(value * f64::from(1 << BITS)) as i64;
    let mut data = Vec::with_capacity(size.area() as usize * (colors + 1));
    for y in 0..size.height() {
        let down = f64::from(y) + 0.5 - f64::from(size.height()) / 2.0;
        let across = 0.5 - f64::from(size.width()) / 2.0;
        // The inverse rotation takes a pixel's centre back to the source.
        let mut u = fixed(across * cos + down * sin + width / 2.0 - 0.5);
        let mut v = fixed(down * cos - across * sin + height / 2.0 - 0.5);
        let (step_u, step_v) = (fixed(cos), fixed(-sin));
        for _ in 0..size.width() {
            sample(raster, colors, u, v, &mut data);
            u += step_u;
            v += step_v;
        }
    }
    Raster { dimensions: size, channels: colors + 1, data }
}

/// The four pixels around a place, weighed by nearness and alpha; beyond the edge all is transparent.
fn sample(raster: &Raster, colors: usize, u: i64, v: i64, out: &mut Vec<u8>) {
    const ONE: u64 = 1 << BITS;
    let (x, y) = (u >> BITS, v >> BITS);
    let (right, low) = ((u & (ONE as i64 - 1)) as u64, (v & (ONE as i64 - 1)) as u64);
    let (width, height) = (i64::from(raster.dimensions.width()), i64::from(raster.dimensions.height()));
    let mut sums = [0_u64; 3];
    let mut cover = 0_u64;
    for (dx, dy, weight) in [(0, 0, (ONE - right) * (ONE - low)), (1, 0, right * (ONE - low)), (0, 1, (ONE - right) * low), (1, 1, right * low)] {
        let (x, y) = (x + dx, y + dy);
        if x < 0 || y < 0 || x >= width || y >= height {
            continue;
        }
        let at = (y * width + x) as usize * raster.channels;
        let pixel = &raster.data[at..at + raster.channels];
        let alpha = if raster.has_alpha() { u64::from(pixel[colors]) } else { 255 };
        cover += weight * alpha;
        for (sum, color) in sums.iter_mut().zip(&pixel[..colors]) {
            *sum += weight * alpha * u64::from(*color);
        }
    }
    out.extend(sums[..colors].iter().map(|sum| ((sum + cover / 2).checked_div(cover).unwrap_or(0)) as u8));
    // The four weights sum to ONE².
    out.push(((cover + ONE * ONE / 2) >> (2 * BITS)) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;

    fn plain(width: u32, height: u32) -> Raster {
        let dimensions = Dimensions::new(width, height).unwrap();
        Raster { dimensions, channels: 3, data: [9, 100, 200].repeat(dimensions.area() as usize) }
    }

    #[test]
    fn the_box_holds_the_whole_and_its_corners_are_empty() {
        let turned = rotate(&plain(300, 200), 45.0);
        assert_eq!(turned.dimensions.to_string(), "354×354");
        let pixel = |x: usize, y: usize| &turned.data[(y * 354 + x) * 4..][..4];
        assert_eq!(pixel(0, 0), [0, 0, 0, 0]);
        assert_eq!(pixel(177, 177), [9, 100, 200, 255]);
        assert_eq!(rotate(&plain(100, 100), 30.0).dimensions.to_string(), "137×137");
    }

    #[test]
    fn a_turn_by_almost_nothing_keeps_the_pixels() {
        let turned = rotate(&plain(50, 40), 0.0001);
        let middle = (20 * turned.dimensions.width() as usize + 25) * 4;
        assert_eq!(turned.data[middle..][..4], [9, 100, 200, 255]);
    }
}
