//! How wrap-up goes: whether its time ends it, what it blocks meanwhile, and how much more time an agent may ask for. A channel
//! sets it, a queue may set each member otherwise. Plain values with their defaults, and the checks that keep them sound.

use super::refusal::Refusal;
use super::time::DeskTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Wrap-up is at most an hour, with all that is added to it (as Salesforce has it).
pub const WRAP_UP_MS_MAX: u64 = 3_600_000;
/// `until` of a wrap-up that no time ends.
pub const OPEN_ENDED: DeskTime = DeskTime(u64::MAX);
const EXTENSIONS_MAX: u8 = 60;

/// Rules of wrap-up, of a channel or of a queue; what a queue leaves out is its channel's.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrapUp {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<WrapUpEnds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Blocks>,
    /// What one extension adds, 1 s to an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extend_ms: Option<u64>,
    /// How often an agent may ask for more time; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions_max: Option<u8>,
}

/// What ends wrap-up, besides its agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpEnds {
    /// Its time, `wrap_up_ms`.
    #[default]
    Timed,
    /// Nothing but its agent, a supervisor, or that the agent is gone for long.
    WhenDone,
}

/// What wrap-up takes of its agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blocks {
    /// What the conversation took.
    #[default]
    Slot,
    /// The same, and nothing at all is offered meanwhile.
    Agent,
    Nothing,
}

impl Blocks {
    #[must_use]
    pub fn is_slot(&self) -> bool {
        *self == Blocks::Slot
    }
}

/// The rules that hold for one conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    pub ends: WrapUpEnds,
    pub blocks: Blocks,
    pub extend_ms: u64,
    pub extensions_max: u8,
}

impl WrapUp {
    /// A queue's rules over those of a channel.
    #[must_use]
    pub fn over(&self, channel: &WrapUp) -> Terms {
        Terms {
            ends: self.ends.or(channel.ends).unwrap_or_default(),
            blocks: self.blocks.or(channel.blocks).unwrap_or_default(),
            extend_ms: self.extend_ms.or(channel.extend_ms).unwrap_or(60_000),
            extensions_max: self.extensions_max.or(channel.extensions_max).unwrap_or(0),
        }
    }

    /// Refused with the field named, below `field`.
    ///
    /// # Errors
    /// The first member that does not hold.
    pub fn check(&self, field: &str) -> Result<(), Refusal> {
        let refused =
            |member: &str, what: String| Err(Refusal::BadSetting { field: format!("{field}.{member}"), what });
        if self.extend_ms.is_some_and(|ms| !(1_000..=WRAP_UP_MS_MAX).contains(&ms)) {
            return refused("extend_ms", format!("1000 to {WRAP_UP_MS_MAX} (an hour)"));
        }
        if self.extensions_max.is_some_and(|most| most > EXTENSIONS_MAX) {
            return refused("extensions_max", format!("0 to {EXTENSIONS_MAX}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::conversation::State;
    use crate::desk::ids::AgentId;

    #[test]
    fn a_wrap_up_of_before_it_could_block_anything_else_is_read_as_one_that_blocks_a_slot() {
        let old: State = serde_json::from_str(r#"{"wrap_up":{"owner":1,"until":500}}"#).unwrap();
        let since = DeskTime(0);
        let (blocks, extensions) = (Blocks::Slot, 0);
        assert_eq!(old, State::WrapUp { owner: AgentId(1), until: DeskTime(500), since, blocks, extensions });
    }
}
