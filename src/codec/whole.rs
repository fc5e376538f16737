//! Files that are decoded from their beginning: the bytes of the whole file, through the pipeline.

use std::sync::Arc;

use super::filler::Filler;
use super::jpeg::{Bands, Components, Intake, Part as Wanted, Stream};
use super::{corrupt, modules, png, sof3};
use crate::error::{Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::incomplete::Incomplete;
use crate::jpeg::{Component, Decoder, Planes, Sampling};
use crate::limits::Limits;
use crate::plan::Rendering;
use crate::profile::{Profile, Unused};
use crate::render::{Alpha, Layout, Model, Raster, Row};

/// A part of the answer, upright.
pub(crate) enum Part {
    Rows(Raster),
    /// Rows of planes, and how they are sampled.
    Planes(Sampling, Planes),
    /// Rows of MCUs as they are stored, and the profile of their colours.
    Coefficients(Vec<Component>, Option<Arc<Profile>>),
    /// All of its bytes.
    File(Vec<u8>),
}

/// What is to be told of a file that was decoded.
pub(crate) struct Told {
    /// What is missing of it, if it was shown all the same.
    pub damage: Option<Incomplete>,
    /// Descriptions of its colours that were not used.
    pub unused: Vec<Unused>,
}

fn unused(profile: Option<&Arc<Profile>>, model: Model) -> Vec<Unused> {
    profile.map(|profile| profile.unused(model)).unwrap_or_default()
}

/// A JPEG file of several scans on its way: its coefficients are there, and bands are made of them one after the other.
pub(crate) struct JpegFile {
    bytes: Vec<u8>,
    /// Between two bands.
    decoder: Option<Decoder<'static>>,
    intake: Intake,
    finished: bool,
    told: Told,
}

impl JpegFile {
    /// Reads all scans. For an answer of the sampling `planes`, if planes will do for it. Making a conversion of its colours may take as many bytes as are `colors`.
    pub fn new(bytes: Vec<u8>, plan: &Rendering, planes: Option<Sampling>, limits: &Limits, colors: u64) -> Result<Self> {
        let limits = Limits { memory: limits.memory.saturating_sub(bytes.len() as u64), ..limits.clone() };
        let stream = Stream::read(None, &bytes, Components::AsMarked)?;
        let profile = stream.profile().map(|profile| profile.within(stream.model(false), colors));
        let told = Told { damage: None, unused: unused(profile.as_ref(), stream.model(false)) };
        let (wanted, intake) = Intake::new(stream.header(), profile.as_ref(), plan, planes, &limits)?;
        let decoder = Decoder::new(stream.header(), &bytes, &wanted)?.over(&[]);
        Ok(Self { bytes, decoder: Some(decoder), intake, finished: false, told })
    }

    /// Gives the next parts to `sink`; whether there are more.
    pub fn next(&mut self, sink: &mut dyn FnMut(Part) -> Result<()>) -> Result<bool> {
        if let Some(part) = self.intake.next()? {
            return sink(part).map(|()| true);
        }
        let Some(decoder) = self.decoder.take() else {
            if !std::mem::replace(&mut self.finished, true) {
                self.intake.finish(sink)?;
                return Ok(true);
            }
            return self.intake.check().map(|()| false);
        };
        let mut decoder = decoder.over(&self.bytes);
        if let Some(band) = decoder.next_band()? {
            self.intake.push(&band, sink)?;
            self.told.damage = decoder.damage().cloned();
            self.decoder = Some(decoder.over(&[]));
        } else {
            self.told.damage = decoder.damage().cloned();
        }
        Ok(true)
    }

    /// What is to be told of it so far.
    pub fn told(&self) -> &Told {
        &self.told
    }
}

/// The rows of a whole file, top to bottom, taken a few at a time.
pub(crate) struct WholeRows {
    kind: Kind,
    layout: Layout,
    profile: Option<Arc<Profile>>,
    /// Pixels in a row, how many rows there are, and how many are still to come.
    width: usize,
    height: u32,
    left: u32,
    /// Whether rows that cannot be decoded are filled.
    show: bool,
    damage: Option<Incomplete>,
    /// A row that cannot be decoded, once there is one.
    missing: Option<Filler>,
}

enum Kind {
    Jpeg(Box<Bands>),
    Png(Box<png::Source>),
    Lossless(Box<sof3::Source>),
    Module(Box<modules::Decoder>),
}

impl Kind {
    /// Whether samples have 16 bits.
    fn is_wide(&self) -> bool {
        match self {
            Self::Png(source) => source.is_wide(),
            Self::Lossless(source) => source.is_wide(),
            Self::Module(decoder) => decoder.is_wide(),
            Self::Jpeg(_) => false,
        }
    }
}

impl WholeRows {
    /// Begins the file that `bytes` are, whose header said `dimensions`; decoders take at most `memory` bytes beside them. Rows that cannot be decoded are filled
    /// if incomplete files are to be `show`n. Making a conversion of its colours may take as many bytes as are `colors`.
    pub fn new(format: SourceFormat, bytes: Vec<u8>, dimensions: Dimensions, (memory, colors): (u64, u64), show: bool) -> Result<Self> {
        let rows = Self::begin(format, bytes, dimensions, memory, show)?;
        let model = rows.layout.model;
        Ok(Self { profile: rows.profile.map(|profile| profile.within(model, colors)), ..rows })
    }

    fn begin(format: SourceFormat, bytes: Vec<u8>, dimensions: Dimensions, memory: u64, show: bool) -> Result<Self> {
        match format {
            SourceFormat::Jpeg => Self::of_jpeg(bytes, dimensions, memory, show),
            SourceFormat::Png => {
                let mut source = png::Source::open(bytes, dimensions, show)?;
                let (layout, profile) = (source.layout, source.profile.take());
                Ok(Self::of(Kind::Png(Box::new(source)), layout, profile, dimensions, show))
            }
            SourceFormat::Tiff => Err(super::internal("a TIFF is decoded by chunks")),
            // What no decoder of the engine reads.
            _ => {
                let mut decoder = modules::Decoder::new(format, bytes, dimensions, memory)?;
                let damage = decoder.damage(show)?;
                let (model, alpha) = match decoder.channels() {
                    1 => (Model::Gray, Alpha::None),
                    2 => (Model::Gray, Alpha::Straight),
                    3 => (Model::Rgb, Alpha::None),
                    _ => (Model::Rgb, Alpha::Straight),
                };
                let profile = decoder.take_icc().map(|icc| Arc::new(Profile::icc(icc)));
                let (kind, layout) = (Kind::Module(Box::new(decoder)), Layout { model, alpha });
                Ok(Self { damage, ..Self::of(kind, layout, profile, dimensions, show) })
            }
        }
    }

    fn of(kind: Kind, layout: Layout, profile: Option<Arc<Profile>>, dimensions: Dimensions, show: bool) -> Self {
        let (width, height) = (dimensions.width() as usize, dimensions.height());
        Self { kind, layout, profile, width, height, left: height, show, damage: None, missing: None }
    }

    fn of_jpeg(bytes: Vec<u8>, dimensions: Dimensions, memory: u64, show: bool) -> Result<Self> {
        let stream = Stream::read(None, &bytes, Components::AsMarked)?.filling(show);
        if sof3::Source::is_one(stream.header()) {
            let header = stream.header().clone();
            let profile = stream.profile();
            let source = sof3::Source::open(bytes, &header, dimensions)?;
            let layout = source.layout;
            return Ok(Self::of(Kind::Lossless(Box::new(source)), layout, profile, dimensions, show));
        }
        if stream.dimensions() != dimensions {
            return Err(corrupt(SourceFormat::Jpeg, 0, format!("its pixels are {}, its header says {dimensions}", stream.dimensions())));
        }
        let (layout, profile) = (Layout { model: stream.model(false), alpha: Alpha::None }, stream.profile());
        let part = Wanted { crop: dimensions.rect(), reduction: 1, gray: false, memory };
        let bands = stream.bands(part)?;
        Ok(Self::of(Kind::Jpeg(Box::new(bands.own(bytes))), layout, profile, dimensions, show))
    }

    /// What could not be decoded and was filled so far.
    pub fn damage(&self) -> Option<&Incomplete> {
        self.damage.as_ref()
    }

    /// What the samples of its rows are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The profile of its colours.
    pub fn profile(&self) -> Option<&Arc<Profile>> {
        self.profile.as_ref()
    }

    /// Descriptions of its colours that are not used.
    pub fn unused(&self) -> Vec<Unused> {
        unused(self.profile.as_ref(), self.layout.model)
    }

    /// Gives the next rows to `sink`, as few as come together; whether there are more.
    pub fn next(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        if self.missing.is_none() {
            match self.decode(sink) {
                Err(error) if self.show && error.is_damage() => {
                    let damage = Incomplete::below(self.height.saturating_sub(self.left), error)?;
                    Incomplete::merge(&mut self.damage, Some(damage));
                    self.missing = Some(Filler::new(self.layout, self.width, self.kind.is_wide()));
                }
                other => return other,
            }
        }
        let Some(missing) = &self.missing else { return Err(super::internal("a row of nothing")) };
        if self.left > 0 {
            self.left -= 1;
            sink(missing.row())?;
        }
        Ok(self.left > 0)
    }

    /// The next rows of the file.
    fn decode(&mut self, sink: &mut dyn FnMut(Row<'_>) -> Result<()>) -> Result<bool> {
        let left = &mut self.left;
        let mut counted = |row: Row<'_>| {
            *left = left.checked_sub(1).ok_or_else(|| super::internal("more rows than there are"))?;
            sink(row)
        };
        let more = match &mut self.kind {
            Kind::Jpeg(bands) => {
                let more = bands.next(&mut counted)?;
                Incomplete::merge(&mut self.damage, bands.damage().cloned());
                more
            }
            Kind::Lossless(source) => source.next(&mut counted)?,
            Kind::Png(source) => {
                source.next(&mut counted)?;
                Incomplete::merge(&mut self.damage, source.damage().cloned());
                true
            }
            Kind::Module(decoder) => decoder.next(&mut counted)?,
        };
        if !more && self.left > 0 {
            return Err(super::internal("rows are missing"));
        }
        Ok(self.left > 0)
    }
}
