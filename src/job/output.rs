//! From upright rows to the file: turned, rotated, toned, encoded.

use crate::codec::Encoder;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::jpeg::{Component, Planes};
use crate::options::EncodeOptions;
use crate::plan::Rendering;
use crate::render::{Raster, flatten, rotate, turn};

/// Takes windows of the answer in the order in which their turned rows follow each other.
pub(super) struct Output {
    plan: Rendering,
    options: EncodeOptions,
    encoder: Option<Encoder>,
    /// What needs no encoder.
    file: Option<Vec<u8>>,
    dimensions: Dimensions,
}

impl Output {
    /// For the answer to a plan; to an encoder that has counted all rows, if there is one.
    pub fn new(plan: &Rendering, options: &EncodeOptions, counted: Option<Encoder>) -> Self {
        Self { plan: plan.clone(), options: options.clone(), encoder: counted, file: None, dimensions: plan.turn.apply(plan.size) }
    }

    /// Width and height of the answer, px; of a rotated one only at the end.
    pub fn dimensions(&self) -> Dimensions {
        self.dimensions
    }

    /// Whether all rows have come, and are to come again.
    pub fn is_counted(&self) -> bool {
        self.encoder.as_ref().is_some_and(Encoder::is_counted)
    }

    /// What has counted them.
    pub fn into_encoder(self) -> Option<Encoder> {
        self.encoder
    }

    /// Whether the rows of a raster can be encoded a few at a time.
    pub fn by_rows(&self, raster: &Raster) -> bool {
        Encoder::by_rows(self.plan.format, self.plan.quality, raster.dimensions, raster.channels, &self.options)
    }

    /// Adds a window, upright.
    pub fn push(&mut self, window: Raster) -> Result<()> {
        let rows = self.lay(window)?;
        self.encode(rows)
    }

    /// Turns a window, or rotates the whole.
    pub fn lay(&mut self, window: Raster) -> Result<Raster> {
        let turned = turn(window, self.plan.turn);
        let Some(degrees) = self.plan.angle else { return Ok(turned) };
        if turned.dimensions != self.dimensions {
            return Err(Error::Internal { what: "a part of what is rotated as a whole".to_owned() });
        }
        let rotated = rotate(&turned, degrees);
        self.dimensions = rotated.dimensions;
        Ok(rotated)
    }

    /// Adds rows as they will be seen.
    pub fn encode(&mut self, mut rows: Raster) -> Result<()> {
        if !self.plan.format.has_alpha() {
            flatten(&mut rows);
        }
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            None => self.encoder.insert(Encoder::new(self.dimensions, rows.channels, self.plan.format, self.plan.quality, &self.options)?),
        };
        encoder.push(rows)
    }

    /// Adds rows as they will be seen, as planes.
    pub fn encode_planes(&mut self, planes: &Planes) -> Result<()> {
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            None => self.encoder.insert(Encoder::new(self.dimensions, planes.len(), self.plan.format, self.plan.quality, &self.options)?),
        };
        encoder.push_planes(planes)
    }

    /// Adds rows of MCUs as they will be seen, with the profile of their colours.
    pub fn copy(&mut self, components: &[Component], icc: Option<&[u8]>) -> Result<()> {
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            None => self.encoder.insert(Encoder::copying(self.dimensions, components, icc)?),
        };
        encoder.push_coefficients(components)
    }

    /// All of the file.
    pub fn put(&mut self, file: Vec<u8>) {
        self.file = Some(file);
    }

    /// Takes what is finished of the file, if it is more than `bytes`.
    pub fn take(&mut self, bytes: usize) -> Option<Vec<u8>> {
        self.encoder.as_mut().filter(|encoder| encoder.held() > bytes).map(Encoder::take)
    }

    /// The rest of the file.
    pub fn finish(self) -> Result<Vec<u8>> {
        match (self.file, self.encoder) {
            (Some(file), _) => Ok(file),
            (None, Some(encoder)) => encoder.finish(),
            (None, None) => Err(Error::Internal { what: "an answer without rows".to_owned() }),
        }
    }
}
