//! A change that is made only while what it changes is as its sender knows it. It is compared here, where changes are decided one at a time,
//! so that of two who change the same thing one hears of the other.

use super::Desk;
use super::command::Ask;
use super::settings::{AgentProfile, QueueSettings, Settings};
use std::sync::Arc;

/// What the sender knows of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Known {
    /// It is there, whatever it is.
    There,
    /// It is not there.
    Absent,
    Settings(Arc<Settings>),
    Queue(Arc<QueueSettings>),
    Agent(Arc<AgentProfile>),
    /// Something that it is not any more. Only what was done already is answered then.
    Outdated,
}

/// `then`, which puts or removes one thing, while that is so.
#[derive(Clone, PartialEq, Debug)]
pub struct OnlyIf {
    pub known: Known,
    pub then: Ask,
}

impl Desk {
    /// Whether what is to be changed is still as its sender knows it.
    pub(super) fn is_as_known(&self, only_if: &OnlyIf) -> bool {
        let OnlyIf { known, then } = only_if;
        let queue =
            |name: &Arc<str>| self.queue_names.get(name).and_then(|id| self.queue(*id)).map(|queue| &queue.settings);
        let agent = |name: &str| self.agent_named(name).and_then(|id| self.agent(id)).map(|agent| &agent.profile);
        let is_there = match then {
            Ask::PutSettings(_) => true,
            Ask::PutQueue(put) => queue(&put.name).is_some(),
            Ask::RemoveQueue { name } => queue(name).is_some(),
            Ask::PutAgent(put) => agent(&put.name).is_some(),
            _ => false,
        };
        match known {
            Known::There => is_there,
            Known::Absent => !is_there,
            Known::Settings(known) => **known == *self.settings,
            Known::Queue(known) => queue(&known.name).is_some_and(|held| **held == **known),
            Known::Agent(known) => agent(&known.name).is_some_and(|held| *held == **known),
            Known::Outdated => false,
        }
    }
}
