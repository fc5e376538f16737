//! The encoder: rows or planes in, the bytes of a baseline JPEG out as they come, never the whole image in between.

mod bits;
mod color;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod color_simd;
mod copy;
mod cut;
mod entropy;
mod fdct;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod fdct_simd;
mod intake;
mod layout;
mod mosaic;
mod optimal;
mod scan;
mod segments;
#[cfg(any(test, fuzzing))]
mod transcode;

pub(crate) use copy::{Copied, Copier, fill};
pub(crate) use cut::{Cut, cut};
pub(crate) use layout::Sampling;
pub(crate) use mosaic::{Mosaic, is_lossless};
pub(crate) use scan::{AHEAD, most_coded, most_listed};
#[cfg(any(test, fuzzing))]
pub(crate) use transcode::Transcode;

pub(crate) use crate::jpeg::coefficients::Turn;

use intake::Intake;
use layout::Layout;
use scan::ScanWriter;

use super::huffman::HuffmanSpec;
use super::marker::EOI;
use super::plane::Planes;
use super::quantization;
use super::quantization::QuantizationTable;
use super::unsupported;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;

/// Quantization tables, and the number of each component's.
#[derive(Debug, Clone)]
struct Quantization {
    tables: Vec<QuantizationTable>,
    of: [u8; 4],
}

impl Quantization {
    /// The tables of some components, each of them once.
    fn of<'a>(components: impl IntoIterator<Item = &'a QuantizationTable>) -> Result<Self> {
        let mut quantization = Self { tables: Vec::new(), of: [0; 4] };
        for (table, number) in components.into_iter().zip(&mut quantization.of) {
            let known = quantization.tables.iter().position(|known| known == table);
            *number = u8::try_from(known.unwrap_or(quantization.tables.len())).map_err(|_| unsupported("more tables than components".to_owned()))?;
            if known.is_none() {
                quantization.tables.push(*table);
            }
        }
        Ok(quantization)
    }
}

/// Which Huffman tables to code with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tables {
    /// Those of T.81, annex K.3.
    #[default]
    Standard,
    /// Made for the image, which is a few per cent smaller. All symbols are listed until the end, four bytes each; if there are more than `most`, the
    /// standard tables are used instead.
    Optimal {
        /// Symbols that are listed at most.
        most: u64,
    },
}

/// What an encoder is to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings<'a> {
    pub dimensions: Dimensions,
    pub sampling: Sampling,
    /// 1 to 100 on libjpeg's scale.
    pub quality: u8,
    pub tables: Tables,
    /// MCUs between restart markers; 0 for none.
    pub restart_interval: u16,
    pub icc: Option<&'a [u8]>,
    /// Further marker segments: 0xE0–0xEF or 0xFE, and at most 65 533 bytes each.
    pub segments: &'a [(u8, &'a [u8])],
}

impl Settings<'_> {
    /// Standard tables, no restarts, nothing but JFIF's segment.
    pub fn new(dimensions: Dimensions, sampling: Sampling, quality: u8) -> Self {
        Self { dimensions, sampling, quality, tables: Tables::Standard, restart_interval: 0, icc: None, segments: &[] }
    }
}

/// Writes one image of the baseline process (T.81, annex F).
#[derive(Debug)]
pub(crate) struct Encoder {
    layout: Layout,
    scan: ScanWriter,
    intake: Intake,
    rows_left: usize,
}

impl Encoder {
    /// Begins an image. [`Error::TooLarge`] beyond 65 535 px a side.
    pub fn new(settings: &Settings<'_>) -> Result<Self> {
        let layout = Layout::new(settings.dimensions, settings.sampling)?;
        let head = segments::start(settings.segments, settings.icc)?;
        let quantization = Quantization { tables: quantization::tables(settings.quality).to_vec(), of: [0, 1, 1, 1] };
        let scan = ScanWriter::new(layout, (quantization, settings.quality), settings.tables, settings.restart_interval, &head);
        Ok(Self { layout, scan, intake: Intake::new(&layout), rows_left: layout.samples(0).1 })
    }

    /// Adds the next row: `width` samples of gray, or `width` × 3 of RGB.
    pub fn push_row(&mut self, row: &[u8]) -> Result<()> {
        if row.len() != self.intake.row_length() || self.rows_left == 0 {
            return Err(internal(format!("a row of {} samples, {} rows to go", row.len(), self.rows_left)));
        }
        self.rows_left = self.rows_left.saturating_sub(1);
        if self.intake.push(row) {
            self.scan.mcu_row(&self.intake.planes, 0, true);
            self.intake.clear();
        }
        Ok(())
    }

    /// Adds MCU rows of planes at the image's sampling: as many luma rows as make whole MCU rows, or all that are left. Planes may be wider than the image.
    pub fn push_planes(&mut self, planes: &Planes) -> Result<()> {
        let down = self.layout.most().1.saturating_mul(8);
        let (luma_rows, count) = (planes.first().map_or(0, |plane| plane.height), planes.len());
        let rows = luma_rows.min(self.rows_left);
        let whole = rows.is_multiple_of(down) || rows == self.rows_left;
        let chroma_rows = rows.div_ceil(self.layout.most().1);
        let enough = planes.iter().enumerate().all(|(component, plane)| {
            let needed = if component == 0 { rows } else { chroma_rows };
            let held = plane.stride.saturating_mul(plane.height.saturating_sub(1)).saturating_add(plane.width);
            plane.width >= self.layout.samples(component).0 && plane.stride >= plane.width && plane.height >= needed && plane.data.len() >= held
        });
        if count != self.layout.components() || rows == 0 || !whole || !enough {
            return Err(internal(format!("{count} planes of {luma_rows} rows, {} rows to go", self.rows_left)));
        }
        for mcu_row in 0..rows.div_ceil(down) {
            self.scan.mcu_row(planes, mcu_row, false);
        }
        self.rows_left = self.rows_left.saturating_sub(rows);
        Ok(())
    }

    /// How many bytes [`Self::take`] would give.
    pub fn held(&self) -> usize {
        self.scan.held()
    }

    /// The bytes that were made since the last call; they may be none.
    pub fn take(&mut self) -> Vec<u8> {
        self.scan.take()
    }

    /// The last bytes; [`Error::Internal`] if rows are missing.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.rows_left > 0 {
            return Err(internal(format!("{} rows are missing", self.rows_left)));
        }
        if self.intake.pad() {
            self.scan.mcu_row(&self.intake.planes, 0, true);
        }
        Ok(self.scan.finish())
    }
}

fn internal(what: String) -> Error {
    Error::Internal { what: format!("JPEG encoder: {what}") }
}
