//! A request, as the entry reads it from the runtime's object.

/// The methods that are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Options,
}

/// What matters of a request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `None` for every other method.
    pub method: Option<Method>,
    /// Scheme, host and port as the client wrote them.
    pub host: String,
    /// The path as it was received, percent-encoded.
    pub path: String,
    /// The query as it was received, with its question mark, or empty.
    pub query: String,
    pub accept: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<String>,
    pub origin: Option<String>,
    /// `Access-Control-Request-Headers`.
    pub asked_headers: Option<String>,
}

impl Request {
    /// Of the lines that the entry makes of a request: the method, the URL, and five headers, empty if they are not there.
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

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = self.query.strip_prefix('?')?;
        worker::Url::parse(&format!("http://query/?{query}")).ok()?.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether an error is wanted as JSON.
    pub fn wants_json(&self) -> bool {
        self.accept.as_deref().is_some_and(|accept| accept.contains("json"))
    }
}
