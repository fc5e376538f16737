//! Turns pixels into symbols (RFC 9649, section 3.6): literals, backward references, and colors of the cache.

use super::bits::Bits;
use super::prefix::PrefixCode;

/// Blue, green, red, alpha: little-endian ARGB.
pub(super) type Pixel = [u8; 4];

/// Bits of an index into the color cache.
pub(super) const CACHE_BITS: u32 = 8;
/// Most pixels that a backward reference copies.
const MOST: usize = 4096;
/// Fewest pixels for which a reference is worth its bits.
const LEAST: usize = 3;
/// The first symbols of lengths and of colors of the cache in the alphabet of green.
const LENGTHS: usize = 256;
const CACHED: usize = LENGTHS + 24;

/// Where a backward reference copies from. The value is the prefix symbol of its distance code, which has no extra bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// The row above: distance code 1.
    Above = 0,
    /// The pixel to the left: distance code 2.
    Left = 1,
}

/// Receives the parts of an image in their order.
trait Sink {
    fn literal(&mut self, pixel: Pixel);
    /// The pixels that a reference copies. They come before the reference itself.
    fn copied(&mut self, pixels: &[Pixel]);
    fn reference(&mut self, from: From, length: usize);
}

/// Turns rows of pixels into symbols.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    above: Vec<Pixel>,
    /// A reference whose end is not known yet, and how many pixels it copies so far.
    run: Option<(From, usize)>,
}

impl Symbols {
    /// Counts the next row.
    pub fn count(&mut self, row: &[Pixel], counts: &mut Counts) {
        self.push(row, counts);
    }

    /// Writes the next row.
    pub fn write(&mut self, row: &[Pixel], writer: &mut Writer) {
        self.push(row, writer);
    }

    /// Counts the reference that is left after the last row.
    pub fn count_rest(&mut self, counts: &mut Counts) {
        self.end_run(counts);
    }

    /// Writes the reference that is left after the last row.
    pub fn write_rest(&mut self, writer: &mut Writer) {
        self.end_run(writer);
    }

    fn push(&mut self, row: &[Pixel], sink: &mut impl Sink) {
        let mut x = 0;
        while x < row.len() {
            if self.run.is_none() {
                let (mut left, mut above) = (0, 0);
                // This is checked first, because most pixels equal neither neighbour.
                if self.begins(row, x) {
                    (left, above) = (self.same(row, x, From::Left), self.same(row, x, From::Above));
                }
                if left.max(above) < LEAST {
                    sink.literal(row[x]);
                    x += 1;
                    continue;
                }
                self.run = Some((if left >= above { From::Left } else { From::Above }, 0));
            }
            let Some((from, known)) = self.run else { continue };
            let more = self.same(row, x, from).min(MOST - known);
            sink.copied(&row[x..x + more]);
            self.run = Some((from, known + more));
            x += more;
            // At the end of a row, the reference may go on in the next row.
            if x < row.len() || known + more == MOST {
                self.end_run(sink);
            }
        }
        self.above.clear();
        self.above.extend_from_slice(row);
    }

    /// Whether a reference could copy the pixel at `x`.
    #[inline(always)]
    fn begins(&self, row: &[Pixel], x: usize) -> bool {
        let left = if x > 0 { row.get(x - 1) } else { self.above.last() };
        left == Some(&row[x]) || self.above.get(x) == Some(&row[x])
    }

    /// How many pixels from `x` on a reference would copy.
    #[inline(always)]
    fn same(&self, row: &[Pixel], x: usize, from: From) -> usize {
        let rest = &row[x..];
        match from {
            From::Left => {
                let left = if x > 0 { Some(&row[x - 1]) } else { self.above.last() };
                left.map_or(0, |left| rest.iter().take_while(|pixel| *pixel == left).count())
            }
            From::Above => rest.iter().zip(self.above.get(x..).unwrap_or_default()).take_while(|(pixel, above)| pixel == above).count(),
        }
    }

    fn end_run(&mut self, sink: &mut impl Sink) {
        if let Some((from, length @ 1..)) = self.run.take() {
            sink.reference(from, length);
        }
    }
}

/// The color cache.
#[derive(Debug)]
struct Cache(Box<[Pixel; 1 << CACHE_BITS]>);

impl Cache {
    fn new() -> Self {
        Self(Box::new([[0; 4]; 1 << CACHE_BITS]))
    }

    /// The index of a color if the cache has it. If not, the color is added.
    #[inline(always)]
    fn find(&mut self, pixel: Pixel) -> Option<usize> {
        let index = (u32::from_le_bytes(pixel).wrapping_mul(0x1E35_A7BD) >> (32 - CACHE_BITS)) as usize;
        let is_there = self.0[index] == pixel;
        self.0[index] = pixel;
        is_there.then_some(index)
    }

    fn add(&mut self, pixels: &[Pixel]) {
        for one in pixels.chunk_by(|one, other| one == other) {
            self.find(one[0]);
        }
    }
}

/// A length as its prefix symbol, its extra bits, and the number of these.
fn prefix(length: usize) -> (usize, u64, u32) {
    let value = length - 1;
    match value.checked_ilog2() {
        None | Some(0) => (value, 0, 0),
        Some(highest) => {
            let count = highest - 1;
            (2 * highest as usize + (value >> count & 1), value as u64 & ((1 << count) - 1), count)
        }
    }
}

/// Which samples of pixels vary; those that are always the same take no bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    /// Whether red and blue vary; if not, they are 0.
    pub colored: bool,
    /// The alpha of all pixels, if it is the same for all.
    pub alpha: Option<u8>,
}

