//! Marker codes (T.81, table B.1).

/// Frame header of the baseline process; the others follow up to 0xCF.
pub(super) const SOF0: u8 = 0xC0;
/// Huffman tables.
pub(super) const DHT: u8 = 0xC4;
/// First of the eight restart markers.
pub(super) const RST0: u8 = 0xD0;
/// Start of image.
pub(super) const SOI: u8 = 0xD8;
/// End of image.
pub(super) const EOI: u8 = 0xD9;
/// Start of scan.
pub(super) const SOS: u8 = 0xDA;
/// Quantization tables.
pub(super) const DQT: u8 = 0xDB;
/// Restart interval.
pub(super) const DRI: u8 = 0xDD;
/// First of the sixteen application segments.
pub(super) const APP0: u8 = 0xE0;
/// What an ICC profile's segments begin with (ICC.1, annex B.4); number and count of the part follow.
pub(super) const ICC_NAME: &[u8] = b"ICC_PROFILE\0";
