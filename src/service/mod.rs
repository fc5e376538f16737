//! The service over HTTP, without reading or waiting: what a request says, and what answers it has. Hosts read, keep and send; they decide nothing of this.
//!
//! So far these are answers and errors, and the headers by which clients keep answers. Which parts still belong to hosts, ARCHITECTURE.md says.

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
