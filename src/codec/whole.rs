//! Files that are decoded from their beginning: the bytes of the whole file, through the pipeline.

use std::io::Cursor;
use std::sync::Arc;

use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::jpeg::{self, Components, DecodedSamples};
use super::{corrupt, png, unsupported};
use crate::error::{Error, Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::limits::Limits;
use crate::plan::{Plan, SourcePlan};
use crate::render::{Alpha, Layout, Model, Pipeline, Raster, Row};

/// Decodes the file that `bytes` are and renders a plan's crop of it.
pub(crate) fn decode_whole(format: SourceFormat, bytes: Vec<u8>, plan: &Plan, limits: &Limits) -> Result<Raster> {
    match format {
        SourceFormat::Jpeg => decode_jpeg(bytes, plan, limits.memory),
        SourceFormat::Png => png::decode(&bytes, plan),
        SourceFormat::Gif => {
            let decoder = GifDecoder::new(Cursor::new(&bytes)).map_err(|error| failure(format, error))?;
            decode_image(format, decoder, plan, limits)
        }
        SourceFormat::WebP => {
            let decoder = WebPDecoder::new(Cursor::new(&bytes)).map_err(|error| failure(format, error))?;
            decode_image(format, decoder, plan, limits)
        }
        SourceFormat::Tiff => Err(super::internal("a TIFF is decoded by chunks")),
    }
}

fn decode_jpeg(bytes: Vec<u8>, plan: &Plan, memory: u64) -> Result<Raster> {
    let SourcePlan::Whole { reduction } = plan.source else { return Err(super::internal("a JPEG is decoded whole")) };
    let decoded = jpeg::decode(&bytes, reduction, Components::AsMarked, memory.saturating_sub(bytes.len() as u64))?;
    drop(bytes);
    check_size(SourceFormat::Jpeg, decoded.dimensions, plan)?;
    let model = match decoded.channels {
        1 => Model::Gray,
        3 => Model::Rgb,
        _ => Model::Cmyk,
    };
    let layout = Layout { model, alpha: Alpha::None };
    let pipeline = Pipeline::new(plan, layout, decoded.icc.map(Arc::from).as_ref());
    match decoded.samples {
        DecodedSamples::U8(samples) => pipeline.run(plan, samples, decoded.dimensions.width() as usize),
        DecodedSamples::U16(samples) => push_wide(pipeline, plan, decoded.channels, &samples),
    }
}

fn decode_image(format: SourceFormat, mut decoder: impl ImageDecoder, plan: &Plan, limits: &Limits) -> Result<Raster> {
    let (width, height) = decoder.dimensions();
    check_size(format, Dimensions::at_least_one(width, height), plan)?;
    let mut own = image::Limits::no_limits();
    own.max_alloc = Some(limits.memory);
    decoder.set_limits(own).map_err(|error| failure(format, error))?;
    let icc = decoder.icc_profile().ok().flatten().map(Arc::from);
    let (channels, alpha) = match decoder.color_type() {
        ColorType::Rgb8 => (3, Alpha::None),
        ColorType::Rgba8 => (4, Alpha::Straight),
        other => return Err(unsupported(format, format!("{other:?}"))),
    };
    let bytes = usize::try_from(decoder.total_bytes()).map_err(super::internal)?;
    let mut image = vec![0; bytes];
    decoder.read_image(&mut image).map_err(|error| failure(format, error))?;
    // A file without a transparent pixel is as good as one without alpha, and need not carry it to the end.
    let opaque = channels == 4 && image.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255);
    let alpha = if opaque { Alpha::None } else { alpha };
    if opaque {
        let pixels = image.len() / 4;
        for index in 0..pixels {
            image.copy_within(index * 4..index * 4 + 3, index * 3);
        }
        image.truncate(pixels * 3);
    }
    Pipeline::new(plan, Layout { model: Model::Rgb, alpha }, icc.as_ref()).run(plan, image, width as usize)
}

/// The rows of the crop out of a whole image of wide samples.
fn push_wide(mut pipeline: Pipeline, plan: &Plan, channels: usize, samples: &[u16]) -> Result<Raster> {
    let (crop, width) = (plan.crop, plan.level.width() as usize);
    pipeline.reserve();
    for row in samples.chunks_exact(width * channels).take(crop.bottom() as usize).skip(crop.y() as usize) {
        pipeline.push(Row::U16(&row[crop.x() as usize * channels..crop.right() as usize * channels]))?;
    }
    pipeline.finish()
}

/// What a decoder makes must have the size that was planned with.
fn check_size(format: SourceFormat, found: Dimensions, plan: &Plan) -> Result<()> {
    if found == plan.level { Ok(()) } else { Err(corrupt(format, 0, format!("its pixels are {found}, its header says {}", plan.level))) }
}

fn failure(format: SourceFormat, error: ImageError) -> Error {
    match error {
        ImageError::Unsupported(error) => unsupported(format, error),
        other => corrupt(format, 0, other),
    }
}
