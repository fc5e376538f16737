//! JPEG streams to rows, by the engine of [`crate::jpeg`]; lossless ones by jpeg-decoder.

use jpeg_decoder::{ColorTransform, PixelFormat};

use super::{corrupt, internal, unsupported};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::{Dimensions, Rect};
use crate::jpeg::{ColorModel, Decoder, Header, Rows, Wanted};
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
        let wanted = Wanted { region: Rows::region(&self.header, part.crop, reduction), reduction, gray, memory: part.memory };
        let decoder = Decoder::new(&self.header, self.bytes, &wanted)?;
        let rows = Rows::new(&self.header, decoder.grid(), part.crop, model)?;
        Ok((decoder, rows))
    }

    /// Annex H, which has no blocks: nothing of it can be skipped or reduced.
    fn lossless_rows(&self, part: Part, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<()> {
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
