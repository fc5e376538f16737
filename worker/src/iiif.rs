//! The Image API's three resources: base URI, information, image.

use std::rc::Rc;

use azulejo::api::{Identifier, ImageRequest, InfoForm, Page, ResolvedRequest, Routed, What};
use azulejo::service::{Failure, ImageAnswer, Method, Request, Resource, StoredVersion};
use azulejo::settings::Log;
use azulejo::{Error, Incomplete, Pyramid, Render};
use js_sys::Uint8Array;
use worker::Bucket;

use crate::config::Config;
use crate::drive::{Object, Outcome};
use crate::headers::Headers;
use crate::index::{Shelf, is_index};
use crate::meter::{Meter, now};
use crate::respond::{Answer, Body};
use crate::route::Background;
use crate::{Pipe, cache, gate, log};

/// R2 takes no longer key.
const LONGEST_KEY: usize = 1024;

/// A request under the prefix, and all that it takes to answer it.
pub(crate) struct Asked<'a> {
    pub request: &'a Request,
    pub routed: Routed,
    pub config: &'a Rc<Config>,
    pub bucket: &'a Bucket,
    pub background: &'a Background,
    pub meter: &'a Rc<Meter>,
}

impl Asked<'_> {
    pub async fn answer(&self) -> Result<Answer, Failure> {
        if self.caches() {
            match self.attempt(true).await {
                // Replaced since this isolate has opened it.
                Err(Failure::Iiif(Error::SourceChanged)) => {}
                outcome => return outcome,
            }
        }
        match self.attempt(false).await {
            // Replaced between two reads: everything anew, once.
            Err(Failure::Iiif(Error::SourceChanged)) => self.attempt(false).await,
            outcome => outcome,
        }
    }

    /// Answers of the object as it is; one that trusts begins with what has been opened lately, which the first read confirms or refutes.
    async fn attempt(&self, trusts: bool) -> Result<Answer, Failure> {
        let identifier = self.routed.identifier.as_ref().map_err(Clone::clone)?;
        let found = self.find(identifier, trusts).await?;
        let (object, document, page) = found.ok_or_else(|| Error::NotFound { identifier: identifier.as_str().to_owned() })?;
        let object = Rc::new(object);
        let outcome = self.of(&object, &document, page, identifier).await;
        if !matches!(outcome, Err(Failure::Iiif(Error::SourceChanged))) {
            object.confirm().await?;
            self.keep_headers(&object, page);
        }
        outcome
    }

    /// Keeps what has opened an image for this request, for isolates that have not.
    fn keep_headers(&self, object: &Object, page: Page) {
        let Some(headers) = object.headers.take().filter(|_| self.caches()) else { return };
        let pyramid = cache::pyramid(&object.key, page, &object.version.etag);
        if let Some(headers) = pyramid.and_then(|pyramid| Headers::of(&object.version, headers, object.recalled, &pyramid)) {
            self.background.spawn(headers.keep(object.key.clone(), page));
        }
    }

    async fn of(&self, object: &Rc<Object>, document: &Identifier, page: Page, identifier: &Identifier) -> Result<Answer, Failure> {
        // Only now: a mistake in the rest of the path is told of images that exist.
        match self.routed.what.as_ref().map_err(Clone::clone)? {
            What::Base => Ok(self.resource().to_information()),
            What::Info(form) => self.info(object, document, page, *form, identifier).await,
            What::Image(request) => self.image(object, page, request, identifier).await,
        }
    }

    /// The object of an identifier, the document that it is, and the page of it that is meant. `name;2` is the second page of `name`, `name;label` the label of
    /// a slide, unless only `name;2` itself is there.
    async fn find(&self, identifier: &Identifier, trusts: bool) -> Result<Option<(Object, Identifier, Page)>, Failure> {
        let page = identifier.page().filter(|_| self.config.pages);
        for (document, page) in page.into_iter().chain([(identifier.clone(), Page::FIRST)]) {
            let key = self.config.object_key.key(document.as_str());
            if key.len() > LONGEST_KEY || is_index(&key) {
                continue;
            }
            let object = if trusts && let Some(version) = cache::version(&key, page) {
                Some(Object::remembered(self.bucket, key, version, self.meter))
            } else if trusts && let Some(headers) = self.recall(&key, page).await {
                Some(Object::recalled(self.bucket, key, headers, self.meter))
            } else {
                Object::find(self.bucket, key, self.meter).await?
            };
            if let Some(object) = object {
                return Ok(Some((object, document, page)));
            }
        }
        Ok(None)
    }

    /// What another isolate has opened an image with. Information does without: it would have to be confirmed by as many reads as it takes anew.
    async fn recall(&self, key: &str, page: Page) -> Option<Headers> {
        if matches!(self.routed.what, Ok(What::Image(_))) { Headers::find(key, page).await } else { None }
    }

    fn resource(&self) -> Resource<'_> {
        Resource { request: self.request, routed: &self.routed, settings: self.config }
    }

    fn caches(&self) -> bool {
        self.resource().caches()
    }

    async fn pyramid(&self, object: &Object, page: Page) -> Result<Pyramid, Failure> {
        let began = now();
        let kept = if self.caches() { cache::pyramid(&object.key, page, &object.version.etag) } else { None };
        let pyramid = match kept {
            Some(pyramid) => pyramid,
            None => {
                let opened = object.open(page, &self.config.service.limits).await;
                // What the cache holds has opened it once.
                let (pyramid, headers) = if object.recalled > 0 { opened.map_err(|_| Error::SourceChanged)? } else { opened? };
                object.headers.replace(Some(headers));
                cache::keep(&object.key, page, &object.version, &pyramid);
                pyramid
            }
        };
        self.meter.open.set(now() - began);
        Ok(pyramid)
    }

    async fn info(&self, object: &Object, document: &Identifier, page: Page, form: InfoForm, identifier: &Identifier) -> Result<Answer, Failure> {
        let pyramid = self.pyramid(object, page).await?;
        object.confirm().await?;
        let resource = self.resource();
        let answer = resource.information(&pyramid.info(&self.config.service), pyramid.pages(), form, document, identifier);
        let media_type = answer.header("content-type").unwrap_or_default();
        let hash = cache::hash(&[&object.version.etag, media_type, &resource.id(), &self.config.fingerprint]);
        let answer = answer.with("server-timing", self.meter.server_timing("none", None));
        Ok(self.validated(object, answer, &hash))
    }

    async fn image(&self, object: &Rc<Object>, page: Page, request: &ImageRequest, identifier: &Identifier) -> Result<Answer, Failure> {
        let pyramid = self.pyramid(object, page).await?;
        let (answer, resolved) = match self.resource().image(&pyramid.info(&self.config.service), request, identifier)? {
            ImageAnswer::Redirect(answer) => return Ok(answer),
            ImageAnswer::Render(answer, resolved) => (answer, resolved),
        };
        let hash = cache::hash(&[&object.key, &page.to_string(), &object.version.etag, resolved.canonical(), &self.config.fingerprint]);
        let mut answer = self.validated(object, answer, &hash);
        if answer.status == 200 {
            let made = self.pixels(object, &pyramid, &resolved, &hash).await?;
            answer.body = made.body;
            answer = answer.with("server-timing", made.timing);
            if let Some(Incomplete { rows, damage }) = made.incomplete {
                let detail = log::text(&damage.to_string());
                log::event(self.config.log, "incomplete", true, [("key", log::text(&object.key)), ("rows", rows.into()), ("detail", detail)]);
                answer = answer.incomplete(rows);
            }
        }
        Ok(answer)
    }

    /// The bytes of an image, cached or made, and what they cost.
    async fn pixels(&self, object: &Rc<Object>, pyramid: &Pyramid, resolved: &ResolvedRequest, hash: &str) -> Result<Made, Failure> {
        let url = cache::url(hash);
        let (caches, limits) = (self.caches(), &self.config.service.limits);
        let plan = || Render::new(pyramid, resolved, &self.config.encode, limits);
        let shelf = Shelf::new(&object.key, &object.version.etag, self.config.write_index.then_some(self.bucket));
        // What a file takes whose index is elsewhere is not known yet.
        let planned = if caches && pyramid.wants_index() { None } else { Some(plan()?) };
        // To read what is stored as it is wanted is as dear as to ask whether the object is still there, and is the answer.
        let keeps = caches && !planned.as_ref().is_some_and(Render::is_passthrough);
        if keeps && let Some(bytes) = cache::find(&url).await {
            object.confirm().await?;
            return Ok(Made::whole(Body::Bytes(bytes), self.meter.server_timing("hit", None)));
        }
        let mut render = match planned {
            Some(render) => render,
            None => {
                shelf.fetch(pyramid).await;
                plan()?
            }
        };
        let began = now();
        let learnt = caches.then(|| (shelf, pyramid.clone()));
        let pass = gate::enter(render.memory(), limits.memory, render.is_passthrough()).await.ok_or(Failure::Busy)?;
        self.meter.queue.set(now() - began);
        // While this one waited, another may have made the same.
        if keeps
            && pass.waited
            && let Some(bytes) = cache::find(&url).await
        {
            object.confirm().await?;
            return Ok(Made::whole(Body::Bytes(bytes), self.meter.server_timing("hit", None)));
        }
        let (began, waited) = (now(), self.meter.waited.get());
        let outcome = object.run(&mut render).await?;
        *self.meter.unused.borrow_mut() = render.unused().to_vec();
        let fetched = self.meter.waited.get() - waited;
        self.meter.fetch.set(fetched);
        self.meter.render.set(now() - began - fetched);
        let incomplete = render.incomplete().cloned();
        // An answer that is kept is whole.
        let keeps = keeps && incomplete.is_none();
        let encoded = match outcome {
            Outcome::Done(encoded) => encoded,
            Outcome::Piece(first) => {
                let body = if self.request.method == Some(Method::Head) {
                    Body::Untold
                } else {
                    let pipe = Pipe::new();
                    let readable = pipe.readable();
                    self.background.spawn(stream(pipe, first, object.clone(), render, pass, learnt, self.config.log));
                    Body::Stream(readable)
                };
                return Ok(Made { body, timing: self.meter.server_timing("off", Some(false)), incomplete });
            }
        };
        drop(render);
        let bytes = Uint8Array::from(encoded.bytes.as_slice());
        drop(pass);
        if keeps {
            let (kept, media_type) = (bytes.clone(), resolved.format().media_type());
            self.background.spawn(async move { cache::store(&url, &kept, media_type).await });
        }
        if let Some((shelf, index)) = learnt.and_then(worth_keeping) {
            self.background.spawn(shelf.keep(index));
        }
        let timing = self.meter.server_timing(if keeps { "miss" } else { "off" }, Some(encoded.passthrough));
        Ok(Made { body: Body::Bytes(bytes), timing, incomplete })
    }

    /// Adds what clients need to keep the answer, or turns it into a 304 if they have it.
    fn validated(&self, object: &Object, answer: Answer, hash: &str) -> Answer {
        let version = StoredVersion { uploaded: object.version.uploaded, modified: &object.version.modified };
        answer.validated(self.request, hash, version, self.resource().cache_control())
    }
}

