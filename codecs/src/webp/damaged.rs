//! What can be decoded of a damaged file.
//!
//! image-webp gives no pixels at all if the data of a picture end too early. So bytes of filler are put behind the data until all pixels can be decoded. The
//! file is decoded twice. The filler begins with bits 0 the first time, and with bits 1 the second time. A row whose pixels are the same both times does not
//! depend on the missing data.

use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, Error, ErrorKind, Read, Result as IoResult, Seek, SeekFrom};

use super::decode::{Pixels, is_animated, read};
use super::{CHUNK_HEADER, Chunk, FIRST_CHUNK, FRAME_HEADER, chunks};
use crate::decoded::Decoded;
use crate::{ALPHA_FLAG, MEDIUM, Size};

/// How the filler begins: the first time, and the second time.
const FIRST: [&[u8]; 2] = [&[0x00; 16], &[0xFF; 16]];
/// How the filler goes on. Zeros are first: lossy data need the fewest of them. In lossless data, filler can be a copy that reaches beyond the last pixel,
/// which is an error; then the next filler is used.
const REST: [&[u8]; 3] = [&[0x00; 256], &[0xFF; 256], &[0x5A; 256]];

/// Bytes of zeros that a macroblock of lossy data takes, at most: 25 blocks without coefficients, and the modes; a byte each.
const MACROBLOCK: usize = 32;
/// Bytes that a pixel of lossless data takes, at most (RFC 9649, 3.7).
const PIXEL: usize = 8;
/// Bytes that headers and tables take.
const HEADERS: usize = 4 << 10;
/// Bytes of filler for a pixel of a lossy picture, at most: three for four pixels. image-webp holds all lossy data in memory; this much is in the price.
const FILLER: (usize, usize) = (3, 4);

/// RFC 9649, 2.7.1: the flags in VP8X for an EXIF and an XMP chunk.
const EXIF_AND_XMP: u8 = 0x0C;
/// RFC 9649, 2.3: the position of the length of the file.
const FILE_LENGTH: usize = 4;

/// Decodes what it can of a file that could not be decoded because of `what`. If that is nothing, `what` is the error. `samples` is a buffer to use again.
pub(super) fn decode(mut file: Vec<u8>, planned: Size, memory: u64, mut samples: Vec<u8>, what: String) -> Result<Decoded, String> {
    let Some(image) = Image::find(&file) else { return Err(what) };
    let Some(begins) = image.isolate(&mut file, planned) else { return Err(what) };
    let height = planned.height as usize;
    if let Some((Pixels { channels, icc }, same)) = decode_twice(&file, &begins, planned, memory, &mut samples) {
        let rows = if same < height { image.rows_above(&file, same) } else { height };
        let missing = if channels == 4 { 0 } else { MEDIUM };
        samples.iter_mut().skip(rows * planned.width as usize * channels).for_each(|sample| *sample = missing);
        return Ok(Decoded::new(planned, channels, samples, icc, (rows < height).then_some((rows as u32, what))));
    }
    // Alpha has data of its own, which may be what is damaged. Without alpha the colours can be shown, but then no row is as it should be.
    if let Some(flags) = flags(&mut file).filter(|flags| **flags & ALPHA_FLAG != 0) {
        *flags &= !ALPHA_FLAG;
        if let Some((Pixels { channels, icc }, _)) = decode_twice(&file, &begins, planned, memory, &mut samples) {
            return Ok(Decoded::new(planned, channels, samples, icc, Some((0, what))));
        }
    }
    Err(what)
}

/// Decodes a file with both kinds of filler, which begins at `begins`. Gives what the second time gave, and how many rows above the first different one are the
/// same.
fn decode_twice(file: &[u8], begins: &[usize], planned: Size, memory: u64, samples: &mut Vec<u8>) -> Option<(Pixels, usize)> {
    let mut decode = |first: &[u8]| {
        REST.iter().find_map(|rest| {
            let pixels = read(Filled { file, begins, first, rest, at: 0 }, planned, memory, samples).ok()?;
            let stride = planned.width as usize * pixels.channels;
            let digests: Vec<u64> = samples.chunks_exact(stride).map(digest).collect();
            Some((pixels, digests))
        })
    };
    let (_, before) = decode(FIRST[0])?;
    let (pixels, after) = decode(FIRST[1])?;
    let same = before.iter().zip(&after).take_while(|(before, after)| before == after).count();
    Some((pixels, same))
}

