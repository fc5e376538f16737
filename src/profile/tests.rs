use moxcms::{ColorProfile, DataColorSpace, ToneReprCurve};

use super::*;

#[path = "../../tests/profiles.rs"]
mod profiles;

fn gray(mut profile: ColorProfile, pcs: DataColorSpace, curve: ToneReprCurve) -> Profile {
    profile.pcs = pcs;
    profile.gray_trc = Some(curve);
    Profile::icc(profile.encode().unwrap())
}

fn narrow(profile: &Profile, model: Model, samples: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    profile.conversion(model).unwrap().narrow(samples, &mut out);
    out
}

#[test]
fn a_gray_profile_may_tell_lightness() {
    // An identity curve: 255 is L* 100. The luminances of CIE 15, by sRGB's curve.
    let profile = gray(ColorProfile::new_gray_with_gamma(2.2), DataColorSpace::Lab, ToneReprCurve::Lut(Vec::new()));
    assert_eq!(narrow(&profile, Model::Gray, &[0, 5, 50, 128, 200, 255]), [0, 7, 47, 119, 194, 255]);
    assert_eq!(profile.unused(Model::Gray), []);
    // The same curve of luminance is linear light.
    let profile = gray(ColorProfile::new_gray_with_gamma(2.2), DataColorSpace::Xyz, ToneReprCurve::Lut(Vec::new()));
    assert_eq!(narrow(&profile, Model::Gray, &[0, 4, 24, 32, 255]), [0, 34, 86, 99, 255]);
}

#[test]
fn colors_of_three_primaries_are_as_their_matrix_says() {
    let profile = Profile::icc(ColorProfile::new_display_p3().encode().unwrap());
    // By the matrix of CSS Color 4: 214.9, 92.6, 31.0.
    assert_eq!(narrow(&profile, Model::Rgb, &[200, 100, 50, 255, 255, 255, 0, 0, 0]), [215, 93, 31, 255, 255, 255, 0, 0, 0]);
    let mut wide = Vec::new();
    profile.conversion(Model::Rgb).unwrap().wide(&[200 * 257, 100 * 257, 50 * 257], &mut wide);
    assert_eq!(wide, [215, 93, 31]);
}

/// A profile of inks with a table of two steps each way, by which black alone counts: L* 100 to 0.
fn inks() -> Vec<u8> {
    profiles::profile(4, 2, (0..16).flat_map(|corner| [if corner % 2 == 0 { 0xFF00_u16 } else { 0 }, 0x8000, 0x8000]))
}

#[test]
fn colors_by_tables_are_rounded() {
    let profile = Profile::icc(inks());
    let samples: Vec<u8> = (0..=255).flat_map(|black| [0, 0, 0, black]).collect();
    let found = narrow(&profile, Model::Cmyk, &samples);
    let wide: Vec<u16> = samples.iter().map(|sample| u16::from(*sample) * 257).collect();
    let mut deep = Vec::new();
    profile.conversion(Model::Cmyk).unwrap().wide(&wide, &mut deep);
    assert_eq!(found, deep);
    // The library interpolates between 17 steps, which near black is as far from the truth as it is. Elsewhere results are on both sides of it, not half a value below.
    let exact = |black: usize| {
        let luminance = Curve::Lightness(Box::new(Curve::Power(1.0))).light(1.0 - black as f64 / 255.0);
        curve::encode(luminance) * 255.0
    };
    let differences: Vec<f64> = found.iter().enumerate().take(200 * 3).map(|(index, found)| f64::from(*found) - exact(index / 3)).collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    assert!(differences.iter().all(|difference| difference.abs() < 0.6), "{differences:?}");
    assert!(mean.abs() < 0.05, "{mean}");
}

#[test]
fn a_profile_that_cannot_be_used_says_why() {
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let reason = |profile: &Profile, model| profile.unused(model).first().map(|unused| (unused.name, unused.reason));
    assert_eq!(reason(&Profile::icc(p3.clone()), Model::Rgb), None);
    assert_eq!(reason(&Profile::icc(p3.clone()), Model::Gray), Some(("icc", "is for samples of another kind")));
    assert_eq!(reason(&Profile::icc(p3.clone()), Model::Lab), None, "Lab needs none");
    assert_eq!(reason(&Profile::icc(p3[..200].to_vec()), Model::Rgb), Some(("icc", "cannot be read")));
    let mut bare = ColorProfile::new_display_p3();
    bare.green_trc = None;
    assert_eq!(reason(&Profile::icc(bare.encode().unwrap()), Model::Rgb), Some(("icc", "has no tables or curves that can be used")));
    assert_eq!(reason(&Profile::broken("lacks some of its parts"), Model::Rgb), Some(("icc", "lacks some of its parts")));
    for profile in [Profile::icc(p3[..200].to_vec()), Profile::broken("is lost"), Profile::icc(p3)] {
        assert_eq!((profile.stored(Model::Gray), profile.converts(Model::Gray)), (Stored::Plain, false));
    }
}

#[test]
fn a_large_profile_is_carried_only_if_it_must_not_be() {
    let with = |profile: &ColorProfile, size: usize| {
        let mut bytes = profile.encode().unwrap();
        // Bytes behind the last tag, which nothing names.
        bytes.resize(size.max(bytes.len()), 0);
        let size = (bytes.len() as u32).to_be_bytes();
        bytes[..4].copy_from_slice(&size);
        bytes
    };
    let (p3, srgb) = (ColorProfile::new_display_p3(), ColorProfile::new_srgb());
    for (size, expected) in [(0, true), (4096, true), (4097, false), (140_000, false)] {
        let bytes = with(&p3, size);
        let profile = Profile::icc(bytes.clone());
        assert_eq!(profile.stored(Model::Rgb), if expected { Stored::With(&bytes) } else { Stored::Never }, "{size}");
        assert!(profile.converts(Model::Rgb));
        assert_eq!(Profile::icc(with(&srgb, size)).stored(Model::Rgb), Stored::Plain, "{size}");
    }
}
