//! Whether an agent holds no more than it can take, but for what a supervisor forced on it: the one that invariant 2 allows,
//! beside limits that were lowered and conversations that woke, which the agent's own state tells.

use super::Desk;
use super::ids::AgentId;

impl Desk {
    /// What it holds is within its limits and its total, without what was forced on it.
    pub(super) fn is_within_limits(&self, id: AgentId) -> bool {
        let agent = &self.agents[id.0 as usize];
        let mut load = agent.load.clone();
        for held in agent.conversations.iter().map(|held| &self.conversations[held]) {
            if held.is_forced() && held.state.owner() == Some(id) {
                load.give_back(held.channel, held.takes());
            }
        }
        load.is_within(agent, &self.settings)
    }

    /// Its limits, or those of all, are others now.
    pub(super) fn look_at_limits(&mut self, id: AgentId) {
        let over_limit = !self.is_within_limits(id);
        let agent = &mut self.agents[id.0 as usize];
        if agent.over_limit != over_limit {
            agent.over_limit = over_limit;
            self.touched.agents.insert(id);
        }
    }
}
