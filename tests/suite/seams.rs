//! Tiles have the pixels of the whole level: nothing is seen where two of them meet.

use azulejo::EncodeOptions;
use azulejo::api::{Service, Version};
use azulejo::{Pyramid, native};

use super::support::{images, root};

/// A tile of 128 px on each side of every corner of the grid, at a scale of `numerator / denominator`.
struct Scale {
    numerator: u32,
    denominator: u32,
}

fn render(bytes: &[u8], pyramid: &Pyramid, request: &str) -> image::RgbaImage {
    let mut source = bytes;
    let encoded = native::render(&mut source, pyramid, Version::V3, request, &Service::default(), &EncodeOptions::default());
    image::load_from_memory(&encoded.unwrap_or_else(|error| panic!("{request}: {error}")).bytes).unwrap().to_rgba8()
}

/// Compares every tile of a level with that part of the whole level; how many there were.
fn compare(name: &str, bytes: &[u8], scale: &Scale, side: u32) -> u32 {
    let mut source = bytes;
    let pyramid = native::open(&mut source, &Service::default()).unwrap();
    let (width, height) = (pyramid.dimensions().width(), pyramid.dimensions().height());
    // As viewers round, and only where the whole level is exactly that scale or its last pixel stands for fewer.
    let reduced = |length: u32| (length * scale.denominator).div_ceil(scale.numerator);
    if scale.denominator != 1 && !(width * scale.denominator).is_multiple_of(scale.numerator) | !(height * scale.denominator).is_multiple_of(scale.numerator) {
        return 0;
    }
    let whole = render(bytes, &pyramid, &format!("full/{},{}/0/default.png", reduced(width), reduced(height)));
    let step = side * scale.numerator / scale.denominator;
    let mut tiles = 0;
    for y in (0..height).step_by(step as usize) {
        for x in (0..width).step_by(step as usize) {
            let (w, h) = (step.min(width - x), step.min(height - y));
            let (left, top) = (x * scale.denominator / scale.numerator, y * scale.denominator / scale.numerator);
            let request = format!("{x},{y},{w},{h}/{},{}/0/default.png", reduced(w), reduced(h));
            let tile = render(bytes, &pyramid, &request);
            for (column, row, pixel) in tile.enumerate_pixels() {
                let other = whole.get_pixel(left + column, top + row);
                // What is transparent has no colour.
                let seen = |pixel: &image::Rgba<u8>| [0, 1, 2, 3].map(|index| if pixel[3] == 0 { 0 } else { pixel[index] });
                let (one, other) = (seen(pixel), seen(other));
                let close = one.iter().zip(&other).all(|(one, other)| one.abs_diff(*other) <= if pixel[3] < 255 { 3 } else { 1 });
                assert!(close, "{name} {request}: {one:?} at {column},{row}, where the whole level has {other:?}");
            }
            tiles += 1;
        }
    }
    tiles
}

const SCALES: [Scale; 9] = [
    Scale { numerator: 1, denominator: 1 },
    Scale { numerator: 2, denominator: 1 },
    Scale { numerator: 3, denominator: 1 },
    Scale { numerator: 4, denominator: 1 },
    Scale { numerator: 8, denominator: 1 },
    Scale { numerator: 16, denominator: 1 },
    Scale { numerator: 3, denominator: 2 },
    Scale { numerator: 5, denominator: 2 },
    Scale { numerator: 16, denominator: 3 },
];

#[test]
fn tiles_of_samples_meet() {
    let mut tiles = 0;
    for name in ["retina.jpg", "retina-pyramid.tif", "astronaut.png", "67352ccc-d1b0-11e1-89ae-279075081939.png"] {
        let bytes = std::fs::read(root().join("www/samples").join(name)).unwrap();
        for scale in &SCALES {
            tiles += compare(name, &bytes, scale, 48 * if scale.numerator > 4 { 1 } else { 4 });
        }
    }
    assert!(tiles > 200, "only {tiles} tiles were compared");
}

#[test]
fn tiles_of_every_kind_of_file_meet() {
    let mut tiles = 0;
    for (name, bytes) in images("tests/fixtures") {
        for scale in SCALES.iter().filter(|scale| scale.numerator.is_power_of_two() && scale.denominator == 1) {
            tiles += compare(&name, &bytes, scale, 16);
        }
    }
    assert!(tiles > 1000, "only {tiles} tiles were compared");
}
