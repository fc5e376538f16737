//! Requests for exactly one stored chunk, in the format in which it is stored.

use super::{Rendering, SourcePlan};
use crate::api::{Format, Quality};
use crate::geometry::Dimensions;
use crate::profile::Stored;
use crate::pyramid::level::{Association, Compression, Level, Model};
use crate::pyramid::{Body, Orientation, Pyramid};

/// A chunk that is the answer as it is stored, if its stream has these dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredChunk {
    /// Index of its level.
    pub level: usize,
    pub column: u32,
    pub row: u32,
    /// What the answer measures. A chunk at the edge is padded in most files: then it measures more, and must be cut.
    pub dimensions: Dimensions,
}

impl StoredChunk {
    /// The chunk whose pixels are those of `rendering`, unchanged.
    pub fn of(rendering: &Rendering, pyramid: &Pyramid) -> Option<Self> {
        let (SourcePlan::Chunks { level: index, columns, rows }, Body::Levels(levels)) = (&rendering.source, &pyramid.body) else { return None };
        let level = levels.get(*index)?;
        let alone = columns.len() == 1 && rows.len() == 1;
        let upright = rendering.turn == Orientation::NORMAL && rendering.angle.is_none();
        let (column, row) = (columns.start, rows.start);
        let whole = rendering.crop.dimensions() == level.shown(column, row)?;
        let as_stored = alone && upright && whole && rendering.is_exact() && level.is_showable(rendering.format, rendering.quality);
        (as_stored && pyramid.stored_profile() != Stored::Never).then_some(Self { level: *index, column, row, dimensions: rendering.size })
    }
}

impl Level {
    /// Whether its chunks are files of a format, once they have their tables, that every reader shows as they are meant.
    fn is_showable(&self, format: Format, quality: Quality) -> bool {
        let stored = match self.compression {
            Compression::Jpeg => format == Format::Jpg,
            Compression::WebP => format == Format::WebP,
            _ => false,
        };
        let colors = match (&self.model, quality, self.samples.count) {
            (Model::BlackIsZero, Quality::Default | Quality::Color | Quality::Gray, 1) => true,
            (Model::Rgb, Quality::Default | Quality::Color, 3) => !self.samples.planar,
            // A WebP file's samples are RGB for every other reader.
            (Model::YCbCr(..), Quality::Default | Quality::Color, 3) => !self.samples.planar && self.compression == Compression::Jpeg,
            // Of the two, only WebP has alpha.
            (Model::Rgb, Quality::Default | Quality::Color, 4) => {
                self.compression == Compression::WebP && self.samples.alpha == Some(Association::Unassociated)
            }
            _ => false,
        };
        stored && colors && self.mask.is_none()
    }
}
