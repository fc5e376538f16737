//! Which pages of other sites may read the answers (WHATWG Fetch, CORS). Credentials are never allowed, so `*` is an honest default.

use crate::settings::Origins;

/// Headers that pages of other sites may read.
const EXPOSED: &str = "Azulejo-Incomplete, Content-Disposition, Content-Length, ETag, Last-Modified, Link, Location, Retry-After, Server-Timing";
/// Names of `Access-Control-Request-Headers` that are repeated in the answer, at most.
const MOST_NAMES: usize = 32;

/// The headers of every answer.
pub(super) fn headers(origins: &Origins, origin: Option<&str>) -> Vec<(&'static str, String)> {
    let Some(allowed) = origins.allowed(origin) else { return Vec::new() };
    vec![("access-control-allow-origin", allowed.to_owned()), ("access-control-expose-headers", EXPOSED.to_owned())]
}

/// The headers of the answer to a preflight, besides those of every answer. `asked` is `Access-Control-Request-Headers`.
pub(super) fn preflight(asked: Option<&str>) -> Vec<(&'static str, String)> {
    let token = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let names: Vec<&str> = asked.unwrap_or_default().split(',').map(str::trim).filter(|name| token(name)).take(MOST_NAMES).collect();
    let names = if names.is_empty() { "accept, if-none-match, if-modified-since".to_owned() } else { names.join(", ") };
    vec![
        ("access-control-allow-methods", "GET, HEAD, OPTIONS".to_owned()),
        ("access-control-allow-headers", names),
        ("access-control-max-age", "86400".to_owned()),
    ]
}
