//! What broken streams do: an error that says where, never a panic, a hang or memory beyond the budget.

use super::testing::{Numbers, encode, picture, rows};
use super::{Decoder, Header, Sampling, Settings, Tables, Wanted};
use crate::error::{Budget, Error, SourceFormat};
use crate::geometry::{Dimensions, Rect};
use crate::incomplete::Incomplete;

/// A stream of each kind, all of one picture of 45 × 37 px.
fn streams() -> Vec<Vec<u8>> {
    let mut numbers = Numbers(5);
    let samples = picture(&mut numbers, 45, 37, 3);
    let mut streams = Vec::new();
    for (sampling, restart_interval, tables) in
        [(Sampling::S420, 0, Tables::Standard), (Sampling::S444, 3, Tables::Optimal { most: u64::MAX }), (Sampling::S422, 1, Tables::Standard)]
    {
        let settings = Settings { restart_interval, tables, ..Settings::new(Dimensions::new(45, 37).unwrap(), sampling, 85) };
        streams.push(encode(&settings, &samples));
    }
    for (sampling, progressive) in
        [(jpeg_encoder::SamplingFactor::F_2_2, true), (jpeg_encoder::SamplingFactor::F_4_1, true), (jpeg_encoder::SamplingFactor::F_1_1, false)]
    {
        let mut stream = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut stream, 80);
        encoder.set_progressive(progressive);
        encoder.set_sampling_factor(sampling);
        encoder.set_restart_interval(if progressive { 0 } else { 4 });
        encoder.encode(&samples, 45, 37, jpeg_encoder::ColorType::Rgb).unwrap();
        streams.push(stream);
    }
    streams
}

