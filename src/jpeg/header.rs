//! Everything in front of the first scan (T.81, B.2.1 to B.2.4): frame and scan headers, tables, and what application segments say of the colours.

use std::ops::Range;

use super::corrupt;
use super::marker::{APP0, DAC, DHT, DNL, EOI, ICC_NAME, JPG, RST0, RST7, SOF0, SOF2, SOF15, SOI, SOS, Segment, next_marker, next_segment};
use super::tables::Tables;
use crate::error::Result;
use crate::geometry::Dimensions;

/// A component of the frame (B.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component {
    /// The name that scans call it by.
    pub id: u8,
    /// Samples across (H) relative to the other components', 1 to 4.
    pub across: u8,
    /// Samples down (V).
    pub down: u8,
    /// Number of its quantization table.
    pub quantization: u8,
}

/// A scan header (B.2.3): which components follow, by which tables, and which part of their coefficients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Index of the component in the frame, and the numbers of its DC and AC tables.
    pub components: Vec<(usize, u8, u8)>,
    /// First and last coefficient in zigzag order.
    pub spectral: (u8, u8),
    /// Bit position of the scan before and of this one (progressive only).
    pub approximation: (u8, u8),
    /// Offset of the entropy-coded data.
    pub data: usize,
}

/// What the components of an image mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ColorModel {
    /// One component.
    Gray,
    /// Y, Cb, Cr (JFIF).
    YCbCr,
    /// Red, green, blue.
    Rgb,
    /// Four inks; `inverted` if 255 means none, as Adobe writes them.
    Cmyk { inverted: bool },
    /// Inks of which three are turned into Y, Cb, Cr.
    Ycck { inverted: bool },
    /// Whatever they are: nobody says, or it does not matter here.
    Stored,
}

/// What a stream says of itself before its first scan.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// Size of the image; its height may come from a DNL segment.
    pub dimensions: Dimensions,
    /// Marker of the frame header: 0xC0 baseline, 0xC1 extended sequential, 0xC2 progressive, others that are not decoded.
    pub process: u8,
    /// Bits per sample.
    pub precision: u8,
    /// In the order of the frame header.
    pub components: Vec<Component>,
    /// Whether there is a JFIF segment.
    pub jfif: bool,
    /// The transform of Adobe's APP14 segment: 0 none, 1 YCbCr, 2 YCCK.
    pub adobe: Option<u8>,
    /// Where the parts of an ICC profile lie in the stream, in order; empty if one is missing.
    pub icc: Vec<Range<usize>>,
    /// There are parts of one, but not all.
    pub has_broken_profile: bool,
    /// Where the payload of an EXIF segment lies, its name included.
    #[allow(dead_code, reason = "nobody passes it on yet")]
    pub exif: Option<Range<usize>>,
    /// The first scan.
    pub scan: Scan,
    pub(super) tables: Tables,
}

impl Header {
    /// Reads up to the first scan. `tables` is a stream of tables alone (B.5; TIFF Technical Note 2), which the stream's own overrule.
    pub fn read(tables: Option<&[u8]>, stream: &[u8]) -> Result<Self> {
        let mut reading = Reading::default();
        if let Some(tables) = tables {
            reading.tables_alone(tables)?;
        }
        if !stream.starts_with(&[0xFF, SOI]) {
            return Err(corrupt(0, "no marker for the start of an image"));
        }
        let mut at = 2;
        loop {
            let segment = next_segment(stream, at)?.ok_or_else(|| corrupt(stream.len(), "the data end before the first scan"))?;
            match segment.marker {
                SOS => return reading.finish(stream, &segment),
                EOI => return Err(corrupt(segment.at, "the image ends before its first scan")),
                _ => reading.take(&segment)?,
            }
            at = segment.end();
        }
    }

