//! JPEG by libraries: zune-jpeg for whole images (fast, small), jpeg-decoder where it can do what that cannot (scaled, four components, lossless).
//! jpeg-encoder writes. An engine of our own will take their seat in `crate::jpeg`.

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{corrupt, internal, unsupported};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::render::Raster;

/// Progressive files may have this many scans; real ones have about ten.
const MOST_SCANS: usize = 100;

/// Decoded samples, interleaved, as the stream means them: gray, RGB, or CMYK with 0 for no ink.
pub(super) struct Decoded {
    pub dimensions: Dimensions,
    pub channels: usize,
    pub samples: DecodedSamples,
    pub icc: Option<Vec<u8>>,
}

pub(super) enum DecodedSamples {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

/// How a stream inside another container says what its components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Components {
    /// By its own markers.
    AsMarked,
    /// YCbCr if there are three.
    YCbCr,
    /// What is stored is what is meant.
    Raw,
}

/// Decodes a stream at 1/`reduction` (1, 2, 4, 8) of its size; `memory` is what a second try may take, bytes.
pub(super) fn decode(bytes: &[u8], reduction: u32, components: Components, memory: u64) -> Result<Decoded> {
    let marked = frame(bytes)?;
    check_scans(bytes)?;
    check_length(bytes, &marked)?;
    if reduction > 1 || !marked.plain || components == Components::Raw {
        return decode_special(bytes, reduction, components, marked);
    }
    // Each library fails on some sound files that the other reads; a broken one fails in both.
    decode_plain(bytes, components).or_else(|error| {
        let needs = marked.dimensions.area().saturating_mul(6);
        if needs > memory { Err(error) } else { decode_special(bytes, 1, components, marked).map_err(|_| error) }
    })
}

fn failure(error: impl std::fmt::Display) -> Error {
    corrupt(SourceFormat::Jpeg, 0, error)
}

fn decode_plain(bytes: &[u8], components: Components) -> Result<Decoded> {
    let options = DecoderOptions::default().set_strict_mode(true).set_max_width(65_535).set_max_height(65_535).jpeg_set_max_scans(MOST_SCANS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(failure)?;
    let input = decoder.input_colorspace().ok_or_else(|| internal("a JPEG header without colours"))?;
    let gray = input == ColorSpace::Luma;
    // Within TIFF there are no markers that tell RGB from YCbCr, and none that lie are believed.
    let output = if gray { ColorSpace::Luma } else { ColorSpace::RGB };
    if components == Components::YCbCr && !gray && input != ColorSpace::YCbCr {
        return decode_special(bytes, 1, components, frame(bytes)?);
    }
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let samples = decoder.decode().map_err(failure)?;
    let (width, height) = decoder.info().map(|info| (info.width, info.height)).ok_or_else(|| internal("a decoded JPEG without a size"))?;
    Ok(Decoded {
        dimensions: Dimensions::at_least_one(width.into(), height.into()),
        channels: if gray { 1 } else { 3 },
        samples: DecodedSamples::U8(samples),
        icc: decoder.icc_profile(),
    })
}

fn decode_special(bytes: &[u8], reduction: u32, components: Components, marked: Frame) -> Result<Decoded> {
    let mut decoder = Decoder::new(bytes);
    let transform = match (components, marked.channels) {
        (Components::YCbCr, 3) => Some(ColorTransform::YCbCr),
        (Components::Raw, 3) => Some(ColorTransform::RGB),
        (Components::Raw, 4) => Some(ColorTransform::CMYK),
        _ => None,
    };
    if let Some(transform) = transform {
        decoder.set_color_transform(transform);
    }
    let error = |error| match error {
        jpeg_decoder::Error::Unsupported(feature) => unsupported(SourceFormat::Jpeg, format!("{feature:?}")),
        other => failure(other),
    };
    decoder.read_info().map_err(error)?;
    if reduction > 1 {
        let side = |side: u32| u16::try_from(side.div_ceil(reduction)).unwrap_or(u16::MAX);
        decoder.scale(side(marked.dimensions.width()), side(marked.dimensions.height())).map_err(error)?;
    }
    let mut data = decoder.decode().map_err(error)?;
    let info = decoder.info().ok_or_else(|| internal("a decoded JPEG without a size"))?;
    let channels = match info.pixel_format {
        PixelFormat::L8 | PixelFormat::L16 => 1,
        PixelFormat::RGB24 => 3,
        PixelFormat::CMYK32 => 4,
    };
    // That decoder takes inks for Adobe's, which are stored inverted; without Adobe's marker they are not.
    if channels == 4 && (components == Components::Raw || !marked.adobe) {
        data.iter_mut().for_each(|ink| *ink = 255 - *ink);
    }
    let expected = usize::from(info.width) * usize::from(info.height) * info.pixel_format.pixel_bytes();
    if data.len() != expected {
        return Err(unsupported(SourceFormat::Jpeg, format!("{} bits in several components", marked.precision)));
    }
    let samples = if info.pixel_format == PixelFormat::L16 {
        // What is stored fills the lower bits.
        let shift = 16_u32.saturating_sub(marked.precision.into());
        DecodedSamples::U16(data.as_chunks::<2>().0.iter().map(|pair| u16::from_ne_bytes(*pair) << shift).collect())
    } else {
        DecodedSamples::U8(data)
    };
    Ok(Decoded { dimensions: Dimensions::at_least_one(info.width.into(), info.height.into()), channels, samples, icc: decoder.icc_profile() })
}

/// What must be known before a decoder is let at a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub dimensions: Dimensions,
    pub channels: u8,
    /// Fewest bits that the entropy-coded data can have: one or two for each block.
    least_bits: u64,
    precision: u8,
    adobe: bool,
    /// Whether zune-jpeg can be trusted with it: not with four components, lossless coding, scans of single components, or a lone subsampled one.
    plain: bool,
}

