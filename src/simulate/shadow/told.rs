//! What another system tells, one JSON object a line (docs/simulate.md). Times are Unix milliseconds and never go back.

use crate::desk::command::AgentAsk;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Told {
    /// There is such an agent, or it is another than before; as the admin API has it.
    Agent { at_ms: u64, agent: AgentAsk },
    /// It takes new conversations from now on, or no longer; on these channels, where not on all.
    Presence {
        at_ms: u64,
        agent: Arc<str>,
        available: bool,
        #[serde(default)]
        channels: Option<Vec<Arc<str>>>,
    },
    Arrived {
        at_ms: u64,
        /// The other system's own name for it.
        conversation: Arc<str>,
        queue: Arc<str>,
        #[serde(default)]
        channel: Option<Arc<str>>,
        #[serde(default)]
        priority: Option<i32>,
        #[serde(default)]
        skills: BTreeMap<Arc<str>, u8>,
        #[serde(default)]
        preferred_skills: Vec<Arc<str>>,
        #[serde(default)]
        preferred_agent: Option<Arc<str>>,
    },
    /// It was given to this agent, or given on to it.
    Assigned { at_ms: u64, conversation: Arc<str>, agent: Arc<str> },
    /// The talk is over, or its customer left before there was one.
    Ended { at_ms: u64, conversation: Arc<str> },
}

impl Told {
    #[must_use]
    pub fn at_ms(&self) -> u64 {
        match self {
            Told::Agent { at_ms, .. }
            | Told::Presence { at_ms, .. }
            | Told::Arrived { at_ms, .. }
            | Told::Assigned { at_ms, .. }
            | Told::Ended { at_ms, .. } => *at_ms,
        }
    }
}
