//! Deflate by fdeflate, PackBits, what [`extra`] has, each into exactly the bytes that are expected, so that no bomb can grow.

use super::corrupt;
use crate::codec::extra;
use crate::error::{Error, Result};
use crate::pyramid::tiff::Compression;

/// Bytes that are inflated at a time: of a step that fails nothing is known.
const STEP: usize = 1 << 10;

/// What bytes were unpacked to.
pub(super) struct Unpacked {
    /// As many as were expected; 0 behind the place where the data are damaged or end.
    pub bytes: Vec<u8>,
    /// How many there are up to there, and what is wrong.
    pub damage: Option<(usize, Error)>,
}

/// Exactly `expected` bytes. What comes after them is not looked at.
pub(super) fn decompress(bytes: &[u8], compression: Compression, expected: usize, at: u64) -> Result<Unpacked> {
    let mut out = match compression {
        Compression::Lzw | Compression::Zstandard => extra::unpack(compression, bytes, expected, at)?,
        _ => vec![0; expected],
    };
    let (made, what) = match compression {
        Compression::None => {
            let count = bytes.len().min(expected);
            out[..count].copy_from_slice(&bytes[..count]);
            (count, None)
        }
        Compression::Deflate => inflate(bytes, &mut out),
        Compression::PackBits => (unpack_bits(bytes, &mut out), None),
        Compression::Lzw | Compression::Zstandard => (out.len(), None),
        Compression::Jpeg | Compression::WebP | Compression::Fax(_) => (0, None),
    };
    // A step that failed may have written something.
    out.truncate(made);
    out.resize(expected, 0);
    let damage = (made < expected).then(|| {
        let what = what.unwrap_or_else(|| format!("a chunk of {made} bytes where {expected} belong"));
        (made, corrupt(at, what))
    });
    Ok(Unpacked { bytes: out, damage })
}

/// How many bytes could be inflated, and why no more.
fn inflate(bytes: &[u8], out: &mut [u8]) -> (usize, Option<String>) {
    let mut decoder = fdeflate::Decompressor::new();
    // Pixels that are all there are good, whatever is said of their sum.
    decoder.ignore_adler32();
    let (mut read, mut written) = (0, 0);
    while written < out.len() && !decoder.is_done() {
        let end = written.saturating_add(STEP).min(out.len());
        match decoder.read(&bytes[read..], &mut out[..end], written, true) {
            Ok((0, 0)) => break,
            Ok((consumed, produced)) => {
                read += consumed;
                written += produced;
            }
            Err(error) => return (written, Some(format!("{error:?}"))),
        }
    }
    (written, None)
}

/// TIFF 6.0, section 9.
fn unpack_bits(bytes: &[u8], out: &mut [u8]) -> usize {
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let Some(&head) = bytes.get(read) else { break };
        read += 1;
        let count = usize::from(head);
        match head {
            0..=127 => {
                let literal = bytes.get(read..).unwrap_or_default();
                let count = (count + 1).min(literal.len()).min(out.len() - written);
                if count == 0 {
                    break;
                }
                out[written..written + count].copy_from_slice(&literal[..count]);
                (read, written) = (read + count, written + count);
            }
            128 => {}
            129..=255 => {
                let Some(&byte) = bytes.get(read) else { break };
                let count = (257 - count).min(out.len() - written);
                out[written..written + count].fill(byte);
                (read, written) = (read + 1, written + count);
            }
        }
    }
    written
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
        // Noise, so that half of the packed bytes are about half of the plain ones.
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
        // A byte in the middle of a Zstandard frame: the type of its third block becomes one that is reserved.
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
