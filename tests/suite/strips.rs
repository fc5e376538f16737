//! Images that are one large strip, or a few: they are decoded row by row, and are what the same images in small strips are.

use azulejo::api::{ImageRequest, Service, Version};
use azulejo::ingest::Options;
use azulejo::{EncodeOptions, Limits, Render, native};
use jpeg_encoder::{ColorType, SamplingFactor};

use super::ingest;
use super::jpeg_strips::jpeg;
use super::striped::{Page, write};
use super::support::{drip_page, is_clean, pixels, render, render_damaged, render_strictly};

pub const NONE: u16 = 1;
const G4: u16 = 4;
const LZW: u16 = 5;
pub const DEFLATE: u16 = 8;
pub const PACKBITS: u16 = 32773;
const ZSTANDARD: u16 = 50000;
const JPEG: u16 = 7;

/// Slopes, edges and noise.
pub fn samples(width: u32, height: u32, channels: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 29) as u8
    };
    (0..height)
        .flat_map(|y| (0..width * channels).map(move |x| (x, y)))
        .map(|(x, y)| ((x / 7 + y / 3) as u8 ^ if x / 200 % 2 == 0 { 90 } else { 0 }) ^ noise())
        .collect()
}

/// Of 1000 × 1500 px, 1 bit each.
fn bits() -> Vec<u8> {
    samples(125, 1500, 1).into_iter().map(|byte| if byte & 64 == 0 { byte & 0x1F } else { 0 }).collect()
}

pub fn page<'a>(data: &'a [u8], bits: u16, photometric: u16, channels: u16, compression: u16) -> Page<'a> {
    Page { width: 1000, height: 1500, rows: 1500, bits, channels, photometric, compression, ..Page::of(data) }
}

const REQUESTS: [&str; 8] = [
    "450,700,257,300/max/0/default.png",
    "full/100,/0/default.png",
    "750,1495,250,5/max/0/gray.png",
    "0,0,64,64/max/!0/default.png",
    "50,1000,500,300/max/90/default.png",
    "full/!90,90/180/default.png",
    "150,500,400,400/120,/30/default.png",
    "0,250,1000,37/max/0/default.jpg",
];

/// Whether a page shows what it shows in small strips without compression, and each request takes little memory.
fn check(page: &Page<'_>, what: &str) {
    check_requests(page, what, &REQUESTS);
}

fn check_requests(page: &Page<'_>, what: &str, requests: &[&str]) {
    let plain = write(&[Page { rows: 16, compression: NONE, predictor: 1, reversed: false, ..page.clone() }]);
    let file = write(std::slice::from_ref(page));
    let service = Service::default();
    let mut source = file.as_slice();
    let pyramid = native::open(&mut source, &service).unwrap();
    // The window of Zstandard, of each plane.
    let most = if page.compression == ZSTANDARD { 34 << 20 } else { 8 << 20 };
    for request in requests {
        let expected = render(&plain, request).unwrap();
        let found = render(&file, request).unwrap_or_else(|error| panic!("{what}, {request}: {error:?}"));
        assert!(found.bytes == expected.bytes, "{what}, {request}");
        let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(&service)).unwrap();
        let memory = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits).unwrap().memory();
        assert!(memory < most, "{what}, {request}: {memory} bytes");
    }
}

#[test]
fn colour_in_one_strip_of_every_coding() {
    let data = samples(1000, 1500, 3);
    for compression in [DEFLATE, PACKBITS, LZW, ZSTANDARD] {
        let page = page(&data, 8, 2, 3, compression);
        check(&page, &format!("RGB of compression {compression}"));
        if compression != PACKBITS {
            check(&Page { predictor: 2, ..page.clone() }, &format!("RGB of compression {compression} with differences"));
        }
    }
}

#[test]
fn samples_of_every_kind_in_one_strip() {
    let (bits, gray, rgba) = (bits(), samples(1000, 1500, 1), samples(1000, 1500, 4));
    for (photometric, compression) in [(0, PACKBITS), (1, LZW), (0, DEFLATE)] {
        for reversed in [false, true] {
            check(&Page { reversed, ..page(&bits, 1, photometric, 1, compression) }, &format!("bits, {photometric}, {compression}, {reversed}"));
        }
    }
    let palette: Vec<u16> = (0..3 * 256_u32).map(|at| (at.wrapping_mul(40_503) >> 3) as u16).collect();
    check(&Page { palette: Some(&palette), ..page(&gray, 8, 3, 1, LZW) }, "a palette");
    check(&page(&rgba, 8, 2, 4, DEFLATE), "RGBA");
    check(&page(&rgba, 8, 5, 4, DEFLATE), "inks");
    let wide = samples(1000, 1500, 2);
    check(&Page { predictor: 2, ..page(&wide, 16, 1, 1, DEFLATE) }, "16 bits with differences");
    check(&page(&wide, 16, 0, 1, LZW), "16 bits, white is 0");
    check(&Page { subsampling: Some([2, 2]), ..page(&wide[..500 * 750 * 6], 8, 6, 3, LZW) }, "YCbCr 4:2:0");
}

