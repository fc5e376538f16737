//! Pixels that a library has decoded all at once.

use crate::{Decoder, Fault, Layout, Rows, Size};

/// A decoded file: 3 or 4 samples of 8 bits a pixel, rows without gaps.
#[derive(Debug)]
pub(crate) struct Decoded {
    width: usize,
    /// 3 (RGB) or 4 (RGBA, straight).
    channels: usize,
    /// All samples, row by row.
    samples: Vec<u8>,
    /// Samples of rows that have been given.
    given: usize,
    icc: Option<Vec<u8>>,
    damage: Option<(u32, String)>,
}

impl Decoded {
    pub fn new(size: Size, channels: usize, samples: Vec<u8>, icc: Option<Vec<u8>>, damage: Option<(u32, String)>) -> Self {
        Self { width: size.width as usize, channels, samples, given: 0, icc, damage }
    }
}

impl Decoder for Decoded {
    fn layout(&self) -> Layout {
        Layout { channels: self.channels, wide: false }
    }

    fn take_icc(&mut self) -> Option<Vec<u8>> {
        self.icc.take()
    }

    fn drop_needless_alpha(&mut self) {
        if self.channels != 4 || self.given > 0 || self.samples.as_chunks::<4>().0.iter().any(|pixel| pixel[3] < u8::MAX) {
            return;
        }
        let pixels = self.samples.len() / 4;
        for index in 0..pixels {
            self.samples.copy_within(index * 4..index * 4 + 3, index * 3);
        }
        self.samples.truncate(pixels * 3);
        self.channels = 3;
    }

    fn rows(&mut self, most: u32) -> Result<Rows<'_>, Fault> {
        let stride = self.width * self.channels;
        let end = self.given.saturating_add(stride.saturating_mul(most.max(1) as usize)).min(self.samples.len());
        let rows = &self.samples[self.given..end];
        self.given = end;
        Ok(Rows::U8(rows))
    }

    fn damage(&self) -> Option<(u32, &str)> {
        self.damage.as_ref().map(|(rows, what)| (*rows, what.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(decoded: &mut Decoded, most: u32) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| match decoded.rows(most).unwrap() {
            Rows::U8([]) => None,
            Rows::U8(rows) => Some(rows.to_vec()),
            Rows::U16(_) => panic!("16 bits"),
        })
        .collect()
    }

    #[test]
    fn rows_come_in_any_number() {
        let samples: Vec<u8> = (0..30).collect();
        for (most, expected) in [(0, vec![6; 5]), (1, vec![6; 5]), (2, vec![12, 12, 6]), (5, vec![30]), (u32::MAX, vec![30])] {
            let mut decoded = Decoded::new(Size { width: 2, height: 5 }, 3, samples.clone(), None, None);
            let pieces = all(&mut decoded, most);
            assert_eq!(pieces.concat(), samples);
            assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{most}");
        }
    }

    #[test]
    fn alpha_is_dropped_where_all_is_opaque() {
        let size = Size { width: 2, height: 1 };
        let mut opaque = Decoded::new(size, 4, vec![1, 2, 3, 255, 4, 5, 6, 255], None, None);
        opaque.drop_needless_alpha();
        assert_eq!((opaque.layout().channels, all(&mut opaque, 9)), (3, vec![vec![1, 2, 3, 4, 5, 6]]));
        let mut clear = Decoded::new(size, 4, vec![1, 2, 3, 255, 4, 5, 6, 254], None, None);
        clear.drop_needless_alpha();
        assert_eq!((clear.layout().channels, all(&mut clear, 9)), (4, vec![vec![1, 2, 3, 255, 4, 5, 6, 254]]));
    }
}
