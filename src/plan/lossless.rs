//! Requests for pixels as JPEG files and chunks hold them: their coefficients can be copied, cut and turned, without a loss and without pixels.

use super::{COUNTED_JPG, Price, Rendering, SourcePlan};
use crate::api::{Format, Quality};
use crate::jpeg::is_lossless;
use crate::limits::Limits;
use crate::pyramid::{Body, OneScan, Pyramid};

impl Rendering {
    /// The same, priced for copied coefficients, if headers allow for that: a JPEG at scale 1, of at most [`COUNTED_JPG`] pixels (all of it is held), that begins
    /// on blocks. Whether it begins on MCUs, and whether chunks are coded alike, only their streams tell.
    pub(super) fn lossless(&self, pyramid: &Pyramid, limits: &Limits) -> Option<Self> {
        let unchanged = self.is_exact() && self.angle.is_none() && self.format == Format::Jpg && self.quality != Quality::Bitonal;
        let begins = self.crop.x().is_multiple_of(8) && self.crop.y().is_multiple_of(8);
        if !unchanged || !begins || self.size.area() > COUNTED_JPG {
            return None;
        }
        // Two bytes for each sample, and for each that is turned beside it.
        let coefficients = |channels: u64| self.size.area().saturating_mul(channels).saturating_mul(4);
        let memory = match (&self.source, &pyramid.body) {
            (SourcePlan::Chunks { level, .. }, Body::Tiff(tiff)) => {
                let level = tiff.levels.get(*level).filter(|level| level.has_planes())?;
                self.price.memory.max(Price::of_copied(level, pyramid, coefficients(level.samples.count.into()), self.size.area()))
            }
            (SourcePlan::Scan { reduction: 1, .. }, Body::Scan(scan)) if self.is_copyable(scan) => {
                let held = coefficients(scan.header.components.len() as u64).saturating_add(self.size.area().saturating_mul(3));
                self.price.memory.saturating_add(held)
            }
            _ => return None,
        };
        let price = Price { memory, ..self.price };
        price.check(limits).ok()?;
        Some(Self { price, ..self.clone() })
    }

    /// Whether the region begins on MCUs of a file that is gray or YCbCr, and ends on them where it is flipped.
    fn is_copyable(&self, scan: &OneScan) -> bool {
        let gray = self.quality == Quality::Gray;
        // A profile of colours is none of luminance alone.
        let profiled = gray && scan.header.components.len() > 1 && scan.icc.is_some();
        !profiled && is_lossless(&scan.header, self.crop, gray, self.turn.into())
    }
}
