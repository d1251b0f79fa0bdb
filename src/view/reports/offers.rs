//! What offers say: how many were made, how each ended, and how long who accepted took to do so.

use super::fold::{Fold, Kept};
use super::measures::{
    ACCEPTED, AGENT_LOST, EXPIRED, JOINED, Measure, OFFERED, REACTION_MS, REJECTED, RESCINDED, TRANSFERRED_OUT,
    TRANSFERS_TAKEN, UNDELIVERED, WITHDRAWN,
};
use super::talk::{PendingOffer, Talk};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::AgentId;
use crate::desk::moves::Transfer;

impl Fold {
    pub(super) fn offers<K: Kept>(&mut self, event: &Event, kept: &mut K) -> Result<(), K::Failed> {
        match event {
            Event::OfferMade { offer, conversation, agent, .. } => {
                let Some(mut talk) = self.talk(*conversation, kept)? else { return Ok(()) };
                self.count(&talk, Some(*agent), OFFERED, 1);
                talk.offers.push(PendingOffer { offer: *offer, made_at: self.now });
                self.talks.insert(*conversation, talk);
                Ok(())
            }
            Event::OfferEnded { offer, conversation, agent, end, transfer, .. } => {
                let Some(mut talk) = self.talk(*conversation, kept)? else { return Ok(()) };
                self.count(&talk, Some(*agent), measure_of(*end), 1);
                let made = talk.offers.iter().position(|pending| pending.offer == *offer);
                let made = made.map(|at| talk.offers.remove(at).made_at);
                if *end == OfferEnd::Accepted {
                    let reaction_ms = self.now.saturating_sub(made.unwrap_or(self.now));
                    self.count(&talk, Some(*agent), REACTION_MS, reaction_ms as i64);
                    self.accepted(&mut talk, *agent, *transfer, kept)?;
                }
                self.talks.insert(*conversation, talk);
                Ok(())
            }
            _ => unreachable!("only what is said of offers is given here"),
        }
    }

    fn accepted<K: Kept>(
        &mut self,
        talk: &mut Talk,
        agent: AgentId,
        transfer: Option<Transfer>,
        kept: &mut K,
    ) -> Result<(), K::Failed> {
        match transfer {
            Some(Transfer { warm: true, .. }) => {
                self.count(talk, Some(agent), JOINED, 1);
                talk.joined = Some(agent);
                self.hold(agent, true, kept)
            }
            Some(Transfer { warm: false, from }) => {
                self.count(talk, Some(from), TRANSFERRED_OUT, 1);
                self.lose(talk, kept)?;
                self.count(talk, Some(agent), TRANSFERS_TAKEN, 1);
                self.gain(talk, agent, kept)
            }
            None => {
                self.answer(talk, agent);
                self.gain(talk, agent, kept)
            }
        }
    }
}

fn measure_of(end: OfferEnd) -> Measure {
    match end {
        OfferEnd::Accepted => ACCEPTED,
        OfferEnd::Rejected => REJECTED,
        OfferEnd::Expired => EXPIRED,
        OfferEnd::Undelivered => UNDELIVERED,
        OfferEnd::Withdrawn => WITHDRAWN,
        OfferEnd::AgentLost => AGENT_LOST,
        OfferEnd::Rescinded => RESCINDED,
    }
}
