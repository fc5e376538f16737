//! The allocator: talc, over pages that may be there already. After a trap the same memory is zeroed and used by a new instance, and an allocator
//! that only ever grows it would leave the old pages unused. It also grows by no more than is lacking behind the last free byte: the memory
//! never shrinks again, and ends at 64 MiB.

#![allow(unsafe_code)]

use core::alloc::Layout;
use core::arch::wasm32::{memory_grow, memory_size};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

const PAGE: usize = 1 << 16;
/// Pages by which the heap grows at a time; an allocation that needs more asks again and again.
const STEP: usize = 4;

unsafe extern "C" {
    /// The first byte behind stack and static data; placed by the linker.
    static __heap_base: u8;
}

/// Hands out pages in order, growing the memory only past its present end.
#[derive(Debug)]
struct Pages {
    end: Option<NonNull<u8>>,
}

// Safety: nothing here allocates, and every page is handed out once.
unsafe impl Source for Pages {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, _: Layout) -> Result<(), ()> {
        let start = talc.source.end.map_or(&raw const __heap_base as usize, |end| end.as_ptr() as usize);
        let end = next_end(start).ok_or(()).inspect_err(|()| EXHAUSTED.store(true, Ordering::Relaxed))?;
        talc.source.end = match talc.source.end {
            None => unsafe { talc.claim(start as *mut u8, end - start) },
            Some(old) => Some(unsafe { talc.extend(old, end as *mut u8) }),
        };
        talc.source.end.map(|_| ()).ok_or(())
    }
}

/// Where the heap ends after its next step.
fn next_end(start: usize) -> Option<usize> {
    let have = memory_size(0) * PAGE;
    let full = (start / PAGE + STEP) * PAGE;
    let last = (start / PAGE + 1) * PAGE;
    [full, last].into_iter().find(|end| *end <= have || memory_grow(0, (end - have) / PAGE) != usize::MAX)
}

#[global_allocator]
static HEAP: TalcSyncCell<Pages, WasmBinning> = TalcSyncCell::new_wasm(Pages { end: None });

/// Whether the memory could not grow. Zeroed with the memory.
static EXHAUSTED: AtomicBool = AtomicBool::new(false);

pub(crate) fn is_exhausted() -> bool {
    EXHAUSTED.load(Ordering::Relaxed)
}
