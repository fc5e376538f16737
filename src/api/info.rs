//! What is said about an image: 2.1 §5, 3.0 §5 and the implementation notes on tiles.

use super::bounds::{Bounds, with_height, with_width};
use super::{AssociatedSet, Service, Version, info_json, info_xml};
use crate::geometry::Dimensions;
use crate::limits::Limits;

/// Tiles smaller than this on both sides are offered in multiples, lest a viewer asks for thousands.
const SMALLEST_TILE: u32 = 128;

/// An image as the information document describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    dimensions: Dimensions,
    sizes: Vec<Dimensions>,
    tiles: Vec<TileSet>,
    pages: Option<u32>,
    associated: AssociatedSet,
    service: Service,
}

/// Tiles of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileSet {
    /// Width of a tile, px.
    pub width: u32,
    /// Height of a tile, px.
    pub height: u32,
    /// By what the image is divided, ascending from 1 to the first at which it fits in one tile: those of the stored sizes, beyond them by doubling.
    pub scale_factors: Vec<u32>,
}

/// How a source stores an image in tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Size of a tile, px.
    pub tile: Dimensions,
    /// The sizes in which the image is stored, and by what it is divided in each; the first is the image itself.
    pub levels: Vec<(u32, Dimensions)>,
}

impl Info {
    /// Describes an image, of which nothing is known but its size.
    pub fn new(dimensions: Dimensions, service: &Service) -> Self {
        let bounds = usual_bounds(service);
        let tile = tile_size(Dimensions::at_least_one(service.tile_width, service.tile_width), &bounds);
        Self::with(dimensions, tile, halved(dimensions, tile, vec![(1, dimensions)]), &bounds, service)
    }

    /// Describes an image that is stored in tiles: viewers are told to ask for those, in the sizes there are.
    pub fn tiled(dimensions: Dimensions, stored: &Stored, service: &Service) -> Self {
        let bounds = usual_bounds(service);
        let tile = tile_size(stored.tile, &bounds);
        // What is stored may end long before it fits in a tile, or have no smaller sizes at all.
        Self::with(dimensions, tile, halved(dimensions, tile, stored.levels.clone()), &bounds, service)
    }

    fn with(dimensions: Dimensions, tile: Dimensions, levels: Vec<(u32, Dimensions)>, bounds: &Bounds, service: &Service) -> Self {
        let sizes = levels.iter().rev().map(|(_, size)| *size).filter(|size| bounds.allow(*size)).collect();
        let scale_factors = levels.iter().map(|(factor, _)| *factor).collect();
        let tiles = vec![TileSet { width: tile.width(), height: tile.height(), scale_factors }];
        Self { dimensions, sizes, tiles, pages: None, associated: AssociatedSet::NONE, service: service.clone() }
    }

    /// Of a file with so many pages and with these images beside them. `info.json` tells them in a property of this project's own, `pages`:
    ///
    /// - of a document of several pages their number, as in `"pages":3`;
    /// - of a slide what may stand behind a semicolon in its identifier, as in `"pages":[1,"label","macro"]`;
    /// - of one image alone there is no such property.
    pub fn of_pages(self, pages: Option<u32>, associated: AssociatedSet) -> Self {
        Self { pages, associated, ..self }
    }

    /// How many pages the document has, if it has several and their number is known.
    pub fn pages(&self) -> Option<u32> {
        self.pages.filter(|pages| *pages > 1)
    }

    /// Images beside the scan of a slide.
    pub fn associated(&self) -> AssociatedSet {
        self.associated
    }

    /// The size of the whole image, px.
    pub fn dimensions(&self) -> Dimensions {
        self.dimensions
    }

    /// Preferred sizes of the whole image within the limits of the service and of the format that every viewer asks for, ascending.
    pub fn sizes(&self) -> &[Dimensions] {
        &self.sizes
    }

    /// Preferred tiles.
    pub fn tiles(&self) -> &[TileSet] {
        &self.tiles
    }

