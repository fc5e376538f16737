//! A blocking driver over a file, for tests, benchmarks and tools.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::api::{ImageRequest, Page, Service, Version};
use crate::bytes::{ByteRange, Step};
use crate::error::{Error, Result};
use crate::ingest::{self, Finished, Ingest, Options};
use crate::job::{Encoded, Open, Render};
use crate::options::EncodeOptions;
use crate::pyramid::Pyramid;

/// Something that can be read by range without waiting.
pub trait Source {
    /// Size in bytes.
    fn size(&mut self) -> Result<u64>;
    /// The bytes of a range that lies within the size.
    fn read(&mut self, range: ByteRange) -> Result<Vec<u8>>;
}

impl Source for File {
    fn size(&mut self) -> Result<u64> {
        self.metadata().map(|metadata| metadata.len()).map_err(unreadable)
    }

    fn read(&mut self, range: ByteRange) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(range.len()).map_err(|error| Error::SourceRead { what: error.to_string() })?];
        self.seek(SeekFrom::Start(range.start())).map_err(unreadable)?;
        self.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}

impl Source for &[u8] {
    fn size(&mut self) -> Result<u64> {
        Ok(self.len() as u64)
    }

    fn read(&mut self, range: ByteRange) -> Result<Vec<u8>> {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let bytes = self.get(index(range.start())..index(range.end()));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| Error::SourceRead { what: format!("{range} is not in {} bytes", self.len()) })
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::SourceRead { what: error.to_string() }
}

/// Opens an image.
pub fn open(source: &mut impl Source, service: &Service) -> Result<Pyramid> {
    open_page(source, Page::FIRST, service)
}

/// Opens a page of a document (from 1), or an image beside the scan of a slide.
pub fn open_page(source: &mut impl Source, page: impl Into<Page>, service: &Service) -> Result<Pyramid> {
    let mut job = Open::new(source.size()?, &service.limits).page(page);
    loop {
        match job.step()? {
            Step::Done(pyramid) => return Ok(pyramid),
            Step::Need(ranges) => ranges.into_iter().try_for_each(|range| job.provide(range.start(), source.read(range)?))?,
            Step::Piece(_) => {}
        }
    }
}

/// Renders `"region/size/rotation/quality.format"` of an opened image.
pub fn render(source: &mut impl Source, pyramid: &Pyramid, version: Version, request: &str, service: &Service, options: &EncodeOptions) -> Result<Encoded> {
    let resolved = ImageRequest::parse(version, request)?.resolve(&pyramid.info(service))?;
    let mut job = Render::new(pyramid, &resolved, options, &service.limits)?;
    let mut file = Vec::new();
    loop {
        match job.step()? {
            Step::Done(mut encoded) => {
                if !file.is_empty() {
                    file.append(&mut encoded.bytes);
                    encoded.bytes = file;
                }
                return Ok(encoded);
            }
            Step::Piece(mut piece) => file.append(&mut piece),
            Step::Need(ranges) => ranges.into_iter().try_for_each(|range| job.provide(range.start(), source.read(range)?))?,
        }
    }
}

/// Opens the file at `path` and renders a request of it.
pub fn render_file(path: &Path, version: Version, request: &str, service: &Service, options: &EncodeOptions) -> Result<Encoded> {
    let mut file = File::open(path).map_err(unreadable)?;
    let pyramid = open(&mut file, service)?;
    render(&mut file, &pyramid, version, request, service, options)
}

/// Writes a pyramid of an opened image, whose pieces go to `piece` with the number of their spool.
pub fn ingest(source: &mut impl Source, pyramid: &Pyramid, options: &Options, piece: &mut impl FnMut(usize, Vec<u8>) -> Result<()>) -> Result<Finished> {
    let mut job = Ingest::new(pyramid, options)?;
    loop {
        match job.step()? {
            ingest::Step::Done(finished) => return Ok(finished),
            ingest::Step::Piece { spool, bytes } => piece(spool, bytes)?,
            ingest::Step::Need(ranges) => ranges.into_iter().try_for_each(|range| job.provide(range.start(), source.read(range)?))?,
        }
    }
}
