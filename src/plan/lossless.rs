//! Requests for pixels as JPEG files and chunks hold them: their coefficients can be copied, cut and turned, without a loss and without pixels.

use super::{COUNTED_JPG, Price, Rendering, SourcePlan};
use crate::api::{Format, Quality};
use crate::jpeg::is_lossless;
use crate::limits::Limits;
use crate::profile::Stored;
use crate::pyramid::{Body, OneScan, Orientation, Pyramid};

impl Rendering {
    /// The same, priced for copied coefficients, if headers allow for that: a JPEG at scale 1 that begins on blocks. Whether it begins on MCUs, and whether chunks are
    /// coded alike, only their streams tell.
    ///
    /// One of more than [`COUNTED_JPG`] pixels leaves while it is copied, and cannot be given up then: it must come in the order in which it is stored, and no chunk
    /// may have tables of its own. Damage that is found before something has left is decoded and filled, damage that is found later breaks the answer.
    pub(super) fn lossless(&self, pyramid: &Pyramid, limits: &Limits) -> Option<Self> {
        let unchanged = self.is_exact() && self.angle.is_none() && self.format == Format::Jpg && self.quality != Quality::Bitonal;
        let begins = self.crop.x().is_multiple_of(8) && self.crop.y().is_multiple_of(8);
        let large = self.size.area() > COUNTED_JPG;
        if !unchanged || !begins || (large && !self.is_upright()) {
            return None;
        }
        // Two bytes for each sample, of as many rows as are held, and some blocks; and for each that is turned beside it.
        let bytes = if self.turn == Orientation::NORMAL { 2 } else { 4 };
        let coefficients = |channels: u64, rows: u32| {
            let rows = if self.is_upright() { rows.min(self.size.height()) } else { self.size.height() };
            u64::from(self.size.width()).saturating_add(64).saturating_mul(u64::from(rows).saturating_add(64)).saturating_mul(channels).saturating_mul(bytes)
        };
        let memory = match (&self.source, &pyramid.body) {
            (SourcePlan::Chunks { level, .. }, Body::Levels(levels)) => {
                let level = levels.get(*level).filter(|level| level.has_planes() && (!large || level.jpeg_tables.is_some()))?;
                let held = coefficients(level.samples.count.into(), level.chunk.height());
                self.price.memory.max(Price::of_copied(level, pyramid, held, self.size.area()))
            }
            (SourcePlan::Scan { reduction: 1, .. }, Body::Scan(scan)) if self.is_copyable(scan) => {
                // What is decoded and what is written are in the price.
                self.price.memory.saturating_add(coefficients(scan.header.components.len() as u64, 64))
            }
            _ => return None,
        };
        let price = Price { memory, ..self.price };
        price.check(limits).ok()?;
        if pyramid.stored_profile() == Stored::Never {
            return None;
        }
        Some(Self { price, ..self.clone() })
    }

    /// Whether the region begins on MCUs of a file that is gray or YCbCr, and ends on them where it is flipped.
    fn is_copyable(&self, scan: &OneScan) -> bool {
        let gray = self.quality == Quality::Gray;
        // A profile of colours is none of luminance alone.
        let profiled = gray && scan.header.components.len() > 1 && scan.profile.is_some();
        !profiled && is_lossless(&scan.header, self.crop, gray, self.turn.into())
    }
}
