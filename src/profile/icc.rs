//! What a conversion by curves needs of an ICC profile (ICC.1:2022): its header, tone curves and colorants.
//!
//! Most profiles are of this kind. A library that reads all kinds would be a seventh of what a page has to load, so it is a module of its own that is loaded for
//! profiles with tables (`codecs/src/icc.rs`).

use super::curve::Curve;
use super::matrix::Matrix;

/// Bytes of the header (7.2), before the number of tags.
const HEADER: usize = 128;
/// Bytes of an entry of the tag table (7.3): signature, offset, size.
const ENTRY: usize = 12;
/// Major versions that can be read. Some writers leave the version empty.
const VERSIONS: [u8; 4] = [0, 2, 3, 4];

/// A space of colours (7.2.6, 7.2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Gray,
    Rgb,
    Cmyk,
    Xyz,
    Lab,
    Other,
}

/// A profile whose header and tag table are complete.
pub(super) struct Icc<'a> {
    bytes: &'a [u8],
    tags: &'a [[u8; ENTRY]],
    /// Of the device.
    pub space: Space,
    /// The profile connection space.
    pub pcs: Space,
}

impl<'a> Icc<'a> {
    /// Reads the header and the tag table. `None` if they are incomplete or those of something else.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER)?;
        let (count, table) = rest.split_first_chunk::<4>()?;
        let tags = table.as_chunks::<ENTRY>().0.get(..u32::from_be_bytes(*count) as usize)?;
        let is_profile = header.get(36..40)? == b"acsp" && VERSIONS.contains(header.get(8)?);
        is_profile.then_some(())?;
        Some(Self { bytes, tags, space: space(header.get(16..20)?), pcs: space(header.get(20..24)?) })
    }

    /// Whether it has tables of several dimensions from the device to the connection space (9.2).
    pub fn has_tables(&self) -> bool {
        self.tags.iter().any(|entry| matches!(&entry[..4], b"A2B0" | b"A2B1" | b"A2B2"))
    }

    /// A tone curve: `curveType` (10.6) or `parametricCurveType` (10.18). `None` if there is none of this name, or none that can be read.
    pub fn curve(&self, name: &[u8; 4]) -> Option<Curve> {
        let tag = self.tag(name)?;
        let (kind, data) = (tag.first_chunk::<4>()?, tag.get(8..)?);
        match kind {
            b"curv" => {
                let (count, values) = data.split_first_chunk::<4>()?;
                let values = values.as_chunks::<2>().0.get(..u32::from_be_bytes(*count) as usize)?;
                Some(Curve::table(values.iter().map(|value| u16::from_be_bytes(*value)).collect()))
            }
            b"para" => {
                let function = u16::from_be_bytes(*data.first_chunk()?);
                let count = *[1, 3, 4, 5, 7].get(usize::from(function))?;
                let parameters: Vec<f64> = data.get(4..)?.as_chunks().0.get(..count)?.iter().map(|bytes| fixed(*bytes)).collect();
                Curve::parametric(&parameters)
            }
            _ => None,
        }
    }

    /// The colorants of red, green and blue as the columns of a matrix to XYZ. `None` if one is missing or 0.
    pub fn colorants(&self) -> Option<Matrix> {
        let [red, green, blue] = [b"rXYZ", b"gXYZ", b"bXYZ"].map(|name| {
            let tag = self.tag(name)?;
            let numbers = tag.get(8..)?.as_chunks::<4>().0.first_chunk::<3>()?;
            let is_xyz = tag.starts_with(b"XYZ ") && numbers.iter().flatten().any(|byte| *byte != 0);
            is_xyz.then(|| numbers.map(fixed))
        });
        let (red, green, blue) = (red?, green?, blue?);
        Some([0, 1, 2].map(|row| [red[row], green[row], blue[row]]))
    }

    /// The data of a tag, with their type. Of several tags of a name, the last one counts.
    fn tag(&self, name: &[u8; 4]) -> Option<&'a [u8]> {
        let entry = self.tags.iter().rfind(|entry| entry.starts_with(name))?;
        let number = |at: usize| entry.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize);
        let (start, size) = (number(4)?, number(8)?);
        self.bytes.get(start..start.checked_add(size)?)
    }
}

