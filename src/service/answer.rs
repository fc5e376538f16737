//! Answers: status, headers and body.

use super::cors;
use super::request::{Method, Request};
use crate::settings::Origins;

/// The body of an answer, as a host holds it.
pub trait Body: From<String> {
    /// None.
    fn empty() -> Self;
    /// Its length in bytes; `None` if nobody knows it yet.
    fn length(&self) -> Option<usize>;
}

/// An answer that has not left yet.
#[derive(Debug)]
pub struct Answer<B> {
    /// Status.
    pub status: u16,
    /// Names in small letters, and values.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: B,
    /// For the log: the stable name of an error.
    pub code: Option<&'static str>,
    /// For the log: what clients do not get to know.
    pub detail: Option<String>,
}

impl<B: Body> Answer<B> {
    /// Without headers.
    pub fn new(status: u16, body: B) -> Self {
        Self { status, headers: Vec::new(), body, code: None, detail: None }
    }

    /// Of a text.
    pub fn text(status: u16, media_type: &str, text: String) -> Self {
        Self::new(status, text.into()).with("content-type", media_type)
    }

    /// Of a JSON document that changes at any time.
    pub fn json(text: &str) -> Self {
        Self::text(200, "application/json", format!("{text}\n")).with("cache-control", "no-store")
    }

    /// To another address.
    pub fn redirect(location: String, cache_control: &str) -> Self {
        Self::new(303, B::empty()).with("location", location).with("cache-control", cache_control)
    }

    /// To OPTIONS. `asked` is `Access-Control-Request-Headers`.
    pub fn preflight(asked: Option<&str>) -> Self {
        let mut answer = Self::new(204, B::empty()).with("allow", super::failure::METHODS);
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

    /// What is to be sent: all headers, and the body, which HEAD does not get though its length is told. `origins` are those whose pages may read it.
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
        if request.method == Some(Method::Head) {
            self.body = B::empty();
        }
        self
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A body of text.
    #[derive(Debug, PartialEq)]
    pub struct Plain(pub Option<String>);

    impl From<String> for Plain {
        fn from(text: String) -> Self {
            Self(Some(text))
        }
    }

    impl Body for Plain {
        fn empty() -> Self {
            Self(None)
        }

        fn length(&self) -> Option<usize> {
            Some(self.0.as_ref().map_or(0, String::len))
        }
    }

    fn sent(answer: Answer<Plain>, method: &str, origin: &str, origins: &str) -> Answer<Plain> {
        answer.finish(&Request::read(&format!("{method}\nhttps://x/\n\n\n\n{origin}")), &Origins::parse(origins).unwrap())
    }

    #[test]
    fn head_gets_the_length_and_no_body() {
        let text = || Answer::<Plain>::text(200, "text/plain", "seven b".to_owned());
        for (method, body) in [("GET", Some("seven b")), ("HEAD", None)] {
            let answer = sent(text(), method, "", "*");
            assert_eq!((answer.header("content-length"), answer.body.0.as_deref()), (Some("7"), body));
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
        let asked = Answer::<Plain>::preflight(Some("Accept, x-y , bad name,"));
        assert_eq!(asked.header("access-control-allow-headers"), Some("Accept, x-y"));
        assert_eq!(Answer::<Plain>::preflight(None).header("access-control-allow-headers"), Some("accept, if-none-match, if-modified-since"));
    }

    #[test]
    fn a_value_with_a_line_end_is_no_header() {
        let answer = sent(Answer::new(200, Plain(None)).with("location", "a\nset-cookie: b").with("link", "a\rb"), "GET", "", "*");
        assert_eq!((answer.header("location"), answer.header("link")), (None, None));
    }
}
