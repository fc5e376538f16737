//! The settings ALLOWED_ORIGINS and PUBLIC_URL.

/// Whose pages may read the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Those of every site.
    All,
    /// Those of these origins, written as browsers write them.
    These(Vec<String>),
}

impl Origins {
    /// Reads `*` or a list, separated by commas or spaces.
    pub fn parse(text: &str) -> Option<Self> {
        let list: Vec<&str> = text.split([',', ' ']).filter(|part| !part.is_empty()).collect();
        match list[..] {
            ["*"] => Some(Self::All),
            [] => None,
            _ => list.iter().all(|origin| is_origin(origin)).then(|| Self::These(list.iter().map(|&origin| origin.to_owned()).collect())),
        }
    }

    /// What the header `Access-Control-Allow-Origin` allows a page of this origin; `None` if nothing.
    pub fn allowed<'a>(&self, origin: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::All => Some("*"),
            Self::These(list) => origin.filter(|origin| list.iter().any(|each| each == origin)),
        }
    }

    /// Whether the answer differs from origin to origin.
    pub fn varies(&self) -> bool {
        matches!(self, Self::These(_))
    }
}

/// Whether a text is an origin as browsers write it (WHATWG URL, serialization of an origin): lower case, no default port, no slash at the end.
fn is_origin(text: &str) -> bool {
    let Some((default_port, place)) =
        text.strip_prefix("https://").map(|place| ("443", place)).or_else(|| text.strip_prefix("http://").map(|place| ("80", place)))
    else {
        return false;
    };
    // The colons of an IPv6 address stand in brackets.
    let end = place.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match place[end..].split_once(':') {
        Some((rest, port)) => (&place[..end + rest.len()], Some(port)),
        None => (place, None),
    };
    let is_name = |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_'));
    let is_address = |host: &str| {
        let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        inside.is_some_and(|inside| inside.contains(':') && inside.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b':')))
    };
    let is_port = |port: &str| port != default_port && !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    (is_name(host) || is_address(host)) && port.is_none_or(is_port)
}

/// Reads a URL for the ids of images: http or https, a host, perhaps a path; no query and no fragment. Gives it without slashes at its end.
pub(super) fn public_url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let plain = rest.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'));
    (plain && !rest.is_empty() && !rest.starts_with(['/', ':'])).then(|| text.trim_end_matches('/').to_owned())
}

#[test]
fn origins_are_as_browsers_write_them() {
    for sound in
        ["https://a.example", "http://localhost:3000", "https://[::1]:8080", "http://127.0.0.1", "https://xn--bcher-kva.example", "http://a.example:443"]
    {
        assert_eq!(Origins::parse(sound), Some(Origins::These(vec![sound.to_owned()])), "{sound}");
    }
    for wrong in [
        "example.org",
        "https://",
        "https://A.example",
        "https://a.example/",
        "https://a.example:443",
        "http://a.example:80",
        "http://a.example:",
        "http://a.example:080",
        "http://a.example:70000",
        "http://a.example:1x",
        "ftp://a.example",
        "https://a b",
        "https://[::1",
        "https://[]",
        "https://a@b",
        "",
        ",",
        "*, https://a.example",
        "https://bücher.example",
    ] {
        assert_eq!(Origins::parse(wrong), None, "{wrong}");
    }
    let both = Origins::parse("https://a.example, https://b.example").unwrap();
    assert_eq!([both.allowed(Some("https://b.example")), both.allowed(Some("https://c.example")), both.allowed(None)], [Some("https://b.example"), None, None]);
    assert_eq!((Origins::All.allowed(None), Origins::All.varies(), both.varies()), (Some("*"), false, true));
}

#[test]
fn public_urls() {
    assert_eq!(public_url("https://images.example.org/art/").as_deref(), Some("https://images.example.org/art"));
    assert_eq!(public_url("http://localhost:8787").as_deref(), Some("http://localhost:8787"));
    for wrong in ["images.example.org", "https://", "https:///x", "https://a.example/?x", "https://a.example/#x", "https://a b", "ftp://a.example", ""] {
        assert_eq!(public_url(wrong), None, "{wrong}");
    }
}
