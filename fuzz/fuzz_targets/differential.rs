//! What another decoder makes of the same stream: the size is the same, and so are samples but for the rounding of the inverse DCT.

#![no_main]

use azulejo::fuzzing::Picture;
use jpeg_decoder::{ColorTransform, Decoder};

/// The greatest difference of two samples, of 255: the other one's transform is less exact than the one this engine follows to the bit.
const TOLERANCE: u8 = 2;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(picture) = azulejo::fuzzing::picture(data) {
        compare(&picture);
    }
});

fn compare(picture: &Picture) {
    let mut decoder = Decoder::new(picture.stream.as_slice());
    // As they are stored: what it calls no transform is rows of one component after the other.
    decoder.set_color_transform(ColorTransform::RGB);
    let Ok(samples) = decoder.decode() else { return };
    let Some(info) = decoder.info() else { return };
    let ((width, height), channels) = (picture.size, picture.planes.len());
    assert_eq!((usize::from(info.width), usize::from(info.height)), (width, height));
    assert_eq!(samples.len(), width * height * channels);
    for (channel, (factors, stride, plane)) in picture.planes.iter().enumerate() {
        let rows = plane.len() / stride;
        for (place, sample) in samples.iter().skip(channel).step_by(channels).enumerate() {
            let (across, down) = (around(place % width, factors.0, picture.most.0, *stride), around(place / width, factors.1, picture.most.1, rows));
            let near = down.flat_map(|y| &plane[y * stride..][across.clone()]);
            let (least, most) = near.fold((255, 0), |(least, most): (u8, u8), value| (least.min(*value), most.max(*value)));
            let fits = least.saturating_sub(TOLERANCE)..=most.saturating_add(TOLERANCE);
            assert!(fits.contains(sample), "{sample} of component {channel} at {},{}, not {fits:?}", place % width, place / width);
        }
    }
}

/// Where the samples lie that one of a pixel is made of: one alone, or its neighbours too where there are half as many as pixels, since everyone smooths
/// these in a way of his own.
fn around(at: usize, factor: usize, most: usize, end: usize) -> std::ops::Range<usize> {
    let near = (at * factor / most).min(end - 1);
    let reach = usize::from(factor * 2 == most);
    near.saturating_sub(reach)..(near + reach + 1).min(end)
}
