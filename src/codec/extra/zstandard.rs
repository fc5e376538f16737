//! Zstandard (RFC 8878) by ruzstd.

use std::io::Read;

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::Fault;
use crate::pyramid::tiff::ZSTANDARD_WINDOW;

/// At most `expected` bytes; fewer if the data end before. What comes after them is not looked at.
pub(super) fn decompress(mut bytes: &[u8], expected: usize) -> Result<Vec<u8>, Fault> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(ZSTANDARD_WINDOW);
    // The crate's own words for what is wrong would take more room than they are worth.
    let broken = || Fault::Corrupt("Zstandard data that is broken".to_owned());
    let mut decoder = StreamingDecoder::new_with_decoder(&mut bytes, decoder).map_err(|_| broken())?;
    let mut out = vec![0; expected];
    let mut written = 0;
    while written < out.len() {
        match decoder.read(&mut out[written..]).map_err(|_| broken())? {
            0 => break,
            count => written += count,
        }
    }
    out.truncate(written);
    Ok(out)
}
