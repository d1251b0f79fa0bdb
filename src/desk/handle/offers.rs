//! Answers to offers, and the one place where an offer ends.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::apply::away_status;
use crate::desk::event::{Event, OfferEnd, Offered, StatusCause};
use crate::desk::ids::{AgentId, ConversationId, OfferId};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;
use std::sync::Arc;

impl Desk {
    pub(super) fn confirm_delivery(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        if !self.is_pending_for(agent, offer, loaded)? {
            let end = self.gone(offer, loaded)?.end;
            return Err(Refusal::OfferGone { offer, end });
        }
        if !self.offers[&offer].is_delivered() {
            let held = &self.offers[&offer];
            let accepts_at = self.accepts_at(held);
            let queue = self.conversations[&held.conversation].queue;
            let of = Some(Offered { conversation: held.conversation, agent: held.agent, queue });
            self.emit(events, Event::OfferDelivered { offer, accepts_at, of });
        }
        Ok(Answer::Done)
    }

    pub(super) fn accept(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        if self.is_pending_for(agent, offer, loaded)? {
            return Ok(Answer::Accepted { conversation: self.accepted(offer, None, events) });
        }
        let ended = self.gone(offer, loaded)?;
        if ended.end == OfferEnd::Accepted {
            return Ok(Answer::Accepted { conversation: ended.conversation });
        }
        Err(Refusal::OfferGone { offer, end: ended.end })
    }

    /// The agent has it. The others first, so that no offer to another is pending of a conversation that has a new owner.
    pub(super) fn accepted(
        &mut self,
        offer: OfferId,
        reason: Option<Arc<str>>,
        events: &mut Vec<Event>,
    ) -> ConversationId {
        let conversation = self.offers[&offer].conversation;
        for other in self.conversations[&conversation].offers.clone() {
            if other.offer != offer {
                self.end_offer(other.offer, OfferEnd::Rescinded, None, events);
            }
        }
        self.end_offer(offer, OfferEnd::Accepted, reason, events);
        conversation
    }

    pub(super) fn reject(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        reason: &Arc<str>,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        if !self.settings.reject_reasons.contains(reason) {
            return Err(Refusal::NoSuchReason(reason.clone()));
        }
        if !self.is_pending_for(agent, offer, loaded)? {
            return Err(Refusal::OfferGone { offer, end: self.gone(offer, loaded)?.end });
        }
        self.end_offer(offer, OfferEnd::Rejected, Some(reason.clone()), events);
        Ok(Answer::Done)
    }

    /// Whether the offer is pending; refused when it is, or was, another agent's.
    fn is_pending_for(&self, agent: AgentId, offer: OfferId, loaded: &Loaded) -> Result<bool, Refusal> {
        let (owner, pending) = match self.offers.get(&offer) {
            Some(held) => (held.agent, true),
            None => (self.gone(offer, loaded)?.agent, false),
        };
        if owner == agent { Ok(pending) } else { Err(Refusal::NotYourOffer(offer)) }
    }

    /// The one place where an offer ends: with its cool-down, and with what the end means for its agent.
    pub(super) fn end_offer(&mut self, id: OfferId, end: OfferEnd, reason: Option<Arc<str>>, events: &mut Vec<Event>) {
        let offer = &self.offers[&id];
        let (agent, conversation) = (offer.agent, offer.conversation);
        let held = &self.conversations[&conversation];
        // Who is asked by an owner may be asked again at once.
        let transfer = held.transfer();
        let cool_ms = held.cool_down_ms(&self.settings.cool_downs, agent, end).filter(|_| transfer.is_none());
        let cool_down_until = cool_ms.map(|ms| self.now.desk.plus_ms(ms));
        let public = (end == OfferEnd::Accepted).then_some(held.public + 1);
        let (offer, queue) = (id, Some(held.queue));
        self.emit(
            events,
            Event::OfferEnded { offer, conversation, agent, end, reason, cool_down_until, public, transfer, queue },
        );
        let held = &self.agents[agent.0 as usize];
        let most = self.settings.undelivered_in_a_row_max;
        if end == OfferEnd::Undelivered && held.undelivered_in_a_row >= most && held.connection == Connection::Online {
            self.emit(events, Event::AgentUnreachable { agent });
        }
        let held = &self.agents[agent.0 as usize];
        if end == OfferEnd::Expired
            && held.missed_in_a_row >= self.settings.missed_in_a_row_max
            && held.is_able(&self.settings)
        {
            let (status, channels) = (away_status(&self.settings.statuses), held.channels);
            let cause = StatusCause::Missed;
            self.emit(events, Event::StatusChanged { agent, status, channels, cause, by: None });
            self.give_up_offers(agent, events);
        }
        self.waits_on(conversation, end, events);
    }

    /// The agent left the available status: what it saw counts as rejected, what it never saw as lost.
    pub(super) fn give_up_offers(&mut self, agent: AgentId, events: &mut Vec<Event>) {
        for offer in self.agents[agent.0 as usize].offers.clone() {
            let seen = self.offers[&offer].is_delivered();
            self.end_offer(offer, if seen { OfferEnd::Rejected } else { OfferEnd::AgentLost }, None, events);
        }
    }
}
