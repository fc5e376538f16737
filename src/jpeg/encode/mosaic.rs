//! Without loss from JPEG streams to another: coefficients are laid side by side as they are, turned, and coded again.

use super::layout::Layout;
use super::scan::ScanWriter;
use super::{Quantization, Tables, segments};
use crate::error::{Error, Result};
use crate::geometry::{Dimensions, Rect};
use crate::jpeg::coefficients::{Component, Turn};
use crate::jpeg::corrupt;
use crate::jpeg::decode::{Index, Wanted, coefficients};
use crate::jpeg::header::{ColorModel, Header};

/// How the coefficients are written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Copied<'a> {
    pub tables: Tables,
    /// MCUs between restart markers; 0 for none.
    pub restart_interval: u16,
    pub icc: Option<&'a [u8]>,
    /// Further marker segments, as in [`Settings`](super::Settings).
    pub segments: &'a [(u8, &'a [u8])],
}

/// An image that is put together out of parts of others, in whole MCUs.
#[derive(Debug)]
pub(crate) struct Mosaic {
    dimensions: Dimensions,
    /// Of the first part that was laid.
    most: (u32, u32),
    components: Vec<Component>,
}

/// Whether a region of a file can be copied and turned without loss: it must begin on MCU boundaries, and end on them along a side that is flipped; luminance
/// alone must have a sample for each pixel.
pub(crate) fn is_lossless(header: &Header, region: Rect, gray: bool, turn: Turn) -> bool {
    let most = header.most();
    let (across, down) = (u32::from(most.0).saturating_mul(8).max(1), u32::from(most.1).saturating_mul(8).max(1));
    let (across_flips, down_flips) = turn.flips();
    let known = matches!(header.color_model(), ColorModel::Gray | ColorModel::YCbCr);
    let begins = region.x().is_multiple_of(across) && region.y().is_multiple_of(down);
    let ends = (!across_flips || region.right().is_multiple_of(across)) && (!down_flips || region.bottom().is_multiple_of(down));
    known && begins && ends && (!gray || is_dense(header)) && header.dimensions.rect().contains(region)
}

/// Whether luminance has a sample for each pixel.
fn is_dense(header: &Header) -> bool {
    header.components.first().is_some_and(|luminance| (luminance.across, luminance.down) == header.most())
}

/// Those of 8-bit samples are within these (F.1.2.1.1, F.1.2.2.1); the standard tables have no codes for others.
fn check(part: &[Component], at: usize) -> Result<()> {
    let sound = |block: &[i16; 64]| block.iter().all(|value| (-1024..=1023).contains(value));
    let sound = part.iter().all(|component| component.blocks.iter().all(sound));
    if sound { Ok(()) } else { Err(corrupt(at, "coefficients beyond those of 8-bit samples")) }
}

impl Mosaic {
    /// All of a region that was read from a file, whole MCUs of each component.
    pub fn of(header: &Header, dimensions: Dimensions, components: Vec<Component>) -> Result<Self> {
        check(&components, header.scan.data)?;
        let (across, down) = header.most();
        Ok(Self { dimensions, most: (across.into(), down.into()), components })
    }

    /// Room for an image, px; it takes its sampling and quantization from the first part.
    pub fn new(dimensions: Dimensions) -> Self {
        Self { dimensions, most: (1, 1), components: Vec::new() }
    }

    /// Lays a region of a stream's image at a place, px; `false` if that cannot be done without loss: both must begin on MCU boundaries and end on them, or at
    /// the right and bottom of the mosaic, and all parts must be sampled and quantized alike.
    pub fn lay(&mut self, header: &Header, stream: &[u8], wanted: &Wanted, index: Option<&Index>, (x, y): (u32, u32)) -> Result<bool> {
        let region = wanted.region;
        let (across, down) = header.most();
        let (across, down) = (u32::from(across).max(1), u32::from(down).max(1));
        let (wide, high) = (across.saturating_mul(8), down.saturating_mul(8));
        let (right, bottom) = (x.saturating_add(region.width()), y.saturating_add(region.height()));
        let begins = [region.x(), x].iter().all(|at| at.is_multiple_of(wide)) && [region.y(), y].iter().all(|at| at.is_multiple_of(high));
        let ends = (right.is_multiple_of(wide) || right == self.dimensions.width()) && (bottom.is_multiple_of(high) || bottom == self.dimensions.height());
        if (wanted.gray && !is_dense(header)) || header.components.len() > 4 {
            return Ok(false);
        }
        if !begins || !ends || right > self.dimensions.width() || bottom > self.dimensions.height() {
            return Ok(false);
        }
        let part = coefficients(header, stream, wanted, index)?;
        check(&part, header.scan.data)?;
        if region.dimensions() == self.dimensions {
            (self.most, self.components) = ((across, down), part);
            return Ok(true);
        }
        let mcus = (self.dimensions.width().div_ceil(wide) as usize, self.dimensions.height().div_ceil(high) as usize);
        if self.components.is_empty() {
            self.most = (across, down);
            self.components = part.iter().map(|component| component.room(mcus)).collect();
        }
        let alike = |(all, part): (&Component, &Component)| (all.across, all.down) == (part.across, part.down) && all.quantization == part.quantization;
        if self.most != (across, down) || self.components.len() != part.len() || !self.components.iter().zip(&part).all(alike) {
            return Ok(false);
        }
        let mcu = (x.checked_div(wide).unwrap_or(0) as usize, y.checked_div(high).unwrap_or(0) as usize);
        self.components.iter_mut().zip(&part).for_each(|(all, part)| all.lay(part, mcu));
        Ok(true)
    }

