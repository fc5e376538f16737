//! Reading numbers out of a store.

use std::borrow::Cow;

use super::{ByteRange, ByteStore};
use crate::error::{Error, SourceFormat, Stop};

/// Byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first (TIFF `II`).
    Little,
    /// Most significant byte first (TIFF `MM`, JPEG, PNG).
    Big,
}

impl Endian {
    /// An unsigned number of up to 8 bytes.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let append = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, append),
            Self::Big => bytes.iter().fold(0, append),
        }
    }
}

/// A place in a store, with the format's name for errors and its byte order for numbers.
///
/// A byte that is not there yet is [`Stop::Need`]; one beyond the end of the file is [`Error::SourceCorrupt`].
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    store: &'a ByteStore,
    format: SourceFormat,
    endian: Endian,
    position: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor at `position`.
    pub fn new(store: &'a ByteStore, format: SourceFormat, endian: Endian, position: u64) -> Self {
        Self { store, format, endian, position }
    }

    /// Byte offset of what is read next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Moves to an absolute offset; it may lie beyond the end until something is read there.
    pub fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// Moves on by `count` bytes without reading them.
    pub fn skip(&mut self, count: u64) {
        self.position = self.position.saturating_add(count);
    }

    /// Bytes between here and the end of the file.
    pub fn remaining(&self) -> u64 {
        self.store.size().saturating_sub(self.position)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: u64) -> Result<Cow<'a, [u8]>, Stop> {
        let Some(range) = ByteRange::at(self.position, count) else { return Ok(Cow::Borrowed(&[])) };
        if range.end() > self.store.size() {
            return Err(self.corrupt("the file ends before it should"));
        }
        let bytes = self.store.read(range).map_err(Stop::Need)?;
        self.position = range.end();
        Ok(bytes)
    }

    /// An unsigned number of `width` bytes (1 to 8).
    pub fn number(&mut self, width: u8) -> Result<u64, Stop> {
        let endian = self.endian;
        Ok(endian.number(&self.take(u64::from(width))?))
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Stop> {
        Ok(u8::try_from(self.number(1)?).unwrap_or_default())
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, Stop> {
        Ok(u16::try_from(self.number(2)?).unwrap_or_default())
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, Stop> {
        Ok(u32::try_from(self.number(4)?).unwrap_or_default())
    }

    /// "The file is broken here", for `?`.
    pub fn corrupt(&self, what: impl Into<String>) -> Stop {
        Stop::Fail(Error::SourceCorrupt { format: self.format, at: self.position, what: what.into() })
    }
}
