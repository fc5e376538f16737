//! From upright rows to the file: turned, rotated, toned, encoded.

use std::collections::VecDeque;

use crate::codec::Encoder;
use crate::error::{Error, Result};
use crate::geometry::Dimensions;
use crate::jpeg::{Component, Planes};
use crate::options::EncodeOptions;
use crate::plan::Rendering;
use crate::render::{Raster, Rotator, flatten, turn};

/// Takes windows of the answer in the order in which their turned rows follow each other.
pub(super) struct Output {
    plan: Rendering,
    options: EncodeOptions,
    encoder: Option<Encoder>,
    /// What needs no encoder.
    file: Option<Vec<u8>>,
    /// Turns rows by an angle, once they come.
    rotator: Option<Rotator>,
    /// Rows that are yet to be rotated, and how many of the first of them have been.
    waiting: VecDeque<Raster>,
    begun: usize,
    dimensions: Dimensions,
}

/// Rotated rows are encoded by about this many bytes.
const ROWS: usize = 64 << 10;
/// Rows that came at once are encoded by about this many bytes, so that what is encoded of them may leave in between.
const MORE_ROWS: usize = 256 << 10;

impl Output {
    /// For the answer to a plan; to an encoder that has counted all rows, if there is one.
    pub fn new(plan: &Rendering, options: &EncodeOptions, counted: Option<Encoder>) -> Self {
        Self {
            plan: plan.clone(),
            options: options.clone(),
            encoder: counted,
            file: None,
            rotator: None,
            waiting: VecDeque::new(),
            begun: 0,
            dimensions: plan.dimensions(),
        }
    }

    /// Width and height of the answer, px.
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

    /// Adds a window, upright. Then [`Self::advance`] does what is left to do.
    pub fn push(&mut self, window: Raster) -> Result<()> {
        let rows = turn(window, self.plan.turn);
        let all = Raster { dimensions: self.dimensions, channels: rows.channels, data: Vec::new() };
        let few = rows.data.len() <= MORE_ROWS;
        if self.plan.angle.is_none() && (few || !self.by_rows(&all)) {
            return self.encode(rows);
        }
        self.waiting.push_back(rows);
        Ok(())
    }

    /// Takes all of an answer, upright: what is to be encoded of it by and by, unless [`Self::advance`] does that.
    pub fn lay(&mut self, all: Raster) -> Option<Raster> {
        let turned = turn(all, self.plan.turn);
        let Some(degrees) = self.plan.angle else { return Some(turned) };
        self.rotator = Some(Rotator::of(turned, degrees));
        None
    }

    /// Rotates and encodes some of the rows that have come; whether there was anything to do.
    pub fn advance(&mut self) -> Result<bool> {
        let Some(degrees) = self.plan.angle else { return self.encode_waiting() };
        let upright = self.plan.turn.apply(self.plan.size);
        if let Some(first) = self.waiting.front() {
            self.rotator.get_or_insert_with(|| Rotator::new(upright, first.channels, degrees));
        }
        let Some(rotator) = &mut self.rotator else { return Ok(false) };
        let (channels, stride) = (rotator.channels(), self.dimensions.width() as usize * rotator.channels());
        let mut data = Vec::new();
        while data.len() < ROWS {
            data.reserve(stride);
            // What is held is looked at before the next row takes its place.
            if rotator.next(&mut data) {
                continue;
            }
            let Some(rows) = self.waiting.front() else { break };
            let row = rows.data.chunks_exact(rows.stride()).nth(self.begun).unwrap_or_default();
            rotator.push(row);
            self.begun += 1;
            if self.begun == rows.dimensions.height() as usize {
                self.waiting.pop_front();
                self.begun = 0;
            }
        }
        let rows = u32::try_from(data.len() / stride).unwrap_or(0);
        let Some(dimensions) = Dimensions::new(self.dimensions.width(), rows) else { return Ok(false) };
        self.encode(Raster { dimensions, channels, data })?;
        Ok(true)
    }

    /// Encodes some of the rows that wait; whether there were any.
    fn encode_waiting(&mut self) -> Result<bool> {
        let Some(rows) = self.waiting.front() else { return Ok(false) };
        let (begun, height) = (u32::try_from(self.begun).unwrap_or(0), rows.dimensions.height());
        let count = u32::try_from(MORE_ROWS / rows.stride().max(1)).unwrap_or(1).clamp(1, height.saturating_sub(begun).max(1));
        let some = rows.rows(begun, count);
        self.begun += count as usize;
        if self.begun >= height as usize {
            self.waiting.pop_front();
            self.begun = 0;
        }
        self.encode(some)?;
        Ok(true)
    }

    /// Begins again with the rows of an image that is all there.
    pub fn rotate_again(&mut self) {
        self.rotator.iter_mut().for_each(Rotator::restart);
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
    pub fn finish(mut self) -> Result<Vec<u8>> {
        // Its rows have all been encoded, or copied for an encoder that wants them all.
        self.rotator = None;
        match (self.file, self.encoder) {
            (Some(file), _) => Ok(file),
            (None, Some(encoder)) => encoder.finish(),
            (None, None) => Err(Error::Internal { what: "an answer without rows".to_owned() }),
        }
    }
}
