//! There and back again.

use super::recipe::{Bytes, settings};
use super::{MEMORY, planes, rows};
use crate::jpeg::quantization::{self, QuantizationTable};
use crate::jpeg::{Encoder, Header, Plane, Sampling, Settings, Wanted};

/// What is encoded, by rows or by planes, decodes to its size, and no block of it further from what it was than half of each quantization step allows:
/// at a quality of 100 that is at least 48 dB of PSNR a plane, at 90 at least 27 dB, for the worst of pictures.
pub fn encode(data: &[u8]) {
    let mut recipe = Bytes(data);
    let (settings, samples) = settings(&mut recipe);
    let width = settings.dimensions.width() as usize * settings.sampling.components();
    let mut encoder = Encoder::new(&settings).unwrap();
    let mut stream = Vec::new();
    for row in samples.chunks_exact(width) {
        encoder.push_row(row).unwrap();
        if recipe.now_and_then(128) {
            let held = encoder.held();
            stream.extend(encoder.take());
            assert!(encoder.held() == 0 && held <= stream.len());
        }
    }
    stream.extend(encoder.finish().unwrap());
    let header = sound(&settings, &stream);
    let found = rows(&header, &stream, settings.dimensions.rect(), 1, MEMORY).unwrap();
    let tables = quantization::tables(settings.quality);
    match settings.sampling {
        Sampling::Gray => {
            let plane = |data| Plane { width, stride: width, height: settings.dimensions.height() as usize, data };
            near(&plane(samples), &plane(found), &tables[0]);
        }
        Sampling::S444 => {
            // A pixel's blue is luminance and 1.772 times Cb, no other colour is further from its planes.
            let error: f64 = samples.iter().zip(&found).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
            let blocks = f64::from(settings.dimensions.width().div_ceil(8) * settings.dimensions.height().div_ceil(8)) * 3.0;
            let most = bound(&tables[0]) + 1.772 * bound(&tables[1]) + 16.0;
            assert!(error <= blocks * most * most, "{settings:?}: {error}");
        }
        _ => {}
    }
    again(&settings, &header, &stream, &mut recipe);
}

/// The planes of a stream through an encoder of another quality.
fn again(settings: &Settings<'_>, header: &Header, stream: &[u8], recipe: &mut Bytes<'_>) {
    let settings = Settings { quality: 1 + recipe.byte() % 100, restart_interval: u16::from(recipe.byte() % 5), ..*settings };
    let before = planes(header, stream, &Wanted::whole(header)).unwrap();
    let mut encoder = Encoder::new(&settings).unwrap();
    encoder.push_planes(&before).unwrap();
    let stream = encoder.finish().unwrap();
    let header = sound(&settings, &stream);
    let after = planes(&header, &stream, &Wanted::whole(&header)).unwrap();
    assert_eq!(before.len(), after.len());
    for (index, (before, after)) in before.iter().zip(&after).enumerate() {
        let (across, down) = if index == 0 { (1, 1) } else { settings.sampling.factors() };
        let (width, height) = ((settings.dimensions.width() as usize).div_ceil(across), (settings.dimensions.height() as usize).div_ceil(down));
        let visible = |plane: &Plane| super::decode::cut(plane, 0, 0, width, height);
        near(&visible(before), &visible(after), &quantization::tables(settings.quality)[index.min(1)]);
    }
}

/// The header of what was written, which says what was asked for.
fn sound(settings: &Settings<'_>, stream: &[u8]) -> Header {
    let header = Header::read(None, stream).unwrap();
    assert_eq!((header.dimensions, header.components.len()), (settings.dimensions, settings.sampling.components()));
    assert_eq!(header.tables.restart_interval, settings.restart_interval);
    assert_eq!(header.tables.quantization[0], Some(quantization::tables(settings.quality)[0]));
    assert!(stream.ends_with(&[0xFF, 0xD9]));
    header
}

/// Each block's distance, by the theorem of Parseval.
fn near(before: &Plane, after: &Plane, table: &QuantizationTable) {
    let most = bound(table);
    for top in (0..before.height).step_by(8) {
        for left in (0..before.width).step_by(8) {
            let mut error = 0.0;
            for y in top..(top + 8).min(before.height) {
                let columns = left..(left + 8).min(before.width);
                let pairs = before.row(y)[columns.clone()].iter().zip(&after.row(y)[columns]);
                error += pairs.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum::<f64>();
            }
            assert!(error.sqrt() <= most, "{} > {most} at {left},{top}", error.sqrt());
        }
    }
}

/// The greatest distance of a block: half a step in each coefficient, a little for the rounding of the transforms, and half of one in each sample.
fn bound(table: &QuantizationTable) -> f64 {
    table.iter().map(|step| (f64::from(*step) / 2.0 + 0.25).powi(2)).sum::<f64>().sqrt() + 4.0
}
