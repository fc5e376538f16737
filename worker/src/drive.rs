//! The driver: fetches from R2 what the core's jobs ask for, all of it from one version of the object.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use azulejo::{ByteRange, Encoded, Error, Open, Pyramid, Render, Step};
use futures_util::StreamExt;
use futures_util::stream;
use worker::{Bucket, Conditional, Range};

use crate::cache::Version;
use crate::log;
use crate::meter::{Meter, now};

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
    /// The first bytes of it, if they told the version: until they are asked for.
    beginning: RefCell<Option<Vec<u8>>>,
}

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
            Ok(found) => found.map(|(version, bytes)| (version, Some(bytes))),
            // Of an empty object no range can be asked for.
            Err(error) => match look(bucket, &key, meter).await? {
                Some(version) if version.size == 0 => Some((version, None)),
                Some(_) => return Err(unreadable(&error)),
                None => None,
            },
        };
        Ok(found.map(|(version, beginning)| Self {
            seen: Cell::new(true),
            beginning: RefCell::new(beginning),
            ..Self::remembered(bucket, key, version, meter)
        }))
    }

    /// An object in a version that was there once. Whether it still is shows with the first read, or is to be [confirmed](Self::confirm).
    pub fn remembered(bucket: &Bucket, key: String, version: Version, meter: &Rc<Meter>) -> Self {
        Self { bucket: bucket.clone(), meter: meter.clone(), key, version, seen: Cell::new(false), beginning: RefCell::new(None) }
    }

    /// Makes sure that this version is there, unless a read has shown it. [`Error::SourceChanged`] if it is not.
    pub async fn confirm(&self) -> azulejo::Result<()> {
        if self.seen.get() {
            return Ok(());
        }
        let found = look(&self.bucket, &self.key, &self.meter).await?;
        self.seen.set(found.is_some_and(|found| found.etag == self.version.etag));
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
            let mut reads = stream::iter(ranges.into_iter().map(|range| async move { (range.start(), self.read(range).await) })).buffer_unordered(IN_FLIGHT);
            while let Some((offset, bytes)) = reads.next().await {
                job.provide(offset, bytes?)?;
            }
            self.meter.waited.set(self.meter.waited.get() + now() - began);
        }
    }

    /// Reads a range, which must lie within the object, exactly.
    async fn read(&self, range: ByteRange) -> azulejo::Result<Vec<u8>> {
        if range.start() == 0
            && let Some(bytes) = self.beginning.take().filter(|bytes| bytes.len() as u64 == range.len())
        {
            return Ok(bytes);
        }
        self.meter.read(range.len());
        let pinned = Conditional { etag_matches: Some(self.version.etag.clone()), ..Conditional::default() };
        let part = Range::OffsetWithLength { offset: range.start(), length: range.len() };
        let answer = self.bucket.get(&self.key).range(part).only_if(pinned).execute().await.map_err(|error| unreadable(&error))?;
        // Another version answers without a body, a deleted object not at all.
        let object = answer.ok_or(Error::SourceChanged)?;
        let body = object.body().ok_or(Error::SourceChanged)?;
        if object.etag() != self.version.etag || object.size() != self.version.size {
            return Err(Error::SourceChanged);
        }
        self.seen.set(true);
        let bytes = body.bytes().await.map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 != range.len() {
            return Err(Error::SourceRead { what: format!("{} bytes came for {}", bytes.len(), range.len()) });
        }
        Ok(bytes)
    }
}

/// The version of an object that is there now, and its first bytes.
async fn begin(bucket: &Bucket, key: &str, meter: &Meter) -> worker::Result<Option<(Version, Vec<u8>)>> {
    meter.read(0);
    let beginning = Range::OffsetWithLength { offset: 0, length: Open::FIRST_READ };
    let Some(object) = bucket.get(key).range(beginning).execute().await? else { return Ok(None) };
    let bytes = match object.body() {
        Some(body) => body.bytes().await?,
        None => Vec::new(),
    };
    meter.got(bytes.len() as u64);
    Ok(Some((version(&object), bytes)))
}

/// The version of an object that is there now.
async fn look(bucket: &Bucket, key: &str, meter: &Meter) -> azulejo::Result<Option<Version>> {
    meter.read(0);
    let object = bucket.head(key).await.map_err(|error| unreadable(&error))?;
    Ok(object.as_ref().map(version))
}

fn version(object: &worker::Object) -> Version {
    Version { etag: object.etag(), size: object.size(), uploaded: object.uploaded().as_millis() as f64 }
}

/// The error of a read that failed. What the storage said is for the log.
pub(crate) fn unreadable(error: &worker::Error) -> Error {
    worker::console_error!("{}", serde_json::json!({ "event": "storage", "error": log::text(&error.to_string()) }));
    Error::SourceRead { what: "the storage did not answer".to_owned() }
}
