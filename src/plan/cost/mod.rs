//! The cost of a plan, estimated from headers alone. The estimates are upper limits that hold for every file, and are checked before anything is allocated.

mod answer;
mod work;

pub(super) use answer::pipeline;
pub(crate) use answer::{TIF_STRIP, most_deflated, png_bytes, png_held};
pub(crate) use work::of_png;

use std::ops::Range;

pub(crate) use azulejo_codecs::LARGE_WEBP;

use super::{Rendering, SourcePlan, strips};
use crate::api::{Format, Quality};
use crate::error::{Budget, Error, Remedy, Result};
use crate::geometry::Rect;
use crate::jpeg::{Grid, Rows, Wanted, block_bytes};
use crate::limits::Limits;
use crate::pyramid::level::{Compression, FAX_TIMES, Level};
use crate::pyramid::{Body, OneScan, Pyramid, Whole, WholeMode};

/// Compressed chunks are fetched in batches of about this many bytes.
pub(crate) const BATCH: u64 = 4 << 20;
/// Most bytes of a scan that are fetched at a time, and the least to which this is reduced where memory is short.
pub(crate) const RUN: u64 = 8 << 20;
pub(crate) const LEAST_RUN: u64 = 1 << 20;
/// Above this many bytes of pixels, a TIFF is written row by row. Smaller ones are worth compressing.
pub(crate) const LARGE_TIF: u64 = 8 << 20;
/// Up to this many pixels, a JPEG gets Huffman tables of its own, which make it a twelfth smaller. A larger one is sent while it is made.
pub(crate) const COUNTED_JPG: u64 = 1 << 20;
/// Bytes of the next run of a scan that are appended to the end of a run at a time: more than an MCU takes.
pub(crate) const SEAM: usize = 128 << 10;
/// Tables, kernels and code that every request needs, bytes.
const BASE: u64 = 64 << 10;

/// Estimated cost of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Price {
    /// Bytes of memory at the peak.
    pub memory: u64,
    /// CPU time, ns. The time for the stored bytes is added once their number is known.
    pub work: u64,
    /// CPU time per stored byte, tenths of a nanosecond.
    pub per_byte: u64,
    /// Approximate bytes that will be fetched of a scan.
    pub bytes: u64,
    /// Whether everything is fetched and decoded twice. `work` and `bytes` include that.
    pub twice: bool,
}

impl Price {
    pub fn of(plan: &Rendering, pyramid: &Pyramid) -> Self {
        let once = Self::once(plan, pyramid);
        let once = Self { per_byte: work::of_byte(pyramid, plan), memory: once.memory.saturating_add(pyramid.colors_memory()), ..once };
        if comes_twice(plan, pyramid) { Self { work: once.work.saturating_mul(2), bytes: once.bytes.saturating_mul(2), twice: true, ..once } } else { once }
    }

    fn once(plan: &Rendering, pyramid: &Pyramid) -> Self {
        let channels = Self::channels(plan, pyramid);
        match (&plan.source, &pyramid.body) {
            (SourcePlan::Chunks { level, .. }, Body::Levels(levels)) => {
                levels.get(*level).map_or(Self::default(), |level| Self::of_chunks(plan, pyramid, level, channels))
            }
            (SourcePlan::Strips { level, .. }, Body::Levels(levels)) => {
                levels.get(*level).map_or(Self::default(), |level| Self::of_strips(plan, pyramid, level, channels))
            }
            (SourcePlan::Whole { .. }, Body::Whole(whole)) => {
                let memory = BASE.saturating_add(of_whole(whole, pyramid, plan, channels));
                // Every row is decoded, but only the rows of the crop are passed on.
                let passed = work::of_answer(plan, pyramid, plan.crop.dimensions().area(), whole.channels.into(), channels);
                Self { memory, work: work::of_whole(whole, pyramid).saturating_add(passed), bytes: pyramid.file_size, ..Self::default() }
            }
            (SourcePlan::Scan { reduction, .. }, Body::Scan(scan)) => Self::of_scan(plan, pyramid, scan, *reduction, channels),
            _ => Self::default(),
        }
    }

