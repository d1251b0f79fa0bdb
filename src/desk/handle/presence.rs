//! Agents that come, go, fall silent and choose a status.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::apply::away_status;
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::{Event, NODE_AGENTS_MAX, OfflineCause, StatusCause};
use crate::desk::ids::{AgentId, ConversationId, NodeNumber, SessionId};
use crate::desk::queue_moves::VanishedOwner;
use crate::desk::refusal::Refusal;
use crate::desk::settings::AgentProfile;
use std::sync::Arc;

impl Desk {
    pub(super) fn server_began(&mut self, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        self.look_at_everything();
        if self.agents.iter().any(|agent| agent.connection != Connection::Offline) {
            let (grace_until, offer_grace_until) = self.graces();
            self.emit(events, Event::ServerBegan { grace_until, offer_grace_until });
        }
        // It may have turned while there was no server, and this release may know its time zone otherwise.
        self.look_at_hours(events);
        Ok(Answer::Done)
    }

    /// Who was reconnecting already goes on so: it may have come back to any other node. To be asked until nobody is left.
    pub(super) fn node_gone(&mut self, node: NodeNumber, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let (grace_until, offer_grace_until) = self.graces();
        let mut reconnecting = Vec::new();
        let mut some_left = false;
        for (agent, held) in self.agents.iter().enumerate() {
            let gone = held.sessions.iter().filter(|session| session.node() == node).count();
            some_left |= gone > 0 && gone < held.sessions.len();
            if gone > 0 && gone == held.sessions.len() {
                reconnecting.push(AgentId(agent as u32));
            }
        }
        reconnecting.truncate(NODE_AGENTS_MAX);
        if some_left || !reconnecting.is_empty() {
            self.emit(events, Event::NodeGone { node, reconnecting, grace_until, offer_grace_until });
        }
        Ok(Answer::Done)
    }

    pub(super) fn session_came(
        &mut self,
        name: &Arc<str>,
        session: SessionId,
        title: Option<&Arc<str>>,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let agent = match self.agent_named(name) {
            Some(agent) => agent,
            None => self.create_agent(name, title, events)?,
        };
        let held = &self.agents[agent.0 as usize];
        if !held.profile.active {
            return Err(Refusal::AgentDeactivated(name.clone()));
        }
        if held.sessions.contains(&session) {
            return Ok(Answer::Welcome { agent });
        }
        let devices_max = self.settings.devices_max;
        if held.sessions.len() >= devices_max as usize {
            return Err(Refusal::TooManyDevices { devices_max });
        }
        self.emit(events, Event::SessionCame { agent, session });
        for conversation in self.vanished_of(agent) {
            self.emit(events, Event::OwnerReturned { conversation });
        }
        Ok(Answer::Welcome { agent })
    }

    fn create_agent(
        &mut self,
        name: &Arc<str>,
        title: Option<&Arc<str>>,
        events: &mut Vec<Event>,
    ) -> Result<AgentId, Refusal> {
        if !self.settings.create_agents {
            return Err(Refusal::NoSuchAgent(name.clone()));
        }
        let agent = self.next_agent()?;
        self.may_hold_one_agent_more()?;
        let queues = &self.settings.new_agent_queues;
        let profile = AgentProfile {
            title: title.cloned().unwrap_or_default(),
            queues: queues.iter().filter_map(|queue| self.queue_names.get(queue).copied()).collect(),
            ..AgentProfile::named(name)
        };
        self.emit(events, Event::AgentPut { agent, profile: Box::new(profile) });
        Ok(agent)
    }

    pub(super) fn session_went(
        &mut self,
        agent: AgentId,
        session: SessionId,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let Some(held) = self.agent(agent).filter(|held| held.sessions.contains(&session)) else {
            return Err(Refusal::NoSuchSession);
        };
        if held.sessions.len() > 1 {
            self.emit(events, Event::SessionWent { agent, session });
        } else {
            let (grace_until, offer_grace_until) = self.graces();
            self.emit(events, Event::AgentReconnecting { agent, grace_until, offer_grace_until });
        }
        Ok(Answer::Done)
    }

    fn graces(&self) -> (crate::desk::time::DeskTime, crate::desk::time::DeskTime) {
        let now = self.now.desk;
        (now.plus_ms(self.settings.agent_grace_ms), now.plus_ms(self.settings.offer_grace_ms))
    }

