//! The codecs of `azulejo-codecs`. With the feature `codecs` they are compiled in. Without it, they are those of modules that the host has installed, by the names of
//! the modules. In the end both are the same code, and give the same bytes.

#[cfg(feature = "codecs")]
pub(crate) use azulejo_codecs::{converter, decoder, encoder, unpacker};
#[cfg(all(feature = "web", not(feature = "codecs")))]
pub(crate) use modules::{Module, install};
#[cfg(not(feature = "codecs"))]
pub(crate) use modules::{converter, decoder, encoder, unpacker};

#[cfg(not(feature = "codecs"))]
mod modules {
    use std::cell::RefCell;

    use azulejo_codecs::{Codec, Converter, Decoder, Encoder, Encoding, Fault, Size, Unpacker};

    /// The functions of a module. They do what the functions of the same names in `azulejo_codecs` do.
    pub(crate) trait Module {
        fn decoder(&self, codec: Codec, bytes: Vec<u8>, planned: Size, memory: u64) -> Result<Box<dyn Decoder>, Fault>;
        fn unpacker(&self, codec: Codec, content: u64) -> Result<Box<dyn Unpacker>, Fault>;
        fn converter(&self, codec: Codec, icc: &[u8], colors: usize) -> Result<Box<dyn Converter>, Fault>;
        fn encoder(&self, codec: Codec, size: Size, channels: usize, encoding: Encoding) -> Result<Box<dyn Encoder>, Fault>;
    }

    thread_local! {
        // The only global variable of the core. It is no state of a request: it only says which code is linked.
        static MODULES: RefCell<Vec<(&'static str, Box<dyn Module>)>> = const { RefCell::new(Vec::new()) };
    }

    /// Installs the module of a name. [`Fault::Internal`] if no codec belongs to such a module.
    pub(crate) fn install(name: &str, module: Box<dyn Module>) -> Result<(), Fault> {
        let known = Codec::ALL.iter().map(|codec| codec.module()).find(|known| *known == name);
        let known = known.ok_or_else(|| Fault::Internal(format!("there is no module of codecs {name:?}")))?;
        MODULES.with_borrow_mut(|modules| {
            modules.retain(|(installed, _)| *installed != known);
            modules.push((known, module));
        });
        Ok(())
    }

    /// Calls the module that has a codec.
    fn with<T>(codec: Codec, work: impl FnOnce(&dyn Module) -> Result<T, Fault>) -> Result<T, Fault> {
        MODULES.with_borrow(|modules| match modules.iter().find(|(name, _)| *name == codec.module()) {
            Some((_, module)) => work(module.as_ref()),
            None => Err(Fault::Internal(format!("the module {:?} of the codec {:?} is not installed", codec.module(), codec.name()))),
        })
    }

    pub(crate) fn converter(codec: Codec, icc: &[u8], colors: usize) -> Result<Box<dyn Converter>, Fault> {
        with(codec, |module| module.converter(codec, icc, colors))
    }

    pub(crate) fn decoder(codec: Codec, bytes: Vec<u8>, planned: Size, memory: u64) -> Result<Box<dyn Decoder>, Fault> {
        with(codec, |module| module.decoder(codec, bytes, planned, memory))
    }

    pub(crate) fn unpacker(codec: Codec, content: u64) -> Result<Box<dyn Unpacker>, Fault> {
        with(codec, |module| module.unpacker(codec, content))
    }

    pub(crate) fn encoder(codec: Codec, size: Size, channels: usize, encoding: Encoding) -> Result<Box<dyn Encoder>, Fault> {
        with(codec, |module| module.encoder(codec, size, channels, encoding))
    }
}
