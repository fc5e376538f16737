//! Memory from decoded rows to the encoded file: averaging and resampling, turned and rotated pixels, encoders.

use azulejo_codecs::padded_webp;

use super::{COUNTED_JPG, LARGE_TIF, LARGE_WEBP, mul, sum};
use crate::api::{Format, Quality};
use crate::geometry::Dimensions;
use crate::jpeg::{AHEAD, most_coded, most_listed};
use crate::limits::PIECE;
use crate::plan::Rendering;

/// Bytes of rows that are passed on at a time, by the pipeline and by the rotation.
const ROWS: u64 = 64 << 10;
/// Bytes of rows that are encoded at a time if all pixels are in memory.
const MORE_ROWS: u64 = 256 << 10;

/// Bytes of memory for rows of `width` px of the level, with `channels` samples of `depth` bytes, on their way through averaging, colour conversion and
/// resampling. The result is the part `window` of the answer, px, with `made` samples per pixel; its pixels are not counted.
pub(in crate::plan) fn pipeline(plan: &Rendering, width: u64, (channels, depth): (u64, u64), window: Dimensions, made: u64) -> u64 {
    let averaged = width.div_ceil(plan.across.shrink.into()).saturating_add(1);
    let shrink = if plan.across.shrink > 1 || plan.down.shrink > 1 {
        // Sums of columns; sums of boxes, in words of eight bytes; and the averages.
        sum(&[mul(&[width, channels, depth, 2]), mul(&[averaged, channels, depth.saturating_add(8)])])
    } else {
        0
    };
    // Colours divided by alpha, colours without alpha, and converted colours of 8 or 16 bits.
    let color = sum(&[mul(&[width, channels, depth]), mul(&[averaged, channels, depth]), mul(&[averaged, 12])]);
    let kernel = if plan.is_resampled() {
        let (across, down) = (plan.across.reach(), plan.down.reach());
        let taps = |reach: crate::plan::Reach| u64::from(reach.taps);
        resampler(made, (averaged, window.width().into()), (taps(across), taps(down)))
    } else {
        0
    };
    sum(&[shrink, color, kernel])
}

/// Bytes that the resampler holds for rows of `width` px that become rows of `made` px: the rows under the vertical kernel, a blend of them, its channels
/// apart, and a table of the horizontal kernels, whose weights come in groups of eight.
fn resampler(channels: u64, (width, made): (u64, u64), (across, down): (u64, u64)) -> u64 {
    let rows = mul(&[mul(&[width, channels]).saturating_add(128), down.saturating_add(4)]);
    let kernels = mul(&[made, sum(&[mul(&[across.saturating_add(8), 2]), 8])]);
    sum(&[rows, mul(&[made, channels, 2]), kernels, mul(&[across.saturating_add(down), 64])])
}

/// Bytes of the pixels of `window` that are held: if they are turned, all of them, and twice if the sides are exchanged; otherwise as many rows as are passed
/// on at a time.
pub(super) fn held(plan: &Rendering, window: Dimensions, channels: u64) -> u64 {
    let pixels = mul(&[window.area(), channels]);
    match (plan.is_upright(), plan.turn.transpose) {
        // Rows of so many bytes, and one row more.
        (true, _) => pixels.min(ROWS.saturating_add(mul(&[window.width().into(), channels]))),
        (false, true) => pixels.saturating_mul(2),
        (false, false) => pixels,
    }
}

/// Bytes of the rows of the answer that `lines` rows of the level complete. They may wait for an encoder. In an enlargement, rows come one after another.
pub(super) fn of_lines(plan: &Rendering, lines: u32, channels: u64) -> u64 {
    // `as` saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rows = if plan.is_enlarged() { 1 } else { (f64::from(lines) / plan.down.scale()).ceil() as u64 };
    mul(&[rows.min(plan.size.height().into()), plan.size.width().into(), channels])
}

/// Bytes of memory for what is done with upright rows: rotation and encoder. At most `at_once` bytes of rows are handed over at a time.
pub(super) fn finishing(plan: &Rendering, channels: u64, at_once: u64) -> u64 {
    let size = plan.dimensions();
    match plan.angle {
        None => encoder(plan, size, channels, at_once.min(some_rows(plan, channels).saturating_mul(2))),
        Some(degrees) => {
            let upright = plan.turn.apply(plan.size);
            // The rotated image has alpha.
            let rotated = if channels <= 2 { 2 } else { 4 };
            let row = mul(&[size.width().into(), rotated]);
            let held = mul(&[crate::plan::rows_to_rotate(upright, degrees).into(), upright.width().into(), channels]);
            sum(&[held, ROWS, row.saturating_mul(2), encoder(plan, size, rotated, ROWS.saturating_add(row))])
        }
    }
}

/// Bytes of rows that are encoded at a time if all pixels are in memory.
pub(super) fn some_rows(plan: &Rendering, channels: u64) -> u64 {
    mul(&[plan.dimensions().area(), channels]).min(MORE_ROWS.max(mul(&[plan.dimensions().width().into(), channels])))
}

