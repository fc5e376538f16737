//! What can be seen of a damaged file.
//!
//! image-webp gives no pixels of data that end too early. So the data go on with filler until all pixels are decoded. This is done twice. The bits that come first
//! in place of what is missing are 0 and then 1: rows that are the same both times do not depend on it.

use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, Error, ErrorKind, Read, Result as IoResult, Seek, SeekFrom};

use super::decode::{Pixels, is_animated, read};
use super::{CHUNK_HEADER, Chunk, FIRST_CHUNK, FRAME_HEADER, chunks};
use crate::codec::extra::Decoded;
use crate::codec::filler::MEDIUM;
use crate::geometry::Dimensions;
use crate::pyramid::ALPHA_FLAG;

/// Bytes that begin the filler.
const FIRST: [&[u8]; 2] = [&[0x00; 16], &[0xFF; 16]];
/// Bytes of the rest of it. Zeros take few bits of arithmetic codes. Data of prefix codes can be such that a copy goes beyond the last pixel: then the next one.
const REST: [&[u8]; 3] = [&[0x00; 256], &[0xFF; 256], &[0x5A; 256]];

/// Bytes of filler that zeros as arithmetic codes can take for a macroblock: at most a byte for each flag, which are one for each of its 25 blocks and its modes.
const MACROBLOCK: usize = 32;
/// Bits of all codes of a pixel (RFC 9649, 3.7), as bytes.
const PIXEL: usize = 8;
/// Filler for headers and tables.
const HEADERS: usize = 4 << 10;
/// Bytes of filler for a pixel of a lossy picture, at most: three in four. Decoders hold all of it.
const FILLER: (usize, usize) = (3, 4);

/// RFC 9649, 2.7.1: the flags of chunks that come behind the pixels.
const EXIF_AND_XMP: u8 = 0x0C;
/// Where the length of the file is.
const FILE_LENGTH: usize = 4;

/// Decodes a file that could not be decoded because of `what`. The room of `samples` is used for its pixels. If nothing can be decoded, this is the error.
pub(super) fn decode(mut file: Vec<u8>, planned: Dimensions, memory: u64, mut samples: Vec<u8>, what: String) -> Result<Decoded, String> {
    let Some(image) = Image::find(&file) else { return Err(what) };
    let Some(begins) = image.isolate(&mut file, planned) else { return Err(what) };
    let mut filled = Filled { file: &file, begins: &begins, first: &[], rest: &[], at: 0 };
    if let Some((Pixels { channels, icc }, rows)) = decode_twice(filled, planned, memory, &mut samples) {
        let rows = if rows < planned.height() as usize { image.rows_above(&file, rows) } else { rows };
        let missing = if channels == 4 { 0 } else { MEDIUM };
        samples.iter_mut().skip(rows * planned.width() as usize * channels).for_each(|sample| *sample = missing);
        let damage = (rows < planned.height() as usize).then_some((rows as u32, what));
        return Ok(Decoded { channels, samples, icc, damage });
    }
    // Alpha has data of its own. Without it, all colours can be seen, and no row is as it should be.
    if flags(&mut file).is_some_and(|flags| std::mem::replace(flags, *flags & !ALPHA_FLAG) & ALPHA_FLAG != 0) {
        filled = Filled { file: &file, begins: &begins, first: &[], rest: &[], at: 0 };
        if let Some((Pixels { channels, icc }, _)) = decode_twice(filled, planned, memory, &mut samples) {
            return Ok(Decoded { channels, samples, icc, damage: Some((0, what)) });
        }
    }
    Err(what)
}

/// Decodes a file with both kinds of filler; gives the rows above the first that is not the same.
fn decode_twice(file: Filled<'_>, planned: Dimensions, memory: u64, samples: &mut Vec<u8>) -> Option<(Pixels, usize)> {
    let mut decode = |first: &'static [u8]| {
        REST.iter().find_map(|rest| {
            let pixels = read(Filled { first, rest, ..file }, planned, memory, samples).ok()?;
            let stride = planned.width() as usize * pixels.channels;
            let digests: Vec<u64> = samples.chunks_exact(stride).map(digest).collect();
            Some((pixels, digests))
        })
    };
    let (_, before) = decode(FIRST[0])?;
    let (pixels, after) = decode(FIRST[1])?;
    let rows = before.iter().zip(&after).take_while(|(before, after)| before == after).count();
    Some((pixels, rows))
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