    /// Bytes of memory for reading the rows of a plan, without what is done with them.
    pub fn of_rows(plan: &Rendering, pyramid: &Pyramid) -> u64 {
        let rows = |channels: u8, depth: u8| rows(plan, channels, depth, Self::channels(plan, pyramid));
        let read = match (&plan.source, &pyramid.body) {
            (SourcePlan::Whole { .. }, Body::Whole(whole)) => {
                sum(&[BASE, rows(whole.channels, whole.depth), pyramid.file_size, decoding(whole, pyramid, plan)])
            }
            (SourcePlan::Scan { run, .. }, Body::Scan(scan)) => sum(&[BASE, rows(scan.whole.channels, 1), decoding_scan(plan, scan), *run]),
            (SourcePlan::Strips { level, run, .. }, Body::Levels(levels)) => levels.get(*level).map_or(0, |level| {
                let made = Self::channels(plan, pyramid);
                sum(&[BASE, strips::decoding(plan, level, made), (*run).min(pyramid.file_size)])
            }),
            (SourcePlan::Chunks { level, .. }, Body::Levels(levels)) => levels.get(*level).map_or(0, |level| {
                let (samples, depth) = (level.decoded_samples().saturating_add(level.mask.is_some().into()), if level.samples.bits > 8 { 2 } else { 1 });
                let across = u64::from(level.columns());
                let band = mul(&[across, level.chunk.area(), samples, depth]);
                let passed = answer::pipeline(plan, plan.crop.width().into(), (samples, depth), plan.size, Self::channels(plan, pyramid));
                let joined = mul(&[plan.crop.width().into(), samples, depth]);
                sum(&[
                    BASE,
                    fetched(level, pyramid, u64::MAX),
                    decoding_chunk(level, level.chunk.height().into(), samples, depth),
                    level.mask_memory(across),
                    band,
                    joined,
                    passed,
                ])
            }),
            _ => Self::once(plan, pyramid).memory,
        };
        read.saturating_add(pyramid.colors_memory())
    }

    /// For a JPEG whose rows are decoded one after another, from the nearest position that its index has.
    fn of_scan(plan: &Rendering, pyramid: &Pyramid, scan: &OneScan, reduction: u32, channels: u64) -> Self {
        let source = sum(&[decoding_scan(plan, scan), LEAST_RUN.min(pyramid.file_size), rows(plan, scan.whole.channels, 1, channels)]);
        let memory = BASE.saturating_add(flowing(plan, source, channels, LINES));
        let region = Rows::region(&scan.header, plan.crop, u8::try_from(reduction).unwrap_or(1));
        let Ok(grid) = Grid::new(&scan.header, &Wanted { region, ..Wanted::whole(&scan.header) }) else { return Self::default() };
        let index = scan.index();
        let Some(first) = index.before(grid.rows.start, grid.columns.start) else { return Self::default() };
        let reading = scan.reading(&index, &grid, grid.rows.clone(), (first.bits.byte, first.mcu));
        let mcu = mul(&[grid.mcu().0 as u64, grid.mcu().1 as u64, u64::from(scan.whole.channels)]);
        let wanted = mul(&[grid.columns.len() as u64, grid.rows.len() as u64]);
        // Where the index has no position behind the wanted MCUs, other MCUs are read as well, although no pixels are made of them.
        let end = mul(&[grid.rows.end.saturating_sub(1) as u64, grid.mcus.0 as u64]).saturating_add(grid.columns.end as u64);
        let passed = if reading.open { end.saturating_sub(first.mcu as u64).saturating_sub(wanted) } else { 0 };
        let answer = work::of_answer(plan, pyramid, plan.crop.dimensions().area(), scan.whole.channels.into(), channels);
        let work = work::of_mcus(mcu, wanted, passed, reduction.into()).saturating_add(answer);
        Self { memory, work, bytes: reading.bytes(), ..Self::default() }
    }

