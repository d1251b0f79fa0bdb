//! An agent's sessions and status, as committed. Never refuses.

use crate::desk::Desk;
use crate::desk::agent::{Agent, Connection};
use crate::desk::event::StatusCause;
use crate::desk::ids::{AgentId, NodeNumber};
use crate::desk::offer::{Accepts, Delivery};
use crate::desk::settings::StatusId;
use crate::desk::time::{DeskTime, Now};

impl Desk {
    pub(super) fn apply_session_came(&mut self, id: AgentId, add: impl FnOnce(&mut Agent)) {
        let now = self.now.desk;
        self.change_agent(id, |agent| {
            add(agent);
            if agent.connection != Connection::Unreachable {
                if agent.connection != Connection::Online {
                    agent.undelivered_in_a_row = 0;
                }
                agent.connection = Connection::Online;
            }
        });
        for offer in self.agents[id.0 as usize].offers.clone() {
            self.change_offer(offer, |o| {
                o.grace_until = None;
                if let Delivery::Stopped { left_ms } = o.delivery {
                    o.delivery = Delivery::Awaited { by: now.plus_ms(left_ms) };
                }
                if let Some(Accepts::Stopped { left_ms }) = o.accepts {
                    o.accepts = Some(Accepts::At { at: now.plus_ms(left_ms.max(1)) });
                }
            });
        }
    }

    pub(super) fn lose_sessions(&mut self, id: AgentId, until: DeskTime, offer_grace_until: DeskTime) {
        let now = self.now.desk;
        self.change_agent(id, |agent| {
            agent.sessions = Vec::new();
            agent.connection = Connection::Reconnecting { until };
        });
        for offer in self.agents[id.0 as usize].offers.clone() {
            self.change_offer(offer, |o| {
                o.grace_until = Some(offer_grace_until);
                if let Delivery::Awaited { by } = o.delivery {
                    o.delivery = Delivery::Stopped { left_ms: by.ms_since(now) };
                }
                if let Some(Accepts::At { at }) = o.accepts {
                    o.accepts = Some(Accepts::Stopped { left_ms: at.ms_since(now) });
                }
            });
        }
    }

    /// Of those who have others.
    pub(super) fn lose_sessions_on(&mut self, node: NodeNumber) {
        for place in 0..self.agents.len() as u32 {
            let here = |agent: &Agent| agent.sessions.iter().filter(|session| session.node() != node).count();
            let held = &self.agents[place as usize];
            let left = here(held);
            if left > 0 && left < held.sessions.len() {
                self.change_agent(AgentId(place), |agent| agent.sessions.retain(|session| session.node() != node));
            }
        }
    }

    pub(super) fn apply_status(&mut self, id: AgentId, status: StatusId, channels: u16, cause: StatusCause, now: Now) {
        let settings = self.settings.clone();
        self.change_agent(id, |agent| {
            let was_able = agent.is_able(&settings);
            agent.status = status;
            agent.channels = channels;
            // Who is turned away for what it did not do goes on to what it chose for after its work.
            if matches!(cause, StatusCause::Chosen | StatusCause::Forced | StatusCause::Next) {
                agent.missed_in_a_row = 0;
                agent.next_status = None;
            }
            if !was_able && agent.is_able(&settings) {
                agent.idle_since = now.desk;
            }
        });
        self.look_again(id);
    }
}
