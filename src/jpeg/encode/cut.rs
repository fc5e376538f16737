//! A part of a scan as a stream of its own, without so much as a look at most of its coefficients: their bits are copied as they are coded. Only where a row of
//! the part begins is the first DC coefficient of each component coded anew, as its difference to another one than before (T.81, F.1.1.5.1).

use super::bits::BitWriter;
use super::entropy::{Codes, Sink, Writing, magnitude};
use super::layout::Layout;
use super::mosaic::is_lossless;
use super::{EOI, Quantization, segments};
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::jpeg::coefficients::Turn;
use crate::jpeg::corrupt;
use crate::jpeg::decode::{Input, Predictions, Progress, Sequential, Wanted};
use crate::jpeg::header::Header;
use crate::jpeg::huffman::HuffmanSpec;

/// Sizes of differences of 8-bit samples' DC coefficients (table F.1), and of their AC coefficients (table F.2).
const DC_SIZES: u8 = 11;
const AC_SIZES: u8 = 10;
/// The longest code, bits.
const LONGEST: usize = 16;

/// The stream on its way.
#[derive(Debug)]
pub(crate) struct Cut {
    bits: BitWriter,
    codes: Box<Codes>,
    /// The last DC coefficients that were written.
    predictions: Predictions,
    /// Where the data of the source begin.
    data: usize,
}

impl Cut {
    /// For a part of a file that measures so much and begins on MCU boundaries. `None` if its bits cannot be copied: where there are restarts, other tables than
    /// those of 8-bit samples, or tables of their own for each kind of chrominance.
    pub fn new(header: &Header, dimensions: Dimensions, icc: Option<&[u8]>) -> Result<Option<Self>> {
        let at = header.scan.data;
        if header.tables.restart_interval > 0 || !header.is_streamable() || !matches!(header.components.len(), 1 | 3) {
            return Ok(None);
        }
        let steps: Result<Vec<_>> = header.components.iter().map(|component| header.tables.quantization(component.quantization, at)).collect();
        let quantization = Quantization::of(steps?)?;
        let mut specs = Vec::new();
        for (_, dc, ac) in &header.scan.components {
            let (dc, ac) = (header.tables.dc(*dc, at)?, header.tables.ac(*ac, at)?);
            let sound = dc.symbols.iter().all(|size| *size <= DC_SIZES) && ac.symbols.iter().all(|symbol| symbol & 15 <= AC_SIZES);
            let Some(dc) = with_all_sizes(&dc).filter(|_| sound) else { return Ok(None) };
            specs.push([dc, ac]);
        }
        let huffman = match specs.as_slice() {
            [only] => [only.clone(), only.clone()],
            [luminance, blue, red] if blue == red => [luminance.clone(), blue.clone()],
            _ => return Ok(None),
        };
        let factors: Vec<_> = header.components.iter().map(|component| (component.across.into(), component.down.into())).collect();
        let mut head = segments::start(&[], icc)?;
        segments::tables_and_frame(&mut head, &Layout::of(dimensions, &factors)?, &quantization, &huffman, 0);
        let mut bits = BitWriter::new();
        bits.raw(&head);
        Ok(Some(Self { bits, codes: Box::new(Codes::new(&huffman)), predictions: [0; 4], data: at }))
    }

    /// Appends the lowest `count` bits (at most 32) of a coded segment; all above must be zero.
    #[inline(always)]
    pub fn put(&mut self, bits: u32, count: u32) {
        self.bits.put(bits, count);
    }

    /// Codes the first DC coefficient of a component in a row of the part.
    pub fn first_dc(&mut self, component: usize, value: i16) -> Result<()> {
        let prediction = self.predictions.get(component).copied().unwrap_or_default();
        let (size, bits) = magnitude(i32::from(value).saturating_sub(prediction.into()));
        let size = u8::try_from(size).ok().filter(|size| *size <= DC_SIZES);
        let Some(size) = size else { return Err(corrupt(self.data, "coefficients beyond those of 8-bit samples")) };
        Writing { bits: &mut self.bits, codes: &self.codes }.symbol::<false>(component > 0, size, bits);
        Ok(())
    }

    /// A row of the part ends with these DC coefficients.
    pub fn end_row(&mut self, predictions: &Predictions) {
        self.predictions = *predictions;
    }

    /// The bytes of the stream.
    pub fn finish(mut self) -> Vec<u8> {
        self.bits.align();
        self.bits.raw(&[0xFF, EOI]);
        self.bits.take()
    }
}

/// The part of a stream as a stream of its own, with a profile; `None` if its bits cannot be copied.
pub(crate) fn cut(header: &Header, stream: &[u8], wanted: &Wanted, icc: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
    if !is_lossless(header, wanted.region, false, Turn::default()) {
        return Ok(None);
    }
    let Some(cut) = Cut::new(header, wanted.region.dimensions(), icc)? else { return Ok(None) };
    let mut sequential = Sequential::cutting(header, wanted, cut)?;
    let input = Input { bytes: stream, start: 0, last: true };
    while let Progress::Band(_) = sequential.next_band(&input)? {}
    Ok(sequential.take_cut().map(Cut::finish))
}

/// The same codes, and the longest ones for sizes that have none; `None` if there are not enough. The one of all ones stays free (C.2).
fn with_all_sizes(dc: &HuffmanSpec) -> Option<HuffmanSpec> {
    let missing: Vec<u8> = (0..=DC_SIZES).filter(|size| !dc.symbols.contains(size)).collect();
    let mut counts = dc.counts;
    let longest = counts.get_mut(LONGEST - 1)?;
    *longest = longest.checked_add(u8::try_from(missing.len()).ok()?)?;
    let spec = HuffmanSpec::new(counts, &[dc.symbols.as_slice(), &missing].concat())?;
    let free = spec.codes().all(|(_, code)| usize::from(code.length) < LONGEST || code.code < u16::MAX);
    (free || missing.is_empty()).then_some(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_a_code_and_those_that_had_one_keep_it() {
        let few = HuffmanSpec::new([0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[4, 5, 0]).unwrap();
        let all = with_all_sizes(&few).unwrap();
        assert!((0..=DC_SIZES).all(|size| all.codes().any(|(symbol, code)| symbol == size && code.length > 0)));
        assert!(few.codes().all(|known| all.codes().any(|code| code == known)));
        assert_eq!(all.counts[15], 9);
        // Of two codes of one bit, none is left.
        let full = HuffmanSpec::new([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[4, 5]).unwrap();
        assert_eq!(with_all_sizes(&full), None);
        assert_eq!(with_all_sizes(&HuffmanSpec::luminance_dc()), Some(HuffmanSpec::luminance_dc()));
    }
}
