//! What was promised to somebody, and what was kept: messages, offers, statuses. Pure: no clock, no network.
//!
//! A promise is what a client was answered. It goes in here when the answer comes, so what the server did without answering
//! is not held against it, unless it is there twice.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The first word of a text names it; what follows is weight.
fn name_of(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// Messages that were acknowledged: by conversation, number and name.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    acknowledged: BTreeMap<String, BTreeSet<(u64, String)>>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(super) struct MessagesKept {
    pub acknowledged: usize,
    pub conversations: usize,
    /// Acknowledged, in conversations that could be read back, and not there under the number that was given.
    pub lost: usize,
    /// Acknowledged, in conversations that could not be read back.
    pub unread: usize,
    /// There more than once: how often too many.
    pub twice: usize,
}

impl Ledger {
    pub fn acknowledged(&mut self, conversation: &str, number: u64, text: &str) {
        let held = self.acknowledged.entry(conversation.to_owned()).or_default();
        held.insert((number, name_of(text).to_owned()));
    }

    pub fn conversations(&self) -> impl Iterator<Item = &String> {
        self.acknowledged.keys()
    }

    pub fn len(&self) -> usize {
        self.acknowledged.values().map(BTreeSet::len).sum()
    }

    /// `found`: what each conversation's history was read back as, number and text; without those that could not be read.
    pub fn compare(&self, found: &BTreeMap<String, Vec<(u64, String)>>) -> MessagesKept {
        let mut kept = MessagesKept {
            acknowledged: self.len(),
            conversations: self.acknowledged.len(),
            ..MessagesKept::default()
        };
        for (conversation, promised) in &self.acknowledged {
            let Some(there) = found.get(conversation) else {
                kept.unread += promised.len();
                continue;
            };
            let named: BTreeSet<(u64, &str)> = there.iter().map(|(number, text)| (*number, name_of(text))).collect();
            kept.lost += promised.iter().filter(|(number, name)| !named.contains(&(*number, name.as_str()))).count();
            let names: BTreeSet<&str> = there.iter().map(|(_, text)| name_of(text)).collect();
            kept.twice += there.len() - names.len();
        }
        kept
    }
}

/// Offers that an agent was shown, and what became of them.
#[derive(Debug, Default)]
pub(super) struct Offers {
    made: BTreeSet<String>,
    accepted: BTreeSet<String>,
    /// Their end, where it was not an accept.
    ended: BTreeMap<String, String>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(super) struct OffersKept {
    pub made: usize,
    pub accepted: usize,
    /// Neither accepted nor taken back by its customer: by how it ended, or `none`.
    pub lost: BTreeMap<String, usize>,
}

impl OffersKept {
    pub fn lost_in_all(&self) -> usize {
        self.lost.values().sum()
    }
}

impl Offers {
    pub fn made(&mut self, offer: &str) {
        self.made.insert(offer.to_owned());
    }

    pub fn accepted(&mut self, offer: &str) {
        self.accepted.insert(offer.to_owned());
    }

    /// As the server said it: `expired`, `agent_lost`, the code of a refused accept. That it was accepted may be heard before the reply.
    pub fn ended(&mut self, offer: &str, end: &str) {
        if end == "accepted" {
            self.accepted(offer);
        } else {
            self.ended.insert(offer.to_owned(), end.to_owned());
        }
    }

    /// Made, and nothing more is known.
    pub fn open(&self) -> usize {
        self.made.iter().filter(|offer| !self.accepted.contains(*offer) && !self.ended.contains_key(*offer)).count()
    }

    pub fn kept(&self) -> OffersKept {
        let mut lost = BTreeMap::new();
        for offer in self.made.iter().filter(|offer| !self.accepted.contains(*offer)) {
            let end = self.ended.get(offer).map_or("none", String::as_str);
            if end != "withdrawn" {
                *lost.entry(end.to_owned()).or_default() += 1;
            }
        }
        OffersKept { made: self.made.len(), accepted: self.accepted.intersection(&self.made).count(), lost }
    }

    /// Of these, how many were not accepted.
    pub fn lost_of(&self, held: &BTreeSet<String>) -> usize {
        held.difference(&self.accepted).count()
    }
}

/// What agents' statuses were seen as, though none of them chose to change it.
#[derive(Debug, Default)]
pub(super) struct Statuses {
    /// Agent -> what it was seen as. Each differing status of an agent counts once for each time that it is told.
    flaps: BTreeMap<String, Vec<String>>,
}

impl Statuses {
    pub fn seen(&mut self, agent: &str, chosen: &str, seen: &str) {
        if chosen != seen {
            self.flaps.entry(agent.to_owned()).or_default().push(seen.to_owned());
        }
    }

    pub fn flaps(&self) -> usize {
        self.flaps.values().map(Vec::len).sum()
    }

    /// The first few, for whoever looks for the reason.
    pub fn examples(&self) -> Vec<String> {
        self.flaps.iter().take(5).map(|(agent, seen)| format!("{agent}: {}", seen.join(", "))).collect()
    }
}

/// Who dropped with everybody else and when each was back, in seconds from the drop.
#[derive(Debug, Default)]
pub(super) struct Return {
    dropped: BTreeSet<usize>,
    back: BTreeMap<usize, f64>,
}

impl Return {
    pub fn dropped(&mut self, agent: usize) {
        self.dropped.insert(agent);
        self.back.remove(&agent);
    }

    pub fn back(&mut self, agent: usize, after_s: f64) {
        if self.dropped.contains(&agent) {
            self.back.entry(agent).or_insert(after_s);
        }
    }

    pub fn dropped_in_all(&self) -> usize {
        self.dropped.len()
    }

