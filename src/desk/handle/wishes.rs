//! What a new conversation is said to prefer, and since when it is said to wait.

use super::admin::ensure;
use crate::desk::Desk;
use crate::desk::command::OpenAsk;
use crate::desk::conversation::{WishedAgent, Wishes};
use crate::desk::ids::QueueId;
use crate::desk::offering::{PREFERRED_SKILLS_MAX, WAITING_SINCE_MS_MAX};
use crate::desk::refusal::Refusal;
use crate::desk::settings::NAME_BYTES_MAX;
use crate::desk::time::WallTime;

impl Desk {
    /// Bounded to the past: nobody is made to wait for ever, or to be served before all others.
    pub(super) fn asked_since(&self, ask: &OpenAsk) -> Result<Option<WallTime>, Refusal> {
        let Some(since) = ask.waiting_since else { return Ok(None) };
        let past = since <= self.now.wall && since.0.saturating_add(WAITING_SINCE_MS_MAX) >= self.now.wall.0;
        ensure(past, "waiting_since", || "not in the future, and at most 30 days ago".into())?;
        Ok(Some(since))
    }

    pub(super) fn wishes(&self, ask: &OpenAsk, queue: QueueId) -> Result<Option<Box<Wishes>>, Refusal> {
        ensure(ask.preferred_skills.len() <= PREFERRED_SKILLS_MAX, "preferred_skills", || {
            format!("at most {PREFERRED_SKILLS_MAX}")
        })?;
        let named = ask.preferred_skills.iter().all(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX);
        ensure(named, "preferred_skills", || format!("names of 1 to {NAME_BYTES_MAX} bytes"))?;
        let agent = match &ask.preferred_agent {
            None => None,
            Some(asked) => {
                let agent = self.agent_named(&asked.name);
                // One that is only preferred may not have come yet, or may be gone: nobody waits for it.
                if agent.is_none() && asked.required {
                    return Err(Refusal::NoSuchAgent(asked.name.clone()));
                }
                let preferred_ms = self.queues[&queue].settings.offering.preferred_agent.preferred_ms;
                let until = (!asked.required).then(|| self.now.desk.plus_ms(preferred_ms));
                agent.map(|agent| WishedAgent { agent, until })
            }
        };
        let wishes = Wishes { skills: ask.preferred_skills.clone(), agent };
        Ok((wishes != Wishes::default()).then(|| Box::new(wishes)))
    }
}
