//! Small files and requests that could cost much: they are refused from their headers, or their price is true.

use azulejo::api::{ImageRequest, Service, Version};
use azulejo::{EncodeOptions, Encoded, Error, Limits, Render, Result, Step, native};

use super::support::{images, pixels, root};

/// Renders a request within limits, and tells how much CPU time was expected, s. Pieces of large answers are joined.
fn render(bytes: &[u8], request: &str, limits: &Limits) -> Result<(Encoded, f64)> {
    let service = Service { limits: limits.clone(), ..Service::default() };
    let mut source = bytes;
    let pyramid = native::open(&mut source, &service)?;
    let resolved = ImageRequest::parse(Version::V3, request)?.resolve(&pyramid.info(&service))?;
    let mut job = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits)?;
    let mut file = Vec::new();
    loop {
        match job.step()? {
            Step::Done(encoded) => return Ok((Encoded { bytes: [file, encoded.bytes].concat(), ..encoded }, job.work() as f64 / 1e9)),
            Step::Piece(piece) => file.extend(piece),
            Step::Need(ranges) => {
                for range in ranges {
                    job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec())?;
                }
            }
        }
    }
}

#[test]
fn small_files_of_many_pixels() {
    for (name, bytes) in images("tests/attack") {
        // A tile of it is a tile like any other.
        let (tile, seconds) = render(&bytes, "1000,1000,512,512/256,/0/default.png", &Limits::default()).unwrap();
        assert_eq!((tile.dimensions.width(), tile.dimensions.height()), (256, 256), "{name}");
        assert!(seconds < 1.0, "{name}: {seconds} s");
        // All of it is hundreds of megapixels, whose time is known before anything is read: many times that of the tile.
        let mut limits = Limits::default();
        limits.work = Limits::WORK_PER_SECOND / 4;
        let Err(Error::SourceTooCostly { needs, .. }) = render(&bytes, "full/3500,/0/default.jpg", &limits) else { panic!("{name}: not refused") };
        assert!(needs as f64 / 1e9 > 0.5, "{name}: {needs} ns");
    }
}

#[test]
fn what_is_enlarged_leaves_row_by_row() {
    let bytes = std::fs::read(root().join("www/samples/astronaut.png")).unwrap();
    // Of one row many are made: they would be 36 MB.
    for request in ["0,0,500,1/^4000,3000/0/default.jpg", "200,150,2,2/^4000,3000/0/default.png", "0,0,2,2/^60000,200/0/default.tif"] {
        let mut limits = Limits::default();
        limits.memory = 24 << 20;
        let (encoded, _) = render(&bytes, request, &limits).unwrap_or_else(|error| panic!("{request}: {error}"));
        let size: Vec<u32> = request.split(['^', '/', ',']).filter_map(|part| part.parse().ok()).collect();
        assert_eq!((encoded.dimensions.width(), encoded.dimensions.height()), (size[4], size[5]), "{request}");
    }
    // The table of kernels of so long a row does not fit.
    for request in ["0,0,2,2/^6000000,2/0/default.png", "0,0,2,2/^6000000,2/0/default.tif"] {
        assert!(matches!(render(&bytes, request, &Limits::default()), Err(Error::SourceTooCostly { .. })), "{request}");
    }
    // So many short rows do.
    for request in ["0,0,2,2/^2,600000/0/default.png", "0,0,2,2/^2,600000/0/default.tif"] {
        assert!(render(&bytes, request, &Limits::default()).is_ok(), "{request}");
    }
}

#[test]
fn rotated_answers_take_few_rows_of_memory() {
    let bytes = std::fs::read(root().join("www/samples/astronaut.png")).unwrap();
    let mut limits = Limits::default();
    limits.memory = 32 << 20;
    for end in ["default.jpg", "default.png", "gray.jpg", "bitonal.png", "default.tif"] {
        // The box of 2500 px has 12.5 MP.
        let (encoded, _) = render(&bytes, &format!("square/^2500,2500/45/{end}"), &limits).unwrap_or_else(|error| panic!("{end}: {error}"));
        assert_eq!((encoded.dimensions.width(), encoded.dimensions.height()), (3536, 3536), "{end}");
    }
    let error = render(&bytes, "square/^2600,2600/45/default.jpg", &Limits::default()).unwrap_err();
    assert!(error.code() == "too-large" && error.to_string().contains("at most 25"), "{error}");
}

#[test]
fn a_lossy_webp_that_does_not_fit_becomes_a_lossless_one() {
    let bytes = std::fs::read(root().join("tests/fixtures/rgba8.png")).unwrap();
    let kind = |request: &str| String::from_utf8(render(&bytes, request, &Limits::default()).unwrap().0.bytes[12..16].to_vec()).unwrap();
    assert_eq!([kind("full/max/0/default.webp"), kind("square/^1000,/0/default.webp")], ["VP8X", "VP8X"]);
    let large = "square/^1700,/0/default.webp";
    assert_eq!(kind(large), "VP8L");
    let (lossless, _) = render(&bytes, large, &Limits::default()).unwrap();
    assert_eq!(pixels(&lossless), pixels(&render(&bytes, "square/^1700,/0/default.png", &Limits::default()).unwrap().0));
}
