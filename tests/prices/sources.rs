//! Files to measure, made in memory: every container, coding, colour model, depth and layout that prices tell apart.

use std::io::Write;
use std::path::Path;

use azulejo::api::{Service, Version};
use azulejo::{EncodeOptions, native};
use image::{ColorType, ExtendedColorType, ImageEncoder};

#[path = "../profiles.rs"]
mod profiles;

/// A file and what it is.
#[derive(Clone)]
pub struct Source {
    pub name: String,
    pub bytes: Vec<u8>,
    /// The only request that is asked of it.
    pub request: Option<&'static str>,
}

/// Small files of hundreds of megapixels, which are all asked for.
pub fn attacks() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attack");
    let of =
        |name: &str| Source { name: format!("{name}-attack"), bytes: std::fs::read(folder.join(name)).unwrap(), request: Some("full/3500,/0/default.jpg") };
    ["bits1-30000.tif", "g4-strips-30000.tif", "lab-13900.tif"].map(of).into()
}

/// Waves under some noise: what compresses neither well nor badly.
pub fn samples(width: u32, height: u32, channels: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity((width * height * channels) as usize);
    for y in 0..height {
        for x in 0..width {
            let noise = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35) >> 28;
            for channel in 0..channels {
                let wave = ((x * (channel + 1) / 7) % 256).abs_diff((y / 5) % 256);
                out.push((wave + noise) as u8);
            }
        }
    }
    out
}

/// What compresses not at all.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(count)
    .collect()
}

fn opaque(samples: &mut [u8], channels: usize) {
    samples.iter_mut().skip(channels - 1).step_by(channels).for_each(|alpha| *alpha = (*alpha).max(128));
}

fn png(width: u32, height: u32, color: ColorType) -> Vec<u8> {
    let mut data = samples(width, height, color.bytes_per_pixel().into());
    if color == ColorType::Rgba8 {
        opaque(&mut data, 4);
    }
    png_of(&data, width, height, color)
}

fn png_of(data: &[u8], width: u32, height: u32, color: ColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(data, width, height, color.into()).unwrap();
    bytes
}

fn with_profile(mut encoder: impl ImageEncoder, width: u32, height: u32) {
    encoder.set_icc_profile(profile(3, 17)).unwrap();
    encoder.write_image(&samples(width, height, 3), width, height, ExtendedColorType::Rgb8).unwrap();
}

fn png_with_profile(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    with_profile(image::codecs::png::PngEncoder::new(&mut bytes), width, height);
    bytes
}

fn webp_with_profile(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    with_profile(image::codecs::webp::WebPEncoder::new_lossless(&mut bytes), width, height);
    bytes
}

fn webp_lossless(width: u32, height: u32, alpha: bool) -> Vec<u8> {
    let (channels, color) = if alpha { (4, ExtendedColorType::Rgba8) } else { (3, ExtendedColorType::Rgb8) };
    let mut data = samples(width, height, channels);
    if alpha {
        opaque(&mut data, 4);
    }
    let mut bytes = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut bytes).write_image(&data, width, height, color).unwrap();
    bytes
}

fn jpeg(width: u32, height: u32, color: jpeg_encoder::ColorType, sampling: jpeg_encoder::SamplingFactor, progressive: bool) -> Vec<u8> {
    let channels = match color {
        jpeg_encoder::ColorType::Luma => 1,
        jpeg_encoder::ColorType::Cmyk => 4,
        _ => 3,
    };
    jpeg_of(&samples(width, height, channels), width, height, color, sampling, progressive)
}

fn jpeg_of(data: &[u8], width: u32, height: u32, color: jpeg_encoder::ColorType, sampling: jpeg_encoder::SamplingFactor, progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(progressive);
    encoder.encode(data, width as u16, height as u16, color).unwrap();
    bytes
}

/// A profile whose table has so many steps for each of its colours.
fn profile(colors: usize, steps: usize) -> Vec<u8> {
    profiles::profile(colors, steps, (0..).map(|index: u32| (index.wrapping_mul(7919) % 0xFF00) as u16))
}

fn jpeg_with_profile(width: u32, height: u32, color: jpeg_encoder::ColorType, progressive: bool, steps: usize) -> Vec<u8> {
    let channels = if color == jpeg_encoder::ColorType::Cmyk { 4 } else { 3 };
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.set_progressive(progressive);
    encoder.add_icc_profile(&profile(channels, steps)).unwrap();
    encoder.encode(&samples(width, height, channels as u32), width as u16, height as u16, color).unwrap();
    bytes
}

