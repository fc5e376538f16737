//! Answers: status, headers and body, errors included.

use azulejo::Error;
use azulejo::api::{ERROR_XML_MEDIA_TYPE, Version, error_xml};
use azulejo::settings::{Misconfigured, Origins};
use js_sys::Uint8Array;
use serde_json::json;
use wasm_bindgen::prelude::*;
use web_sys::{ReadableStream, Response};

use crate::config::Config;
use crate::cors;
use crate::request::{Method, Request};

#[wasm_bindgen(raw_module = "azulejo:instance")]
extern "C" {
    /// An answer; `lines` are the names and values of its headers in turn. A value that is no header is left out.
    fn respond(status: u16, lines: &str, body: JsValue) -> Response;
}

/// An answer that has not left yet.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
    /// For the log: the stable name of an error.
    pub code: Option<&'static str>,
    /// For the log: what clients are not told.
    pub detail: Option<String>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    None,
    Text(String),
    Bytes(Uint8Array),
    /// Comes in pieces; nobody knows yet how long it is.
    Stream(ReadableStream),
    /// Would come in pieces, but only the headers were asked for.
    Untold,
}

impl Body {
    fn len(&self) -> Option<usize> {
        match self {
            Self::None => Some(0),
            Self::Text(text) => Some(text.len()),
            Self::Bytes(bytes) => Some(bytes.length() as usize),
            Self::Stream(_) | Self::Untold => None,
        }
    }
}

/// An error on its way to the client.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core's.
    Iiif(Error),
    /// No such path.
    NoSuchPath { prefixes: String },
    /// The URL is too long.
    TooLong,
    /// A setting is wrong.
    Misconfigured(Misconfigured),
    /// Too many wait.
    Busy,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Iiif(error)
    }
}

impl Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Iiif(error) => error.code(),
            Self::NoSuchPath { .. } => "no-such-path",
            Self::TooLong => "too-long",
            Self::Misconfigured(_) => "misconfigured",
            Self::Busy => "busy",
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Iiif(error) => error.status(),
            Self::NoSuchPath { .. } => 404,
            Self::TooLong => 414,
            Self::Misconfigured(_) => 500,
            Self::Busy => 503,
        }
    }

    /// Whether the same request may succeed later without anything being mended.
    fn is_retryable(&self) -> bool {
        match self {
            Self::Iiif(error) => error.is_retryable(),
            Self::Busy => true,
            Self::NoSuchPath { .. } | Self::TooLong | Self::Misconfigured(_) => false,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Iiif(error) => error.to_string(),
            Self::NoSuchPath { prefixes } => format!("There is nothing here. Images are at {prefixes}, a list of them at /images.json."),
            Self::TooLong => "The address is too long.".to_owned(),
            Self::Misconfigured(Misconfigured { name, problem }) => format!("This service is not set up right: the variable {name} {problem}."),
            Self::Busy => "This service is busy. Try again.".to_owned(),
        }
    }

    /// As an answer; in the XML of 1.0 if that version was asked.
    pub fn answer(&self, request: &Request, version: Option<Version>) -> Answer {
        let (status, code) = (self.status(), self.code());
        let (media_type, body) = match self {
            _ if request.wants_json() => ("application/json", format!("{}\n", json!({ "error": self.sentence(), "status": status, "code": code }))),
            Self::Iiif(error) if version == Some(Version::V1_0) => (ERROR_XML_MEDIA_TYPE, error_xml(error)),
            _ => ("text/plain; charset=utf-8", format!("{}\n", self.sentence())),
        };
        let cached = if status < 500 { "public, max-age=60" } else { "no-store" };
        let mut answer = Answer::text(status, media_type, body).with("cache-control", cached).with("vary", "Accept").untrusted();
        if status == 405 {
            answer = answer.with("allow", "GET, HEAD, OPTIONS");
        }
        if self.is_retryable() {
            answer = answer.with("retry-after", "1");
        }
        answer.code = Some(code);
        answer.detail = match self {
            Self::Iiif(Error::Internal { what }) => Some(what.clone()),
            _ if status >= 500 => Some(self.sentence()),
            _ => None,
        };
        answer
    }
}

