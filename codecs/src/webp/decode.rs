//! Decodes with image-webp, after checks that image-webp does not make itself.

use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::{BufRead, Cursor, Seek};

use super::damaged::{self, Image};
use super::{Chunk, FIRST_CHUNK, FRAME_HEADER, chunks};
use crate::decoded::Decoded;
use crate::{ANIMATION_FLAG, Fault, Size, internal};

/// Decodes the picture of a file, or the first frame of an animation; of a damaged file, what can be decoded.
pub(crate) fn decode(mut bytes: Vec<u8>, planned: Size, memory: u64) -> Result<Decoded, Fault> {
    check_sizes(&bytes, planned)?;
    lay_first_frame(&mut bytes);
    let mut samples = Vec::new();
    // image-webp would allocate as many bytes as lossy data say that they have, before it finds that there are fewer.
    if let Some(what) = Image::find(&bytes).and_then(|image| image.cut_short(&bytes)) {
        return damaged::decode(bytes, planned, memory, samples, what).map_err(Fault::Corrupt);
    }
    match read(Cursor::new(&bytes), planned, memory, &mut samples) {
        Ok(Pixels { channels, icc }) => Ok(Decoded::new(planned, channels, samples, icc, None)),
        Err(Fault::Corrupt(what)) => damaged::decode(bytes, planned, memory, samples, what).map_err(Fault::Corrupt),
        Err(other) => Err(other),
    }
}

/// What is known of a decoded picture besides its samples.
pub(super) struct Pixels {
    /// 3 (RGB) or 4 (RGBA, straight).
    pub channels: usize,
    /// The embedded ICC profile.
    pub icc: Option<Vec<u8>>,
}

/// Decodes a file into `samples`.
pub(super) fn read(file: impl BufRead + Seek, planned: Size, memory: u64, samples: &mut Vec<u8>) -> Result<Pixels, Fault> {
    let mut decoder = WebPDecoder::new(file).map_err(failure)?;
    let (width, height) = decoder.dimensions();
    let found = Size { width, height };
    if found != planned {
        return Err(Fault::Corrupt(format!("its pixels are {found}, its header says {planned}")));
    }
    let mut own = image::Limits::no_limits();
    own.max_alloc = Some(memory);
    decoder.set_limits(own).map_err(failure)?;
    // A profile that the decoder cannot give is treated like one that cannot be read, which is reported.
    let icc = decoder.icc_profile().unwrap_or_else(|_| Some(Vec::new()));
    let channels = match decoder.color_type() {
        ColorType::Rgb8 => 3,
        ColorType::Rgba8 => 4,
        other => return Err(Fault::Unsupported(format!("{other:?}"))),
    };
    samples.clear();
    samples.resize(usize::try_from(decoder.total_bytes()).map_err(internal)?, 0);
    decoder.read_image(samples).map_err(failure)?;
    Ok(Pixels { channels, icc })
}

fn failure(error: ImageError) -> Fault {
    match error {
        ImageError::Unsupported(error) => Fault::Unsupported(error.to_string()),
        other => Fault::Corrupt(other.to_string()),
    }
}

/// Checks that lossy pixels have the size that they should have: in a still picture that of the file, in the first frame of an animation that of the frame.
/// image-webp allocates memory for the size that VP8 data state before it checks that size, and does not check it at all if a frame has alpha.
fn check_sizes(file: &[u8], planned: Size) -> Result<(), Fault> {
    let animated = is_animated(file);
    for chunk in chunks(file, FIRST_CHUNK) {
        match &chunk.kind {
            // Of an animation, only the first frame is decoded, and nothing outside of frames.
            b"ANMF" if animated => return check_frame(file, chunk, None),
            b"ANMF" => check_frame(file, chunk, Some(planned))?,
            b"VP8 " if !animated => check_size(chunk.data(file), planned)?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether the header of the file (RFC 9649, 2.7.1) says that it is an animation.
pub(super) fn is_animated(file: &[u8]) -> bool {
    let first = chunks(file, FIRST_CHUNK).next().filter(|chunk| chunk.kind == *b"VP8X");
    first.and_then(|chunk| chunk.data(file).first().copied()).is_some_and(|flags| flags & ANIMATION_FLAG != 0)
}

/// Makes the first frame of an animation replace the canvas, which is transparent, as that gives the same as blending (RFC 9649, 2.7.1.1). image-webp blends
/// with an error of 1.
fn lay_first_frame(file: &mut [u8]) {
    const DO_NOT_BLEND: u8 = 0x02;
    let frame = chunks(file, FIRST_CHUNK).find(|chunk| chunk.kind == *b"ANMF").filter(|_| is_animated(file));
    if let Some(flags) = frame.and_then(|frame| file.get_mut(frame.start + FRAME_HEADER - 1)) {
        *flags |= DO_NOT_BLEND;
    }
}

/// Checks that the data of a frame have the size `expected`, or that of the frame itself if nothing is expected (RFC 9649, 2.7.1.1).
fn check_frame(file: &[u8], frame: Chunk, expected: Option<Size>) -> Result<(), Fault> {
    let Some(head) = frame.data(file).first_chunk::<FRAME_HEADER>() else { return Ok(()) };
    let side = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]) + 1;
    let expected = expected.unwrap_or(Size { width: side(6), height: side(9) });
    let mut parts = frame.parts(file, FRAME_HEADER).take(2).peekable();
    let has_alpha = parts.next_if(|chunk| chunk.kind == *b"ALPH").is_some();
    for chunk in parts {
        match &chunk.kind {
            b"VP8 " => check_size(chunk.data(file), expected)?,
            _ if has_alpha => return Err(Fault::Corrupt("the alpha of its first frame is not followed by VP8 data".to_owned())),
            _ => {}
        }
    }
    Ok(())
}

/// Checks the size in VP8 data. In the data of a key frame, it follows a tag of three bytes and the start code (RFC 6386, 9.1).
fn check_size(vp8: &[u8], expected: Size) -> Result<(), Fault> {
    let [_, _, _, _, _, _, a, b, c, d, ..] = *vp8 else { return Ok(()) };
    let (width, height) = (u32::from(u16::from_le_bytes([a, b]) & 0x3FFF), u32::from(u16::from_le_bytes([c, d]) & 0x3FFF));
    if (width, height) == (expected.width, expected.height) {
        return Ok(());
    }
    Err(Fault::Corrupt(format!("its VP8 data are of {width} × {height} px where {expected} belong")))
}
