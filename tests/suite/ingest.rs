//! Pyramids that are written: their levels, their pixels against the source's, what is held meanwhile, and sources that end early.

use azulejo::api::{Service, Version};
use azulejo::ingest::{Compression, Finished, Ingest, Options, Step};
use azulejo::native::{self, Source};
use azulejo::{Budget, EncodeOptions, Error, Limits, Pyramid, Result};
use image::{DynamicImage, RgbaImage};
use sha2::{Digest, Sha256};

use super::pyramid::{Layout, Recipe};
use super::support::{images, is_clean, pixels, render, root};

const KINDS: [(Compression, f64); 3] = [(Compression::Jpeg, 3.0), (Compression::Deflate, 0.0), (Compression::WebP, 0.0)];

fn options(tile: u32, compression: Option<Compression>) -> Options {
    let mut options = Options::default();
    options.tile = tile;
    // 4:4:4, and lossless WebP.
    options.quality = if compression == Some(Compression::WebP) { 100 } else { 95 };
    options.compression = compression;
    options
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(name)).unwrap()
}

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn open(bytes: &[u8]) -> Result<Pyramid> {
    native::open(&mut &*bytes, &Service::default())
}

fn join(finished: Finished, mut spools: Vec<Vec<u8>>) -> Vec<u8> {
    let mut order = finished.spools.clone();
    order.sort_unstable();
    assert_eq!(order, (0..spools.len()).collect::<Vec<_>>(), "every spool once");
    finished.spools.into_iter().fold(finished.head, |mut file, spool| {
        file.append(&mut spools[spool]);
        file
    })
}

pub fn write(bytes: &[u8], options: &Options) -> Result<Vec<u8>> {
    let pyramid = open(bytes)?;
    let mut spools = vec![Vec::new(); Ingest::new(&pyramid, options)?.levels()];
    let finished = native::ingest(&mut &*bytes, &pyramid, options, &mut |spool, piece| {
        spools[spool].extend(piece);
        Ok(())
    })?;
    assert_eq!(finished.dimensions, pyramid.dimensions());
    Ok(join(finished, spools))
}

/// A level as it is stored, found by its own size.
fn level(file: &[u8], factor: u32) -> RgbaImage {
    let size = open(file).unwrap().dimensions().reduced(factor);
    pixels(&render(file, &format!("full/{},{}/0/default.png", size.width(), size.height())).unwrap())
}

fn difference(a: &RgbaImage, b: &RgbaImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    a.iter().zip(b.iter()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

/// Half the size, as the specification of levels says: rounded averages of boxes, those at the edge of what is there, colours weighed by alpha.
fn half(image: &RgbaImage) -> RgbaImage {
    let (width, height) = image.dimensions();
    RgbaImage::from_fn(width.div_ceil(2), height.div_ceil(2), |x, y| {
        let inside = |(dx, dy)| (2 * x + dx < width && 2 * y + dy < height).then(|| image.get_pixel(2 * x + dx, 2 * y + dy).0);
        let boxed: Vec<[u8; 4]> = [(0, 0), (1, 0), (0, 1), (1, 1)].into_iter().filter_map(inside).collect();
        let alpha: u32 = boxed.iter().map(|pixel| u32::from(pixel[3])).sum();
        let color = |channel: usize| {
            let sum: u32 = boxed.iter().map(|pixel| u32::from(pixel[channel]) * u32::from(pixel[3])).sum();
            (sum + alpha / 2).checked_div(alpha).unwrap_or(0) as u8
        };
        let count = boxed.len() as u32;
        image::Rgba([color(0), color(1), color(2), ((alpha + count / 2) / count) as u8])
    })
}

fn picture(width: u32, height: u32) -> DynamicImage {
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 3 + y) as u8, (y / 2 + 40 * (x / 50)) as u8, (x ^ y) as u8])).into()
}

