//! Which values of a TIFF's samples are black, white and nothing: WINDOW, the tags that it goes by, and GDAL_NODATA.

use azulejo::api::{Service, Version};
use azulejo::{EncodeOptions, Error, Window, native};

use super::support::pixels;
use super::tiffs::{Page, file, pack_row};

const MIN: u16 = 280;
const MAX: u16 = 281;
const S_MIN: u16 = 340;
const S_MAX: u16 = 341;
const GDAL_METADATA: u16 = 42112;
const GDAL_NODATA: u16 = 42113;

fn render(bytes: &[u8], window: &str, request: &str) -> Result<image::RgbaImage, Error> {
    let mut service = Service::default();
    service.limits.window = Window::parse(window).unwrap();
    let mut source = bytes;
    let pyramid = native::open(&mut source, &service)?;
    native::render(&mut source, &pyramid, Version::V3, request, &service, &EncodeOptions::default()).map(|encoded| pixels(&encoded))
}

/// One row of gray samples of a type: 1 unsigned, 2 signed, 3 floating point.
fn row(format: u16, bits: u16, raws: &[u64]) -> Page {
    Page::new(false)
        .longs(256, &[raws.len() as u32])
        .longs(257, &[1])
        .shorts(258, &[bits])
        .shorts(259, &[1])
        .shorts(262, &[1])
        .shorts(277, &[1])
        .shorts(278, &[1])
        .shorts(339, &[format])
        .strips(vec![pack_row(raws, bits.into(), false)])
}

fn unsigned(values: &[u16]) -> Page {
    row(1, 16, &values.iter().map(|value| u64::from(*value)).collect::<Vec<_>>())
}

fn signed(values: &[i16]) -> Page {
    row(2, 16, &values.iter().map(|value| u64::from(*value as u16)).collect::<Vec<_>>())
}

fn floats(values: &[f32]) -> Page {
    row(3, 32, &values.iter().map(|value| u64::from(value.to_bits())).collect::<Vec<_>>())
}

/// Gray and alpha of each pixel.
fn shown(page: Page, window: &str) -> Vec<(u8, u8)> {
    render(&file(vec![page]), window, "full/max/0/default.png").unwrap().pixels().map(|pixel| (pixel.0[0], pixel.0[3])).collect()
}

fn grays(page: Page, window: &str) -> Vec<u8> {
    let shown = shown(page, window);
    assert!(shown.iter().all(|(_, alpha)| *alpha == 255), "{shown:?}");
    shown.into_iter().map(|(gray, _)| gray).collect()
}

fn statistics(items: &[(&str, u32, &str)]) -> String {
    let items: String = items.iter().map(|(name, band, value)| format!("  <Item name=\"{name}\" sample=\"{band}\">{value}</Item>\n")).collect();
    format!("<GDALMetadata>\n{items}</GDALMetadata>\n")
}

#[test]
fn auto_goes_by_what_the_file_says() {
    let page = || unsigned(&[0, 1023, 2048, 4095, 5000]);
    // Nothing.
    assert_eq!(grays(page(), "auto"), [0, 4, 8, 16, 19]);
    // Twelve bits in sixteen.
    assert_eq!(grays(page().shorts(MAX, &[4095]), "auto"), [0, 64, 128, 255, 255]);
    assert_eq!(grays(page().shorts(MIN, &[1023]).shorts(MAX, &[4095]), "auto"), [0, 0, 85, 255, 255]);
    assert_eq!(grays(page().shorts(MAX, &[4095]).shorts(262, &[0]), "auto"), [255, 191, 127, 0, 0]);
    let said = statistics(&[("STATISTICS_MAXIMUM", 0, "4095"), ("STATISTICS_MINIMUM", 0, "0"), ("STATISTICS_MEAN", 0, "7")]);
    assert_eq!(grays(page().text(GDAL_METADATA, &said), "auto"), [0, 64, 128, 255, 255]);
    // SMinSampleValue and SMaxSampleValue count most, then MinSampleValue and MaxSampleValue.
    let all = page().text(GDAL_METADATA, &said).shorts(MIN, &[0]).shorts(MAX, &[5000]);
    assert_eq!(grays(all.clone(), "auto"), [0, 52, 104, 209, 255]);
    assert_eq!(grays(all.clone().shorts(S_MIN, &[2048]).shorts(S_MAX, &[4095]), "auto"), [0, 0, 0, 255, 255]);
    assert_eq!(grays(all.clone().doubles(S_MIN, &[-0.5]).doubles(S_MAX, &[1e9]), "auto"), [0, 52, 104, 209, 255], "beyond the type");
    assert_eq!(grays(all.shorts(S_MIN, &[7]).shorts(S_MAX, &[7]), "auto"), [0, 52, 104, 209, 255], "no range");
    // A value of 8 bits that was left over would make all white.
    assert_eq!(grays(page().shorts(MIN, &[0]).shorts(MAX, &[255]), "auto"), [0, 4, 8, 16, 19]);
}

