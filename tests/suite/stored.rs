//! What is sent of tiles that are sent as they are stored: the image and its profile, and nothing else that the file has.

use azulejo::api::{Service, Version};
use azulejo::ingest::Options;
use azulejo::{EncodeOptions, Encoded, Unused, native};
use moxcms::ColorProfile;

use super::gigapixel::{jpeg_tile, open, recipe, render};
use super::pyramid::{Layout, Recipe};
use super::support::{self, pixels, unused};

const TILE: &str = "0,0,256,256/max/0/default.jpg";

/// A profile of at least so many bytes.
fn profile(of: &ColorProfile, size: usize) -> Vec<u8> {
    let mut bytes = of.encode().unwrap();
    bytes.resize(bytes.len().max(size), 0);
    let size = (bytes.len() as u32).to_be_bytes();
    bytes[..4].copy_from_slice(&size);
    bytes
}

fn of_tile(chunk: &(Vec<u8>, Vec<u8>), icc: Option<&[u8]>, request: &str) -> Encoded {
    let mut file = Recipe { icc, ..recipe(1000, 1000, Layout::First, chunk) }.write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    render(&mut file, &pyramid, request).unwrap()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Largest difference of a sample, and the mean of all.
fn difference(a: &Encoded, b: &Encoded) -> (u8, f64) {
    let (a, b) = (pixels(a), pixels(b));
    assert_eq!(a.dimensions(), b.dimensions());
    let differences: Vec<u8> = a.iter().zip(b.iter()).map(|(a, b)| a.abs_diff(*b)).collect();
    (differences.iter().copied().max().unwrap(), differences.iter().map(|difference| f64::from(*difference)).sum::<f64>() / differences.len() as f64)
}

/// Decodes a file, with the profile that it has.
fn shown(encoded: &Encoded) -> Encoded {
    support::render(&encoded.bytes, "full/max/0/default.png").unwrap()
}

#[test]
fn what_lies_behind_a_stored_jpeg_or_within_it_is_not_sent() {
    let tile = jpeg_tile();
    let plain = of_tile(&tile, None, TILE);
    assert!(plain.passthrough);
    for behind in [&b"<script>alert(1)</script>"[..], b"\0\0<script>", &[0xFF, 0xD8, 0xFF, 0xFE, 0, 10]] {
        let encoded = of_tile(&(tile.0.clone(), [&tile.1, behind].concat()), None, TILE);
        assert!(encoded.passthrough && encoded.bytes == plain.bytes, "{behind:?}");
    }
    let comment = b"\xFF\xFE\0\x0A<script>\xFF\xE1\0\x0AExif\0\0MM";
    let encoded = of_tile(&(tile.0.clone(), [&tile.1[..2], comment, &tile.1[2..]].concat()), None, TILE);
    assert!(encoded.passthrough && encoded.bytes == plain.bytes);
}

#[test]
fn of_a_stored_webp_only_the_image_is_sent() {
    let source = image::RgbImage::from_fn(256, 256, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    let mut png = Vec::new();
    source.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let service = Service::default();
    let pyramid = native::open(&mut png.as_slice(), &service).unwrap();
    let mut options = EncodeOptions::default();
    options.webp_lossless = true;
    let webp = native::render(&mut png.as_slice(), &pyramid, Version::V3, "full/max/0/default.webp", &service, &options).unwrap().bytes;
    let chunk = |name: &[u8], content: &[u8]| [name, &(content.len() as u32).to_le_bytes(), content].concat();
    let body = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &[0x0C, 0, 0, 0, 255, 0, 0, 255, 0, 0]),
        webp[12..].to_vec(),
        chunk(b"EXIF", b"MM\0*GPS!"),
        chunk(b"XMP ", b"<script>"),
    ];
    let extended = [&chunk(b"RIFF", &body.concat())[..], b"<script>"].concat();
    for stored in [webp.clone(), extended] {
        let tile = (Vec::new(), stored);
        let recipe = Recipe { storage: (50_001, 2, 3), jpeg_tables: None, ..recipe(1000, 1000, Layout::First, &tile) };
        let mut file = recipe.write();
        let (pyramid, _) = open(&mut file, 1).unwrap();
        let encoded = render(&mut file, &pyramid, "0,0,256,256/max/0/default.webp").unwrap();
        assert!(encoded.passthrough && encoded.bytes == webp);
    }
}

