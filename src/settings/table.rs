//! The table of settings. To add one: a row here, and the field that it sets. Then `BLESS=1 cargo test --lib settings` writes everything that is generated.

use super::{Log, ObjectKey, Origins, Settings, origins};
use crate::api::{ConfinedUpscale, Format, Version};
use crate::limits::Limits;
use crate::options::PngCompression;
use crate::window::Window;

/// A setting.
pub(super) struct Setting {
    /// Its name as a Worker variable: `JPEG_QUALITY`. The option of the package has the same name in camel case: `jpegQuality`.
    pub name: &'static str,
    /// What its value is, and where that is kept.
    pub kind: Kind,
    /// A name from an earlier version that still works.
    pub old: Option<Old>,
    #[cfg(all(test, not(target_family = "wasm")))]
    pub documented: Documented,
}

/// What only documentation is made of; the wasm modules do not contain it.
#[cfg(all(test, not(target_family = "wasm")))]
pub(super) struct Documented {
    /// Its default, as the value of a Worker variable.
    pub default: &'static str,
    pub unit: &'static str,
    /// What it does, in Markdown.
    pub says: &'static str,
}

/// An earlier name, of a setting that was a switch then.
pub(super) struct Old {
    pub name: &'static str,
    pub on: &'static str,
    pub off: &'static str,
}

/// The least and the greatest value.
pub(super) type Bounds = (u64, u64);

