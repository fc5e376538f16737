//! From a request to what is answered.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use super::answer::{Answer, Body};
use super::ask::{Ask, Reply, Told};
use super::failure::{Failure, Refusal};
use super::gate::Gate;
use super::host::Host;
use super::kept::{ENGINE, Kept, hash};
use super::meter::{Meter, memory};
use super::request::{Method, Request};
use super::resource::Resource;
use super::stored::Stream;
use super::{list, served, stored};
use crate::api::{Identifier, Object, Page, Routed, Version};
use crate::error::Error;
use crate::settings::{Misconfigured, Settings};

/// ms in which a host replies to an ask, or refuses it.
const ABANDONED: f64 = 60_000.0;

/// What a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// A bucket, all of whose files are listed. Every path is answered.
    Bucket,
    /// Files that it finds by their keys. Every path is answered.
    Files,
    /// Images that it has opened itself. Paths that are not the service's are left to others.
    Images,
}

/// What exchanges share.
#[derive(Debug)]
pub struct Service {
    pub(super) settings: Settings,
    /// What is wrong with the settings: every request is told.
    misconfigured: Option<Misconfigured>,
    pub(super) holding: Holding,
    /// Whether the host keeps answers and what was learnt of files.
    pub(super) caches: bool,
    /// A text that differs wherever answers may differ.
    pub(super) fingerprint: String,
    /// Files that are open.
    pub(super) kept: RefCell<Kept>,
    pub(super) gate: Gate,
}

impl Service {
    /// A service with these settings; `caches` if the host keeps answers. Services that share a memory share a gate.
    pub fn new(holding: Holding, settings: Result<Settings, Misconfigured>, caches: bool, gate: &Gate) -> Self {
        let (settings, misconfigured) = settings.map_or_else(|wrong| (Settings::default(), Some(wrong)), |settings| (settings, None));
        let fingerprint = hash(&[&format!("{:?}{:?}", settings.service, settings.encode)]);
        Self { settings, misconfigured, holding, caches, fingerprint, kept: RefCell::default(), gate: gate.clone() }
    }

    /// Whether two answer alike.
    #[cfg(feature = "http")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let of = |service: &Self| (service.holding, service.caches, service.misconfigured.clone(), service.settings.clone());
        of(self) == of(other)
    }
}

/// One request on its way to its answer. [`step`](Self::step) until it says that it is done; give the [`reply`](Self::reply) to each ask in between.
pub struct Exchange {
    host: Host,
    holding: Holding,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Exchange {
    /// For the [lines](Request::read) of a request that comes at this time, ms since 1970.
    pub fn new(service: &Rc<Service>, lines: &str, now: f64) -> Self {
        let host = Host::default();
        host.set_now(now);
        let future = Box::pin(run(Request::read(lines), service.clone(), host.clone()));
        Self { host, holding: service.holding, future: Some(future) }
    }

    /// For the lines of a request that cannot be answered, for this reason.
    pub fn refused(service: &Rc<Service>, lines: &str, refusal: Refusal, now: f64) -> Self {
        let host = Host::default();
        host.set_now(now);
        let holding = service.holding;
        let (service, told) = (service.clone(), host.clone());
        let request = Request::read(lines);
        let future = Box::pin(async move {
            let answer = Failure::Host(refusal).answer(&request, None);
            tell(&request, &service, &told, &Meter::new(&told), answer, Made::default());
        });
        Self { host, holding, future: Some(future) }
    }

    /// Goes on as far as it can. What the host is asked for, as a JSON array of objects; each has a `number`, a `kind`, and what belongs to that. The last of all has
    /// the kind `done`. `now` is the time, ms since 1970.
    pub fn step(&mut self, now: f64) -> String {
        self.host.set_now(now);
        let mut context = Context::from_waker(Waker::noop());
        if self.future.as_mut().is_some_and(|future| future.as_mut().poll(&mut context).is_ready()) {
            self.future = None;
            self.host.tell(Ask::Done, None);
        }
        self.host.asks()
    }

    /// Whether the host has not replied for so long that the runtime has probably ended the request without a word. Others do not get its memory until it is dropped.
    /// Images that the host renders itself may take any time.
    pub fn is_abandoned(&self, now: f64) -> bool {
        self.holding != Holding::Images && now - self.host.now() > ABANDONED
    }

    /// The bytes that belong to an ask, once.
    pub fn take(&mut self, number: u32) -> Option<Vec<u8>> {
        self.host.take(number)
    }

    /// The reply to an ask, or why there is none.
    pub fn reply(&mut self, number: u32, reply: Result<Reply, Refusal>) {
        self.host.reply(number, reply);
    }
}

/// A request under the prefix, and all that it takes to answer it.
pub(super) struct Asked {
    pub service: Rc<Service>,
    pub request: Request,
    pub routed: Routed,
    pub host: Host,
    pub meter: Rc<Meter>,
}

impl Asked {
    pub fn resource(&self) -> Resource<'_> {
        Resource { request: &self.request, routed: &self.routed, settings: &self.service.settings }
    }