#[test]
fn a_large_profile_is_not_sent_with_tiles() {
    let tile = jpeg_tile();
    let small = profile(&ColorProfile::new_display_p3(), 0);
    let large = profile(&ColorProfile::new_display_p3(), 140_000);
    assert!(small.len() <= 4096);
    let stored = of_tile(&tile, Some(&small), TILE);
    assert!(stored.passthrough && has(&stored.bytes, &small));
    let converted = of_tile(&tile, Some(&large), TILE);
    assert!(!converted.passthrough && converted.bytes.len() < 10_000, "{}", converted.bytes.len());
    assert!(!has(&converted.bytes, b"ICC_PROFILE"));
    // Whoever honours profiles sees the same: of the stored tile, of the one that is made, and of one without loss.
    let exact = of_tile(&tile, Some(&large), "0,0,256,256/max/0/default.png");
    assert_eq!(difference(&exact, &of_tile(&tile, Some(&small), "0,0,256,256/max/0/default.png")), (0, 0.0));
    let (furthest, mean) = difference(&shown(&stored), &exact);
    assert!(furthest <= 2 && mean < 0.1, "{furthest} {mean}");
    let (_, mean) = difference(&converted, &exact);
    assert!(mean < 2.0, "{mean}");
    let (_, unconverted) = difference(&of_tile(&tile, None, "0,0,256,256/max/0/default.png"), &exact);
    assert!(unconverted > 3.0, "{unconverted}");
}

#[test]
fn coefficients_are_copied_with_a_small_profile_only() {
    let tile = jpeg_tile();
    let small = profile(&ColorProfile::new_display_p3(), 0);
    let large = profile(&ColorProfile::new_display_p3(), 140_000);
    // Within a tile, across tiles, turned, and more than a megapixel.
    for region in ["8,16,80,32/max/0/default", "128,64,400,520/max/0/default", "128,64,400,520/max/90/default"] {
        let copied = of_tile(&tile, Some(&small), &format!("{region}.jpg"));
        assert!(has(&copied.bytes, &small), "{region}");
        let converted = of_tile(&tile, Some(&large), &format!("{region}.jpg"));
        assert!(!has(&converted.bytes, b"ICC_PROFILE") && converted.bytes.len() < 60_000, "{region}");
        let exact = of_tile(&tile, Some(&large), &format!("{region}.png"));
        let ((_, copied), (_, converted)) = (difference(&shown(&copied), &exact), difference(&converted, &exact));
        assert!(copied < 0.5 && converted < 2.0, "{region}: {copied} {converted}");
    }
}

#[test]
fn a_large_profile_of_srgb_is_left_out() {
    let tile = jpeg_tile();
    let plain = of_tile(&tile, None, TILE);
    for size in [0, 140_000] {
        let encoded = of_tile(&tile, Some(&profile(&ColorProfile::new_srgb(), size)), TILE);
        assert!(encoded.passthrough && encoded.bytes == plain.bytes, "{size}");
    }
}

/// A JPEG file with a profile, in as many segments as it takes.
fn jpeg_with(icc: &[u8]) -> Vec<u8> {
    let mut file = std::fs::read(support::root().join("tests/fixtures/baseline-444.jpg")).unwrap();
    let parts = icc.chunks(60_000);
    let count = parts.len() as u8;
    let segments = parts.zip(1..).flat_map(|(part, number): (&[u8], u8)| {
        [&[0xFF, 0xE2][..], &(part.len() as u16 + 16).to_be_bytes(), b"ICC_PROFILE\0", &[number, count], part].concat()
    });
    file.splice(2..2, segments.collect::<Vec<u8>>());
    file
}

