//! TIFF pages that are one JPEG strip: read like a JPEG file, with what the tags say of them.

use azulejo::api::{Service, Version};
use azulejo::ingest::Options;
use azulejo::{EncodeOptions, Limits, native};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::ingest;
use super::striped::{Page, write};
use super::strips::{DEFLATE, NONE, PACKBITS, page, samples};
use super::support::{drip_page, pixels, psnr, render, render_damaged, render_strictly};

/// A JPEG of samples, coded as they are.
pub fn jpeg(data: &[u8], color: ColorType, sampling: SamplingFactor, progressive: bool) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut encoder = Encoder::new(&mut stream, 85);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(progressive);
    encoder.encode(data, 1000, 1500, color).unwrap();
    stream
}

/// A stream without its tables, and these as a stream of their own.
fn apart(stream: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut tables, mut rest, mut at) = (vec![0xFF, 0xD8], vec![0xFF, 0xD8], 2);
    while stream[at + 1] != 0xDA {
        let length = 2 + usize::from(u16::from_be_bytes([stream[at + 2], stream[at + 3]]));
        let into = if matches!(stream[at + 1], 0xC4 | 0xDB) { &mut tables } else { &mut rest };
        into.extend_from_slice(&stream[at..at + length]);
        at += length;
    }
    tables.extend([0xFF, 0xD9]);
    rest.extend_from_slice(&stream[at..]);
    (tables, rest)
}

const JPEG_REQUESTS: [&str; 9] = [
    "450,700,257,300/max/0/default.png",
    "full/100,/0/default.png",
    "full/500,/0/default.jpg",
    "750,1495,250,5/max/0/gray.png",
    "50,1000,500,300/max/90/default.png",
    // Coefficients that are copied, cut and turned.
    "full/max/0/default.jpg",
    "128,64,400,320/max/0/default.jpg",
    "128,64,400,320/max/90/default.jpg",
    "128,64,400,320/max/0/gray.jpg",
];

#[test]
fn a_jpeg_in_one_strip_is_what_it_is_as_a_file() {
    let (colors, gray) = (samples(1000, 1500, 3), samples(1000, 1500, 1));
    for (data, color, photometric, channels, sampling, progressive) in [
        (&colors, ColorType::Rgb, 6, 3, SamplingFactor::R_4_2_0, false),
        (&colors, ColorType::Rgb, 6, 3, SamplingFactor::R_4_4_4, false),
        (&gray, ColorType::Luma, 1, 1, SamplingFactor::R_4_4_4, false),
        (&colors, ColorType::Rgb, 6, 3, SamplingFactor::R_4_2_0, true),
    ] {
        let stream = jpeg(data, color, sampling, progressive);
        let (tables, rest) = apart(&stream);
        let whole = Page { subsampling: Some([2, 2]).filter(|_| channels == 3), ..page(&stream, 8, photometric, channels, 7) };
        let abbreviated = Page { jpeg_tables: Some(&tables), data: &rest, ..whole.clone() };
        // The strip is neither at the beginning of the file nor at its end.
        let (first, last) = (page(&gray, 8, 1, 1, DEFLATE), page(&gray, 8, 0, 1, PACKBITS));
        for (what, page) in [("with its tables", &whole), ("with tables apart", &abbreviated)] {
            if progressive && page.jpeg_tables.is_some() {
                continue;
            }
            let file = write(&[first.clone(), page.clone(), last.clone()]);
            for request in JPEG_REQUESTS {
                // A progressive one is decoded as a chunk, without reductions.
                if progressive && !(request.contains("max") && request.ends_with("default.png")) {
                    continue;
                }
                let expected = render(&stream, request).unwrap();
                let what = format!("{what}, {channels}, {sampling:?}, {progressive}, {request}");
                for piece in [u64::MAX, 5003] {
                    let (answer, ..) = drip_page(&file, 2, request, piece, &Limits::default()).unwrap_or_else(|error| panic!("{what}: {error:?}"));
                    assert!(answer.bytes == expected.bytes, "{what} in pieces of {piece}");
                }
            }
        }
        if !progressive {
            let file = write(std::slice::from_ref(&whole));
            assert!(ingest::write(&file, &Options::default()).unwrap() == ingest::write(&stream, &Options::default()).unwrap(), "its pyramid");
        }
    }
}

