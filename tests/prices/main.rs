//! Prices against what is really taken: the memory that each render holds at its peak, counted by the allocator, must never be more than its price.
//!
//! `cargo test --test prices` measures a sample. `npm run prices` measures all pairs of sources and requests, and prints what costs most.

mod sources;

use std::collections::BTreeMap;
use std::time::Instant;

use azulejo::api::{ImageRequest, ResolvedRequest, Service, Version};
use azulejo::{EncodeOptions, Error, Limits, Pyramid, Render, Step, native};
use peak_alloc::PeakAlloc;
use sources::Source;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Regions of an image of `width` × `height` px: all of it, tiles, thin ones, one pixel.
fn regions((width, height): (u32, u32)) -> Vec<String> {
    let (x, y) = (width / 3, height / 3);
    let tile = |side: u32| format!("{x},{y},{},{}", side.min(width - x), side.min(height - y));
    vec!["full".into(), "square".into(), tile(512), tile(1024), format!("0,{y},{width},1"), format!("{x},0,1,{height}"), format!("{x},{y},2,2")]
}

const SIZES: [&str; 15] = [
    "max",
    "^max",
    "!400,400",
    "512,",
    "^!1024,1024",
    "^2600,2600",
    "^4000,3000",
    "^3000,4000",
    "^12000,1000",
    "^1000,12000",
    "^60000,20",
    "^20,60000",
    "^6000000,2",
    "^2,6000000",
    "!100,100",
];
const ROTATIONS: [&str; 7] = ["0", "!0", "90", "180", "45", "!20", "137.5"];
const QUALITIES: [&str; 3] = ["default", "gray", "bitonal"];
const FORMATS: [&str; 5] = ["jpg", "png", "webp", "gif", "tif"];

/// What a render took.
struct Taken {
    request: String,
    price: u64,
    peak: u64,
    /// CPU time that was expected.
    work: f64,
    seconds: f64,
    bytes: usize,
}

/// Seconds of CPU time that this thread has taken: on Linux by its scheduler, elsewhere by the clock.
fn cpu(began: Instant) -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = stat.and_then(|stat| stat.split_whitespace().next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| began.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Renders a request; none if it is refused.
fn measure(source: &Source, pyramid: &Pyramid, service: &Service, options: &EncodeOptions, request: &str) -> Option<Taken> {
    let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(service)).ok()?;
    measure_within(source, pyramid, &resolved, options, &service.limits, request)
}

/// What a request takes that is refused because of its price, if its price is at most four times a limit: what costs more cannot fit.
fn measure_refused(source: &Source, pyramid: &Pyramid, service: &Service, options: &EncodeOptions, request: &str) -> Option<Taken> {
    let Limits { memory, work, .. } = service.limits;
    let resolved = ImageRequest::parse(Version::V3, request).unwrap().resolve(&pyramid.info(service)).ok()?;
    let mut limits = service.limits.clone();
    (limits.memory, limits.work, limits.fetched) = (memory * 4, work * 4, u64::MAX);
    measure_within(source, pyramid, &resolved, options, &limits, request)
}

fn measure_within(source: &Source, pyramid: &Pyramid, resolved: &ResolvedRequest, options: &EncodeOptions, limits: &Limits, request: &str) -> Option<Taken> {
    if std::env::var_os("TRACE").is_some() {
        eprintln!("{} {request}", source.name);
    }
    let start = Instant::now();
    let began = cpu(start);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut job = match Render::new(pyramid, resolved, options, limits) {
        Ok(job) => job,
        Err(Error::SourceTooCostly { .. } | Error::TooLarge { .. }) => return None,
        Err(error) => panic!("{} {request}: {error:?}", source.name),
    };
    let price = job.memory();
    let mut bytes = 0;
    let work = loop {
        match job.step().unwrap_or_else(|error| panic!("{} {request}: {error:?}", source.name)) {
            Step::Done(encoded) => {
                bytes += encoded.bytes.len();
                break job.work() as f64 / 1e9;
            }
            Step::Piece(piece) => bytes += piece.len(),
            Step::Need(ranges) => {
                for range in ranges {
                    job.provide(range.start(), source.bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap();
                }
            }
        }
    };
    let peak = MEMORY.peak_usage().saturating_sub(before) as u64;
    Some(Taken { request: request.to_owned(), price, peak, work, seconds: cpu(start) - began, bytes })
}

/// Bits that follow no pattern.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }
}

