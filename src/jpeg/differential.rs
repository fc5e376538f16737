//! Against libjpeg-turbo itself, over thousands of generated images. Runs only where `LIBJPEG_TOOLS` names the folder of `cjpeg`, `djpeg` and `jpegtran`
//! (for Debian's package libjpeg-turbo-progs: `LIBJPEG_TOOLS=/usr/bin cargo test jpeg::differential`), and passes without a look elsewhere.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Encoder, Sampling, Settings, Tables};
use crate::geometry::Dimensions;

/// The folder of the tools, if there is one.
fn tools() -> Option<PathBuf> {
    std::env::var_os("LIBJPEG_TOOLS").map(PathBuf::from)
}

/// What a tool makes of `input`; `None` if it fails.
fn run(folder: &std::path::Path, tool: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(folder.join(tool)).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.status.success().then_some(output.stdout)
}

/// Numbers without end, the same ones each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((self.0 >> 33) * u64::from(end)) >> 31) as u32
    }
}

/// Samples with a slope, edges and noise, so that every kind of block comes up.
fn picture(numbers: &mut Numbers, width: u32, height: u32, channels: u32) -> Vec<u8> {
    let (noise, slope, edge) = (numbers.below(120) * numbers.below(2) + 1, numbers.below(8), numbers.below(width + 8));
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                let base = (x * slope + y * (channel + 1) + if x > edge { 150 } else { 0 }) % 256;
                samples.push((base + numbers.below(noise)).min(255) as u8);
            }
        }
    }
    samples
}

fn netpbm(kind: &str, width: u32, height: u32, samples: &[u8]) -> Vec<u8> {
    [format!("{kind}\n{width} {height}\n255\n").as_bytes(), samples].concat()
}

#[test]
fn the_encoder_writes_what_cjpeg_writes() {
    let Some(folder) = tools() else { return };
    let mut numbers = Numbers(1);
    for round in 0..3000 {
        let (width, height) = (1 + numbers.below(70), 1 + numbers.below(70));
        let quality = 1 + numbers.below(100) as u8;
        let (sampling, factors) = [(Sampling::Gray, "1x1"), (Sampling::S444, "1x1"), (Sampling::S422, "2x1"), (Sampling::S420, "2x2")][round % 4];
        let channels = sampling.components() as u32;
        let samples = picture(&mut numbers, width, height, channels);
        let mut settings = Settings::new(Dimensions::new(width, height).unwrap(), sampling, quality);
        settings.restart_interval = if numbers.below(3) == 0 { 1 + numbers.below(12) as u16 } else { 0 };
        settings.tables = if numbers.below(2) == 0 { Tables::Standard } else { Tables::Optimal };
        let mut encoder = Encoder::new(&settings).unwrap();
        let mut ours = Vec::new();
        for row in samples.chunks_exact((width * channels) as usize) {
            encoder.push_row(row).unwrap();
            ours.extend(encoder.take());
        }
        ours.extend(encoder.finish().unwrap());
        let (quality, restart) = (quality.to_string(), format!("{}B", settings.restart_interval));
        let mut arguments = vec!["-dct", "int", "-baseline", "-quality", &quality, "-sample", factors, "-restart", &restart];
        if settings.tables == Tables::Optimal {
            arguments.push("-optimize");
        }
        let image = netpbm(if channels == 1 { "P5" } else { "P6" }, width, height, &samples);
        let theirs = run(&folder, "cjpeg", &arguments, &image).unwrap();
        assert!(ours == theirs, "{width}×{height} {settings:?}");
    }
}
