//! What is kept between requests: opened pyramids in the isolate's memory, finished answers in the Cache API. Both by the source's etag.

use std::cell::RefCell;

use azulejo::Pyramid;
use azulejo::api::Page;
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
    static PYRAMIDS: RefCell<Pyramids> = const { RefCell::new(Pyramids { opened: Vec::new(), weight: 0 }) };
}

struct Pyramids {
    /// Least recently used first.
    opened: Vec<Opened>,
    /// Bytes of all of them.
    weight: usize,
}

struct Opened {
    key: String,
    page: Page,
    version: Version,
    pyramid: Pyramid,
    /// Its bytes when it was [weighed](weigh) last.
    weight: usize,
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
pub(crate) fn version(key: &str, page: Page) -> Option<Version> {
    PYRAMIDS.with_borrow(|kept| kept.opened.iter().find(|opened| opened.key == key && opened.page == page).map(|opened| opened.version.clone()))
}

/// The pyramid of this version of an object, if it has been opened lately.
pub(crate) fn pyramid(key: &str, page: Page, etag: &str) -> Option<Pyramid> {
    PYRAMIDS.with_borrow_mut(|Pyramids { opened, .. }| {
        let found = opened.remove(opened.iter().position(|opened| opened.key == key && opened.page == page && opened.version.etag == etag)?);
        let pyramid = found.pyramid.clone();
        opened.push(found);
        Some(pyramid)
    })
}

/// Keeps a pyramid, in place of older versions.
pub(crate) fn keep(key: &str, page: Page, version: &Version, pyramid: &Pyramid) {
    PYRAMIDS.with_borrow_mut(|kept| {
        kept.opened.retain(|opened| {
            let stays = opened.key != key || (opened.page != page && opened.version.etag == version.etag);
            kept.weight -= if stays { 0 } else { opened.weight };
            stays
        });
        let weight = pyramid.weight();
        kept.opened.push(Opened { key: key.to_owned(), page, version: version.clone(), pyramid: pyramid.clone(), weight });
        kept.weight += weight;
        kept.trim();
    });
}

/// Weighs what is kept of an object anew: what a request has learnt of an image makes it heavier. To weigh all of them each time would cost more than a tile.
pub(crate) fn weigh(key: &str) {
    PYRAMIDS.with_borrow_mut(|kept| {
        for opened in kept.opened.iter_mut().filter(|opened| opened.key == key) {
            let weight = opened.pyramid.weight();
            kept.weight = kept.weight - opened.weight + weight;
            opened.weight = weight;
        }
        kept.trim();
    });
}

impl Pyramids {
    fn trim(&mut self) {
        while self.weight > KEPT {
            self.weight -= self.opened.remove(0).weight;
        }
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
