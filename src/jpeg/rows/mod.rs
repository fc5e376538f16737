//! Planes to rows: chroma is brought to the pixels' density and colours to what the pipeline knows, row by row as the bands come.

mod rgb;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod rgb_simd;
mod upsample;

use super::decode::{Band, ComponentGrid, Grid};
use super::header::{ColorModel, Header};
use super::plane::Planes;
use crate::error::{Error, Result};
use crate::geometry::Rect;
use upsample::Side;

/// Turns bands into interleaved rows of a crop: gray, RGB, or inks of which 0 is none.
#[derive(Debug)]
pub(crate) struct Rows {
    model: ColorModel,
    components: Vec<Component>,
    /// In px as they come out.
    crop: Rect,
    /// The next row of the image.
    row: usize,
    /// Height of an MCU row, px.
    mcu_height: usize,
    out: Vec<u8>,
}

/// A component on its way.
#[derive(Debug)]
struct Component {
    grid: ComponentGrid,
    horizontal: Side,
    vertical: Side,
    /// Rows in a band.
    band_rows: usize,
    /// The last row of the band before.
    tail: Vec<u8>,
    /// The first row of the band that is here, and one behind its last.
    held: (usize, usize),
    sums: Vec<u16>,
    wide: Vec<u8>,
}

impl Rows {
    /// For the bands of `grid`. `crop` is in px at the decoder's reduction and must lie within the MCUs it decodes; `model` says what the components mean
    /// ([`Header::color_model`] unless the container knows better). With luminance alone it is [`ColorModel::Gray`].
    pub fn new(header: &Header, grid: &Grid, crop: Rect, model: ColorModel) -> Result<Self> {
        let (mcu_width, mcu_height) = grid.mcu();
        let spans = |range: &std::ops::Range<usize>, side: usize| range.start.saturating_mul(side)..=range.end.saturating_mul(side);
        let (columns, rows) = (spans(&grid.columns, mcu_width), spans(&grid.rows, mcu_height));
        let inside = [crop.x(), crop.right()].iter().all(|x| columns.contains(&(*x as usize)))
            && [crop.y(), crop.bottom()].iter().all(|y| rows.contains(&(*y as usize)));
        if !inside || !grid.dimensions.rect().contains(crop) {
            return Err(Error::Internal { what: format!("JPEG rows: a crop {crop} that is not decoded") });
        }
        let count = if model == ColorModel::Gray { 1 } else { header.components.len() };
        let wanted = match model {
            ColorModel::Gray => 1,
            ColorModel::YCbCr | ColorModel::Rgb => 3,
            ColorModel::Cmyk { .. } | ColorModel::Ycck { .. } => 4,
            ColorModel::Stored => count,
        };
        if count != wanted {
            return Err(Error::Internal { what: format!("JPEG rows: {count} components as {model:?}") });
        }
        let components = header.components.iter().take(count).map(|component| Component::new(grid, component.across.into(), component.down.into())).collect();
        let out = vec![0; (crop.width() as usize).saturating_mul(count)];
        Ok(Self { model, components, crop, row: crop.y() as usize, mcu_height, out })
    }

    /// The region of the full image to decode so that the rows of `crop` (px at 1/`reduction`) are those of the whole image: chroma looks one sample further.
    pub fn region(header: &Header, crop: Rect, reduction: u8) -> Rect {
        let (across, down) = header.most();
        let scale = u32::from(reduction.max(1));
        let margin = |most: u8| if most > 1 { u32::from(most) } else { 0 };
        let full = header.dimensions;
        let (left, top) = (crop.x().saturating_sub(margin(across)), crop.y().saturating_sub(margin(down)));
        let (right, bottom) = (crop.right().saturating_add(margin(across)), crop.bottom().saturating_add(margin(down)));
        let edge = |value: u32, most: u32| value.saturating_mul(scale).min(most);
        Rect::from_edges(edge(left, full.width()), edge(top, full.height()), edge(right, full.width()), edge(bottom, full.height())).unwrap_or(full.rect())
    }

