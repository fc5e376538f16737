//! Opening and rendering (feature `web`). Offsets cross as `f64` (files are shorter than 2^53 bytes), ranges as one
//! `Float64Array` of starts and ends, bytes as `Uint8Array`, options as plain objects.

use js_sys::{Float64Array, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::api::{ImageRequest, Page, Service, Version};
use crate::bytes::{ByteRange, Step};
use crate::error::Error;
use crate::job::{Encoded, Open, Render};
use crate::limits::Limits;
use crate::options::{EncodeOptions, PngCompression};
use crate::pyramid::Pyramid;
use crate::window::Window;

/// Limits and encoder settings, each optional, as JavaScript names them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Options {
    max_width: Option<u32>,
    max_height: Option<u32>,
    max_area: Option<f64>,
    memory: Option<f64>,
    fetched: Option<f64>,
    work: Option<f64>,
    incomplete: Option<String>,
    /// What the setting was called before.
    show_incomplete: Option<bool>,
    window: Option<String>,
    jpeg_quality: Option<u8>,
    jpeg_small: Option<bool>,
    webp_quality: Option<u8>,
    webp_lossless: Option<bool>,
    png_compression: Option<String>,
}

impl Options {
    fn read(value: JsValue) -> Result<Self, JsValue> {
        if value.is_undefined() || value.is_null() {
            return Ok(Self::default());
        }
        serde_wasm_bindgen::from_value(value).map_err(|error| failure(&invalid("options", error)))
    }

    fn service(&self) -> Result<Service, JsValue> {
        let mut limits = Limits::default();
        // `as` saturates, and NaN becomes 0.
        let whole = |value: f64| value as u64;
        limits.max_width = self.max_width.or(limits.max_width);
        limits.max_height = self.max_height.or(limits.max_height);
        limits.max_area = self.max_area.map(whole).or(limits.max_area);
        limits.memory = self.memory.map_or(limits.memory, whole);
        limits.fetched = self.fetched.map_or(limits.fetched, whole);
        limits.work = self.work.map_or(limits.work, |seconds| whole(seconds * Limits::WORK_PER_SECOND as f64));
        limits.show_incomplete = match self.incomplete.as_deref() {
            None => self.show_incomplete.unwrap_or(limits.show_incomplete),
            Some("show") => true,
            Some("refuse") => false,
            Some(other) => return Err(failure(&invalid("incomplete", format!("{other:?}: expected show or refuse")))),
        };
        if let Some(text) = &self.window {
            limits.window = Window::parse(text).ok_or_else(|| failure(&invalid("window", format!("{text:?}: expected {}", Window::EXPECTED))))?;
        }
        Ok(Service { limits, ..Service::default() })
    }

    fn encode(&self) -> Result<EncodeOptions, JsValue> {
        let mut options = EncodeOptions::default();
        options.jpeg_quality = self.jpeg_quality.unwrap_or(options.jpeg_quality).clamp(1, 100);
        options.jpeg_small = self.jpeg_small.unwrap_or(options.jpeg_small);
        options.webp_quality = self.webp_quality.unwrap_or(options.webp_quality).min(100);
        options.webp_lossless = self.webp_lossless.unwrap_or(options.webp_lossless);
        options.png_compression = match self.png_compression.as_deref() {
            None => options.png_compression,
            Some("fastest") => PngCompression::Fastest,
            Some("fast") => PngCompression::Fast,
            Some("balanced") => PngCompression::Balanced,
            Some("high") => PngCompression::High,
            Some(other) => return Err(failure(&invalid("pngCompression", format!("{other:?}: expected fastest, fast, balanced or high")))),
        };
        Ok(options)
    }
}

/// A caller's mistake, in the shape of the core's errors.
pub(super) fn invalid(what: &str, error: impl std::fmt::Display) -> Thrown {
    Thrown { code: "invalid-argument", status: 400, message: format!("{what}: {error}") }
}

/// What JavaScript catches; `src/js/error.ts` makes an `IiifError` of it.
#[derive(Debug, Serialize)]
pub(super) struct Thrown {
    code: &'static str,
    status: u16,
    message: String,
}

pub(super) fn failure(thrown: &Thrown) -> JsValue {
    serde_wasm_bindgen::to_value(thrown).unwrap_or(JsValue::NULL)
}

