//! What can go wrong, sorted by whose fault it is.
//!
//! One [`Error`] for the whole core. A variant carries data, `Display` is one plain sentence that says what was asked and what is allowed,
//! [`Error::code`] is a stable kebab-case name and [`Error::status`] the HTTP number.

mod limit;

use std::fmt;

use crate::api::{Page, Version};
use crate::bytes::ByteRange;
use crate::geometry::Dimensions;

pub use limit::{Budget, Remedy, SizeLimit};

/// The result of everything that cannot lack bytes.
pub type Result<T> = std::result::Result<T, Error>;

/// The file formats that the core reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceFormat {
    /// JPEG (ITU T.81), any process.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// GIF, of which the first frame is shown.
    Gif,
    /// TIFF 6.0 and BigTIFF.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// An IIIF service of level 0, whose static tiles the package stitches. No file has this format.
    Level0,
}

impl SourceFormat {
    /// All that files may have.
    pub const FILES: [Self; 6] = [Self::Jpeg, Self::Png, Self::WebP, Self::Gif, Self::Tiff, Self::Bmp];

    /// The name in small letters, as the package and its modules call the format.
    pub fn key(self) -> String {
        self.name().to_ascii_lowercase()
    }

    /// The name people know the format by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Level0 => "level0",
        }
    }
}

impl fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The parts of a IIIF request that an error can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The path as a whole: number of segments, unknown version.
    Path,
    /// The identifier.
    Identifier,
    /// The region.
    Region,
    /// The size.
    Size,
    /// The rotation.
    Rotation,
    /// The quality.
    Quality,
    /// The format.
    Format,
}

impl Part {
    /// The specification's name of the part.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Identifier => "identifier",
            Self::Region => "region",
            Self::Size => "size",
            Self::Rotation => "rotation",
            Self::Quality => "quality",
            Self::Format => "format",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Everything that can go wrong between a URI and the bytes of its answer.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// The request is not well-formed: 400.
    Syntax {
        /// Which part of the request.
        part: Part,
        /// The text as it was given (decoded).
        value: String,
        /// What is allowed there.
        expected: &'static str,
    },
    /// An option of a function is none: 400.
    Argument {
        /// Its name.
        name: &'static str,
        /// What was given.
        value: u32,
        /// What is allowed.
        expected: &'static str,
    },
    /// The region lies wholly outside the image: 400.
    RegionOutside {
        /// The region as it was given.
        value: String,
        /// Width of the image, px.
        width: u32,
        /// Height of the image, px.
        height: u32,
    },
    /// A region or size of no pixels: 400.
    EmptyResult {
        /// Which part of the request.
        part: Part,
        /// The text as it was given.
        value: String,
    },
    /// 3.0: the size is larger than the region and has no `^`: 400.
    UpscaleNeedsCaret {
        /// The size as it was given.
        value: String,
        /// Width of the region, px.
        width: u32,
        /// Height of the region, px.
        height: u32,
    },
    /// The service does not scale up: 501.
    UpscaleUnsupported {
        /// The size as it was given.
        value: String,
    },
    /// The size is over what the service publishes or what the format can hold: 400.
    TooLarge {
        /// The size as it was given.
        value: String,
        /// The box that holds it once it is rotated, if it is that box which is over the limit.
        rotated: Option<Dimensions>,
        /// The limit.
        limit: SizeLimit,
        /// The largest size of the same shape that is allowed, if there is one.
        largest: Option<Dimensions>,
    },
    /// A well-formed value that this service does not have: 400; in 1.x 415 for a format, 501 otherwise.
    Unsupported {
        /// Which part of the request.
        part: Part,
        /// The text as it was given.
        value: String,
        /// What there is instead, for the message.
        offered: String,
        /// The version that was asked, for the status.
        version: Version,
    },
    /// No such image: 404. Drivers only.
    NotFound {
        /// The identifier, decoded.
        identifier: String,
    },
    /// The file has no such page: 404.
    PageNotFound {
        /// The page that was asked for.
        page: Page,
        /// How many there are.
        pages: u32,
    },
    /// Not GET, HEAD or OPTIONS: 405. Drivers only.
    MethodNotAllowed,
    /// The file is sound, but needs something that is not built in: 501.
    SourceUnsupported {
        /// What the file is; `None` when no known format was recognised.
        format: Option<SourceFormat>,
        /// What it needs.
        feature: String,
    },
    /// The file is broken: 500.
    SourceCorrupt {
        /// What the file is.
        format: SourceFormat,
        /// Byte offset at or after which it was noticed.
        at: u64,
        /// What is wrong.
        what: String,
    },
    /// The answer would cost more than a budget allows: 503, also when it is asked for again. Nothing was allocated.
    SourceTooCostly {
        /// Which budget, and with it the unit of the two numbers.
        what: Budget,
        /// What the answer needs.
        needs: u64,
        /// What the budget allows.
        limit: u64,
        /// What the client can do.
        remedy: Remedy,
    },
    /// The source could not be read: 503, worth another try.
    SourceRead {
        /// What the reader said.
        what: String,
    },
    /// The source was replaced while it was read: 503, worth another try.
    SourceChanged,
    /// A defect of this program: 500. Logged, never detailed to the client.
    Internal {
        /// For the log.
        what: String,
    },
}

