//! The two sides of the module of extra codecs: what it exports (feature `extra-module`), and what the engine that was built without them calls.

use crate::pyramid::level::Compression;

/// How bytes within a TIFF may be packed, by the names that both sides know.
const PACKED: [(&str, Compression); 2] = [("lzw", Compression::Lzw), ("zstd", Compression::Zstandard)];

#[cfg(feature = "extra-module")]
mod module {
    use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

    use super::PACKED;
    use crate::api::Format;
    use crate::codec::extra::{Decoded, Fault, coder};
    use crate::error::SourceFormat;
    use crate::geometry::Dimensions;
    use crate::pyramid::level::Compression;
    use crate::render::Raster;

    /// Pixels of a file that is decoded as a whole.
    #[wasm_bindgen]
    pub struct Pixels(Decoded);

    #[wasm_bindgen]
    impl Pixels {
        /// 3 or 4.
        #[wasm_bindgen(getter)]
        pub fn channels(&self) -> u32 {
            self.0.channels as u32
        }

        /// Takes them out.
        #[wasm_bindgen(js_name = takeSamples)]
        pub fn take_samples(&mut self) -> Vec<u8> {
            std::mem::take(&mut self.0.samples)
        }

        /// Rows above the first that could not be decoded, if there is [damage](Self::take_damage).
        #[wasm_bindgen(getter)]
        pub fn rows(&self) -> u32 {
            self.0.damage.as_ref().map_or(0, |(rows, _)| *rows)
        }

        /// Takes out what is wrong with the file.
        #[wasm_bindgen(js_name = takeDamage)]
        pub fn take_damage(&mut self) -> Option<String> {
            self.0.damage.take().map(|(_, what)| what)
        }

        /// Takes the embedded profile out.
        #[wasm_bindgen(js_name = takeIcc)]
        pub fn take_icc(&mut self) -> Option<Vec<u8>> {
            self.0.icc.take()
        }
    }

    /// Decodes a file that its header says to be `width` × `height` px. Throws texts that begin with `corrupt:`, `unsupported:` or `internal:`.
    #[wasm_bindgen]
    pub fn decode(format: &str, bytes: Vec<u8>, width: u32, height: u32, memory: f64) -> Result<Pixels, JsValue> {
        let found = SourceFormat::FILES.into_iter().find(|known| known.key() == format);
        let format = found.ok_or_else(|| thrown(Fault::Internal(format!("no decoder of {format}"))))?;
        coder::decode(format, bytes, Dimensions::at_least_one(width, height), memory as u64).map(Pixels).map_err(thrown)
    }

    /// At most `expected` bytes out of what is packed in a way of this name.
    #[wasm_bindgen]
    pub fn unpack(compression: &str, bytes: &[u8], expected: u32) -> Result<Vec<u8>, JsValue> {
        coder::unpack(packed(compression)?, bytes, expected as usize).map_err(thrown)
    }

    /// Data within a TIFF that are unpacked piece by piece.
    #[wasm_bindgen]
    pub struct Unpacker {
        unpacker: coder::Unpacker,
        consumed: usize,
    }

    #[wasm_bindgen]
    impl Unpacker {
        /// At most `most` bytes out of the next piece; of how many of its bytes, [`Self::consumed`] says. If that is none and nothing is made, it needs a longer one.
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

    /// Begins data that are packed in a way of this name, and that are unpacked as far as to `content` bytes.
    #[wasm_bindgen]
    pub fn unpacker(compression: &str, content: f64) -> Result<Unpacker, JsValue> {
        coder::unpacker(packed(compression)?, content as u64).map(|unpacker| Unpacker { unpacker, consumed: 0 }).map_err(thrown)
    }

