//! Decisions from outside, on one line.

use super::{add, at};
use crate::desk::decision::{Choice, DecideAsk, Decisions};
use crate::desk::event::Event;
use crate::desk::ids::DecisionId;
use crate::desk::why::WhyDecision;
use std::collections::BTreeSet;

pub fn decide(ask: &DecideAsk) -> String {
    let (verb, to) = match &ask.choice {
        Choice::Agent(agent) => ("decides", Some(agent)),
        Choice::Offhook => ("leaves", None),
    };
    let mut line = format!("router {verb} {} {}", ask.conversation, ask.decision);
    add(&mut line, "to", to);
    add(&mut line, "from", ask.expected_owner.as_ref());
    line
}

pub fn list(known: &BTreeSet<DecisionId>) -> String {
    let ids: Vec<String> = known.iter().map(ToString::to_string).collect();
    format!("router lists {}", if ids.is_empty() { "-".into() } else { ids.join(",") })
}

pub fn event(event: &Event) -> String {
    match event {
        Event::DecisionWanted { decision, conversation, agent, until } => {
            format!("{decision} wanted {conversation} {agent} until {}", at(*until))
        }
        Event::DecisionEnded { decision, conversation, end, agent, by } => {
            let mut line = format!("{decision} {} {conversation}", end.name());
            add(&mut line, "to", *agent);
            add(&mut line, "by", by.as_ref());
            line
        }
        _ => unreachable!("only decisions come here: {event:?}"),
    }
}

pub fn decisions(decisions: &Decisions) -> String {
    let mut line = String::from("decisions");
    for wanted in &decisions.wanted {
        let candidates = wanted.candidates.iter().map(|fitting| format!("{}:{}", fitting.standing.agent, fitting.room));
        let mut candidates: Vec<String> = candidates.collect();
        candidates.extend(wanted.more_candidates.then(|| "more".into()));
        add(&mut line, &format!("{}:{}", wanted.decision, wanted.conversation), Some(candidates.join(",")));
    }
    for ended in &decisions.ended {
        add(&mut line, &ended.decision.to_string(), Some(ended.end.map_or("ended", |end| end.name())));
    }
    line.push_str(if decisions.more { " more" } else { "" });
    line
}

pub fn why(line: &mut String, why: &WhyDecision) {
    add(line, "next_by", Some(super::word(&why.next_by)));
    add(line, "pending", why.pending.as_ref().map(|pending| pending.decision));
    let last = why.last.as_ref();
    add(line, "last", last.map(|last| format!("{}:{}", last.decision, last.end.name())));
    add(line, "named", last.and_then(|last| last.agent.as_ref()));
    add(line, "by", last.and_then(|last| last.by.as_ref()));
}
