//! What the engine's parts, and other people's, make of the same picture.

use super::testing::{Numbers, encode, picture, rows};
use super::{ColorModel, Copied, Decoder, Encoder, Header, Plane, Planes, Rows, Sampling, Settings, Tables, Transcode, Wanted};
use crate::geometry::{Dimensions, Rect};

const SAMPLINGS: [Sampling; 4] = [Sampling::Gray, Sampling::S444, Sampling::S422, Sampling::S420];

fn dimensions(width: u32, height: u32) -> Dimensions {
    Dimensions::new(width, height).unwrap()
}

/// All planes, without padding.
fn planes(stream: &[u8], reduction: u8, gray: bool) -> Planes {
    let header = Header::read(None, stream).unwrap();
    let mut decoder = Decoder::new(&header, stream, &Wanted { reduction, gray, ..Wanted::whole(&header) }).unwrap();
    let grid = decoder.grid().clone();
    let count = if gray { 1 } else { header.components.len() };
    let mut planes: Planes = header
        .components
        .iter()
        .take(count)
        .map(|component| {
            let place = grid.component(component.across.into(), component.down.into());
            Plane { width: place.width, height: place.height, stride: place.width, data: Vec::new() }
        })
        .collect();
    while let Some(band) = decoder.next_band().unwrap() {
        for (plane, rows) in planes.iter_mut().zip(band.planes) {
            for y in 0..rows.height {
                if plane.data.len() < plane.width * plane.height {
                    plane.data.extend_from_slice(&rows.row(y)[..plane.width]);
                }
            }
        }
    }
    planes
}

#[test]
fn what_is_encoded_comes_back() {
    let mut numbers = Numbers(11);
    for (index, sampling) in SAMPLINGS.into_iter().cycle().take(40).enumerate() {
        let (width, height) = (1 + numbers.below(50), 1 + numbers.below(50));
        let channels = sampling.components();
        // Colours that change slowly, so that little is lost with chroma's pixels.
        let mut samples = Vec::new();
        for y in 0..height {
            for x in 0..width {
                samples.extend((0..channels).map(|channel| (60 + x * 2 + y + channel as u32 * 10) as u8));
            }
        }
        let tables = if index % 2 == 0 { Tables::Standard } else { Tables::Optimal { most: u64::MAX } };
        let settings = Settings { tables, restart_interval: (index % 3) as u16, ..Settings::new(dimensions(width, height), sampling, 100) };
        let stream = encode(&settings, &samples);
        let ours = rows(&stream, 1, None).unwrap();
        assert!(ours.iter().zip(&samples).all(|(a, b)| a.abs_diff(*b) <= 4), "{settings:?}");
        let theirs = image::load_from_memory_with_format(&stream, image::ImageFormat::Jpeg).unwrap();
        let theirs = if channels == 1 { theirs.into_luma8().into_raw() } else { theirs.into_rgb8().into_raw() };
        assert!(ours.iter().zip(&theirs).all(|(a, b)| a.abs_diff(*b) <= 4), "{settings:?}");
    }
}

#[test]
fn planes_pass_through_at_their_sampling() {
    let mut numbers = Numbers(12);
    for sampling in SAMPLINGS.into_iter().cycle().take(16) {
        let size = dimensions(1 + numbers.below(60), 1 + numbers.below(60));
        let samples = picture(&mut numbers, size.width(), size.height(), sampling.components() as u32);
        let stream = encode(&Settings::new(size, sampling, 90), &samples);
        let header = Header::read(None, &stream).unwrap();
        // A band at a time, as it was decoded, and all at once without padding.
        let mut decoder = Decoder::new(&header, &stream, &Wanted::whole(&header)).unwrap();
        let settings = Settings::new(size, sampling, 95);
        let (mut streaming, mut at_once) = (Encoder::new(&settings).unwrap(), Encoder::new(&settings).unwrap());
        while let Some(band) = decoder.next_band().unwrap() {
            streaming.push_planes(band.planes).unwrap();
        }
        let before = planes(&stream, 1, false);
        at_once.push_planes(&before).unwrap();
        let streaming = streaming.finish().unwrap();
        assert_eq!(streaming, at_once.finish().unwrap());
        let after = planes(&streaming, 1, false);
        assert_eq!(after.len(), before.len());
        for (after, before) in after.iter().zip(&before) {
            assert!(after.data.iter().zip(&before.data).all(|(a, b)| a.abs_diff(*b) <= 24));
        }
    }
}

#[test]
fn rows_and_planes_that_do_not_fit_are_refused() {
    let settings = Settings::new(dimensions(20, 20), Sampling::S420, 90);
    let mut encoder = Encoder::new(&settings).unwrap();
    assert!(encoder.push_row(&[0; 59]).is_err());
    assert!(encoder.push_planes(&vec![Plane::new(20, 20), Plane::new(10, 10)]).is_err());
    assert!(encoder.push_planes(&vec![Plane::new(20, 10), Plane::new(10, 5), Plane::new(10, 5)]).is_err());
    assert!(encoder.push_planes(&vec![Plane::new(20, 16), Plane::new(10, 7), Plane::new(10, 8)]).is_err());
    assert!(encoder.push_planes(&vec![Plane::new(20, 16), Plane::new(10, 8), Plane::new(10, 8)]).is_ok());
    assert!(encoder.push_planes(&vec![Plane::new(20, 4), Plane::new(10, 2), Plane::new(10, 2)]).is_ok());
    assert!(encoder.push_row(&[0; 60]).is_err());
    assert!(encoder.finish().is_ok());
    assert!(Encoder::new(&settings).unwrap().finish().is_err());
    assert!(Encoder::new(&Settings::new(dimensions(65_536, 1), Sampling::Gray, 90)).is_err());
    assert!(Encoder::new(&Settings { segments: &[(0xDB, &[])], ..settings }).is_err());
}

