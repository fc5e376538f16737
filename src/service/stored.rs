//! Images of files that the host reads: from an identifier to a file, to an opened page of it, to the bytes of an answer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::answer::{Answer, Body};
use super::ask::{Ask, FileVersion};
use super::exchange::{Asked, Holding, Made};
use super::failure::Failure;
use super::gate::{Load, Pass};
use super::kept::hash;
use super::list::is_index;
use super::opening::{Opening, Parts};
use super::request::Method;
use super::resource::ImageAnswer;
use crate::api::{Identifier, ImageRequest, InfoForm, Page, ResolvedRequest, What};
use crate::bytes::Step;
use crate::error::{Error, Result};
use crate::job::{Encoded, Open, Render};
use crate::pyramid::Pyramid;

/// R2 takes no longer key, bytes.
const LONGEST_KEY: usize = 1024;

/// A file in one version.
pub(super) struct File {
    asked: Rc<Asked>,
    /// What the host calls it: in a bucket its key.
    key: String,
    /// What its ETags and the log call it: its key by the settings, which tells nobody where it lies.
    shown_key: String,
    version: FileVersion,
    /// Whether this version was there when the request came or later.
    seen: Cell<bool>,
    /// Bytes that are here before it is opened, so that nobody has to read them.
    parts: RefCell<Parts>,
    /// The number of these bytes, if they were [recalled](Opening); otherwise 0.
    recalled: usize,
    /// What has opened it, if it was opened for this request.
    headers: RefCell<Option<Parts>>,
}

/// What a job has come to.
enum Outcome<T> {
    /// Bytes of an answer that is made in pieces.
    Piece(Vec<u8>),
    Done(T),
}

/// A job that lacks bytes of a file.
trait Job {
    type Output;
    fn step(&mut self) -> Result<Step<Self::Output>>;
    fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()>;
}

impl Job for Open {
    type Output = Pyramid;
    fn step(&mut self) -> Result<Step<Pyramid>> {
        self.step()
    }
    fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.provide(offset, bytes)
    }
}

impl Job for Render {
    type Output = Encoded;
    fn step(&mut self) -> Result<Step<Encoded>> {
        self.step()
    }
    fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.provide(offset, bytes)
    }
}

/// An answer that is made in pieces, once the first is there.
pub(super) struct Stream {
    file: Rc<File>,
    pyramid: Pyramid,
    render: Render,
    first: Vec<u8>,
    _pass: Pass,
}

/// Answers for an identifier.
pub(super) async fn answer(asked: &Rc<Asked>, identifier: &Identifier) -> std::result::Result<(Answer, Made), Failure> {
    if asked.caches() {
        match attempt(asked, identifier, true).await {
            // Replaced since it was opened.
            Err(failure) if failure.is_change() => {}
            outcome => return outcome,
        }
    }
    match attempt(asked, identifier, false).await {
        // Replaced between two reads: everything anew, once.
        Err(failure) if failure.is_change() => attempt(asked, identifier, false).await,
        outcome => outcome,
    }
}

/// Answers of the file as it is. One that trusts begins with what has been opened lately, which the first read confirms or refutes.
async fn attempt(asked: &Rc<Asked>, identifier: &Identifier, trusts: bool) -> std::result::Result<(Answer, Made), Failure> {
    let found = find(asked, identifier, trusts).await?;
    let (file, document, page) = found.ok_or_else(|| Error::NotFound { identifier: identifier.as_str().to_owned() })?;
    let file = Rc::new(file);
    // Only now: a mistake in the rest of the path is told of images that exist.
    let outcome = match &asked.routed.what {
        Err(error) => Err(error.clone().into()),
        Ok(What::Base) => Ok((asked.resource().redirect_to_information(), Made::default())),
        Ok(What::Info(form)) => file.info(&document, page, *form, identifier).await,
        Ok(What::Image(request)) => file.image(page, request, identifier).await,
    };
    if !outcome.as_ref().is_err_and(Failure::is_change) {
        file.confirm().await?;
        file.keep_headers(page);
    }
    outcome
}

