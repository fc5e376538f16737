//! A module of codecs for JavaScript. Every module has this same surface, so that one text of JavaScript serves them all. The engine's side is
//! `src/web/codecs.rs`.
//!
//! Errors are texts: `corrupt:`, `unsupported:`, `internal:` and what is wrong, or `changed:`.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{Codec, Encoding, Fault, Rows, Size};

/// A decoder of a file.
#[wasm_bindgen]
pub struct Decoder(Box<dyn crate::Decoder>);

#[wasm_bindgen]
impl Decoder {
    /// Begins to decode a file with the codec of a name. Its header says that it has `width` × `height` px. The decoder allocates at most `memory` bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(codec: &str, bytes: Vec<u8>, width: u32, height: u32, memory: f64) -> Result<Decoder, JsValue> {
        // Builds for development say in the console where they panicked.
        #[cfg(debug_assertions)]
        console_error_panic_hook::set_once();
        let begin = |codec| crate::decoder(codec, bytes, Size { width, height }, memory as u64);
        Codec::named(codec).and_then(begin).map(Self).map_err(thrown)
    }

    /// Samples of a pixel: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    #[wasm_bindgen(getter)]
    pub fn channels(&self) -> u32 {
        self.0.layout().channels as u32
    }

    /// Whether samples have 16 bits: rows are taken by [`Self::rows16`] then, and by [`Self::rows8`] otherwise.
    #[wasm_bindgen(getter)]
    pub fn wide(&self) -> bool {
        self.0.layout().wide
    }

    /// Takes the embedded ICC profile.
    #[wasm_bindgen(js_name = takeIcc)]
    pub fn take_icc(&mut self) -> Option<Vec<u8>> {
        self.0.take_icc()
    }

    /// Drops alpha if no pixel needs it.
    #[wasm_bindgen(js_name = dropNeedlessAlpha)]
    pub fn drop_needless_alpha(&mut self) {
        self.0.drop_needless_alpha();
    }

    /// The next rows, of 8 bits a sample: at least one and at most `most`; none if all have been given.
    pub fn rows8(&mut self, most: u32) -> Result<Vec<u8>, JsValue> {
        match self.0.rows(most).map_err(thrown)? {
            Rows::U8(rows) => Ok(rows.to_vec()),
            Rows::U16(_) => Err(thrown(Fault::Internal("samples of 16 bits are no samples of 8".to_owned()))),
        }
    }

    /// The same, of 16 bits a sample.
    pub fn rows16(&mut self, most: u32) -> Result<Vec<u16>, JsValue> {
        match self.0.rows(most).map_err(thrown)? {
            Rows::U16(rows) => Ok(rows.to_vec()),
            Rows::U8(_) => Err(thrown(Fault::Internal("samples of 8 bits are no samples of 16".to_owned()))),
        }
    }

    /// What is wrong with a damaged file whose missing pixels were filled.
    #[wasm_bindgen(getter)]
    pub fn damage(&self) -> Option<String> {
        self.0.damage().map(|(_, what)| what.to_owned())
    }

    /// How many rows lie above the first one that could not be decoded, if there is [damage](Self::damage).
    #[wasm_bindgen(getter, js_name = rowsAbove)]
    pub fn rows_above(&self) -> u32 {
        self.0.damage().map_or(0, |(rows, _)| rows)
    }
}

/// A decoder of packed bytes.
#[wasm_bindgen]
pub struct Unpacker {
    unpacker: Box<dyn crate::Unpacker>,
    consumed: usize,
}

#[wasm_bindgen]
impl Unpacker {
    /// Begins to unpack data with the codec of a name. The first `content` unpacked bytes are wanted.
    #[wasm_bindgen(constructor)]
    pub fn new(codec: &str, content: f64) -> Result<Unpacker, JsValue> {
        let begin = |codec| crate::unpacker(codec, content as u64);
        Codec::named(codec).and_then(begin).map(|unpacker| Self { unpacker, consumed: 0 }).map_err(thrown)
    }

