//! Codecs that are large for how rarely a request needs them.
//!
//! The core calls them through four traits: [`Decoder`], [`Unpacker`], [`Encoder`] and [`Converter`]. Where the codecs are compiled in, it calls the functions of the same names
//! in this crate. Where they are not, the host loads a WebAssembly module that has the codec, and the core calls it. A module is this crate, built with the feature
//! `module` and the feature of the same name as the module. Both are the same code, and give the same bytes.
//!
//! To add a codec, add a line to [`Codec`], and an arm to [`decoder`], [`unpacker`], [`encoder`] or [`converter`].

#[cfg(feature = "bmp")]
mod bmp;
#[cfg(any(feature = "gif", feature = "mozjpeg", feature = "webp"))]
mod collected;
#[cfg(any(feature = "bmp", feature = "gif", feature = "webp"))]
mod decoded;
#[cfg(feature = "gif")]
mod gif;
mod headers;
#[cfg(feature = "icc")]
mod icc;
#[cfg(feature = "module")]
mod module;
#[cfg(feature = "mozjpeg")]
mod mozjpeg;
#[cfg(feature = "tiff")]
mod unpack;
#[cfg(feature = "webp")]
mod vp8l;
#[cfg(feature = "webp")]
mod webp;
#[cfg(feature = "tiff")]
mod zstandard;

use std::borrow::Cow;
use std::fmt;

#[cfg(any(feature = "gif", feature = "mozjpeg", feature = "webp"))]
use collected::Collected;

pub use headers::{ALPHA_FLAG, ANIMATION_FLAG, LARGE_WEBP, MEDIUM, PIECE, ZSTANDARD_WINDOW, bmp as bmp_header, gif_canvas, padded_webp, zstandard_window};

macro_rules! codecs {
    ($($(#[$doc:meta])* $codec:ident = $name:literal in $module:literal),+ $(,)?) => {
        /// A codec.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Codec { $($(#[$doc])* $codec),+ }

        impl Codec {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$codec),+];

            /// Its name, by which a module knows it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$codec => $name),+ }
            }

            /// The name of the module that has it.
            pub const fn module(self) -> &'static str {
                match self { $(Self::$codec => $module),+ }
            }
        }
    };
}

codecs! {
    /// Decodes BMP.
    Bmp = "bmp" in "bmp",
    /// Decodes and encodes GIF.
    Gif = "gif" in "gif",
    /// Converts colours by the tables of an ICC profile.
    Icc = "icc" in "icc",
    /// Encodes baseline JPEG as small as it can be made, by trellis quantization.
    SmallJpeg = "jpeg-small" in "mozjpeg",
    /// Unpacks LZW (TIFF 6.0, section 13).
    Lzw = "lzw" in "tiff",
    /// Unpacks Zstandard (RFC 8878).
    Zstandard = "zstandard" in "tiff",
    /// Decodes and encodes WebP.
    WebP = "webp" in "webp",
}

impl Codec {
    /// The codec of a name. [`Fault::Internal`] if there is none: no other codec takes its place.
    pub fn named(name: &str) -> Result<Self, Fault> {
        Self::ALL.iter().copied().find(|codec| codec.name() == name).ok_or_else(|| Fault::Internal(format!("there is no codec {name:?}")))
    }
}

/// Width and height, px. Neither is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// Number of pixels.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} × {}", self.width, self.height)
    }
}

/// What can go wrong in a codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The file is broken.
    Corrupt(String),
    /// The file is of a kind that is not supported.
    Unsupported(String),
    /// A state that should be impossible.
    Internal(String),
    /// Pixels differ from those that came before.
    Changed,
}

/// The samples of a decoded pixel: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA; alpha is straight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Samples of a pixel, 1 to 4.
    pub channels: usize,
    /// Whether a sample has 16 bits instead of 8.
    pub wide: bool,
}

/// Samples of complete rows, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows<'a> {
    /// 8 bits each.
    U8(&'a [u8]),
    /// 16 bits each.
    U16(&'a [u16]),
}

/// A decoder of a file, which gives its rows from the top.
pub trait Decoder {
    /// What its samples are.
    fn layout(&self) -> Layout;

    /// Takes the embedded ICC profile. An empty one stands for a profile that cannot be read.
    fn take_icc(&mut self) -> Option<Vec<u8>>;

    /// Drops alpha if it can tell that no pixel needs it. Must be called before the first rows are taken.
    fn drop_needless_alpha(&mut self) {}

    /// The next rows: at least one and at most `most`, or none if all have been given. On [`Fault::Corrupt`], all rows that could be decoded have been given.
    fn rows(&mut self, most: u32) -> Result<Rows<'_>, Fault>;

    /// Of a damaged file whose missing pixels the decoder fills itself: how many rows lie above the first one that could not be decoded, and what is wrong.
    fn damage(&self) -> Option<(u32, &str)>;
}

/// What a streaming decoder took of its input, and what it made, bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Progress {
    pub consumed: usize,
    pub produced: usize,
}

/// A decoder of packed bytes, which is fed with pieces of them.
pub trait Unpacker {
    /// Decodes a piece of the data into `out`. If no bytes are taken and none are made, it needs a longer piece; if this was the `last` one, the data have ended.
    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, Fault>;
}

