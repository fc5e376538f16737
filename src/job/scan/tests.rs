use super::super::chunks::GAP;
use super::super::flow::Sink;
use super::*;
use crate::api::{ImageRequest, Service, Version};
use crate::geometry::Rect;
use crate::incomplete::Incomplete;
use crate::jpeg::{Encoder, Settings};
use crate::options::EncodeOptions;
use crate::render::Raster;

/// Numbers without end, the same ones each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((self.0 >> 33) * u64::from(end)) >> 31) as u32
    }
}

/// A file of slopes and noise.
fn file(width: u32, height: u32, sampling: Sampling, restart_interval: u16) -> Vec<u8> {
    let mut numbers = Numbers(u64::from(width));
    let settings = Settings { restart_interval, ..Settings::new(Dimensions::new(width, height).unwrap(), sampling, 90) };
    let mut encoder = Encoder::new(&settings).unwrap();
    for y in 0..height {
        let row: Vec<u8> = (0..width * sampling.components() as u32).map(|x| (x / 5 + y / 3) as u8 ^ (numbers.below(60) as u8)).collect();
        encoder.push_row(&row).unwrap();
    }
    encoder.finish().unwrap()
}

fn open(bytes: &[u8]) -> Pyramid {
    let mut job = crate::job::Open::new(bytes.len() as u64, &Limits::default());
    loop {
        match job.step().unwrap() {
            Step::Done(pyramid) => return pyramid,
            Step::Need(ranges) => {
                ranges.iter().for_each(|range| job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap());
            }
            Step::Piece(_) => panic!("opening has no pieces"),
        }
    }
}

fn is_complete(pyramid: &Pyramid) -> bool {
    matches!(&pyramid.body, Body::Scan(scan) if scan.index().is_complete())
}

struct Found {
    rows: Vec<u8>,
    rounds: usize,
    bytes: u64,
    /// Most bytes that were held.
    held: u64,
}

/// The samples of an answer; `run` is how many bytes are fetched at a time.
fn rows(bytes: &[u8], pyramid: &Pyramid, request: &str, run: u64) -> Result<Found> {
    let mut service = Service::default();
    // What is wrong with a file is to be seen.
    service.limits.show_incomplete = false;
    let resolved = ImageRequest::parse(Version::V3, request)?.resolve(&pyramid.info(&service))?;
    let plan = Rendering::new(&resolved, pyramid, &EncodeOptions::default(), &service.limits)?;
    let (mut meter, mut found) = (Meter::default(), Found { rows: Vec::new(), rounds: 0, bytes: 0, held: 0 });
    let mut scan = Scan::new(pyramid, &plan, None, &service.limits)?;
    scan.run = run;
    loop {
        let rows = &mut found.rows;
        let step = scan.step(&mut meter, &service.limits, &mut |part| {
            let Part::Rows(Raster { data, .. }) = part else { panic!("planes were not asked for") };
            rows.extend(data);
            Ok(())
        })?;
        match step {
            Step::Done(true) => {}
            Step::Done(false) => return Ok(found),
            Step::Piece(_) => panic!("a scan in pieces"),
            Step::Need(ranges) => {
                found.rounds += 1;
                assert!(found.rounds < 20_000, "no end of rounds");
                let total: u64 = ranges.iter().map(|range| range.len()).sum();
                assert!(total <= run, "{total} bytes at once");
                found.bytes += total;
                for range in ranges {
                    let missing = scan.store.missing(range);
                    assert_eq!(missing, [range], "some of it is here");
                    scan.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec())?;
                }
                found.held = found.held.max(scan.store.held());
            }
        }
    }
}

const RUN: u64 = 1 << 30;