#[test]
fn every_fixture_comes_back_with_its_own_pixels() {
    for (name, bytes) in images("tests/fixtures") {
        let source = pixels(&render(&bytes, "full/max/0/default.png").unwrap());
        for (compression, tolerance) in KINDS {
            let file = write(&bytes, &options(64, Some(compression))).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut expected = source.clone();
            if compression == Compression::Jpeg {
                expected.pixels_mut().for_each(|pixel| {
                    let alpha = u32::from(pixel[3]);
                    let over = |color: u8| ((u32::from(color) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
                    *pixel = image::Rgba([over(pixel[0]), over(pixel[1]), over(pixel[2]), 255]);
                });
            }
            let found = level(&file, 1);
            let off = difference(&found, &expected);
            assert!(off <= tolerance, "{name} as {compression:?}: {off}");
        }
    }
}

#[test]
fn every_level_is_the_average_of_the_one_above() {
    // The smallest tiles that viewers are told of.
    for (width, height) in [(1, 1), (1, 1000), (1000, 1), (513, 511), (128, 128), (129, 257), (300, 200)] {
        for orientation in 1..=8_u8 {
            let mut bytes = png(&picture(width, height));
            // eXIf before the pixels: one entry, Orientation.
            let exif = [b"eXIfMM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0]].concat();
            let chunk = [&((exif.len() - 4) as u32).to_be_bytes(), exif.as_slice(), &crc(&exif).to_be_bytes()].concat();
            bytes.splice(33..33, chunk);
            let pyramid = open(&bytes).unwrap();
            let file = write(&bytes, &options(128, Some(Compression::Deflate))).unwrap();
            let info = open(&file).unwrap().info(&Service::default());
            let mut expected = pixels(&render(&bytes, "full/max/0/default.png").unwrap());
            assert_eq!(expected.dimensions(), (pyramid.dimensions().width(), pyramid.dimensions().height()));
            let mut factor = 1;
            loop {
                assert_eq!(level(&file, factor), expected, "{width}×{height}, orientation {orientation}, 1/{factor}");
                if expected.width() <= 128 && expected.height() <= 128 {
                    break;
                }
                (expected, factor) = (half(&expected), factor * 2);
            }
            let factors: Vec<u32> = (0..=factor.ilog2()).map(|power| 1 << power).collect();
            assert_eq!(info.tiles()[0].scale_factors, factors, "{width}×{height}");
            // The same tiles, coded while they come or turned first, have the same pixels.
            let jpeg = write(&bytes, &options(128, Some(Compression::Jpeg))).unwrap();
            assert!(difference(&level(&jpeg, 1), &level(&file, 1)) < 6.0, "{width}×{height}, orientation {orientation}");
        }
    }
}

/// CRC-32 of PNG (annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 }))
}

#[test]
fn alpha_is_kept_and_weighs_in_every_level() {
    for name in ["rgba8.png", "gray-alpha8.png", "transparent.gif", "lossy-alpha.webp"] {
        let large = image::load_from_memory(&fixture(name)).unwrap().resize_exact(301, 173, image::imageops::FilterType::Nearest);
        let bytes = png(&large);
        for compression in [None, Some(Compression::WebP)] {
            let file = write(&bytes, &options(128, compression)).unwrap();
            let mut expected = large.to_rgba8();
            for factor in [1, 2, 4] {
                let found = level(&file, factor);
                // What nobody sees may be anything.
                let seen = |image: &RgbaImage| image.pixels().map(|pixel| if pixel[3] == 0 { [0; 4] } else { pixel.0 }).collect::<Vec<_>>();
                assert_eq!(seen(&found), seen(&expected), "{name}, 1/{factor}");
                expected = half(&expected);
            }
        }
    }
}

#[test]
fn stored_tiles_are_passed_through_in_every_level() {
    let bytes = png(&picture(700, 450));
    for (compression, format) in [(Compression::Jpeg, "jpg"), (Compression::WebP, "webp")] {
        let file = write(&bytes, &options(128, Some(compression))).unwrap();
        for (region, size) in
            [("0,0,128,128", "max"), ("256,128,128,128", "max"), ("0,0,256,256", "128,128"), ("0,0,512,450", "128,113"), ("512,0,128,128", "max")]
        {
            let encoded = render(&file, &format!("{region}/{size}/0/default.{format}")).unwrap();
            // The last row of level 2 is not a whole tile.
            assert_eq!(encoded.passthrough, size != "128,113", "{region}/{size} of {compression:?}");
            let plain = pixels(&render(&file, &format!("{region}/{size}/0/default.png")).unwrap());
            // What is coded once more, and less well, is farther off.
            let tolerance = if encoded.passthrough { 1.0 } else { 8.0 };
            assert!(difference(&pixels(&encoded), &plain) < tolerance, "{region}/{size} of {compression:?}");
        }
    }
}

#[test]
fn gray_stays_gray_and_sampling_follows_quality() {
    let gray = DynamicImage::ImageLuma8(picture(200, 100).to_luma8());
    let file = write(&png(&gray), &Options::default()).unwrap();
    let answer = render(&file, "full/max/0/default.jpg").unwrap();
    assert_eq!(image::load_from_memory(&answer.bytes).unwrap().color(), image::ColorType::L8);
    let factors = |quality: u8| {
        let mut options = Options::default();
        options.quality = quality;
        let file = write(&png(&picture(512, 512)), &options).unwrap();
        let answer = render(&file, "0,0,512,512/max/0/default.jpg").unwrap();
        assert!(answer.passthrough);
        let frame = answer.bytes.windows(4).position(|bytes| bytes == [0xFF, 0xC0, 0, 17]).unwrap();
        answer.bytes[frame + 11]
    };
    assert_eq!((factors(89), factors(90)), (0x22, 0x11));
}

#[test]
fn the_same_bytes_however_they_come() {
    for name in ["progressive.jpg", "baseline-420.jpg", "strips-lzw.tif", "interlaced.png", "rgb16.png", "tiles-jpeg.tif", "lossy.webp", "orientation-6.jpg"] {
        let bytes = fixture(name);
        let whole = write(&bytes, &options(64, None)).unwrap();
        for piece in [1, 1000] {
            let pyramid = open(&bytes).unwrap();
            let mut job = Ingest::new(&pyramid, &options(64, None)).unwrap();
            let mut spools = vec![Vec::new(); job.levels()];
            let (mut before, mut rounds) = (0, 0);
            let finished = loop {
                let (done, all) = job.progress();
                assert!(before <= done && done <= all, "{done} of {all} after {before}");
                before = done;
                match job.step().unwrap() {
                    Step::Done(finished) => break finished,
                    Step::Piece { spool, bytes } => spools[spool].extend(bytes),
                    Step::Need(ranges) => {
                        rounds += 1;
                        assert!(!ranges.is_empty() && rounds < 1000);
                        for range in ranges {
                            let parts = bytes[range.start() as usize..range.end() as usize].chunks(piece);
                            let starts = (range.start()..).step_by(piece);
                            starts.zip(parts).collect::<Vec<_>>().into_iter().rev().for_each(|(start, part)| job.provide(start, part.to_vec()).unwrap());
                        }
                    }
                }
            };
            assert_eq!(job.progress().0, job.progress().1);
            assert!(job.step().is_err(), "a step after the end");
            assert_eq!(join(finished, spools), whole, "{name} in pieces of {piece}");
        }
    }
}

/// `BLESS=1 cargo test golden` writes them anew. The package's suite compares its own pyramids with the same table, so that native and wasm agree byte for byte.
#[test]
fn golden_pyramids() {
    let path = root().join("tests/golden/pyramids.tsv");
    let mut found = String::from("file\tcompression\tsha256\n");
    for name in ["baseline-420.jpg", "cmyk.tif", "gray16.png", "lossy.webp", "orientation-6.jpg", "progressive.jpg", "rgba8.png", "tiles-jpeg.tif"] {
        for (text, compression) in [("jpeg", Compression::Jpeg), ("deflate", Compression::Deflate), ("webp", Compression::WebP)] {
            let mut options = Options::default();
            (options.tile, options.compression) = (64, Some(compression));
            let digest = Sha256::digest(write(&fixture(name), &options).unwrap()).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
            found += &format!("{name}\t{text}\t{digest}\n");
        }
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), found, "pyramids changed (BLESS=1 takes them)");
}

#[test]
fn a_source_that_is_cut_is_a_clean_error() {
    let mut refused = 0;
    for (name, bytes) in images("tests/fixtures") {
        for cut in [1, 2, 3, 5, 8, 13, 21].map(|part| bytes.len() * part / 22) {
            match write(&bytes[..cut], &options(64, Some(Compression::Deflate))) {
                // Tables behind the pixels of a file that was cut may not matter to it.
                Ok(file) => assert!(open(&file).is_ok(), "{name} cut at {cut}"),
                Err(error) => {
                    refused += 1;
                    assert!(is_clean(&error), "{name} cut at {cut}: {error:?}");
                }
            }
        }
    }
    assert!(refused > 200, "only {refused} were refused");
}

#[test]
fn options_are_checked_and_memory_is_refused_before_anything_is_read() {
    let bytes = fixture("rgb8.png");
    for (tile, quality) in [(0, 88), (63, 88), (65, 88), (2064, 88), (u32::MAX, 88), (512, 0), (512, 101)] {
        let mut options = Options::default();
        (options.tile, options.quality) = (tile, quality);
        let error = write(&bytes, &options).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{tile} {quality}: {error:?}");
        assert_eq!((error.code(), error.status()), ("invalid-argument", 400));
    }
    let mut options = Options::default();
    options.memory = 1 << 20;
    assert!(matches!(Ingest::new(&open(&bytes).unwrap(), &options), Err(Error::SourceTooCostly { what: Budget::Memory, .. })));
    // CPU time has a limit of its own, which says what to change.
    let mut options = Options::default();
    options.work = 1000;
    let error = Ingest::new(&open(&bytes).unwrap(), &options).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::SourceTooCostly { what: Budget::Work, .. }) && error.to_string().contains("raise the limit"), "{error}");
    // A header that tells of more than anyone has.
    let mut giant = bytes.clone();
    giant[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    assert!(matches!(Ingest::new(&open(&giant).unwrap(), &Options::default()), Err(Error::SourceTooCostly { .. })));
}

