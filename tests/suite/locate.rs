//! Where chunks lie when a table of lengths says 0, is missing, or says it of a chunk that was left out.

use super::support::{drip, render, root};

const REQUEST: &str = "full/max/0/default.png";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(name)).unwrap()
}

/// The table of a tag in a little-endian classic file with one directory: where its values lie, how wide each is, how many there are, and where its entry begins.
fn table(file: &[u8], tag: u16) -> (usize, usize, usize, usize) {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let short = |at: usize| u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
    let first = word(4);
    let entry = (0..usize::from(short(first))).map(|index| first + 2 + 12 * index).find(|entry| short(*entry) == tag).unwrap();
    let width = if short(entry + 2) == 3 { 2 } else { 4 };
    let count = word(entry + 4);
    (if width * count <= 4 { entry + 8 } else { word(entry + 8) }, width, count, entry)
}

/// The tags of offsets and lengths.
fn tables(name: &str) -> (u16, u16) {
    if name.contains("tiles") { (324, 325) } else { (273, 279) }
}

const FILES: [&str; 12] = [
    "strips-none.tif",
    "strips-deflate.tif",
    "strips-lzw.tif",
    "strips-packbits.tif",
    "strips-jpeg.tif",
    "tiles-deflate.tif",
    "tiles-jpeg.tif",
    "tiles-webp.tif",
    "tiles-zstd.tif",
    "group3.tif",
    "group4.tif",
    "modified-huffman.tif",
];

#[test]
fn a_length_of_0_is_told_by_what_comes_next() {
    for name in FILES {
        let mut file = fixture(name);
        let expected = render(&file, REQUEST).unwrap();
        let (at, width, count, _) = table(&file, tables(name).1);
        file[at..at + width * count].fill(0);
        assert!(render(&file, REQUEST).unwrap() == expected, "{name}: all lengths are 0");
        assert!(drip(&file, REQUEST, 7).unwrap().0 == expected, "{name}: all lengths are 0, in pieces");
        // One of them alone, the first, a middle one, the last.
        for index in [0, count / 2, count - 1] {
            let mut file = fixture(name);
            file[at + width * index..at + width * (index + 1)].fill(0);
            assert!(render(&file, REQUEST).unwrap() == expected, "{name}: length {index} is 0");
        }
    }
}

#[test]
fn a_file_without_lengths_is_read() {
    for name in FILES {
        let mut file = fixture(name);
        let expected = render(&file, REQUEST).unwrap();
        let (.., entry) = table(&file, tables(name).1);
        // A private tag in its place.
        file[entry..entry + 2].copy_from_slice(&65_000_u16.to_le_bytes());
        assert!(render(&file, REQUEST).unwrap() == expected, "{name}");
    }
}

#[test]
fn a_chunk_without_offset_and_length_is_left_out() {
    for name in FILES {
        let (mut file, (offsets, counts)) = (fixture(name), tables(name));
        let (at, width, count, _) = table(&file, offsets);
        file[at..at + width * count].fill(0);
        let error = render(&file, REQUEST);
        if name != "strips-none.tif" {
            // The header is no chunk.
            assert_eq!(error.unwrap_err().code(), "source-corrupt", "{name}: lengths without offsets");
        }
        let (at, width, count, _) = table(&file, counts);
        file[at..at + width * count].fill(0);
        let blank = super::support::pixels(&render(&file, REQUEST).unwrap());
        let first = *blank.get_pixel(0, 0);
        assert!(blank.pixels().all(|pixel| *pixel == first), "{name}: nothing is stored");
    }
}

#[test]
fn a_chunk_of_no_bytes_is_not_the_one_that_follows_it() {
    // Writers that skip a tile put the next one where it would have begun.
    let mut file = fixture("tiles-deflate.tif");
    let (offsets, width, ..) = table(&file, 324);
    let (counts, count_width, ..) = table(&file, 325);
    let second: Vec<u8> = file[offsets + width..offsets + 2 * width].to_vec();
    file[offsets..offsets + width].copy_from_slice(&second);
    file[counts..counts + count_width].fill(0);
    let shown = super::support::pixels(&render(&file, REQUEST).unwrap());
    let whole = super::support::pixels(&render(&fixture("tiles-deflate.tif"), REQUEST).unwrap());
    for (x, y, pixel) in shown.enumerate_pixels() {
        let expected = if x < 32 && y < 16 { image::Rgba([0, 0, 0, 255]) } else { *whole.get_pixel(x, y) };
        assert_eq!(*pixel, expected, "{x},{y}");
    }
}
