//! The largest level of what is a JPEG already: its own coefficients, cut at MCUs, turned and coded again as they are.

use std::ops::Range;
use std::sync::Arc;

use super::axis::Axis;
use crate::codec::{TileCopy, tables_of};
use crate::error::Result;
use crate::geometry::Dimensions;
use crate::jpeg::{Component, Header, Turn, fill, is_lossless, kind};
use crate::profile::{Profile, Stored};
use crate::pyramid::{Body, Orientation, Pyramid};

/// Takes rows of MCUs as stored.
pub(super) struct Copied {
    side: u32,
    /// As stored.
    size: Dimensions,
    /// Of an MCU as stored, px.
    mcu: (u32, u32),
    mirrored: bool,
    /// What is left of the orientation then.
    turn: Orientation,
    /// What tiles are made of: sampling and quantization as seen.
    kind: Vec<Component>,
    /// Rows of MCUs that have come.
    come: u32,
    /// Tiles that are coded while their rows come.
    tiles: Vec<TileCopy>,
    /// A row of tiles that is held until it can be turned.
    band: Vec<Component>,
    /// The profile of the file, if it changes anything: nothing is converted by it.
    pub profile: Option<Arc<Profile>>,
}

impl Copied {
    /// For the coefficients of a file; `None` if it has none that can be had row by row, or that TIFF can tell of, or if tiles or the turn that it needs would cut MCUs.
    pub fn of(pyramid: &Pyramid, side: u32) -> Result<Option<Self>> {
        let Body::Scan(scan) = &pyramid.body else { return Ok(None) };
        let (header, orientation) = (&scan.header, pyramid.orientation);
        let (across, down) = header.most();
        let mcu = (u32::from(across) * 8, u32::from(down) * 8);
        let fits = side.is_multiple_of(mcu.0) && side.is_multiple_of(mcu.1);
        let whole = header.dimensions.rect();
        if !fits || !is_plain(header) || !is_lossless(header, whole, false, orientation.into()) {
            return Ok(None);
        }
        let turn = Orientation { flip_x: false, ..orientation };
        let kind = kind(header)?.into_iter().map(|component| component.turned(turn.into())).collect();
        let (size, mirrored) = (header.dimensions, orientation.flip_x);
        let profile = match pyramid.stored_profile() {
            Stored::Plain => None,
            Stored::With(_) => scan.profile.clone(),
            // It would come with every tile: colours are converted instead.
            Stored::Never => return Ok(None),
        };
        Ok(Some(Self { side, size, mcu, mirrored, turn, kind, come: 0, tiles: Vec::new(), band: Vec::new(), profile }))
    }

    /// What is left out of the tiles.
    pub fn tables(&self) -> Result<Vec<u8>> {
        tables_of(&self.kind)
    }

    /// Pixels for one sample of chroma, across and down, in colour.
    pub fn subsampling(&self) -> Option<[u16; 2]> {
        let luminance = self.kind.first().filter(|_| self.kind.len() > 1)?;
        Some([luminance.across as u16, luminance.down as u16])
    }

    /// Bytes that it takes at most, out of a file of so many.
    pub fn memory(&self, file: u64) -> u64 {
        let (width, height, side) = (u64::from(self.size.width()), u64::from(self.size.height()), u64::from(self.side));
        let columns = width.div_ceil(side);
        let samples = self.kind.len() as u64;
        // A row of MCUs, what is cut of it, and below the last a tile of padding.
        let strip = (width + 64) * u64::from(self.mcu.1) * samples * 4 + side * side * samples * 2;
        let band = if self.streams() { 0 } else { width * side.min(height + 64) * samples * 2 + side * side * samples * 4 };
        // Four times as dense as the file is as a whole, which is much; three bytes a pixel are noise at the best quality.
        let rows = side.min(height);
        let coded = (file.saturating_mul(4).saturating_mul(rows) / height).min(width * rows * 3);
        [strip, band, coded, columns * (32 << 10)].into_iter().fold(0, u64::saturating_add)
    }

    /// Bytes that are held now.
    pub fn held(&self) -> usize {
        let blocks: usize = self.band.iter().map(|component| component.blocks.capacity()).sum();
        self.tiles.iter().map(TileCopy::held).sum::<usize>() + blocks * size_of::<[i16; 64]>()
    }