#[test]
fn four_hundred_megapixels_take_the_memory_of_a_row_of_tiles() {
    const SIDE: u32 = 20_000;
    let tile = image::GrayImage::from_fn(256, 256, |x, y| image::Luma([(x ^ y) as u8]));
    let chunk = tile.as_raw().clone();
    let recipe = Recipe {
        width: SIDE,
        height: SIDE,
        tile: 256,
        layout: Layout::Chain,
        big_endian: false,
        storage: (1, 1, 1),
        jpeg_tables: None,
        icc: None,
        chunk: &chunk,
        spread: 4096,
        led: false,
        pages: 1,
    };
    let mut file = recipe.write();
    let pyramid = native::open(&mut file, &Service::default()).unwrap();
    let mut job = Ingest::new(&pyramid, &Options::default()).unwrap();
    let mut spools = vec![Vec::new(); job.levels()];
    let (mut most, mut first) = (0, None);
    let finished = loop {
        most = most.max(job.held());
        match job.step().unwrap() {
            Step::Done(finished) => break finished,
            Step::Need(ranges) => ranges.into_iter().for_each(|range| job.provide(range.start(), file.read(range).unwrap()).unwrap()),
            Step::Piece { spool, bytes } => {
                first.get_or_insert(job.progress().0);
                spools[spool].extend(bytes);
            }
        }
    };
    // A row of tiles as pixels has 10 MB, and as much again in the levels below.
    assert!(most < 12 << 20, "{most} bytes are held");
    assert!(most <= job.memory() && job.memory() < 48 << 20, "{} bytes are planned for", job.memory());
    assert!(first.is_some_and(|row| row <= 768), "the first tile leaves at row {first:?}");
    let result = join(finished, spools);
    let pyramid = open(&result).unwrap();
    assert_eq!(pyramid.dimensions().width(), SIDE);
    let answer =
        native::render(&mut result.as_slice(), &pyramid, Version::V3, "10240,5120,256,256/max/0/default.png", &Service::default(), &EncodeOptions::default())
            .unwrap();
    assert!(difference(&pixels(&answer), &DynamicImage::ImageLuma8(tile).to_rgba8()) < 3.0);
    assert!(Limits::default().memory > most);
}
