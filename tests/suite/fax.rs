//! CCITT T.4 and T.6 in TIFF: the same picture in every coding, and what damage does to it.

use image::RgbaImage;

use super::support::{is_clean, pixels, render, render_strictly, root};
use super::tiffs;

const WHOLE: &str = "full/max/0/default.png";
const FILES: [&str; 5] = ["modified-huffman.tif", "group3.tif", "group3-2d.tif", "group3-2d-tiles.tif", "group4.tif"];

/// A little-endian file whose chunks lie between its header and its only directory, as libtiff writes them.
#[derive(Clone)]
struct File(Vec<u8>);

impl File {
    fn open(name: &str) -> Self {
        Self(std::fs::read(root().join("tests/fixtures").join(name)).unwrap())
    }

    fn number(&self, at: usize, len: usize) -> usize {
        self.0[at..][..len].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    fn data(&mut self) -> &mut [u8] {
        let end = self.number(4, 4);
        &mut self.0[8..end]
    }

    /// Where the first value of a tag lies, and how many bytes it has.
    fn first(&self, tag: usize) -> Option<(usize, usize)> {
        let directory = self.number(4, 4);
        let entry = (0..self.number(directory, 2)).map(|index| directory + 2 + 12 * index).find(|entry| self.number(*entry, 2) == tag)?;
        let size = if self.number(entry + 2, 2) == 3 { 2 } else { 4 };
        let fits = size * self.number(entry + 4, 4) <= 4;
        Some((if fits { entry + 8 } else { self.number(entry + 8, 4) }, size))
    }

    fn edit(&mut self, tags: &[usize], change: impl Fn(usize) -> usize) {
        let (at, size) = tags.iter().find_map(|tag| self.first(*tag)).unwrap();
        let bytes = change(self.number(at, size)).to_le_bytes();
        self.0[at..][..size].copy_from_slice(&bytes[..size]);
    }
}

fn picture() -> RgbaImage {
    image::open(root().join("tests/fixtures/gray1.png")).unwrap().to_rgba8()
}

#[test]
fn either_bit_may_come_first_and_either_colour_be_zero() {
    const PHOTOMETRIC: usize = 262;
    const FILL_ORDER: usize = 266;
    let (positive, mut negative) = (picture(), picture());
    image::imageops::invert(&mut negative);
    for name in FILES {
        let file = File::open(name);
        let mut turned = file.clone();
        turned.data().iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        turned.edit(&[FILL_ORDER], |order| 3 - order);
        for file in [file, turned] {
            let mut inverted = file.clone();
            inverted.edit(&[PHOTOMETRIC], |photometric| 1 - photometric);
            for (file, expected) in [(file, &positive), (inverted, &negative)] {
                assert!(pixels(&render(&file.0, WHOLE).unwrap()) == *expected, "{name}");
            }
        }
    }
}

/// Dithered pages are longer in T.6 than their pixels are.
#[test]
fn data_longer_than_their_pixels_are_read_to_their_end() {
    // One small strip, and one large enough to be decoded row by row.
    for (width, height) in [(2000, 40), (2000, 600)] {
        // Two pixels in the horizontal mode: 1 white (000111), 1 black (010).
        let pair = "001000111010".bytes().map(|bit| bit - b'0');
        let bits: Vec<u8> = pair.cycle().take(width * height * 6).collect();
        let data: Vec<u8> = bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
        let (width, height) = (width as u32, height as u32);
        let page = tiffs::Page::new(false).longs(256, &[width]).longs(257, &[height]).shorts(258, &[1]).shorts(259, &[4]).shorts(262, &[0]);
        let file = tiffs::file(vec![page.shorts(277, &[1]).longs(278, &[height]).strips(vec![data])]);
        let found = pixels(&render(&file, WHOLE).unwrap());
        assert_eq!(found.dimensions(), (width, height));
        let expected = |x: u32| if x.is_multiple_of(2) { 255 } else { 0 };
        assert!(found.enumerate_pixels().all(|(x, _, pixel)| pixel.0[..3] == [expected(x); 3]), "{width} x {height}");
    }
}

#[test]
fn a_chunk_cut_at_every_byte_is_whole_or_an_error() {
    const BYTE_COUNTS: [usize; 2] = [279, 325];
    for name in FILES {
        let file = File::open(name);
        let (at, size) = BYTE_COUNTS.iter().find_map(|tag| file.first(*tag)).unwrap();
        let whole = file.number(at, size);
        let mut spared = 0;
        // Of no bytes at all a chunk is sparse.
        for length in 1..whole {
            let mut cut = file.clone();
            cut.edit(&BYTE_COUNTS, |_| length);
            match render_strictly(&cut.0, WHOLE) {
                Ok(encoded) => {
                    assert!(pixels(&encoded) == picture(), "{name} cut at {length} of {whole} gives another picture");
                    spared += 1;
                }
                Err(error) => assert_eq!(error.code(), "source-corrupt", "{name} cut at {length}: {error}"),
            }
        }
        // RTC, six EOLs with a bit each, is the longest that no row needs.
        assert!(spared <= 10, "{name}: {spared} of {whole} bytes are of no use");
    }
}

#[test]
fn any_bits_are_rows_or_an_error() {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let check = |name: &str, file: &File| match render(&file.0, WHOLE) {
        Ok(encoded) => assert_eq!((encoded.dimensions.width(), encoded.dimensions.height()), (97, 61), "{name}"),
        Err(error) => assert!(is_clean(&error), "{name}: {} {error}", error.code()),
    };
    for name in FILES {
        let file = File::open(name);
        for bit in 0..file.clone().data().len() * 8 {
            let mut damaged = file.clone();
            damaged.data()[bit / 8] ^= 1 << (bit % 8);
            check(name, &damaged);
        }
        for _ in 0..200 {
            let mut damaged = file.clone();
            damaged.data().fill_with(&mut byte);
            check(name, &damaged);
        }
        for same in 0..=255 {
            let mut damaged = file.clone();
            damaged.data().fill(same);
            check(name, &damaged);
        }
    }
}