    /// For strips whose rows are decoded one after another.
    fn of_strips(plan: &Rendering, pyramid: &Pyramid, level: &Level, channels: u64) -> Self {
        let source = strips::decoding(plan, level, channels).saturating_add(LEAST_RUN.min(pyramid.file_size));
        let passed = work::of_answer(plan, pyramid, plan.crop.dimensions().area(), level.decoded_samples(), channels);
        let work = work::of_strips(level, strips::decoded(plan, level)).saturating_add(passed);
        Self { memory: BASE.saturating_add(flowing(plan, source, channels, 1)), work, ..Self::default() }
    }

    /// Most samples per pixel that the finished pixels can have.
    pub fn channels(plan: &Rendering, pyramid: &Pyramid) -> u64 {
        let colors = if pyramid.is_gray() || matches!(plan.quality, Quality::Gray | Quality::Bitonal) { 1 } else { 3 };
        sum(&[colors, pyramid.has_alpha().into()])
    }

    fn of_chunks(plan: &Rendering, pyramid: &Pyramid, level: &Level, channels: u64) -> Self {
        let depth: u64 = if level.samples.bits > 8 { 2 } else { 1 };
        let samples = level.decoded_samples().saturating_add(level.mask.is_some().into());
        let (mut memory, mut work) = (0_u64, 0_u64);
        let windows = plan.windows(level);
        for part in &windows {
            let source = plan.source_of(*part);
            let (columns, lines) = plan.chunks_of(level, source);
            let across = columns.len() as u64;
            let count = mul(&[across, lines.len() as u64]);
            let passed = work::of_answer(plan, pyramid, source.dimensions().area(), samples, channels);
            work = sum(&[work, work::of_chunks(level, count), passed.checked_div(windows.len() as u64).unwrap_or(passed)]);
            let held = answer::held(plan, part.dimensions(), channels);
            let rows = answer::pipeline(plan, source.width().into(), (samples, depth), part.dimensions(), channels);
            let unpacked = unpacked_rows(plan, level, source, &lines);
            let decoding = decoding_chunk(level, unpacked, samples, depth);
            let chunks = sum(&[fetched(level, pyramid, count), decoding, band(plan, level, source, (across, unpacked), samples, depth)]);
            // A row of pixels across all chunks.
            let joined = mul(&[source.width().into(), samples, depth]);
            // Planes of JPEG wait until they fill a row of MCUs, in lists that grow by doubling.
            let as_planes = plan.format == Format::Jpg && level.compression == Compression::Jpeg && !plan.is_enlarged();
            let lines = if as_planes { LINES } else { 1 };
            // If pixels are turned, some rows are copied for the encoder.
            let beside = if plan.is_upright() { answer::of_lines(plan, lines, channels) } else { answer::some_rows(plan, channels).min(held) };
            let at_once = held.saturating_add(beside);
            memory = memory.max(sum(&[chunks, level.mask_memory(across), joined, rows, at_once, answer::finishing(plan, channels, at_once)]));
        }
        Self { memory: BASE.saturating_add(memory), work, ..Self::default() }
    }

    /// Bytes of memory for copying the coefficients of `area` px, which take `coefficients` bytes themselves.
    pub fn of_copied(level: &Level, pyramid: &Pyramid, coefficients: u64, area: u64) -> u64 {
        let fetched = fetched(level, pyramid, u64::MAX);
        sum(&[
            BASE,
            pyramid.colors_memory(),
            fetched,
            level.chunk_bytes().saturating_mul(2),
            coefficients,
            answer::jpg(100, area, level.chunk.width().into(), 3),
        ])
    }