#[test]
fn planes_are_decoded_in_step() {
    let data = samples(1000, 1500, 3);
    for compression in [DEFLATE, PACKBITS, ZSTANDARD] {
        check(&Page { planar: true, ..page(&data, 8, 2, 3, compression) }, &format!("planes of compression {compression}"));
    }
    check(&Page { planar: true, rows: 700, ..page(&data, 8, 2, 3, LZW) }, "planes in three strips");
}

#[test]
fn several_large_strips_follow_each_other() {
    let data = samples(1000, 1500, 3);
    for rows in [400, 512, 700, 1499, 6000] {
        check(&Page { rows, predictor: 2, ..page(&data, 8, 2, 3, DEFLATE) }, &format!("strips of {rows} rows"));
    }
}

#[test]
fn every_orientation_is_applied() {
    let data = samples(1000, 1500, 1);
    for orientation in 2..=8 {
        let requests = ["450,700,257,300/max/0/default.png", "full/200,/0/default.png", "500,300,470,400/max/!90/gray.png"];
        check_requests(&Page { orientation, ..page(&data, 8, 1, 1, DEFLATE) }, &format!("orientation {orientation}"), &requests);
    }
}

/// Noise, which no compression makes smaller than a run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn results_do_not_depend_on_delivery() {
    let data = noise(2000 * 3000);
    for compression in [DEFLATE, PACKBITS, LZW, ZSTANDARD] {
        for (planar, channels, rows) in [(false, 1, 3000), (false, 1, 700), (true, 3, 1000)] {
            let page = Page {
                planar,
                width: 2000,
                height: 3000 / u32::from(channels),
                rows,
                ..page(&data, 8, if channels == 3 { 2 } else { 1 }, channels, compression)
            };
            let file = write(&[page]);
            for request in ["700,900,200,90/max/0/default.png", "full/90,/0/default.png", "0,0,10,10/max/0/default.png"] {
                let what = format!("compression {compression}, {channels} channels, {rows} rows, {request}");
                // The least run: 1 MiB.
                let tight = within(least(&file, request));
                for (piece, limits) in [(1_000_003, &tight), (4001, &tight), (70_001, &Limits::default())] {
                    // Less memory may mean a coarser average.
                    let (whole, ..) = drip_page(&file, 1, request, u64::MAX, limits).unwrap();
                    let (answer, _, traffic) = drip_page(&file, 1, request, piece, limits).unwrap_or_else(|error| panic!("{what}: {error:?}"));
                    assert!(answer.bytes == whole.bytes, "{what} in pieces of {piece}");
                    assert!(traffic.bytes <= file.len() as u64, "{what}: bytes are fetched once");
                    let several = limits.memory == tight.memory && request.starts_with("full");
                    assert!(!several || traffic.rounds > 3, "{what}: {} rounds", traffic.rounds);
                    // Three windows of Zstandard take more memory than the strips that are decoded one after the other.
                    let at_once = limits.memory == tight.memory && compression == ZSTANDARD && planar;
                    if request.starts_with("0,0") && !at_once {
                        // Zstandard gives nothing before its window is full.
                        let most = if compression == ZSTANDARD { 1_400_000 } else { 600_000 };
                        assert!(traffic.bytes < most, "{what}: {} bytes for the first rows", traffic.bytes);
                    }
                }
            }
        }
    }
}

fn within(memory: u64) -> Limits {
    let mut limits = Limits::default();
    limits.memory = memory;
    limits
}

/// The least memory within which a request is served.
fn least(file: &[u8], request: &str) -> u64 {
    let (mut low, mut high) = (0, 42 << 20);
    while high - low > 1000 {
        let memory = (low + high) / 2;
        let service = Service { limits: within(memory), ..Service::default() };
        let pyramid = native::open(&mut &*file, &service).unwrap();
        let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(&service)).unwrap();
        match Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits) {
            Ok(_) => high = memory,
            Err(_) => low = memory,
        }
    }
    high
}

#[test]
fn pages_of_a_document_are_large_strips() {
    let (first, second) = (samples(1000, 1500, 1), bits());
    let pages = [page(&first, 8, 1, 1, DEFLATE), page(&second, 1, 0, 1, LZW)];
    let document = write(&pages);
    for (number, page) in (1..).zip(&pages) {
        let alone = write(std::slice::from_ref(page));
        for request in REQUESTS {
            let (answer, ..) = drip_page(&document, number, request, 50_000, &Limits::default()).unwrap();
            assert!(answer.bytes == render(&alone, request).unwrap().bytes, "page {number}, {request}");
        }
    }
}