#[test]
fn signed_and_floating_point_samples() {
    let page = || signed(&[-32768, -100, 0, 155, 32767]);
    assert_eq!(grays(page(), "auto"), [0, 127, 128, 128, 255]);
    let page = || page().signed_shorts(S_MIN, &[-100]).signed_shorts(S_MAX, &[155]);
    assert_eq!(grays(page(), "auto"), [0, 0, 100, 255, 255]);
    assert_eq!(grays(page(), "full"), [0, 127, 128, 128, 255]);
    let page = || floats(&[-1.0, 0.0, 0.5, 1.0, 100.0, 255.0, f32::INFINITY, f32::NAN]);
    assert_eq!(grays(page(), "auto"), [0, 0, 128, 255, 255, 255, 255, 0]);
    assert_eq!(grays(page().floats(S_MIN, &[0.0]).floats(S_MAX, &[255.0]), "auto"), [0, 0, 1, 1, 100, 255, 255, 0]);
    assert_eq!(grays(page().shorts(MIN, &[0]).shorts(MAX, &[255]), "auto"), [0, 0, 1, 1, 100, 255, 255, 0]);
    assert_eq!(grays(page(), "-1,101"), [0, 3, 4, 5, 253, 255, 255, 0]);
    // Eight bits, signed.
    let page = || row(2, 8, &[0x80, 0xFF, 0, 10, 0x7F]);
    assert_eq!(grays(page(), "auto"), [0, 127, 128, 138, 255]);
    assert_eq!(grays(page(), "0,10"), [0, 0, 0, 255, 255]);
}

#[test]
fn full_and_numbers_do_not_ask_the_file() {
    let page = || unsigned(&[0, 1000, 2000, 4095]).shorts(MAX, &[4095]);
    assert_eq!(grays(page(), "full"), [0, 4, 8, 16]);
    assert_eq!(grays(page(), "1000,2000"), [0, 0, 255, 255]);
    assert_eq!(grays(page(), "-1000,2000"), [85, 170, 255, 255]);
    // The whole range of its type is no window.
    assert_eq!(grays(page(), "0,65535"), [0, 4, 8, 16]);
}

#[test]
fn ordinary_samples_stay_as_they_are() {
    // What a careless writer says of a picture, and what GDAL finds in one.
    let said = statistics(&[("STATISTICS_MINIMUM", 0, "50"), ("STATISTICS_MAXIMUM", 0, "100")]);
    for window in ["auto", "full", "50,100"] {
        let page = row(1, 8, &[0, 50, 75, 100, 255]).shorts(MIN, &[50]).shorts(MAX, &[100]).text(GDAL_METADATA, &said);
        assert_eq!(grays(page, window), [0, 50, 75, 100, 255], "{window}");
        let page = row(1, 4, &[0, 1, 15]).shorts(MAX, &[1]);
        assert_eq!(grays(page, window), [0, 17, 255], "{window}");
    }
    // A profile is of the whole range.
    let page = |window: &str| grays(unsigned(&[0, 4095, 65535]).shorts(MAX, &[4095]).undefined(34675, b"no profile that can be read"), window);
    assert_eq!(page("auto"), [0, 16, 255]);
    assert_eq!(page("0,4095"), [0, 255, 255]);
}