    /// Whether what was kept may serve the answer.
    pub fn caches(&self) -> bool {
        self.resource().caches()
    }

    /// What an identifier may mean, in the order in which it is tried: the document and the page that it names, and all of it as a name.
    pub fn candidates(&self, identifier: &Identifier) -> Vec<(Identifier, Page)> {
        let page = identifier.page().filter(|_| self.service.settings.pages);
        page.into_iter().chain([(identifier.clone(), Page::FIRST)]).collect()
    }

    /// Adds what clients need to keep the answer, or turns it into a 304 if they have it.
    pub fn validated(&self, answer: Answer, tag: Option<&str>, modified: Option<f64>) -> Answer {
        answer.validated(&self.request, tag, modified, self.resource().cache_control())
    }
}

/// The body of an answer, and what is told of it.
#[derive(Default)]
pub(super) struct Made {
    pub body: Body,
    /// `Server-Timing`.
    pub timing: Option<String>,
    /// Of a damaged file: its key, how many rows are shown, and what is wrong.
    pub incomplete: Option<(String, u32, String)>,
    /// The name under which the bytes are to be kept.
    pub keep: Option<String>,
    /// The rest of the body.
    pub stream: Option<Box<Stream>>,
}

async fn run(request: Request, service: Rc<Service>, host: Host) {
    let meter = Rc::new(Meter::new(&host));
    let Some((answer, made)) = respond(&request, &service, &host, &meter).await else {
        host.tell(Ask::Elsewhere, None);
        return;
    };
    if let Some(stream) = tell(&request, &service, &host, &meter, answer, made) {
        stream.send().await;
    }
}

/// Gives an answer to the host. What is left of it to be sent.
fn tell(request: &Request, service: &Service, host: &Host, meter: &Meter, mut answer: Answer, made: Made) -> Option<Box<Stream>> {
    let Made { body, timing, incomplete, keep, stream } = made;
    if body != Body::None {
        answer.body = body;
    }
    if let Some(timing) = timing {
        answer = answer.with("server-timing", timing);
    }
    if let Some((_, rows, _)) = incomplete {
        answer = answer.incomplete(rows);
    }
    let mut answer = answer.finish(request, &service.settings.origins);
    let bytes = match &mut answer.body {
        Body::Bytes(bytes) => Some(std::mem::take(bytes)),
        _ => None,
    };
    host.tell(
        Ask::Answer(Box::new(Told {
            answer,
            silent: request.method == Some(Method::Head),
            keep,
            incomplete,
            unused: meter.unused(),
            took: meter.total(),
            reads: meter.reads.get(),
            bytes: meter.bytes.get(),
            log: service.settings.log,
        })),
        bytes,
    );
    stream
}

/// The answer to a request; `None` if it is left to others.
async fn respond(request: &Request, service: &Rc<Service>, host: &Host, meter: &Rc<Meter>) -> Option<(Answer, Made)> {
    let routed = service.settings.router.route(&request.path);
    if routed.is_none() && service.holding == Holding::Images {
        return None;
    }
    let plain = |answer: Answer| Some((answer, Made::default()));
    let failed = |failure: &Failure, version: Option<Version>| plain(failure.answer(request, version));
    if let Some(wrong) = &service.misconfigured {
        return failed(&Failure::Misconfigured(wrong.clone()), None);
    }
    match request.method {
        None => return failed(&Error::MethodNotAllowed.into(), None),
        Some(Method::Options) => return plain(Answer::preflight(request.asked_headers.as_deref())),
        Some(Method::Get | Method::Head) => {}
    }
    if request.is_too_long() {
        return failed(&Failure::TooLong, None);
    }
    let listed = service.holding == Holding::Bucket;
    match (request.path.as_str(), routed) {
        ("/health", None) if listed => plain(health()),
        ("/images.json", None) if listed => plain(list::list(request, &service.settings, host).await.unwrap_or_else(|failure| failure.answer(request, None))),
        (_, None) => {
            let router = &service.settings.router;
            let prefixes: Vec<String> = router.versions.iter().map(|version| router.base(*version, "")).collect();
            failed(&Failure::NoSuchPath { prefixes: prefixes.join(", "), listed }, None)
        }
        (_, Some(routed)) => {
            let version = Some(routed.version);
            let asked = Rc::new(Asked { service: service.clone(), request: request.clone(), routed, host: host.clone(), meter: meter.clone() });
            let outcome = match (&asked.routed.identifier, service.holding) {
                (Err(error), _) => Err(error.clone().into()),
                (Ok(identifier), Holding::Images) => served::answer(&asked, identifier).await,
                (Ok(identifier), _) => stored::answer(&asked, identifier).await,
            };
            match outcome {
                Ok(answered) => Some(answered),
                Err(failure) => failed(&failure, version),
            }
        }
    }
}

fn health() -> Answer {
    let health = Object::new().text("status", "ok").text("version", env!("CARGO_PKG_VERSION")).text("engine", ENGINE);
    Answer::json(&health.optional("memory", memory().map(|bytes| bytes as u64)).end())
}
