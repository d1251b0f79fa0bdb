//! How far an agent's client has been told what the agent holds: a place between what it has and what is to come. Pure.

use super::ids::{ConversationId, OfferId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The last offer and the last conversation that were told: the oldest come first. On the wire `o23.c17`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OwnCursor {
    pub offer: OfferId,
    pub conversation: ConversationId,
}

impl fmt::Display for OwnCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.offer, self.conversation)
    }
}

impl FromStr for OwnCursor {
    type Err = super::ids::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (offer, conversation) = text.split_once('.').ok_or(super::ids::NotAnId)?;
        Ok(Self { offer: offer.parse()?, conversation: conversation.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_itself_and_nothing_else_is_one() {
        let cursor = OwnCursor { offer: OfferId(23), conversation: ConversationId(17) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "o23", "c17.o23", "o23.c17.c18", "o23,c17"] {
            assert!(wrong.parse::<OwnCursor>().is_err(), "{wrong}");
        }
    }
}
