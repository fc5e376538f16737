//! Decompresses chunks: whole chunks into exactly the number of bytes that is expected, so that a decompression bomb cannot grow; chunks that are too large for
//! that piece by piece. Deflate is decoded by fdeflate, PackBits is decoded here, and [`modules`] has the others.

use std::convert::Infallible;

use super::{corrupt, fax};
use crate::codec::modules::{self, Progress};
use crate::error::{Error, Result};
use crate::incomplete::Incomplete;
use crate::pyramid::level::Compression;

/// Bytes that are inflated at a time. If a step fails, it is not known how many of its bytes are valid.
const STEP: usize = 4 << 10;

/// The result of decompressing a chunk.
pub(super) struct Unpacked {
    /// As many bytes as were expected; 0 after the point where the data are damaged or end.
    pub bytes: Vec<u8>,
    /// If bytes are missing: how many there are before that point, and what is wrong.
    pub damage: Option<(usize, Error)>,
}

/// Decompresses exactly `expected` bytes. Data that follow them are not read. The chunk begins at byte `at` of the file.
pub(super) fn decompress(bytes: &[u8], compression: Compression, expected: usize, at: u64) -> Result<Unpacked> {
    let mut out = vec![0; expected];
    let (made, what) = match compression {
        Compression::None => (copy(bytes, &mut out).produced, None),
        Compression::Deflate => inflate(bytes, &mut out),
        Compression::PackBits => {
            let mut decoder = PackBits::default();
            (modules::run(bytes, &mut out, |input, out| Ok::<_, Infallible>(decoder.decode(input, out))).0, None)
        }
        Compression::Lzw | Compression::Zstandard => (modules::Unpacker::new(compression, expected as u64, at)?.fill(bytes, &mut out)?, None),
        Compression::Jpeg | Compression::WebP | Compression::Fax(_) => (0, None),
    };
    // A step that failed may have written bytes that are not valid.
    out.truncate(made);
    out.resize(expected, 0);
    let damage = (made < expected).then(|| (made, what.map_or_else(|| too_short(made, expected, at), |what| corrupt(at, what))));
    Ok(Unpacked { bytes: out, damage })
}

/// The error for data that end before all expected bytes have been made.
pub(crate) fn too_short(made: usize, expected: usize, at: u64) -> Error {
    corrupt(at, format!("a chunk of {made} bytes where {expected} belong"))
}

/// A decoder of one chunk, or of one plane of it. It is fed with pieces of the data, and gives the bytes in pieces too.
///
/// It keeps its whole state between two calls: data that it has taken are not needed again.
pub(crate) struct Unpacker {
    decoder: Decoder,
    /// Offset in the file at which the data begin.
    at: u64,
}

enum Decoder {
    Copy,
    PackBits(PackBits),
    Deflate(Box<Inflate>),
    Fax(fax::Rows),
    Module(modules::Unpacker),
}

impl Unpacker {
    /// For the first `content` bytes of rows of `width` px. The data begin at byte `at` of the file.
    pub fn new(compression: Compression, width: u32, content: u64, at: u64) -> Result<Self> {
        let decoder = match compression {
            Compression::None => Decoder::Copy,
            Compression::PackBits => Decoder::PackBits(PackBits::default()),
            Compression::Deflate => Decoder::Deflate(Box::new(Inflate::new())),
            Compression::Fax(kind) => {
                // Each row begins at a byte.
                let rows = content.checked_div(width.div_ceil(8).into()).unwrap_or(0);
                Decoder::Fax(fax::Rows::new(kind, width, 0..u32::try_from(rows).unwrap_or(u32::MAX)))
            }
            Compression::Lzw | Compression::Zstandard => Decoder::Module(modules::Unpacker::new(compression, content, at)?),
            Compression::Jpeg | Compression::WebP => return Err(crate::codec::internal(format!("{compression:?} is not unpacked"))),
        };
        Ok(Self { decoder, at })
    }

