//! HTTP headers and negotiation: 1.x §4.5 and §6, 2.1 §5 and §7, 3.0 §5.1 and §7. Pure functions.

use super::features::default_format;
use super::info_xml::{NAMESPACE, escape};
use super::{Format, Version, number::Decimal, percent};
use crate::error::{Part, SourceFormat};

/// The media type of `info.xml`.
pub const INFO_XML_MEDIA_TYPE: &str = "application/xml";
/// The media type of [`error_xml`].
pub const ERROR_XML_MEDIA_TYPE: &str = "text/xml";

const JSON: &str = "application/json";
const JSON_LD: &str = "application/ld+json";
const JSON_LD_3: &str = "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

/// The `Content-Type` of `info.json` for an `Accept` header. From 2.0 on the answer varies by it.
pub fn info_media_type(version: Version, accept: Option<&str>) -> &'static str {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return if version == Version::V3 { JSON_LD_3 } else { JSON };
    };
    let weight = |media_type: &str| preference(accept, media_type);
    let (ld, json) = (weight(JSON_LD), weight(JSON));
    match version {
        Version::V1_0 | Version::V1_1 => JSON,
        // JSON is the default; JSON-LD must be asked for by name.
        Version::V2 if ld.named && ld.quality > json.quality => JSON_LD,
        Version::V2 => JSON,
        Version::V3 if ld.quality > 0 && ld.quality >= json.quality && (ld.named || !json.named) => JSON_LD_3,
        Version::V3 => JSON,
    }
}

/// The format of a 1.x request without an extension: the best of those offered; JPEG, or else the first, among equals or if nothing fits.
pub fn negotiate_format(accept: Option<&str>, offered: &[Format]) -> Format {
    let default = default_format(offered);
    let Some(accept) = accept else { return default };
    let quality = |format: Format| preference(accept, format.media_type()).quality;
    offered.iter().copied().fold(default, |best, format| if quality(format) > quality(best) { format } else { best })
}

/// The `Link` header of a document's page before (`prev`) or after (`next`) this one, by its base URI.
pub fn page_link(base: &str, relation: &str) -> String {
    format!("<{base}/info.json>;rel=\"{relation}\"")
}

/// The value of a `Link` header that names the compliance level.
pub fn profile_link(profile: &str) -> String {
    // Only 3.0 names the level by a word.
    if profile.contains(':') { format!("<{profile}>;rel=\"profile\"") } else { format!("<http://iiif.io/api/image/3/{profile}.json>;rel=\"profile\"") }
}

/// The value of a `Link` header that names the canonical URI; what must not stand in a URI (`^` too) is percent-encoded.
pub fn canonical_link(uri: &str) -> String {
    let uri = percent::encode(uri, |b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
    format!("<{uri}>;rel=\"canonical\"")
}

/// The value of a `Content-Disposition` header that saves an answer under a name (RFC 6266, RFC 8187).
///
/// The name is cleaned and gets the format's extension, unless it has it or `.jpeg`, `.tiff`; another image extension is replaced.
pub fn content_disposition(name: &str, format: Format) -> String {
    let name = file_name(name, format);
    let plain = |c: char| c.is_ascii_graphic() && c != '%' || c == ' ';
    if name.chars().all(plain) {
        return format!("attachment; filename=\"{name}\"");
    }
    let fallback: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let encoded = percent::encode(&name, |b| b.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&b));
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}")
}

/// The body of an error in 1.0 (§6.2).
pub fn error_xml(part: Option<Part>, sentence: &str) -> String {
    let (part, text) = (part.map_or("unknown", Part::name), escape(sentence));
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error xmlns=\"{NAMESPACE}\">\n  <parameter>{part}</parameter>\n  <text>{text}</text>\n</error>\n")
}

fn file_name(name: &str, format: Format) -> String {
    const LONGEST: usize = 150;
    // Controls and the marks that turn the direction of writing hide what a name ends with; the others part paths somewhere.
    let hidden = |c: char| c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
    let unsafe_character = |c: char| matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let cleaned: String = name.chars().filter(|c| !hidden(*c)).map(|c| if unsafe_character(c) { '_' } else { c }).take(LONGEST).collect();
    let cleaned = cleaned.trim_matches([' ', '.']);
    let (stem, extension) = cleaned.rsplit_once('.').unwrap_or((cleaned, ""));
    let own = extension.to_ascii_lowercase();
    let same = own == format.extension() || matches!((own.as_str(), format), ("jpeg", Format::Jpg) | ("tiff", Format::Tif));
    if same && !stem.is_empty() {
        return cleaned.to_owned();
    }
    let image = SourceFormat::FILES.iter().any(|source| source.key() == own) || matches!(own.as_str(), "jpg" | "tif" | "jp2" | "jxl" | "avif");
    let stem = if image { stem } else { cleaned };
    format!("{}.{}", if stem.is_empty() { "image" } else { stem }, format.extension())
}

/// How much an `Accept` header wants a media type.
#[derive(Clone, Copy)]
struct Preference {
    /// Thousandths.
    quality: u16,
    /// Whether the type itself stands there, not just a wildcard.
    named: bool,
}

