//! Those outside who follow the decisions that are wanted of them: told that something has changed, never what. Each then asks for
//! what it has not heard, so that nothing piles up for one that is slow.

use crate::desk::event::Event;
use tokio::sync::watch;

/// Who follow the decisions of one workspace at once.
const FOLLOWERS_MAX: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// Committed turns in which a decision was wanted, or ended, or in which somebody may have lost the right to follow.
    pub turns: u64,
    /// The server stops.
    pub over: bool,
}

#[derive(Debug, Default)]
pub struct Followers(watch::Sender<Changes>);

impl Followers {
    /// `None` when as many follow already as may.
    #[must_use]
    pub fn follow(&self) -> Option<watch::Receiver<Changes>> {
        // Counted with this one in it, so that two who come at once are never both one too many.
        let receiver = self.0.subscribe();
        (self.0.receiver_count() <= FOLLOWERS_MAX).then_some(receiver)
    }

    /// After a turn is committed. Who may follow no longer is to find that out at once, so that it is told nothing more.
    pub fn look_at(&self, events: &[Event]) {
        let told = |event: &Event| match event {
            Event::DecisionWanted { .. } | Event::DecisionEnded { .. } | Event::ApiKeyRemoved { .. } => true,
            Event::AgentPut { profile, .. } => !profile.active,
            _ => false,
        };
        if events.iter().any(told) {
            self.0.send_modify(|changes| changes.turns += 1);
        }
    }

    pub fn end(&self) {
        self.0.send_modify(|changes| changes.over = true);
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.receiver_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_may_follow_and_one_that_goes_makes_room() {
        let followers = Followers::default();
        let mut held: Vec<_> = (0..FOLLOWERS_MAX).map(|_| followers.follow().expect("there is room")).collect();
        assert!(followers.follow().is_none());
        held.pop();
        assert!(followers.follow().is_some());
    }
}
