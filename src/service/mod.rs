//! The Image API over HTTP, without input and output: it reads requests and makes answers. A host reads files, caches and sends.
//!
//! It contains errors, redirects, information documents, the headers of images, CORS and conditional requests. Each host still has its own queue, its own caches and
//! its own order of work. The Rust Worker uses this module. The package has a copy in TypeScript (`src/js/server`).

mod answer;
mod condition;
mod cors;
mod disposition;
mod failure;
mod request;
mod resource;

pub use answer::{Answer, Body};
pub use condition::StoredVersion;
pub use failure::Failure;
pub use request::{Method, Request};
pub use resource::{ImageAnswer, Resource};
