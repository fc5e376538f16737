//! Writing pyramids (feature `web`).

use azulejo_codecs::Codec;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::engine::{Image, ranges, thrown};
use super::values::{failure, invalid};
use crate::codec::modules;
use crate::error::Error;
use crate::ingest::{Compression, Finished, Ingest, Options, Step};
use crate::limits::Limits;

#[wasm_bindgen]
impl Image {
    /// Plans a pyramid of tiles of `tile` px, within `memory` MiB and `work` seconds; what is not given is the default.
    pub fn ingest(
        &self,
        tile: Option<u32>,
        quality: Option<u8>,
        compression: Option<String>,
        memory: Option<f64>,
        work: Option<f64>,
    ) -> Result<IngestJob, JsValue> {
        let mut options = Options::default();
        options.tile = tile.unwrap_or(options.tile);
        options.quality = quality.unwrap_or(options.quality);
        options.compression = match compression.as_deref() {
            None => None,
            Some("jpeg") => Some(Compression::Jpeg),
            Some("deflate") => Some(Compression::Deflate),
            Some("webp") => Some(Compression::WebP),
            Some(other) => return Err(failure(&invalid("compression", format!("{other:?}: expected jpeg, deflate or webp")))),
        };
        // `as` saturates, and NaN becomes 0.
        options.memory = memory.map_or(options.memory, |mebibytes| (mebibytes * f64::from(1 << 20)) as u64);
        options.work = work.map_or(options.work, |seconds| (seconds * Limits::WORK_PER_SECOND as f64) as u64);
        let writing = (options.compression == Some(Compression::WebP)).then_some(Codec::WebP);
        let modules = modules::names(&self.pyramid, writing);
        Ok(IngestJob { job: Ingest::new(&self.pyramid, &options).map_err(thrown)?, modules, spool: 0, finished: None })
    }
}

/// Writing a pyramid.
#[wasm_bindgen]
pub struct IngestJob {
    job: Ingest,
    modules: Vec<&'static str>,
    spool: usize,
    finished: Option<Finished>,
}

#[wasm_bindgen]
impl IngestJob {
    /// Bytes of memory that it will take at most.
    #[wasm_bindgen(getter)]
    pub fn memory(&self) -> f64 {
        self.job.memory() as f64
    }

    /// Names of the modules of codecs that it may need; they must be installed before the first step.
    #[wasm_bindgen(getter)]
    pub fn modules(&self) -> Vec<String> {
        self.modules.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Whose the piece is that the last step gave: a level, 0 being the full image.
    #[wasm_bindgen(getter)]
    pub fn spool(&self) -> u32 {
        self.spool as u32
    }

    /// Rows of the image that are done.
    #[wasm_bindgen(getter)]
    pub fn rows(&self) -> u32 {
        self.job.progress().0
    }

    /// Of so many.
    #[wasm_bindgen(getter, js_name = allRows)]
    pub fn all_rows(&self) -> u32 {
        self.job.progress().1
    }

    /// The ranges to provide (`Float64Array`), a piece of a spool (`Uint8Array`), or `undefined` when all have been given.
    pub fn step(&mut self) -> Result<JsValue, JsValue> {
        match self.job.step().map_err(thrown)? {
            Step::Need(needed) => Ok(ranges(&needed).into()),
            Step::Piece { spool, bytes } => {
                self.spool = spool;
                Ok(Uint8Array::from(bytes.as_slice()).into())
            }
            Step::Done(finished) => {
                self.finished = Some(finished);
                Ok(JsValue::UNDEFINED)
            }
        }
    }

    /// Hands over fetched bytes.
    pub fn provide(&mut self, offset: f64, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.job.provide(offset as u64, bytes).map_err(thrown)
    }

    /// The numbers of the spools in the order in which they follow the head.
    pub fn spools(&self) -> Result<Vec<u32>, JsValue> {
        Ok(self.finished()?.spools.iter().map(|spool| *spool as u32).collect())
    }

    /// What the file begins with.
    pub fn head(&self) -> Result<Vec<u8>, JsValue> {
        Ok(self.finished()?.head.clone())
    }

    /// [`Error::Internal`] before [`Self::step`] has said that it is done.
    fn finished(&self) -> Result<&Finished, JsValue> {
        self.finished.as_ref().ok_or_else(|| thrown(Error::Internal { what: "a head before its tiles".to_owned() }))
    }
}