#[test]
fn pyramids_are_made_of_large_strips() {
    let data = samples(1000, 1500, 3);
    let page = Page { predictor: 2, orientation: 6, ..page(&data, 8, 2, 3, DEFLATE) };
    let plain = Page { rows: 16, compression: NONE, predictor: 1, ..page.clone() };
    let pyramid = |page: &Page<'_>| ingest::write(&write(std::slice::from_ref(page)), &Options::default()).unwrap();
    assert!(pyramid(&page) == pyramid(&plain));
}

/// A file whose only strip is said to be half as long as it is.
fn halved(page: Page<'_>) -> Vec<u8> {
    let mut file = write(&[page]);
    let at = file.windows(12).position(|entry| entry.starts_with(&[0x17, 1, 4, 0, 1, 0, 0, 0])).unwrap() + 8;
    let whole = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    file[at..at + 4].copy_from_slice(&(whole / 2).to_le_bytes());
    file
}

#[test]
fn data_that_end_too_early_are_an_error_where_their_rows_are_wanted() {
    let data = samples(1000, 1500, 3);
    for compression in [DEFLATE, PACKBITS, LZW, ZSTANDARD] {
        let file = halved(page(&data, 8, 2, 3, compression));
        render_strictly(&file, "0,0,500,300/max/0/default.png").unwrap();
        for request in ["0,1250,500,250/max/0/default.png", "full/100,/0/default.jpg"] {
            let error = render_strictly(&file, request).unwrap_err();
            assert!(error.code() == "source-corrupt" && is_clean(&error), "{compression}, {request}: {error:?}");
        }
    }
}

#[test]
fn what_there_is_of_a_damaged_strip_is_shown() {
    let (colors, (_, codes)) = (samples(1000, 1500, 3), bars(0));
    let request = "0,500,300,1000/max/0/default.png";
    for compression in [DEFLATE, PACKBITS, LZW, ZSTANDARD, G4] {
        let page = if compression == G4 { Page { width: 2000, ..page(&codes, 1, 0, 1, G4) } } else { page(&colors, 8, 2, 3, compression) };
        let whole = pixels(&render(&write(std::slice::from_ref(&page)), request).unwrap());
        let file = halved(page);
        let (encoded, incomplete) = render_damaged(&file, request).unwrap();
        let (found, incomplete) = (pixels(&encoded), incomplete.unwrap());
        let rows = incomplete.rows;
        assert!((600..900).contains(&rows), "{compression}: {rows} rows");
        assert_eq!(incomplete.damage.code(), "source-corrupt");
        let missing = if compression == G4 { 255 } else { 128 };
        // The rest of a row of CCITT that is damaged is white; of other codings all of it is missing.
        let from = if compression == G4 { rows + 1 } else { rows };
        for (x, y, pixel) in found.enumerate_pixels() {
            let expected = if y + 500 < rows { whole.get_pixel(x, y).0[..3].to_vec() } else { vec![missing; 3] };
            assert!(pixel.0[..3] == expected || (rows..from).contains(&(y + 500)), "{compression}: {x}, {y} of {rows} rows");
        }
        // What lies above is not touched by it.
        let (_, incomplete) = render_damaged(&file, "0,0,300,500/max/0/default.png").unwrap();
        assert_eq!(incomplete, None, "{compression}");
    }
}

#[test]
fn one_plane_of_a_strip_may_be_damaged_or_left_out() {
    let data = samples(1000, 1500, 3);
    let page = Page { planar: true, ..page(&data, 8, 2, 3, DEFLATE) };
    let file = write(std::slice::from_ref(&page));
    let whole = pixels(&render(&file, "0,1400,300,100/max/0/default.png").unwrap());
    // The table of lengths: that of the second plane.
    let entry = file.windows(8).position(|entry| entry == [0x17, 1, 4, 0, 3, 0, 0, 0]).unwrap() + 8;
    let table = u32::from_le_bytes(file[entry..entry + 4].try_into().unwrap()) as usize + 4;
    let length = u32::from_le_bytes(file[table..table + 4].try_into().unwrap());
    let mut damaged = file.clone();
    damaged[table..table + 4].copy_from_slice(&(length / 2).to_le_bytes());
    let (encoded, incomplete) = render_damaged(&damaged, "0,1400,300,100/max/0/default.png").unwrap();
    assert!((600..900).contains(&incomplete.unwrap().rows));
    assert!(pixels(&encoded).pixels().all(|pixel| pixel.0 == [128, 128, 128, 255]));
    // Neither a place nor a length: it was left out, and its value is 0.
    let entry = file.windows(8).position(|entry| entry == [0x11, 1, 4, 0, 3, 0, 0, 0]).unwrap() + 8;
    let offsets = u32::from_le_bytes(file[entry..entry + 4].try_into().unwrap()) as usize + 4;
    let mut sparse = file;
    sparse[table..table + 4].fill(0);
    sparse[offsets..offsets + 4].fill(0);
    let (encoded, incomplete) = render_damaged(&sparse, "0,1400,300,100/max/0/default.png").unwrap();
    assert_eq!(incomplete, None);
    assert!(pixels(&encoded).pixels().zip(whole.pixels()).all(|(found, whole)| found.0 == [whole.0[0], 0, whole.0[2], 255]));
}

