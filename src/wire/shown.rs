//! What a customer is shown of a conversation: whether it waits, talks, or is over, never offers or wrap-up; and who wrote or
//! ended it, never by a name of the inside.

use crate::desk::command::{Author, Closer};
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

/// `agent`, `customer` or `system`.
#[must_use]
pub fn author_shown(author: Author) -> &'static str {
    match author {
        Author::Agent(_) => "agent",
        Author::Customer(_) => "customer",
        Author::System(_) => "system",
    }
}

/// What a message of the workspace itself tells.
#[must_use]
pub fn notice_shown(author: Author) -> Option<&'static str> {
    match author {
        Author::System(notice) => Some(notice.name()),
        Author::Agent(_) | Author::Customer(_) => None,
    }
}

/// `agent`, `customer`, `admin` or `system`.
#[must_use]
pub fn closer_shown(by: Closer) -> &'static str {
    match by {
        Closer::Agent(_) => "agent",
        Closer::Customer(_) => "customer",
        Closer::Supervisor(_) | Closer::Admin => "admin",
        Closer::System => "system",
    }
}
