//! WebP: lossless with the same pixels as PNG, whether they are held or come twice; lossy that every decoder reads.

use azulejo::api::{ImageRequest, Service, Version};
use azulejo::{EncodeOptions, Encoded, Error, Render, Result, Step, native};

use super::support::{images, pixels, root};

/// What it took to answer.
#[derive(Debug, Default)]
struct Way {
    pieces: usize,
    /// Bytes that were asked for.
    bytes: u64,
}

fn options() -> EncodeOptions {
    let mut options = EncodeOptions::default();
    options.webp_lossless = true;
    options
}

/// Runs a render; `read` is told how many bytes have been read before.
fn run(source: &[u8], request: &str, service: &Service, read: &mut dyn FnMut(u64, &mut [u8])) -> Result<(Encoded, Way)> {
    let pyramid = native::open(&mut &source[..], service)?;
    let resolved = ImageRequest::parse(Version::V3, request)?.resolve(&pyramid.info(service))?;
    let mut job = Render::new(&pyramid, &resolved, &options(), &service.limits)?;
    let (mut way, mut file) = (Way::default(), Vec::new());
    loop {
        match job.step()? {
            Step::Done(encoded) => return Ok((Encoded { bytes: [file, encoded.bytes].concat(), ..encoded }, way)),
            Step::Piece(piece) => {
                way.pieces += 1;
                file.extend(piece);
            }
            Step::Need(ranges) => {
                for range in ranges {
                    let mut bytes = source[range.start() as usize..range.end() as usize].to_vec();
                    read(way.bytes, &mut bytes);
                    way.bytes += range.len();
                    job.provide(range.start(), bytes)?;
                }
            }
        }
    }
}

fn render(source: &[u8], request: &str) -> (Encoded, Way) {
    run(source, request, &Service::default(), &mut |_, _| ()).unwrap_or_else(|error| panic!("{request}: {error}"))
}

/// A file's lengths, and its pixels.
fn check(name: &str, webp: &Encoded, png: &Encoded) {
    let length = |at: usize| u32::from_le_bytes(webp.bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((length(4), length(16).next_multiple_of(2)), (webp.bytes.len() - 8, webp.bytes.len() - 20), "{name}");
    assert_eq!(&webp.bytes[12..16], b"VP8L", "{name}");
    assert!(pixels(webp) == pixels(png), "{name}: other pixels");
}

#[test]
fn small_answers_show_the_same_as_png() {
    for (name, bytes) in images("tests/fixtures") {
        for request in ["full/max/0/default", "3,5,17,13/max/!180/gray", "full/^90,/0/bitonal", "full/^40,/33.3/default"] {
            let [webp, png] = ["webp", "png"].map(|format| render(&bytes, &format!("{request}.{format}")).0);
            check(&format!("{name} {request}"), &webp, &png);
        }
    }
}

#[test]
fn large_answers_show_the_same_as_png_whatever_they_are_made_of() {
    let files = images("tests/fixtures");
    for name in [
        "rgb8.png",
        "interlaced.png",
        "baseline-420.jpg",
        "progressive.jpg",
        "tiles-jpeg.tif",
        "strips-none.tif",
        "orientation-6.tif",
        "rgba8.tif",
        "lossy-alpha.webp",
        "plain.gif",
    ] {
        let (_, bytes) = files.iter().find(|(file, _)| file == name).unwrap();
        // What has few colours or any angle is nothing of a source's own.
        let others = ["rgb8.png", "tiles-jpeg.tif", "rgba8.tif"].contains(&name);
        let more: &[&str] = if others { &["full/^!3700,3700/0/bitonal", "full/^!1700,1700/15/default"] } else { &[] };
        for request in ["full/^!2200,2200/0/default", "full/^!2200,2200/90/default"].iter().chain(more) {
            let [webp, png] = ["webp", "png"].map(|format| render(bytes, &format!("{request}.{format}")).0);
            check(&format!("{name} {request}"), &webp, &png);
            let (width, height) = image::ImageReader::with_format(std::io::Cursor::new(&png.bytes), image::ImageFormat::Png).into_dimensions().unwrap();
            let samples = if request.ends_with("bitonal") { 1 } else { 3 };
            assert!(width * height * samples > 8 << 20, "{name} {request}: {width} × {height} are held");
        }
    }
}

#[test]
fn a_file_leaves_in_pieces() {
    // Noise, which makes a file of four megabytes and more.
    let noise = image::RgbImage::from_fn(1800, 1700, |x, y| {
        let bits = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77)).wrapping_mul(0xC2B2_AE3D);
        image::Rgb([(bits >> 24) as u8, (bits >> 16) as u8, (bits >> 8) as u8])
    });
    let mut source = std::io::Cursor::new(Vec::new());
    noise.write_to(&mut source, image::ImageFormat::Png).unwrap();
    let (encoded, way) = render(source.get_ref(), "full/max/0/default.webp");
    assert!(way.pieces > 0 && encoded.bytes.len() > 4 << 20, "{way:?}, {} bytes", encoded.bytes.len());
    assert!(pixels(&encoded) == image::DynamicImage::ImageRgb8(noise).to_rgba8());
}

