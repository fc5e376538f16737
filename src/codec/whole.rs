//! Files that are decoded from their beginning: the bytes of the whole file, through the pipeline.

use std::sync::Arc;

use super::jpeg::{self, Components, DecodedSamples};
use super::{corrupt, extra, png};
use crate::error::{Result, SourceFormat};
use crate::geometry::Dimensions;
use crate::limits::Limits;
use crate::plan::{Rendering, SourcePlan};
use crate::render::{Alpha, Layout, Model, Pipeline, Raster, Row};

/// Decodes the file that `bytes` are and renders a plan's crop of it.
pub(crate) fn decode_whole(format: SourceFormat, bytes: Vec<u8>, plan: &Rendering, limits: &Limits) -> Result<Raster> {
    match format {
        SourceFormat::Jpeg => decode_jpeg(bytes, plan, limits.memory),
        SourceFormat::Png => png::decode(&bytes, plan),
        SourceFormat::Gif | SourceFormat::WebP => {
            let decoded = extra::decode(format, bytes, plan.level, limits.memory)?;
            let alpha = if decoded.channels == 4 { Alpha::Straight } else { Alpha::None };
            render_rgb(decoded.samples, alpha, decoded.icc.map(Arc::from).as_ref(), plan)
        }
        SourceFormat::Tiff => Err(super::internal("a TIFF is decoded by chunks")),
    }
}

fn decode_jpeg(bytes: Vec<u8>, plan: &Rendering, memory: u64) -> Result<Raster> {
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

/// A plan's crop of a whole image of 3 samples a pixel, or 4 with alpha.
fn render_rgb(mut image: Vec<u8>, alpha: Alpha, icc: Option<&Arc<[u8]>>, plan: &Rendering) -> Result<Raster> {
    // A file without a transparent pixel is as good as one without alpha, and need not carry it to the end.
    let opaque = alpha != Alpha::None && image.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255);
    let alpha = if opaque { Alpha::None } else { alpha };
    if opaque {
        let pixels = image.len() / 4;
        for index in 0..pixels {
            image.copy_within(index * 4..index * 4 + 3, index * 3);
        }
        image.truncate(pixels * 3);
    }
    Pipeline::new(plan, Layout { model: Model::Rgb, alpha }, icc).run(plan, image, plan.level.width() as usize)
}

/// The rows of the crop out of a whole image of wide samples.
fn push_wide(mut pipeline: Pipeline, plan: &Rendering, channels: usize, samples: &[u16]) -> Result<Raster> {
    let (crop, width) = (plan.crop, plan.level.width() as usize);
    pipeline.reserve();
    for row in samples.chunks_exact(width * channels).take(crop.bottom() as usize).skip(crop.y() as usize) {
        pipeline.push(Row::U16(&row[crop.x() as usize * channels..crop.right() as usize * channels]))?;
    }
    pipeline.finish()
}

/// What a decoder makes must have the size that was planned with.
fn check_size(format: SourceFormat, found: Dimensions, plan: &Rendering) -> Result<()> {
    if found == plan.level { Ok(()) } else { Err(corrupt(format, 0, format!("its pixels are {found}, its header says {}", plan.level))) }
}
