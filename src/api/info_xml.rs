//! `info.xml` and the XML text of errors: 1.0 §5 and §6.2.

use std::fmt::Write as _;

use super::{Info, Quality, Version};

/// The namespace of every document of 1.0.
pub(super) const NAMESPACE: &str = "http://library.stanford.edu/iiif/image-api/ns/";

pub(super) fn write(info: &Info, identifier: &str) -> String {
    let (service, size) = (info.service(), info.dimensions());
    let mut properties = vec![("width", vec![size.width().to_string()]), ("height", vec![size.height().to_string()])];
    if let Some(tiles) = info.tiles().first() {
        properties.push(("scale_factors", tiles.scale_factors.iter().map(u32::to_string).collect()));
        properties.push(("tile_width", vec![tiles.width.to_string()]));
        properties.push(("tile_height", vec![tiles.height.to_string()]));
    }
    properties.push(("formats", service.formats.iter().map(|format| format.extension().to_owned()).collect()));
    properties.push(("qualities", Quality::ALL.iter().map(|quality| quality.name(Version::V1_0).to_owned()).collect()));
    properties.push(("profile", vec![service.profile(Version::V1_0)]));
    of_properties(identifier, properties)
}

/// The document of 1.0 with these properties, each with its values. `identifier` stands before them.
fn of_properties<'a>(identifier: &str, properties: impl IntoIterator<Item = (&'a str, Vec<String>)>) -> String {
    let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<info xmlns=\"{NAMESPACE}\">\n");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "  <{name}>{value}</{name}>");
    };
    line("identifier", &escape(identifier));
    for (name, values) in properties {
        let inner = LISTS.iter().find_map(|(list, inner)| (*list == name).then_some(*inner));
        let value: String = values.iter().map(|value| inner.map_or_else(|| escape(value), |inner| format!("<{inner}>{}</{inner}>", escape(value)))).collect();
        line(name, &value);
    }
    out.push_str("</info>\n");
    out
}

/// The same of an image that this service did not open: a line for each property, the name and the values separated by tabs.
pub(crate) fn of_lines(identifier: &str, lines: &str) -> String {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let properties = lines.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let name = parts.next().filter(|name| is_name(name) && *name != "identifier")?;
        Some((name, parts.map(str::to_owned).collect()))
    });
    of_properties(identifier, properties)
}

/// Properties that are lists, and what the element of an entry is called.
const LISTS: [(&str, &str); 3] = [("scale_factors", "scale_factor"), ("formats", "format"), ("qualities", "quality")];

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
