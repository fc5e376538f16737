//! Damaged files and unkind deliveries: an error with a code, or the same picture; never a panic, never a hang.

use super::support::{drip, images, is_clean, render};

const REQUEST: &str = "pct:20,20,50,50/^17,/0/default.png";

#[test]
fn every_fixture_cut_at_many_lengths() {
    for (name, bytes) in images("tests/fixtures") {
        let whole = render(&bytes, "full/max/0/default.png").unwrap();
        let lengths = (0..bytes.len().min(400)).chain((400..bytes.len()).step_by(bytes.len() / 60 + 1));
        for length in lengths {
            match render(&bytes[..length], "full/max/0/default.png") {
                // What is cut off may be a trailer that no pixel needs; but then the picture is whole.
                Ok(encoded) => assert!(encoded == whole, "{name} cut at {length} of {} gives another picture", bytes.len()),
                Err(error) => assert!(is_clean(&error), "{name} cut at {length}: {} {error}", error.code()),
            }
        }
    }
}

#[test]
fn what_lies_behind_a_jpeg_is_not_part_of_it() {
    // Telephones append videos to photographs; in a few megabytes of anything, bytes that look like markers come by the hundred.
    let bytes = std::fs::read(super::support::root().join("tests/fixtures/baseline-420.jpg")).unwrap();
    let whole = render(&bytes, "full/max/0/default.png").unwrap();
    let video = [0xFF, 0xDA, 0x00, 0x08].repeat(300);
    assert_eq!(render(&[bytes.as_slice(), &video].concat(), "full/max/0/default.png").unwrap(), whole);
    // Nor does an end marker in what was appended make a cut photograph whole.
    let cut = [&bytes[..bytes.len() - 40], &video, &[0xFF, 0xD9]].concat();
    assert_eq!(render(&cut, "full/max/0/default.png").unwrap_err().code(), "source-corrupt");
}

#[test]
fn what_is_not_built_in_is_named() {
    let bytes = std::fs::read(super::support::root().join("tests/fixtures/baseline-420.jpg")).unwrap();
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    let arithmetic = std::fs::read(super::support::root().join("fuzz/seeds/arithmetic.jpg")).unwrap();
    let mut twelve = bytes.clone();
    (twelve[frame + 1], twelve[frame + 4]) = (0xC1, 12);
    let mut hierarchical = bytes;
    hierarchical[frame + 1] = 0xC5;
    for (bytes, feature) in [(arithmetic, "arithmetic coding"), (twelve, "12 bits per sample"), (hierarchical, "hierarchical coding")] {
        let error = render(&bytes, "full/max/0/default.png").unwrap_err();
        assert_eq!(error.code(), "source-unsupported");
        assert!(error.to_string().contains(feature), "{error}");
    }
}

#[test]
fn every_fixture_with_flipped_bytes() {
    for (name, bytes) in images("tests/fixtures") {
        let positions = (0..bytes.len().min(600)).chain((600..bytes.len()).step_by(bytes.len() / 40 + 1));
        for (turn, position) in positions.enumerate() {
            let mut damaged = bytes.clone();
            damaged[position] = [0, 0xFF, damaged[position] ^ 0x80, damaged[position].wrapping_add(1)][turn % 4];
            if let Err(error) = render(&damaged, REQUEST) {
                assert!(is_clean(&error), "{name} changed at {position}: {} {error}", error.code());
            }
        }
    }
}

#[test]
fn the_result_does_not_depend_on_how_bytes_arrive() {
    for (name, bytes) in images("tests/fixtures") {
        let (expected, ..) = drip(&bytes, REQUEST, u64::MAX).unwrap();
        for piece in [1, 7, 1000] {
            let (dripped, ..) = drip(&bytes, REQUEST, piece).unwrap();
            assert_eq!(dripped, expected, "{name} in pieces of {piece}");
        }
    }
}

#[test]
fn a_tile_of_a_tiled_file_reads_its_chunks_and_no_more() {
    let bytes = std::fs::read(super::support::root().join("www/samples/retina-pyramid.tif")).unwrap();
    let (_, opening, rendering) = drip(&bytes, "512,512,256,256/max/0/default.jpg", u64::MAX).unwrap();
    assert!(opening.rounds <= 2 && opening.bytes < 128 << 10, "{opening:?}");
    assert!(rendering.rounds <= 2 && rendering.bytes < 64 << 10, "{rendering:?} of {} bytes", bytes.len());
    let (_, _, thumbnail) = drip(&bytes, "full/!150,150/0/default.jpg", u64::MAX).unwrap();
    assert!(thumbnail.rounds == 1 && thumbnail.bytes < 16 << 10, "{thumbnail:?}");
}
