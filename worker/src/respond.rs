//! Bodies of answers as the runtime has them, and how answers leave.

use azulejo::service::{Answer as OfService, Request};
use azulejo::settings::Origins;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{ReadableStream, Response};

#[wasm_bindgen(raw_module = "azulejo:instance")]
extern "C" {
    /// An answer; `lines` are the names and values of its headers in turn. A value that is no header is left out.
    fn respond(status: u16, lines: &str, body: JsValue) -> Response;
}

pub(crate) type Answer = OfService<Body>;

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

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl azulejo::service::Body for Body {
    fn empty() -> Self {
        Self::None
    }

    fn length(&self) -> Option<usize> {
        match self {
            Self::None => Some(0),
            Self::Text(text) => Some(text.len()),
            Self::Bytes(bytes) => Some(bytes.length() as usize),
            Self::Stream(_) | Self::Untold => None,
        }
    }
}

/// An answer as the runtime wants it.
pub(crate) fn send(answer: Answer, request: &Request, origins: &Origins) -> Response {
    let answer = answer.finish(request, origins);
    // In one text: to cross the border once is much cheaper than for each header.
    let lines: Vec<&str> = answer.headers.iter().flat_map(|(name, value)| [*name, value]).collect();
    let body = match answer.body {
        Body::Text(text) => text.into(),
        Body::Stream(stream) => stream.into(),
        Body::Bytes(bytes) => bytes.into(),
        Body::None | Body::Untold => JsValue::NULL,
    };
    respond(answer.status, &lines.join("\n"), body)
}