    /// The meaning of the components, by the same signs as libjpeg's.
    pub fn color_model(&self) -> ColorModel {
        let ids: Vec<u8> = self.components.iter().map(|component| component.id).collect();
        match (self.components.len(), self.adobe) {
            (1, _) => ColorModel::Gray,
            (3, _) if self.jfif => ColorModel::YCbCr,
            (3, Some(0)) => ColorModel::Rgb,
            (3, Some(_)) => ColorModel::YCbCr,
            (3, None) if ids == *b"RGB" => ColorModel::Rgb,
            (3, None) => ColorModel::YCbCr,
            (4, Some(0)) => ColorModel::Cmyk { inverted: true },
            (4, Some(_)) => ColorModel::Ycck { inverted: true },
            (4, None) => ColorModel::Cmyk { inverted: false },
            _ => ColorModel::Stored,
        }
    }

    /// Takes the word of a container for what three or four components mean, whatever markers say.
    pub fn declare(&mut self, model: ColorModel) {
        (self.jfif, self.adobe) = match model {
            ColorModel::YCbCr => (true, None),
            ColorModel::Rgb => (false, Some(0)),
            _ => (false, None),
        };
    }

    /// The greatest sampling factors (Hmax and Vmax in A.1.1).
    pub fn most(&self) -> (u8, u8) {
        let most = |factor: fn(&Component) -> u8| self.components.iter().map(factor).max().unwrap_or(1).max(1);
        (most(|component| component.across), most(|component| component.down))
    }

    /// Whether all components come in one sequential scan, which needs no more memory than a band.
    pub fn is_streamable(&self) -> bool {
        let together = self.scan.components.iter().map(|(index, ..)| *index).eq(0..self.components.len());
        together && self.process != SOF2
    }

