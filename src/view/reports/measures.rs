//! What is counted: each measure with its number in the file, which never changes its meaning, and its name on the wire.
//!
//! What each of them says is in docs/reports.md; where it is counted, in `conversations.rs`, `offers.rs` and `agents.rs`.

/// How values of the same measure come together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    Sum,
    Max,
}

/// One column of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measure {
    pub number: u16,
    pub name: &'static str,
    pub join: Join,
    /// There is an agent to whom it belongs, so that it can be asked for by agent.
    pub of_agents: bool,
}

macro_rules! measures {
    ($list:ident: $($constant:ident = $number:literal $name:literal $join:ident $of_agents:literal;)*) => {
        $(pub const $constant: Measure =
            Measure { number: $number, name: $name, join: Join::$join, of_agents: $of_agents };)*
        /// In the order of a report.
        pub const $list: &[Measure] = &[$($constant),*];
    };
}

measures! { CONVERSATIONS:
    // into the queue
    OPENED = 1 "opened" Sum false;
    REOPENED = 2 "reopened" Sum false;
    REQUEUED = 3 "requeued" Sum true;
    TRANSFERRED_IN = 4 "transferred_in" Sum false;
    MOVED_IN = 5 "moved_in" Sum false;
    // out of it
    ANSWERED = 6 "answered" Sum true;
    ANSWERED_IN_TIME = 7 "answered_in_time" Sum true;
    ANSWER_MS = 8 "answer_ms" Sum true;
    ANSWER_MS_MAX = 9 "answer_ms_max" Max true;
    ABANDONED = 10 "abandoned" Sum false;
    ABANDONED_SHORT = 11 "abandoned_short" Sum false;
    ABANDONED_IN_TIME = 12 "abandoned_in_time" Sum false;
    ABANDON_MS = 13 "abandon_ms" Sum false;
    ABANDON_MS_MAX = 14 "abandon_ms_max" Max false;
    CLOSED_WAITING = 15 "closed_waiting" Sum false;
    MOVED_OUT = 16 "moved_out" Sum false;
    // beside it
    STARTED = 17 "started" Sum true;
    LEFT = 18 "left" Sum false;
    LEFT_ANSWERED = 19 "left_answered" Sum true;
    LEFT_CLOSED = 20 "left_closed" Sum false;
    REOPENED_TO_OWNER = 21 "reopened_to_owner" Sum true;
    // offers
    OFFERED = 34 "offered" Sum true;
    ACCEPTED = 35 "accepted" Sum true;
    REJECTED = 36 "rejected" Sum true;
    EXPIRED = 37 "expired" Sum true;
    UNDELIVERED = 38 "undelivered" Sum true;
    WITHDRAWN = 39 "withdrawn" Sum true;
    AGENT_LOST = 40 "agent_lost" Sum true;
    RESCINDED = 41 "rescinded" Sum true;
    REACTION_MS = 42 "reaction_ms" Sum true;
    // hands
    TAKEN = 43 "taken" Sum true;
    TAKEN_AWAY = 44 "taken_away" Sum true;
    TRANSFERRED_OUT = 45 "transferred_out" Sum true;
    TRANSFERS_TAKEN = 46 "transfers_taken" Sum true;
    JOINED = 47 "joined" Sum true;
    // work
    FIRST_REPLIES = 22 "first_replies" Sum true;
    FIRST_REPLIES_IN_TIME = 23 "first_replies_in_time" Sum true;
    FIRST_REPLY_MS = 24 "first_reply_ms" Sum true;
    HANDLED = 30 "handled" Sum true;
    TALK_MS = 31 "talk_ms" Sum true;
    WRAP_UP_MS = 32 "wrap_up_ms" Sum true;
    HANDLE_MS_MAX = 33 "handle_ms_max" Max true;
    CLOSED_BY_AGENT = 25 "closed_by_agent" Sum true;
    CLOSED_BY_CUSTOMER = 26 "closed_by_customer" Sum true;
    CLOSED_BY_ADMIN = 27 "closed_by_admin" Sum true;
    CLOSED_BY_SYSTEM = 28 "closed_by_system" Sum true;
    RESOLUTION_MS = 29 "resolution_ms" Sum true;
    MESSAGES_OF_CUSTOMERS = 48 "messages_of_customers" Sum false;
    MESSAGES_OF_AGENTS = 49 "messages_of_agents" Sum true;
    // ratings
    RATED_1 = 51 "rated_1" Sum true;
    RATED_2 = 52 "rated_2" Sum true;
    RATED_3 = 53 "rated_3" Sum true;
    RATED_4 = 54 "rated_4" Sum true;
    RATED_5 = 55 "rated_5" Sum true;
    // clocks of service
    ACCEPT_ACHIEVED = 60 "clock_accept_achieved" Sum false;
    ACCEPT_LATE = 61 "clock_accept_late" Sum false;
    ACCEPT_VOIDED = 62 "clock_accept_voided" Sum false;
    FIRST_REPLY_ACHIEVED = 63 "clock_first_reply_achieved" Sum false;
    FIRST_REPLY_LATE = 64 "clock_first_reply_late" Sum false;
    FIRST_REPLY_VOIDED = 65 "clock_first_reply_voided" Sum false;
    NEXT_REPLY_ACHIEVED = 66 "clock_next_reply_achieved" Sum false;
    NEXT_REPLY_LATE = 67 "clock_next_reply_late" Sum false;
    NEXT_REPLY_VOIDED = 68 "clock_next_reply_voided" Sum false;
    RESOLUTION_ACHIEVED = 69 "clock_resolution_achieved" Sum false;
    RESOLUTION_LATE = 70 "clock_resolution_late" Sum false;
    RESOLUTION_VOIDED = 71 "clock_resolution_voided" Sum false;
}

