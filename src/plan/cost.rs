//! What a plan will cost, from headers alone: upper estimates that hold for every file, checked before anything is allocated.

use super::{Rendering, SourcePlan};
use crate::api::{Format, Quality};
use crate::error::{Error, Result, SourceFormat};
use crate::jpeg::{Grid, Rows, Wanted};
use crate::limits::Limits;
use crate::pyramid::tiff::{Compression, Level, Model, ZSTANDARD_WINDOW};
use crate::pyramid::{Body, OneScan, Pyramid, Whole, WholeMode};

/// Compressed chunks are fetched in batches of about this many bytes.
pub(crate) const BATCH: u64 = 4 << 20;
/// Bytes of a scan that are fetched at a time, at most; less where memory is short, but no less than the other.
pub(crate) const RUN: u64 = 8 << 20;
pub(crate) const LEAST_RUN: u64 = 1 << 20;
/// What is finished of a file is handed over once it is this many bytes.
pub(crate) const PIECE: u64 = 4 << 20;
/// Bytes of pixels from which a TIFF is made row by row; smaller ones are worth compressing.
pub(crate) const LARGE_TIF: u64 = 8 << 20;
/// Bytes of pixels from which those of a lossless WebP are made twice, row by row, to be counted and to be written; fewer are held between the two.
pub(crate) const LARGE_WEBP: u64 = 8 << 20;
/// Pixels up to which a JPEG has Huffman tables of its own, a twelfth smaller for it; larger ones leave as they are made.
pub(crate) const COUNTED_JPG: u64 = 1 << 20;
/// Tables, kernels and code that every request needs, bytes.
const BASE: u64 = 1 << 20;

/// Estimated cost of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Price {
    /// Bytes of memory at the peak.
    pub memory: u64,
    /// Samples that are decoded; the bytes they are decoded from come on top, once it is known how many they are.
    pub work: u64,
    /// Bytes that will be fetched of a scan, about.
    pub bytes: u64,
    /// All that is fetched and decoded is so twice, which work and bytes count.
    pub twice: bool,
}

impl Price {
    pub fn of(plan: &Rendering, pyramid: &Pyramid) -> Self {
        let raster = plan.size.area().saturating_mul(Self::channels(plan, pyramid));
        let once = Self::once(plan, pyramid, raster);
        if comes_twice(plan, pyramid, raster) {
            Self { work: once.work.saturating_mul(2), bytes: once.bytes.saturating_mul(2), twice: true, ..once }
        } else {
            once
        }
    }

    fn once(plan: &Rendering, pyramid: &Pyramid, raster: u64) -> Self {
        match (&plan.source, &pyramid.body) {
            (SourcePlan::Chunks { level, .. }, Body::Tiff(tiff)) => {
                tiff.levels.get(*level).map_or(Self::default(), |level| Self::of_chunks(plan, pyramid, level, raster))
            }
            (SourcePlan::Whole { .. }, Body::Whole(whole)) => {
                let memory = BASE.saturating_add(pipeline(plan, plan.crop.width())).saturating_add(of_whole(whole, pyramid, plan, raster));
                // Every row is unpacked and passed on, however little a pixel has.
                Self { memory, work: mul(&[pyramid.stored.area(), u64::from(whole.channels).max(3)]), ..Self::default() }
            }
            (SourcePlan::Scan { reduction, .. }, Body::Scan(scan)) => Self::of_scan(plan, scan, *reduction, raster),
            _ => Self::default(),
        }
    }

    /// What it takes to read the rows of a plan, without what becomes of them.
    pub fn of_rows(plan: &Rendering, pyramid: &Pyramid) -> u64 {
        match (&plan.source, &pyramid.body) {
            (SourcePlan::Whole { .. }, Body::Whole(whole)) => {
                sum(&[BASE, pipeline(plan, plan.crop.width()), pyramid.file_size, decoding(whole, pyramid, plan)])
            }
            (SourcePlan::Scan { run, .. }, Body::Scan(scan)) => sum(&[BASE, pipeline(plan, plan.crop.width()), decoding_scan(plan, scan), *run]),
            _ => Self::of(plan, pyramid).memory,
        }
    }

