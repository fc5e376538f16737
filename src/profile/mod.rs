//! What the colours of an image are by its own description, and their conversion to sRGB: ICC profiles, and the fields that PNG has beside them.

mod curve;
mod described;
mod icc;
mod matrix;
mod shaper;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use self::described::Primaries;
use std::sync::{Arc, OnceLock};

use self::curve::Curve;
use self::icc::{Icc, Space};
use self::shaper::Shaper;
use self::tables::Tables;

/// What the colour samples of a pixel mean; a codec has resolved palettes, inversion and subsampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// 0 is black.
    Gray,
    Rgb,
    /// 0 is no ink.
    Cmyk,
    /// L* from 0 to 100 over the sample's range; a* and b* with their zero in the middle, one unit for 1/256 of the range.
    Lab,
}

/// Bytes of a profile that is sent with every tile that is sent as stored. A larger one would outweigh the tiles: its images are converted.
const CARRIED: usize = 4 << 10;

/// A description of colours that a file has and that was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unused {
    /// A short name: `icc` or `cicp`.
    pub name: &'static str,
    /// Why, as the end of a sentence that begins with the name.
    pub reason: &'static str,
}

/// The colours of an image as its file describes them. What that comes to is found out once.
#[derive(Debug)]
pub(crate) struct Profile {
    source: Source,
    /// A description that should have come first, but cannot be used.
    passed_over: Option<Unused>,
    effect: OnceLock<(Model, Effect)>,
}

#[derive(Debug)]
enum Source {
    Icc(Arc<[u8]>),
    /// Fields of a PNG: for gray, and for colours.
    Fields(Arc<Shaper>, Arc<Shaper>),
    /// What the file has in place of a profile cannot be one.
    Broken(&'static str),
    /// Plain sRGB.
    None,
}

/// What a profile does to samples of a model.
#[derive(Debug, Clone)]
enum Effect {
    /// The colours are sRGB already, but for rounding; or the profile is not needed for them.
    Nothing,
    Shaper(Arc<Shaper>),
    Tables(Arc<Tables>),
    Unusable(&'static str),
}

/// What becomes of the profile of colours that are sent as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored<'a> {
    /// It is left out: it changes nothing, or nobody can use it.
    Plain,
    /// It is sent along.
    With(&'a [u8]),
    /// It is too large for that: nothing may be sent as it is stored.
    Never,
}

/// A conversion of interleaved colour samples to RGB, or gray to gray.
pub(crate) enum Conversion {
    Shaper(Arc<Shaper>),
    Tables(Arc<Tables>),
}

/// Bytes that the curves of a profile take, and those of the description of a PNG.
const CURVES: u64 = 64 << 10;

/// Memory that it takes to make a conversion of an ICC profile of so many bytes, whatever it has in it, with itself and all that is made on the way, bytes.
pub(crate) fn most_memory(bytes: u64, model: Model) -> u64 {
    // Unpacked in room that doubles; then itself, as it was read, and what is made of that.
    bytes.saturating_mul(3).max(bytes.saturating_mul(2).saturating_add(tables::memory(model))).saturating_add(CURVES)
}

/// The same where a PNG describes colours by numbers.
pub(crate) const FIELDS_MEMORY: u64 = 2 * CURVES;

/// Whether so much memory for colours is counted on as only an ICC profile takes, which may have tables.
#[cfg(feature = "web")]
pub(crate) fn may_need_tables(memory: u64) -> bool {
    memory > FIELDS_MEMORY
}

impl Profile {
    /// An embedded ICC profile.
    pub fn icc(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::of(Source::Icc(bytes.into()))
    }

    /// There is a profile, which cannot be had.
    pub fn broken(reason: &'static str) -> Self {
        Self::of(Source::Broken(reason))
    }

    /// That of a JPEG stream; of some of its parts may be missing.
    pub fn of_jpeg(is_broken: bool, icc: Option<Vec<u8>>) -> Option<Arc<Self>> {
        if is_broken { Some(Arc::new(Self::broken("lacks some of its parts"))) } else { icc.map(|icc| Arc::new(Self::icc(icc))) }
    }

    /// No profile: sRGB.
    pub fn none() -> Self {
        Self::of(Source::None)
    }

    fn of(source: Source) -> Self {
        Self { source, passed_over: None, effect: OnceLock::new() }
    }