    fn packed(name: &str) -> Result<Compression, JsValue> {
        let found = PACKED.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, compression)| compression).ok_or_else(|| thrown(Fault::Internal(format!("no packing {name}"))))
    }

    /// Encodes `width` × `height` pixels of `channels` samples.
    #[wasm_bindgen]
    pub fn encode(format: &str, data: Vec<u8>, width: u32, height: u32, channels: u32, quality: u8) -> Result<Vec<u8>, JsValue> {
        let format = match format {
            "gif" => Format::Gif,
            "jpg" => Format::Jpg,
            "webp" => Format::WebP,
            other => return Err(thrown(Fault::Internal(format!("no encoder of {other}")))),
        };
        let raster = Raster { dimensions: Dimensions::at_least_one(width, height), channels: channels as usize, data };
        coder::encode(format, raster, quality).map_err(thrown)
    }

    /// A lossless WebP under way, whose rows come twice.
    #[wasm_bindgen]
    pub struct LosslessWebP(coder::LosslessWebP);

    #[wasm_bindgen]
    impl LosslessWebP {
        /// Adds the samples of rows.
        pub fn push(&mut self, samples: &[u8]) -> Result<(), JsValue> {
            self.0.push(samples).map_err(thrown)
        }

        /// Whether all rows have come, and are to come again.
        #[wasm_bindgen(getter, js_name = isCounted)]
        pub fn is_counted(&self) -> bool {
            self.0.is_counted()
        }

        /// Bytes of the file that are finished.
        #[wasm_bindgen(getter)]
        pub fn held(&self) -> u32 {
            self.0.held() as u32
        }

        /// Takes what is finished of the file.
        pub fn take(&mut self) -> Vec<u8> {
            self.0.take()
        }

        /// The rest of the file, once all rows have come twice.
        pub fn finish(&mut self) -> Result<Vec<u8>, JsValue> {
            self.0.finish().map_err(thrown)
        }
    }

    /// Begins a lossless WebP of `width` × `height` pixels of `channels` samples.
    #[wasm_bindgen(js_name = losslessWebP)]
    pub fn lossless_webp(width: u32, height: u32, channels: u32, bitonal: bool) -> Result<LosslessWebP, JsValue> {
        coder::lossless_webp(Dimensions::at_least_one(width, height), channels as usize, bitonal).map(LosslessWebP).map_err(thrown)
    }

    fn thrown(fault: Fault) -> JsValue {
        JsValue::from(match fault {
            Fault::Changed => "changed:".to_owned(),
            Fault::Corrupt(what) => format!("corrupt:{what}"),
            Fault::Unsupported(what) => format!("unsupported:{what}"),
            Fault::Internal(what) => format!("internal:{what}"),
        })
    }
}

#[cfg(all(feature = "web", not(feature = "extra")))]
mod engine {
    use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

    use super::PACKED;
    use crate::api::Format;
    use crate::codec::extra::installed::{self, Module};
    use crate::codec::extra::{Decoded, Fault, Progress};
    use crate::error::SourceFormat;
    use crate::geometry::Dimensions;
    use crate::pyramid::level::Compression;
    use crate::render::Raster;

    #[wasm_bindgen]
    extern "C" {
        /// The other module's exports.
        pub type Codecs;
        #[wasm_bindgen(method, catch)]
        fn decode(this: &Codecs, format: &str, bytes: Vec<u8>, width: u32, height: u32, memory: f64) -> Result<Pixels, JsValue>;
        #[wasm_bindgen(method, catch)]
        fn unpack(this: &Codecs, compression: &str, bytes: &[u8], expected: u32) -> Result<Vec<u8>, JsValue>;
        #[wasm_bindgen(method, catch)]
        fn encode(this: &Codecs, format: &str, data: Vec<u8>, width: u32, height: u32, channels: u32, quality: u8) -> Result<Vec<u8>, JsValue>;

        #[wasm_bindgen(method, catch)]
        fn unpacker(this: &Codecs, compression: &str, content: f64) -> Result<Unpacker, JsValue>;

        /// Data that it unpacks piece by piece.
        pub type Unpacker;
        #[wasm_bindgen(method, catch)]
        fn decode(this: &Unpacker, input: &[u8], last: bool, most: u32) -> Result<Vec<u8>, JsValue>;
        #[wasm_bindgen(method, getter)]
        fn consumed(this: &Unpacker) -> u32;
        #[wasm_bindgen(method)]
        fn free(this: &Unpacker);

        #[wasm_bindgen(method, catch, js_name = losslessWebP)]
        fn lossless_webp(this: &Codecs, width: u32, height: u32, channels: u32, bitonal: bool) -> Result<LosslessWebP, JsValue>;

        /// A file that it makes of rows.
        pub type LosslessWebP;
        #[wasm_bindgen(method, catch)]
        fn push(this: &LosslessWebP, samples: &[u8]) -> Result<(), JsValue>;
        #[wasm_bindgen(method, getter, js_name = isCounted)]
        fn is_counted(this: &LosslessWebP) -> bool;
        #[wasm_bindgen(method, getter)]
        fn held(this: &LosslessWebP) -> u32;
        #[wasm_bindgen(method)]
        fn take(this: &LosslessWebP) -> Vec<u8>;
        #[wasm_bindgen(method, catch)]
        fn finish(this: &LosslessWebP) -> Result<Vec<u8>, JsValue>;
        #[wasm_bindgen(method)]
        fn free(this: &LosslessWebP);

        /// What it decodes to.
        pub type Pixels;
        #[wasm_bindgen(method, getter)]
        fn channels(this: &Pixels) -> u32;
        #[wasm_bindgen(method, js_name = takeSamples)]
        fn take_samples(this: &Pixels) -> Vec<u8>;
        #[wasm_bindgen(method, js_name = takeIcc)]
        fn take_icc(this: &Pixels) -> Option<Vec<u8>>;
        #[wasm_bindgen(method, getter)]
        fn rows(this: &Pixels) -> u32;
        #[wasm_bindgen(method, js_name = takeDamage)]
        fn take_damage(this: &Pixels) -> Option<String>;
        #[wasm_bindgen(method)]
        fn free(this: &Pixels);
    }

