//! `info.json`: 1.0 §5, 1.1 §5, 2.1 §5, 3.0 §5. Keys stand in the order in which the specification shows them.

use super::json::{Object, array};
use super::{Format, Info, Quality, Version, percent};

pub(super) fn write(info: &Info, version: Version, id: &str) -> String {
    match version {
        Version::V1_0 => {
            let name = id.rsplit('/').next().unwrap_or(id);
            let name = percent::decode(name).unwrap_or_else(|| name.to_owned());
            first(info, version, Object::new().text("identifier", &name))
        }
        Version::V1_1 => {
            let object = Object::new().text("@context", "http://library.stanford.edu/iiif/image-api/1.1/context.json");
            first(info, version, object.text("@id", id))
        }
        Version::V2 => second(info, id),
        Version::V3 => third(info, id),
    }
}

/// 1.0 and 1.1 after the identifier.
fn first(info: &Info, version: Version, object: Object) -> String {
    let service = info.service();
    let mut object = sides(info, object);
    if let Some(tiles) = info.tiles().first() {
        let factors = array(tiles.scale_factors.iter().map(u32::to_string));
        object = object.raw("scale_factors", &factors).number("tile_width", tiles.width).number("tile_height", tiles.height);
    }
    object
        .texts("formats", service.formats.iter().map(|format| format.extension()))
        .texts("qualities", Quality::ALL.iter().map(|quality| quality.name(version)))
        .text("profile", &service.profile(version))
        .end()
}

fn second(info: &Info, id: &str) -> String {
    let (service, version) = (info.service(), Version::V2);
    let extras = Object::new()
        .texts("formats", service.formats.iter().map(|format| format.extension()))
        .texts("qualities", Quality::ALL.iter().map(|quality| quality.name(version)))
        .texts("supports", service.extra_features(version));
    let extras = limits(info, extras).end();
    let profile = format!("[\"{}\",{extras}]", service.profile(version));
    let object = Object::new().text("@context", "http://iiif.io/api/image/2/context.json").text("@id", id).text("protocol", "http://iiif.io/api/image");
    let object = sizes_and_tiles(info, sides(info, object)).raw("profile", &profile);
    pages(info, object).end()
}

fn third(info: &Info, id: &str) -> String {
    let (service, version) = (info.service(), Version::V3);
    let object = Object::new()
        .text("@context", "http://iiif.io/api/image/3/context.json")
        .text("id", id)
        .text("type", "ImageService3")
        .text("protocol", "http://iiif.io/api/image")
        .text("profile", &format!("level{}", service.level(version)));
    let object = limits(info, sides(info, object));
    let in_profile: &[Format] = match service.level(version) {
        2 => &[Format::Jpg, Format::Png],
        _ => &[Format::Jpg],
    };
    let object = sizes_and_tiles(info, object)
        .texts("extraFormats", service.formats.iter().filter(|format| !in_profile.contains(format)).map(|format| format.extension()))
        .texts("extraQualities", Quality::ALL.iter().filter(|quality| **quality != Quality::Default).map(|quality| quality.name(version)))
        .texts("extraFeatures", service.extra_features(version));
    pages(info, object).end()
}

/// Not of the specification, which lets readers pass over what they do not know (5.8). See [`Info::of_pages`].
fn pages(info: &Info, object: Object) -> Object {
    let associated = info.associated();
    if associated.is_empty() {
        return object.optional("pages", info.pages());
    }
    let numbers = (1..=info.pages().unwrap_or(1)).map(|number| number.to_string());
    object.raw("pages", &array(numbers.chain(associated.iter().map(|image| format!("\"{}\"", image.name())))))
}

fn sides(info: &Info, object: Object) -> Object {
    object.number("width", info.dimensions().width()).number("height", info.dimensions().height())
}

fn limits(info: &Info, object: Object) -> Object {
    let (width, height, area) = info.published_limits();
    object.optional("maxWidth", width).optional("maxHeight", height).optional("maxArea", area)
}

fn sizes_and_tiles(info: &Info, object: Object) -> Object {
    let sizes = info.sizes().iter().map(|size| Object::new().number("width", size.width()).number("height", size.height()).end());
    let tiles = info.tiles().iter().map(|tiles| {
        let object = Object::new().number("width", tiles.width);
        let object = if tiles.height == tiles.width { object } else { object.number("height", tiles.height) };
        object.raw("scaleFactors", &array(tiles.scale_factors.iter().map(u32::to_string))).end()
    });
    let object = if info.sizes().is_empty() { object } else { object.raw("sizes", &array(sizes)) };
    object.raw("tiles", &array(tiles))
}