#[test]
fn colours_have_one_window_and_alpha_has_none() {
    let raws = [100, 200, 300, 32768, 300, 300, 300, 65535];
    let said = statistics(&[
        ("STATISTICS_MINIMUM", 0, "100"),
        ("STATISTICS_MAXIMUM", 0, "200"),
        ("STATISTICS_MINIMUM", 1, "150"),
        ("STATISTICS_MAXIMUM", 1, "250"),
        ("STATISTICS_MINIMUM", 2, "200"),
        ("STATISTICS_MAXIMUM", 2, "300"),
        ("STATISTICS_MINIMUM", 3, "0"),
        ("STATISTICS_MAXIMUM", 3, "65535"),
    ]);
    let page = row(1, 16, &raws).longs(256, &[2]).shorts(258, &[16; 4]).shorts(262, &[2]).shorts(277, &[4]).shorts(338, &[2]).shorts(339, &[1; 4]);
    let found = render(&file(vec![page.text(GDAL_METADATA, &said)]), "auto", "full/max/0/default.png").unwrap();
    assert_eq!((found.get_pixel(0, 0).0, found.get_pixel(1, 0).0), ([0, 128, 255, 128], [255; 4]));
}

#[test]
fn pixels_of_no_data_are_transparent() {
    let clear = |page: Page, text: &str, window: &str| {
        let alpha: Vec<u8> = shown(page.text(GDAL_NODATA, text), window).into_iter().map(|(_, alpha)| alpha).collect();
        assert!(alpha.iter().all(|alpha| matches!(alpha, 0 | 255)), "{alpha:?}");
        alpha.into_iter().map(|alpha| alpha == 0).collect::<Vec<_>>()
    };
    let bytes = || row(1, 8, &[0, 1, 255]);
    assert_eq!(clear(bytes(), "0", "auto"), [true, false, false]);
    assert_eq!(clear(bytes(), "255", "full"), [false, false, true]);
    for never in ["-9999", "256", "0.5", "nan", "none", ""] {
        assert_eq!(clear(bytes(), never, "auto"), [false; 3], "{never}");
    }
    assert_eq!(clear(row(1, 1, &[0, 1, 1]), "1 ", "auto"), [false, true, true]);
    assert_eq!(clear(row(1, 12, &[0, 4095, 7]), "4095", "auto"), [false, true, false]);
    assert_eq!(clear(signed(&[-9999, 0, 9999]), "-9999", "0,100"), [true, false, false]);
    let page = || floats(&[f32::MIN, -9999.0, 0.1, f32::NAN, f32::INFINITY]);
    assert_eq!(clear(page(), "-3.4028234663852886e+38", "auto"), [true, false, false, true, false]);
    assert_eq!(clear(page(), "-3.40282346638529e+38", "auto"), [true, false, false, true, false]);
    assert_eq!(clear(page(), "-9999", "auto"), [false, true, false, true, false]);
    assert_eq!(clear(page(), "0.1", "auto"), [false, false, true, true, false]);
    assert_eq!(clear(page(), "nan", "auto"), [false, false, false, true, false]);
    assert_eq!(clear(page(), "inf", "auto"), [false, false, false, true, true]);
    let doubles = row(3, 64, &[(-1.7976931348623157e308_f64).to_bits(), 0.1_f64.to_bits(), 0]);
    assert_eq!(clear(doubles.clone(), "-1.7976931348623157e+308", "auto"), [true, false, false]);
    assert_eq!(clear(doubles, "0.1", "auto"), [false, true, false]);
    // The index of a palette.
    let palette = [0, 65535, 0, 0, 0, 65535, 0, 0, 0, 0, 65535, 0];
    let page = row(1, 2, &[0, 1, 2]).shorts(262, &[3]).shorts(320, &palette).text(GDAL_NODATA, "1");
    let found = render(&file(vec![page]), "auto", "full/max/0/default.png").unwrap();
    assert_eq!(found.pixels().map(|pixel| pixel.0).collect::<Vec<_>>(), [[0, 0, 0, 255], [255, 255, 0, 0], [0, 0, 255, 255]]);
}

