//! Transparency masks: a directory of its own tells which pixels of an image or of a level are shown (PhotometricInterpretation 4). GDAL writes such a mask for
//! each level, also in cloud-optimized files. It is the alpha channel of its level.

use super::Level;
use super::ifd::{Directory, Header};
use super::sample::Storage;
use crate::bytes::ByteStore;
use crate::error::Stop;

impl Level {
    /// The level of a mask: one sample a pixel, 0 where nothing is shown.
    pub(super) fn read_mask(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Self, Stop> {
        Self::of_storage(store, header, directory, Storage::read_mask(store, header, directory)?)
    }

    /// Whether its pixels have alpha, of their own or by a mask.
    pub fn has_alpha(&self) -> bool {
        self.samples.alpha.is_some() || self.mask.is_some()
    }

    /// Bytes of memory that a row of chunks takes more because of the mask: its chunks decoded, and the pixels with their alpha beside those without.
    pub fn mask_memory(&self, columns: u64) -> u64 {
        let Some(mask) = &self.mask else { return 0 };
        let width = columns.saturating_mul(self.chunk.width().into()).saturating_add(mask.chunk.width().into());
        let depth = if self.samples.bits > 8 { 2 } else { 1 };
        let pixels = self.chunk.area().saturating_mul(u64::from(self.samples.count.max(3)).saturating_add(1)).saturating_mul(depth);
        // The rows of chunks of the mask that a row of chunks touches.
        let rows = u64::from(self.chunk.height()).saturating_add(u64::from(mask.chunk.height()).saturating_mul(2));
        width.saturating_mul(rows).saturating_add(mask.chunk_bytes().saturating_mul(2)).saturating_add(pixels)
    }
}

/// Gives each level the mask of its size. If the full image has one, levels without one are left out: they would show what it hides.
pub(super) fn attach(mut levels: Vec<Level>, masks: Vec<Level>) -> Vec<Level> {
    for level in levels.iter_mut().filter(|level| level.samples.alpha.is_none()) {
        level.mask = masks.iter().find(|mask| mask.dimensions == level.dimensions).cloned().map(Box::new);
    }
    let masked = levels.first().is_some_and(Level::has_alpha);
    levels.retain_mut(|level| {
        if !masked {
            level.mask = None;
        }
        !masked || level.has_alpha()
    });
    levels
}
