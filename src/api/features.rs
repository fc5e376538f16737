//! What a service offers, and how each version says so: the compliance pages of 1.0, 1.1, 2.1 and 3.0.

use super::{Format, Version};
use crate::limits::Limits;

/// What `!w,h` of 3.0 does where the box is larger than the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ConfinedUpscale {
    /// The region in its own size, as the text of the form says.
    #[default]
    Clamp,
    /// An error, as the general sentence below the forms says and the official validator wants.
    Reject,
}

/// What a service offers, the same for all its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The formats of answers, in the order in which they are published.
    pub formats: Vec<Format>,
    /// The budgets, of which the greatest sizes are published.
    pub limits: Limits,
    /// What `!w,h` of 3.0 does where the box is larger than the region.
    pub confined_upscale: ConfinedUpscale,
    /// Whether answers may be larger than the region: `^` in 3.0, any size before.
    pub upscaling: bool,
    /// Width and height of tiles for images that are not stored in tiles, px.
    pub tile_width: u32,
}

impl Default for Service {
    fn default() -> Self {
        Self { formats: Format::ALL.to_vec(), limits: Limits::default(), confined_upscale: ConfinedUpscale::Clamp, upscaling: true, tile_width: 512 }
    }
}

impl Service {
    /// What a request without a format gets (1.x): JPEG, or else the first format offered.
    pub(super) fn default_format(&self) -> Format {
        default_format(&self.formats)
    }

    /// The compliance level that the formats allow; all else of level 2 is always there.
    pub(super) fn level(&self, version: Version) -> u8 {
        let (jpg, png) = (self.formats.contains(&Format::Jpg), self.formats.contains(&Format::Png));
        match (jpg, png, version) {
            // 1.0 asks for JPEG 2000 in level 2 as well; it is declared all the same, as every other feature of it is there.
            (true, true, _) => 2,
            (true, false, _) => 1,
            (false, ..) => 0,
        }
    }

    /// The URI of the compliance level.
    pub fn profile(&self, version: Version) -> String {
        let level = self.level(version);
        match version {
            Version::V1_0 => format!("http://library.stanford.edu/iiif/image-api/compliance.html#level{level}"),
            Version::V1_1 => format!("http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level{level}"),
            Version::V2 => format!("http://iiif.io/api/image/2/level{level}.json"),
            Version::V3 => format!("http://iiif.io/api/image/3/level{level}.json"),
        }
    }

    /// The names of features beyond level 2, in alphabetical order (2.1 §5.3 `supports`, 3.0 §5.7 `extraFeatures`).
    pub(super) fn extra_features(&self, version: Version) -> Vec<&'static str> {
        let mut names = vec!["canonicalLinkHeader", "mirroring", "profileLinkHeader"];
        match version {
            Version::V1_0 | Version::V1_1 => return Vec::new(),
            Version::V2 => {
                names.extend(["regionSquare", "rotationArbitrary"]);
                names.extend(self.upscaling.then_some("sizeAboveFull"));
            }
            Version::V3 => {
                names.push("rotationArbitrary");
                // 3.0 §5.7: who supports sizeUpscaling must publish maxWidth or maxArea.
                let limited = self.limits.max_width.is_some() || self.limits.max_area.is_some();
                names.extend((self.upscaling && limited).then_some("sizeUpscaling"));
            }
        }
        names
    }
}

/// JPEG, or else the first.
pub(super) fn default_format(offered: &[Format]) -> Format {
    if offered.contains(&Format::Jpg) { Format::Jpg } else { offered.first().copied().unwrap_or(Format::Jpg) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_what_the_formats_allow() {
        let level = |formats: &[Format]| Service { formats: formats.to_vec(), ..Service::default() }.level(Version::V3);
        assert_eq!(level(&Format::ALL), 2);
        assert_eq!(level(&[Format::Jpg, Format::WebP]), 1);
        assert_eq!(level(&[Format::Png]), 0);
    }

    #[test]
    fn upscaling_is_told_only_beside_a_limit() {
        let mut service = Service::default();
        assert!(service.extra_features(Version::V3).contains(&"sizeUpscaling"));
        service.limits.max_area = None;
        assert!(!service.extra_features(Version::V3).contains(&"sizeUpscaling"));
        service.upscaling = false;
        assert!(!service.extra_features(Version::V2).contains(&"sizeAboveFull"));
    }
}
