//! The marker segments before and after the entropy-coded data (T.81, B.2), in the order that libjpeg writes them.

use super::layout::Layout;
use super::{Quantization, internal};
use crate::error::Result;
use crate::jpeg::huffman::HuffmanSpec;
use crate::jpeg::marker::{APP0, DHT, DQT, DRI, ICC_NAME, SOF0, SOF1, SOI, SOS};
use crate::jpeg::zigzag::NATURAL;

/// Payload that fits a segment beside its two bytes of length.
const MOST: usize = 65_533;

/// A marker, its length and its payload, which must fit.
fn segment(out: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    let length = u16::try_from(payload.len().saturating_add(2)).unwrap_or(u16::MAX);
    out.extend_from_slice(&[0xFF, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload.get(..payload.len().min(MOST)).unwrap_or(payload));
}

/// SOI and JFIF's segment (JFIF, clause 10.1): version 1.01, pixels of no stated size, no thumbnail. Then the caller's, and a profile.
pub(super) fn start(segments: &[(u8, &[u8])], icc: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(&[0xFF, SOI]);
    segment(&mut out, APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    for (marker, payload) in segments {
        if !matches!(marker, 0xE0..=0xEF | 0xFE) || payload.len() > MOST {
            return Err(internal(format!("a segment {marker:X} of {} bytes", payload.len())));
        }
        segment(&mut out, *marker, payload);
    }
    if let Some(profile) = icc {
        icc_profile(&mut out, profile);
    }
    Ok(out)
}

/// An ICC profile in as many APP2 segments as it needs (ICC.1, annex B.4); one that would need more than 255 is left out.
fn icc_profile(out: &mut Vec<u8>, profile: &[u8]) {
    let parts = profile.chunks(MOST.saturating_sub(ICC_NAME.len()).saturating_sub(2));
    let Ok(count) = u8::try_from(parts.len()) else { return };
    for (part, number) in parts.zip(1_u8..) {
        segment(out, APP0 | 2, &[ICC_NAME, &[number, count], part].concat());
    }
}

/// DQT for each table, SOF0, DHT for each table, DRI if there are restarts, SOS.
pub(super) fn tables_and_frame(out: &mut Vec<u8>, layout: &Layout, quantization: &Quantization, huffman: &[[HuffmanSpec; 2]; 2], interval: u16) {
    let components = layout.components();
    let classes = components.min(2);
    let mut wide = false;
    for (number, table) in (0_u8..).zip(&quantization.tables).take(if components == 1 { 1 } else { 4 }) {
        let steps = NATURAL.iter().take(64).map(|place| table.get(usize::from(*place)).copied().unwrap_or(1));
        let payload: Vec<u8> = match steps.clone().map(u8::try_from).collect::<std::result::Result<Vec<u8>, _>>() {
            Ok(steps) => std::iter::once(number).chain(steps).collect(),
            Err(_) => std::iter::once(0x10 | number).chain(steps.flat_map(u16::to_be_bytes)).collect(),
        };
        wide |= payload.len() > 65;
        segment(out, DQT, &payload);
    }
    let [height, width] = [layout.dimensions.height(), layout.dimensions.width()].map(|side| u16::try_from(side).unwrap_or(u16::MAX).to_be_bytes());
    let mut frame = vec![8, height[0], height[1], width[0], width[1]];
    let mut scan = Vec::new();
    frame.extend(u8::try_from(components));
    scan.extend(u8::try_from(components));
    for (component, id) in (0..components).zip(1_u8..) {
        let (across, down) = layout.factors(component);
        let class = u8::from(component > 0);
        let table = quantization.of.get(component).copied().unwrap_or(0);
        frame.extend([id, u8::try_from(across << 4 | down).unwrap_or(0x11), table]);
        scan.extend([id, class << 4 | class]);
    }
    scan.extend([0, 63, 0]);
    // Steps of 16 bits are beyond the baseline process (B.2.4.1).
    segment(out, if wide { SOF1 } else { SOF0 }, &frame);
    for (number, tables) in (0_u8..).zip(huffman).take(classes) {
        for (class, spec) in (0_u8..).zip(tables) {
            segment(out, DHT, &[&[class << 4 | number][..], &spec.counts, &spec.symbols].concat());
        }
    }
    if interval > 0 {
        segment(out, DRI, &interval.to_be_bytes());
    }
    segment(out, SOS, &scan);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_profile_is_split_and_numbered() {
        let profile: Vec<u8> = (0..150_000_u32).map(|i| i as u8).collect();
        let mut out = Vec::new();
        icc_profile(&mut out, &profile);
        let mut found = Vec::new();
        let mut rest = out.as_slice();
        let mut number = 0;
        while let [0xFF, 0xE2, high, low, ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            number += 1;
            assert_eq!(rest[4..16], *ICC_NAME);
            assert_eq!(rest[16..18], [number, 3]);
            found.extend_from_slice(&rest[18..2 + length]);
            rest = &rest[2 + length..];
        }
        assert!(rest.is_empty());
        assert_eq!(found, profile);
    }
}
