//! Groups the directories of a file into pages, each with its smaller copies (levels) and transparency masks.
//!
//! Each directory of the chain either belongs to the page before it or begins a new page. The first rule that applies decides:
//!
//! 1. The file is a slide of a known scanner: [`super::slide`].
//! 2. NewSubfileType has the bit 4, or PhotometricInterpretation is 4 (transparency mask): a mask of the page. GDAL writes one for each level.
//! 3. NewSubfileType has the bit 2, or SubfileType is 3 (a page of a document): a page. There are two exceptions. If NewSubfileType also has the bit 1 and the
//!    sides of the page are a whole multiple of its sides, it is a level of the page. And ImageMagick marks the levels of `ptif:` as pages, but gives all of
//!    them the same number in PageNumber: a directory with the PageNumber of the page before it is a level of that page if it resembles it (see below).
//! 4. NewSubfileType has the bit 1, or SubfileType is 2 (reduced): a level of the page. libvips, GDAL (`gdaladdo`, COG), newer versions of ImageMagick and this
//!    project write levels this way. If the sides of the page are not a whole multiple of its sides, it is skipped when levels are read.
//! 5. SubfileType is 1 (full resolution), or PageNumber differs from that of the page: a page.
//! 6. No tag states its role: a level, if it has tiles of the same size as the page, is smaller than the level before it, and resembles the page. Scanners and
//!    older tools write pyramids without marks, but always in tiles of one size. Two pages of which one happens to be half as large as the other are stored in
//!    strips, or have tiles of different sizes.
//! 7. Otherwise: a page.
//!
//! A directory resembles a page if PhotometricInterpretation, SamplesPerPixel and BitsPerSample are the same, and if dividing both sides of the page by one
//! whole number gives its sides, within rounding.
//!
//! A page may begin with a directory that is marked as reduced or as a mask: a thumbnail that comes before its image. The next directory without such a mark
//! then takes its place. If the thumbnail has SubIFDs, the image is looked for among these (TIFF/EP), see [`super::open`].

use std::collections::HashSet;

use super::ifd::{Directory, Header, READ};
use super::marks::{self, Marks};
use super::{slide, tag};
use crate::api::{AssociatedSet, Page};
use crate::bytes::{ByteRange, ByteStore};
use crate::error::{Error, Stop};
use crate::pyramid::level::factor;

/// Most directories that are read. Each takes at least 18 bytes; most often each is a page of a book.
const MOST_DIRECTORIES: usize = 4096;
/// Most directories that are read only to count pages, in a file whose directories lie together.
const CLOSE_DIRECTORIES: usize = 512;
/// Bytes that are read ahead if all directories lie before the image data.
const AHEAD: u64 = 64 << 10;
/// The least and the most bytes that are read at the end of a file whose directories lie behind their image data.
const TAIL: (u64, u64) = (64 << 10, 1 << 20);

/// The directories of a page: its own, and those that may be smaller copies and masks of it.
pub(super) struct Group {
    pub main: Directory,
    pub copies: Vec<Directory>,
    pub masks: Vec<Directory>,
    /// Whether the sides of the copies are padded to whole tiles.
    pub padded: bool,
}

impl Group {
    pub fn of(main: Directory) -> Self {
        Self { main, copies: Vec::new(), masks: Vec::new(), padded: false }
    }

    /// The byte ranges that `store` lacks of the values of its directories.
    pub fn missing(&self, store: &ByteStore) -> Vec<ByteRange> {
        let all = [&self.main].into_iter().chain(&self.copies).chain(&self.masks);
        all.flat_map(|directory| directory.missing(store, &tag::VALUES, tag::LONGEST_VALUE)).collect()
    }
}

/// The page that was asked for.
pub(super) struct Found {
    pub group: Group,
    /// Number of pages that were found on the way.
    pub known: u32,
    /// Whether `known` counts all pages of the file.
    pub all: bool,
    pub associated: AssociatedSet,
}

