//! What opens a file, kept by the host: the bytes of its headers, as much as is known of its tables of chunks, and the version they are of. With them a service that
//! has not opened the file reads its pixels at once. They may be of an older version: the first read shows it.

use super::ask::FileVersion;
use super::kept::hash;
use crate::api::Page;
use crate::pyramid::Pyramid;

/// Bytes of all parts, at most.
const MOST: usize = 1 << 20;

/// Some of a file's bytes: where each part begins, and the part.
pub(super) type Parts = Vec<(u64, Vec<u8>)>;

/// The bytes that open a version of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Opening {
    pub version: FileVersion,
    pub parts: Parts,
}

impl Opening {
    /// The name under which a host keeps what opens a page of a file.
    pub fn name(key: &str, page: Page) -> String {
        hash(&["headers", key, &page.to_string()])
    }

    /// Of a page, the headers that have opened it for this request, and what is known of its tables of chunks. None if that is no more than was recalled, so many bytes,
    /// or too much.
    pub fn of(version: &FileVersion, headers: Parts, recalled: usize, pyramid: &Pyramid) -> Option<Self> {
        let mut parts = pyramid.tables();
        for (at, bytes) in headers {
            let end = at + bytes.len() as u64;
            if !parts.iter().any(|(from, part)| *from <= at && end <= from + part.len() as u64) {
                parts.push((at, bytes));
            }
        }
        let opening = Self { version: version.clone(), parts };
        (recalled + 1..=MOST).contains(&opening.len()).then_some(opening)
    }

    /// Bytes of all parts.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Three lines of the version, a line of offsets and lengths, and the parts one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts: Vec<String> = self.parts.iter().map(|(offset, bytes)| format!("{offset} {}", bytes.len())).collect();
        let mut bytes = format!("{}\n{}\n", self.version.text(), parts.join(" ")).into_bytes();
        self.parts.iter().for_each(|(_, part)| bytes.extend_from_slice(part));
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (end, _) = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(3)?;
        let (head, rest) = bytes.split_at_checked(end)?;
        let (version, parts) = std::str::from_utf8(head).ok()?.rsplit_once('\n')?;
        let version = FileVersion::read(version).filter(|version| version.etag.is_some())?;
        let numbers: Option<Vec<u64>> = parts.split(' ').map(|number| number.parse().ok()).collect();
        let (mut read, mut rest) = (Parts::new(), rest.get(1..)?);
        for pair in numbers?.chunks(2) {
            let (offset, length) = (*pair.first()?, usize::try_from(*pair.get(1)?).ok()?);
            let (part, after) = rest.split_at_checked(length)?;
            read.push((offset, part.to_vec()));
            rest = after;
        }
        rest.is_empty().then_some(Self { version, parts: read })
    }
}

#[test]
fn what_was_kept_is_read_and_nothing_else() {
    let version = FileVersion { etag: Some("a\"b".to_owned()), size: 1 << 40, modified: Some(1_700_000_000_123.0) };
    let kept = Opening { version, parts: vec![(0, b"II*\0\n\n".to_vec()), (1 << 33, vec![0; 3])] };
    let bytes = kept.to_bytes();
    assert_eq!(Opening::from_bytes(&bytes), Some(kept));
    for length in 0..bytes.len() {
        assert_eq!(Opening::from_bytes(&bytes[..length]), None, "{length}");
    }
    assert_eq!(Opening::from_bytes(&[bytes.as_slice(), &[0]].concat()), None);
    assert_eq!(Opening::from_bytes(&[b'\n'; 40]), None);
}
