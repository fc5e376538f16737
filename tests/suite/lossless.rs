//! What is answered by copied coefficients: which requests, and that nothing is lost on the way.

use azulejo::api::{Format, ImageRequest, Service, Version};
use azulejo::ingest::Options;
use azulejo::{EncodeOptions, Encoded, Error, Render, Result, Step, native};
use image::codecs::jpeg::JpegEncoder;

use super::gigapixel::{jpeg_tile, open, recipe, render};
use super::pyramid::Layout;
use super::support::{self, pixels};

/// The steps of the quantization tables of a JPEG; a turned one has the same in another order.
fn quantization(jpeg: &[u8]) -> Vec<u8> {
    let (mut tables, mut at) = (Vec::new(), 2);
    while jpeg[at + 1] != 0xDA {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] == 0xDB {
            for table in jpeg[at + 4..at + 2 + length].chunks(65) {
                let mut steps = table[1..].to_vec();
                steps.sort_unstable();
                tables.extend(steps);
            }
        }
        at += 2 + length;
    }
    tables
}

/// Answers by coefficients have the tables that are `stored`, and show the pixels of a PNG, but for so much; others are encoded anew.
fn check(mut ask: impl FnMut(&str) -> Encoded, stored: &[u8], copied: Option<u8>, request: &str) {
    let encoded = ask("jpg");
    assert!(!encoded.passthrough && encoded.format == Format::Jpg);
    assert_eq!(stored.starts_with(&quantization(&encoded.bytes)), copied.is_some(), "{request}");
    if copied.is_some() {
        let exact = ask("png");
        assert_eq!(encoded.dimensions, exact.dimensions);
        let shown = support::render(&encoded.bytes, "full/max/0/default.png").unwrap();
        let difference = pixels(&shown).iter().zip(pixels(&exact).iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference <= copied, "{request}: {difference:?}");
    }
}

#[test]
fn aligned_regions_of_chunks_keep_their_coefficients() {
    let tile = jpeg_tile();
    let stored = quantization(&[&tile.0[..tile.0.len() - 2], &tile.1[2..]].concat());
    let mut file = recipe(1900, 1300, Layout::First, &tile).write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    for (request, copied, furthest) in [
        // Across four chunks, within one, at the padded edges, of a level.
        ("128,64,400,520/max/0/default", true, 0),
        ("8,16,80,33/max/0/color", true, 0),
        ("1792,1024,108,276/max/0/default", true, 0),
        ("1896,1296,4,4/max/0/default", true, 0),
        ("256,256,1000,1024/500,512/0/default", true, 0),
        ("512,512,256,256/max/0/gray", true, 0),
        // Turned, the samples of a block are rounded in another order: one step of YCbCr is up to three of RGB.
        ("128,64,400,520/max/90/default", true, 3),
        ("128,64,400,520/max/180/default", true, 3),
        ("128,64,400,520/max/!270/gray", true, 1),
        ("1792,1024,108,276/max/!180/default", false, 255),
        // What is flipped must end on blocks: here it does across, there it does not.
        ("1792,1024,104,276/max/!0/default", true, 3),
        ("1792,1024,108,276/max/!0/default", false, 255),
        ("1,0,256,256/max/0/default", false, 255),
        ("128,64,400,520/max/30/default", false, 255),
        ("128,64,400,520/max/0/bitonal", false, 255),
        ("128,64,400,520/300,/0/default", false, 255),
        // More than a megapixel leaves while it is copied, unless it is turned.
        ("full/max/0/default", true, 0),
        ("8,16,1892,1284/max/0/default", true, 0),
        ("256,0,1536,1300/max/!0/default", true, 3),
        ("full/max/0/gray", true, 0),
        ("full/max/!0/default", false, 255),
        ("0,0,1792,1280/max/180/default", false, 255),
        ("0,0,1792,1280/max/90/default", false, 255),
    ] {
        check(|format| render(&mut file, &pyramid, &format!("{request}.{format}")).unwrap(), &stored, copied.then_some(furthest), request);
    }
}

#[test]
fn what_does_not_fit_together_is_decoded() {
    let fixture = |name: &str| std::fs::read(support::root().join(name)).unwrap();
    // MCUs of 16 × 16: eight pixels into one there is no cut.
    let retina = fixture("www/samples/retina-pyramid.tif");
    for (request, copied) in
        [("256,256,512,512/max/0/default.jpg", true), ("256,256,300,301/max/0/default.jpg", true), ("264,256,300,300/max/0/default.jpg", false)]
    {
        let encoded = support::render(&retina, request).unwrap();
        let other = support::render(&retina, &request.replace("256,", "257,")).unwrap();
        assert_eq!(quantization(&encoded.bytes) != quantization(&other.bytes), copied, "{request}");
    }
    // Coded RGB is no JFIF.
    let rgb = fixture("tests/fixtures/tiles-jpeg.tif");
    assert_eq!(support::render(&rgb, "0,0,64,32/max/0/default.jpg").unwrap().dimensions.width(), 64);
}

