//! What the colours of a file are by its own description: the fields of PNG, and ICC profiles.

use std::io::Write;

use azulejo::api::Service;
use azulejo::{Error, native};
use image::{ExtendedColorType, ImageEncoder, RgbaImage};

use super::profiles::profile;
use super::support::{drip, pixels, render, unused};

/// Colour types of PNG.
const GRAY: u8 = 0;
const RGB: u8 = 2;
const INDEXED: u8 = 3;
const GRAY_ALPHA: u8 = 4;

type Chunk<'a> = (&'a [u8; 4], &'a [u8]);

fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(&name);
    sum.update(content);
    [&(content.len() as u32).to_be_bytes()[..], &name, content, &sum.sum().to_be_bytes()].concat()
}

fn packed(before: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(before.to_vec(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A PNG of one row, with chunks before its pixels and behind them.
fn png_with(color: u8, depth: u8, width: u32, before: &[Chunk<'_>], row: &[u8], behind: &[Chunk<'_>]) -> Vec<u8> {
    let all = |chunks: &[Chunk<'_>]| chunks.iter().flat_map(|(name, content)| chunk(**name, content)).collect::<Vec<u8>>();
    let header = [&width.to_be_bytes()[..], &1_u32.to_be_bytes(), &[depth, color, 0, 0, 0]].concat();
    let pixels = packed(&[], &[&[0], row].concat());
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(*b"IHDR", &header), all(before), chunk(*b"IDAT", &pixels), all(behind), chunk(*b"IEND", &[])].concat()
}

fn png(color: u8, depth: u8, width: u32, chunks: &[Chunk<'_>], row: &[u8]) -> Vec<u8> {
    png_with(color, depth, width, chunks, row, &[])
}

fn rgb(chunks: &[Chunk<'_>], pixel: [u8; 3]) -> Vec<u8> {
    png(RGB, 8, 1, chunks, &pixel)
}

fn shown(file: &[u8]) -> RgbaImage {
    pixels(&render(file, WHOLE).unwrap())
}

fn pixel(file: &[u8]) -> [u8; 3] {
    let [r, g, b, _] = shown(file).get_pixel(0, 0).0;
    [r, g, b]
}

const WHOLE: &str = "full/max/0/default.png";

/// The descriptions of colours that are not used, and why.
fn reasons(mut file: &[u8]) -> Vec<(&'static str, &'static str)> {
    unused(&mut file, WHOLE).iter().map(|unused| (unused.name, unused.reason)).collect()
}

const SRGB_CHROMATICITIES: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6000];
/// Adobe RGB (1998).
const WIDE_CHROMATICITIES: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6000];

fn chromaticities(values: [u32; 8]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn gamma(value: u32) -> [u8; 4] {
    value.to_be_bytes()
}

/// The content of iCCP.
fn iccp(profile: &[u8]) -> Vec<u8> {
    packed(b"name\0\0", profile)
}

fn display_p3() -> Vec<u8> {
    moxcms::ColorProfile::new_display_p3().encode().unwrap()
}

#[test]
fn a_gamma_of_png_is_applied() {
    // The value of the field: Chromium, and sRGB's curve of the light.
    assert_eq!(pixel(&rgb(&[(b"gAMA", &gamma(100_000))], [24, 4, 32])), [86, 34, 99]);
    assert_eq!(pixel(&rgb(&[(b"gAMA", &gamma(100_000)), (b"cHRM", &chromaticities(SRGB_CHROMATICITIES))], [24, 4, 32])), [86, 34, 99]);
    // Gray, with an alpha that is no light, and a palette.
    let gray = png(GRAY_ALPHA, 8, 2, &[(b"gAMA", &gamma(100_000))], &[24, 24, 4, 4]);
    assert_eq!(shown(&gray).into_raw(), [86, 86, 86, 24, 34, 34, 34, 4]);
    let palette = png(INDEXED, 8, 1, &[(b"gAMA", &gamma(100_000)), (b"PLTE", &[9, 9, 9, 24, 4, 32])], &[1]);
    assert_eq!(pixel(&palette), [86, 34, 99]);
    // Of 16 bits: 24.5 / 255 is 87.34 / 255 of sRGB.
    let deep = png(GRAY, 16, 1, &[(b"gAMA", &gamma(100_000))], &6297_u16.to_be_bytes());
    assert_eq!(pixel(&deep), [87, 87, 87]);
    // 1.8: 64 / 255 is 0.0830 of light, 81.4 of sRGB.
    assert_eq!(pixel(&rgb(&[(b"gAMA", &gamma(55_556))], [64; 3])), [81; 3]);
}

#[test]
fn the_gamma_that_stands_for_srgb_changes_nothing() {
    for chunks in [
        vec![],
        vec![(b"gAMA", gamma(45_455).to_vec())],
        vec![(b"gAMA", gamma(44_000).to_vec())],
        vec![(b"gAMA", gamma(45_455).to_vec()), (b"cHRM", chromaticities(SRGB_CHROMATICITIES))],
        // Without a gamma, nothing is known of the curve; and none is 0.
        vec![(b"cHRM", chromaticities(WIDE_CHROMATICITIES))],
        vec![(b"gAMA", gamma(0).to_vec())],
        // sRGB comes before it.
        vec![(b"sRGB", vec![0]), (b"gAMA", gamma(100_000).to_vec()), (b"cHRM", chromaticities(WIDE_CHROMATICITIES))],
    ] {
        let chunks: Vec<Chunk<'_>> = chunks.iter().map(|(name, content)| (*name, content.as_slice())).collect();
        assert_eq!(pixel(&rgb(&chunks, [5, 100, 200])), [5, 100, 200], "{chunks:?}");
    }
}

#[test]
fn chromaticities_of_png_are_applied() {
    // Adobe RGB: red 200, green 100, blue 50 is 227.1, 100.0, 42.3 of sRGB.
    let found = pixel(&rgb(&[(b"gAMA", &gamma(45_455)), (b"cHRM", &chromaticities(WIDE_CHROMATICITIES))], [200, 100, 50]));
    assert!(found.iter().zip([227, 100, 42]).all(|(found, expected)| found.abs_diff(expected) <= 1), "{found:?}");
    // Primaries that lie on one point are none: nothing is converted.
    let nonsense = chromaticities([31_270, 32_900, 15_000, 6000, 15_000, 6000, 15_000, 6000]);
    assert_eq!(pixel(&rgb(&[(b"gAMA", &gamma(100_000)), (b"cHRM", &nonsense)], [200, 100, 50])), [200, 100, 50]);
}

#[test]
fn code_points_come_first() {
    let p3 = iccp(&display_p3());
    let converted = pixel(&rgb(&[(b"iCCP", &p3)], [200, 100, 50]));
    assert_eq!(converted, [215, 93, 31], "by the matrix of CSS Color 4");
    let before: &[Chunk<'_>] = &[(b"iCCP", &p3), (b"gAMA", &gamma(100_000))];
    for (code_points, expected) in [
        // sRGB, Display P3, and BT.709, which screens show by a power of 2.4 (BT.1886).
        ([1, 13, 0, 1], [200, 100, 50]),
        ([12, 13, 0, 1], converted),
        ([1, 1, 0, 1], [197, 91, 39]),
        ([1, 8, 0, 1], [229, 168, 122]),
    ] {
        let chunks: Vec<_> = [(b"cICP", code_points.as_slice())].into_iter().chain(before.iter().copied()).collect();
        let found = pixel(&rgb(&chunks, [200, 100, 50]));
        assert!(found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 1), "{code_points:?}: {found:?}");
    }
}

#[test]
fn code_points_that_cannot_be_used_are_told_and_passed_over() {
    let p3 = iccp(&display_p3());
    // PQ, HLG, unspecified, narrow range, a matrix, and too short.
    for code_points in [&[9, 16, 0, 1][..], &[9, 18, 0, 1], &[2, 2, 0, 1], &[1, 13, 0, 0], &[1, 13, 1, 1], &[1, 13, 0, 7], &[1, 13]] {
        let file = rgb(&[(b"cICP", code_points), (b"iCCP", &p3)], [200, 100, 50]);
        assert_eq!(pixel(&file), [215, 93, 31], "{code_points:?}");
        if code_points.len() == 4 {
            assert_eq!(
                unused(&mut file.as_slice(), "full/max/0/default.png").iter().map(|unused| unused.name).collect::<Vec<_>>(),
                ["cicp"],
                "{code_points:?}"
            );
        }
    }
    assert_eq!(pixel(&rgb(&[(b"cICP", &[9, 16, 0, 1])], [200, 100, 50])), [200, 100, 50]);
}

#[test]
fn a_profile_of_png_that_cannot_be_used_is_told() {
    // By the next description, if there is one.
    let broken = rgb(&[(b"iCCP", b"name\0\0nothing packed"), (b"gAMA", &gamma(100_000))], [24, 4, 32]);
    assert_eq!((pixel(&broken), reasons(&broken)), ([86, 34, 99], vec![("icc", "cannot be unpacked")]));
    let nonsense = rgb(&[(b"iCCP", &iccp(b"no profile at all"))], [24, 4, 32]);
    assert_eq!((pixel(&nonsense), reasons(&nonsense)), ([24, 4, 32], vec![("icc", "cannot be read")]));
    let gray = png(GRAY, 8, 1, &[(b"iCCP", &iccp(&display_p3()))], &[24]);
    assert_eq!((pixel(&gray), reasons(&gray)), ([24; 3], vec![("icc", "is for samples of another kind")]));
    assert!(reasons(&rgb(&[(b"iCCP", &iccp(&display_p3()))], [1; 3])).is_empty());
}

#[test]
fn chunks_that_pixels_do_not_depend_on_may_be_bad() {
    let suggested = vec![7; 771];
    for (name, content) in [
        (b"PLTE", suggested.as_slice()),
        (b"PLTE", &[]),
        (b"mDCV", &[1; 30]),
        (b"fcTL", &[0; 26]),
        (b"acTL", &[9]),
        (b"bKGD", &[]),
        (b"eXIf", &[]),
        (b"zTXt", b"x"),
    ] {
        assert_eq!(pixel(&rgb(&[(name, content)], [1, 2, 3])), [1, 2, 3], "{}", String::from_utf8_lossy(name));
    }
    // What a palette's indexes stand for must be right.
    let indexed = png(INDEXED, 8, 1, &[(b"PLTE", &suggested)], &[0]);
    assert!(matches!(render(&indexed, "full/max/0/default.png"), Err(Error::SourceCorrupt { .. })));
    // A chunk whose checksum is wrong says nothing.
    let mut damaged = rgb(&[(b"gAMA", &gamma(100_000))], [24, 4, 32]);
    let at = damaged.windows(4).position(|name| name == b"gAMA").unwrap();
    damaged[at + 8] ^= 1;
    assert_eq!(pixel(&damaged), [24, 4, 32]);
}

#[test]
fn many_small_chunks_take_no_time() {
    let small: Vec<Chunk<'_>> = std::iter::repeat_n([(b"tEXt", &b""[..]), (b"sPLT", &b""[..])], 20_000).flatten().collect();
    assert_eq!(pixel(&rgb(&small, [1, 2, 3])), [1, 2, 3]);
}

/// An EXIF block that says to turn the picture by 90°.
const TURNED: &[u8] = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

fn noise(count: usize) -> Vec<u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1), next).map(|state| (state >> 24) as u8).take(count).collect()
}

fn dimensions(mut file: &[u8]) -> (u32, u32) {
    let size = native::open(&mut file, &Service::default()).unwrap().dimensions();
    (size.width(), size.height())
}

#[test]
fn an_orientation_behind_the_pixels_is_found() {
    // Of 24 kB, which do not compress: the beginning is not all of the file.
    let noise = noise(24_000);
    let text: &[u8] = b"Comment\0behind the pixels";
    for (width, row) in [(2, &[1, 2][..]), (24_000, &noise)] {
        for behind in [&[(b"eXIf", TURNED)][..], &[(b"tEXt", text), (b"eXIf", TURNED), (b"tEXt", text)]] {
            assert_eq!(dimensions(&png_with(GRAY, 8, width, &[], row, behind)), (1, width));
        }
        assert_eq!(dimensions(&png_with(GRAY, 8, width, &[], row, &[(b"tEXt", text)])), (width, 1));
        // The same in the middle of another chunk is no chunk, nor is one that does not lead to the end of the file.
        let hidden = [b"Comment\0", &chunk(*b"eXIf", TURNED)[..], b"and more"].concat();
        assert_eq!(dimensions(&png_with(GRAY, 8, width, &[], row, &[(b"tEXt", &hidden)])), (width, 1));
        let appended = [&png_with(GRAY, 8, width, &[], row, &[(b"eXIf", TURNED)])[..], b"x"].concat();
        assert_eq!(dimensions(&appended), (width, 1));
    }
}

#[test]
fn an_orientation_behind_the_pixels_costs_one_read_of_large_files() {
    let noise = noise(60_000);
    let cost = |file: &[u8]| {
        let (_, open, _) = drip(file, "full/max/0/default.jpg", u64::MAX).unwrap();
        (open.rounds, open.ranges)
    };
    assert_eq!(cost(&png(GRAY, 8, 2, &[], &[1, 2])), (1, 1));
    assert_eq!(cost(&png(GRAY, 8, 60_000, &[], &noise)), (2, 2));
    assert_eq!(cost(&png(GRAY, 8, 60_000, &[(b"eXIf", TURNED)], &noise)), (1, 1));
}

/// Files of all kinds that are decoded whole, of 16 × 16 black pixels, with a profile.
fn with_profile(profile: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    fn encoded(mut encoder: impl ImageEncoder, profile: &[u8]) {
        encoder.set_icc_profile(profile.to_vec()).unwrap();
        encoder.write_image(&[0; 768], 16, 16, ExtendedColorType::Rgb8).unwrap();
    }
    let (mut png, mut webp, mut progressive, mut sequential) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    encoded(image::codecs::png::PngEncoder::new(&mut png), profile);
    encoded(image::codecs::webp::WebPEncoder::new_lossless(&mut webp), profile);
    for (file, is_progressive) in [(&mut progressive, true), (&mut sequential, false)] {
        let mut encoder = jpeg_encoder::Encoder::new(file, 90);
        encoder.set_progressive(is_progressive);
        encoder.add_icc_profile(profile).unwrap();
        encoder.encode(&[0; 768], 16, 16, jpeg_encoder::ColorType::Rgb).unwrap();
    }
    // Behind the screen and its palette: an application's extension, its name, its parts.
    let mut gif = render(&png_with(GRAY, 8, 16, &[], &[0; 16], &[]), "full/^16,16/0/default.gif").unwrap().bytes;
    let at = 13 + if gif[10] & 0x80 == 0 { 0 } else { 6 << (gif[10] & 7) };
    let parts = profile.chunks(255).flat_map(|part| [&[part.len() as u8], part].concat());
    gif.splice(at..at, [&[0x21, 0xFF, 11][..], b"ICCRGBG1012"].concat().into_iter().chain(parts).chain([0]));
    vec![("png", png), ("webp", webp), ("progressive", progressive), ("sequential", sequential), ("gif", gif)]
}

#[test]
fn profiles_by_tables_are_applied_whatever_the_format() {
    // All colours are L* 50, which is 119 of sRGB.
    let gray = profile(3, 2, [0x7F80, 0x8000, 0x8000].repeat(8));
    for (name, file) in with_profile(&gray) {
        assert_eq!(pixel(&file), [119; 3], "{name}");
        assert_eq!(reasons(&file), [], "{name}");
    }
}

#[test]
fn a_profile_that_the_head_of_a_webp_does_not_name_is_told_and_not_used() {
    let gray = profile(3, 2, [0x7F80, 0x8000, 0x8000].repeat(8));
    let mut webp = with_profile(&gray).swap_remove(1).1;
    assert_eq!(&webp[12..16], b"VP8X");
    webp[20] &= !0x20;
    assert_eq!(pixel(&webp), [0; 3]);
    assert_eq!(reasons(&webp), [("icc", "is not where a profile belongs")]);
}
