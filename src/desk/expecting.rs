//! A change that is made only while what it changes is as its sender knows it. It is compared here, where changes are decided one at a time,
//! so that of two who change the same thing one hears of the other.

use super::Desk;
use super::command::Ask;
use super::settings::{AgentProfile, QueueSettings, Settings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the sender knows of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::answer::Answer;
    use crate::desk::command::{AgentAsk, Command};
    use crate::desk::ids::{CommandId, Principal};
    use crate::desk::needs::Loaded;
    use crate::desk::refusal::Refusal;
    use crate::desk::time::Now;

    fn ask(desk: &mut Desk, id: u128, ask: Ask) -> Result<Answer, Refusal> {
        let command = Command { principal: Principal::ApiKey(1), id: Some(CommandId(id)), fingerprint: 7, ask };
        desk.handle(Now::default(), &command, &Loaded::default(), &mut Vec::new())
    }

    fn only_if(desk: &mut Desk, id: u128, known: Known, then: Ask) -> Result<(), Refusal> {
        ask(desk, id, Ask::OnlyIf(Box::new(OnlyIf { known, then }))).map(drop)
    }

    fn queue(waiting_max: u32) -> QueueSettings {
        QueueSettings { waiting_max, ..QueueSettings::named("support") }
    }

    #[test]
    fn a_queue_is_changed_only_as_its_sender_knows_it() {
        let mut desk = Desk::default();
        let put = |waiting_max| Ask::PutQueue(Box::new(queue(waiting_max)));
        let known = |waiting_max| Known::Queue(Arc::new(queue(waiting_max)));
        assert_eq!(only_if(&mut desk, 1, Known::There, put(5)), Err(Refusal::ChangedMeanwhile));
        assert_eq!(only_if(&mut desk, 2, Known::Absent, put(5)), Ok(()));
        assert_eq!(only_if(&mut desk, 3, Known::Absent, put(6)), Err(Refusal::ChangedMeanwhile));
        assert_eq!(only_if(&mut desk, 4, known(5), put(6)), Ok(()));
        assert_eq!(only_if(&mut desk, 5, known(5), put(7)), Err(Refusal::ChangedMeanwhile), "it is another by now");
        assert_eq!(only_if(&mut desk, 4, Known::Outdated, put(6)), Ok(()), "what was done is answered as it was");
        let remove = || Ask::RemoveQueue { name: "support".into() };
        assert_eq!(only_if(&mut desk, 6, known(5), remove()), Err(Refusal::ChangedMeanwhile));
        assert_eq!(only_if(&mut desk, 7, known(6), remove()), Ok(()));
        assert_eq!(only_if(&mut desk, 8, Known::There, remove()), Err(Refusal::ChangedMeanwhile));
    }

    #[test]
    fn so_are_settings_and_agents() {
        let mut desk = Desk::default();
        let settings = Arc::new(Settings { devices_max: 3, ..Settings::default() });
        let put = || Ask::PutSettings(Box::new((*settings).clone()));
        assert_eq!(only_if(&mut desk, 1, Known::Settings(settings.clone()), put()), Err(Refusal::ChangedMeanwhile));
        assert_eq!(only_if(&mut desk, 2, Known::Settings(Arc::default()), put()), Ok(()));
        let put = |title: &str| {
            Ask::PutAgent(Box::new(AgentAsk { name: "ada".into(), title: Some(title.into()), ..AgentAsk::default() }))
        };
        assert_eq!(only_if(&mut desk, 3, Known::Absent, put("Ada")), Ok(()));
        let ada = Known::Agent(Arc::new(AgentProfile { title: "Ada".into(), ..AgentProfile::named(&"ada".into()) }));
        assert_eq!(only_if(&mut desk, 4, ada.clone(), put("A.")), Ok(()));
        assert_eq!(only_if(&mut desk, 5, ada, put("B.")), Err(Refusal::ChangedMeanwhile));
    }
}