/// How often each symbol occurs.
#[derive(Debug)]
pub(super) struct Counts {
    samples: Samples,
    literals: Box<Literals>,
    lengths: [u32; CACHED - LENGTHS],
    distances: [u32; 40],
    /// Number of all extra bits of lengths.
    extra: u64,
    cache: Option<Cached>,
}

/// Counts of green, red, blue and alpha.
type Literals = [[u32; 256]; 4];

/// Counts with a color cache: symbols of colors that the cache has, and the literals that these would be without it.
#[derive(Debug)]
struct Cached {
    cache: Cache,
    symbols: [u32; 1 << CACHE_BITS],
    literals: Box<Literals>,
}

impl Counts {
    /// Counts of nothing yet. With `cached`, it is also counted what a color cache would change.
    pub fn new(samples: Samples, cached: bool) -> Self {
        let mut literals = Box::new([[0; 256]; 4]);
        if let Some(alpha) = samples.alpha {
            literals[3][usize::from(alpha)] = 1;
        }
        let cache = cached.then(|| Cached { cache: Cache::new(), symbols: [0; 1 << CACHE_BITS], literals: Box::new([[0; 256]; 4]) });
        Self { samples, literals, lengths: [0; CACHED - LENGTHS], distances: [0; 40], extra: 0, cache }
    }

    /// Whether it is counted what a color cache would change.
    pub fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Counts of all alphabets, with or without a color cache: green and lengths, red, blue, alpha, distances.
    fn alphabets(&self, cached: bool) -> [Vec<u32>; 5] {
        let [mut green, red, blue, alpha] = self.literals.map(Vec::from);
        green.extend(self.lengths);
        let mut alphabets = [green, red, blue, alpha, self.distances.to_vec()];
        match &self.cache {
            Some(cache) if cached => alphabets[0].extend(cache.symbols),
            Some(cache) => {
                for (alphabet, more) in alphabets.iter_mut().zip(cache.literals.iter()) {
                    alphabet.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                }
            }
            None => {}
        }
        alphabets
    }
}

impl Sink for Counts {
    #[inline(always)]
    fn literal(&mut self, pixel: Pixel) {
        let mut literals = &mut self.literals;
        if let Some(cached) = &mut self.cache
            && let Some(index) = cached.cache.find(pixel)
        {
            cached.symbols[index] += 1;
            literals = &mut cached.literals;
        }
        let [blue, green, red, alpha] = pixel.map(usize::from);
        literals[0][green] += 1;
        if self.samples.colored {
            literals[1][red] += 1;
            literals[2][blue] += 1;
        }
        if self.samples.alpha.is_none() {
            literals[3][alpha] += 1;
        }
    }

    fn copied(&mut self, pixels: &[Pixel]) {
        if let Some(cached) = &mut self.cache {
            cached.cache.add(pixels);
        }
    }

    fn reference(&mut self, from: From, length: usize) {
        let (symbol, _, count) = prefix(length);
        self.lengths[symbol] += 1;
        self.extra += u64::from(count);
        self.distances[from as usize] += 1;
    }
}

/// The prefix codes of an image.
#[derive(Debug)]
pub(super) struct Codes {
    samples: Samples,
    codes: [PrefixCode; 5],
    cached: bool,
    /// Bits of all symbols, including their extra bits.
    pub cost: u64,
}

impl Codes {
    /// The best codes, with or without a color cache.
    pub fn new(counts: &Counts, cached: bool) -> Self {
        let mut cost = counts.extra;
        let codes = counts.alphabets(cached).map(|alphabet| {
            let code = PrefixCode::new(&alphabet);
            cost += code.cost(&alphabet);
            code
        });
        Self { samples: counts.samples, codes, cached, cost }
    }

    /// Writes whether there is a color cache.
    pub fn write_cache(&self, bits: &mut Bits) {
        bits.put(self.cached.into(), 1);
        if self.cached {
            bits.put(CACHE_BITS.into(), 4);
        }
    }

    /// Writes the lengths of all codes.
    pub fn write_lengths(&self, bits: &mut Bits) {
        self.codes.iter().for_each(|code| code.write(bits));
    }
}

/// Writes symbols.
#[derive(Debug)]
pub(super) struct Writer {
    codes: Codes,
    cache: Option<Cache>,
    pub bits: Bits,
}

impl Writer {
    /// Appends to the bits that have been written already.
    pub fn new(codes: Codes, bits: Bits) -> Self {
        Self { cache: codes.cached.then(Cache::new), codes, bits }
    }
}

impl Sink for Writer {
    #[inline(always)]
    fn literal(&mut self, pixel: Pixel) {
        let [green, red, blue, alpha, _] = &self.codes.codes;
        if let Some(cache) = &mut self.cache
            && let Some(index) = cache.find(pixel)
        {
            let (bits, count) = green.of(CACHED + index);
            return self.bits.put_fast(bits, count);
        }
        let [b, g, r, a] = pixel.map(usize::from);
        let (mut bits, mut count) = green.of(g);
        let mut and = |(more, length): (u64, u32)| {
            bits |= more << count;
            count += length;
        };
        if self.codes.samples.colored {
            and(red.of(r));
            and(blue.of(b));
        }
        if self.codes.samples.alpha.is_none() {
            and(alpha.of(a));
        }
        self.bits.put_fast(bits, count);
    }

    fn copied(&mut self, pixels: &[Pixel]) {
        if let Some(cache) = &mut self.cache {
            cache.add(pixels);
        }
    }

    fn reference(&mut self, from: From, length: usize) {
        let (symbol, extra, width) = prefix(length);
        let [lengths, .., distances] = &self.codes.codes;
        for (bits, count) in [lengths.of(LENGTHS + symbol), (extra, width), distances.of(from as usize)] {
            self.bits.put(bits, count);
        }
    }
}
