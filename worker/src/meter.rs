//! What a request has cost: reads, bytes, milliseconds. Told in `Server-Timing`.

use std::cell::{Cell, RefCell};

use azulejo::Unused;

/// Counts for one request.
pub(crate) struct Meter {
    began: f64,
    /// R2 operations.
    pub reads: Cell<u32>,
    /// Bytes read from R2.
    pub bytes: Cell<u64>,
    /// ms from the object's head to the opened pyramid.
    pub open: Cell<f64>,
    /// ms in the queue.
    pub queue: Cell<f64>,
    /// ms waiting for bytes, of the headers and of the pixels.
    pub waited: Cell<f64>,
    /// ms waiting for the pixels' bytes.
    pub fetch: Cell<f64>,
    /// ms decoding, scaling and encoding.
    pub render: Cell<f64>,
    /// Descriptions of the file's colours that were not used.
    pub unused: RefCell<Vec<Unused>>,
}

/// Milliseconds since 1970.
pub(crate) fn now() -> f64 {
    js_sys::Date::now()
}

impl Meter {
    pub fn new() -> Self {
        Self {
            began: now(),
            reads: Cell::new(0),
            bytes: Cell::new(0),
            open: Cell::new(0.0),
            queue: Cell::new(0.0),
            waited: Cell::new(0.0),
            fetch: Cell::new(0.0),
            render: Cell::new(0.0),
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

    /// ms since the request came.
    pub fn total(&self) -> f64 {
        now() - self.began
    }

    /// For the log: the descriptions that were not used, and why.
    pub fn unused(&self) -> Option<String> {
        let unused = self.unused.borrow();
        let sentences: Vec<String> = unused.iter().map(|unused| format!("{} {}", unused.name, unused.reason)).collect();
        (!sentences.is_empty()).then(|| sentences.join(", "))
    }

    /// The value of a `Server-Timing` header.
    pub fn server_timing(&self, cache: &str, passthrough: Option<bool>) -> String {
        let phases = [("open", &self.open), ("queue", &self.queue), ("fetch", &self.fetch), ("render", &self.render)];
        let mut value: String = phases.iter().map(|(name, ms)| format!("{name};dur={:.0}, ", ms.get())).collect();
        if let Some(passthrough) = passthrough {
            value.push_str(if passthrough { "passthrough;desc=\"yes\", " } else { "passthrough;desc=\"no\", " });
        }
        self.unused.borrow().iter().for_each(|unused| value.push_str(&format!("{};desc=\"unusable\", ", unused.name)));
        value.push_str(&format!(
            "total;dur={:.0}, reads;desc=\"{}\", bytes;desc=\"{}\", cache;desc=\"{cache}\", mem;desc=\"{:.1} MiB\"",
            self.total(),
            self.reads.get(),
            self.bytes.get(),
            memory() as f64 / f64::from(1 << 20),
        ));
        value
    }
}

/// Bytes of wasm memory; it never shrinks.
pub(crate) fn memory() -> usize {
    #[cfg(target_family = "wasm")]
    return crate::heap::size();
    #[cfg(not(target_family = "wasm"))]
    0
}
