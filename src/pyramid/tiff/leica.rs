//! Slides of Leica's scanners (SCN): the XML in the first ImageDescription says which directories are the levels of which image.
//!
//! ```xml
//! <scn><collection sizeX="26564529" sizeY="76734372">
//!   <image><pixels><dimension sizeX="1616" sizeY="4668" r="0" ifd="0"/>…</pixels>
//!     <view sizeX="26564529" sizeY="76734372" offsetX="0" offsetY="0"/></image>
//!   <image>…</image>
//!   <supplementalImage type="label" ifd="12"/>
//! </collection></scn>
//! ```
//!
//! An image that covers the whole collection is the macro image. Every other image is a scan, and a page of its own; the largest one comes first. Of a stack of
//! focal planes, the first plane is shown.

use super::ifd::Directory;
use super::marks::Marks;
use super::pages::Group;
use super::slide::Slide;
use crate::api::Associated;

/// Longest XML that is read, bytes.
pub(super) const LONGEST: u64 = 1 << 20;

/// An image of the collection.
#[derive(Debug, Default, PartialEq, Eq)]
struct Image {
    /// It covers the whole collection.
    all: bool,
    /// Its levels: the area in pixels, and the number of the directory.
    levels: Vec<(u64, usize)>,
}

/// The slide that `xml` describes; `None` if it describes no scan.
pub(super) fn slide(xml: &[u8], directories: Vec<(Directory, Marks)>) -> Option<Slide> {
    let (images, named) = parse(xml);
    let directory = |number: usize| directories.get(number).map(|(directory, _)| directory.clone());
    let group = |image: &Image| {
        let mut levels = image.levels.iter().filter_map(|(_, number)| directory(*number));
        levels.next().map(|main| Group { copies: levels.collect(), ..Group::of(main) })
    };
    let (macros, scans): (Vec<Image>, Vec<Image>) = images.into_iter().partition(|image| image.all);
    let scans: Vec<Group> = largest_first(&scans).into_iter().filter_map(group).collect();
    let mut beside: Vec<(Associated, Directory)> = named.into_iter().filter_map(|(name, number)| Some((name, directory(number)?))).collect();
    let overview = macros.first().and_then(|image| directory(image.levels.first()?.1));
    if beside.iter().all(|(name, _)| *name != Associated::Macro) {
        beside.extend(overview.map(|directory| (Associated::Macro, directory)));
    }
    (!scans.is_empty()).then_some(Slide { scans, beside })
}

/// The scans, of which the largest comes first. The others keep their order. A scan may have several directories of its largest size, one for each channel.
fn largest_first(scans: &[Image]) -> Vec<&Image> {
    let area = |scan: &Image| scan.levels.first().map(|(area, _)| *area);
    let largest = scans.iter().filter_map(area).max();
    let (first, rest): (Vec<&Image>, Vec<&Image>) = scans.iter().partition(|scan| area(scan) == largest);
    first.into_iter().chain(rest).collect()
}

/// The images, each with its levels, largest first, and the directories of the supplemental images whose type is known.
fn parse(xml: &[u8]) -> (Vec<Image>, Vec<(Associated, usize)>) {
    let (mut collection, mut images, mut named) = (None, Vec::<Image>::new(), Vec::new());
    for element in elements(xml) {
        let number = |name: &str| element.attribute(name).and_then(|value| value.trim().parse::<u64>().ok());
        let size = || number("sizeX").zip(number("sizeY"));
        let directory = || number("ifd").and_then(|ifd| usize::try_from(ifd).ok());
        match (element.name, images.last_mut()) {
            (b"collection", _) => collection = size(),
            (b"image", _) => images.push(Image::default()),
            (b"view", Some(image)) => image.all = size().is_some() && size() == collection && number("offsetX") == Some(0) && number("offsetY") == Some(0),
            (b"dimension", Some(image)) if number("z").unwrap_or(0) == 0 => {
                let area = size().and_then(|(width, height)| width.checked_mul(height));
                image.levels.extend(area.zip(directory()));
            }
            (b"supplementalImage", _) => {
                let name = element.attribute("type").and_then(|name| Associated::parse(&name.to_ascii_lowercase()));
                named.extend(name.zip(directory()));
            }
            _ => {}
        }
    }
    // The sort is stable: of several levels of the same size, such as channels, the first one stays first.
    images.iter_mut().for_each(|image| image.levels.sort_by_key(|(area, _)| std::cmp::Reverse(*area)));
    (images.into_iter().filter(|image| !image.levels.is_empty()).collect(), named)
}

