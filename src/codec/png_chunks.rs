//! The chunks of a PNG before its pixels: what they say of the colours, and which of them the decoder need not see.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use crate::profile::{Primaries, Profile, Unused};
use crate::pyramid::unpacked_profile;

/// The colour type of a palette's indexes.
const INDEXED: u8 = 3;

/// Bytes that the decoder gets at a time. Where the data are damaged it forgets what it has made of the last ones, and 32 kB of pixels before these.
const PIECE: usize = 512;

/// Parts that are left out at most; what comes behind them the decoder must see.
const MOST_PARTS: usize = 1024;

/// A PNG without the chunks that the decoder has no use for. It refuses some whose content is bad, though the pixels do not depend on them.
pub(super) struct File {
    bytes: Vec<u8>,
    /// In order, apart, and not empty.
    left_out: Vec<Range<usize>>,
    /// How many of them have been passed over.
    passed: usize,
    position: usize,
}

/// What the checksums of the chunks say.
#[derive(Debug, Default)]
pub(super) struct Checksums {
    /// Those of the chunks that the decoder needs before the pixels are right.
    pub header: bool,
    /// The first chunk of pixels whose own is not.
    pub wrong: Option<usize>,
}

/// What describes the colours. Of each the first counts.
#[derive(Default)]
struct Colors {
    /// The content of iCCP.
    icc: Option<Range<usize>>,
    is_srgb: bool,
    gamma: Option<u32>,
    primaries: Option<Primaries>,
    code_points: Option<[u8; 4]>,
}

impl File {
    /// Looks at the chunks up to the pixels. A file that is broken there is left to the decoder as it is.
    pub fn new(bytes: Vec<u8>) -> (Self, Option<Arc<Profile>>) {
        let mut colors = Colors::default();
        let mut left_out: Vec<Range<usize>> = Vec::new();
        let color_type = bytes.get(25).copied().unwrap_or_default();
        let mut at = 8;
        while let Some([a, b, c, d, name @ ..]) = bytes.get(at..at + 8) {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let content = at + 8..at.saturating_add(8).saturating_add(length);
            let end = content.end.saturating_add(4);
            if end > bytes.len() || matches!(name, b"IDAT" | b"IEND") {
                break;
            }
            let needed = match name {
                b"IHDR" | b"tRNS" => true,
                // Beside colours that are no indexes it only suggests a palette.
                b"PLTE" => color_type == INDEXED,
                // Others are critical, too: whoever does not know them must not go on.
                [first, ..] => first.is_ascii_uppercase(),
                [] => true,
            };
            if !needed {
                if is_sound(&bytes, at + 4..content.end) {
                    colors.take(name, &bytes, content);
                }
                if left_out.last().is_none_or(|last| last.end < at) {
                    if left_out.len() == MOST_PARTS {
                        break;
                    }
                    left_out.push(at..at);
                }
                if let Some(last) = left_out.last_mut() {
                    last.end = end;
                }
            }
            at = end;
        }
        let profile = colors.profile(&bytes);
        (Self { bytes, left_out, passed: 0, position: 0 }, profile.map(Arc::new))
    }

    /// Checks all chunks up to the end of the pixels, but for those that are left out. A chunk that is cut off has no checksum to be wrong.
    pub fn checksums(&self) -> Checksums {
        let mut sums = Checksums { header: true, wrong: None };
        let mut at = 8_usize;
        while let Some([a, b, c, d, name @ ..]) = self.bytes.get(at..at.saturating_add(8)) {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let end = at.saturating_add(8).saturating_add(length);
            if name == b"IEND" || end.saturating_add(4) > self.bytes.len() {
                break;
            }
            let is_pixels = name == b"IDAT";
            let is_left_out = || self.left_out.iter().any(|part| part.contains(&at));
            if !is_sound(&self.bytes, at + 4..end) && !is_left_out() {
                if is_pixels {
                    sums.wrong = sums.wrong.or(Some(at));
                } else {
                    sums.header = false;
                }
            }
            at = end.saturating_add(4);
        }
        sums
    }

