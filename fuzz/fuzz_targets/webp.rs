#![no_main]
//! Any pixels, as lossless WebP: another decoder finds them again.

use azulejo::api::{Service, Version};
use azulejo::{EncodeOptions, native};
use image::ImageFormat;

const QUALITIES: [&str; 4] = ["default", "gray", "bitonal", "color"];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [kind, width, samples @ ..] = data else { return };
    let channels = 1 + usize::from(kind & 3);
    let width = 1 + usize::from(*width);
    let height = samples.len() / (width * channels);
    if height == 0 || height > 4096 {
        return;
    }
    let file = tiff(width, height, channels, &samples[..width * height * channels]);
    let request = format!("full/max/{}/{}", [0, 90, 180][usize::from(kind >> 2 & 3).min(2)], QUALITIES[usize::from(kind >> 4 & 3)]);
    let [webp, png] = [("webp", ImageFormat::WebP), ("png", ImageFormat::Png)].map(|(extension, format)| {
        let mut source = file.as_slice();
        let service = Service::default();
        let mut options = EncodeOptions::default();
        options.webp_lossless = true;
        let pyramid = native::open(&mut source, &service).unwrap();
        let encoded = native::render(&mut source, &pyramid, Version::V3, &format!("{request}.{extension}"), &service, &options).unwrap();
        image::load_from_memory_with_format(&encoded.bytes, format).unwrap()
    });
    assert_eq!(webp.color().has_alpha(), png.color().has_alpha(), "{request}");
    assert!(webp.into_rgba8() == png.into_rgba8(), "{width} × {height}, {channels} channels, {request}");
});

/// An uncompressed TIFF of one strip: gray, gray and alpha, RGB or RGBA.
fn tiff(width: usize, height: usize, channels: usize, samples: &[u8]) -> Vec<u8> {
    let alpha = channels % 2 == 0;
    let mut entries: Vec<(u16, u32)> = vec![
        (256, width as u32),
        (257, height as u32),
        (259, 1),
        (262, if channels > 2 { 2 } else { 1 }),
        (273, 8),
        (277, channels as u32),
        (278, height as u32),
        (279, samples.len() as u32),
    ];
    if alpha {
        entries.push((338, 2));
    }
    // BitsPerSample: of several samples there is one value each, which lie behind the directory.
    let directory = 8 + samples.len().next_multiple_of(2);
    let behind = directory + 2 + 12 * (entries.len() + 1) + 4;
    let mut file = b"II*\0".to_vec();
    file.extend((directory as u32).to_le_bytes());
    file.extend(samples);
    file.resize(directory, 0);
    file.extend((entries.len() as u16 + 1).to_le_bytes());
    for (tag, value) in entries {
        if tag == 259 {
            file.extend([2, 1, 3, 0]);
            file.extend((channels as u32).to_le_bytes());
            let bits = if channels > 2 { behind as u32 } else { 0x0008_0008 >> (16 * (2 - channels)) };
            file.extend(bits.to_le_bytes());
        }
        file.extend(tag.to_le_bytes());
        file.extend([4, 0, 1, 0, 0, 0]);
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file.extend([8, 0].repeat(channels));
    file
}
