//! Against libjpeg-turbo itself, over thousands of generated images. Runs only where `LIBJPEG_TOOLS` names the folder of `cjpeg`, `djpeg` and `jpegtran`
//! (for Debian's package libjpeg-turbo-progs: `LIBJPEG_TOOLS=/usr/bin cargo test --release jpeg::differential -- --nocapture`), and passes without a look elsewhere.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::testing::{Numbers, picture, rows};
use super::{ColorModel, Copied, Encoder, Header, Sampling, Settings, Tables, Transcode, Turn, Wanted};
use crate::geometry::{Dimensions, Rect};

/// The folder of the tools, if there is one.
fn tools() -> Option<PathBuf> {
    let folder = std::env::var_os("LIBJPEG_TOOLS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("nothing is compared: LIBJPEG_TOOLS does not say where cjpeg, djpeg and jpegtran are");
    }
    folder
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

fn netpbm(kind: &str, width: u32, height: u32, samples: &[u8]) -> Vec<u8> {
    [format!("{kind}\n{width} {height}\n255\n").as_bytes(), samples].concat()
}

#[test]
fn the_encoder_writes_what_cjpeg_writes() {
    let Some(folder) = tools() else { return };
    let mut numbers = Numbers(1);
    for round in 0..10_000 {
        let (width, height) = (1 + numbers.below(70), 1 + numbers.below(70));
        let quality = 1 + numbers.below(100) as u8;
        let (sampling, factors) = [(Sampling::Gray, "1x1"), (Sampling::S444, "1x1"), (Sampling::S422, "2x1"), (Sampling::S420, "2x2")][round % 4];
        let channels = sampling.components() as u32;
        let samples = picture(&mut numbers, width, height, channels);
        let mut settings = Settings::new(Dimensions::new(width, height).unwrap(), sampling, quality);
        settings.restart_interval = if numbers.below(3) == 0 { 1 + numbers.below(12) as u16 } else { 0 };
        settings.tables = if numbers.below(2) == 0 { Tables::Standard } else { Tables::Optimal { most: u64::MAX } };
        let mut encoder = Encoder::new(&settings).unwrap();
        let mut ours = Vec::new();
        for row in samples.chunks_exact((width * channels) as usize) {
            encoder.push_row(row).unwrap();
            ours.extend(encoder.take());
        }
        ours.extend(encoder.finish().unwrap());
        let (quality, restart) = (quality.to_string(), format!("{}B", settings.restart_interval));
        let mut arguments = vec!["-dct", "int", "-baseline", "-quality", &quality, "-sample", factors, "-restart", &restart];
        if settings.tables != Tables::Standard {
            arguments.push("-optimize");
        }
        let image = netpbm(if channels == 1 { "P5" } else { "P6" }, width, height, &samples);
        let theirs = run(&folder, "cjpeg", &arguments, &image).unwrap();
        assert!(ours == theirs, "{width}×{height} {settings:?}");
    }
}

/// The samples of a netpbm file, and its size.
fn parse(file: &[u8]) -> (Dimensions, Vec<u8>) {
    let mut rest = file;
    let mut words = Vec::new();
    while words.len() < 4 {
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap();
        words.push(String::from_utf8(rest[..end].to_vec()).unwrap());
        rest = &rest[end + 1..];
    }
    (Dimensions::new(words[1].parse().unwrap(), words[2].parse().unwrap()).unwrap(), rest.to_vec())
}

/// A stream by cjpeg, of any sampling factors.
fn stream(folder: &std::path::Path, numbers: &mut Numbers, round: u32) -> (String, Vec<u8>) {
    let (width, height) = (1 + numbers.below(70), 1 + numbers.below(70));
    let mut channels = if round.is_multiple_of(7) { 1 } else { 3 };
    let samples = picture(numbers, width, height, channels);
    let image = netpbm(if channels == 1 { "P5" } else { "P6" }, width, height, &samples);
    let mut factors = || format!("{}x{}", 1 + numbers.below(4), 1 + numbers.below(4));
    let common = ["2x2", "2x1", "1x1", "1x2", "4x1", "4x2", "2x2,1x2", "2x2,2x1,1x1"];
    let sampling = if round.is_multiple_of(3) { format!("{},{},{}", factors(), factors(), factors()) } else { common[numbers.below(8) as usize].to_owned() };
    let quality = (1 + numbers.below(100)).to_string();
    let restart = format!("{}B", if numbers.below(3) == 0 { 1 + numbers.below(12) } else { 0 });
    let mut arguments = vec!["-dct", "int", "-quality", &quality, "-sample", &sampling, "-restart", &restart];
    if numbers.below(2) == 0 {
        arguments.push("-optimize");
    }
    if numbers.below(3) == 0 {
        arguments.push("-progressive");
    }
    if channels == 3 && numbers.below(8) == 0 {
        arguments.push("-rgb");
    }
    if numbers.below(8) == 0 {
        arguments.push("-grayscale");
        channels = 1;
    }
    let what = format!("{width}×{height} {arguments:?} {channels}");
    (what, run(folder, "cjpeg", &arguments, &image).unwrap_or_default())
}

/// Generated streams of any kind, baseline and progressive, that each of the comparisons is to have made.
const STREAMS: u32 = 10_000;

#[test]
fn the_decoder_reads_what_djpeg_reads() {
    let Some(folder) = tools() else { return };
    let mut numbers = Numbers(2);
    let (mut compared, mut reduced, mut refused) = (0, 0, 0);
    for round in 0.. {
        let (what, stream) = stream(&folder, &mut numbers, round);
        // cjpeg has limits of its own, and djpeg has no fractions of samples.
        let Some(theirs) = (!stream.is_empty()).then(|| run(&folder, "djpeg", &["-dct", "int"], &stream)).flatten() else {
            refused += 1;
            continue;
        };
        let ours = rows(&stream, 1, None).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(ours == parse(&theirs).1, "{what}");
        parts_are_of_the_whole(&stream, &what, &mut numbers);
        // Where all components are sampled alike, libjpeg reduces them alike.
        let header = Header::read(None, &stream).unwrap();
        if header.components.iter().all(|component| (component.across, component.down) == header.most()) {
            let reduction = [2, 4, 8][numbers.below(3) as usize];
            let scale = format!("1/{reduction}");
            let theirs = run(&folder, "djpeg", &["-dct", "int", "-scale", &scale], &stream).unwrap();
            assert!(rows(&stream, reduction, None).unwrap() == parse(&theirs).1, "{what} at {scale}");
            reduced += 1;
        }
        compared += 1;
        if compared == STREAMS {
            break;
        }
    }
    eprintln!("{compared} compared at full size, {reduced} reduced, {refused} refused by the tools");
}

/// A crop at each reduction is a part of all that comes at that reduction.
fn parts_are_of_the_whole(stream: &[u8], what: &str, numbers: &mut Numbers) {
    let header = Header::read(None, stream).unwrap();
    for reduction in [1, 2, 4, 8] {
        let whole = rows(stream, reduction, None).unwrap();
        let size = header.dimensions.reduced(reduction.into());
        let channels = whole.len() / size.area() as usize;
        let (x, y) = (numbers.below(size.width()), numbers.below(size.height()));
        let crop = Rect::new(x, y, 1 + numbers.below(size.width() - x), 1 + numbers.below(size.height() - y)).unwrap();
        let cut: Vec<u8> = whole
            .chunks_exact(size.width() as usize * channels)
            .skip(crop.y() as usize)
            .take(crop.height() as usize)
            .flat_map(|row| row[crop.x() as usize * channels..crop.right() as usize * channels].to_vec())
            .collect();
        assert!(rows(stream, reduction, Some(crop)).unwrap() == cut, "{what}: {crop} at 1/{reduction}");
    }
}

/// What djpeg makes of inks: it takes them for inverted ones.
fn inks_as_rgb(inks: &[u8], model: ColorModel) -> Vec<u8> {
    let inverted = matches!(model, ColorModel::Cmyk { inverted: true } | ColorModel::Ycck { inverted: true });
    let light = |ink: u8| f64::from(if inverted { 255 - ink } else { ink });
    inks.as_chunks::<4>().0.iter().flat_map(|[c, m, y, k]| [c, m, y].map(|ink| (light(*ink) * light(*k) / 255.0 + 0.5) as u8)).collect()
}

/// Every file of the folder that `JPEG_CORPUS` names, and says of each what became of it.
#[test]
fn a_folder_of_files_reads_as_djpeg_reads_it() {
    let (Some(folder), Some(corpus)) = (tools(), std::env::var_os("JPEG_CORPUS")) else { return };
    let mut numbers = Numbers(4);
    let (mut wrong, mut equal, mut operations) = (Vec::new(), 0, 0);
    let mut paths: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let stream = std::fs::read(&path).unwrap();
        let theirs = run(&folder, "djpeg", &["-dct", "int"], &stream).map(|file| parse(&file).1);
        let what = match (rows(&stream, 1, None), theirs) {
            (Ok(ours), Some(theirs)) => {
                let header = Header::read(None, &stream).unwrap();
                let model = header.color_model();
                let inks = matches!(model, ColorModel::Cmyk { .. } | ColorModel::Ycck { .. });
                if theirs == if inks { inks_as_rgb(&ours, model) } else { ours } { "equal".to_owned() } else { "DIFFERENT".to_owned() }
            }
            (Err(error), Some(_)) => format!("DIFFERENT: {error}"),
            (Ok(_), None) => "read here, but not by djpeg without a warning".to_owned(),
            (Err(error), None) => format!("refused by both: {error}"),
        };
        if what == "equal" {
            equal += 1;
            parts_are_of_the_whole(&stream, &name, &mut numbers);
            operations += (0..8).filter(|round| operation(&folder, &stream, *round, &name, &mut numbers).is_some()).count();
        }
        eprintln!("{name}: {what}");
        // It has only the first of its scans: libjpeg smooths over what is missing, which is not done here.
        if what.starts_with("DIFF") && name != "wuffs__data__peacock.progressive.scan001.jpeg" {
            wrong.push(name);
        }
    }
    eprintln!("{equal} files are equal, {operations} lossless operations on them");
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn coefficients_go_where_jpegtran_puts_them() {
    let Some(folder) = tools() else { return };
    let mut numbers = Numbers(3);
    let (mut compared, mut same) = (0, 0);
    for round in 0.. {
        let (what, stream) = stream(&folder, &mut numbers, round);
        if let Some(equal) = operation(&folder, &stream, numbers.below(8) as usize, &what, &mut numbers) {
            compared += 1;
            same += u32::from(equal);
        }
        if compared == STREAMS {
            break;
        }
    }
    eprintln!("{compared} compared, {same} the same to the byte");
}

/// A crop with the `which`th turn, here and by jpegtran: the coefficients must be the same. Whether the files are; `None` where there is nothing to compare.
fn operation(folder: &std::path::Path, stream: &[u8], which: usize, what: &str, numbers: &mut Numbers) -> Option<bool> {
    let turn = |transposed, flipped_across, flipped_down| Turn { transposed, flipped_across, flipped_down };
    let turns: [(&[&str], Turn); 8] = [
        (&[], turn(false, false, false)),
        (&["-rotate", "90"], turn(true, true, false)),
        (&["-rotate", "180"], turn(false, true, true)),
        (&["-rotate", "270"], turn(true, false, true)),
        (&["-flip", "horizontal"], turn(false, true, false)),
        (&["-flip", "vertical"], turn(false, false, true)),
        (&["-transpose"], turn(true, false, false)),
        (&["-transverse"], turn(true, true, true)),
    ];
    let (arguments, turn) = turns[which];
    let header = Header::read(None, stream).ok()?;
    let (across, down) = header.most();
    // A span of whole MCUs, or (mostly where that will do) one that ends anywhere.
    let mut span = |side: u32, factor: u8, whole: bool| {
        let mcu = u32::from(factor) * 8;
        let start = numbers.below(side) / mcu * mcu;
        let length = 1 + numbers.below(side - start);
        (start, if whole || numbers.below(8) == 0 { (length.div_ceil(mcu) * mcu).min((side - start) / mcu * mcu).max(1) } else { length })
    };
    let (flips_across, flips_down) = if turn.transposed { (turn.flipped_down, turn.flipped_across) } else { (turn.flipped_across, turn.flipped_down) };
    let ((x, width), (y, height)) = (span(header.dimensions.width(), across, flips_across), span(header.dimensions.height(), down, flips_down));
    let region = Rect::new(x, y, width, height).unwrap();
    let gray = numbers.below(4) == 0;
    let tables = if numbers.below(2) == 0 { Tables::Standard } else { Tables::Optimal { most: u64::MAX } };
    let transcode = Transcode { region, turn, gray, copied: Copied { tables, ..Copied::default() }, ..Transcode::whole(&header) };
    if !transcode.is_lossless(&header) {
        return None;
    }
    let crop = format!("{width}x{height}+{x}+{y}");
    let mut more = vec!["-copy", "none", "-perfect"];
    more.extend(arguments);
    if gray {
        more.push("-grayscale");
    }
    if tables != Tables::Standard {
        more.push("-optimize");
    }
    let theirs = run(folder, "jpegtran", &["-copy", "none", "-crop", &crop], stream).and_then(|stream| run(folder, "jpegtran", &more, &stream))?;
    let ours = transcode.run(&header, stream).unwrap_or_else(|error| panic!("{what}: {region} {arguments:?} {gray}: {error}"));
    let (our_header, their_header) = (Header::read(None, &ours).unwrap(), Header::read(None, &theirs).unwrap());
    assert_eq!(our_header.dimensions, their_header.dimensions);
    let all = |header: &Header, stream: &[u8]| -> Vec<_> {
        let components = super::decode::coefficients(header, stream, &Wanted::whole(header), None).unwrap();
        components.iter().enumerate().map(|(index, component)| (component.quantization, super::fuzzing::blocks(header, index, component))).collect()
    };
    assert!(all(&our_header, &ours) == all(&their_header, &theirs), "{what}: {region} {arguments:?} {gray}");
    Some(ours == theirs)
}
