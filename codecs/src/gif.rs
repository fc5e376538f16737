//! GIF with the `gif` crate. Of a file, the first frame is decoded. A raster is encoded with 256 colours, which the crate's quantizer chooses, and with
//! transparency of one bit.

use std::borrow::Cow;
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, Encoder, Frame, MemoryLimit};
use weezl::{BitOrder, encode};

use crate::collected::Raster;
use crate::decoded::Decoded;
use crate::{Fault, MEDIUM, Size, gif_canvas, internal};

/// Decodes the first frame and places it on its canvas, which must have the size `planned`. Pixels outside the frame are transparent.
pub(crate) fn decode(bytes: &[u8], planned: Size, memory: u64) -> Result<Decoded, Fault> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    // The reader of the header skips unknown blocks as well.
    options.allow_unknown_blocks(true);
    options.set_memory_limit(NonZeroU64::new(memory).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    let mut decoder = options.read_info(bytes).map_err(failure)?;
    let screen = (decoder.width(), decoder.height());
    let Some(frame) = decoder.next_frame_info().map_err(failure)? else { return Err(Fault::Corrupt("it has no frame".to_owned())) };
    let (size, transparent, interlaced) = ((frame.width, frame.height), frame.transparent, frame.interlaced);
    // If the canvas has the size of the frame instead of that of the screen, the frame fills it, whatever position it states.
    let canvas = gif_canvas(screen, size);
    let place = if canvas == screen { (usize::from(frame.left), usize::from(frame.top)) } else { (0, 0) };
    let found = Size { width: canvas.0.into(), height: canvas.1.into() };
    if found != planned {
        return Err(Fault::Corrupt(format!("its pixels are {found}, its header says {planned}")));
    }
    let mut indexes = vec![0; usize::from(size.0) * usize::from(size.1)];
    let mut rows = Rows::new(usize::from(size.1), interlaced);
    let damage = rows.read(&mut decoder, &mut indexes).err().map(|what| ((place.1 + rows.shown()) as u32, what));
    let colors = decoder.palette().map_err(failure)?.as_chunks::<3>().0;
    let (width, height) = (usize::from(canvas.0), usize::from(canvas.1));
    let mut samples = vec![0; width * height * 4];
    let coded = indexes.chunks_exact(usize::from(size.0).max(1));
    for ((y, row), into) in coded.enumerate().zip(samples.chunks_exact_mut((width * 4).max(1)).skip(place.1)) {
        let pixels = into.as_chunks_mut::<4>().0.iter_mut().skip(place.0);
        if damage.is_some() && !rows.is_shown(y) {
            // The row could not be decoded. It is transparent if the frame can have transparent pixels, and gray otherwise.
            let missing = if transparent.is_some() { [0; 4] } else { MISSING };
            pixels.take(row.len()).for_each(|pixel| *pixel = missing);
            continue;
        }
        for (index, pixel) in row.iter().zip(pixels) {
            // An index beyond the palette has no colour: the pixel stays transparent.
            let Some([r, g, b]) = colors.get(usize::from(*index)) else { continue };
            *pixel = [*r, *g, *b, if transparent == Some(*index) { 0 } else { 255 }];
        }
    }
    Ok(Decoded::new(planned, 4, samples, decoder.icc_profile().map(<[u8]>::to_vec), damage))
}

/// The value of a pixel that could not be decoded.
const MISSING: [u8; 4] = [MEDIUM, MEDIUM, MEDIUM, 255];

/// The rows of a frame in the order in which they are stored, and how many of them have been decoded.
struct Rows {
    order: Vec<usize>,
    here: usize,
    interlaced: bool,
}

