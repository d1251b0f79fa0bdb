//! Offers, taken into the state: made, and ended with what that means for both sides.

use crate::desk::conversation::{CoolDown, Pending, State};
use crate::desk::event::OfferEnd;
use crate::desk::ids::{AgentId, ConversationId, OfferId};
use crate::desk::moves::Transfer;
use crate::desk::offer::{Delivery, EndedOffer, Offer};
use crate::desk::offering::AcrossQueues;
use crate::desk::time::DeskTime;
use crate::desk::{COOL_DOWNS_MAX, Desk, ENDED_OFFERS_MAX};

impl Desk {
    pub(super) fn apply_offer_made(
        &mut self,
        id: OfferId,
        conversation: ConversationId,
        agent: AgentId,
        (ends_at, deliver_by): (DeskTime, DeskTime),
        transfer: Option<Transfer>,
    ) {
        self.last_offer = self.last_offer.max(id.0);
        // The queue by which it came to this agent: a ring may have added it.
        let by_weight = self.settings.across_queues == AcrossQueues::ByWeight;
        let turn = (by_weight && transfer.is_none()).then(|| {
            let held = &self.conversations[&conversation];
            let need = self.need_of(held);
            let place = need.queue_of(&self.agents[agent.0 as usize].profile).map_or(0, |(place, _)| place);
            (need.queues[place], self.queues[&need.queues[place]].settings.offering.weight)
        });
        self.change_agent(agent, |a| {
            a.last_offer = a.last_offer.max(id);
            if let Some((queue, weight)) = turn {
                a.turns.take(queue, weight);
            }
        });
        let delivery = Delivery::Awaited { by: deliver_by };
        let made_at = self.now.desk;
        self.add_offer(id, Offer { conversation, agent, made_at, ends_at, delivery, grace_until: None });
        self.change_conversation(conversation, |c| {
            c.offers_made += 1;
            c.offers.push(Pending { offer: id, agent });
            if transfer.is_some() {
                c.change_moved(|moved| moved.transfer = transfer);
            } else {
                c.state = State::Offered {};
            }
        });
    }

    pub(super) fn apply_offer_ended(
        &mut self,
        id: OfferId,
        end: OfferEnd,
        cool: Option<DeskTime>,
        public: Option<u32>,
        joins: bool,
    ) {
        let Offer { conversation, agent, .. } = self.drop_offer(id);
        self.ended_offers.insert(id, EndedOffer { conversation, agent, end });
        if self.ended_offers.len() > ENDED_OFFERS_MAX {
            self.ended_offers.pop_first();
        }
        let from = self.conversations[&conversation].state.owner().filter(|_| end == OfferEnd::Accepted && !joins);
        self.change_conversation(conversation, |c| {
            c.public = public.unwrap_or(c.public);
            c.offers.retain(|pending| pending.offer != id);
            if c.transfer().is_some() {
                c.change_moved(|moved| {
                    moved.transfer = None;
                    moved.joined = joins.then_some(agent);
                });
            }
            if joins {
                return;
            }
            if end == OfferEnd::Accepted {
                c.lose_hands();
                c.state = State::Active { owner: agent };
                c.cool_downs = Vec::new();
                c.requeue_at = None;
                return;
            }
            if c.offers.is_empty() && c.state == (State::Offered {}) {
                c.state = State::Waiting;
            }
            if let Some(until) = cool {
                if c.cool_downs.len() >= COOL_DOWNS_MAX
                    && let Some(first) = (0..c.cool_downs.len()).min_by_key(|place| c.cool_downs[*place].until)
                {
                    c.cool_downs.remove(first);
                }
                match c.cool_downs.iter_mut().find(|held| held.agent == agent) {
                    Some(held) => (held.until, held.times) = (until, held.times + 1),
                    None => c.cool_downs.push(CoolDown { agent, until, times: 1 }),
                }
            }
        });
        from.inspect(|from| self.rest(*from));
        let now = self.now.desk;
        self.change_agent(agent, |a| match end {
            OfferEnd::Accepted => {
                a.missed_in_a_row = 0;
                a.undelivered_in_a_row = 0;
                a.idle_since = now;
            }
            OfferEnd::Rejected => {
                a.missed_in_a_row = 0;
                a.undelivered_in_a_row = 0;
            }
            OfferEnd::Expired => a.missed_in_a_row += 1,
            OfferEnd::Undelivered => a.undelivered_in_a_row += 1,
            OfferEnd::Withdrawn | OfferEnd::AgentLost | OfferEnd::Rescinded => {}
        });
    }
}
