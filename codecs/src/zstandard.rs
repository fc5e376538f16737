//! Headers of Zstandard frames (RFC 8878, section 3.1.1.1).

use crate::zstandard_window;

/// Longest header of a frame, bytes.
pub(crate) const HEADER: usize = 18;
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// A flag of the frame header descriptor: the frame has no window descriptor, and its window is its whole content.
const SINGLE_SEGMENT: u8 = 0x20;

/// Makes the window of the frame that begins with these bytes no larger than its first `content` bytes need.
///
/// A window limits how far back a match may reach. An encoder at a high level declares 128 MiB, however short the content is. But no match reaches back beyond
/// the beginning of the frame, so the decoded bytes stay the same.
pub(crate) fn narrow_window(header: &mut [u8], content: u64) {
    let needed = zstandard_window(content);
    let Some((_, frame)) = header.split_first_chunk_mut::<4>().filter(|(magic, _)| **magic == MAGIC) else { return };
    let Some((descriptor, rest)) = frame.split_first_mut() else { return };
    if *descriptor & SINGLE_SEGMENT == 0 {
        let Some(window) = rest.first_mut().filter(|window| window_size(**window) > needed) else { return };
        *window = (0..=u8::MAX).find(|window| window_size(*window) >= needed).unwrap_or(*window);
        return;
    }
    let dictionary = [0, 1, 2, 4][usize::from(*descriptor & 3)];
    // The shorter fields state less than a block.
    let width = match *descriptor >> 6 {
        2 => 4,
        3 => 8,
        _ => return,
    };
    if let Some(field) = rest.get_mut(dictionary..dictionary + width) {
        let stated = field.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        field.copy_from_slice(&stated.min(needed).to_le_bytes()[..width]);
    }
}

/// The window that a window descriptor states, bytes.
fn window_size(descriptor: u8) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, Fault, ZSTANDARD_WINDOW, run, unpacker};

    /// Bytes that repeat in part, and the blocks of a frame of them without its header.
    fn blocks() -> (Vec<u8>, Vec<u8>) {
        let plain: Vec<u8> =
            (0..300_000_u32).map(|at| if at % 5000 < 2500 { b"abc"[at as usize % 3] } else { (at.wrapping_mul(2_654_435_761) >> 24) as u8 }).collect();
        let frame = ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
        let descriptor = frame[4];
        let window = usize::from(descriptor & SINGLE_SEGMENT == 0);
        let size = match descriptor >> 6 {
            0 => 1 - window,
            width => 1 << width,
        };
        (plain, frame[5 + window + size..].to_vec())
    }

    fn unpacked(frame: &[u8], count: usize) -> Result<Vec<u8>, String> {
        let mut unpacker = unpacker(Codec::Zstandard, count as u64).unwrap();
        let mut out = vec![0; count];
        match run(frame, &mut out, |input, out| unpacker.decode(input, true, out)) {
            (_, Some(fault)) if !matches!(fault, Fault::Corrupt(_)) => Err(format!("{fault:?}")),
            (made, _) => Ok(out[..made].to_vec()),
        }
    }

    #[test]
    fn a_window_larger_than_the_content_is_no_reason_to_refuse_it() {
        let (plain, blocks) = blocks();
        let frame = |header: &[u8]| [&MAGIC, header, &blocks].concat();
        // 8 MiB, 9 MiB, 128 MiB, 2 GiB and 3.75 TiB.
        for window in [13 << 3, 13 << 3 | 1, 17 << 3, 21 << 3, 0xFF] {
            for count in [1, 1000, plain.len()] {
                assert_eq!(unpacked(&frame(&[0, window]), count).as_deref(), Ok(&plain[..count]), "{window:#x}");
            }
        }
        // Single segments that state 1 GiB, and far more; the last one has room for a dictionary ID, which is 0.
        for header in [&[0xA0, 0, 0, 0, 0x40][..], &[0xE0, 0, 0, 0, 0, 1, 0, 0, 0], &[0xE3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]] {
            assert_eq!(unpacked(&frame(header), plain.len()).as_deref(), Ok(plain.as_slice()), "{header:x?}");
        }
    }

    #[test]
    fn only_windows_that_are_too_large_change() {
        let narrowed = |header: &[u8], content: u64| {
            let mut header = [&MAGIC, header].concat();
            narrow_window(&mut header, content);
            header.split_off(4)
        };
        assert_eq!(narrowed(&[0, 7 << 3], 100), [0, 7 << 3]);
        assert_eq!(narrowed(&[0, 13 << 3, 9], 100_000_000), [0, 13 << 3, 9]);
        let window = narrowed(&[0, 17 << 3, 9], 500_000);
        assert!(window[2] == 9 && (500_000 + (128 << 10)..800_000).contains(&window_size(window[1])), "{window:?}");
        for header in [&[][..], &[0], &[0xA0, 1, 2, 3], &[0x20, 200], &[0x60, 255, 255]] {
            assert_eq!(narrowed(header, 1), header);
        }
        let mut other = *b"no frame, though long";
        narrow_window(&mut other, 1);
        assert_eq!(&other, b"no frame, though long");
    }

    #[test]
    fn a_window_that_large_content_needs_is_named() {
        let (_, blocks) = blocks();
        let frame = [MAGIC.as_slice(), &[0, 15 << 3], &blocks].concat();
        let error = unpacked(&frame, 3 * ZSTANDARD_WINDOW as usize).unwrap_err();
        assert!(error.starts_with("Unsupported") && error.contains("a Zstandard window of 26 MiB"), "{error}");
    }
}
