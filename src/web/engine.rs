//! Opening and rendering (feature `web`). Offsets cross as `f64` (files are shorter than 2^53 bytes), ranges as one
//! `Float64Array` of starts and ends, bytes as `Uint8Array`, options as plain objects.

use std::rc::Rc;

use js_sys::{Float64Array, Uint8Array};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::api::{ImageRequest, Page, Version};
use crate::bytes::{ByteRange, Step};
use crate::codec::modules;
use crate::error::Error;
use crate::job::{Encoded, Open, Render};
use crate::pyramid::Pyramid;
use crate::settings::Settings;

use super::values::{Thrown, failure, given_all, invalid, misconfigured};

/// Reads an object of settings of images and answers, as JavaScript names them.
fn settings(options: &JsValue) -> Result<Settings, JsValue> {
    Settings::from_options(&given_all(options)).map_err(|wrong| misconfigured(&wrong))
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
    settings: Rc<Settings>,
    pyramid: Option<Pyramid>,
}

#[wasm_bindgen]
impl OpenJob {
    /// For a file of `size` bytes, and of a document its page `page` (from 1), or an image beside the scan of a slide by its name.
    #[wasm_bindgen(constructor)]
    pub fn new(size: f64, page: &str, options: JsValue) -> Result<OpenJob, JsValue> {
        // Builds for development say in the console where they panicked.
        #[cfg(debug_assertions)]
        console_error_panic_hook::set_once();
        let settings = Rc::new(settings(&options)?);
        let page = Page::parse(page).ok_or_else(|| failure(&invalid("page", format!("{page:?}: expected a number from 1, or label, macro or thumbnail"))))?;
        let job = Open::new(size as u64, &settings.service.limits).page(page);
        Ok(Self { job, settings, pyramid: None })
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
        self.pyramid.take().map(|pyramid| Image { pyramid, settings: self.settings.clone() })
    }
}

/// An opened image.
#[wasm_bindgen]
pub struct Image {
    pub(super) pyramid: Pyramid,
    settings: Rc<Settings>,
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

    /// The name of its format, as `src/js/source-format.ts` lists them.
    #[wasm_bindgen(getter)]
    pub fn format(&self) -> String {
        self.pyramid.format().key()
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

    /// Names of the modules of codecs that are needed to plan a request; they must be installed before [`Self::render`] and [`Self::ingest`] are called.
    #[wasm_bindgen(getter)]
    pub fn modules(&self) -> Vec<String> {
        modules::names_to_plan(&self.pyramid).into_iter().map(str::to_owned).collect()
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
    pub fn info(&self, version_name: &str, id: &str) -> Result<String, JsValue> {
        Ok(self.pyramid.info(&self.settings.service).json(version(version_name)?, id))
    }

    /// Plans `"region/size/rotation/quality.format"`.
    pub fn render(&self, version_name: &str, request: &str) -> Result<RenderJob, JsValue> {
        let Settings { service, encode, .. } = &*self.settings;
        let resolved = ImageRequest::parse(version(version_name)?, request).and_then(|request| request.resolve(&self.pyramid.info(service))).map_err(thrown)?;
        let job = Render::new(&self.pyramid, &resolved, encode, &service.limits).map_err(thrown)?;
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

    /// Names of the modules of codecs that it may need; they must be installed before the first step.
    #[wasm_bindgen(getter)]
    pub fn modules(&self) -> Vec<String> {
        self.job.modules().into_iter().map(str::to_owned).collect()
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
