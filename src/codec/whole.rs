//! Files that are decoded from their beginning: the bytes of the whole file, through the pipeline.

use std::sync::Arc;

use super::icc::to_srgb;
use super::jpeg::{Components, Part as Wanted, Stream};
use super::{corrupt, extra, png};
use crate::api::Quality;
use crate::error::{Result, SourceFormat};
use crate::jpeg::{Planes, Sampling};
use crate::limits::Limits;
use crate::plan::{Rendering, SourcePlan};
use crate::render::{Alpha, Layout, Model, Pipeline, Raster};

/// A part of the answer, upright.
pub(crate) enum Part {
    Rows(Raster),
    /// Rows of planes.
    Planes(Planes),
}

/// Decodes the file that `bytes` are and renders a plan's crop of it; finished rows go to `sink` as they come, or all at once. If `planes` at that sampling
/// will do, and the file has them, they are given in place of rows.
pub(crate) fn decode_whole(
    format: SourceFormat,
    bytes: Vec<u8>,
    plan: &Rendering,
    planes: Option<Sampling>,
    limits: &Limits,
    sink: &mut impl FnMut(Part) -> Result<()>,
) -> Result<()> {
    let memory = limits.memory;
    if format == SourceFormat::Jpeg {
        return decode_jpeg(&bytes, plan, planes, memory, sink);
    }
    let sink = &mut |rows| sink(Part::Rows(rows));
    match format {
        SourceFormat::Png => png::decode(&bytes, plan, sink),
        SourceFormat::Gif | SourceFormat::WebP => {
            let decoded = extra::decode(format, bytes, plan.level, limits.memory)?;
            let alpha = if decoded.channels == 4 { Alpha::Straight } else { Alpha::None };
            sink(render_rgb(decoded.samples, alpha, decoded.icc.map(Arc::from).as_ref(), plan)?)
        }
        SourceFormat::Jpeg | SourceFormat::Tiff => Err(super::internal("decoded elsewhere")),
    }
}

fn decode_jpeg(bytes: &[u8], plan: &Rendering, planes: Option<Sampling>, memory: u64, sink: &mut impl FnMut(Part) -> Result<()>) -> Result<()> {
    let SourcePlan::Whole { reduction } = plan.source else { return Err(super::internal("a JPEG is decoded whole")) };
    let stream = Stream::read(None, bytes, Components::AsMarked)?;
    if stream.dimensions().reduced(reduction) != plan.level {
        return Err(corrupt(SourceFormat::Jpeg, 0, format!("its pixels are {}, its header says {}", stream.dimensions(), plan.level)));
    }
    let icc: Option<Arc<[u8]>> = stream.icc().map(Arc::from);
    // Luminance is gray only where no profile says otherwise.
    let gray = matches!(plan.quality, Quality::Gray | Quality::Bitonal) && icc.is_none();
    let layout = Layout { model: stream.model(gray), alpha: Alpha::None };
    let part = Wanted { crop: plan.crop, reduction, gray, memory: memory.saturating_sub(bytes.len() as u64) };
    if let Some(sampling) = planes.filter(|sampling| stream.is_sampled(*sampling))
        && icc.as_ref().is_none_or(|icc| to_srgb(icc, layout.model).is_none())
    {
        return stream.planes(part, sampling, &mut |planes| sink(Part::Planes(planes)));
    }
    let mut pipeline = Pipeline::new(plan, layout, icc.as_ref());
    stream.rows(part, &mut |row| pipeline.pass_on(row, &mut |rows| sink(Part::Rows(rows))))?;
    pipeline.check()
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
