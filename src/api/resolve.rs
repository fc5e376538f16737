//! A request held against an image: 2.1 §4.7, 3.0 §4.8, canonical URI syntax.

use super::{Format, ImageRequest, Info, Quality, Region, Rotation, Size, Version};
use crate::error::Result;
use crate::geometry::{Dimensions, Rect};

/// A request that is legal for its image. Only [`ImageRequest::resolve`] makes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResolvedRequest {
    version: Version,
    region: Rect,
    size: Dimensions,
    rotation: Rotation,
    quality: Quality,
    format: Format,
    canonical: String,
}

impl ResolvedRequest {
    pub(super) fn new(request: &ImageRequest, info: &Info) -> Result<Self> {
        let ImageRequest { version, rotation, quality, .. } = *request;
        let service = info.service();
        let format = request.format.unwrap_or_else(|| service.default_format());
        if !service.formats.contains(&format) {
            return Err(Format::unsupported(format.extension(), version, &info.service().formats));
        }
        let region = request.region.resolve(info.dimensions())?;
        let size = request.size.resolve(version, region.dimensions(), format, service)?;
        request.size.check_rotated(size, rotation, format, service)?;
        let canonical = format!(
            "{}/{}/{rotation}/{}.{}",
            Region::canonical(region, info.dimensions()),
            Size::canonical(version, size, region.dimensions(), format, service),
            quality.name(version),
            format.extension()
        );
        Ok(Self { version, region, size, rotation, quality, format, canonical })
    }

    /// The version that was asked.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The pixels of the image that are shown.
    pub fn region(&self) -> Rect {
        self.region
    }

    /// The size to which the region is scaled, before it is turned.
    pub fn size(&self) -> Dimensions {
        self.size
    }

    /// How it is then turned.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// The colours.
    pub fn quality(&self) -> Quality {
        self.quality
    }

    /// The file format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// `region/size/rotation/quality.format` in the version's canonical form, not percent-encoded. 1.x has none of its own and borrows that of 2.1.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The same in another size, to be priced; it is no larger, and so as legal. The canonical text stays what it was.
    pub(crate) fn resized(&self, size: Dimensions) -> Self {
        Self { size, ..self.clone() }
    }

    /// Whether a side is longer than the region's.
    pub fn upscaled(&self) -> bool {
        !self.size.fits_in(self.region.dimensions())
    }
}
