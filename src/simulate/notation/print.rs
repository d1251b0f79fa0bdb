//! Commands, events and replies to the one line that they are written as.

mod clocks;
mod decisions;
mod moves;
mod outside;
mod why;

pub(super) use self::moves::mover;

use crate::desk::answer::Answer;
use crate::desk::clocks::ServiceTimes;
use crate::desk::command::{Ask, Author, Closer, Worker};
use crate::desk::event::{Event, RequiredSkill};
use crate::desk::ids::CustomerId;
use crate::desk::labels::QueueLabels;
use crate::desk::offering::Offering;
use crate::desk::queue_moves::QueueMoves;
use crate::desk::refusal::Refusal;
use crate::desk::time::DeskTime;
use crate::desk::waiting_rules::WaitingRules;
use crate::desk::wrapping::{OPEN_ENDED, WrapUp};
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::Arc;

#[must_use]
pub fn ask(ask: &Ask) -> String {
    match ask {
        Ask::OnlyIf(only_if) => format!("if_unchanged {}", self::ask(&only_if.then)),
        Ask::PutSettings(settings) => {
            format!("admin settings {}", serde_json::to_string(settings).expect("settings are plain values"))
        }
        Ask::PutQueue(queue) => {
            let mut line = format!("admin queue {}", queue.name);
            add(&mut line, "max", (queue.waiting_max != 10_000).then_some(queue.waiting_max));
            add(&mut line, "hours", queue.hours.as_ref());
            add(&mut line, "priority", (queue.priority != 0).then_some(queue.priority));
            add(&mut line, "offer_ms", queue.offer_ms);
            add(&mut line, "wrap_up_ms", queue.wrap_up_ms);
            add(&mut line, "wrap_up", (queue.wrap_up != WrapUp::default()).then(|| json(&queue.wrap_up)));
            add(&mut line, "skills", (!queue.skills.is_empty()).then(|| levels(&queue.skills)));
            add(&mut line, "offering", (queue.offering != Offering::default()).then(|| json(&queue.offering)));
            add(&mut line, "waiting", (queue.waiting != WaitingRules::default()).then(|| json(&queue.waiting)));
            add(&mut line, "labels", (queue.labels != QueueLabels::default()).then(|| json(&queue.labels)));
            add(&mut line, "silent_customer", queue.silent_customer.as_ref().map(json));
            add(&mut line, "silent_owner", queue.silent_owner.as_ref().map(json));
            add(&mut line, "service", (queue.service != ServiceTimes::default()).then(|| json(&queue.service)));
            add(&mut line, "moves", (queue.moves != QueueMoves::default()).then(|| json(&queue.moves)));
            line
        }
        Ask::RemoveQueue { name } => format!("admin remove_queue {name}"),
        Ask::PutAgent(agent) => {
            let mut line = format!("admin agent {}", agent.name);
            add(&mut line, "active", agent.active.map(|active| if active { "yes" } else { "no" }));
            add(&mut line, "queues", agent.queues.as_deref().map(names));
            add(&mut line, "skills", agent.skills.as_ref().map(levels));
            add(&mut line, "capacity", agent.capacity.as_ref().map(levels));
            add(&mut line, "tiers", agent.tiers.as_ref().map(levels));
            add(&mut line, "program", agent.program.map(|program| if program { "yes" } else { "no" }));
            add(&mut line, "total", agent.capacity_total);
            add(&mut line, "auto", agent.auto_accept.map(|auto| json(&auto)));
            add(&mut line, "offer_percent", agent.offer_percent);
            line
        }
        Ask::PutApiKey(key) => format!("admin key {}", key.id),
        Ask::RemoveApiKey { id } => format!("admin remove_key {id}"),
        Ask::ServerBegan => "server began".into(),
        Ask::LeaderBegan => "server leads".into(),
        Ask::NodeGone { node } => format!("server without {node}"),
        Ask::SessionCame { agent, session, title: _ } => format!("{agent} comes s{}", session.0),
        Ask::SessionWent { agent, session } => format!("{agent} goes s{}", session.0),
        Ask::SetStatus { agent, status, channels } => {
            let channels = channels.as_deref().map_or(String::new(), |channels| format!(" {}", names(channels)));
            format!("{agent} sets {status}{channels}")
        }
        Ask::Ready { agent } => format!("{agent} ready"),
        Ask::SetNextStatus { agent, status } => format!("{agent} next {}", status.as_deref().unwrap_or("-")),
        Ask::ForceStatus { agent, status, by } => format!("{} forces {agent} {status}", mover(*by)),
        Ask::AgentIsIdle { agent } => format!("server idle {agent}"),
        Ask::SignOut { agent } => format!("{agent} signs_out"),
        Ask::SignInEnded { agent, sessions } => {
            let sessions: String = sessions.iter().map(|session| format!(" s{}", session.0)).collect();
            format!("{agent} signs_out_of{sessions}")
        }
        Ask::ListOwn { agent, after } => format!("{agent} looks {after}"),
        Ask::ConfirmDelivery { agent, offer } => format!("{agent} delivered {offer}"),
        Ask::Accept { agent, offer } => format!("{agent} accepts {offer}"),
        Ask::Reject { agent, offer, reason } => format!("{agent} rejects {offer} {reason}"),
        Ask::Open(open) => {
            let mut line = format!("{} opens {} in {}", customer(open.customer), open.channel, open.queue);
            add(&mut line, "priority", open.priority);
            add(&mut line, "skills", (!open.skills.is_empty()).then(|| levels(&open.skills)));
            let since = open.waiting_since.map(|since| format!("{}s", since.0 as f64 / 1_000.0));
            add(&mut line, "since", since);
            add(&mut line, "or_message", open.or_message.then_some("yes"));
            add(&mut line, "prefers", (!open.preferred_skills.is_empty()).then(|| names(&open.preferred_skills)));
            let named = open.preferred_agent.as_ref();
            add(&mut line, "for", named.filter(|asked| !asked.required).map(|asked| &asked.name));
            add(&mut line, "only", named.filter(|asked| asked.required).map(|asked| &asked.name));
            add(&mut line, "text", open.text.as_ref());
            line
        }
        Ask::Post { conversation, author: by, text, files: _ } => {
            format!("{} posts {conversation} {text}", author(*by))
        }
        Ask::Receive(_) | Ask::ReportDelivery(_) | Ask::Import(_) => self::outside::ask(ask),
        Ask::Read { conversation, reader, number } => format!("{} reads {conversation} {number}", author(*reader)),
        Ask::Typing { conversation, author: by, draft } => {
            let draft = draft.as_deref().map_or(String::new(), |draft| format!(" {draft}"));
            format!("{} types {conversation}{draft}", author(*by))
        }
        Ask::Close { conversation, by } => format!("{} closes {conversation}", closer(*by)),
        Ask::WrapUpDone { conversation, by } => format!("{} done {conversation}", worker(*by)),
        Ask::ExtendWrapUp { agent, conversation } => format!("{agent} extends {conversation}"),
        Ask::Label(ask) => super::labels::ask(ask),
        Ask::Describe { conversation, customer: who, about } => {
            format!("{} describes {conversation} {about}", customer(*who))
        }
        Ask::Rate(ask) => {
            let comment = ask.comment.as_deref().map_or(String::new(), |comment| format!(" {comment}"));
            format!("{} rates {} {}{comment}", customer(ask.customer), ask.conversation, ask.score)
        }
        Ask::Move(_)
        | Ask::Start(_)
        | Ask::Note { .. }
        | Ask::DrainAgent { .. }
        | Ask::DrainQueue { .. }
        | Ask::ListWaiting { .. } => self::moves::ask(ask),
        Ask::Decide(ask) => self::decisions::decide(ask),
        Ask::ListDecisions { known } => self::decisions::list(known),
        Ask::MergeCustomer { from, into } => format!("{} becomes {}", customer(*from), customer(*into)),
        Ask::SignOutCustomer { customer: who } => format!("{} signs_out", customer(*who)),
        Ask::WhyConversation { conversation } => format!("admin why {conversation}"),
        Ask::WhyAgent { agent } => format!("admin why {agent}"),
        Ask::Tick => "server tick".into(),
    }
}

