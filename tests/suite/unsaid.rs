//! TIFFs whose tags leave something unsaid, or say more than is needed.

use super::support::{pixels, render, render_strictly, root};
use super::tiffs::{Page, file};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(name)).unwrap()
}

/// One row of samples of 8 bits.
fn page(samples: u16, strip: &[u8]) -> Page {
    Page::new(false)
        .longs(256, &[strip.len() as u32 / u32::from(samples)])
        .longs(257, &[1])
        .shorts(258, &vec![8; samples.into()])
        .shorts(259, &[1])
        .shorts(277, &[samples])
        .shorts(278, &[1])
        .strips(vec![strip.to_vec()])
}

fn shown(page: Page) -> Vec<[u8; 4]> {
    pixels(&render(&file(vec![page]), "full/max/0/default.png").unwrap()).pixels().map(|pixel| pixel.0).collect()
}

#[test]
fn a_missing_photometric_interpretation_is_what_libtiff_supposes() {
    assert_eq!(shown(page(1, &[0, 100, 255])), [[0, 0, 0, 255], [100, 100, 100, 255], [255; 4]]);
    assert_eq!(shown(page(3, &[1, 2, 3])), [[1, 2, 3, 255]]);
    assert_eq!(shown(page(4, &[1, 2, 3, 4])), [[1, 2, 3, 4]]);
    // Separated, as it has inks.
    for inks in [1, 2] {
        let answer = render(&file(vec![page(4, &[255, 0, 0, 0]).shorts(332, &[inks])]), "full/max/0/default.png");
        match inks {
            1 => assert_eq!(pixels(&answer.unwrap()).get_pixel(0, 0).0, [0, 255, 255, 255]),
            _ => assert!(answer.unwrap_err().to_string().contains("inks other than CMYK")),
        }
    }
}

#[test]
fn ccitt_without_a_photometric_interpretation_is_white_where_it_is_zero() {
    for name in ["group3.tif", "group3-2d.tif", "group4.tif"] {
        let mut bytes = fixture(name);
        let expected = pixels(&render(&bytes, "full/max/0/default.png").unwrap());
        // PhotometricInterpretation (a SHORT, 0) becomes a tag that nobody knows.
        let entry = bytes.windows(10).position(|bytes| bytes == [0x06, 1, 3, 0, 1, 0, 0, 0, 0, 0]).unwrap();
        bytes[entry] = 0x05;
        assert_eq!(pixels(&render(&bytes, "full/max/0/default.png").unwrap()), expected, "{name}");
    }
}

#[test]
fn a_sample_beyond_the_colours_is_alpha_unless_the_tag_says_otherwise() {
    let rgb = |extra: &[u16]| {
        let page = page(4, &[9, 8, 7, 6]).shorts(262, &[2]);
        if extra.is_empty() { page } else { page.shorts(338, extra) }
    };
    assert_eq!(shown(rgb(&[])), [[9, 8, 7, 6]]);
    assert_eq!(shown(rgb(&[2])), [[9, 8, 7, 6]]);
    assert_eq!(shown(rgb(&[0])), [[9, 8, 7, 255]]);
    let gray = |samples: u16| page(samples, &[9, 6, 5][..samples.into()]).shorts(262, &[1]);
    assert_eq!(shown(gray(2)), [[9, 9, 9, 6]]);
    assert_eq!(shown(gray(2).shorts(338, &[0])), [[9, 9, 9, 255]]);
    // Two more are too many to know what they are.
    assert_eq!(shown(gray(3)), [[9, 9, 9, 255]]);
}

#[test]
fn zstandard_frames_may_declare_more_of_a_window_than_they_need() {
    let mut bytes = fixture("tiles-zstd.tif");
    // Frames without a flag, and their windows of 4 MiB.
    let frames: Vec<usize> = (0..bytes.len() - 6).filter(|at| bytes[*at..at + 6] == [0x28, 0xB5, 0x2F, 0xFD, 0, 0x60]).collect();
    assert_eq!(frames.len(), 8);
    // 128 MiB and more, as high levels of compression have it.
    frames.iter().zip([0x88, 0x90, 0xFF].iter().cycle()).for_each(|(at, window)| bytes[at + 5] = *window);
    assert_eq!(pixels(&render(&bytes, "full/max/0/default.png").unwrap()), image::load_from_memory(&fixture("rgb8.png")).unwrap().to_rgba8());
}

#[test]
fn pack_bits_may_take_twice_as_many_bytes_as_pixels() {
    let (width, height) = (200, 200);
    let plain: Vec<u8> = (0..width * height).map(|index| (index % 251) as u8).collect();
    let of = |compression: u16, strip: Vec<u8>| {
        let page = Page::new(false).longs(256, &[width]).longs(257, &[height]).shorts(258, &[8]).shorts(259, &[compression]).shorts(262, &[1]);
        file(vec![page.shorts(277, &[1]).longs(278, &[height]).strips(vec![strip])])
    };
    // Each byte is a run of its own, as careless encoders write it.
    let packed: Vec<u8> = plain.iter().flat_map(|byte| [0, *byte]).collect();
    let expected = render(&of(1, plain), "full/max/0/default.png").unwrap().bytes;
    assert_eq!(render_strictly(&of(32773, packed), "full/max/0/default.png").unwrap().bytes, expected);
}