    /// Takes the next row of MCUs; finished tiles go to `out` with their numbers as seen.
    pub fn push(&mut self, strip: &[Component], out: &mut dyn FnMut(u32, Vec<u8>) -> Result<()>) -> Result<()> {
        let rows = Axis { len: self.size.height().div_ceil(self.mcu.1), flipped: self.turn.flip_y };
        let tile = self.side / self.mcu.1;
        let row = self.come;
        self.come += 1;
        let (begins, ends, group) = (rows.begins(row, tile), rows.ends(row, tile), rows.group(row, tile));
        let mirror = Turn { flipped_across: self.mirrored, ..Turn::default() };
        if self.streams() {
            let height = (self.size.height() - row * self.mcu.1).min(self.mcu.1);
            // The last row of tiles is filled with what is padding.
            let count = if ends { (group + 1) * tile - row } else { 1 };
            let mirrored: Vec<Component>;
            let strip = if self.mirrored {
                mirrored = strip.iter().map(|component| component.clone().turned(mirror)).collect();
                &mirrored
            } else {
                strip
            };
            return self.code(strip, (height, count), (begins, ends), group, out);
        }
        if begins {
            self.band = strip.iter().map(|component| component.with_capacity(tile as usize)).collect();
        }
        for (band, strip) in self.band.iter_mut().zip(strip) {
            band.blocks.append(&mut strip.clone().turned(mirror).blocks);
        }
        if !ends {
            return Ok(());
        }
        let band = std::mem::take(&mut self.band);
        let height = self.side.min(self.size.height() - group * self.side);
        self.code(&band, (height, tile), (true, true), group, out)
    }

    fn streams(&self) -> bool {
        self.turn == Orientation::NORMAL
    }

