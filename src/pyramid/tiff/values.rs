//! How sample values are shown, by the tags of TIFF: which are black and white, which mean that a pixel has no data, and how YCbCr becomes RGB.

use super::ifd::{Directory, Header};
use crate::bytes::ByteStore;
use crate::error::{Error, SourceFormat, Stop};
use crate::pyramid::level::{Compression, Level, Model, Range, SampleKind, Values, YCbCr};
use crate::window::{Window, number};

pub(super) mod tag {
    pub const MIN_SAMPLE_VALUE: u16 = 280;
    pub const MAX_SAMPLE_VALUE: u16 = 281;
    pub const S_MIN_SAMPLE_VALUE: u16 = 340;
    pub const S_MAX_SAMPLE_VALUE: u16 = 341;
    pub const YCBCR_COEFFICIENTS: u16 = 529;
    pub const REFERENCE_BLACK_WHITE: u16 = 532;
    pub const GDAL_METADATA: u16 = 42112;
    pub const GDAL_NODATA: u16 = 42113;
}

/// Longest GDAL_METADATA that is searched for statistics, bytes.
const LONGEST_METADATA: u64 = 64 << 10;
/// Longest text of GDAL_NODATA that is read, bytes.
const LONGEST_NUMBER: u64 = 64;
/// If a file with deeper unsigned samples declares a greatest value of no more than this, it is not believed: it is left over from 8 bits more often than it is
/// meant.
const GREATEST_OF_8_BITS: f64 = 255.0;

/// Reads the values of the directory of a full image. `level` is what was read of that directory before, including the profile.
pub(super) fn read(store: &ByteStore, header: &Header, directory: &Directory, level: &Level, setting: Window) -> Result<Values, Stop> {
    let reading = Reading { store, header, directory, level };
    let window = match setting {
        _ if !reading.has_window() => None,
        Window::Full => None,
        // A profile describes the whole range of the type.
        Window::Auto if level.profile.is_some() => None,
        Window::Auto => reading.declared()?,
        Window::Between { black, white } => Range::new(black, white),
    };
    let whole = Range::of_type(level.samples.kind, level.samples.bits);
    Ok(Values { window: window.filter(|window| *window != whole), nodata: reading.nodata()?, ycbcr: reading.ycbcr()? })
}

struct Reading<'a> {
    store: &'a ByteStore,
    header: &'a Header,
    directory: &'a Directory,
    level: &'a Level,
}