    /// Of a file whose rows come one after the other, as far as its index goes from near to them.
    fn of_scan(plan: &Rendering, scan: &OneScan, reduction: u32, raster: u64) -> Self {
        let turned = raster.saturating_add(if plan.turn.transpose || plan.angle.is_some() { raster } else { 0 });
        let source = decoding_scan(plan, scan).saturating_add(LEAST_RUN);
        let made = if plan.is_upright() {
            source.saturating_add(finishing(plan, raster))
        } else {
            source.saturating_add(raster).max(turned.max(raster.saturating_add(finishing(plan, raster))))
        };
        let memory = sum(&[BASE, pipeline(plan, plan.crop.width()), made]);
        let region = Rows::region(&scan.header, plan.crop, u8::try_from(reduction).unwrap_or(1));
        let Ok(grid) = Grid::new(&scan.header, &Wanted { region, ..Wanted::whole(&scan.header) }) else { return Self::default() };
        let index = scan.index();
        let Some(first) = index.before(grid.rows.start, grid.columns.start) else { return Self::default() };
        let reading = scan.reading(&index, &grid, grid.rows.clone(), (first.bits.byte, first.mcu));
        let mcu = mul(&[grid.mcu().0 as u64, grid.mcu().1 as u64, u64::from(scan.whole.channels).max(3)]);
        let wanted = mul(&[grid.columns.len() as u64, grid.rows.len() as u64]);
        // Where nothing leads past them, MCUs are read though nothing is made of them: a sixteenth of the work.
        let end = mul(&[grid.rows.end.saturating_sub(1) as u64, grid.mcus.0 as u64]).saturating_add(grid.columns.end as u64);
        let passed = if reading.open { end.saturating_sub(first.mcu as u64) / 16 } else { 0 };
        Self { memory, work: mul(&[mcu, wanted.saturating_add(passed)]), bytes: reading.bytes(), twice: false }
    }

    /// Samples per pixel of the finished pixels, at most.
    pub fn channels(plan: &Rendering, pyramid: &Pyramid) -> u64 {
        let (alpha, gray) = match &pyramid.body {
            Body::Whole(whole) => (pyramid.format != SourceFormat::Jpeg, whole.channels <= 2),
            Body::Scan(scan) => (false, scan.whole.channels <= 2),
            Body::Tiff(tiff) => tiff.levels.first().map_or((true, false), |level| (level.samples.alpha.is_some(), level.is_gray())),
        };
        let colors = if gray || matches!(plan.quality, Quality::Gray | Quality::Bitonal) { 1 } else { 3 };
        sum(&[colors, alpha.into()])
    }

    fn of_chunks(plan: &Rendering, pyramid: &Pyramid, level: &Level, raster: u64) -> Self {
        let depth = if level.samples.bits > 8 { 2 } else { 1 };
        // A palette's index becomes three samples.
        let samples = if matches!(level.model, Model::Palette(_)) { 3 } else { u64::from(level.samples.count) };
        let decoded = mul(&[level.chunk.area(), samples, depth]);
        let fetched = BATCH.saturating_add(level.chunk_bytes()).min(pyramid.file_size);
        // A JPEG chunk has planes beside its pixels.
        let planes = if level.compression == Compression::Jpeg { level.chunk_bytes() } else { 0 };
        let window = match level.compression {
            Compression::Zstandard => ZSTANDARD_WINDOW,
            Compression::WebP => level.chunk_bytes().saturating_mul(2),
            // Where colours change in a row and in the one above it: words, at most one a pixel, with as many to grow into.
            Compression::Fax(_) => mul(&[level.chunk.width().into(), 16]),
            _ => 0,
        };
        let (mut memory, mut work) = (0_u64, 0_u64);
        let windows = plan.windows(level);
        for part in &windows {
            let source = plan.source_of(*part);
            let (columns, rows) = plan.chunks_of(level, source);
            let across = columns.len() as u64;
            work = work.saturating_add(mul(&[across, rows.len() as u64, decoded]));
            // A row of chunks is held decoded, and one more is being made.
            let band = decoded.saturating_mul(across);
            let strip = mul(&[part.dimensions().area(), Self::channels(plan, pyramid)]);
            let made = match () {
                // All is held upright, and turned beside it.
                () if plan.angle.is_some() || (windows.len() == 1 && (plan.turn.transpose || plan.turn.flip_y)) => raster.saturating_mul(2),
                () if windows.len() > 1 && plan.turn.transpose => strip.saturating_mul(2),
                // Flipped in place.
                () if windows.len() > 1 => strip,
                () => strip.min(PIECE),
            };
            memory = memory.max(sum(&[fetched, window, level.chunk_bytes(), planes, decoded, band, pipeline(plan, source.width()), made]));
        }
        Self { memory: sum(&[BASE, memory, finishing(plan, raster)]), work, ..Self::default() }
    }

