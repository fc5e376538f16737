//! The identifier: 3.0 §2 and §9, URI encoding and decoding.

use std::fmt;

use super::{Page, percent};
use crate::error::{Error, Part, Result};

/// Bytes that an identifier may have: what an object store takes as a key.
const MAX_BYTES: usize = 1024;

/// The name of an image, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identifier(String);

impl Identifier {
    /// Takes a decoded name: 1 to 1024 bytes, no control characters, no `.` or `..` between slashes.
    pub fn new(text: &str) -> Result<Self> {
        let dots = |segment: &str| segment == "." || segment == "..";
        if text.is_empty() || text.len() > MAX_BYTES || text.chars().any(char::is_control) || text.split(['/', '\\']).any(dots) {
            return Err(Self::error(text));
        }
        Ok(Self(text.to_owned()))
    }

    /// Decodes what stands in a URL, once.
    pub fn decode(raw: &str) -> Result<Self> {
        Self::new(&percent::decode(raw).ok_or_else(|| Self::error(raw))?)
    }

    /// The decoded name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document and the page that `document;page` means: a number from 1, or the name of an image beside a slide. A document has a name by the same rules:
    /// without its page, `..;2` is none.
    pub fn page(&self) -> Option<(Self, Page)> {
        let (name, page) = self.0.rsplit_once(';')?;
        Some((Self::new(name).ok()?, Page::parse(page)?))
    }

    /// The name of a page of this document; the first is the document's own.
    pub fn of_page(&self, page: impl Into<Page>) -> Option<Self> {
        let page = page.into();
        if page == Page::FIRST { Some(self.clone()) } else { Self::new(&format!("{self};{page}")).ok() }
    }

    /// The name as one segment of a URL.
    pub fn encoded(&self) -> String {
        // RFC 3986 pchar less `@`, which IIIF wants encoded, and less `;`, at which simple readers of Link headers cut.
        percent::encode(&self.0, |b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:".contains(&b))
    }

    fn error(value: &str) -> Error {
        Error::Syntax {
            part: Part::Identifier,
            value: value.to_owned(),
            expected: "1 to 1024 bytes of percent-encoded UTF-8 without control characters or dot segments",
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Associated;

    #[test]
    fn pages_of_documents() {
        let page = |text: &str| Identifier::new(text).unwrap().page().map(|(name, page)| (name.to_string(), page));
        assert_eq!(page("book.tif;2"), Some(("book.tif".to_owned(), Page::Number(2))));
        assert_eq!(page("a;1;999999"), Some(("a;1".to_owned(), Page::Number(999_999))));
        assert_eq!(page("slide.svs;label"), Some(("slide.svs".to_owned(), Associated::Label.into())));
        for text in ["book", "book;", "book;0", "book;02", "book;x", "book;+2", "book;1000000", "book;Label", ";label", ";2", "..;2", "a/..;2", "a/.;3"] {
            assert_eq!(page(text), None, "{text}");
        }
        let book = Identifier::new("book").unwrap();
        assert_eq!([1, 2].map(|page| book.of_page(page).unwrap().to_string()), ["book", "book;2"]);
        assert_eq!(book.of_page(Associated::Macro).unwrap().to_string(), "book;macro");
    }

    #[test]
    fn round_trip() {
        let identifier = Identifier::decode("ark:%2F12025%2F654xz321%20%C3%A9%25%3F%23%5B%5D%40").unwrap();
        assert_eq!(identifier.as_str(), "ark:/12025/654xz321 é%?#[]@");
        assert_eq!(identifier.encoded(), "ark:%2F12025%2F654xz321%20%C3%A9%25%3F%23%5B%5D%40");
        assert_eq!(Identifier::decode("a%252Fb").unwrap().as_str(), "a%2Fb");
    }

    #[test]
    fn refused() {
        for bad in ["", "%00", "a%0Ab", "%E0%A4%A", "..", "a%2F..%2Fb", "a%5C..%5Cb", "%2e%2e", "%7F", &"x".repeat(1025)] {
            assert!(Identifier::decode(bad).is_err(), "{bad}");
        }
        assert!(Identifier::decode(&"x".repeat(1024)).is_ok());
        assert!(Identifier::decode("...").is_ok());
    }
}
