//! The Image API over HTTP, without input and output. A host gives a request to an [`Exchange`], which asks the host for what it lacks: the version of a file, ranges of
//! its bytes, what was kept, a pause; and at last to send the answer. Everything that is decided about a request is decided here, so all hosts answer alike.
//!
//! A host contains no rule of IIIF or HTTP. It reads, keeps, waits, sends, logs, and recovers from a trap. The hosts are the Worker and the package's `createHandler`, `server`
//! and Service Worker (`src/js/host`), and in tests a bucket in memory.

mod answer;
mod ask;
mod condition;
mod cors;
mod disposition;
mod exchange;
mod failure;
#[cfg_attr(all(feature = "http", not(feature = "files")), allow(dead_code, reason = "only files are rendered here"))]
mod gate;
mod host;
mod kept;
mod list;
mod meter;
mod opening;
mod request;
mod resource;
mod served;
#[cfg(any(feature = "files", not(feature = "http")))]
mod stored;

/// Without files: what is never asked for.
#[cfg(all(feature = "http", not(feature = "files")))]
mod stored {
    use super::{answer::Answer, exchange::Asked, exchange::Made, failure::Failure};

    pub(super) enum Stream {}

    impl Stream {
        pub async fn send(self) {
            match self {}
        }
    }

    pub(super) async fn answer(_: &std::rc::Rc<Asked>, _: &crate::api::Identifier) -> Result<(Answer, Made), Failure> {
        Err(crate::error::Error::Internal { what: "this build reads no files".to_owned() }.into())
    }
}

pub use ask::Reply;
pub use exchange::{Exchange, Holding, Service};
pub use failure::Refusal;
pub use gate::Gate;