impl Answer {
    pub fn new(status: u16, body: Body) -> Self {
        Self { status, headers: Vec::new(), body, code: None, detail: None }
    }

    pub fn text(status: u16, media_type: &str, text: String) -> Self {
        Self::new(status, Body::Text(text)).with("content-type", media_type)
    }

    pub fn json(value: &serde_json::Value) -> Self {
        Self::text(200, "application/json", format!("{value}\n")).with("cache-control", "no-store")
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// What came from a file or a URL is shown, never run.
    pub fn untrusted(self) -> Self {
        self.with("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox").with("x-content-type-options", "nosniff")
    }

    /// The answer to OPTIONS.
    pub fn preflight(asked: Option<&str>) -> Self {
        let mut answer = Self::new(204, Body::None).with("allow", "GET, HEAD, OPTIONS");
        answer.headers.extend(cors::preflight(asked));
        answer
    }

    /// The same without a body, because the client has it.
    pub fn not_modified(mut self) -> Self {
        self.status = 304;
        self.body = Body::None;
        self.headers.retain(|(name, _)| *name != "content-type");
        self
    }

    /// The same of a damaged image, of which so many rows could be decoded. It is kept for a minute at most, and cannot be confirmed: a 304 would not tell.
    pub fn incomplete(mut self, rows: u32) -> Self {
        self.headers.retain(|(name, _)| !matches!(*name, "etag" | "last-modified"));
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| *name == "cache-control") {
            *value = brief(value);
        }
        self.with("azulejo-incomplete", format!("rows={rows}"))
    }

    /// As the runtime wants it. A body is kept back from HEAD, but its length is told.
    pub fn send(self, request: &Request, config: Option<&Config>) -> Response {
        let everyone = Origins::All;
        let origins = config.map_or(&everyone, |config| &config.origins);
        let length = self.body.len();
        let mut headers = self.headers;
        headers.extend(cors::headers(origins, request.origin.as_deref()));
        if origins.varies() {
            headers.push(("vary", "Origin".to_owned()));
        }
        if !matches!(self.status, 204 | 304) {
            headers.extend(length.map(|length| ("content-length", length.to_string())));
            headers.push(("cross-origin-resource-policy", "cross-origin".to_owned()));
        }
        // In one text: to cross the border once is much cheaper than for each header. What would end a line ends no header either.
        let lines: Vec<&str> = headers.iter().filter(|(_, value)| !value.contains('\n')).flat_map(|(name, value)| [*name, value]).collect();
        let silent = request.method == Some(Method::Head);
        let body = match self.body {
            Body::Text(text) if !silent => text.into(),
            Body::Stream(stream) if !silent => stream.into(),
            Body::Bytes(bytes) if !silent => bytes.into(),
            _ => JsValue::NULL,
        };
        respond(self.status, &lines.join("\n"), body)
    }
}

/// `Cache-Control` for a minute at most, with everything else that it says.
fn brief(control: &str) -> String {
    const MOST: u64 = 60;
    let mut directives = Vec::new();
    let mut lasts = true;
    for directive in control.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim().to_ascii_lowercase();
        match name.as_str() {
            "max-age" | "s-maxage" => {
                let seconds = value.trim().trim_matches('"').parse().unwrap_or(0_u64).min(MOST);
                lasts &= name != "max-age";
                directives.push(format!("{name}={seconds}"));
            }
            "stale-while-revalidate" | "stale-if-error" | "immutable" => {}
            _ => {
                lasts &= !matches!(name.as_str(), "no-store" | "no-cache");
                directives.push(directive.to_owned());
            }
        }
    }
    // Without an age caches choose one.
    if lasts {
        directives.push(format!("max-age={MOST}"));
    }
    directives.join(", ")
}
