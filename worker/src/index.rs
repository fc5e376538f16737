//! Where the MCUs of JPEG files lie, once that has been learnt: in the Cache API, and beside the objects in the bucket if the service may write there.
//! They are read before the first answer out of a file of which nothing is known, written behind answers, and what they hold is checked by the core.

use std::collections::HashMap;

use azulejo::Pyramid;
use js_sys::Uint8Array;
use worker::{Bucket, Object};

use crate::cache;

/// What the key of an object ends in that holds an index.
const SUFFIX: &str = ".azulejo-index";
/// Metadata of such an object: the etag of the image.
const OF: &str = "image-etag";
/// An index of this many bytes is of no file that R2 takes.
const MOST: u64 = 16 << 20;
/// R2 takes no longer key.
const LONGEST_KEY: usize = 1024;

/// Whether a key is that of an index, which is no image.
pub(crate) fn is_index(key: &str) -> bool {
    key.ends_with(SUFFIX)
}

/// A version of an image, and where its index is kept.
#[derive(Clone)]
pub(crate) struct Shelf {
    key: String,
    etag: String,
    /// If the service may write there.
    bucket: Option<Bucket>,
}

impl Shelf {
    /// For a version of an object; `bucket` if an index may be put beside it.
    pub fn new(key: &str, etag: &str, bucket: Option<&Bucket>) -> Self {
        let bucket = bucket.filter(|_| key.len() + SUFFIX.len() <= LONGEST_KEY).cloned();
        Self { key: key.to_owned(), etag: etag.to_owned(), bucket }
    }

    fn url(&self) -> String {
        cache::url(&cache::hash(&["index", &self.key, &self.etag]))
    }

    /// Gives an image of which nothing is known yet what is known elsewhere.
    pub async fn fetch(&self, pyramid: &Pyramid) {
        if !pyramid.wants_index() {
            return;
        }
        let cached = cache::find(&self.url()).await.is_some_and(|bytes| pyramid.take_index(&bytes.to_vec()));
        if !cached && let Some(bytes) = self.stored().await {
            pyramid.take_index(&bytes);
        }
    }

    /// What lies beside the object, if it is of the same version.
    async fn stored(&self) -> Option<Vec<u8>> {
        let object: Object = self.bucket.as_ref()?.get(format!("{}{SUFFIX}", self.key)).execute().await.ok()??;
        let same = object.custom_metadata().ok()?.get(OF) == Some(&self.etag);
        if same && object.size() <= MOST { object.body()?.bytes().await.ok() } else { None }
    }

    /// Keeps what has been learnt.
    pub async fn keep(self, index: Vec<u8>) {
        cache::store(&self.url(), &Uint8Array::from(index.as_slice()), "application/octet-stream").await;
        if let Some(bucket) = &self.bucket {
            let of = HashMap::from([(OF.to_owned(), self.etag.clone())]);
            // It is made anew another time if this fails.
            let _ = bucket.put(format!("{}{SUFFIX}", self.key), index).custom_metadata(of).execute().await;
        }
    }
}
