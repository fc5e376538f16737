//! The plan for one component of an image that is resampled in planes.

use super::Rendering;

impl Rendering {
    /// The same for a component that has a sample for `stored` pixels of the level and for `made` pixels of the answer, across and down.
    pub fn of_component(&self, stored: (usize, usize), made: (usize, usize)) -> Self {
        Self::of_axes(self, self.across.of_component(stored.0, made.0), self.down.of_component(stored.1, made.1))
    }

    /// Whether planes that are sampled so can be made into planes of the answer each by itself. Where colours have fewer samples than the answer, a kernel
    /// must make more of them, and it needs what lies beyond the region: then pixels are made first.
    pub fn suits_planes(&self, stored: (usize, usize), made: (usize, usize)) -> bool {
        let suits = |axis: &super::Axis, stored: usize, made: usize| !axis.boxed || stored <= made || axis.of_component(stored, made).boxed;
        suits(&self.across, stored.0, made.0) && suits(&self.down, stored.1, made.1)
    }
}
