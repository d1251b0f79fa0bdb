//! How many streams are open: bounded in all and for each customer.

use crate::desk::ids::CustomerId;
use crate::gateway::http::problem::Problem;
use crate::overload::memory;
use crate::telemetry::catalogue::MESSENGER_STREAMS;
use crate::wire::error::WireError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct StreamSlots {
    open: Mutex<Open>,
    most: usize,
    most_per_customer: u32,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_customer: HashMap<CustomerId, u32>,
}

/// One open stream; dropping it makes room.
pub(super) struct Slot {
    slots: Arc<StreamSlots>,
    customer: CustomerId,
}

impl StreamSlots {
    pub fn new(most: usize, most_per_customer: u32) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), most, most_per_customer })
    }

    /// # Errors
    /// `busy` when all are taken, `rate_limited` when this customer's are.
    pub fn take(self: &Arc<Self>, customer: CustomerId) -> Result<Slot, Problem> {
        let mut open = self.open();
        // A stream lasts: it takes no place that is kept for an agent who comes back.
        if open.total >= self.most || memory().places.are_short() {
            return Err(Problem(WireError::busy(5_000)));
        }
        let own = open.by_customer.get(&customer).copied().unwrap_or(0);
        if own >= self.most_per_customer {
            return Err(Problem::rate_limited("visitor", 5_000));
        }
        open.total += 1;
        open.by_customer.insert(customer, own + 1);
        metrics::gauge!(MESSENGER_STREAMS).set(open.total as f64);
        Ok(Slot { slots: self.clone(), customer })
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
        if let Some(own) = open.by_customer.get_mut(&self.customer) {
            *own -= 1;
            if *own == 0 {
                open.by_customer.remove(&self.customer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::error::Code;

    #[test]
    fn streams_are_bounded_in_all_and_for_each_customer() {
        let slots = StreamSlots::new(3, 2);
        let (zoe, ada) = (CustomerId(1), CustomerId(2));
        let first = slots.take(zoe).unwrap();
        let _second = slots.take(zoe).unwrap();
        assert_eq!(slots.take(zoe).err().unwrap().0.code, Code::RateLimited);
        let _third = slots.take(ada).unwrap();
        assert_eq!(slots.take(ada).err().unwrap().0.code, Code::Busy);
        drop(first);
        assert!(slots.take(ada).is_ok());
        assert_eq!(slots.open().by_customer.len(), 2);
    }
}
