//! Streams of any sampling factors, scans and tables, whose entropy-coded data are noise: nearly every bit of it means something.

use super::recipe::{Bytes, Noise};
use crate::jpeg::huffman::HuffmanSpec;
use crate::jpeg::marker::{APP0, DHT, DNL, DQT, DRI, EOI, RST0, SOF0, SOF1, SOF2, SOI, SOS};
use crate::jpeg::quantization;
use crate::jpeg::zigzag::NATURAL;

/// A stream under way.
struct Draft {
    out: Vec<u8>,
    noise: Noise,
    /// Sampling factors.
    components: Vec<(usize, usize)>,
    ids: Vec<u8>,
    size: (usize, usize),
    /// MCUs between restart markers.
    interval: usize,
    /// Bytes of data for each block.
    density: usize,
    /// Number of lines, if it is to follow the first scan.
    lines: Option<u16>,
}

/// A sound stream but for what its noise means.
pub(super) fn stream(recipe: &mut Bytes<'_>) -> Vec<u8> {
    let process = recipe.pick(&[SOF0, SOF0, SOF1, SOF2, SOF2]);
    let count = recipe.pick(&[3, 1, 3, 4, 2, 5]);
    let common = [(1, 1), (2, 2), (2, 1), (1, 2), (4, 1), (4, 2)];
    let plain = recipe.byte();
    let components: Vec<(usize, usize)> = (0..count)
        .map(|component| match plain {
            0..120 => {
                if component == 0 || component == 3 {
                    common[usize::from(plain) % 6]
                } else {
                    (1, 1)
                }
            }
            120..220 => recipe.pick(&common),
            _ => (1 + usize::from(recipe.byte() % 4), 1 + usize::from(recipe.byte() % 4)),
        })
        .collect();
    let ids: &[u8] = recipe.pick(&[&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5], &[82, 71, 66, 75, 0], &[1, 1, 1, 1, 1]]);
    let size = (1 + recipe.below(48) as usize, 1 + recipe.below(48) as usize);
    let interval = if recipe.now_and_then(80) { 1 + usize::from(recipe.byte() % 8) } else { 0 };
    let mut draft = Draft {
        out: vec![0xFF, SOI],
        noise: Noise(recipe.below(1 << 16).into()),
        ids: ids[..components.len()].to_vec(),
        components,
        size,
        interval,
        density: 4 + usize::from(recipe.byte() % 96),
        lines: recipe.now_and_then(20).then_some(size.1 as u16),
    };
    draft.head(recipe, process);
    if process == SOF2 {
        draft.progressive(recipe)
    } else {
        draft.sequential(recipe)
    }
    draft.segment(EOI, &[]);
    draft.out
}

impl Draft {
    fn segment(&mut self, marker: u8, payload: &[u8]) {
        self.out.extend([0xFF, marker]);
        if marker != EOI {
            self.out.extend((payload.len() as u16 + 2).to_be_bytes());
            self.out.extend(payload);
        }
    }