/// Nine megabytes of pixels without compression, which begin in the first kilobytes.
fn uncompressed() -> Vec<u8> {
    let small = images("tests/fixtures").into_iter().find(|(name, _)| name == "rgb8.png").unwrap().1;
    render(&small, "full/^2200,/0/default.tif").0.bytes
}

const WHOLE: &str = "full/max/0/default.webp";

#[test]
fn other_pixels_in_the_second_pass_are_an_error() {
    let source = uncompressed();
    let (same, way) = render(&source, WHOLE);
    let changed = |change: u8| {
        run(&source, WHOLE, &Service::default(), &mut |before, bytes| {
            if before >= way.bytes / 2 {
                bytes.iter_mut().for_each(|byte| *byte ^= change);
            }
        })
        .map(|(encoded, _)| encoded == same)
    };
    assert_eq!([changed(0), changed(1), changed(0xFF)], [Ok(true), Err(Error::SourceChanged), Err(Error::SourceChanged)]);
}

#[test]
fn what_is_read_twice_counts_twice() {
    let source = uncompressed();
    let all = render(&source, WHOLE).1.bytes;
    let once = render(&source, "full/max/0/default.png").1.bytes;
    assert_eq!((all, once > 8 << 20), (once * 2, true));
    let within = |fetched: u64, work: u64| {
        let mut service = Service::default();
        (service.limits.fetched, service.limits.work) = (fetched, work);
        run(&source, WHOLE, &service, &mut |_, _| ()).map(|(_, way)| way.bytes).map_err(|error| error.code())
    };
    let enough = (1..).map(|power| 1_u64 << power).find(|work| within(all, *work).is_ok()).unwrap();
    assert_eq!(within(all, enough), Ok(all));
    for (fetched, work) in [(all - 1, u64::MAX), (u64::MAX, enough / 2)] {
        assert_eq!(within(fetched, work), Err("source-too-costly"), "{fetched}, {work}");
    }
    // Making the same pixels once takes about half of the time.
    let mut service = Service::default();
    service.limits.work = enough / 2;
    assert!(run(&source, "full/max/0/default.png", &service, &mut |_, _| ()).is_ok());
}

/// The bytes of `full/max/0/default.webp`, lossy.
fn lossy(source: &[u8], quality: u8) -> Vec<u8> {
    let service = Service::default();
    let mut options = EncodeOptions::default();
    options.webp_quality = quality;
    let pyramid = native::open(&mut &source[..], &service).unwrap();
    native::render(&mut &source[..], &pyramid, Version::V3, WHOLE, &service, &options).unwrap().bytes
}

/// Mean square error of the luminance of a lossy file, which must have the size of the picture it was made of. Colours lose half of their resolution.
fn error_of(webp: &[u8], picture: &image::RgbImage) -> f64 {
    // As libwebp, this decoder refuses data that end too early, which image-webp does not.
    let strict = webp_rust::decode(webp).unwrap();
    assert_eq!((strict.width, strict.height), (picture.width() as usize, picture.height() as usize));
    let found = image::load_from_memory(webp).unwrap().to_rgb8();
    let luma = |pixel: &image::Rgb<u8>| pixel.0.iter().zip([0.299, 0.587, 0.114]).map(|(sample, weight)| f64::from(*sample) * weight).sum::<f64>();
    let squares: f64 = found.pixels().zip(picture.pixels()).map(|(found, expected)| (luma(found) - luma(expected)).powi(2)).sum();
    squares / f64::from(found.width() * found.height())
}

fn png(picture: &image::RgbImage) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn pictures_that_the_lossy_encoder_cuts_short_are_whole() {
    let short = std::fs::read(root().join("tests/crashes/short-tokens.png")).unwrap();
    let picture = image::load_from_memory(&short).unwrap().to_rgb8();
    // Small, and so large that the encoder does not look at what it has made.
    let large = image::RgbImage::from_fn(600, 2400, |x, y| *picture.get_pixel(x % 50, y % 200));
    for picture in [picture, large] {
        let webp = lossy(&png(&picture), 75);
        let length = |at: usize| u32::from_le_bytes(webp[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((length(4), length(16).next_multiple_of(2), webp.len() % 2), (webp.len() - 8, webp.len() - 20, 0));
        let error = error_of(&webp, &picture);
        assert!(error < 150.0, "{}: {error}", picture.width());
    }
}

#[test]
fn lossy_files_of_every_quality_show_the_picture() {
    let whole = image::open(root().join("www/samples/astronaut.png")).unwrap().to_rgb8();
    let picture = image::imageops::crop_imm(&whole, 0, 0, 160, 120).to_image();
    let source = png(&picture);
    for quality in 0..=100 {
        let webp = lossy(&source, quality);
        assert_eq!(&webp[12..16], b"VP8 ", "{quality}: made without loss");
        let error = error_of(&webp, &picture);
        assert!(error < if quality < 50 { 400.0 } else { 60.0 }, "quality {quality}: {error}");
    }
}