    /// The `maxWidth`, `maxHeight` and `maxArea` that are published.
    ///
    /// Some viewers know only the first two, so those of an image larger than `maxArea` lead to the size of `max` where the service has none of its own. They bind
    /// nobody: parts of the image are held against `maxArea` alone. No side is less than a tile's.
    pub(super) fn published_limits(&self) -> (Option<u32>, Option<u32>, Option<u64>) {
        let Limits { max_width, max_height, max_area, .. } = self.service.limits;
        match max_area {
            Some(area) if max_width.is_none() && self.dimensions.area() > area => {
                let most = self.sides_of_max();
                (Some(most.width()), Some(most.height()), max_area)
            }
            // maxHeight must not stand without maxWidth.
            _ => (max_width, max_width.and(max_height), max_area),
        }
    }

    /// A box into which the image fits in the size of `max`, and every tile.
    fn sides_of_max(&self) -> Dimensions {
        let most = usual_bounds(&self.service).shrink(self.dimensions);
        let tile = self.tiles.first().map_or(most, |tile| Dimensions::at_least_one(tile.width, tile.height));
        // Where one side is raised, the other alone must lead to a size that is allowed.
        if most.width() < tile.width() {
            let height = with_width(self.dimensions, most.width()).map_or(most.height(), Dimensions::height);
            Dimensions::at_least_one(tile.width(), height.min(most.height()))
        } else if most.height() < tile.height() {
            let width = with_height(self.dimensions, most.height()).map_or(most.width(), Dimensions::width);
            Dimensions::at_least_one(width.min(most.width()), tile.height())
        } else {
            most
        }
    }

    /// What the service offers.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The `info.json` of a version; `id` is the image's base URI as the client wrote it, without a slash at its end.
    ///
    /// In 1.0 the last segment of `id`, decoded, is the `identifier`; one with slashes must therefore be encoded there ([`super::Identifier::encoded`]).
    pub fn json(&self, version: Version, id: &str) -> String {
        info_json::write(self, version, id)
    }

    /// The `info.xml` of 1.0; `identifier` is decoded.
    pub fn xml(&self, identifier: &str) -> String {
        info_xml::write(self, identifier)
    }
}

/// The limits of answers in the format that every viewer asks for, which no other format of the compliance level is stricter than.
fn usual_bounds(service: &Service) -> Bounds {
    Bounds::of(&service.limits, service.default_format())
}

/// The chunk, doubled while it is tiny and halved while it is over the limits.
fn tile_size(chunk: Dimensions, bounds: &Bounds) -> Dimensions {
    let (mut width, mut height) = (chunk.width(), chunk.height());
    while width < SMALLEST_TILE && height < SMALLEST_TILE {
        (width, height) = (width.saturating_mul(2), height.saturating_mul(2));
    }
    let mut tile = Dimensions::at_least_one(width, height);
    while !bounds.allow(tile) && tile.area() > 1 {
        tile = tile.reduced(2);
    }
    tile
}

