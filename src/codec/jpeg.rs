//! JPEG streams to rows, by the engine of [`crate::jpeg`]; lossless ones by jpeg-decoder.

use jpeg_decoder::{ColorTransform, PixelFormat};

use super::{corrupt, internal, unsupported};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::{Dimensions, Rect};
use crate::jpeg::{ColorModel, Decoder, Header, Rows, Sampling, Wanted};
use crate::render::{Model, Row};

/// How a stream inside another container says what its components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Components {
    /// By its own markers.
    AsMarked,
    /// YCbCr if there are three.
    YCbCr,
    /// What is stored is what is meant.
    Raw,
}

/// A stream whose header has been read.
pub(super) struct Stream<'a> {
    tables: Option<&'a [u8]>,
    bytes: &'a [u8],
    header: Header,
    components: Components,
}

/// What is made of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Rows of this, px at 1/`reduction`.
    pub crop: Rect,
    /// 1, 2, 4 or 8.
    pub reduction: u32,
    /// Luminance is enough, where there is one.
    pub gray: bool,
    /// What the decoder may take, bytes.
    pub memory: u64,
}

impl<'a> Stream<'a> {
    /// Reads a header. `tables` come from elsewhere (TIFF Technical Note 2).
    pub fn read(tables: Option<&'a [u8]>, bytes: &'a [u8], components: Components) -> Result<Self> {
        Ok(Self { tables, bytes, header: Header::read(tables, bytes)?, components })
    }

    /// Size of the image, px.
    pub fn dimensions(&self) -> Dimensions {
        self.header.dimensions
    }

    /// Components a pixel.
    pub fn channels(&self) -> usize {
        self.header.components.len()
    }

    /// The header, if its components are sampled like this and coded in blocks.
    pub fn sampled(&self, sampling: Sampling) -> Option<&Header> {
        let factors: Vec<(u8, u8)> = self.header.components.iter().map(|component| (component.across, component.down)).collect();
        let found = match factors.as_slice() {
            [_] => Some(Sampling::Gray),
            [(1, 1), (1, 1), (1, 1)] => Some(Sampling::S444),
            [(2, 1), (1, 1), (1, 1)] => Some(Sampling::S422),
            [(2, 2), (1, 1), (1, 1)] => Some(Sampling::S420),
            _ => None,
        };
        // Luminance is a plane of its own, if the densest is its.
        let luminance = sampling == Sampling::Gray && found.is_some();
        (self.header.process != 0xC3 && (found == Some(sampling) || luminance)).then_some(&self.header)
    }

    /// The embedded profile.
    pub fn icc(&self) -> Option<Vec<u8>> {
        self.header.icc_profile(self.bytes)
    }

    /// What the samples of rows mean.
    pub fn model(&self, gray: bool) -> Model {
        match self.meaning(gray) {
            ColorModel::Gray => Model::Gray,
            ColorModel::YCbCr | ColorModel::Rgb => Model::Rgb,
            ColorModel::Cmyk { .. } | ColorModel::Ycck { .. } => Model::Cmyk,
            ColorModel::Stored if self.channels() == 4 => Model::Cmyk,
            ColorModel::Stored if self.channels() == 3 => Model::Rgb,
            ColorModel::Stored => Model::Gray,
        }
    }

    fn meaning(&self, gray: bool) -> ColorModel {
        let model = match (self.components, self.channels()) {
            (_, 1) => ColorModel::Gray,
            (Components::YCbCr, 3) => ColorModel::YCbCr,
            (Components::YCbCr | Components::Raw, _) => ColorModel::Stored,
            (Components::AsMarked, _) => self.header.color_model(),
        };
        if gray && model == ColorModel::YCbCr { ColorModel::Gray } else { model }
    }

    /// Gives the rows of a part to `sink`, top to bottom.
    pub fn rows(&self, part: Part, sink: &mut impl FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        if self.header.process == 0xC3 {
            return self.lossless_rows(part, sink);
        }
        let model = self.meaning(part.gray);
        let gray = model == ColorModel::Gray;
        let reduction = u8::try_from(part.reduction).unwrap_or(0);
        let wanted = Wanted { region: Rows::region(&self.header, part.crop, reduction), reduction, gray, memory: part.memory };
        let mut decoder = Decoder::new(&self.header, self.bytes, &wanted)?;
        let mut rows = Rows::new(&self.header, decoder.grid(), part.crop, model)?;
        let mut sink = |row: &[u8]| sink(Row::U8(row));
        while let Some(band) = decoder.next_band()? {
            rows.push(&band, &mut sink)?;
        }
        rows.finish(&mut sink)
    }

    /// Annex H, which has no blocks: nothing of it can be skipped or reduced.
    fn lossless_rows(&self, part: Part, sink: &mut impl FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        let error = |error| match error {
            jpeg_decoder::Error::Unsupported(feature) => unsupported(SourceFormat::Jpeg, format!("{feature:?}")),
            other => corrupt(SourceFormat::Jpeg, 0, other),
        };
        let (dimensions, precision) = (self.header.dimensions, u32::from(self.header.precision));
        if dimensions.area().saturating_mul(8) > part.memory {
            return Err(Error::SourceTooCostly { what: "memory", needs: dimensions.area().saturating_mul(8), limit: part.memory });
        }
        // The tables' stream without its end, then the other without its beginning.
        let joined = self.tables.map(|tables| [tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables), &self.bytes[2..]].concat());
        let mut decoder = jpeg_decoder::Decoder::new(joined.as_deref().unwrap_or(self.bytes));
        match (self.meaning(false), self.channels()) {
            (ColorModel::YCbCr, _) => decoder.set_color_transform(ColorTransform::YCbCr),
            (_, 3) => decoder.set_color_transform(ColorTransform::RGB),
            (_, 4) => decoder.set_color_transform(ColorTransform::CMYK),
            _ => {}
        }
        let data = decoder.decode().map_err(error)?;
        let info = decoder.info().ok_or_else(|| internal("a decoded JPEG without a size"))?;
        if (u32::from(info.width), u32::from(info.height)) != (dimensions.width(), dimensions.height()) || part.reduction != 1 {
            return Err(internal("a lossless JPEG of another size"));
        }
        let channels = self.channels();
        let wide = info.pixel_format == PixelFormat::L16;
        if data.len() as u64 != dimensions.area() * (channels * if wide { 2 } else { 1 }) as u64 {
            return Err(unsupported(SourceFormat::Jpeg, format!("{precision} bits in several components")));
        }
        let columns = part.crop.x() as usize * channels..part.crop.right() as usize * channels;
        let stride = dimensions.width() as usize * channels;
        for y in part.crop.y() as usize..part.crop.bottom() as usize {
            if wide {
                // What is stored fills the lower bits.
                let row = &data.as_chunks::<2>().0[y * stride..][columns.clone()];
                let samples: Vec<u16> = row.iter().map(|pair| u16::from_ne_bytes(*pair) << (16 - precision.min(16))).collect();
                sink(Row::U16(&samples))?;
            } else {
                sink(Row::U8(&data[y * stride..][columns.clone()]))?;
            }
        }
        Ok(())
    }
}
