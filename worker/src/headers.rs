//! What opens an image, in the Cache API: the bytes of its headers, as much as is known of its tables of chunks, and the version they are of. With them an
//! isolate that has not opened the image reads its pixels at once. As what isolates remember themselves, they may be of an older version: the first
//! read shows it.

use azulejo::Pyramid;
use azulejo::api::Page;
use js_sys::Uint8Array;
use serde_json::{Value, json};

use crate::cache::{self, Version};
use crate::drive::Parts;

/// Bytes of all parts, at most.
const MOST: usize = 1 << 20;

/// The headers of a version of an object.
pub(crate) struct Headers {
    pub version: Version,
    pub parts: Parts,
}

impl Headers {
    /// What is known of a page of an object; there may be another version by now.
    pub async fn find(key: &str, page: Page) -> Option<Self> {
        Self::from_bytes(&cache::find(&url(key, page)).await?.to_vec())
    }

    /// Of an image, the headers that have opened it for this request, and what is known of its tables of chunks. None if that is no more than was recalled,
    /// so many bytes, or too much.
    pub fn of(version: &Version, headers: Parts, recalled: usize, pyramid: &Pyramid) -> Option<Self> {
        let mut parts = pyramid.tables();
        for (at, bytes) in headers {
            let end = at + bytes.len() as u64;
            if !parts.iter().any(|(from, part)| *from <= at && end <= from + part.len() as u64) {
                parts.push((at, bytes));
            }
        }
        let headers = Self { version: version.clone(), parts };
        (recalled + 1..=MOST).contains(&headers.bytes()).then_some(headers)
    }

    /// Bytes of all parts.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Keeps them, in place of others.
    pub async fn keep(self, key: String, page: Page) {
        cache::store(&url(&key, page), &Uint8Array::from(self.to_bytes().as_slice()), "application/octet-stream").await;
    }

    /// A line of JSON, and the parts one after the other.
    fn to_bytes(&self) -> Vec<u8> {
        let Version { etag, size, uploaded, modified } = &self.version;
        let parts: Vec<(u64, usize)> = self.parts.iter().map(|(offset, bytes)| (*offset, bytes.len())).collect();
        let line = json!({ "etag": etag, "size": size, "uploaded": uploaded, "modified": modified, "parts": parts });
        let mut bytes = format!("{line}\n").into_bytes();
        self.parts.iter().for_each(|(_, part)| bytes.extend_from_slice(part));
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (line, mut rest) = bytes.split_at_checked(bytes.iter().position(|byte| *byte == b'\n')? + 1)?;
        let known: Value = serde_json::from_slice(line).ok()?;
        let text = |name: &str| known[name].as_str().map(str::to_owned);
        let version = Version { etag: text("etag")?, size: known["size"].as_u64()?, uploaded: known["uploaded"].as_f64()?, modified: text("modified")? };
        let mut parts = Parts::new();
        for part in known["parts"].as_array()? {
            let (bytes, after) = rest.split_at_checked(part[1].as_u64()?.try_into().ok()?)?;
            parts.push((part[0].as_u64()?, bytes.to_vec()));
            rest = after;
        }
        rest.is_empty().then_some(Self { version, parts })
    }
}

fn url(key: &str, page: Page) -> String {
    cache::url(&cache::hash(&["headers", key, &page.to_string()]))
}
