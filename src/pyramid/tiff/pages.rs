//! The directories of a file as pages, each with smaller copies of it (levels) and transparency masks.
//!
//! In the chain of directories each belongs to the page before it or begins a page of its own. The first rule that applies decides:
//!
//! 1. The file is a slide of a known scanner: [`super::slide`].
//! 2. NewSubfileType has the bit 4, or PhotometricInterpretation is 4 (transparency mask): a mask of the page. GDAL writes one for each level.
//! 3. NewSubfileType has the bit 2, or SubfileType is 3 (a page of a document): a page. There are two exceptions. With the bit 1 as well, it is a level of the page
//!    whose size it divides. And ImageMagick marks the levels of `ptif:` as pages, but gives all of them one PageNumber of several: a directory with the PageNumber
//!    of the page before it is a level of that page if it resembles it (below).
//! 4. NewSubfileType has the bit 1, or SubfileType is 2 (reduced): a level of the page. libvips, GDAL (`gdaladdo`, COG), newer versions of ImageMagick and this
//!    project write them so. One that divides the page in no whole number is passed over when levels are read.
//! 5. SubfileType is 1 (full resolution), or PageNumber differs from that of the page: a page.
//! 6. Nothing is said: a level if it is tiled, with the tiles of the page, if it is smaller than the level before it and resembles the page. Scanners and older
//!    tools write pyramids without marks, but always in tiles of one size; two pages of which one is half as large as the other are stored in strips, or differ in
//!    the size of their tiles.
//! 7. A page.
//!
//! A directory resembles a page if PhotometricInterpretation, SamplesPerPixel and BitsPerSample are the same, and if both sides of the page divided by the same
//! whole number give its sides, within rounding.
//!
//! A page whose directory is marked as reduced or as a mask gives its place to the next one that is not: a thumbnail that comes before its image. If it has
//! SubIFDs, the image is looked for among these (TIFF/EP), see [`super::open`].

use std::collections::HashSet;

use super::ifd::{Directory, Header, READ};
use super::marks::{self, Marks};
use super::{slide, tag};
use crate::api::{AssociatedSet, Page};
use crate::bytes::{ByteRange, ByteStore};
use crate::error::{Error, Stop};
use crate::pyramid::level::factor;

/// Directories that are looked at; each costs at least 18 bytes, and as a rule a page of a book.
const MOST_DIRECTORIES: usize = 4096;
/// Directories that are read only to count pages, where they lie together.
const CLOSE_DIRECTORIES: usize = 512;
/// What is read ahead where all directories lie before the pixels.
const AHEAD: u64 = 64 << 10;
/// The least and the most that is read of a file's end, where its directories lie behind their pixels.
const TAIL: (u64, u64) = (64 << 10, 1 << 20);

/// The directories of a page: its own, and those that may be smaller copies and masks of it.
pub(super) struct Group {
    pub main: Directory,
    pub copies: Vec<Directory>,
    pub masks: Vec<Directory>,
    /// The sizes of copies are filled up to whole tiles.
    pub padded: bool,
}

impl Group {
    pub fn of(main: Directory) -> Self {
        Self { main, copies: Vec::new(), masks: Vec::new(), padded: false }
    }

    /// What lacks of its directories' values.
    pub fn missing(&self, store: &ByteStore) -> Vec<ByteRange> {
        let all = [&self.main].into_iter().chain(&self.copies).chain(&self.masks);
        all.flat_map(|directory| directory.missing(store, &tag::VALUES, tag::LONGEST_VALUE)).collect()
    }
}

/// The page that was looked for.
pub(super) struct Found {
    pub group: Group,
    /// Pages that were come by on the way.
    pub known: u32,
    /// Whether there are no others.
    pub all: bool,
    pub associated: AssociatedSet,
}

/// Finds a page. In the chain it walks to the end of its copies, and beyond that only as far as directories are here already, or lie together.
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

/// A page under way.
struct Begun {
    group: Group,
    marks: Marks,
    /// Width and height that the next copy without a mark must be smaller than.
    last: (u64, u64),
    /// Its directory is a smaller copy or a mask of another: it is a page only while there is no better one.
    makeshift: bool,
}

impl Begun {
    fn of(directory: Directory, marks: Marks) -> Self {
        let makeshift = (marks.reduced || marks.mask) && directory.array(tag::SUB_IFDS).is_none();
        Self { group: Group::of(directory), marks, last: marks.size, makeshift }
    }

    /// With a directory that belongs to it.
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

/// What a directory is to the page before it.
enum Role {
    /// The first of another.
    Page,
    Copy,
    Mask,
    /// The image whose thumbnail has stood for it.
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

/// Walks the chain to a page.
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
                // What the directories so far lack comes in the same round.
                ranges.extend(current.iter().filter(|_| known == wanted).flat_map(|page| page.group.missing(store)));
                return Err(Stop::Need(ranges));
            }
            Err(stop) if current.is_none() => return Err(stop),
            // The pages so far are whole; what follows them in a damaged file is not needed to show them.
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

/// All directories of the chain, as far as it is whole.
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

/// If bytes are needed, those of the next directory as well.
pub(super) fn with_next(stop: Stop, store: &ByteStore, header: &Header, directory: &Directory) -> Stop {
    let next = ByteRange::new(directory.next, directory.next.saturating_add(READ).min(store.size()));
    match with_ahead(stop, store, header, directory.next) {
        Stop::Need(ranges) => Stop::Need(ranges.into_iter().chain(next.iter().flat_map(|next| store.missing(*next))).collect()),
        stop => stop,
    }
}

/// If bytes are needed, those beside the directory at `at` as well.
fn with_ahead(stop: Stop, store: &ByteStore, header: &Header, at: u64) -> Stop {
    match stop {
        Stop::Need(ranges) => Stop::Need(ranges.into_iter().chain(ahead(store, header, at)).collect()),
        stop => stop,
    }
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