/// What a TIFF is like.
#[derive(Clone, Copy)]
pub struct Layout {
    pub width: u32,
    pub height: u32,
    /// Side of tiles, or rows of a strip.
    pub tile: Option<u32>,
    pub rows: u32,
    /// 1 none, 5 LZW, 7 JPEG, 8 Deflate, 32773 PackBits, 50000 Zstandard.
    pub compression: u16,
    pub photometric: u16,
    pub bits: u16,
    pub samples: u16,
    /// ExtraSamples of the last sample.
    pub extra: Option<u16>,
    pub planar: bool,
    pub orientation: u16,
    /// Its samples are noise.
    pub noise: bool,
    /// Steps of the tables of its ICC profile; it has none if there are none.
    pub profile: usize,
}

pub const RGB: Layout = Layout {
    width: 0,
    height: 0,
    tile: None,
    rows: 16,
    compression: 1,
    photometric: 2,
    bits: 8,
    samples: 3,
    extra: None,
    planar: false,
    orientation: 1,
    noise: false,
    profile: 0,
};

/// A TIFF of one directory, little-endian.
pub fn tiff(layout: &Layout) -> Vec<u8> {
    let Layout { width, height, tile, rows, .. } = *layout;
    let (chunk_width, chunk_height) = tile.map_or((width, rows.min(height)), |side| (side, side));
    let (columns, lines) = (width.div_ceil(chunk_width), height.div_ceil(chunk_height));
    let planes = if layout.planar { u32::from(layout.samples) } else { 1 };
    let per_pixel = if layout.planar { 1 } else { u32::from(layout.samples) };
    let mut file = b"II\x2a\0\0\0\0\0".to_vec();
    let (mut offsets, mut counts) = (Vec::new(), Vec::new());
    for _ in 0..planes {
        for line in 0..lines {
            let height = if tile.is_some() { chunk_height } else { chunk_height.min(height - line * chunk_height) };
            let stride = (chunk_width * per_pixel * u32::from(layout.bits)).div_ceil(8);
            // One chunk serves a whole row of chunks.
            let plain = if layout.noise { noise((stride * height) as usize) } else { samples(stride, height, 1) };
            let chunk = compress(layout, plain, (chunk_width, height));
            for _ in 0..columns {
                offsets.push(file.len() as u32);
                counts.push(chunk.len() as u32);
            }
            file.extend(chunk);
            file.resize(file.len().next_multiple_of(2), 0);
        }
    }
    let mut tags: Vec<(u16, u16, Vec<u32>)> = vec![
        (256, 4, vec![width]),
        (257, 4, vec![height]),
        (258, 3, vec![layout.bits.into(); layout.samples.into()]),
        (259, 3, vec![layout.compression.into()]),
        (262, 3, vec![layout.photometric.into()]),
        (274, 3, vec![layout.orientation.into()]),
        (277, 3, vec![layout.samples.into()]),
        (284, 3, vec![if layout.planar { 2 } else { 1 }]),
    ];
    match tile {
        Some(side) => tags.extend([(322, 4, vec![side]), (323, 4, vec![side]), (324, 4, offsets), (325, 4, counts)]),
        None => tags.extend([(273, 4, offsets), (278, 4, vec![rows]), (279, 4, counts)]),
    }
    if layout.photometric == 3 {
        tags.push((320, 3, (0..3 << layout.bits).map(|entry| entry * 321 % 65_536).collect()));
    }
    tags.extend(layout.extra.map(|extra| (338, 3, vec![extra.into()])));
    if layout.photometric == 6 && layout.compression != 7 {
        tags.push((530, 3, vec![1, 1]));
    }
    if layout.profile > 0 {
        let profile = profile(layout.samples.into(), layout.profile);
        tags.push((34675, 7, profile.into_iter().map(u32::from).collect()));
    }
    tags.sort_by_key(|(tag, ..)| *tag);
    let directory = file.len() as u32;
    file[4..8].copy_from_slice(&directory.to_le_bytes());
    let mut values = Vec::new();
    let behind = directory + 2 + tags.len() as u32 * 12 + 4;
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, kind, numbers) in tags {
        let width = match kind {
            3 => 2,
            7 => 1,
            _ => 4,
        };
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()[..width].to_vec()).collect();
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend((numbers.len() as u32).to_le_bytes());
        if bytes.len() > 4 {
            file.extend((behind + values.len() as u32).to_le_bytes());
            values.extend(bytes);
        } else {
            file.extend(bytes.iter().copied().chain([0; 4]).take(4));
        }
    }
    file.extend([0; 4]);
    file.extend(values);
    file
}

