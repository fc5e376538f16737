//! Which directories of a TIFF are pages, levels, thumbnails, masks, labels: by marks, by sizes and tiles, and by what scanners are known to write.

use azulejo::api::{Associated, ImageRequest, Page, Service, Version};
use azulejo::native;
use azulejo::{EncodeOptions, Error, Pyramid};
use image::Rgba;

use super::directories::{Coding, FILLING, File, Image, Values};
use super::masks::masked;
use super::support::{is_clean, pixels};

pub const RED: [u8; 3] = [200, 10, 20];
pub const GREEN: [u8; 3] = [20, 200, 10];
pub const BLUE: [u8; 3] = [10, 20, 200];
const GRAY: [u8; 3] = [90, 90, 90];
const WHITE: [u8; 3] = [250, 250, 250];

pub fn open(file: &[u8], page: impl Into<Page>) -> Result<Pyramid, Error> {
    native::open_page(&mut { file }, page, &Service::default())
}

/// Width, height, and by what the levels are divided that are stored, of a page.
fn told(file: &[u8], page: impl Into<Page>) -> (u32, u32, Vec<u32>) {
    let pyramid = open(file, page).unwrap();
    let info = pyramid.info(&Service::default());
    // Beyond the last stored level they go on by doubling.
    (pyramid.dimensions().width(), pyramid.dimensions().height(), info.tiles()[0].scale_factors.clone())
}

pub fn render(file: &[u8], page: impl Into<Page>, request: &str) -> image::RgbaImage {
    let (service, mut source) = (Service::default(), file);
    let pyramid = open(file, page).unwrap();
    pixels(&native::render(&mut source, &pyramid, Version::V3, request, &service, &EncodeOptions::default()).unwrap())
}

/// The tint of an answer that is all of one.
pub fn tint(file: &[u8], page: impl Into<Page>, request: &str) -> [u8; 3] {
    let shown = render(file, page, request);
    let Rgba([red, green, blue, alpha]) = *shown.get_pixel(0, 0);
    assert!(alpha == 255 && shown.pixels().all(|pixel| pixel.0 == [red, green, blue, 255]), "{request} is of several tints");
    [red, green, blue]
}

fn json(file: &[u8], page: impl Into<Page>) -> String {
    open(file, page).unwrap().info(&Service::default()).json(Version::V3, "https://example.org/x")
}

fn not_found(file: &[u8], page: impl Into<Page>) -> String {
    let error = open(file, page).unwrap_err();
    assert_eq!((error.code(), error.status()), ("not-found", 404));
    error.to_string()
}

