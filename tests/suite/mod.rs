//! The suites of the integration test binary.

mod colors;
mod fax;
mod geometry;
mod gif;
mod gigapixel;
mod golden;
mod ingest;
mod jpeg;
mod layers;
mod lossless;
mod oracle;
mod planes;
mod pyramid;
mod robust;
mod rounds;
mod small;
mod stored;
mod support;
mod vectors;
mod webp;