    /// All segments before the first scan.
    fn head(&mut self, recipe: &mut Bytes<'_>, process: u8) {
        match recipe.byte() % 4 {
            0 => self.segment(APP0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            1 => self.segment(APP0 | 14, &[&b"Adobe\0\x64\0\0\0\0"[..], &[recipe.byte() % 3]].concat()),
            _ => {}
        }
        for (number, table) in (0..).zip(quantization::tables(1 + recipe.byte() % 100)) {
            let wide = process != SOF0 && recipe.now_and_then(20);
            let mut payload = vec![u8::from(wide) << 4 | number];
            for place in &NATURAL[..64] {
                let step = table[usize::from(*place)];
                if wide { payload.extend((step << 4).to_be_bytes()) } else { payload.push(step as u8) }
            }
            self.segment(DQT, &payload);
        }
        let lines = if self.lines.is_some() { 0 } else { self.size.1 as u16 };
        let mut frame = [&[8][..], &lines.to_be_bytes(), &(self.size.0 as u16).to_be_bytes(), &[self.components.len() as u8]].concat();
        for ((index, id), (across, down)) in (0_u8..).zip(&self.ids).zip(&self.components) {
            frame.extend([*id, (across << 4 | down) as u8, u8::from(index > 0)]);
        }
        self.segment(process, &frame);
        let standard = recipe.now_and_then(128);
        for number in 0..2 {
            let dc = if standard { HuffmanSpec::luminance_dc() } else { self.flat(4, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) };
            self.table(number, &dc);
            let symbols: Vec<u8> = (0..=255).collect();
            // Those of progressive scans have runs of blocks.
            let ac = if standard && process != SOF2 { HuffmanSpec::luminance_ac() } else { self.flat(8, &symbols) };
            self.table(0x10 | number, &ac);
        }
        // For scans that refine: runs and new coefficients of one bit.
        let symbols: Vec<u8> = (0..32).map(|symbol| symbol >> 1 << 4 | symbol & 1).collect();
        let refining = self.flat(5, &symbols);
        self.table(0x12, &refining);
        if self.interval > 0 {
            self.segment(DRI, &(self.interval as u16).to_be_bytes());
        }
    }

    fn table(&mut self, number: u8, spec: &HuffmanSpec) {
        self.segment(DHT, &[&[number][..], &spec.counts, &spec.symbols].concat());
    }

    /// Codes of one length for the symbols in some order, as many as there is room for.
    fn flat(&mut self, length: usize, symbols: &[u8]) -> HuffmanSpec {
        let mut symbols = symbols.to_vec();
        for last in (1..symbols.len()).rev() {
            symbols.swap(last, usize::from(self.noise.byte()) % (last + 1));
        }
        symbols.truncate((1 << length) - 1);
        let mut counts = [0; 16];
        counts[length - 1] = symbols.len() as u8;
        HuffmanSpec { counts, symbols }
    }

    /// One scan of all, or one of each.
    fn sequential(&mut self, recipe: &mut Bytes<'_>) {
        let all: Vec<usize> = (0..self.components.len()).collect();
        if all.len() <= 4 && !recipe.now_and_then(60) {
            self.scan(recipe, &all, [0, 63, 0], 0);
        } else {
            let first = usize::from(recipe.byte()) % all.len();
            (0..all.len()).for_each(|index| self.scan(recipe, &[(index + first) % all.len()], [0, 63, 0], 0));
        }
    }

    /// DC, then bands of AC and refinements in an order that may be allowed.
    fn progressive(&mut self, recipe: &mut Bytes<'_>) {
        let all: Vec<usize> = (0..self.components.len()).collect();
        let low = recipe.byte() % 3;
        if all.len() <= 4 {
            self.scan(recipe, &all, [0, 0, low], 0);
        } else {
            all.iter().for_each(|index| self.scan(recipe, &[*index], [0, 0, low], 0));
        }
        for _ in 0..recipe.byte() % 8 {
            let component = usize::from(recipe.byte()) % all.len();
            let (kind, low) = (recipe.byte(), recipe.byte() % 4);
            let first = 1 + recipe.byte() % 63;
            let last = (first + recipe.byte() % 64).min(63);
            match kind % 8 {
                0 => self.scan(recipe, &[component], [0, 0, (low + 1) << 4 | low], 0),
                1..4 => self.scan(recipe, &[component], [first, last, (low + 1) << 4 | low], 2),
                _ => self.scan(recipe, &[component], [first, last, low], component.min(1) as u8),
            }
        }
    }

    fn scan(&mut self, recipe: &mut Bytes<'_>, components: &[usize], parameters: [u8; 3], ac: u8) {
        let mut header = vec![components.len() as u8];
        for component in components {
            header.extend([self.ids[*component], u8::from(*component > 0) << 4 | if ac == 2 { 2 } else { u8::from(*component > 0) }]);
        }
        header.extend(parameters);
        self.segment(SOS, &header);
        let most = |side: fn(&(usize, usize)) -> usize| self.components.iter().map(side).max().unwrap_or(1);
        let (across, down) = (most(|factors| factors.0), most(|factors| factors.1));
        let mut mcus = self.size.0.div_ceil(8 * across) * self.size.1.div_ceil(8 * down);
        let mut blocks = components.iter().map(|index| self.components[*index].0 * self.components[*index].1).sum::<usize>();
        if components.len() == 1 {
            let (own_across, own_down) = if self.components.len() == 1 { (across, down) } else { self.components[components[0]] };
            mcus = (self.size.0 * own_across).div_ceil(8 * across) * (self.size.1 * own_down).div_ceil(8 * down);
            blocks = 1;
        }
        let intervals = mcus.checked_div(self.interval).map_or(1, |_| mcus.div_ceil(self.interval));
        for number in 0..intervals {
            let length = if self.interval > 0 { self.interval } else { mcus } * blocks * self.density + 8;
            let own = recipe.byte();
            let own = recipe.take(if own < 128 { 0 } else { own.into() });
            for place in 0..length {
                let byte = own.get(place).copied().unwrap_or_else(|| self.noise.byte());
                self.out.push(byte);
                if byte == 0xFF {
                    self.out.push(0);
                }
            }
            if number + 1 < intervals {
                self.out.extend([0xFF, RST0 | (number & 7) as u8]);
            }
        }
        if let Some(lines) = self.lines.take() {
            self.segment(DNL, &lines.to_be_bytes());
        }
    }
}
