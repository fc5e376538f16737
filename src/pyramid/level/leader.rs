//! Chunks that carry their own length. In GDAL's cloud-optimized files, each chunk is preceded by its length in four bytes (the leader), little-endian whatever
//! the byte order of the file, and followed by a repetition of its last four bytes (the trailer): BLOCK_LEADER=SIZE_AS_UINT4 and
//! BLOCK_TRAILER=LAST_4_BYTES_REPEATED in the "ghost area". A reader that knows where a chunk begins can do without the table of lengths, which saves a read.

/// Length of a leader, and of a trailer, bytes.
pub(crate) const BYTES: u64 = 4;

/// Length in bytes of the chunk in `block`, which begins with a leader and reaches at least to the end of the trailer. `None` if leader and trailer do not
/// agree, for example because a program that does not know of them has rewritten the chunk.
pub(crate) fn length(block: &[u8]) -> Option<u64> {
    let (leader, rest) = block.split_first_chunk()?;
    let length = u32::from_le_bytes(*leader);
    let (chunk, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    (chunk.last_chunk::<4>()? == behind.first_chunk()?).then_some(length.into())
}

/// A chunk with its leader before it and its trailer behind it; `None` if it has fewer than four bytes.
pub(crate) fn block(chunk: &[u8]) -> Option<Vec<u8>> {
    let leader = u32::try_from(chunk.len()).ok()?.to_le_bytes();
    Some([&leader, chunk, chunk.last_chunk::<4>()?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_tells_its_length_unless_it_was_written_over() {
        let block = block(b"entropy").unwrap();
        assert_eq!(block, b"\x07\0\0\0entropyropy");
        assert_eq!(length(&[block.as_slice(), b"a mask"].concat()), Some(7));
        for damaged in [&block[..14], b"\x08\0\0\0entropyropy ", b"\x03\0\0\0entropy", b"\xff\xff\xff\xffentropy", b"\0\0\0\0", b"", b"\x07\0\0"] {
            assert_eq!(length(damaged), None, "{damaged:?}");
        }
        assert!(super::block(b"abc").is_none());
    }
}
