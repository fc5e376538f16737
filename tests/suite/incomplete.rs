//! Damaged files that are shown all the same: what is there is exact, what is missing is filled, and the answer says from which row on.

use super::support::{images, is_clean, pixels, render, render_damaged, render_strictly, root};
use azulejo::Incomplete;
use image::RgbaImage;

const ALL: &str = "full/max/0/default.png";

fn fixture(name: &str) -> Vec<u8> {
    directory_first(&std::fs::read(root().join("tests/fixtures").join(name)).unwrap())
}

/// The fixtures; of TIFFs the directory comes first, so that it is there when the file is cut off.
fn fixtures() -> Vec<(String, Vec<u8>)> {
    images("tests/fixtures").into_iter().map(|(name, bytes)| (name, directory_first(&bytes))).collect()
}

fn number(bytes: &[u8], at: usize, size: usize) -> usize {
    bytes[at..at + size].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// The first page of a little-endian TIFF with its directory before the pixels; any other file as it is.
fn directory_first(file: &[u8]) -> Vec<u8> {
    const STRIP_OFFSETS: usize = 273;
    const TILE_OFFSETS: usize = 324;
    const SUB_IFDS: usize = 330;
    const SIZES: [usize; 13] = [1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
    if !file.starts_with(b"II*\0") {
        return file.to_vec();
    }
    let directory = number(file, 4, 4);
    let count = number(file, directory, 2);
    let entries: Vec<&[u8]> = (0..count).map(|index| &file[directory + 2 + index * 12..][..12]).collect();
    if entries.iter().any(|entry| number(entry, 0, 2) == SUB_IFDS) {
        return file.to_vec();
    }
    let length = |entry: &[u8]| SIZES[number(entry, 2, 2)] * number(entry, 4, 4);
    let values: usize = entries.iter().map(|entry| length(entry)).filter(|length| *length > 4).sum();
    let begin = 8 + 2 + count * 12 + 4;
    // Everything as it was comes behind, so that places move by this.
    let moved = begin + values;
    let (mut head, mut behind) = ([b"II*\0".as_slice(), &8_u32.to_le_bytes(), &(count as u16).to_le_bytes()].concat(), Vec::new());
    for entry in entries {
        let (tag, size, length) = (number(entry, 0, 2), SIZES[number(entry, 2, 2)], length(entry));
        let mut value = if length > 4 { file[number(entry, 8, 4)..][..length].to_vec() } else { entry[8..].to_vec() };
        if matches!(tag, STRIP_OFFSETS | TILE_OFFSETS) {
            for index in 0..number(entry, 4, 4) {
                let place = (number(&value, index * size, size) + moved).to_le_bytes();
                value[index * size..][..size].copy_from_slice(&place[..size]);
            }
        }
        head.extend(&entry[..8]);
        if length > 4 {
            head.extend(((begin + behind.len()) as u32).to_le_bytes());
            behind.extend(value);
        } else {
            head.extend(value);
        }
    }
    [head, vec![0; 4], behind, file.to_vec()].concat()
}

/// The picture of a file that may be damaged, and how many rows are said to be there.
fn shown(bytes: &[u8]) -> (RgbaImage, Option<u32>) {
    let (encoded, incomplete) = render_damaged(bytes, ALL).unwrap();
    if let Some(Incomplete { damage, .. }) = &incomplete {
        assert_eq!(damage.code(), "source-corrupt");
        assert_eq!(render_strictly(bytes, ALL).unwrap_err().code(), "source-corrupt", "{damage}");
    }
    (pixels(&encoded), incomplete.map(|incomplete| incomplete.rows))
}

fn rows(image: &RgbaImage, rows: std::ops::Range<u32>) -> &[u8] {
    let stride = image.width() as usize * 4;
    &image.as_raw()[rows.start as usize * stride..rows.end as usize * stride]
}

/// Whether rows have their own pixels as soon as anything of them is shown: not of what comes in several passes, and not turned.
fn is_by_rows(name: &str) -> bool {
    !["progressive", "interlaced", "orientation"].iter().any(|word| name.contains(word))
}

#[test]
fn every_fixture_cut_and_shown() {
    let mut shown_at_all = std::collections::BTreeMap::new();
    for (name, bytes) in fixtures() {
        let whole = pixels(&render(&bytes, ALL).unwrap());
        for length in (40..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let cut = &bytes[..length];
            let (encoded, incomplete) = match render_damaged(cut, ALL) {
                Ok(made) => made,
                Err(error) => {
                    assert!(is_clean(&error), "{name} cut at {length}: {} {error}", error.code());
                    assert!(render_strictly(cut, ALL).is_err());
                    continue;
                }
            };
            let found = pixels(&encoded);
            assert_eq!(found.dimensions(), whole.dimensions());
            let Some(Incomplete { rows: count, damage }) = incomplete else {
                assert!(found == whole, "{name} cut at {length} gives another picture");
                continue;
            };
            assert_eq!(render_strictly(cut, ALL).unwrap_err().code(), "source-corrupt", "{name} cut at {length}: {damage}");
            *shown_at_all.entry(name.clone()).or_insert(0) += 1;
            // Chroma of JPEG is mixed with that of the row below.
            let exact = if name.contains("jp") { count.saturating_sub(1) } else { count };
            if is_by_rows(&name) {
                assert!(count < whole.height(), "{name} cut at {length} lacks nothing");
                assert!(rows(&found, 0..exact) == rows(&whole, 0..exact), "{name} cut at {length}: above row {count}");
            }
        }
    }
    // Of most formats most lengths are shown; of files with directories at the end none.
    for name in [
        "baseline-420.jpg",
        "progressive.jpg",
        "rgb8.png",
        "interlaced.png",
        "plain.gif",
        "lossy.webp",
        "lossy-alpha.webp",
        "lossy-partitions.webp",
        "lossless.webp",
        "lossless-rgb.jpg",
        "group4.tif",
        "strips-lzw.tif",
    ] {
        assert!(shown_at_all.get(name).is_some_and(|times| *times > 15), "{name}: {shown_at_all:?}");
    }
}

#[test]
fn what_is_missing_is_gray_white_or_transparent() {
    for (name, fill) in [
        ("rgb8.png", [128, 128, 128, 255]),
        ("gray16.png", [128, 128, 128, 255]),
        ("rgba16.png", [0, 0, 0, 0]),
        ("plain.gif", [128, 128, 128, 255]),
        ("transparent.gif", [0, 0, 0, 0]),
        ("lossy.webp", [128, 128, 128, 255]),
        ("lossless.webp", [128, 128, 128, 255]),
        ("lossy-alpha.webp", [0, 0, 0, 0]),
        ("lossless-rgb.jpg", [128, 128, 128, 255]),
        ("baseline-444.jpg", [128, 128, 128, 255]),
        ("strips-none.tif", [128, 128, 128, 255]),
        ("strips-lzw.tif", [128, 128, 128, 255]),
        ("strips-deflate.tif", [128, 128, 128, 255]),
        ("strips-packbits.tif", [128, 128, 128, 255]),
        ("strips-jpeg.tif", [128, 128, 128, 255]),
        ("rgb16.tif", [128, 128, 128, 255]),
        ("rgba8.tif", [0, 0, 0, 0]),
        ("tiles-webp.tif", [128, 128, 128, 255]),
        ("tiles-zstd.tif", [128, 128, 128, 255]),
        ("group4.tif", [255; 4]),
        ("group3.tif", [255; 4]),
        ("group3-2d.tif", [255; 4]),
        ("modified-huffman.tif", [255; 4]),
    ] {
        let bytes = fixture(name);
        let (whole, complete) = shown(&bytes);
        assert_eq!(complete, None, "{name}");
        let lengths = (1..8).map(|eighths| bytes.len() * eighths / 8).rev();
        let mut seen = 0;
        for (found, count) in lengths.filter_map(|length| render_damaged(&bytes[..length], ALL).ok()) {
            let (found, count) = (pixels(&found), count.map(|incomplete| incomplete.rows));
            let Some(count) = count else { continue };
            seen += 1;
            let last = rows(&found, whole.height() - 1..whole.height());
            // Of tiles the one at the right is the last.
            let last = if name.contains("tiles") { &last[last.len() - 4..] } else { last };
            assert!(last.as_chunks::<4>().0.iter().all(|pixel| *pixel == fill), "{name}: {count} rows, then {:?}", &last[..4]);
        }
        assert!(seen >= 3, "{name} was shown {seen} times");
    }
}

#[test]
fn a_byte_that_is_wrong_leaves_what_lies_above_it() {
    for (name, bytes) in fixtures().into_iter().filter(|(name, _)| is_by_rows(name)) {
        let whole = pixels(&render(&bytes, ALL).unwrap());
        for position in (60..bytes.len()).step_by(bytes.len() / 30 + 1) {
            // What comes before the byte is what there is of the file that is cut off there.
            let above = |length: usize| render_damaged(&bytes[..length], ALL).ok().and_then(|(_, incomplete)| incomplete).map(|incomplete| incomplete.rows);
            let Some(most) = above(position) else { continue };
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x55;
            match render_damaged(&damaged, ALL) {
                Ok((encoded, incomplete)) => {
                    let found = pixels(&encoded);
                    let count = incomplete.as_ref().map_or(whole.height(), |incomplete| incomplete.rows);
                    let exact = count.min(most).saturating_sub(if name.contains("jp") { 1 } else { 0 });
                    assert!(rows(&found, 0..exact) == rows(&whole, 0..exact), "{name} with another byte at {position}: {exact} rows");
                    assert_eq!(render_strictly(&damaged, ALL).is_err(), incomplete.is_some(), "{name} at {position}: {incomplete:?}");
                    // Decoders take some hundred bytes at a time, and forget what they have made of the last ones; of PNG more than these pictures are.
                    let least = if name.ends_with("png") { 0 } else { above(position.saturating_sub(600)).unwrap_or(0).saturating_sub(16) };
                    assert!(count >= least, "{name} with another byte at {position}: {count} rows where {least} are there");
                }
                Err(error) => assert!(is_clean(&error), "{name} at {position}: {error}"),
            }
        }
    }
}

#[test]
fn rows_above_damage_of_a_png_are_shown() {
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(500 * 500)
    .collect();
    let gray = image::GrayImage::from_raw(500, 500, noise).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    gray.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let bytes = bytes.into_inner();
    let whole = pixels(&render(&bytes, ALL).unwrap());
    for position in (bytes.len() / 2..bytes.len() / 2 + 40).step_by(4) {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x55;
        let (found, count) = shown(&damaged);
        let count = count.unwrap();
        // The decoder holds 32 kB back, which are 65 rows.
        assert!(count >= 170, "{count}");
        assert!(rows(&found, 0..count.min(240)) == rows(&whole, 0..count.min(240)));
    }
}

#[test]
fn rows_are_counted_exactly() {
    // Uncompressed: 3 bytes a pixel, from the first strip on.
    let bytes = fixture("strips-none.tif");
    let whole = pixels(&render(&bytes, ALL).unwrap());
    let stride = whole.width() as usize * 3;
    let row: Vec<u8> = rows(&whole, 0..1).as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let first = bytes.windows(row.len()).position(|bytes| bytes == row).unwrap();
    for count in [0, 1, 7, whole.height() - 1] {
        for more in [0, 1, stride - 1] {
            assert_eq!(shown(&bytes[..first + count as usize * stride + more]).1, Some(count), "{count} rows and {more} bytes");
        }
    }
}

#[test]
fn a_checksum_of_a_png_that_is_wrong_hides_nothing() {
    for name in ["rgb8.png", "interlaced.png"] {
        let mut bytes = fixture(name);
        let (whole, complete) = shown(&bytes);
        assert_eq!(complete, None);
        // Before the last chunk.
        let end = bytes.len() - 12;
        bytes[end - 1] ^= 1;
        assert_eq!(shown(&bytes), (whole.clone(), Some(whole.height())), "{name}");
        // That of the header is not passed over.
        let mut bytes = fixture(name);
        bytes[29] ^= 1;
        assert_eq!(render(&bytes, ALL).unwrap_err().code(), "source-corrupt");
    }
}

#[test]
fn passes_that_are_missing_are_made_of_those_before() {
    for name in ["interlaced.png", "progressive.jpg"] {
        let bytes = fixture(name);
        let whole = pixels(&render(&bytes, ALL).unwrap());
        let (found, count) = shown(&bytes[..bytes.len() * 4 / 5]);
        assert_eq!(count, Some(whole.height()), "{name}");
        let near = super::support::psnr(&found, &whole);
        assert!(near > 15.0, "{name}: {near} dB");
    }
}

#[test]
fn a_ccitt_strip_that_lacks_its_last_row() {
    for name in ["group3.tif", "group3-2d.tif", "modified-huffman.tif"] {
        let bytes = fixture(name);
        let whole = pixels(&render(&bytes, ALL).unwrap());
        let height = whole.height();
        // ImageLength and RowsPerStrip, SHORT or LONG, one more.
        let mut longer = bytes.clone();
        let directory = number(&bytes, 4, 4);
        for entry in (0..number(&bytes, directory, 2)).map(|index| directory + 2 + index * 12) {
            if matches!(number(&bytes, entry, 2), 257 | 278) && number(&bytes, entry + 8, 2) == height as usize {
                longer[entry + 8..entry + 10].copy_from_slice(&(height as u16 + 1).to_le_bytes());
            }
        }
        let (found, count) = shown(&longer);
        assert_eq!((found.height(), count), (height + 1, Some(height)), "{name}");
        assert!(rows(&found, 0..height) == rows(&whole, 0..height));
        assert!(rows(&found, height..height + 1).iter().all(|sample| *sample == 255));
    }
}

#[test]
fn tiles_that_are_cut_off_or_wrong_are_gray_and_the_others_are_not() {
    let bytes = fixture("tiles-jpeg.tif");
    let whole = pixels(&render(&bytes, ALL).unwrap());
    // The frame header of the last tile becomes something else.
    let frame = (0..bytes.len() - 4).rev().find(|at| bytes[*at..].starts_with(&[0xFF, 0xC0, 0, 17])).unwrap();
    for broken in [
        {
            let mut other = bytes.clone();
            other[frame + 7] ^= 0x7F;
            other
        },
        bytes[..frame].to_vec(),
    ] {
        let (encoded, incomplete) = render_damaged(&broken, ALL).unwrap();
        let found = pixels(&encoded);
        let count = incomplete.unwrap().rows;
        assert!(count > 0 && count < whole.height());
        assert!(rows(&found, 0..count - 1) == rows(&whole, 0..count - 1));
        assert_eq!(found.get_pixel(whole.width() - 1, whole.height() - 1).0, [128, 128, 128, 255]);
        assert_eq!(found.get_pixel(0, whole.height() - 1), whole.get_pixel(0, whole.height() - 1));
        // As a JPEG, out of its planes, too.
        let (encoded, incomplete) = render_damaged(&broken, "full/max/0/default.jpg").unwrap();
        assert_eq!(incomplete.unwrap().rows, count);
        assert_eq!(pixels(&encoded).dimensions(), whole.dimensions());
    }
}

/// A RIFF chunk.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [kind.as_slice(), &(data.len() as u32).to_le_bytes(), data, &[0][..data.len() % 2]].concat()
}

/// A WebP file of chunks behind a VP8X with flags.
fn webp(flags: u8, (width, height): (u32, u32), chunks: &[Vec<u8>]) -> Vec<u8> {
    let head = [&[flags, 0, 0, 0], &(width - 1).to_le_bytes()[..3], &(height - 1).to_le_bytes()[..3]].concat();
    let body = [b"WEBP".to_vec(), chunk(b"VP8X", &head), chunks.concat()].concat();
    chunk(b"RIFF", &body)
}

/// The data of a chunk of a WebP file, found by its name.
fn data_of(file: &[u8], kind: &[u8; 4]) -> Vec<u8> {
    let at = file.windows(4).position(|bytes| bytes == kind).unwrap();
    file[at + 8..at + 8 + number(file, at + 4, 4)].to_vec()
}

#[test]
fn a_webp_that_lacks_its_metadata_or_says_so_wrongly_is_whole() {
    let bytes = fixture("lossy.webp");
    let (whole, _) = shown(&bytes);
    let pixels = chunk(b"VP8 ", &data_of(&bytes, b"VP8 "));
    // The flags of EXIF and XMP, of which nothing comes; and an EXIF chunk that is cut off.
    let exif = chunk(b"EXIF", &[0; 100]);
    for chunks in [vec![pixels.clone()], vec![pixels.clone(), exif[..30].to_vec()]] {
        assert_eq!(shown(&webp(0x0C, whole.dimensions(), &chunks)), (whole.clone(), None));
    }
}

#[test]
fn a_webp_without_usable_alpha_shows_its_colours() {
    let bytes = fixture("lossy-alpha.webp");
    let (whole, _) = shown(&bytes);
    let mut alpha = data_of(&bytes, b"ALPH");
    // Compressed, and behind that no code that can be.
    alpha[1..].fill(0xFF);
    let file = webp(0x10, whole.dimensions(), &[chunk(b"ALPH", &alpha), chunk(b"VP8 ", &data_of(&bytes, b"VP8 "))]);
    let (found, rows) = shown(&file);
    assert_eq!(rows, Some(0));
    assert!(found.pixels().all(|pixel| pixel[3] == 255));
    let visible = whole.pixels().zip(found.pixels()).filter(|(whole, _)| whole[3] > 0);
    assert!(visible.clone().count() > 100);
    visible.for_each(|(whole, found)| assert_eq!(whole.0[..3], found.0[..3]));
}

#[test]
fn a_partition_that_reaches_beyond_the_file() {
    let mut bytes = fixture("lossy-partitions.webp");
    let (whole, _) = shown(&bytes);
    // RFC 6386, 9.1 and 9.5: the table of lengths comes behind the first partition; the first entry, of MCU row 0, now states 16 MiB.
    let vp8 = 20;
    let table = vp8 + 10 + (number(&bytes, vp8, 3) >> 5);
    bytes[table..table + 3].fill(0xFF);
    let error = render(&bytes, ALL).unwrap_err();
    assert!(error.to_string().contains("its pixels end after 1782 of "), "{error}");
    // The last that is used states more than there is, and so the empty ones behind it begin beyond the end. No pixel needs that.
    let mut bytes = fixture("lossy-partitions.webp");
    let used = table + 9;
    let length = number(&bytes, used, 3) as u16 + 50;
    bytes[used..used + 2].copy_from_slice(&length.to_le_bytes());
    assert_eq!(shown(&bytes), (whole, None));
}

#[test]
fn the_first_frame_of_an_animated_webp_that_is_cut_off() {
    let bytes = fixture("lossless.webp");
    let (whole, _) = shown(&bytes);
    let (width, height) = whole.dimensions();
    let frame = |vp8l: Vec<u8>| {
        let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
        chunk(b"ANMF", &[vec![0; 6], side(width), side(height), vec![100, 0, 0, 0], vp8l].concat())
    };
    let frames = [chunk(b"ANIM", &[0; 6]), frame(chunk(b"VP8L", &data_of(&bytes, b"VP8L")))];
    let file = webp(0x02, (width, height), &frames);
    assert_eq!(shown(&file), (whole.clone(), None));
    let (found, rows_there) = shown(&file[..file.len() * 2 / 3]);
    let count = rows_there.unwrap();
    assert!(count > height / 3 && count < height, "{count}");
    assert!(rows(&found, 0..count) == rows(&whole, 0..count));
    assert!(rows(&found, count..height).as_chunks::<4>().0.iter().all(|pixel| *pixel == [128, 128, 128, 255]));
}
