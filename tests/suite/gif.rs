//! GIFs whose writers were careless: screens of no size, extensions that nobody knows, palettes that are missing.

use azulejo::Error;

use super::support::{drip, pixels, render, root};

fn fixture() -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures/plain.gif")).unwrap()
}

fn with_screen(width: u16, height: u16) -> Vec<u8> {
    let mut file = fixture();
    file[6..8].copy_from_slice(&width.to_le_bytes());
    file[8..10].copy_from_slice(&height.to_le_bytes());
    file
}

/// Where the blocks begin: behind the header and the palette.
fn blocks(file: &[u8]) -> usize {
    13 + if file[10] & 0x80 == 0 { 0 } else { 3 << ((file[10] & 7) + 1) }
}

#[test]
fn the_canvas_is_the_first_frame_where_the_screen_does_not_hold_it() {
    let expected = pixels(&render(&fixture(), "full/max/0/default.png").unwrap());
    assert_eq!(expected.dimensions(), (97, 61));
    for (width, height) in [(0, 0), (0, 61), (97, 0), (50, 50), (97, 60), (200, 10)] {
        let (found, ..) = drip(&with_screen(width, height), "full/max/0/default.png", 100).unwrap();
        assert_eq!(pixels(&found), expected, "{width} × {height}");
    }
    // A screen that is larger stays, transparent around the frame.
    let larger = pixels(&render(&with_screen(100, 70), "full/max/0/default.png").unwrap());
    assert_eq!(larger.dimensions(), (100, 70));
    assert_eq!((larger.get_pixel(96, 60), larger.get_pixel(97, 60).0[3], larger.get_pixel(96, 61).0[3]), (expected.get_pixel(96, 60), 0, 0));
}

#[test]
fn unknown_extensions_are_passed_over() {
    let expected = pixels(&render(&fixture(), "full/max/0/default.png").unwrap());
    let long = [[255].as_slice(), &[0x2C; 255]].concat().repeat(200);
    for unknown in [&[0x21, 0x42, 3, 1, 0x2C, 3, 0][..], &[0x21, 0x00, 0], &[0, 0], &[9, 7, 1, 2, 3, 4, 5, 6, 7, 0], &[&[0x21, 0x99][..], &long, &[0]].concat()]
    {
        let mut file = with_screen(0, 0);
        let at = blocks(&file);
        file.splice(at..at, unknown.iter().copied());
        let (found, ..) = drip(&file, "full/max/0/default.png", u64::MAX).unwrap();
        assert_eq!(pixels(&found), expected, "{:?}", &unknown[..unknown.len().min(9)]);
    }
}

#[test]
fn a_missing_palette_is_named() {
    let mut file = fixture();
    let at = blocks(&file);
    assert_eq!(file[10] & 0x80, 0x80);
    file.drain(13..at);
    file[10] &= 0x7F;
    let error = render(&file, "full/max/0/default.png").unwrap_err();
    assert!(matches!(error, Error::SourceCorrupt { .. }) && error.to_string().contains("palette"), "{error}");
}