fn compress(layout: &Layout, plain: Vec<u8>, (width, height): (u32, u32)) -> Vec<u8> {
    match layout.compression {
        1 => plain,
        5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&plain).unwrap(),
        7 => {
            let (color, channels) = if layout.samples == 1 { (jpeg_encoder::ColorType::Luma, 1) } else { (jpeg_encoder::ColorType::Rgb, 3) };
            let mut bytes = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_0);
            let data = if layout.noise { noise((width * height * channels) as usize) } else { samples(width, height, channels) };
            encoder.encode(&data, width as u16, height as u16, color).unwrap();
            bytes
        }
        8 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&plain).unwrap();
            encoder.finish().unwrap()
        }
        50000 => zstandard(&plain),
        // Literals only.
        _ => plain.chunks(128).flat_map(|literal| [&[literal.len() as u8 - 1], literal].concat()).collect(),
    }
}

/// A frame of Zstandard (RFC 8878, 3.1.1). Unless it is large it says how long its content is, and has no other window, as libzstd's of data that are given at once.
fn zstandard(plain: &[u8]) -> Vec<u8> {
    const LARGE: usize = 8 << 20;
    const SINGLE_SEGMENT: u8 = 0x20;
    let frame = ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest);
    if plain.len() > LARGE {
        return frame;
    }
    let descriptor = frame[4];
    let window = usize::from(descriptor & SINGLE_SEGMENT == 0);
    let size = match descriptor >> 6 {
        0 => 1 - window,
        width => 1 << width,
    };
    let header = [&frame[..4], &[0x80 | SINGLE_SEGMENT | descriptor & 4], &(plain.len() as u32).to_le_bytes()].concat();
    [header.as_slice(), &frame[5 + window + size..]].concat()
}

/// An answer of azulejo's as a source.
fn rendered(bytes: &[u8], request: &str) -> Vec<u8> {
    let (service, mut source) = (Service::default(), bytes);
    let pyramid = native::open(&mut source, &service).unwrap();
    native::render(&mut source, &pyramid, Version::V3, request, &service, &EncodeOptions::default()).unwrap().bytes
}

/// 24 bits a pixel, the bottom row first.
fn bmp(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    image::codecs::bmp::BmpEncoder::new(&mut file).encode(&samples(width, height, 3), width, height, image::ExtendedColorType::Rgb8).unwrap();
    file
}

