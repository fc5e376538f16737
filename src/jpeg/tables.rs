//! Tables as a stream defines them (T.81, B.2.4): they stay in force until others take their place.

use super::huffman::HuffmanSpec;
use super::marker::{DHT, DQT, DRI, Segment};
use super::quantization::QuantizationTable;
use super::zigzag::NATURAL;
use super::{corrupt, unsupported};
use crate::error::Result;

/// Everything that a scan may refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub quantization: [Option<QuantizationTable>; 4],
    pub dc: [Option<HuffmanSpec>; 4],
    pub ac: [Option<HuffmanSpec>; 4],
    /// MCUs between restart markers; 0 for none.
    pub restart_interval: u16,
}

impl Tables {
    /// Takes a segment that defines tables; whether it was one.
    pub fn define(&mut self, segment: &Segment<'_>) -> Result<bool> {
        match segment.marker {
            DQT => self.define_quantization(segment)?,
            DHT => self.define_huffman(segment)?,
            DRI => {
                let &[high, low, ..] = segment.payload else { return Err(corrupt(segment.at, "a restart interval of less than two bytes")) };
                self.restart_interval = u16::from_be_bytes([high, low]);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// DQT: steps of 8 or 16 bits in zigzag order (B.2.4.1).
    fn define_quantization(&mut self, segment: &Segment<'_>) -> Result<()> {
        let mut rest = segment.payload;
        while let Some((head, steps)) = rest.split_first() {
            let wide = head >> 4 != 0;
            let length = if wide { 128 } else { 64 };
            let (Some((steps, after)), Some(table)) = (steps.split_at_checked(length), self.quantization.get_mut(usize::from(head & 15))) else {
                return Err(corrupt(segment.at, "a broken quantization table"));
            };
            rest = after;
            let mut values = [0; 64];
            for (k, place) in NATURAL.iter().take(64).enumerate() {
                let at = |index: usize| steps.get(index).copied().unwrap_or(0);
                let step = if wide { u16::from_be_bytes([at(k.saturating_mul(2)), at(k.saturating_mul(2).saturating_add(1))]) } else { at(k).into() };
                if let Some(value) = values.get_mut(usize::from(*place)) {
                    *value = step;
                }
            }
            *table = Some(values);
        }
        Ok(())
    }

    /// DHT (B.2.4.2).
    fn define_huffman(&mut self, segment: &Segment<'_>) -> Result<()> {
        let mut rest = segment.payload;
        let broken = || corrupt(segment.at, "a broken Huffman table");
        while let Some((head, spec)) = rest.split_first() {
            let (counts, symbols) = spec.split_first_chunk::<16>().ok_or_else(broken)?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (symbols, after) = symbols.split_at_checked(total).ok_or_else(broken)?;
            rest = after;
            let class = match head >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(broken()),
            };
            let spec = HuffmanSpec::new(*counts, symbols).ok_or_else(broken)?;
            *class.get_mut(usize::from(head & 15)).ok_or_else(broken)? = Some(spec);
        }
        Ok(())
    }

    /// A quantization table that a component names.
    pub fn quantization(&self, number: u8, at: usize) -> Result<&QuantizationTable> {
        self.quantization.get(usize::from(number)).and_then(Option::as_ref).ok_or_else(|| corrupt(at, format!("quantization table {number} is missing")))
    }

    /// A DC table that a scan names; where a stream has none of its own, the standard's are meant (as in Motion-JPEG).
    pub fn dc(&self, number: u8, at: usize) -> Result<HuffmanSpec> {
        let standard = || {
            if self.dc.iter().chain(&self.ac).all(Option::is_none) { standard(number, HuffmanSpec::luminance_dc, HuffmanSpec::chrominance_dc) } else { None }
        };
        let found = self.dc.get(usize::from(number)).cloned().flatten().or_else(standard);
        found.ok_or_else(|| corrupt(at, format!("Huffman table {number} for DC is missing")))
    }

    /// An AC table that a scan names.
    pub fn ac(&self, number: u8, at: usize) -> Result<HuffmanSpec> {
        let standard = || {
            if self.dc.iter().chain(&self.ac).all(Option::is_none) { standard(number, HuffmanSpec::luminance_ac, HuffmanSpec::chrominance_ac) } else { None }
        };
        let found = self.ac.get(usize::from(number)).cloned().flatten().or_else(standard);
        found.ok_or_else(|| corrupt(at, format!("Huffman table {number} for AC is missing")))
    }
}

fn standard(number: u8, luminance: fn() -> HuffmanSpec, chrominance: fn() -> HuffmanSpec) -> Option<HuffmanSpec> {
    match number {
        0 => Some(luminance()),
        1 => Some(chrominance()),
        _ => None,
    }
}

/// What this engine decodes: the coding processes of T.81 with Huffman codes, a DCT and 8 bits.
pub(super) fn check_process(marker: u8, precision: u8) -> Result<()> {
    match (marker, precision) {
        (0xC0..=0xC2, 8) => Ok(()),
        (0xC0..=0xC2, _) => Err(unsupported(format!("{precision} bits"))),
        (0xC3 | 0xC7 | 0xCB | 0xCF, _) => Err(unsupported("lossless coding".to_owned())),
        (0xC5..=0xC7 | 0xCD..=0xCF, _) => Err(unsupported("hierarchical coding".to_owned())),
        _ => Err(unsupported("arithmetic coding".to_owned())),
    }
}