/// Finds a page. Follows the chain to the last copy of that page. Beyond it, pages are only counted, as far as their directories are in the store already or
/// lie together.
pub(super) fn find(store: &ByteStore, header: &Header, wanted: Page) -> Result<Found, Stop> {
    if header.first == 0 {
        return Err(header.cursor(store, 4).corrupt("it has no directory"));
    }
    let (first, marks) = look(store, header, header.first).map_err(|stop| with_ahead(stop, store, header, header.first))?;
    match (slide::read(store, header, &first, &marks)?, wanted) {
        (Some(slide), _) => of_slide(slide, wanted),
        (None, Page::Number(number)) => walk(store, header, number),
        (None, Page::Named(_)) => Err(Stop::Fail(Error::PageNotFound { page: wanted, pages: 1 })),
    }
}

fn of_slide(slide: slide::Slide, wanted: Page) -> Result<Found, Stop> {
    let associated = slide.beside.iter().map(|(name, _)| *name).collect();
    let known = u32::try_from(slide.scans.len()).unwrap_or(u32::MAX);
    let group = match wanted {
        Page::Number(number) => number.checked_sub(1).and_then(|index| slide.scans.into_iter().nth(usize::try_from(index).ok()?)),
        Page::Named(name) => slide.beside.into_iter().find(|(known, _)| *known == name).map(|(_, directory)| Group::of(directory)),
    };
    let group = group.ok_or(Stop::Fail(Error::PageNotFound { page: wanted, pages: known }))?;
    Ok(Found { group, known, all: true, associated })
}

/// A page whose directories are still being collected.
struct Begun {
    group: Group,
    marks: Marks,
    /// Width and height, px, that the next copy without a mark must stay below.
    last: (u64, u64),
    /// Its main directory is marked as a smaller copy or a mask of another image: it serves as a page only until a directory without such a mark follows.
    makeshift: bool,
}

impl Begun {
    fn of(directory: Directory, marks: Marks) -> Self {
        let makeshift = (marks.reduced || marks.mask) && directory.array(tag::SUB_IFDS).is_none();
        Self { group: Group::of(directory), marks, last: marks.size, makeshift }
    }

    /// Adds a directory that belongs to this page.
    fn with(mut self, directory: Directory, marks: Marks, role: &Role) -> Self {
        match role {
            Role::Page | Role::Image => {
                let Group { main, mut copies, masks, .. } = self.group;
                copies.insert(0, main);
                let image = Self::of(directory, marks);
                return Self { group: Group { copies, masks, ..image.group }, ..image };
            }
            Role::Copy => {
                if factor(self.marks.size, marks.size).is_some() {
                    self.last = marks.size;
                }
                self.group.copies.push(directory);
            }
            Role::Mask => self.group.masks.push(directory),
        }
        self
    }
}

/// What a directory is in relation to the page before it.
enum Role {
    /// The first directory of another page.
    Page,
    Copy,
    Mask,
    /// The image itself, in whose place the page has a thumbnail so far.
    Image,
}

fn role(store: &ByteStore, header: &Header, page: &Begun, directory: &Directory, marks: &Marks) -> Result<Role, Stop> {
    let full = &page.marks;
    if page.makeshift && !marks.reduced && !marks.mask {
        return Ok(Role::Image);
    }
    if marks.mask {
        return Ok(Role::Mask);
    }
    let divides = factor(full.size, marks.size).is_some();
    if marks.reduced && (!marks.page || divides) {
        return Ok(Role::Copy);
    }
    let smaller = marks.size.0 < page.last.0.max(2) && marks.size.1 < page.last.1.max(2);
    let hinted =
        if marks.page { marks.is_of_page(full) } else { !marks.full && !marks.is_of_another_page(full) && marks.tile.is_some() && marks.tile == full.tile };
    if !hinted || !smaller || !marks.resembles(full) {
        return Ok(Role::Page);
    }
    let alike = marks::bits(store, header, directory)? == marks::bits(store, header, &page.group.main)?;
    Ok(if alike { Role::Copy } else { Role::Page })
}

