#![no_main]
//! Any file, opened and asked for something: it ends with an answer of the dimensions that were planned, or with an error, and what it asks for lies in the file.

use azulejo::api::{ImageRequest, Service, Version};
use azulejo::{ByteRange, EncodeOptions, Open, Pyramid, Render, Result, Step};

const REQUESTS: [&str; 8] = [
    "full/max/0/default.png",
    "full/!60,60/0/default.png",
    "0,0,64,64/max/0/default.jpg",
    "pct:50,50,50,50/^17,/90/default.png",
    "16,16,33,20/max/!180/gray.png",
    "full/max/22.5/bitonal.png",
    "64,64,64,64/max/0/default.webp",
    "full/^200,/270/default.tif",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, file)) = data.split_last() else { return };
    let mut service = Service::default();
    // Enough for pictures of a fuzzer's files, and little enough to try many.
    (service.limits.memory, service.limits.work) = (16 << 20, 20_000_000);
    let page = 1 + u32::from(choice >> 5);
    let Ok(pyramid) = opened(file, page, &service) else { return };
    let info = pyramid.info(&service);
    let request = ImageRequest::parse(Version::V3, REQUESTS[usize::from(choice & 7)]).unwrap();
    let Ok(resolved) = request.resolve(&info) else { return };
    let Ok(mut job) = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits) else { return };
    let mut reading = Reading::of(file);
    loop {
        match job.step() {
            Err(error) => return assert_ne!(error.code(), "internal", "{error}"),
            Ok(Step::Need(ranges)) => {
                if reading.deliver(&ranges, |at, bytes| job.provide(at, bytes)).is_err() {
                    return;
                }
            }
            Ok(Step::Piece(piece)) => assert!(!piece.is_empty()),
            Ok(Step::Done(encoded)) => {
                let [found, planned] = [encoded.dimensions, resolved.size()].map(|size| (size.width(), size.height()));
                let turned = [planned, (planned.1, planned.0)].contains(&found);
                return assert!(turned || resolved.canonical().contains("/22.5/"), "{found:?} for {}", resolved.canonical());
            }
        }
    }
});

fn opened(file: &[u8], page: u32, service: &Service) -> Result<Pyramid> {
    let mut job = Open::new(file.len() as u64, &service.limits).page(page);
    let mut reading = Reading::of(file);
    loop {
        match job.step()? {
            Step::Done(pyramid) => return Ok(pyramid),
            Step::Need(ranges) => reading.deliver(&ranges, |at, bytes| job.provide(at, bytes))?,
            Step::Piece(_) => panic!("opening has no pieces"),
        }
    }
}

struct Reading<'a> {
    file: &'a [u8],
    rounds: u32,
}

impl<'a> Reading<'a> {
    fn of(file: &'a [u8]) -> Self {
        Self { file, rounds: 0 }
    }

    fn deliver(&mut self, ranges: &[ByteRange], mut provide: impl FnMut(u64, Vec<u8>) -> Result<()>) -> Result<()> {
        self.rounds += 1;
        assert!(!ranges.is_empty() && self.rounds < 10_000, "round {} of {ranges:?}", self.rounds);
        ranges.iter().try_for_each(|range| {
            assert!(range.len() > 0 && range.end() <= self.file.len() as u64, "{range} of {} bytes", self.file.len());
            provide(range.start(), self.file[range.start() as usize..range.end() as usize].to_vec())
        })
    }
}