/// What a value is, with the function that puts it into the settings.
pub(super) enum Kind {
    /// A whole number.
    Whole(Bounds, fn(&mut Settings, u64)),
    /// A number that may have decimals. The Worker has narrower bounds, which come second.
    Number(Bounds, Bounds, fn(&mut Settings, f64)),
    /// A whole number from 1 to the greatest, or none.
    Limit(u64, fn(&mut Settings, Option<u64>)),
    /// On or off.
    Switch(fn(&mut Settings, bool)),
    /// One of some words; the function is given its place among them.
    Choice(&'static [&'static str], fn(&mut Settings, usize)),
    /// Some of some words; the function is given what stands there and whether all of it is sound.
    List(&'static str, fn(&mut Settings, &[&str]) -> bool),
    /// A text of a form that is described first; the function tells whether the text has it.
    Text(&'static str, fn(&mut Settings, &str) -> bool),
}

const fn row(name: &'static str, kind: Kind, default: &'static str, unit: &'static str, says: &'static str) -> Setting {
    #[cfg(any(not(test), target_family = "wasm"))]
    let _ = (default, unit, says);
    Setting {
        name,
        kind,
        old: None,
        #[cfg(all(test, not(target_family = "wasm")))]
        documented: Documented { default, unit, says },
    }
}

const MIB: f64 = (1_u64 << 20) as f64;
/// Greatest number that JavaScript counts to without gaps.
const COUNTABLE: u64 = 1 << 53;

/// Settings of a whole service: which paths it answers, and how.
pub(super) const SERVICE: &[Setting] = &[
    row(
        "PREFIX",
        Kind::Text("a path such as /iiif/{version}/", |settings, text| {
            let holes = text.matches("{version}").count();
            let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"?#%\\\"<>^`|".contains(&b));
            settings.router.prefix = text.to_owned();
            text.starts_with('/') && text.ends_with('/') && !text.contains("//") && holes <= 1 && plain
        }),
        "/iiif/{version}/",
        "",
        "Path under which images are served. Without `{version}`, `VERSIONS` must name exactly one version.",
    ),
    row(
        "VERSIONS",
        Kind::List("a list of 1.0, 1.1, 2 and 3", |settings, names| read_list(names, Version::parse, &mut settings.router.versions)),
        "1.0,1.1,2,3",
        "",
        "Versions of the Image API that are served.",
    ),
    row(
        "FORMATS",
        Kind::List("a list of jpg, png, webp, gif and tif", |settings, names| read_list(names, Format::from_extension, &mut settings.service.formats)),
        "jpg,png,webp,gif,tif",
        "",
        "Formats of answers, in the order in which `info.json` lists them.",
    ),
    row(
        "OBJECT_KEY",
        Kind::Text("a key with {identifier} once in it", |settings, text| put(ObjectKey::parse(text), &mut settings.object_key)),
        "{identifier}",
        "",
        "Key of the object that an identifier stands for. With `maps/{identifier}.tif` identifiers are shorter than keys.",
    ),
    row(
        "ALLOW_SLASHES",
        Kind::Switch(|settings, on| settings.router.allow_slashes = on),
        "off",
        "",
        "Whether an identifier may contain slashes that are not encoded as `%2F`.",
    ),
    row(
        "PAGES",
        Kind::Switch(|settings, on| settings.pages = on),
        "on",
        "",
        "Whether `name;2` is the second page of `name`, and `name;label`, `name;macro` and `name;thumbnail` are the images beside the scan of a slide. An object whose key is `name;2` itself takes precedence only if `name` does not exist.",
    ),
    row(
        "WRITE_INDEX",
        Kind::Switch(|settings, on| settings.write_index = on),
        "off",
        "",
        "Whether the positions of the blocks of a JPEG file, once they are known, are stored beside it as `KEY.azulejo-index`. Later tiles then read only their own bytes, everywhere.",
    ),
    row(
        "PUBLIC_URL",
        Kind::Text("a URL such as https://images.example.org, without a query", |settings, text| {
            settings.public_url = origins::public_url(text);
            text.is_empty() || settings.public_url.is_some()
        }),
        "",
        "",
        "What `id`, links and redirects begin with, such as `https://images.example.org`. If it is empty, the host of each request.",
    ),
    row(
        "UPSCALING",
        Kind::Switch(|settings, on| settings.service.upscaling = on),
        "on",
        "",
        "Whether answers may be larger than the region: `^` in version 3, any size before.",
    ),
    row(
        "CONFINED_UPSCALE",
        Kind::Choice(&["clamp", "reject"], |settings, index| settings.service.confined_upscale = [ConfinedUpscale::Clamp, ConfinedUpscale::Reject][index]),
        "clamp",
        "",
        "What `!w,h` of version 3 does if the box is larger than the region. `clamp` gives the region in its own size; `reject` answers 400, as the official validator expects.",
    ),
    row(
        "CANONICAL",
        Kind::Choice(&["link", "redirect"], |settings, index| settings.redirect = index == 1),
        "link",
        "",
        "`link` names the canonical URL in a `Link` header. `redirect` redirects to it, except for tiles.",
    ),
    row(
        "TILE_WIDTH",
        Kind::Whole((64, 4096), |settings, width| settings.service.tile_width = width as u32),
        "512",
        "px",
        "Side of the tiles that `info.json` offers for images that are not stored in tiles.",
    ),
    row(
        "ALLOWED_ORIGINS",
        Kind::Text("* or a list of origins such as https://example.org", |settings, text| put(Origins::parse(text), &mut settings.origins)),
        "*",
        "",
        "Sites whose pages may read the answers: `*` for all, or a list such as `https://example.org https://www.example.org`.",
    ),
    row(
        "CACHE_CONTROL",
        Kind::Text("the value of a Cache-Control header", |settings, text| {
            settings.cache_control = text.to_owned();
            !text.is_empty() && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        }),
        "public, max-age=3600, stale-while-revalidate=604800",
        "",
        "The header `Cache-Control` of images and information.",
    ),
    row(
        "LOG",
        Kind::Choice(&["all", "errors", "none"], |settings, index| settings.log = [Log::All, Log::Errors, Log::None][index]),
        "all",
        "",
        "What is logged: every request, only errors of the service, or nothing.",
    ),
];