#[test]
fn answers_are_the_same_with_an_index_with_a_part_of_it_and_without() {
    let mut numbers = Numbers(1);
    for (sampling, interval) in
        [(Sampling::S420, 0), (Sampling::S444, 0), (Sampling::S422, 7), (Sampling::Gray, 0), (Sampling::S420, 29), (Sampling::S420, 1000)]
    {
        let bytes = file(761, 690, sampling, interval);
        let indexed = open(&bytes);
        let whole = rows(&bytes, &indexed, "full/max/0/default.jpg", RUN).unwrap();
        assert_eq!(whole.rounds, 1);
        assert!(is_complete(&indexed));
        let kept = indexed.index().unwrap();
        assert!(indexed.index().is_none(), "it is told once");
        assert!(kept.len() * 1000 < bytes.len() * 15, "an index of {} bytes for {}", kept.len(), bytes.len());
        let growing = open(&bytes);
        for _ in 0..20 {
            let (x, y) = (numbers.below(750), numbers.below(680));
            let (width, height) = (1 + numbers.below(761 - x), 1 + numbers.below(690 - y));
            let divisor = [1, 1, 2, 3, 8][numbers.below(5) as usize];
            let size = format!("{},{}", (width / divisor).max(1), (height / divisor).max(1));
            let quality = ["default", "gray"][numbers.below(2) as usize];
            let request = format!("{x},{y},{width},{height}/{size}/0/{quality}.jpg");
            let cold = rows(&bytes, &open(&bytes), &request, RUN).unwrap();
            let other = open(&bytes);
            assert!(other.wants_index() && other.take_index(&kept) && is_complete(&other));
            for (pyramid, run) in [(&indexed, RUN), (&indexed, 900), (&growing, 2500), (&other, RUN)] {
                let found = rows(&bytes, pyramid, &request, run).unwrap();
                assert!(found.rows == cold.rows, "{sampling:?} {interval} {request}");
                assert!(found.bytes <= cold.bytes + 2 * GAP, "{request}: {} bytes, {} without an index", found.bytes, cold.bytes);
                assert!(run == RUN || found.held <= run + 1000, "{} bytes are held", found.held);
            }
            if divisor == 1 && quality == "default" {
                let stride = 761 * sampling.components();
                let columns = x as usize * sampling.components()..(x + width) as usize * sampling.components();
                let cut: Vec<u8> = whole.rows.chunks(stride).skip(y as usize).take(height as usize).flat_map(|row| &row[columns.clone()]).copied().collect();
                assert!(cold.rows == cut, "{request} is another part");
            }
        }
    }
}

/// The coefficients of whole MCUs, of each component.
fn coefficients(bytes: &[u8], region: Option<Rect>) -> Vec<Vec<[i16; 64]>> {
    let header = crate::jpeg::Header::read(None, bytes).unwrap();
    let region = region.unwrap_or(header.dimensions.rect());
    let mut sequential = Sequential::coefficients(&header, &Wanted { region, ..Wanted::whole(&header) }).unwrap();
    while !matches!(sequential.next_band(&Input { bytes, start: 0, last: true }).unwrap(), Progress::Done) {}
    sequential.take_coefficients().unwrap().into_iter().map(|component| component.blocks).collect()
}

/// The JPEG of a part, of which so many bytes are fetched at a time, and whether its bits were copied.
fn copied(bytes: &[u8], pyramid: &Pyramid, region: Rect, run: u64) -> Result<(Vec<u8>, bool)> {
    let service = Service::default();
    let request = format!("{},{},{},{}/max/0/default.jpg", region.x(), region.y(), region.width(), region.height());
    let resolved = ImageRequest::parse(Version::V3, &request)?.resolve(&pyramid.info(&service))?;
    let plan = Rendering::new(&resolved, pyramid, &EncodeOptions::default(), &service.limits)?;
    let mut scan = Scan::copying(pyramid, &plan, &service.limits)?;
    (scan.run, scan.store) = (run, ByteStore::new(bytes.len() as u64));
    let (cut, mut meter) = (matches!(scan.making, Making::Cut), Meter::default());
    let mut sink = Sink::new(&plan, &EncodeOptions::default(), pyramid.is_gray(), None);
    loop {
        match scan.step(&mut meter, &service.limits, &mut |part| sink.push(part))? {
            Step::Done(false) => return Ok((sink.output.finish()?, cut)),
            Step::Need(ranges) => {
                ranges.iter().for_each(|range| scan.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap());
            }
            _ => {}
        }
    }
}

#[test]
fn what_is_cut_has_the_coefficients_of_its_part() {
    let mut numbers = Numbers(7);
    for (sampling, interval) in [(Sampling::S420, 0), (Sampling::S444, 0), (Sampling::S422, 0), (Sampling::Gray, 0), (Sampling::S420, 29)] {
        let bytes = file(505, 390, sampling, interval);
        let indexed = open(&bytes);
        rows(&bytes, &indexed, "full/max/0/default.jpg", RUN).unwrap();
        for _ in 0..20 {
            let (x, y) = (16 * numbers.below(31), 16 * numbers.below(24));
            let region = Rect::new(x, y, 1 + numbers.below(505 - x), 1 + numbers.below(390 - y)).unwrap();
            let wanted = coefficients(&bytes, Some(region));
            let (first, cut) = copied(&bytes, &open(&bytes), region, RUN).unwrap();
            assert_eq!(cut, interval == 0);
            assert!(!cut || coefficients(&first, None) == wanted, "{sampling:?} {region}");
            for (pyramid, run) in [(&indexed, RUN), (&indexed, 700), (&open(&bytes), 500)] {
                assert!(copied(&bytes, pyramid, region, run).unwrap().0 == first, "{sampling:?} {region} by {run}");
            }
        }
    }
}