#[test]
fn a_page_of_half_the_size_that_is_marked_as_a_page_is_no_level() {
    let pages = |kind: fn(Image) -> Image| File::of(vec![kind(Image::stripped(640, 480, RED)), kind(Image::stripped(320, 240, BLUE))]);
    let numbered = |first: u16| {
        let number = |index: u16| Values::Short(vec![index, 2]);
        File::of(vec![Image::tiled(640, 480, 64, RED).with(297, number(first)), Image::tiled(320, 240, 64, BLUE).with(297, number(first + 1))])
    };
    for (how, file) in [
        ("NewSubfileType 2", pages(|page| page.kind(2))),
        ("SubfileType 3", pages(|page| page.with(255, Values::Short(vec![3])))),
        ("SubfileType 1", pages(|page| page.with(255, Values::Short(vec![1])))),
        ("strips without a mark", pages(|page| page)),
        ("tiles with page numbers", numbered(0)),
        ("tiles of other sizes", File::of(vec![Image::tiled(640, 480, 64, RED), Image::tiled(320, 240, 32, BLUE)])),
        ("tiles and a strip", File::of(vec![Image::tiled(640, 480, 64, RED), Image::stripped(320, 240, BLUE)])),
    ] {
        assert_eq!(tint(&file, 1, "full/320,240/0/default.png"), RED, "{how}");
        assert_eq!(tint(&file, 2, "full/max/0/default.png"), BLUE, "{how}");
        assert_eq!(open(&file, 1).unwrap().pages().count(), Some(2), "{how}");
        assert!(json(&file, 1).contains(r#""pages":2"#), "{how}");
        assert_eq!(not_found(&file, Associated::Label), "The file has no label image.");
    }
}

#[test]
fn levels_are_told_by_marks_or_by_their_tiles() {
    let levels = |mark: fn(Image) -> Image| {
        let level = |image: Image| mark(image);
        File::of(vec![Image::tiled(641, 481, 64, RED), level(Image::tiled(320, 240, 64, GREEN)), level(Image::tiled(160, 120, 64, BLUE))])
    };
    let number = |image: Image| image.kind(2).with(297, Values::Short(vec![0, 3]));
    let magick = File::of(vec![number(Image::stripped(640, 480, RED)), number(Image::stripped(320, 240, GREEN)), number(Image::stripped(160, 120, BLUE))]);
    let both = File::of(vec![Image::tiled(641, 481, 64, RED).kind(2), Image::tiled(320, 240, 64, GREEN).kind(3), Image::tiled(160, 120, 64, BLUE).kind(3)]);
    let children =
        File::of(vec![Image::tiled(641, 481, 64, RED).over(vec![Image::tiled(320, 240, 64, GREEN).kind(1), Image::tiled(160, 120, 64, BLUE).kind(1)])]);
    for (how, file) in [
        ("NewSubfileType 1", levels(|level| level.kind(1))),
        ("SubfileType 2", levels(|level| level.with(255, Values::Short(vec![2])))),
        ("tiles without a mark", levels(|level| level)),
        ("pages of one number", magick),
        ("reduced pages", both),
        ("SubIFDs", children),
    ] {
        assert_eq!(tint(&file, 1, "full/320,/0/default.png"), GREEN, "{how}");
        assert_eq!(tint(&file, 1, "full/160,/0/default.png"), BLUE, "{how}");
        assert_eq!(tint(&file, 1, "0,0,64,64/max/0/default.png"), RED, "{how}");
        let pages = open(&file, 1).unwrap().pages();
        assert_eq!((pages.count(), pages.associated.is_empty()), (Some(1), true), "{how}");
        assert!(!json(&file, 1).contains("pages"), "{how}");
    }
}

#[test]
fn what_is_no_whole_part_of_the_page_is_no_level() {
    for (how, other) in [
        ("one side", Image::tiled(320, 200, 64, GREEN)),
        ("the sides turned", Image::tiled(240, 320, 64, GREEN)),
        ("another model", Image::tiled(320, 240, 64, GREEN).with(262, Values::Short(vec![8]))),
        ("more samples", Image::tiled(320, 240, 64, GREEN).with(277, Values::Short(vec![4]))),
        ("other bits", Image::tiled(320, 240, 64, GREEN).with(258, Values::Short(vec![16, 16, 16]))),
    ] {
        let file = File::of(vec![Image::tiled(640, 480, 64, RED), other.clone()]);
        assert_eq!(open(&file, 1).unwrap().pages().known, 2, "{how}");
        assert_eq!(tint(&file, 1, "full/320,/0/default.png"), RED, "{how}");
        if how == "other bits" {
            // A level may have fewer bits than its image, if it calls itself one.
            continue;
        }
        // A mark makes it no page, and no level either.
        let file = File::of(vec![Image::tiled(640, 480, 64, RED), other.kind(1), Image::tiled(160, 120, 64, BLUE).kind(1)]);
        assert_eq!(open(&file, 1).unwrap().pages().known, 1, "{how}");
        assert_eq!(tint(&file, 1, "full/320,/0/default.png"), RED, "{how}");
        assert_eq!(tint(&file, 1, "full/160,/0/default.png"), BLUE, "{how}");
    }
}

/// As Aperio's scanners write it: levels without marks, the thumbnail second, label and macro last.
fn aperio() -> Vec<u8> {
    let words = |rest: &str| format!("Aperio Image Library v12.0.15\r\n{rest}");
    File::of(vec![
        Image::tiled(4699, 3001, 240, RED).described(&words("4699x3001 [0,0 4699x3001] (240x240) JPEG/RGB Q=80|AppMag = 20|MPP = 0.5")),
        // Nearly a sixteenth.
        Image::stripped(294, 188, WHITE).described(&words("4699x3001 -> 294x188 - |AppMag = 20")),
        Image::tiled(1174, 750, 240, GREEN).described(&words("4699x3001 [0,0 4699x3001] (240x240) -> 1174x750 JPEG/RGB Q=80")),
        Image::tiled(293, 187, 240, BLUE).described(&words("4699x3001 [0,0 4699x3001] (240x240) -> 293x187 JPEG/RGB Q=80")),
        Image::stripped(38, 46, GRAY).kind(1).described(&words("label 38x46")),
        Image::stripped(128, 43, FILLING).kind(9).described(&words("macro 128x43")),
    ])
}

#[test]
fn an_aperio_slide() {
    let file = aperio();
    assert_eq!(told(&file, 1), (4699, 3001, vec![1, 4, 16, 32]));
    assert_eq!(tint(&file, 1, "0,0,240,240/max/0/default.png"), RED);
    assert_eq!(tint(&file, 1, "full/1000,/0/default.png"), GREEN);
    assert_eq!(tint(&file, 1, "full/293,187/0/default.png"), BLUE);
    assert_eq!(tint(&file, 1, "full/100,/0/default.png"), BLUE);
    // To the last pixel of the scan.
    assert_eq!(tint(&file, 1, "4400,2800,299,201/75,50/0/default.png"), GREEN);
    assert_eq!(told(&file, Associated::Thumbnail).0, 294);
    for (name, size, expected) in [(Associated::Label, (38, 46), GRAY), (Associated::Macro, (128, 43), FILLING), (Associated::Thumbnail, (294, 188), WHITE)] {
        let pyramid = open(&file, name).unwrap();
        assert_eq!((pyramid.dimensions().width(), pyramid.dimensions().height()), size);
        assert_eq!((pyramid.pages().page, pyramid.pages().next(), pyramid.pages().previous()), (Page::Named(name), None, None));
        assert_eq!(tint(&file, name, "full/max/0/default.png"), expected);
        assert!(json(&file, name).contains(r#""pages":[1,"label","macro","thumbnail"]"#));
    }
    assert!(json(&file, 1).contains(r#""pages":[1,"label","macro","thumbnail"]"#));
    let info = open(&file, 1).unwrap().info(&Service::default());
    let sizes: Vec<_> = info.sizes().iter().map(|size| size.width()).collect();
    assert_eq!(sizes, [147, 293, 1174], "the whole is over maxArea");
    assert!(info.json(Version::V2, "https://example.org/x").ends_with(r#","pages":[1,"label","macro","thumbnail"]}"#));
    assert_eq!(not_found(&file, 2), "There is no page 2: the image has one.");
}

#[test]
fn an_aperio_slide_whose_scanner_names_no_image() {
    let words = "Aperio Leica Biosystems GT450 v1.0.1\r\n";
    let file = File::of(vec![
        Image::tiled(1000, 800, 256, RED).described(words),
        Image::stripped(100, 80, WHITE).described(words),
        Image::tiled(250, 200, 256, GREEN).described(words),
        Image::stripped(40, 44, GRAY).kind(1).described(words),
        Image::stripped(90, 30, BLUE).kind(9).described(words),
    ]);
    assert_eq!(told(&file, 1).2, [1, 4]);
    assert_eq!(tint(&file, Associated::Label, "full/max/0/default.png"), GRAY);
    assert_eq!(tint(&file, Associated::Macro, "full/max/0/default.png"), BLUE);
}

/// As Leica's scanners write it: the macro image first, then two scans; the XML tells which is which.
fn leica(xml: &str) -> Vec<u8> {
    let images = vec![
        Image::tiled(160, 440, 64, GRAY).described(xml),
        Image::tiled(40, 110, 64, GRAY).kind(1),
        Image::tiled(80, 220, 64, GRAY).kind(1),
        Image::tiled(300, 201, 64, WHITE),
        Image::tiled(75, 50, 64, WHITE).kind(1),
        Image::tiled(803, 601, 128, RED),
        Image::tiled(200, 150, 128, GREEN).kind(1),
        Image::tiled(50, 37, 128, BLUE).kind(1),
        Image::stripped(31, 33, FILLING),
    ];
    File { big: true, images }.write()
}

const SCN: &str = r#"<?xml version="1.0"?>
<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01" uuid="urn:uuid:1"><collection name="a &gt; b" uuid="urn:uuid:2" sizeX="16000" sizeY="44000"><barcode>MTIz</barcode>
<image name="macro"><pixels sizeX="160" sizeY="440"><dimension sizeX="160" sizeY="440" r="0" ifd="0"/><dimension sizeX="80" sizeY="220" r="1" ifd="2"/><dimension sizeX="40" sizeY="110" r="2" ifd="1"/></pixels>
<view sizeX="16000" sizeY="44000" offsetX="0" offsetY="0" spacingZ="0"/></image>
<image name="small"><pixels sizeX="300" sizeY="201"><dimension sizeX="300" sizeY="201" r="0" ifd="3"/><dimension sizeX="75" sizeY="50" r="1" ifd="4"/></pixels>
<view sizeX="3000" sizeY="2010" offsetX="100" offsetY="7000" spacingZ="0"/></image>
<image name="main"><pixels sizeX="803" sizeY="601"><dimension sizeX="803" sizeY="601" r="0" ifd="5"/><dimension sizeX="200" sizeY="150" r="1" ifd="6"/><dimension sizeX="50" sizeY="37" r="2" ifd="7"/></pixels>
<view sizeX="8030" sizeY="6010" offsetX="100" offsetY="100" spacingZ="0"/></image>
<supplementalImage type="label" ifd="8"/>
</collection></scn>"#;

#[test]
fn a_leica_slide() {
    let file = leica(SCN);
    assert_eq!(told(&file, 1), (803, 601, vec![1, 4, 16]));
    assert_eq!(tint(&file, 1, "full/400,/0/default.png"), RED);
    assert_eq!(tint(&file, 1, "full/200,/0/default.png"), GREEN);
    assert_eq!(tint(&file, 1, "full/40,/0/default.png"), BLUE);
    assert_eq!(told(&file, 2).0, 300);
    assert_eq!(tint(&file, 2, "full/75,/0/default.png"), WHITE);
    assert_eq!(tint(&file, Associated::Macro, "full/160,/0/default.png"), GRAY);
    assert_eq!(tint(&file, Associated::Label, "full/max/0/default.png"), FILLING);
    assert!(json(&file, 2).contains(r#""pages":[1,2,"label","macro"]"#));
    assert_eq!(not_found(&file, Associated::Thumbnail), "The file has no thumbnail image.");
}

#[test]
fn a_leica_slide_whose_xml_tells_nothing_is_read_by_its_marks() {
    for xml in ["<scn ", "<scn xmlns=\"x\"><collection></collection></scn>", "<scn ><image><dimension sizeX=\"1\" sizeY=\"1\" ifd=\"99\"/></image></scn>"] {
        let file = leica(xml);
        assert_eq!(told(&file, 1).0, 160, "{xml}");
        assert_eq!(open(&file, 1).unwrap().pages().count(), Some(4), "{xml}");
        assert_eq!(tint(&file, 3, "full/200,/0/default.png"), GREEN, "{xml}");
    }
}

#[test]
fn a_philips_slide() {
    let levels = |mark: u32| {
        vec![
            Image::tiled(1280, 768, 128, RED).described("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<DataObject ObjectType=\"DPUfsImport\">"),
            Image::tiled(640, 384, 128, GREEN).kind(mark),
            Image::tiled(320, 192, 128, BLUE).filled_up().kind(mark),
            Image::tiled(160, 96, 128, WHITE).filled_up().kind(mark),
            Image::tiled(80, 48, 128, GRAY).filled_up().kind(mark),
            Image::tiled(40, 24, 128, RED).filled_up().kind(mark),
            Image::stripped(60, 50, BLUE).kind(1).described("Macro -offset=(0,0)-pixelsize=(0.03,0.03)"),
            Image::stripped(30, 31, GRAY).kind(1).described("Label"),
        ]
    };
    let mut by_software = levels(1);
    by_software[0] = Image::tiled(1280, 768, 128, RED).with(305, Values::Text("Philips DP v1.0".to_owned()));
    for (how, images) in [("marked", levels(1)), ("not marked", levels(0)), ("known by its software", by_software)] {
        let file = File::of(images);
        assert_eq!(told(&file, 1), (1280, 768, vec![1, 2, 4, 8, 16, 32]), "{how}");
        // Nothing of what fills the tiles up is seen, and the right columns of tiles are read.
        for (width, expected) in [(640, GREEN), (320, BLUE), (160, WHITE), (80, GRAY), (40, RED)] {
            assert_eq!(tint(&file, 1, &format!("full/{width},/0/default.png")), expected, "{how}: {width}");
        }
        assert_eq!(tint(&file, 1, "1024,512,256,256/64,64/0/default.png"), BLUE, "{how}");
        assert_eq!(tint(&file, Associated::Macro, "full/max/0/default.png"), BLUE, "{how}");
        assert_eq!(tint(&file, Associated::Label, "full/max/0/default.png"), GRAY, "{how}");
        assert!(json(&file, 1).contains(r#""pages":[1,"label","macro"]"#), "{how}");
    }
}

#[test]
fn slides_of_hamamatsu_are_refused_by_name() {
    let scan = || Image::stripped(640, 480, RED);
    for image in [scan().with(65_420, Values::Long(vec![1])), scan().with(271, Values::Text("Hamamatsu".to_owned()))] {
        let error = open(&File::of(vec![image, Image::stripped(64, 48, BLUE)]), 1).unwrap_err();
        assert_eq!((error.code(), error.status()), ("source-unsupported", 501));
        assert!(error.to_string().contains("NDPI of Hamamatsu"), "{error}");
    }
    let other = File::of(vec![scan().with(271, Values::Text("Hasselbla".to_owned()))]);
    assert_eq!(told(&other, 1).0, 640);
}

#[test]
fn an_image_behind_its_thumbnail() {
    let thumbnail = || Image::stripped(160, 120, GRAY).kind(1).with(274, Values::Short(vec![6]));
    let child = || Image::stripped(640, 480, RED).kind(0);
    let preview = || Image::stripped(320, 240, GREEN).kind(1);
    // The thumbnail's orientation is the image's, unless that has one.
    for (how, file, size) in [
        ("a SubIFD", File::of(vec![thumbnail().over(vec![preview(), child()])]), (480, 640)),
        ("a SubIFD that tells its orientation", File::of(vec![thumbnail().over(vec![child().with(274, Values::Short(vec![1])), preview()])]), (640, 480)),
        ("a later directory", File::of(vec![thumbnail(), preview(), child()]), (640, 480)),
    ] {
        let pyramid = open(&file, 1).unwrap();
        assert_eq!((pyramid.dimensions().width(), pyramid.dimensions().height()), size, "{how}");
        assert_eq!(pyramid.pages().count(), Some(1), "{how}");
        assert_eq!(tint(&file, 1, "full/max/0/default.png"), RED, "{how}");
        assert_eq!(tint(&file, 1, "full/!320,320/0/default.png"), GREEN, "{how}");
        assert_eq!(tint(&file, 1, "full/!160,160/0/default.png"), GRAY, "{how}");
    }
}

#[test]
fn damaged_directories_give_an_error_or_a_picture() {
    let philips = File::of(vec![
        Image::tiled(256, 256, 128, RED).with(305, Values::Text("Philips".to_owned())),
        Image::tiled(100, 100, 128, GREEN).filled_up(),
        Image::stripped(9, 9, GRAY).described("Label"),
    ]);
    let child = File::of(vec![Image::stripped(16, 12, GRAY).kind(1).over(vec![Image::stripped(64, 48, RED)])]);
    for (how, file) in
        [("Aperio", aperio()), ("Leica", leica(SCN)), ("Philips", philips), ("masks", masked(Some(64), Coding::Deflate, Coding::None)), ("child", child)]
    {
        let (whole, step) = (file.len(), file.len() / 250 + 1);
        for (turn, position) in (0..whole).step_by(step).enumerate() {
            let mut damaged = file.clone();
            damaged[position] = [0, 0xFF, damaged[position] ^ 0x80, damaged[position].wrapping_add(1)][turn % 4];
            for page in [Page::FIRST, Associated::Label.into()] {
                for file in [damaged.as_slice(), &file[..position]] {
                    let (service, mut source) = (Service::default(), file);
                    let result = native::open_page(&mut source, page, &service).and_then(|pyramid| {
                        native::render(&mut source, &pyramid, Version::V3, "pct:20,20,60,60/^17,/0/default.png", &service, &EncodeOptions::default())
                    });
                    if let Err(error) = result {
                        assert!(is_clean(&error) || error.code() == "not-found", "{how} at {position}: {} {error}", error.code());
                    }
                }
            }
        }
    }
}

#[test]
fn a_description_costs_an_ordinary_pyramid_no_round() {
    let pyramid = |words: &str| {
        let image = |side: u32| Image::tiled(side, side, 256, RED).coded(Coding::None);
        File::of(vec![image(512).described(words), image(256).kind(1), image(128).kind(1)])
    };
    let traffic = |file: &[u8]| super::support::drip(file, "full/100,/0/default.png", u64::MAX).unwrap().1;
    let (plain, described) = (traffic(&pyramid("")), traffic(&pyramid(&"<OME>".repeat(400))));
    assert!(described.rounds == plain.rounds && described.ranges == plain.ranges, "{plain:?}, then {described:?}");
}

#[test]
fn a_slide_is_opened_in_few_rounds() {
    let file = aperio();
    let (_, opening, _) = super::support::drip(&file, "full/100,/0/default.png", u64::MAX).unwrap();
    assert!(opening.rounds <= 4 && opening.bytes < 192 << 10, "{opening:?} of {} bytes", file.len());
    for piece in [1, 7, 1000] {
        super::support::drip(&file, "full/100,/0/default.png", piece).unwrap();
    }
    // Requests are told of by the same levels.
    let info = open(&file, 1).unwrap().info(&Service::default());
    let request = ImageRequest::parse(Version::V3, "full/293,/0/default.png").unwrap().resolve(&info).unwrap();
    assert_eq!((request.size().width(), request.size().height()), (293, 187));
}