#[test]
fn aligned_regions_of_a_file_keep_their_coefficients() {
    let source = image::open(support::root().join("www/samples/retina.jpg")).unwrap().to_rgb8();
    let picture = image::imageops::crop_imm(&source, 200, 100, 600, 500).to_image();
    // 4:4:4, of another quality than answers have.
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 93).encode_image(&picture).unwrap();
    let stored = quantization(&file);
    for (request, copied, furthest) in [
        ("full/max/0/default", true, 0),
        ("128,64,400,300/max/0/default", true, 0),
        ("592,496,8,4/max/0/color", true, 0),
        ("128,64,401,299/max/0/gray", true, 0),
        ("128,64,400,320/max/90/default", true, 3),
        ("128,64,400,320/max/!180/default", true, 3),
        ("128,64,401,320/max/!0/default", false, 255),
        ("129,64,400,320/max/0/default", false, 255),
        ("128,64,400,320/200,/0/default", false, 255),
        ("128,64,400,320/max/0/bitonal", false, 255),
    ] {
        check(|format| support::render(&file, &format!("{request}.{format}")).unwrap(), &stored, copied.then_some(furthest), request);
    }
    let large = std::fs::read(support::root().join("www/samples/retina.jpg")).unwrap();
    let stored = quantization(&large);
    for (request, copied, furthest) in [
        ("full/max/0/default", true, 0),
        // Where it is cut there is no chroma beyond to look at: luminance tells.
        ("16,32,1300,1379/max/0/gray", true, 0),
        ("0,0,1408,1411/max/!0/gray", true, 1),
        ("full/max/0/gray", true, 0),
        ("full/max/!0/default", false, 255),
        ("0,0,1408,1408/max/180/default", false, 255),
        ("0,0,1408,1408/max/270/default", false, 255),
        ("8,0,1400,1411/max/0/default", false, 255),
    ] {
        check(|format| support::render(&large, &format!("{request}.{format}")).unwrap(), &stored, copied.then_some(furthest), request);
    }
    // What is cut off is said as the decoder says it.
    let half = &file[..file.len() / 2];
    let [copied, decoded] = ["jpg", "png"].map(|format| support::render_strictly(half, &format!("full/max/0/default.{format}")).unwrap_err().to_string());
    assert_eq!(copied, decoded);
}

#[test]
fn chunks_that_are_sampled_by_turns_are_decoded_to_pixels() {
    let source = image::open(support::root().join("www/samples/retina.jpg")).unwrap().to_rgb8();
    let picture = image::imageops::crop_imm(&source, 300, 300, 128, 64).to_image();
    let half = |x: u32| image::imageops::crop_imm(&picture, x, 0, 64, 64).to_image();
    let (mut full, mut png) = (Vec::new(), Vec::new());
    JpegEncoder::new_with_quality(&mut full, 95).encode_image(&half(0)).unwrap();
    half(64).write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    // 4:2:0, by our own encoder.
    let halved = support::render(&png, "full/max/0/default.jpg").unwrap().bytes;
    let mut tiff = b"II\x2a\0\x08\0\0\0".to_vec();
    let at = 8 + 2 + 10 * 12 + 4;
    let tiles = at + 6 + 8 + 8;
    let (first, second) = (full.len() as u32, halved.len() as u32);
    tiff.extend(10_u16.to_le_bytes());
    for (tag, kind, count, value) in [
        (256_u16, 4_u16, 1_u32, 128_u32),
        (257, 4, 1, 64),
        (258, 3, 3, at),
        (259, 3, 1, 7),
        (262, 3, 1, 6),
        (277, 3, 1, 3),
        (322, 4, 1, 64),
        (323, 4, 1, 64),
        (324, 4, 2, at + 6),
        (325, 4, 2, at + 14),
    ] {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(kind.to_le_bytes());
        tiff.extend(count.to_le_bytes());
        tiff.extend(value.to_le_bytes());
    }
    tiff.extend(0_u32.to_le_bytes());
    [8_u16; 3].iter().for_each(|bits| tiff.extend(bits.to_le_bytes()));
    [tiles, tiles + first, first, second].iter().for_each(|value| tiff.extend(value.to_le_bytes()));
    tiff.extend(full);
    tiff.extend(halved);
    for request in ["full/max/0/default", "1,1,100,50/max/0/default", "full/100,/0/default", "full/max/180/default"] {
        let [jpeg, exact] = ["jpg", "png"].map(|format| pixels(&support::render(&tiff, &format!("{request}.{format}")).unwrap()));
        assert_eq!(jpeg.dimensions(), exact.dimensions());
        let squares: f64 = jpeg.iter().zip(exact.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
        let psnr = 10.0 * (255.0 * 255.0 / (squares / jpeg.len() as f64).max(1e-9)).log10();
        assert!(psnr > 33.0, "{request}: {psnr:.1} dB");
    }
}

/// A JPEG of several megabytes and more than a megapixel.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let picture = image::RgbImage::from_fn(1800, 1400, |_, _| image::Rgb([next(), next(), next()]));
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 95).encode_image(&picture).unwrap();
    file
}

