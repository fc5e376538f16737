//! Answers: status, headers and body.

use super::cors;
use super::request::Request;
use crate::settings::Origins;

/// The body of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Body {
    /// None.
    #[default]
    None,
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes that the host holds since the ask of this number.
    Held {
        /// The ask.
        number: u32,
        /// Bytes; `None` if nobody knows yet.
        length: Option<u64>,
    },
    /// Comes in pieces; nobody knows yet how long it is.
    Pieces,
    /// Would come in pieces, but only the headers were asked for.
    Untold,
}

impl Body {
    fn length(&self) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Text(text) => Some(text.len() as u64),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Held { length, .. } => *length,
            Self::Pieces | Self::Untold => None,
        }
    }
}

/// An answer that has not left yet.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Names in small letters, and values.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Body,
    /// For the log: the stable name of an error.
    pub code: Option<String>,
    /// For the log: what clients do not get to know.
    pub detail: Option<String>,
}

impl Answer {
    /// Without headers.
    pub fn new(status: u16, body: Body) -> Self {
        Self { status, headers: Vec::new(), body, code: None, detail: None }
    }

    /// Of a text.
    pub fn text(status: u16, media_type: &str, text: String) -> Self {
        Self::new(status, Body::Text(text)).with("content-type", media_type)
    }

    /// Of a JSON document that changes at any time.
    pub fn json(text: &str) -> Self {
        Self::text(200, "application/json", format!("{text}\n")).with("cache-control", "no-store")
    }

    /// To another address.
    pub fn redirect(location: String, cache_control: &str) -> Self {
        Self::new(303, Body::None).with("location", location).with("cache-control", cache_control)
    }

    /// To OPTIONS. `asked` is `Access-Control-Request-Headers`.
    pub fn preflight(asked: Option<&str>) -> Self {
        let mut answer = Self::new(204, Body::None).with("allow", super::failure::METHODS);
        answer.headers.extend(cors::preflight(asked));
        answer
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds the headers by which browsers show what came from a file or a URL, and never run it.
    pub fn untrusted(self) -> Self {
        self.with("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox").with("x-content-type-options", "nosniff")
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// What is to be sent, with all headers. HEAD gets no body, though its length is told. `origins` are those whose pages may read it.
    pub fn finish(mut self, request: &Request, origins: &Origins) -> Self {
        self.headers.extend(cors::headers(origins, request.origin.as_deref()));
        if origins.varies() {
            self.headers.push(("vary", "Origin".to_owned()));
        }
        if !matches!(self.status, 204 | 304) {
            self.headers.extend(self.body.length().map(|length| ("content-length", length.to_string())));
            self.headers.push(("cross-origin-resource-policy", "cross-origin".to_owned()));
        }
        // A value with a line end in it would be two headers.
        self.headers.retain(|(_, value)| !value.contains(['\n', '\r']));
        self
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The text of a body.
    pub fn text(answer: &Answer) -> Option<&str> {
        match &answer.body {
            Body::Text(text) => Some(text),
            _ => None,
        }
    }

    fn sent(answer: Answer, method: &str, origin: &str, origins: &str) -> Answer {
        answer.finish(&Request::read(&format!("{method}\nhttps://x/\n\n\n\n{origin}")), &Origins::parse(origins).unwrap())
    }

    #[test]
    fn head_is_told_the_length() {
        let seven = || Answer::text(200, "text/plain", "seven b".to_owned());
        for method in ["GET", "HEAD"] {
            let answer = sent(seven(), method, "", "*");
            assert_eq!(answer.header("content-length"), Some("7"));
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
        }
        let none = sent(Answer::preflight(None), "OPTIONS", "", "*");
        assert_eq!((none.status, none.header("content-length"), none.header("allow")), (204, None, Some("GET, HEAD, OPTIONS")));
    }

    #[test]
    fn pages_of_other_sites() {
        let of = |origin: &str, origins: &str| {
            let answer = sent(Answer::text(200, "text/plain", String::new()), "GET", origin, origins);
            (answer.header("access-control-allow-origin").map(str::to_owned), answer.header("vary").map(str::to_owned))
        };
        assert_eq!(of("https://a.example", "*"), (Some("*".to_owned()), None));
        assert_eq!(of("https://a.example", "https://a.example"), (Some("https://a.example".to_owned()), Some("Origin".to_owned())));
        assert_eq!(of("https://b.example", "https://a.example"), (None, Some("Origin".to_owned())));
        let asked = Answer::preflight(Some("Accept, x-y , bad name,"));
        assert_eq!(asked.header("access-control-allow-headers"), Some("Accept, x-y"));
        assert_eq!(Answer::preflight(None).header("access-control-allow-headers"), Some("accept, if-none-match, if-modified-since"));
    }

    #[test]
    fn a_value_with_a_line_end_is_no_header() {
        let answer = sent(Answer::new(200, Body::None).with("location", "a\nset-cookie: b").with("link", "a\rb"), "GET", "", "*");
        assert_eq!((answer.header("location"), answer.header("link")), (None, None));
    }
}
