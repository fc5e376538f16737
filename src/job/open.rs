//! Opening an image.

use super::{Meter, widen};
use crate::api::Page;
use crate::bytes::{ByteRange, ByteStore, Step};
use crate::error::{Result, Stop};
use crate::limits::Limits;
use crate::pyramid::Pyramid;

/// Reads the headers of a file.
///
/// ```
/// # use azulejo::{Limits, Open, Step};
/// let file = include_bytes!("../../www/samples/rocket.jpg");
/// let mut job = Open::new(file.len() as u64, &Limits::default());
/// let pyramid = loop {
///     match job.step()? {
///         Step::Done(pyramid) => break pyramid,
///         Step::Piece(_) => unreachable!("only answers come in pieces"),
///         Step::Need(ranges) => {
///             for range in ranges {
///                 job.provide(range.start(), file[range.start() as usize..range.end() as usize].to_vec())?;
///             }
///         }
///     }
/// };
/// assert_eq!((pyramid.dimensions().width(), pyramid.dimensions().height()), (640, 427));
/// # Ok::<(), azulejo::Error>(())
/// ```
#[derive(Debug)]
pub struct Open {
    store: ByteStore,
    page: Page,
    limits: Limits,
    meter: Meter,
}

impl Open {
    /// Bytes of the first read, if there are as many: enough for the headers of nearly every file.
    pub const FIRST_READ: u64 = 16 << 10;

    /// For a file of `size` bytes.
    pub fn new(size: u64, limits: &Limits) -> Self {
        Self { store: ByteStore::noting(size), page: Page::FIRST, limits: limits.clone(), meter: Meter::default() }
    }

    /// Of a document, this page (from 1), or an image beside the scan of a slide; [`crate::Error::PageNotFound`] if it is not there.
    pub fn page(self, page: impl Into<Page>) -> Self {
        Self { page: page.into(), ..self }
    }

    /// Goes on as far as the bytes reach.
    pub fn step(&mut self) -> Result<Step<Pyramid>> {
        if self.store.held() == 0
            && let Some(first) = ByteRange::new(0, self.store.size().min(Self::FIRST_READ))
        {
            return self.meter.need(vec![first], &self.limits);
        }
        self.store.note_anew();
        match Pyramid::open(&self.store, self.page, self.limits.window) {
            Ok(pyramid) => Ok(Step::Done(pyramid)),
            Err(Stop::Fail(error)) => Err(error),
            Err(Stop::Need(ranges)) => {
                self.meter.round(&self.limits)?;
                let missing = widen(&ranges, &self.store);
                self.meter.need(missing, &self.limits)
            }
        }
    }

    /// Hands over fetched bytes, or such as are known before any is asked for.
    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.store.provide(offset, bytes)
    }

    /// The bytes that the image was opened with, and where each run of them begins. Handed over before the first step to another job for the same version of
    /// the file and the same page, they are all that it needs.
    pub fn headers(&self) -> Vec<(u64, Vec<u8>)> {
        self.store.noted()
    }
}
