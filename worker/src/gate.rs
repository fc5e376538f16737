//! How many requests may hold pixels at the same time: the isolate's memory is one for all.
//!
//! Waiting is polling by timers of one's own. Being woken by another request would run this one's code in that one's context, which the
//! runtime forbids.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use worker::Delay;

use crate::meter::now;

/// Renders that are under way at the same time, at most.
const RENDERS: usize = 2;
/// ms after which a waiting request gives up: viewers do not ask again for a tile that failed, so a late one is better.
const PATIENCE: f64 = 20_000.0;
/// ms after which a place is free again, whoever holds it: the runtime may drop a request without a word.
const LEASE: f64 = 60_000.0;
/// ms between two looks of the first in the queue.
const PAUSE: u64 = 4;

thread_local! {
    static GATE: RefCell<Gate> = const { RefCell::new(Gate { next: 0, queue: VecDeque::new(), inside: Vec::new() }) };
}

struct Gate {
    next: u64,
    /// Tickets in order, with the time they were drawn.
    queue: VecDeque<(u64, f64)>,
    inside: Vec<Place>,
}

struct Place {
    ticket: u64,
    memory: u64,
    light: bool,
    since: f64,
}

/// A place inside, given back on drop.
pub(crate) struct Pass {
    ticket: u64,
    /// Whether it was waited for.
    pub waited: bool,
}

/// Waits until `memory` bytes fit into `budget` beside what others hold; who does next to no work (`light`) is not counted. `None` if that takes too long.
pub(crate) async fn enter(memory: u64, budget: u64, light: bool) -> Option<Pass> {
    let began = now();
    let ticket = GATE.with_borrow_mut(|gate| gate.ticket());
    let mut waited = false;
    loop {
        let Some(before) = GATE.with_borrow_mut(|gate| gate.admit(ticket, memory, budget, light)) else {
            return Some(Pass { ticket, waited });
        };
        if now() - began > PATIENCE {
            GATE.with_borrow_mut(|gate| gate.queue.retain(|(other, _)| *other != ticket));
            return None;
        }
        waited = true;
        // The further back, the less often a look is worth it.
        Delay::from(Duration::from_millis(PAUSE * (1 + before.min(24)))).await;
    }
}

impl Gate {
    fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.queue.push_back((self.next, now()));
        self.next
    }

    /// Lets a ticket in, or tells how many are before it.
    fn admit(&mut self, ticket: u64, memory: u64, budget: u64, light: bool) -> Option<u64> {
        let now = now();
        self.inside.retain(|place| now - place.since < LEASE);
        // Whoever is still here by now has gone without a word; the living give up before.
        self.queue.retain(|(_, drawn)| now - drawn < PATIENCE + 1000.0);
        let before = self.queue.iter().take_while(|(other, _)| *other != ticket).count() as u64;
        let held: u64 = self.inside.iter().map(|place| place.memory).sum();
        let renders = self.inside.iter().filter(|place| !place.light).count();
        let fits = self.inside.is_empty() || ((light || renders < RENDERS) && held.saturating_add(memory) <= budget);
        if before > 0 || !fits {
            return Some(before);
        }
        self.queue.retain(|(other, _)| *other != ticket);
        self.inside.push(Place { ticket, memory, light, since: now });
        None
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        GATE.with_borrow_mut(|gate| gate.inside.retain(|place| place.ticket != self.ticket));
    }
}
