//! Bytes as choices: a JPEG is made of them that is sound, or nearly, where bytes by themselves hardly ever are.

use super::craft;
use crate::geometry::Dimensions;
use crate::jpeg::{Encoder, Sampling, Settings, Tables};

/// Bytes at the end that choose what is asked of the stream.
const CHOICES: usize = 16;

/// Choices, one after the other; zeros behind the last.
pub(super) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// Less than `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        let number = u32::from(self.byte()) << 8 | u32::from(self.byte());
        if end > 1 << 16 { number * (end >> 16) } else { (number * end) >> 16 }
    }

    /// Whether something is so, `parts` times of 256.
    pub fn now_and_then(&mut self, parts: u8) -> bool {
        self.byte() < parts
    }

    pub fn pick<T: Copy>(&mut self, menu: &[T]) -> T {
        menu[usize::from(self.byte()) % menu.len()]
    }

    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Numbers that look like none in particular.
pub(super) struct Noise(pub u64);

impl Noise {
    pub fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as u8
    }
}

/// The stream that bytes stand for, and the choices that are left: bytes that begin as a JPEG does are one themselves.
pub(super) fn split(data: &[u8]) -> (Vec<u8>, Bytes<'_>) {
    let (front, back) = data.split_at(data.len().saturating_sub(CHOICES));
    let stream = if data.starts_with(&[0xFF, 0xD8]) {
        data.to_vec()
    } else {
        let mut recipe = Bytes(front);
        let mut stream = sound(&mut recipe);
        damage(&mut recipe, &mut stream);
        stream
    };
    (stream, Bytes(back))
}

/// A stream without damage.
pub(super) fn sound(recipe: &mut Bytes<'_>) -> Vec<u8> {
    if recipe.byte().is_multiple_of(4) { encoded(recipe) } else { craft::stream(recipe) }
}

/// What the encoder makes of some picture.
fn encoded(recipe: &mut Bytes<'_>) -> Vec<u8> {
    let (settings, samples) = settings(recipe);
    let mut encoder = Encoder::new(&settings).unwrap();
    for row in samples.chunks_exact(settings.dimensions.width() as usize * settings.sampling.components()) {
        encoder.push_row(row).unwrap();
    }
    encoder.finish().unwrap()
}

/// Some picture, and how to write it.
pub(super) fn settings(recipe: &mut Bytes<'_>) -> (Settings<'static>, Vec<u8>) {
    let size = Dimensions::new(1 + recipe.below(90), 1 + recipe.below(90)).unwrap();
    let sampling = recipe.pick(&[Sampling::Gray, Sampling::S444, Sampling::S422, Sampling::S420]);
    let mut settings = Settings::new(size, sampling, 1 + recipe.byte() % 100);
    settings.restart_interval = if recipe.now_and_then(100) { 1 + recipe.below(12) as u16 } else { 0 };
    settings.tables = recipe.pick(&[Tables::Standard, Tables::Optimal { most: u64::MAX }]);
    let (slope, steep, grain) = (recipe.byte(), recipe.byte(), recipe.byte());
    let mut noise = Noise(recipe.byte().into());
    let mut samples = Vec::new();
    for y in 0..size.height() {
        for x in 0..size.width() {
            for channel in 0..sampling.components() as u32 {
                let base = (x * u32::from(slope) / 16 + y * u32::from(steep) / 16 + channel * 40) as u8;
                samples.push(base.wrapping_add(((u32::from(noise.byte()) * u32::from(grain)) >> 8) as u8));
            }
        }
    }
    (settings, samples)
}

/// Some bytes changed, left out or put in, or the end cut off.
fn damage(recipe: &mut Bytes<'_>, stream: &mut Vec<u8>) {
    let times = recipe.byte();
    for _ in 0..if times < 128 { 0 } else { times % 8 } {
        let at = recipe.below(stream.len() as u32) as usize;
        let value = recipe.byte();
        match recipe.byte() % 8 {
            0 => stream.truncate(at),
            1 => drop(stream.remove(at)),
            2 => stream.insert(at, value),
            3 => stream[at] = 0xFF,
            4 => stream[at] ^= 1 << (value & 7),
            _ => stream[at] = value,
        }
        if stream.is_empty() {
            return;
        }
    }
}
