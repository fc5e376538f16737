//! Without loss from one JPEG to another: a crop on MCU boundaries, turns, mirrors and luminance alone, on coefficients as they are.

use super::copy::Copied;
use super::mosaic::{Mosaic, is_lossless};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::jpeg::decode::{Index, Wanted};
use crate::jpeg::header::Header;

use crate::jpeg::coefficients::Turn;

/// What is to be made of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transcode<'a> {
    /// In px of the stream's image.
    pub region: Rect,
    pub turn: Turn,
    /// Luminance alone.
    pub gray: bool,
    pub copied: Copied<'a>,
    /// Positions in the stream, if they are known.
    pub index: Option<&'a Index>,
    /// Bytes of working memory: two for every coefficient.
    pub memory: u64,
}

impl Transcode<'_> {
    /// All of an image as it is.
    pub fn whole(header: &Header) -> Self {
        let region = header.dimensions.rect();
        Self { region, turn: Turn::default(), gray: false, copied: Copied::default(), index: None, memory: u64::MAX }
    }

    /// Whether it [can be done without loss](is_lossless).
    pub fn is_lossless(&self, header: &Header) -> bool {
        is_lossless(header, self.region, self.gray, self.turn)
    }

    /// The bytes of the new stream. [`Error::Internal`] unless it [is lossless](Self::is_lossless).
    pub fn run(&self, header: &Header, stream: &[u8]) -> Result<Vec<u8>> {
        let wanted = Wanted { region: self.region, reduction: 1, gray: self.gray, memory: self.memory, fill: false };
        let mut mosaic = Mosaic::new(self.region.dimensions());
        if !self.is_lossless(header) || !mosaic.lay(header, stream, &wanted, self.index, (0, 0))? {
            return Err(Error::Internal { what: format!("JPEG: {} of {} cannot be cut without loss", self.region, header.dimensions) });
        }
        mosaic.write(self.turn, &self.copied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Dimensions;
    use crate::jpeg::testing::{Numbers, encode, picture, rows};
    use crate::jpeg::{Sampling, Settings};

    fn stream(sampling: Sampling, width: u32, height: u32) -> Vec<u8> {
        let samples = picture(&mut Numbers(21), width, height, sampling.components() as u32);
        encode(&Settings::new(Dimensions::new(width, height).unwrap(), sampling, 80), &samples)
    }

    #[test]
    fn as_it_is_it_is_the_same_stream() {
        for sampling in [Sampling::Gray, Sampling::S444, Sampling::S422, Sampling::S420] {
            let stream = stream(sampling, 45, 37);
            let header = Header::read(None, &stream).unwrap();
            assert_eq!(Transcode::whole(&header).run(&header, &stream).unwrap(), stream);
        }
    }

    #[test]
    fn four_quarter_turns_and_two_mirrors_come_back() {
        let stream = stream(Sampling::S420, 64, 48);
        let turn = |transposed, flipped_across, flipped_down| Turn { transposed, flipped_across, flipped_down };
        for (turn, times) in [
            (turn(true, true, false), 4),
            (turn(true, false, true), 4),
            (turn(false, true, true), 2),
            (turn(true, false, false), 2),
            (turn(false, true, false), 2),
        ] {
            let mut turned = stream.clone();
            for _ in 0..times {
                let header = Header::read(None, &turned).unwrap();
                turned = Transcode { turn, ..Transcode::whole(&header) }.run(&header, &turned).unwrap();
            }
            assert_eq!(turned, stream);
        }
    }

    #[test]
    fn samples_are_turned_and_cut() {
        let stream = stream(Sampling::S444, 40, 32);
        let header = Header::read(None, &stream).unwrap();
        let whole = rows(&stream, 1, None).unwrap();
        let pixel = |samples: &[u8], width: usize, x: usize, y: usize| [0, 1, 2].map(|channel| i32::from(samples[(y * width + x) * 3 + channel]));
        let region = Rect::new(8, 8, 29, 24).unwrap();
        let turn = Turn { transposed: true, flipped_across: true, flipped_down: false };
        let found = Transcode { turn, region, ..Transcode::whole(&header) }.run(&header, &stream).unwrap();
        let turned = rows(&found, 1, None).unwrap();
        assert_eq!(Header::read(None, &found).unwrap().dimensions, Dimensions::new(24, 29).unwrap());
        for y in 0..29 {
            for x in 0..24 {
                let (a, b) = (pixel(&turned, 24, x, y), pixel(&whole, 40, 8 + y, 8 + 23 - x));
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 3), "{x},{y}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn luminance_that_is_sampled_less_is_no_image_of_its_own() {
        let mut stream = stream(Sampling::S444, 40, 32);
        let frame = stream.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        stream[frame + 14] = 0x22;
        let header = Header::read(None, &stream).unwrap();
        let gray = Transcode { gray: true, ..Transcode::whole(&header) };
        assert!(!gray.is_lossless(&header) && gray.run(&header, &stream).is_err());
        assert!(Transcode { gray: false, ..gray }.is_lossless(&header));
    }

    #[test]
    fn what_would_lose_something_is_refused() {
        let stream = stream(Sampling::S420, 40, 32);
        let header = Header::read(None, &stream).unwrap();
        let whole = Transcode::whole(&header);
        assert!(whole.is_lossless(&header));
        let off = Transcode { region: Rect::new(8, 0, 16, 16).unwrap(), ..whole };
        assert!(!off.is_lossless(&header) && off.run(&header, &stream).is_err());
        assert!(!Transcode { turn: Turn { flipped_across: true, ..Turn::default() }, ..whole }.is_lossless(&header));
        assert!(Transcode { turn: Turn { flipped_down: true, ..Turn::default() }, ..whole }.is_lossless(&header));
        assert!(!Transcode { turn: Turn { transposed: true, flipped_down: true, ..Turn::default() }, ..whole }.is_lossless(&header));
        assert!(Transcode { memory: 1000, ..whole }.run(&header, &stream).is_err());
    }
}