    /// The same, taken in place of another description.
    pub fn in_place_of(self, unused: Option<Unused>) -> Self {
        Self { passed_over: unused, ..self }
    }

    /// The conversion to sRGB; `None` if it is not for this model, cannot be read, or would change nothing.
    pub fn conversion(&self, model: Model) -> Option<Conversion> {
        match self.effect.get() {
            Some((known, Effect::Shaper(shaper))) if *known == model => Some(Conversion::Shaper(shaper.clone())),
            Some((known, Effect::Tables(tables))) if *known == model => Some(Conversion::Tables(tables.clone())),
            Some((known, Effect::Nothing | Effect::Unusable(_))) if *known == model => None,
            _ => {
                let (effect, conversion) = self.examine(model);
                // Of another model than before there is hardly ever one.
                let _ = self.effect.set((model, effect));
                conversion
            }
        }
    }

    /// Whether decoded samples are not sRGB yet.
    pub fn converts(&self, model: Model) -> bool {
        matches!(self.effect(model), Effect::Shaper(_) | Effect::Tables(_))
    }

    /// What becomes of it where samples are sent as they are stored. So all tiles of an image look the same: those that are stored have the profile along, and those
    /// that are made are converted by it.
    pub fn stored(&self, model: Model) -> Stored<'_> {
        match (&self.source, self.converts(model)) {
            (_, false) => Stored::Plain,
            (Source::Icc(bytes), true) if bytes.len() <= CARRIED => Stored::With(bytes),
            (_, true) => Stored::Never,
        }
    }

    /// What of the file's descriptions is not used.
    pub fn unused(&self, model: Model) -> Vec<Unused> {
        let unusable = match self.effect(model) {
            Effect::Unusable(reason) => Some(Unused { name: "icc", reason }),
            _ => None,
        };
        self.passed_over.into_iter().chain(unusable).collect()
    }

    /// The bytes of an ICC profile.
    pub fn bytes(&self) -> Option<&[u8]> {
        if let Source::Icc(bytes) = &self.source { Some(bytes) } else { None }
    }

    /// Bytes it takes.
    pub fn weight(&self) -> usize {
        let made = match self.effect.get() {
            Some((_, Effect::Shaper(shaper))) => shaper.weight(),
            Some((_, Effect::Tables(tables))) => tables.weight(),
            _ => 0,
        };
        self.bytes().map_or(0, <[u8]>::len).saturating_add(made)
    }

    /// Memory that it takes to make its conversion, with all that is made on the way, bytes. The same whether it has been made or not.
    pub fn memory(&self, model: Model) -> u64 {
        match &self.source {
            _ if model == Model::Lab => 0,
            Source::Icc(bytes) if Icc::read(bytes).is_some_and(|icc| icc.has_tables()) => most_memory(bytes.len() as u64, model),
            Source::Icc(bytes) => (bytes.len() as u64).saturating_mul(3).saturating_add(CURVES),
            Source::Fields(..) => FIELDS_MEMORY,
            Source::Broken(_) | Source::None => 0,
        }
    }

    /// This profile, if no more than `limit` bytes of [memory](Self::memory) were counted on: the head of its file may have hidden it.
    pub fn within(self: Arc<Self>, model: Model, limit: u64) -> Arc<Self> {
        if self.memory(model) <= limit { self } else { Arc::new(Self::broken("is not where a profile belongs")) }
    }

    /// Whether the codec for tables is needed to convert samples of this model.
    #[cfg(feature = "web")]
    pub fn needs_tables(&self, model: Model) -> bool {
        matches!(&self.source, Source::Icc(bytes) if model != Model::Lab && Icc::read(bytes).is_some_and(|icc| icc.has_tables()))
    }

    fn effect(&self, model: Model) -> Effect {
        match self.effect.get() {
            Some((known, effect)) if *known == model => effect.clone(),
            _ => {
                let effect = self.examine(model).0;
                let _ = self.effect.set((model, effect.clone()));
                effect
            }
        }
    }

