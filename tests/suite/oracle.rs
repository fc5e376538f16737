//! Pixels against those of others: the same picture in many files, and the `image` crate's decoders.

use image::metadata::Orientation;
use image::{DynamicImage, RgbaImage};

use super::support::{pixels, psnr, render, root};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(name)).unwrap()
}

fn whole(name: &str) -> RgbaImage {
    pixels(&render(&fixture(name), "full/max/0/default.png").unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn reference(name: &str) -> DynamicImage {
    image::load_from_memory(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Mean absolute difference of the samples.
fn difference(a: &RgbaImage, b: &RgbaImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    a.iter().zip(b.iter()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn a_picture_is_the_same_in_every_lossless_file() {
    let expected = reference("rgb8.png").to_rgba8();
    for name in [
        "rgb8.png",
        "interlaced.png",
        "lossless.webp",
        "strips-none.tif",
        "strips-lzw.tif",
        "strips-deflate.tif",
        "strips-packbits.tif",
        "row-strips.tif",
        "planar.tif",
        "tiles-deflate.tif",
        "tiles-webp.tif",
        "tiles-zstd.tif",
        "pyramid-pages.tif",
        "pyramid-subifd.tif",
        "bigtiff.tif",
        "big-endian.tif",
        "float.tif",
        "lossless-rgb.jpg",
        "rgb24.bmp",
    ] {
        assert_eq!(whole(name), expected, "{name}");
    }
}

#[test]
fn a_picture_is_nearly_the_same_in_every_lossy_file() {
    let expected = reference("rgb8.png").to_rgba8();
    for (name, tolerance) in [
        ("baseline-420.jpg", 4.0),
        ("baseline-422.jpg", 4.0),
        ("baseline-444.jpg", 3.0),
        ("progressive.jpg", 4.0),
        ("display-p3.jpg", 4.0),
        ("lossy.webp", 4.0),
        ("lossy-partitions.webp", 4.0),
        ("strips-jpeg.tif", 4.0),
        ("tiles-jpeg.tif", 4.0),
        ("lab8.tif", 4.0),
        ("plain.gif", 6.0),
        ("animated.gif", 8.0),
        // Inks without a profile are multiplied, which is no colour science: the tolerance is wide.
        ("cmyk.jpg", 12.0),
        ("cmyk.tif", 12.0),
    ] {
        let found = difference(&whole(name), &expected);
        assert!(found < tolerance, "{name}: {found}");
    }
}

#[test]
fn lossless_jpegs_are_what_they_were_made_from() {
    assert_eq!(whole("lossless-gray16.jpg"), whole("gray16.png"));
    // Twelve bits over their whole range: white is white.
    let expected = image::GrayImage::from_vec(97, 61, reference("gray16.png").to_luma16().iter().map(|sample| of_12_bits(sample >> 4)).collect()).unwrap();
    assert_eq!(whole("lossless-gray12.jpg"), DynamicImage::ImageLuma8(expected).to_rgba8());
    for request in ["full/24,/0/default.png", "full/9,/0/gray.png", "13,7,80,50/20,/90/default.png", "40,30,1,1/max/0/default.jpg"] {
        for (jpeg, png) in [("lossless-rgb.jpg", "rgb8.png"), ("lossless-gray16.jpg", "gray16.png")] {
            let ask = |name: &str| pixels(&render(&fixture(name), request).unwrap_or_else(|error| panic!("{name} {request}: {error}")));
            assert_eq!(ask(jpeg), ask(png), "{jpeg} {request}");
        }
    }
}

/// The nearest of 8 bits, by way of 16.
fn of_12_bits(sample: u16) -> u8 {
    let wide = (u32::from(sample) * 65_535 + 2047) / 4095;
    ((wide * 255 + 32_767) / 65_535) as u8
}

#[test]
fn the_alpha_of_a_bmp_is_that_of_the_png_it_was_made_from() {
    assert_eq!(whole("rgba.bmp"), whole("rgba8.png"));
}

#[test]
fn deep_and_transparent_files_are_as_others_read_them() {
    for name in [
        "rgba8.png",
        "rgba16.png",
        "rgb16.png",
        "rgb16.tif",
        "rgb16-big-endian.tif",
        "gray8.png",
        "gray16.png",
        "gray-alpha8.png",
        "gray1.png",
        "palette4.png",
        "palette-transparent.png",
        "rgba8.tif",
        "transparent.gif",
        "lossy-alpha.webp",
    ] {
        let found = difference(&whole(name), &reference(name).to_rgba8());
        assert!(found < 0.51, "{name}: {found}");
    }
    let bits = reference("gray1.png").to_rgba8();
    for name in ["modified-huffman.tif", "group3.tif", "group3-2d.tif", "group3-2d-tiles.tif", "group4.tif"] {
        assert_eq!(whole(name), bits, "{name}");
    }
    assert!(difference(&whole("palette.tif"), &reference("palette4.png").to_rgba8()) < 0.51);
}

#[test]
fn a_copy_has_samples_like_those_of_its_image_whatever_it_leaves_unsaid() {
    // 32 × 32 gray fractions and a copy of half the size, one strip each; as libvips writes them, only the first says that they are fractions.
    let entry = |tag: u16, kind: u16, value: u32| [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &1_u32.to_le_bytes(), &value.to_le_bytes()].concat();
    let mut file = b"II\x2a\0\x08\0\0\0".to_vec();
    for (side, values) in [(32_u32, [0.25_f32; 32 * 32].to_vec()), (16, [0.5_f32; 16 * 16].to_vec())] {
        let full = side == 32;
        let mut entries =
            vec![entry(254, 4, u32::from(!full)), entry(256, 4, side), entry(257, 4, side), entry(258, 3, 32), entry(259, 3, 1), entry(262, 3, 1)];
        let pixels = file.len() as u32 + 2 + 12 * (if full { 11 } else { 10 }) + 4;
        entries.extend([entry(273, 4, pixels), entry(277, 3, 1), entry(278, 4, side), entry(279, 4, 4 * side * side)]);
        if full {
            entries.push(entry(339, 3, 3));
        }
        file.extend((entries.len() as u16).to_le_bytes());
        file.extend(entries.concat());
        file.extend((if full { pixels + 4 * side * side } else { 0 }).to_le_bytes());
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    for (request, gray) in [("full/max/0/default.png", 64), ("full/16,16/0/default.png", 128)] {
        let found = pixels(&render(&file, request).unwrap());
        assert!(found.pixels().all(|pixel| pixel.0[0].abs_diff(gray) <= 1), "{request}: {:?}", found.get_pixel(3, 3));
    }
}

#[test]
fn every_orientation_is_applied_dimensions_included() {
    for tag in 1..=8 {
        let name = format!("orientation-{tag}.jpg");
        let mut expected = reference(&name);
        expected.apply_orientation(Orientation::from_exif(tag).unwrap());
        // The decoders round differently in places.
        let found = difference(&whole(&name), &expected.to_rgba8());
        assert!(found < 0.6, "{name}: {found}");
    }
    // Of a TIFF the same pixels, whatever its tag (274, a SHORT) says.
    let mut file = std::fs::read(root().join("tests/fixtures/orientation-6.tif")).unwrap();
    let entry = file.windows(10).position(|bytes| bytes == [0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0]).unwrap();
    for tag in 1..=8 {
        file[entry + 8] = tag;
        let mut expected = reference("rgb8.png");
        expected.apply_orientation(Orientation::from_exif(tag).unwrap());
        assert_eq!(pixels(&render(&file, "full/max/0/default.png").unwrap()), expected.to_rgba8(), "TIFF, {tag}");
    }
    let mut expected = reference("rgb8.png");
    expected.apply_orientation(Orientation::Rotate90);
    assert_eq!(whole("orientation-6.png"), expected.to_rgba8());
}

#[test]
fn a_region_is_cut_from_where_it_is() {
    for name in ["rgb8.png", "strips-lzw.tif", "tiles-deflate.tif", "row-strips.tif", "planar.tif", "orientation-6.tif", "orientation-6.png", "interlaced.png"]
    {
        let full = DynamicImage::from(whole(name));
        for (x, y, width, height) in [(0, 0, 1, 1), (13, 7, 31, 29), (31, 15, 2, 2), (40, 0, 21, 61), (0, 59, 61, 2)] {
            let (x, y) = (x.min(full.width() - 1), y.min(full.height() - 1));
            let (width, height) = (width.min(full.width() - x), height.min(full.height() - y));
            let cut = pixels(&render(&fixture(name), &format!("{x},{y},{width},{height}/max/0/default.png")).unwrap());
            assert_eq!(cut, full.crop_imm(x, y, width, height).to_rgba8(), "{name} {x},{y},{width},{height}");
        }
    }
}

#[test]
fn lossless_outputs_hold_the_same_pixels() {
    let expected = whole("rgb8.png");
    for extension in ["tif", "png"] {
        let encoded = render(&fixture("rgb8.png"), &format!("full/max/0/default.{extension}")).unwrap();
        assert_eq!(pixels(&encoded), expected, "{extension}");
    }
    for (extension, tolerance) in [("jpg", 6.0), ("webp", 6.0), ("gif", 8.0)] {
        let encoded = render(&fixture("rgb8.png"), &format!("full/max/0/default.{extension}")).unwrap();
        let found = difference(&pixels(&encoded), &expected);
        assert!(found < tolerance, "{extension}: {found}");
    }
}

#[test]
fn gray_and_bitonal_are_what_they_say() {
    let gray = image::load_from_memory(&render(&fixture("rgb8.png"), "full/max/0/gray.png").unwrap().bytes).unwrap();
    assert_eq!(gray.color(), image::ColorType::L8);
    assert!(difference(&gray.to_rgba8(), &reference("rgb8.png").grayscale().to_rgba8()) < 6.0);
    let bitonal = render(&fixture("rgb8.png"), "full/max/0/bitonal.png").unwrap();
    // IHDR: one bit, gray.
    assert_eq!(bitonal.bytes[24..26], [1, 0]);
    assert!(pixels(&bitonal).pixels().all(|pixel| matches!(pixel.0, [0, 0, 0, 255] | [255, 255, 255, 255])));
    let jpeg = image::load_from_memory(&render(&fixture("rgb8.png"), "full/max/0/bitonal.jpg").unwrap().bytes).unwrap();
    assert_eq!(jpeg.color(), image::ColorType::L8);
}

#[test]
fn corners_of_a_rotation_are_transparent_or_white() {
    let corner = |format: &str| pixels(&render(&fixture("rgb8.png"), &format!("full/max/45/default.{format}")).unwrap()).get_pixel(0, 0).0;
    for format in ["png", "webp", "gif", "tif"] {
        assert_eq!(corner(format)[3], 0, "{format}");
    }
    assert!(corner("jpg").iter().all(|sample| *sample > 250));
}

#[test]
fn scaled_is_like_averaged() {
    let full = reference("strips-none.tif");
    for (name, request, size) in [
        ("strips-none.tif", "full/24,15/0/default.png", (24, 15)),
        ("pyramid-pages.tif", "full/24,15/0/default.png", (24, 15)),
        ("baseline-444.jpg", "full/24,15/0/default.png", (24, 15)),
        ("progressive.jpg", "full/24,15/0/default.png", (24, 15)),
    ] {
        let expected = full.resize_exact(size.0, size.1, image::imageops::FilterType::Lanczos3).to_rgba8();
        let found = difference(&pixels(&render(&fixture(name), request).unwrap()), &expected);
        assert!(found < 3.5, "{name} {request}: {found}");
    }
}

/// Lines of strokes of a few pixels, dark on light: what suffers most from a coarse filter.
fn page() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(1024, 1024, |x, y| {
        let letter = (x / 22).wrapping_mul(0x9E37_79B1) ^ (y / 48).wrapping_mul(0x85EB_CA6B);
        let (bits, u, v) = (letter ^ (letter >> 15), x % 22, y % 48);
        let strokes = [u < 7, u > 14, v < 16, v > 34, v.abs_diff(25) < 2];
        let dark = (4..18).contains(&u) && (13..38).contains(&v) && strokes.iter().enumerate().any(|(bit, stroke)| *stroke && bits >> (bit + 4) & 1 == 1);
        image::Rgb(if dark { [42, 38, 40] } else { [236, 230, 212] })
    });
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture).unwrap();
    bytes
}

/// The averages of boxes of `factor` × `factor` pixels.
fn averaged(picture: &image::RgbaImage, factor: u32) -> image::RgbaImage {
    image::RgbaImage::from_fn(picture.width() / factor, picture.height() / factor, |x, y| {
        let box_of = (0..factor * factor).map(|at| picture.get_pixel(x * factor + at % factor, y * factor + at / factor).0);
        let sums = box_of.fold([0_u32; 4], |sums, pixel| [0, 1, 2, 3].map(|index| sums[index] + u32::from(pixel[index])));
        image::Rgba(sums.map(|sum| ((sum + factor * factor / 2) / (factor * factor)) as u8))
    })
}

#[test]
fn reduced_jpegs_are_as_near_to_their_filter_as_their_rule_promises() {
    let bytes = page();
    let full = DynamicImage::from(pixels(&render(&bytes, "full/max/0/default.png").unwrap()));
    // Box averages at whole numbers, the Lanczos kernel between them.
    for (side, least) in [(512, 90.0), (400, 45.0), (300, 45.0), (256, 40.0), (200, 36.0), (128, 55.0), (100, 25.0), (60, 33.0)] {
        let expected = match 1024 / side {
            factor if factor * side == 1024 => averaged(&full.to_rgba8(), factor),
            _ => full.resize_exact(side, side, image::imageops::FilterType::Lanczos3).to_rgba8(),
        };
        let found = psnr(&pixels(&render(&bytes, &format!("full/{side},/0/default.png")).unwrap()), &expected);
        assert!(found > least, "{side} px: {found:.1} dB");
    }
}
