//! Customers who signed out, those who left while they waited, and what they thought of it, as committed. Never refuses.

use crate::desk::conversation::{Conversation, State};
use crate::desk::ids::{ConversationId, CustomerId};
use crate::desk::left_waiting::Left;
use crate::desk::time::WallTime;
use crate::desk::{Desk, SIGNED_OUT_MAX};

impl Desk {
    /// Its older tokens are void. Bounded: beyond that the oldest sign-outs are forgotten.
    pub(super) fn sign_out_customer(&mut self, customer: CustomerId) {
        if self.signed_out.len() >= SIGNED_OUT_MAX
            && let Some((oldest, _)) = self.signed_out.iter().min_by_key(|(_, at)| **at)
        {
            let oldest = *oldest;
            self.signed_out.remove(&oldest);
            self.touched.signed_out.insert(oldest);
        }
        self.signed_out.insert(customer, self.now.wall);
    }

    /// One that the desk no longer holds comes with the event, and goes on to the view.
    pub(super) fn change_lately(
        &mut self,
        id: ConversationId,
        was: Option<&Conversation>,
        change: impl FnOnce(&mut Conversation),
    ) {
        match was {
            Some(was) => {
                let mut closed = Box::new(was.clone());
                change(&mut closed);
                self.touched.conversations.insert(id, Some(closed));
            }
            None => self.note(id, change),
        }
    }

    pub(super) fn forget_left(&mut self, customer: CustomerId) {
        if self.left_waiting.remove(customer) {
            self.touched.left_waiting.insert(customer);
        }
    }

    /// It ended while it waited: for a time its customer keeps the place.
    pub(super) fn keep_place(&mut self, id: ConversationId) {
        let Some(held) = self.conversations.get(&id).filter(|held| held.state == State::Waiting) else { return };
        let keep_ms = self.queues[&held.queue].settings.waiting.keep_place_ms;
        let until = WallTime(self.now.wall.0.saturating_add(keep_ms));
        let left = Left { queue: held.queue, waiting_since: held.waiting_since, until };
        let customer = held.customer;
        let forgotten = self.left_waiting.put(customer, left, self.now.wall);
        self.touched.left_waiting.extend(forgotten.into_iter().chain([customer]));
    }
}
