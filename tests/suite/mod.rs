//! The suites of the integration test binary.

mod geometry;
mod gigapixel;
mod golden;
mod ingest;
mod jpeg;
mod layers;
mod lossless;
mod oracle;
mod pyramid;
mod robust;
mod rounds;
mod support;
mod vectors;
