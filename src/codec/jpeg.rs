//! JPEG streams to rows, by the engine of [`crate::jpeg`]; lossless ones by a library.

use super::{extra, internal, unsupported};
use crate::error::{Result, SourceFormat};
use crate::geometry::{Dimensions, Rect};
use crate::jpeg::{ColorModel, Decoder, Header, Mosaic, Plane, Planes, Rows, Sampling, Wanted};
use crate::render::{Model, Row};

/// Called by name and not by type, so that rows are made by the same code for everyone.
type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> Result<()>;

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

/// SOF3.
const LOSSLESS: u8 = 0xC3;

/// A part whose decoding has begun; the bytes are still another's.
pub(super) struct Unowned {
    decoder: Decoder<'static>,
    rows: Rows,
}

impl Unowned {
    /// With the bytes of the stream it was begun on.
    pub fn own(self, bytes: Vec<u8>) -> Bands {
        Bands { bytes, state: Some((self.decoder, self.rows)) }
    }
}

/// A stream and how far it is decoded.
pub(super) struct Bands {
    bytes: Vec<u8>,
    state: Option<(Decoder<'static>, Rows)>,
}

impl Bands {
    /// Gives the rows of the next band to `sink`; whether there are more.
    pub fn next(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let mut sink: Sink<'_> = &mut |row: &[u8]| sink(Row::U8(row));
        let Some((decoder, mut rows)) = self.state.take() else { return Ok(false) };
        let mut decoder = decoder.over(&self.bytes);
        match decoder.next_band()? {
            None => rows.finish(&mut sink).map(|()| false),
            Some(band) => {
                rows.push(&band, &mut sink)?;
                self.state = Some((decoder.over(&[]), rows));
                Ok(true)
            }
        }
    }
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

    /// Whether its planes are those of a YCbCr or gray image at `sampling`, coded in blocks.
    pub fn is_sampled(&self, sampling: Sampling) -> bool {
        let factors: Vec<(u8, u8)> = self.header.components.iter().map(|component| (component.across, component.down)).collect();
        let found = match factors.as_slice() {
            [_] => Some(Sampling::Gray),
            [(1, 1), (1, 1), (1, 1)] => Some(Sampling::S444),
            [(2, 1), (1, 1), (1, 1)] => Some(Sampling::S422),
            [(2, 2), (1, 1), (1, 1)] => Some(Sampling::S420),
            _ => None,
        };
        let model = self.meaning(false);
        // Luminance is a plane of its own.
        let luminance = sampling == Sampling::Gray && found.is_some() && model == ColorModel::YCbCr;
        let same = found == Some(sampling) && matches!(model, ColorModel::YCbCr | ColorModel::Gray);
        self.header.process != 0xC3 && (same || luminance)
    }

    /// Gives the planes of a part to `sink`, some rows at a time, if [`Self::is_sampled`] so. Its crop must not cut samples of chroma at the left and top.
    pub fn planes(&self, part: Part, sampling: Sampling, sink: &mut impl FnMut(Planes) -> Result<()>) -> Result<()> {
        let (crop, factor) = (part.crop, part.reduction);
        let full = self.header.dimensions;
        let edge = |at: u32, end: u32| at.saturating_mul(factor).min(end);
        let region =
            Rect::from_edges(edge(crop.x(), full.width()), edge(crop.y(), full.height()), edge(crop.right(), full.width()), edge(crop.bottom(), full.height()));
        let region = region.ok_or_else(|| internal("planes of no pixels"))?;
        let reduction = u8::try_from(factor).unwrap_or(0);
        let wanted = Wanted { region, reduction, gray: sampling == Sampling::Gray, memory: part.memory, fill: false };
        let mut decoder = Decoder::new(&self.header, self.bytes, &wanted)?;
        let grid = decoder.grid().clone();
        while let Some(band) = decoder.next_band()? {
            let planes = band.planes.iter().take(sampling.components()).enumerate().map(|(component, from)| {
                let (across, down) = if component == 0 { (1, 1) } else { sampling.factors() };
                // Of a component that is sampled like its pixels there are as many samples as of the densest.
                let left = crop.x() as usize / across - grid.component(grid.most.0 / across, grid.most.1 / down).left;
                let width = (crop.right() as usize).div_ceil(across) - crop.x() as usize / across;
                let first = band.mcu_row * grid.mcu().1 / down;
                let rows = (crop.y() as usize / down).max(first)..(crop.bottom() as usize).div_ceil(down).min(first + from.height);
                let mut plane = Plane::new(width, rows.len());
                for (y, into) in rows.zip(plane.data.chunks_exact_mut(width)) {
                    into.copy_from_slice(&from.row(y - first)[left..left + width]);
                }
                plane
            });
            sink(planes.collect())?;
        }
        Ok(())
    }

