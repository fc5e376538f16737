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
    /// Of asks that somebody waits for, the reply, once it is there.
    replies: HashMap<u32, Option<Result<Reply, Refusal>>>,
    now: f64,
}

/// Asks that are waited for, each with what it is about. Replies to those that nobody waits for any more are not kept.
struct Waiting<'a, T> {
    host: &'a Host,
    asks: Vec<(u32, T)>,
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        let replies = &mut self.host.0.borrow_mut().replies;
        self.asks.iter().for_each(|(number, _)| drop(replies.remove(number)));
    }
}

impl<'a, T> Waiting<'a, T> {
    /// Puts the asks on the desk, each with its bytes.
    fn of(host: &'a Host, asks: impl IntoIterator<Item = (Ask, Option<Vec<u8>>, T)>) -> Self {
        let asks: Vec<(u32, T)> = asks.into_iter().map(|(ask, bytes, about)| (host.tell(ask, bytes), about)).collect();
        asks.iter().for_each(|(number, _)| drop(host.0.borrow_mut().replies.insert(*number, None)));
        Self { host, asks }
    }

    /// The next reply, after the number of its ask and what that is about. `None` if there is no ask left.
    async fn next(&mut self) -> Option<(u32, T, Result<Reply, Refusal>)> {
        if self.asks.is_empty() {
            return None;
        }
        let (at, reply) = poll_fn(|_| {
            let replies = &mut self.host.0.borrow_mut().replies;
            let found = self.asks.iter().enumerate().find_map(|(at, (number, _))| Some((at, replies.get_mut(number)?.take()?)));
            found.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        let (number, about) = self.asks.remove(at);
        self.host.0.borrow_mut().replies.remove(&number);
        Some((number, about, reply))
    }
}

impl Host {
    /// ms since 1970, as the host said last.
    pub fn now(&self) -> f64 {
        self.0.borrow().now
    }

    /// Puts an ask on the desk, with the bytes that belong to it. Gives its number. Nobody waits for a reply.
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
        match Waiting::of(self, [(ask, bytes, ())]).next().await {
            Some((number, (), reply)) => Ok((number, reply?)),
            None => Err(Error::Internal { what: "an ask that was never made".to_owned() }.into()),
        }
    }

    /// Reads ranges of a version of a file, all at once. `provide` takes each as it comes.
    pub async fn read(
        &self,
        key: &str,
        version: &FileVersion,
        ranges: &[ByteRange],
        mut provide: impl FnMut(u64, Vec<u8>) -> crate::error::Result<()>,
    ) -> Result<(), Failure> {
        let ask = |range: &ByteRange| (Ask::Read { key: key.to_owned(), range: *range, version: version.clone() }, None, *range);
        let mut waiting = Waiting::of(self, ranges.iter().map(ask));
        while let Some((_, range, reply)) = waiting.next().await {
            let bytes = reply?.bytes.unwrap_or_default();
            if bytes.len() as u64 != range.len() {
                return Err(Error::SourceRead { what: format!("{} bytes came for {}", bytes.len(), range.len()) }.into());
            }
            provide(range.start(), bytes)?;
        }
        Ok(())
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
        if let Some(place) = self.0.borrow_mut().replies.get_mut(&number) {
            *place = Some(reply);
        }
    }

    /// For the host: the time, ms since 1970.
    pub fn set_now(&self, now: f64) {
        self.0.borrow_mut().now = now;
    }
}