/// Bytes that an encoder holds: for some formats the part of the file that has not been taken yet, for others all pixels and the whole file. `at_once` is how
/// many bytes of rows it gets at a time.
fn encoder(plan: &Rendering, size: Dimensions, channels: u64, at_once: u64) -> u64 {
    let (area, width) = (size.area(), u64::from(size.width()));
    let pixels = mul(&[area, channels]);
    let row = mul(&[width, channels]);
    match plan.format {
        Format::Jpg => jpg(plan.jpeg_quality, area, width, channels),
        // Rows for the filters, the state of the coder, and the part of the file that has not been taken yet.
        Format::Png => sum(&[PNG_STATE, row.saturating_mul(8), png_held(png_bytes(size, channels, plan.quality == Quality::Bitonal))]),
        // The whole file, or the part of it that has not been taken yet.
        Format::Tif if pixels <= LARGE_TIF => sum(&[deflated_tif(pixels, row), DEFLATE_STATE, at_once]),
        Format::Tif => sum(&[mul(&[PIECE.saturating_add(at_once), 2]), row, LARGE_TIF / 64, DEFLATE_STATE]),
        Format::Gif => gif(area, channels),
        Format::WebP if plan.lossless => {
            // Up to the limit, the pixels and the file are held. In any case: four bytes per pixel for some rows, and the modes of all blocks.
            let sides = width.saturating_add(size.height().into());
            let held = if pixels > LARGE_WEBP { sum(&[PIECE, 1 << 20, mul(&[width, 8])]) } else { pixels.saturating_add(lossless_file(pixels)) };
            sum(&[held, LOSSLESS_STATE, sides.saturating_mul(100), area / 48])
        }
        // The pixels as four samples, twice; their planes, twice; and the codes as they are made, in a frame and in a file. Alpha is coded separately, without
        // loss.
        Format::WebP => {
            let padded = mul(&[width, padded_webp(size.height()).into()]);
            let alpha = if channels.is_multiple_of(2) { sum(&[area.saturating_mul(2), LOSSLESS_STATE, width.saturating_mul(100)]) } else { 0 };
            let codes = if plan.webp_quality < 90 { 4 } else { 9 };
            let encoding = sum(&[padded.saturating_mul(11), padded.saturating_mul(codes), 32 << 10]);
            sum(&[encoding.max(sum(&[pixels, padded.saturating_mul(4)])), alpha])
        }
    }
}

/// Bytes that the GIF encoder holds. Pixels become four samples each, these become palette indexes, the indexes are coded with up to 12 bits each, and the
/// codes become a file. The LZW coder has a table of up to 4096 sequences.
fn gif(area: u64, channels: u64) -> u64 {
    // Pixels of four samples are not copied, but the indexes lie beside them.
    let indexes = if channels == 1 { 0 } else { sum(&[channels % 4, 4]).max(5) };
    let states = sum(&[64 << 10, area.saturating_mul(112).min(448 << 10)]);
    sum(&[area.saturating_mul(indexes.max(3)), area / 64, states])
}

/// Approximate bytes of pixels in each strip of a TIFF that is written.
pub(crate) const TIF_STRIP: u64 = 64 << 10;

/// Most bytes that Deflate makes of `bytes` bytes: data that do not compress are stored, with 5 bytes for each block of at least 16 KiB, and with the frame of
/// zlib.
pub(crate) const fn most_deflated(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 1024).saturating_add(64)
}

/// Bytes of memory for a TIFF of compressed strips, even if the pixels do not compress: the strip that is being collected, the file, and its directory, which
/// has some bytes for each strip.
fn deflated_tif(pixels: u64, row: u64) -> u64 {
    let strip = row.max(TIF_STRIP);
    let strips = pixels / (TIF_STRIP / 2);
    sum(&[strip, most_deflated(pixels), mul(&[strips, 128]), 8192])
}

/// Bytes of the state of an encoder, however small its image is: Deflate, and lossless WebP.
const DEFLATE_STATE: u64 = 352 << 10;
const LOSSLESS_STATE: u64 = 160 << 10;
/// Bytes of the pixels in a PNG, where bitonal gray takes one bit per pixel.
pub(crate) fn png_bytes(size: Dimensions, channels: u64, bitonal: bool) -> u64 {
    let bits = if bitonal && channels == 1 { 1 } else { channels.saturating_mul(8) };
    mul(&[mul(&[size.width().into(), bits]).div_ceil(8), size.height().into()])
}

const PNG_STATE: u64 = 256 << 10;

/// Bytes that are reserved for a PNG of `pixels` bytes of pixels, or for a piece of it and what is added at a time. If the buffer had to grow, it would take
/// twice as much.
pub(crate) fn png_held(pixels: u64) -> u64 {
    // In noise, the codes for filtered pixels take eleven bits per byte. The coder writes some kilobytes at a time, which may come on top of the rows that are
    // added.
    sum(&[mul(&[pixels, 11]) / 8, 4096]).min(sum(&[PIECE, mul(&[MORE_ROWS, 11]) / 8, ROWS.saturating_mul(2)]))
}

fn lossless_file(pixels: u64) -> u64 {
    sum(&[pixels, pixels / 128, 16 << 10]).min(PIECE.saturating_mul(2))
}

/// Bytes that a JPEG encoder holds: a row of MCUs; for a small image also its symbols, which are counted before they are coded, and the file; for a large one
/// the part of the file that has not been taken yet.
pub(super) fn jpg(quality: u8, area: u64, width: u64, channels: u64) -> u64 {
    const TABLES: u64 = 64 << 10;
    let planes = mul(&[width.saturating_add(16), if channels <= 2 { 8 } else { 28 }]);
    let file = most_coded(area, quality);
    if area <= COUNTED_JPG {
        // Four bytes a symbol, and those of a row of MCUs beyond the limit. Symbols that many follow are coded in ten bits or less.
        let listed = most_listed(area, quality).saturating_add(mul(&[width, 24]));
        let coded = file.min(listed.saturating_mul(5) / 4);
        sum(&[TABLES, planes, listed.saturating_mul(4).saturating_add(coded).max(file.saturating_mul(2))])
    } else {
        sum(&[TABLES, planes, file.min(PIECE), most_coded(mul(&[width, 16]), quality), AHEAD as u64])
    }
}
