//! An encoder of CCITT data, for tests.

use super::codes::runs;
use crate::jpeg::testing::Numbers;
use crate::pyramid::level::Fax;

/// The bits that have been written.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

impl Writer {
    fn put(&mut self, code: u32, length: u32) {
        for bit in (0..length).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            self.bytes[self.count / 8] |= (code >> bit & 1) as u8 * (0x80 >> (self.count % 8));
            self.count += 1;
        }
    }

    fn run(&mut self, color: usize, mut run: u16) {
        let mut put = |wanted: u16| {
            let (_, code, length) = runs(color).find(|(run, ..)| *run == wanted).unwrap();
            self.put(code.into(), length);
        };
        while run >= 2560 {
            put(2560);
            run -= 2560;
        }
        if run >= 64 {
            put(run / 64 * 64);
        }
        put(run % 64);
    }

    /// Writes a row in one dimension (T.4).
    fn alone(&mut self, row: &[bool]) {
        let (mut at, mut color) = (0, false);
        while at < row.len() {
            let end = change(row, at, color);
            self.run(color.into(), (end - at) as u16);
            (at, color) = (end, !color);
        }
    }

    /// Writes a row in two dimensions (T.6, 2.2.5). Now and then it uses other codes that mean the same.
    fn below(&mut self, row: &[bool], above: &[bool], numbers: &mut Numbers) {
        let width = row.len();
        let (mut a0, mut color) = (-1_i64, false);
        while a0 < width as i64 {
            let from = a0.max(0) as usize;
            let a1 = change(row, from, color);
            let is_change = |at: usize| above[at] != (at > 0 && above[at - 1]);
            let b1 = (0..width).find(|at| *at as i64 > a0 && is_change(*at) && above[*at] != color).unwrap_or(width);
            let b2 = (b1..width).find(|at| *at > b1 && is_change(*at)).unwrap_or(width);
            if numbers.below(12) == 0 {
                // Some pixels of the run, then none of the other colour.
                let some = numbers.below((a1 - from) as u32 + 1) as usize;
                self.put(1, 3);
                self.run(color.into(), some as u16);
                self.run((!color).into(), 0);
                a0 = (from + some) as i64;
            } else if b2 < a1 {
                self.put(1, 4);
                a0 = b2 as i64;
            } else if let by @ -3..=3 = a1 as i64 - b1 as i64
                && numbers.below(8) > 0
            {
                let (code, length) = [(2, 7), (2, 6), (2, 3), (1, 1), (3, 3), (3, 6), (3, 7)][(by + 3) as usize];
                self.put(code, length);
                (a0, color) = (a1 as i64, !color);
            } else {
                let a2 = change(row, a1, !color);
                self.put(1, 3);
                self.run(color.into(), (a1 - from) as u16);
                self.run((!color).into(), (a2 - a1) as u16);
                a0 = a2 as i64;
            }
        }
    }
}

/// The column at which a run ends.
fn change(row: &[bool], from: usize, color: bool) -> usize {
    (from..row.len()).find(|at| row[*at] != color).unwrap_or(row.len())
}

/// Random rows with runs of all lengths; a row is often similar to the one above.
pub(super) fn bitmap(numbers: &mut Numbers, width: usize, height: usize) -> Vec<Vec<bool>> {
    let mut rows: Vec<Vec<bool>> = Vec::new();
    for _ in 0..height {
        let mut row: Vec<bool> = rows.last().cloned().unwrap_or(vec![false; width]);
        match numbers.below(6) {
            0 => row.fill(numbers.below(2) == 1),
            1 | 2 => {
                let longest = [3, 80, 6000][numbers.below(3) as usize];
                let (mut left, mut color) = (0, false);
                for pixel in &mut row {
                    if left == 0 {
                        (left, color) = (numbers.below(longest), !color);
                    }
                    *pixel = color;
                    left = left.saturating_sub(1);
                }
            }
            3 => row.rotate_right((numbers.below(7) as usize).min(width)),
            _ => {
                for _ in 0..numbers.below(6) {
                    let at = numbers.below(width as u32) as usize;
                    row[at] = !row[at];
                }
            }
        }
        rows.push(row);
    }
    rows
}

/// Encodes rows, with EOLs, fill and end of block as the coding has them. What the coding leaves open is chosen at random.
pub(super) fn encode(rows: &[Vec<bool>], kind: Fax, numbers: &mut Numbers) -> Vec<u8> {
    let mut writer = Writer::default();
    let filled = numbers.below(2) == 0;
    for (y, row) in rows.iter().enumerate() {
        match kind {
            Fax::ModifiedHuffman => writer.put(0, (8 - writer.count as u32 % 8) % 8),
            Fax::Group4 => {}
            _ if filled => writer.put(0, 11 + (12 - writer.count as u32 % 8) % 8),
            _ => writer.put(0, 11),
        }
        let alone = y == 0 || numbers.below(4) == 0;
        match kind {
            Fax::ModifiedHuffman => writer.alone(row),
            Fax::Group4 if y == 0 => writer.below(row, &vec![false; row.len()], numbers),
            Fax::Group4 => writer.below(row, &rows[y - 1], numbers),
            Fax::Group3OneDimensional => {
                writer.put(1, 1);
                writer.alone(row);
            }
            Fax::Group3TwoDimensional => {
                writer.put(2 | u32::from(alone), 2);
                if alone { writer.alone(row) } else { writer.below(row, &rows[y - 1], numbers) }
            }
        }
    }
    match kind {
        Fax::ModifiedHuffman => {}
        Fax::Group3OneDimensional => (0..6).for_each(|_| writer.put(1, 12)),
        Fax::Group3TwoDimensional => (0..6).for_each(|_| writer.put(3, 13)),
        Fax::Group4 => (0..2).for_each(|_| writer.put(1, 12)),
    }
    writer.bytes
}

/// One bit per pixel; each row begins at a byte.
pub(super) fn packed(rows: &[Vec<bool>]) -> Vec<u8> {
    let byte = |pixels: &[bool]| pixels.iter().zip(0..).fold(0, |byte, (pixel, bit)| byte | u8::from(*pixel) << (7 - bit));
    rows.iter().flat_map(|row| row.chunks(8).map(byte)).collect()
}