/// The frame header of a stream (ITU T.81, B.2.2), and what the segments around it say.
pub(super) fn frame(bytes: &[u8]) -> Result<Frame> {
    let mut adobe = false;
    let mut frame = None;
    for (marker, at, segment) in segments(bytes) {
        match marker {
            0xEE => adobe |= segment.starts_with(b"Adobe"),
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let &[precision, h1, h0, w1, w0, channels, _, sampling, ..] = segment else { break };
                // A block takes a code for its DC and one for the end of its AC coefficients; in a progressive DC scan the first alone.
                let codes = if marker == 0xC2 { 1 } else { 2 };
                let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
                let dimensions = Dimensions::new(width.into(), height.into()).ok_or_else(|| corrupt(SourceFormat::Jpeg, at as u64, "a frame of no pixels"))?;
                let plain = matches!(channels, 1 | 3) && marker != 0xC3 && (channels != 1 || sampling == 0x11);
                let least_bits = if marker == 0xC3 { dimensions.area() } else { blocks(dimensions, &segment[6..]) * codes };
                frame = Some((marker, Frame { dimensions, channels, least_bits, precision, adobe, plain }));
            }
            0xDA => {
                let Some((process, found)) = frame else { break };
                let together = process == 0xC2 || segment.first() == Some(&found.channels);
                return Ok(Frame { adobe, plain: found.plain && together, ..found });
            }
            _ => {}
        }
    }
    Err(failure("no frame header before its first scan"))
}

/// Blocks of 8 × 8 samples in all components (A.1.1), from the frame header's component specifications.
fn blocks(dimensions: Dimensions, components: &[u8]) -> u64 {
    let factors = components.as_chunks::<3>().0.iter().map(|[_, sampling, _]| (u64::from(sampling >> 4), u64::from(sampling & 15)));
    let most = factors.clone().fold((1, 1), |most, factor| (most.0.max(factor.0), most.1.max(factor.1)));
    let across = |size: u32, factor: u64, most: u64| (u64::from(size) * factor).div_ceil(8 * most);
    factors.map(|factor| across(dimensions.width(), factor.0, most.0) * across(dimensions.height(), factor.1, most.1)).sum()
}

/// The marker segments up to the first scan: marker, offset, content.
fn segments(bytes: &[u8]) -> impl Iterator<Item = (u8, usize, &[u8])> {
    let mut at = 2;
    std::iter::from_fn(move || {
        loop {
            // Bytes between segments are passed over, as other readers do.
            at += bytes.get(at..)?.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))?;
            let marker = *bytes.get(at + 1)?;
            if matches!(marker, 0x01 | 0xD0..=0xD8) {
                at += 2;
                continue;
            }
            let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
            let segment = bytes.get(at + 4..at + 2 + length.max(2))?;
            let start = at;
            at += 2 + length.max(2);
            return Some((marker, start, segment));
        }
    })
}

/// Walks from marker to marker (B.1.1.2) to the end of the image: it must come, or the file was cut, which both libraries would fill with gray.
/// A few kilobytes can hold thousands of scans over a large image, each costing a pass over it. What lies behind the end is not looked at.
fn check_scans(bytes: &[u8]) -> Result<()> {
    let mut scans = 0;
    let mut at = 2;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))) {
        at += found;
        let length = bytes.get(at + 2..at + 4).map_or(0, |length| usize::from(u16::from_be_bytes([length[0], length[1]])));
        match bytes[at + 1] {
            0xD9 if scans > 0 => return Ok(()),
            0xDA if scans == MOST_SCANS => return Err(failure(format!("more than {MOST_SCANS} scans"))),
            0xDA => {
                scans += 1;
                at += 2 + length;
            }
            // Tables, frame headers, application data and comments; anything else has no length, or is no marker.
            0xC0..=0xCF | 0xDB..=0xEF | 0xFE => at += 2 + length,
            _ => at += 2,
        }
    }
    Err(corrupt(SourceFormat::Jpeg, bytes.len() as u64, "its data ends before the end marker (EOI)"))
}

/// A few bytes that claim to be many megapixels are cut or hostile, and are told so before they are given that much time.
fn check_length(bytes: &[u8], frame: &Frame) -> Result<()> {
    if frame.least_bits <= bytes.len() as u64 * 8 {
        return Ok(());
    }
    Err(corrupt(SourceFormat::Jpeg, bytes.len() as u64, format!("its data are too few for {} pixels", frame.dimensions)))
}

/// A gray or RGB raster as baseline JPEG, chroma at half size each way below quality 90.
pub(super) fn encode(raster: &Raster, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(raster.data.len() / 6);
    let side = |side: u32| u16::try_from(side).map_err(internal);
    let (width, height) = (side(raster.dimensions.width())?, side(raster.dimensions.height())?);
    let color = if raster.is_gray() { jpeg_encoder::ColorType::Luma } else { jpeg_encoder::ColorType::Rgb };
    jpeg_encoder::Encoder::new(&mut bytes, quality).encode(&raster.data, width, height, color).map_err(internal)?;
    Ok(bytes)
}
