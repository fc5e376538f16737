//! Pyramids up to ten gigapixels: what opening and a tile read, what is passed through, and that a large answer is the same however it is made.

use azulejo::api::{Format, ImageRequest, Page, Service, Version};
use azulejo::native::{self, Source};
use azulejo::{Budget, EncodeOptions, Encoded, Error, Open, Pyramid, Render, Result, Step};
use image::codecs::jpeg::JpegEncoder;

use super::pyramid::{Layout, Recipe, Virtual};
use super::support::{is_clean, pixels, strict};

pub const TILE: u32 = 256;

/// A tile of gentle slopes as JPEG (4:2:0 is not to be had of this encoder): tables and abbreviated stream.
pub fn jpeg_tile() -> (Vec<u8>, Vec<u8>) {
    let tile = image::RgbImage::from_fn(TILE, TILE, |x, y| image::Rgb([x as u8, y as u8, (x / 2 + y / 2) as u8]));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&tile).unwrap();
    let (mut tables, mut stream, mut at) = (vec![0xFF, 0xD8], vec![0xFF, 0xD8], 2);
    while bytes[at + 1] != 0xDA {
        let length = 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        let target = if matches!(bytes[at + 1], 0xDB | 0xC4) { &mut tables } else { &mut stream };
        target.extend_from_slice(&bytes[at..at + length]);
        at += length;
    }
    stream.extend_from_slice(&bytes[at..]);
    tables.extend([0xFF, 0xD9]);
    (tables, stream)
}

pub fn recipe<'a>(width: u32, height: u32, layout: Layout, (tables, chunk): &'a (Vec<u8>, Vec<u8>)) -> Recipe<'a> {
    Recipe {
        width,
        height,
        tile: TILE,
        layout,
        big_endian: false,
        storage: (7, 6, 3),
        jpeg_tables: Some(tables),
        icc: None,
        chunk,
        led: false,
        // A bit a pixel, about what collections keep.
        spread: u64::from(TILE * TILE / 8),
        pages: 1,
    }
}

/// Rounds of fetching beside the result.
pub fn open(file: &mut Virtual, page: u32) -> Result<(Pyramid, u32)> {
    let (pyramid, rounds, _) = open_with(file, page, Vec::new())?;
    Ok((pyramid, rounds))
}

type Parts = Vec<(u64, Vec<u8>)>;

/// With parts of the file that are known beforehand; the rounds, and what opened it.
fn open_with(file: &mut Virtual, page: u32, known: Parts) -> Result<(Pyramid, u32, Parts)> {
    let mut job = Open::new(file.size()?, &Service::default().limits).page(page);
    known.into_iter().try_for_each(|(offset, bytes)| job.provide(offset, bytes))?;
    let mut rounds = 0;
    loop {
        match job.step()? {
            Step::Done(pyramid) => return Ok((pyramid, rounds, job.headers())),
            Step::Piece(_) => panic!("opening has no pieces"),
            Step::Need(ranges) => {
                rounds += 1;
                ranges.into_iter().try_for_each(|range| job.provide(range.start(), file.read(range)?))?;
            }
        }
    }
}

pub fn render(file: &mut Virtual, pyramid: &Pyramid, request: &str) -> Result<Encoded> {
    render_within(file, pyramid, request, &Service::default()).map(|(encoded, ..)| encoded)
}

/// The answer, the rounds and the pieces it came in.
fn render_within(file: &mut Virtual, pyramid: &Pyramid, request: &str, service: &Service) -> Result<(Encoded, u32, u32)> {
    let resolved = ImageRequest::parse(Version::V3, request)?.resolve(&pyramid.info(service))?;
    let mut job = Render::new(pyramid, &resolved, &EncodeOptions::default(), &service.limits)?;
    let (mut bytes, mut rounds, mut pieces) = (Vec::new(), 0, 0);
    loop {
        match job.step()? {
            Step::Done(encoded) => return Ok((Encoded { bytes: [bytes, encoded.bytes].concat(), ..encoded }, rounds, pieces)),
            Step::Piece(piece) => {
                pieces += 1;
                bytes.extend(piece);
            }
            Step::Need(ranges) => {
                rounds += 1;
                ranges.into_iter().try_for_each(|range| job.provide(range.start(), file.read(range)?))?;
            }
        }
    }
}

