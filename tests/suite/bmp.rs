//! BMP: every depth, run lengths, masks, both orders of rows, damaged files. The files are made here, after the description of Windows bitmaps.

use super::profiles::profile;
use super::support::{drip, is_clean, pixels, render, render_damaged, render_strictly};

const WIDTH: usize = 7;
const HEIGHT: usize = 5;

/// Blue, green, red and a fourth byte of each entry.
fn palette(count: usize) -> Vec<[u8; 4]> {
    (0..count).map(|index| [(index * 37 % 256) as u8, (255 - index * 11 % 256) as u8, (index * 91 % 256) as u8, 0]).collect()
}

/// Index of a pixel among `count` colours.
fn index(x: usize, y: usize, count: usize) -> usize {
    (x * 3 + y * 5 + x * y) % count
}

fn color(x: usize, y: usize, count: usize) -> [u8; 3] {
    let [blue, green, red, _] = palette(count)[index(x, y, count)];
    [red, green, blue]
}

struct File {
    header: u32,
    bits: u16,
    compression: u32,
    top_down: bool,
    masks: [u32; 4],
    palette: Vec<[u8; 4]>,
}

impl File {
    fn new(bits: u16) -> Self {
        let palette = if bits <= 8 { palette(1 << bits) } else { Vec::new() };
        Self { header: 40, bits, compression: 0, top_down: false, masks: [0; 4], palette }
    }

    /// With data of its pixels, as stored.
    fn of(&self, data: &[u8]) -> Vec<u8> {
        let mut header = self.header.to_le_bytes().to_vec();
        if self.header == 12 {
            header.extend([WIDTH as u16, HEIGHT as u16, 1, self.bits].iter().flat_map(|number| number.to_le_bytes()));
        } else {
            let height = if self.top_down { -(HEIGHT as i32) } else { HEIGHT as i32 };
            header.extend([WIDTH as i32, height].iter().flat_map(|number| number.to_le_bytes()));
            header.extend([1, self.bits].iter().flat_map(|number| number.to_le_bytes()));
            header.extend([self.compression, 0, 0, 0, 0, 0].iter().flat_map(|number| number.to_le_bytes()));
            let masks: Vec<u8> = self.masks.iter().flat_map(|mask| mask.to_le_bytes()).collect();
            // In the header from V2 and V3 on, behind it before.
            header.extend(&masks[..if self.compression == 3 && self.header == 40 { 12 } else { masks.len() }]);
            header.resize(header.len().max(self.header as usize), 0);
            header.truncate(if self.compression == 3 && self.header == 40 { 52 } else { self.header as usize });
        }
        let entry = if self.header == 12 { 3 } else { 4 };
        header.extend(self.palette.iter().flat_map(|color| &color[..entry]));
        let offset = 14 + header.len() as u32;
        let size = offset + data.len() as u32;
        [b"BM".as_slice(), &size.to_le_bytes(), &[0; 4], &offset.to_le_bytes(), &header, data].concat()
    }

    /// Of rows without compression, each a list of numbers of `bits` bits.
    fn of_rows(&self, pixel: impl Fn(usize, usize) -> u32) -> Vec<u8> {
        let mut data = Vec::new();
        for row in 0..HEIGHT {
            let y = if self.top_down { row } else { HEIGHT - 1 - row };
            let mut bytes = Vec::new();
            if self.bits < 8 {
                let mut bits = 0_u64;
                (0..WIDTH).for_each(|x| bits |= u64::from(pixel(x, y)) << (64 - usize::from(self.bits) * (x + 1)));
                bytes.extend(&bits.to_be_bytes()[..(WIDTH * usize::from(self.bits)).div_ceil(8)]);
            } else {
                (0..WIDTH).for_each(|x| bytes.extend(&pixel(x, y).to_le_bytes()[..usize::from(self.bits / 8)]));
            }
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            data.extend(bytes);
        }
        self.of(&data)
    }
}

fn assert_shows(file: &[u8], expected: impl Fn(usize, usize) -> [u8; 4], name: &str) {
    let found = pixels(&render(file, "full/max/0/default.png").unwrap_or_else(|error| panic!("{name}: {error}")));
    assert_eq!((found.width() as usize, found.height() as usize), (WIDTH, HEIGHT), "{name}");
    for (x, y, pixel) in found.enumerate_pixels() {
        assert_eq!(pixel.0, expected(x as usize, y as usize), "{name}: {x}, {y}");
    }
}

fn opaque([red, green, blue]: [u8; 3]) -> [u8; 4] {
    [red, green, blue, 255]
}

/// Pixels of 24 bits: red above green above blue.
fn packed(x: usize, y: usize) -> u32 {
    let [red, green, blue] = color(x, y, 200);
    u32::from_be_bytes([0, red, green, blue])
}

