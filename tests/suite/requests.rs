//! Requests that a format or the limits cannot hold: what comes instead, and what is said.

use azulejo::api::{ImageRequest, Service, Version};
use azulejo::{Dimensions, EncodeOptions, Error, Limits, Pyramid, Remedy, Render, Result, native};
use image::{GrayImage, ImageFormat};

use super::support::{images, pixels};

/// A PNG wider than JPEG, GIF and WebP can be.
fn wide() -> Vec<u8> {
    let mut file = Vec::new();
    GrayImage::from_fn(100_000, 100, |x, _| [(x / 400) as u8].into()).write_to(&mut std::io::Cursor::new(&mut file), ImageFormat::Png).unwrap();
    file
}

#[test]
fn the_whole_of_a_wide_image_is_as_large_as_the_format_holds() {
    let file = wide();
    let mut service = Service::default();
    // A GIF takes more than the default.
    service.limits.memory = 128 << 20;
    let pyramid = native::open(&mut &file[..], &service).unwrap();
    for (version, request, width, height) in [
        (Version::V3, "full/max/0/default.jpg", 65_535, 66),
        (Version::V2, "full/full/0/default.jpg", 65_535, 66),
        (Version::V1_1, "full/full/0/native.jpg", 65_535, 66),
        (Version::V3, "full/max/0/default.webp", 16_383, 16),
        (Version::V3, "full/max/90/default.webp", 16, 16_383),
        (Version::V3, "full/max/0/default.gif", 65_535, 66),
    ] {
        let encoded = native::render(&mut &file[..], &pyramid, version, request, &service, &EncodeOptions::default()).unwrap();
        assert_eq!(encoded.dimensions, Dimensions::new(width, height).unwrap(), "{request}");
        let shown = pixels(&encoded);
        assert_eq!(shown.dimensions(), (width, height), "{request}");
        // The gray of a column tells its place.
        let (x, y) = if width > height { (width * 3 / 4, height / 2) } else { (width / 2, height * 3 / 4) };
        assert!(shown.get_pixel(x, y).0[0].abs_diff(187) <= 3, "{request}: {:?}", shown.get_pixel(x, y));
    }
}

fn plan(pyramid: &Pyramid, request: &str, limits: &Limits) -> Result<()> {
    let service = Service { limits: limits.clone(), ..Service::default() };
    let resolved = ImageRequest::parse(Version::V3, request)?.resolve(&pyramid.info(&service))?;
    Render::new(pyramid, &resolved, &EncodeOptions::default(), limits).map(drop)
}

#[test]
fn what_costs_too_much_is_told_a_size_that_does_not() {
    let service = Service::default();
    let mut named = 0;
    for (name, file) in images("tests/fixtures") {
        let Ok(pyramid) = native::open(&mut &file[..], &service) else { continue };
        for memory in [3 << 20, 4 << 20] {
            let mut limits = Limits::default();
            limits.memory = memory;
            for last in ["0/default.webp", "30/default.png", "0/default.gif"] {
                let Err(Error::SourceTooCostly { remedy, .. }) = plan(&pyramid, &format!("full/^1500,1500/{last}"), &limits) else { continue };
                let request = |size: Dimensions| format!("full/^{},{}/{last}", size.width(), size.height());
                match remedy {
                    Remedy::Size(size) => {
                        named += 1;
                        assert_eq!(plan(&pyramid, &request(size), &limits), Ok(()), "{name} {last} {size}");
                        let larger = Dimensions::new(size.width() + 1, size.height() + 1).unwrap();
                        assert!(plan(&pyramid, &request(larger), &limits).is_err(), "{name} {last} {larger}");
                    }
                    Remedy::File => assert!(plan(&pyramid, "full/1,1/0/default.webp", &limits).is_err(), "{name} {last}"),
                    other => panic!("{name} {last}: {other:?}"),
                }
            }
        }
    }
    assert!(named > 20, "{named} sizes were named");
}

#[test]
fn a_rotated_answer_is_within_the_limits() {
    let file = images("tests/fixtures").into_iter().find(|(name, _)| name.ends_with(".png")).unwrap().1;
    let mut service = Service::default();
    service.limits.max_width = Some(100);
    let pyramid = native::open(&mut &file[..], &service).unwrap();
    let render = |request: &str| native::render(&mut &file[..], &pyramid, Version::V3, request, &service, &EncodeOptions::default());
    let Err(Error::TooLarge { largest: Some(largest), rotated: Some(rotated), .. }) = render("full/^80,80/45/default.png") else { panic!("it is served") };
    assert_eq!((largest, rotated), (Dimensions::new(70, 70).unwrap(), Dimensions::new(114, 114).unwrap()));
    assert_eq!(render("full/^70,70/45/default.png").unwrap().dimensions, Dimensions::new(99, 99).unwrap());
    for request in ["full/^60000,20/45/default.jpg", "full/^5600,5/45/gray.png"] {
        let error = native::render(&mut &file[..], &pyramid, Version::V3, request, &Service::default(), &EncodeOptions::default()).unwrap_err();
        assert_eq!((error.code(), error.status()), ("too-large", 400), "{request}: {error}");
    }
}
