//! The judge's own reading of decisions from outside: each is wanted of what waits, in a queue that says so, and ends once, in time,
//! before the conversation goes anywhere.

use crate::desk::Desk;
use crate::desk::decision::{DecidedBy, DecisionEnd};
use crate::desk::event::Event;
use crate::desk::ids::{ConversationId, DecisionId};
use crate::desk::time::DeskTime;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Decisions {
    pending: BTreeMap<ConversationId, (DecisionId, DeskTime)>,
    last: DecisionId,
}

impl Decisions {
    /// The shadow holds the state right after the event.
    pub fn live(&mut self, event: &Event, shadow: &Desk, now: DeskTime) -> Result<(), String> {
        match event {
            Event::DecisionWanted { decision, conversation, until, .. } => {
                self.is_next(*decision)?;
                let queue = shadow.conversation(*conversation).and_then(|held| shadow.queue(held.queue));
                if queue.is_none_or(|queue| queue.settings.offering.router.by != DecidedBy::Outside) {
                    return Err(format!(
                        "{decision} is wanted about {conversation}, which the outside does not decide"
                    ));
                }
                match self.pending.insert(*conversation, (*decision, *until)) {
                    Some((before, _)) => Err(format!("{decision} is wanted about {conversation} beside {before}")),
                    None => Ok(()),
                }
            }
            Event::DecisionEnded { decision, end: DecisionEnd::Crowded, .. } => self.is_next(*decision),
            Event::DecisionEnded { decision, conversation, end, agent, .. } => {
                let Some((pending, until)) = self.pending.remove(conversation) else {
                    return Err(format!("{decision} about {conversation} ends and was not pending"));
                };
                let in_time = *end != DecisionEnd::Silent || now >= until;
                let named = agent.is_some() == (*end == DecisionEnd::Decided);
                if pending == *decision && in_time && named {
                    return Ok(());
                }
                Err(format!("{decision} about {conversation} ends as {} at {now:?}, as {pending}", end.name()))
            }
            Event::OfferMade { conversation, .. }
            | Event::ConversationEnded { conversation, .. }
            | Event::ConversationTaken { conversation, .. }
            | Event::ConversationTransferred { conversation, .. }
            | Event::ConversationMoved { conversation, .. } => match self.pending.get(conversation) {
                Some((pending, _)) => Err(format!("{conversation} goes on while {pending} is pending")),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn is_next(&mut self, decision: DecisionId) -> Result<(), String> {
        let next = DecisionId(self.last.0 + 1);
        self.last = decision;
        if decision == next { Ok(()) } else { Err(format!("{decision} comes where {next} is next")) }
    }
}