    /// Whether it can be turned without loss: it must end on MCU boundaries along a side that is flipped.
    pub fn can_turn(&self, turn: Turn) -> bool {
        let (across_flips, down_flips) = turn.flips();
        let whole = |side: u32, most: u32| side.is_multiple_of(most.saturating_mul(8));
        (!across_flips || whole(self.dimensions.width(), self.most.0)) && (!down_flips || whole(self.dimensions.height(), self.most.1))
    }

    /// The bytes of the new stream. [`Error::Internal`] unless it [can be turned](Self::can_turn) so.
    pub fn write(self, turn: Turn, copied: &Copied<'_>) -> Result<Vec<u8>> {
        if !self.can_turn(turn) || self.components.is_empty() {
            return Err(Error::Internal { what: format!("JPEG: {} cannot be turned without loss", self.dimensions) });
        }
        let dimensions = if turn.transposed { self.dimensions.transposed() } else { self.dimensions };
        let components: Vec<Component> = self.components.into_iter().map(|component| component.turned(turn)).collect();
        let factors: Vec<(usize, usize)> = components.iter().map(|component| (component.across, component.down)).collect();
        let layout = Layout::of(dimensions, &factors)?;
        let quantization = Quantization::of(components.iter().map(|component| &component.quantization))?;
        let head = segments::start(copied.segments, copied.icc)?;
        let mut scan = ScanWriter::new(layout, quantization, copied.tables, copied.restart_interval, &head);
        for _ in 0..layout.mcus().1 {
            scan.coefficient_row(&components);
        }
        Ok(scan.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::testing::{Numbers, encode, picture};
    use crate::jpeg::{Sampling, Settings};

    fn stream(sampling: Sampling, quality: u8) -> Vec<u8> {
        let samples = picture(&mut Numbers(5), 90, 70, sampling.components() as u32);
        encode(&Settings::new(Dimensions::new(90, 70).unwrap(), sampling, quality), &samples)
    }

    fn lay(mosaic: &mut Mosaic, stream: &[u8], region: Rect, at: (u32, u32)) -> bool {
        let header = Header::read(None, stream).unwrap();
        mosaic.lay(&header, stream, &Wanted { region, ..Wanted::whole(&header) }, None, at).unwrap()
    }

    #[test]
    fn what_was_cut_apart_and_is_laid_together_is_the_same_stream() {
        for sampling in [Sampling::Gray, Sampling::S444, Sampling::S422, Sampling::S420] {
            let stream = stream(sampling, 80);
            let mut mosaic = Mosaic::new(Dimensions::new(90, 70).unwrap());
            for (x, right) in [(0, 32), (32, 64), (64, 90)] {
                for (y, bottom) in [(48, 70), (0, 48)] {
                    assert!(lay(&mut mosaic, &stream, Rect::from_edges(x, y, right, bottom).unwrap(), (x, y)));
                }
            }
            assert_eq!(mosaic.write(Turn::default(), &Copied::default()).unwrap(), stream);
        }
    }

    #[test]
    fn what_is_unlike_or_off_the_grid_is_not_laid() {
        let (fine, coarse, full) = (stream(Sampling::S420, 80), stream(Sampling::S420, 40), stream(Sampling::S444, 80));
        let mut mosaic = Mosaic::new(Dimensions::new(60, 32).unwrap());
        let whole = Rect::new(0, 0, 32, 32).unwrap();
        assert!(lay(&mut mosaic, &fine, whole, (0, 0)));
        let rest = Rect::new(32, 16, 28, 32).unwrap();
        assert!(!lay(&mut mosaic, &coarse, rest, (32, 0)), "other quantization");
        assert!(!lay(&mut mosaic, &full, rest, (32, 0)), "other sampling");
        assert!(!lay(&mut mosaic, &fine, Rect::new(8, 16, 28, 32).unwrap(), (32, 0)), "begins within an MCU");
        assert!(!lay(&mut mosaic, &fine, Rect::new(32, 16, 20, 32).unwrap(), (32, 0)), "ends within one");
        assert!(!lay(&mut mosaic, &fine, Rect::new(32, 16, 32, 32).unwrap(), (32, 0)), "too wide");
        assert!(lay(&mut mosaic, &fine, rest, (32, 0)));
        assert!(!mosaic.can_turn(Turn { flipped_across: true, ..Turn::default() }));
        assert!(mosaic.can_turn(Turn { flipped_down: true, ..Turn::default() }));
    }
}
