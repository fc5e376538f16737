//! azulejo on Cloudflare Workers: IIIF images from an R2 bucket. A thin driver: what a request means and what it looks like is the core's.
//!
//! Order of work: method → route → pyramid from the isolate's memory, else the object's head and its headers → 304 → Cache API → plan → R2 ranges pinned to one
//! etag → answer. What no range has confirmed is confirmed by a head.

#![deny(unsafe_code)]

mod cache;
mod config;
mod drive;
mod gate;
#[cfg(target_family = "wasm")]
mod headers;
mod heap;
mod iiif;
mod images;
mod index;
mod log;
mod meter;
mod respond;
mod route;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use worker::Env;

/// The version of engine and service: part of every ETag and cache key.
pub(crate) const ENGINE: &str = match option_env!("AZULEJO_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

#[wasm_bindgen(raw_module = "azulejo:instance")]
extern "C" {
    /// Tells the entry which request is being polled, so that a trap can be laid at its door.
    fn enter(id: u32);
    /// The poll is over.
    fn leave();
    /// The memory cannot grow by so many bytes.
    fn exhausted(bytes: f64);

    /// A body that is written in pieces; it breaks off if the instance does.
    pub(crate) type Pipe;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Pipe;
    /// What the client reads.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn readable(this: &Pipe) -> web_sys::ReadableStream;
    /// Resolves once there is room for more; rejects if the client has left.
    #[wasm_bindgen(method, catch)]
    pub(crate) async fn write(this: &Pipe, piece: js_sys::Uint8Array) -> Result<JsValue, JsValue>;
    /// The end of the body.
    #[wasm_bindgen(method, catch)]
    pub(crate) async fn close(this: &Pipe) -> Result<JsValue, JsValue>;
    /// There is no more to come, though there should be: the client sees that it is not whole.
    #[wasm_bindgen(method)]
    pub(crate) fn abort(this: &Pipe);
}

/// Answers a request, of which the entry has read [these lines](azulejo::service::Request::read). `id` numbers the requests of the isolate. The promise never rejects.
#[wasm_bindgen]
pub fn handle(id: u32, lines: String, env: Env, context: worker::worker_sys::Context) -> Promise {
    console_error_panic_hook::set_once();
    let context = route::Background { id, context: worker::Context::new(context) };
    wasm_bindgen_futures::future_to_promise(Marked::new(id, async move { Ok(route::answer(&lines, &env, &context).await.into()) }))
}

/// A future that says whose it is while it is polled.
pub(crate) struct Marked<F> {
    id: u32,
    future: Pin<Box<F>>,
}

impl<F> Marked<F> {
    pub(crate) fn new(id: u32, future: F) -> Self {
        Self { id, future: Box::pin(future) }
    }
}

impl<F: Future> Future for Marked<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        enter(self.id);
        let polled = self.future.as_mut().poll(cx);
        leave();
        polled
    }
}
