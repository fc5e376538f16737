//! The chain of directories as pages, each with the smaller copies of it that follow.

use std::collections::HashSet;

use super::ifd::{Directory, Header};
use super::tag;
use crate::bytes::{ByteRange, ByteStore};
use crate::error::{Error, Stop};

/// Directories that are looked at; each costs at least 18 bytes, and as a rule a page of a book.
const MOST_DIRECTORIES: usize = 4096;
/// Directories that are read only to count pages, where they lie together.
const CLOSE_DIRECTORIES: usize = 512;
/// What is read ahead where all directories lie before the pixels.
const AHEAD: u64 = 64 << 10;
/// The least and the most that is read of a file's end, where its directories lie behind their pixels.
const TAIL: (u64, u64) = (64 << 10, 1 << 20);
/// NewSubfileType: a smaller copy, a transparency mask.
const REDUCED: u64 = 1;
const MASK: u64 = 4;

/// One page: its own directory, and those that may be smaller copies of it.
pub(super) struct Page {
    pub main: Directory,
    pub copies: Vec<Directory>,
    /// Width and height that the next copy must be smaller than.
    last: (u64, u64),
    /// Its directory calls itself a copy or a mask: it is a page only while there is no better one.
    makeshift: bool,
}

impl Page {
    fn new(directory: Directory, size: (u64, u64), kind: u64) -> Self {
        Self { main: directory, copies: Vec::new(), last: size, makeshift: kind & (REDUCED | MASK) != 0 }
    }

    /// What lacks of its directories' values.
    pub fn missing(&self, store: &ByteStore) -> Vec<ByteRange> {
        let copies = self.copies.iter().flat_map(|copy| copy.missing(store, &tag::VALUES, tag::LONGEST_VALUE));
        self.main.missing(store, &tag::VALUES, tag::LONGEST_VALUE).into_iter().chain(copies).collect()
    }
}

/// The page that was looked for.
pub(super) struct Found {
    pub page: Page,
    /// Pages that were come by on the way.
    pub known: u32,
    /// Whether there are no others.
    pub all: bool,
}

/// Walks the chain to page `wanted` (from 1) and to the end of its copies; beyond that only as far as directories are here already, or lie
/// together.
pub(super) fn find(store: &ByteStore, header: &Header, wanted: u32) -> Result<Found, Stop> {
    let mut seen = HashSet::new();
    let mut current: Option<Page> = None;
    let mut page: Option<Page> = None;
    let (mut known, mut all) = (0_u32, true);
    let mut at = header.first;
    while at != 0 && seen.insert(at) {
        let (directory, kind, size) = match look(store, header, at) {
            Ok(seen) => seen,
            Err(Stop::Need(_)) if page.is_some() && (seen.len() > CLOSE_DIRECTORIES || !header.directories_first(store)) => {
                all = false;
                break;
            }
            Err(Stop::Need(mut ranges)) => {
                ranges.extend(ahead(store, header, at));
                // What the directories so far lack comes in the same round.
                ranges.extend(current.iter().filter(|_| known == wanted).flat_map(|page| page.missing(store)));
                return Err(Stop::Need(ranges));
            }
            Err(stop) if current.is_none() => return Err(stop),
            // The pages so far are whole; what follows them in a damaged file is not needed to show them.
            Err(Stop::Fail(Error::SourceCorrupt { .. })) => break,
            Err(stop) => return Err(stop),
        };
        at = directory.next;
        current = Some(match current {
            None => {
                known = 1;
                Page::new(directory, size, kind)
            }
            Some(mut page) if page.makeshift && kind & (REDUCED | MASK) == 0 => {
                // A thumbnail came before its image.
                let mut copies = std::mem::take(&mut page.copies);
                copies.insert(0, page.main);
                Page { copies, ..Page::new(directory, size, kind) }
            }
            Some(page) if kind & MASK != 0 => page,
            Some(mut page) if kind & REDUCED != 0 || is_copy(page.last, size) => {
                page.last = size;
                page.copies.push(directory);
                page
            }
            Some(before) => {
                if known == wanted {
                    page = Some(before);
                }
                known = known.saturating_add(1);
                Page::new(directory, size, kind)
            }
        });
        if seen.len() >= MOST_DIRECTORIES {
            all = at == 0;
            break;
        }
    }
    let page = page.or(if known == wanted { current } else { None });
    match page {
        Some(page) => Ok(Found { page, known, all }),
        None if known == 0 => Err(header.cursor(store, 4).corrupt("it has no directory")),
        None => Err(Stop::Fail(Error::PageNotFound { page: wanted, pages: known })),
    }
}

fn look(store: &ByteStore, header: &Header, at: u64) -> Result<(Directory, u64, (u64, u64)), Stop> {
    let directory = Directory::read(store, header, at)?;
    let number = |tag, default| directory.number_or(store, header, tag, default);
    let (kind, width, height) = (number(tag::NEW_SUBFILE_TYPE, 0)?, number(tag::IMAGE_WIDTH, 0)?, number(tag::IMAGE_LENGTH, 0)?);
    Ok((directory, kind, (width, height)))
}

/// Whether an image that says nothing of itself is the one before it at half or less of its size: not every writer marks the levels of a pyramid.
fn is_copy(before: (u64, u64), size: (u64, u64)) -> bool {
    let factor = |before: u64, size: u64| before.saturating_add(size / 2).checked_div(size).unwrap_or(0);
    let close = |before: u64, size: u64, factor: u64| size.saturating_mul(factor).abs_diff(before) < factor.saturating_mul(2);
    let by = factor(before.0.max(before.1), size.0.max(size.1));
    by > 1 && close(before.0, size.0, by) && close(before.1, size.1, by)
}

/// What is fetched beside a directory that is not here.
fn ahead(store: &ByteStore, header: &Header, at: u64) -> Vec<ByteRange> {
    let end = store.size();
    let range = if header.directories_first(store) {
        ByteRange::new(at, at.saturating_add(AHEAD).min(end))
    } else {
        // Each directory follows its pixels, and those become fewer by fours: the end of the file holds all but the first of them.
        ByteRange::new(end.saturating_sub((end / 1024).clamp(TAIL.0, TAIL.1)), end)
    };
    range.map(|range| store.missing(range)).unwrap_or_default()
}