    /// Decodes a piece of the data into `out`. If no bytes are taken and none are made, it needs a longer piece; if this was the `last` one, the data have
    /// ended too early. An error is returned only after all bytes before it have been given.
    pub fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress> {
        match &mut self.decoder {
            Decoder::Copy => Ok(copy(input, out)),
            Decoder::PackBits(decoder) => Ok(decoder.decode(input, out)),
            Decoder::Deflate(decoder) => decoder.decode(input, last, out).map_err(|error| corrupt(self.at, error)),
            Decoder::Fax(decoder) => decoder.decode(input, last, out, self.at),
            Decoder::Module(decoder) => decoder.decode(input, last, out),
        }
    }

    /// Takes the damage that was found, in rows of the chunk. Only a decoder that fills damaged rows itself and goes on after them reports damage here.
    pub fn take_damage(&mut self) -> Option<Incomplete> {
        if let Decoder::Fax(decoder) = &mut self.decoder { decoder.take_damage() } else { None }
    }
}

fn copy(input: &[u8], out: &mut [u8]) -> Progress {
    let count = input.len().min(out.len());
    out[..count].copy_from_slice(&input[..count]);
    Progress { consumed: count, produced: count }
}

fn decompressor() -> fdeflate::Decompressor {
    let mut decoder = fdeflate::Decompressor::new();
    // The checksum is ignored: if all pixels are there, they are used even if it does not match.
    decoder.ignore_adler32();
    decoder
}

/// Inflates a complete stream directly into `out`, without a separate window. Returns how many bytes could be inflated, and the fault that stopped it, if any.
fn inflate(bytes: &[u8], out: &mut [u8]) -> (usize, Option<String>) {
    match inflate_by(usize::MAX, bytes, out) {
        // After a fault it is not known which bytes of the step are valid, so the stream is inflated again in small steps.
        (_, Some(_)) => inflate_by(STEP, bytes, out),
        whole => whole,
    }
}

/// The same, in steps of `step` bytes of output.
fn inflate_by(step: usize, bytes: &[u8], out: &mut [u8]) -> (usize, Option<String>) {
    let mut decoder = decompressor();
    let (mut read, mut written) = (0, 0);
    while written < out.len() && !decoder.is_done() {
        let end = written.saturating_add(step).min(out.len());
        match decoder.read(&bytes[read..], &mut out[..end], written, true) {
            Ok((0, 0)) => break,
            Ok((consumed, produced)) => (read, written) = (read + consumed, written + produced),
            Err(error) => return (written, Some(format!("{error:?}"))),
        }
    }
    (written, None)
}

/// How far back a match of Deflate reaches (RFC 1951, 2).
const WINDOW: usize = 32 << 10;
/// Bytes that are made before the window is moved.
const AHEAD: usize = 64 << 10;

/// A Deflate decoder that gives its output in pieces. It keeps the part of its output that matches may refer to.
struct Inflate {
    decoder: fdeflate::Decompressor,
    /// The window, then what was made since it was moved; filled up to `filled`.
    buffer: Vec<u8>,
    filled: usize,
    /// A fault in the data behind the bytes that were made. The next call returns it.
    fault: Option<String>,
}

