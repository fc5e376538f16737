//! How the pixels of a directory are stored: compression, colour model, samples.

use super::ifd::{Directory, Header};
use crate::bytes::ByteStore;
use crate::error::{Error, SourceFormat, Stop};
use crate::pyramid::level::{Association, Compression, Fax, Model, SampleKind, Samples};

mod tag {
    pub const BITS_PER_SAMPLE: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const SAMPLES_PER_PIXEL: u16 = 277;
    pub const PLANAR_CONFIGURATION: u16 = 284;
    pub const T4_OPTIONS: u16 = 292;
    pub const PREDICTOR: u16 = 317;
    pub const COLOR_MAP: u16 = 320;
    pub const INK_SET: u16 = 332;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const YCBCR_SUBSAMPLING: u16 = 530;
}

/// Most samples per pixel that are read.
const MOST_SAMPLES: u64 = 64;

/// What a directory says about its pixels, after the tags have been checked against each other.
pub(super) struct Storage {
    pub compression: Compression,
    pub model: Model,
    pub samples: Samples,
}

impl Storage {
    pub fn read(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Self, Stop> {
        let number = |tag, default| directory.number_or(store, header, tag, default);
        let compression = compression(number(tag::COMPRESSION, 1)?, number(tag::T4_OPTIONS, 0)?)?;
        let mut samples = samples(store, header, directory)?;
        let model = model(store, header, directory, &samples, compression)?;
        let extra = directory.numbers(store, header, tag::EXTRA_SAMPLES, MOST_SAMPLES)?;
        settle(&mut samples, &model, compression, &extra)?;
        Ok(Self { compression, model, samples })
    }
}

impl Storage {
    /// The same for a transparency mask: one sample per pixel, 0 where nothing is shown.
    pub fn read_mask(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Self, Stop> {
        let number = |tag, default| directory.number_or(store, header, tag, default);
        let compression = compression(number(tag::COMPRESSION, 1)?, number(tag::T4_OPTIONS, 0)?)?;
        let (mut samples, model) = (samples(store, header, directory)?, Model::BlackIsZero);
        let photometric = number(tag::PHOTOMETRIC, 4)?;
        // GDAL writes 1 bit. All tools interpret masks of 8 bits in the same way.
        if !matches!(photometric, 1 | 4) || samples.count != 1 || !matches!(samples.bits, 1 | 8) || samples.kind != SampleKind::Unsigned {
            return Err(unsupported("a transparency mask of other than one sample of 1 or 8 bits"));
        }
        settle(&mut samples, &model, compression, &[])?;
        Ok(Self { compression, model, samples })
    }
}

fn unsupported(feature: impl Into<String>) -> Stop {
    Stop::Fail(Error::SourceUnsupported { format: Some(SourceFormat::Tiff), feature: feature.into() })
}

fn compression(code: u64, t4_options: u64) -> Result<Compression, Stop> {
    Ok(match code {
        1 => Compression::None,
        2 => Compression::Fax(Fax::ModifiedHuffman),
        3 if t4_options & 1 == 0 => Compression::Fax(Fax::Group3OneDimensional),
        3 => Compression::Fax(Fax::Group3TwoDimensional),
        4 => Compression::Fax(Fax::Group4),
        5 => Compression::Lzw,
        7 => Compression::Jpeg,
        8 | 32946 => Compression::Deflate,
        32773 => Compression::PackBits,
        50000 => Compression::Zstandard,
        50001 => Compression::WebP,
        _ => return Err(unsupported(format!("compression {}", name_of_compression(code)))),
    })
}

fn name_of_compression(code: u64) -> String {
    let name = match code {
        6 => "old-style JPEG",
        9 | 10 | 34661 => "JBIG",
        33003 | 33005 | 34712 => "JPEG 2000",
        34676 | 34677 => "SGI LogLuv",
        34887 => "LERC",
        34925 => "LZMA",
        50002 | 52546 => "JPEG XL",
        _ => return code.to_string(),
    };
    format!("{code} ({name})")
}

fn samples(store: &ByteStore, header: &Header, directory: &Directory) -> Result<Samples, Stop> {
    let number = |tag, default| directory.number_or(store, header, tag, default);
    let stated = directory.numbers(store, header, tag::BITS_PER_SAMPLE, MOST_SAMPLES)?;
    let default = if number(tag::PHOTOMETRIC, 1)? == 6 { 3 } else { 1 };
    let count = number(tag::SAMPLES_PER_PIXEL, default)?;
    let bits = stated.first().copied().unwrap_or(1);
    if count == 0 || count > MOST_SAMPLES {
        return Err(unsupported(format!("{count} samples per pixel")));
    }
    // Some writers store one value of BitsPerSample for all samples; it applies to each of them.
    if stated.iter().take(usize::try_from(count).unwrap_or(usize::MAX)).any(|other| *other != bits) {
        return Err(unsupported("samples of different depths"));
    }
    let bits = u8::try_from(bits).ok().filter(|bits| (1..=64).contains(bits)).ok_or_else(|| unsupported(format!("{bits} bits per sample")))?;
    let kind = match number(tag::SAMPLE_FORMAT, 1)? {
        2 => SampleKind::Signed,
        3 => SampleKind::Float,
        5 | 6 => return Err(unsupported("complex samples")),
        _ => SampleKind::Unsigned,
    };
    let predictor = number(tag::PREDICTOR, 1)?;
    Ok(Samples {
        count: u16::try_from(count).unwrap_or(1),
        bits,
        kind,
        planar: number(tag::PLANAR_CONFIGURATION, 1)? == 2 && count > 1,
        predictor: u8::try_from(predictor).unwrap_or(u8::MAX),
        endian: header.endian,
        reversed: number(tag::FILL_ORDER, 1)? == 2,
        alpha: None,
    })
}

/// PhotometricInterpretation. If the tag is missing, a likely value, the same that libtiff assumes: TIFF defines no default for it.
fn photometric(store: &ByteStore, header: &Header, directory: &Directory, samples: &Samples, compression: Compression) -> Result<u64, Stop> {
    if let Some(code) = directory.number(store, header, tag::PHOTOMETRIC)? {
        return Ok(code);
    }
    Ok(match compression {
        Compression::Fax(_) => 0,
        _ if samples.count == 4 && directory.array(tag::INK_SET).is_some() => 5,
        _ if samples.count >= 3 => 2,
        _ => 1,
    })
}

fn model(store: &ByteStore, header: &Header, directory: &Directory, samples: &Samples, compression: Compression) -> Result<Model, Stop> {
    Ok(match photometric(store, header, directory, samples, compression)? {
        0 => Model::WhiteIsZero,
        1 => Model::BlackIsZero,
        2 => Model::Rgb,
        3 => {
            let colors = directory.numbers(store, header, tag::COLOR_MAP, 3 << 16)?;
            let wanted = 3_usize.checked_shl(samples.bits.into()).unwrap_or(usize::MAX);
            if samples.bits > 16 || colors.len() < wanted {
                return Err(header.cursor(store, directory.at).corrupt(format!("a palette of {} numbers for {} bits", colors.len(), samples.bits)));
            }
            Model::Palette(colors.into_iter().map(|value| u16::try_from(value).unwrap_or(u16::MAX)).collect())
        }
        5 if directory.number_or(store, header, tag::INK_SET, 1)? == 1 => Model::Cmyk,
        5 => return Err(unsupported("inks other than CMYK")),
        6 if compression == Compression::Jpeg && !samples.planar => Model::YCbCr(1, 1),
        6 => {
            let sub = directory.numbers(store, header, tag::YCBCR_SUBSAMPLING, 2)?;
            let factor = |index: usize| match sub.get(index).copied().unwrap_or(2) {
                1 => Ok(1),
                2 => Ok(2),
                4 => Ok(4),
                other => Err(unsupported(format!("chroma subsampling by {other}"))),
            };
            Model::YCbCr(factor(0)?, factor(1)?)
        }
        8 => Model::CieLab,
        9 => Model::IccLab,
        4 => return Err(unsupported("a transparency mask as the image")),
        other => return Err(unsupported(format!("photometric interpretation {other}"))),
    })
}

/// Refuses combinations of tags that cannot be decoded, and fills in what the colour model implies.
fn settle(samples: &mut Samples, model: &Model, compression: Compression, extra: &[u64]) -> Result<(), Stop> {
    let colors = model.colors();
    if samples.count < colors {
        return Err(unsupported(format!("{} samples per pixel where the colour model has {colors}", samples.count)));
    }
    // These codecs have one type of samples, whatever SampleFormat says.
    if matches!(compression, Compression::Jpeg | Compression::WebP | Compression::Fax(_)) {
        samples.kind = SampleKind::Unsigned;
    }
    // Palette indexes have no sign. Whether a* and b* are signed is defined by the colour model.
    if samples.kind == SampleKind::Signed && matches!(model, Model::Palette(_) | Model::CieLab | Model::IccLab) {
        samples.kind = SampleKind::Unsigned;
    }
    samples.alpha = alpha(samples, model, extra);
    if samples.is_float() && !matches!(samples.bits, 16 | 24 | 32 | 64) {
        return Err(unsupported(format!("floating point of {} bits", samples.bits)));
    }
    settle_model(samples, model)?;
    settle_predictor(samples, model, compression)?;
    match compression {
        Compression::Jpeg if samples.bits != 8 || samples.count > 4 => Err(unsupported(format!("JPEG of {} samples of {} bits", samples.count, samples.bits))),
        Compression::WebP if samples.bits != 8 || !matches!(samples.count, 3 | 4) || samples.planar => {
            Err(unsupported(format!("WebP of {} samples of {} bits", samples.count, samples.bits)))
        }
        Compression::Fax(_) if samples.bits != 1 || samples.count != 1 => Err(unsupported("CCITT compression of other than one bit")),
        _ => Ok(()),
    }
}

/// Whether the first extra sample is alpha, and of which kind.
fn alpha(samples: &Samples, model: &Model, extra: &[u64]) -> Option<Association> {
    let beyond = samples.count.checked_sub(model.colors()).filter(|beyond| *beyond > 0)?;
    match extra.first() {
        // The colours of a palette cannot be premultiplied by the alpha of a pixel.
        Some(1) if matches!(model, Model::Palette(_)) => Some(Association::Unassociated),
        Some(1) => Some(Association::Associated),
        Some(2) => Some(Association::Unassociated),
        Some(_) => None,
        // Without ExtraSamples, a fourth sample of RGB and a second sample of gray are taken for unassociated alpha, as libvips does. In images of measurements
        // (signed or floating point), an additional sample is more likely data.
        None => {
            let colors = matches!(model, Model::Rgb | Model::BlackIsZero | Model::WhiteIsZero);
            (colors && beyond == 1 && samples.kind == SampleKind::Unsigned).then_some(Association::Unassociated)
        }
    }
}

/// Refuses types of samples for which a colour model is not defined.
fn settle_model(samples: &Samples, model: &Model) -> Result<(), Stop> {
    let Samples { bits, kind, .. } = *samples;
    let name = match kind {
        SampleKind::Unsigned => "unsigned",
        SampleKind::Signed => "signed",
        SampleKind::Float => "floating-point",
    };
    let refused = |what: &str| Err(unsupported(format!("{what} of {name} samples of {bits} bits")));
    // Where zero is in the middle of the range, no specification says what premultiplying by alpha means.
    let centred = kind == SampleKind::Signed || matches!(model, Model::YCbCr(..) | Model::CieLab | Model::IccLab);
    if samples.alpha == Some(Association::Associated) && centred {
        return Err(unsupported("associated alpha with colours that have their zero in the middle"));
    }
    match model {
        Model::Palette(_) if kind == SampleKind::Float => refused("a palette"),
        Model::YCbCr(..) if kind != SampleKind::Unsigned || bits > 16 => refused("YCbCr"),
        Model::YCbCr(across, down) if (*across, *down) != (1, 1) && (bits != 8 || samples.count != 3 || samples.planar) => {
            Err(unsupported("subsampled YCbCr of other than three interleaved samples of 8 bits"))
        }
        // Floating-point samples hold L*, a* and b* as plain numbers, as libvips writes them.
        Model::CieLab if kind != SampleKind::Float && !matches!(bits, 8 | 16) => refused("CIE L*a*b*"),
        Model::IccLab if kind == SampleKind::Float || !matches!(bits, 8 | 16) => refused("ICC L*a*b*"),
        _ => Ok(()),
    }
}

/// Sets `predictor` to the one that must be undone, and refuses those that cannot be undone.
fn settle_predictor(samples: &mut Samples, model: &Model, compression: Compression) -> Result<(), Stop> {
    // Other compressions have no predictor, whatever the tag says, as in libtiff.
    if !matches!(compression, Compression::Lzw | Compression::Deflate | Compression::Zstandard) {
        samples.predictor = 1;
    }
    let subsampled = matches!(model, Model::YCbCr(across, down) if (*across, *down) != (1, 1));
    match samples.predictor {
        // Some writers store 0 for no predictor.
        0 | 1 => samples.predictor = 1,
        other if subsampled => return Err(unsupported(format!("predictor {other} on subsampled YCbCr"))),
        2 if matches!(samples.bits, 8 | 16 | 32 | 64) => {}
        3 if samples.is_float() => {}
        other => {
            return Err(unsupported(format!(
                "predictor {other} on {} samples of {} bits",
                if samples.is_float() { "floating-point" } else { "integer" },
                samples.bits
            )));
        }
    }
    Ok(())
}