#[must_use]
pub fn event(event: &Event) -> String {
    match event {
        Event::SettingsChanged { .. } => "settings changed".into(),
        Event::QueuePut { queue, settings } => format!("{queue} put as {}", settings.name),
        Event::QueueRemoved { queue, name: _ } => format!("{queue} removed"),
        Event::AgentPut { agent, profile } => {
            let active = if profile.active { "" } else { " inactive" };
            let program = if profile.program { " program" } else { "" };
            format!("{agent} put{active}{program} queues={:?} skills={}", profile.queues, levels(&profile.skills))
        }
        Event::ApiKeyPut { key } => format!("key {} put", key.id),
        Event::ApiKeyRemoved { id } => format!("key {id} removed"),
        Event::ServerBegan { grace_until, offer_grace_until } => {
            format!("server began, grace until {} offers {}", at(*grace_until), at(*offer_grace_until))
        }
        Event::NodeGone { node, reconnecting, grace_until, offer_grace_until } => {
            let (until, offers) = (at(*grace_until), at(*offer_grace_until));
            format!("{node} gone, {reconnecting:?} reconnecting until {until} offers {offers}")
        }
        Event::SessionCame { agent, session } => format!("{agent} came s{}", session.0),
        Event::SessionWent { agent, session } => format!("{agent} went s{}", session.0),
        Event::AgentReconnecting { agent, grace_until, offer_grace_until } => {
            format!("{agent} reconnecting until {} offers {}", at(*grace_until), at(*offer_grace_until))
        }
        Event::AgentUnreachable { agent } => format!("{agent} unreachable"),
        Event::AgentReachable { agent } => format!("{agent} reachable"),
        Event::AgentOffline { agent, status: _, cause } => format!("{agent} offline {}", word(cause)),
        Event::StatusChanged { agent, status, channels, cause, by } => {
            let mut line = format!("{agent} status {} channels {channels:b} {}", status.0, word(cause));
            add(&mut line, "by", by.map(mover));
            line
        }
        Event::NextStatusSet { agent, status } => {
            format!("{agent} next status {}", status.map_or("none".into(), |status| status.0.to_string()))
        }
        Event::OfferMade { offer, conversation, agent, ends_at, deliver_by, transfer, queue: _ } => {
            let (ends_at, deliver_by) = (at(*ends_at), at(*deliver_by));
            let mut line = format!("{offer} made {conversation} {agent} ends {ends_at} deliver {deliver_by}");
            add(&mut line, "from", transfer.map(|transfer| transfer.from));
            line.push_str(if transfer.is_some_and(|transfer| transfer.warm) { " warm" } else { "" });
            line
        }
        Event::OfferDelivered { offer, accepts_at, of: _ } => {
            let mut line = format!("{offer} delivered");
            add(&mut line, "accepts", accepts_at.map(at));
            line
        }
        Event::OfferEnded {
            offer,
            conversation,
            agent,
            end,
            reason,
            cool_down_until,
            public: _,
            transfer,
            queue: _,
        } => {
            let mut line = format!("{offer} {} {conversation} {agent}", end.name());
            add(&mut line, "reason", reason.as_ref());
            add(&mut line, "cool", cool_down_until.map(at));
            add(&mut line, "from", transfer.map(|transfer| transfer.from));
            line.push_str(if transfer.is_some_and(|transfer| transfer.warm) { " warm" } else { "" });
            line
        }
        Event::ConversationOpened {
            conversation,
            customer: by,
            queue,
            priority,
            skills,
            left,
            message,
            thread,
            ..
        } => {
            let mut line = format!("{conversation} opened {} {queue}", customer(*by));
            add(&mut line, "priority", (*priority != 0).then_some(priority));
            add(&mut line, "skills", (!skills.is_empty()).then(|| required(skills)));
            line.push_str(if *left { " left" } else { "" });
            line.push_str(if *message { " message" } else { "" });
            line.push_str(if thread.is_some() { " thread" } else { "" });
            line
        }
        Event::MessagePosted { conversation, number, author: by, text, public: _, files: _ } => {
            format!("{conversation} message {number} {} {text}", author(*by))
        }
        Event::ConversationPaused { conversation, weight_percent } => {
            format!("{conversation} paused weighs={weight_percent}%")
        }
        Event::ConversationWoken { conversation } => format!("{conversation} woken"),
        Event::MessagesRead { conversation, reader, number } => {
            format!("{conversation} read {number} {}", author(*reader))
        }
        Event::ConversationEnded { conversation, by, owner: _, wrap_up_until, public: _, blocks } => {
            let mut line = format!("{conversation} ended {}", closer(*by));
            add(&mut line, "wrap_up", wrap_up_until.map(wrap_up_end));
            add(&mut line, "blocks", (!blocks.is_slot()).then(|| word(blocks)));
            line
        }
        Event::WrapUpExtended { conversation, wrap_up_until } => {
            format!("{conversation} wrap_up extended {}", at(*wrap_up_until))
        }
        Event::WrapUpEnded { conversation, owner, cause, by } => {
            let mut line = format!("{conversation} wrap_up over {owner} {}", word(cause));
            add(&mut line, "by", by.as_ref());
            line
        }
        Event::ConversationReopened { conversation, was, queue, owner, wished, .. } => {
            let mut line = format!("{conversation} reopened {queue}");
            add(&mut line, "owner", *owner);
            add(&mut line, "for", wished.map(|wished| wished.agent));
            add(&mut line, "until", wished.and_then(|wished| wished.until).map(at));
            line.push_str(if was.is_some() { " loaded" } else { "" });
            line
        }
        Event::OwnerVanished { conversation, requeue_at } => {
            let when = requeue_at.map_or("next message".into(), at);
            format!("{conversation} owner vanished, requeue {when}")
        }
        Event::OwnerReturned { conversation } => format!("{conversation} owner returned"),
        Event::OwnerReminded { conversation, owner } => format!("{conversation} reminds {owner}"),
        Event::ConversationRequeued { conversation, from, cause, cool_down_until, .. } => {
            let mut line = format!("{conversation} requeued {from}");
            line.push_str(if cause.is_owner_gone() { "" } else { " silent" });
            add(&mut line, "cool", cool_down_until.map(at));
            line
        }
        Event::ConversationTransferred { .. }
        | Event::ConversationTaken { .. }
        | Event::ConversationHandedOver { .. }
        | Event::ConversationLeft { .. }
        | Event::NotePosted { .. }
        | Event::AgentDraining { .. } => self::moves::event(event),
        Event::DecisionWanted { .. } | Event::DecisionEnded { .. } => self::decisions::event(event),
        Event::ConversationLabelled { .. } => super::labels::event(event),
        Event::ConversationImported { .. } | Event::MessageImported { .. } | Event::NoteImported { .. } => {
            self::outside::event(event)
        }
        Event::DeliveryReported { conversation, number, state, reason, was } => {
            let mut line = format!("{conversation} message {number} {}", state.name());
            line.push_str(if was.is_some() { " loaded" } else { "" });
            add(&mut line, "reason", reason.as_ref());
            line
        }
        Event::ConversationDescribed { conversation, about } => format!("{conversation} described {about}"),
        Event::ConversationRated { conversation, score, comment, before, was } => {
            let mut line = format!("{conversation} rated {score}");
            add(&mut line, "before", *before);
            line.push_str(if was.is_some() { " loaded" } else { "" });
            add(&mut line, "comment", comment.as_ref());
            line
        }
        Event::RingReached { conversation, ring } => format!("{conversation} ring {ring}"),
        Event::ConversationMoved { conversation, queue, skills, moves, public: _, by } => {
            let mut line = format!("{conversation} moved {queue} moves={moves}");
            add(&mut line, "by", by.map(mover));
            add(&mut line, "skills", (!skills.is_empty()).then(|| required(skills)));
            line
        }
        Event::HoursTurned { hours, open, until, beyond } => {
            let (word, at) = (if *open { "open" } else { "closed" }, DeskTime(until.0));
            format!("{hours} {word} until {}{}", self::at(at), if *beyond { " at least" } else { "" })
        }
        Event::StayedAtClosing { conversation } => format!("{conversation} stayed at closing"),
        Event::PriorityRaised { conversation, priority, raised } => {
            format!("{conversation} raised {priority} times={raised}")
        }
        Event::ClockSet { .. } | Event::ClockBreached { .. } | Event::ClockEnded { .. } => self::clocks::event(event),
        Event::CustomerMerged { from, into, conversations } => {
            format!("{} merged {} {conversations:?}", customer(*from), customer(*into))
        }
        Event::CustomerSignedOut { customer: who } => format!("{} signed out", customer(*who)),
    }
}

