//! Uploads of one sender at once. There is an entry for each sender that has one under way, so no more of them than uploads.

use crate::desk::ids::Principal;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Sender = (Arc<str>, Principal);

#[derive(Debug)]
pub(super) struct Senders {
    each_max: u32,
    under_way: Mutex<BTreeMap<Sender, u32>>,
}

/// One upload of a sender; dropped, it is over.
#[derive(Debug)]
pub(super) struct UnderWay {
    senders: Arc<Senders>,
    sender: Sender,
}

impl Senders {
    pub(super) fn new(each_max: u32) -> Arc<Self> {
        Arc::new(Self { each_max, under_way: Mutex::default() })
    }

    /// `None`: the sender has as many under way as it may.
    pub(super) fn begin(self: &Arc<Self>, workspace: &Arc<str>, principal: Principal) -> Option<UnderWay> {
        let sender = (workspace.clone(), principal);
        let mut under_way = self.held();
        let count = under_way.get(&sender).copied().unwrap_or(0);
        if count >= self.each_max {
            return None;
        }
        under_way.insert(sender.clone(), count + 1);
        Some(UnderWay { senders: self.clone(), sender })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Sender, u32>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut under_way = self.senders.held();
        match under_way.get_mut(&self.sender) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(under_way.remove(&self.sender)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::ids::{AgentId, CustomerId};

    #[test]
    fn a_sender_has_so_many_under_way_and_nothing_is_left_of_it_afterwards() {
        let senders = Senders::new(2);
        let workspace: Arc<str> = "demo".into();
        let zoe = Principal::Customer(CustomerId(1));
        let first = senders.begin(&workspace, zoe).unwrap();
        let second = senders.begin(&workspace, zoe).unwrap();
        assert!(senders.begin(&workspace, zoe).is_none());
        assert!(senders.begin(&workspace, Principal::Agent(AgentId(1))).is_some());
        assert!(senders.begin(&"other".into(), zoe).is_some());
        drop(first);
        assert!(senders.begin(&workspace, zoe).is_some());
        drop(second);
        assert!(senders.held().is_empty());
    }
}