/// RFC 9110 §12.5.1: the most specific range decides; parameters other than `q` are not compared.
fn preference(accept: &str, media_type: &str) -> Preference {
    let family = media_type.split_once('/').map_or("", |(family, _)| family);
    let mut best = (0u8, 0u16);
    for range in split_outside_quotes(accept, ',') {
        let mut parts = split_outside_quotes(range, ';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specificity = match name.split_once('/') {
            _ if name == media_type => 3,
            Some((range_family, "*")) if range_family == family => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="))).map_or(1000, thousandths);
        best = best.max((specificity, quality));
    }
    Preference { quality: best.1, named: best.0 == 3 }
}

fn thousandths(text: &str) -> u16 {
    let value = Decimal::parse(text.trim().trim_end_matches('.')).map_or(0, |value| value.percent_of(100_000).unwrap_or(u32::MAX));
    u16::try_from(value.min(1000)).unwrap_or(1000)
}

fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let escape = quoted && c == '\\' && !escaped;
        quoted ^= c == '"' && !escaped;
        escaped = escape;
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Service;
    use crate::error::Error;
    use crate::error::Part;

    #[test]
    fn media_types_of_info() {
        let three = |accept| info_media_type(Version::V3, accept);
        for accept in [None, Some(""), Some("*/*"), Some("application/*"), Some("application/ld+json"), Some("text/html,application/xml;q=0.9,*/*;q=0.8")] {
            assert_eq!(three(accept), JSON_LD_3, "{accept:?}");
        }
        assert_eq!(three(Some("application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"")), JSON_LD_3);
        for accept in ["application/json", "application/json, */*", "application/ld+json;q=0.5, application/json", "application/ld+json;q=0", "text/html"] {
            assert_eq!(three(Some(accept)), JSON, "{accept}");
        }
        let two = |accept| info_media_type(Version::V2, accept);
        for accept in [None, Some("*/*"), Some("application/json"), Some("application/ld+json, application/json"), Some("application/ld+json;q=0")] {
            assert_eq!(two(accept), JSON, "{accept:?}");
        }
        assert_eq!(two(Some("application/LD+JSON")), JSON_LD);
        assert_eq!(two(Some("application/ld+json, */*;q=0.1")), JSON_LD);
        assert_eq!(info_media_type(Version::V1_1, Some("application/ld+json")), JSON);
    }

    #[test]
    fn formats_by_accept() {
        let choose = |accept| negotiate_format(accept, &Format::ALL);
        assert_eq!(choose(None), Format::Jpg);
        assert_eq!(choose(Some("image/png;q=1.0")), Format::Png);
        assert_eq!(choose(Some("image/avif,image/webp,image/*,*/*;q=0.8")), Format::Jpg);
        assert_eq!(choose(Some("image/jpeg;q=0.2, image/webp;q=0.9, image/tiff;q=0.9")), Format::WebP);
        assert_eq!(choose(Some("*/*, image/jpeg;q=0")), Format::Png);
        assert_eq!(choose(Some("text/html")), Format::Jpg);
        assert_eq!(negotiate_format(Some("image/jpeg"), &[Format::Png]), Format::Png);
        assert_eq!(negotiate_format(None, &[]), Format::Jpg);
    }

    #[test]
    fn links() {
        let link = profile_link(&Service::default().profile(Version::V2));
        assert_eq!(link, "<http://iiif.io/api/image/2/level2.json>;rel=\"profile\"");
        let link = canonical_link("https://e.org/iiif/3/a%2Fb/full/^5,5/0/default.jpg");
        assert_eq!(link, "<https://e.org/iiif/3/a%2Fb/full/%5E5,5/0/default.jpg>;rel=\"canonical\"");
        assert_eq!(canonical_link("x>\r\n\"é"), "<x%3E%0D%0A%22%C3%A9>;rel=\"canonical\"");
    }

    #[test]
    fn dispositions() {
        let plain = |name: &str| format!("attachment; filename=\"{name}\"");
        for (name, expected) in [
            ("map", "map.jpg"),
            ("map.jpg", "map.jpg"),
            ("map.JPEG", "map.JPEG"),
            ("map.tif", "map.jpg"),
            ("run.exe", "run.exe.jpg"),
            ("../../etc/passwd", "_.._etc_passwd.jpg"),
            ("a\"; b\r\nX: y", "a_; bX_ y.jpg"),
            ("a\\b", "a_b.jpg"),
            ("", "image.jpg"),
            (".jpg", "jpg.jpg"),
            ("gpj\u{202E}exe", "gpjexe.jpg"),
        ] {
            assert_eq!(content_disposition(name, Format::Jpg), plain(expected), "{name:?}");
        }
        assert_eq!(content_disposition("café 50%.png", Format::Png), "attachment; filename=\"caf_ 50_.png\"; filename*=UTF-8''caf%C3%A9%2050%25.png");
        assert!(content_disposition(&"絵".repeat(500), Format::Png).is_ascii());
    }

    #[test]
    fn errors_of_1_0() {
        let error = Error::Syntax { part: Part::Size, value: "<&\u{FFFF}".to_owned(), expected: "full" };
        let xml = error_xml(error.part(), &error.to_string());
        assert!(xml.contains("<parameter>size</parameter>") && xml.contains("&lt;&amp;\u{FFFD}") && !xml.contains("<&"), "{xml}");
        assert!(error_xml(None, "It was replaced.").contains("<parameter>unknown</parameter>"));
    }
}
