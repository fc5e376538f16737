//! The region: 1.x §4.1, 2.1 §4.1, 3.0 §4.1.

use std::fmt;

use super::Version;
use super::number::{Decimal, integer};
use crate::error::{Error, Part, Result};
use crate::geometry::{Dimensions, Rect};

/// The part of the image that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// `full`.
    Full,
    /// `square` (2.1, 3.0): as long and as wide as the image's shorter side, in the middle.
    Square,
    /// `x,y,w,h`, px.
    Pixels {
        /// Left edge.
        x: u32,
        /// Top edge.
        y: u32,
        /// Width, at least 1.
        width: u32,
        /// Height, at least 1.
        height: u32,
    },
    /// `pct:x,y,w,h`, percent of the image's sides.
    Percent {
        /// Left edge.
        x: Decimal,
        /// Top edge.
        y: Decimal,
        /// Width, over 0.
        width: Decimal,
        /// Height, over 0.
        height: Decimal,
    },
}

impl Region {
    /// Reads the (decoded) parameter.
    pub fn parse(version: Version, text: &str) -> Result<Self> {
        let syntax = || Error::Syntax { part: Part::Region, value: text.to_owned(), expected: expected(version) };
        let empty = || Error::EmptyResult { part: Part::Region, value: text.to_owned() };
        if text == "full" {
            return Ok(Self::Full);
        }
        if text == "square" && !version.is_1() {
            return Ok(Self::Square);
        }
        if let Some(text) = text.strip_prefix("pct:") {
            let [x, y, width, height] = four(text, Decimal::parse).ok_or_else(syntax)?;
            if width.is_zero() || height.is_zero() {
                return Err(empty());
            }
            return Ok(Self::Percent { x, y, width, height });
        }
        let [x, y, width, height] = four(text, integer).ok_or_else(syntax)?;
        if width == 0 || height == 0 {
            return Err(empty());
        }
        Ok(Self::Pixels { x, y, width, height })
    }

    /// The pixels this means in an image, cut at its edges; never empty.
    pub fn resolve(&self, image: Dimensions) -> Result<Rect> {
        let outside = || Error::RegionOutside { value: self.to_string(), width: image.width(), height: image.height() };
        let rect = match *self {
            Self::Full => Some(image.rect()),
            Self::Square => {
                let side = image.width().min(image.height());
                let middle = |length: u32| length.saturating_sub(side) / 2;
                Rect::new(middle(image.width()), middle(image.height()), side, side)
            }
            Self::Pixels { x, y, width, height } => {
                let end = |start: u32, length: u32, limit: u32| start.saturating_add(length).min(limit);
                Rect::from_edges(x, y, end(x, width, image.width()), end(y, height, image.height()))
            }
            Self::Percent { x, y, width, height } => {
                let (left, right) = percent_edges(x, width, image.width()).ok_or_else(outside)?;
                let (top, bottom) = percent_edges(y, height, image.height()).ok_or_else(outside)?;
                Rect::from_edges(left, top, right, bottom)
            }
        };
        rect.ok_or_else(outside)
    }

    /// The canonical text of a resolved region: 2.1 §4.7, 3.0 §4.8.
    pub(super) fn canonical(rect: Rect, image: Dimensions) -> String {
        if rect == image.rect() { "full".to_owned() } else { rect.to_string() }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Square => f.write_str("square"),
            Self::Pixels { x, y, width, height } => write!(f, "{x},{y},{width},{height}"),
            Self::Percent { x, y, width, height } => write!(f, "pct:{x},{y},{width},{height}"),
        }
    }
}

fn expected(version: Version) -> &'static str {
    if version.is_1() { "full, x,y,w,h or pct:x,y,w,h" } else { "full, square, x,y,w,h or pct:x,y,w,h" }
}

fn four<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<[T; 4]> {
    let mut parts = text.split(',');
    let mut next = || read(parts.next()?);
    let four = [next()?, next()?, next()?, next()?];
    parts.next().is_none().then_some(four)
}

/// Both edges are rounded, so that neighbours share one; at least 1 px lies between them. `None` outside.
fn percent_edges(start: Decimal, length: Decimal, side: u32) -> Option<(u32, u32)> {
    const ALL: Decimal = Decimal::from_integer(100);
    if start >= ALL {
        return None;
    }
    let first = start.percent_of(side)?.min(side.saturating_sub(1));
    let end = start.saturating_add(length).min(ALL).percent_of(side)?;
    Some((first, end.max(first.saturating_add(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str, width: u32, height: u32) -> String {
        let image = Dimensions::new(width, height).unwrap();
        match Region::parse(Version::V3, text).and_then(|region| region.resolve(image)) {
            Ok(rect) => Region::canonical(rect, image),
            Err(error) => error.code().to_owned(),
        }
    }

    #[test]
    fn examples_of_the_specification() {
        assert_eq!(resolve("125,15,120,140", 300, 200), "125,15,120,140");
        assert_eq!(resolve("125,15,200,200", 300, 200), "125,15,175,185");
        assert_eq!(resolve("pct:41.6,7.5,40,70", 300, 200), "125,15,120,140");
        assert_eq!(resolve("pct:41.6,7.5,66.6,100", 300, 200), "125,15,175,185");
        assert_eq!(resolve("square", 300, 200), "50,0,200,200");
        assert_eq!(resolve("square", 200, 200), "full");
    }

    #[test]
    fn edges() {
        assert_eq!(resolve("299,199,4294967295,1", 300, 200), "299,199,1,1");
        assert_eq!(resolve("300,0,1,1", 300, 200), "region-outside");
        assert_eq!(resolve("0,200,1,1", 300, 200), "region-outside");
        assert_eq!(resolve("pct:100,0,1,1", 300, 200), "region-outside");
        assert_eq!(resolve("pct:99.99,99.99,0.001,0.001", 300, 200), "299,199,1,1");
        assert_eq!(resolve("pct:0,0,300000000000000,300", 300, 200), "full");
        assert_eq!(resolve("pct:0,0,1000000000000000000000000000000000000000000,300", 300, 200), "full");
        assert_eq!(resolve("pct:41.6666666666666666666666666666666667,0,33.3333333333333333333333333333333333,100", 300, 200), "125,0,100,200");
        assert_eq!(resolve("pct:50,50,0.000000000000000000000000000001,0.000000000000000000000000000001", 300, 200), "150,100,1,1");
        assert_eq!(resolve("pct:0,0,0.000000000000000000000000000000,1", 300, 200), "empty-result");
        assert_eq!(resolve("0,0,0,1", 300, 200), "empty-result");
        assert_eq!(resolve("pct:0,0,0.0,1", 300, 200), "empty-result");
        assert_eq!(resolve("0,0,1", 300, 200), "syntax");
        assert_eq!(resolve("0,0,1,1,1", 300, 200), "syntax");
        assert_eq!(resolve("-1,0,1,1", 300, 200), "syntax");
        assert_eq!(resolve("1.5,0,1,1", 300, 200), "syntax");
        assert!(Region::parse(Version::V1_1, "square").is_err());
    }
}