impl Inflate {
    fn new() -> Self {
        Self { decoder: decompressor(), buffer: vec![0; WINDOW + AHEAD], filled: 0, fault: None }
    }

    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> std::result::Result<Progress, String> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let mut progress = Progress::default();
        while progress.produced < out.len() && !self.decoder.is_done() {
            if self.filled == self.buffer.len() {
                self.buffer.copy_within(self.filled - WINDOW.., 0);
                self.filled = WINDOW;
            }
            // No further than is wanted: faults in the data behind that do not matter.
            let end = self.buffer.len().min(self.filled + STEP.min(out.len() - progress.produced));
            let rest = &input[progress.consumed..];
            let (consumed, produced) = match self.decoder.read(rest, &mut self.buffer[..end], self.filled, last) {
                Ok(step) => step,
                // The bytes before the fault are valid, so they are given first.
                Err(error) if progress.produced > 0 => {
                    self.fault = Some(format!("{error:?}"));
                    break;
                }
                Err(error) => return Err(format!("{error:?}")),
            };
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

/// A decoder of PackBits (TIFF 6.0, section 9).
#[derive(Debug, Default, Clone)]
struct PackBits {
    /// Bytes that are still to be copied or repeated.
    left: usize,
    run: Run,
}

#[derive(Debug, Default, Clone, Copy)]
enum Run {
    #[default]
    Literal,
    /// A run of the byte that comes next.
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
        assert_eq!(whole(&packed, Compression::PackBits, plain.len()), plain);
        for len in 0..packed.len() {
            broken(&packed[..len], Compression::PackBits, &plain, plain.len());
        }
    }

    /// All output of data in pieces of `piece` bytes, taken `most` bytes at a time.
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
        // Noise, slopes, and repetitions at the greatest distance that Deflate allows.
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
            assert!(whole(&data, compression, plain.len()) == plain);
            for (piece, most) in [(1, 70_000), (7, 9000), (1000, 100), (1 << 20, 1 << 20), (5000, 333), (65_536, 65_536)] {
                assert!(stream(compression, &data, plain.len(), piece, most).unwrap() == plain, "{compression:?}, {piece} and {most}");
                assert!(stream(compression, &data, 777, piece, most).unwrap() == plain[..777]);
                assert!(stream(compression, &data[..data.len() / 2], plain.len(), piece, most).is_err());
            }
        }
    }

    #[test]
    fn a_short_stream_is_damage_and_a_long_one_is_cut() {
        let plain: Vec<u8> = (0..1000_u32).map(|i| ((i * i) >> 3) as u8).collect();
        let deflated = fdeflate::compress_to_vec(&plain);
        assert_eq!(whole(&deflated, Compression::Deflate, 1000), plain);
        assert_eq!(whole(&deflated, Compression::Deflate, 500), plain[..500]);
        assert_eq!(broken(&deflated, Compression::Deflate, &plain, 1001), 1000);
        broken(&deflated[..deflated.len() / 2], Compression::Deflate, &plain, 1000);
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&plain).unwrap();
        assert_eq!(whole(&lzw, Compression::Lzw, 1000), plain);
        assert!(broken(&lzw[..lzw.len() / 2], Compression::Lzw, &plain, 1000) > 300);
    }

    #[test]
    fn what_comes_before_damage_is_kept() {
        // Noise, so that half of the compressed bytes give about half of the plain ones.
        let mut state = 1_u32;
        let plain: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 27) as u8
        })
        .take(600_000)
        .collect();
        let deflated = fdeflate::compress_to_vec(&plain);
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&plain).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
        for (packed, compression, lost) in [(deflated, Compression::Deflate, STEP), (lzw, Compression::Lzw, 100), (zstd, Compression::Zstandard, 128 << 10)] {
            let half = packed.len() / 2;
            let made = broken(&packed[..half], compression, &plain, plain.len());
            assert!(made + lost + plain.len() / 20 > plain.len() / 2, "{made} of {compression:?}");
        }
        // Damage in the middle of a Zstandard frame: the type of its third block becomes the reserved one.
        let zstd = ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
        let window = usize::from(zstd[4] & 0x20 == 0);
        let mut at = 5 + window + if zstd[4] >> 6 == 0 { 1 - window } else { 1 << (zstd[4] >> 6) };
        for _ in 0..2 {
            let head = u32::from_le_bytes([zstd[at], zstd[at + 1], zstd[at + 2], 0]);
            at += 3 + if head >> 1 & 3 == 1 { 1 } else { (head >> 3) as usize };
        }
        let mut damaged = zstd;
        damaged[at] |= 6;
        assert_eq!(broken(&damaged, Compression::Zstandard, &plain, plain.len()), 256 << 10);
    }

    fn whole(packed: &[u8], compression: Compression, expected: usize) -> Vec<u8> {
        let Unpacked { bytes, damage } = decompress(packed, compression, expected, 0).unwrap();
        assert_eq!(damage, None);
        bytes
    }

    /// How many bytes come before the damage; they must be those of `plain`.
    fn broken(packed: &[u8], compression: Compression, plain: &[u8], expected: usize) -> usize {
        let Unpacked { bytes, damage } = decompress(packed, compression, expected, 7).unwrap();
        let (made, error) = damage.unwrap();
        assert!(matches!(error, Error::SourceCorrupt { at: 7, .. }), "{error}");
        assert!(bytes.len() == expected && bytes[..made] == plain[..made] && bytes[made..].iter().all(|byte| *byte == 0));
        made
    }
}