    pub fn back_in_all(&self) -> usize {
        self.back.len()
    }

    /// When so large a share of `agents` was back; nothing while they are not.
    pub fn share_back_s(&self, agents: usize, per_cent: usize) -> Option<f64> {
        let mut times: Vec<f64> = self.back.values().copied().collect();
        times.sort_by(f64::total_cmp);
        let wanted = (agents * per_cent).div_ceil(100).max(1);
        times.get(wanted - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &[(&str, u64, &str)]) -> BTreeMap<String, Vec<(u64, String)>> {
        let mut found = BTreeMap::<String, Vec<(u64, String)>>::new();
        for (conversation, number, text) in rows {
            found.entry((*conversation).to_owned()).or_default().push((*number, (*text).to_owned()));
        }
        found
    }

    /// Lost and twice, of three that were acknowledged in two conversations, both of which were read.
    fn compared(rows: &[(&str, u64, &str)]) -> (usize, usize) {
        let mut ledger = Ledger::default();
        ledger.acknowledged("c1", 1, "a.1 xxxx");
        ledger.acknowledged("c1", 2, "a.2");
        ledger.acknowledged("c2", 1, "b.1");
        let mut found = found(rows);
        for conversation in ["c1", "c2"] {
            found.entry(conversation.to_owned()).or_default();
        }
        let kept = ledger.compare(&found);
        assert_eq!((kept.acknowledged, kept.conversations, kept.unread), (3, 2, 0));
        let half = ledger.compare(&BTreeMap::from([("c2".to_owned(), found["c2"].clone())]));
        assert_eq!(half.unread, 2, "what was not read is neither lost nor there");
        (kept.lost, kept.twice)
    }

    #[test]
    fn what_was_acknowledged_and_is_not_there_is_lost() {
        assert_eq!(compared(&[("c1", 1, "a.1 xxxx"), ("c1", 2, "a.2"), ("c2", 1, "b.1")]), (0, 0));
        assert_eq!(compared(&[("c1", 1, "a.1 xxxx"), ("c2", 1, "b.1")]), (1, 0), "one is missing");
        assert_eq!(compared(&[("c1", 1, "a.1"), ("c1", 2, "a.2")]), (1, 0), "a conversation is empty");
        assert_eq!(compared(&[]), (3, 0), "both are empty");
        assert_eq!(compared(&[("c1", 1, "a.2"), ("c1", 2, "a.1"), ("c2", 1, "b.1")]), (2, 0), "under other numbers");
        assert_eq!(compared(&[("c2", 1, "a.1"), ("c2", 2, "a.2"), ("c1", 1, "b.1")]), (3, 0), "in other conversations");
    }

    #[test]
    fn what_is_there_twice_is_counted_and_what_was_never_acknowledged_may_be_there_once() {
        let all = [("c1", 1, "a.1"), ("c1", 2, "a.2"), ("c2", 1, "b.1")];
        assert_eq!(compared(&[&all[..], &[("c1", 3, "a.2"), ("c1", 4, "a.2")]].concat()), (0, 2));
        assert_eq!(compared(&[&all[..], &[("c2", 2, "unanswered")]].concat()), (0, 0));
        assert_eq!(compared(&[&all[..], &[("c2", 2, "unanswered"), ("c2", 3, "unanswered")]].concat()), (0, 1));
    }

    #[test]
    fn an_offer_is_kept_if_it_is_accepted_or_its_customer_took_it_back() {
        let mut offers = Offers::default();
        for offer in ["o1", "o2", "o3", "o4"] {
            offers.made(offer);
        }
        // The frame of its end says the same in other words, and may come first.
        offers.ended("o1", "accepted");
        assert_eq!(offers.lost_of(&["o1".to_owned()].into()), 0);
        offers.accepted("o1");
        offers.ended("o2", "withdrawn");
        offers.ended("o3", "agent_lost");
        assert_eq!(offers.open(), 1);
        let kept = offers.kept();
        assert_eq!((kept.made, kept.accepted, kept.lost_in_all()), (4, 1, 2));
        assert_eq!(kept.lost, BTreeMap::from([("agent_lost".to_owned(), 1), ("none".to_owned(), 1)]));
        let held = ["o1", "o3"].map(str::to_owned).into();
        assert_eq!(offers.lost_of(&held), 1);
        offers.accepted("o4");
        assert_eq!(offers.kept().lost_in_all(), 1);
    }

    #[test]
    fn a_status_that_was_not_chosen_is_a_flap_each_time() {
        let mut statuses = Statuses::default();
        statuses.seen("ada", "available", "available");
        assert_eq!(statuses.flaps(), 0);
        statuses.seen("ada", "available", "away");
        statuses.seen("ada", "available", "available");
        statuses.seen("ada", "available", "away");
        statuses.seen("eve", "available", "offline");
        assert_eq!((statuses.flaps(), statuses.examples()[0].as_str()), (3, "ada: away, away"));
    }

    #[test]
    fn nobody_is_back_who_did_not_drop_and_who_drops_again_is_not_back() {
        let mut back = Return::default();
        back.back(0, 0.5);
        assert_eq!((back.dropped_in_all(), back.back_in_all()), (0, 0));
        for agent in 0..100 {
            back.dropped(agent);
            back.back(agent, agent as f64);
        }
        assert_eq!((back.share_back_s(100, 99), back.share_back_s(100, 100)), (Some(98.0), Some(99.0)));
        back.dropped(7);
        assert_eq!((back.share_back_s(100, 99), back.share_back_s(100, 100)), (Some(99.0), None));
        assert_eq!(back.back_in_all(), 99);
        back.back(7, 120.0);
        assert_eq!(back.share_back_s(100, 100), Some(120.0));
    }
}