/// The pairs that are measured of a source: every region, size, rotation, quality and format comes as often as any other.
fn requests(pyramid: &Pyramid, count: usize, seed: u64) -> Vec<String> {
    let regions = regions((pyramid.dimensions().width(), pyramid.dimensions().height()));
    let mut numbers = Numbers(seed);
    (0..count)
        .map(|index| {
            let region = &regions[numbers.below(regions.len())];
            let rotation = ROTATIONS[numbers.below(ROTATIONS.len())];
            // Half of them plain tiles and thumbnails, as real ones are.
            let size = if index % 2 == 0 { SIZES[numbers.below(SIZES.len())] } else { SIZES[numbers.below(5)] };
            let quality = if index % 3 == 0 { QUALITIES[numbers.below(QUALITIES.len())] } else { "default" };
            format!("{region}/{size}/{rotation}/{quality}.{}", FORMATS[numbers.below(FORMATS.len())])
        })
        .collect()
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--full");
    let listed = std::env::args().any(|argument| argument == "--list");
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    // `--size=24x24` measures sources of one size only.
    let size = std::env::args().find_map(|argument| {
        let (width, height) = argument.strip_prefix("--size=")?.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    });
    let sizes: &[(u32, u32)] = if full { &[(300, 200), (4000, 3000), (2000, 1500), (6000, 24), (24, 6000)] } else { &[(300, 200), (1400, 900), (3000, 12)] };
    // `--file=PATH` measures a file of one's own.
    let file = std::env::args().find_map(|argument| argument.strip_prefix("--file=").map(str::to_owned));
    let file = file.map(|path| Source { bytes: std::fs::read(&path).unwrap(), name: format!("{path}-file"), request: None });
    // `--refused` renders what is refused too, and lists what would have fitted its limits.
    let refusals = std::env::args().any(|argument| argument == "--refused");
    // `--quality=100` is that of JPEG and WebP.
    let quality = std::env::args().find_map(|argument| argument.strip_prefix("--quality=")?.parse().ok()).map(|quality: u8| (quality, quality));
    // `--request=full/max/0/default.jpg` measures that request only.
    let request = std::env::args().find_map(|argument| argument.strip_prefix("--request=").map(str::to_owned));
    // `--seed=1` chooses other requests.
    let seed = std::env::args().find_map(|argument| argument.strip_prefix("--seed=")?.parse().ok()).unwrap_or(0_u64);
    let sizes = if file.is_some() { &sizes[..1] } else { sizes };
    let sizes = size.as_ref().map_or(sizes, std::slice::from_ref);
    let count = if full { 30 } else { 6 };
    let service = Service::default();
    let (mut all, mut ratios, mut broken, mut refused) = (0, Vec::new(), Vec::new(), 0);
    let (mut times, mut costly) = (Vec::new(), Vec::new());
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (index, (width, height)) in sizes.iter().enumerate() {
        let attacks = || if index == 0 { sources::attacks() } else { Vec::new() };
        let made = || [sources::sources(*width, *height), attacks()].concat();
        for source in file.clone().map_or_else(made, |source| vec![source]) {
            if only.as_ref().is_some_and(|only| !source.name.contains(only.as_str())) {
                continue;
            }
            // Opened anew for each request: nothing has been learnt of it.
            let open = || native::open(&mut source.bytes.as_slice(), &service).unwrap_or_else(|error| panic!("{}: {error}", source.name));
            let mut options = EncodeOptions::default();
            (options.jpeg_quality, options.webp_quality) = quality.unwrap_or((options.jpeg_quality, options.webp_quality));
            let some = || requests(&open(), count, seed * 1_000_000 + index as u64 * 1000 + source.name.len() as u64);
            for request in request.clone().or(source.request.map(str::to_owned)).map_or_else(some, |request| vec![request]) {
                all += 1;
                let Some(taken) = measure(&source, &open(), &service, &options, &request) else {
                    refused += 1;
                    let taken = refusals.then(|| measure_refused(&source, &open(), &service, &options, &request)).flatten();
                    let would_fit = |taken: &Taken| taken.peak <= service.limits.memory && taken.seconds <= service.limits.work as f64 / 1e9;
                    if let Some(taken) = taken.filter(would_fit) {
                        let times = taken.price as f64 / taken.peak as f64;
                        println!(
                            "refused, but would fit: price {} of {times:.2}, peak {}\t{:.2} s of {:.2}\t{}\t{request}",
                            taken.price, taken.peak, taken.seconds, taken.work, source.name
                        );
                    }
                    continue;
                };
                let ratio = taken.price as f64 / taken.peak.max(1) as f64;
                ratios.push(ratio);
                times.push(taken.work / taken.seconds.max(1e-4));
                costly.push((
                    taken.seconds,
                    source.bytes.len(),
                    format!("{:.2} s of {:.2}, {} kB\t{}\t{}", taken.seconds, taken.work, taken.bytes / 1000, source.name, taken.request),
                ));
                groups.entry(source.name.rsplit_once('-').unwrap().0.to_owned()).or_default().push(ratio);
                groups.entry(format!("*{}", request.rsplit_once('.').unwrap().1)).or_default().push(ratio);
                if listed || taken.peak > taken.price {
                    let line = format!(
                        "{:.2}\t{:>9}\t{:>9}\t{:.2} s of {:.2}\t{}\t{}",
                        ratio, taken.price, taken.peak, taken.seconds, taken.work, source.name, taken.request
                    );
                    if listed {
                        println!("{line}");
                    }
                    if taken.peak > taken.price {
                        broken.push(line);
                    }
                }
            }
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    if full || listed {
        groups.iter_mut().for_each(|(name, values)| println!("{name}: {} renders, median price/peak {:.2}", values.len(), median(values)));
    }
    if full {
        costly.sort_by(|one, other| other.0.total_cmp(&one.0));
        println!("the most expensive requests:");
        costly.iter().take(20).for_each(|(.., line)| println!("  {line}"));
        costly.sort_by(|one, other| (other.0 / other.1 as f64).total_cmp(&(one.0 / one.1 as f64)));
        println!("the most expensive requests for a byte of their source:");
        costly.iter().take(20).for_each(|(_, bytes, line)| println!("  {bytes} bytes: {line}"));
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
        println!("CPU time expected / taken: {:.2} at 1 %, {:.2} at 10 %, median {:.2}, {:.2} at 90 %", at(0.01), at(0.1), at(0.5), at(0.9));
    }
    println!("{all} pairs, {refused} refused, {} above their price, median price/peak {:.2}", broken.len(), median(&mut ratios));
    broken.iter().for_each(|line| println!("{line}"));
    assert!(broken.is_empty(), "{} renders took more memory than their price", broken.len());
    // A choice of sources or requests may have any median. That of the sample is higher, as its images are smaller: states of encoders and decoders do not depend on sizes.
    let chosen = only.is_some() || size.is_some() || file.is_some() || request.is_some();
    let (median, most) = (median(&mut ratios), if full { 1.5 } else { 1.6 });
    assert!(chosen || median <= most, "the median of price / peak is {median:.3}, and should be at most {most}");
}
