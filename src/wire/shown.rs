//! What of a conversation's state its customer is shown: whether it waits, talks, or is over; never offers or wrap-up.

use crate::desk::conversation::State;

/// `waiting`, `active` or `closed`.
#[must_use]
pub fn state_shown(state: State) -> &'static str {
    match state {
        State::Waiting | State::Offered { .. } => "waiting",
        State::Active { .. } => "active",
        State::WrapUp { .. } | State::Closed => "closed",
    }
}
