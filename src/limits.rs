//! The budgets that every request is held to, and what it may put up with.

use crate::window::Window;

/// What is finished of a file is handed over once it is this many bytes.
pub(crate) use azulejo_codecs::PIECE;

/// What one request may ask for and may cost. Checked before anything is allocated.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Greatest width of an answer, px; published as `maxWidth`.
    pub max_width: Option<u32>,
    /// Greatest height of an answer, px; published as `maxHeight`. Means something only beside `max_width`.
    pub max_height: Option<u32>,
    /// Greatest area of an answer, px²; published as `maxArea`.
    pub max_area: Option<u64>,
    /// Bytes of working memory a request may take: fetched bytes, decoded pixels, output.
    pub memory: u64,
    /// Bytes that one request may fetch in all.
    pub fetched: u64,
    /// Ranges that one request may fetch in all.
    pub ranges: u32,
    /// Rounds of fetching that opening an image may take.
    pub rounds: u32,
    /// CPU time that one request may take, in nanoseconds of the machine of the calibration (`plan/cost/work.rs`): estimated before, and counted where headers
    /// do not tell.
    pub work: u64,
    /// Whether a file whose pixels are damaged or cut off is shown as far as it can be decoded ([`Incomplete`](crate::Incomplete)); if not, that is an error.
    /// It is about the bytes of the file: a read that fails or changes is always an error.
    pub show_incomplete: bool,
    /// Which values of samples become black and white; in force from when an image is opened.
    pub window: Window,
}

impl Limits {
    /// Units of work in a second of CPU time.
    pub const WORK_PER_SECOND: u64 = 1_000_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_width: None,
            max_height: None,
            // What still fits the memory as a colour JPEG or PNG, whatever the source.
            max_area: Some(12 << 20),
            memory: 42 << 20,
            fetched: 512 << 20,
            ranges: 4096,
            // A page of a document is found by way of all before it, where their directories lie between their pixels.
            rounds: 512,
            work: 5 * Self::WORK_PER_SECOND,
            // One bad byte must not hide a page from its readers.
            show_incomplete: true,
            window: Window::Auto,
        }
    }
}