#[test]
fn damage_gives_the_same_answer_however_bytes_come() {
    let data = samples(1000, 1500, 1);
    let stream = jpeg(&data, ColorType::Luma, SamplingFactor::R_4_4_4, false);
    let request = "0,900,1000,200/250,/0/default.png";
    for compression in [DEFLATE, PACKBITS, LZW, ZSTANDARD, JPEG] {
        let page = page(if compression == JPEG { &stream } else { &data }, 8, 1, 1, compression);
        let whole = write(&[page]);
        let (mut served, mut refused) = (0, 0);
        for number in 0..16 {
            let mut file = whole.clone();
            let at = 8 + (number * 2_654_435_761_usize) % (whole.len() - 400);
            file[at] ^= 1 << (number % 8);
            let answers: Vec<_> =
                [u64::MAX, 60_000, 1009].map(|piece| drip_page(&file, 1, request, piece, &Limits::default()).map(|(answer, ..)| answer.bytes)).into();
            match &answers[0] {
                Ok(_) => served += 1,
                Err(error) => {
                    refused += 1;
                    assert!(is_clean(error), "{error:?}");
                }
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "compression {compression}, byte {at}");
        }
        assert!(served > 0, "{compression}: {served} served, {refused} refused");
    }
}

/// Columns 2000, rows 1500: bars of two black pixels with three white ones between them, that go to and fro. As bits, and as T.6 codes all of them but `left_out`.
fn bars(left_out: usize) -> (Vec<u8>, Vec<u8>) {
    const VERTICAL: [&str; 4] = ["000010", "010", "1", "011"];
    let shift = |y: usize| [0, 1, 0, -2, -1, 0, -1, -1][y % 8];
    let changes = |y: usize| (0..800).map(move |at| (3 + at / 2 * 5 + at % 2 * 2 + shift(y)).clamp(0, 2000));
    let (mut pixels, mut codes) = (Vec::new(), String::new());
    for y in 0..1500 - left_out {
        let mut row = vec![0_u8; 250];
        let ends: Vec<i32> = changes(y).collect();
        for bar in ends.chunks(2) {
            (bar[0]..bar[1]).for_each(|x| row[x as usize / 8] |= 0x80 >> (x % 8));
        }
        pixels.extend(row);
        if y == 0 {
            // Horizontal mode: white 3, black 2.
            codes.push_str(&"001100011".repeat(400));
            continue;
        }
        for (above, here) in changes(y - 1).zip(ends) {
            codes.push_str(VERTICAL[(here - above + 2) as usize]);
            if here == 2000 {
                break;
            }
        }
        if shift(y) < 0 {
            codes.push('1');
        }
    }
    pixels.resize(250 * 1500, 0);
    codes.push_str(&"000000000001".repeat(2));
    let codes = codes.as_bytes().chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | (bit & 1)) << (8 - bits.len())).collect();
    (pixels, codes)
}

#[test]
fn a_fax_in_one_strip_is_decoded_row_by_row() {
    for left_out in [0, 600] {
        let (pixels, codes) = bars(left_out);
        let reversed: Vec<u8> = codes.iter().map(|byte| byte.reverse_bits()).collect();
        for (photometric, data, turned) in [(0, &codes, false), (1, &codes, false), (0, &reversed, true)] {
            let page = |data, compression| Page { width: 2000, ..page(data, 1, photometric, 1, compression) };
            let file = write(&[Page { reversed: turned, ..page(data, G4) }]);
            let plain = write(&[Page { rows: 16, ..page(&pixels, NONE) }]);
            for request in REQUESTS {
                let expected = render(&plain, request).unwrap();
                for piece in [u64::MAX, 997] {
                    let (answer, _, traffic) = drip_page(&file, 1, request, piece, &Limits::default()).unwrap();
                    assert!(answer.bytes == expected.bytes, "{left_out}, {photometric}, {turned}, {request} in pieces of {piece}");
                    // Where rows are left out, the others are denser than they look.
                    assert!(traffic.rounds <= if left_out > 0 { 2 } else { 1 }, "{left_out}, {request}: {traffic:?} of {}", file.len());
                }
            }
        }
    }
}