#[test]
fn parts_of_a_jpeg_file_with_a_large_profile_are_converted() {
    let small = jpeg_with(&profile(&ColorProfile::new_display_p3(), 0));
    let large = jpeg_with(&profile(&ColorProfile::new_display_p3(), 140_000));
    for request in ["8,8,64,32/max/0/default", "full/max/0/default"] {
        let copied = support::render(&small, &format!("{request}.jpg")).unwrap();
        assert!(has(&copied.bytes, b"ICC_PROFILE"), "{request}");
        let converted = support::render(&large, &format!("{request}.jpg")).unwrap();
        assert!(!has(&converted.bytes, b"ICC_PROFILE") && converted.bytes.len() < 6000, "{request}");
        let exact = support::render(&large, &format!("{request}.png")).unwrap();
        let ((_, copied), (_, converted)) = (difference(&shown(&copied), &exact), difference(&converted, &exact));
        assert!(copied < 0.5 && converted < 4.0, "{request}: {copied} {converted}");
    }
}

#[test]
fn a_pyramid_of_a_file_with_a_large_profile_is_srgb() {
    for (size, kept) in [(0, true), (140_000, false)] {
        let icc = profile(&ColorProfile::new_display_p3(), size);
        let source = jpeg_with(&icc);
        let pyramid = native::open(&mut source.as_slice(), &Service::default()).unwrap();
        let mut spools = vec![Vec::new(); 16];
        let mut options = Options::default();
        options.tile = 64;
        let finished = native::ingest(&mut source.as_slice(), &pyramid, &options, &mut |spool, bytes| {
            spools[spool].extend(bytes);
            Ok(())
        })
        .unwrap();
        let file = finished.spools.into_iter().fold(finished.head, |file, spool| [file, std::mem::take(&mut spools[spool])].concat());
        assert_eq!(has(&file, &icc), kept, "{size}");
        let (_, mean) = difference(&support::render(&file, "full/max/0/default.png").unwrap(), &support::render(&source, "full/max/0/default.png").unwrap());
        assert!(mean < 2.5, "{size}: {mean}");
    }
}

#[test]
fn a_profile_that_is_not_used_is_told_whatever_way_the_answer_is_made() {
    let broken = jpeg_with(b"no profile at all");
    let good = jpeg_with(&profile(&ColorProfile::new_display_p3(), 140_000));
    // The second of three segments is gone.
    let second = good.windows(14).position(|window| window == b"ICC_PROFILE\0\x02\x03").unwrap() - 4;
    let lacking = [&good[..second], &good[second + 60_018..]].concat();
    // Of a progressive file, which is decoded whole.
    let progressive = std::fs::read(support::root().join("tests/fixtures/progressive.jpg")).unwrap();
    let whole = [&progressive[..2], b"\xFF\xE2\0\x19ICC_PROFILE\0\x01\x01nonsense!", &progressive[2..]].concat();
    for request in ["8,8,64,32/max/0/default.jpg", "full/max/0/default.png", "full/20,/0/gray.jpg"] {
        assert_eq!(unused(&mut broken.as_slice(), request), [Unused { name: "icc", reason: "cannot be read" }], "{request}");
        assert_eq!(unused(&mut lacking.as_slice(), request), [Unused { name: "icc", reason: "lacks some of its parts" }], "{request}");
        assert_eq!(unused(&mut whole.as_slice(), request), [Unused { name: "icc", reason: "cannot be read" }], "{request}");
        assert_eq!(unused(&mut good.as_slice(), request), [], "{request}");
    }
    let webp = std::fs::read(support::root().join("tests/fixtures/lossy.webp")).unwrap();
    let chunk = |name: &[u8], content: &[u8]| [name, &(content.len() as u32).to_le_bytes(), content].concat();
    let body = [&b"WEBP"[..], &chunk(b"VP8X", &[0x20, 0, 0, 0, 96, 0, 0, 60, 0, 0]), &chunk(b"ICCP", b"nonsense"), &webp[12..]].concat();
    assert_eq!(unused(&mut chunk(b"RIFF", &body).as_slice(), "full/20,/0/default.jpg"), [Unused { name: "icc", reason: "cannot be read" }]);
    assert_eq!(unused(&mut webp.as_slice(), "full/20,/0/default.jpg"), []);
    let tile = jpeg_tile();
    let mut file = Recipe { icc: Some(b"no profile at all"), ..recipe(1000, 1000, Layout::First, &tile) }.write();
    for request in [TILE, "8,16,80,32/max/0/default.jpg", "8,16,80,32/max/0/default.png"] {
        assert_eq!(unused(&mut file, request), [Unused { name: "icc", reason: "cannot be read" }], "{request}");
    }
}
