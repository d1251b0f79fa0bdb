//! What is due when: one ordered set, kept beside the entities that the times belong to.

use super::ids::{AgentId, ConversationId, OfferId};
use super::time::{DeskTime, Now, WallTime};
use std::collections::BTreeSet;

/// Something that will be due. Each entity has at most one of a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Deadline {
    /// Expires, was never delivered, or its agent stayed away.
    Offer(OfferId),
    /// A reconnecting agent goes offline.
    AgentGrace(AgentId),
    WrapUp(ConversationId),
    /// An owner stayed away: its conversation goes back to the queue.
    Requeue(ConversationId),
    /// Some agent may be offered this conversation again, or it is kept for one no longer.
    CoolDown(ConversationId),
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Deadlines {
    due: BTreeSet<(DeskTime, Deadline)>,
    /// Apart, because they need no event when they end.
    cool_downs: BTreeSet<(DeskTime, Deadline)>,
    /// When a waiting conversation's age reaches its next ring. By the wall clock, as ages are.
    rings: BTreeSet<(WallTime, ConversationId)>,
}

impl Deadlines {
    pub fn set(&mut self, at: DeskTime, what: Deadline) {
        self.of(what).insert((at, what));
    }

    pub fn clear(&mut self, at: DeskTime, what: Deadline) {
        self.of(what).remove(&(at, what));
    }

    fn of(&mut self, what: Deadline) -> &mut BTreeSet<(DeskTime, Deadline)> {
        match what {
            Deadline::CoolDown(_) => &mut self.cool_downs,
            Deadline::Offer(_) | Deadline::AgentGrace(_) | Deadline::WrapUp(_) | Deadline::Requeue(_) => &mut self.due,
        }
    }

    pub fn set_ring(&mut self, at: WallTime, id: ConversationId) {
        self.rings.insert((at, id));
    }

    pub fn clear_ring(&mut self, at: WallTime, id: ConversationId) {
        self.rings.remove(&(at, id));
    }

    /// The first conversation whose age has reached its next ring.
    #[must_use]
    pub fn ring_by(&self, now: WallTime) -> Option<ConversationId> {
        self.rings.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// When the next thing is due, of any kind. A ring, which is due by the wall clock, is as far off as that says now; should
    /// the wall clock have gone less far by then, it is asked again.
    #[must_use]
    pub fn next(&self, now: Now) -> Option<DeskTime> {
        let firsts = [self.due.first(), self.cool_downs.first()].into_iter().flatten().map(|(at, _)| *at);
        let ring = self.rings.first().map(|(at, _)| now.desk.plus_ms(at.0.saturating_sub(now.wall.0)));
        firsts.chain(ring).min()
    }

    #[must_use]
    pub fn due_by(&self, now: DeskTime) -> Option<Deadline> {
        self.due.first().filter(|(at, _)| *at <= now).map(|(_, what)| *what)
    }

    /// The first cool-down that is over by `now`.
    #[must_use]
    pub fn cool_down_by(&self, now: DeskTime) -> Option<(DeskTime, ConversationId)> {
        match self.cool_downs.first()? {
            (at, Deadline::CoolDown(id)) if *at <= now => Some((*at, *id)),
            _ => None,
        }
    }
}
