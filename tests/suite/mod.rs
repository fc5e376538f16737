//! The suites of the integration test binary.

mod colors;
mod directories;
mod fax;
mod geometry;
mod gif;
mod gigapixel;
mod golden;
mod ingest;
mod jpeg;
mod layers;
mod locate;
mod lossless;
mod masks;
mod oracle;
mod planes;
mod pyramid;
mod requests;
mod robust;
mod rounds;
mod seams;
mod small;
mod structure;
mod support;
mod vectors;
mod webp;