/// A start tag.
struct Element<'a> {
    name: &'a [u8],
    attributes: &'a str,
}

impl Element<'_> {
    /// The value of an attribute as written, with entities not decoded.
    fn attribute(&self, name: &str) -> Option<&str> {
        let mut rest = self.attributes;
        loop {
            let (key, after) = rest.split_once('=')?;
            let quote = after.trim_start().chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let (value, after) = after.trim_start().get(1..)?.split_once(quote)?;
            if key.trim() == name {
                return Some(value);
            }
            rest = after;
        }
    }
}

/// The start tags of a document in order. Comments and declarations are skipped.
fn elements(xml: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let find = |from: &[u8], what: &[u8]| from.windows(what.len()).position(|window| window == what);
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            rest = rest.get(find(rest, b"<")?.saturating_add(1)..)?;
            if rest.starts_with(b"!--") {
                rest = rest.get(find(rest, b"-->")?..)?;
                continue;
            }
            let (tag, after) = rest.split_at_checked(end_of_tag(rest)?)?;
            rest = after;
            let Ok(tag) = std::str::from_utf8(tag) else { continue };
            let (name, attributes) = tag.split_at(tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len()));
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return Some(Element { name: name.as_bytes(), attributes });
            }
        }
    })
}

/// The position of the `>` that ends a tag: the first one outside the values of attributes.
fn end_of_tag(tag: &[u8]) -> Option<usize> {
    let mut quote = None;
    tag.iter().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
        quote.is_none() && *byte == b'>'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<?xml version="1.0"?><!-- <image> --><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01"><collection name='a > b' sizeX="900" sizeY="1200">
        <image name="macro"><pixels sizeX="9" sizeY="12"><dimension sizeX="9" sizeY="12" r="0" ifd="0"/><dimension sizeX="4" sizeY="6" r="1" ifd="1"/></pixels>
        <view sizeX="900" sizeY="1200" offsetX="0" offsetY="0" spacingZ="0"/></image>
        <image><pixels><dimension sizeX="20" sizeY="30" r="1" ifd="4"/><dimension z="1" sizeX="40" sizeY="60" r="0" ifd="9"/><dimension z="0" sizeX="40" sizeY="60" r="0" ifd="3"/></pixels>
        <view sizeX="90" sizeY="120" offsetX="5" offsetY="0"/></image><supplementalImage type="label" ifd="7"/></collection></scn>"#;

    #[test]
    fn levels_are_told_from_the_largest_on() {
        let (images, named) = parse(XML.as_bytes());
        let expected = [Image { all: true, levels: vec![(108, 0), (24, 1)] }, Image { all: false, levels: vec![(2400, 3), (600, 4)] }];
        assert_eq!((images.as_slice(), named.as_slice()), (expected.as_slice(), [(Associated::Label, 7)].as_slice()));
    }

    #[test]
    fn the_largest_scan_comes_first_though_it_has_several_channels() {
        let scan = |levels: &[(u64, usize)]| Image { all: false, levels: levels.to_vec() };
        let scans = [scan(&[(50, 1)]), scan(&[(90, 2), (90, 3), (20, 4)]), scan(&[(60, 5)])];
        let order: Vec<usize> = largest_first(&scans).iter().map(|scan| scan.levels[0].1).collect();
        assert_eq!(order, [2, 1, 5]);
    }

    #[test]
    fn broken_xml_is_no_trouble() {
        for end in 0..XML.len() {
            parse(&XML.as_bytes()[..end]);
        }
        for text in
            ["<image a=>", "<dimension =\"\" />", "<<<>>>", "<image><dimension sizeX='99999999999999999999' sizeY='1' ifd='1'/>", "<image x='é", "\u{0}<\u{0}>"]
        {
            assert_eq!(parse(text.as_bytes()).0, [], "{text}");
        }
    }
}
