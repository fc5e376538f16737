//! Memory from decoded rows to the file: averages and kernels, turned and rotated pixels, encoders.

use super::{COUNTED_JPG, LARGE_TIF, LARGE_WEBP, mul, sum};
use crate::api::{Format, Quality};
use crate::geometry::Dimensions;
use crate::jpeg::{AHEAD, most_coded, most_listed};
use crate::limits::PIECE;
use crate::plan::Rendering;

/// Bytes of rows that go on at a time, from the pipeline and from the rotation.
const ROWS: u64 = 64 << 10;
/// Bytes of rows that are encoded at a time of pixels that are all there.
const MORE_ROWS: u64 = 256 << 10;

/// Rows of `width` px of the level, of `channels` samples of `depth` bytes, on their way through averages, colours and kernels; `window` of the answer is
/// made, whose pixels have `made` samples. Without the pixels that are made.
pub(in crate::plan) fn pipeline(plan: &Rendering, width: u64, (channels, depth): (u64, u64), window: Dimensions, made: u64) -> u64 {
    let averaged = width.div_ceil(plan.across.shrink.into()).saturating_add(1);
    let shrink = if plan.across.shrink > 1 || plan.down.shrink > 1 {
        // Sums of columns, and of boxes in words of eight bytes; the averages.
        sum(&[mul(&[width, channels, depth, 2]), mul(&[averaged, channels, depth.saturating_add(8)])])
    } else {
        0
    };
    // Straightened colours, colours without alpha, converted ones of 8 or 16 bits.
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

/// What the resampler holds for rows of `width` px that become rows of `made` px: the rows under the kernel, a blend of them, its channels apart, and a table of
/// the kernels across, of eight weights at a time.
fn resampler(channels: u64, (width, made): (u64, u64), (across, down): (u64, u64)) -> u64 {
    let rows = mul(&[mul(&[width, channels]).saturating_add(128), down.saturating_add(4)]);
    let kernels = mul(&[made, sum(&[mul(&[across.saturating_add(8), 2]), 8])]);
    sum(&[rows, mul(&[made, channels, 2]), kernels, mul(&[across.saturating_add(down), 64])])
}

/// Pixels of `window` that are held before they are turned, twice where sides are exchanged, or as many rows as go on at a time.
pub(super) fn held(plan: &Rendering, window: Dimensions, channels: u64) -> u64 {
    let pixels = mul(&[window.area(), channels]);
    match (plan.is_upright(), plan.turn.transpose) {
        // Some rows, and one more.
        (true, _) => pixels.min(ROWS.saturating_add(mul(&[window.width().into(), channels]))),
        (false, true) => pixels.saturating_mul(2),
        (false, false) => pixels,
    }
}

/// Rows of the answer that `lines` rows of the level complete, which may wait for an encoder. Of a larger answer they come one after the other.
pub(super) fn of_lines(plan: &Rendering, lines: u32, channels: u64) -> u64 {
    // `as` saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rows = if plan.is_enlarged() { 1 } else { (f64::from(lines) / plan.down.scale()).ceil() as u64 };
    mul(&[rows.min(plan.size.height().into()), plan.size.width().into(), channels])
}

/// What becomes of upright rows: rotation and encoder. `at_once` rows are handed over at the same time, at most.
pub(super) fn finishing(plan: &Rendering, channels: u64, at_once: u64) -> u64 {
    let size = plan.dimensions();
    match plan.angle {
        None => encoder(plan, size, channels, at_once.min(some_rows(plan, channels).saturating_mul(2))),
        Some(degrees) => {
            let upright = plan.turn.apply(plan.size);
            // The result has alpha.
            let rotated = if channels <= 2 { 2 } else { 4 };
            let row = mul(&[size.width().into(), rotated]);
            let held = mul(&[crate::plan::rows_to_rotate(upright, degrees).into(), upright.width().into(), channels]);
            sum(&[held, ROWS, row.saturating_mul(2), encoder(plan, size, rotated, ROWS.saturating_add(row))])
        }
    }
}

/// Bytes of rows that are encoded at a time, of pixels that are all there.
pub(super) fn some_rows(plan: &Rendering, channels: u64) -> u64 {
    mul(&[plan.dimensions().area(), channels]).min(MORE_ROWS.max(mul(&[plan.dimensions().width().into(), channels])))
}

/// What an encoder holds: of some formats the file as far as it has not been taken, of others all pixels and all of the file. `at_once` is what comes at a time.
fn encoder(plan: &Rendering, size: Dimensions, channels: u64, at_once: u64) -> u64 {
    let (area, width) = (size.area(), u64::from(size.width()));
    let pixels = mul(&[area, channels]);
    let row = mul(&[width, channels]);
    match plan.format {
        Format::Jpg => jpg(plan.jpeg_quality, area, width, channels),
        // Rows for its filters, the coder's state, and the part of the file that has not been taken.
        Format::Png => sum(&[PNG_STATE, row.saturating_mul(8), png_held(png_bytes(size, channels, plan.quality == Quality::Bitonal))]),
        // All of the file; or what has not been taken of it.
        Format::Tif if pixels <= LARGE_TIF => sum(&[deflated_tif(pixels, row), DEFLATE_STATE, at_once]),
        Format::Tif => sum(&[mul(&[PIECE.saturating_add(at_once), 2]), row, LARGE_TIF / 64, DEFLATE_STATE]),
        Format::Gif => gif(area, channels),
        Format::WebP if plan.lossless => {
            // Below the limit the pixels, and the file, are held. Four bytes of each pixel of some rows, and the modes of all blocks.
            let sides = width.saturating_add(size.height().into());
            let held = if pixels > LARGE_WEBP { sum(&[PIECE, 1 << 20, mul(&[width, 8])]) } else { pixels.saturating_add(lossless_file(pixels)) };
            sum(&[held, LOSSLESS_STATE, sides.saturating_mul(100), area / 48])
        }
        // Pixels as four samples, twice, their planes twice, and the codes as they are made, in a frame and in a file; alpha by itself, without loss.
        Format::WebP => {
            let padded = mul(&[width, padded_webp(size.height()).into()]);
            let alpha = if channels.is_multiple_of(2) { sum(&[area.saturating_mul(2), LOSSLESS_STATE, width.saturating_mul(100)]) } else { 0 };
            let codes = if plan.webp_quality < 90 { 4 } else { 9 };
            let encoding = sum(&[padded.saturating_mul(11), padded.saturating_mul(codes), 32 << 10]);
            sum(&[encoding.max(sum(&[pixels, padded.saturating_mul(4)])), alpha])
        }
    }
}

/// Pixels become four samples each, these indexes of colours, which are coded with up to 12 bits each, and the codes are a file; the coder has up to 4096
/// sequences.
fn gif(area: u64, channels: u64) -> u64 {
    // Of four samples there is no copy, but the indexes lie beside them.
    let indexes = if channels == 1 { 0 } else { sum(&[channels % 4, 4]).max(5) };
    let states = sum(&[64 << 10, area.saturating_mul(112).min(448 << 10)]);
    sum(&[area.saturating_mul(indexes.max(3)), area / 64, states])
}

/// Bytes of pixels in a strip of a TIFF, about.
pub(crate) const TIF_STRIP: u64 = 64 << 10;

/// Bytes that Deflate makes of so many at most: it stores what does not compress, with 5 bytes for a block of at least 16 KiB, and zlib's frame.
pub(crate) const fn most_deflated(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 1024).saturating_add(64)
}

