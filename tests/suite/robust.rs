//! Damaged files and unkind deliveries: an error with a code, or the same picture; never a panic, never a hang.

use azulejo::api::Service;

use super::support::{drip, drip_page, images, is_clean, render, render_strictly, root, strict};

const REQUEST: &str = "pct:20,20,50,50/^17,/0/default.png";

#[test]
fn every_fixture_cut_at_many_lengths() {
    for (name, bytes) in images("tests/fixtures") {
        let whole = render(&bytes, "full/max/0/default.png").unwrap();
        let lengths = (0..bytes.len().min(400)).chain((400..bytes.len()).step_by(bytes.len() / 60 + 1));
        for length in lengths {
            match render_strictly(&bytes[..length], "full/max/0/default.png") {
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
    assert_eq!(render_strictly(&cut, "full/max/0/default.png").unwrap_err().code(), "source-corrupt");
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
    // Compression (259, a SHORT).
    let mut tiff = std::fs::read(super::support::root().join("tests/fixtures/strips-none.tif")).unwrap();
    let entry = tiff.windows(10).position(|bytes| bytes == [0x03, 1, 3, 0, 1, 0, 0, 0, 1, 0]).unwrap();
    for (code, name) in [(6_u16, "old-style JPEG"), (34676, "SGI LogLuv"), (34712, "JPEG 2000"), (34887, "LERC"), (50002, "JPEG XL"), (12345, "12345")] {
        tiff[entry + 8..entry + 10].copy_from_slice(&code.to_le_bytes());
        let error = render(&tiff, "full/max/0/default.png").unwrap_err();
        assert_eq!((error.code(), error.status()), ("source-unsupported", 501), "{name}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn pixels_of_a_webp_that_are_of_another_size() {
    let plain = std::fs::read(super::support::root().join("tests/fixtures/lossy-alpha.webp")).unwrap();
    let at = |kind: &[u8]| plain.windows(4).position(|bytes| bytes == kind).unwrap();
    let (size, parts) = (&plain[24..30], &plain[at(b"ALPH")..]);
    let vp8 = at(b"VP8 ") - at(b"ALPH");
    let chunk = |kind: &[u8], data: &[u8]| [kind, &(data.len() as u32).to_le_bytes(), data].concat();
    let head = |flags: u8, size: &[u8]| chunk(b"VP8X", &[&[flags, 0, 0, 0], size].concat());
    // Not blended with what is behind it.
    let framed = |frame: &[u8], parts: &[u8]| [chunk(b"ANIM", &[0; 6]), chunk(b"ANMF", &[&[0; 6], frame, &[0, 0, 0, 2], parts].concat())].concat();
    let webp = |chunks: &[Vec<u8>]| chunk(b"RIFF", &[b"WEBP".as_slice(), &chunks.concat()].concat());
    let animation = |flags: u8, size: &[u8], frame: &[u8], parts: &[u8]| webp(&[head(flags, size), framed(frame, parts)]);
    let made = |file: &[u8]| render(file, "full/max/0/default.png");
    // The same pixels, as the only frame of an animation.
    assert!(made(&animation(0x12, size, size, parts)).unwrap() == made(&plain).unwrap());

    let mut smaller = size.to_vec();
    smaller[0] -= 1;
    let mut vast = parts.to_vec();
    vast[vp8 + 14..vp8 + 18].fill(0x3F);
    let mut unnamed = parts.to_vec();
    unnamed[vp8..vp8 + 4].copy_from_slice(b"ABCD");
    for (what, file) in [
        ("of a frame that is smaller", animation(0x12, size, &smaller, parts)),
        ("of a frame without alpha", animation(0x02, size, &smaller, &parts[vp8..])),
        ("of a frame in a file that is no animation", animation(0x10, &smaller, size, parts)),
        ("of a frame after a second header, which does not count", webp(&[head(0x12, size), head(0x10, size), framed(&smaller, parts)])),
        ("of what takes 400 MB", webp(&[head(0x10, size), vast.clone()])),
        ("of what takes 400 MB behind a frame in a file that is no animation", webp(&[head(0x10, size), framed(size, parts), vast])),
    ] {
        let error = made(&file).unwrap_err();
        assert!(error.code() == "source-corrupt" && error.to_string().contains("VP8 data are of"), "{what}: {error}");
    }
    let error = made(&animation(0x12, size, size, &unnamed)).unwrap_err();
    assert!(error.to_string().contains("not followed by VP8 data"), "{error}");
}

#[test]
fn every_fixture_with_flipped_bytes() {
    for (name, bytes) in images("tests/fixtures") {
        let positions = (0..bytes.len().min(600)).chain((600..bytes.len()).step_by(bytes.len() / 40 + 1));
        for (turn, position) in positions.enumerate() {
            let mut damaged = bytes.clone();
            damaged[position] = [0, 0xFF, damaged[position] ^ 0x80, damaged[position].wrapping_add(1)][turn % 4];
            for made in [render(&damaged, REQUEST), render_strictly(&damaged, REQUEST)] {
                if let Err(error) = made {
                    assert!(is_clean(&error), "{name} changed at {position}: {} {error}", error.code());
                }
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

#[test]
fn damage_of_a_jpeg_is_told_at_the_same_byte_however_bytes_come() {
    let Service { limits, .. } = strict();
    for (name, request, damage) in [
        ("told-at-another-byte", "6,3,24,30", "a code that no table has"),
        ("marker-told-at-another-byte", "2,1,8,10", "restart marker 1 is missing"),
        ("end-told-in-another-row", "32,20,1,1", "its data end in MCU row"),
    ] {
        let file = std::fs::read(root().join(format!("tests/crashes/{name}.jpg"))).unwrap();
        let errors = [u64::MAX, 1000, 100, 7].map(|piece| drip_page(&file, 1, &format!("{request}/^400,80/0/default.jpg"), piece, &limits).unwrap_err());
        assert!(errors[0].to_string().contains(damage), "{}", errors[0]);
        assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    }
}
