//! JSON text with its keys in the order they were written.

use std::fmt::Write as _;

/// An object that is being written.
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Self {
        Self("{".to_owned())
    }

    /// A key and a value that is JSON already.
    pub(super) fn raw(mut self, key: &str, value: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        string(&mut self.0, key);
        self.0.push(':');
        self.0.push_str(value);
        self
    }

    pub(super) fn text(self, key: &str, value: &str) -> Self {
        let mut out = String::new();
        string(&mut out, value);
        self.raw(key, &out)
    }

    pub(super) fn number(self, key: &str, value: impl Into<u64>) -> Self {
        self.raw(key, &value.into().to_string())
    }

    /// A number that may be missing.
    pub(super) fn optional(self, key: &str, value: Option<impl Into<u64>>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self,
        }
    }

    /// A list of texts; left out if it is empty.
    pub(super) fn texts<'a>(self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let list = array(values.into_iter().map(|value| {
            let mut out = String::new();
            string(&mut out, value);
            out
        }));
        if list == "[]" { self } else { self.raw(key, &list) }
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A list of values that are JSON already.
pub(super) fn array(values: impl IntoIterator<Item = String>) -> String {
    let values: Vec<String> = values.into_iter().collect();
    format!("[{}]", values.join(","))
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
