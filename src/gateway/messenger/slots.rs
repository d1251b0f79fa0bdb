//! How many streams are open: bounded in all, for each customer, and for each address. A new one is refused and never an old one
//! ended for it: an `EventSource` that is ended comes back at once, and would end another one.

use crate::desk::ids::CustomerId;
use crate::gateway::http::problem::Problem;
use crate::overload::memory;
use crate::telemetry::catalogue::MESSENGER_STREAMS;
use crate::wire::error::WireError;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct StreamSlots {
    open: Mutex<Open>,
    most: usize,
    most_per_customer: u32,
    most_per_address: u32,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_customer: HashMap<CustomerId, u32>,
    by_address: HashMap<IpAddr, u32>,
}

/// One open stream; dropping it makes room.
pub(super) struct Slot {
    slots: Arc<StreamSlots>,
    customer: CustomerId,
    address: IpAddr,
}

impl StreamSlots {
    pub fn new(most: usize, most_per_customer: u32, most_per_address: u32) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), most, most_per_customer, most_per_address })
    }

    /// # Errors
    /// `busy` when all are taken, `rate_limited` when this customer's are, or this address's.
    pub fn take(self: &Arc<Self>, customer: CustomerId, address: IpAddr) -> Result<Slot, Problem> {
        let mut open = self.open();
        // A stream lasts: it takes no place that is kept for an agent who comes back.
        if open.total >= self.most || memory().places.are_short() {
            return Err(Problem(WireError::busy(5_000)));
        }
        let own = open.by_customer.get(&customer).copied().unwrap_or(0);
        if own >= self.most_per_customer {
            return Err(Problem::rate_limited("visitor", 5_000));
        }
        let of_address = open.by_address.get(&address).copied().unwrap_or(0);
        if of_address >= self.most_per_address {
            return Err(Problem::rate_limited("streams", 5_000));
        }
        open.total += 1;
        open.by_customer.insert(customer, own + 1);
        open.by_address.insert(address, of_address + 1);
        metrics::gauge!(MESSENGER_STREAMS).set(open.total as f64);
        Ok(Slot { slots: self.clone(), customer, address })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.open();
        open.total -= 1;
        metrics::gauge!(MESSENGER_STREAMS).set(open.total as f64);
        give_back(&mut open.by_customer, &self.customer);
        give_back(&mut open.by_address, &self.address);
    }
}

fn give_back<K: Hash + Eq>(held: &mut HashMap<K, u32>, key: &K) {
    if let Some(own) = held.get_mut(key) {
        *own -= 1;
        if *own == 0 {
            held.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::error::Code;

    #[test]
    fn streams_are_bounded_in_all_and_for_each_customer_and_address() {
        let slots = StreamSlots::new(4, 2, 3);
        let (zoe, ada, eve) = (CustomerId(1), CustomerId(2), CustomerId(3));
        let (here, there): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = slots.take(zoe, here).unwrap();
        let _second = slots.take(zoe, here).unwrap();
        assert_eq!(slots.take(zoe, there).err().unwrap().0.code, Code::RateLimited);
        let _third = slots.take(ada, here).unwrap();
        assert_eq!(slots.take(eve, here).err().unwrap().0.code, Code::RateLimited);
        let _fourth = slots.take(eve, there).unwrap();
        assert_eq!(slots.take(eve, there).err().unwrap().0.code, Code::Busy);
        drop(first);
        assert!(slots.take(ada, here).is_ok());
        let open = slots.open();
        assert_eq!((open.by_customer.len(), open.by_address.len()), (3, 2));
    }
}