#[must_use]
pub fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Done => "done".into(),
        Answer::Welcome { agent } => format!("welcome {agent}"),
        Answer::Opened { conversation, customer: who, at: _ } => format!("opened {conversation} {}", customer(*who)),
        Answer::Posted { conversation, number, at: _ } => format!("posted {conversation} {number}"),
        Answer::Received { conversation, number, at: _, started } => {
            format!("received {conversation} {number}{}", if *started { " started" } else { "" })
        }
        Answer::Accepted { conversation } => format!("accepted {conversation}"),
        Answer::QueuePut { queue } => format!("put {queue}"),
        Answer::AgentPut { agent } => format!("put {agent}"),
        Answer::Merged { conversations } => format!("merged {conversations}"),
        Answer::TransferOffered { offer } => format!("offered {offer}"),
        Answer::Taken { conversation } => format!("taken {conversation}"),
        Answer::Imported { conversation, parts, was_here } => {
            format!("imported {conversation} parts={parts}{}", if *was_here { " before" } else { "" })
        }
        Answer::Noted { conversation, note, at: _ } => format!("noted {conversation} {note}"),
        Answer::Own { agent: _, after } => format!("own {after}"),
        Answer::Decided { conversation, offer } => format!("decided {conversation} {offer}"),
        Answer::Decisions(decisions) => self::decisions::decisions(decisions),
        Answer::Waiting(page) => self::moves::page(page),
        Answer::WhyConversation(why) => self::why::conversation(why),
        Answer::WhyAgent(why) => self::why::agent(why),
        Answer::Typing { conversation, to, by: _, draft: _ } => {
            let to: Vec<String> = to.iter().map(ToString::to_string).collect();
            format!("typing {conversation} to {}", if to.is_empty() { "nobody".into() } else { to.join(",") })
        }
    }
}

