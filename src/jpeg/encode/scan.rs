//! The scan: MCU after MCU of every component (T.81, A.2.3), blocks of padding where the image does not reach (as libjpeg fills them).

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "the hot loop: its indices come from the layout, which checked the planes")]

use super::bits::BitWriter;
use super::entropy::{Codes, Positions, Sink, Writing, code_block, code_padding, positions};
use super::fdct::{Divisors, Samples, even, present, transform};
use super::layout::Layout;
use super::optimal::Listing;
use super::{EOI, HuffmanSpec, Quantization, Tables, segments};
use crate::jpeg::coefficients::Component;
use crate::jpeg::marker::RST0;
use crate::jpeg::plane::{Plane, Planes};
use crate::limits::PIECE;

/// The greatest length in bytes of a file of `area` px at a quality. Measured on random pixels whose samples are 0 or 255, which take more than any others, with libjpeg's
/// tables; below a quality of 90 with chroma subsampled 4:2:0, as such answers are.
pub(crate) fn most_coded(area: u64, quality: u8) -> u64 {
    let hundredths = match quality {
        0..=80 => 85,
        81..=89 => 110,
        90..=95 => 295,
        _ => 480,
    };
    (area.saturating_mul(hundredths) / 100).saturating_add(4096)
}

/// Writes the scan, and all around it.
#[derive(Debug)]
pub(super) struct ScanWriter {
    layout: Layout,
    /// Bytes of the file, and of a row of MCUs, at most.
    most: (usize, usize),
    quantization: Quantization,
    divisors: [Divisors; 2],
    positions: Box<Positions>,
    coder: Coder,
    bits: BitWriter,
    /// MCUs between restart markers, and to the next one.
    interval: usize,
    until_restart: usize,
    restarts: u8,
    predictions: [i16; 4],
    rows: usize,
}

/// Bytes by which the room for coded bits grows, at most.
const STEP: usize = 256 << 10;
/// Bytes of room in a large file for rows that are coded before a piece of it is taken.
pub(crate) const AHEAD: usize = 512 << 10;
/// Pixels up to which a file is hardly as long as a piece.
const LARGE: usize = 1 << 20;
#[allow(clippy::cast_possible_truncation, reason = "a few megabytes")]
const LARGEST: usize = PIECE as usize;

/// Symbols that are listed at most, for tables of their own, of an image of `area` px and a quality: more than nearly every picture has. Where there are more,
/// the image is coded by standard tables instead, so that the memory that an encoder takes has a bound.
pub(crate) fn most_listed(area: u64, quality: u8) -> u64 {
    let most = if quality < 90 { area / 2 } else { area.saturating_mul(5) / 4 };
    most.saturating_add(4096)
}

/// What becomes of symbols.
#[derive(Debug)]
enum Coder {
    Standard(Box<Codes>),
    /// Symbols, and how many may be listed.
    Optimal(Listing, usize),
}

impl ScanWriter {
    /// A scan behind the segments of `head`. Room is made for a file of this quality at most.
    pub fn new(layout: Layout, (quantization, quality): (Quantization, u8), tables: Tables, interval: u16, head: &[u8]) -> Self {
        let mut bits = BitWriter::new();
        bits.raw(head);
        let coder = match tables {
            Tables::Optimal { most } => Coder::Optimal(Listing::new(), usize::try_from(most).unwrap_or(usize::MAX)),
            Tables::Standard => {
                let specs = standard();
                let mut out = Vec::new();
                segments::tables_and_frame(&mut out, &layout, &quantization, &specs, interval);
                bits.raw(&out);
                Coder::Standard(Box::new(Codes::new(&specs)))
            }
        };
        let table = |component: usize| quantization.tables.get(usize::from(quantization.of[component])).unwrap_or(&[1; 64]);
        let divisors = [Divisors::new(table(0)), Divisors::new(table(1))];
        let until_restart = interval.into();
        let row = u64::from(layout.dimensions.width()) * 8 * layout.most().1 as u64;
        let most = |area: u64| usize::try_from(most_coded(area, quality)).unwrap_or(usize::MAX);
        let most = (most(layout.dimensions.area()), most(row));
        Self {
            layout,
            most,
            quantization,
            divisors,
            positions: positions(),
            coder,
            bits,
            interval: until_restart,
            until_restart,
            restarts: 0,
            predictions: [0; 4],
            rows: 0,
        }
    }

    /// Codes the next MCU row, which is the `index`th of those that `planes` hold; `padded` planes fill whole blocks.
    pub fn mcu_row(&mut self, planes: &Planes, index: usize, padded: bool) {
        self.make_room();
        let grid = Grid { layout: &self.layout, divisors: &self.divisors, positions: &self.positions, planes, index, row: self.rows, padded };
        self.rows += 1;
        let mut state = State { interval: self.interval, until_restart: self.until_restart, restarts: self.restarts, predictions: self.predictions };
        match &mut self.coder {
            Coder::Standard(codes) => grid.code(&mut Writing { bits: &mut self.bits, codes }, &mut state, restart),
            Coder::Optimal(listing, _) => grid.code(listing, &mut state, |listing, _| listing.restart()),
        }
        (self.until_restart, self.restarts, self.predictions) = (state.until_restart, state.restarts, state.predictions);
        self.settle();
    }