/// The flags of a file with VP8X (RFC 9649, 2.7.1).
fn flags(file: &mut [u8]) -> Option<&mut u8> {
    if file.get(FIRST_CHUNK..FIRST_CHUNK + 4) == Some(b"VP8X") { file.get_mut(FIRST_CHUNK + CHUNK_HEADER) } else { None }
}

fn digest(row: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(row);
    hasher.finish()
}

/// The data of a file's picture, or of the first frame of an animation.
pub(super) struct Image {
    data: Chunk,
    /// The chunk of the frame that contains them.
    frame: Option<Chunk>,
    /// Positions in the file at which partitions of coefficients begin (RFC 6386, 9.5). Lossless data have none. `None` if the data end before they are known.
    partitions: Option<Vec<usize>>,
}

impl Image {
    pub fn find(file: &[u8]) -> Option<Self> {
        let is_data = |chunk: &Chunk| matches!(&chunk.kind, b"VP8 " | b"VP8L");
        let (data, frame) = if is_animated(file) {
            let frame = chunks(file, FIRST_CHUNK).find(|chunk| chunk.kind == *b"ANMF")?;
            (frame.parts(file, FRAME_HEADER).find(is_data)?, Some(frame))
        } else {
            (chunks(file, FIRST_CHUNK).find(is_data)?, None)
        };
        let partitions = if data.is_lossy() { partitions(data.data(file)) } else { Some(Vec::new()) };
        Some(Self { data, frame, partitions: partitions.map(|begins| begins.into_iter().map(|begin| data.start + begin).collect()) })
    }

    /// What is wrong, if the file ends before the data do by their own statement.
    pub fn cut_short(&self, file: &[u8]) -> Option<String> {
        let there = self.data.data(file).len();
        let stated = self.partitions.iter().flatten().map(|begin| begin - self.data.start).fold(self.data.length, usize::max);
        (there < stated).then(|| format!("its pixels end after {there} of {stated} bytes"))
    }

    /// How many rows are surely right, if `row` is the first that was not the same both times.
    ///
    /// Lossy data lack coefficients of a macroblock and of all behind it. The pixels of the first such macroblock can be the same by chance where it is
    /// visible, as the last one of its row may be visible in a single column. So the row of macroblocks above is not counted either. Besides, the loop filter
    /// changes six rows above a macroblock (RFC 6386, 15.2: three of the chroma), and upsampling mixes chroma with that of the next row.
    fn rows_above(&self, file: &[u8], row: usize) -> usize {
        const MACROBLOCK: usize = 16;
        const CHANGED: usize = 8;
        // RFC 9649, 2.7.1.1: a frame has its horizontal position, then its vertical one, both halved.
        let top = self.frame.and_then(|frame| file.get(frame.start + 3..frame.start + 6)).map_or(0, |y| 2 * u32::from_le_bytes([y[0], y[1], y[2], 0]) as usize);
        if !self.data.is_lossy() || row < top {
            return row;
        }
        top + ((row - top + CHANGED) / MACROBLOCK * MACROBLOCK).saturating_sub(MACROBLOCK + CHANGED)
    }

