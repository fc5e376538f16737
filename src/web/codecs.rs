//! Codecs of modules that the host has loaded, for an engine that is built without them. The modules' side is `codecs/src/module.rs`.

use std::borrow::Cow;

use azulejo_codecs::{Codec, Encoding, Fault, Layout, Progress, Rows, Size};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::engine::thrown;
use crate::error::Error;
use crate::installed::{self, Module};

#[wasm_bindgen]
extern "C" {
    /// The exports of a module, behind functions that do what its constructors do.
    pub type Codecs;
    #[wasm_bindgen(method, catch)]
    fn decoder(this: &Codecs, codec: &str, bytes: Vec<u8>, width: u32, height: u32, memory: f64) -> Result<FileDecoder, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn unpacker(this: &Codecs, codec: &str, content: f64) -> Result<BytesUnpacker, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn converter(this: &Codecs, codec: &str, icc: &[u8], colors: u32) -> Result<ColorConverter, JsValue>;
    #[wasm_bindgen(method, catch)]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)]
    fn encoder(
        this: &Codecs,
        codec: &str,
        width: u32,
        height: u32,
        channels: u32,
        quality: u8,
        lossless: bool,
        bitonal: bool,
        subsampled: bool,
    ) -> Result<FileEncoder, JsValue>;

    /// A decoder of a file.
    pub type FileDecoder;
    #[wasm_bindgen(method, getter)]
    fn channels(this: &FileDecoder) -> u32;
    #[wasm_bindgen(method, getter)]
    fn wide(this: &FileDecoder) -> bool;
    #[wasm_bindgen(method, js_name = takeIcc)]
    fn take_icc(this: &FileDecoder) -> Option<Vec<u8>>;
    #[wasm_bindgen(method, js_name = dropNeedlessAlpha)]
    fn drop_needless_alpha(this: &FileDecoder);
    #[wasm_bindgen(method, catch)]
    fn rows8(this: &FileDecoder, most: u32) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn rows16(this: &FileDecoder, most: u32) -> Result<Vec<u16>, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn damage(this: &FileDecoder) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = rowsAbove)]
    fn rows_above(this: &FileDecoder) -> u32;
    #[wasm_bindgen(method)]
    fn free(this: &FileDecoder);

    /// A decoder of packed bytes.
    pub type BytesUnpacker;
    #[wasm_bindgen(method, catch)]
    fn decode(this: &BytesUnpacker, input: &[u8], last: bool, most: u32) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn consumed(this: &BytesUnpacker) -> u32;
    #[wasm_bindgen(method)]
    fn free(this: &BytesUnpacker);

    /// A conversion of colours.
    pub type ColorConverter;
    #[wasm_bindgen(method, catch)]
    fn convert8(this: &ColorConverter, samples: &[u8]) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn convert16(this: &ColorConverter, samples: &[u16]) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method)]
    fn free(this: &ColorConverter);

    /// An encoder of a file.
    pub type FileEncoder;
    #[wasm_bindgen(method, catch)]
    fn push(this: &FileEncoder, samples: &[u8]) -> Result<(), JsValue>;
    #[wasm_bindgen(method, getter, js_name = isCounted)]
    fn is_counted(this: &FileEncoder) -> bool;
    #[wasm_bindgen(method, getter)]
    fn held(this: &FileEncoder) -> u32;
    #[wasm_bindgen(method)]
    fn take(this: &FileEncoder) -> Vec<u8>;
    #[wasm_bindgen(method, catch)]
    fn finish(this: &FileEncoder) -> Result<Vec<u8>, JsValue>;
    #[wasm_bindgen(method)]
    fn free(this: &FileEncoder);
}

/// Installs a module of codecs under its name.
#[wasm_bindgen]
pub fn install(name: &str, codecs: Codecs) -> Result<(), JsValue> {
    installed::install(name, Box::new(codecs)).map_err(|fault| thrown(Error::Internal { what: format!("{fault:?}") }))
}

impl Module for Codecs {
    fn decoder(&self, codec: Codec, bytes: Vec<u8>, planned: Size, memory: u64) -> Result<Box<dyn azulejo_codecs::Decoder>, Fault> {
        let decoder = self.decoder(codec.name(), bytes, planned.width, planned.height, memory as f64).map_err(fault)?;
        let layout = Layout { channels: decoder.channels() as usize, wide: decoder.wide() };
        let damage = decoder.damage().map(|what| (decoder.rows_above(), what));
        Ok(Box::new(Decoder { decoder, layout, width: planned.width as usize, damage, narrow: Vec::new(), wide: Vec::new(), given: 0 }))
    }

    fn unpacker(&self, codec: Codec, content: u64) -> Result<Box<dyn azulejo_codecs::Unpacker>, Fault> {
        Ok(Box::new(Unpacker(self.unpacker(codec.name(), content as f64).map_err(fault)?)))
    }

