//! Errors on their way to the client.

use super::answer::Answer;
use super::request::Request;
use crate::api::{ERROR_XML_MEDIA_TYPE, Object, Version, error_xml};
use crate::error::{Error, Part};
use crate::settings::Misconfigured;

/// The methods that are answered, as headers name them.
pub(super) const METHODS: &str = "GET, HEAD, OPTIONS";

/// Why a request has no better answer.
#[derive(Debug)]
pub enum Failure {
    /// The core's.
    Iiif(Error),
    /// The host's: of its storage, or of an image of its own.
    Host(Refusal),
    /// No such path. `prefixes` are the paths where images are.
    NoSuchPath {
        /// Separated by commas.
        prefixes: String,
        /// Whether there is a list of images.
        listed: bool,
    },
    /// The URL is too long.
    TooLong,
    /// A setting is wrong.
    Misconfigured(Misconfigured),
}

/// Why a host did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable kebab-case name.
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// A sentence for the client.
    pub message: String,
}

/// Codes of refusals after which the same request may succeed although nobody mends anything.
const RETRYABLE: [&str; 5] = ["busy", "overloaded", "source-read", "source-changed", "source-unreachable"];

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Iiif(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Host(refusal)
    }
}

impl Refusal {
    /// A refusal with this code.
    pub fn new(code: &str, status: u16, message: &str) -> Self {
        Self { code: code.to_owned(), status, message: message.to_owned() }
    }

    fn part(&self) -> Option<Part> {
        (self.code == "not-found").then_some(Part::Identifier)
    }
}

impl Failure {
    /// A stable kebab-case name.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Host(refusal) => &refusal.code,
            Self::Iiif(error) => error.code(),
            Self::NoSuchPath { .. } => "no-such-path",
            Self::TooLong => "too-long",
            Self::Misconfigured(_) => "misconfigured",
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::Host(refusal) => refusal.status,
            Self::Iiif(error) => error.status(),
            Self::NoSuchPath { .. } => 404,
            Self::TooLong => 414,
            Self::Misconfigured(_) => 500,
        }
    }

    /// Whether the same request may succeed later although nobody mends anything.
    fn is_retryable(&self) -> bool {
        match self {
            Self::Iiif(error) => error.is_retryable(),
            Self::Host(refusal) => RETRYABLE.contains(&refusal.code.as_str()),
            Self::NoSuchPath { .. } | Self::TooLong | Self::Misconfigured(_) => false,
        }
    }

    /// Whether the file was replaced since it was opened.
    pub(super) fn is_change(&self) -> bool {
        self.code() == "source-changed"
    }

    /// A sentence for the client.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Host(refusal) => refusal.message.clone(),
            Self::Iiif(error) => error.to_string(),
            Self::NoSuchPath { prefixes, listed: true } => format!("There is nothing here. Images are at {prefixes}, a list of them at /images.json."),
            Self::NoSuchPath { prefixes, listed: false } => format!("There is nothing here. Images are at {prefixes}."),
            Self::TooLong => "The address is too long.".to_owned(),
            Self::Misconfigured(Misconfigured { name, problem }) => format!("This service is not set up right: the variable {name} {problem}."),
        }
    }

    /// As an answer: JSON if the client accepts it, the XML of 1.0 if that version was asked, else a sentence.
    pub fn answer(&self, request: &Request, version: Option<Version>) -> Answer {
        let (status, code) = (self.status(), self.code());
        let (media_type, body) = match self {
            _ if request.wants_json() => {
                ("application/json", format!("{}\n", Object::new().text("code", code).text("error", &self.sentence()).number("status", status).end()))
            }
            Self::Iiif(error) if version == Some(Version::V1_0) => (ERROR_XML_MEDIA_TYPE, error_xml(error.part(), &error.to_string())),
            Self::Host(refusal) if version == Some(Version::V1_0) && refusal.code != "busy" => {
                (ERROR_XML_MEDIA_TYPE, error_xml(refusal.part(), &refusal.message))
            }
            _ => ("text/plain; charset=utf-8", format!("{}\n", self.sentence())),
        };
        // Who may see an image is not for shared caches to remember.
        let cached = if status < 500 && !matches!(status, 401 | 403) { "public, max-age=60" } else { "no-store" };
        let mut answer = Answer::text(status, media_type, body).with("cache-control", cached).with("vary", "Accept").untrusted();
        if status == 405 {
            answer = answer.with("allow", METHODS);
        }
        if self.is_retryable() {
            answer = answer.with("retry-after", "1");
        }
        answer.code = Some(code.to_owned());
        answer.detail = match self {
            Self::Iiif(Error::Internal { what }) => Some(what.clone()),
            _ if status >= 500 => Some(self.sentence()),
            _ => None,
        };
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::answer::tests::text;

    fn answered(failure: &Failure, accept: &str, version: Version) -> Answer {
        failure.answer(&Request::read(&format!("GET\nhttps://x/\n{accept}")), Some(version))
    }

    #[test]
    fn an_error_comes_in_the_form_that_is_accepted() {
        let missing = Failure::Iiif(Error::NotFound { identifier: "a\"b\n".to_owned() });
        let json = answered(&missing, "application/json", Version::V1_0);
        let body = text(&json).unwrap();
        assert!(body.starts_with("{\"code\":\"not-found\",\"error\":\"") && body.ends_with(",\"status\":404}\n"), "{body}");
        assert_eq!(json.header("content-type"), Some("application/json"));
        assert_eq!(answered(&missing, "*/*", Version::V1_0).header("content-type"), Some("text/xml"));
        assert_eq!(answered(&missing, "*/*", Version::V3).header("content-type"), Some("text/plain; charset=utf-8"));
        // 1.0 has no XML for what is no error of a request for an image.
        assert_eq!(answered(&Failure::TooLong, "*/*", Version::V1_0).header("content-type"), Some("text/plain; charset=utf-8"));
    }

    #[test]
    fn caches_keep_errors_of_the_client_alone() {
        for (failure, status, cached, retry) in [
            (Failure::Host(Refusal::new("busy", 503, "This service is busy. Try again.")), 503, "no-store", Some("1")),
            (Failure::TooLong, 414, "public, max-age=60", None),
            (Failure::Host(Refusal::new("forbidden", 403, "It is not for you.")), 403, "no-store", None),
            (Failure::NoSuchPath { prefixes: "/iiif/3/".to_owned(), listed: true }, 404, "public, max-age=60", None),
            (Failure::Misconfigured(Misconfigured::new("WORK", "is odd")), 500, "no-store", None),
            (Failure::Iiif(Error::Internal { what: "secret".to_owned() }), 500, "no-store", None),
        ] {
            let answer = answered(&failure, "", Version::V3);
            assert_eq!((answer.status, answer.header("cache-control"), answer.header("retry-after")), (status, Some(cached), retry), "{failure:?}");
            assert!(!text(&answer).unwrap().contains("secret"));
            assert_eq!(answer.detail.is_some(), status >= 500, "{failure:?}");
        }
    }
}
