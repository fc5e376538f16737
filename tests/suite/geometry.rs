//! Properties of regions, sizes and tiles that hold for every image and every request.

use azulejo::Dimensions;
use azulejo::api::{ConfinedUpscale, ImageRequest, Info, ResolvedRequest, Router, Service, Stored, Version};
use proptest::prelude::*;

fn unlimited() -> Service {
    let mut service = Service::default();
    service.limits.max_area = None;
    service
}

fn resolve(version: Version, request: &str, info: &Info) -> azulejo::Result<ResolvedRequest> {
    ImageRequest::parse(version, request)?.resolve(info)
}

/// `full/max/0/default.jpg` and the like, by version.
fn request(version: Version, region: &str, size: &str) -> String {
    let quality = if version.is_1() { "native" } else { "default" };
    format!("{region}/{size}/0/{quality}.jpg")
}

/// The IIIF tile grid (3.0 implementation notes): each tile is answered in just the size asked for, and together they cover the image once.
fn grid(info: &Info) {
    let image = info.dimensions();
    for tiles in info.tiles() {
        for &factor in &tiles.scale_factors {
            let step = |side: u32| u64::from(side) * u64::from(factor);
            let (mut covered, mut y) = (0u64, 0u64);
            while y < u64::from(image.height()) {
                let h = step(tiles.height).min(u64::from(image.height()) - y);
                let mut x = 0u64;
                while x < u64::from(image.width()) {
                    let w = step(tiles.width).min(u64::from(image.width()) - x);
                    let (ws, hs) = (w.div_ceil(u64::from(factor)), h.div_ceil(u64::from(factor)));
                    for version in Version::ALL {
                        let text = request(version, &format!("{x},{y},{w},{h}"), &format!("{ws},{hs}"));
                        let tile = resolve(version, &text, info).unwrap_or_else(|error| panic!("{image} {version} {text}: {error}"));
                        let region = tile.region();
                        assert_eq!((u64::from(region.x()), u64::from(region.y()), u64::from(region.width()), u64::from(region.height())), (x, y, w, h));
                        assert_eq!((u64::from(tile.size().width()), u64::from(tile.size().height())), (ws, hs));
                        assert!(!tile.upscaled());
                    }
                    covered += w * h;
                    x += step(tiles.width);
                }
                y += step(tiles.height);
            }
            assert_eq!(covered, image.area(), "scale factor {factor} of {image}");
        }
        let last = *tiles.scale_factors.last().expect("a scale factor");
        assert!(image.reduced(last).fits_in(Dimensions::new(tiles.width, tiles.height).expect("a tile")), "the last scale factor is one tile");
    }
}

#[test]
fn tiles_cover_prime_images() {
    for (width, height) in [(1, 1), (2, 3), (127, 131), (997, 1009), (7919, 104_729), (104_729, 13), (1, 65_537)] {
        let image = Dimensions::new(width, height).expect("an image");
        for chunk in [None, Dimensions::new(256, 256), Dimensions::new(512, 128), Dimensions::new(1021, 509)] {
            grid(&match chunk {
                Some(tile) => Info::tiled(image, &Stored { tile, levels: vec![(1, image)] }, &unlimited()),
                None => Info::new(image, &unlimited()),
            });
        }
    }
}

#[test]
fn tiles_of_one_pixel() {
    // A limit of 1 px leaves tiles of 1 px.
    let mut service = unlimited();
    service.limits.max_width = Some(1);
    for (width, height) in [(1, 1), (5, 3), (17, 31)] {
        let info = Info::new(Dimensions::new(width, height).expect("an image"), &service);
        assert_eq!((info.tiles()[0].width, info.tiles()[0].height), (1, 1));
        grid(&info);
    }
}

#[test]
fn the_greatest_image() {
    let info = Info::new(Dimensions::new(u32::MAX, u32::MAX).expect("an image"), &Service::default());
    for version in Version::ALL {
        for (region, size) in
            [("full", "1,"), ("4294967294,4294967294,1,1", "1,1"), ("pct:99.9999999999999,0,1,1", "1,1"), ("full", "!512,512"), ("pct:0,0,100,100", ",512")]
        {
            let resolved = resolve(version, &request(version, region, size), &info);
            assert!(resolved.is_ok(), "{version} {region} {size} {resolved:?}");
        }
    }
    assert!(info.tiles()[0].scale_factors.len() > 20);
}

prop_compose! {
    fn image()(width in 1u32..5000, height in 1u32..5000) -> Dimensions {
        Dimensions::new(width, height).expect("not empty")
    }
}

fn service() -> impl Strategy<Value = Service> {
    let side = || prop_oneof![Just(None), (1u32..6000).prop_map(Some)];
    let area = prop_oneof![Just(None), (1u64..20_000_000).prop_map(Some)];
    (side(), side(), area, any::<bool>(), any::<bool>()).prop_map(|(width, height, area, upscaling, reject)| {
        let mut service = Service { upscaling, ..Service::default() };
        (service.limits.max_width, service.limits.max_height, service.limits.max_area) = (width, height, area);
        service.confined_upscale = if reject { ConfinedUpscale::Reject } else { ConfinedUpscale::Clamp };
        service
    })
}

