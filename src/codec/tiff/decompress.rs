//! Compressed chunks to bytes: whole, into exactly the bytes that are expected, so that no bomb can grow; or piece by piece, where a chunk is too large for
//! that. Deflate is fdeflate's, PackBits our own, [`extra`] has the others.

use super::{corrupt, fax};
use crate::codec::extra::{self, Progress};
use crate::error::{Error, Result};
use crate::pyramid::tiff::Compression;

/// Exactly `expected` bytes; an error if the data end before, while what comes after them is not looked at.
pub(super) fn decompress(bytes: &[u8], compression: Compression, expected: usize, at: u64) -> Result<Vec<u8>> {
    let mut out = match compression {
        Compression::Lzw | Compression::Zstandard => extra::unpack(compression, bytes, expected, at)?,
        _ => vec![0; expected],
    };
    let made = match compression {
        Compression::None => copy(bytes, &mut out).produced,
        Compression::Deflate => inflate(bytes, &mut out).map_err(|error| corrupt(at, error))?,
        Compression::PackBits => {
            let mut decoder = PackBits::default();
            extra::run(bytes, &mut out, |input, out| Ok::<_, Error>(decoder.decode(input, out)))?
        }
        Compression::Lzw | Compression::Zstandard => out.len(),
        Compression::Jpeg | Compression::WebP | Compression::Fax(_) => 0,
    };
    if made < expected { Err(too_short(made, expected, at)) } else { Ok(out) }
}

/// The error about data that end before all bytes are there.
pub(crate) fn too_short(made: usize, expected: usize, at: u64) -> Error {
    corrupt(at, format!("a chunk of {made} bytes where {expected} belong"))
}

/// A decoder of one chunk, or of one plane of it, that is fed pieces of the data and gives bytes, each as they come.
///
/// Between two calls it holds all of its state: none of the data that it has taken is needed again.
pub(crate) struct Unpacker {
    decoder: Decoder,
    /// The byte of the file at which the data begin.
    at: u64,
}

enum Decoder {
    Copy,
    PackBits(PackBits),
    Deflate(Box<Inflate>),
    Fax(fax::Rows),
    Extra(extra::Unpacker),
}

impl Unpacker {
    /// For the first `content` bytes of rows of `width` px, whose data begin at a byte of the file.
    pub fn new(compression: Compression, width: u32, content: u64, at: u64) -> Result<Self> {
        let decoder = match compression {
            Compression::None => Decoder::Copy,
            Compression::PackBits => Decoder::PackBits(PackBits::default()),
            Compression::Deflate => Decoder::Deflate(Box::new(Inflate::new())),
            Compression::Fax(kind) => {
                // Rows begin at bytes.
                let rows = content.checked_div(width.div_ceil(8).into()).unwrap_or(0);
                Decoder::Fax(fax::Rows::new(kind, width, u32::try_from(rows).unwrap_or(u32::MAX)))
            }
            Compression::Lzw | Compression::Zstandard => Decoder::Extra(extra::Unpacker::new(compression, content, at)?),
            Compression::Jpeg | Compression::WebP => return Err(crate::codec::internal(format!("{compression:?} is not unpacked"))),
        };
        Ok(Self { decoder, at })
    }

    /// Decodes a piece of the data into `out`. If neither bytes are taken nor any made, it needs a longer piece; of the `last` one, the data have ended.
    pub fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress> {
        match &mut self.decoder {
            Decoder::Copy => Ok(copy(input, out)),
            Decoder::PackBits(decoder) => Ok(decoder.decode(input, out)),
            Decoder::Deflate(decoder) => decoder.decode(input, last, out).map_err(|error| corrupt(self.at, error)),
            Decoder::Fax(decoder) => decoder.decode(input, last, out, self.at),
            Decoder::Extra(decoder) => decoder.decode(input, last, out),
        }
    }
}

fn copy(input: &[u8], out: &mut [u8]) -> Progress {
    let count = input.len().min(out.len());
    out[..count].copy_from_slice(&input[..count]);
    Progress { consumed: count, produced: count }
}

