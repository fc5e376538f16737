//! Rows of lossless JPEG files (T.81, SOF3), by the engine of [`crate::jpeg`].

use super::{corrupt, unsupported};
use crate::error::{Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::jpeg::{ColorModel, Header, Lossless, SOF3};
use crate::render::{Alpha, Layout, Model, Row};

/// A file whose rows are taken one after the other.
pub(super) struct Source {
    bytes: Vec<u8>,
    decoder: Lossless,
    pub layout: Layout,
    /// What each sample is over the whole range of 8 bits, or the greatest sample of more bits.
    scale: Scale,
    narrow: Vec<u8>,
    wide: Vec<u16>,
}

enum Scale {
    Narrow(Vec<u8>),
    Wide { most: u32, inverted: bool },
}

impl Source {
    /// Whether a header is that of such a file.
    pub fn is_one(header: &Header) -> bool {
        header.process == SOF3
    }

    /// Reads the headers of a file whose size is known to be `dimensions`.
    pub fn open(bytes: Vec<u8>, header: &Header, dimensions: Dimensions) -> Result<Self> {
        if header.dimensions != dimensions {
            return Err(corrupt(SourceFormat::Jpeg, 0, format!("its pixels are {}, its header says {dimensions}", header.dimensions)));
        }
        let (model, inverted) = match (header.components.len(), header.color_model()) {
            (1, _) => (Model::Gray, false),
            // Unlike the other processes', its components are YCbCr only if that is said.
            (3, _) if !header.jfif && header.adobe.is_none_or(|transform| transform == 0) => (Model::Rgb, false),
            (4, ColorModel::Cmyk { inverted }) => (Model::Cmyk, inverted),
            (3, _) => return Err(unsupported(SourceFormat::Jpeg, "lossless coding of YCbCr")),
            (4, _) => return Err(unsupported(SourceFormat::Jpeg, "lossless coding of YCCK")),
            (count, _) => return Err(unsupported(SourceFormat::Jpeg, format!("lossless coding of {count} components"))),
        };
        let decoder = Lossless::new(header, &bytes)?;
        let most = (1_u32 << header.precision) - 1;
        let scale = if header.precision <= 8 {
            Scale::Narrow((0..=most).map(|sample| (if inverted { most - sample } else { sample } * 255 + most / 2) / most).map(|sample| sample as u8).collect())
        } else {
            Scale::Wide { most, inverted }
        };
        Ok(Self { bytes, decoder, layout: Layout { model, alpha: Alpha::None }, scale, narrow: Vec::new(), wide: Vec::new() })
    }

    /// Whether samples have 16 bits.
    pub fn is_wide(&self) -> bool {
        matches!(self.scale, Scale::Wide { .. })
    }

    /// Gives the next row to `sink`; whether there was one.
    pub fn next(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let Some(row) = self.decoder.next_row(&self.bytes)? else { return Ok(false) };
        match &self.scale {
            Scale::Narrow(table) => {
                self.narrow.clear();
                self.narrow.extend(row.iter().map(|sample| table[usize::from(*sample)]));
                sink(Row::U8(&self.narrow))?;
            }
            Scale::Wide { most: 65_535, inverted: false } => sink(Row::U16(row))?,
            Scale::Wide { most, inverted } => {
                self.wide.clear();
                let sample = |sample: &u16| if *inverted { most - u32::from(*sample) } else { u32::from(*sample) };
                self.wide.extend(row.iter().map(sample).map(|sample| ((sample * 65_535 + most / 2) / most) as u16));
                sink(Row::U16(&self.wide))?;
            }
        }
        Ok(true)
    }
}
