//! Lossless JPEG (ITU T.81, annex H) by jpeg-decoder.

use jpeg_decoder::{ColorTransform, PixelFormat};

use super::{Decoded, Fault};
use crate::geometry::Dimensions;

/// The components as they are stored; beyond 8 bits they fill the lower bits of 16.
pub(super) fn decode(bytes: &[u8], planned: Dimensions, memory: u64) -> Result<Decoded, Fault> {
    let failure = |error| match error {
        jpeg_decoder::Error::Unsupported(feature) => Fault::Unsupported(format!("{feature:?}")),
        other => Fault::Corrupt(other.to_string()),
    };
    if planned.area().saturating_mul(8) > memory {
        return Err(Fault::Unsupported(format!("lossless coding of {planned} pixels within {memory} bytes")));
    }
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().map_err(failure)?;
    match decoder.info().map(|info| info.pixel_format) {
        Some(PixelFormat::RGB24) => decoder.set_color_transform(ColorTransform::RGB),
        Some(PixelFormat::CMYK32) => decoder.set_color_transform(ColorTransform::CMYK),
        _ => {}
    }
    let samples = decoder.decode().map_err(failure)?;
    let info = decoder.info().ok_or_else(|| Fault::Internal("a decoded JPEG without a size".to_owned()))?;
    let channels = match info.pixel_format {
        PixelFormat::L8 | PixelFormat::L16 => 1,
        PixelFormat::RGB24 => 3,
        PixelFormat::CMYK32 => 4,
    };
    let expected = planned.area() * info.pixel_format.pixel_bytes() as u64;
    if (u32::from(info.width), u32::from(info.height)) != (planned.width(), planned.height()) || samples.len() as u64 != expected {
        return Err(Fault::Unsupported("lossless coding of several components beyond 8 bits".to_owned()));
    }
    Ok(Decoded { channels, samples, icc: None })
}