/// A reply: `done`, `posted c1 2`, `refused offer_gone: the offer o1 has ended: expired`.
#[must_use]
pub fn result(result: &Result<Answer, Refusal>) -> String {
    match result {
        Ok(done) => answer(done),
        Err(refusal) => {
            let mut line = format!("refused {}", refusal.code());
            add(&mut line, "field", refusal.field());
            let _ = write!(line, ": {refusal}");
            line
        }
    }
}

/// Without spaces, which end a word: those of texts are spelled in full.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("settings are plain values").replace(' ', "\\u0020")
}

fn add(line: &mut String, name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        let _ = write!(line, " {name}={value}");
    }
}

/// Milliseconds as seconds: `12.5s`.
fn at(time: DeskTime) -> String {
    format!("{}s", time.0 as f64 / 1_000.0)
}

fn wrap_up_end(time: DeskTime) -> String {
    if time == OPEN_ENDED { "open".into() } else { at(time) }
}

fn word(cause: &impl serde::Serialize) -> String {
    serde_json::to_string(cause).expect("causes are plain words").trim_matches('"').to_owned()
}

fn customer(id: CustomerId) -> String {
    format!("u{}", id.0)
}

fn author(author: Author) -> String {
    match author {
        Author::Agent(agent) => agent.to_string(),
        Author::Customer(who) => customer(who),
        Author::System(notice) => format!("system {}", notice.name()),
    }
}

fn worker(worker: Worker) -> String {
    match worker {
        Worker::Owner(agent) => agent.to_string(),
        Worker::Supervisor(agent) => format!("supervisor {agent}"),
        Worker::Admin => "admin".into(),
    }
}

fn closer(closer: Closer) -> String {
    match closer {
        Closer::Supervisor(agent) => format!("supervisor {agent}"),
        Closer::Agent(agent) => agent.to_string(),
        Closer::Customer(who) => customer(who),
        Closer::Admin => "admin".into(),
        Closer::System => "system".into(),
    }
}

fn names(names: &[Arc<str>]) -> String {
    if names.is_empty() { "-".into() } else { names.join(",") }
}

fn levels<N: Display>(levels: &BTreeMap<Arc<str>, N>) -> String {
    let each: Vec<String> = levels.iter().map(|(name, level)| format!("{name}:{level}")).collect();
    if each.is_empty() { "-".into() } else { each.join(",") }
}

fn required(skills: &[RequiredSkill]) -> String {
    skills.iter().map(|skill| format!("{}:{}", skill.name, skill.level)).collect::<Vec<_>>().join(",")
}