/// Settings of an image: how it is read, and what an answer of it may be and cost.
pub(super) const IMAGE: &[Setting] = &[
    row(
        "MAX_WIDTH",
        Kind::Limit(u32::MAX as u64, |settings, limit| settings.service.limits.max_width = limit.map(|limit| limit as u32)),
        "none",
        "px",
        "Greatest width of an answer, published as `maxWidth`.",
    ),
    row(
        "MAX_HEIGHT",
        Kind::Limit(u32::MAX as u64, |settings, limit| settings.service.limits.max_height = limit.map(|limit| limit as u32)),
        "none",
        "px",
        "Greatest height of an answer, published as `maxHeight`. Needs `MAX_WIDTH`.",
    ),
    row(
        "MAX_AREA",
        Kind::Limit(COUNTABLE, |settings, limit| settings.service.limits.max_area = limit),
        "12582912",
        "px²",
        "Greatest area of an answer, published as `maxArea`.",
    ),
    row(
        "MEMORY",
        Kind::Number((1, 112), (4, 58), |settings, size| settings.service.limits.memory = (size * MIB) as u64),
        "42",
        "MiB",
        "Memory that a request may take, and all requests of a Worker together. A request that needs more is refused before anything is read.",
    ),
    row(
        "FETCHED",
        Kind::Number((1, 1 << 20), (1, 1 << 20), |settings, size| settings.service.limits.fetched = (size * MIB) as u64),
        "512",
        "MiB",
        "Bytes of the source that a request may read.",
    ),
    row(
        "WORK",
        Kind::Number((0, 86_400), (1, 300), |settings, seconds| settings.service.limits.work = (seconds * Limits::WORK_PER_SECOND as f64) as u64),
        "5",
        "s",
        "CPU time that a request may take, estimated for a typical server. A request that is expected to take more is refused before anything is read.",
    ),
    Setting {
        old: Some(Old { name: "SHOW_INCOMPLETE", on: "show", off: "refuse" }),
        ..row(
            "INCOMPLETE",
            Kind::Choice(&["show", "refuse"], |settings, index| settings.service.limits.show_incomplete = index == 0),
            "show",
            "",
            "What happens with a damaged or cut-off file. `show` gives what can be decoded, and gray, white or transparent pixels for the rest; the Worker says so in the header `Azulejo-Incomplete: rows=N`, and such an answer is cached for a minute at most. `refuse` is an error. A read that fails is always an error.",
        )
    },
    row(
        "WINDOW",
        Kind::Text(Window::EXPECTED, |settings, text| put(Window::parse(text), &mut settings.service.limits.window)),
        "auto",
        "",
        "Values of a TIFF's samples that become black and white, if they have more than 8 bits, are signed or floating point: `auto` (what the file says), `full` (the whole range of the type; 0 to 1 for floating point) or `MIN,MAX`.",
    ),
];

/// Settings of an answer: how it is encoded.
pub(super) const ANSWER: &[Setting] = &[
    row(
        "JPEG_QUALITY",
        Kind::Whole((1, 100), |settings, quality| settings.encode.jpeg_quality = quality as u8),
        "80",
        "",
        "Quality of JPEG, on the scale of libjpeg.",
    ),
    row(
        "JPEG_SMALL",
        Kind::Switch(|settings, on| settings.encode.jpeg_small = on),
        "off",
        "",
        "Makes JPEGs of up to 1 megapixel smaller by a fifth. They are a little less like the image, and encoding takes about ten times as long (some 15 ms more for a tile). Stored tiles are sent as they are.",
    ),
    row(
        "WEBP_QUALITY",
        Kind::Whole((0, 100), |settings, quality| settings.encode.webp_quality = quality as u8),
        "75",
        "",
        "Quality of lossy WebP, on the scale of libwebp. 46 to 51 are encoded as 52, and 90 to 92 as 93.",
    ),
    row("WEBP_LOSSLESS", Kind::Switch(|settings, on| settings.encode.webp_lossless = on), "off", "", "Encodes WebP without loss."),
    row(
        "PNG_COMPRESSION",
        Kind::Choice(&["fastest", "fast", "balanced", "high"], |settings, index| {
            settings.encode.png_compression = [PngCompression::Fastest, PngCompression::Fast, PngCompression::Balanced, PngCompression::High][index];
        }),
        "fast",
        "",
        "Effort of compressing PNG. Beyond `fast`, only line art becomes much smaller.",
    ),
];

/// Keeps a value that could be read.
fn put<T>(value: Option<T>, place: &mut T) -> bool {
    value.map(|value| *place = value).is_some()
}

/// Reads a list of at least one, and keeps it without what is named twice.
fn read_list<T: Copy + PartialEq>(names: &[&str], read: impl Fn(&str) -> Option<T>, place: &mut Vec<T>) -> bool {
    place.clear();
    for name in names {
        match read(name) {
            None => return false,
            Some(value) if place.contains(&value) => {}
            Some(value) => place.push(value),
        }
    }
    !place.is_empty()
}
