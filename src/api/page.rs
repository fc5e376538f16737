//! Which image of a file is meant: a page of a document by its number, or an image beside the scan of a slide by its name. In an identifier it stands behind a
//! semicolon: `name;2`, `name;label`.

use std::fmt;

/// Most digits of a page's number.
const MOST_DIGITS: usize = 6;

/// An image of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Page {
    /// A page, from 1. The scan of a slide is page 1.
    Number(u32),
    /// An image that belongs to the scan of a slide.
    Named(Associated),
}

/// Images that scanners store beside the scan of a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Associated {
    /// The label on the slide.
    Label,
    /// The whole slide, by a camera.
    Macro,
    /// The scan as a small picture.
    Thumbnail,
}

impl Associated {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Label, Self::Macro, Self::Thumbnail];

    /// What stands for it in an identifier.
    pub fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Macro => "macro",
            Self::Thumbnail => "thumbnail",
        }
    }

    /// The image of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|image| image.name() == name)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Label => 1,
            Self::Macro => 2,
            Self::Thumbnail => 4,
        }
    }
}

impl Page {
    /// The first page.
    pub const FIRST: Self = Self::Number(1);

    /// Reads `2` or `label`; `None` for what is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = !text.starts_with('0') && text.len() <= MOST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if plain => Some(Self::Number(number)),
            _ => Associated::parse(text).map(Self::Named),
        }
    }

    /// The number of a page that has one.
    pub fn number(self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(number),
            Self::Named(_) => None,
        }
    }
}

impl From<u32> for Page {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<Associated> for Page {
    fn from(image: Associated) -> Self {
        Self::Named(image)
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Named(image) => f.write_str(image.name()),
        }
    }
}

/// Which images there are beside the scan of a slide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssociatedSet(u8);

impl AssociatedSet {
    /// None, as of every file that is no slide.
    pub const NONE: Self = Self(0);

    /// With one more.
    pub fn with(self, image: Associated) -> Self {
        Self(self.0 | image.bit())
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that there are, in the order of [`Associated::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Associated> {
        Associated::ALL.into_iter().filter(move |image| self.0 & image.bit() != 0)
    }
}

impl FromIterator<Associated> for AssociatedSet {
    fn from_iter<I: IntoIterator<Item = Associated>>(images: I) -> Self {
        images.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for page in [Page::FIRST, Page::Number(999_999), Associated::Label.into(), Associated::Macro.into(), Associated::Thumbnail.into()] {
            assert_eq!(Page::parse(&page.to_string()), Some(page));
        }
        for text in ["", "0", "02", "+2", "1000000", "x", "Label", "labels", "2 "] {
            assert_eq!(Page::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_set_lists_its_images_in_one_order() {
        let set: AssociatedSet = [Associated::Thumbnail, Associated::Label].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Associated::Label, Associated::Thumbnail]);
        assert!(!set.is_empty() && AssociatedSet::NONE.is_empty());
    }
}
