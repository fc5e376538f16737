//! The log: one line of JSON an event. No query strings, control characters escaped, long texts cut.

use azulejo::settings::Log;
use serde_json::{Map, Value};

const LONGEST: usize = 256;

/// A text that is safe in a log.
pub(crate) fn text(text: &str) -> Value {
    let mut safe = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    if text.chars().nth(LONGEST).is_some() {
        safe.push('…');
    }
    Value::String(safe)
}

/// Writes an event.
pub(crate) fn event<const N: usize>(level: Log, name: &str, fault: bool, fields: [(&str, Value); N]) {
    if level == Log::None || (level == Log::Errors && !fault) {
        return;
    }
    let mut line = Map::new();
    line.insert("event".to_owned(), Value::from(name));
    for (key, value) in fields {
        if !value.is_null() {
            line.insert(key.to_owned(), value);
        }
    }
    let line = Value::Object(line).to_string();
    if fault { worker::console_error!("{line}") } else { worker::console_log!("{line}") }
}
