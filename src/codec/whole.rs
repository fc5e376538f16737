//! Files that are decoded from their beginning: the bytes of the whole file, through the pipeline.

use std::sync::Arc;

use super::jpeg::{Bands, Components, Intake, Part as Wanted, Stream};
use super::{corrupt, extra, png, sof3};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::jpeg::{Component, Decoder, Planes, Sampling};
use crate::limits::Limits;
use crate::plan::Rendering;
use crate::render::{Alpha, Layout, Model, Pipeline, Raster, Row};

/// A part of the answer, upright.
pub(crate) enum Part {
    Rows(Raster),
    /// Rows of planes, and how they are sampled.
    Planes(Sampling, Planes),
    /// Rows of MCUs as they are stored, and the profile of their colours.
    Coefficients(Vec<Component>, Option<Arc<[u8]>>),
    /// All of its bytes.
    File(Vec<u8>),
}

/// Decodes a file whose rows do not come one after the other, and renders a plan's crop of it; finished rows go to `sink` as they come, or all at once. If
/// `planes` will do for an answer of that sampling, and the file has them, they are given in place of rows.
pub(crate) fn decode_whole(
    format: SourceFormat,
    bytes: Vec<u8>,
    plan: &Rendering,
    planes: Option<Sampling>,
    limits: &Limits,
    sink: &mut dyn FnMut(Part) -> Result<()>,
) -> Result<Option<Error>> {
    match format {
        SourceFormat::Jpeg => decode_jpeg(&bytes, plan, planes, limits, sink),
        SourceFormat::Gif | SourceFormat::WebP => {
            let mut decoded = extra::decode(format, bytes, plan.level, limits.memory)?;
            let alpha = drop_needless(&mut decoded.samples, if decoded.channels == 4 { Alpha::Straight } else { Alpha::None });
            let icc = decoded.icc.map(Arc::from);
            let pipeline = Pipeline::new(plan, Layout { model: Model::Rgb, alpha }, icc.as_ref());
            sink(Part::Rows(pipeline.run(plan, decoded.samples, plan.level.width() as usize)?)).map(|()| None)
        }
        SourceFormat::Png | SourceFormat::Tiff => Err(super::internal("decoded elsewhere")),
    }
}

fn decode_jpeg(bytes: &[u8], plan: &Rendering, planes: Option<Sampling>, limits: &Limits, sink: &mut dyn FnMut(Part) -> Result<()>) -> Result<Option<Error>> {
    let stream = Stream::read(None, bytes, Components::AsMarked)?;
    let icc = stream.icc().map(Arc::from);
    let limits = Limits { memory: limits.memory.saturating_sub(bytes.len() as u64), ..limits.clone() };
    let (wanted, mut intake) = Intake::new(stream.header(), icc.as_ref(), plan, planes, &limits)?;
    let mut decoder = Decoder::new(stream.header(), bytes, &wanted)?;
    while let Some(band) = decoder.next_band()? {
        intake.push(&band, sink)?;
    }
    intake.finish(sink)?;
    Ok(decoder.damage().cloned())
}

/// A file without a transparent pixel is as good as one without alpha, and need not carry it to the end.
fn drop_needless(image: &mut Vec<u8>, alpha: Alpha) -> Alpha {
    if alpha == Alpha::None || image.as_chunks::<4>().0.iter().any(|pixel| pixel[3] < 255) {
        return alpha;
    }
    let pixels = image.len() / 4;
    for index in 0..pixels {
        image.copy_within(index * 4..index * 4 + 3, index * 3);
    }
    image.truncate(pixels * 3);
    Alpha::None
}

/// The rows of a whole file, top to bottom, taken a few at a time.
pub(crate) struct WholeRows {
    kind: Kind,
    layout: Layout,
    icc: Option<Arc<[u8]>>,
    /// How many are still to come.
    left: u32,
}

enum Kind {
    Jpeg(Box<Bands>),
    Png(Box<png::Source>),
    Lossless(Box<sof3::Source>),
    /// All of them, of so many samples.
    All(Vec<u8>, usize),
}

impl WholeRows {
    /// Begins the file that `bytes` are, whose header said `dimensions`; decoders take at most `memory` bytes beside them.
    pub fn new(format: SourceFormat, bytes: Vec<u8>, dimensions: Dimensions, memory: u64) -> Result<Self> {
        let left = dimensions.height();
        match format {
            SourceFormat::Jpeg => Self::of_jpeg(bytes, dimensions, memory),
            SourceFormat::Png => {
                let source = png::Source::open(bytes, dimensions)?;
                Ok(Self { layout: source.layout, icc: source.icc.clone(), left, kind: Kind::Png(Box::new(source)) })
            }
            SourceFormat::Gif | SourceFormat::WebP => {
                let mut decoded = extra::decode(format, bytes, dimensions, memory)?;
                let alpha = drop_needless(&mut decoded.samples, if decoded.channels == 4 { Alpha::Straight } else { Alpha::None });
                let layout = Layout { model: Model::Rgb, alpha };
                let kind = Kind::All(decoded.samples, dimensions.width() as usize * layout.channels());
                Ok(Self { layout, icc: decoded.icc.map(Arc::from), left, kind })
            }
            SourceFormat::Tiff => Err(super::internal("a TIFF is decoded by chunks")),
        }
    }

    fn of_jpeg(bytes: Vec<u8>, dimensions: Dimensions, memory: u64) -> Result<Self> {
        let stream = Stream::read(None, &bytes, Components::AsMarked)?;
        if sof3::Source::is_one(stream.header()) {
            let header = stream.header().clone();
            let source = sof3::Source::open(bytes, &header, dimensions)?;
            let left = dimensions.height();
            return Ok(Self { layout: source.layout, icc: source.icc.clone(), left, kind: Kind::Lossless(Box::new(source)) });
        }
        if stream.dimensions() != dimensions {
            return Err(corrupt(SourceFormat::Jpeg, 0, format!("its pixels are {}, its header says {dimensions}", stream.dimensions())));
        }
        let (layout, icc, left) = (Layout { model: stream.model(false), alpha: Alpha::None }, stream.icc().map(Arc::from), dimensions.height());
        let part = Wanted { crop: dimensions.rect(), reduction: 1, gray: false, memory };
        let bands = stream.bands(part)?;
        Ok(Self { kind: Kind::Jpeg(Box::new(bands.own(bytes))), layout, icc, left })
    }

    /// What the samples of its rows are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The profile of its colours.
    pub fn icc(&self) -> Option<&Arc<[u8]>> {
        self.icc.as_ref()
    }

    /// Gives the next rows to `sink`, as few as come together; whether there are more.
    pub fn next(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let left = &mut self.left;
        let at = |stride: usize, left: u32, all: usize| (all / stride.max(1)).saturating_sub(left as usize) * stride;
        let mut counted = |row: Row<'_>| {
            *left = left.checked_sub(1).ok_or_else(|| super::internal("more rows than there are"))?;
            sink(row)
        };
        let more = match &mut self.kind {
            Kind::Jpeg(bands) => bands.next(&mut counted)?,
            Kind::Lossless(source) => source.next(&mut counted)?,
            Kind::Png(source) => source.next(&mut counted).map(|()| true)?,
            Kind::All(samples, stride) => {
                let start = at(*stride, self.left, samples.len());
                sink(Row::U8(&samples[start..start + *stride]))?;
                self.left -= 1;
                true
            }
        };
        if !more && self.left > 0 {
            return Err(super::internal("rows are missing"));
        }
        Ok(self.left > 0)
    }
}