/// Where the data of a file's picture, or of the first frame of an animation, are.
pub(super) struct Image {
    data: Chunk,
    /// The frame that they are in.
    frame: Option<Chunk>,
    /// Of lossy data, where the partitions of coefficients begin in the file: all but the last have a stated length (RFC 6386, 9.5). `None` if they are unknown.
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

    /// What is wrong with a file that does not have all of its data.
    pub fn cut_short(&self, file: &[u8]) -> Option<String> {
        let there = self.data.data(file).len();
        let stated = self.partitions.iter().flatten().map(|begin| begin - self.data.start).fold(self.data.length, usize::max);
        (there < stated).then(|| format!("its pixels end after {there} of {stated} bytes"))
    }

    /// How many rows are surely there, if a row is the first that differs. In a row of macroblocks of which coefficients are missing, pixels can be the same by chance; and
    /// all of it, if the last macroblock alone is damaged, of which little may be visible. The loop filter changes six rows above (RFC 6386, 15.2; three of the chroma),
    /// and chroma is mixed with that of the next row.
    fn rows_above(&self, file: &[u8], row: usize) -> usize {
        const MACROBLOCK: usize = 16;
        const CHANGED: usize = 8;
        // RFC 9649, 2.7.1.1: half of where a frame begins is behind its horizontal place.
        let top = self.frame.and_then(|frame| file.get(frame.start + 3..frame.start + 6)).map_or(0, |y| 2 * u32::from_le_bytes([y[0], y[1], y[2], 0]) as usize);
        if !self.data.is_lossy() || row < top {
            return row;
        }
        top + ((row - top + CHANGED) / MACROBLOCK * MACROBLOCK).saturating_sub(MACROBLOCK + CHANGED)
    }

    /// Makes its data the last of a file, and states that there are as many bytes more as filler can be. Gives where filler begins: where data end, and where a partition
    /// begins behind that. `None` if nothing can be decoded or filler takes more memory than it [may](FILLER).
    fn isolate(&self, file: &mut Vec<u8>, planned: Dimensions) -> Option<Vec<usize>> {
        let end = self.data.start + self.data.data(file).len();
        file.truncate(end);
        let partitions = self.partitions.as_ref()?;
        let begins: Vec<usize> = std::iter::once(end).chain(partitions.iter().copied().filter(|begin| *begin > end)).collect();
        let (width, height) = (planned.width() as usize, planned.height() as usize);
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

/// Where in the data of a lossy picture its partitions of coefficients begin, as it states it: behind the first partition and the table of lengths (RFC 6386, 9.5).
/// `None` if they end before.
fn partitions(vp8: &[u8]) -> Option<Vec<usize>> {
    // RFC 6386, 9.1: the header of the frame, and in it the length of the first partition.
    const FRAME: usize = 10;
    // 19.2: at most eight partitions, of which all but one have an entry of three bytes.
    const TABLE: usize = 3 * 7;
    let tag = u32::from_le_bytes([*vp8.first()?, *vp8.get(1)?, *vp8.get(2)?, 0]);
    let first = vp8.get(..FRAME + (tag >> 5) as usize)?;
    // The number is in the first partition; webp-rust reads it, and expects all partitions to be there: here they have no bytes.
    let header = webp_rust::decoder::parse_lossy_headers(&[first, &[0; TABLE + 1]].concat()).ok()?;
    let table = vp8.get(first.len()..first.len() + 3 * header.token_partition_sizes.len().checked_sub(1)?)?;
    let mut begin = first.len() + table.len();
    let lengths = table.as_chunks::<3>().0.iter().map(|[low, middle, high]| u32::from_le_bytes([*low, *middle, *high, 0]) as usize);
    let others = lengths.map(|length| {
        begin += length;
        begin
    });
    Some(std::iter::once(first.len() + table.len()).chain(others.collect::<Vec<_>>()).collect())
}

/// A file that goes on with filler.
#[derive(Clone, Copy)]
struct Filled<'a> {
    file: &'a [u8],
    /// Where filler begins, and begins anew.
    begins: &'a [usize],
    /// What it begins with, and what goes on without end.
    first: &'a [u8],
    rest: &'a [u8],
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