#[test]
fn palettes_of_every_depth_and_both_orders_of_rows() {
    for bits in [1, 2, 4, 8] {
        for top_down in [false, true] {
            let file = File { top_down, ..File::new(bits) }.of_rows(|x, y| index(x, y, 1 << bits) as u32);
            assert_shows(&file, |x, y| opaque(color(x, y, 1 << bits)), &format!("{bits} bits, {top_down}"));
        }
    }
    for bits in [1, 4, 8] {
        let file = File { header: 12, ..File::new(bits) }.of_rows(|x, y| index(x, y, 1 << bits) as u32);
        assert_shows(&file, |x, y| opaque(color(x, y, 1 << bits)), &format!("{bits} bits, core header"));
    }
}

#[test]
fn colors_without_palettes() {
    for (bits, header) in [(24, 40), (24, 12), (24, 124), (32, 40), (32, 108)] {
        // The fourth byte of 32 bits without masks means nothing.
        let file = File { header, ..File::new(bits) }.of_rows(|x, y| packed(x, y) | 0x2200_0000);
        assert_shows(&file, |x, y| opaque(color(x, y, 200)), &format!("{bits} bits, header of {header}"));
    }
    let fives = |x: usize, y: usize| color(x, y, 200).map(|sample| u32::from(sample) >> 3);
    let wide = |five: u32| ((five * 255 + 15) / 31) as u8;
    let file = File::new(16).of_rows(|x, y| {
        let [red, green, blue] = fives(x, y);
        red << 10 | green << 5 | blue
    });
    let found = pixels(&render(&file, "full/max/0/default.png").unwrap());
    for (x, y, pixel) in found.enumerate_pixels() {
        let expected = fives(x as usize, y as usize).map(wide);
        assert!(pixel.0.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 1), "{x}, {y}: {pixel:?}, {expected:?}");
    }
}

#[test]
fn masks_say_where_colors_and_alpha_are() {
    let alpha = |x: usize, y: usize| (x * 40 + y) as u8;
    let masks = [0xFF, 0xFF00, 0xFF_0000, 0xFF00_0000];
    let rgba = |x: usize, y: usize| {
        let [red, green, blue] = color(x, y, 200);
        u32::from_le_bytes([red, green, blue, alpha(x, y)])
    };
    for header in [56, 108, 124] {
        let file = File { header, compression: 3, masks, ..File::new(32) }.of_rows(rgba);
        let shown = |x: usize, y: usize| {
            let [red, green, blue] = color(x, y, 200);
            [red, green, blue, alpha(x, y)]
        };
        assert_shows(&file, shown, &format!("header of {header}"));
    }
    // Masks behind a header that has no room for them, and none of alpha.
    for header in [40, 52] {
        let file = File { header, compression: 3, masks: [0xFF, 0xFF00, 0xFF_0000, 0], ..File::new(32) }.of_rows(rgba);
        assert_shows(&file, |x, y| opaque(color(x, y, 200)), &format!("header of {header}"));
    }
    // 5, 6 and 5 bits: black, white and a pure green are exact.
    let file = File { compression: 3, masks: [0xF800, 0x07E0, 0x001F, 0], ..File::new(16) }.of_rows(|x, _| [0, 0xFFFF, 0x07E0][x % 3]);
    assert_shows(&file, |x, _| [[0, 0, 0, 255], [255, 255, 255, 255], [0, 255, 0, 255]][x % 3], "5, 6 and 5 bits");
    // Alpha that is zero everywhere is not meant.
    let file = File { header: 108, compression: 3, masks, ..File::new(32) }.of_rows(|x, y| rgba(x, y) & 0xFF_FFFF);
    assert_shows(&file, |x, y| opaque(color(x, y, 200)), "alpha of zero");
}

#[test]
fn run_lengths() {
    // Four runs of the first row, two pixels as they are and a run in the second, a jump over the third into the fourth.
    let rows: [[u8; WIDTH]; HEIGHT] = [[1, 1, 1, 2, 2, 3, 3], [4, 5, 6, 7, 7, 7, 7], [0; WIDTH], [0, 0, 9, 9, 9, 9, 9], [8; WIDTH]];
    let eight = [3, 1, 2, 2, 2, 3, 0, 0, 0, 3, 4, 5, 6, 0, 4, 7, 0, 0, 0, 2, 2, 1, 5, 9, 0, 0, 7, 8, 0, 0, 0, 1];
    let four = [3, 0x11, 2, 0x22, 2, 0x33, 0, 0, 0, 3, 0x45, 0x60, 4, 0x77, 0, 0, 0, 2, 2, 1, 5, 0x99, 0, 0, 7, 0x88, 0, 0, 0, 1];
    for (bits, compression, data) in [(8, 1, &eight[..]), (4, 2, &four[..])] {
        let file = File { compression, ..File::new(bits) }.of(data);
        let colors = palette(1 << bits);
        let shown = |x: usize, y: usize| match rows[HEIGHT - 1 - y][x] {
            // What a jump passes over is black, as in Windows.
            0 => [0, 0, 0, 255],
            index => opaque([colors[usize::from(index)][2], colors[usize::from(index)][1], colors[usize::from(index)][0]]),
        };
        assert_shows(&file, shown, &format!("{bits} bits"));
    }
}