/// Follows the chain to page `wanted`, and counts the pages.
fn walk(store: &ByteStore, header: &Header, wanted: u32) -> Result<Found, Stop> {
    let mut seen = HashSet::new();
    let mut current: Option<Begun> = None;
    let mut page: Option<Begun> = None;
    let (mut known, mut all) = (0_u32, true);
    let mut at = header.first;
    while at != 0 && seen.insert(at) {
        let looked = look(store, header, at).and_then(|(directory, marks)| {
            let role = current.as_ref().map_or(Ok(Role::Page), |page| role(store, header, page, &directory, &marks))?;
            Ok((directory, marks, role))
        });
        let (directory, marks, role) = match looked {
            Ok(seen) => seen,
            Err(Stop::Need(_)) if page.is_some() && (seen.len() > CLOSE_DIRECTORIES || !header.directories_first(store)) => {
                all = false;
                break;
            }
            Err(Stop::Need(mut ranges)) => {
                ranges.extend(ahead(store, header, at));
                // The values that the page's directories so far lack are fetched in the same round.
                ranges.extend(current.iter().filter(|_| known == wanted).flat_map(|page| page.group.missing(store)));
                return Err(Stop::Need(ranges));
            }
            Err(stop) if current.is_none() => return Err(stop),
            // The pages found so far are complete. A damaged directory behind them is not needed to show them.
            Err(Stop::Fail(Error::SourceCorrupt { .. })) => break,
            Err(stop) => return Err(stop),
        };
        at = directory.next;
        current = Some(match current {
            Some(page) if !matches!(role, Role::Page) => page.with(directory, marks, &role),
            before => {
                if known == wanted {
                    page = before;
                }
                known = known.saturating_add(1);
                Begun::of(directory, marks)
            }
        });
        if seen.len() >= MOST_DIRECTORIES {
            all = at == 0;
            break;
        }
    }
    let page = page.or(if known == wanted { current } else { None });
    let page = page.ok_or(Stop::Fail(Error::PageNotFound { page: wanted.into(), pages: known }))?;
    Ok(Found { group: page.group, known, all, associated: AssociatedSet::NONE })
}

/// All directories of the chain, up to the first damaged one.
pub(super) fn all(store: &ByteStore, header: &Header) -> Result<Vec<(Directory, Marks)>, Stop> {
    let (mut seen, mut found, mut at) = (HashSet::new(), Vec::new(), header.first);
    while at != 0 && seen.insert(at) && found.len() < MOST_DIRECTORIES {
        match look(store, header, at) {
            Ok((directory, marks)) => {
                at = directory.next;
                found.push((directory, marks));
            }
            Err(Stop::Fail(Error::SourceCorrupt { .. })) if !found.is_empty() => break,
            Err(stop) => return Err(with_ahead(stop, store, header, at)),
        }
    }
    Ok(found)
}

fn look(store: &ByteStore, header: &Header, at: u64) -> Result<(Directory, Marks), Stop> {
    let directory = Directory::read(store, header, at)?;
    let marks = Marks::read(store, header, &directory)?;
    Ok((directory, marks))
}

/// If `stop` asks for bytes, adds those of the next directory.
pub(super) fn with_next(stop: Stop, store: &ByteStore, header: &Header, directory: &Directory) -> Stop {
    let next = ByteRange::new(directory.next, directory.next.saturating_add(READ).min(store.size()));
    match with_ahead(stop, store, header, directory.next) {
        Stop::Need(ranges) => Stop::Need(ranges.into_iter().chain(next.iter().flat_map(|next| store.missing(*next))).collect()),
        stop => stop,
    }
}

/// If `stop` asks for bytes, adds those that are read ahead with the directory at `at`.
fn with_ahead(stop: Stop, store: &ByteStore, header: &Header, at: u64) -> Stop {
    match stop {
        Stop::Need(ranges) => Stop::Need(ranges.into_iter().chain(ahead(store, header, at)).collect()),
        stop => stop,
    }
}

/// The byte ranges to fetch together with a directory that is not in the store.
fn ahead(store: &ByteStore, header: &Header, at: u64) -> Vec<ByteRange> {
    let end = store.size();
    let range = if header.directories_first(store) {
        ByteRange::new(at, at.saturating_add(AHEAD).min(end))
    } else {
        // Each directory follows its image data, and a level takes about a quarter of the bytes of the level before it. So the end of the file holds all
        // directories but the first.
        ByteRange::new(end.saturating_sub((end / 1024).clamp(TAIL.0, TAIL.1)), end)
    };
    range.map(|range| store.missing(range)).unwrap_or_default()
}