#[test]
fn opening_takes_few_rounds_whatever_the_size_and_the_layout() {
    let tile = jpeg_tile();
    for side in [1000, 3000, 10_000, 32_000, 100_000] {
        for (layout, most) in [(Layout::First, 2), (Layout::SubIfds, 6), (Layout::Chain, 6)] {
            for big_endian in [false, true] {
                let recipe = Recipe { big_endian, ..recipe(side, side, layout, &tile) };
                let mut file = recipe.write();
                let (pyramid, rounds) = open(&mut file, 1).unwrap();
                assert_eq!((pyramid.dimensions().width(), pyramid.pages().count()), (side, Some(1)));
                let info = pyramid.info(&Service::default());
                let factors = &info.tiles()[0].scale_factors;
                assert_eq!(factors.len(), recipe.levels().len(), "{layout:?} {side}: {factors:?}");
                assert!(rounds <= most, "{layout:?} of {side}²: {rounds} rounds, {} bytes", file.bytes);
                assert!(file.bytes < 3 << 20, "{layout:?} of {side}²: {} bytes", file.bytes);
                assert!(pyramid.weight() < 300 << 10, "{layout:?} of {side}²: {} bytes are kept", pyramid.weight());
            }
        }
    }
}

#[test]
fn what_has_opened_an_image_opens_it_again_without_a_read() {
    let tile = jpeg_tile();
    let bytes = |parts: &Parts| parts.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    for side in [1000, 10_000, 100_000] {
        for layout in [Layout::First, Layout::SubIfds, Layout::Chain] {
            let mut file = recipe(side, side, layout, &tile).write();
            let (pyramid, _, headers) = open_with(&mut file, 1, Vec::new()).unwrap();
            assert!(bytes(&headers) < 12 << 10, "{layout:?} of {side}²: {} bytes", bytes(&headers));
            let (again, rounds, same) = open_with(&mut file, 1, headers.clone()).unwrap();
            assert_eq!((rounds, again.info(&Service::default())), (0, pyramid.info(&Service::default())), "{layout:?} of {side}²");
            assert!(same == headers, "{layout:?} of {side}²: {} bytes, then {}", bytes(&headers), bytes(&same));
            // With the tables that a tile has taken, it is one read.
            let request = format!("{0},{0},256,256/max/0/default.jpg", side / 2 / TILE * TILE);
            let shown = render(&mut file, &pyramid, &request).unwrap();
            assert!(bytes(&pyramid.tables()) <= 256 << 10);
            let (known, rounds, _) = open_with(&mut file, 1, [pyramid.tables(), headers].concat()).unwrap();
            let before = file.reads;
            assert!(render(&mut file, &known, &request).unwrap() == shown, "{layout:?} of {side}²");
            assert_eq!((rounds, file.reads - before), (0, 1), "{layout:?} of {side}²");
        }
    }
}

#[test]
fn a_warm_tile_is_one_read_and_its_neighbours_need_no_table() {
    let tile = jpeg_tile();
    let mut file = recipe(100_000, 100_000, Layout::First, &tile).write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    let request = |column: u32| format!("{},51200,256,256/max/0/default.jpg", 51200 + column * TILE);
    let (reads, bytes) = (file.reads, file.bytes);
    let (first, rounds, _) = render_within(&mut file, &pyramid, &request(0), &Service::default()).unwrap();
    assert_eq!((rounds, file.reads - reads, first.passthrough), (2, 3, true), "two tables, then the tile");
    assert!(file.bytes - bytes < 64 << 10, "{} bytes", file.bytes - bytes);
    for column in 1..4 {
        let before = (file.reads, file.bytes);
        let (next, rounds, _) = render_within(&mut file, &pyramid, &request(column), &Service::default()).unwrap();
        assert_eq!((rounds, file.reads - before.0, file.bytes - before.1), (1, 1, tile.1.len() as u64));
        assert_eq!(next, first);
    }
    // Another opening of it has nothing of what this one has read; a clone has all.
    let before = file.reads;
    render(&mut file, &pyramid.clone(), &request(5)).unwrap();
    assert_eq!(file.reads - before, 1);
    // Four chunks in one round.
    let (_, rounds, _) = render_within(&mut file, &pyramid, "51300,51300,256,256/max/0/default.jpg", &Service::default()).unwrap();
    assert_eq!(rounds, 1);
}