#[test]
fn what_is_cut_out_of_broken_data_is_an_error_or_has_their_coefficients() {
    let mut numbers = Numbers(11);
    let sound = file(300, 200, Sampling::S420, 0);
    let data = crate::jpeg::Header::read(None, &sound).unwrap().scan.data as u32;
    let region = Rect::new(64, 48, 200, 120).unwrap();
    let (mut cut, mut refused) = (0, 0);
    for _ in 0..400 {
        let mut bytes = sound.clone();
        for _ in 0..3 {
            let at = data + numbers.below(bytes.len() as u32 - data);
            bytes[at as usize] = [0xFF, 0x00, numbers.below(256) as u8][numbers.below(3) as usize];
        }
        match copied(&bytes, &open(&bytes), region, [RUN, 900][numbers.below(2) as usize]) {
            Ok((file, _)) => {
                cut += 1;
                assert!(coefficients(&file, None) == coefficients(&bytes, Some(region)));
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, Error::SourceCorrupt { .. }), "{error:?}");
            }
        }
    }
    assert!(cut > 50 && refused > 50, "{cut} and {refused}");
}

#[test]
fn what_is_read_without_an_index_with_a_part_of_it_and_with_it() {
    // Rows of MCUs take 26 kB each; of so small a file, what lies between the columns of a region is read with them.
    let bytes = file(3000, 700, Sampling::S420, 0);
    let costs = |pyramid: &Pyramid, request: &str| {
        let found = rows(&bytes, pyramid, request, 256 << 10).unwrap();
        (found.rounds, found.bytes * 1000 / bytes.len() as u64)
    };
    let pyramid = open(&bytes);
    let (top, middle, bottom) = ("0,0,512,64/max/0/default.jpg", "1400,320,256,64/max/0/default.jpg", "2900,600,100,100/max/0/default.jpg");
    let found = [top, middle, bottom, bottom, middle, top, "full/100,/0/default.jpg"].map(|request| costs(&pyramid, request));
    assert_eq!(found, [(1, 250), (2, 501), (2, 441), (1, 136), (1, 116), (1, 95), (4, 999)], "rounds and thousandths of the file");
    assert!(is_complete(&pyramid));
}

#[test]
fn a_hundred_megapixels_flow() {
    use crate::job::{Encoded, Render};
    // Rows of MCUs between restart markers are alike: one is repeated.
    const SIDE: u32 = 10_000;
    let row = file(SIDE, 16, Sampling::S420, 625);
    let header = crate::jpeg::Header::read(None, &row).unwrap();
    let mut bytes = row[..header.scan.data].to_vec();
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&(SIDE as u16).to_be_bytes());
    for index in 0..625_u16 {
        bytes.extend_from_slice(&row[header.scan.data..row.len() - 2]);
        bytes.extend([0xFF, if index < 624 { 0xD0 + (index % 8) as u8 } else { 0xD9 }]);
    }
    let pyramid = open(&bytes);
    let mut service = Service::default();
    service.limits.max_area = None;
    let run = |request: &str| {
        let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(&service)).unwrap();
        let mut job = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &service.limits).unwrap();
        let (memory, mut answer, mut fetched, mut rounds) = (job.memory(), Vec::new(), 0, 0);
        loop {
            match job.step().unwrap() {
                Step::Need(ranges) => {
                    rounds += 1;
                    for range in ranges {
                        fetched += range.len();
                        job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap();
                    }
                }
                Step::Piece(piece) => {
                    assert!(fetched <= bytes.len() as u64 && piece.len() < 6 << 20);
                    answer.extend(piece);
                }
                Step::Done(Encoded { bytes: end, .. }) => break (memory >> 20, [answer, end].concat(), fetched, rounds),
            }
        }
    };
    let size = bytes.len() as u64;
    assert!(size > 30 << 20, "{size} bytes");
    let (memory, answer, fetched, rounds) = run("full/max/0/default.jpg");
    assert!(memory <= 30 && fetched < size && rounds == size.div_ceil(8 << 20), "{memory} MiB, {rounds} rounds, {fetched} bytes");
    let dimensions = crate::jpeg::Header::read(None, &answer).unwrap().dimensions;
    assert_eq!((dimensions.width(), dimensions.height()), (SIDE, SIDE));
    // A tile by the index: all of its rows of MCUs, but only its columns.
    assert!(is_complete(&pyramid) && pyramid.weight() < 2 << 20, "{} bytes", pyramid.weight());
    let (memory, _, fetched, rounds) = run("8192,8192,512,512/max/0/default.jpg");
    assert!(memory <= 6 && fetched * 100 < size && rounds == 1, "{memory} MiB, {fetched} bytes");
}