    /// [`Error::SourceTooCostly`] if a pyramid of all rows of a plan would take more CPU time than `limit` ns.
    pub fn check_pyramid(plan: &Rendering, pyramid: &Pyramid, limit: u64) -> Result<()> {
        let once = Self::of(plan, pyramid);
        let level = sum(&[once.work, mul(&[pyramid.file_size, once.per_byte]) / 10]);
        // All smaller levels together have a third of the pixels.
        let all = level.saturating_add(level / 3);
        if all > limit { Err(Error::SourceTooCostly { what: Budget::Work, needs: all, limit, remedy: Remedy::Limit }) } else { Ok(()) }
    }

    /// [`Error::SourceTooCostly`] for the first limit that is exceeded.
    pub fn check(&self, limits: &Limits) -> Result<()> {
        let over = |what, needs, limit| if needs > limit { Err(Error::too_costly(what, needs, limit)) } else { Ok(()) };
        over(Budget::Work, self.work.saturating_add(mul(&[self.bytes, self.per_byte]) / 10), limits.work)?;
        over(Budget::Bytes, self.bytes, limits.fetched)?;
        over(Budget::Memory, self.memory, limits.memory)
    }
}

/// Bytes of memory for rows on their way to the answer.
fn rows(plan: &Rendering, channels: u8, depth: u8, made: u64) -> u64 {
    answer::pipeline(plan, plan.crop.width().into(), (channels.into(), depth.into()), plan.size, made)
}

/// Bytes of memory for a source that gives `lines` rows at a time, and for everything that is done with them. If the answer is turned, its pixels are collected
/// first, and the source is released before they are encoded.
fn flowing(plan: &Rendering, source: u64, channels: u64, lines: u32) -> u64 {
    let held = answer::held(plan, plan.size, channels);
    if plan.is_upright() {
        let at_once = held.saturating_add(answer::of_lines(plan, lines, channels));
        return sum(&[source, at_once, answer::finishing(plan, channels, at_once)]);
    }
    let some = answer::some_rows(plan, channels);
    let raster = mul(&[plan.size.area(), channels]);
    source.saturating_add(raster).max(held).max(sum(&[raster, some, answer::finishing(plan, channels, some)]))
}

/// Most bytes between the chunks of a batch that are fetched with them.
const BETWEEN: u64 = 64 << 10;

/// Bytes that are fetched at a time for `count` chunks, including what lies between them.
pub(crate) fn fetched(level: &Level, pyramid: &Pyramid, count: u64) -> u64 {
    let between = if count > 1 { BETWEEN } else { 0 };
    let chunk = fetched_chunk(level).saturating_add(level.mask.as_ref().map_or(0, |mask| fetched_chunk(mask)));
    mul(&[count, chunk]).min(BATCH.saturating_add(chunk)).saturating_add(between).min(pyramid.file_size)
}

/// Most bytes that a chunk takes as it is stored: compressed data may be larger than the pixels, and contain tables and profiles of their own.
pub(crate) fn fetched_chunk(level: &Level) -> u64 {
    let plain = level.chunk_bytes();
    match level.compression {
        Compression::None => plain,
        Compression::Jpeg | Compression::WebP => sum(&[plain, plain / 4, 32 << 10]),
        // Dithered pixels take several times as many bytes compressed as uncompressed.
        Compression::Fax(_) => sum(&[mul(&[plain, FAX_TIMES]), 4 << 10]),
        // With the fixed Huffman codes, a byte takes at most nine bits. Data that do not compress are stored.
        Compression::Deflate => sum(&[plain, plain / 7, 4 << 10]),
        Compression::Zstandard => sum(&[plain, plain / 64, 4 << 10]),
        // LZW takes at most 12 bits per byte.
        Compression::Lzw => sum(&[plain, plain / 2, 4 << 10]),
        // Careless encoders write runs of a single byte.
        Compression::PackBits => sum(&[plain, plain, 4 << 10]),
    }
}

