//! What is due when: one ordered set, kept beside the entities that the times belong to.

use super::ids::{AgentId, ConversationId, OfferId};
use super::sorted::Sorted;
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
    /// A customer has been silent for so long that the conversation is paused.
    Pause(ConversationId),
    /// Somebody has been silent for so long that a rule of its queue does something.
    Silence(ConversationId),
    /// Some agent may be offered this conversation again, or it is kept for one no longer.
    CoolDown(ConversationId),
    /// The outside has not decided.
    Decision(ConversationId),
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Deadlines {
    due: BTreeSet<(DeskTime, Deadline)>,
    /// Apart, because they need no event when they end.
    cool_downs: BTreeSet<(DeskTime, Deadline)>,
    /// By the wall clock, as ages are: of each of a million conversations that wait, the nearest.
    by_wall: Sorted<(WallTime, ByWall)>,
}

/// Something that is due by the wall clock, in eight bytes: a conversation, and of what kind. Each has at most one of a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ByWall(u64);

impl ByWall {
    /// Of a waiting conversation, what comes first: its age reaches its next ring, it has waited its longest, or its queue has closed.
    #[must_use]
    pub fn wait(id: ConversationId) -> Self {
        Self(id.0 << 1)
    }

    /// The next of its clocks of service is breached.
    #[must_use]
    pub fn clock(id: ConversationId) -> Self {
        Self(id.0 << 1 | 1)
    }

    #[must_use]
    pub fn conversation(self) -> ConversationId {
        ConversationId(self.0 >> 1)
    }

    #[must_use]
    pub fn is_clock(self) -> bool {
        self.0 & 1 == 1
    }
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
            Deadline::Offer(_)
            | Deadline::AgentGrace(_)
            | Deadline::WrapUp(_)
            | Deadline::Requeue(_)
            | Deadline::Pause(_)
            | Deadline::Silence(_)
            | Deadline::Decision(_) => &mut self.due,
        }
    }

    pub fn set_by_wall(&mut self, at: WallTime, what: ByWall) {
        self.by_wall.insert((at, what));
    }

    pub fn clear_by_wall(&mut self, at: WallTime, what: ByWall) {
        self.by_wall.remove(&(at, what));
    }

    /// What is due first by the wall clock.
    #[must_use]
    pub fn due_by_wall(&self, now: WallTime) -> Option<ByWall> {
        self.by_wall.first().filter(|(at, _)| *at <= now).map(|(_, what)| what)
    }

    /// When the next thing is due, of any kind. What is due by the wall clock is as far off as that says now; should the wall
    /// clock have gone less far by then, it is asked again.
    #[must_use]
    pub fn next(&self, now: Now) -> Option<DeskTime> {
        let firsts = [self.due.first(), self.cool_downs.first()].into_iter().flatten().map(|(at, _)| *at);
        let by_wall = self.by_wall.first().map(|(at, _)| now.desk.plus_ms(at.0.saturating_sub(now.wall.0)));
        firsts.chain(by_wall).min()
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
