//! What is reported of a damaged file that was shown all the same.

use crate::error::{Error, Result};

/// What is missing of a source that was shown all the same ([`Limits::show_incomplete`](crate::Limits::show_incomplete)).
#[derive(Debug, Clone, PartialEq)]
pub struct Incomplete {
    /// How many rows of the source, counted from its top at full size and as it is stored, lie above the first one that could not be decoded. What could not
    /// be decoded is filled: white where pixels are black or white, transparent where there is alpha, medium gray otherwise. Of a file that is stored in
    /// several passes (progressive JPEG, interlaced PNG and GIF) these are the rows that show anything of it; later passes may be missing in them.
    pub rows: u32,
    /// What is wrong with the file: the error that there would be if it were not shown.
    pub damage: Error,
}

impl Incomplete {
    /// What is missing below some rows; the error itself if it does not say that the file is damaged.
    pub(crate) fn below(rows: u32, damage: Error) -> Result<Self> {
        if damage.is_damage() { Ok(Self { rows, damage }) } else { Err(damage) }
    }

    /// The same, `by` rows further down.
    pub(crate) fn moved(self, by: u32) -> Self {
        Self { rows: self.rows.saturating_add(by), ..self }
    }

    /// Rows of an image of `from` rows as those of one of `to` rows.
    pub(crate) fn scaled(self, from: u32, to: u32) -> Self {
        let rows = u64::from(self.rows.min(from)).saturating_mul(to.into()).checked_div(from.into()).unwrap_or(0);
        Self { rows: u32::try_from(rows).unwrap_or(to), ..self }
    }

    /// Keeps the one of two that begins further up.
    pub(crate) fn merge(found: &mut Option<Self>, other: Option<Self>) {
        if let Some(other) = other
            && found.as_ref().is_none_or(|found| other.rows < found.rows)
        {
            *found = Some(other);
        }
    }
}