/// A TIFF whose strips are compressed, with room for pixels that do not compress: the strip that is collected, the file, and its directory, of which each strip
/// has some bytes.
fn deflated_tif(pixels: u64, row: u64) -> u64 {
    let strip = row.max(TIF_STRIP);
    let strips = pixels / (TIF_STRIP / 2);
    sum(&[strip, most_deflated(pixels), mul(&[strips, 128]), 8192])
}

/// What an encoder of many states takes however small its image is: of Deflate, of lossless WebP.
const DEFLATE_STATE: u64 = 352 << 10;
const LOSSLESS_STATE: u64 = 160 << 10;
/// Bytes of the pixels of a PNG, whose bitonal gray takes one bit a pixel.
pub(crate) fn png_bytes(size: Dimensions, channels: u64, bitonal: bool) -> u64 {
    let bits = if bitonal && channels == 1 { 1 } else { channels.saturating_mul(8) };
    mul(&[mul(&[size.width().into(), bits]).div_ceil(8), size.height().into()])
}

const PNG_STATE: u64 = 256 << 10;

/// Room that is made for a PNG of so many bytes of pixels, or for a piece of it and what is added at a time. Growing it would take twice as much.
pub(crate) fn png_held(pixels: u64) -> u64 {
    // Of noise the codes for filtered pixels take eleven bits a byte. The coder writes some kilobytes at a time, which may come on top of rows that are added.
    sum(&[mul(&[pixels, 11]) / 8, 4096]).min(sum(&[PIECE, mul(&[MORE_ROWS, 11]) / 8, ROWS.saturating_mul(2)]))
}

/// Height in px of the image that the encoder of lossy WebP gets for one of `height`: the rows of macroblocks of the image, one row in which it changes to gray, and
/// at least 3 % gray rows (why: `codec/extra/coder/webp/encode.rs`).
pub(crate) fn padded_webp(height: u32) -> u32 {
    let rows = height.div_ceil(16);
    let without = rows.saturating_add(2).saturating_mul(3).div_ceil(100);
    rows.saturating_add(without).saturating_add(1).saturating_mul(16)
}

fn lossless_file(pixels: u64) -> u64 {
    sum(&[pixels, pixels / 128, 16 << 10]).min(PIECE.saturating_mul(2))
}

/// What a JPEG encoder holds: a row of MCUs; of a small image the symbols, which are counted before they are coded, and the file; of a large one what has not
/// been taken.
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