impl Reading<'_> {
    /// Whether the type of its samples does not tell which values are black and white: measurements, or values of fewer bits in a larger type.
    fn has_window(&self) -> bool {
        let samples = &self.level.samples;
        self.is_gray_or_rgb() && (samples.bits > 8 || samples.kind != SampleKind::Unsigned)
    }

    fn is_gray_or_rgb(&self) -> bool {
        matches!(self.level.model, Model::WhiteIsZero | Model::BlackIsZero | Model::Rgb)
    }

    /// The values of a tag for the colour samples.
    fn reals(&self, tag: u16) -> Result<Vec<f64>, Stop> {
        self.directory.reals(self.store, self.header, tag, self.level.model.colors().into())
    }

    /// The range that the file declares, one for all colour samples together: separate ranges would change the colour balance.
    fn declared(&self) -> Result<Option<Range>, Stop> {
        let exact = (self.reals(tag::S_MIN_SAMPLE_VALUE)?, self.reals(tag::S_MAX_SAMPLE_VALUE)?);
        if let (Some(least), Some(greatest)) = (least(&exact.0), greatest(&exact.1))
            && let Some(range) = self.credible(least, greatest)
        {
            return Ok(Some(range));
        }
        let whole = (self.reals(tag::MIN_SAMPLE_VALUE)?, self.reals(tag::MAX_SAMPLE_VALUE)?);
        let assumed = (self.level.samples.kind == SampleKind::Unsigned).then_some(0.0);
        if let (Some(least), Some(greatest)) = (least(&whole.0).or(assumed), greatest(&whole.1))
            && let Some(range) = self.credible(least, greatest)
        {
            return Ok(Some(range));
        }
        let metadata = self.directory.text(self.store, tag::GDAL_METADATA, LONGEST_METADATA)?;
        let metadata = String::from_utf8_lossy(&metadata);
        let statistics = |name| items(&metadata, name, self.level.model.colors().into());
        let (least, greatest) = (least(&statistics("STATISTICS_MINIMUM")), greatest(&statistics("STATISTICS_MAXIMUM")));
        Ok(least.zip(greatest).and_then(|(least, greatest)| self.credible(least, greatest)))
    }

    /// A declared range, unless the type of the samples contradicts it.
    fn credible(&self, least: f64, greatest: f64) -> Option<Range> {
        let samples = &self.level.samples;
        let whole = Range::of_type(samples.kind, samples.bits);
        let range = Range::new(least, greatest)?;
        match samples.kind {
            SampleKind::Float => Some(range),
            SampleKind::Unsigned if range.white <= GREATEST_OF_8_BITS => None,
            _ => (range.black >= whole.black && range.white <= whole.white).then_some(range),
        }
    }

    fn nodata(&self) -> Result<Option<f64>, Stop> {
        let Level { samples, model, compression, .. } = self.level;
        let exact = !matches!(compression, Compression::Jpeg | Compression::WebP);
        let colors = self.is_gray_or_rgb() || matches!(model, Model::Palette(_));
        if !exact || !colors || samples.alpha.is_some() {
            return Ok(None);
        }
        let text = self.directory.text(self.store, tag::GDAL_NODATA, LONGEST_NUMBER)?;
        let whole = Range::of_type(samples.kind, samples.bits);
        let occurs = |value: &f64| samples.is_float() || (libm::trunc(*value) == *value && (whole.black..=whole.white).contains(value));
        Ok(number(&String::from_utf8_lossy(&text)).filter(occurs))
    }

    fn ycbcr(&self) -> Result<YCbCr, Stop> {
        let default = YCbCr::default();
        if !matches!(self.level.model, Model::YCbCr(..)) {
            return Ok(default);
        }
        let numbers = |tag, most| self.directory.reals(self.store, self.header, tag, most);
        let wrong = |tag: &str| {
            let what = format!("values of the tag {tag} that make no colours");
            Stop::Fail(Error::SourceCorrupt { format: SourceFormat::Tiff, at: self.directory.at, what })
        };
        let luma = match numbers(tag::YCBCR_COEFFICIENTS, 3)?.as_slice() {
            [red, green, blue] => [*red, *green, *blue],
            _ => default.luma,
        };
        if !luma.iter().all(|part| part.is_finite() && (0.0..=1.0).contains(part)) || luma.get(1).is_none_or(|green| *green < 0.01) {
            return Err(wrong("YCbCrCoefficients"));
        }
        let greatest = Range::of_type(SampleKind::Unsigned, self.level.samples.bits).white;
        let reference = match numbers(tag::REFERENCE_BLACK_WHITE, 6)?.as_slice() {
            // Some writers of deeper samples copy the values that are meant for 8 bits.
            [black, white, no_blue, blue, no_red, red] => {
                let unit = if [*white, *blue, *red].iter().all(|value| *value <= GREATEST_OF_8_BITS) { GREATEST_OF_8_BITS.min(greatest) } else { greatest };
                [(*black / unit, *white / unit), (*no_blue / unit, *blue / unit), (*no_red / unit, *red / unit)]
            }
            _ => default.reference,
        };
        let sensible =
            |(zero, full): &(f64, f64)| zero.is_finite() && full.is_finite() && zero.abs() <= 2.0 && full.abs() <= 2.0 && (full - zero).abs() >= 0.01;
        if !reference.iter().all(sensible) {
            return Err(wrong("ReferenceBlackWhite"));
        }
        Ok(YCbCr { reference, luma })
    }
}

fn least(numbers: &[f64]) -> Option<f64> {
    numbers.iter().copied().reduce(f64::min)
}

fn greatest(numbers: &[f64]) -> Option<f64> {
    numbers.iter().copied().reduce(f64::max)
}

/// The values of all items called `name` in GDAL's metadata that belong to the first `bands` samples: `<Item name="STATISTICS_MINIMUM" sample="0">12</Item>`.
fn items(metadata: &str, name: &str, bands: u32) -> Vec<f64> {
    let of_band = |attributes: &str| match attributes.split_once("sample=\"").and_then(|(_, rest)| rest.split_once('"')) {
        Some((band, _)) => band.parse::<u32>().is_ok_and(|band| band < bands),
        None => true,
    };
    let number_of = |item: &str| {
        let (attributes, rest) = item.split_once('>')?;
        let (value, _) = rest.split_once('<')?;
        let named = attributes.split_once("name=\"").is_some_and(|(_, rest)| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('"')));
        if named && of_band(attributes) { number(value) } else { None }
    };
    metadata.split("<Item ").skip(1).filter_map(number_of).filter(|number| number.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_found_among_other_items() {
        let metadata = r#"<GDALMetadata>
            <Item name="STATISTICS_MAXIMUM" sample="0">90</Item>
            <Item name="STATISTICS_MINIMUM" sample="0">-5.5</Item>
            <Item sample="1" name="STATISTICS_MINIMUM">-7</Item>
            <Item name="STATISTICS_MINIMUM" sample="3">-100</Item>
            <Item name="STATISTICS_MINIMUM_X" sample="0">-200</Item>
            <Item name="DESCRIPTION" sample="0" role="description">STATISTICS_MINIMUM</Item>
            <Item name="STATISTICS_MINIMUM" sample="2">nan</Item>
            <Item name="STATISTICS_MINIMUM" sample="2"
        </GDALMetadata>"#;
        assert_eq!(items(metadata, "STATISTICS_MINIMUM", 3), [-5.5, -7.0]);
        assert_eq!(items(metadata, "STATISTICS_MAXIMUM", 3), [90.0]);
        assert_eq!(items("", "STATISTICS_MAXIMUM", 3), [0.0; 0]);
    }
}
