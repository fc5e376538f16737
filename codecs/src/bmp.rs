//! Decodes BMP with the `image` crate: 1 to 32 bits per pixel, palettes, run-length encoding, bit fields, and rows in either order.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{ImageDecoder, ImageError};

use crate::decoded::Decoded;
use crate::headers::bmp::profile;
use crate::{Fault, MEDIUM, Size, internal};

/// Decodes all pixels. If the file ends early or is damaged, those that are stored before that point; in most files the bottom row is stored first.
pub(crate) fn decode(bytes: &[u8], planned: Size) -> Result<Decoded, Fault> {
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(failure)?;
    let (width, height) = decoder.dimensions();
    if (width, height) != (planned.width, planned.height) {
        return Err(Fault::Corrupt(format!("its pixels are {width} × {height}, its header says {planned}")));
    }
    let channels = usize::from(decoder.color_type().channel_count());
    let missing = if channels == 4 { &[0; 4][..] } else { &[MEDIUM; 3] };
    let mut samples = missing.repeat(planned.area() as usize);
    let damage = match decoder.read_image(&mut samples).map_err(failure) {
        Ok(()) => None,
        Err(Fault::Corrupt(what)) if samples.chunks_exact(channels).any(|pixel| pixel != missing) => {
            let rows = samples.chunks_exact(channels * width as usize).take_while(|row| !row.ends_with(missing)).count();
            Some((rows as u32, what))
        }
        // No pixel could be decoded.
        Err(fault) => return Err(fault),
    };
    if channels == 4 && damage.is_none() {
        opaque_if_invisible(&mut samples);
    }
    Ok(Decoded::new(planned, channels, samples, profile(bytes).map(<[u8]>::to_vec), damage))
}

/// Makes all pixels opaque if all of them have alpha 0. Some writers declare alpha, but leave it at zero. Browsers show such files as if they had no alpha.
fn opaque_if_invisible(samples: &mut [u8]) {
    let pixels = samples.as_chunks_mut::<4>().0;
    if pixels.iter().all(|pixel| pixel[3] == 0) {
        pixels.iter_mut().for_each(|pixel| pixel[3] = 255);
    }
}

fn failure(error: ImageError) -> Fault {
    match error {
        ImageError::Unsupported(what) => Fault::Unsupported(what.to_string()),
        ImageError::Decoding(_) => Fault::Corrupt(error.to_string()),
        ImageError::IoError(_) => Fault::Corrupt("its data end early".to_owned()),
        other => internal(other),
    }
}