/// Most rows of a chunk that are decompressed if those of `source` are wanted: none below the last of these, if rows are coded in their order.
fn unpacked_rows(plan: &Rendering, level: &Level, source: Rect, lines: &Range<u32>) -> u64 {
    let height = level.chunk.height();
    let is_one = lines.len() == 1;
    let bottom = plan.crop.y().saturating_add(source.bottom()).saturating_sub(level.chunk_top(lines.start));
    u64::from(if is_one && level.is_by_rows() { bottom.min(height) } else { height })
}

/// Bytes of memory for decoding a chunk of which `rows` rows are decompressed, without its pixels.
fn decoding_chunk(level: &Level, rows: u64, samples: u64, depth: u64) -> u64 {
    let (plain, width) = (level.chunk_bytes(), u64::from(level.chunk.width()));
    // The decompressed bytes, and the samples that are made of them on the way to pixels.
    let part = |bytes: u64| mul(&[bytes, rows]).div_ceil(level.chunk.height().max(1).into());
    let unpacked = if level.is_unpacked_to_pixels() { 0 } else { part(plain) };
    let ordered = if level.is_unpacked_to_samples() { 0 } else { mul(&[width, rows, samples, depth]) };
    let decoder = match level.compression {
        // Rows of MCUs, tables, and, if components are stored apart, the components before they are interleaved.
        Compression::Jpeg => {
            let apart = if level.samples.planar { plain } else { 0 };
            return sum(&[mul(&[width.saturating_add(64), samples, 48]), apart, 80 << 10]);
        }
        // The chunk is a file, which is copied. The planes of lossy pixels become pixels of four samples.
        Compression::WebP => return sum(&[fetched_chunk(level), mul(&[level.chunk.area(), 8]), 256 << 10]),
        Compression::Deflate => 64 << 10,
        Compression::Lzw | Compression::Zstandard | Compression::Fax(_) => strips::decoder(level),
        Compression::None | Compression::PackBits => 0,
    };
    sum(&[unpacked, ordered, decoder])
}

/// Bytes of the pixels in a row of chunks: `across` chunks of `rows` rows each. Of JPEG chunks, only the wanted pixels count.
fn band(plan: &Rendering, level: &Level, source: Rect, (across, rows): (u64, u64), samples: u64, depth: u64) -> u64 {
    let height = u64::from(level.chunk.height());
    if level.compression == Compression::Jpeg {
        // Planes that are encoded as JPEG again are joined side by side in a second copy.
        let times = if plan.format == Format::Jpg && plan.is_upright() { 2 } else { 1 };
        mul(&[u64::from(source.width()).saturating_add(32), height.min(u64::from(source.height()).saturating_add(32)), samples, times])
    } else {
        mul(&[across, level.chunk.width().into(), rows, samples, depth])
    }
}

/// Bytes of memory for a file that is decoded from its beginning, and for everything that is done with its rows.
fn of_whole(whole: &Whole, pyramid: &Pyramid, plan: &Rendering, channels: u64) -> u64 {
    let rows = rows(plan, whole.channels, whole.depth, channels);
    let lines = if matches!(whole.mode, WholeMode::Jpeg { .. }) { LINES } else { 1 };
    let decoding = sum(&[pyramid.file_size, decoding(whole, pyramid, plan)]);
    if !matches!(whole.mode, WholeMode::Module { .. }) {
        return flowing(plan, sum(&[decoding, rows]), channels, lines);
    }
    // A codec of a module decodes the image before anything is made of it, and then holds its pixels alone. Only an encoder that has counted all rows is there before.
    let is_decoded = !comes_twice(plan, pyramid);
    let pixels = mul(&[plan.level.area(), whole.channels.into(), whole.depth.into()]);
    let source = sum(&[if is_decoded { sum(&[pyramid.file_size, pixels]) } else { decoding }, rows]);
    let memory = decoding.max(flowing(plan, source, channels, lines));
    // Some encoders take more for pixels without alpha. A codec of a module drops alpha that is not needed.
    if channels.is_multiple_of(2) { memory.max(flowing(plan, source, channels.saturating_sub(1), lines)) } else { memory }
}