    fn converter(&self, codec: Codec, icc: &[u8], colors: usize) -> Result<Box<dyn azulejo_codecs::Converter>, Fault> {
        Ok(Box::new(Converter(self.converter(codec.name(), icc, colors as u32).map_err(fault)?)))
    }

    fn encoder(&self, codec: Codec, size: Size, channels: usize, encoding: Encoding) -> Result<Box<dyn azulejo_codecs::Encoder>, Fault> {
        let Encoding { quality, lossless, bitonal, subsampled } = encoding;
        let encoder = self.encoder(codec.name(), size.width, size.height, channels as u32, quality, lossless, bitonal, subsampled);
        Ok(Box::new(Encoder(encoder.map_err(fault)?)))
    }
}

/// Samples of rows that are taken from a module at a time.
const SAMPLES: usize = 128 << 10;

/// Freed in its module when it is dropped here.
struct Decoder {
    decoder: FileDecoder,
    layout: Layout,
    width: usize,
    damage: Option<(u32, String)>,
    /// Rows that were taken, of 8 or of 16 bits, and how many of their samples have been given.
    narrow: Vec<u8>,
    wide: Vec<u16>,
    given: usize,
}

impl azulejo_codecs::Decoder for Decoder {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn take_icc(&mut self) -> Option<Vec<u8>> {
        self.decoder.take_icc()
    }

    fn drop_needless_alpha(&mut self) {
        self.decoder.drop_needless_alpha();
        self.layout.channels = self.decoder.channels() as usize;
    }

    fn rows(&mut self, most: u32) -> Result<Rows<'_>, Fault> {
        let stride = (self.width * self.layout.channels).max(1);
        if self.given >= self.narrow.len().max(self.wide.len()) {
            let some = (SAMPLES / stride).max(1) as u32;
            self.given = 0;
            if self.layout.wide {
                self.wide = self.decoder.rows16(some).map_err(fault)?;
            } else {
                self.narrow = self.decoder.rows8(some).map_err(fault)?;
            }
            if self.narrow.len().max(self.wide.len()) > stride * some as usize {
                return Err(Fault::Internal("a module of codecs gave more rows than were asked for".to_owned()));
            }
        }
        let wanted = self.given..self.given.saturating_add(stride.saturating_mul(most.max(1) as usize));
        let rows = if self.layout.wide {
            Rows::U16(&self.wide[wanted.start..wanted.end.min(self.wide.len())])
        } else {
            Rows::U8(&self.narrow[wanted.start..wanted.end.min(self.narrow.len())])
        };
        self.given = wanted.end;
        Ok(rows)
    }

    fn damage(&self) -> Option<(u32, &str)> {
        self.damage.as_ref().map(|(rows, what)| (*rows, what.as_str()))
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.decoder.free();
    }
}

/// The same.
struct Unpacker(BytesUnpacker);

impl azulejo_codecs::Unpacker for Unpacker {
    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, Fault> {
        let most = u32::try_from(out.len()).map_err(|error| Fault::Internal(error.to_string()))?;
        let made = self.0.decode(input, last, most).map_err(fault)?;
        let consumed = self.0.consumed() as usize;
        match out.get_mut(..made.len()).filter(|_| consumed <= input.len()) {
            Some(out) => out.copy_from_slice(&made),
            None => return Err(Fault::Internal("a module of codecs gave more than was asked for".to_owned())),
        }
        Ok(Progress { consumed, produced: made.len() })
    }
}

impl Drop for Unpacker {
    fn drop(&mut self) {
        self.0.free();
    }
}

/// The same.
struct Encoder(FileEncoder);

impl azulejo_codecs::Encoder for Encoder {
    fn push(&mut self, samples: Cow<'_, [u8]>) -> Result<(), Fault> {
        self.0.push(&samples).map_err(fault)
    }

    fn is_counted(&self) -> bool {
        self.0.is_counted()
    }

    fn held(&self) -> usize {
        self.0.held() as usize
    }

    fn take(&mut self) -> Vec<u8> {
        self.0.take()
    }

    fn finish(&mut self) -> Result<Vec<u8>, Fault> {
        self.0.finish().map_err(fault)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.0.free();
    }
}

/// The same.
struct Converter(ColorConverter);

impl azulejo_codecs::Converter for Converter {
    fn narrow(&self, samples: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        out.extend(self.0.convert8(samples).map_err(fault)?);
        Ok(())
    }

    fn wide(&self, samples: &[u16], out: &mut Vec<u8>) -> Result<(), Fault> {
        out.extend(self.0.convert16(samples).map_err(fault)?);
        Ok(())
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        self.0.free();
    }
}

fn fault(thrown: JsValue) -> Fault {
    // What is no text is a trap of that module.
    let Some(text) = thrown.as_string() else { wasm_bindgen::throw_val(thrown) };
    match text.split_once(':') {
        Some(("corrupt", what)) => Fault::Corrupt(what.to_owned()),
        Some(("unsupported", what)) => Fault::Unsupported(what.to_owned()),
        Some(("changed", _)) => Fault::Changed,
        _ => Fault::Internal(text),
    }
}
