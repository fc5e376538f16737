//! The order in which a turned answer is made: strips of it, each from its own part of the level.

use super::{Rendering, SourcePlan};
use crate::api::Quality;
use crate::geometry::Rect;
use crate::pyramid::level::Level;

/// Bytes of pixels in a strip, at most, unless one row has more: it is held twice while it is turned.
const STRIP: u64 = 8 << 20;

impl Rendering {
    /// Windows of the answer before it is turned, in the order in which their rows follow each other once it is. Only an answer whose first row is not
    /// the level's top row needs more than one; and a small one is turned as a whole.
    pub fn windows(&self, level: &Level) -> Vec<Rect> {
        let whole = self.whole();
        let turned = self.turn.transpose || self.turn.flip_y;
        let gray = level.is_gray() || matches!(self.quality, Quality::Gray | Quality::Bitonal);
        let channels = if gray { 1_u64 } else { 3 }.saturating_add(level.has_alpha().into());
        let chunked = matches!(self.source, SourcePlan::Chunks { .. });
        if !turned || !chunked || self.size.area().saturating_mul(channels) <= STRIP {
            return vec![whole];
        }
        let upright = if self.turn.transpose { whole.dimensions() } else { whole.dimensions().transposed() };
        // `upright.width()` is the side that is cut, in both cases.
        let row = u64::from(upright.height()).saturating_mul(channels);
        let most = u32::try_from(STRIP.checked_div(row).unwrap_or(1)).unwrap_or(u32::MAX).max(1);
        let mut cuts = vec![0];
        while let Some(from) = cuts.last().copied().filter(|from| *from < upright.width()) {
            let to = from.saturating_add(most).min(upright.width());
            // A cut between chunks spares decoding them twice.
            cuts.push(self.cut_between_chunks(level, from, to).unwrap_or(to));
        }
        let mut windows: Vec<Rect> = cuts
            .iter()
            .zip(cuts.iter().skip(1))
            .filter_map(
                |(from, to)| {
                    if self.turn.transpose { Rect::from_edges(*from, 0, *to, whole.height()) } else { Rect::from_edges(0, *from, whole.width(), *to) }
                },
            )
            .collect();
        if if self.turn.transpose { self.turn.flip_x } else { self.turn.flip_y } {
            windows.reverse();
        }
        windows
    }

    /// The last place in `from..to` of the cut side, px of the answer, at which a chunk ends.
    fn cut_between_chunks(&self, level: &Level, from: u32, to: u32) -> Option<u32> {
        if to == if self.turn.transpose { self.size.width() } else { self.size.height() } {
            return Some(to);
        }
        let (axis, chunk) = if self.turn.transpose { (&self.across, level.chunk.width()) } else { (&self.down, level.chunk.height()) };
        let (origin, offset, scale) = (axis.from, axis.start, axis.scale());
        let place = f64::from(origin) + offset + f64::from(to) * scale;
        let edge = (place / f64::from(chunk)).floor() * f64::from(chunk);
        // `as` saturates.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let cut = ((edge - f64::from(origin) - offset) / scale).round() as u32;
        (cut > from && cut <= to).then_some(cut)
    }
}
