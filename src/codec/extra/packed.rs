//! Chunks of TIFF that are packed in rarer ways: Zstandard (RFC 8878) by ruzstd, LZW (TIFF 6.0, section 13) by weezl.

use std::io::Read;

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder, StreamingDecoder};
use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::{Fault, zstandard};
use crate::pyramid::tiff::ZSTANDARD_WINDOW;

/// An empty raw block that is the last one (RFC 8878, 3.1.1.2), and room for a checksum, which is not compared.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

/// At most `out.len()` bytes, and how many; fewer if the data are wrong or end before. What comes after them is not looked at.
pub(super) fn unzstd(bytes: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(ZSTANDARD_WINDOW);
    // The crate's own words for what is wrong would take more room than they are worth.
    let broken = || Fault::Corrupt("Zstandard data that is broken".to_owned());
    let (header, rest) = bytes.split_at(bytes.len().min(zstandard::HEADER));
    let mut header = header.to_vec();
    zstandard::narrow_window(&mut header, out.len() as u64);
    let mut decoder = StreamingDecoder::new_with_decoder(header.as_slice().chain(rest), decoder).map_err(|error| match error {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => Fault::Unsupported(format!("a Zstandard window of {} MiB", requested >> 20)),
        _ => broken(),
    })?;
    let mut written = 0;
    while written < out.len() {
        match decoder.read(&mut out[written..]) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(_) => {
                // The decoder holds back what later blocks may repeat, up to the last one.
                let (_, mut decoder) = decoder.into_parts();
                let ended = decoder.decode_blocks(LAST_BLOCK.as_slice(), BlockDecodingStrategy::All);
                while let Ok(count) = decoder.read(&mut out[written..])
                    && count > 0
                    && ended.is_ok()
                {
                    written += count;
                }
                break;
            }
        }
    }
    Ok(written)
}

/// At most `out.len()` bytes, and how many; fewer if the data are wrong or end before.
pub(super) fn unlzw(bytes: &[u8], out: &mut [u8]) -> usize {
    // TIFF 5 writers packed codes from the low bit; their streams begin with the clear code the other way round (libtiff's "compat").
    let old = bytes.len() >= 2 && bytes[0] == 0 && bytes[1] & 1 == 1;
    let mut decoder = if old { Decoder::new(BitOrder::Lsb, 8) } else { Decoder::with_tiff_size_switch(BitOrder::Msb, 8) };
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let result = decoder.decode_bytes(&bytes[read..], &mut out[written..]);
        read += result.consumed_in;
        written += result.consumed_out;
        match result.status {
            Ok(LzwStatus::Ok) if result.consumed_in > 0 || result.consumed_out > 0 => {}
            Ok(_) | Err(_) => break,
        }
    }
    written
}