    /// Bytes of memory that copied coefficients of `area` px take, which are held `coefficients` bytes.
    pub fn of_copied(level: &Level, pyramid: &Pyramid, coefficients: u64, area: u64) -> u64 {
        let fetched = BATCH.saturating_add(level.chunk_bytes()).min(pyramid.file_size);
        sum(&[BASE, fetched, level.chunk_bytes().saturating_mul(2), coefficients, coded_jpg(area)])
    }

    /// [`Error::SourceTooCostly`] for what is over the limits.
    pub fn check(&self, limits: &Limits) -> Result<()> {
        let over = |what, needs, limit| if needs > limit { Err(Error::SourceTooCostly { what, needs, limit }) } else { Ok(()) };
        over("work", self.work.saturating_add(self.bytes), limits.work)?;
        over("bytes", self.bytes, limits.fetched)?;
        over("memory", self.memory, limits.memory)
    }
}

/// What a file that is decoded from its beginning takes on its way to the answer.
fn of_whole(whole: &Whole, pyramid: &Pyramid, plan: &Rendering, raster: u64) -> u64 {
    let source = pyramid.file_size.saturating_add(decoding(whole, pyramid, plan));
    let turning = if plan.turn.transpose || plan.angle.is_some() { raster } else { 0 };
    let finishing = raster.saturating_add(turning.max(finishing(plan, raster)));
    match whole.mode {
        // Rows flow in, and the file flows out.
        WholeMode::Rows if plan.is_upright() => source.saturating_add(self::finishing(plan, raster)),
        // Nothing of the file leaves before its last row is made.
        WholeMode::Jpeg { .. } if plan.is_upright() => source.saturating_add(match plan.format {
            Format::Png => raster.saturating_add(raster / 64),
            Format::Tif => raster.saturating_add(raster.min(LARGE_TIF)),
            Format::Jpg => coded(plan.size.area()).max(self::finishing(plan, raster)),
            Format::WebP if plan.lossless => raster.saturating_add(self::finishing(plan, raster)),
            _ => finishing,
        }),
        WholeMode::Rows | WholeMode::Jpeg { .. } => source.saturating_add(raster).max(finishing),
        // Decoding and encoding do not meet: what was fetched and decoded is gone when the raster is finished.
        WholeMode::Image if raster <= reusable(whole, plan) => source.max(finishing),
        WholeMode::Image => source.saturating_add(raster).max(finishing),
    }
}

/// What the decoder of a whole-image format holds, its result included.
fn decoding(whole: &Whole, pyramid: &Pyramid, plan: &Rendering) -> u64 {
    let samples = mul(&[plan.level.area(), whole.channels.into(), whole.depth.into()]);
    match whole.mode {
        WholeMode::Rows => mul(&[pyramid.stored.width().into(), whole.channels.into(), whole.depth.into(), 4]),
        // Canvas and what it is made from.
        WholeMode::Image => samples.saturating_mul(2),
        WholeMode::Jpeg { density } => mul(&[pyramid.stored.area(), density.into(), 2]) / 100,
    }
}