    pub(super) fn set_status(
        &mut self,
        agent: AgentId,
        name: &Arc<str>,
        channels: Option<&[Arc<str>]>,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let status = self.status_named(name)?;
        let held = &self.agents[agent.0 as usize];
        if held.connection == Connection::Offline {
            // Of a session that another device signed out: it must not make the next sign-in available.
            return Err(Refusal::NoSuchSession);
        }
        let mut bits = held.channels;
        if let Some(channels) = channels {
            bits = 0;
            for name in channels {
                let place = self.settings.channels.iter().position(|channel| channel.name == *name);
                bits |= 1 << place.ok_or_else(|| Refusal::NoSuchChannel(name.clone()))?;
            }
        }
        let other = held.missed_in_a_row != 0 || held.next_status.is_some();
        if other || held.status != status || held.channels != bits {
            let cause = StatusCause::Chosen;
            self.emit(events, Event::StatusChanged { agent, status, channels: bits, cause, by: None });
            if !self.settings.statuses[usize::from(status.0)].available {
                self.give_up_offers(agent, events);
            }
        }
        Ok(Answer::Done)
    }

    pub(super) fn sign_out(&mut self, agent: AgentId, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        if self.agents[agent.0 as usize].connection != Connection::Offline {
            self.go_offline(agent, OfflineCause::SignedOut, events);
        }
        Ok(Answer::Done)
    }

    /// Each node of a cluster says which of its sessions ended with it: whoever says so last takes the agent offline. Their own ends may
    /// have been said before.
    pub(super) fn sign_in_ended(
        &mut self,
        agent: AgentId,
        sessions: &[SessionId],
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let held = &self.agents[agent.0 as usize].sessions;
        if held.iter().all(|session| sessions.contains(session)) {
            return self.sign_out(agent, events);
        }
        for session in held.iter().filter(|session| sessions.contains(session)).copied().collect::<Vec<_>>() {
            self.emit(events, Event::SessionWent { agent, session });
        }
        Ok(Answer::Done)
    }

    /// From now on the rule for vanished owners moves its conversations.
    pub(super) fn go_offline(&mut self, agent: AgentId, cause: OfflineCause, events: &mut Vec<Event>) {
        self.give_up_offers(agent, events);
        let status = away_status(&self.settings.statuses);
        self.emit(events, Event::AgentOffline { agent, status, cause });
        self.vanish(agent, events);
    }

    /// It is offline, or offline and deactivated now: what it has joined it has left, and its own go by their queues' rules.
    pub(super) fn vanish(&mut self, agent: AgentId, events: &mut Vec<Event>) {
        for conversation in self.agents[agent.0 as usize].conversations.clone() {
            let held = &self.conversations[&conversation];
            if held.joined() == Some(agent) {
                let public = held.public + 1;
                self.emit(events, Event::ConversationLeft { conversation, agent, public });
            } else if matches!(held.state, State::Active { .. }) && held.requeue_at.is_none() {
                let (rule, ms) = self.vanished_owner_of(held);
                let requeue_at = match rule {
                    VanishedOwner::After => Some(self.now.desk.plus_ms(ms)),
                    VanishedOwner::NextMessage => None,
                    // Of one who does not come back nobody waits for ever.
                    VanishedOwner::Keep if self.agents[agent.0 as usize].profile.active => continue,
                    VanishedOwner::Keep => None,
                };
                self.emit(events, Event::OwnerVanished { conversation, requeue_at });
            } else {
                self.let_wrap_up_end(conversation, events);
            }
        }
    }

    fn vanished_owner_of(&self, held: &Conversation) -> (VanishedOwner, u64) {
        let moves = &self.queues[&held.queue].settings.moves;
        let live = self.settings.channels[usize::from(held.channel.0)].live;
        let rule = moves.vanished_owner.unwrap_or(if live { VanishedOwner::After } else { VanishedOwner::NextMessage });
        (rule, moves.vanished_owner_ms.unwrap_or(self.settings.vanished_owner_ms))
    }

    fn vanished_of(&self, agent: AgentId) -> Vec<ConversationId> {
        let owned = self.agents[agent.0 as usize].conversations.iter().copied();
        owned.filter(|id| self.conversations[id].requeue_at.is_some()).collect()
    }
}
