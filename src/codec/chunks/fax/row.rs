//! Decodes the codes of one row to the columns at which its colour changes.

use super::bits::Bits;
use super::codes::{LONGEST, MODE_BITS, MODES, Mode, RUNS, Runs};

/// End of facsimile block (T.6, 2.4.1.1): two EOLs.
const EOFB: u32 = 0x00_1001;
/// Zeros that begin an EOL (T.4, 4.1.2). More zeros may come before them as fill, to lengthen the transmission of a row, or to end it at a byte.
pub(super) const EOL_ZEROS: u32 = 11;

/// Why a row could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The data end.
    Short,
    /// The data end among zeros before an EOL. All these zeros may be dropped but those that belong to the EOL.
    ShortOfEol,
    /// There is an end of block where a row may begin.
    End,
    /// The uncompressed mode, an extension of T.4 and T.6.
    Uncompressed,
    /// The bits are not valid here.
    Invalid(&'static str),
}

/// A row that is being decoded.
pub(super) struct Row<'a> {
    pub bits: Bits<'a>,
    pub width: u32,
    /// Columns at which the colour changes, ascending; the first change is to black. A run of 0 pixels leaves no change.
    pub changes: Vec<u32>,
    /// Number of pixels that have been decoded.
    pub done: u32,
    /// The colour of the next pixel: 0 white, 1 black.
    color: usize,
    /// How many more changes may come. Without this limit, runs of 0 pixels could go on without end.
    most: u32,
    runs: &'static Runs,
}

impl<'a> Row<'a> {
    /// A row of `width` pixels. The memory of `changes` is reused.
    pub fn new(bits: Bits<'a>, width: u32, mut changes: Vec<u32>) -> Self {
        changes.clear();
        Self { bits, width, changes, done: 0, color: 0, most: width.saturating_mul(2).saturating_add(16), runs: &RUNS }
    }

    /// Reads the EOL before a row of T.4, which may be missing, and, if `tagged`, the tag bit after it (T.4, 4.2.2). Returns whether the row is coded in one
    /// dimension.
    pub fn begin(&mut self, tagged: bool) -> Result<bool, Stop> {
        let mut alone = true;
        let mut is_first = true;
        loop {
            self.bits.ensure();
            if self.bits.peek(EOL_ZEROS) != 0 || self.bits.are_fewer_than(EOL_ZEROS) {
                break;
            }
            self.bits.skip_zeros();
            if !self.bits.skip(1) {
                return Err(if is_first { Stop::ShortOfEol } else { Stop::Short });
            }
            // Two EOLs without a row between them begin a return to control (RTC; T.4, 4.1.4).
            if !is_first {
                return Err(Stop::End);
            }
            is_first = false;
            if tagged {
                alone = self.tag()?;
            }
        }
        if tagged && is_first {
            alone = self.tag()?;
        }
        Ok(alone)
    }

    fn tag(&mut self) -> Result<bool, Stop> {
        self.bits.ensure();
        let tag = self.bits.peek(1) == 1;
        if self.bits.skip(1) { Ok(tag) } else { Err(Stop::Short) }
    }

    /// Decodes a row in one dimension (T.4, 4.1).
    pub fn one_dimensional(&mut self) -> Result<(), Stop> {
        while self.done < self.width {
            self.next_run()?;
        }
        Ok(())
    }

    /// Decodes a row in two dimensions (T.4, 4.2, and T.6) below a row whose colour changes at the columns `above`. With `ends`, an end of block may take the
    /// place of the row.
    pub fn two_dimensional(&mut self, above: &[u32], ends: bool) -> Result<(), Stop> {
        let (width, column) = (self.width, |index: usize| above.get(index).copied());
        // `b1` is the index in `above` of the change b1: the first change right of a0 to the colour that the row does not have now. At first, a0 is left of the
        // row.
        let mut b1 = 0;
        let mut least = 0;
        while self.done < width {
            self.bits.ensure();
            let (mode, length) = MODES[self.bits.peek(MODE_BITS) as usize];
            if !self.bits.skip(length.into()) {
                return Err(Stop::Short);
            }
            while column(b1).is_some_and(|column| column < least) {
                b1 += 2;
            }
            match mode {
                Mode::Vertical(by) => {
                    let to = column(b1).unwrap_or(width).checked_add_signed(by.into());
                    self.change(to.filter(|to| *to >= self.done).ok_or(Stop::Invalid("a change left of the one before"))?)?;
                    // Changes to either colour alternate. If the row's change is left of b1, the change before b1 may be right of the new a0.
                    b1 = if by < 0 { b1.checked_sub(1).unwrap_or(b1 + 1) } else { b1 + 1 };
                }
                Mode::Horizontal => {
                    self.next_run()?;
                    self.next_run()?;
                }
                Mode::Pass => {
                    self.done = column(b1 + 1).unwrap_or(width);
                    b1 += 2;
                }
                Mode::Extension => return Err(self.extension(3)),
                Mode::None if ends && least == 0 && self.bits.peek(24) == EOFB => return Err(Stop::End),
                Mode::None if self.bits.are_fewer_than(if ends && least == 0 { 24 } else { LONGEST }) => return Err(Stop::Short),
                Mode::None => return Err(Stop::Invalid("no code of a mode")),
            }
            least = self.done + 1;
        }
        Ok(())
    }

    /// Reads the codes of a run: make-up codes, then a terminating code.
    fn next_run(&mut self) -> Result<(), Stop> {
        let mut end = self.done;
        loop {
            self.bits.ensure();
            let entry = u32::from(self.runs[self.color][self.bits.peek(LONGEST) as usize]);
            let (run, length) = (entry >> 4, entry & 15);
            if length == 0 {
                return Err(self.no_run());
            }
            if !self.bits.skip(length) {
                return Err(Stop::Short);
            }
            end += run;
            if end > self.width {
                return Err(Stop::Invalid("a run beyond the end of the row"));
            }
            if run < 64 {
                return self.change(end);
            }
        }
    }

    #[cold]
    fn no_run(&mut self) -> Stop {
        match () {
            () if self.bits.peek(9) == 1 => {
                if self.bits.skip(9) {
                    self.extension(3)
                } else {
                    Stop::Short
                }
            }
            () if self.bits.are_fewer_than(LONGEST) => Stop::Short,
            () => Stop::Invalid("no code of a run"),
        }
    }

    /// The error that the bits after the code of an extension stand for.
    #[cold]
    fn extension(&mut self, bits: u32) -> Stop {
        match () {
            () if self.bits.are_fewer_than(bits) => Stop::Short,
            () if self.bits.peek(bits) == 7 => Stop::Uncompressed,
            () => Stop::Invalid("no code of an extension"),
        }
    }

    /// Changes the colour at column `to`, or ends the row there.
    #[inline(always)]
    fn change(&mut self, to: u32) -> Result<(), Stop> {
        if to > self.width || self.most == 0 {
            return Err(Stop::Invalid("more changes than the row has pixels for"));
        }
        self.most -= 1;
        if self.changes.last() == Some(&to) {
            self.changes.pop();
        } else if to < self.width {
            self.changes.push(to);
        }
        self.done = to;
        self.color ^= 1;
        Ok(())
    }
}
