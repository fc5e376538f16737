//! Settings and errors as JavaScript has them.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::JsValue;

use crate::settings::{Given, Misconfigured};

/// The error that there is about a setting.
pub(super) fn misconfigured(wrong: &Misconfigured) -> JsValue {
    failure(&invalid(&format!("the setting {}", wrong.name), &wrong.problem))
}

/// The properties of an object that are there.
pub(super) fn given_all(options: &JsValue) -> Vec<(String, Given)> {
    let Some(options) = options.dyn_ref::<Object>() else { return Vec::new() };
    let property = |name: JsValue| {
        let value = Reflect::get(options, &name).unwrap_or_default();
        Some((name.as_string()?, given(&value)?))
    };
    Object::keys(options).iter().filter_map(property).collect()
}

fn given(value: &JsValue) -> Option<Given> {
    Some(if value.is_undefined() {
        return None;
    } else if let Some(number) = value.as_f64() {
        Given::Number(number, js_sys::Number::from(number).to_string_with_radix(10).map_or_else(|_| String::new(), String::from))
    } else if let Some(text) = value.as_string() {
        Given::Text(text)
    } else if let Some(on) = value.as_bool() {
        Given::Switch(on)
    } else if let Some(list) = value.dyn_ref::<Array>().filter(|list| list.iter().all(|entry| entry.is_string())) {
        Given::Text(list.iter().filter_map(|entry| entry.as_string()).collect::<Vec<_>>().join(" "))
    } else {
        Given::Other(value.js_typeof().as_string().unwrap_or_default())
    })
}

/// A caller's mistake, in the shape of the core's errors.
pub(super) fn invalid(what: &str, error: impl std::fmt::Display) -> Thrown {
    Thrown { code: "invalid-argument", status: 400, message: format!("{what}: {error}") }
}

/// What JavaScript catches; `src/js/error.ts` makes an `IiifError` of it.
#[derive(Debug)]
pub(super) struct Thrown {
    pub code: &'static str,
    pub status: u16,
    pub message: String,
}

pub(super) fn failure(thrown: &Thrown) -> JsValue {
    let object = Object::new();
    for (name, value) in [("code", thrown.code.into()), ("status", thrown.status.into()), ("message", thrown.message.as_str().into())] {
        // A new object takes any property.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &value);
    }
    object.into()
}