impl From<Error> for Thrown {
    fn from(error: Error) -> Self {
        Self { code: error.code(), status: error.status(), message: error.to_string() }
    }
}

pub(super) fn thrown(error: Error) -> JsValue {
    failure(&error.into())
}

fn version(name: &str) -> Result<Version, JsValue> {
    Version::parse(name).ok_or_else(|| failure(&invalid("version", format!("{name:?}: expected 1.0, 1.1, 2 or 3"))))
}

/// Starts and ends, one after the other.
pub(super) fn ranges(needed: &[ByteRange]) -> Float64Array {
    let numbers: Vec<f64> = needed.iter().flat_map(|range| [range.start() as f64, range.end() as f64]).collect();
    Float64Array::from(numbers.as_slice())
}

/// Opening an image.
#[wasm_bindgen]
pub struct OpenJob {
    job: Open,
    pyramid: Option<Pyramid>,
}

#[wasm_bindgen]
impl OpenJob {
    /// For a file of `size` bytes, and of a document its page `page` (from 1), or an image beside the scan of a slide by its name.
    #[wasm_bindgen(constructor)]
    pub fn new(size: f64, page: &str, options: JsValue) -> Result<OpenJob, JsValue> {
        let service = Options::read(options)?.service()?;
        let page = Page::parse(page).ok_or_else(|| failure(&invalid("page", format!("{page:?}: expected a number from 1, or label, macro or thumbnail"))))?;
        Ok(Self { job: Open::new(size as u64, &service.limits).page(page), pyramid: None })
    }

    /// The ranges to provide, or `undefined` when it is open.
    pub fn step(&mut self) -> Result<Option<Float64Array>, JsValue> {
        match self.job.step().map_err(thrown)? {
            Step::Need(needed) => Ok(Some(ranges(&needed))),
            Step::Piece(_) => Err(thrown(Error::Internal { what: "an image that opens in pieces".to_owned() })),
            Step::Done(pyramid) => {
                self.pyramid = Some(pyramid);
                Ok(None)
            }
        }
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: f64, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.job.provide(offset as u64, bytes).map_err(thrown)
    }

    /// The opened image; `undefined` before [`Self::step`] has said so.
    pub fn image(&mut self) -> Option<Image> {
        self.pyramid.take().map(|pyramid| Image { pyramid })
    }
}

/// An opened image.
#[wasm_bindgen]
pub struct Image {
    pub(super) pyramid: Pyramid,
}

#[wasm_bindgen]
impl Image {
    /// Width as seen, px.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.pyramid.dimensions().width()
    }

    /// Height as seen, px.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.pyramid.dimensions().height()
    }

    /// `"jpeg"`, `"png"`, `"webp"`, `"gif"` or `"tiff"`.
    #[wasm_bindgen(getter)]
    pub fn format(&self) -> String {
        self.pyramid.format().name().to_ascii_lowercase()
    }

    /// How many pages the document has; `undefined` if that is not known.
    #[wasm_bindgen(getter)]
    pub fn pages(&self) -> Option<u32> {
        self.pyramid.pages().count()
    }

    /// The images beside the scan of a slide.
    #[wasm_bindgen(getter)]
    pub fn associated(&self) -> Vec<String> {
        self.pyramid.pages().associated.iter().map(|image| image.name().to_owned()).collect()
    }

    /// Whether there is a page after this one.
    #[wasm_bindgen(getter, js_name = hasNext)]
    pub fn has_next(&self) -> bool {
        self.pyramid.pages().next().is_some()
    }

    /// Whether its pixels need codecs that this module may lack.
    #[wasm_bindgen(getter)]
    pub fn extra(&self) -> bool {
        self.pyramid.needs_extra()
    }

    /// Whether an index that was kept would be of use.
    #[wasm_bindgen(getter, js_name = wantsIndex)]
    pub fn wants_index(&self) -> bool {
        self.pyramid.wants_index()
    }

    /// Takes an index that was kept; whether it is of this file.
    #[wasm_bindgen(js_name = takeIndex)]
    pub fn take_index(&self, bytes: &[u8]) -> bool {
        self.pyramid.take_index(bytes)
    }

    /// The index to be kept, if it has grown much.
    pub fn index(&self) -> Option<Vec<u8>> {
        self.pyramid.index()
    }

    /// The information document, as JSON text.
    pub fn info(&self, version_name: &str, id: &str, options: JsValue) -> Result<String, JsValue> {
        let service = Options::read(options)?.service()?;
        Ok(self.pyramid.info(&service).json(version(version_name)?, id))
    }

    /// Plans `"region/size/rotation/quality.format"`.
    pub fn render(&self, version_name: &str, request: &str, options: JsValue) -> Result<RenderJob, JsValue> {
        let options = Options::read(options)?;
        let service = options.service()?;
        let resolved =
            ImageRequest::parse(version(version_name)?, request).and_then(|request| request.resolve(&self.pyramid.info(&service))).map_err(thrown)?;
        let job = Render::new(&self.pyramid, &resolved, &options.encode()?, &service.limits).map_err(thrown)?;
        Ok(RenderJob { job, canonical: resolved.canonical().to_owned(), encoded: None })
    }
}

