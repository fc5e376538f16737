//! Samples of one component, and of all that belong together.

/// The samples of one component, rows `stride` apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plane {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples from one row's start to the next; at least `width`.
    pub stride: usize,
    /// The rows, top to bottom.
    pub data: Vec<u8>,
}

impl Plane {
    /// A plane of zeros without room between its rows.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, stride: width, data: vec![0; width.saturating_mul(height)] }
    }

    /// Row `y`; empty if there is none.
    pub fn row(&self, y: usize) -> &[u8] {
        let start = y.saturating_mul(self.stride);
        if y < self.height { self.data.get(start..start.saturating_add(self.width)).unwrap_or(&[]) } else { &[] }
    }

    /// Adds rows of the same width below, without room between them.
    pub fn append(&mut self, rows: &[u8]) {
        self.data.extend_from_slice(rows);
        self.height = self.height.saturating_add(rows.len().checked_div(self.width).unwrap_or(0));
    }

    /// Takes the first rows away, or all that there are; there must be no room between rows.
    pub fn take(&mut self, rows: usize) -> Self {
        let rows = rows.min(self.height);
        let rest = self.data.split_off(rows.saturating_mul(self.width).min(self.data.len()));
        let height = self.height.saturating_sub(rows);
        std::mem::replace(self, Self { data: rest, height, ..*self }).with_height(rows)
    }

    fn with_height(self, height: usize) -> Self {
        Self { height, ..self }
    }
}

/// The planes of all components in the order of the frame header, each at its own sampling.
pub(crate) type Planes = Vec<Plane>;
