use super::*;
use crate::collected::Raster;
use image::{DynamicImage, ImageDecoder};

/// The pixels of a file by another decoder, RGBA, and whether the file declares alpha.
fn decoded(file: &[u8], size: Size) -> (Vec<u8>, bool) {
    let decoder = image::codecs::webp::WebPDecoder::new(std::io::Cursor::new(file)).unwrap();
    let alpha = decoder.color_type().has_alpha();
    assert_eq!(decoder.dimensions(), (size.width, size.height));
    (DynamicImage::from_decoder(decoder).unwrap().to_rgba8().into_raw(), alpha)
}

fn rgba(raster: &Raster) -> Vec<u8> {
    let pixel = |samples: &[u8]| match *samples {
        [gray] => [gray, gray, gray, 255],
        [gray, alpha] => [gray, gray, gray, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => [0; 4],
    };
    raster.data.chunks_exact(raster.channels).flat_map(pixel).collect()
}

/// Samples of `count` rows.
fn part(raster: &Raster, first: u32, count: u32) -> &[u8] {
    &raster.data[first as usize * raster.stride()..][..count as usize * raster.stride()]
}

/// Makes each colour sample 0 or 255.
fn bitonal(raster: &mut Raster) {
    let colors = if raster.channels > 2 { 3 } else { 1 };
    for pixel in raster.data.chunks_exact_mut(raster.channels) {
        let value = if pixel[colors / 2] < 128 { 0 } else { 255 };
        pixel[..colors].fill(value);
    }
}

/// Encodes a file in pieces, and pushes a few rows at a time.
fn in_pieces(raster: &Raster, bitonal: bool, rows: u32) -> Vec<u8> {
    let mut encoder = Rows::new(raster.size, raster.channels, bitonal);
    let mut file = Vec::new();
    for pass in 0..2 {
        assert_eq!(encoder.is_counted(), pass == 1);
        for first in (0..raster.size.height).step_by(rows as usize) {
            encoder.push(part(raster, first, rows.min(raster.size.height - first)).into()).unwrap();
            if pass == 1 {
                let held = encoder.held();
                let piece = encoder.take();
                assert_eq!((piece.len(), encoder.held()), (held, 0));
                file.extend(piece);
            }
        }
    }
    file.extend(encoder.finish().unwrap());
    file
}

/// Encodes a raster, and checks all properties of the file. Returns its length.
fn check(what: &str, raster: &Raster, bitonal: bool) -> usize {
    let file = in_pieces(raster, bitonal, raster.size.height);
    let length = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(([&file[..4], &file[8..16]].concat(), file.len() % 2), (b"RIFFWEBPVP8L".to_vec(), 0), "{what}");
    assert_eq!((length(4), length(16).next_multiple_of(2)), (file.len() - 8, file.len() - 20), "{what}");
    let (pixels, alpha) = decoded(&file, raster.size);
    assert!(pixels == rgba(raster), "{what}: other pixels");
    assert_eq!(alpha, raster.channels.is_multiple_of(2), "{what}");
    for rows in [1, 7] {
        assert!(in_pieces(raster, bitonal, rows) == file, "{what}: another file in pieces");
    }
    file.len()
}

fn noise(at: usize) -> u8 {
    (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9).to_be_bytes()[0]
}

/// Test pictures by name: a function gives each sample from x, y, channel and index.
type Painter = (&'static str, fn(usize, usize, usize, usize) -> u8);
const PICTURES: [Painter; 7] = [
    ("flat", |_, _, channel, _| [200, 30, 90, 120][channel]),
    ("nothing", |_, _, _, _| 0),
    ("noise", |_, _, _, index| noise(index)),
    ("slope", |x, y, channel, _| (x * 2 + y * 3 + channel * 50 + (x * y) / 64) as u8),
    ("grain", |x, y, channel, index| (x / 2 + y + channel * 20) as u8 ^ (noise(index) & 3)),
    ("few colors", |x, y, channel, _| noise((x / 9 * 31 + y / 6 * 77) % 5 * 4 + channel)),
    ("stripes", |x, _, channel, _| if x % 5 < 2 { 10 } else { 240 - channel as u8 }),
];

fn painted((_, paint): Painter, size: Size, channels: usize) -> Raster {
    let width = size.width as usize;
    let data = (0..size.area() as usize * channels).map(|index| paint(index / channels % width, index / channels / width, index % channels, index)).collect();
    Raster { size, channels, data }
}

#[test]
fn every_kind_of_pixel_comes_back() {
    for (width, height) in [(1, 1), (2, 1), (1, 2), (1, 300), (300, 1), (15, 17), (16, 16), (33, 40), (257, 65)] {
        let size = Size { width, height };
        for picture in PICTURES {
            for channels in 1..=4 {
                check(&format!("{}, {size}, {channels} channels", picture.0), &painted(picture, size, channels), false);
            }
        }
    }
}

#[test]
fn bitonal_pixels_come_back() {
    for (width, height) in [(1, 1), (7, 9), (8, 1), (9, 30), (1, 100), (640, 130)] {
        let size = Size { width, height };
        for picture in PICTURES {
            for channels in 1..=4 {
                let mut raster = painted(picture, size, channels);
                bitonal(&mut raster);
                check(&format!("{}, {size}, {channels} channels", picture.0), &raster, true);
            }
        }
    }
}

#[test]
fn the_longest_sides_come_back() {
    for (width, height) in [(16_383, 2), (2, 16_383)] {
        let size = Size { width, height };
        for picture in PICTURES {
            for channels in [1, 4] {
                check(&format!("{}, {size}, {channels} channels", picture.0), &painted(picture, size, channels), false);
            }
        }
    }
}

#[test]
fn what_is_simple_takes_few_bytes_and_noise_no_more_than_it_is() {
    let size = Size { width: 1000, height: 800 };
    let length = |picture: usize, channels| check(PICTURES[picture].0, &painted(PICTURES[picture], size, channels), false);
    // A reference copies up to 4096 pixels.
    assert!(length(0, 3) < 500 && length(1, 4) < 500 && length(6, 3) < 800);
    assert!(length(2, 3) < 1000 * 800 * 3 + 2000 && length(2, 1) < 1000 * 800 + 1000);
    let mut page = painted(PICTURES[5], size, 1);
    bitonal(&mut page);
    assert!(check("page", &page, true) < 1000 * 800 / 8 / 8);
}

#[test]
fn other_rows_in_the_second_pass_are_an_error() {
    let size = Size { width: 40, height: 50 };
    let first = painted(PICTURES[4], size, 3);
    let again = |second: &[u8]| {
        let mut rows = Rows::new(size, 3, false);
        rows.push(first.data.as_slice().into()).unwrap();
        rows.push(second.into()).and_then(|()| rows.finish().map(drop))
    };
    assert_eq!(again(&first.data), Ok(()));
    // Other symbols; then the same symbols in another order.
    assert_eq!(again(&painted(PICTURES[2], size, 3).data), Err(Fault::Changed));
    let mut swapped = painted(PICTURES[4], size, 3);
    swapped.data.rotate_left(3);
    assert_eq!(again(&swapped.data), Err(Fault::Changed));
    let mut one = painted(PICTURES[4], size, 3);
    one.data[40 * 49 * 3 + 5] ^= 1;
    assert_eq!(again(&one.data), Err(Fault::Changed));
    // Too few rows, and too many.
    assert_eq!(again(part(&first, 0, 49)), Err(internal("rows that did not come twice")));
    let mut rows = Rows::new(size, 3, false);
    (0..2).for_each(|_| rows.push(first.data.as_slice().into()).unwrap());
    assert_eq!(rows.push(part(&first, 0, 1).into()), Err(Fault::Changed));
}