    /// Takes a band and gives each row that can be made now to `sink`.
    pub fn push(&mut self, band: &Band<'_>, sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if band.planes.len() < self.components.len() {
            return Err(Error::Internal { what: format!("JPEG rows: a band of {} planes for {} components", band.planes.len(), self.components.len()) });
        }
        for component in &mut self.components {
            let first = band.mcu_row.saturating_mul(component.band_rows);
            component.held = (first, first.saturating_add(component.band_rows));
        }
        let end = band.mcu_row.saturating_add(1).saturating_mul(self.mcu_height).min(self.crop.bottom() as usize);
        while self.row < end && self.components.iter().all(|component| component.has(self.row)) {
            self.make(band.planes);
            sink(&self.out)?;
            self.row = self.row.saturating_add(1);
        }
        for (component, plane) in self.components.iter_mut().zip(band.planes) {
            component.tail.clear();
            component.tail.extend_from_slice(plane.row(component.band_rows.saturating_sub(1)));
        }
        Ok(())
    }

    /// Gives the last rows to `sink`, whose neighbours below were not decoded; [`Error::Internal`] if bands are missing.
    pub fn finish(mut self, sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        for component in &mut self.components {
            // The tail alone is left.
            component.held.0 = component.held.1;
        }
        while self.row < self.crop.bottom() as usize {
            if !self.components.iter().all(|component| component.vertical.sample(self.row) < component.held.1) {
                return Err(Error::Internal { what: format!("JPEG rows: {} rows are missing", (self.crop.bottom() as usize).saturating_sub(self.row)) });
            }
            self.make(&Planes::new());
            sink(&self.out)?;
            self.row = self.row.saturating_add(1);
        }
        Ok(())
    }

    fn make(&mut self, planes: &Planes) {
        for (index, component) in self.components.iter_mut().enumerate() {
            component.widen(planes.get(index), self.row);
        }
        let (left, width) = (self.crop.x() as usize, self.crop.width() as usize);
        let rows: Vec<&[u8]> = self.components.iter().map(|component| component.cut(left, width)).collect();
        convert(self.model, &rows, &mut self.out);
    }
}

impl Component {
    fn new(whole: &Grid, across: usize, down: usize) -> Self {
        let grid = whole.component(across, down);
        let side = |factor: usize, most: usize, enough: bool| match (factor, most) {
            (factor, most) if factor == most => Side::Same,
            (factor, most) if factor.saturating_mul(2) == most && enough => Side::Triangle,
            (factor, most) => Side::Repeat { factor, most },
        };
        // Samples of an eighth are means of whole blocks: libjpeg repeats them, and very narrow planes too, but for those that are only halved in height.
        let fancy = whole.block > 1;
        let (half_width, half_height) = (across.saturating_mul(2) == whole.most.0, down.saturating_mul(2) == whole.most.1);
        let (full_width, full_height) = (across == whole.most.0, down == whole.most.1);
        let wide = fancy && grid.width > 2;
        let (horizontal, vertical) = if half_width && (half_height || full_height) { (wide, wide) } else { (false, fancy && full_width && half_height) };
        let vertical = side(down, whole.most.1, vertical);
        let horizontal = side(across, whole.most.0, horizontal);
        let columns = whole.columns.len();
        let samples = columns.saturating_mul(across).saturating_mul(whole.block);
        let pixels = columns.saturating_mul(whole.most.0).saturating_mul(whole.block);
        Self {
            grid,
            horizontal,
            vertical,
            band_rows: down.saturating_mul(whole.block),
            tail: Vec::new(),
            held: (0, 0),
            sums: vec![0; if vertical == Side::Triangle { samples } else { 0 }],
            wide: vec![0; pixels],
        }
    }