impl Rows {
    /// The rows of a frame of this height. Interlaced rows are stored in four passes (GIF89a, appendix E).
    fn new(height: usize, interlaced: bool) -> Self {
        let passes: &[(usize, usize)] = if interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)] } else { &[(0, 1)] };
        Self { order: passes.iter().flat_map(|(first, step)| (*first..height).step_by(*step)).collect(), here: 0, interlaced }
    }

    /// Decodes all rows of the next frame. On an error, decodes as many as there are, and returns what is wrong. In an interlaced frame, missing rows become
    /// copies of the rows above them.
    fn read(&mut self, decoder: &mut gif::Decoder<&[u8]>, indexes: &mut [u8]) -> Result<(), String> {
        let width = indexes.len().checked_div(self.order.len()).unwrap_or(0);
        let outcome = self.order.iter().try_for_each(|y| {
            let row = &mut indexes[y * width..][..width];
            match decoder.fill_buffer(row) {
                Ok(true) => {
                    self.here += 1;
                    Ok(())
                }
                Ok(false) => Err("image truncated".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        });
        if outcome.is_err() && self.interlaced {
            let mut is_here = vec![false; self.order.len()];
            self.order[..self.here].iter().for_each(|y| is_here[*y] = true);
            for y in (1..is_here.len()).filter(|y| !is_here[*y]) {
                indexes.copy_within((y - 1) * width..y * width, y * width);
            }
        }
        outcome
    }

    /// Number of rows from the top that show something of the frame.
    fn shown(&self) -> usize {
        if self.interlaced { (self.here * 8).min(self.order.len()) } else { self.here }
    }

    fn is_shown(&self, y: usize) -> bool {
        y < self.shown()
    }
}

fn failure(error: DecodingError) -> Fault {
    Fault::Corrupt(error.to_string())
}

/// The quantizer NeuQuant uses every tenth pixel: the balance between speed and quality that the crate recommends.
const SPEED: i32 = 10;

/// Codes palette indexes as the data of a frame (GIF89a, appendix F): the bits of the smallest code, then LZW codes. The buffer has room for few codes at
/// first. If that is not enough, it grows once, to as many codes of 12 bits as there can be. `Frame::make_lzw_pre_encoded` makes the same data, but takes up to
/// three times that memory.
fn coded(indexes: &[u8]) -> Result<Vec<u8>, Fault> {
    let bits = (u8::BITS - indexes.iter().max().map_or(u8::BITS, |most| most.leading_zeros())).clamp(2, 8) as u8;
    let most = indexes.len() * 3 / 2 + indexes.len() / 128 + 1024;
    let mut out = vec![0; (indexes.len() / 4 + 1024).min(most)];
    out[0] = bits;
    let mut encoder = encode::Encoder::new(BitOrder::Lsb, bits);
    encoder.finish();
    let (mut rest, mut made) = (indexes, 1);
    loop {
        let step = encoder.encode_bytes(rest, &mut out[made..]);
        rest = &rest[step.consumed_in..];
        made += step.consumed_out;
        match step.status.map_err(internal)? {
            weezl::LzwStatus::Done => break,
            _ if out.len() < most => {
                out.reserve_exact(most - out.len());
                out.resize(most, 0);
            }
            weezl::LzwStatus::Ok => {}
            weezl::LzwStatus::NoProgress => return Err(internal("codes of more than 12 bits")),
        }
    }
    out.truncate(made);
    Ok(out)
}

/// Encodes a raster as a GIF of one frame.
pub(crate) fn encode(raster: Raster) -> Result<Vec<u8>, Fault> {
    let side = |side: u32| u16::try_from(side).map_err(internal);
    let (width, height) = (side(raster.size.width)?, side(raster.size.height)?);
    // Each step releases what the step before it has made.
    let mut frame = match raster.channels {
        // The palette has an entry for every gray.
        1 => {
            let palette: Vec<u8> = (0..=255).flat_map(|gray| [gray; 3]).collect();
            Frame::from_palette_pixels(width, height, raster.data, palette, None)
        }
        channels => {
            let mut rgba = raster.into_rgba();
            if channels != 3 {
                // GIF has no partial transparency: a pixel is either opaque or transparent.
                for pixel in rgba.as_chunks_mut::<4>().0 {
                    *pixel = if pixel[3] < 128 { [0; 4] } else { [pixel[0], pixel[1], pixel[2], 255] };
                }
            }
            Frame::from_rgba_speed(width, height, &mut rgba, SPEED)
        }
    };
    frame.buffer = Cow::Owned(coded(&frame.buffer)?);
    // Room for the data, with a length byte before each 255 bytes of them, and for the palette and headers. If the buffer had to grow, it would take twice as
    // much.
    let mut bytes = Vec::with_capacity(frame.buffer.len() + frame.buffer.len() / 255 + 1024);
    let mut encoder = Encoder::new(&mut bytes, width, height, &[]).map_err(internal)?;
    encoder.write_lzw_pre_encoded_frame(&frame).map_err(internal)?;
    drop(encoder);
    Ok(bytes)
}
