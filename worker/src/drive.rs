//! The driver: fetches from R2 what the core's jobs ask for, all of it from one version of the object.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use azulejo::api::Page;
use azulejo::{ByteRange, Encoded, Error, Limits, Open, Pyramid, Render, Step};
use futures_util::StreamExt;
use futures_util::stream;
use js_sys::{Date, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::Bucket;

use crate::cache::{self, Version};
use crate::headers::Headers;
use crate::log;
use crate::meter::{Meter, now};

#[wasm_bindgen(raw_module = "azulejo:instance")]
extern "C" {
    /// What tells the version of an object, if there is one.
    #[wasm_bindgen(catch, js_name = look)]
    async fn look_at(bucket: &JsValue, key: &str) -> Result<Option<Part>, JsValue>;
    /// The same with its first bytes.
    #[wasm_bindgen(catch, js_name = begin)]
    async fn first_part(bucket: &JsValue, key: &str, length: f64) -> Result<Option<Part>, JsValue>;
    /// A range of its bytes, if it is still of this version.
    #[wasm_bindgen(catch, js_name = read)]
    async fn read_range(bucket: &JsValue, key: &str, offset: f64, length: f64, etag: &str, size: f64) -> Result<Option<Uint8Array>, JsValue>;

    type Part;
    #[wasm_bindgen(method, getter)]
    fn etag(this: &Part) -> String;
    #[wasm_bindgen(method, getter)]
    fn size(this: &Part) -> f64;
    #[wasm_bindgen(method, getter)]
    fn uploaded(this: &Part) -> Date;
    #[wasm_bindgen(method, getter)]
    fn bytes(this: &Part) -> Option<Uint8Array>;
}

/// The runtime lets no more than six connections be open.
const IN_FLIGHT: usize = 6;

/// An object in the bucket, in one version.
pub(crate) struct Object {
    bucket: Bucket,
    meter: Rc<Meter>,
    pub key: String,
    pub version: Version,
    /// Whether this version was there when the request came or later.
    seen: Cell<bool>,
    /// What of its bytes is here before any is asked for: until it is opened.
    parts: RefCell<Parts>,
    /// How many they are if another isolate has opened it with them, bytes.
    pub recalled: usize,
    /// What has opened it, if it was opened for this request.
    pub headers: RefCell<Option<Parts>>,
}

/// Some of an object's bytes: where each part begins, and the part.
pub(crate) type Parts = Vec<(u64, Vec<u8>)>;

/// What a job has come to.
pub(crate) enum Outcome<T> {
    /// Bytes of an answer that is made in pieces.
    Piece(Vec<u8>),
    Done(T),
}

/// A job of the core.
pub(crate) trait Job {
    type Output;
    fn step(&mut self) -> azulejo::Result<Step<Self::Output>>;
    fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> azulejo::Result<()>;
}

impl Job for Open {
    type Output = Pyramid;
    fn step(&mut self) -> azulejo::Result<Step<Pyramid>> {
        self.step()
    }
    fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> azulejo::Result<()> {
        self.provide(offset, bytes)
    }
}

impl Job for Render {
    type Output = Encoded;
    fn step(&mut self) -> azulejo::Result<Step<Encoded>> {
        self.step()
    }
    fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> azulejo::Result<()> {
        self.provide(offset, bytes)
    }
}

impl Object {
    /// Looks an object up by reading its beginning, which is what opening it begins with. `None` if there is none.
    pub async fn find(bucket: &Bucket, key: String, meter: &Rc<Meter>) -> azulejo::Result<Option<Self>> {
        let found = match begin(bucket, &key, meter).await {
            Ok(found) => found,
            // Of an empty object no range can be asked for.
            Err(error) => match look(bucket, &key, meter).await?.as_ref().map(version) {
                Some(version) if version.size == 0 => Some((version, Vec::new())),
                Some(_) => return Err(unreadable(&error)),
                None => None,
            },
        };
        Ok(found.map(|(version, bytes)| {
            // One of another length than there must be is read again, and then told of.
            let whole = !bytes.is_empty() && bytes.len() as u64 == version.size.min(Open::FIRST_READ);
            let mut object = Self::remembered(bucket, key, version, meter);
            object.seen = Cell::new(true);
            object.parts = RefCell::new(if whole { vec![(0, bytes)] } else { Vec::new() });
            object
        }))
    }

    /// An object in a version that was there once. Whether it still is shows with the first read, or is to be [confirmed](Self::confirm).
    pub fn remembered(bucket: &Bucket, key: String, version: Version, meter: &Rc<Meter>) -> Self {
        let (seen, parts, headers) = (Cell::new(false), RefCell::default(), RefCell::default());
        Self { bucket: bucket.clone(), meter: meter.clone(), key, version, seen, parts, recalled: 0, headers }
    }

    /// The same, with what another isolate has opened it with.
    pub fn recalled(bucket: &Bucket, key: String, headers: Headers, meter: &Rc<Meter>) -> Self {
        let recalled = headers.bytes();
        let mut object = Self::remembered(bucket, key, headers.version, meter);
        object.recalled = recalled;
        object.parts = RefCell::new(headers.parts);
        object
    }

    /// Opens page `page` of it: the image, and the bytes that took.
    pub async fn open(&self, page: Page, limits: &Limits) -> azulejo::Result<(Pyramid, Parts)> {
        let mut opening = Open::new(self.version.size, limits).page(page);
        for (offset, bytes) in self.parts.take() {
            opening.provide(offset, bytes)?;
        }
        match self.run(&mut opening).await? {
            Outcome::Done(pyramid) => Ok((pyramid, opening.headers())),
            Outcome::Piece(_) => Err(Error::Internal { what: "an image that opens in pieces".to_owned() }),
        }
    }

    /// Makes sure that this version is there, unless a read has shown it. [`Error::SourceChanged`] if it is not.
    pub async fn confirm(&self) -> azulejo::Result<()> {
        if self.seen.get() {
            return Ok(());
        }
        let found = look(&self.bucket, &self.key, &self.meter).await?;
        self.seen.set(found.is_some_and(|found| found.etag() == self.version.etag));
        if self.seen.get() { Ok(()) } else { Err(Error::SourceChanged) }
    }

    /// Runs a job to the next piece of its result, or to its end. The ms it waited for bytes are added to the meter.
    pub async fn run<J: Job>(&self, job: &mut J) -> azulejo::Result<Outcome<J::Output>> {
        loop {
            let ranges = match job.step()? {
                Step::Done(output) => return Ok(Outcome::Done(output)),
                Step::Piece(piece) => return Ok(Outcome::Piece(piece)),
                Step::Need(ranges) => ranges,
            };
            let began = now();
            if let [range] = ranges[..] {
                // Which it mostly is. A stream of one would be polled twice.
                job.provide(range.start(), self.read(range).await?)?;
            } else {
                let mut reads =
                    stream::iter(ranges.into_iter().map(|range| async move { (range.start(), self.read(range).await) })).buffer_unordered(IN_FLIGHT);
                while let Some((offset, bytes)) = reads.next().await {
                    job.provide(offset, bytes?)?;
                }
            }
            self.meter.waited.set(self.meter.waited.get() + now() - began);
        }
    }

    /// Reads a range, which must lie within the object, exactly.
    async fn read(&self, range: ByteRange) -> azulejo::Result<Vec<u8>> {
        self.meter.read(range.len());
        let Version { etag, size, .. } = &self.version;
        let answer = read_range(self.bucket.as_ref(), &self.key, range.start() as f64, range.len() as f64, etag, *size as f64).await;
        let bytes = answer.map_err(|error| unreadable(&error.into()))?.ok_or(Error::SourceChanged)?.to_vec();
        self.seen.set(true);
        if bytes.len() as u64 != range.len() {
            return Err(Error::SourceRead { what: format!("{} bytes came for {}", bytes.len(), range.len()) });
        }
        Ok(bytes)
    }
}

impl Drop for Object {
    /// A request has read of it what it needed.
    fn drop(&mut self) {
        cache::weigh(&self.key);
    }
}

/// The version of an object that is there now, and its first bytes.
async fn begin(bucket: &Bucket, key: &str, meter: &Meter) -> worker::Result<Option<(Version, Vec<u8>)>> {
    meter.read(0);
    let Some(part) = first_part(bucket.as_ref(), key, Open::FIRST_READ as f64).await? else { return Ok(None) };
    let bytes = part.bytes().map(|bytes| bytes.to_vec()).unwrap_or_default();
    meter.got(bytes.len() as u64);
    Ok(Some((version(&part), bytes)))
}

/// The object that is there now.
async fn look(bucket: &Bucket, key: &str, meter: &Meter) -> azulejo::Result<Option<Part>> {
    meter.read(0);
    look_at(bucket.as_ref(), key).await.map_err(|error| unreadable(&error.into()))
}

fn version(part: &Part) -> Version {
    let uploaded = part.uploaded();
    Version { etag: part.etag(), size: part.size() as u64, uploaded: uploaded.get_time(), modified: uploaded.to_utc_string().into() }
}

/// The error of a read that failed. What the storage said is for the log.
pub(crate) fn unreadable(error: &worker::Error) -> Error {
    worker::console_error!("{}", serde_json::json!({ "event": "storage", "error": log::text(&error.to_string()) }));
    Error::SourceRead { what: "the storage did not answer".to_owned() }
}
