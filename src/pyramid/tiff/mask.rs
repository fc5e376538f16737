//! Transparency masks: a separate directory says which pixels of an image or of a level are shown (PhotometricInterpretation 4). GDAL writes such a mask for
//! each level, also in cloud-optimized files. A mask serves as the alpha channel of its level.

use super::ifd::{Directory, Header};
use super::sample::Storage;
use super::{Level, Levels};
use crate::bytes::ByteStore;
use crate::error::Stop;

impl Level {
    /// Reads the directory of a mask as a level: one sample per pixel, 0 where nothing is shown.
    pub(super) fn read_mask(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Self, Stop> {
        Self::of_storage(store, header, directory, Storage::read_mask(store, header, directory)?)
    }
}

/// Gives each level the mask of the same size. If the full image has alpha, levels without it are dropped: they would show pixels that the mask hides.
pub(super) fn attach(Levels(mut levels): Levels, masks: Vec<Level>) -> Levels {
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
    Levels(levels)
}
