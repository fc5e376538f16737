//! A buffer that is read from its front while what is made of it is written into the room that has been read.
//!
//! A decoded image becomes a raster, and a raster a file, without a second buffer of their size.

use std::io::{self, Write};

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

    /// Appends to what is made.
    pub fn put(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        self.settle();
    }

    fn settle(&mut self) {
        let count = self.waiting.len().min(self.read - self.written);
        self.buffer[self.written..self.written + count].copy_from_slice(&self.waiting[..count]);
        self.written += count;
        self.waiting.drain(..count);
    }

    /// What was made.
    pub fn finish(mut self) -> Vec<u8> {
        self.buffer.truncate(self.written);
        self.buffer.append(&mut self.waiting);
        self.buffer
    }
}

impl Write for Reuse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_may_run_ahead_of_the_room() {
        let mut reuse = Reuse::new((0..10).collect());
        let mut piece = Vec::new();
        reuse.put(&[100, 101, 102]);
        reuse.take(2, &mut piece);
        assert_eq!(piece, [0, 1]);
        reuse.take(20, &mut piece);
        assert_eq!(piece, [2, 3, 4, 5, 6, 7, 8, 9], "nothing was overwritten before it was read");
        reuse.put(&[103; 12]);
        assert_eq!(reuse.finish(), [vec![100, 101, 102], vec![103; 12]].concat());
    }
}