/// The answer, or what it ended with, and the pieces that had left by then.
fn pieces(bytes: &[u8], request: &str, service: &Service) -> (Result<Encoded>, usize) {
    let pyramid = native::open(&mut &*bytes, service).unwrap();
    let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(service)).unwrap();
    let mut job = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits).unwrap();
    let (mut file, mut left) = (Vec::new(), 0);
    loop {
        match job.step() {
            Err(error) => return (Err(error), left),
            Ok(Step::Done(encoded)) => return (Ok(Encoded { bytes: [file, encoded.bytes].concat(), ..encoded }), left),
            Ok(Step::Need(ranges)) => {
                ranges.iter().for_each(|range| job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap())
            }
            Ok(Step::Piece(piece)) => {
                left += 1;
                file.extend(piece);
            }
        }
    }
}

#[test]
fn what_goes_wrong_behind_the_first_piece_is_an_error_and_before_it_is_decoded() {
    let file = noise();
    let (all, service) = ("full/max/0/default.jpg", Service::default());
    let copied = |encoded: &Encoded, from: &[u8]| from.starts_with(&quantization(&encoded.bytes));
    let (answer, left) = pieces(&file, all, &service);
    assert!(copied(&answer.unwrap(), &quantization(&file)) && left > 0, "{left} pieces of {} bytes", file.len());

    // Cut off at the end: it is too late to say that the answer is incomplete, so it breaks.
    let cut = &file[..file.len() - file.len() / 50];
    let mut strict = Service::default();
    strict.limits.show_incomplete = false;
    for service in [&service, &strict] {
        let (error, left) = pieces(cut, all, service);
        assert!(left > 0 && matches!(error, Err(Error::SourceCorrupt { .. })), "{error:?} after {left}");
    }

    let mut options = Options::default();
    options.tile = 256;
    let tiff = super::ingest::write(&file, &options).unwrap();
    let (answer, left) = pieces(&tiff, all, &service);
    assert!(copied(&answer.unwrap(), &quantization(&file)) && left > 0);
    // Frame headers of the tiles, the largest level's last: the third component's quantization table.
    let frames: Vec<usize> = tiff.windows(4).enumerate().filter(|(_, bytes)| *bytes == [0xFF, 0xC0, 0, 17]).map(|(at, _)| at).collect();
    let tiles = 8 * 6;
    let unlike = |tile: usize| {
        let mut tiff = tiff.clone();
        let table = &mut tiff[frames[frames.len() - tiles + tile] + 18];
        *table = 1 - *table;
        pieces(&tiff, all, &service)
    };
    let (answer, _) = unlike(3);
    assert!(!copied(&answer.unwrap(), &quantization(&file)), "it is decoded");
    let (error, left) = unlike(tiles - 1);
    assert!(left > 0 && matches!(&error, Err(Error::SourceUnsupported { feature, .. }) if feature.contains("different coding")), "{error:?} after {left}");

    // TileOffsets and TileByteCounts of the largest level: the last tile is left out.
    let mut sparse = tiff.clone();
    for tag in [0x44, 0x45] {
        let entry = tiff.windows(8).position(|entry| *entry == [tag, 1, 4, 0, tiles as u8, 0, 0, 0]).unwrap();
        let table = u32::from_le_bytes(*tiff[entry + 8..].first_chunk().unwrap()) as usize;
        sparse[table + 4 * (tiles - 1)..][..4].fill(0);
    }
    let (answer, _) = pieces(&sparse, all, &service);
    assert!(!copied(&answer.unwrap(), &quantization(&file)), "what was left out is made by the decoder");
}

#[test]
fn a_tile_at_the_edge_keeps_its_coefficients() {
    let tile = jpeg_tile();
    let stored = quantization(&[&tile.0[..tile.0.len() - 2], &tile.1[2..]].concat());
    let mut file = recipe(1900, 1300, Layout::First, &tile).write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    for request in ["1792,256,108,256/max/0/default", "512,1280,256,20/max/0/default", "1792,1280,108,20/max/0/color"] {
        check(|format| render(&mut file, &pyramid, &format!("{request}.{format}")).unwrap(), &stored, Some(0), request);
    }
}
