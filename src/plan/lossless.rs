//! Requests for pixels as JPEG chunks hold them: their coefficients can be copied, cut and turned, without a loss and without pixels.

use super::{COUNTED_JPG, Price, Rendering, SourcePlan};
use crate::api::{Format, Quality};
use crate::limits::Limits;
use crate::pyramid::tiff::{Compression, Level, Model};
use crate::pyramid::{Body, Pyramid};

impl Rendering {
    /// The same, priced for copied coefficients, if headers allow for that: a JPEG at scale 1, of at most [`COUNTED_JPG`] pixels (all of it is held), that begins
    /// on blocks. Whether it begins on MCUs, and whether chunks are coded alike, only their streams tell.
    pub(super) fn lossless(&self, pyramid: &Pyramid, limits: &Limits) -> Option<Self> {
        let (SourcePlan::Chunks { level, .. }, Body::Tiff(tiff)) = (&self.source, &pyramid.body) else { return None };
        let level = tiff.levels.get(*level)?;
        let unchanged = self.is_exact() && self.angle.is_none() && self.format == Format::Jpg && self.quality != Quality::Bitonal;
        let begins = self.crop.x().is_multiple_of(8) && self.crop.y().is_multiple_of(8);
        if !unchanged || !begins || self.size.area() > COUNTED_JPG || !level.is_copyable() {
            return None;
        }
        // Two bytes for each sample: of a chunk, of all of them, and turned.
        let coefficients = self.size.area().saturating_mul(u64::from(level.samples.count)).saturating_mul(4);
        let copying = Price::of_copied(level, pyramid, coefficients, self.size.area());
        let price = Price { memory: self.price.memory.max(copying), ..self.price };
        price.check(limits).ok()?;
        Some(Self { price, ..self.clone() })
    }
}

impl Level {
    /// Whether its chunks are JPEGs of gray or YCbCr.
    fn is_copyable(&self) -> bool {
        let colors = match self.model {
            Model::BlackIsZero => self.samples.count == 1,
            Model::YCbCr(..) => self.samples.count == 3 && !self.samples.planar,
            _ => false,
        };
        self.compression == Compression::Jpeg && colors && self.samples.alpha.is_none()
    }
}
