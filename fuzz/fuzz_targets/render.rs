#![no_main]
//! Any file is opened, a request of it is planned, priced and rendered. It ends with an answer of the planned dimensions or with a clean error. The answer does
//! not depend on the pieces in which the file is delivered. The first bytes of the input choose page, limits, request and pieces; the rest is the file.

use azulejo::api::{ImageRequest, Service, Version};
use azulejo::{ByteRange, EncodeOptions, Encoded, Error, Open, PngCompression, Pyramid, Render, Result, Step};

/// Bytes of the input before the file.
const HEAD: usize = 12;
/// Rounds of reading that no file of a fuzzer needs.
const MOST_ROUNDS: u32 = 20_000;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((head, file)) = input.split_first_chunk::<HEAD>() else { return };
    let case = Case::of(head);
    let first = case.render(file, case.pieces);
    if let Err(error) = &first {
        assert_ne!(error.code(), "internal", "{error:?}");
    }
    let Some(other) = case.other_pieces else { return };
    let second = case.render(file, other);
    // What is read twice counts twice against the limits of reads.
    let costly = |result: &Result<_>| matches!(result, Err(error) if error.code() == "source-too-costly");
    if !costly(&first) && !costly(&second) {
        assert!(first == second, "{:?} gives {}, {other:?} gives {}", case.pieces, outcome(&first), outcome(&second));
    }
});

