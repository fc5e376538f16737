//! The suites of the integration test binary.

mod geometry;
mod golden;
mod layers;
mod oracle;
mod robust;
mod rounds;
mod support;
mod vectors;
