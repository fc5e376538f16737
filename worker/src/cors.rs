//! Who may read the answers from another site's page. Credentials are never allowed, so `*` is the honest default.

/// The origins that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Every one.
    All,
    /// These, spelt as browsers spell them.
    These(Vec<String>),
}

impl Origins {
    /// Reads `*` or a list parted by commas or spaces.
    pub fn parse(text: &str) -> Option<Self> {
        let list: Vec<String> = text.split([',', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if list == ["*"] {
            return Some(Self::All);
        }
        let sound = |origin: &String| worker::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
        (!list.is_empty() && list.iter().all(sound)).then_some(Self::These(list))
    }

    /// The headers of every answer: who may read it, and which of its headers.
    pub fn headers(&self, origin: Option<&str>) -> Vec<(&'static str, String)> {
        const EXPOSED: &str = "Azulejo-Incomplete, Content-Disposition, Content-Length, ETag, Last-Modified, Link, Location, Retry-After, Server-Timing";
        let allowed = match self {
            Self::All => Some("*"),
            Self::These(list) => origin.filter(|origin| list.iter().any(|each| each == origin)),
        };
        let mut headers = Vec::new();
        if let Some(allowed) = allowed {
            headers.push(("access-control-allow-origin", allowed.to_owned()));
            headers.push(("access-control-expose-headers", EXPOSED.to_owned()));
        }
        headers
    }

    /// Whether the headers differ from origin to origin.
    pub fn vary(&self) -> bool {
        matches!(self, Self::These(_))
    }
}

/// The headers of the answer to a preflight, besides those of every answer. `asked` is `Access-Control-Request-Headers`.
pub(crate) fn preflight(asked: Option<&str>) -> Vec<(&'static str, String)> {
    let token = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let names: Vec<&str> = asked.unwrap_or_default().split(',').map(str::trim).filter(|name| token(name)).take(32).collect();
    let names = if names.is_empty() { "accept, if-none-match, if-modified-since".to_owned() } else { names.join(", ") };
    vec![
        ("access-control-allow-methods", "GET, HEAD, OPTIONS".to_owned()),
        ("access-control-allow-headers", names),
        ("access-control-max-age", "86400".to_owned()),
    ]
}
