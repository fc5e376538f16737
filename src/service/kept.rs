//! Images that were opened lately, by the version of their file; and the names of what hosts keep.

use crate::api::Page;
use crate::pyramid::Pyramid;

use super::ask::FileVersion;

/// Bytes of pyramids that are kept, at most; the index of a large JPEG file takes one of its hundred.
const MOST: usize = 4 << 20;

/// The images that a service keeps open.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Least recently used first.
    opened: Vec<Opened>,
    /// Bytes of all of them.
    weight: usize,
}

#[derive(Debug)]
struct Opened {
    key: String,
    page: Page,
    version: FileVersion,
    pyramid: Pyramid,
    /// Its bytes when it was [weighed](Kept::weigh) last.
    weight: usize,
}

impl Kept {
    /// The version of a file that was opened last, if it is kept. There may be another one by now.
    pub fn version(&self, key: &str, page: Page) -> Option<FileVersion> {
        self.opened.iter().find(|opened| opened.key == key && opened.page == page).map(|opened| opened.version.clone())
    }

    /// The page of this version of a file, if it has been opened lately.
    pub fn pyramid(&mut self, key: &str, page: Page, version: &FileVersion) -> Option<Pyramid> {
        let at = self.opened.iter().position(|opened| opened.key == key && opened.page == page && opened.version == *version)?;
        let found = self.opened.remove(at);
        let pyramid = found.pyramid.clone();
        self.opened.push(found);
        Some(pyramid)
    }

    /// Keeps a page, in place of older versions. Nothing is kept of a file without an etag.
    pub fn keep(&mut self, key: &str, page: Page, version: &FileVersion, pyramid: &Pyramid) {
        let Self { opened, weight } = self;
        opened.retain(|opened| {
            let stays = opened.key != key || (opened.page != page && opened.version.etag == version.etag);
            *weight -= if stays { 0 } else { opened.weight };
            stays
        });
        if version.etag.is_some() {
            let weight = pyramid.weight();
            self.opened.push(Opened { key: key.to_owned(), page, version: version.clone(), pyramid: pyramid.clone(), weight });
            self.weight += weight;
            self.trim();
        }
    }

    /// Weighs the pages of a file anew: what a request has learnt of them makes them heavier. To weigh all files each time would cost more than a tile.
    pub fn weigh(&mut self, key: &str) {
        for opened in self.opened.iter_mut().filter(|opened| opened.key == key) {
            let weight = opened.pyramid.weight();
            self.weight = self.weight - opened.weight + weight;
            opened.weight = weight;
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.weight > MOST {
            self.weight -= self.opened.remove(0).weight;
        }
    }
}

/// The version of engine and service: part of every ETag and of every name under which something is kept.
pub const ENGINE: &str = match option_env!("AZULEJO_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// A hash of texts and of the engine's version, 32 hexadecimal digits: FNV-1a of 128 bits. The same meaning has the same one, whatever the host and the spelling.
pub(super) fn hash(texts: &[&str]) -> String {
    const PRIME: u128 = (1 << 88) + 0x13b;
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for text in texts.iter().chain(&[ENGINE]) {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        }
    }
    format!("{hash:032x}")
}
