//! Customers who left while they waited: for a time they keep the place.

use super::ids::{CustomerId, QueueId};
use super::time::WallTime;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Beyond that the one whose time is over first is forgotten.
const LEFT_MAX: usize = 10_000;

/// Where a customer waited, and since when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Left {
    pub queue: QueueId,
    pub waiting_since: WallTime,
    pub until: WallTime,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct LeftWaiting {
    by_customer: BTreeMap<CustomerId, Left>,
    by_end: BTreeSet<(WallTime, CustomerId)>,
}

impl LeftWaiting {
    #[must_use]
    pub fn get(&self, customer: CustomerId) -> Option<&Left> {
        self.by_customer.get(&customer)
    }

    /// Gives who is forgotten for it.
    pub fn put(&mut self, customer: CustomerId, left: Left, now: WallTime) -> Vec<CustomerId> {
        let mut forgotten = Vec::new();
        while let Some((until, first)) = self.by_end.first().copied()
            && (until <= now || self.by_end.len() >= LEFT_MAX)
        {
            self.remove(first);
            forgotten.push(first);
        }
        self.remove(customer);
        self.by_customer.insert(customer, left);
        self.by_end.insert((left.until, customer));
        forgotten
    }

    pub fn remove(&mut self, customer: CustomerId) -> bool {
        let Some(left) = self.by_customer.remove(&customer) else { return false };
        self.by_end.remove(&(left.until, customer))
    }
}
