//! What *why* answers, on one line: who comes first, and who is excluded by which rule.

use super::{add, required};
use crate::desk::why::{WhyAgent, WhyConversation};

pub fn conversation(why: &WhyConversation) -> String {
    let mut line = format!("why {} {}", why.conversation, why.state);
    add(&mut line, "skills", (!why.needs.skills.is_empty()).then(|| required(&why.needs.skills)));
    add(&mut line, "kept_for", why.needs.kept_for.as_ref());
    if let Some(decision) = &why.decision {
        super::decisions::why(&mut line, decision);
    }
    let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(","));
    add(&mut line, "offered_to", joined(why.offered_to.iter().map(|to| to.agent.to_string()).collect()));
    add(&mut line, "first", joined(why.candidates.iter().map(|candidate| candidate.agent.to_string()).collect()));
    let excluded = why.excluded.iter().map(|excluded| format!("{}:{}", excluded.agent, excluded.rule.name()));
    add(&mut line, "excluded", joined(excluded.collect()));
    line
}

pub fn agent(why: &WhyAgent) -> String {
    let mut line = format!("why {}", why.agent);
    add(&mut line, "excluded", why.excluded.map(|rule| rule.name()));
    add(&mut line, "next", why.next);
    let groups = why.groups.iter().map(|group| {
        let rule = group.rule.map_or("takes", |rule| rule.name());
        format!("{}/{}:{}x{}:{rule}", group.queue, group.channel, group.waiting, group.first)
    });
    let groups: Vec<String> = groups.collect();
    add(&mut line, "waiting", (!groups.is_empty()).then(|| groups.join(",")));
    line
}
