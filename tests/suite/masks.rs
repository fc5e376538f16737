//! Transparency masks in directories of their own, as GDAL writes them: they are the alpha channel of their level.

use image::Rgba;

use super::directories::{Coding, File, Image, Values};
use super::structure::{BLUE, GREEN, RED, open, render, tint};

/// As GDAL writes it: the image, its mask, then each overview, then the masks of these.
pub fn masked(tile: Option<u32>, coding: Coding, mask_coding: Coding) -> Vec<u8> {
    let of = |width: u32, height: u32, tint: [u8; 3]| match tile {
        Some(tile) => Image::tiled(width, height, tile, tint).coded(coding),
        None => Image::stripped(width, height, tint).rows(23).coded(coding),
    };
    let mask = |image: &Image, shown: u32| Image::mask_of(image, shown).coded(mask_coding);
    let (full, half, quarter) = (of(401, 301, RED), of(201, 151, GREEN), of(101, 76, BLUE));
    File::of(vec![full.clone(), mask(&full, 200), half.clone().kind(1), quarter.clone().kind(1), mask(&half, 100).kind(5), mask(&quarter, 50).kind(5)])
}

#[test]
fn a_mask_is_the_alpha_channel_of_its_level() {
    for tile in [Some(64), None] {
        for (coding, mask_coding) in [(Coding::Deflate, Coding::Deflate), (Coding::None, Coding::Deflate), (Coding::Deflate, Coding::None)] {
            let file = masked(tile, coding, mask_coding);
            assert_eq!(open(&file, 1).unwrap().pages().count(), Some(1));
            for (request, tint, shown, size) in [
                ("full/max/0/default.png", RED, 200, (401, 301)),
                ("full/201,151/0/default.png", GREEN, 100, (201, 151)),
                ("full/101,76/0/default.png", BLUE, 50, (101, 76)),
                ("190,70,20,90/max/0/default.png", RED, 10, (20, 90)),
            ] {
                let answer = render(&file, 1, request);
                assert_eq!(answer.dimensions(), size, "{request}");
                for (x, y, pixel) in answer.enumerate_pixels() {
                    let [red, green, blue] = tint;
                    let expected = [red, green, blue, if x < shown { 255 } else { 0 }];
                    assert_eq!(pixel.0, expected, "{tile:?} {request}: {x},{y}");
                }
            }
        }
    }
}

#[test]
fn what_a_mask_hides_is_white_where_there_is_no_alpha() {
    let file = masked(Some(64), Coding::Deflate, Coding::Deflate);
    let answer = render(&file, 1, "full/max/0/default.jpg");
    let near = |pixel: &Rgba<u8>, tint: [u8; 3]| pixel.0.iter().zip(tint).all(|(a, b)| a.abs_diff(b) < 6);
    assert!(near(answer.get_pixel(100, 100), RED) && near(answer.get_pixel(300, 100), [255; 3]), "{:?}", answer.get_pixel(300, 100));
}

#[test]
fn levels_without_a_mask_would_show_what_is_hidden() {
    let full = Image::tiled(400, 300, 64, RED);
    let file = File::of(vec![full.clone(), Image::mask_of(&full, 200), Image::tiled(200, 150, 64, GREEN).kind(1)]);
    let answer = render(&file, 1, "full/200,/0/default.png");
    assert_eq!((answer.get_pixel(50, 70).0, answer.get_pixel(150, 70).0[3]), ([200, 10, 20, 255], 0));
    // A mask that cannot be read hides nobody knows what.
    let file = File::of(vec![full.clone(), Image::mask_of(&full, 200).with(258, Values::Short(vec![4]))]);
    let error = open(&file, 1).unwrap_err();
    assert!(error.code() == "source-unsupported" && error.to_string().contains("mask"), "{error}");
    // One of another size is none of this image.
    let file = File::of(vec![full, Image::mask_of(&Image::tiled(300, 300, 64, RED), 200)]);
    assert_eq!(tint(&file, 1, "full/max/0/default.png"), RED);
}

#[test]
fn a_pyramid_keeps_what_a_mask_hides() {
    let file = masked(Some(64), Coding::Deflate, Coding::Deflate);
    let made = super::ingest::write(&file, &azulejo::ingest::Options::default()).unwrap();
    let answer = render(&made, 1, "full/max/0/default.png");
    assert_eq!((answer.get_pixel(199, 150).0, answer.get_pixel(200, 150).0[3]), ([200, 10, 20, 255], 0));
}