#[test]
fn progressive_scans_tell_what_a_sequential_one_tells() {
    let mut numbers = Numbers(13);
    for round in 0..24 {
        let (width, height) = (1 + numbers.below(60), 1 + numbers.below(60));
        let samples = picture(&mut numbers, width, height, 3);
        let sampling = [
            jpeg_encoder::SamplingFactor::F_2_2,
            jpeg_encoder::SamplingFactor::F_1_1,
            jpeg_encoder::SamplingFactor::F_2_1,
            jpeg_encoder::SamplingFactor::F_1_2,
        ][round % 4];
        let stream = |progressive| {
            let mut stream = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut stream, 30 + 2 * round as u8);
            encoder.set_progressive(progressive);
            encoder.set_sampling_factor(sampling);
            encoder.encode(&samples, width as u16, height as u16, jpeg_encoder::ColorType::Rgb).unwrap();
            stream
        };
        let (progressive, sequential) = (stream(true), stream(false));
        for reduction in [1, 2, 4, 8] {
            assert_eq!(planes(&progressive, reduction, false), planes(&sequential, reduction, false));
            assert_eq!(planes(&progressive, reduction, true), planes(&sequential, reduction, false)[..1]);
        }
    }
}

#[test]
fn a_region_is_a_part_of_the_whole() {
    let mut numbers = Numbers(14);
    for (round, sampling) in SAMPLINGS.into_iter().cycle().take(24).enumerate() {
        let size = dimensions(20 + numbers.below(80), 20 + numbers.below(80));
        let samples = picture(&mut numbers, size.width(), size.height(), sampling.components() as u32);
        let settings = Settings { restart_interval: (round % 5) as u16, ..Settings::new(size, sampling, 70) };
        let stream = encode(&settings, &samples);
        let channels = sampling.components();
        for reduction in [1, 2, 4, 8] {
            let whole = rows(&stream, reduction, None).unwrap();
            let size = size.reduced(reduction.into());
            let (x, y) = (numbers.below(size.width()), numbers.below(size.height()));
            let crop = Rect::new(x, y, 1 + numbers.below(size.width() - x), 1 + numbers.below(size.height() - y)).unwrap();
            let lines = whole.chunks_exact(size.width() as usize * channels).skip(y as usize).take(crop.height() as usize);
            let cut: Vec<u8> = lines.flat_map(|row| row[x as usize * channels..crop.right() as usize * channels].to_vec()).collect();
            assert_eq!(rows(&stream, reduction, Some(crop)).unwrap(), cut, "{crop} of {size} at 1/{reduction}, {sampling:?}");
        }
    }
}

#[test]
fn four_components_come_as_inks() {
    let samples: Vec<u8> = (0..32 * 32).flat_map(|i: u32| [(i % 32 * 4) as u8, (i / 32 * 4) as u8, 40, 90]).collect();
    for kind in [jpeg_encoder::ColorType::Cmyk, jpeg_encoder::ColorType::CmykAsYcck] {
        let mut stream = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut stream, 100);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_1_1);
        encoder.encode(&samples, 32, 32, kind).unwrap();
        let found = rows(&stream, 1, None).unwrap();
        assert_eq!(found.len(), samples.len());
        assert!(found.iter().zip(&samples).all(|(a, b)| a.abs_diff(*b) <= 4), "{kind:?}");
    }
}

#[test]
fn gray_rows_are_the_plane_of_luminance() {
    let samples = picture(&mut Numbers(15), 53, 41, 3);
    for sampling in [Sampling::S444, Sampling::S420] {
        let stream = encode(&Settings::new(dimensions(53, 41), sampling, 75), &samples);
        let header = Header::read(None, &stream).unwrap();
        let mut decoder = Decoder::new(&header, &stream, &Wanted { gray: true, ..Wanted::whole(&header) }).unwrap();
        let mut rows = Rows::new(&header, decoder.grid(), header.dimensions.rect(), ColorModel::Gray).unwrap();
        let mut found = Vec::new();
        let mut sink = |row: &[u8]| {
            found.extend_from_slice(row);
            Ok(())
        };
        while let Some(band) = decoder.next_band().unwrap() {
            rows.push(&band, &mut sink).unwrap();
        }
        rows.finish(&mut sink).unwrap();
        assert_eq!(found, planes(&stream, 1, true)[0].data);
    }
}

#[test]
fn segments_are_kept_apart_from_the_picture() {
    let samples = picture(&mut Numbers(16), 16, 16, 1);
    let profile = vec![7; 70_000];
    let settings = Settings { icc: Some(&profile), segments: &[(0xE1, b"Exif\0\0MM")], ..Settings::new(dimensions(16, 16), Sampling::Gray, 75) };
    let stream = encode(&settings, &samples);
    let header = Header::read(None, &stream).unwrap();
    assert_eq!(header.icc_profile(&stream), Some(profile.clone()));
    let transcode = Transcode { copied: Copied { icc: settings.icc, segments: settings.segments, ..Copied::default() }, ..Transcode::whole(&header) };
    assert_eq!(transcode.run(&header, &stream).unwrap(), stream);
}
