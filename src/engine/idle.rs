//! Who has been idle: looks through the agents' sessions for those that have reported no input for long. Input is presence: it
//! lies in the registry alone, and only that it has been missing for long becomes a command.
//!
//! In a cluster an agent's devices may be at several nodes. Each tells the others, as a hint, of its own that have been idle for as long as
//! the workspace allows, once a second for as long as that is so: whoever knows it of all of them says so to the desk.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::ids::{AgentId, SessionId};
use crate::presence::{Registry, WorkspaceNumber};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Agents that one look goes through; each look, once a second, goes on where the one before it stopped.
const LOOKED_AT_MAX: usize = 10_000;
/// Agents whom one look finds idle, here or everywhere.
const FOUND_MAX: usize = 200;
/// Sessions at other nodes of which it is known that they are idle.
const ELSEWHERE_MAX: usize = 4_096;
/// For how long it is taken for so what another node said: until some more were due, since one may be lost.
const SAID_FOR_MS: u64 = 3_000;

#[derive(Debug, Default)]
pub struct IdleWatch {
    next: usize,
}

/// What one look found.
#[derive(Debug, Default)]
pub struct Found {
    /// On all their devices.
    pub agents: Vec<AgentId>,
    /// Idle, of agents who have others elsewhere.
    pub partly: Vec<SessionId>,
}

impl IdleWatch {
    /// Those who have been idle for as long as the workspace allows, among the next ones.
    pub fn look(
        &mut self,
        desk: &Desk,
        (registry, workspace): (&Registry, WorkspaceNumber),
        elsewhere: &IdleElsewhere,
        now_ms: u64,
    ) -> Found {
        let mut found = Found::default();
        let Some(rule) = &desk.settings().idle_agents else { return found };
        let agents = desk.agents().count();
        if self.next >= agents {
            self.next = 0;
        }
        let mut looked_at = 0;
        for (id, agent) in desk.agents().skip(self.next).take(LOOKED_AT_MAX) {
            looked_at += 1;
            let at_work = agent.connection == Connection::Online
                && !agent.profile.program
                && agent.has_available_status(desk.settings());
            if !at_work {
                continue;
            }
            let (mut here, mut latest_ms) = (Vec::new(), 0);
            registry.each_of(workspace, id, |session| {
                here.push(session.id);
                latest_ms = latest_ms.max(session.input_at_ms());
            });
            if here.is_empty() || now_ms.saturating_sub(latest_ms) < rule.after_ms {
                continue;
            }
            let mut others = agent.sessions.iter().filter(|session| !here.contains(session)).peekable();
            let has_others = others.peek().is_some();
            if others.all(|session| elsewhere.is_idle(*session, now_ms)) {
                found.agents.push(id);
            }
            if has_others {
                found.partly.extend(here);
            }
            if found.agents.len().max(found.partly.len()) >= FOUND_MAX {
                break;
            }
        }
        self.next += looked_at;
        found
    }
}

/// Sessions at other nodes that are idle as long as these say so again.
#[derive(Debug, Default)]
pub struct IdleElsewhere(Mutex<HashMap<SessionId, u64>>);

impl IdleElsewhere {
    /// Whether there was room.
    pub fn hear(&self, sessions: &[SessionId], now_ms: u64) -> bool {
        let mut until_ms = self.lock();
        if until_ms.len() + sessions.len() > ELSEWHERE_MAX {
            until_ms.retain(|_, until_ms| *until_ms > now_ms);
        }
        let room = ELSEWHERE_MAX.saturating_sub(until_ms.len());
        until_ms.extend(sessions.iter().take(room).map(|session| (*session, now_ms + SAID_FOR_MS)));
        sessions.len() <= room
    }

    fn is_idle(&self, session: SessionId, now_ms: u64) -> bool {
        self.lock().get(&session).is_some_and(|until_ms| *until_ms > now_ms)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_node_said_is_so_for_as_long_as_it_says_so_and_there_is_room() {
        let elsewhere = IdleElsewhere::default();
        assert!(!elsewhere.is_idle(SessionId(1), 0));
        assert!(elsewhere.hear(&[SessionId(1)], 1_000));
        assert!(elsewhere.is_idle(SessionId(1), 3_999) && !elsewhere.is_idle(SessionId(1), 4_000));
        assert!(elsewhere.hear(&[SessionId(1)], 2_000) && elsewhere.is_idle(SessionId(1), 4_999));
        let many: Vec<SessionId> = (2..ELSEWHERE_MAX as u128 + 3).map(SessionId).collect();
        assert!(!elsewhere.hear(&many, 2_500), "no room for all");
        assert_eq!(elsewhere.lock().len(), ELSEWHERE_MAX);
        assert!(elsewhere.hear(&[SessionId(u128::MAX)], 5_500), "what is over makes room");
    }
}
