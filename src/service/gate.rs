//! How many requests may hold pixels at the same time. All services of an instance share its memory, so they share one gate.
//!
//! A request that must wait asks its host for a [pause](Ask::Pause) and then looks again. It is never woken by another request: a runtime may forbid code of one request to run in the
//! context of another, and may end a request without a word.

use std::cell::RefCell;
use std::rc::Rc;

use super::ask::Ask;
use super::failure::{Failure, Refusal};
use super::host::Host;

/// Renders that are under way at the same time, at most.
const RENDERS: usize = 2;
/// ms after which a waiting request gives up. Viewers do not ask again for a tile that failed, so a late one is better.
const PATIENCE: f64 = 20_000.0;
/// ms between two looks of the first in the queue.
const PAUSE: u32 = 4;
/// Looks are rarer by this factor at most, far back in the queue.
const RAREST: usize = 25;

/// What a render takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Bytes.
    pub memory: u64,
    /// Bytes that all renders together may take.
    pub budget: u64,
    /// Whether it is next to no work, as a stored tile is. It is not counted among the renders, and need not wait for those before it in the queue while a render is under way.
    pub light: bool,
}

/// The gate. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(Rc<RefCell<Places>>);

#[derive(Debug, Default)]
struct Places {
    last: u32,
    inside: Vec<(u32, Load)>,
    /// Who waits, in the order in which they came, and since when.
    queue: Vec<(u32, f64)>,
}

/// A place inside or in the queue. It is given back on drop.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Gate,
    number: u32,
    /// Whether it was waited for.
    pub waited: bool,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let places = &mut *self.gate.0.borrow_mut();
        places.inside.retain(|(number, _)| *number != self.number);
        places.queue.retain(|(number, _)| *number != self.number);
    }
}

impl Gate {
    /// Waits until there is room for a render. `busy` if that takes too long.
    pub(super) async fn enter(&self, host: &Host, load: Load) -> Result<Pass, Failure> {
        let since = host.now();
        let mut pass = self.queue(since);
        while let Err(before) = self.admit(pass.number, load, host.now()) {
            if host.now() - since > PATIENCE {
                return Err(Refusal::new("busy", 503, "This service is busy. Try again.").into());
            }
            pass.waited = true;
            host.ask(Ask::Pause { ms: PAUSE * (1 + before.min(RAREST - 1)) as u32 }).await?;
        }
        Ok(pass)
    }

    /// The last place in the queue.
    fn queue(&self, now: f64) -> Pass {
        let places = &mut *self.0.borrow_mut();
        places.last += 1;
        places.queue.push((places.last, now));
        Pass { gate: self.clone(), number: places.last, waited: false }
    }

    /// Lets in a request that waits, or tells how many are before it.
    fn admit(&self, number: u32, load: Load, now: f64) -> Result<(), usize> {
        let places = &mut *self.0.borrow_mut();
        // One that waits longer is no longer alive: it would have given up.
        places.queue.retain(|(other, since)| *other == number || now - since < PATIENCE + 1000.0);
        let Some(before) = places.queue.iter().position(|(other, _)| *other == number) else { return Ok(()) };
        // If light ones overtook whenever they fit, one that needs all of the memory would never find it free.
        let overtakes = load.light && places.renders() > 0;
        if !places.fits(load) || (before > 0 && !overtakes) {
            return Err(before);
        }
        places.queue.remove(before);
        places.inside.push((number, load));
        Ok(())
    }
}

impl Places {
    fn renders(&self) -> usize {
        self.inside.iter().filter(|(_, load)| !load.light).count()
    }

    fn fits(&self, load: Load) -> bool {
        let held: u64 = self.inside.iter().map(|(_, load)| load.memory).sum();
        self.inside.is_empty() || ((load.light || self.renders() < RENDERS) && held + load.memory <= load.budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAVY: Load = Load { memory: 6, budget: 10, light: false };
    const LIGHT: Load = Load { light: true, memory: 1, ..HEAVY };

    #[test]
    fn memory_and_renders_are_limited() {
        let gate = Gate::default();
        let admit = |pass: &Pass, load: Load| gate.admit(pass.number, load, 0.0);
        let next = |load: Load| admit(&gate.queue(0.0), load);
        let [first, second, third] = [(); 3].map(|()| gate.queue(0.0));
        assert_eq!(admit(&first, HEAVY), Ok(()));
        assert_eq!(admit(&second, HEAVY), Err(0), "too much memory together");
        assert_eq!(admit(&third, Load { memory: 1, ..HEAVY }), Err(1), "nobody overtakes");
        drop(first);
        assert_eq!(admit(&second, Load { memory: 3, ..HEAVY }), Ok(()));
        assert_eq!(admit(&third, Load { memory: 3, ..HEAVY }), Ok(()));
        assert_eq!(next(Load { memory: 1, ..HEAVY }), Err(0), "two renders are under way");
        drop((second, third));
        assert_eq!(next(Load { memory: 99, ..HEAVY }), Ok(()), "alone, it is refused elsewhere if it is too much");
        assert!(gate.0.borrow().inside.is_empty() && gate.0.borrow().queue.is_empty());
    }

    #[test]
    fn light_ones_wait_for_no_render_and_keep_nobody_waiting() {
        let gate = Gate::default();
        let admit = |pass: &Pass, load: Load| gate.admit(pass.number, load, 0.0);
        let [render, tile, all, after] = [(); 4].map(|()| gate.queue(0.0));
        assert_eq!(admit(&render, HEAVY), Ok(()));
        assert_eq!(admit(&all, Load { memory: 10, ..HEAVY }), Err(1));
        assert_eq!(admit(&tile, LIGHT), Ok(()));
        assert_eq!(admit(&after, Load { memory: 5, ..LIGHT }), Err(1), "there is no memory");
        assert_eq!(admit(&after, LIGHT), Ok(()), "it overtakes");
        drop((render, after));
        // Only a tile is inside, and the first in the queue waits for it alone.
        assert_eq!(admit(&gate.queue(0.0), LIGHT), Err(1));
        drop(tile);
        assert_eq!(admit(&all, Load { memory: 10, ..HEAVY }), Ok(()));
    }

    #[test]
    fn who_has_gone_without_a_word_blocks_nobody() {
        let gate = Gate::default();
        let [first, gone] = [(); 2].map(|()| gate.queue(0.0));
        assert_eq!(gate.admit(first.number, HEAVY, 0.0), Ok(()));
        let next = gate.queue(10_000.0);
        drop(first);
        assert_eq!(gate.admit(next.number, HEAVY, 10_000.0), Err(1));
        assert_eq!(gate.admit(next.number, HEAVY, PATIENCE + 1000.0), Ok(()));
        drop(gone);
    }
}