    /// Before a row of MCUs: makes room for coded bits. Doubling would take up to three times what is held, so that of a small image grows by steps. A large one has
    /// room at once for a piece of the file, or for all of it if that is less, and for rows that come before the piece is taken.
    fn make_room(&mut self) {
        if !matches!(self.coder, Coder::Standard(_)) {
            return;
        }
        let area = self.layout.dimensions.width() as usize * self.layout.dimensions.height() as usize;
        if area > LARGE {
            let piece = LARGEST.min(self.most.0).saturating_sub(self.bits.held());
            return self.bits.grow(self.most.1, piece + AHEAD);
        }
        // No more than it is likely to take: many of them may be under way, as the tiles of a pyramid are.
        let step = (area / 16).clamp(1 << 10, STEP);
        let row = self.layout.dimensions.width() as usize * 8 * self.layout.most().1;
        self.bits.grow((row / 2).min(2 * step), step);
    }

    /// After a row of MCUs: gives up listing symbols if there are too many.
    fn settle(&mut self) {
        if let Coder::Optimal(listing, most) = &self.coder
            && listing.len() > *most
        {
            let specs = standard();
            let codes = self.write_listed(&specs);
            self.coder = Coder::Standard(codes);
        }
    }

    /// Writes all before the scan and what was listed of it, by these tables.
    fn write_listed(&mut self, specs: &[[HuffmanSpec; 2]; 2]) -> Box<Codes> {
        let mut out = Vec::new();
        let interval = u16::try_from(self.interval).unwrap_or(u16::MAX);
        segments::tables_and_frame(&mut out, &self.layout, &self.quantization, specs, interval);
        let codes = Box::new(Codes::new(specs));
        if let Coder::Optimal(listing, _) = &self.coder {
            self.bits.reserve(out.len() + listing.coded_bytes(&codes));
            self.bits.raw(&out);
            let mut number = 0;
            listing.replay(&mut Writing { bits: &mut self.bits, codes: &codes }, |writing| {
                restart(writing, number);
                number = (number + 1) & 7;
            });
        }
        codes
    }

    /// How many bytes there are to be taken.
    pub fn held(&self) -> usize {
        self.bits.held()
    }

    /// Codes the next MCU row out of coefficients that are there already: the `index`th of those that `components` hold.
    pub fn coefficient_row(&mut self, components: &[Component], index: usize) {
        let rows = (self.rows, index);
        self.rows += 1;
        self.make_room();
        let mut state = State { interval: self.interval, until_restart: self.until_restart, restarts: self.restarts, predictions: self.predictions };
        let (layout, positions) = (&self.layout, &self.positions);
        match &mut self.coder {
            Coder::Standard(codes) => code_coefficients(layout, positions, components, rows, &mut Writing { bits: &mut self.bits, codes }, &mut state, restart),
            Coder::Optimal(listing, _) => code_coefficients(layout, positions, components, rows, listing, &mut state, |listing, _| listing.restart()),
        }
        (self.until_restart, self.restarts, self.predictions) = (state.until_restart, state.restarts, state.predictions);
        self.settle();
    }

    /// The bytes so far.
    pub fn take(&mut self) -> Vec<u8> {
        self.bits.take()
    }

    /// The last bytes, the end marker among them.
    pub fn finish(mut self) -> Vec<u8> {
        if let Coder::Optimal(listing, _) = &self.coder {
            let specs = listing.specs();
            self.write_listed(&specs);
        }
        self.bits.align();
        self.bits.raw(&[0xFF, EOI]);
        self.bits.take()
    }
}

fn standard() -> [[HuffmanSpec; 2]; 2] {
    [[HuffmanSpec::luminance_dc(), HuffmanSpec::luminance_ac()], [HuffmanSpec::chrominance_dc(), HuffmanSpec::chrominance_ac()]]
}

#[inline(never)]
fn restart(writing: &mut Writing<'_>, number: u8) {
    writing.bits.align();
    writing.bits.raw(&[0xFF, RST0 | number]);
}

/// What goes on from one MCU row to the next.
struct State {
    interval: usize,
    until_restart: usize,
    restarts: u8,
    predictions: [i16; 4],
}

