//! YCbCr in TIFF: what the tags say of it, and codecs that know their own.

use azulejo::EncodeOptions;
use azulejo::api::{Service, Version};
use azulejo::native;

use super::support::{pixels, render};
use super::tiffs::{Page, file, pack_row};

const WIDTH: usize = 16;
const HEIGHT: usize = 8;
const YCBCR_COEFFICIENTS: u16 = 529;
const REFERENCE_BLACK_WHITE: u16 = 532;

/// Y, Cb and Cr of pixels that differ.
fn samples() -> Vec<[u8; 3]> {
    (0..WIDTH * HEIGHT).map(|at| [(at * 2) as u8, (at.wrapping_mul(2_654_435_761) >> 13) as u8, (at.wrapping_mul(2_246_822_519) >> 11) as u8]).collect()
}

/// One strip of `bits` bits, not subsampled.
fn page(bits: u16, count: u16, strip: Vec<u8>) -> Page {
    Page::new(false)
        .longs(256, &[WIDTH as u32])
        .longs(257, &[HEIGHT as u32])
        .shorts(258, &vec![bits; count.into()])
        .shorts(259, &[1])
        .shorts(262, &[6])
        .shorts(277, &[count])
        .shorts(278, &[HEIGHT as u16])
        .shorts(530, &[1, 1])
        .strips(vec![strip])
}

fn plain(pixels: &[[u8; 3]]) -> Page {
    page(8, 3, pixels.concat())
}

fn shown(page: Page) -> image::RgbaImage {
    pixels(&render(&file(vec![page]), "full/max/0/default.png").unwrap_or_else(|error| panic!("{error}")))
}

fn whole(numbers: [u32; 6]) -> [(u32, u32); 6] {
    numbers.map(|number| (number, 1))
}

/// Red, green and blue by TIFF 6.0, sections 20 and 21.
fn defined([y, cb, cr]: [u8; 3], reference: [f64; 6], [red, green, blue]: [f64; 3]) -> [f64; 3] {
    let [black, white, no_blue, full_blue, no_red, full_red] = reference;
    let y = (f64::from(y) - black) * 255.0 / (white - black);
    let cb = (f64::from(cb) - no_blue) * 127.0 / (full_blue - no_blue);
    let cr = (f64::from(cr) - no_red) * 127.0 / (full_red - no_red);
    let (r, b) = (cr * (2.0 - 2.0 * red) + y, cb * (2.0 - 2.0 * blue) + y);
    [r, (y - blue * b - red * r) / green, b].map(|value| value.clamp(0.0, 255.0))
}

#[test]
fn its_tags_are_honoured() {
    const JFIF: [f64; 6] = [0.0, 255.0, 128.0, 255.0, 128.0, 255.0];
    const STUDIO: [f64; 6] = [16.0, 235.0, 128.0, 240.0, 128.0, 240.0];
    const BT_601: [f64; 3] = [0.299, 0.587, 0.114];
    const BT_709: [f64; 3] = [0.2126, 0.7152, 0.0722];
    let studio = |page: Page| page.rationals(REFERENCE_BLACK_WHITE, &whole([16, 235, 128, 240, 128, 240]));
    let bt_709 = |page: Page| page.rationals(YCBCR_COEFFICIENTS, &[(2126, 10_000), (7152, 10_000), (722, 10_000)]);
    let page = || plain(&samples());
    for (name, page, reference, luma) in [
        ("no tags", page(), JFIF, BT_601),
        ("the tags' defaults", page().rationals(REFERENCE_BLACK_WHITE, &whole([0, 255, 128, 255, 128, 255])), JFIF, BT_601),
        ("ReferenceBlackWhite", studio(page()), STUDIO, BT_601),
        ("YCbCrCoefficients", bt_709(page()), JFIF, BT_709),
        ("both", bt_709(studio(page())), STUDIO, BT_709),
        (
            "fractions",
            page().rationals(REFERENCE_BLACK_WHITE, &[(33, 2), (470, 2), (256, 2), (480, 2), (128, 1), (961, 4)]),
            [16.5, 235.0, 128.0, 240.0, 128.0, 240.25],
            BT_601,
        ),
        ("too few values", page().rationals(REFERENCE_BLACK_WHITE, &[(16, 1), (235, 1)]), JFIF, BT_601),
    ] {
        for (pixel, found) in samples().iter().zip(shown(page).pixels()) {
            let expected = defined(*pixel, reference, luma);
            let near = expected.iter().zip(found.0).all(|(expected, found)| (expected - f64::from(found)).abs() <= 0.501);
            assert!(near && found.0[3] == 255, "{name}: {pixel:?} is {found:?} and should be {expected:?}");
        }
    }
    // The white of video is white.
    assert_eq!(shown(studio(plain(&[[235, 128, 128]; WIDTH * HEIGHT]))).get_pixel(3, 3).0, [255; 4]);
}