#[test]
fn an_index_of_another_file_is_none() {
    let bytes = file(700, 700, Sampling::S420, 0);
    let longer = [bytes.clone(), vec![0]].concat();
    let (pyramid, other) = (open(&bytes), open(&longer));
    rows(&bytes, &pyramid, "full/max/0/default.jpg", RUN).unwrap();
    let kept = pyramid.index().unwrap();
    assert!(!other.take_index(&kept) && other.wants_index());
    for len in 0..kept.len() {
        assert!(!open(&bytes).take_index(&kept[..len]));
    }
    assert!(!open(include_bytes!("../../../tests/fixtures/progressive.jpg")).take_index(&kept));
}

#[test]
fn of_a_file_that_ends_too_early_the_rest_may_be_gray() {
    use crate::job::Render;
    let rendered = |bytes: &[u8], request: &str| {
        let pyramid = open(bytes);
        let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(&Service::default())).unwrap();
        let mut job = Render::new(&pyramid, &resolved, &EncodeOptions::default(), &Limits::default()).unwrap();
        loop {
            match job.step().unwrap() {
                Step::Need(ranges) => {
                    ranges.iter().for_each(|range| job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap());
                }
                Step::Piece(_) => panic!("a small answer"),
                Step::Done(answer) => {
                    let pixels = image::load_from_memory_with_format(&answer.bytes, image::ImageFormat::Png).unwrap().into_rgb8();
                    break (pixels, job.incomplete().cloned());
                }
            }
        }
    };
    let progressive = include_bytes!("../../../tests/fixtures/progressive.jpg").to_vec();
    for bytes in [file(300, 300, Sampling::S444, 0), file(300, 300, Sampling::S420, 5), progressive] {
        let (whole, incomplete) = rendered(&bytes, "full/max/0/default.png");
        assert_eq!(incomplete, None);
        let cut = bytes.len() / 2;
        let (found, incomplete) = rendered(&bytes[..cut], "full/max/0/default.png");
        let Incomplete { rows: count, damage } = incomplete.unwrap();
        assert!(matches!(damage, Error::SourceCorrupt { at, .. } if at <= cut as u64 && at + 1 >= cut as u64), "{damage:?}");
        assert_eq!(found.dimensions(), whole.dimensions());
        let streams = crate::jpeg::Header::read(None, &bytes).unwrap().is_streamable();
        if streams {
            let rows = |image: &image::RgbImage, rows: std::ops::Range<u32>| {
                image.rows().skip(rows.start as usize).take(rows.len()).flatten().copied().collect::<Vec<_>>()
            };
            assert!((100..240).contains(&count) && count % 8 == 0, "{count}");
            // Chroma of the row below is mixed into the last row.
            assert!(rows(&found, 0..count - 1) == rows(&whole, 0..count - 1));
            assert!(rows(&found, 240..300).iter().all(|pixel| pixel.0 == [128; 3]));
        }
        // A part that is there is not incomplete, unless its scans go on behind the end.
        assert_eq!(rendered(&bytes[..cut], "0,0,30,30/max/0/default.png").1.is_some(), !streams);
    }
}

#[test]
fn a_file_that_ends_too_early_says_where() {
    let bytes = file(300, 300, Sampling::S444, 5);
    for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 3] {
        for run in [RUN, 1000] {
            let error = rows(&bytes[..cut], &open(&bytes[..cut]), "full/max/0/default.jpg", run).err().unwrap();
            assert!(matches!(error, Error::SourceCorrupt { at, .. } if at <= cut as u64 && at + 1000 > cut as u64), "{cut}: {error:?}");
        }
    }
}