/// Goes on by halves from the last level until the image fits in a tile.
fn halved(image: Dimensions, tile: Dimensions, mut levels: Vec<(u32, Dimensions)>) -> Vec<(u32, Dimensions)> {
    while let Some((factor, _)) = levels.last().filter(|(_, size)| !size.fits_in(tile)) {
        let Some(factor) = factor.checked_mul(2) else { break };
        levels.push((factor, image.reduced(factor)));
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Format;

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions::new(width, height).unwrap()
    }

    fn chunked(image: Dimensions, tile: Option<Dimensions>, service: &Service) -> Info {
        match tile {
            Some(tile) => Info::tiled(image, &Stored { tile, levels: vec![(1, image)] }, service),
            None => Info::new(image, service),
        }
    }

    #[test]
    fn stored_sizes_are_told_as_they_are() {
        let levels = vec![(1, size(6001, 4001)), (2, size(3000, 2000)), (8, size(750, 500))];
        let info = Info::tiled(size(6001, 4001), &Stored { tile: size(512, 512), levels }, &Service::default());
        assert_eq!(info.tiles()[0].scale_factors, [1, 2, 8, 16]);
        assert_eq!(info.sizes(), [size(376, 251), size(750, 500), size(3000, 2000)]);
    }

    #[test]
    fn sizes_and_scale_factors() {
        let info = Info::new(size(6000, 4001), &Service::default());
        assert_eq!(info.tiles(), [TileSet { width: 512, height: 512, scale_factors: vec![1, 2, 4, 8, 16] }]);
        // The whole is over maxArea and left out; the others are rounded up.
        assert_eq!(info.sizes(), [size(375, 251), size(750, 501), size(1500, 1001), size(3000, 2001)]);
        let info = Info::new(size(1, 1), &Service::default());
        assert_eq!((info.sizes(), info.tiles()[0].scale_factors.as_slice()), ([size(1, 1)].as_slice(), [1].as_slice()));
    }

    #[test]
    fn no_size_is_longer_than_jpg_can_be() {
        let info = Info::new(size(100_000, 100), &Service::default());
        assert_eq!(info.dimensions(), size(100_000, 100));
        assert_eq!(info.sizes().last(), Some(&size(50_000, 50)));
        // Where jpg is not offered, the first format decides.
        let service = Service { formats: vec![Format::WebP], ..Service::default() };
        assert_eq!(Info::new(size(100_000, 100), &service).sizes().last(), Some(&size(12_500, 13)));
        let service = Service { formats: vec![Format::Png], ..Service::default() };
        assert_eq!(Info::new(size(100_000, 100), &service).sizes().last(), Some(&size(100_000, 100)));
    }

    #[test]
    fn the_limits_of_an_image_larger_than_max_area_lead_to_the_size_of_max() {
        let area = Some(12_582_912);
        let limits = |width, height, service: &Service| Info::new(size(width, height), service).published_limits();
        let mut service = Service::default();
        assert_eq!(limits(20_000, 10_000, &service), (Some(5016), Some(2508), area));
        assert_eq!(limits(4096, 3072, &service), (None, None, area));
        assert_eq!(limits(100_000, 100, &service), (None, None, area));
        // One side is raised to that of a tile, and the other alone leads to the size: 354×35400.
        assert_eq!(limits(1000, 100_000, &service), (Some(512), Some(35_400), area));
        assert_eq!(limits(100_000, 1000, &service), (Some(35_400), Some(512), area));
        // No wider than jpg can be.
        assert_eq!(limits(1_000_000, 100, &service).0, Some(65_535));
        // What a service has set stays as it is.
        (service.limits.max_width, service.limits.max_height) = (Some(6000), Some(5000));
        assert_eq!(limits(20_000, 10_000, &service), (Some(6000), Some(5000), area));
        service.limits = Limits { max_area: None, max_width: None, max_height: None, ..Limits::default() };
        assert_eq!(limits(20_000, 10_000, &service), (None, None, None));
    }

    #[test]
    fn derived_limits_are_published_from_2_on() {
        let info = Info::new(size(20_000, 10_000), &Service::default());
        let derived = r#""maxWidth":5016,"maxHeight":2508,"maxArea":12582912"#;
        for version in Version::ALL {
            assert_eq!(info.json(version, "https://e.org/a").contains(derived), !version.is_1(), "{version}");
        }
    }

    #[test]
    fn tiles_fit_the_limits_and_are_not_tiny() {
        let tile = |chunk, max_width| {
            let mut service = Service::default();
            service.limits.max_width = max_width;
            let info = chunked(size(5000, 5000), chunk, &service);
            (info.tiles()[0].width, info.tiles()[0].height)
        };
        assert_eq!(tile(None, None), (512, 512));
        assert_eq!(tile(None, Some(300)), (256, 256));
        assert_eq!(tile(Some(size(16, 32)), None), (64, 128));
        assert_eq!(tile(Some(size(1024, 256)), None), (1024, 256));
    }

    #[test]
    fn json_of_every_version() {
        let mut service = Service { formats: vec![Format::Jpg, Format::Png, Format::WebP], ..Service::default() };
        (service.limits.max_width, service.limits.max_height) = (Some(1000), Some(800));
        let info = chunked(size(1000, 600), Some(size(512, 256)), &service);
        let json = |version| info.json(version, "https://e.org/iiif/x/a%2Fb%22");
        assert_eq!(
            json(Version::V1_0),
            concat!(
                r#"{"identifier":"a/b\"","width":1000,"height":600,"scale_factors":[1,2,4],"tile_width":512,"tile_height":256,"#,
                r#""formats":["jpg","png","webp"],"qualities":["native","color","grey","bitonal"],"#,
                r#""profile":"http://library.stanford.edu/iiif/image-api/compliance.html#level2"}"#
            )
        );
        assert_eq!(
            json(Version::V1_1),
            concat!(
                r#"{"@context":"http://library.stanford.edu/iiif/image-api/1.1/context.json","@id":"https://e.org/iiif/x/a%2Fb%22","#,
                r#""width":1000,"height":600,"scale_factors":[1,2,4],"tile_width":512,"tile_height":256,"#,
                r#""formats":["jpg","png","webp"],"qualities":["native","color","grey","bitonal"],"#,
                r#""profile":"http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2"}"#
            )
        );
        assert_eq!(
            json(Version::V2),
            concat!(
                r#"{"@context":"http://iiif.io/api/image/2/context.json","@id":"https://e.org/iiif/x/a%2Fb%22","protocol":"http://iiif.io/api/image","#,
                r#""width":1000,"height":600,"sizes":[{"width":250,"height":150},{"width":500,"height":300},{"width":1000,"height":600}],"#,
                r#""tiles":[{"width":512,"height":256,"scaleFactors":[1,2,4]}],"profile":["http://iiif.io/api/image/2/level2.json","#,
                r#"{"formats":["jpg","png","webp"],"qualities":["default","color","gray","bitonal"],"supports":["canonicalLinkHeader","mirroring","#,
                r#""profileLinkHeader","regionSquare","rotationArbitrary","sizeAboveFull"],"maxWidth":1000,"maxHeight":800,"maxArea":12582912}]}"#
            )
        );
        assert_eq!(
            json(Version::V3),
            concat!(
                r#"{"@context":"http://iiif.io/api/image/3/context.json","id":"https://e.org/iiif/x/a%2Fb%22","type":"ImageService3","#,
                r#""protocol":"http://iiif.io/api/image","profile":"level2","width":1000,"height":600,"maxWidth":1000,"maxHeight":800,"#,
                r#""maxArea":12582912,"sizes":[{"width":250,"height":150},{"width":500,"height":300},{"width":1000,"height":600}],"#,
                r#""tiles":[{"width":512,"height":256,"scaleFactors":[1,2,4]}],"extraFormats":["webp"],"extraQualities":["color","gray","bitonal"],"#,
                r#""extraFeatures":["canonicalLinkHeader","mirroring","profileLinkHeader","rotationArbitrary","sizeUpscaling"]}"#
            )
        );
    }

    #[test]
    fn text_is_escaped() {
        let info = Info::new(size(10, 10), &Service::default());
        assert!(info.json(Version::V3, "a\"\\\n\u{7f}é").contains("\"id\":\"a\\\"\\\\\\n\u{7f}é\","));
        let xml = info.xml("a<b>&\"\u{1}é");
        assert!(xml.contains("<identifier>a&lt;b&gt;&amp;&quot;\u{FFFD}é</identifier>"), "{xml}");
        assert!(xml.contains("<scale_factors><scale_factor>1</scale_factor></scale_factors>"), "{xml}");
        assert!(xml.contains("<formats><format>jpg</format><format>png</format>"), "{xml}");
    }
}
