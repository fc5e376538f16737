use super::craft::Craft;
use super::*;
use crate::jpeg::testing::Numbers;

const PLAIN: Craft = Craft { width: 23, height: 17, channels: 1, precision: 8, predictor: 1, shift: 0, restart: 0, apart: false, long: false };

/// Slopes, edges and noise up to the greatest sample.
fn picture(craft: &Craft, numbers: &mut Numbers) -> Vec<u16> {
    let most = (1_u32 << craft.precision) - 1;
    let mut samples = Vec::new();
    for y in 0..craft.height as u32 {
        for x in 0..craft.width as u32 {
            for channel in 0..craft.channels as u32 {
                let sample = match (x + y) % 7 {
                    0 => numbers.below(most + 1),
                    1 if y % 3 == 0 => most,
                    2 if y % 3 == 0 => 0,
                    _ => (x * (channel + 1) * most / 40 + y * most / 30) & most,
                };
                samples.push(sample as u16);
            }
        }
    }
    samples
}

fn decode(stream: &[u8]) -> Result<Vec<u16>> {
    let mut decoder = Lossless::new(&Header::read(None, stream)?, stream)?;
    let mut samples = Vec::new();
    while let Some(row) = decoder.next_row(stream)? {
        samples.extend_from_slice(row);
    }
    Ok(samples)
}

#[test]
fn every_predictor_depth_and_number_of_components() {
    let mut numbers = Numbers(1);
    for predictor in 1..=7 {
        for precision in 2..=16 {
            for channels in 1..=4 {
                let (apart, long) = (numbers.below(2) == 0, numbers.below(2) == 0);
                let restart = [0, 0, 1, 3][numbers.below(4) as usize];
                let shift = (numbers.below(3) as u8 * numbers.below(2) as u8).min(precision - 1);
                let (width, height) = (1 + numbers.below(40) as usize, 1 + numbers.below(20) as usize);
                let craft = Craft { width, height, channels, precision, predictor, shift, restart, apart, long };
                let samples = picture(&craft, &mut numbers);
                // The bits that the point transform cuts off are gone.
                let expected: Vec<u16> = samples.iter().map(|sample| sample >> shift << shift).collect();
                let found = decode(&craft.stream(&samples)).unwrap_or_else(|error| panic!("{craft:?}: {error}"));
                assert!(found == expected, "{craft:?}");
            }
        }
    }
}

#[test]
fn the_largest_difference_has_no_bits() {
    for long in [false, true] {
        let craft = Craft { width: 4, height: 2, precision: 16, long, ..PLAIN };
        let samples = [0, 0x8000, 0, 0xFFFF, 0x8000, 0, 0x8000, 0x7FFF];
        assert_eq!(decode(&craft.stream(&samples)).unwrap(), samples);
    }
}

#[test]
fn samples_are_no_greater_than_their_bits_allow() {
    // Seven bits are coded as ones of eight.
    let craft = Craft { width: 3, height: 1, ..PLAIN };
    let mut stream = craft.stream(&[100, 200, 255]);
    let frame = stream.windows(2).position(|pair| pair == [0xFF, 0xC3]).unwrap();
    stream[frame + 4] = 7;
    assert_eq!(decode(&stream).unwrap(), [36, 127, 127]);
}

#[test]
fn a_stream_cut_at_every_byte_is_an_error() {
    for craft in [PLAIN, Craft { restart: 2, ..PLAIN }, Craft { channels: 3, ..PLAIN }, Craft { channels: 3, apart: true, predictor: 4, ..PLAIN }] {
        let samples = picture(&craft, &mut Numbers(3));
        let stream = craft.stream(&samples);
        for length in 2..stream.len() - 2 {
            let error = decode(&stream[..length]).unwrap_err();
            assert_eq!(error.code(), "source-corrupt", "{craft:?} cut at {length}: {error}");
        }
        // The end marker says nothing.
        assert_eq!(decode(&stream[..stream.len() - 2]).unwrap(), samples);
    }
}

#[test]
fn damage_tells_the_row() {
    let craft = Craft { restart: 4, ..PLAIN };
    let stream = craft.stream(&picture(&craft, &mut Numbers(4)));
    let marker = stream.windows(2).position(|pair| pair == [0xFF, 0xD1]).unwrap();
    let mut damaged = stream.clone();
    damaged[marker + 1] = 0xD5;
    let error = decode(&damaged).unwrap_err().to_string();
    assert!(error.contains("no restart marker, in row 9 of 17"), "{error}");
    let mut damaged = stream;
    damaged[marker - 40..marker].fill(0xFE);
    assert_eq!(decode(&damaged).unwrap_err().code(), "source-corrupt");
}

#[test]
fn what_is_not_read_has_a_name() {
    let stream = Craft { channels: 3, ..PLAIN }.stream(&picture(&Craft { channels: 3, ..PLAIN }, &mut Numbers(5)));
    let at = |marker: u8| stream.windows(2).position(|pair| pair == [0xFF, marker]).unwrap();
    let (frame, scan) = (at(0xC3), at(0xDA));
    for (place, value, code, part) in [
        (frame + 11, 0x21, "source-unsupported", "subsampled"),
        (frame + 4, 1, "source-corrupt", "1 bits"),
        (frame + 4, 17, "source-corrupt", "17 bits"),
        (scan + 11, 0, "source-corrupt", "predictor 0"),
        (scan + 11, 8, "source-corrupt", "predictor 8"),
        (scan + 13, 8, "source-corrupt", "point transform 8"),
        (at(0xC4) + 4 + 17 + 16, 17, "source-corrupt", "more than 16 bits"),
    ] {
        let mut stream = stream.clone();
        stream[place] = value;
        let error = decode(&stream).unwrap_err();
        assert!(error.code() == code && error.to_string().contains(part), "{part}: {error}");
    }
    let craft = Craft { restart: 2, ..PLAIN };
    let mut stream = craft.stream(&picture(&craft, &mut Numbers(6)));
    let restart = stream.windows(2).position(|pair| pair == [0xFF, 0xDD]).unwrap();
    stream[restart + 5] -= 1;
    assert!(decode(&stream).unwrap_err().to_string().contains("restarts within rows"));
}

#[test]
fn any_damage_is_rows_or_an_error() {
    let mut numbers = Numbers(7);
    for craft in [Craft { restart: 2, predictor: 7, ..PLAIN }, Craft { channels: 3, apart: true, precision: 16, predictor: 5, ..PLAIN }] {
        let stream = craft.stream(&picture(&craft, &mut numbers));
        for _ in 0..3000 {
            let mut damaged = stream.clone();
            for _ in 0..1 + numbers.below(3) {
                let at = numbers.below(damaged.len() as u32) as usize;
                damaged[at] = numbers.below(256) as u8;
            }
            if let Err(error) = decode(&damaged) {
                assert!(matches!(error.code(), "source-corrupt" | "source-unsupported"), "{error}");
            }
        }
    }
}