fn decompressor() -> fdeflate::Decompressor {
    let mut decoder = fdeflate::Decompressor::new();
    // Pixels that are all there are good, whatever is said of their sum.
    decoder.ignore_adler32();
    decoder
}

/// All of a stream that is here, without a window beside the output.
fn inflate(bytes: &[u8], out: &mut [u8]) -> std::result::Result<usize, String> {
    let mut decoder = decompressor();
    let (mut read, mut written) = (0, 0);
    while written < out.len() && !decoder.is_done() {
        let (consumed, produced) = decoder.read(&bytes[read..], out, written, true).map_err(|error| format!("{error:?}"))?;
        read += consumed;
        written += produced;
        if consumed == 0 && produced == 0 {
            break;
        }
    }
    Ok(written)
}

/// How far back a match of Deflate reaches (RFC 1951, 2).
const WINDOW: usize = 32 << 10;
/// Bytes that are made before the window is moved.
const AHEAD: usize = 64 << 10;

/// Deflate whose output goes on as it is made; what matches may reach back to is kept.
struct Inflate {
    decoder: fdeflate::Decompressor,
    /// The window, then what was made since it was moved, up to `filled`.
    buffer: Vec<u8>,
    filled: usize,
}

impl Inflate {
    fn new() -> Self {
        Self { decoder: decompressor(), buffer: vec![0; WINDOW + AHEAD], filled: 0 }
    }

    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> std::result::Result<Progress, String> {
        let mut progress = Progress::default();
        while progress.produced < out.len() && !self.decoder.is_done() {
            if self.filled == self.buffer.len() {
                self.buffer.copy_within(self.filled - WINDOW.., 0);
                self.filled = WINDOW;
            }
            // No further than is wanted: what is wrong with the data behind that is nobody's concern.
            let end = self.buffer.len().min(self.filled + out.len() - progress.produced);
            let rest = &input[progress.consumed..];
            let (consumed, produced) = self.decoder.read(rest, &mut self.buffer[..end], self.filled, last).map_err(|error| format!("{error:?}"))?;
            out[progress.produced..progress.produced + produced].copy_from_slice(&self.buffer[self.filled..self.filled + produced]);
            self.filled += produced;
            progress.consumed += consumed;
            progress.produced += produced;
            if consumed == 0 && produced == 0 {
                break;
            }
        }
        Ok(progress)
    }
}

/// TIFF 6.0, section 9.
#[derive(Debug, Default, Clone)]
struct PackBits {
    /// Bytes that are yet to be copied, or repeated.
    left: usize,
    run: Run,
}

#[derive(Debug, Default, Clone, Copy)]
enum Run {
    #[default]
    Literal,
    /// Of the byte that comes next.
    Repeated,
    Of(u8),
}

