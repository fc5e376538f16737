//! Boxes of 2 × 2 pixels to their average.

/// Appends the averages of two rows to `out`; the last of an odd number of columns counts twice. With an even number of `channels` the last is alpha, by which
/// colours are weighed.
pub(super) fn halve(above: &[u8], below: &[u8], channels: usize, out: &mut Vec<u8>) {
    match channels {
        1 => plain::<1>(above, below, out),
        2 => weighed::<2>(above, below, out),
        3 => plain::<3>(above, below, out),
        _ => weighed::<4>(above, below, out),
    }
}

fn boxes<'a, const CHANNELS: usize>(above: &'a [u8], below: &'a [u8]) -> impl Iterator<Item = [&'a [u8; CHANNELS]; 4]> {
    let pairs = |row: &'a [u8]| row.as_chunks::<CHANNELS>().0.chunks(2);
    pairs(above).zip(pairs(below)).filter_map(|(above, below)| Some([above.first()?, above.last()?, below.first()?, below.last()?]))
}

fn plain<const CHANNELS: usize>(above: &[u8], below: &[u8], out: &mut Vec<u8>) {
    out.extend(boxes::<CHANNELS>(above, below).flat_map(|pixels| {
        let mut average = [0; CHANNELS];
        for (channel, average) in average.iter_mut().enumerate() {
            *average = ((pixels.iter().map(|pixel| u32::from(pixel[channel])).sum::<u32>() + 2) >> 2) as u8;
        }
        average
    }));
}

fn weighed<const CHANNELS: usize>(above: &[u8], below: &[u8], out: &mut Vec<u8>) {
    out.extend(boxes::<CHANNELS>(above, below).flat_map(|pixels| {
        let mut average = [0; CHANNELS];
        let cover: u32 = pixels.iter().map(|pixel| u32::from(pixel[CHANNELS - 1])).sum();
        for (channel, average) in average[..CHANNELS - 1].iter_mut().enumerate() {
            let sum: u32 = pixels.iter().map(|pixel| u32::from(pixel[channel]) * u32::from(pixel[CHANNELS - 1])).sum();
            *average = (sum + cover / 2).checked_div(cover).unwrap_or(0) as u8;
        }
        average[CHANNELS - 1] = ((cover + 2) >> 2) as u8;
        average
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halved(above: &[u8], below: &[u8], channels: usize) -> Vec<u8> {
        let mut out = Vec::new();
        halve(above, below, channels, &mut out);
        out
    }

    #[test]
    fn averages_are_rounded_and_edges_are_of_what_is_there() {
        assert_eq!(halved(&[10, 20, 100], &[30, 41, 101], 1), [25, 101]);
        assert_eq!(halved(&[1, 2, 3, 5, 6, 7], &[1, 2, 3, 5, 6, 7], 3), [3, 4, 5]);
        assert_eq!(halved(&[9], &[9], 1), [9]);
    }

    #[test]
    fn what_cannot_be_seen_has_no_weight() {
        assert_eq!(halved(&[200, 255, 0, 0], &[0, 0, 0, 0], 2), [200, 64]);
        assert_eq!(halved(&[8, 16, 24, 100, 16, 32, 48, 100], &[0; 8], 4), [12, 24, 36, 50]);
        assert_eq!(halved(&[9, 9, 9, 0, 9, 9, 9, 0], &[0; 8], 4), [0, 0, 0, 0]);
    }
}
