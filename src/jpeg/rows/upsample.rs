//! Chroma at the pixels' own density, as libjpeg-turbo does it by default: a triangle filter where a side is halved, repetition elsewhere.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a hot kernel: rows are cut to the same length first"
)]

/// How a component's samples become pixels along one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A sample is a pixel.
    Same,
    /// Two pixels between samples, the nearer one counts three times.
    Triangle,
    /// `most` pixels for every `factor` samples.
    Repeat { factor: usize, most: usize },
}

impl Side {
    /// The sample that a pixel lies in.
    pub fn sample(self, pixel: usize) -> usize {
        match self {
            Self::Same => pixel,
            Self::Triangle => pixel / 2,
            Self::Repeat { factor, most } => pixel * factor / most,
        }
    }
}

/// Three of the nearer row's samples and one of the farther's.
pub(super) fn column_sums(near: &[u8], far: &[u8], sums: &mut [u16]) {
    for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
        *sum = u16::from(*near) * 3 + u16::from(*far);
    }
}

/// Rows at half height and full width (h1v2): which of its two rows a pixel is in decides how a half is rounded.
pub(super) fn column_means(sums: &[u16], lower: bool, out: &mut [u8]) {
    let half = 1 + u16::from(lower);
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = ((sum + half) >> 2) as u8;
    }
}

/// A row at half width (h2v1): two pixels a sample.
pub(super) fn widen(samples: &[u8], out: &mut [u8]) {
    widen_by(samples, out, |near, far, right| ((u16::from(near) * 3 + u16::from(far) + 1 + u16::from(right)) >> 2) as u8);
}

/// Column sums of a row at half width and height (h2v2): two pixels a sum.
pub(super) fn widen_sums(sums: &[u16], out: &mut [u8]) {
    widen_by(sums, out, |near, far, right| ((near * 3 + far + 8 - u16::from(right)) >> 4) as u8);
}

/// `mix` takes the nearer value, the farther one, and whether the pixel is the right one of its two. The first and last value are their own neighbours.
#[inline(always)]
fn widen_by<T: Copy>(values: &[T], out: &mut [u8], mix: impl Fn(T, T, bool) -> u8) {
    let pairs = out.as_chunks_mut::<2>().0;
    let count = values.len().min(pairs.len());
    let (values, pairs) = (&values[..count], &mut pairs[..count]);
    let (Some(first), Some(last)) = (values.first().copied(), values.last().copied()) else { return };
    let (before, after) = (&values[..count - 1], &values[1..]);
    if count == 1 {
        pairs[0] = [mix(first, first, false), mix(first, first, true)];
        return;
    }
    pairs[0] = [mix(first, first, false), mix(first, after[0], true)];
    pairs[count - 1] = [mix(last, before[count - 2], false), mix(last, last, true)];
    for (((pair, before), value), after) in pairs[1..count - 1].iter_mut().zip(before).zip(&values[1..]).zip(&values[2..]) {
        *pair = [mix(*value, *before, false), mix(*value, *after, true)];
    }
}

/// Repeats samples from the one that pixel `first` lies in.
pub(super) fn repeat(samples: &[u8], side: Side, out: &mut [u8]) {
    match side {
        Side::Repeat { factor: 1, most: 2 } | Side::Triangle => {
            for (pair, sample) in out.chunks_mut(2).zip(samples) {
                pair.fill(*sample);
            }
        }
        _ => {
            for (pixel, out) in out.iter_mut().enumerate() {
                *out = samples[side.sample(pixel).min(samples.len() - 1)];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_at_quarters_between_samples() {
        let mut out = [0; 6];
        widen(&[0, 100, 200], &mut out);
        assert_eq!(out, [0, 25, 75, 125, 175, 200]);
        let mut sums = [0; 3];
        column_sums(&[0, 100, 200], &[0, 0, 0], &mut sums);
        assert_eq!(sums, [0, 300, 600]);
        widen_sums(&sums, &mut out);
        assert_eq!(out, [0, 19, 56, 94, 131, 150]);
        let mut out = [0; 3];
        column_means(&[2, 5, 6], false, &mut out);
        assert_eq!(out, [0, 1, 1]);
        column_means(&[2, 5, 6], true, &mut out);
        assert_eq!(out, [1, 1, 2]);
    }

    #[test]
    fn short_rows_are_their_own_neighbors() {
        let mut out = [0; 2];
        widen(&[7], &mut out);
        assert_eq!(out, [7, 7]);
        widen(&[], &mut out);
        let mut out = [0; 7];
        repeat(&[1, 2, 3], Side::Repeat { factor: 1, most: 3 }, &mut out);
        assert_eq!(out, [1, 1, 1, 2, 2, 2, 3]);
        repeat(&[1, 2, 3, 4, 5], Side::Repeat { factor: 2, most: 3 }, &mut out);
        assert_eq!(out, [1, 1, 2, 3, 3, 4, 5]);
    }
}
