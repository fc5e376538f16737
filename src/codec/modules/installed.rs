//! Calls the codecs of a separate module, which the host installs before one of them is needed.

use std::cell::RefCell;

use super::{Decoded, Fault, Progress};
use crate::api::Format;
use crate::error::SourceFormat;
use crate::geometry::Dimensions;
use crate::pyramid::level::Compression;
use crate::render::Raster;

/// The functions of such a module. What they do is documented in `super::coder`.
pub(crate) trait Module {
    fn decode(&self, format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded, Fault>;
    fn unpack(&self, compression: Compression, bytes: &[u8], expected: usize) -> Result<Vec<u8>, Fault>;
    fn unpacker(&self, compression: Compression, content: u64) -> Result<Unpacker, Fault>;
    fn encode(&self, format: Format, raster: Raster, quality: u8) -> Result<Vec<u8>, Fault>;
    fn lossless_webp(&self, dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<LosslessWebP, Fault>;
}

/// An encoder in such a module that makes a file from rows.
pub(crate) trait Rows {
    fn push(&mut self, samples: &[u8]) -> Result<(), Fault>;
    fn is_counted(&self) -> bool;
    fn held(&self) -> usize;
    fn take(&mut self) -> Vec<u8>;
    fn finish(&mut self) -> Result<Vec<u8>, Fault>;
}

pub(crate) type LosslessWebP = Box<dyn Rows>;

/// A decoder in such a module that is fed with pieces. What it does is documented at `packed::Unpacker`.
pub(crate) trait Unpack {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, Fault>;
}

pub(crate) type Unpacker = Box<dyn Unpack>;

thread_local! {
    // The only global variable of the core. It is no state of a request: it only says which code is linked.
    static MODULE: RefCell<Option<Box<dyn Module>>> = const { RefCell::new(None) };
}

pub(crate) fn install(module: Box<dyn Module>) {
    MODULE.with_borrow_mut(|installed| *installed = Some(module));
}

fn with<T>(work: impl FnOnce(&dyn Module) -> Result<T, Fault>) -> Result<T, Fault> {
    MODULE.with_borrow(|module| module.as_deref().ok_or_else(|| Fault::Internal("the module of the extra codecs is not installed".to_owned())).and_then(work))
}

pub(crate) fn decode(format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded, Fault> {
    with(|module| module.decode(format, bytes, planned, memory))
}

pub(crate) fn unpack(compression: Compression, bytes: &[u8], expected: usize) -> Result<Vec<u8>, Fault> {
    with(|module| module.unpack(compression, bytes, expected))
}

pub(crate) fn unpacker(compression: Compression, content: u64) -> Result<Unpacker, Fault> {
    with(|module| module.unpacker(compression, content))
}

pub(crate) fn encode(format: Format, raster: Raster, quality: u8) -> Result<Vec<u8>, Fault> {
    with(|module| module.encode(format, raster, quality))
}

pub(crate) fn lossless_webp(dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<LosslessWebP, Fault> {
    with(|module| module.lossless_webp(dimensions, channels, bitonal))
}
