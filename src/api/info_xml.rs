//! `info.xml` and the XML text of errors: 1.0 §5 and §6.2.

use std::fmt::Write as _;

use super::{Info, Quality, Version};

/// The namespace of every document of 1.0.
pub(super) const NAMESPACE: &str = "http://library.stanford.edu/iiif/image-api/ns/";

pub(super) fn write(info: &Info, identifier: &str) -> String {
    let (service, size) = (info.service(), info.dimensions());
    let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<info xmlns=\"{NAMESPACE}\">\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "  <{name}>{value}</{name}>");
    };
    line("identifier", &escape(identifier));
    line("width", &size.width().to_string());
    line("height", &size.height().to_string());
    if let Some(tiles) = info.tiles().first() {
        line("scale_factors", &list("scale_factor", tiles.scale_factors.iter().map(u32::to_string)));
        line("tile_width", &tiles.width.to_string());
        line("tile_height", &tiles.height.to_string());
    }
    line("formats", &list("format", service.formats.iter().map(|format| format.extension().to_owned())));
    line("qualities", &list("quality", Quality::ALL.iter().map(|quality| quality.name(Version::V1_0).to_owned())));
    line("profile", &service.profile(Version::V1_0));
    out.push_str("</info>\n");
    out
}

fn list(name: &str, values: impl Iterator<Item = String>) -> String {
    values.map(|value| format!("<{name}>{value}</{name}>")).collect()
}

/// Text for XML: markup escaped, and what XML 1.0 cannot hold replaced.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
