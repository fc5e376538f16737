//! A writer of lossless streams, for tests.

/// What is written.
#[derive(Debug, Clone)]
pub(super) struct Craft {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub precision: u8,
    pub predictor: u8,
    /// The point transform.
    pub shift: u8,
    /// Rows between restart markers, 0 for none.
    pub restart: usize,
    /// A scan for each component.
    pub apart: bool,
    /// Codes of up to 16 bits, or of at most 6.
    pub long: bool,
}

/// Bits with a zero behind each byte 0xFF.
struct Writer {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Writer {
    fn put(&mut self, bits: u32, count: u32) {
        for bit in (0..count).rev() {
            self.pending = self.pending << 1 | bits >> bit & 1;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.pending as u8);
                if self.pending == 0xFF {
                    self.bytes.push(0);
                }
                (self.pending, self.count) = (0, 0);
            }
        }
    }

    fn pad(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }
}

impl Craft {
    /// Code and length of each size of difference from 0 to 16.
    fn code(&self, size: u32) -> (u32, u32) {
        match (self.long, size) {
            (true, 0..=15) => ((1 << (size + 1)) - 2, size + 1),
            (true, _) => (0xFFFF, 16),
            // Four bits for 0 to 14, then 11110 and 111110.
            (false, 0..=14) => (size, 4),
            (false, 15) => (0b11110, 5),
            (false, _) => (0b111110, 6),
        }
    }

    fn table(&self) -> Vec<u8> {
        let mut counts = [0_u8; 16];
        (0..=16).for_each(|size| counts[self.code(size).1 as usize - 1] += 1);
        [&[0][..], &counts, &(0..=16).collect::<Vec<u8>>()].concat()
    }

    /// The stream of interleaved samples.
    pub fn stream(&self, samples: &[u16]) -> Vec<u8> {
        let mut stream = vec![0xFF, 0xD8];
        let segment = |stream: &mut Vec<u8>, marker: u8, payload: &[u8]| {
            stream.extend([0xFF, marker]);
            stream.extend((payload.len() as u16 + 2).to_be_bytes());
            stream.extend(payload);
        };
        let side = |side: usize| (side as u16).to_be_bytes();
        let ([h1, h0], [w1, w0]) = (side(self.height), side(self.width));
        let mut frame = vec![self.precision, h1, h0, w1, w0, self.channels as u8];
        (0..self.channels).for_each(|index| frame.extend([index as u8 + 1, 0x11, 0]));
        segment(&mut stream, 0xC3, &frame);
        segment(&mut stream, 0xC4, &self.table());
        if self.restart > 0 {
            segment(&mut stream, 0xDD, &side(self.restart * self.width));
        }
        let all: Vec<usize> = (0..self.channels).collect();
        for components in if self.apart { all.chunks(1) } else { all.chunks(4) } {
            let mut scan = vec![components.len() as u8];
            components.iter().for_each(|index| scan.extend([*index as u8 + 1, 0]));
            scan.extend([self.predictor, 0, self.shift]);
            segment(&mut stream, 0xDA, &scan);
            stream.extend(self.scan(samples, components));
        }
        stream.extend([0xFF, 0xD9]);
        stream
    }

    fn scan(&self, samples: &[u16], components: &[usize]) -> Vec<u8> {
        let mut writer = Writer { bytes: Vec::new(), pending: 0, count: 0 };
        for y in 0..self.height {
            let begins = self.restart > 0 && y.is_multiple_of(self.restart);
            if begins && y > 0 {
                writer.pad();
                writer.bytes.extend([0xFF, 0xD0 | ((y / self.restart - 1) & 7) as u8]);
            }
            for x in 0..self.width {
                for component in components {
                    let at = |x: usize, y: usize| i32::from(samples[(y * self.width + x) * self.channels + component] >> self.shift);
                    let prediction = match (x, y == 0 || begins) {
                        (0, true) => 1 << (self.precision - self.shift - 1),
                        (0, false) => at(x, y - 1),
                        (_, true) => at(x - 1, y),
                        (_, false) => self.predict(at(x - 1, y), at(x, y - 1), at(x - 1, y - 1)),
                    };
                    self.difference(at(x, y).wrapping_sub(prediction) as i16, &mut writer);
                }
            }
        }
        writer.pad();
        writer.bytes
    }

    /// Table H.1.
    fn predict(&self, a: i32, b: i32, c: i32) -> i32 {
        match self.predictor {
            1 => a,
            2 => b,
            3 => c,
            4 => a + b - c,
            5 => a + ((b - c) >> 1),
            6 => b + ((a - c) >> 1),
            _ => (a + b) >> 1,
        }
    }

    /// H.1.2.2: -32768 is 32768, and has no bits.
    fn difference(&self, difference: i16, writer: &mut Writer) {
        let size = 16 - difference.unsigned_abs().leading_zeros();
        let (code, length) = self.code(size);
        writer.put(code, length);
        if size < 16 {
            let bits = if difference < 0 { difference - 1 } else { difference };
            writer.put(bits as u32 & ((1 << size) - 1), size);
        }
    }
}