/// The file of an identifier, the document that it is, and the page of it that is meant. `name;2` is the second page of `name`, `name;label` the label of a slide, unless
/// only `name;2` itself is there.
async fn find(asked: &Rc<Asked>, identifier: &Identifier, trusts: bool) -> std::result::Result<Option<(File, Identifier, Page)>, Failure> {
    for (document, page) in asked.candidates(identifier) {
        let shown_key = asked.service.settings.object_key.key(document.as_str());
        if shown_key.len() > LONGEST_KEY || is_index(&shown_key) {
            continue;
        }
        let key = if asked.service.holding == Holding::Bucket {
            shown_key.clone()
        } else {
            // Where a file lies may depend on more of a request than its identifier.
            let Some(key) = asked.host.ask(Ask::Resolve { key: shown_key.clone() }).await?.text else { continue };
            key
        };
        let kept = if trusts { asked.service.kept.borrow().version(&key, page) } else { None };
        let file = if let Some(version) = kept {
            Some(File::remembered(asked, key, version))
        } else if trusts && let Some(opening) = recall(asked, &key, page).await {
            let recalled = opening.len();
            let mut file = File::remembered(asked, key, opening.version);
            (file.recalled, file.parts) = (recalled, RefCell::new(opening.parts));
            Some(file)
        } else {
            File::begin(asked, key).await?
        };
        if let Some(mut file) = file {
            file.shown_key = shown_key;
            return Ok(Some((file, document, page)));
        }
    }
    Ok(None)
}

/// What has opened a page before. Information does without: it would have to be confirmed by as many reads as it takes anew.
async fn recall(asked: &Asked, key: &str, page: Page) -> Option<Opening> {
    if !asked.service.caches || !matches!(asked.routed.what, Ok(What::Image(_))) {
        return None;
    }
    let reply = asked.host.ask(Ask::Recall { name: Opening::name(key, page) }).await.ok()?;
    Opening::from_bytes(&reply.bytes?)
}

impl File {
    /// Looks a file up by reading its beginning, which is what opening it begins with. `None` if there is none.
    async fn begin(asked: &Rc<Asked>, key: String) -> std::result::Result<Option<Self>, Failure> {
        asked.meter.read(0);
        let reply = asked.host.ask(Ask::Begin { key: key.clone(), length: Open::FIRST_READ }).await?;
        let Some(version) = reply.text.as_deref().and_then(FileVersion::read) else { return Ok(None) };
        let bytes = reply.bytes.unwrap_or_default();
        asked.meter.got(bytes.len() as u64);
        // One of another length than there must be is read again, and then told of.
        let whole = !bytes.is_empty() && bytes.len() as u64 == version.size.min(Open::FIRST_READ);
        let file = Self::remembered(asked, key, version);
        file.seen.set(true);
        file.parts.replace(if whole { vec![(0, bytes)] } else { Vec::new() });
        Ok(Some(file))
    }

    /// A file in a version that was there once. Whether it still is shows with the first read, or is to be [confirmed](Self::confirm).
    fn remembered(asked: &Rc<Asked>, key: String, version: FileVersion) -> Self {
        Self {
            asked: asked.clone(),
            key,
            shown_key: String::new(),
            version,
            seen: Cell::new(false),
            parts: RefCell::default(),
            recalled: 0,
            headers: RefCell::default(),
        }
    }

    /// Makes sure that this version is there, unless a read has shown it. `source-changed` if it is not.
    async fn confirm(&self) -> std::result::Result<(), Failure> {
        if self.seen.get() {
            return Ok(());
        }
        self.asked.meter.read(0);
        let reply = self.asked.host.ask(Ask::Look { key: self.key.clone() }).await?;
        let found = reply.text.as_deref().and_then(FileVersion::read);
        self.seen.set(found.is_some_and(|found| found.etag == self.version.etag));
        if self.seen.get() { Ok(()) } else { Err(Error::SourceChanged.into()) }
    }