measures! { TIME:
    CONNECTED_MS = 1 "connected_ms" Sum true;
    RECONNECTING_MS = 2 "reconnecting_ms" Sum true;
    UNREACHABLE_MS = 3 "unreachable_ms" Sum true;
    AVAILABLE_MS = 4 "available_ms" Sum true;
    IDLE_MS = 5 "idle_ms" Sum true;
    OCCUPIED_MS = 6 "occupied_ms" Sum true;
    HELD_MS = 7 "held_ms" Sum true;
    BEFORE_RESTART_MS = 8 "before_restart_ms" Sum true;
    SIGN_INS = 10 "sign_ins" Sum true;
}

/// Time in each status follows from here on, by the status's place.
const STATUS_MS_FROM: u16 = 64;

/// A customer who leaves sooner has hardly waited.
pub const SHORT_MS: u64 = 5_000;
/// In time, where a queue has no clock that says otherwise.
pub const ANSWER_WITHIN_MS: u64 = 30_000;
pub const FIRST_REPLY_WITHIN_MS: u64 = 60_000;

/// Time in the status at this place.
#[must_use]
pub fn status_ms(place: u8) -> Measure {
    Measure { number: STATUS_MS_FROM + u16::from(place), name: "status_ms", join: Join::Sum, of_agents: true }
}

/// Which statuses' time a sum holds.
#[must_use]
pub fn status_of(number: u16) -> Option<u8> {
    number.checked_sub(STATUS_MS_FROM).and_then(|place| u8::try_from(place).ok())
}

/// The score's own.
#[must_use]
pub fn rated(score: u8) -> Option<Measure> {
    [RATED_1, RATED_2, RATED_3, RATED_4, RATED_5].get(usize::from(score).checked_sub(1)?).copied()
}

/// How the values of this number come together.
#[must_use]
pub(super) fn join_of(number: u16) -> Join {
    match number {
        9 | 14 | 33 => Join::Max,
        _ => Join::Sum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_measure_has_a_number_and_a_name_of_its_own() {
        for list in [CONVERSATIONS, TIME] {
            let numbers: BTreeSet<u16> = list.iter().map(|measure| measure.number).collect();
            let names: BTreeSet<&str> = list.iter().map(|measure| measure.name).collect();
            assert_eq!((numbers.len(), names.len()), (list.len(), list.len()));
        }
        assert!(TIME.iter().all(|measure| status_of(measure.number).is_none()));
    }

    #[test]
    fn what_is_a_maximum_is_known_by_its_number() {
        for measure in CONVERSATIONS {
            assert_eq!(join_of(measure.number), measure.join, "{}", measure.name);
        }
        for measure in TIME {
            assert_eq!(join_of(measure.number), measure.join, "{}", measure.name);
        }
    }

    #[test]
    fn scores_have_a_measure_each() {
        assert_eq!(rated(1), Some(RATED_1));
        assert_eq!(rated(5), Some(RATED_5));
        assert_eq!((rated(0), rated(6)), (None, None));
    }
}