impl State {
    /// Before each MCU (T.81, E.1.4): predictions start anew behind a restart marker. Its number, if one belongs here.
    #[inline(always)]
    fn restart(&mut self) -> Option<u8> {
        if self.interval == 0 {
            return None;
        }
        if self.until_restart > 0 {
            self.until_restart -= 1;
            return None;
        }
        self.until_restart = self.interval - 1;
        self.predictions = [0; 4];
        let number = self.restarts;
        self.restarts = (number + 1) & 7;
        Some(number)
    }
}

/// One MCU row of coefficients: which of the image's, and which of the components'.
fn code_coefficients<S: Sink>(
    layout: &Layout,
    positions: &Positions,
    components: &[Component],
    (row, index): (usize, usize),
    sink: &mut S,
    state: &mut State,
    restart: impl Fn(&mut S, u8),
) {
    for mcu in 0..layout.mcus().0 {
        if let Some(number) = state.restart() {
            restart(sink, number);
        }
        for (number, component) in components.iter().enumerate() {
            let ((across, down), blocks) = (layout.factors(number), layout.blocks(number));
            for v in 0..down {
                for u in 0..across {
                    let x = mcu * across + u;
                    if x >= blocks.0 || row * down + v >= blocks.1 {
                        code_padding(sink, number > 0);
                        continue;
                    }
                    let block = &component.blocks[(index * down + v) * component.columns + x];
                    let present = present(block);
                    code_block(sink, number > 0, block, present, positions, &mut state.predictions[number]);
                }
            }
        }
    }
}

/// One MCU row and where its samples are.
struct Grid<'a> {
    layout: &'a Layout,
    divisors: &'a [Divisors; 2],
    positions: &'a Positions,
    planes: &'a Planes,
    /// Which of the planes' MCU rows, and which of the image's.
    index: usize,
    row: usize,
    padded: bool,
}

impl Grid<'_> {
    #[inline(always)]
    fn code<S: Sink>(&self, sink: &mut S, state: &mut State, restart: impl Fn(&mut S, u8)) {
        let bands: Vec<Band<'_>> = self.planes.iter().enumerate().map(|(component, plane)| self.band(component, plane)).collect();
        let mut block = [0; 64];
        for mcu in 0..self.layout.mcus().0 {
            if let Some(number) = state.restart() {
                restart(sink, number);
            }
            for (component, band) in bands.iter().enumerate() {
                let chroma = component > 0;
                for v in 0..band.down {
                    for u in 0..band.across {
                        let x = mcu * band.across + u;
                        if x >= band.blocks.0 || v >= band.blocks.1 {
                            code_padding(sink, chroma);
                            continue;
                        }
                        let samples = band.samples(x * 8, v * 8);
                        let divisors = &self.divisors[usize::from(chroma)];
                        // Gray pictures have chroma of one value, maps and pages have both: what is not there need not be looked for.
                        let present = match even(&samples) {
                            Some(sample) => {
                                block[0] = divisors.of_even(sample);
                                u64::from(block[0] != 0)
                            }
                            None => transform(&samples, divisors, &mut block),
                        };
                        code_block(sink, chroma, &block, present, self.positions, &mut state.predictions[component]);
                    }
                }
            }
        }
    }

    fn band<'p>(&self, component: usize, plane: &'p Plane) -> Band<'p> {
        let (across, down) = self.layout.factors(component);
        let blocks = self.layout.blocks(component);
        let (first, top) = (self.row * down, self.index * down * 8);
        let (width, height) = if self.padded { (blocks.0 * 8, down * 8) } else { self.layout.samples(component) };
        let height = if self.padded { height } else { (height - first * 8).min(plane.height - top) };
        Band { data: &plane.data[top * plane.stride..], stride: plane.stride, width, height, across, down, blocks: (blocks.0, blocks.1 - first) }
    }
}

/// The rows of one component in an MCU row.
struct Band<'a> {
    data: &'a [u8],
    stride: usize,
    /// Samples beyond these repeat the last ones.
    width: usize,
    height: usize,
    /// Sampling factors.
    across: usize,
    down: usize,
    /// Blocks that hold samples of the image, across and (from this MCU row on) down.
    blocks: (usize, usize),
}

impl Band<'_> {
    #[inline(always)]
    fn samples(&self, x: usize, y: usize) -> Samples {
        let mut samples = [[0; 8]; 8];
        if x + 8 <= self.width && y + 8 <= self.height {
            let rows = &self.data[y * self.stride + x..][..7 * self.stride + 8];
            for (v, row) in samples.iter_mut().enumerate() {
                row.copy_from_slice(&rows[v * self.stride..][..8]);
            }
        } else {
            self.edge(x, y, &mut samples);
        }
        samples
    }

    #[cold]
    fn edge(&self, x: usize, y: usize, samples: &mut Samples) {
        for (v, row) in samples.iter_mut().enumerate() {
            let from = &self.data[(y + v).min(self.height - 1) * self.stride..];
            for (u, sample) in row.iter_mut().enumerate() {
                *sample = from[(x + u).min(self.width - 1)];
            }
        }
    }
}