    /// Cuts the file off behind the data, and makes all lengths in it as if the longest filler followed. Gives the positions at which filler begins: the end of
    /// the file, and the beginning of each partition behind that. `None` if nothing can be decoded, or if that takes [too much filler](FILLER).
    fn isolate(&self, file: &mut Vec<u8>, planned: Size) -> Option<Vec<usize>> {
        let end = self.data.start + self.data.data(file).len();
        file.truncate(end);
        let partitions = self.partitions.as_ref()?;
        let begins: Vec<usize> = std::iter::once(end).chain(partitions.iter().copied().filter(|begin| *begin > end)).collect();
        let (width, height) = (planned.width as usize, planned.height as usize);
        let filler = if self.data.is_lossy() { width.div_ceil(16) * height.div_ceil(16) * MACROBLOCK } else { width * height * PIXEL };
        let stated = (begins.last()? + filler + HEADERS).next_multiple_of(2);
        if self.data.is_lossy() && stated - end > width * height * FILLER.0 / FILLER.1 + 2 * HEADERS {
            return None;
        }
        let mut state = |at: usize, length: usize| {
            if let Some(into) = file.get_mut(at..at + 4) {
                into.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX - 1).to_le_bytes());
            }
        };
        state(FILE_LENGTH, stated - CHUNK_HEADER);
        for chunk in [Some(self.data), self.frame].into_iter().flatten() {
            state(chunk.start - 4, stated - chunk.start);
        }
        if let Some(flags) = flags(file) {
            *flags &= !EXIF_AND_XMP;
        }
        Some(begins)
    }
}

impl Chunk {
    fn is_lossy(&self) -> bool {
        self.kind == *b"VP8 "
    }
}

/// Positions in the data of a lossy picture at which its partitions of coefficients begin, by the lengths that it states (RFC 6386, 9.5). `None` if the data
/// end before the last of these lengths.
fn partitions(vp8: &[u8]) -> Option<Vec<usize>> {
    // RFC 6386, 9.1: the header of the frame, and in it the length of the first partition, which has the modes.
    const FRAME: usize = 10;
    // RFC 6386, 9.5: behind it a table of the lengths of all other partitions but the last, three bytes each; there are at most eight partitions.
    const LENGTH: usize = 3;
    const LONGEST_TABLE: usize = 7 * LENGTH;
    let tag = u32::from_le_bytes([*vp8.first()?, *vp8.get(1)?, *vp8.get(2)?, 0]);
    let modes = vp8.get(..FRAME + (tag >> 5) as usize)?;
    // How many there are is coded among the modes. webp-rust reads that, but refuses data that end early. So it gets partitions without bytes.
    let header = webp_rust::decoder::parse_lossy_headers(&[modes, &[0; LONGEST_TABLE + 1]].concat()).ok()?;
    let table = vp8.get(modes.len()..)?.get(..LENGTH * header.token_partition_sizes.len().checked_sub(1)?)?;
    let mut begins = vec![modes.len() + table.len()];
    for [low, middle, high] in table.as_chunks::<LENGTH>().0 {
        begins.push(begins[begins.len() - 1] + u32::from_le_bytes([*low, *middle, *high, 0]) as usize);
    }
    Some(begins)
}

/// Reads a file, and then filler without end.
struct Filled<'a> {
    file: &'a [u8],
    /// The position at which filler begins, and those at which it begins anew.
    begins: &'a [usize],
    /// How it begins, and how it goes on.
    first: &'a [u8],
    rest: &'a [u8],
    /// The position of the next byte to read.
    at: u64,
}

impl BufRead for Filled<'_> {
    fn fill_buf(&mut self) -> IoResult<&[u8]> {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        if let Some(file) = self.file.get(at..).filter(|file| !file.is_empty()) {
            return Ok(file);
        }
        let next = self.begins.partition_point(|begin| *begin <= at);
        let begun = next.checked_sub(1).map_or(at, |last| self.begins[last]);
        let filler = self.first.get(at - begun..).filter(|first| !first.is_empty()).unwrap_or(self.rest);
        let length = self.begins.get(next).map_or(filler.len(), |next| (next - at).min(filler.len()));
        Ok(&filler[..length])
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.at.saturating_add(amount as u64);
    }
}

impl Read for Filled<'_> {
    fn read(&mut self, into: &mut [u8]) -> IoResult<usize> {
        let from = self.fill_buf()?;
        let length = from.len().min(into.len());
        into[..length].copy_from_slice(&from[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl Seek for Filled<'_> {
    fn seek(&mut self, to: SeekFrom) -> IoResult<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => (self.file.len() as u64).checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