#[test]
fn requests_and_unkind_deliveries() {
    let file = File::new(24).of_rows(packed);
    let (whole, ..) = drip(&file, "full/max/0/default.png", 7).unwrap();
    assert_eq!(whole.bytes, render(&file, "full/max/0/default.png").unwrap().bytes);
    let part = pixels(&render(&file, "2,1,3,4/max/90/default.png").unwrap());
    assert_eq!(part.dimensions(), (4, 3));
    // Turned clockwise, the lower left corner of the region is the upper left of the answer.
    assert_eq!(part.get_pixel(0, 0).0, opaque(color(2, 4, 200)));
    assert_eq!(part.get_pixel(3, 2).0, opaque(color(4, 1, 200)));
}

#[test]
fn an_embedded_profile_is_used() {
    // All colours are L* 50, which is 119 of sRGB.
    let icc = profile(3, 2, [0x7F80, 0x8000, 0x8000].repeat(8));
    let mut file = File { header: 124, ..File::new(24) }.of_rows(packed);
    let offset = file.len() as u32 - 14;
    file[14 + 56..14 + 60].copy_from_slice(&0x4D42_4544_u32.to_le_bytes());
    file[14 + 112..14 + 116].copy_from_slice(&offset.to_le_bytes());
    file[14 + 116..14 + 120].copy_from_slice(&(icc.len() as u32).to_le_bytes());
    file.extend(&icc);
    assert_shows(&file, |_, _| [119, 119, 119, 255], "profile");
    // One that lies beyond the end of the file is not there.
    file.truncate(file.len() - 1);
    assert_shows(&file, |x, y| opaque(color(x, y, 200)), "half a profile");
}

#[test]
fn damaged_files_are_shown_as_far_as_they_go() {
    let stride = (WIDTH * 3).next_multiple_of(4);
    let gray = [128, 128, 128, 255];
    for top_down in [false, true] {
        let file = File { top_down, ..File::new(24) }.of_rows(packed);
        let cut = &file[..file.len() - stride * 2 - 4];
        let error = render_strictly(cut, "full/max/0/default.png").unwrap_err();
        assert!(is_clean(&error) && error.to_string().contains("end early"), "{error}");
        let (encoded, damage) = render_damaged(cut, "full/max/0/default.png").unwrap();
        let (shown, missing) = if top_down { (0..2, 3..HEIGHT) } else { (3..HEIGHT, 0..2) };
        let found = pixels(&encoded);
        for x in 0..WIDTH {
            shown.clone().for_each(|y| assert_eq!(found.get_pixel(x as u32, y as u32).0, opaque(color(x, y, 200)), "{top_down} {x} {y}"));
            missing.clone().for_each(|y| assert_eq!(found.get_pixel(x as u32, y as u32).0, gray, "{top_down} {x} {y}"));
        }
        assert_eq!(damage.unwrap().rows, if top_down { 2 } else { 0 });
    }
}

#[test]
fn what_is_not_read_is_named() {
    let plain = File::new(24).of_rows(packed);
    let with = |at: usize, bytes: &[u8]| {
        let mut file = plain.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let refused = [
        (with(14, &[64]), "source-unsupported", "a header of 64 bytes"),
        (with(30, &[4]), "source-unsupported", "compression 4"),
        (with(18, &[0; 4]), "source-corrupt", "0 × 5 pixels"),
        (with(22, &[0, 0, 0, 128]), "source-", ""),
        (with(28, &[23]), "source-", ""),
        (with(26, &[2]), "source-", ""),
        (with(10, &[255, 255, 255, 255]), "source-corrupt", "end early"),
        (plain[..40].to_vec(), "source-corrupt", ""),
    ];
    for (file, code, what) in refused {
        let error = render(&file, "full/max/0/default.png").unwrap_err();
        assert!(error.code().starts_with(code) && error.to_string().contains(what), "{}: {error}", error.code());
    }
    // A header that promises much more than there is costs nothing.
    let vast = with(18, &[255, 255, 0, 0, 255, 255, 0, 0]);
    let error = render(&vast, "full/max/0/default.png").unwrap_err();
    assert_eq!(error.code(), "source-too-costly", "{error}");
}
