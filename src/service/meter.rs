//! What a request has cost: reads, bytes, milliseconds. `Server-Timing` and the log say it.

use std::cell::{Cell, RefCell};

use super::host::Host;
use crate::profile::Unused;

/// Counts for one request.
#[derive(Debug)]
pub(super) struct Meter {
    host: Host,
    began: f64,
    /// Reads of the storage.
    pub reads: Cell<u32>,
    /// Bytes read.
    pub bytes: Cell<u64>,
    /// Until the image was open, ms.
    pub open: Cell<f64>,
    /// In the queue, ms.
    pub queue: Cell<f64>,
    /// Waiting for bytes, of the headers and of the pixels, ms.
    pub waited: Cell<f64>,
    /// Waiting for the pixels' bytes, ms.
    pub fetch: Cell<f64>,
    /// Decoding, scaling and encoding, ms.
    pub render: Cell<f64>,
    /// Descriptions of the file's colours that were not used.
    pub unused: RefCell<Vec<Unused>>,
}

impl Meter {
    /// For a request that comes now.
    pub fn new(host: &Host) -> Self {
        let ms = || Cell::new(0.0);
        Self {
            host: host.clone(),
            began: host.now(),
            reads: Cell::new(0),
            bytes: Cell::new(0),
            open: ms(),
            queue: ms(),
            waited: ms(),
            fetch: ms(),
            render: ms(),
            unused: RefCell::default(),
        }
    }

    /// Counts a read of so many bytes.
    pub fn read(&self, bytes: u64) {
        self.reads.set(self.reads.get() + 1);
        self.got(bytes);
    }

    /// Of a read that was counted, so many bytes came.
    pub fn got(&self, bytes: u64) {
        self.bytes.set(self.bytes.get() + bytes);
    }

    /// Since the request came, ms.
    pub fn total(&self) -> f64 {
        self.host.now() - self.began
    }

    /// For the log: the descriptions that were not used, and why.
    pub fn unused(&self) -> Option<String> {
        let sentences: Vec<String> = self.unused.borrow().iter().map(|unused| format!("{} {}", unused.name, unused.reason)).collect();
        (!sentences.is_empty()).then(|| sentences.join(", "))
    }

    /// The value of a `Server-Timing` header. `cache` is `hit`, `miss`, `off` or `none`; `passthrough` whether stored bytes are sent as they are.
    pub fn server_timing(&self, cache: &str, passthrough: Option<bool>) -> String {
        let phases = [("open", &self.open), ("queue", &self.queue), ("fetch", &self.fetch), ("render", &self.render)];
        let mut value: String = phases.iter().map(|(name, ms)| format!("{name};dur={:.0}, ", ms.get())).collect();
        if let Some(passthrough) = passthrough {
            value.push_str(if passthrough { "passthrough;desc=\"yes\", " } else { "passthrough;desc=\"no\", " });
        }
        self.unused.borrow().iter().for_each(|unused| value.push_str(&format!("{};desc=\"unusable\", ", unused.name)));
        let (total, reads, bytes) = (self.total(), self.reads.get(), self.bytes.get());
        value.push_str(&format!("total;dur={total:.0}, reads;desc=\"{reads}\", bytes;desc=\"{bytes}\", cache;desc=\"{cache}\""));
        if let Some(memory) = memory() {
            value.push_str(&format!(", mem;desc=\"{:.1} MiB\"", memory as f64 / f64::from(1 << 20)));
        }
        value
    }
}

/// Bytes of the wasm memory, which never shrinks. `None` where there is none.
pub(super) fn memory() -> Option<usize> {
    #[cfg(target_family = "wasm")]
    return Some(core::arch::wasm32::memory_size(0) << 16);
    #[cfg(not(target_family = "wasm"))]
    None
}
