//! Statuses that an agent has not chosen for this moment: the one for when its work is over, one that a supervisor sets, and
//! the one for who has been idle for long.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::apply::away_status;
use crate::desk::event::{Event, StatusCause};
use crate::desk::fits::WhyNot;
use crate::desk::ids::AgentId;
use crate::desk::moves::Mover;
use crate::desk::refusal::Refusal;
use crate::desk::settings::StatusId;
use std::sync::Arc;

impl Desk {
    pub(super) fn status_named(&self, name: &Arc<str>) -> Result<StatusId, Refusal> {
        let place = self.settings.statuses.iter().position(|status| status.name == *name);
        place.map(|place| StatusId(place as u8)).ok_or_else(|| Refusal::NoSuchStatus(name.clone()))
    }

    /// From now on nothing new is offered to it, and when it has nothing left to do it has that status.
    pub(super) fn set_next_status(
        &mut self,
        agent: AgentId,
        status: Option<&Arc<str>>,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let status = status.map(|name| self.status_named(name)).transpose()?;
        let held = &self.agents[agent.0 as usize];
        if held.connection == Connection::Offline {
            return Err(Refusal::NoSuchSession);
        }
        if held.next_status != status {
            self.emit(events, Event::NextStatusSet { agent, status });
        }
        Ok(Answer::Done)
    }

    /// Whoever has nothing left to do has the status that it chose for then. After every command.
    pub(super) fn finish_work(&mut self, events: &mut Vec<Event>) {
        while let Some(agent) = self.finished.pop_first() {
            let held = &self.agents[agent.0 as usize];
            if let Some(status) = held.next_status.filter(|_| held.has_nothing_to_do()) {
                let (channels, cause) = (held.channels, StatusCause::Next);
                self.emit(events, Event::StatusChanged { agent, status, channels, cause, by: None });
            }
        }
    }

    /// By a supervisor or administrator, whatever the agent would have.
    pub(super) fn force_status(
        &mut self,
        name: &Arc<str>,
        status: &Arc<str>,
        by: Mover,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let agent = self.agent_named(name).ok_or_else(|| Refusal::NoSuchAgent(name.clone()))?;
        let status = self.status_named(status)?;
        let held = &self.agents[agent.0 as usize];
        if held.connection == Connection::Offline {
            return Err(Refusal::AgentUnable { agent: name.clone(), rule: WhyNot::Offline });
        }
        if held.status != status || held.next_status.is_some() || held.missed_in_a_row != 0 {
            self.change_status(agent, status, StatusCause::Forced, Some(by), events);
        }
        Ok(Answer::Done)
    }

    /// Its client has reported nothing that a person did for as long as the workspace allows.
    pub(super) fn agent_is_idle(&mut self, agent: AgentId, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let Some(rule) = self.settings.idle_agents.clone() else { return Ok(Answer::Done) };
        let is_a_person_at_work = self.agent(agent).is_some_and(|held| {
            held.connection == Connection::Online && !held.profile.program && held.has_available_status(&self.settings)
        });
        if is_a_person_at_work {
            let status = match &rule.status {
                Some(name) => self.status_named(name)?,
                None => away_status(&self.settings.statuses),
            };
            self.change_status(agent, status, StatusCause::Idle, None, events);
        }
        Ok(Answer::Done)
    }

    /// What it was shown counts as rejected when it goes away.
    fn change_status(
        &mut self,
        agent: AgentId,
        status: StatusId,
        cause: StatusCause,
        by: Option<Mover>,
        events: &mut Vec<Event>,
    ) {
        let channels = self.agents[agent.0 as usize].channels;
        self.emit(events, Event::StatusChanged { agent, status, channels, cause, by });
        if !self.settings.statuses[usize::from(status.0)].available {
            self.give_up_offers(agent, events);
        }
    }
}