/// Pixels around the wanted ones of which coefficients are kept, both sides together.
const AROUND: u32 = 144;

/// Most rows of pixels in a row of MCUs.
const LINES: u32 = 32;

/// Bytes of memory that the decoder of a whole-image format holds, including its result.
fn decoding(whole: &Whole, pyramid: &Pyramid, plan: &Rendering) -> u64 {
    match whole.mode {
        // For PNG, also the window and the buffers of the Deflate decoder.
        WholeMode::Rows => mul(&[pyramid.stored.width().into(), whole.channels.into(), whole.depth.into(), 4]).saturating_add(424 << 10),
        // For interlaced images, also where each row belongs.
        WholeMode::Image { held } | WholeMode::Module { held, .. } => sum(&[mul(&[plan.level.area(), held.into()]), mul(&[plan.level.height().into(), 16])]),
        WholeMode::Jpeg { density } => {
            let scale = if let SourcePlan::Whole { reduction } = plan.source { reduction } else { 1 };
            // Whole MCUs, and those around them that upsampling needs.
            let around = |side: u32, most: u32| u64::from(side.saturating_mul(scale).saturating_add(AROUND).min(most.saturating_add(LINES)));
            let (width, height) = (around(plan.crop.width(), pyramid.stored.width()), around(plan.crop.height(), pyramid.stored.height()));
            // For each block of the wanted region, the coefficients that its inverse DCT uses. For each coefficient of the image, one bit.
            let kept = mul(&[width, height, block_bytes(8_u32.checked_div(scale).unwrap_or(1))]) / 64;
            let bits = if scale >= 8 {
                0
            } else {
                mul(&[u64::from(pyramid.stored.width()).saturating_add(32), u64::from(pyramid.stored.height()).saturating_add(32)]) / 8
            };
            // The planes and the pixels of a row of MCUs.
            let row = mul(&[width, whole.channels.into(), u64::from(LINES), 2]);
            (mul(&[kept.saturating_add(bits), density.into()]) / 100).saturating_add(row)
        }
    }
}

/// Bytes that the decoder of a scan holds: rows of MCUs, the upsampled pixels, and the entries that may be added to the index.
fn decoding_scan(plan: &Rendering, scan: &OneScan) -> u64 {
    let index = scan.index();
    let unknown = index.all().saturating_sub(index.len()) as u64;
    let width = u64::from(plan.crop.width()).saturating_add(128);
    // The planes and the pixels of a row of MCUs.
    let lines = u64::from(scan.header.most().1).saturating_mul(16);
    // The end of one run and the beginning of the next are joined.
    let seam = (SEAM as u64).min(scan.size());
    sum(&[mul(&[width, scan.whole.channels.into(), lines]), unknown.saturating_mul(64), seam, 32 << 10])
}

/// Whether the rows are made twice: a lossless WebP is too large for its pixels to be held, and they are not collected to be turned.
fn comes_twice(plan: &Rendering, pyramid: &Pyramid) -> bool {
    let flows = match &pyramid.body {
        Body::Levels(_) => plan.is_upright() || !matches!(plan.source, SourcePlan::Strips { .. }),
        Body::Scan(_) | Body::Whole(_) => plan.is_upright(),
    };
    plan.lossless && flows && finished(plan, Price::channels(plan, pyramid)) > LARGE_WEBP
}

/// Bytes of the finished pixels. A rotation by other than right angles adds alpha.
fn finished(plan: &Rendering, channels: u64) -> u64 {
    let channels = match plan.angle {
        None => channels,
        Some(_) if channels <= 2 => 2,
        Some(_) => 4,
    };
    plan.dimensions().area().saturating_mul(channels)
}

pub(super) fn mul(factors: &[u64]) -> u64 {
    factors.iter().fold(1, |product: u64, factor| product.saturating_mul(*factor))
}

pub(super) fn sum(terms: &[u64]) -> u64 {
    terms.iter().fold(0, |sum: u64, term| sum.saturating_add(*term))
}