    /// Runs a job to the next piece of its result, or to its end. The ms it waited for bytes are added to the meter.
    async fn run<J: Job>(&self, job: &mut J) -> std::result::Result<Outcome<J::Output>, Failure> {
        let Asked { host, meter, .. } = &*self.asked;
        loop {
            let ranges = match job.step()? {
                Step::Done(output) => return Ok(Outcome::Done(output)),
                Step::Piece(piece) => return Ok(Outcome::Piece(piece)),
                Step::Need(ranges) => ranges,
            };
            let began = host.now();
            ranges.iter().for_each(|range| meter.read(range.len()));
            host.read(&self.key, &self.version, &ranges, |offset, bytes| {
                self.seen.set(true);
                job.provide(offset, bytes)
            })
            .await?;
            meter.waited.set(meter.waited.get() + host.now() - began);
        }
    }

    async fn pyramid(&self, page: Page) -> std::result::Result<Pyramid, Failure> {
        let Asked { service, host, meter, .. } = &*self.asked;
        let began = host.now();
        let kept = if self.asked.caches() { service.kept.borrow_mut().pyramid(&self.key, page, &self.version) } else { None };
        let pyramid = match kept {
            Some(pyramid) => pyramid,
            None => {
                let opened = self.open(page).await;
                // What was recalled has opened it once: if it does not now, it is of another version.
                let (pyramid, headers) = match opened {
                    Err(Failure::Iiif(_)) if self.recalled > 0 => return Err(Error::SourceChanged.into()),
                    opened => opened?,
                };
                self.headers.replace(Some(headers));
                service.kept.borrow_mut().keep(&self.key, page, &self.version, &pyramid);
                pyramid
            }
        };
        meter.open.set(host.now() - began);
        Ok(pyramid)
    }

    /// Opens a page: the image, and the bytes that took.
    async fn open(&self, page: Page) -> std::result::Result<(Pyramid, Parts), Failure> {
        let mut opening = Open::new(self.version.size, &self.asked.service.settings.service.limits).page(page);
        for (offset, bytes) in self.parts.take() {
            opening.provide(offset, bytes)?;
        }
        match self.run(&mut opening).await? {
            Outcome::Done(pyramid) => Ok((pyramid, opening.headers())),
            Outcome::Piece(_) => Err(Error::Internal { what: "an image that opens in pieces".to_owned() }.into()),
        }
    }

    /// Keeps what has opened a page for this request, for services that have not.
    fn keep_headers(&self, page: Page) {
        let service = &self.asked.service;
        let Some(headers) = self.headers.take().filter(|_| service.caches && self.asked.caches() && self.version.etag.is_some()) else { return };
        let pyramid = service.kept.borrow_mut().pyramid(&self.key, page, &self.version);
        if let Some(opening) = pyramid.and_then(|pyramid| Opening::of(&self.version, headers, self.recalled, &pyramid)) {
            self.asked.host.tell(Ask::Keep { name: Opening::name(&self.key, page) }, Some(opening.to_bytes()));
        }
    }

    async fn info(&self, document: &Identifier, page: Page, form: InfoForm, identifier: &Identifier) -> std::result::Result<(Answer, Made), Failure> {
        let pyramid = self.pyramid(page).await?;
        self.confirm().await?;
        let (resource, service) = (self.asked.resource(), &self.asked.service);
        let answer = resource.information(&pyramid.info(&service.settings.service), pyramid.pages(), form, document, identifier);
        let media_type = answer.header("content-type").unwrap_or_default();
        let tag = self.version.etag.as_ref().map(|etag| hash(&[etag, media_type, &resource.id(), &service.fingerprint]));
        let answer = answer.with("server-timing", self.asked.meter.server_timing("none", None));
        Ok((self.asked.validated(answer, tag.as_deref(), self.version.modified), Made::default()))
    }