#[test]
fn tags_that_make_no_colours_are_named() {
    let page = || plain(&samples());
    for (name, page) in [
        ("ReferenceBlackWhite", page().rationals(REFERENCE_BLACK_WHITE, &whole([16, 16, 128, 240, 128, 240]))),
        ("ReferenceBlackWhite", page().rationals(REFERENCE_BLACK_WHITE, &[(0, 0), (235, 1), (128, 1), (240, 1), (128, 1), (240, 1)])),
        ("ReferenceBlackWhite", page().rationals(REFERENCE_BLACK_WHITE, &whole([u32::MAX, 0, 128, 240, 128, 240]))),
        ("YCbCrCoefficients", page().rationals(YCBCR_COEFFICIENTS, &[(1, 1), (0, 1), (0, 1)])),
        ("YCbCrCoefficients", page().rationals(YCBCR_COEFFICIENTS, &[(1, 0), (1, 1), (0, 1)])),
        ("YCbCrCoefficients", page().rationals(YCBCR_COEFFICIENTS, &[(3, 1), (1, 2), (0, 1)])),
    ] {
        let error = render(&file(vec![page]), "full/max/0/default.png").unwrap_err();
        assert!(error.code() == "source-corrupt" && error.to_string().contains(name), "{error}");
    }
}

#[test]
fn sixteen_bits_are_the_same_picture() {
    let studio = |page: Page| page.rationals(REFERENCE_BLACK_WHITE, &whole([16, 235, 128, 240, 128, 240]));
    let deep: Vec<u64> = samples().concat().into_iter().map(|sample| u64::from(sample) * 257).collect();
    let deep = || page(16, 3, pack_row(&deep, 16, false));
    assert_eq!(shown(deep()), shown(plain(&samples())));
    // In values of 16 bits, and in those of 8 bits that careless writers leave.
    let expected = shown(studio(plain(&samples())));
    assert_eq!(shown(deep().rationals(REFERENCE_BLACK_WHITE, &whole([16, 235, 128, 240, 128, 240].map(|value| value * 257)))), expected);
    assert_eq!(shown(studio(deep())), expected);
}

/// A JPEG of components that are stored as they are given.
fn jpeg(components: &[Vec<u8>], sampling: jpeg_encoder::SamplingFactor) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 100);
    encoder.set_sampling_factor(sampling);
    let (color, data): (_, Vec<u8>) = match components {
        [gray] => (jpeg_encoder::ColorType::Luma, gray.clone()),
        [y, cb, cr] => (jpeg_encoder::ColorType::Ycbcr, (0..y.len()).flat_map(|at| [y[at], cb[at], cr[at]]).collect()),
        // Inverted on its way into the file.
        [c, m, y, k] => (jpeg_encoder::ColorType::CmykAsYcck, (0..c.len()).flat_map(|at| [c[at], m[at], y[at], k[at]]).collect()),
        _ => unreachable!(),
    };
    encoder.encode(&data, WIDTH as u16, HEIGHT as u16, color).unwrap();
    out
}

/// The same for all pixels of 8 × 8, which a JPEG keeps nearly.
fn smooth() -> Vec<[u8; 3]> {
    (0..WIDTH * HEIGHT).map(|at| if at % WIDTH < 8 { [180, 100, 160] } else { [60, 140, 90] }).collect()
}

fn planes(pixels: &[[u8; 3]]) -> Vec<Vec<u8>> {
    (0..3).map(|plane| pixels.iter().map(|pixel| pixel[plane]).collect()).collect()
}

fn assert_near(found: &image::RgbaImage, expected: &image::RgbaImage, what: &str) {
    let most = found.iter().zip(expected.iter()).map(|(found, expected)| found.abs_diff(*expected)).max().unwrap();
    assert!(most <= 3, "{what}: {most}");
}

