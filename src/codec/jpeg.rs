//! JPEG streams to rows, by the engine of [`crate::jpeg`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use super::{Part as Made, corrupt, internal, unsupported};
use crate::api::Quality;
use crate::error::{Result, SourceFormat};
use crate::geometry::{Dimensions, Rect};
use crate::incomplete::Incomplete;
use crate::jpeg::{Band, ColorModel, Decoder, Grid, Header, Mosaic, Plane, Planes, Rows, SOF3, Sampling, Wanted, cut};
use crate::limits::Limits;
use crate::plan::{Rendering, SourcePlan};
use crate::profile::Profile;
use crate::pyramid::level::Indexes;
use crate::pyramid::meaning;
use crate::render::{Alpha, Layout, Model, Pipeline, Row};

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
    bytes: &'a [u8],
    header: Cow<'a, Header>,
    components: Components,
    /// What is known of where MCUs begin, and its offset in the file, by which that is kept.
    places: Option<(&'a Indexes, u64)>,
    /// Whether what cannot be decoded becomes a medium gray.
    fill: bool,
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

/// A part whose decoding has begun; the bytes are still another's.
pub(super) struct Unowned {
    decoder: Decoder<'static>,
    rows: Rows,
}

impl Unowned {
    /// With the bytes of the stream it was begun on.
    pub fn own(self, bytes: Vec<u8>) -> Bands {
        Bands { bytes, state: Some((self.decoder, self.rows)), damage: None }
    }
}

/// A stream and how far it is decoded.
pub(super) struct Bands {
    bytes: Vec<u8>,
    state: Option<(Decoder<'static>, Rows)>,
    damage: Option<Incomplete>,
}

impl Bands {
    /// What could not be decoded and was filled so far.
    pub fn damage(&self) -> Option<&Incomplete> {
        self.damage.as_ref()
    }

    /// Gives the rows of the next band to `sink`; whether there are more.
    pub fn next(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let mut sink: Sink<'_> = &mut |row: &[u8]| sink(Row::U8(row));
        let Some((decoder, mut rows)) = self.state.take() else { return Ok(false) };
        let mut decoder = decoder.over(&self.bytes);
        match decoder.next_band()? {
            None => rows.finish(&mut sink).map(|()| false),
            Some(band) => {
                rows.push(&band, &mut sink)?;
                self.damage = decoder.damage().cloned();
                self.state = Some((decoder.over(&[]), rows));
                Ok(true)
            }
        }
    }
}

impl<'a> Stream<'a> {
    /// Reads a header. `tables` come from elsewhere (TIFF Technical Note 2).
    pub fn read(tables: Option<&'a [u8]>, bytes: &'a [u8], components: Components) -> Result<Self> {
        Ok(Self { bytes, header: Cow::Owned(Header::read(tables, bytes)?), components, places: None, fill: false })
    }

    /// A file's, of which there is only the header.
    fn of_file(header: &'a Header) -> Self {
        Self { bytes: &[], header: Cow::Borrowed(header), components: Components::AsMarked, places: None, fill: false }
    }

    /// The same, which goes by what is known of where the MCUs of the stream at this offset begin, and adds to it.
    pub fn by(self, indexes: &'a Indexes, offset: u64) -> Self {
        Self { places: Some((indexes, offset)), ..self }
    }

    /// The same; rows and planes that cannot be decoded become a medium gray if `fill`.
    pub fn filling(self, fill: bool) -> Self {
        Self { fill, ..self }
    }

    /// What its markers say before its first scan.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Size of the image, px.
    pub fn dimensions(&self) -> Dimensions {
        self.header.dimensions
    }

    /// Components a pixel.
    pub fn channels(&self) -> usize {
        self.header.components.len()
    }

    /// How its planes are sampled, if they are those of a YCbCr or gray image, coded in blocks; luminance is a plane of its own, if that is all that is wanted.
    pub fn sampling(&self, gray: bool) -> Option<Sampling> {
        let factors: Vec<(u8, u8)> = self.header.components.iter().map(|component| (component.across, component.down)).collect();
        let found = match factors.as_slice() {
            [_] => Sampling::Gray,
            [(1, 1), (1, 1), (1, 1)] => Sampling::S444,
            [(2, 1), (1, 1), (1, 1)] => Sampling::S422,
            [(2, 2), (1, 1), (1, 1)] => Sampling::S420,
            _ => return None,
        };
        let meant = matches!(self.meaning(false), ColorModel::YCbCr | ColorModel::Gray);
        (!self.is_lossless() && meant).then_some(if gray { Sampling::Gray } else { found })
    }

    /// Gives the planes of a part to `sink`, some rows at a time, if they [are so sampled](Self::sampling): of chroma all samples that its crop touches. Tells
    /// what was [filled](Self::filling).
    pub fn planes(&self, part: Part, sampling: Sampling, sink: &mut impl FnMut(Planes) -> Result<()>) -> Result<Option<Incomplete>> {
        let wanted = self.wanted_planes(part, sampling)?;
        let mut decoder = Decoder::new(&self.header, self.bytes, &wanted)?;
        let cut = Cut { crop: part.crop, sampling, grid: decoder.grid().clone() };
        self.each_band(&mut decoder, &mut |band| sink(cut.planes(band)))?;
        Ok(decoder.damage().cloned())
    }

    /// Gives all bands of a decoder to `sink`.
    fn each_band(&self, decoder: &mut Decoder<'_>, sink: &mut dyn FnMut(&Band<'_>) -> Result<()>) -> Result<()> {
        let places = self.places.filter(|_| self.header.is_streamable());
        let index = places.map(|(indexes, offset)| indexes.of(offset, &self.header, self.bytes.len())).transpose()?;
        if let Some(index) = &index {
            decoder.record(index.clone());
        }
        while let Some(band) = decoder.next_band()? {
            sink(&band)?;
        }
        if let Some(((indexes, offset), index)) = places.zip(index) {
            let (first, entries) = decoder.recorded();
            indexes.learn(offset, index, first, &entries);
        }
        Ok(())
    }

    fn wanted_planes(&self, part: Part, sampling: Sampling) -> Result<Wanted> {
        let (crop, full) = (part.crop, self.header.dimensions);
        let edge = |at: u32, end: u32| at.saturating_mul(part.reduction).min(end);
        let region =
            Rect::from_edges(edge(crop.x(), full.width()), edge(crop.y(), full.height()), edge(crop.right(), full.width()), edge(crop.bottom(), full.height()));
        let region = region.ok_or_else(|| internal("planes of no pixels"))?;
        Ok(Wanted { region, reduction: u8::try_from(part.reduction).unwrap_or(0), gray: sampling == Sampling::Gray, memory: part.memory, fill: self.fill })
    }

    /// A part of the full image as a stream of its own whose bits are copied, with a profile; `None` if they cannot be.
    pub fn cut(&self, part: Part, icc: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        let wanted = Wanted { region: part.crop, reduction: 1, gray: false, memory: part.memory, fill: false };
        if self.is_lossless() || !self.has_planes() { Ok(None) } else { cut(&self.header, self.bytes, &wanted, icc) }
    }

    fn has_planes(&self) -> bool {
        matches!(self.meaning(false), ColorModel::YCbCr | ColorModel::Gray)
    }

    /// Lays the coefficients of a part of the full image at a place of a mosaic, px; `false` if they do not fit there.
    pub fn lay(&self, part: Part, mosaic: &mut Mosaic, at: (u32, u32)) -> Result<bool> {
        let blocks = !self.is_lossless() && self.has_planes();
        let wanted = Wanted { region: part.crop, reduction: 1, gray: part.gray, memory: part.memory, fill: false };
        Ok(blocks && mosaic.lay(&self.header, self.bytes, &wanted, None, at)?)
    }

    /// The embedded profile.
    pub fn profile(&self) -> Option<Arc<Profile>> {
        Profile::of_jpeg(self.header.has_broken_profile, self.header.icc_profile(self.bytes))
    }

    /// What the samples of rows mean.
    pub fn model(&self, gray: bool) -> Model {
        meaning(self.meaning(gray), self.channels())
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

    /// Gives the rows of a part to `sink`, top to bottom. Tells what was [filled](Self::filling).
    pub fn rows(&self, part: Part, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<Option<Incomplete>> {
        if self.is_lossless() {
            return Err(unsupported(SourceFormat::Jpeg, "lossless coding within another format"));
        }
        let (mut decoder, mut rows) = self.begin(part)?;
        let mut sink: Sink<'_> = &mut |row: &[u8]| sink(Row::U8(row));
        self.each_band(&mut decoder, &mut |band| rows.push(band, &mut sink))?;
        rows.finish(&mut sink)?;
        Ok(decoder.damage().cloned())
    }

    /// Whether it is of the lossless process, which has no blocks.
    fn is_lossless(&self) -> bool {
        self.header.process == SOF3
    }

    /// The rows of a part, to be taken a band at a time from bytes that `own` is to bring.
    pub fn bands(&self, part: Part) -> Result<Unowned> {
        let (decoder, rows) = self.begin(part)?;
        Ok(Unowned { decoder: decoder.over(&[]), rows })
    }

    fn begin(&self, part: Part) -> Result<(Decoder<'a>, Rows)> {
        let (wanted, model) = self.wanted_rows(part);
        let decoder = Decoder::new(&self.header, self.bytes, &wanted)?;
        let rows = Rows::new(&self.header, decoder.grid(), part.crop, model)?;
        Ok((decoder, rows))
    }

    fn wanted_rows(&self, part: Part) -> (Wanted, ColorModel) {
        let model = self.meaning(part.gray);
        let reduction = u8::try_from(part.reduction).unwrap_or(0);
        let region = Rows::region(&self.header, part.crop, reduction);
        (Wanted { region, reduction, gray: model == ColorModel::Gray, memory: part.memory, fill: self.fill }, model)
    }
}

/// Cuts planes out of bands.
pub(crate) struct Cut {
    /// Px at the reduction.
    crop: Rect,
    sampling: Sampling,
    grid: Grid,
}

impl Cut {
    fn planes(&self, band: &Band<'_>) -> Planes {
        let (crop, grid) = (self.crop, &self.grid);
        let planes = band.planes.iter().take(self.sampling.components()).enumerate().map(|(component, from)| {
            let (across, down) = if component == 0 { (1, 1) } else { self.sampling.factors() };
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
        planes.collect()
    }
}

/// What becomes of the bands of a file: a plan's rows, or planes.
pub(crate) enum Intake {
    /// Until the last band.
    Rows(Option<Rows>, Box<Pipeline>, Waiting),
    Planes(Cut),
}

/// Rows that are yet to be passed on, of an answer of which each completes many.
#[derive(Default)]
pub(crate) struct Waiting {
    used: bool,
    rows: VecDeque<Vec<u8>>,
}

impl Waiting {
    /// Passes a row on, or lets it wait.
    fn push(&mut self, row: &[u8], pipeline: &mut Pipeline, sink: &mut dyn FnMut(Made) -> Result<()>) -> Result<()> {
        if !self.used {
            return pipeline.pass_on(Row::U8(row), &mut |rows| sink(Made::Rows(rows)));
        }
        self.rows.push_back(row.to_vec());
        Ok(())
    }
}

impl Intake {
    /// And what must be decoded for it. If `planes` will do for an answer of that sampling, and the file has them, it will be planes.
    pub fn new(header: &Header, profile: Option<&Arc<Profile>>, plan: &Rendering, planes: Option<Sampling>, limits: &Limits) -> Result<(Wanted, Self)> {
        let (SourcePlan::Whole { reduction } | SourcePlan::Scan { reduction, .. }) = plan.source else { return Err(internal("a JPEG is no chunks")) };
        let stream = Stream::of_file(header).filling(limits.show_incomplete);
        if header.dimensions.reduced(reduction) != plan.level {
            return Err(corrupt(SourceFormat::Jpeg, 0, format!("its pixels are {}, its header says {}", header.dimensions, plan.level)));
        }
        // Luminance is gray only where no profile says otherwise.
        let gray = matches!(plan.quality, Quality::Gray | Quality::Bitonal) && profile.is_none();
        let layout = Layout { model: stream.model(gray), alpha: Alpha::None };
        let part = Part { crop: plan.crop, reduction, gray, memory: limits.memory };
        let suits = |found: &Sampling| planes.is_some_and(|wanted| plan.suits_planes(found.factors(), wanted.factors()));
        if let Some(sampling) = planes.and_then(|wanted| stream.sampling(wanted == Sampling::Gray)).filter(suits)
            && profile.is_none_or(|profile| !profile.converts(layout.model))
        {
            let wanted = stream.wanted_planes(part, sampling)?;
            return Ok((wanted, Self::Planes(Cut { crop: plan.crop, sampling, grid: Grid::new(header, &wanted)? })));
        }
        let (wanted, model) = stream.wanted_rows(part);
        let rows = Rows::new(header, &Grid::new(header, &wanted)?, plan.crop, model)?;
        let waiting = Waiting { used: plan.is_enlarged(), rows: VecDeque::new() };
        Ok((wanted, Self::Rows(Some(rows), Box::new(Pipeline::new(plan, layout, profile)), waiting)))
    }

    /// Takes a band, and gives what can be made now to `sink`.
    pub fn push(&mut self, band: &Band<'_>, sink: &mut dyn FnMut(Made) -> Result<()>) -> Result<()> {
        match self {
            Self::Planes(cut) => sink(Made::Planes(cut.sampling, cut.planes(band))),
            Self::Rows(Some(rows), pipeline, waiting) => {
                let mut sink: Sink<'_> = &mut |row: &[u8]| waiting.push(row, pipeline, sink);
                rows.push(band, &mut sink)
            }
            Self::Rows(None, ..) => Err(internal("a band behind the last")),
        }
    }

    /// What is made of rows that wait; none if no row does.
    pub fn next(&mut self) -> Result<Option<Made>> {
        let Self::Rows(_, pipeline, waiting) = self else { return Ok(None) };
        loop {
            if let Some(rows) = pipeline.next_rows() {
                return Ok(Some(Made::Rows(rows)));
            }
            let Some(row) = waiting.rows.pop_front() else { return Ok(None) };
            pipeline.push(Row::U8(&row))?;
        }
    }

    /// No more bands will come. [`Self::next`] may still have rows.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Made) -> Result<()>) -> Result<()> {
        let Self::Rows(rows, pipeline, waiting) = self else { return Ok(()) };
        let Some(rows) = rows.take() else { return Ok(()) };
        let mut sink: Sink<'_> = &mut |row: &[u8]| waiting.push(row, pipeline, sink);
        rows.finish(&mut sink)
    }

    /// [`Error::Internal`](crate::Error::Internal) unless all rows have been made.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Rows(_, pipeline, _) => pipeline.check(),
            Self::Planes(_) => Ok(()),
        }
    }
}
