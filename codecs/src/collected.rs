//! Encoders of libraries that want all pixels at once.

use std::borrow::Cow;

use crate::{Encoder, Fault, Size, internal};

/// Pixels of an image, row by row.
#[derive(Debug)]
pub(crate) struct Raster {
    pub size: Size,
    /// 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
    pub channels: usize,
    pub data: Vec<u8>,
}

impl Raster {
    /// Samples of a row.
    pub fn stride(&self) -> usize {
        self.size.width as usize * self.channels
    }

    fn samples(&self) -> usize {
        self.stride() * self.size.height as usize
    }

    /// Four samples a pixel.
    #[cfg(any(feature = "gif", feature = "webp"))]
    pub fn into_rgba(self) -> Vec<u8> {
        let pixels = self.data.chunks_exact(self.channels);
        match self.channels {
            1 => pixels.flat_map(|gray| [gray[0], gray[0], gray[0], 255]).collect(),
            2 => pixels.flat_map(|gray| [gray[0], gray[0], gray[0], gray[1]]).collect(),
            3 => pixels.flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect(),
            _ => self.data,
        }
    }
}

/// Collects rows, and encodes them when all have come.
pub(crate) struct Collected<E> {
    raster: Option<Raster>,
    encode: E,
}

impl<E: Fn(Raster) -> Result<Vec<u8>, Fault>> Collected<E> {
    pub fn new(size: Size, channels: usize, encode: E) -> Self {
        Self { raster: Some(Raster { size, channels, data: Vec::new() }), encode }
    }
}

impl<E: Fn(Raster) -> Result<Vec<u8>, Fault>> Encoder for Collected<E> {
    fn push(&mut self, samples: Cow<'_, [u8]>) -> Result<(), Fault> {
        let raster = self.raster.as_mut().ok_or_else(|| internal("rows after the end"))?;
        let all = raster.samples();
        if samples.len() > all - raster.data.len() {
            return Err(internal("more rows than there are"));
        }
        match samples {
            // All at once: no need to copy.
            Cow::Owned(samples) if samples.len() == all => raster.data = samples,
            samples => {
                raster.data.try_reserve_exact(all - raster.data.len()).map_err(internal)?;
                raster.data.extend_from_slice(&samples);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<u8>, Fault> {
        let raster = self.raster.take().filter(|raster| raster.data.len() == raster.samples());
        (self.encode)(raster.ok_or_else(|| internal("rows are missing"))?)
    }
}
