//! WebP: decoding by image-webp, lossy encoding by webp-rust. Lossless files are written by [`super::vp8l`].

mod damaged;
mod decode;
mod encode;

pub(super) use decode::decode;
pub(super) use encode::encode;

/// RFC 9649, 2.3: where the chunks of a file begin, and the length of a chunk's header.
const FIRST_CHUNK: usize = 12;
const CHUNK_HEADER: usize = 8;
/// RFC 9649, 2.7.1.1: bytes of a frame of an animation before its chunks.
const FRAME_HEADER: usize = 16;

/// A RIFF chunk.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    kind: [u8; 4],
    /// Offset of its data in the file.
    start: usize,
    /// Bytes of data that its header states; the file may end before.
    length: usize,
}

impl Chunk {
    /// Its data, as far as the file contains them.
    fn data<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        let data = file.get(self.start..).unwrap_or_default();
        &data[..self.length.min(data.len())]
    }

    /// The chunks within its data, from `header` bytes after the beginning of the data on.
    fn parts<'a>(&self, file: &'a [u8], header: usize) -> impl Iterator<Item = Self> + use<'a> {
        let end = self.start + self.data(file).len();
        chunks(&file[..end], self.start + header)
    }
}

/// The chunks of a file from byte `at` on.
fn chunks(file: &[u8], mut at: usize) -> impl Iterator<Item = Chunk> + use<'_> {
    std::iter::from_fn(move || {
        let (kind, after) = file.get(at..)?.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*after.first_chunk::<4>()?) as usize;
        let chunk = Chunk { kind: *kind, start: at + CHUNK_HEADER, length };
        // Chunks have an even number of bytes.
        at = chunk.start.saturating_add(length).saturating_add(length % 2);
        Some(chunk)
    })
}