    /// The bytes of the ICC profile.
    pub fn icc_profile(&self, stream: &[u8]) -> Option<Vec<u8>> {
        let parts: Option<Vec<&[u8]>> = self.icc.iter().map(|part| stream.get(part.clone())).collect();
        parts.filter(|parts| !parts.is_empty()).map(|parts| parts.concat())
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    tables: Tables,
    frame: Option<Frame>,
    jfif: bool,
    adobe: Option<u8>,
    /// Number, count and place of each part.
    icc: Vec<(u8, u8, Range<usize>)>,
    exif: Option<Range<usize>>,
}

#[derive(Debug)]
struct Frame {
    process: u8,
    precision: u8,
    lines: u16,
    width: u16,
    components: Vec<Component>,
    at: usize,
}

impl Reading {
    fn tables_alone(&mut self, tables: &[u8]) -> Result<()> {
        let mut at = 0;
        // Offsets within it would mislead: it lies elsewhere than the stream.
        while let Some(segment) = next_segment(tables, at).map_err(|_| corrupt(0, "a broken stream of tables"))? {
            if segment.marker == EOI {
                break;
            }
            self.tables.define(&segment).map_err(|_| corrupt(0, "a broken table in the stream of tables"))?;
            at = segment.end();
        }
        Ok(())
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<()> {
        if self.tables.define(segment)? {
            return Ok(());
        }
        match segment.marker {
            DHT | JPG | DAC => {}
            SOF0..=SOF15 if self.frame.is_some() => return Err(corrupt(segment.at, "a second frame header")),
            SOF0..=SOF15 => self.frame = Some(Frame::read(segment)?),
            APP0 => self.jfif |= segment.payload.starts_with(b"JFIF\0"),
            0xE1 if self.exif.is_none() && segment.payload.starts_with(b"Exif\0") => self.exif = Some(segment.at..segment.end()),
            0xE2 => {
                if let Some([number, count, ..]) = segment.payload.strip_prefix(ICC_NAME) {
                    let start = segment.at.saturating_add(ICC_NAME.len()).saturating_add(2);
                    self.icc.push((*number, *count, start..segment.end()));
                }
            }
            // Adobe, TN 5116: name, version, two flags, transform.
            0xEE => {
                if let [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..] = segment.payload {
                    self.adobe = Some(*transform);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self, stream: &[u8], segment: &Segment<'_>) -> Result<Header> {
        let frame = self.frame.take().ok_or_else(|| corrupt(segment.at, "a scan before the frame header"))?;
        let scan = Scan::read(segment, &frame.components)?;
        let lines = if frame.lines > 0 { frame.lines } else { number_of_lines(stream, scan.data)? };
        let dimensions = Dimensions::new(frame.width.into(), lines.into()).ok_or_else(|| corrupt(frame.at, "a frame of no pixels"))?;
        let Frame { process, precision, components, .. } = frame;
        let icc = self.icc_parts();
        let has_broken_profile = icc.is_empty() && !self.icc.is_empty();
        let Self { tables, jfif, adobe, exif, .. } = self;
        Ok(Header { dimensions, process, precision, components, jfif, adobe, icc, has_broken_profile, exif, scan, tables })
    }

    /// The parts in order of their numbers; a profile with a part missing is none.
    fn icc_parts(&self) -> Vec<Range<usize>> {
        let count = self.icc.first().map_or(0, |(_, count, _)| *count);
        let part = |wanted: u8| self.icc.iter().find(|(number, ..)| *number == wanted).map(|(.., part)| part.clone());
        (1..=count).map(part).collect::<Option<Vec<Range<usize>>>>().unwrap_or_default()
    }
}

impl Frame {
    /// SOFn (B.2.2).
    fn read(segment: &Segment<'_>) -> Result<Self> {
        let short = || corrupt(segment.at, "a broken frame header");
        let (&[precision, l1, l0, w1, w0, count], rest) = segment.payload.split_first_chunk().ok_or_else(short)?;
        let specifications = rest.as_chunks::<3>().0.get(..usize::from(count)).ok_or_else(short)?;
        let mut components: Vec<Component> =
            specifications.iter().map(|&[id, sampling, quantization]| Component { id, across: sampling >> 4, down: sampling & 15, quantization }).collect();
        let sound = |component: &Component| (1..=4).contains(&component.across) && (1..=4).contains(&component.down);
        if components.is_empty() || !components.iter().all(sound) {
            return Err(short());
        }
        // The factors are relative to others': a component without others is coded block by block (A.2.2).
        if let [alone] = components.as_mut_slice() {
            (alone.across, alone.down) = (1, 1);
        }
        let (lines, width) = (u16::from_be_bytes([l1, l0]), u16::from_be_bytes([w1, w0]));
        Ok(Self { process: segment.marker, precision, lines, width, components, at: segment.at })
    }
}

impl Scan {
    /// SOS (B.2.3).
    pub(super) fn read(segment: &Segment<'_>, frame: &[Component]) -> Result<Self> {
        let broken = || corrupt(segment.at, "a broken scan header");
        let (count, rest) = segment.payload.split_first().ok_or_else(broken)?;
        let length = usize::from(*count).saturating_mul(2);
        let (selectors, parameters) = rest.split_at_checked(length).ok_or_else(broken)?;
        let &[first, last, approximation, ..] = parameters else { return Err(broken()) };
        let mut components: Vec<(usize, u8, u8)> = Vec::new();
        for [id, tables] in selectors.as_chunks::<2>().0 {
            // Where names are doubled, the next of that name is meant.
            let taken = |index: usize| components.iter().any(|(other, ..)| *other == index);
            let index = frame.iter().enumerate().position(|(index, component)| component.id == *id && !taken(index)).ok_or_else(broken)?;
            components.push((index, tables >> 4, tables & 15));
        }
        if components.is_empty() || components.len() > 4 {
            return Err(broken());
        }
        Ok(Self { components, spectral: (first, last), approximation: (approximation >> 4, approximation & 15), data: segment.end() })
    }
}

/// DNL (B.2.5), which must follow the first scan if the frame header tells no number of lines.
fn number_of_lines(stream: &[u8], mut at: usize) -> Result<u16> {
    while let Some((marker, after)) = next_marker(stream, at) {
        match marker {
            RST0..=RST7 => at = after,
            DNL => {
                let start = after.saturating_sub(2);
                if let Some(segment) = next_segment(stream, start)?
                    && let [high, low, ..] = segment.payload
                {
                    return Ok(u16::from_be_bytes([*high, *low]));
                }
                break;
            }
            _ => break,
        }
    }
    Err(corrupt(at, "neither the frame header nor a segment behind the first scan tells the number of lines"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::jpeg::{Encoder, Sampling, Settings};

    fn sample<'a>(settings: impl FnOnce(&mut Settings<'a>)) -> Vec<u8> {
        let mut chosen = Settings::new(Dimensions::new(20, 10).unwrap(), Sampling::S420, 80);
        settings(&mut chosen);
        let mut encoder = Encoder::new(&chosen).unwrap();
        for y in 0..10 {
            encoder.push_row(&[y * 20; 60]).unwrap();
        }
        encoder.finish().unwrap()
    }

    #[test]
    fn a_header_tells_frame_scan_and_segments() {
        let profile: Vec<u8> = (0..100_000_u32).map(|i| i as u8).collect();
        let stream = sample(|settings: &mut Settings<'_>| {
            settings.icc = Some(&profile);
            settings.segments = &[(0xE1, b"Exif\0\0II"), (0xFE, b"a comment")];
            settings.restart_interval = 2;
        });
        let header = Header::read(None, &stream).unwrap();
        assert_eq!(header.dimensions, Dimensions::new(20, 10).unwrap());
        assert_eq!((header.process, header.precision, header.jfif, header.adobe), (SOF0, 8, true, None));
        assert_eq!(header.components[0], Component { id: 1, across: 2, down: 2, quantization: 0 });
        assert_eq!(header.components[2], Component { id: 3, across: 1, down: 1, quantization: 1 });
        assert_eq!(header.most(), (2, 2));
        assert_eq!(header.color_model(), ColorModel::YCbCr);
        assert_eq!(header.icc_profile(&stream), Some(profile.clone()));
        assert_eq!(&stream[header.exif.clone().unwrap()], b"Exif\0\0II");
        assert_eq!(header.scan.components, [(0, 0, 0), (1, 1, 1), (2, 1, 1)]);
        assert_eq!(header.tables.restart_interval, 2);
        assert_eq!(stream[header.scan.data - 3..header.scan.data], [0, 63, 0]);
    }

    #[test]
    fn a_header_that_is_cut_says_where_it_ends() {
        let stream = sample(|_| {});
        let end = Header::read(None, &stream).unwrap().scan.data;
        for cut in 0..end {
            let error = Header::read(None, &stream[..cut]).unwrap_err();
            assert!(matches!(error, Error::SourceCorrupt { at, .. } if at <= cut as u64), "{cut}: {error:?}");
        }
    }

    #[test]
    fn the_number_of_lines_may_follow_the_scan() {
        let mut stream = sample(|_| {});
        let frame = stream.windows(2).position(|pair| pair == [0xFF, SOF0]).unwrap();
        stream[frame + 5..frame + 7].fill(0);
        assert!(Header::read(None, &stream).is_err());
        stream.truncate(stream.len() - 2);
        stream.extend([0xFF, DNL, 0, 4, 0, 10, 0xFF, EOI]);
        assert_eq!(Header::read(None, &stream).unwrap().dimensions.height(), 10);
    }

    #[test]
    fn tables_may_come_apart() {
        let stream = sample(|_| {});
        let tables = stream.windows(2).position(|pair| pair == [0xFF, 0xDB]).unwrap();
        let frame = stream.windows(2).position(|pair| pair == [0xFF, SOF0]).unwrap();
        let abbreviated = [&stream[..tables], &stream[frame..]].concat();
        let apart = [&[0xFF, SOI], &stream[tables..frame], &[0xFF, EOI]].concat();
        let header = Header::read(Some(&apart), &abbreviated).unwrap();
        assert_eq!(header.tables.quantization, Header::read(None, &stream).unwrap().tables.quantization);
        assert!(Header::read(None, &abbreviated).unwrap().tables.quantization[0].is_none());
        assert!(Header::read(Some(&apart[..20]), &abbreviated).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        let stream = sample(|_| {});
        let frame = stream.windows(2).position(|pair| pair == [0xFF, SOF0]).unwrap();
        for (at, value) in [(frame + 9, 0), (frame + 9, 200), (frame + 11, 0x02), (frame + 11, 0x50), (frame + 7, 0)] {
            let mut broken = stream.clone();
            broken[at] = value;
            if at == frame + 7 {
                broken[at + 1] = 0;
            }
            assert!(matches!(Header::read(None, &broken), Err(Error::SourceCorrupt { .. })), "{at}");
        }
    }
}
