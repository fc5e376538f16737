//! Lossy WebP by webp-rust, the only usable encoder in pure Rust under a free licence. And what is to be seen to before image-webp decodes a file.

use webp_rust::ImageBuffer;

use super::Fault;
use super::coder::internal;
use crate::codec::rgba;
use crate::geometry::Dimensions;
use crate::render::Raster;

/// RFC 9649, 2.7.1.1: the flag in VP8X for an animation.
const ANIMATION: u8 = 0x02;

/// A raster as lossy WebP at `quality` 0 to 100, by the fastest method.
pub(super) fn encode(raster: Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    let opaque = !raster.has_alpha();
    let image = ImageBuffer { width: raster.dimensions.width() as usize, height: raster.dimensions.height() as usize, rgba: rgba(raster) };
    let config = webp_rust::LossyEncodingConfig { quality: quality.into(), method: 0, no_alpha: opaque, ..Default::default() };
    webp_rust::encode_lossy_with_config(&image, &config, None).map_err(internal)
}

/// Whether lossy pixels have the size that they should have: those of the file its own, those of an animation's first frame the frame's. image-webp takes memory
/// for as many as they say to be before it looks at that, and does not look at all if a frame has alpha.
pub(super) fn check_sizes(file: &[u8], planned: Dimensions) -> Result<(), Fault> {
    let mut chunks = chunks(file.get(12..).unwrap_or_default()).peekable();
    let animated = chunks.peek().is_some_and(|(kind, data)| *kind == b"VP8X" && data.first().is_some_and(|flags| flags & ANIMATION != 0));
    for (kind, data) in chunks {
        match kind {
            // No other frame is decoded, and nothing but frames.
            b"ANMF" if animated => return check_frame(data, None),
            b"ANMF" => check_frame(data, Some(planned))?,
            b"VP8 " if !animated => check_size(data, planned)?,
            _ => {}
        }
    }
    Ok(())
}

/// The same of a frame, whose own size counts if no other is expected (RFC 9649, 2.7.1.1).
fn check_frame(data: &[u8], expected: Option<Dimensions>) -> Result<(), Fault> {
    let Some((head, parts)) = data.split_first_chunk::<16>() else { return Ok(()) };
    let side = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]) + 1;
    let expected = expected.unwrap_or(Dimensions::at_least_one(side(6), side(9)));
    let mut parts = chunks(parts).take(2).peekable();
    let has_alpha = parts.next_if(|(kind, _)| *kind == b"ALPH").is_some();
    for (kind, data) in parts {
        match kind {
            b"VP8 " => check_size(data, expected)?,
            _ if has_alpha => return Err(Fault::Corrupt("the alpha of its first frame is not followed by VP8 data".to_owned())),
            _ => {}
        }
    }
    Ok(())
}

/// Chunks of RIFF: kinds and data, the last one as far as it is there.
fn chunks(mut rest: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let (data, _) = after.split_at(length.min(after.len()));
        rest = after.get(length.saturating_add(length % 2)..).unwrap_or_default();
        Some((kind, data))
    })
}

/// RFC 6386, 9.1: of a key frame's data the size comes after three bytes and the start code.
fn check_size(vp8: &[u8], expected: Dimensions) -> Result<(), Fault> {
    let [_, _, _, _, _, _, a, b, c, d, ..] = *vp8 else { return Ok(()) };
    let (width, height) = (u32::from(u16::from_le_bytes([a, b]) & 0x3FFF), u32::from(u16::from_le_bytes([c, d]) & 0x3FFF));
    if (width, height) == (expected.width(), expected.height()) {
        return Ok(());
    }
    Err(Fault::Corrupt(format!("its VP8 data are of {width} × {height} px where {expected} belong")))
}
