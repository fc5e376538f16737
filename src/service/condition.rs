//! Conditional requests (RFC 9110, section 13), and how long answers are kept.

use std::time::{Duration, UNIX_EPOCH};

use super::answer::{Answer, Body};
use super::request::Request;

/// The version of the object that an answer was made of.
#[derive(Debug, Clone, Copy)]
pub struct StoredVersion<'a> {
    /// When it was stored, ms since 1970.
    pub uploaded: f64,
    /// The same as an HTTP date.
    pub modified: &'a str,
}

impl<B: Body> Answer<B> {
    /// Adds what clients and caches need to keep an answer; or makes it a 304, if the client has it already. `tag` names the answer: it goes into `ETag`.
    pub fn validated(self, request: &Request, tag: &str, version: StoredVersion<'_>, cache_control: &str) -> Self {
        let etag = format!("\"{tag}\"");
        let fresh = match (&request.if_none_match, &request.if_modified_since) {
            // The weak comparison.
            (Some(list), _) => list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag),
            // HTTP's dates have whole seconds. One that is none is ignored.
            (None, Some(since)) => date(since).is_some_and(|since| since.as_secs_f64() >= (version.uploaded / 1000.0).floor()),
            (None, None) => false,
        };
        let answer = self.with("etag", etag).with("last-modified", version.modified).with("cache-control", cache_control);
        if fresh { answer.not_modified() } else { answer }
    }

    /// The same without a body, because the client has it.
    fn not_modified(mut self) -> Self {
        self.status = 304;
        self.body = B::empty();
        self.headers.retain(|(name, _)| *name != "content-type");
        self
    }

    /// The same for a damaged image, of which so many rows could be decoded. It is kept for a minute at most. It has no `ETag` and no `Last-Modified`, as a 304 would
    /// not say that it is damaged.
    pub fn incomplete(mut self, rows: u32) -> Self {
        self.headers.retain(|(name, _)| !matches!(*name, "etag" | "last-modified"));
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| *name == "cache-control") {
            *value = brief(value);
        }
        self.with("azulejo-incomplete", format!("rows={rows}"))
    }
}

/// An HTTP date in one of its three forms (RFC 9110, section 5.6.7), since 1970.
fn date(text: &str) -> Option<Duration> {
    httpdate::parse_http_date(text.trim()).ok()?.duration_since(UNIX_EPOCH).ok()
}

/// `Cache-Control` for a minute at most, with everything else that it says.
fn brief(control: &str) -> String {
    const MOST: u64 = 60;
    let mut directives = Vec::new();
    let mut lasts = true;
    for directive in control.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim().to_ascii_lowercase();
        match name.as_str() {
            "max-age" | "s-maxage" => {
                let seconds = value.trim().trim_matches('"').parse().unwrap_or(0_u64).min(MOST);
                lasts &= name != "max-age";
                directives.push(format!("{name}={seconds}"));
            }
            "stale-while-revalidate" | "stale-if-error" | "immutable" => {}
            _ => {
                lasts &= !matches!(name.as_str(), "no-store" | "no-cache");
                directives.push(directive.to_owned());
            }
        }
    }
    // Caches choose an age themselves if there is none.
    if lasts {
        directives.push(format!("max-age={MOST}"));
    }
    directives.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::answer::tests::Plain;

    fn validated(headers: &str) -> Answer<Plain> {
        let request = Request::read(&format!("GET\nhttps://x/\n\n{headers}"));
        let version = StoredVersion { uploaded: 1_700_000_000_900.0, modified: "Tue, 14 Nov 2023 22:13:20 GMT" };
        Answer::text(200, "text/plain", "body".to_owned()).validated(&request, "abc", version, "public, max-age=9")
    }

    #[test]
    fn who_has_an_answer_does_not_get_it_again() {
        for (headers, status) in [
            ("\n", 200),
            ("\"abc\"\n", 304),
            ("\"x\", W/\"abc\"\n", 304),
            ("*\n", 304),
            ("abc\n", 200),
            ("\"abcd\"\n", 200),
            ("\nTue, 14 Nov 2023 22:13:20 GMT", 304),
            ("\nTuesday, 14-Nov-23 22:13:20 GMT", 304),
            ("\nTue Nov 14 22:13:20 2023", 304),
            ("\nTue, 14 Nov 2023 22:13:19 GMT", 200),
            ("\nnever", 200),
            // The tag decides where both are given.
            ("\"x\"\nTue, 14 Nov 2023 22:13:20 GMT", 200),
        ] {
            let answer = validated(headers);
            assert_eq!(answer.status, status, "{headers:?}");
            assert_eq!(answer.body.0.is_some(), status == 200, "{headers:?}");
            assert_eq!(answer.header("content-type").is_some(), status == 200, "{headers:?}");
            assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some("\"abc\""), Some("public, max-age=9")));
        }
    }

    #[test]
    fn a_damaged_image_is_kept_for_a_minute() {
        let answer = validated("\n").incomplete(7);
        assert_eq!((answer.header("etag"), answer.header("last-modified"), answer.header("azulejo-incomplete")), (None, None, Some("rows=7")));
        for (control, expected) in [
            ("public, max-age=3600, stale-while-revalidate=604800", "public, max-age=60"),
            ("max-age=\"5\", s-maxage=90, immutable", "max-age=5, s-maxage=60"),
            ("private", "private, max-age=60"),
            ("no-store", "no-store"),
            ("max-age=x", "max-age=0"),
        ] {
            assert_eq!(brief(control), expected);
        }
    }
}
