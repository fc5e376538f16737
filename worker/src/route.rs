//! From a request to what answers it.

use std::cell::OnceCell;
use std::future::Future;
use std::rc::Rc;

use azulejo::Error;
use azulejo::api::Version;
use azulejo::service::{Failure, Method, Request};
use azulejo::settings::{Log, Misconfigured, Origins};
use js_sys::Reflect;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;
use worker::{Bucket, Env};

use crate::config::{BUCKET, Config};
use crate::log;
use crate::meter::{Meter, memory};
use crate::respond::{Answer, send};
use crate::{ENGINE, Marked, iiif, images};

thread_local! {
    static CONFIG: OnceCell<Result<Rc<Config>, Misconfigured>> = const { OnceCell::new() };
}

/// Work that goes on after the answer has left.
pub(crate) struct Background {
    pub id: u32,
    pub context: worker::Context,
}

impl Background {
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.context.wait_until(Marked::new(self.id, work));
    }
}

/// Answers a request, whatever it is.
pub(crate) async fn answer(lines: &str, env: &Env, background: &Background) -> web_sys::Response {
    let meter = Rc::new(Meter::new());
    let request = Request::read(lines);
    let config = CONFIG.with(|cell| cell.get_or_init(|| Config::from_env(env).map(Rc::new)).clone());
    let (answer, log) = match &config {
        Ok(config) => (dispatch(&request, env, config, background, &meter).await, config.log),
        Err(wrong) => (Failure::Misconfigured(wrong.clone()).answer(&request, None), Log::Errors),
    };
    let unused = meter.unused();
    log::event(
        log,
        "request",
        // A file whose colours may be wrong is for somebody to look at.
        answer.status >= 500 || unused.is_some(),
        [
            ("method", request.method.map_or(Value::Null, |method| Value::from(format!("{method:?}").to_uppercase()))),
            ("path", log::text(&request.path)),
            ("status", Value::from(answer.status)),
            ("code", answer.code.map_or(Value::Null, Value::from)),
            ("detail", answer.detail.as_deref().map_or(Value::Null, log::text)),
            ("unused", unused.as_deref().map_or(Value::Null, log::text)),
            ("ms", Value::from(meter.total().round())),
            ("reads", Value::from(meter.reads.get())),
            ("bytes", Value::from(meter.bytes.get())),
        ],
    );
    send(answer, &request, config.as_ref().map_or(&Origins::All, |config| &config.origins))
}

async fn dispatch(request: &Request, env: &Env, config: &Rc<Config>, background: &Background, meter: &Rc<Meter>) -> Answer {
    match request.method {
        None => return Failure::from(Error::MethodNotAllowed).answer(request, None),
        Some(Method::Options) => return Answer::preflight(request.asked_headers.as_deref()),
        Some(Method::Get | Method::Head) => {}
    }
    if request.is_too_long() {
        return Failure::TooLong.answer(request, None);
    }
    // That it is a bucket was seen when the settings were read.
    let bucket: Bucket = Reflect::get(env, &BUCKET.into()).unwrap_or_default().unchecked_into();
    match request.path.as_str() {
        "/health" => Answer::json(&json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "engine": ENGINE, "memory": memory() }).to_string()),
        "/images.json" => images::list(request, &bucket, config).await.unwrap_or_else(|failure| failure.answer(request, None)),
        path => match config.router.route(path) {
            None => Failure::NoSuchPath { prefixes: prefixes(config) }.answer(request, None),
            Some(routed) => {
                let version = Some(routed.version);
                let asked = iiif::Asked { request, routed, config, bucket: &bucket, background, meter };
                asked.answer().await.unwrap_or_else(|failure| failure.answer(request, version))
            }
        },
    }
}

/// `/iiif/2/, /iiif/3/`.
fn prefixes(config: &Config) -> String {
    let all: Vec<String> = config.router.versions.iter().map(|version: &Version| config.router.base(*version, "")).collect();
    all.join(", ")
}
