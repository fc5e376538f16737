//! The host, as the code of an exchange sees it. That code is written as `async` functions, of which the compiler makes a state machine. They wait for replies of the
//! host and for nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::ask::{Ask, FileVersion, Reply};
use super::failure::{Failure, Refusal};
use crate::bytes::ByteRange;
use crate::error::Error;

/// What lies between an exchange and its host.
#[derive(Debug, Clone, Default)]
pub(super) struct Host(Rc<RefCell<Desk>>);

#[derive(Debug, Default)]
struct Desk {
    /// The number of the last ask.
    last: u32,
    /// Asks that the host has not seen yet.
    asks: Vec<(u32, Ask)>,
    /// Bytes that belong to asks.
    bytes: HashMap<u32, Vec<u8>>,
    replies: HashMap<u32, Result<Reply, Refusal>>,
    now: f64,
}

impl Host {
    /// ms since 1970, as the host said last.
    pub fn now(&self) -> f64 {
        self.0.borrow().now
    }

    /// Asks for what has no reply. Gives the number of the ask.
    pub fn tell(&self, ask: Ask, bytes: Option<Vec<u8>>) -> u32 {
        let desk = &mut *self.0.borrow_mut();
        desk.last += 1;
        desk.asks.push((desk.last, ask));
        if let Some(bytes) = bytes {
            desk.bytes.insert(desk.last, bytes);
        }
        desk.last
    }

    /// Asks, and waits for the reply.
    pub async fn ask(&self, ask: Ask) -> Result<Reply, Failure> {
        Ok(self.numbered(ask, None).await?.1)
    }

    /// The same with bytes that belong to the ask. Gives also the number of the ask.
    pub async fn numbered(&self, ask: Ask, bytes: Option<Vec<u8>>) -> Result<(u32, Reply), Failure> {
        let number = self.tell(ask, bytes);
        let (_, reply) = self.next(&mut vec![(number, ())]).await;
        Ok((number, reply?))
    }

    /// Reads ranges of a version of a file, all at once. `provide` takes each as it comes.
    pub async fn read(
        &self,
        key: &str,
        version: &FileVersion,
        ranges: &[ByteRange],
        mut provide: impl FnMut(u64, Vec<u8>) -> crate::error::Result<()>,
    ) -> Result<(), Failure> {
        let ask = |range: &ByteRange| self.tell(Ask::Read { key: key.to_owned(), range: *range, version: version.clone() }, None);
        let mut waiting: Vec<(u32, ByteRange)> = ranges.iter().map(|range| (ask(range), *range)).collect();
        while !waiting.is_empty() {
            let (range, reply) = self.next(&mut waiting).await;
            let bytes = reply?.bytes.unwrap_or_default();
            if bytes.len() as u64 != range.len() {
                return Err(Error::SourceRead { what: format!("{} bytes came for {}", bytes.len(), range.len()) }.into());
            }
            provide(range.start(), bytes)?;
        }
        Ok(())
    }

    /// The next reply to one of these asks, which is taken from the list.
    async fn next<T>(&self, waiting: &mut Vec<(u32, T)>) -> (T, Result<Reply, Refusal>) {
        poll_fn(|_| {
            let replies = &mut self.0.borrow_mut().replies;
            let found = waiting.iter().enumerate().find_map(|(at, (number, _))| Some((at, replies.remove(number)?)));
            found.map_or(Poll::Pending, |(at, reply)| Poll::Ready((waiting.remove(at).1, reply)))
        })
        .await
    }

    /// For the host: what was asked since it came last, as a JSON array.
    pub fn asks(&self) -> String {
        let asks = std::mem::take(&mut self.0.borrow_mut().asks);
        let written: Vec<String> = asks.iter().map(|(number, ask)| ask.json(*number)).collect();
        format!("[{}]", written.join(","))
    }

    /// For the host: the bytes that belong to an ask, once.
    pub fn take(&self, number: u32) -> Option<Vec<u8>> {
        self.0.borrow_mut().bytes.remove(&number)
    }

    /// For the host: a reply, or why there is none.
    pub fn reply(&self, number: u32, reply: Result<Reply, Refusal>) {
        self.0.borrow_mut().replies.insert(number, reply);
    }

    /// For the host: the time, ms since 1970.
    pub fn set_now(&self, now: f64) {
        self.0.borrow_mut().now = now;
    }
}