#[test]
fn a_jpeg_converts_its_own_colours_whatever_the_tags_say() {
    let stream = jpeg(&planes(&smooth()), jpeg_encoder::SamplingFactor::F_1_1);
    let page = || page(8, 3, stream.clone()).shorts(259, &[7]);
    let expected = shown(plain(&smooth()));
    assert_near(&shown(page()), &expected, "JPEG");
    // As libtiff reads it; so its tiles can be sent as they are.
    let tagged = page()
        .rationals(REFERENCE_BLACK_WHITE, &whole([16, 235, 128, 240, 128, 240]))
        .rationals(YCBCR_COEFFICIENTS, &[(2126, 10_000), (7152, 10_000), (722, 10_000)]);
    assert_eq!(shown(tagged.clone()), shown(page()));
    let answer = render(&file(vec![tagged]), "full/max/0/default.jpg").unwrap();
    assert!(answer.passthrough);
    assert_near(&pixels(&answer), &expected, "as stored");
}

#[test]
fn planes_of_jpeg_are_converted_by_the_tags() {
    let streams: Vec<Vec<u8>> = planes(&smooth()).into_iter().map(|plane| jpeg(&[plane], jpeg_encoder::SamplingFactor::F_1_1)).collect();
    let of = |page: Page| page.shorts(259, &[7]).shorts(284, &[2]).strips(streams.clone());
    let studio = |page: Page| page.rationals(REFERENCE_BLACK_WHITE, &whole([16, 235, 128, 240, 128, 240]));
    assert_near(&shown(of(plain(&smooth()))), &shown(plain(&smooth())), "planes");
    assert_near(&shown(studio(of(plain(&smooth())))), &shown(studio(plain(&smooth()))), "planes and tags");
    // They are no JPEG of colours that could be sent. Of one colour, it is kept.
    let answer = render(&file(vec![of(plain(&smooth()))]), "0,0,8,8/max/0/default.jpg").unwrap();
    assert_near(&pixels(&answer), &image::imageops::crop_imm(&shown(plain(&smooth())), 0, 0, 8, 8).to_image(), "a JPEG of them");
    for sampling in [&[2, 2][..], &[2, 1], &[]] {
        let page = if sampling.is_empty() { of(plain(&smooth())).without(530) } else { of(plain(&smooth())).shorts(530, sampling) };
        let error = render(&file(vec![page]), "full/max/0/default.png").unwrap_err();
        assert!(error.code() == "source-unsupported" && error.to_string().contains("subsampled YCbCr"), "{error}");
    }
}

#[test]
fn a_jpeg_of_four_components_has_alpha() {
    // The encoder turns inks into YCCK: what is stored are Y, Cb and Cr of the inverse, and the inverse of black.
    let inks: Vec<Vec<u8>> = [[40_u8, 200], [90, 20], [130, 70], [255, 100]]
        .iter()
        .map(|sides| (0..WIDTH * HEIGHT).map(|at| sides[usize::from(at % WIDTH >= 8)]).collect())
        .collect();
    let stream = jpeg(&inks, jpeg_encoder::SamplingFactor::F_1_1);
    let stored = shown(page(8, 4, stream.clone()).shorts(259, &[7]).shorts(262, &[2]).shorts(338, &[2]));
    let page = page(8, 4, stream).shorts(259, &[7]).shorts(338, &[2]);
    let found = shown(page);
    for (stored, found) in stored.pixels().zip(found.pixels()) {
        let [y, cb, cr, alpha] = stored.0;
        let expected = defined([y, cb, cr], [0.0, 255.0, 128.0, 255.0, 128.0, 255.0], [0.299, 0.587, 0.114]);
        assert!(
            expected.iter().zip(found.0).all(|(expected, found)| (expected - f64::from(found)).abs() <= 0.501) && alpha == found.0[3],
            "{stored:?}: {found:?}"
        );
    }
    assert!(found.get_pixel(0, 0) != found.get_pixel(15, 0));
}

#[test]
fn what_is_in_a_webp_is_converted_like_any_other_samples() {
    // Y, Cb and Cr as if they were red, green and blue.
    let mut png = Vec::new();
    let rgb = image::RgbImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| image::Rgb(samples()[y as usize * WIDTH + x as usize]));
    image::DynamicImage::from(rgb).write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let (service, mut options, mut source) = (Service::default(), EncodeOptions::default(), png.as_slice());
    options.webp_lossless = true;
    let pyramid = native::open(&mut source, &service).unwrap();
    let webp = native::render(&mut source, &pyramid, Version::V3, "full/max/0/default.webp", &service, &options).unwrap().bytes;
    let bytes = file(vec![page(8, 3, webp).shorts(259, &[50001])]);
    let expected = shown(plain(&samples()));
    assert_eq!(pixels(&render(&bytes, "full/max/0/default.png").unwrap()), expected);
    // It would be red, green and blue to everybody else.
    let answer = render(&bytes, "full/max/0/default.webp").unwrap();
    assert!(!answer.passthrough);
}