#[test]
fn the_tags_say_what_the_components_of_a_jpeg_mean() {
    let colors = samples(1000, 1500, 3);
    // The samples are coded as they are; the stream says YCbCr.
    let stream = jpeg(&colors, ColorType::Ycbcr, SamplingFactor::R_4_4_4, false);
    let rgb = write(&[page(&stream, 8, 2, 3, 7)]);
    let difference = |request: &str, data: &[u8]| {
        let plain = write(&[page(data, 8, 2, 3, NONE)]);
        psnr(&pixels(&render(&rgb, request).unwrap()), &pixels(&render(&plain, request).unwrap()))
    };
    for request in ["450,700,257,300/max/0/default.png", "448,704,256,304/max/0/default.jpg"] {
        assert!(difference(request, &colors) > 30.0, "{request}: {} dB", difference(request, &colors));
    }
    // Four components are inks.
    let inks = samples(1000, 1500, 4);
    let stream = jpeg(&inks, ColorType::Cmyk, SamplingFactor::R_4_4_4, false);
    // Adobe's segment says that they are the other way round, and so does this encoder code them.
    let coded: Vec<u8> = inks.iter().map(|ink| 255 - ink).collect();
    let request = "450,700,257,300/max/0/default.png";
    let (found, expected) = (render(&write(&[page(&stream, 8, 5, 4, 7)]), request).unwrap(), render(&write(&[page(&coded, 8, 5, 4, NONE)]), request).unwrap());
    let near = psnr(&pixels(&found), &pixels(&expected));
    assert!(near > 28.0, "{near} dB");
}

#[test]
fn a_jpeg_strip_is_turned_cut_short_and_found_by_its_index() {
    let colors = samples(1000, 1500, 3);
    let stream = jpeg(&colors, ColorType::Rgb, SamplingFactor::R_4_2_0, false);
    let whole = Page { subsampling: Some([2, 2]), orientation: 6, ..page(&stream, 8, 6, 3, 7) };
    let file = write(std::slice::from_ref(&whole));
    // Orientation 6 is a turn by 90° of what is stored.
    let turned = render(&stream, "0,1100,300,400/max/90/default.png").unwrap();
    assert!(render(&file, "0,0,400,300/max/0/default.png").unwrap().bytes == turned.bytes);
    // Rows beyond the image, of the last MCUs.
    let padded = write(&[Page { height: 1490, ..whole.clone() }]);
    assert_eq!(native::open(&mut padded.as_slice(), &Service::default()).unwrap().dimensions().to_string(), "1490×1000");
    render(&padded, "full/max/0/default.png").unwrap();
    let short = write(&[Page { data: &stream[..stream.len() / 2], ..whole }]);
    render(&short, "1100,0,300,300/max/0/default.png").unwrap();
    let error = render_strictly(&short, "full/200,/0/default.png").unwrap_err();
    assert!(error.code() == "source-corrupt" && error.to_string().contains("TIFF"), "{error:?}");
    let (_, incomplete) = render_damaged(&short, "full/200,/0/default.png").unwrap();
    let incomplete = incomplete.unwrap();
    assert!((600..900).contains(&incomplete.rows) && incomplete.damage.to_string().contains("TIFF"), "{incomplete:?}");
    // What is learnt of the file leads a second instance to what it needs.
    let service = Service::default();
    let pyramid = native::open(&mut file.as_slice(), &service).unwrap();
    let ask =
        |pyramid| native::render(&mut file.as_slice(), pyramid, Version::V3, "0,0,200,200/max/0/default.png", &service, &EncodeOptions::default()).unwrap();
    let first = ask(&pyramid);
    let other = native::open(&mut file.as_slice(), &service).unwrap();
    assert!(other.wants_index());
    assert!(other.take_index(&pyramid.index().unwrap()));
    assert!(ask(&other).bytes == first.bytes);
}
