//! Streaming decoders of the rarer compressions of TIFF chunks: LZW (TIFF 6.0, section 13) with weezl, and Zstandard (RFC 8878) with ruzstd.

use std::io::Read;

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use weezl::{BitOrder, LzwStatus, decode::Decoder};

use crate::{Fault, Progress, Unpacker, ZSTANDARD_WINDOW, zstandard};

/// LZW, with either order of bits.
#[derive(Default)]
pub(crate) struct Lzw {
    /// Made when the first two bytes have shown the order of bits.
    decoder: Option<Decoder>,
    /// A fault in the data behind the bytes that were made. The next call returns it.
    fault: Option<String>,
}

impl Unpacker for Lzw {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(Fault::Corrupt(fault));
        }
        if self.decoder.is_none() && input.len() < 2 && !last {
            return Ok(Progress::default());
        }
        let decoder = self.decoder.get_or_insert_with(|| {
            // Writers of TIFF 5 packed codes from the lowest bit on. Their streams begin with the clear code in that order of bits (libtiff's "compat").
            let old = input.len() >= 2 && input[0] == 0 && input[1] & 1 == 1;
            if old { Decoder::new(BitOrder::Lsb, 8) } else { Decoder::with_tiff_size_switch(BitOrder::Msb, 8) }
        });
        let mut progress = Progress::default();
        while progress.produced < out.len() {
            let result = decoder.decode_bytes(&input[progress.consumed..], &mut out[progress.produced..]);
            progress.consumed += result.consumed_in;
            progress.produced += result.consumed_out;
            match result.status {
                Ok(LzwStatus::Ok) if result.consumed_in > 0 || result.consumed_out > 0 => {}
                Ok(_) => break,
                // The bytes before the fault are valid, so they are given first, however the data are cut into pieces.
                Err(error) if progress.produced > 0 => {
                    self.fault = Some(error.to_string());
                    break;
                }
                Err(error) => return Err(Fault::Corrupt(error.to_string())),
            }
        }
        Ok(progress)
    }
}

/// Bytes of a block header, and of the checksum after the last block.
const BLOCK_HEADER: usize = 3;
const CHECKSUM: usize = 4;
/// Most bytes of data in a block. If a block states more, the decoder refuses it before its data have come.
const LONGEST_BLOCK: usize = 128 << 10;

/// Decodes one frame, block by block. A block gives at most 128 KiB, so only the window and one block are held.
pub(crate) struct Zstandard {
    decoder: FrameDecoder,
    content: u64,
    begun: bool,
    /// A fault in the data behind the bytes that were made. It is returned when all of them have been given.
    fault: Option<Fault>,
}

/// An empty raw block that is marked as the last one (RFC 8878, 3.1.1.2), and room for a checksum, which is not compared.
const LAST_BLOCK: [u8; BLOCK_HEADER + CHECKSUM] = [1, 0, 0, 0, 0, 0, 0];

impl Zstandard {
    pub fn new(content: u64) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTANDARD_WINDOW);
        Self { decoder, content, begun: false, fault: None }
    }
}

impl Unpacker for Zstandard {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, Fault> {
        // The crate's own error messages would add more code than they are worth.
        let broken = || Fault::Corrupt("Zstandard data that is broken".to_owned());
        let mut progress = Progress::default();
        if !self.begun {
            if input.len() < zstandard::HEADER && !last {
                return Ok(progress);
            }
            let mut header = input[..input.len().min(zstandard::HEADER)].to_vec();
            zstandard::narrow_window(&mut header, self.content);
            let mut rest = header.as_slice();
            self.decoder.init(&mut rest).map_err(|error| match error {
                FrameDecoderError::WindowSizeTooBig { requested, .. } => Fault::Unsupported(format!("a Zstandard window of {} MiB", requested >> 20)),
                _ => broken(),
            })?;
            progress.consumed = header.len() - rest.len();
            self.begun = true;
        }
        while progress.produced < out.len() {
            let made = self.decoder.read(&mut out[progress.produced..]).map_err(|_| broken())?;
            progress.produced += made;
            if made > 0 {
                continue;
            }
            if self.decoder.is_finished() {
                match self.fault.take() {
                    Some(fault) if progress.produced == 0 => return Err(fault),
                    fault => self.fault = fault,
                }
                break;
            }
            let mut rest = &input[progress.consumed..];
            if !last && rest.len() < block_length(rest) {
                break;
            }
            let before = rest.len();
            if self.decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1)).is_err() {
                // The decoder holds back bytes that later blocks may repeat, until it has seen the last block. So it is given an empty last block.
                self.fault = Some(broken());
                self.decoder.decode_blocks(LAST_BLOCK.as_slice(), BlockDecodingStrategy::All).map_err(|_| broken())?;
                continue;
            }
            progress.consumed += before - rest.len();
        }
        Ok(progress)
    }
}