/// Runs a streaming decoder over complete data until `out` is full. Returns how many bytes it made, and the fault that stopped it, if any.
pub fn run<E>(data: &[u8], out: &mut [u8], mut decode: impl FnMut(&[u8], &mut [u8]) -> Result<Progress, E>) -> (usize, Option<E>) {
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        match decode(&data[read..], &mut out[written..]) {
            Ok(Progress { consumed: 0, produced: 0 }) => break,
            Ok(Progress { consumed, produced }) => (read, written) = (read + consumed, written + produced),
            Err(fault) => return (written, Some(fault)),
        }
    }
    (written, None)
}

/// How a file is encoded. A codec ignores what it does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Encoding {
    /// 0 to 100, for lossy codecs.
    pub quality: u8,
    /// Without loss (WebP).
    pub lossless: bool,
    /// All samples are 0 or 255 (WebP without loss).
    pub bitonal: bool,
    /// Chroma has half as many samples in both directions (JPEG).
    pub subsampled: bool,
}

/// An encoder of a file, which is fed with its rows from the top.
pub trait Encoder {
    /// Adds the samples of complete rows, 8 bits each. An encoder that needs all pixels at once takes them over, if they come at once and are owned.
    fn push(&mut self, samples: Cow<'_, [u8]>) -> Result<(), Fault>;

    /// Whether all rows have been counted, and must now be pushed again. [`Fault::Changed`] follows if they differ from those of the first pass.
    fn is_counted(&self) -> bool {
        false
    }

    /// Number of complete bytes of the file that can be taken.
    fn held(&self) -> usize {
        0
    }

    /// Takes the complete bytes of the file.
    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// The rest of the file, once all rows have been pushed.
    fn finish(&mut self) -> Result<Vec<u8>, Fault>;
}

/// A conversion of colours to sRGB.
pub trait Converter: Send + Sync {
    /// Appends what samples of 8 bits become: RGB, or gray if they are gray.
    fn narrow(&self, samples: &[u8], out: &mut Vec<u8>) -> Result<(), Fault>;

    /// The same from samples of 16 bits.
    fn wide(&self, samples: &[u16], out: &mut Vec<u8>) -> Result<(), Fault>;
}

/// The conversion by an ICC profile, of pixels of `colors` samples: 1 gray, 3 RGB, 4 CMYK. [`Fault::Unsupported`] if the profile has no tables that can be used.
pub fn converter(codec: Codec, icc: &[u8], colors: usize) -> Result<Box<dyn Converter>, Fault> {
    let _ = (icc, colors);
    match codec {
        #[cfg(feature = "icc")]
        Codec::Icc => Ok(Box::new(icc::Tables::new(icc, colors)?)),
        other => none(other, "converter"),
    }
}

/// Begins to decode a file, whose header says that it has the size `planned`. The decoder allocates at most `memory` bytes for itself.
pub fn decoder(codec: Codec, bytes: Vec<u8>, planned: Size, memory: u64) -> Result<Box<dyn Decoder>, Fault> {
    let _ = (&bytes, planned, memory);
    match codec {
        #[cfg(feature = "bmp")]
        Codec::Bmp => Ok(Box::new(bmp::decode(&bytes, planned)?)),
        #[cfg(feature = "gif")]
        Codec::Gif => Ok(Box::new(gif::decode(&bytes, planned, memory)?)),
        #[cfg(feature = "webp")]
        Codec::WebP => Ok(Box::new(webp::decode(bytes, planned, memory)?)),
        other => none(other, "decoder"),
    }
}

/// Begins to unpack data, of which the first `content` unpacked bytes are wanted.
pub fn unpacker(codec: Codec, content: u64) -> Result<Box<dyn Unpacker>, Fault> {
    let _ = content;
    match codec {
        #[cfg(feature = "tiff")]
        Codec::Lzw => Ok(Box::new(unpack::Lzw::default())),
        #[cfg(feature = "tiff")]
        Codec::Zstandard => Ok(Box::new(unpack::Zstandard::new(content))),
        other => none(other, "unpacker"),
    }
}

/// Begins to encode a file of pixels with `channels` samples: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
pub fn encoder(codec: Codec, size: Size, channels: usize, encoding: Encoding) -> Result<Box<dyn Encoder>, Fault> {
    let _ = (size, channels, encoding);
    match codec {
        #[cfg(feature = "gif")]
        Codec::Gif => Ok(Box::new(Collected::new(size, channels, gif::encode))),
        #[cfg(feature = "mozjpeg")]
        Codec::SmallJpeg => Ok(Box::new(Collected::new(size, channels, move |raster| mozjpeg::encode(&raster, encoding)))),
        #[cfg(feature = "webp")]
        Codec::WebP if encoding.lossless => Ok(Box::new(vp8l::Rows::new(size, channels, encoding.bitonal))),
        #[cfg(feature = "webp")]
        Codec::WebP => Ok(Box::new(Collected::new(size, channels, move |raster| webp::encode(raster, encoding.quality)))),
        other => none(other, "encoder"),
    }
}

/// The codec is of another kind, or is not compiled in.
fn none<T>(codec: Codec, what: &str) -> Result<T, Fault> {
    Err(Fault::Internal(format!("no {what} of {} is compiled in", codec.name())))
}

/// An impossible state, in the words of a library.
#[cfg(any(feature = "gif", feature = "mozjpeg", feature = "webp", feature = "bmp"))]
fn internal(what: impl fmt::Display) -> Fault {
    Fault::Internal(what.to_string())
}