#[test]
fn a_pixel_of_no_data_has_it_in_all_its_colours() {
    // Red, green, blue and something that is not shown; of these pixels the first and the last are nothing.
    let raws = [[9, 9, 9, 1], [9, 8, 9, 9], [0, 0, 0, 9], [9, 9, 9, 9]];
    let of = |page: Page, samples: usize| {
        page.longs(256, &[4])
            .shorts(258, &vec![8; samples])
            .shorts(262, &[2])
            .shorts(277, &[samples as u16])
            .shorts(339, &vec![1; samples])
            .text(GDAL_NODATA, "9")
    };
    let (three, four): (Vec<u64>, Vec<u64>) = (raws.iter().flat_map(|pixel| &pixel[..3]).copied().collect(), raws.concat());
    let planes = (0..4).map(|plane| raws.iter().map(|pixel| pixel[plane] as u8).collect()).collect();
    for (name, page) in [
        ("three samples", of(row(1, 8, &three), 3)),
        ("four samples", of(row(1, 8, &four), 4).shorts(338, &[0])),
        ("four planes", of(row(1, 8, &four), 4).shorts(338, &[0]).shorts(284, &[2]).strips(planes)),
    ] {
        let found = render(&file(vec![page.clone()]), "auto", "full/max/0/default.png").unwrap();
        assert_eq!(found.pixels().map(|pixel| pixel.0[3]).collect::<Vec<_>>(), [0, 255, 255, 0], "{name}");
        assert_eq!((found.get_pixel(1, 0).0, found.get_pixel(2, 0).0), ([9, 8, 9, 255], [0, 0, 0, 255]), "{name}");
    }
    // What has alpha says there what is nothing.
    let page = of(row(1, 8, &four), 4).shorts(338, &[2]);
    let found = render(&file(vec![page]), "auto", "full/max/0/default.png").unwrap();
    assert_eq!(found.pixels().map(|pixel| pixel.0[3]).collect::<Vec<_>>(), [1, 9, 9, 9]);
}

#[test]
fn all_levels_have_the_window_and_the_nothing_of_the_full_image() {
    let page = |side: u32, value: u16| {
        let raws = vec![u64::from(value); (side * side) as usize];
        row(1, 16, &raws).longs(254, &[u32::from(side < 32)]).longs(256, &[side]).longs(257, &[side]).shorts(278, &[side as u16])
    };
    let levels = |full: Page, copy: Page| file(vec![full, copy]);
    let gray = |bytes: &[u8], request: &str| render(bytes, "auto", request).unwrap().get_pixel(3, 3).0;
    let (full, half) = ("full/max/0/default.png", "full/16,16/0/default.png");
    // The copies say other things of themselves, as GDAL's do of their own statistics, or nothing. 1000 in the image, 2000 in its copy.
    let said = statistics(&[("STATISTICS_MINIMUM", 0, "0"), ("STATISTICS_MAXIMUM", 0, "2000")]);
    for copy in [page(16, 2000), page(16, 2000).shorts(MAX, &[3000])] {
        let bytes = levels(page(32, 1000).text(GDAL_METADATA, &said), copy);
        assert_eq!((gray(&bytes, full), gray(&bytes, half)), ([128, 128, 128, 255], [255; 4]));
    }
    let bytes = levels(page(32, 1000).text(GDAL_NODATA, "2000"), page(16, 2000));
    assert_eq!((gray(&bytes, full)[3], gray(&bytes, half)[3]), (255, 0));
    // What the copy alone says does not count.
    let bytes = levels(page(32, 1000), page(16, 2000).text(GDAL_NODATA, "2000").shorts(MAX, &[2000]));
    assert_eq!((gray(&bytes, full), gray(&bytes, half)), ([4, 4, 4, 255], [8, 8, 8, 255]));
    // One of another type has other values, and no use.
    let copy = page(16, 9).shorts(258, &[8]).strips(vec![vec![9; 256]]);
    let bytes = levels(page(32, 1000).shorts(MAX, &[2000]), copy);
    assert_eq!(gray(&bytes, half), [128, 128, 128, 255]);
}
