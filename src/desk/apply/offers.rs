//! The end of an offer, as committed. Never refuses.

use crate::desk::conversation::{CoolDown, State};
use crate::desk::event::OfferEnd;
use crate::desk::ids::OfferId;
use crate::desk::offer::{EndedOffer, Offer};
use crate::desk::time::{DeskTime, DeskTimeOrNone};
use crate::desk::{COOL_DOWNS_MAX, Desk, ENDED_OFFERS_MAX};

impl Desk {
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
                c.requeue_at = DeskTimeOrNone::NONE;
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