    fn examine(&self, model: Model) -> (Effect, Option<Conversion>) {
        let found = match &self.source {
            // Lab is no colour of a device: it needs no profile.
            _ if model == Model::Lab => Ok(None),
            Source::None => Ok(None),
            Source::Broken(reason) => Err(*reason),
            Source::Fields(gray, _) if model == Model::Gray => Ok(Some(Conversion::Shaper(gray.clone()))),
            Source::Fields(_, colors) => Ok(Some(Conversion::Shaper(colors.clone()))),
            Source::Icc(bytes) => read(bytes, model).map(Some),
        };
        match found {
            Err(reason) => (Effect::Unusable(reason), None),
            Ok(Some(conversion)) if !conversion.changes_nothing() => (conversion.effect(), Some(conversion)),
            Ok(_) => (Effect::Nothing, None),
        }
    }
}

/// The conversion that a profile defines for samples of a model.
fn read(bytes: &[u8], model: Model) -> Result<Conversion, &'static str> {
    let icc = Icc::read(bytes).ok_or("cannot be read")?;
    match (model, icc.space) {
        (Model::Gray, Space::Gray) | (Model::Rgb, Space::Rgb) | (Model::Cmyk, Space::Cmyk) => {}
        _ => return Err("is for samples of another kind"),
    }
    // Tables are the more exact description (ICC.1, 8.10.2): curves serve where there are none, or none that can be used.
    if icc.has_tables()
        && let Some(tables) = Tables::new(bytes, model)
    {
        return Ok(Conversion::Tables(Arc::new(tables)));
    }
    shaper_of(&icc).map(|shaper| Conversion::Shaper(Arc::new(shaper))).ok_or("has no tables or curves that can be used")
}

/// Of a profile of gray or of three primaries.
fn shaper_of(icc: &Icc<'_>) -> Option<Shaper> {
    match (icc.space, icc.pcs) {
        // What the curve gives is in the connection space: a lightness, or a luminance (ICC.1, 8.3.3).
        (Space::Gray, Space::Lab) => Some(Shaper::gray(Curve::Lightness(Box::new(icc.curve(b"kTRC")?)))),
        (Space::Gray, Space::Xyz) => Some(Shaper::gray(icc.curve(b"kTRC")?)),
        (Space::Rgb, Space::Xyz) => {
            let curves = [icc.curve(b"rTRC")?, icc.curve(b"gTRC")?, icc.curve(b"bTRC")?];
            Some(Shaper::rgb(curves, matrix::snapped(matrix::product(matrix::D50_TO_SRGB, icc.colorants()?))))
        }
        _ => None,
    }
}

impl Conversion {
    fn effect(&self) -> Effect {
        match self {
            Self::Shaper(shaper) => Effect::Shaper(shaper.clone()),
            Self::Tables(tables) => Effect::Tables(tables.clone()),
        }
    }

    /// Whether grays and a lattice of colours come out as they went in, but for rounding: the profile is sRGB's own under whatever name.
    fn changes_nothing(&self) -> bool {
        const STEPS: [u8; 6] = [0, 51, 102, 153, 204, 255];
        let samples: Vec<u8> = match self.colors() {
            1 => (0..=255).collect(),
            3 => {
                let lattice = STEPS.iter().flat_map(|r| STEPS.iter().flat_map(move |g| STEPS.iter().flat_map(move |b| [*r, *g, *b])));
                (0..=255).flat_map(|gray| [gray; 3]).chain(lattice).collect()
            }
            _ => return false,
        };
        let mut out = Vec::new();
        let colors = self.narrow(&samples, &mut out);
        colors == self.colors() && samples.iter().zip(&out).all(|(before, after)| before.abs_diff(*after) <= 1)
    }

    fn colors(&self) -> usize {
        match self {
            Self::Shaper(shaper) => shaper.channels(),
            Self::Tables(tables) => tables.colors(),
        }
    }

    /// Appends the converted samples; returns how many a pixel has.
    pub fn narrow(&self, samples: &[u8], out: &mut Vec<u8>) -> usize {
        match self {
            Self::Shaper(shaper) => shaper.narrow(samples, out),
            Self::Tables(tables) => return tables.narrow(samples, out),
        }
        self.colors()
    }

    /// The same from samples of 16 bits.
    pub fn wide(&self, samples: &[u16], out: &mut Vec<u8>) -> usize {
        match self {
            Self::Shaper(shaper) => shaper.wide(samples, out),
            Self::Tables(tables) => return tables.wide(samples, out),
        }
        self.colors()
    }
}