    async fn image(self: &Rc<Self>, page: Page, request: &ImageRequest, identifier: &Identifier) -> std::result::Result<(Answer, Made), Failure> {
        let pyramid = self.pyramid(page).await?;
        let service = &self.asked.service;
        let profile = service.settings.service.profile(self.asked.routed.version);
        let (answer, resolved) = match self.asked.resource().image(&pyramid.info(&service.settings.service), &profile, request, identifier)? {
            ImageAnswer::Redirect(answer) => return Ok((answer, Made::default())),
            ImageAnswer::Render { answer, resolved, .. } => (answer, resolved),
        };
        let tag = self.version.etag.as_ref().map(|etag| hash(&[&self.shown_key, &page.to_string(), etag, resolved.canonical(), &service.fingerprint]));
        let answer = self.asked.validated(answer, tag.as_deref(), self.version.modified);
        let made = if answer.status == 200 { self.pixels(&pyramid, &resolved, tag).await? } else { Made::default() };
        Ok((answer, made))
    }

    /// The bytes of an image, kept or made, and what they cost.
    async fn pixels(self: &Rc<Self>, pyramid: &Pyramid, resolved: &ResolvedRequest, tag: Option<String>) -> std::result::Result<Made, Failure> {
        let Asked { service, host, meter, .. } = &*self.asked;
        let (limits, tag) = (&service.settings.service.limits, tag.filter(|_| service.caches && self.asked.caches()));
        let plan = || Render::new(pyramid, resolved, &service.settings.encode, limits);
        // If the index of the file is kept elsewhere, the price is not known yet.
        let planned = if tag.is_some() && pyramid.wants_index() { None } else { Some(plan()?) };
        // Two files that are called the same may even have the same ETag.
        let tag = tag.map(|tag| if self.key == self.shown_key { tag } else { hash(&[&self.key, &tag]) });
        // To read a stored tile costs no more than to ask whether the file is still the same, so it is not kept.
        let tag = tag.filter(|_| !planned.as_ref().is_some_and(Render::is_passthrough));
        if let Some(made) = self.kept(tag.as_deref()).await? {
            return Ok(made);
        }
        let mut render = match planned {
            Some(render) => render,
            None => {
                self.take_index(pyramid).await;
                plan()?
            }
        };
        let began = host.now();
        let pass = service.gate.enter(host, Load { memory: render.memory(), budget: limits.memory, light: render.is_passthrough() }).await?;
        meter.queue.set(host.now() - began);
        // While this one waited, another may have made the same.
        if pass.waited
            && let Some(made) = self.kept(tag.as_deref()).await?
        {
            return Ok(made);
        }
        let (began, waited) = (host.now(), meter.waited.get());
        let outcome = self.run(&mut render).await?;
        *meter.unused.borrow_mut() = render.unused().to_vec();
        let fetched = meter.waited.get() - waited;
        meter.fetch.set(fetched);
        meter.render.set(host.now() - began - fetched);
        let incomplete = render.incomplete().map(|incomplete| (self.shown_key.clone(), incomplete.rows, incomplete.damage.to_string()));
        Ok(match outcome {
            Outcome::Piece(_) if self.asked.request.method == Some(Method::Head) => {
                Made { body: Body::Untold, timing: Some(meter.server_timing("off", Some(false))), incomplete, ..Made::default() }
            }
            Outcome::Piece(first) => {
                let stream = Stream { file: self.clone(), pyramid: pyramid.clone(), render, first, _pass: pass };
                Made {
                    body: Body::Pieces,
                    timing: Some(meter.server_timing("off", Some(false))),
                    incomplete,
                    stream: Some(Box::new(stream)),
                    ..Made::default()
                }
            }
            Outcome::Done(encoded) => {
                self.keep_index(pyramid);
                // An answer that is kept is whole.
                let keep = tag.filter(|_| incomplete.is_none());
                let timing = meter.server_timing(if keep.is_some() { "miss" } else { "off" }, Some(encoded.passthrough));
                Made { body: Body::Bytes(encoded.bytes), timing: Some(timing), incomplete, keep, stream: None }
            }
        })
    }

