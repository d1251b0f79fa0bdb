//! Decisions from outside: an answer is checked by the rules that Offhook's own choice would have to meet, and then it is an
//! ordinary offer; silence ends by itself.

use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::deciding::ended;
use crate::desk::decision::{Choice, DecideAsk, DecisionEnd};
use crate::desk::event::Event;
use crate::desk::ids::{ConversationId, DecisionId};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;

impl Desk {
    pub(super) fn decide_from_outside(
        &mut self,
        ask: &DecideAsk,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let (id, decision) = (ask.conversation, ask.decision);
        let Some(held) = self.conversations.get(&id) else {
            return Err(self.decision_gone(decision, id).unwrap_or_else(|| self.not_here(id, loaded)));
        };
        let owner = held.state.owner().map(|owner| self.agents[owner.0 as usize].profile.name.clone());
        if owner != ask.expected_owner {
            return Err(Refusal::OwnerChanged { conversation: id, owner });
        }
        if held.pending_decision().is_none_or(|pending| pending.decision != decision) {
            return Err(self.decision_gone(decision, id).unwrap_or(Refusal::NoSuchDecision(decision)));
        }
        let by = Some(ask.by.clone());
        match &ask.choice {
            Choice::Offhook => {
                let (end, agent) = (DecisionEnd::Left, None);
                self.emit(events, Event::DecisionEnded { decision, conversation: id, end, agent, by });
                Ok(Answer::Done)
            }
            Choice::Agent(name) => {
                let agent = self.agent_named(name).ok_or_else(|| Refusal::NoSuchAgent(name.clone()))?;
                let fits = self.fits(agent, held);
                fits.map_err(|rule| Refusal::AgentUnable { agent: name.clone(), rule })?;
                let end = DecisionEnd::Decided;
                self.emit(events, Event::DecisionEnded { decision, conversation: id, end, agent: Some(agent), by });
                let offer = self.make_offer(id, agent, None, events);
                Ok(Answer::Decided { conversation: id, offer })
            }
        }
    }

    /// That it has ended, and how; `None` when there never was such a decision about this conversation.
    fn decision_gone(&self, decision: DecisionId, conversation: ConversationId) -> Option<Refusal> {
        let end = self.ended_decision(decision)?;
        let last = self.conversation(conversation).and_then(|held| held.routed.as_ref()?.last.as_ref());
        // After a restart only what the conversation itself keeps is known.
        let end = end.or_else(|| last.filter(|last| last.decision == decision).map(|last| last.end));
        Some(Refusal::DecisionGone { decision, end })
    }

    /// The outside had its time.
    pub(super) fn outside_is_silent(&mut self, id: ConversationId, events: &mut Vec<Event>) {
        let pending = self.conversations[&id].pending_decision().expect("its deadline ends with it");
        self.emit(events, ended(pending.decision, id, DecisionEnd::Silent));
    }
}