/// What the decoder of a scan holds: rows of MCUs, what upsampling makes of them, and what there is to be learnt of the index.
fn decoding_scan(plan: &Rendering, scan: &OneScan) -> u64 {
    let index = scan.index();
    let unknown = index.all().saturating_sub(index.len()) as u64;
    let width = u64::from(plan.crop.width()).saturating_add(128);
    mul(&[width, scan.whole.channels.into(), 64]).saturating_add(unknown.saturating_mul(64))
}

/// Rows on their way, `width` px of the level: sums of the box average, and the rows that the resampler's kernel spans.
fn pipeline(plan: &Rendering, width: u32) -> u64 {
    let averaged = u64::from(width).div_ceil(plan.shrink.into());
    let scale = plan.frame.height / f64::from(plan.size.height()) / f64::from(plan.shrink);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let taps = (scale.max(1.0) * 6.0) as u64;
    mul(&[averaged, 4, taps.saturating_add(16)]).saturating_add(mul(&[width.into(), 16]))
}

/// Bytes of the decoded rows in whose room the raster is made, if it is no larger.
fn reusable(whole: &Whole, plan: &Rendering) -> u64 {
    let is_reused = whole.depth == 1 && whole.mode != WholeMode::Rows;
    if is_reused { mul(&[plan.level.width().into(), plan.crop.height().into(), whole.channels.into()]) } else { 0 }
}

/// Whether a lossless WebP is too large for its pixels to be held, and they are not there all at once anyway.
fn comes_twice(plan: &Rendering, pyramid: &Pyramid, raster: u64) -> bool {
    let flows = match &pyramid.body {
        Body::Tiff(_) => true,
        Body::Scan(_) => plan.is_upright(),
        Body::Whole(whole) => plan.is_upright() && whole.mode != WholeMode::Image,
    };
    plan.lossless && flows && turned(plan, raster) > LARGE_WEBP
}

/// Bytes of the finished pixels. A free rotation at most doubles the area, and brings alpha.
fn turned(plan: &Rendering, raster: u64) -> u64 {
    if plan.angle.is_some() { plan.size.area().saturating_mul(8) } else { raster }
}

/// What the encoder holds: of some formats the file as far as it has not been taken, of others all pixels and all of the file.
fn finishing(plan: &Rendering, raster: u64) -> u64 {
    let (area, turned) = (plan.size.area().saturating_mul(if plan.angle.is_some() { 2 } else { 1 }), turned(plan, raster));
    match plan.format {
        Format::Jpg => coded_jpg(area),
        Format::Png => turned.min(PIECE.saturating_mul(2)),
        // Its pixels and the file, or rows.
        Format::Tif => turned.min(LARGE_TIF).saturating_mul(2).saturating_add(LARGE_TIF / 64),
        Format::Gif => turned.saturating_add(area.saturating_mul(8)),
        Format::WebP if plan.lossless => {
            // The same; alpha, which is counted, may not be there. And four bytes of each pixel of some rows, and the modes of all blocks.
            let held = if turned > LARGE_WEBP.saturating_mul(2) { PIECE } else { turned.min(LARGE_WEBP) };
            let sides = u64::from(plan.size.width()).saturating_add(plan.size.height().into());
            sum(&[held.saturating_mul(2), LARGE_WEBP / 8, sides.saturating_mul(100), area / 48])
        }
        Format::WebP => turned.saturating_add(area.saturating_mul(12)),
    }
}

/// What is held of a JPEG that is made: of a small one the symbols, which are counted before they are coded, of a large one what has not been taken.
fn coded_jpg(area: u64) -> u64 {
    if area <= COUNTED_JPG { coded(area).saturating_add(area.saturating_mul(2)) } else { coded(area).min(PIECE.saturating_mul(2)) }
}

/// Bytes of a JPEG: at the highest quality a pixel of noise takes three; real ones at usual qualities take a fifth.
fn coded(area: u64) -> u64 {
    area / 2
}

fn mul(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor))
}

fn sum(terms: &[u64]) -> u64 {
    terms.iter().fold(0, |sum: u64, term| sum.saturating_add(*term))
}
