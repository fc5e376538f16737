//! What the suites share: the files they run over, and drivers that deliver bytes in unkind ways.

use std::path::PathBuf;

use azulejo::api::{ImageRequest, Service, Version};
use azulejo::native::{self, Source};
use azulejo::{ByteRange, EncodeOptions, Encoded, Error, Incomplete, Limits, Open, Render, Result, Step, Unused};

/// The project's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Names and contents of the images in a folder of the project, sorted.
pub fn images(folder: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "md"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has no images");
    files
}

/// Opens and renders a request of a file that is in memory.
pub fn render(bytes: &[u8], request: &str) -> Result<Encoded> {
    let service = Service::default();
    let mut source = bytes;
    let pyramid = native::open(&mut source, &service)?;
    native::render(&mut source, &pyramid, Version::V3, request, &service, &EncodeOptions::default())
}

/// A service that refuses damaged files.
pub fn strict() -> Service {
    let mut service = Service::default();
    service.limits.show_incomplete = false;
    service
}

/// The same of a service that refuses damaged files.
pub fn render_strictly(bytes: &[u8], request: &str) -> Result<Encoded> {
    let service = strict();
    let mut source = bytes;
    let pyramid = native::open(&mut source, &service)?;
    native::render(&mut source, &pyramid, Version::V3, request, &service, &EncodeOptions::default())
}

/// Renders a request of a file that may be damaged, and tells what was missing.
pub fn render_damaged(bytes: &[u8], request: &str) -> Result<(Encoded, Option<Incomplete>)> {
    let service = Service::default();
    let mut source = bytes;
    let pyramid = native::open(&mut source, &service)?;
    let resolved = ImageRequest::parse(Version::V3, request)?.resolve(&pyramid.info(&service))?;
    let mut job = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits)?;
    loop {
        match job.step()? {
            Step::Done(encoded) => return Ok((encoded, job.incomplete().cloned())),
            Step::Piece(_) => panic!("a small answer"),
            Step::Need(ranges) => {
                for range in ranges {
                    job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec())?;
                }
            }
        }
    }
}

/// The pixels of an answer, RGBA.
pub fn pixels(encoded: &Encoded) -> image::RgbaImage {
    image::load_from_memory(&encoded.bytes).unwrap().to_rgba8()
}

/// What an answer tells of descriptions of colours that were not used.
pub fn unused(source: &mut impl Source, request: &str) -> Vec<Unused> {
    let service = Service::default();
    let pyramid = native::open(source, &service).unwrap();
    let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(&service)).unwrap();
    let mut job = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits).unwrap();
    loop {
        match job.step().unwrap() {
            Step::Done(_) => return job.unused().to_vec(),
            Step::Piece(_) => {}
            Step::Need(ranges) => ranges.into_iter().for_each(|range| job.provide(range.start(), source.read(range).unwrap()).unwrap()),
        }
    }
}

/// How near two images of the same size are to each other, dB.
pub fn psnr(one: &image::RgbaImage, other: &image::RgbaImage) -> f64 {
    let squares: f64 = one.as_raw().iter().zip(other.as_raw()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * one.as_raw().len() as f64 / squares.max(1e-9)).log10()
}

/// How a job's bytes came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    pub rounds: u32,
    pub ranges: u32,
    pub bytes: u64,
}

/// Runs both jobs, and checks what every step promises: ranges are asked for that are not empty, lie in the file, and have not been delivered.
/// `piece` cuts what is delivered into pieces of at most so many bytes, last piece first.
pub fn drip(bytes: &[u8], request: &str, piece: u64) -> Result<(Encoded, Traffic, Traffic)> {
    drip_page(bytes, 1, request, piece, &Limits::default())
}

/// The same of a page of a document, within other limits.
pub fn drip_page(bytes: &[u8], page: u32, request: &str, piece: u64, limits: &Limits) -> Result<(Encoded, Traffic, Traffic)> {
    let service = Service { limits: limits.clone(), ..Service::default() };
    let mut open = Open::new(bytes.len() as u64, &service.limits).page(page);
    let (mut opening, mut rendering) = (Traffic::default(), Traffic::default());
    let pyramid = loop {
        match open.step()? {
            Step::Done(pyramid) => break pyramid,
            Step::Need(ranges) => deliver(bytes, &ranges, piece, &mut opening, |offset, bytes| open.provide(offset, bytes))?,
            Step::Piece(_) => panic!("opening has no pieces"),
        }
    };
    let resolved = ImageRequest::parse(Version::V3, request)?.resolve(&pyramid.info(&service))?;
    let mut job = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits)?;
    let mut file = Vec::new();
    loop {
        match job.step()? {
            Step::Done(encoded) => return Ok((Encoded { bytes: [file, encoded.bytes].concat(), ..encoded }, opening, rendering)),
            Step::Piece(piece) => file.extend(piece),
            Step::Need(ranges) => deliver(bytes, &ranges, piece, &mut rendering, |offset, bytes| job.provide(offset, bytes))?,
        }
    }
}

fn deliver(file: &[u8], ranges: &[ByteRange], piece: u64, traffic: &mut Traffic, mut provide: impl FnMut(u64, Vec<u8>) -> Result<()>) -> Result<()> {
    assert!(!ranges.is_empty(), "a step that needs nothing is not done");
    traffic.rounds += 1;
    traffic.ranges += ranges.len() as u32;
    assert!(traffic.rounds < 1000, "no end of rounds");
    for range in ranges {
        assert!(range.end() <= file.len() as u64, "{range} of {} bytes is asked for", file.len());
        traffic.bytes += range.len();
        let mut end = range.end();
        while end > range.start() {
            let start = end.saturating_sub(piece).max(range.start());
            provide(start, file[start as usize..end as usize].to_vec())?;
            end = start;
        }
    }
    Ok(())
}

/// Whether an error is one that a damaged file may give: never a defect of the program.
pub fn is_clean(error: &Error) -> bool {
    matches!(error.code(), "source-corrupt" | "source-unsupported" | "source-too-costly" | "region-outside" | "upscale-needs-caret" | "too-large")
}
