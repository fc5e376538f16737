//! The limits that a request can be over, and how amounts are told to people.

use std::fmt;

use crate::api::Format;
use crate::geometry::Dimensions;
use crate::limits::Limits;

/// What a request costs. Each has a limit in [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Working memory, in bytes: [`Limits::memory`].
    Memory,
    /// CPU time, in units of which [`Limits::WORK_PER_SECOND`] take about a second: [`Limits::work`].
    Work,
    /// Bytes that are fetched of the file: [`Limits::fetched`].
    Bytes,
    /// Ranges that are fetched of the file: [`Limits::ranges`].
    Ranges,
    /// Rounds of fetching, each of which waits for the one before: [`Limits::rounds`].
    Rounds,
}

impl Budget {
    /// `needs 56 MiB of memory, and the limit is 42 MiB`.
    pub(super) fn compare(self, needs: u64, limit: u64) -> String {
        // What is needed is rounded up and the limit down, so that the two never look equal.
        let (high, low) = (|unit| Tenths::up(needs, unit), |unit| Tenths::down(limit, unit));
        match self {
            // Less than that is told exactly.
            Self::Memory | Self::Bytes if limit < MEBIBYTE => {
                let of = if self == Self::Memory { "memory" } else { "the file" };
                format!("needs {needs} bytes of {of}, and the limit is {limit} bytes")
            }
            Self::Memory => format!("needs {} MiB of memory, and the limit is {} MiB", high(MEBIBYTE), low(MEBIBYTE)),
            Self::Bytes => format!("needs {} MiB of the file, and the limit is {} MiB", high(MEBIBYTE), low(MEBIBYTE)),
            Self::Work => {
                let second = Limits::WORK_PER_SECOND;
                format!("needs about {} s of CPU time, and the limit is about {} s", high(second), low(second))
            }
            Self::Ranges => format!("needs at least {needs} reads of the file, and the limit is {limit}"),
            Self::Rounds => format!("needs at least {needs} rounds of reading, and the limit is {limit}"),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Work => "work",
            Self::Bytes => "bytes",
            Self::Ranges => "ranges",
            Self::Rounds => "rounds",
        })
    }
}

/// What helps where a request costs too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// A smaller size or another file; which size is not known.
    Less,
    /// This size is the largest of the same shape that is within the limits.
    Size(Dimensions),
    /// Another file: no size is within the limits.
    File,
    /// The same file, written so that what describes it lies together: it takes too many reads to open.
    Together,
    /// A higher limit: all of the file is wanted.
    Limit,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Less => f.write_str("ask for a smaller size, or make the file a tiled TIFF pyramid"),
            Self::Size(size) => write!(f, "at most {},{} fits, or more if the file is made a tiled TIFF pyramid", size.width(), size.height()),
            Self::File => f.write_str("make the file a tiled TIFF pyramid"),
            Self::Together => f.write_str("write the file anew, with its headers and directories next to each other"),
            Self::Limit => f.write_str("raise the limit"),
        }
    }
}

/// A limit to the size of an answer, px.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SizeLimit {
    /// The published `maxWidth`; it holds for the height as well where no `maxHeight` is published.
    MaxWidth(u32),
    /// The published `maxHeight`.
    MaxHeight(u32),
    /// The published `maxArea`, px².
    MaxArea(u64),
    /// The longest side that a format can have: [`Format::longest_side`].
    Side(Format),
}

impl fmt::Display for SizeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MEGAPIXEL: u64 = 1_000_000;
        match self {
            Self::MaxWidth(limit) => write!(f, "this service's maxWidth of {limit} pixels"),
            Self::MaxHeight(limit) => write!(f, "this service's maxHeight of {limit} pixels"),
            Self::MaxArea(limit) if *limit < MEGAPIXEL => write!(f, "this service's maxArea of {limit} pixels"),
            Self::MaxArea(limit) => write!(f, "this service's maxArea of {limit} pixels ({} megapixels)", Tenths::down(*limit, MEGAPIXEL)),
            Self::Side(format) => write!(f, "the longest side of {}, {} pixels", format.extension(), format.longest_side()),
        }
    }
}

const MEBIBYTE: u64 = 1 << 20;

/// An amount in some unit with at most one decimal place: `42`, `42.5`.
struct Tenths(u64);

impl Tenths {
    fn up(amount: u64, unit: u64) -> Self {
        Self(u64::try_from((u128::from(amount) * 10).div_ceil(unit.into())).unwrap_or(u64::MAX))
    }

    fn down(amount: u64, unit: u64) -> Self {
        Self(u64::try_from(u128::from(amount) * 10 / u128::from(unit)).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenth) = (self.0 / 10, self.0 % 10);
        if tenth == 0 { write!(f, "{whole}") } else { write!(f, "{whole}.{tenth}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn costly(budget: Budget, needs: u64, limit: u64) -> String {
        Error::too_costly(budget, needs, limit).to_string()
    }

    #[test]
    fn costs_are_told_in_units_that_people_know() {
        assert_eq!(
            costly(Budget::Memory, 56 << 20, 42 << 20),
            "The request needs 56 MiB of memory, and the limit is 42 MiB: ask for a smaller size, or make the file a tiled TIFF pyramid."
        );
        let second = Limits::WORK_PER_SECOND;
        for (budget, needs, limit, expected) in [
            (Budget::Memory, (42 << 20) + 1, 42 << 20, "The request needs 42.1 MiB of memory, and the limit is 42 MiB"),
            (Budget::Memory, 2000, 1000, "The request needs 2000 bytes of memory, and the limit is 1000 bytes"),
            (Budget::Work, second * 8, second * 5 + 1, "The request needs about 8 s of CPU time, and the limit is about 5 s"),
            (Budget::Work, second * 5 + 1, second * 5, "The request needs about 5.1 s of CPU time, and the limit is about 5 s"),
            (Budget::Bytes, 600 << 20, 512 << 20, "The request needs 600 MiB of the file, and the limit is 512 MiB"),
            (Budget::Bytes, 2000, 1000, "The request needs 2000 bytes of the file, and the limit is 1000 bytes"),
            (Budget::Ranges, 5000, 4096, "The request needs at least 5000 reads of the file, and the limit is 4096"),
            (Budget::Rounds, 513, 512, "The request needs at least 513 rounds of reading, and the limit is 512"),
        ] {
            assert_eq!(costly(budget, needs, limit).split_once(':').unwrap().0, expected);
        }
        assert!(costly(Budget::Memory, u64::MAX, 42 << 20).starts_with("The request needs 17592186044416 MiB"));
    }

    #[test]
    fn what_helps() {
        let size = Dimensions::new(1234, 617).unwrap();
        assert_eq!(Remedy::Size(size).to_string(), "at most 1234,617 fits, or more if the file is made a tiled TIFF pyramid");
        assert!(costly(Budget::Rounds, 513, 512).ends_with(": write the file anew, with its headers and directories next to each other."));
    }

    #[test]
    fn limits_of_sizes() {
        assert_eq!(SizeLimit::MaxArea(12_582_912).to_string(), "this service's maxArea of 12582912 pixels (12.5 megapixels)");
        assert_eq!(SizeLimit::MaxArea(20_000).to_string(), "this service's maxArea of 20000 pixels");
        assert_eq!(SizeLimit::Side(Format::WebP).to_string(), "the longest side of webp, 16383 pixels");
    }
}
