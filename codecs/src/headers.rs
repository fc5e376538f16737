//! What readers of headers, estimates of cost and codecs must agree on.

/// A medium gray, between black and white: the value of samples that could not be decoded.
pub const MEDIUM: u8 = 128;

/// Bytes of an answer that are handed over at a time.
pub const PIECE: u64 = 4 << 20;

/// Above this many bytes of pixels, the rows of a lossless WebP are made twice: first to count the symbols, then to write them. Below it, the pixels are held in
/// between.
pub const LARGE_WEBP: u64 = 8 << 20;

/// Flags in VP8X (RFC 9649, 2.7.1.2): the file is an animation.
pub const ANIMATION_FLAG: u8 = 0x02;
/// The same: its pixels have alpha.
pub const ALPHA_FLAG: u8 = 0x10;

/// Height in px of the image that the encoder of lossy WebP gets for one of `height`: the rows of macroblocks of the image, one row in which it changes to
/// gray, and at least 3 % gray rows (why: `webp/encode.rs`).
pub fn padded_webp(height: u32) -> u32 {
    let rows = height.div_ceil(16);
    let without = rows.saturating_add(2).saturating_mul(3).div_ceil(100);
    rows.saturating_add(without).saturating_add(1).saturating_mul(16)
}

/// The largest window that Zstandard decoders are expected to support (RFC 8878, 3.1.1.1.2), bytes; a larger one can only be meant to exhaust memory.
pub const ZSTANDARD_WINDOW: u64 = 8 << 20;

/// The largest window, in bytes, that decoding the first `content` bytes of a Zstandard frame can need. No match reaches back beyond the beginning of the
/// frame, and a decoder always finishes the block it is in.
pub fn zstandard_window(content: u64) -> u64 {
    const BLOCK: u64 = 128 << 10;
    content.saturating_add(BLOCK)
}

/// Width and height of a GIF, px, from those of its screen and of its first frame. If the screen has no area, or is smaller than the frame, the image has the
/// size of the frame, as in browsers: some writers leave the size of the screen empty.
pub fn gif_canvas(screen: (u16, u16), frame: (u16, u16)) -> (u16, u16) {
    let fits = frame.0 <= screen.0 && frame.1 <= screen.1 && screen.0 > 0 && screen.1 > 0;
    if fits || frame.0 == 0 || frame.1 == 0 { screen } else { frame }
}

/// The header of BMP files: BITMAPFILEHEADER, and BITMAPV5HEADER behind it. Offsets and lengths are in bytes.
pub mod bmp {
    /// Offset of the header of the pixels in the file.
    pub const HEADER: u64 = 14;
    /// Length of the header of version 5, which may embed an ICC profile.
    pub const V5: u32 = 124;
    /// Offset of the type of colour space in that header.
    pub const COLOR_SPACE: u64 = 56;
    /// PROFILE_EMBEDDED: "MBED".
    pub const EMBEDDED: u32 = 0x4D42_4544;
    /// Offset of the field that holds the offset of the ICC profile, which is followed by its length.
    pub const PROFILE: u64 = 112;

    /// The embedded ICC profile of a file, of which all bytes are given.
    pub fn profile(bytes: &[u8]) -> Option<&[u8]> {
        let header = bytes.get(HEADER as usize..)?;
        let number = |place: u64| header.get(place as usize..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let is_embedded = number(0)? == V5 && number(COLOR_SPACE)? == EMBEDDED;
        let (start, length) = (number(PROFILE)? as usize, number(PROFILE + 4)? as usize);
        header.get(start..start.checked_add(length)?).filter(|profile| is_embedded && !profile.is_empty())
    }
}