/// Bytes of a block with its header, and with the checksum that may follow it. If the header is not complete, only the bytes of a header.
fn block_length(bytes: &[u8]) -> usize {
    let Some(&[low, middle, high]) = bytes.first_chunk::<BLOCK_HEADER>() else { return BLOCK_HEADER };
    let header = u32::from_le_bytes([low, middle, high, 0]);
    // A run-length block has one byte of data.
    let content = if header >> 1 & 3 == 1 { 1 } else { (header as usize >> 3).min(LONGEST_BLOCK) };
    BLOCK_HEADER + content + if header & 1 == 1 { CHECKSUM } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, unpacker};

    fn plain() -> Vec<u8> {
        (0..400_000_u32).map(|at| if at / 5000 % 2 == 0 { (at.wrapping_mul(2_654_435_761) >> 24) as u8 } else { (at / 900) as u8 }).collect()
    }

    /// All output of data in pieces of `piece` bytes, taken `most` bytes at a time.
    fn decode(codec: Codec, data: &[u8], piece: usize, most: usize) -> Result<Vec<u8>, Fault> {
        let mut unpacker = unpacker(codec, 1 << 30).unwrap();
        let (mut made, mut at, mut length) = (Vec::new(), 0, piece);
        loop {
            let end = (at + length).min(data.len());
            let mut out = vec![0; most];
            let Progress { consumed, produced } = unpacker.decode(&data[at..end], end == data.len(), &mut out)?;
            made.extend_from_slice(&out[..produced]);
            at += consumed;
            length = if consumed + produced > 0 { piece } else { length * 2 };
            if consumed + produced == 0 && end == data.len() {
                return Ok(made);
            }
        }
    }

    #[test]
    fn pieces_of_any_length_give_the_same_bytes() {
        let plain = plain();
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&plain).unwrap();
        let old = weezl::encode::Encoder::new(BitOrder::Lsb, 8).encode(&plain).unwrap();
        let zstandard = ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
        for (codec, data) in [(Codec::Lzw, lzw), (Codec::Lzw, old), (Codec::Zstandard, zstandard)] {
            for (piece, most) in [(1, 70_000), (7, 9000), (1000, 100), (1 << 20, 1 << 20), (5000, 333)] {
                assert!(decode(codec, &data, piece, most).unwrap() == plain, "{codec:?}, {piece} and {most}");
            }
            for cut in [1, 100, data.len() / 2] {
                let made = decode(codec, &data[..cut], 4096, 4096).unwrap_or_default();
                assert!(made.len() < plain.len() && plain.starts_with(&made), "{codec:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_zstandard_bomb_is_held_a_block_at_a_time() {
        // Blocks of 128 KiB of one byte, each four bytes long: 64 MiB in 2 KiB.
        let mut data = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38];
        let block = |last: u32| (last | 1 << 1 | (128 << 10) << 3).to_le_bytes()[..3].to_vec();
        for index in 0..512 {
            data.extend(block(u32::from(index == 511)));
            data.push(7);
        }
        let mut unpacker = unpacker(Codec::Zstandard, 1 << 30).unwrap();
        let (mut at, mut made) = (0, 0);
        let mut out = vec![0; 64 << 10];
        while made < 64 << 20 {
            let progress = unpacker.decode(&data[at..], true, &mut out).unwrap();
            assert!(out[..progress.produced].iter().all(|byte| *byte == 7));
            (at, made) = (at + progress.consumed, made + progress.produced);
            // The window is 128 KiB, and up to two blocks may have been decoded behind it.
            assert!(at.saturating_sub(6) / 4 * (128 << 10) <= made + (512 << 10), "{at} bytes were decoded where {made} were taken");
        }
    }
}