/// Rendering a request.
#[wasm_bindgen]
pub struct RenderJob {
    job: Render,
    canonical: String,
    encoded: Option<Encoded>,
}

#[wasm_bindgen]
impl RenderJob {
    /// Bytes of memory that it will take at most.
    #[wasm_bindgen(getter)]
    pub fn memory(&self) -> f64 {
        self.job.memory() as f64
    }

    /// Whether it is likely to send a stored chunk as it is: next to no work.
    #[wasm_bindgen(getter)]
    pub fn light(&self) -> bool {
        self.job.is_passthrough()
    }

    /// The ranges to provide (`Float64Array`), a piece of the answer (`Uint8Array`), or `undefined` when it is done.
    pub fn step(&mut self) -> Result<JsValue, JsValue> {
        match self.job.step().map_err(thrown)? {
            Step::Need(needed) => Ok(ranges(&needed).into()),
            Step::Piece(piece) => Ok(Uint8Array::from(piece.as_slice()).into()),
            Step::Done(encoded) => {
                self.encoded = Some(encoded);
                Ok(JsValue::UNDEFINED)
            }
        }
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: f64, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.job.provide(offset as u64, bytes).map_err(thrown)
    }

    /// Descriptions of the file's colours that were not used, a name and a reason each, by commas; `undefined` if there are none. Known from the first piece on.
    pub fn unused(&self) -> Option<String> {
        let sentences: Vec<String> = self.job.unused().iter().map(|unused| format!("{} {}", unused.name, unused.reason)).collect();
        (!sentences.is_empty()).then(|| sentences.join(", "))
    }

    /// Of a damaged image, the rows that could be decoded; `undefined` if nothing is missing. Known when the first piece of the answer is, or all of it.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> Option<u32> {
        self.job.incomplete().map(|incomplete| incomplete.rows)
    }

    /// What is wrong with a damaged image.
    #[wasm_bindgen(getter)]
    pub fn damage(&self) -> Option<String> {
        self.job.incomplete().map(|incomplete| incomplete.damage.to_string())
    }

    /// The answer; `undefined` before [`Self::step`] has said so, and once it was taken.
    pub fn result(&mut self) -> Option<Answer> {
        self.encoded.take().map(|encoded| Answer { encoded, canonical: std::mem::take(&mut self.canonical) })
    }
}

/// The bytes of an answer and what they are.
#[wasm_bindgen]
pub struct Answer {
    encoded: Encoded,
    canonical: String,
}

#[wasm_bindgen]
impl Answer {
    /// Takes the file's bytes out.
    #[wasm_bindgen(js_name = takeBytes)]
    pub fn take_bytes(&mut self) -> Uint8Array {
        // A vector would be copied into memory that is cleared first.
        Uint8Array::from(std::mem::take(&mut self.encoded.bytes).as_slice())
    }

    /// Media type.
    #[wasm_bindgen(getter, js_name = type)]
    pub fn media_type(&self) -> String {
        self.encoded.format.media_type().to_owned()
    }

    /// Width, rotation applied, px.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.encoded.dimensions.width()
    }

    /// Height, rotation applied, px.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.encoded.dimensions.height()
    }

    /// The canonical form of the request.
    #[wasm_bindgen(getter)]
    pub fn canonical(&self) -> String {
        self.canonical.clone()
    }

    /// Whether stored bytes were sent as they are.
    #[wasm_bindgen(getter)]
    pub fn passthrough(&self) -> bool {
        self.encoded.passthrough
    }
}