#[test]
fn a_stream_that_is_cut_says_where_it_ends() {
    for stream in streams() {
        let whole = rows(&stream, 1, None).unwrap();
        for cut in 0..stream.len() - 2 {
            match rows(&stream[..cut], 1, None) {
                Err(Error::SourceCorrupt { format: SourceFormat::Jpeg, at, .. }) => assert!(at <= cut as u64, "{at} beyond {cut}"),
                // The last bits may be padding, or not make a difference.
                Ok(found) => assert!(cut + 3 >= stream.len() && found == whole, "{cut} of {} are enough", stream.len()),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn of_a_stream_that_is_damaged_the_rest_may_be_gray() {
    for stream in streams() {
        let header = Header::read(None, &stream).unwrap();
        let decoded = |stream: &[u8]| {
            let mut decoder = Decoder::new(&header, stream, &Wanted { fill: true, ..Wanted::whole(&header) }).unwrap();
            let mut luma = Vec::new();
            while let Some(band) = decoder.next_band().unwrap() {
                luma.extend_from_slice(&band.planes[0].data);
            }
            (luma, decoder.damage().cloned())
        };
        let (whole, damage) = decoded(&stream);
        assert_eq!(damage, None);
        let stride = header.dimensions.width().next_multiple_of(u32::from(header.most().0) * 8) as usize;
        for cut in header.scan.data..stream.len() - 2 {
            let (found, damage) = decoded(&stream[..cut]);
            assert_eq!(found.len(), whole.len());
            match damage {
                Some(Incomplete { damage: Error::SourceCorrupt { at, .. }, rows }) => {
                    assert!(at <= cut as u64 && at + 1 >= cut as u64, "{at} of {cut}");
                    let above = rows as usize * stride;
                    assert!(found[..above] == whole[..above] || header.process == 0xC2, "{rows} rows");
                }
                Some(other) => panic!("{other:?}"),
                // Padding may be missed by nobody.
                None => assert!(found == whole && cut + 3 >= stream.len()),
            }
            if header.process == 0xC2 {
                continue;
            }
            // What is there is what it is in the whole; then all is gray.
            let same = found.iter().zip(&whole).filter(|(found, whole)| found == whole).count();
            let gray = found.iter().filter(|sample| **sample == 128).count();
            assert!(same + gray >= whole.len());
            if cut == header.scan.data {
                assert_eq!(gray, whole.len());
            }
        }
        // The end of the image in the middle of it is no more than the end of the data.
        let mut broken = stream.clone();
        let middle = header.scan.data + 4;
        broken[middle..middle + 2].copy_from_slice(&[0xFF, 0xD9]);
        let (found, damage) = decoded(&broken);
        assert_eq!(damage.unwrap().rows, 0);
        let gray = found.iter().filter(|sample| **sample == 128).count();
        assert!(header.process == 0xC2 || gray * 10 > found.len() * 9);
    }
}

#[test]
fn bytes_that_are_wrong_do_no_harm() {
    let mut numbers = Numbers(6);
    for stream in streams() {
        for _ in 0..800 {
            let mut broken = stream.clone();
            for _ in 0..=numbers.below(4) {
                let at = numbers.below(broken.len() as u32) as usize;
                broken[at] = numbers.below(256) as u8;
            }
            let Ok(header) = Header::read(None, &broken) else { continue };
            let wanted = Wanted { reduction: 1 << numbers.below(4), gray: numbers.below(4) == 0, memory: 4 << 20, ..Wanted::whole(&header) };
            let Ok(mut decoder) = Decoder::new(&header, &broken, &wanted) else { continue };
            while let Ok(Some(_)) = decoder.next_band() {}
        }
    }
}

#[test]
fn sizes_that_lie_cost_nothing() {
    for mut stream in streams() {
        let frame = stream.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2])).unwrap();
        stream[frame + 5..frame + 9].fill(0xFF);
        let header = Header::read(None, &stream).unwrap();
        let wanted = Wanted { memory: 40 << 20, ..Wanted::whole(&header) };
        let outcome = Decoder::new(&header, &stream, &wanted).and_then(|mut decoder| decoder.next_band().map(|_| ()));
        match outcome {
            Err(Error::SourceTooCostly { what: Budget::Memory, needs, limit, .. }) => assert!(needs > limit),
            Err(Error::SourceCorrupt { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_lies_before_a_region_is_missed_at_once() {
    let mut stream = streams().remove(0);
    let frame = stream.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2])).unwrap();
    stream[frame + 5..frame + 9].fill(0xFF);
    let header = Header::read(None, &stream).unwrap();
    let wanted = Wanted { region: Rect::new(65_000, 65_000, 100, 100).unwrap(), ..Wanted::whole(&header) };
    let error = Decoder::new(&header, &stream, &wanted).unwrap().next_band().unwrap_err();
    assert!(error.to_string().contains("in MCU row 0 of 4096"), "{error}");
}

#[test]
fn what_is_not_built_in_has_a_name() {
    let mut stream = streams().remove(0);
    let frame = stream.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    for (marker, precision, feature) in [(0xC0, 12, "12 bits"), (0xC3, 8, "lossless coding"), (0xC9, 8, "arithmetic coding"), (0xC5, 8, "hierarchical coding")]
    {
        (stream[frame + 1], stream[frame + 4]) = (marker, precision);
        let header = Header::read(None, &stream).unwrap();
        let error = Decoder::new(&header, &stream, &Wanted::whole(&header)).unwrap_err();
        assert_eq!(error, Error::SourceUnsupported { format: Some(SourceFormat::Jpeg), feature: feature.to_owned() });
    }
}

#[test]
fn what_cannot_be_asked_is_a_defect() {
    let stream = streams().remove(0);
    let header = Header::read(None, &stream).unwrap();
    for wanted in [Wanted { reduction: 3, ..Wanted::whole(&header) }, Wanted { region: Rect::new(0, 0, 46, 37).unwrap(), ..Wanted::whole(&header) }] {
        assert!(matches!(Decoder::new(&header, &stream, &wanted), Err(Error::Internal { .. })));
    }
}
