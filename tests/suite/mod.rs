//! The suites of the integration test binary.

mod fax;
mod geometry;
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
mod samples;
mod small;
mod support;
mod tiffs;
mod unsaid;
mod values;
mod vectors;
mod webp;
mod ycbcr;