    /// The row of samples that a row of pixels lies in, and the one that it is next to.
    fn sources(&self, row: usize) -> (usize, usize) {
        let last = self.grid.height.saturating_sub(1);
        let near = self.vertical.sample(row).min(last);
        let far = match self.vertical {
            Side::Triangle if row.is_multiple_of(2) => near.saturating_sub(1),
            Side::Triangle => near.saturating_add(1).min(last),
            _ => near,
        };
        (near, far)
    }

    /// Whether what a row needs is there.
    fn has(&self, row: usize) -> bool {
        let (near, far) = self.sources(row);
        near.max(far) < self.held.1
    }

    /// Makes a row of pixels.
    fn widen(&mut self, plane: Option<&super::Plane>, row: usize) {
        let (near, far) = self.sources(row);
        let (first, end) = self.held;
        let tail = &self.tail;
        // Rows that were not decoded are taken for the nearest that was.
        let source = |row: usize| {
            let row = row.min(end.saturating_sub(1));
            match plane {
                Some(plane) if row >= first => plane.row(row.saturating_sub(first)),
                Some(plane) if tail.is_empty() => plane.row(0),
                _ => tail,
            }
        };
        let (near, far) = (source(near), source(far));
        // Columns beyond the image are no neighbours.
        let width = self.grid.width.saturating_sub(self.grid.left).min(near.len());
        let (near, far) = (near.get(..width).unwrap_or(near), far.get(..width).unwrap_or(far));
        let wide = self.wide.as_mut_slice();
        match (self.vertical, self.horizontal) {
            (Side::Triangle, horizontal) => {
                let sums = self.sums.get_mut(..width).unwrap_or_default();
                upsample::column_sums(near, far, sums);
                match horizontal {
                    Side::Triangle => upsample::widen_sums(sums, wide),
                    _ => upsample::column_means(sums, !row.is_multiple_of(2), wide),
                }
            }
            (_, Side::Triangle) => upsample::widen(near, wide),
            (_, Side::Same) => {
                if let Some(wide) = wide.get_mut(..width) {
                    wide.copy_from_slice(near);
                }
            }
            (_, side) => upsample::repeat(near, side, wide),
        }
    }

    /// The pixels from `left` on.
    fn cut(&self, left: usize, width: usize) -> &[u8] {
        let start = match self.horizontal {
            Side::Same => left.saturating_sub(self.grid.left),
            // The decoder begins at whole MCUs, whose first pixel lies at the start of a sample.
            Side::Triangle => left.saturating_sub(self.grid.left.saturating_mul(2)),
            Side::Repeat { factor, most } => left.saturating_sub(self.grid.left.saturating_mul(most).checked_div(factor).unwrap_or(0)),
        };
        self.wide.get(start..start.saturating_add(width)).unwrap_or_default()
    }
}

/// The samples of a row as they are to be.
fn convert(model: ColorModel, rows: &[&[u8]], out: &mut [u8]) {
    match (model, rows) {
        (ColorModel::YCbCr, [luma, blue, red]) => rgb::convert(luma, blue, red, out),
        (ColorModel::Cmyk { inverted }, inks) => {
            rgb::interleave(inks, out);
            if inverted {
                out.iter_mut().for_each(|ink| *ink = !*ink);
            }
        }
        (ColorModel::Ycck { inverted }, [luma, blue, red, black]) => {
            for ((((inks, y), cb), cr), k) in out.as_chunks_mut::<4>().0.iter_mut().zip(*luma).zip(*blue).zip(*red).zip(*black) {
                // What stands for red, green and blue is cyan, magenta and yellow inverted once; the whole may be inverted again.
                let [r, g, b] = rgb::pixel_of(*y, *cb, *cr);
                *inks = if inverted { [r, g, b, !*k] } else { [!r, !g, !b, *k] };
            }
        }
        (_, planes) => rgb::interleave(planes, out),
    }
}
