//! Conditional requests (RFC 9110, section 13), and how long answers are kept.

use std::time::{Duration, UNIX_EPOCH};

use super::answer::{Answer, Body};
use super::request::Request;

impl Answer {
    /// Adds what clients and caches need to keep an answer, or makes it a 304 if the client has it already. `tag` names the answer: it goes into `ETag`. `modified` is
    /// when the file was stored, ms since 1970. A file of which neither is known is never a 304.
    pub fn validated(mut self, request: &Request, tag: Option<&str>, modified: Option<f64>, cache_control: &str) -> Self {
        let etag = tag.map(|tag| format!("\"{tag}\""));
        let fresh = match (&request.if_none_match, &request.if_modified_since) {
            // The weak comparison.
            (Some(list), _) => {
                let has = |tag: &str| tag == "*" || Some(tag.strip_prefix("W/").unwrap_or(tag)) == etag.as_deref();
                etag.is_some() && list.split(',').map(str::trim).any(has)
            }
            // HTTP's dates have whole seconds. One that is none is ignored.
            (None, Some(since)) => modified.zip(date(since)).is_some_and(|(modified, since)| since.as_secs_f64() >= (modified / 1000.0).floor()),
            (None, None) => false,
        };
        self.headers.extend(etag.map(|etag| ("etag", etag)));
        self.headers.extend(modified.map(|ms| ("last-modified", date_text(ms))));
        let answer = self.with("cache-control", cache_control);
        if fresh { answer.not_modified() } else { answer }
    }

    /// The same without a body, because the client has it.
    fn not_modified(mut self) -> Self {
        self.status = 304;
        self.body = Body::None;
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

/// ms since 1970 as an HTTP date.
fn date_text(ms: f64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs_f64((ms / 1000.0).clamp(0.0, LAST_DATE)))
}

/// The end of the year 9999, the last that an HTTP date can name, s since 1970.
const LAST_DATE: f64 = 253_402_300_799.0;

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
    use crate::service::answer::tests::text;

    fn validated(headers: &str) -> Answer {
        let request = Request::read(&format!("GET\nhttps://x/\n\n{headers}"));
        Answer::text(200, "text/plain", "body".to_owned()).validated(&request, Some("abc"), Some(1_700_000_000_900.0), "public, max-age=9")
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
            assert_eq!(text(&answer).is_some(), status == 200, "{headers:?}");
            assert_eq!(answer.header("content-type").is_some(), status == 200, "{headers:?}");
            assert_eq!((answer.header("etag"), answer.header("cache-control")), (Some("\"abc\""), Some("public, max-age=9")));
            assert_eq!(answer.header("last-modified"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
        }
    }

    #[test]
    fn a_file_without_etag_and_date_is_always_sent() {
        for headers in ["*\n", "\"abc\"\n", "\nTue, 14 Nov 2023 22:13:20 GMT"] {
            let request = Request::read(&format!("GET\nhttps://x/\n\n{headers}"));
            let answer = Answer::text(200, "text/plain", "body".to_owned()).validated(&request, None, None, "no-store");
            assert_eq!((answer.status, answer.header("etag"), answer.header("last-modified")), (200, None, None), "{headers:?}");
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
