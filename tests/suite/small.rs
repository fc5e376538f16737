//! JPEGs that are to be small: fewer bytes for the same picture, and only where that is possible.

use azulejo::api::{Service, Version};
use azulejo::{EncodeOptions, Encoded, native};

use super::support::{pixels, psnr, root};

fn render(name: &str, request: &str, quality: u8, small: bool, memory: Option<u64>) -> Encoded {
    let mut options = EncodeOptions::default();
    (options.jpeg_quality, options.jpeg_small) = (quality, small);
    let mut service = Service::default();
    service.limits.memory = memory.unwrap_or(service.limits.memory);
    let bytes = std::fs::read(root().join("www/samples").join(name)).unwrap();
    let mut source = bytes.as_slice();
    let pyramid = native::open(&mut source, &service).unwrap();
    native::render(&mut source, &pyramid, Version::V3, request, &service, &options).unwrap()
}

#[test]
fn small_jpegs_have_fewer_bytes_at_the_same_quality_and_at_the_same_nearness() {
    let (mut ratios, mut gains) = (Vec::new(), Vec::new());
    // Of PNG and of JPEG, with chroma and without, upright and turned; at 92 with chroma in full detail.
    for (name, request) in [("astronaut.png", "full/300,/0"), ("rocket.jpg", "full/300,/90"), ("retina.jpg", "full/,300/180")] {
        for quality in ["default", "gray"] {
            let exact = image::DynamicImage::from(pixels(&render(name, &format!("{request}/{quality}.png"), 80, false, None))).to_rgb8();
            let exact = image::DynamicImage::from(exact).to_rgba8();
            for number in [60, 80, 92] {
                let show = |number, small| render(name, &format!("{request}/{quality}.jpg"), number, small, None);
                let near = |shown: &Encoded| psnr(&exact, &pixels(shown));
                let (usual, small) = (show(number, false), show(number, true));
                let case = format!("{name} {request} {quality} {number}");
                assert_eq!(usual.dimensions, small.dimensions, "{case}");
                assert_eq!(small.bytes[2..4], [0xFF, 0xE0], "{case}: JFIF");
                let ratio = small.bytes.len() as f64 / usual.bytes.len() as f64;
                // At 92 of a picture that is mostly dark there may be nothing to save.
                assert!(ratio < if number < 92 { 1.0 } else { 1.005 }, "{case}: {ratio:.3}");
                assert!(near(&small) > near(&usual) - 3.0, "{case}: {:.2} dB, {:.2} dB", near(&small), near(&usual));
                ratios.push(ratio);
                let as_near = (number / 2..=100).step_by(3).map(|number| show(number, false)).find(|usual| near(usual) >= near(&small)).unwrap();
                gains.push(small.bytes.len() as f64 / as_near.bytes.len() as f64);
            }
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!(mean(&ratios) < 0.85, "{:.3}", mean(&ratios));
    assert!(mean(&gains) < 0.95, "{:.3}", mean(&gains));
}

#[test]
fn small_jpegs_are_baseline_at_every_quality() {
    for quality in [1, 10, 25, 50, 100] {
        for request in ["full/33,17/0/default.jpg", "full/1,1/0/gray.jpg", "full/64,9/0/bitonal.jpg"] {
            let shown = render("astronaut.png", request, quality, true, None);
            let frame = shown.bytes.windows(2).find(|marker| marker[0] == 0xFF && (0xC0..=0xC2).contains(&marker[1])).unwrap();
            assert_eq!(frame[1], 0xC0, "{request} {quality}");
            assert_eq!(pixels(&shown).dimensions(), (shown.dimensions.width(), shown.dimensions.height()));
        }
    }
}

#[test]
fn answers_stay_usual_where_small_ones_cannot_be() {
    let same = |request: &str, memory| render("astronaut.png", request, 80, true, memory) == render("astronaut.png", request, 80, false, memory);
    assert!(!same("full/max/0/default.jpg", None));
    // Too large; not a JPEG; more memory than there is.
    assert!(same("full/^1100,/0/default.jpg", None));
    assert!(same("full/max/0/default.png", None));
    assert!(same("full/max/0/default.jpg", Some(8 << 20)));
}