#[test]
fn a_chunk_that_tells_its_own_length_costs_a_read_less() {
    let tile = jpeg_tile();
    // Chunks, and runs of them in the file; the last is that of the whole file.
    for (request, chunks, runs) in
        [("51200,51200,256,256/max/0/default.jpg", 1, 1), ("51300,51300,256,256/max/0/default.jpg", 4, 2), ("99900,99900,100,100/max/0/default.png", 1, 1)]
    {
        let known = {
            let mut file = recipe(100_000, 100_000, Layout::First, &tile).write();
            let (pyramid, _) = open(&mut file, 1).unwrap();
            render(&mut file, &pyramid, request).unwrap()
        };
        let mut file = Recipe { led: true, ..recipe(100_000, 100_000, Layout::First, &tile) }.write();
        let (pyramid, _) = open(&mut file, 1).unwrap();
        let (reads, bytes) = (file.reads, file.bytes);
        let (encoded, rounds, _) = render_within(&mut file, &pyramid, request, &Service::default()).unwrap();
        assert_eq!(encoded, known, "{request}");
        assert_eq!((rounds, file.reads - reads), (2, 1 + runs), "{request}: a table, then what is wanted");
        let most = (16 << 10) + chunks * (tile.1.len() as u64 + 8);
        assert!(file.bytes - bytes <= most, "{request}: {} bytes", file.bytes - bytes);
        let before = file.reads;
        assert_eq!(render(&mut file, &pyramid, request).unwrap(), known);
        assert_eq!(file.reads - before, runs, "{request}: the table is known");
        // Written over by who knows nothing of leaders or of trailers: the tables tell.
        for at in [0, 4 + tile.1.len()] {
            let mut file = Recipe { led: true, ..recipe(100_000, 100_000, Layout::First, &tile) }.write();
            file.damage(at);
            let (pyramid, _) = open(&mut file, 1).unwrap();
            assert_eq!(render(&mut file, &pyramid, request).unwrap(), known, "{request}, damaged at {at}");
        }
    }
}

#[test]
fn whatever_the_next_offset_is_a_chunk_is_found() {
    let tile = jpeg_tile();
    let (request, index) = ("51200,51200,256,256/max/0/default.jpg", 200 * 391 + 200);
    let mut known = None;
    let (at, length) = ((64 << 20) + index * (tile.1.len() as u64 + 8), tile.1.len() as u64);
    // What follows is left out, is the same, lies before, within, a byte too near, far away, beyond the end, nowhere; and the chunk itself is left out.
    let next = [0, at, at - 8, at + 1, at + length / 2, at + length + 7, at + (1 << 24), 1 << 40, u64::MAX];
    for next in std::iter::once(at + length + 8).chain(next) {
        let mut file = Recipe { led: true, ..recipe(100_000, 100_000, Layout::First, &tile) }.write();
        file.displace(index + 1, &[next; 80]);
        let (pyramid, _) = open(&mut file, 1).unwrap();
        let encoded = render(&mut file, &pyramid, request).unwrap();
        assert_eq!(&encoded, known.get_or_insert(encoded.clone()), "the next one at {next}");
    }
    for lost in [0, 3, u64::MAX] {
        let mut file = Recipe { led: true, ..recipe(100_000, 100_000, Layout::First, &tile) }.write();
        file.displace(index, &[lost]);
        let (pyramid, _) = open(&mut file, 1).unwrap();
        match render_within(&mut file, &pyramid, request, &strict()).map(|(encoded, ..)| encoded) {
            // Black: it was left out.
            Ok(encoded) => assert!(lost == 0 && pixels(&encoded).pixels().all(|pixel| pixel.0 == [0, 0, 0, 255])),
            Err(error) => assert!(lost != 0 && is_clean(&error), "{lost}: {error}"),
        }
    }
}

