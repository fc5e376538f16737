//! Mirrors and right-angle rotations of a raster: exact.

use super::raster::Raster;
use crate::pyramid::Orientation;

/// The raster as `orientation` lays it.
pub(crate) fn turn(raster: Raster, orientation: Orientation) -> Raster {
    match raster.channels {
        1 => turn_pixels::<1>(raster, orientation),
        2 => turn_pixels::<2>(raster, orientation),
        3 => turn_pixels::<3>(raster, orientation),
        _ => turn_pixels::<4>(raster, orientation),
    }
}

fn turn_pixels<const CHANNELS: usize>(mut raster: Raster, orientation: Orientation) -> Raster {
    let Orientation { transpose, flip_x, flip_y } = orientation;
    let stored = raster.dimensions;
    let (width, height) = (stored.width() as usize, stored.height() as usize);
    if !transpose {
        // In place: rows exchange, and each is reversed.
        let pixels = raster.data.as_chunks_mut::<CHANNELS>().0;
        match (flip_x, flip_y) {
            (true, true) => pixels.reverse(),
            (true, false) => pixels.chunks_exact_mut(width).for_each(<[_]>::reverse),
            (false, true) => {
                for y in 0..height / 2 {
                    let (top, bottom) = pixels.split_at_mut((height - 1 - y) * width);
                    top[y * width..][..width].swap_with_slice(&mut bottom[..width]);
                }
            }
            (false, false) => {}
        }
        return raster;
    }
    let pixels = raster.data.as_chunks::<CHANNELS>().0;
    let mut data = Vec::with_capacity(raster.data.len());
    for y in 0..width {
        let x = if flip_x { width - 1 - y } else { y };
        for step in 0..height {
            let row = if flip_y { height - 1 - step } else { step };
            data.extend_from_slice(&pixels[row * width + x]);
        }
    }
    Raster { dimensions: stored.transposed(), channels: CHANNELS, data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;

    #[test]
    fn the_eight_orientations_of_an_f() {
        // 1 2
        // 3 4
        // 5 6
        let raster = Raster { dimensions: Dimensions::new(2, 3).unwrap(), channels: 1, data: vec![1, 2, 3, 4, 5, 6] };
        let turned = |tag| turn(raster.clone(), Orientation::from_tag(tag)).data;
        let expected: [[u8; 6]; 8] = [
            [1, 2, 3, 4, 5, 6],
            [2, 1, 4, 3, 6, 5],
            [6, 5, 4, 3, 2, 1],
            [5, 6, 3, 4, 1, 2],
            [1, 3, 5, 2, 4, 6],
            [5, 3, 1, 6, 4, 2],
            [6, 4, 2, 5, 3, 1],
            [2, 4, 6, 1, 3, 5],
        ];
        for (tag, expected) in (1..).zip(expected) {
            assert_eq!(turned(tag), expected, "orientation {tag}");
        }
    }
}