    /// Some bytes, up to the next part that is left out at most, having passed over one that begins here.
    fn rest(&mut self) -> &[u8] {
        let mut next = self.left_out.get(self.passed);
        if let Some(part) = next.filter(|part| part.start == self.position) {
            self.position = part.end;
            self.passed += 1;
            next = self.left_out.get(self.passed);
        }
        let end = next.map_or(self.bytes.len(), |part| part.start).min(self.position.saturating_add(PIECE));
        self.bytes.get(self.position..end).unwrap_or_default()
    }
}

/// Whether the checksum behind a chunk's name and content is right.
fn is_sound(bytes: &[u8], checked: Range<usize>) -> bool {
    let mut sum = flate2::Crc::new();
    sum.update(&bytes[checked.clone()]);
    bytes.get(checked.end..checked.end + 4) == Some(&sum.sum().to_be_bytes())
}

impl Colors {
    fn take(&mut self, name: &[u8], bytes: &[u8], content: Range<usize>) {
        let fields = &bytes[content.clone()];
        match (name, fields) {
            (b"iCCP", _) if self.icc.is_none() => self.icc = Some(content),
            (b"sRGB", _) => self.is_srgb = true,
            (b"gAMA", fields) if self.gamma.is_none() => self.gamma = fields.try_into().ok().map(u32::from_be_bytes),
            (b"cHRM", fields) if self.primaries.is_none() && fields.len() == 32 => {
                let value = |index: usize| f64::from(u32::from_be_bytes(fields.as_chunks::<4>().0[index])) / 100_000.0;
                let point = |index: usize| (value(index), value(index + 1));
                self.primaries = Some(Primaries { white: point(0), red: point(2), green: point(4), blue: point(6) });
            }
            (b"cICP", fields) if self.code_points.is_none() => self.code_points = fields.try_into().ok(),
            _ => {}
        }
    }

    /// The first description that can be used, in the order of the third edition, 4.3: cICP, iCCP, sRGB, gAMA and cHRM. One that comes first and cannot be used is
    /// told of. Chromaticities without a gamma are ignored, as by browsers: the curve would have to be guessed.
    fn profile(&self, bytes: &[u8]) -> Option<Profile> {
        let mut unused = None;
        match self.code_points {
            // Samples of RGB, in full range.
            Some([primaries, transfer, 0, 1]) => match Profile::of_code_points(primaries, transfer) {
                Some(profile) => return Some(profile),
                None => unused = Some(Unused { name: "cicp", reason: "has code points that are not supported" }),
            },
            Some(_) => unused = Some(Unused { name: "cicp", reason: "is not for RGB in full range" }),
            None => {}
        }
        if let Some(icc) = &self.icc {
            match inflate(&bytes[icc.clone()]) {
                Some(icc) => return Some(Profile::icc(icc).in_place_of(unused)),
                None => unused = Some(Unused { name: "icc", reason: "cannot be unpacked" }),
            }
        }
        let described = self.gamma.filter(|_| !self.is_srgb).and_then(|gamma| Profile::of_gamma(gamma, self.primaries));
        match (described, unused) {
            (Some(profile), unused) => Some(profile.in_place_of(unused)),
            (None, Some(_)) => Some(Profile::none().in_place_of(unused)),
            (None, None) => None,
        }
    }
}

/// A profile behind its name and the number of the method, which must be 0 (11.3.2.3).
fn inflate(content: &[u8]) -> Option<Vec<u8>> {
    let name = content.iter().take(80).position(|byte| *byte == 0)?;
    let packed = content.get(name + 1..)?.strip_prefix(&[0])?;
    fdeflate::decompress_to_vec_bounded(packed, unpacked_profile(content.len() as u64) as usize).ok()
}

impl Read for File {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.rest().read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for File {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.rest())
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

/// The decoder asks for it, but reads from the beginning to the end.
impl Seek for File {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
