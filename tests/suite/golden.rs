//! Answers that must not change unnoticed: a digest of every answer's bytes, and small pictures to look at.
//!
//! `BLESS=1 cargo test golden` writes them anew; the difference is then reviewed like code. The Worker's suite asks for the same answers over HTTP and
//! compares them with the same table, which makes native and wasm agree byte for byte.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::support::{images, pixels, render, root};

/// Every file is asked these.
const REQUESTS: &[&str] = &[
    "full/max/0/default.png",
    "square/^33,/0/default.png",
    "pct:10,10,60,60/^20,/90/color.png",
    "3,5,17,13/max/!180/gray.png",
    "full/^31,/0/bitonal.png",
    "full/^30,/33.3/default.png",
    "full/^150,/0/default.png",
    "full/max/0/default.jpg",
    "full/^37,/22.5/gray.jpg",
    "full/^38,/0/default.webp",
    "full/^38,/0/bitonal.webp",
    "full/^39,/270/default.gif",
    "full/max/!90/default.tif",
];
const PICTURE: &str = "full/!64,64/0/default.png";

fn files() -> Vec<(String, Vec<u8>)> {
    ["tests/fixtures", "www/samples"].iter().flat_map(|folder| images(folder)).collect()
}

fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

#[test]
fn digests_of_answers() {
    let path = root().join("tests/golden/digests.tsv");
    let mut found = String::from("file\trequest\twidth\theight\tsha256\n");
    for (name, bytes) in files() {
        for request in REQUESTS {
            match render(&bytes, request) {
                Ok(encoded) => {
                    let digest = Sha256::digest(&encoded.bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
                    let size = encoded.dimensions;
                    writeln!(found, "{name}\t{request}\t{}\t{}\t{digest}", size.width(), size.height()).unwrap();
                }
                Err(error) => panic!("{name} {request}: {error}"),
            }
        }
    }
    if is_blessing() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let rows = |text: &str| -> BTreeMap<(String, String), String> {
        let row = |line: &str| line.splitn(3, '\t').map(str::to_owned).collect::<Vec<_>>();
        text.lines().skip(1).map(row).map(|cells| ((cells[0].clone(), cells[1].clone()), cells[2].clone())).collect()
    };
    let (expected, found) = (rows(&std::fs::read_to_string(&path).unwrap()), rows(&found));
    let changed: Vec<_> = found.iter().filter(|(key, value)| expected.get(*key) != Some(value)).map(|(key, _)| format!("{} {}", key.0, key.1)).collect();
    assert!(changed.is_empty(), "{} answers changed (BLESS=1 takes them): {changed:#?}", changed.len());
    assert_eq!(expected.len(), found.len(), "answers are gone");
}

#[test]
fn pictures() {
    for (name, bytes) in files() {
        let path = root().join("tests/golden").join(format!("{name}.png"));
        let encoded = render(&bytes, PICTURE).unwrap();
        let actual = pixels(&encoded);
        if is_blessing() {
            std::fs::write(&path, &encoded.bytes).unwrap();
            continue;
        }
        let expected = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}; BLESS=1 makes it", path.display())).to_rgba8();
        if expected == actual {
            continue;
        }
        let out = root().join("tests/out");
        std::fs::create_dir_all(&out).unwrap();
        let comparison = out.join(format!("{name}.png"));
        side_by_side(&expected, &actual).save(&comparison).unwrap();
        panic!("{name} changed: expected | difference | actual in {}", comparison.display());
    }
}

fn side_by_side(expected: &image::RgbaImage, actual: &image::RgbaImage) -> image::RgbaImage {
    let (width, height) = (expected.width().max(actual.width()), expected.height().max(actual.height()));
    let at = |image: &image::RgbaImage, x, y| image.get_pixel_checked(x, y).copied().unwrap_or(image::Rgba([255, 0, 255, 255]));
    image::RgbaImage::from_fn(width * 3, height, |x, y| {
        let (expected, actual) = (at(expected, x % width, y), at(actual, x % width, y));
        match x / width {
            0 => expected,
            1 => image::Rgba([0, 1, 2, 3].map(|channel| if channel == 3 { 255 } else { expected.0[channel].abs_diff(actual.0[channel]).saturating_mul(8) })),
            _ => actual,
        }
    })
}
