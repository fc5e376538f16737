//! GIF by the `gif` crate: 256 colours by its quantiser, transparency of one bit.

use gif::{Encoder, Frame};

use super::Fault;
use super::coder::internal;
use crate::codec::rgba;
use crate::render::Raster;

/// NeuQuant looks at every tenth pixel: the crate's own advice between speed and quality.
const SPEED: i32 = 10;

/// A raster as a GIF of one frame.
pub(super) fn encode(raster: Raster) -> Result<Vec<u8>, Fault> {
    let side = |side: u32| u16::try_from(side).map_err(internal);
    let (width, height) = (side(raster.dimensions.width())?, side(raster.dimensions.height())?);
    let frame = match raster.channels {
        // Every gray has its place in the palette.
        1 => {
            let palette: Vec<u8> = (0..=255).flat_map(|gray| [gray; 3]).collect();
            Frame::from_palette_pixels(width, height, raster.data.as_slice(), palette, None)
        }
        3 => Frame::from_rgb_speed(width, height, &raster.data, SPEED),
        _ => {
            let mut rgba = rgba(raster);
            // Half transparent is not to be had: a pixel is there or not.
            for pixel in rgba.as_chunks_mut::<4>().0 {
                *pixel = if pixel[3] < 128 { [0; 4] } else { [pixel[0], pixel[1], pixel[2], 255] };
            }
            Frame::from_rgba_speed(width, height, &mut rgba, SPEED)
        }
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, &[]).map_err(internal)?;
    encoder.write_frame(&frame).map_err(internal)?;
    drop(encoder);
    Ok(bytes)
}
