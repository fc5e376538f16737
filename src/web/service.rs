//! The HTTP service (features `http` and `files`): services and exchanges by numbers, texts, and bytes as `Uint8Array`. Numbers, because an object of JavaScript that outlives a trap
//! would later free what is not its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::Uint8Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::values::{given_all, misconfigured};
use crate::service::{Exchange, Gate, Holding, Refusal, Reply, Service};
#[cfg(feature = "files")]
use crate::settings::Given;
use crate::settings::{Misconfigured, Settings};

thread_local! {
    static HALL: RefCell<Hall> = RefCell::default();
}

/// Everything that is under way.
#[derive(Default)]
struct Hall {
    services: Vec<Rc<Service>>,
    gate: Gate,
    exchanges: HashMap<u32, Exchange>,
    last: u32,
}

impl Hall {
    fn enter(&mut self, exchange: Exchange, now: f64) -> u32 {
        self.exchanges.retain(|_, exchange| !exchange.is_abandoned(now));
        self.last += 1;
        self.exchanges.insert(self.last, exchange);
        self.last
    }
}

/// The number of a service with the variables of a Worker. If they are wrong, or the bucket is not bound, every request is told.
#[cfg(feature = "files")]
#[wasm_bindgen(js_name = bucketService)]
pub fn bucket_service(variables: JsValue, bound: bool) -> u32 {
    // Everything that is no text, number or switch is a binding.
    let text = |given| match given {
        Given::Text(text) | Given::Number(_, text) => Some(text),
        Given::Switch(on) => Some(on.to_string()),
        Given::Other(_) => None,
    };
    let given: Vec<(String, String)> = given_all(&variables).into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect();
    let settings = if bound { Settings::from_variables(&given) } else { Err(Misconfigured::new("BUCKET", "is missing: an R2 bucket must be bound to it")) };
    serve(Holding::Bucket, settings, true)
}

/// The number of a service with options of the package, for files of the host. `caches`: the host keeps answers.
#[cfg(feature = "files")]
#[wasm_bindgen(js_name = filesService)]
pub fn files_service(options: JsValue, caches: bool) -> Result<u32, JsValue> {
    let settings = Settings::from_service_options(&given_all(&options)).map_err(|wrong| misconfigured(&wrong))?;
    Ok(serve(Holding::Files, Ok(settings), caches))
}

/// The number of a service with options of the package, for images that the host has opened. Other paths are left to others.
#[wasm_bindgen(js_name = imagesService)]
pub fn images_service(options: JsValue) -> Result<u32, JsValue> {
    let settings = Settings::from_service_options(&given_all(&options)).map_err(|wrong| misconfigured(&wrong))?;
    Ok(serve(Holding::Images, Ok(settings), false))
}

fn serve(holding: Holding, settings: Result<Settings, Misconfigured>, caches: bool) -> u32 {
    // Builds for development say in the console where they panicked.
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    HALL.with_borrow_mut(|hall| {
        let service = Service::new(holding, settings, caches, &hall.gate);
        // Who makes a handler for each request would fill the memory with services.
        let known = hall.services.iter().position(|known| known.is_same(&service));
        let number = known.unwrap_or_else(|| {
            hall.services.push(Rc::new(service));
            hall.services.len() - 1
        });
        number as u32
    })
}

/// The number of an exchange for the lines of a request: method, URL, and five headers (`service/request.rs`). `now` is ms since 1970, here and everywhere.
#[wasm_bindgen]
pub fn begin(service: u32, lines: &str, now: f64) -> Option<u32> {
    HALL.with_borrow_mut(|hall| {
        let exchange = Exchange::new(hall.services.get(service as usize)?, lines, now);
        Some(hall.enter(exchange, now))
    })
}

/// The number of an exchange for the lines of a request that cannot be answered: a code, an HTTP status, and a sentence for the client.
#[wasm_bindgen(js_name = beginRefused)]
pub fn begin_refused(service: u32, lines: &str, now: f64, code: String, status: u16, message: String) -> Option<u32> {
    HALL.with_borrow_mut(|hall| {
        let exchange = Exchange::refused(hall.services.get(service as usize)?, lines, Refusal { code, status, message }, now);
        Some(hall.enter(exchange, now))
    })
}

/// Goes on with an exchange as far as it can. What is asked of the host, as JSON (`service/ask.rs`); `undefined` if there is no such exchange.
#[wasm_bindgen]
pub fn step(exchange: u32, now: f64) -> Option<String> {
    // Taken out: what it runs must not find the hall borrowed.
    let mut under_way = HALL.with_borrow_mut(|hall| hall.exchanges.remove(&exchange))?;
    let asks = under_way.step(now);
    HALL.with_borrow_mut(|hall| hall.exchanges.insert(exchange, under_way));
    Some(asks)
}

/// The bytes that belong to an ask, once.
#[wasm_bindgen]
pub fn take(exchange: u32, ask: u32) -> Option<Uint8Array> {
    let bytes = HALL.with_borrow_mut(|hall| hall.exchanges.get_mut(&exchange)?.take(ask))?;
    // A vector would be copied into memory that is cleared first.
    Some(Uint8Array::from(bytes.as_slice()))
}

/// The reply to an ask.
#[wasm_bindgen]
pub fn reply(exchange: u32, ask: u32, text: Option<String>, bytes: Option<Vec<u8>>) {
    settle(exchange, ask, Ok(Reply { text, bytes }));
}

/// Why there is no reply to an ask: a code, an HTTP status, and a sentence for the client.
#[wasm_bindgen]
pub fn refuse(exchange: u32, ask: u32, code: String, status: u16, message: String) {
    settle(exchange, ask, Err(Refusal { code, status, message }));
}

fn settle(exchange: u32, ask: u32, reply: Result<Reply, Refusal>) {
    HALL.with_borrow_mut(|hall| {
        if let Some(exchange) = hall.exchanges.get_mut(&exchange) {
            exchange.reply(ask, reply);
        }
    });
}

/// Ends an exchange, whether it is done or not.
#[wasm_bindgen]
pub fn end(exchange: u32) {
    // Dropped outside: it may give places back.
    let ended = HALL.with_borrow_mut(|hall| hall.exchanges.remove(&exchange));
    drop(ended);
}