impl Error {
    /// A cost over its budget. No size is known that would be within it.
    pub fn too_costly(what: Budget, needs: u64, limit: u64) -> Self {
        // A file is opened in the same way whatever size is asked for.
        let remedy = if what == Budget::Rounds { Remedy::Together } else { Remedy::Less };
        Self::SourceTooCostly { what, needs, limit, remedy }
    }

    /// Whether it says that the bytes of a file are wrong or end too early.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::SourceCorrupt { .. })
    }

    /// A stable kebab-case name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::Argument { .. } => "invalid-argument",
            Self::RegionOutside { .. } => "region-outside",
            Self::EmptyResult { .. } => "empty-result",
            Self::UpscaleNeedsCaret { .. } => "upscale-needs-caret",
            Self::UpscaleUnsupported { .. } => "upscale-unsupported",
            Self::TooLarge { .. } => "too-large",
            Self::Unsupported { .. } => "unsupported",
            Self::NotFound { .. } | Self::PageNotFound { .. } => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::SourceUnsupported { .. } => "source-unsupported",
            Self::SourceCorrupt { .. } => "source-corrupt",
            Self::SourceTooCostly { .. } => "source-too-costly",
            Self::SourceRead { .. } => "source-read",
            Self::SourceChanged => "source-changed",
            Self::Internal { .. } => "internal",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Syntax { .. }
            | Self::Argument { .. }
            | Self::RegionOutside { .. }
            | Self::EmptyResult { .. }
            | Self::UpscaleNeedsCaret { .. }
            | Self::TooLarge { .. } => 400,
            Self::Unsupported { part, version, .. } => match (version, part) {
                (Version::V1_0 | Version::V1_1, Part::Format) => 415,
                (Version::V1_0 | Version::V1_1, _) => 501,
                _ => 400,
            },
            Self::UpscaleUnsupported { .. } | Self::SourceUnsupported { .. } => 501,
            Self::NotFound { .. } | Self::PageNotFound { .. } => 404,
            Self::MethodNotAllowed => 405,
            Self::SourceCorrupt { .. } | Self::Internal { .. } => 500,
            Self::SourceTooCostly { .. } | Self::SourceRead { .. } | Self::SourceChanged => 503,
        }
    }

    /// The part of the request that is to blame, if the request is (the `parameter` of a 1.0 XML error).
    pub fn part(&self) -> Option<Part> {
        match self {
            Self::Syntax { part, .. } | Self::EmptyResult { part, .. } | Self::Unsupported { part, .. } => Some(*part),
            Self::RegionOutside { .. } => Some(Part::Region),
            Self::UpscaleNeedsCaret { .. } | Self::UpscaleUnsupported { .. } | Self::TooLarge { .. } => Some(Part::Size),
            Self::NotFound { .. } | Self::PageNotFound { .. } => Some(Part::Identifier),
            _ => None,
        }
    }

    /// Whether the same request may succeed later without anything being mended.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::SourceRead { .. } | Self::SourceChanged)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { part, value, expected } => {
                write!(f, "The {part} {} is not valid: expected {expected}.", Quoted(value))
            }
            Self::Argument { name, value, expected } => write!(f, "{name} is {value}, and should be {expected}."),
            Self::RegionOutside { value, width, height } => {
                write!(f, "The region {} lies outside the image, which is {width} × {height} pixels.", Quoted(value))
            }
            Self::EmptyResult { part, value } => write!(f, "The {part} {} has no pixels: width and height must be at least 1.", Quoted(value)),
            Self::UpscaleNeedsCaret { value, width, height } => {
                write!(f, "The size {} is larger than the region, which is {width} × {height} pixels: put ^ before it to scale up.", Quoted(value))
            }
            Self::UpscaleUnsupported { value } => write!(f, "The size {} needs scaling up, which this service does not do.", Quoted(value)),
            Self::TooLarge { value, rotated, limit, largest } => {
                match rotated {
                    None => write!(f, "The size {} is over {limit}: ", Quoted(value))?,
                    Some(size) => {
                        write!(f, "The size {} becomes {} × {} pixels when it is rotated, over {limit}: ", Quoted(value), size.width(), size.height())?
                    }
                }
                match largest {
                    Some(size) => write!(f, "at most {},{} fits", size.width(), size.height())?,
                    None => f.write_str("no size fits")?,
                }
                f.write_str(if rotated.is_some() { " with this rotation." } else { "." })
            }
            Self::Unsupported { part, value, offered, .. } => write!(f, "This service does not have the {part} {}: it has {offered}.", Quoted(value)),
            Self::NotFound { identifier } => write!(f, "There is no image {}.", Quoted(identifier)),
            Self::PageNotFound { page: Page::Named(image), .. } => write!(f, "The file has no {} image.", image.name()),
            Self::PageNotFound { page, pages: 1 } => write!(f, "There is no page {page}: the image has one."),
            Self::PageNotFound { page, pages } => write!(f, "There is no page {page}: the image has {pages}."),
            Self::MethodNotAllowed => f.write_str("Only GET, HEAD and OPTIONS are allowed."),
            Self::SourceUnsupported { format: Some(format), feature } => {
                write!(f, "The image is a {format} file that needs something not built in: {feature}.")
            }
            Self::SourceUnsupported { format: None, feature } => write!(f, "The file is not an image this service can read: {feature}."),
            Self::SourceCorrupt { format, at, what } => write!(f, "The image is a broken {format} file: {what} (at byte {at})."),
            Self::SourceTooCostly { what, needs, limit, remedy } => write!(f, "The request {}: {remedy}.", what.compare(*needs, *limit)),
            Self::SourceRead { what } => write!(f, "The image could not be read: {what}. Try again."),
            Self::SourceChanged => f.write_str("The image was replaced while it was read. Try again."),
            Self::Internal { .. } => f.write_str("Something went wrong inside this service."),
        }
    }
}

impl std::error::Error for Error {}

/// A value of the request, made safe to print: shortened, control characters escaped.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        f.write_str("\"")?;
        for c in self.0.chars().take(SHOWN) {
            if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
        }
        if self.0.chars().nth(SHOWN).is_some() {
            f.write_str("…")?;
        }
        f.write_str("\"")
    }
}

/// Why a phase of work stopped before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// These bytes are not here yet. Never empty.
    Need(Vec<ByteRange>),
    /// It cannot be done.
    Fail(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fail(error)
    }
}
