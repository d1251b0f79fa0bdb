//! Who has been idle: looks through the agents' sessions for those that have reported no input for long. Input is presence: it
//! lies in the registry alone, and only that it has been missing for long becomes a command.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::ids::AgentId;
use crate::presence::{Registry, WorkspaceNumber};

/// Agents that one look goes through; each look, once a second, goes on where the one before it stopped.
const LOOKED_AT_MAX: usize = 10_000;
/// Agents whom one look finds idle.
const FOUND_MAX: usize = 200;

#[derive(Debug, Default)]
pub struct IdleWatch {
    next: usize,
}

impl IdleWatch {
    /// Those who have been idle for as long as the workspace allows, among the next ones.
    pub fn look(&mut self, desk: &Desk, registry: &Registry, workspace: WorkspaceNumber, now_ms: u64) -> Vec<AgentId> {
        let Some(rule) = &desk.settings().idle_agents else { return Vec::new() };
        let agents = desk.agents().count();
        if self.next >= agents {
            self.next = 0;
        }
        let mut found = Vec::new();
        let mut looked_at = 0;
        for (id, agent) in desk.agents().skip(self.next).take(LOOKED_AT_MAX) {
            looked_at += 1;
            let at_work = agent.connection == Connection::Online
                && !agent.profile.program
                && agent.has_available_status(desk.settings());
            if at_work
                && last_input_ms(registry, workspace, id, agent.sessions.len())
                    .is_some_and(|at| now_ms.saturating_sub(at) >= rule.after_ms)
            {
                found.push(id);
                if found.len() == FOUND_MAX {
                    break;
                }
            }
        }
        self.next += looked_at;
        found
    }
}

/// On any of its devices; `None`: not all of these are here, yet or any more. What is done at another node of a cluster is not known
/// here, so who has devices at two is never idle.
fn last_input_ms(registry: &Registry, workspace: WorkspaceNumber, agent: AgentId, devices: usize) -> Option<u64> {
    let (mut latest, mut here) = (None, 0);
    registry.each_of(workspace, agent, |session| {
        latest = latest.max(Some(session.input_at_ms()));
        here += 1;
    });
    latest.filter(|_| here >= devices)
}
