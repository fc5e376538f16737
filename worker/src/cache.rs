//! What is kept between requests: opened pyramids in the isolate's memory, finished answers in the Cache API. Both by the source's etag.

use std::cell::RefCell;

use azulejo::Pyramid;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::ENGINE;

#[wasm_bindgen(raw_module = "azulejo:instance")]
extern "C" {
    /// A finished answer's bytes. A cache that fails has nothing.
    pub(crate) async fn find(url: &str) -> Option<Uint8Array>;
    /// Keeps a finished, whole answer, for good: another version of source or engine has another URL.
    pub(crate) async fn store(url: &str, bytes: &Uint8Array, media_type: &str);
}

/// Bytes of pyramids that are kept, at most; the index of a large JPEG file takes one of its hundred.
const KEPT: usize = 4 << 20;

thread_local! {
    /// Least recently used first.
    static PYRAMIDS: RefCell<Vec<Opened>> = const { RefCell::new(Vec::new()) };
}

struct Opened {
    key: String,
    page: u32,
    version: Version,
    pyramid: Pyramid,
}

/// What is known of a version of an object without its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// When it was put there, ms since 1970.
    pub uploaded: f64,
    /// The same as `Last-Modified` has it.
    pub modified: String,
}

/// The version of an object that was opened last, if it is kept. There may be another one by now.
pub(crate) fn version(key: &str, page: u32) -> Option<Version> {
    PYRAMIDS.with_borrow(|kept| kept.iter().find(|opened| opened.key == key && opened.page == page).map(|opened| opened.version.clone()))
}

/// The pyramid of this version of an object, if it has been opened lately.
pub(crate) fn pyramid(key: &str, page: u32, etag: &str) -> Option<Pyramid> {
    PYRAMIDS.with_borrow_mut(|kept| {
        let opened = kept.remove(kept.iter().position(|opened| opened.key == key && opened.page == page && opened.version.etag == etag)?);
        let pyramid = opened.pyramid.clone();
        kept.push(opened);
        // What is learnt of an image makes it heavier.
        trim(kept);
        Some(pyramid)
    })
}

/// Keeps a pyramid, in place of older versions.
pub(crate) fn keep(key: &str, page: u32, version: &Version, pyramid: &Pyramid) {
    PYRAMIDS.with_borrow_mut(|kept| {
        kept.retain(|opened| opened.key != key || (opened.page != page && opened.version.etag == version.etag));
        kept.push(Opened { key: key.to_owned(), page, version: version.clone(), pyramid: pyramid.clone() });
        trim(kept);
    });
}

fn trim(kept: &mut Vec<Opened>) {
    while kept.iter().map(|opened| opened.pyramid.weight()).sum::<usize>() > KEPT {
        kept.remove(0);
    }
}

/// The URL under which is cached what has this hash: the same meaning has the same one, whatever the host and the spelling.
pub(crate) fn url(hash: &str) -> String {
    format!("https://azulejo.invalid/{hash}")
}

/// A hash of texts and of the engine's version, 32 digits: FNV-1a of 128 bits.
pub(crate) fn hash(texts: &[&str]) -> String {
    const PRIME: u128 = (1 << 88) + 0x13b;
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for text in texts.iter().chain(&[ENGINE]) {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
    format!("{hash:032x}")
}
