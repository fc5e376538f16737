//! JPEG to JPEG in planes shows what the way over pixels shows: nothing is shifted, cut or discoloured.

use azulejo::EncodeOptions;
use azulejo::api::{Service, Version};
use azulejo::native;

use super::support::{pixels, psnr, render, root};

const REQUESTS: &[&str] = &[
    "full/max/0/default",
    "full/63,/0/default",
    "full/^301,/0/default",
    "3,5,71,53/max/0/default",
    "3,5,71,53/40,/0/default",
    "4,6,61,47/max/0/gray",
    "1,1,60,50/17,33/0/gray",
];

#[test]
fn planes_show_what_pixels_show() {
    let (mut options, mut coarse) = (EncodeOptions::default(), EncodeOptions::default());
    (options.jpeg_quality, coarse.jpeg_quality) = (100, 89);
    for name in ["baseline-420.jpg", "baseline-422.jpg", "baseline-444.jpg", "gray.jpg", "progressive.jpg", "tiles-jpeg.tif", "strips-jpeg.tif"] {
        let bytes = std::fs::read(root().join("tests/fixtures").join(name)).unwrap();
        let mut source = bytes.as_slice();
        let service = Service::default();
        let pyramid = native::open(&mut source, &service).unwrap();
        for request in REQUESTS {
            let mut show = |format: &str, options: &EncodeOptions| {
                let encoded = native::render(&mut source, &pyramid, Version::V3, &format!("{request}.{format}"), &service, options);
                pixels(&encoded.unwrap_or_else(|error| panic!("{name} {request}: {error}")))
            };
            let (exact, planes, coarse) = (show("png", &options), show("jpg", &options), show("jpg", &coarse));
            for (shown, least) in [(&planes, 48.0), (&coarse, 36.0)] {
                assert_eq!(exact.dimensions(), shown.dimensions(), "{name} {request}");
                let psnr = psnr(&exact, shown);
                assert!(psnr > least, "{name} {request}: {psnr:.1} dB");
            }
        }
    }
}

#[test]
fn a_chunk_is_gone_on_with_where_it_is_known() {
    let sound = std::fs::read(root().join("www/samples/retina-pyramid.tif")).unwrap();
    // All streams have other bits where they begin: whoever reads those shows something else, or nothing.
    let mut broken = sound.clone();
    for at in 0..sound.len() - 40 {
        if sound[at..].starts_with(&[0xFF, 0xDA, 0]) {
            broken[at + 16..at + 24].fill(0x11);
        }
    }
    let service = Service::default();
    let known = native::open(&mut sound.as_slice(), &service).unwrap();
    let show = |mut source: &[u8], request: &str| native::render(&mut source, &known, Version::V3, request, &service, &EncodeOptions::default()).unwrap().bytes;
    for request in ["300,310,100,100/max/0/default.jpg", "270,400,77,90/max/0/default.jpg", "300,310,100,100/max/0/default.png"] {
        let fresh = render(&sound, request).unwrap().bytes;
        assert!(render(&broken, request).map_or(true, |encoded| encoded.bytes != fresh), "{request}");
        for _ in 0..2 {
            assert_eq!(show(&sound, request), fresh, "{request}");
        }
        assert_eq!(show(&broken, request), fresh, "{request}, from what is known of it");
    }
}