fn outcome(result: &Result<(Vec<u8>, String)>) -> String {
    match result {
        Ok((bytes, canonical)) => format!("{} bytes for {canonical}", bytes.len()),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

/// How the bytes of a range are delivered.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pieces {
    /// Most bytes of a piece.
    size: usize,
    /// The last piece comes first.
    backwards: bool,
    /// Only so many pieces of a range come before the next step.
    most: usize,
}

impl Pieces {
    const WHOLE: Self = Self { size: usize::MAX, backwards: false, most: usize::MAX };

    fn of(byte: u8) -> Self {
        let size = [usize::MAX, 1, 7, 100, 512, 1000, 4096, 5000][usize::from(byte & 7)];
        let most = if byte & 16 != 0 && size > 1 { 2 } else { usize::MAX };
        Self { size, backwards: byte & 8 != 0, most }
    }

    fn deliver(self, file: &[u8], range: ByteRange, mut provide: impl FnMut(u64, Vec<u8>) -> Result<()>) -> Result<()> {
        assert!(range.len() > 0 && range.end() <= file.len() as u64, "{range} of {} bytes", file.len());
        let bytes = &file[range.start() as usize..range.end() as usize];
        let mut pieces: Vec<_> =
            bytes.chunks(self.size).scan(range.start(), |at, piece| Some((std::mem::replace(at, *at + piece.len() as u64), piece))).collect();
        if self.backwards {
            pieces.reverse();
        }
        pieces.into_iter().take(self.most).try_for_each(|(at, piece)| provide(at, piece.to_vec()))
    }
}

/// What the head of an input chooses.
struct Case {
    page: u32,
    service: Service,
    options: EncodeOptions,
    choices: [u8; 8],
    pieces: Pieces,
    other_pieces: Option<Pieces>,
}

impl Case {
    fn of(head: &[u8; HEAD]) -> Self {
        let [page, limits, options, pieces, choices @ ..] = *head;
        let mut service = Service::default();
        // Enough for pictures of a fuzzer's files, and little enough to try many.
        service.limits.memory = [16 << 20, 42 << 20, 1 << 20, 200_000][usize::from(limits & 3)];
        service.limits.work = if limits & 4 == 0 { 20_000_000 } else { 1_000_000 };
        service.limits.show_incomplete = limits & 8 != 0;
        service.limits.max_area = if limits & 16 == 0 { Some(1 << 20) } else { Some(10_000) };
        let mut encode = EncodeOptions::default();
        (encode.jpeg_small, encode.webp_lossless) = (options & 1 != 0, options & 2 != 0);
        encode.png_compression = [PngCompression::Fast, PngCompression::Fastest, PngCompression::Balanced, PngCompression::High][usize::from(options >> 2 & 3)];
        encode.jpeg_quality = [80, 1, 50, 100][usize::from(options >> 4 & 3)];
        let other_pieces = (pieces & 0xE0 != 0).then_some(if Pieces::of(pieces) == Pieces::WHOLE { Pieces::of(pieces >> 4) } else { Pieces::WHOLE });
        Self { page: 1 + u32::from(page & 7), service, options: encode, choices, pieces: Pieces::of(pieces), other_pieces }
    }

    /// A request of an image of these dimensions. Numbers are parts of 256 of a side.
    fn request(&self, width: u32, height: u32) -> String {
        let [kinds, x, y, w, h, across, down, last] = self.choices;
        let of = |side: u32, part: u8| u64::from(side) * u64::from(part) / 256;
        let region = match kinds & 7 {
            0 | 1 => "full".to_owned(),
            2 => "square".to_owned(),
            3 => format!("pct:{}.{},{},{},{}", x / 3, x % 10, y / 3, w, h),
            4 => format!("{},{},{w},{h}", of(width, x), of(height, y)),
            5 => format!("{x},{y},{},{}", 8 * u32::from(w), 8 * u32::from(h)),
            _ => format!("{},{},{},{}", of(width, x), of(height, y), of(width, w).max(1), of(height, h).max(1)),
        };
        let size = match kinds >> 3 & 7 {
            0 | 1 => "max".to_owned(),
            2 => "^max".to_owned(),
            3 => format!("^{across},"),
            4 => format!("!{across},{down}"),
            5 => format!("pct:{}", across / 3 + 1),
            6 => format!("^{},{}", u32::from(across) * 4, down),
            _ => format!("^,{}", u32::from(down) * 2),
        };
        let rotation = ["0", "90", "180", "270", "!0", "!90", "22.5", "!201"][usize::from(last & 7)];
        let quality = ["default", "color", "gray", "bitonal"][usize::from(last >> 3 & 3)];
        let format = ["png", "jpg", "webp", "gif", "tif", "png", "jpg", "jpg"][usize::from(last >> 5)];
        format!("{region}/{size}/{rotation}/{quality}.{format}")
    }

    /// The bytes of an answer and the canonical form of its request.
    fn render(&self, file: &[u8], pieces: Pieces) -> Result<(Vec<u8>, String)> {
        let pyramid = self.open(file, pieces)?;
        let side = pyramid.dimensions();
        let request = ImageRequest::parse(Version::V3, &self.request(side.width(), side.height()))?;
        let resolved = request.resolve(&pyramid.info(&self.service))?;
        let mut job = Render::new(&pyramid, &resolved, &self.options, &self.service.limits)?;
        assert!(job.memory() <= self.service.limits.memory, "a price of {} bytes was let through", job.memory());
        let mut bytes = Vec::new();
        for _ in 0..MOST_ROUNDS {
            match job.step()? {
                Step::Need(ranges) => needed(ranges, |range| pieces.deliver(file, range, |at, bytes| job.provide(at, bytes)))?,
                Step::Piece(piece) => {
                    assert!(!piece.is_empty(), "an empty piece");
                    bytes.extend(piece);
                }
                Step::Done(encoded) => {
                    check_size(&encoded, &resolved);
                    bytes.extend(encoded.bytes);
                    return Ok((bytes, resolved.canonical().to_owned()));
                }
            }
        }
        panic!("no end of {}", resolved.canonical())
    }

    fn open(&self, file: &[u8], pieces: Pieces) -> Result<Pyramid> {
        let mut job = Open::new(file.len() as u64, &self.service.limits).page(self.page);
        for _ in 0..MOST_ROUNDS {
            match job.step()? {
                Step::Done(pyramid) => return Ok(pyramid),
                Step::Need(ranges) => needed(ranges, |range| pieces.deliver(file, range, |at, bytes| job.provide(at, bytes)))?,
                Step::Piece(_) => panic!("opening has no pieces"),
            }
        }
        panic!("no end of opening")
    }
}

fn needed(ranges: Vec<ByteRange>, deliver: impl FnMut(ByteRange) -> Result<()>) -> Result<()> {
    assert!(!ranges.is_empty(), "nothing is needed");
    // Nobody delivers bytes that a job has to refuse.
    ranges.into_iter().try_for_each(deliver).map_err(|error| Error::Internal { what: format!("delivery: {error}") })
}

fn check_size(encoded: &Encoded, resolved: &azulejo::api::ResolvedRequest) {
    let [found, planned] = [encoded.dimensions, resolved.size()].map(|size| (size.width(), size.height()));
    let turned = [planned, (planned.1, planned.0)].contains(&found);
    assert!(turned || resolved.canonical().contains("/22.5/") || resolved.canonical().contains("201/"), "{found:?} for {}", resolved.canonical());
}
