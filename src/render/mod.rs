//! From decoded rows to the finished raster: average, convert, resample, turn. Rows, not images: nothing here holds a whole source.

mod color;
mod convolve;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod convolve_simd;
mod lab;
mod pipeline;
mod raster;
mod rotate;
mod row;
mod scale;
mod shrink;
mod tone;
mod turn;

pub(crate) use pipeline::Pipeline;
pub(crate) use raster::Raster;
pub(crate) use rotate::Rotator;
pub(crate) use row::{Alpha, Layout, Model, Row};
pub(crate) use tone::{bitonal, flatten};
pub(crate) use turn::turn;