fn region() -> impl Strategy<Value = String> {
    let percent = || "[0-9]{1,2}(\\.[0-9]{1,6})?";
    prop_oneof![
        Just("full".to_owned()),
        Just("square".to_owned()),
        (0u32..5000, 0u32..5000, 1u32..6000, 1u32..6000).prop_map(|(x, y, w, h)| format!("{x},{y},{w},{h}")),
        (percent(), percent(), percent(), percent()).prop_map(|(x, y, w, h)| format!("pct:{x},{y},{w},{h}")),
    ]
}

fn size() -> impl Strategy<Value = String> {
    let form = prop_oneof![
        Just("full".to_owned()),
        Just("max".to_owned()),
        (1u32..6000).prop_map(|w| format!("{w},")),
        (1u32..6000).prop_map(|h| format!(",{h}")),
        "[0-9]{1,3}(\\.[0-9]{1,6})?".prop_map(|n| format!("pct:{n}")),
        (1u32..6000, 1u32..6000).prop_map(|(w, h)| format!("{w},{h}")),
        (1u32..6000, 1u32..6000).prop_map(|(w, h)| format!("!{w},{h}")),
    ];
    (prop_oneof![Just(""), Just("^")], form).prop_map(|(caret, form)| format!("{caret}{form}"))
}

fn version() -> impl Strategy<Value = Version> {
    prop::sample::select(Version::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn canonical_is_a_fixed_point(version in version(), image in image(), service in service(), region in region(), size in size(), turn in "!?[0-9]{1,2}(\\.[0-9]{1,3})?") {
        let info = Info::new(image, &service);
        let text = request(version, &region, &size).replacen("/0/", &format!("/{turn}/"), 1);
        if let Ok(resolved) = resolve(version, &text, &info) {
            let again = resolve(version, resolved.canonical(), &info);
            prop_assert_eq!(again.as_ref(), Ok(&resolved));
            prop_assert!(image.rect().contains(resolved.region()));
            prop_assert!(service.upscaling || !resolved.upscaled());
            prop_assert!(service.limits.max_area.is_none_or(|area| resolved.size().area() <= area));
            prop_assert!(service.limits.max_width.is_none_or(|width| resolved.size().width() <= width));
        }
    }

    #[test]
    fn every_published_size_is_served(version in version(), image in image(), service in service()) {
        let info = Info::new(image, &service);
        for size in info.sizes() {
            let resolved = resolve(version, &request(version, "full", &format!("{},{}", size.width(), size.height())), &info);
            prop_assert_eq!(resolved.map(|resolved| resolved.size()), Ok(*size));
        }
        prop_assert!(info.sizes().is_sorted_by_key(|size| size.area()));
    }

    #[test]
    fn every_published_tile_is_served(width in 1u32..700, height in 1u32..700, tile_width in 1u32..300, tile_height in 1u32..300) {
        let image = Dimensions::new(width, height).expect("an image");
        let tile = Dimensions::new(tile_width, tile_height).expect("a tile");
        grid(&Info::tiled(image, &Stored { tile, levels: vec![(1, image)] }, &unlimited()));
    }

    #[test]
    fn percent_neighbours_share_an_edge(image in image(), first in 1u32..99_999, second in 1u32..100_000) {
        // Thousandths of a percent; the second begins where the first ends.
        let percent = |thousandths: u32| format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
        let info = Info::new(image, &unlimited());
        let region = |start: u32, length: u32| {
            resolve(Version::V3, &request(Version::V3, &format!("pct:{},0,{},100", percent(start), percent(length)), "max"), &info).expect("inside").region()
        };
        let (left, right) = (region(0, first), region(first, second));
        // Where a part is less than a pixel it gets one all the same, and overlaps.
        let whole = f64::from(first) / 100_000.0 * f64::from(image.width());
        if (0.5..f64::from(image.width()) - 0.5).contains(&whole) {
            prop_assert_eq!(left.right(), right.x());
        }
    }

    #[test]
    fn the_other_side_keeps_the_shape(version in version(), image in image(), width in 1u32..5000) {
        let info = Info::new(image, &unlimited());
        if let Ok(resolved) = resolve(version, &request(version, "full", &format!("{width},")), &info) {
            let exact = f64::from(image.height()) * f64::from(width) / f64::from(image.width());
            prop_assert_eq!(resolved.size().width(), width);
            prop_assert!((f64::from(resolved.size().height()) - exact.max(0.5)).abs() <= 0.5 + 1e-6);
        }
    }

    #[test]
    fn anything_is_read_without_a_panic(version in version(), bytes in prop::collection::vec(any::<u8>(), 0..200), slashes: bool) {
        let text = String::from_utf8_lossy(&bytes);
        let info = Info::new(Dimensions::new(300, 200).expect("an image"), &Service::default());
        let _ = resolve(version, &text, &info);
        let router = Router { prefix: "/iiif/{version}/".to_owned(), versions: Version::ALL.to_vec(), allow_slashes: slashes };
        let _ = router.route(&format!("/iiif/{version}/{text}"));
        let _ = router.route(&text);
    }

    #[test]
    fn anything_like_a_request_is_answered_400_or_so(version in version(), image in image(), text in "[a-z0-9,:!^%.+ -]{0,12}/[a-z0-9,:!^%.]{0,12}/[!0-9.]{0,6}/(default|native|gray|bitonal)?[.]?[a-z0-9]{0,4}") {
        let info = Info::new(image, &Service::default());
        if let Err(error) = resolve(version, &text, &info) {
            prop_assert!(matches!(error.status(), 400 | 415 | 501), "{}", error);
            prop_assert!(error.part().is_some());
        }
    }
}
