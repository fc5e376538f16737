//! Boxes of 2 × 2 pixels to their average.

/// Appends the averages of two rows to `out`; the last of an odd number of columns counts twice. With an even number of `channels` the last is alpha, by which
/// colours are weighed.
pub(super) fn halve(above: &[u8], below: &[u8], channels: usize, out: &mut Vec<u8>) {
    match channels {
        1 => plain::<1>(above, below, out),
        3 => plain::<3>(above, below, out),
        _ => weighed(above, below, channels, out),
    }
}

fn plain<const CHANNELS: usize>(above: &[u8], below: &[u8], out: &mut Vec<u8>) {
    let pairs = above.chunks(2 * CHANNELS).zip(below.chunks(2 * CHANNELS));
    for (above, below) in pairs {
        let right = above.len() - CHANNELS;
        for channel in 0..CHANNELS {
            let sum = [above[channel], above[right + channel], below[channel], below[right + channel]].map(u32::from).iter().sum::<u32>();
            out.push(((sum + 2) >> 2) as u8);
        }
    }
}

fn weighed(above: &[u8], below: &[u8], channels: usize, out: &mut Vec<u8>) {
    let pairs = above.chunks(2 * channels).zip(below.chunks(2 * channels));
    for (above, below) in pairs {
        let right = above.len() - channels;
        let pixels = [&above[..channels], &above[right..], &below[..channels], &below[right..]];
        let alphas = pixels.map(|pixel| u32::from(pixel[channels - 1]));
        let cover: u32 = alphas.iter().sum();
        for channel in 0..channels - 1 {
            let sum: u32 = pixels.iter().zip(alphas).map(|(pixel, alpha)| u32::from(pixel[channel]) * alpha).sum();
            out.push((sum + cover / 2).checked_div(cover).unwrap_or(0) as u8);
        }
        out.push(((cover + 2) >> 2) as u8);
    }
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