impl PackBits {
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Progress {
        let (mut read, mut written) = (0, 0);
        while written < out.len() {
            if self.left == 0 {
                let Some(&head) = input.get(read) else { break };
                read += 1;
                (self.left, self.run) = match head {
                    0..=127 => (usize::from(head) + 1, Run::Literal),
                    128 => (0, Run::Literal),
                    129..=255 => (257 - usize::from(head), Run::Repeated),
                };
                continue;
            }
            let room = self.left.min(out.len() - written);
            let count = match self.run {
                Run::Repeated => {
                    let Some(&byte) = input.get(read) else { break };
                    read += 1;
                    self.run = Run::Of(byte);
                    continue;
                }
                Run::Of(byte) => {
                    out[written..written + room].fill(byte);
                    room
                }
                Run::Literal => {
                    let rest = &input[read..];
                    let count = room.min(rest.len());
                    out[written..written + count].copy_from_slice(&rest[..count]);
                    read += count;
                    count
                }
            };
            if count == 0 {
                break;
            }
            (self.left, written) = (self.left - count, written + count);
        }
        Progress { consumed: read, produced: written }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packbits_of_the_specification() {
        let packed = [0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA];
        let plain =
            [0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0x22, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA];
        assert_eq!(decompress(&packed, Compression::PackBits, plain.len(), 0).unwrap(), plain);
        for len in 0..packed.len() {
            assert!(decompress(&packed[..len], Compression::PackBits, plain.len(), 0).is_err());
        }
    }

    /// All that comes of data in pieces of `piece` bytes, taken `most` bytes at a time.
    fn stream(compression: Compression, data: &[u8], expected: usize, piece: usize, most: usize) -> Result<Vec<u8>> {
        let mut unpacker = Unpacker::new(compression, 1, expected as u64, 0).unwrap();
        let (mut made, mut at, mut length) = (Vec::new(), 0, piece);
        while made.len() < expected {
            let end = (at + length).min(data.len());
            let mut out = vec![0; most.min(expected - made.len())];
            let Progress { consumed, produced } = unpacker.decode(&data[at..end], end == data.len(), &mut out)?;
            made.extend_from_slice(&out[..produced]);
            at += consumed;
            length = if consumed + produced > 0 { piece } else { length * 2 };
            if consumed + produced == 0 && end == data.len() {
                return Err(too_short(made.len(), expected, 0));
            }
        }
        Ok(made)
    }

    #[test]
    fn pieces_of_any_length_give_the_bytes_of_the_whole() {
        // Noise, slopes, and repetitions that reach back as far as they can.
        let noise: Vec<u8> = (0..40_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
        let plain = [&noise[..32_768], &noise[..32_768], &[9; 5000], &noise, &(0..30_000_u32).map(|at| (at / 70) as u8).collect::<Vec<u8>>()].concat();
        let deflated = fdeflate::compress_to_vec(&plain);
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(9));
        std::io::Write::write_all(&mut encoder, &plain).unwrap();
        let zlib = encoder.finish().unwrap();
        assert!(zlib.len() < 80_000, "matches reach back over the whole window");
        let packed: Vec<u8> = plain
            .chunk_by(|a, b| a == b)
            .flat_map(|run| run.chunks(128))
            .flat_map(|run| if run.len() > 1 { vec![(257 - run.len()) as u8, run[0]] } else { vec![0, run[0], 128] })
            .collect();
        for (compression, data) in
            [(Compression::Deflate, deflated), (Compression::Deflate, zlib), (Compression::PackBits, packed), (Compression::None, plain.clone())]
        {
            assert!(decompress(&data, compression, plain.len(), 0).unwrap() == plain);
            for (piece, most) in [(1, 70_000), (7, 9000), (1000, 100), (1 << 20, 1 << 20), (5000, 333), (65_536, 65_536)] {
                assert!(stream(compression, &data, plain.len(), piece, most).unwrap() == plain, "{compression:?}, {piece} and {most}");
                assert!(stream(compression, &data, 777, piece, most).unwrap() == plain[..777]);
                assert!(stream(compression, &data[..data.len() / 2], plain.len(), piece, most).is_err());
            }
        }
    }

    #[test]
    fn a_short_stream_is_an_error_and_a_long_one_is_cut() {
        let plain: Vec<u8> = (0..1000_u32).map(|i| ((i * i) >> 3) as u8).collect();
        let deflated = fdeflate::compress_to_vec(&plain);
        assert_eq!(decompress(&deflated, Compression::Deflate, 1000, 0).unwrap(), plain);
        assert_eq!(decompress(&deflated, Compression::Deflate, 500, 0).unwrap(), plain[..500]);
        assert!(decompress(&deflated, Compression::Deflate, 1001, 0).is_err());
        assert!(decompress(&deflated[..deflated.len() / 2], Compression::Deflate, 1000, 0).is_err());
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&plain).unwrap();
        assert_eq!(decompress(&lzw, Compression::Lzw, 1000, 0).unwrap(), plain);
        assert!(decompress(&lzw[..lzw.len() / 2], Compression::Lzw, 1000, 0).is_err());
    }
}