    /// Codes rows of MCUs of a row of tiles, the `group`th as seen: those of so many px, filled up to so many rows.
    fn code(
        &mut self,
        strip: &[Component],
        (height, rows): (u32, u32),
        (begins, ends): (bool, bool),
        group: u32,
        out: &mut dyn FnMut(u32, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let columns = self.size.width().div_ceil(self.side);
        if begins {
            for _ in 0..columns {
                self.tiles.push(TileCopy::begin(self.side, &self.kind)?);
            }
        }
        let across = (self.side / self.mcu.0) as usize;
        let mcus = if self.turn.transpose { (rows as usize, across) } else { (across, rows as usize) };
        let mut tiles = std::mem::take(&mut self.tiles);
        for (column, tile) in (0..).zip(&mut tiles) {
            let width = self.side.min(self.size.width() - column * self.side);
            let size = self.turn.apply(Dimensions::at_least_one(width, height));
            let left = column as usize * across;
            let part = if self.streams() { fill(strip, left, size, mcus) } else { fill(&self.turned(strip, left..left + across), 0, size, mcus) };
            tile.push(&part?)?;
        }
        if !ends {
            self.tiles = tiles;
            return Ok(());
        }
        let down = self.size.height().div_ceil(self.side);
        for (column, tile) in (0..).zip(tiles) {
            out(if self.turn.transpose { column * down + group } else { group * columns + column }, tile.finish()?)?;
        }
        Ok(())
    }

    /// Some columns of MCUs, as far as they are there, turned.
    fn turned(&self, band: &[Component], mcus: Range<usize>) -> Vec<Component> {
        let cut = |component: &Component| {
            let end = (mcus.end * component.across).min(component.columns);
            component.cut(mcus.start * component.across..end).turned(self.turn.into())
        };
        band.iter().map(cut).collect()
    }
}

/// Whether TIFF can tell how it is sampled (tag 530): luminance for each pixel, and chroma once for 1, 2 or 4 of them.
fn is_plain(header: &Header) -> bool {
    let factors: Vec<(u8, u8)> = header.components.iter().map(|component| (component.across, component.down)).collect();
    match factors.as_slice() {
        [_] => true,
        [luminance, (1, 1), (1, 1)] => [luminance.0, luminance.1].iter().all(|factor| matches!(factor, 1 | 2 | 4)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{ByteStore, Step as Opening};
    use crate::error::{Budget, Error};
    use crate::ingest::{Ingest, Options, Step};
    use crate::job::Open;
    use crate::jpeg::{Encoder, Input, Progress, Sampling, Sequential, Settings, Wanted};
    use crate::limits::Limits;

    /// Slopes, edges and noise.
    fn rows(width: u32, height: u32, channels: u32) -> impl Iterator<Item = Vec<u8>> {
        (0..height).map(move |y| (0..width * channels).map(|x| ((x / 3 + y) ^ (x * y % 61) ^ if x > y { 90 } else { 0 }) as u8).collect())
    }

    fn jpeg(width: u32, height: u32, sampling: Sampling, restart_interval: u16, icc: Option<&[u8]>) -> Vec<u8> {
        let dimensions = Dimensions::at_least_one(width, height);
        let mut encoder = Encoder::new(&Settings { restart_interval, icc, ..Settings::new(dimensions, sampling, 83) }).unwrap();
        rows(width, height, sampling.components() as u32).for_each(|row| encoder.push_row(&row).unwrap());
        encoder.finish().unwrap()
    }

    /// Coefficients of any kind, sampled in ways that our own encoder has not.
    fn foreign(width: u32, height: u32, (across, down): (usize, usize)) -> Vec<u8> {
        let mcus = ((width as usize).div_ceil(across * 8), (height as usize).div_ceil(down * 8));
        let component = |(across, down): (usize, usize), step: u16| {
            let (columns, rows) = (mcus.0 * across, mcus.1 * down);
            let value = |at: usize| (((at * 7919) ^ (at >> 3)) % 41) as i16 - 20;
            let blocks = (0..columns * rows).map(|block| std::array::from_fn(|at| if at % 9 == 0 { value(block * 64 + at) } else { 0 })).collect();
            Component { across, down, columns, blocks, quantization: [step; 64] }
        };
        let components = [component((across, down), 5), component((1, 1), 7), component((1, 1), 9)];
        let mut copier = crate::jpeg::Copier::new(Dimensions::at_least_one(width, height), &components, &crate::jpeg::Copied::default()).unwrap();
        copier.push(&components).unwrap();
        copier.finish().unwrap()
    }

    /// With an EXIF segment that says how it is to be turned.
    fn oriented(mut stream: Vec<u8>, orientation: u8) -> Vec<u8> {
        let exif = [b"\xFF\xE1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation, 0, 0, 0, 0, 0, 0]].concat();
        stream.splice(2..2, exif);
        stream
    }

    fn open(bytes: &[u8]) -> Pyramid {
        let mut job = Open::new(bytes.len() as u64, &Limits::default());
        loop {
            match job.step().unwrap() {
                Opening::Done(pyramid) => return pyramid,
                Opening::Piece(_) => panic!("opening has no pieces"),
                Opening::Need(ranges) => {
                    ranges.iter().for_each(|range| job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap());
                }
            }
        }
    }

    fn options(tile: u32) -> Options {
        Options { tile, ..Options::default() }
    }

    /// The file, and the most that was held.
    fn write(bytes: &[u8], options: &Options) -> Result<(Vec<u8>, u64)> {
        let mut job = Ingest::new(&open(bytes), options)?;
        let (mut spools, mut held) = (vec![Vec::new(); job.levels()], 0);
        loop {
            held = held.max(job.held());
            match job.step()? {
                Step::Need(ranges) => {
                    ranges.iter().for_each(|range| job.provide(range.start(), bytes[range.start() as usize..range.end() as usize].to_vec()).unwrap());
                }
                Step::Piece { spool, bytes } => spools[spool].extend(bytes),
                Step::Done(finished) => {
                    assert!(held <= job.memory(), "{held} of {}", job.memory());
                    return Ok((finished.spools.into_iter().fold(finished.head, |file, spool| [file, std::mem::take(&mut spools[spool])].concat()), held));
                }
            }
        }
    }

    /// The coefficients of a stream.
    fn coefficients(tables: Option<&[u8]>, stream: &[u8]) -> (Header, Vec<Component>) {
        let header = Header::read(tables, stream).unwrap();
        let mut sequential = Sequential::coefficients(&header, &Wanted::whole(&header)).unwrap();
        while let Progress::Band(_) = sequential.next_band(&Input { bytes: stream, start: 0, last: true }).unwrap() {}
        (header, sequential.take_coefficients().unwrap())
    }

    /// Those of the tiles of the largest level, row by row.
    fn tiles(file: &[u8]) -> Vec<Vec<Component>> {
        let pyramid = open(file);
        let Body::Levels(levels) = &pyramid.body else { panic!("not a TIFF") };
        let mut store = ByteStore::new(file.len() as u64);
        store.provide(0, file.to_vec()).unwrap();
        let level = &levels[0];
        let rows = level.dimensions.height().div_ceil(level.chunk.height());
        let stream = |column, row| {
            let location = level.locate(&store, column, row, 0, false).unwrap();
            &file[location.offset as usize..(location.offset + location.bytes) as usize]
        };
        let tile = |(column, row)| coefficients(level.jpeg_tables.as_deref(), stream(column, row)).1;
        (0..rows).flat_map(|row| (0..level.columns()).map(move |column| (column, row))).map(tile).collect()
    }

    /// Whether the first YCbCrSubSampling is this.
    fn is_sampled(file: &[u8], factors: [u8; 2]) -> bool {
        let entry = file.windows(12).find(|entry| entry.starts_with(&[18, 2, 3, 0, 2, 0, 0, 0]));
        entry.is_some_and(|entry| entry[8..] == [factors[0], 0, factors[1], 0])
    }

    /// Whether tiles have the coefficients of an image in their places, and beyond it the mean of what is nearest.
    fn check(tiles: &[Vec<Component>], side: u32, size: Dimensions, source: &[Component], what: &str) {
        let most = source.iter().fold((1, 1), |most, component| (most.0.max(component.across), most.1.max(component.down)));
        let columns = size.width().div_ceil(side) as usize;
        assert_eq!(tiles.len(), columns * size.height().div_ceil(side) as usize, "{what}");
        for (index, tile) in tiles.iter().enumerate() {
            assert_eq!(tile.len(), source.len(), "{what}");
            for (tile, source) in tile.iter().zip(source) {
                assert_eq!((tile.across, tile.down, tile.quantization), (source.across, source.down, source.quantization), "{what}");
                let blocks = |px: u32, factor: usize, most: usize| (px as usize * factor).div_ceil(most * 8);
                let real = (blocks(size.width(), source.across, most.0), blocks(size.height(), source.down, most.1));
                let (wide, high) = (blocks(side, source.across, most.0), blocks(side, source.down, most.1));
                assert_eq!((tile.columns, tile.blocks.len()), (wide, wide * high), "{what}");
                for (place, block) in tile.blocks.iter().enumerate() {
                    let (x, y) = (index % columns * wide + place % wide, index / columns * high + place / wide);
                    let nearest = source.blocks[y.min(real.1 - 1) * source.columns + x.min(real.0 - 1)];
                    let mean = std::array::from_fn(|place| if place == 0 { nearest[0] } else { 0 });
                    assert_eq!(*block, if x < real.0 && y < real.1 { nearest } else { mean }, "{what}: tile {index}, block {place}");
                }
            }
        }
    }

    #[test]
    fn every_coefficient_of_the_file_is_in_the_tiles() {
        let sizes = [(200, 150), (129, 64), (64, 129), (1, 1), (65, 200), (512, 96)];
        for (width, height) in sizes {
            let mut files = Vec::new();
            for (sampling, factors) in [(Sampling::S444, [1, 1]), (Sampling::S422, [2, 1]), (Sampling::S420, [2, 2]), (Sampling::Gray, [0, 0])] {
                for restarts in [0, 1, 7] {
                    files.push((format!("{sampling:?} with {restarts}"), jpeg(width, height, sampling, restarts, None), factors));
                }
            }
            for factors in [(1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (1, 4)] {
                files.push((format!("{factors:?}"), foreign(width, height, factors), [factors.0 as u8, factors.1 as u8]));
            }
            for (name, bytes, factors) in files {
                let what = format!("{width} × {height}, {name}");
                let (header, source) = coefficients(None, &bytes);
                for side in [64, 128] {
                    let (file, _) = write(&bytes, &options(side)).unwrap();
                    check(&tiles(&file), side, header.dimensions, &source, &what);
                    assert_eq!(is_sampled(&file, factors), factors[0] > 0, "{what}");
                }
            }
        }
    }

    #[test]
    fn what_can_be_turned_without_loss_is_turned() {
        for orientation in 1..=8_u8 {
            let turn = Orientation::from_tag(orientation.into());
            let (across_flips, down_flips) = Turn::from(turn).flips();
            // The side that is flipped ends on MCUs, the other does not.
            let (width, height) = (if across_flips { 208 } else { 203 }, if down_flips { 144 } else { 131 });
            for (name, bytes) in [
                ("4:2:0", jpeg(width, height, Sampling::S420, 0, None)),
                ("4:2:2", jpeg(width, height, Sampling::S422, 5, None)),
                ("gray", jpeg(width, height, Sampling::Gray, 0, None)),
                ("4:4:0", foreign(width, height, (1, 2))),
            ] {
                let (header, source) = coefficients(None, &bytes);
                let turned: Vec<Component> = source.into_iter().map(|component| component.turned(turn.into())).collect();
                let tiles = tiles(&write(&oriented(bytes, orientation), &options(64)).unwrap().0);
                check(&tiles, 64, turn.apply(header.dimensions), &turned, &format!("{name}, orientation {orientation}"));
            }
            if across_flips || down_flips {
                let pyramid = open(&oriented(jpeg(203, 131, Sampling::S420, 0, None), orientation));
                assert!(Copied::of(&pyramid, 64).unwrap().is_none(), "orientation {orientation} would cut MCUs");
            }
        }
    }

    #[test]
    fn what_tiles_would_cut_or_cannot_tell_is_encoded_anew() {
        let of = |bytes: &[u8], side| Copied::of(&open(bytes), side).unwrap().is_some();
        assert!(of(&jpeg(90, 90, Sampling::S420, 0, None), 80));
        // MCUs 32 px wide.
        let wide = foreign(90, 90, (4, 1));
        assert!(of(&wide, 96) && !of(&wide, 80));
        assert!(!of(&foreign(90, 90, (3, 1)), 96));
        // Colours that are red, green and blue.
        let mut rgb = jpeg(90, 90, Sampling::S444, 0, None);
        rgb.splice(2..20, *b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0");
        assert!(!of(&rgb, 64));
        let mut stream = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut stream, 77);
        encoder.set_progressive(true);
        encoder.encode(&[9; 90 * 90], 90, 90, jpeg_encoder::ColorType::Luma).unwrap();
        assert!(!of(&stream, 64));
    }

    #[test]
    fn a_damaged_file_makes_sound_tiles_or_none() {
        let stream = jpeg(300, 200, Sampling::S420, 0, None);
        let start = Header::read(None, &stream).unwrap().scan.data;
        let (mut made, mut refused) = (0, 0);
        for at in (start..stream.len() - 2).step_by(97) {
            let mut broken = stream.clone();
            broken[at] ^= 0x24;
            match write(&broken, &options(64)) {
                Ok((file, _)) => {
                    made += 1;
                    for component in tiles(&file).into_iter().flatten() {
                        let mut sound = component.clone();
                        sound.make_sound();
                        assert!(component == sound, "byte {at}");
                    }
                }
                Err(error) => {
                    refused += 1;
                    assert!(matches!(error, Error::SourceCorrupt { .. }), "byte {at}: {error:?}");
                }
            }
        }
        assert!(made > 100 && refused > 0, "{made} were made, {refused} refused");
        for cut in [start, start + 100, stream.len() / 2, stream.len() - 3] {
            assert!(matches!(write(&stream[..cut], &options(64)), Err(Error::SourceCorrupt { .. })), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_held_does_not_grow_with_the_height() {
        let held = |height| write(&jpeg(1000, height, Sampling::S420, 0, None), &options(64)).unwrap().1;
        let (low, high) = (held(300), held(2400));
        assert!(high < 2 * low, "{low} bytes for 300 rows, {high} for 2400");
        // Too little for a row of coefficients that must be turned, and enough for one of pixels.
        let bytes = oriented(jpeg(4000, 512, Sampling::S444, 0, None), 5);
        let memory = |options: &Options| Ingest::new(&open(&bytes), options).map(|job| job.memory());
        let most = memory(&options(512)).unwrap();
        let less = memory(&Options { memory: most - 1, ..options(512) }).unwrap();
        assert!(less < most);
        let tight = Options { memory: less, ..options(512) };
        assert!(matches!(memory(&Options { memory: less - 1, ..tight.clone() }), Err(Error::SourceTooCostly { what: Budget::Memory, .. })));
        let tiles = tiles(&write(&bytes, &tight).unwrap().0);
        assert_ne!(tiles[0][0].quantization, coefficients(None, &bytes).1[0].quantization, "it is encoded anew");
    }
}