fn space(signature: &[u8]) -> Space {
    match signature {
        b"GRAY" => Space::Gray,
        b"RGB " => Space::Rgb,
        b"CMYK" => Space::Cmyk,
        b"XYZ " => Space::Xyz,
        b"Lab " => Space::Lab,
        _ => Space::Other,
    }
}

/// `s15Fixed16Number` (4.6).
fn fixed(bytes: [u8; 4]) -> f64 {
    f64::from(i32::from_be_bytes(bytes)) / 65_536.0
}

#[cfg(test)]
mod tests {
    use moxcms::{ColorProfile, ToneReprCurve};

    use super::*;

    /// The library reads the same, of profiles of all kinds that it can make.
    #[test]
    fn profiles_are_read_as_by_a_library() {
        let mut some = vec![
            ColorProfile::new_srgb(),
            ColorProfile::new_adobe_rgb(),
            ColorProfile::new_display_p3(),
            ColorProfile::new_bt2020(),
            ColorProfile::new_pro_photo_rgb(),
            ColorProfile::new_gray_with_gamma(2.2),
        ];
        let curves = [
            ToneReprCurve::Lut(Vec::new()),
            ToneReprCurve::Lut(vec![0x0233]),
            ToneReprCurve::Lut((0..1024).map(|step| step * 63).collect()),
            ToneReprCurve::Parametric(vec![1.8]),
            ToneReprCurve::Parametric(vec![2.2, 0.9, 0.1]),
            ToneReprCurve::Parametric(vec![2.2, 0.9, 0.1, 0.05]),
            ToneReprCurve::Parametric(vec![2.4, 0.948, 0.052, 0.077, 0.04]),
            ToneReprCurve::Parametric(vec![2.4, 0.948, 0.052, 0.077, 0.04, 0.01, 0.02]),
        ];
        for curve in curves {
            let mut gray = ColorProfile::new_gray_with_gamma(2.2);
            gray.gray_trc = Some(curve.clone());
            let mut colors = ColorProfile::new_display_p3();
            colors.green_trc = Some(curve);
            some.extend([gray, colors]);
        }
        for made in some {
            let bytes = made.encode().unwrap();
            let library = ColorProfile::new_from_slice(&bytes).unwrap();
            let icc = Icc::read(&bytes).unwrap();
            let curve = |curve: &Option<ToneReprCurve>| match curve.as_ref()? {
                ToneReprCurve::Lut(values) => Some(Curve::table(values.clone())),
                ToneReprCurve::Parametric(values) => Curve::parametric(&values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>()),
            };
            for (name, expected) in [(b"rTRC", &library.red_trc), (b"gTRC", &library.green_trc), (b"bTRC", &library.blue_trc), (b"kTRC", &library.gray_trc)] {
                assert_eq!(icc.curve(name), curve(expected));
            }
            let is_gray = library.gray_trc.is_some();
            assert_eq!((icc.space, icc.pcs, icc.has_tables()), (if is_gray { Space::Gray } else { Space::Rgb }, Space::Xyz, false));
            assert_eq!(icc.colorants(), (!is_gray).then(|| library.colorant_matrix().v));
        }
    }

    #[test]
    fn a_cut_profile_is_none_or_lacks_what_is_cut_off() {
        let whole = ColorProfile::new_display_p3().encode().unwrap();
        for length in 0..whole.len() {
            let Some(icc) = Icc::read(&whole[..length]) else { continue };
            // What is still there is the same as in the whole.
            let all = Icc::read(&whole).unwrap();
            for name in [b"rTRC", b"gTRC", b"bTRC"] {
                assert!(icc.curve(name).is_none_or(|curve| Some(curve) == all.curve(name)));
            }
            assert!(icc.colorants().is_none_or(|colorants| Some(colorants) == all.colorants()));
        }
        for (at, byte) in [(36, b'x'), (8, 5), (128, 255)] {
            let mut other = whole.clone();
            other[at] = byte;
            assert!(Icc::read(&other).is_none(), "byte {at}");
        }
    }
}