    /// Makes the codecs of the other module, in this thread, those of this engine.
    #[wasm_bindgen(js_name = installExtra)]
    pub fn install(codecs: Codecs) {
        installed::install(Box::new(codecs));
    }

    impl Module for Codecs {
        fn decode(&self, format: SourceFormat, bytes: Vec<u8>, planned: Dimensions, memory: u64) -> Result<Decoded, Fault> {
            let pixels = self.decode(&format.key(), bytes, planned.width(), planned.height(), memory as f64).map_err(fault)?;
            let rows = pixels.rows();
            let damage = pixels.take_damage().map(|what| (rows, what));
            let decoded = Decoded { channels: pixels.channels() as usize, samples: pixels.take_samples(), icc: pixels.take_icc(), damage };
            pixels.free();
            let expected = planned.area() * decoded.channels as u64;
            if !matches!(decoded.channels, 3 | 4) || decoded.samples.len() as u64 != expected {
                return Err(Fault::Internal("the module of extra codecs gave other pixels than were planned".to_owned()));
            }
            Ok(decoded)
        }

        fn unpack(&self, compression: Compression, bytes: &[u8], expected: usize) -> Result<Vec<u8>, Fault> {
            let most = u32::try_from(expected).map_err(|error| Fault::Internal(error.to_string()))?;
            let made = self.unpack(name_of(compression)?, bytes, most).map_err(fault)?;
            if made.len() > expected { Err(Fault::Internal("the module of extra codecs gave more than was expected".to_owned())) } else { Ok(made) }
        }

        fn unpacker(&self, compression: Compression, content: u64) -> Result<installed::Unpacker, Fault> {
            let begun = self.unpacker(name_of(compression)?, content as f64).map_err(fault)?;
            Ok(Box::new(Pieces(begun)))
        }

        fn encode(&self, format: Format, raster: Raster, quality: u8) -> Result<Vec<u8>, Fault> {
            let (width, height) = (raster.dimensions.width(), raster.dimensions.height());
            let channels = u32::try_from(raster.channels).map_err(|error| Fault::Internal(error.to_string()))?;
            self.encode(format.extension(), raster.data, width, height, channels, quality).map_err(fault)
        }

        fn lossless_webp(&self, dimensions: Dimensions, channels: usize, bitonal: bool) -> Result<installed::LosslessWebP, Fault> {
            let channels = u32::try_from(channels).map_err(|error| Fault::Internal(error.to_string()))?;
            let begun = self.lossless_webp(dimensions.width(), dimensions.height(), channels, bitonal).map_err(fault)?;
            Ok(Box::new(Rows(begun)))
        }
    }

    fn name_of(compression: Compression) -> Result<&'static str, Fault> {
        let named = PACKED.into_iter().find(|(_, packed)| *packed == compression);
        named.map(|(name, _)| name).ok_or_else(|| Fault::Internal(format!("{compression:?} is not unpacked by the module")))
    }

    /// Freed in the other module when it is dropped here.
    struct Pieces(Unpacker);

    impl installed::Unpack for Pieces {
        fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Progress, Fault> {
            let most = u32::try_from(out.len()).map_err(|error| Fault::Internal(error.to_string()))?;
            let made = self.0.decode(input, last, most).map_err(fault)?;
            let consumed = self.0.consumed() as usize;
            match out.get_mut(..made.len()).filter(|_| consumed <= input.len()) {
                Some(out) => out.copy_from_slice(&made),
                None => return Err(Fault::Internal("the module of extra codecs gave more than was asked for".to_owned())),
            }
            Ok(Progress { consumed, produced: made.len() })
        }
    }

    impl Drop for Pieces {
        fn drop(&mut self) {
            self.0.free();
        }
    }

    /// It is given up with the last of it.
    struct Rows(LosslessWebP);

    impl installed::Rows for Rows {
        fn push(&mut self, samples: &[u8]) -> Result<(), Fault> {
            self.0.push(samples).map_err(fault)
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

    impl Drop for Rows {
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
}