    /// At most `most` bytes out of the next piece. [`Self::consumed`] says how many bytes of the piece were taken. If none were taken and none are made, it needs
    /// a longer piece; if this was the `last` one, the data have ended.
    pub fn decode(&mut self, input: &[u8], last: bool, most: u32) -> Result<Vec<u8>, JsValue> {
        let mut out = vec![0; most as usize];
        let progress = self.unpacker.decode(input, last, &mut out).map_err(thrown)?;
        self.consumed = progress.consumed;
        out.truncate(progress.produced);
        Ok(out)
    }

    /// Bytes of the last piece that were taken.
    #[wasm_bindgen(getter)]
    pub fn consumed(&self) -> u32 {
        self.consumed as u32
    }
}

/// An encoder of a file.
#[wasm_bindgen]
pub struct Encoder(Box<dyn crate::Encoder>);

#[wasm_bindgen]
impl Encoder {
    /// Begins to encode `width` × `height` px of `channels` samples with the codec of a name. The other arguments are those of [`Encoding`].
    #[wasm_bindgen(constructor)]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)]
    pub fn new(codec: &str, width: u32, height: u32, channels: u32, quality: u8, lossless: bool, bitonal: bool, subsampled: bool) -> Result<Encoder, JsValue> {
        let encoding = Encoding { quality, lossless, bitonal, subsampled };
        let begin = |codec| crate::encoder(codec, Size { width, height }, channels as usize, encoding);
        Codec::named(codec).and_then(begin).map(Self).map_err(thrown)
    }

    /// Adds the samples of rows.
    pub fn push(&mut self, samples: Vec<u8>) -> Result<(), JsValue> {
        self.0.push(samples.into()).map_err(thrown)
    }

    /// Whether all rows have been counted, and must now be pushed again.
    #[wasm_bindgen(getter, js_name = isCounted)]
    pub fn is_counted(&self) -> bool {
        self.0.is_counted()
    }

    /// Number of complete bytes of the file that can be taken.
    #[wasm_bindgen(getter)]
    pub fn held(&self) -> u32 {
        self.0.held() as u32
    }

    /// Takes the complete bytes of the file.
    pub fn take(&mut self) -> Vec<u8> {
        self.0.take()
    }

    /// The rest of the file, once all rows have been pushed.
    pub fn finish(&mut self) -> Result<Vec<u8>, JsValue> {
        self.0.finish().map_err(thrown)
    }
}

/// A conversion of colours to sRGB.
#[wasm_bindgen]
pub struct Converter(Box<dyn crate::Converter>);

#[wasm_bindgen]
impl Converter {
    /// The conversion by an ICC profile with the codec of a name, of pixels of `colors` samples.
    #[wasm_bindgen(constructor)]
    pub fn new(codec: &str, icc: &[u8], colors: u32) -> Result<Converter, JsValue> {
        let begin = |codec| crate::converter(codec, icc, colors as usize);
        Codec::named(codec).and_then(begin).map(Self).map_err(thrown)
    }

    /// What samples of 8 bits become: RGB, or gray if they are gray.
    pub fn convert8(&self, samples: &[u8]) -> Result<Vec<u8>, JsValue> {
        let mut out = Vec::new();
        self.0.narrow(samples, &mut out).map(|()| out).map_err(thrown)
    }

    /// The same from samples of 16 bits.
    pub fn convert16(&self, samples: &[u16]) -> Result<Vec<u8>, JsValue> {
        let mut out = Vec::new();
        self.0.wide(samples, &mut out).map(|()| out).map_err(thrown)
    }
}

fn thrown(fault: Fault) -> JsValue {
    JsValue::from(match fault {
        Fault::Changed => "changed:".to_owned(),
        Fault::Corrupt(what) => format!("corrupt:{what}"),
        Fault::Unsupported(what) => format!("unsupported:{what}"),
        Fault::Internal(what) => format!("internal:{what}"),
    })
}