/// All kinds of files of about this size.
pub fn sources(width: u32, height: u32) -> Vec<Source> {
    use jpeg_encoder::{ColorType as Jpeg, SamplingFactor as Sampling};
    let size = Layout { width, height, ..RGB };
    let tiles = Layout { tile: Some(256), ..size };
    let lossy = rendered(&jpeg(width.min(1500), height.min(1500), Jpeg::Rgb, Sampling::R_4_2_0, false), "full/max/0/default.webp");
    // Of 1400 × 900 px, by libwebp: the encoder here would take half a minute.
    let lossy_alpha = if width > 1000 && height > 500 { include_bytes!("lossy-alpha.webp").to_vec() } else { Vec::new() };
    let cut = |bytes: &[u8], (of, all): (usize, usize)| bytes[..bytes.len() * of / all].to_vec();
    let kinds: Vec<(&str, Vec<u8>)> = vec![
        ("jpeg-420", jpeg(width, height, Jpeg::Rgb, Sampling::R_4_2_0, false)),
        ("jpeg-444", jpeg(width, height, Jpeg::Rgb, Sampling::R_4_4_4, false)),
        ("jpeg-gray", jpeg(width, height, Jpeg::Luma, Sampling::R_4_4_4, false)),
        ("jpeg-cmyk", jpeg(width, height, Jpeg::Cmyk, Sampling::R_4_4_4, false)),
        ("jpeg-progressive", jpeg(width, height, Jpeg::Rgb, Sampling::R_4_2_0, true)),
        ("jpeg-cmyk-profile", jpeg_with_profile(width, height, Jpeg::Cmyk, false, 13)),
        ("jpeg-progressive-profile", jpeg_with_profile(width, height, Jpeg::Rgb, true, 33)),
        ("png-profile", png_with_profile(width, height)),
        ("webp-lossless-profile", webp_with_profile(width, height)),
        ("tiff-tiles-cmyk-profile", tiff(&Layout { photometric: 5, samples: 4, profile: 17, ..tiles })),
        ("tiff-strips-profile", tiff(&Layout { profile: 5, ..size })),
        ("png-gray", png(width, height, ColorType::L8)),
        ("png-rgb", png(width, height, ColorType::Rgb8)),
        ("png-rgba", png(width, height, ColorType::Rgba8)),
        ("png-rgb16", png(width, height, ColorType::Rgb16)),
        ("webp-lossless", webp_lossless(width, height, false)),
        ("webp-lossless-alpha", webp_lossless(width, height, true)),
        ("webp-lossless-alpha-cut", cut(&webp_lossless(width, height, true), (3, 4))),
        // Damaged ones are decoded several times.
        ("webp-lossless-cut", cut(&webp_lossless(width, height, false), (3, 4))),
        ("webp-lossy-cut", cut(&lossy, (9, 10))),
        ("webp-lossy-alpha-cut", cut(&lossy_alpha, (9, 10))),
        ("webp-lossy", lossy),
        ("webp-lossy-alpha", lossy_alpha),
        ("gif", rendered(&jpeg(width.min(1500), height.min(1500), Jpeg::Rgb, Sampling::R_4_2_0, false), "full/max/0/default.gif")),
        ("bmp", bmp(width, height)),
        ("tiff-strips", tiff(&size)),
        ("tiff-strips-tall", tiff(&Layout { rows: 4000, ..size })),
        ("tiff-strips-deflate", tiff(&Layout { compression: 8, ..size })),
        ("tiff-strips-lzw-turned", tiff(&Layout { compression: 5, orientation: 6, ..size })),
        ("tiff-strips-packbits-gray", tiff(&Layout { compression: 32773, photometric: 1, samples: 1, ..size })),
        ("tiff-strips-bits", tiff(&Layout { photometric: 0, samples: 1, bits: 1, ..size })),
        ("tiff-tiles", tiff(&tiles)),
        ("tiff-tiles-jpeg", tiff(&Layout { compression: 7, photometric: 6, ..tiles })),
        ("tiff-tiles-jpeg-gray", tiff(&Layout { compression: 7, photometric: 1, samples: 1, ..tiles })),
        ("tiff-tiles-deflate-rgba", tiff(&Layout { compression: 8, samples: 4, extra: Some(2), ..tiles })),
        ("tiff-tiles-premultiplied-turned", tiff(&Layout { samples: 4, extra: Some(1), orientation: 3, ..tiles })),
        ("tiff-tiles-16", tiff(&Layout { compression: 8, bits: 16, ..tiles })),
        ("tiff-tiles-planar", tiff(&Layout { planar: true, ..tiles })),
        ("tiff-tiles-cmyk", tiff(&Layout { photometric: 5, samples: 4, ..tiles })),
        ("tiff-tiles-lab", tiff(&Layout { photometric: 8, ..tiles })),
        ("tiff-tiles-palette", tiff(&Layout { photometric: 3, samples: 1, ..tiles })),
        ("tiff-strips-zstandard", tiff(&Layout { compression: 50000, rows: 4000, ..size })),
        ("tiff-tiles-zstandard", tiff(&Layout { compression: 50000, ..tiles })),
        ("noise-png", png_of(&noise((width * height * 3) as usize), width, height, ColorType::Rgb8)),
        ("noise-jpeg", jpeg_of(&noise((width * height * 3) as usize), width, height, Jpeg::Rgb, Sampling::R_4_4_4, false)),
        ("noise-tiff-tiles-deflate", tiff(&Layout { compression: 8, noise: true, ..tiles })),
        ("noise-tiff-tiles-jpeg", tiff(&Layout { compression: 7, photometric: 6, noise: true, ..tiles })),
        ("noise-tiff-strips-lzw", tiff(&Layout { compression: 5, noise: true, rows: 4000, ..size })),
        ("tiff-tiles-ycbcr", tiff(&Layout { photometric: 6, compression: 8, ..tiles })),
    ];
    kinds
        .into_iter()
        .filter(|(_, bytes)| !bytes.is_empty())
        .map(|(name, bytes)| Source { name: format!("{name}-{width}x{height}"), bytes, request: None })
        .collect()
}
