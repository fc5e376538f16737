//! The settings of this Worker: Wrangler's `[vars]`, each optional. If one is unknown or wrong, every request is answered with an error that names it.

use std::ops::Deref;

use azulejo::Settings;
use azulejo::settings::Misconfigured;
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use crate::cache::hash;

/// The binding of the bucket.
pub(crate) const BUCKET: &str = "BUCKET";

/// The settings, and what follows from them.
#[derive(Debug)]
pub(crate) struct Config {
    settings: Settings,
    /// A text that differs wherever answers may differ.
    pub fingerprint: String,
}

impl Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl Config {
    /// Reads what the environment holds besides its bindings.
    pub fn from_env(env: &Env) -> Result<Self, Misconfigured> {
        let mut vars = Vec::new();
        for name in js_sys::Object::keys(env.unchecked_ref::<js_sys::Object>()) {
            let value = js_sys::Reflect::get(env, &name).unwrap_or(JsValue::UNDEFINED);
            let text = value.as_string().or_else(|| value.as_f64().map(|n| n.to_string())).or_else(|| value.as_bool().map(|b| b.to_string()));
            // Everything else is a binding, of which the bucket is the only one that is used.
            if let (Some(name), Some(text)) = (name.as_string(), text) {
                vars.push((name, text));
            }
        }
        env.bucket(BUCKET).map_err(|_| Misconfigured::new(BUCKET, "is missing: an R2 bucket must be bound to it"))?;
        let settings = Settings::from_variables(&vars)?;
        let fingerprint = hash(&[&format!("{:?}{:?}", settings.service, settings.encode)]);
        Ok(Self { settings, fingerprint })
    }
}