    /// Lays the coefficients of a part of the full image at a place of a mosaic, px; `false` if they do not fit there.
    pub fn lay(&self, part: Part, mosaic: &mut Mosaic, at: (u32, u32)) -> Result<bool> {
        let blocks = !self.is_lossless() && matches!(self.meaning(false), ColorModel::YCbCr | ColorModel::Gray);
        let wanted = Wanted { region: part.crop, reduction: 1, gray: part.gray, memory: part.memory, fill: false };
        Ok(blocks && mosaic.lay(&self.header, self.bytes, &wanted, None, at)?)
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
            // Without blocks there is no reason to turn colours.
            (Components::AsMarked, 3) if self.header.process == 0xC3 => ColorModel::Rgb,
            (Components::AsMarked, _) => self.header.color_model(),
        };
        if gray && model == ColorModel::YCbCr { ColorModel::Gray } else { model }
    }

    /// Gives the rows of a part to `sink`, top to bottom.
    pub fn rows(&self, part: Part, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        if self.is_lossless() {
            return self.lossless_rows(part, sink);
        }
        let (mut decoder, mut rows) = self.begin(part)?;
        let mut sink: Sink<'_> = &mut |row: &[u8]| sink(Row::U8(row));
        while let Some(band) = decoder.next_band()? {
            rows.push(&band, &mut sink)?;
        }
        rows.finish(&mut sink)
    }

    /// Whether it is of the lossless process, whose rows come all at once.
    pub fn is_lossless(&self) -> bool {
        self.header.process == LOSSLESS
    }

    /// The rows of a part, to be taken a band at a time from bytes that `own` is to bring.
    pub fn bands(&self, part: Part) -> Result<Unowned> {
        let (decoder, rows) = self.begin(part)?;
        Ok(Unowned { decoder: decoder.over(&[]), rows })
    }

    fn begin(&self, part: Part) -> Result<(Decoder<'a>, Rows)> {
        let model = self.meaning(part.gray);
        let gray = model == ColorModel::Gray;
        let reduction = u8::try_from(part.reduction).unwrap_or(0);
        let wanted = Wanted { region: Rows::region(&self.header, part.crop, reduction), reduction, gray, memory: part.memory, fill: false };
        let decoder = Decoder::new(&self.header, self.bytes, &wanted)?;
        let rows = Rows::new(&self.header, decoder.grid(), part.crop, model)?;
        Ok((decoder, rows))
    }

    /// Annex H, which has no blocks: nothing of it can be skipped or reduced.
    fn lossless_rows(&self, part: Part, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
        let (dimensions, channels) = (self.header.dimensions, self.channels());
        if self.tables.is_some() || self.components != Components::AsMarked || part.reduction != 1 {
            return Err(unsupported(SourceFormat::Jpeg, "lossless coding within another format"));
        }
        if channels == 4 {
            return Err(unsupported(SourceFormat::Jpeg, "lossless coding of inks"));
        }
        if channels == 3 && (self.header.jfif || self.header.adobe.is_some_and(|transform| transform != 0)) {
            return Err(unsupported(SourceFormat::Jpeg, "lossless coding of YCbCr"));
        }
        let decoded = extra::decode(SourceFormat::Jpeg, self.bytes.to_vec(), dimensions, part.memory)?;
        let wide = decoded.samples.len() as u64 == dimensions.area() * channels as u64 * 2;
        if decoded.channels != channels || (!wide && decoded.samples.len() as u64 != dimensions.area() * channels as u64) {
            return Err(internal("a lossless JPEG of other pixels than its header told"));
        }
        // What is stored fills the lower bits.
        let shift = 16_u32.saturating_sub(self.header.precision.into());
        let columns = part.crop.x() as usize * channels..part.crop.right() as usize * channels;
        let stride = dimensions.width() as usize * channels;
        for y in part.crop.y() as usize..part.crop.bottom() as usize {
            if wide {
                let row = &decoded.samples.as_chunks::<2>().0[y * stride..][columns.clone()];
                let samples: Vec<u16> = row.iter().map(|pair| u16::from_ne_bytes(*pair) << shift).collect();
                sink(Row::U16(&samples))?;
            } else {
                sink(Row::U8(&decoded.samples[y * stride..][columns.clone()]))?;
            }
        }
        Ok(())
    }
}
