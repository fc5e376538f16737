//! Writing pyramids: any image that can be read becomes a tiled TIFF with all its levels, so that afterwards every tile costs what a tile costs.
//!
//! The image is decoded once, from its first row to its last; each level is made of the one above as rows come, and tiles leave as soon as they are full.
//! What is a JPEG already loses nothing: the tiles of its largest level are made of its own coefficients, in its own colours, and only the others are encoded.
//! The largest level's tiles are ready first and yet stand last in the file, so the driver keeps a *spool* for each level, and puts them together at the end.

mod axis;
mod copied;
mod halve;
mod head;
mod level;
mod source;
mod writer;

use self::copied::Copied;
use self::source::{Made, Rows};
use self::writer::Writer;
use crate::bytes::{self, ByteRange};
pub use crate::codec::TileCompression as Compression;
use crate::error::{Budget, Error, Result};
use crate::geometry::Dimensions;
use crate::limits::Limits;
use crate::pyramid::Pyramid;

/// How a pyramid is written; the same options give the same bytes.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Options {
    /// Side of a tile, px: a multiple of 16 from 64 to 2048.
    pub tile: u32,
    /// 1 to 100, of JPEG and WebP. The largest level of what is a JPEG file of one sequential scan, gray or YCbCr, keeps that file's coefficients, and so its quality
    /// and its sampling, unless its compression is another, `tile` or the orientation would cut MCUs, or the memory is too little for that.
    pub quality: u8,
    /// `None` is JPEG, or Deflate for an image with alpha.
    pub compression: Option<Compression>,
    /// Bytes of memory that the job may take. Files that are not read by range must fit it as a whole.
    pub memory: u64,
    /// CPU time that the job may take, ns on the machine that estimates are calibrated on, as [`Limits::work`](crate::Limits::work). It is checked before
    /// anything is read.
    pub work: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { tile: 512, quality: 88, compression: None, memory: 112 << 20, work: 3600 * Limits::WORK_PER_SECOND }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        if !(64..=2048).contains(&self.tile) || !self.tile.is_multiple_of(16) {
            return Err(Error::Argument { name: "tile", value: self.tile, expected: "a multiple of 16 from 64 to 2048" });
        }
        if !(1..=100).contains(&self.quality) {
            return Err(Error::Argument { name: "quality", value: self.quality.into(), expected: "a number from 1 to 100" });
        }
        Ok(())
    }
}

/// What became of a step.
#[derive(Debug)]
pub enum Step {
    /// Fetch these, provide them, and step again. Never empty.
    Need(Vec<ByteRange>),
    /// Append these bytes to the spool of a level, 0 being the full image, and step again.
    Piece {
        /// Whose spool.
        spool: usize,
        /// A tile.
        bytes: Vec<u8>,
    },
    /// All tiles have left; final.
    Done(Finished),
}

/// How the file is put together: its head, then the spools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// All directories and tables.
    pub head: Vec<u8>,
    /// The order of the spools behind it.
    pub spools: Vec<usize>,
    /// Size of the full image, orientation applied, px.
    pub dimensions: Dimensions,
}

/// Writes one pyramid.
///
/// ```
/// # use azulejo::ingest::{Ingest, Options, Step};
/// # use azulejo::{api::Service, native};
/// let mut file = include_bytes!("../../www/samples/rocket.jpg").as_slice();
/// let pyramid = native::open(&mut file, &Service::default())?;
/// let mut job = Ingest::new(&pyramid, &Options::default())?;
/// let mut spools = vec![Vec::new(); job.levels()];
/// let finished = loop {
///     match job.step()? {
///         Step::Need(ranges) => {
///             for range in ranges {
///                 job.provide(range.start(), file[range.start() as usize..range.end() as usize].to_vec())?;
///             }
///         }
///         Step::Piece { spool, bytes } => spools[spool].extend(bytes),
///         Step::Done(finished) => break finished,
///     }
/// };
/// let mut tiff = finished.head;
/// for spool in finished.spools {
///     tiff.append(&mut spools[spool]);
/// }
/// let pyramid = native::open(&mut tiff.as_slice(), &Service::default())?;
/// assert_eq!((pyramid.dimensions().width(), pyramid.format().name()), (640, "TIFF"));
/// # Ok::<(), azulejo::Error>(())
/// ```
pub struct Ingest {
    rows: Rows,
    writer: Writer,
    more: bool,
}

impl Ingest {
    /// Plans a pyramid of an opened image; [`Error::SourceTooCostly`] if it would take more memory or CPU time than it may, [`Error::Argument`] for an option that is none.
    pub fn new(pyramid: &Pyramid, options: &Options) -> Result<Self> {
        options.check()?;
        let copied = if options.compression.is_none_or(|compression| compression == Compression::Jpeg) { Copied::of(pyramid, options.tile)? } else { None };
        let copies = copied.is_some();
        match Self::with(pyramid, options, copied) {
            // Encoded anew, less is held.
            Err(Error::SourceTooCostly { what: Budget::Memory, .. }) if copies => Self::with(pyramid, options, None),
            outcome => outcome,
        }
    }

    fn with(pyramid: &Pyramid, options: &Options, copied: Option<Copied>) -> Result<Self> {
        let rows = Rows::new(pyramid, options, copied.is_some())?;
        let mut writer = Writer::new(pyramid, options, rows.memory(), copied);
        writer.settle(rows.channels())?;
        Ok(Self { rows, writer, more: true })
    }

    /// How many levels, and thus spools, there are.
    pub fn levels(&self) -> usize {
        self.writer.sizes.len()
    }

    /// Bytes of memory that this will take at most, as far as is known: whether a file has alpha, its first rows may tell.
    pub fn memory(&self) -> u64 {
        self.writer.memory
    }

    /// Bytes that are held for the levels now: unfinished tiles, finished ones that wait to be taken, and tables.
    pub fn held(&self) -> u64 {
        self.writer.held()
    }

    /// Rows of the source that are done, of all.
    pub fn progress(&self) -> (u32, u32) {
        (self.writer.taken, self.writer.stored.height())
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: u64, bytes: Vec<u8>) -> Result<()> {
        self.rows.provide(offset, bytes)
    }

    /// Goes on as far as the bytes reach.
    pub fn step(&mut self) -> Result<Step> {
        loop {
            if let Some((spool, bytes)) = self.writer.pieces.pop_front() {
                return Ok(Step::Piece { spool, bytes });
            }
            if !self.more {
                return self.writer.finish().map(Step::Done);
            }
            let writer = &mut self.writer;
            let made = self.rows.step(&mut |made| match made {
                Made::Rows(rows) => writer.take(&rows),
                Made::Coefficients(strip) => writer.copy(strip),
            });
            match made? {
                bytes::Step::Need(ranges) => return Ok(Step::Need(ranges)),
                bytes::Step::Piece(_) => return Err(internal("rows in pieces")),
                bytes::Step::Done(more) => self.more = more,
            }
        }
    }
}

fn internal(what: &str) -> Error {
    Error::Internal { what: what.to_owned() }
}