    /// The answer of this name, if it is kept.
    async fn kept(&self, name: Option<&str>) -> std::result::Result<Option<Made>, Failure> {
        let Some(name) = name else { return Ok(None) };
        let (number, reply) = self.asked.host.numbered(Ask::Find { name: name.to_owned() }, None).await?;
        let Some(length) = reply.text.and_then(|length| length.parse().ok()) else { return Ok(None) };
        self.confirm().await?;
        let timing = self.asked.meter.server_timing("hit", None);
        Ok(Some(Made { body: Body::Held { number, length: Some(length) }, timing: Some(timing), ..Made::default() }))
    }

    fn index_name(&self) -> String {
        hash(&["index", &self.key, self.version.etag.as_deref().unwrap_or_default()])
    }

    /// Gives an image of whose MCUs nothing is known yet what is kept: by the host, or beside the file. The core checks it.
    async fn take_index(&self, pyramid: &Pyramid) {
        let (Some(etag), true) = (&self.version.etag, pyramid.wants_index()) else { return };
        let beside = self.has_room().then(|| Ask::Index { key: self.key.clone(), etag: etag.clone() });
        for ask in [Ask::Recall { name: self.index_name() }].into_iter().chain(beside) {
            let reply = self.asked.host.ask(ask).await;
            if reply.is_ok_and(|reply| reply.bytes.is_some_and(|bytes| pyramid.take_index(&bytes))) {
                return;
            }
        }
    }

    /// Keeps what was learnt of where the MCUs of a JPEG file lie, if it is much.
    fn keep_index(&self, pyramid: &Pyramid) {
        let Some(etag) = self.version.etag.as_ref().filter(|_| self.asked.service.caches && self.asked.caches()) else { return };
        if let Some(index) = pyramid.index() {
            self.asked.host.tell(Ask::Keep { name: self.index_name() }, Some(index.clone()));
            if self.has_room() {
                self.asked.host.tell(Ask::KeepIndex { key: self.key.clone(), etag: etag.clone() }, Some(index));
            }
        }
    }

    /// Whether an index may be kept beside the file. A host with files of its own knows that itself.
    fn has_room(&self) -> bool {
        self.asked.service.holding == Holding::Files || self.asked.service.settings.write_index
    }
}

impl Drop for File {
    /// A request has read of it what it needed.
    fn drop(&mut self) {
        self.asked.service.kept.borrow_mut().weigh(&self.key);
    }
}

/// Bytes of a piece that are given to the host at a time. A slow client takes each of them within seconds, so the host is never silent for long.
const SLICE: usize = 64 << 10;

impl Stream {
    /// Gives a piece to the host. Refused if nobody reads it any more.
    async fn hand_over(&self, piece: &[u8]) -> std::result::Result<(), Failure> {
        for slice in piece.chunks(SLICE) {
            self.file.asked.host.numbered(Ask::Piece, Some(slice.to_vec())).await?;
        }
        Ok(())
    }

    /// Gives the pieces to the host as they are made. Whoever reads the answer sees its end only if that came.
    pub async fn send(mut self) {
        let asked = self.file.asked.clone();
        let mut piece = std::mem::take(&mut self.first);
        let failure = loop {
            if let Err(failure) = self.hand_over(&piece).await {
                break Some(failure);
            }
            // Its memory is needed for the next.
            drop(piece);
            piece = match self.file.run(&mut self.render).await {
                Ok(Outcome::Piece(piece)) => piece,
                Ok(Outcome::Done(encoded)) => {
                    self.file.keep_index(&self.pyramid);
                    break self.hand_over(&encoded.bytes).await.err();
                }
                Err(failure) => break Some(failure),
            };
        };
        asked.host.tell(Ask::End { failure: failure.map(|failure| (failure.code().to_owned(), failure.sentence())) }, None);
    }
}
