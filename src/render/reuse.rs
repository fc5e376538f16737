//! A buffer that is read from its front while what is made of it is written into the room that has been read.
//!
//! A decoded image becomes a raster without a second buffer of its size.

use crate::error::{Budget, Error, Result};

/// Bytes by which the room for what waits grows.
const STEP: usize = 1 << 20;

/// Bytes being read and, behind the reading, replaced. What does not fit yet waits.
pub(crate) struct Reuse {
    buffer: Vec<u8>,
    read: usize,
    written: usize,
    waiting: Vec<u8>,
}

impl Reuse {
    /// Nothing of `buffer` has been read.
    pub fn new(buffer: Vec<u8>) -> Self {
        Self { buffer, read: 0, written: 0, waiting: Vec::new() }
    }

    /// Copies the next `count` bytes into `out` and gives their room free; fewer at the end.
    pub fn take(&mut self, count: usize, out: &mut Vec<u8>) {
        let end = self.buffer.len().min(self.read + count);
        out.clear();
        out.extend_from_slice(&self.buffer[self.read..end]);
        self.read = end;
        self.settle();
    }

    /// Appends to what is made; an error if that ran so far ahead of the reading that there is no room for it.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.make_room(bytes.len())?;
        self.waiting.extend_from_slice(bytes);
        self.settle();
        Ok(())
    }

    /// By steps, never by doubling, which could take more than there is; and never by force.
    fn make_room(&mut self, count: usize) -> Result<()> {
        if self.waiting.capacity() - self.waiting.len() >= count {
            return Ok(());
        }
        self.waiting.try_reserve_exact(count + STEP).map_err(|_| self.shortage())
    }

    /// What is made is so much larger than what it is made of that there is no room for it.
    fn shortage(&self) -> Error {
        let (needs, limit) = (self.written + self.waiting.len() + STEP, self.buffer.capacity());
        Error::too_costly(Budget::Memory, (needs + limit) as u64, limit as u64)
    }

    fn settle(&mut self) {
        let count = self.waiting.len().min(self.read - self.written);
        self.buffer[self.written..self.written + count].copy_from_slice(&self.waiting[..count]);
        self.written += count;
        self.waiting.drain(..count);
    }

    /// What was made; an error if it became so much larger than what it was made of that there is no room for it.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.buffer.truncate(self.written);
        self.buffer.try_reserve_exact(self.waiting.len()).map_err(|_| self.shortage())?;
        self.buffer.append(&mut self.waiting);
        // What is made of a large image may be small, and stays while it is encoded.
        if self.buffer.len() < self.buffer.capacity() / 2 {
            self.buffer.shrink_to_fit();
        }
        Ok(self.buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_may_run_ahead_of_the_room() {
        let mut reuse = Reuse::new((0..10).collect());
        let mut piece = Vec::new();
        reuse.put(&[100, 101, 102]).unwrap();
        reuse.take(2, &mut piece);
        assert_eq!(piece, [0, 1]);
        reuse.take(20, &mut piece);
        assert_eq!(piece, [2, 3, 4, 5, 6, 7, 8, 9], "nothing was overwritten before it was read");
        reuse.put(&[103; 12]).unwrap();
        assert_eq!(reuse.finish().unwrap(), [vec![100, 101, 102], vec![103; 12]].concat());
    }
}
