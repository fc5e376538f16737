//! Samples whose depth is not a whole number of bytes: packed from the highest bit of each byte on, whatever the byte order. Each row begins at a byte.

/// Unpacks samples of fewer than 8 bits, in rows of `per_row` samples. Each becomes the entry of `levels` at its value. An incomplete last row is left out.
pub(super) fn narrow(data: &[u8], per_row: usize, bits: usize, levels: &[u8; 256]) -> Vec<u8> {
    match bits {
        1 => by_bytes::<8>(data, per_row, levels),
        2 => by_bytes::<4>(data, per_row, levels),
        4 => by_bytes::<2>(data, per_row, levels),
        _ => {
            let rows = data.chunks_exact((per_row * bits).div_ceil(8).max(1));
            let mut made = Vec::with_capacity(rows.len() * per_row);
            rows.for_each(|row| each(row, per_row, bits, |sample| made.push(levels[usize::from(sample as u8)])));
            made
        }
    }
}

/// The same, for samples of which a byte holds `COUNT`.
fn by_bytes<const COUNT: usize>(data: &[u8], per_row: usize, levels: &[u8; 256]) -> Vec<u8> {
    let bits = 8 / COUNT;
    let expand = |byte: usize| -> [u8; COUNT] { std::array::from_fn(|index| levels[byte >> (8 - bits * (index + 1)) & ((1 << bits) - 1)]) };
    let table: [[u8; COUNT]; 256] = std::array::from_fn(expand);
    let rows = data.chunks_exact(per_row.div_ceil(COUNT).max(1));
    let mut made = vec![0; rows.len() * per_row];
    for (row, made) in rows.zip(made.chunks_exact_mut(per_row.max(1))) {
        let (whole, rest) = made.as_chunks_mut::<COUNT>();
        for (made, byte) in whole.iter_mut().zip(row) {
            *made = table[usize::from(*byte)];
        }
        if let Some(last) = row.last().filter(|_| !rest.is_empty()) {
            rest.copy_from_slice(&table[usize::from(*last)][..rest.len()]);
        }
    }
    made
}

/// Passes the `count` samples of a row, of 1 to 64 bits each, to `put`. Bits beyond the end of the row are zeros.
pub(super) fn each(row: &[u8], count: usize, bits: usize, mut put: impl FnMut(u64)) {
    let mut bytes = row.iter().copied().chain(std::iter::repeat(0));
    let (mut window, mut held) = (0_u64, 0);
    let mut take = |count: usize| {
        while held < count {
            window = window << 8 | u64::from(bytes.next().unwrap_or(0));
            held += 8;
        }
        held -= count;
        window >> held & (u64::MAX >> (64 - count))
    };
    for _ in 0..count {
        // The window has room for 56 bits and a byte.
        put(if bits <= 56 { take(bits) } else { take(bits - 32) << 32 | take(32) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    /// One sample, read bit by bit.
    fn plain(row: &[u8], index: usize, bits: usize) -> u64 {
        (index * bits..(index + 1) * bits).fold(0, |value, bit| value << 1 | u64::from(row.get(bit / 8).copied().unwrap_or(0) >> (7 - bit % 8) & 1))
    }

    #[test]
    fn samples_of_every_depth() {
        for bits in 1..=64_usize {
            for count in [1, 2, 7, 8, 9, 31, 64] {
                let row = noise((count * bits).div_ceil(8));
                // Also where a row is cut.
                for row in [&row[..], &row[..row.len() / 2]] {
                    let mut found = Vec::new();
                    each(row, count, bits, |sample| found.push(sample));
                    assert_eq!(found, (0..count).map(|index| plain(row, index, bits)).collect::<Vec<u64>>(), "{count} of {bits} bits");
                }
            }
        }
    }

    #[test]
    fn levels_of_every_narrow_depth() {
        let levels = std::array::from_fn(|sample| sample as u8 ^ 0x5A);
        for bits in 1..8_usize {
            for per_row in [1, 3, 7, 8, 9, 17, 64] {
                let stride = (per_row * bits).div_ceil(8);
                // Three rows, and one that is cut.
                let data = noise(stride * 4 - 1);
                let expected: Vec<u8> =
                    data.chunks_exact(stride).flat_map(|row| (0..per_row).map(|index| levels[plain(row, index, bits) as usize]).collect::<Vec<u8>>()).collect();
                assert_eq!(narrow(&data, per_row, bits, &levels), expected, "{per_row} of {bits} bits");
            }
        }
    }
}