#[test]
fn stored_tiles_are_sent_as_they_are_and_show_the_decoded_pixels() {
    let tile = jpeg_tile();
    let mut file = recipe(2000, 1500, Layout::First, &tile).write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    for (request, passed) in [
        ("256,512,256,256/max/0/default.jpg", true),
        ("256,512,256,256/256,256/0/color.jpg", true),
        ("512,512,512,512/256,256/0/default.jpg", true),
        ("0,0,1024,1024/256,/0/default.jpg", true),
        ("256,512,256,256/max/0/gray.jpg", false),
        ("256,512,256,256/max/0/bitonal.jpg", false),
        ("256,512,256,256/max/90/default.jpg", false),
        ("256,512,256,256/max/!0/default.jpg", false),
        ("256,512,256,256/max/0/default.png", false),
        ("256,512,256,256/255,255/0/default.jpg", false),
        ("257,512,256,256/max/0/default.jpg", false),
        ("256,512,255,256/max/0/default.jpg", false),
        // At the edge the stored tile is padded.
        ("1792,512,256,256/max/0/default.jpg", false),
    ] {
        let encoded = render(&mut file, &pyramid, request).unwrap();
        assert_eq!(encoded.passthrough, passed, "{request}");
        if passed {
            let decoded = render(&mut file, &pyramid, &request.replace(".jpg", ".png")).unwrap();
            assert_eq!((encoded.dimensions, encoded.format), (decoded.dimensions, Format::Jpg));
            let (stored, decoded) = (pixels(&encoded), pixels(&decoded));
            let furthest = stored.iter().zip(decoded.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(furthest <= Some(1), "{request}: {furthest:?}");
        }
    }
}

#[test]
fn what_goes_from_jpeg_to_jpeg_as_planes_shows_the_same_picture() {
    let source = image::open(super::support::root().join("www/samples/retina.jpg")).unwrap().to_rgb8();
    let tile = image::imageops::crop_imm(&source, 300, 300, TILE, TILE).to_image();
    let mut encoded = Vec::new();
    let png = {
        let mut bytes = Vec::new();
        tile.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    };
    // 4:2:0, by our own encoder.
    encoded.extend(super::support::render(&png, "full/max/0/default.jpg").unwrap().bytes);
    let chunk = (Vec::new(), encoded);
    let recipe = Recipe { jpeg_tables: None, ..recipe(1000, 700, Layout::First, &chunk) };
    let mut file = recipe.write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    for region in ["0,0,1000,700", "2,4,300,300", "101,33,301,299", "900,600,100,100", "256,256,256,256", "250,100,33,600"] {
        for quality in ["default", "gray"] {
            let jpeg = render(&mut file, &pyramid, &format!("{region}/max/0/{quality}.jpg")).unwrap();
            let exact = render(&mut file, &pyramid, &format!("{region}/max/0/{quality}.png")).unwrap();
            let (jpeg, exact) = (pixels(&jpeg), pixels(&exact));
            assert_eq!(jpeg.dimensions(), exact.dimensions());
            let squares: f64 = jpeg.iter().zip(exact.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
            let psnr = 10.0 * (255.0 * 255.0 / (squares / jpeg.len() as f64).max(1e-9)).log10();
            assert!(psnr > 36.0, "{region} {quality}: {psnr:.1} dB");
        }
    }
}

#[test]
fn stored_webp_is_sent_as_webp() {
    for (name, request, passed) in [
        ("tiles-webp.tif", "32,0,32,32/max/0/default.webp", true),
        ("tiles-webp.tif", "0,0,64,32/32,/0/default.webp", false),
        // Of the next level only 30 rows are there.
        ("tiles-webp.tif", "0,0,64,64/32,/0/color.webp", false),
        ("tiles-webp.tif", "32,0,32,32/max/0/default.jpg", false),
        ("tiles-webp.tif", "96,0,32,32/max/0/default.webp", false),
        ("tiles-webp-alpha.tif", "32,0,32,32/max/0/default.webp", true),
    ] {
        let bytes = std::fs::read(super::support::root().join("tests/fixtures").join(name)).unwrap();
        let encoded = super::support::render(&bytes, request).unwrap();
        assert_eq!(encoded.passthrough, passed, "{name} {request}");
        if passed {
            let exact = super::support::render(&bytes, &request.replace(".webp", ".png")).unwrap();
            assert_eq!(pixels(&encoded), pixels(&exact), "{name} {request}");
        }
    }
}

#[test]
fn work_is_limited_by_what_is_decoded_and_by_what_is_read() {
    let tile = jpeg_tile();
    let mut file = recipe(4000, 4000, Layout::First, &tile).write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    let request = "0,0,2000,2000/max/0/default.png";
    let mut service = Service::default();
    let limited = |work: u64, service: &mut Service, file: &mut Virtual| {
        service.limits.work = work;
        let before = file.reads;
        let result = render_within(file, &pyramid, request, service);
        let result = result.map(drop).map_err(|error| match error {
            Error::SourceTooCostly { what, needs, limit, .. } => (what, needs, limit),
            other => panic!("{other}"),
        });
        (result, file.reads - before)
    };
    // How many tiles there are is known from the header: nothing is read.
    let (refused, reads) = limited(1_000_000, &mut service, &mut file);
    let Err((Budget::Work, expected, 1_000_000)) = refused else { panic!("{refused:?}") };
    assert_eq!(reads, 0);
    assert_eq!(limited(expected - 1, &mut service, &mut file), (Err((Budget::Work, expected, expected - 1)), 0));
    // With the bytes that they are decoded from it is more.
    let (refused, _) = limited(expected + 1, &mut service, &mut file);
    assert!(refused.is_err_and(|(what, needs, _)| what == Budget::Work && needs > expected + 1));
    assert!(limited(expected * 2, &mut service, &mut file).0.is_ok());
}

#[test]
fn a_profile_comes_along_unless_it_changes_nothing() {
    let tile = jpeg_tile();
    let fixture = std::fs::read(super::support::root().join("tests/fixtures/display-p3.jpg")).unwrap();
    let at = fixture.windows(12).position(|window| window == b"ICC_PROFILE\0").unwrap();
    let length = usize::from(u16::from_be_bytes([fixture[at - 2], fixture[at - 1]])) - 16;
    let profile = &fixture[at + 14..at + 14 + length];
    let request = "0,0,256,256/max/0/default.jpg";
    let passed = |icc: Option<&[u8]>| {
        let mut file = Recipe { icc, ..recipe(1000, 1000, Layout::First, &tile) }.write();
        let (pyramid, _) = open(&mut file, 1).unwrap();
        let encoded = render(&mut file, &pyramid, request).unwrap();
        assert!(encoded.passthrough);
        encoded.bytes
    };
    let plain = passed(None);
    assert_eq!(passed(Some(b"no profile at all")), plain);
    let profiled = passed(Some(profile));
    assert!(profiled.windows(profile.len()).any(|window| window == profile));
    assert_eq!(profiled.len(), plain.len() + profile.len() + 18);
}

#[test]
fn a_chunk_that_is_not_what_it_should_be_is_decoded_or_refused() {
    let (tables, stream) = jpeg_tile();
    for cut in [0, 2, 100, stream.len() / 2, stream.len() - 1] {
        let tile = (tables.clone(), stream[..cut].to_vec());
        let mut file = recipe(1000, 1000, Layout::First, &tile).write();
        let (pyramid, _) = open(&mut file, 1).unwrap();
        match render_within(&mut file, &pyramid, "0,0,256,256/max/0/default.jpg", &strict()).map(|(encoded, ..)| encoded) {
            // A chunk of no bytes is one that was left out; half an end marker is none, but no pixel needs it.
            Ok(encoded) => assert!((cut == 0 || cut == stream.len() - 1) && !encoded.passthrough, "{cut}"),
            Err(error) => assert!(is_clean(&error), "{error}"),
        }
    }
}

#[test]
fn of_a_stored_chunk_far_larger_than_its_pixels_no_more_is_read_than_they_can_take() {
    let (tables, stream) = jpeg_tile();
    for padding in [1 << 20, 20 << 20] {
        let tile = (tables.clone(), [stream.clone(), vec![0; padding]].concat());
        let mut file = recipe(1000, 1000, Layout::Chain, &tile).write();
        let (pyramid, _) = open(&mut file, 1).unwrap();
        let encoded = render(&mut file, &pyramid, "0,0,256,256/max/0/default.jpg").unwrap();
        assert_eq!((encoded.passthrough, encoded.dimensions.width()), (true, TILE));
        assert!(encoded.bytes.len() < 100_000);
    }
}

#[test]
fn pages_are_found_and_told() {
    let tile = jpeg_tile();
    for layout in [Layout::First, Layout::Chain] {
        let mut file = Recipe { pages: 5, ..recipe(1500, 1000, layout, &tile) }.write();
        for page in 1..=5 {
            let (pyramid, _) = open(&mut file, page).unwrap();
            let pages = pyramid.pages();
            assert_eq!(
                (pages.page, pages.next(), pages.previous()),
                (Page::Number(page), (page < 5).then_some(page + 1), (page > 1).then(|| page - 1)),
                "{layout:?}"
            );
            // Those behind the next one are counted only where that costs nothing.
            assert_eq!(pages.count(), (layout == Layout::First || page >= 4).then_some(5), "{layout:?} {page}");
            assert!(render(&mut file, &pyramid, "512,512,256,256/max/0/default.jpg").unwrap().passthrough);
        }
        let error = open(&mut file, 6).unwrap_err();
        assert_eq!((error.code(), error.status(), error.to_string().as_str()), ("not-found", 404, "There is no page 6: the image has 5."));
    }
}

#[test]
fn a_page_of_a_long_document_is_found_by_way_of_those_before_it() {
    let tile = jpeg_tile();
    let mut file = Recipe { pages: 600, ..recipe(1500, 1000, Layout::Chain, &tile) }.write();
    // Each has a pyramid, whose directories lie behind each other's tiles.
    let (pyramid, _) = open(&mut file, 80).unwrap();
    assert_eq!(pyramid.pages().page, Page::Number(80));
    assert!(render(&mut file, &pyramid, "512,512,256,256/max/0/default.jpg").unwrap().passthrough);
    let before = (file.reads, file.bytes);
    let error = open(&mut file, 500).unwrap_err();
    assert!(error.to_string().starts_with("The request needs at least 513 rounds of reading, and the limit is 512: "), "{error}");
    assert!(file.reads - before.0 < 1100 && file.bytes - before.1 < 16 << 20, "{} reads, {} bytes", file.reads - before.0, file.bytes - before.1);
}

#[test]
fn an_endless_chain_ends() {
    // 65 000 directories in a row, each a page: what is here is counted, what is not is not fetched.
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    for index in 0..65_000_u32 {
        bytes.extend(2_u16.to_le_bytes());
        for (tag, value) in [(256_u16, 16_u32), (257, 16)] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(4_u16.to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        let next = 8 + (index + 1) * 30;
        bytes.extend(next.to_le_bytes());
    }
    for page in [1, 2, 4000, 5000, 64_999] {
        let error = native::open_page(&mut bytes.as_slice(), page, &Service::default()).unwrap_err();
        assert!(is_clean(&error) || error.code() == "not-found", "{page}: {error}");
    }
    // One that points at itself.
    let mut knot = bytes[..38].to_vec();
    knot[34..38].copy_from_slice(&8_u32.to_le_bytes());
    assert_eq!(native::open_page(&mut knot.as_slice(), 2, &Service::default()).unwrap_err().code(), "not-found");
}

#[test]
fn a_large_answer_comes_in_pieces_and_is_the_same_turned_in_strips() {
    let tile = jpeg_tile();
    let mut file = recipe(3000, 2000, Layout::First, &tile).write();
    let (pyramid, _) = open(&mut file, 1).unwrap();
    let mut service = Service::default();
    service.limits.max_area = None;
    for size in ["max", "2345,1567"] {
        let (upright, _, pieces) = render_within(&mut file, &pyramid, &format!("full/{size}/0/default.png"), &service).unwrap();
        assert!(pieces > 0 || upright.bytes.len() < 4 << 20, "{} bytes in one", upright.bytes.len());
        let upright = image::load_from_memory(&upright.bytes).unwrap();
        for (rotation, expected) in [
            ("90", upright.rotate90()),
            ("180", upright.rotate180()),
            ("270", upright.rotate270()),
            ("!0", upright.fliph()),
            ("!90", upright.fliph().rotate90()),
            ("!180", upright.flipv()),
        ] {
            let (turned, ..) = render_within(&mut file, &pyramid, &format!("full/{size}/{rotation}/default.png"), &service).unwrap();
            assert!(image::load_from_memory(&turned.bytes).unwrap() == expected, "{size} {rotation}");
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_image() {
    let tile = jpeg_tile();
    let mut service = Service::default();
    service.limits.max_area = None;
    let memory = |side: u32, request: &str| {
        let mut file = recipe(side, side, Layout::First, &tile).write();
        let (pyramid, _) = open(&mut file, 1).unwrap();
        let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(&service)).unwrap();
        Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits).map(|render| render.memory() >> 20).map_err(|error| error.code())
    };
    for request in ["0,0,512,512/max/0/default.jpg", "100,100,2048,2048/512,/0/default.jpg", "full/400,/0/default.jpg"] {
        let (small, large) = (memory(4000, request).unwrap(), memory(100_000, request).unwrap());
        // Which level is the next larger one differs, and with it the number of tiles that are fetched.
        assert!(large <= small + 5 && large <= 12, "{request}: {small} MiB, then {large}");
    }
    // A hundred megapixels stream.
    for request in ["full/max/0/default.png", "full/max/90/default.png", "full/max/180/default.png", "full/max/0/bitonal.webp", "full/max/270/bitonal.webp"] {
        assert!(memory(10_000, request).unwrap() <= 40, "{request}");
    }
}
