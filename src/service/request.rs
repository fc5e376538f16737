//! What matters of an HTTP request.

/// Longest path and query, bytes: Cloudflare's own limit, which other hosts do not have.
const LONGEST_URL: usize = 16 << 10;

/// The methods that are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// `None` for every other method.
    pub method: Option<Method>,
    /// Scheme, host and port as the client wrote them.
    pub host: String,
    /// The path as it was received, percent-encoded.
    pub path: String,
    /// The query as it was received, with its question mark, or empty.
    pub query: String,
    /// `Accept`.
    pub accept: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Access-Control-Request-Headers`.
    pub asked_headers: Option<String>,
}

impl Request {
    /// Reads the lines that a host makes of a request: the method, the URL, and the values of five headers, empty if they are not there: `Accept`,
    /// `If-None-Match`, `If-Modified-Since`, `Origin`, `Access-Control-Request-Headers`.
    pub fn read(lines: &str) -> Self {
        let mut lines = lines.split('\n');
        let (method, url) = (lines.next(), lines.next().unwrap_or_default());
        let mut header = || lines.next().filter(|value| !value.is_empty()).map(str::to_owned);
        let url = url.split('#').next().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (place, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        Self {
            method: match method {
                Some("GET") => Some(Method::Get),
                Some("HEAD") => Some(Method::Head),
                Some("OPTIONS") => Some(Method::Options),
                _ => None,
            },
            host: format!("{scheme}://{host}"),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            query: query.to_owned(),
            accept: header(),
            if_none_match: header(),
            if_modified_since: header(),
            origin: header(),
            asked_headers: header(),
        }
    }

    /// The first parameter of this name in the query, decoded as forms are (WHATWG URL, application/x-www-form-urlencoded).
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.strip_prefix('?')?.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether an error is wanted as JSON.
    pub fn wants_json(&self) -> bool {
        self.accept.as_deref().is_some_and(|accept| accept.contains("json"))
    }

    /// Whether the URL is longer than any host answers.
    pub fn is_too_long(&self) -> bool {
        self.path.len().saturating_add(self.query.len()) > LONGEST_URL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_a_request() {
        let request = Request::read("GET\nhttps://images.example.org:8443/iiif/3/a%2Fb/info.json?cache=false#top\napplication/json\n\n\nhttps://example.org\n");
        assert_eq!((request.method, request.host.as_str()), (Some(Method::Get), "https://images.example.org:8443"));
        assert_eq!((request.path.as_str(), request.query.as_str()), ("/iiif/3/a%2Fb/info.json", "?cache=false"));
        assert_eq!((request.wants_json(), request.if_none_match, request.origin.as_deref()), (true, None, Some("https://example.org")));
        let bare = Request::read("DELETE\nhttps://example.org");
        assert_eq!((bare.method, bare.path.as_str(), bare.query.as_str()), (None, "/", ""));
    }

    #[test]
    fn parameters_are_decoded_as_forms_are() {
        let of = |query: &str, name: &str| Request::read(&format!("GET\nhttps://x/{query}")).parameter(name);
        assert_eq!(of("?a=1&b=x+y%20z&b=2", "b").as_deref(), Some("x y z"));
        assert_eq!(of("?caf%C3%A9=%F0%9F%97%BA", "café").as_deref(), Some("🗺"));
        assert_eq!(of("?a", "a").as_deref(), Some(""));
        assert_eq!(of("?a=%zz%4&b=%FF", "a").as_deref(), Some("%zz%4"));
        assert_eq!(of("?a=%zz%4&b=%FF", "b").as_deref(), Some("\u{FFFD}"));
        assert_eq!((of("?a=1", "b"), of("", "a")), (None, None));
    }
}