/// The body of an image, and what is to be told of it.
struct Made {
    body: Body,
    /// `Server-Timing`.
    timing: String,
    incomplete: Option<Incomplete>,
}

impl Made {
    fn whole(body: Body, timing: String) -> Self {
        Self { body, timing, incomplete: None }
    }
}

/// What has been learnt of an image, if it is much.
fn worth_keeping((shelf, pyramid): (Shelf, Pyramid)) -> Option<(Shelf, Vec<u8>)> {
    Some((shelf, pyramid.index()?))
}

/// Writes an answer as it is made. Whoever reads it sees its end only if that came.
async fn stream(pipe: Pipe, first: Vec<u8>, object: Rc<Object>, mut render: Render, _pass: gate::Pass, learnt: Option<(Shelf, Pyramid)>, level: Log) {
    let mut piece = Some(first);
    loop {
        let bytes = match piece.take() {
            Some(bytes) => bytes,
            None => match object.run(&mut render).await {
                Ok(Outcome::Piece(bytes)) => bytes,
                Ok(Outcome::Done(encoded)) => {
                    let last = pipe.write(Uint8Array::from(encoded.bytes.as_slice())).await;
                    let _ = if last.is_ok() { pipe.close().await } else { last };
                    if let Some((shelf, index)) = learnt.and_then(worth_keeping) {
                        shelf.keep(index).await;
                    }
                    return;
                }
                Err(error) => {
                    log::event(level, "stream", true, [("code", error.code().into()), ("detail", log::text(&error.to_string()))]);
                    return pipe.abort();
                }
            },
        };
        // The client has left: nobody waits for the rest.
        if pipe.write(Uint8Array::from(bytes.as_slice())).await.is_err() {
            return pipe.abort();
        }
    }
}
