#![no_main]
//! Any file, written as a pyramid: that opens again, and without loss it has the pixels of the file.

use azulejo::api::{Service, Version};
use azulejo::ingest::{Compression, Ingest, Options};
use azulejo::{EncodeOptions, Pyramid, Result, native};
use image::{ImageFormat, RgbaImage};

const COMPRESSIONS: [Option<Compression>; 4] = [None, Some(Compression::Jpeg), Some(Compression::Deflate), Some(Compression::WebP)];
/// Of more pixels only few files can be tried.
const LARGEST: u64 = 1 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, file)) = data.split_last() else { return };
    let service = Service::default();
    let mut options = Options::default();
    // WebP of quality 100 is lossless.
    (options.tile, options.quality, options.memory) = (64 << (choice >> 2 & 1), 100, 32 << 20);
    options.compression = COMPRESSIONS[usize::from(choice & 3)];
    let Ok(source) = native::open(&mut &*file, &service) else { return };
    if source.dimensions().area() > LARGEST {
        return;
    }
    let written = match written(file, &source, &options) {
        Ok(written) => written,
        Err(error) => return assert_ne!(error.code(), "internal", "{error}"),
    };
    let pyramid = native::open(&mut written.as_slice(), &service).unwrap();
    assert_eq!(pyramid.dimensions(), source.dimensions());
    let shown = pixels(&written, &pyramid, &service).unwrap();
    if matches!(options.compression, Some(Compression::Deflate | Compression::WebP)) {
        assert!(shown == pixels(file, &source, &service).unwrap(), "other pixels");
    }
});

fn written(mut file: &[u8], source: &Pyramid, options: &Options) -> Result<Vec<u8>> {
    let mut spools = vec![Vec::new(); Ingest::new(source, options)?.levels()];
    let finished = native::ingest(&mut file, source, options, &mut |spool, piece| {
        spools[spool].extend(piece);
        Ok(())
    })?;
    Ok([finished.head].into_iter().chain(finished.spools.iter().map(|spool| std::mem::take(&mut spools[*spool]))).flatten().collect())
}

fn pixels(mut file: &[u8], pyramid: &Pyramid, service: &Service) -> Result<RgbaImage> {
    let encoded = native::render(&mut file, pyramid, Version::V3, "full/max/0/default.png", service, &EncodeOptions::default())?;
    Ok(image::load_from_memory_with_format(&encoded.bytes, ImageFormat::Png).unwrap().into_rgba8())
}
