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
    /// Whether it is next to no work. Then only its memory counts, and it waits for no render.
    pub light: bool,
}

/// The gate. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(Rc<RefCell<Places>>);

#[derive(Debug, Default)]
struct Places {
    last: u32,
    inside: Vec<(u32, Load)>,
    /// Who waits, in the order in which they came.
    queue: Vec<u32>,
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
        places.queue.retain(|number| *number != self.number);
    }
}

impl Gate {
    /// Waits until there is room for a render. `busy` if that takes too long.
    pub(super) async fn enter(&self, host: &Host, load: Load) -> Result<Pass, Failure> {
        let since = host.now();
        let mut pass = self.queue();
        while let Err(before) = self.admit(pass.number, load) {
            if host.now() - since > PATIENCE {
                return Err(Refusal::new("busy", 503, "This service is busy. Try again.").into());
            }
            pass.waited = true;
            host.ask(Ask::Pause { ms: PAUSE * (1 + before.min(RAREST - 1)) as u32 }).await?;
        }
        Ok(pass)
    }

    /// The last place in the queue.
    fn queue(&self) -> Pass {
        let places = &mut *self.0.borrow_mut();
        places.last += 1;
        places.queue.push(places.last);
        Pass { gate: self.clone(), number: places.last, waited: false }
    }

    /// Lets one who waits in, or tells how many are before him.
    fn admit(&self, number: u32, load: Load) -> Result<(), usize> {
        let places = &mut *self.0.borrow_mut();
        let before = places.queue.iter().position(|other| *other == number).unwrap_or_default();
        if !places.fits(load) || (before > 0 && !load.light) {
            return Err(before);
        }
        places.queue.remove(before);
        places.inside.push((number, load));
        Ok(())
    }
}

impl Places {
    fn fits(&self, load: Load) -> bool {
        let held: u64 = self.inside.iter().map(|(_, load)| load.memory).sum();
        let renders = self.inside.iter().filter(|(_, load)| !load.light).count();
        self.inside.is_empty() || ((load.light || renders < RENDERS) && held + load.memory <= load.budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAVY: Load = Load { memory: 6, budget: 10, light: false };
    const LIGHT: Load = Load { light: true, memory: 1, ..HEAVY };

    #[test]
    fn memory_and_renders_are_limited_and_light_ones_overtake() {
        let gate = Gate::default();
        let [first, second, third, light] = [(); 4].map(|()| gate.queue());
        assert_eq!(gate.admit(first.number, HEAVY), Ok(()));
        assert_eq!(gate.admit(second.number, HEAVY), Err(0), "too much memory together");
        assert_eq!(gate.admit(third.number, Load { memory: 1, ..HEAVY }), Err(1), "nobody overtakes");
        assert_eq!(gate.admit(light.number, LIGHT), Ok(()), "but who takes next to nothing");
        assert_eq!(gate.admit(gate.queue().number, Load { memory: 5, ..LIGHT }), Err(2), "if there is memory");
        drop(first);
        assert_eq!(gate.admit(second.number, Load { memory: 3, ..HEAVY }), Ok(()));
        assert_eq!(gate.admit(third.number, Load { memory: 3, ..HEAVY }), Ok(()));
        assert_eq!(gate.admit(gate.queue().number, Load { memory: 1, ..HEAVY }), Err(0), "two renders are under way");
        drop((second, third, light));
        assert_eq!(gate.admit(gate.queue().number, Load { memory: 99, ..HEAVY }), Ok(()), "alone, it is refused elsewhere if it is too much");
        assert!(gate.0.borrow().inside.is_empty() && gate.0.borrow().queue.is_empty());
    }
}
