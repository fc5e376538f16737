//! Deflate by fdeflate, PackBits, what [`extra`] has, each into exactly the bytes that are expected, so that no bomb can grow.

use super::corrupt;
use crate::codec::extra;
use crate::error::Result;
use crate::pyramid::tiff::Compression;

/// Exactly `expected` bytes; an error if the data end before, while what comes after them is not looked at.
pub(super) fn decompress(bytes: &[u8], compression: Compression, expected: usize, at: u64) -> Result<Vec<u8>> {
    let mut out = match compression {
        Compression::Lzw | Compression::Zstandard => extra::unpack(compression, bytes, expected, at)?,
        _ => vec![0; expected],
    };
    let made = match compression {
        Compression::None => {
            let count = bytes.len().min(expected);
            out[..count].copy_from_slice(&bytes[..count]);
            count
        }
        Compression::Deflate => inflate(bytes, &mut out).map_err(|error| corrupt(at, error))?,
        Compression::PackBits => unpack_bits(bytes, &mut out),
        Compression::Lzw | Compression::Zstandard => out.len(),
        Compression::Jpeg | Compression::WebP | Compression::Fax(_) => 0,
    };
    if made < expected {
        return Err(corrupt(at, format!("a chunk of {made} bytes where {expected} belong")));
    }
    Ok(out)
}

fn inflate(bytes: &[u8], out: &mut [u8]) -> std::result::Result<usize, String> {
    let mut decoder = fdeflate::Decompressor::new();
    // Pixels that are all there are good, whatever is said of their sum.
    decoder.ignore_adler32();
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
        assert_eq!(decompress(&packed, Compression::PackBits, plain.len(), 0).unwrap(), plain);
        for len in 0..packed.len() {
            assert!(decompress(&packed[..len], Compression::PackBits, plain.len(), 0).is_err());
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
