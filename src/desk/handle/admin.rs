//! Settings, queues, agents and keys: each checked against the others, so that no setting strands anybody.

use crate::desk::answer::Answer;
use crate::desk::auto_accept::{AUTO_ACCEPT_MS_MAX, AutoAccept};
use crate::desk::command::AgentAsk;
use crate::desk::decision::DecidedBy;
use crate::desk::event::{Event, OfflineCause};
use crate::desk::files::FileRules;
use crate::desk::hours::HOURS_MAX;
use crate::desk::ids::{AgentId, ConversationId, QueueId};
use crate::desk::offering::{PREFERRED_SKILLS_MAX, TIER_MAX};
use crate::desk::refusal::Refusal;
use crate::desk::settings::{
    AGENTS_MAX, AgentProfile, ApiKey, CAPACITY_TOTAL, CAPACITY_TOTAL_MAX, CHANNELS_MAX, NAME_BYTES_MAX, OFFER_PERCENT,
    PROGRAMS_MAX, QUEUES_MAX, QueueSettings, STATUSES_MAX, Settings,
};
use crate::desk::silence_rules::SilentCustomer;
use crate::desk::wrapping::WRAP_UP_MS_MAX;
use crate::desk::{Desk, Queue, agent::Connection};
use std::collections::BTreeMap;
use std::sync::Arc;

const DAY_MS: u64 = 86_400_000;
const RETENTION_DAYS_MAX: u32 = 36_500;
const API_KEYS_MAX: usize = 1_000;
const ENTRY_RULES_MAX: usize = 1_000;
const SKILLS_OF_AGENT_MAX: usize = 200;
/// Settings travel in one event, and a record holds at most 256 KiB.
const SETTINGS_BYTES_MAX: usize = 128 * 1024;

impl Desk {
    pub(super) fn put_settings(&mut self, put: &Settings, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        self.check_settings(put)?;
        if *put != *self.settings {
            self.emit(events, Event::SettingsChanged { settings: Box::new(put.clone()) });
            // Who is told that it is closed must not hear so of hours that are open by now.
            self.look_at_hours(events);
            // A shorter time may be over already.
            self.due(events)?;
        }
        Ok(Answer::Done)
    }

    fn check_settings(&self, put: &Settings) -> Result<(), Refusal> {
        let bytes = serde_json::to_vec(put).map_or(usize::MAX, |text| text.len());
        ensure(bytes <= SETTINGS_BYTES_MAX, "settings", || format!("at most {SETTINGS_BYTES_MAX} bytes as JSON"))?;
        ensure((1..=CHANNELS_MAX).contains(&put.channels.len()), "channels", || format!("1 to {CHANNELS_MAX}"))?;
        ensure((1..=STATUSES_MAX).contains(&put.statuses.len()), "statuses", || format!("1 to {STATUSES_MAX}"))?;
        for (place, channel) in put.channels.iter().enumerate() {
            let field = |name: &str| format!("channels[{place}].{name}");
            name_ok(&channel.name, &field("name"))?;
            let unique = put.channels.iter().filter(|other| other.name == channel.name).count() == 1;
            ensure(unique, &field("name"), || "used twice".into())?;
            ensure((1..=CAPACITY_TOTAL).contains(&channel.weight), &field("weight"), || {
                format!("1 to {CAPACITY_TOTAL}")
            })?;
            ensure(channel.capacity <= 10_000, &field("capacity"), || "0 to 10000".into())?;
            offer_ms_ok(channel.offer_ms, &field("offer_ms"))?;
            wrap_up_ok(channel.wrap_up_ms, &field("wrap_up_ms"))?;
            channel.wrap_up.check(&field("wrap_up"))?;
            channel.silence.check(&field("silence"))?;
        }
        // What is stored names channels and statuses by their place; a closed conversation too, which may be reopened.
        let unused = self.agents.is_empty() && self.last_conversation == 0;
        for (place, held) in self.settings.channels.iter().enumerate() {
            let kept = put.channels.get(place).is_some_and(|channel| channel.name == held.name);
            ensure(kept || unused, &format!("channels[{place}].name"), || {
                format!("{:?} must stay in its place: channels are added at the end", held.name)
            })?;
        }
        for (place, held) in self.settings.statuses.iter().enumerate() {
            let kept = put.statuses.get(place).is_some_and(|status| status.name == held.name);
            ensure(kept || unused, &format!("statuses[{place}].name"), || {
                format!("{:?} must stay in its place: statuses are added at the end", held.name)
            })?;
        }
        for (place, status) in put.statuses.iter().enumerate() {
            name_ok(&status.name, &format!("statuses[{place}].name"))?;
            let unique = put.statuses.iter().filter(|other| other.name == status.name).count() == 1;
            ensure(unique, &format!("statuses[{place}].name"), || "used twice".into())?;
        }
        if let Some(days) = put.retention_days {
            // What a customer may still come back to is not forgotten.
            let longer = u64::from(days) * DAY_MS > put.reopen_ms;
            ensure(longer && days <= RETENTION_DAYS_MAX, "retention_days", || {
                format!("longer than reopen_ms, at most {RETENTION_DAYS_MAX}")
            })?;
        }
        ensure(put.statuses.iter().any(|status| !status.available), "statuses", || {
            "one must not be available: agents who signed in have it until they choose".into()
        })?;
        ensure((100..=60_000).contains(&put.delivery_ms), "delivery_ms", || "100 to 60000".into())?;
        ensure(put.undelivered_in_a_row_max >= 1, "undelivered_in_a_row_max", || "at least 1".into())?;
        ensure(put.missed_in_a_row_max >= 1, "missed_in_a_row_max", || "at least 1".into())?;
        ensure((1..=1_000).contains(&put.devices_max), "devices_max", || "1 to 1000".into())?;
        for (ms, field) in [
            (put.offer_grace_ms, "offer_grace_ms"),
            (put.agent_grace_ms, "agent_grace_ms"),
            (put.vanished_owner_ms, "vanished_owner_ms"),
            (put.cool_downs.rejected_ms, "cool_downs.rejected_ms"),
            (put.cool_downs.expired_ms, "cool_downs.expired_ms"),
            (put.cool_downs.undelivered_ms, "cool_downs.undelivered_ms"),
            (put.cool_downs.agent_lost_ms, "cool_downs.agent_lost_ms"),
            (put.cool_downs.most_ms, "cool_downs.most_ms"),
        ] {
            ensure(ms <= 86_400_000, field, || "at most a day".into())?;
        }
        offer_ms_ok(put.program_offer_ms, "program_offer_ms")?;
        put.labels.check()?;
        put.rating.check()?;
        put.files.as_ref().map_or(Ok(()), FileRules::check)?;
        put.messenger.check()?;
        for queue in self.queues.values().map(|queue| &queue.settings) {
            let lost = queue.labels.loses(&self.settings.labels, &put.labels);
            ensure(lost.is_none(), "labels.dispositions", || {
                format!("the queue {:?} offers {:?}: change it first", queue.name, lost.map_or("", |code| code))
            })?;
        }
        put.idle_agents.iter().try_for_each(|rule| rule.check(&put.statuses))?;
        ensure(put.offer_grace_ms <= put.agent_grace_ms, "offer_grace_ms", || "at most agent_grace_ms".into())?;
        self.check_hours(put)?;
        for (place, reason) in put.reject_reasons.iter().enumerate() {
            name_ok(reason, &format!("reject_reasons[{place}]"))?;
        }
        for (place, queue) in put.new_agent_queues.iter().enumerate() {
            self.queue_ok(queue, &format!("new_agent_queues[{place}]"))?;
        }
        if let Some(queue) = &put.default_queue {
            self.queue_ok(queue, "default_queue")?;
        }
        if let Some(left) = &put.left_messages {
            left.queue.iter().try_for_each(|queue| self.queue_ok(queue, "left_messages.queue"))?;
            let unknown = left.channel.iter().find(|name| !put.channels.iter().any(|held| held.name == **name));
            ensure(unknown.is_none(), "left_messages.channel", || {
                format!("there is no channel {:?}", unknown.map_or("", |name| name))
            })?;
        }
        ensure(put.entry_rules.len() <= ENTRY_RULES_MAX, "entry_rules", || format!("at most {ENTRY_RULES_MAX}"))?;
        for (place, rule) in put.entry_rules.iter().enumerate() {
            let field = |name: &str| format!("entry_rules[{place}].{name}");
            if let Some(queue) = &rule.queue {
                self.queue_ok(queue, &field("queue"))?;
            }
            if let Some(channel) = &rule.channel {
                let known = put.channels.iter().any(|held| held.name == *channel);
                ensure(known, &field("channel"), || format!("there is no channel {channel:?}"))?;
            }
            skills_ok(&rule.skills, &field("skills"))?;
            let preferred = &rule.prefers.skills;
            ensure(preferred.len() <= PREFERRED_SKILLS_MAX, &field("prefers.skills"), || {
                format!("at most {PREFERRED_SKILLS_MAX}")
            })?;
            preferred.iter().try_for_each(|name| name_ok(name, &field("prefers.skills")))?;
            rule.prefers.agent.iter().try_for_each(|name| name_ok(name, &field("prefers.agent")))?;
        }
        Ok(())
    }

    fn check_hours(&self, put: &Settings) -> Result<(), Refusal> {
        ensure(put.hours.len() <= HOURS_MAX, "hours", || format!("at most {HOURS_MAX}"))?;
        for (name, hours) in &put.hours {
            name_ok(name, &format!("hours.{name}"))?;
            hours.check(&format!("hours.{name}"), self.now.wall)?;
        }
        let mut queues = self.queues.values().map(|queue| &queue.settings);
        let without = queues.find(|queue| queue.hours.as_ref().is_some_and(|name| !put.hours.contains_key(name)));
        ensure(without.is_none(), "hours", || {
            format!(
                "the queue {:?} names hours that are gone: change it first",
                without.map_or("", |queue| &queue.name)
            )
        })
    }

    fn queue_ok(&self, queue: &Arc<str>, field: &str) -> Result<(), Refusal> {
        ensure(self.queue_names.contains_key(queue), field, || format!("there is no queue {queue:?}: put it first"))
    }

    pub(super) fn put_queue(&mut self, put: &QueueSettings, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        name_ok(&put.name, "name")?;
        ensure(put.title.len() <= NAME_BYTES_MAX, "title", || format!("at most {NAME_BYTES_MAX} bytes"))?;
        ensure((1..=1_000_000).contains(&put.waiting_max), "waiting_max", || "1 to 1000000".into())?;
        put.offer_ms.map_or(Ok(()), |ms| offer_ms_ok(ms, "offer_ms"))?;
        put.wrap_up_ms.map_or(Ok(()), |ms| wrap_up_ok(ms, "wrap_up_ms"))?;
        put.wrap_up.check("wrap_up")?;
        skills_ok(&put.skills, "skills")?;
        if let Some(name) = &put.hours {
            let known = self.settings.hours.contains_key(name);
            ensure(known, "hours", || format!("the settings hold no hours {name:?}"))?;
        }
        put.offering.check(&put.name, |name| self.queue_names.contains_key(name))?;
        put.waiting.check(&put.name, |name| self.queue_names.contains_key(name))?;
        put.moves.check(&put.name, |name| self.queue_names.contains_key(name))?;
        put.labels.check(&self.settings.labels)?;
        put.service.check()?;
        put.silent_customer.iter().try_for_each(SilentCustomer::check)?;
        let is_queue = |name: &str| self.queue_names.contains_key(name);
        put.silent_owner.iter().try_for_each(|rules| rules.check(&put.name, is_queue))?;
        let held = self.queue_names.get(&put.name).copied();
        if held.is_none() && self.queues.len() >= QUEUES_MAX {
            return Err(Refusal::TooMany { what: "queues".into(), most: QUEUES_MAX });
        }
        let queue = held.unwrap_or(QueueId(self.last_queue + 1));
        if self.queues.get(&queue).is_none_or(|held| *held.settings != *put) {
            if put.offering.router.by == DecidedBy::Offhook {
                let of_queue = |(_, id): &(_, ConversationId)| self.conversations[id].queue == queue;
                let pending: Vec<_> = self.decisions().filter(of_queue).map(|(_, id)| id).collect();
                pending.into_iter().for_each(|id| self.withdraw_decision(id, events));
            }
            self.emit(events, Event::QueuePut { queue, settings: Box::new(put.clone()) });
            if put.silent_customer.is_some() || put.silent_owner.is_some() {
                // A shorter time may be over already.
                self.due(events)?;
            }
        }
        Ok(Answer::QueuePut { queue })
    }

    pub(super) fn remove_queue(&mut self, name: &Arc<str>, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let queue = *self.queue_names.get(name).ok_or_else(|| Refusal::NoSuchQueue(name.clone()))?;
        let conversations = self.queues[&queue].conversations();
        if conversations > 0 {
            return Err(Refusal::QueueInUse { queue: name.clone(), conversations });
        }
        let left = self.settings.left_messages.as_ref().and_then(|left| left.queue.as_ref());
        let named = self.settings.default_queue.as_ref() == Some(name)
            || left == Some(name)
            || self.settings.new_agent_queues.contains(name)
            || self.settings.entry_rules.iter().any(|rule| rule.queue.as_ref() == Some(name));
        ensure(!named, "name", || "the settings name this queue: change them first".into())?;
        let ringed = self.queues.values().find(|other| other.settings.offering.names_queue(name));
        ensure(ringed.is_none(), "name", || "a ring of another queue names this queue: change it first".into())?;
        let moved_to = self.queues.values().find(|other| other.settings.waiting.names_queue(name));
        ensure(moved_to.is_none(), "name", || "a rule of another queue moves to this queue: change it first".into())?;
        let taken = |other: &&Queue| other.settings.silent_owner.as_ref().is_some_and(|rules| rules.names_queue(name));
        let taken_to = self.queues.values().find(taken);
        ensure(taken_to.is_none(), "name", || "a rule of another queue moves to this queue: change it first".into())?;
        let drained = self.queues.values().find(|other| other.settings.moves.names_queue(name));
        ensure(drained.is_none(), "name", || "another queue drains into this queue: change it first".into())?;
        let name = Some(name.clone());
        self.emit(events, Event::QueueRemoved { queue, name });
        Ok(Answer::Done)
    }

    pub(super) fn next_agent(&self) -> Result<AgentId, Refusal> {
        if self.agents.len() >= AGENTS_MAX {
            return Err(Refusal::TooMany { what: "agents".into(), most: AGENTS_MAX });
        }
        Ok(AgentId(self.agents.len() as u32))
    }

    pub(super) fn put_agent(&mut self, put: &AgentAsk, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        name_ok(&put.name, "name")?;
        let known = self.agent_named(&put.name);
        let agent = known.map_or_else(|| self.next_agent(), Ok)?;
        let mut profile = match self.agent(agent) {
            Some(held) => held.profile.clone(),
            None => AgentProfile::named(&put.name),
        };
        if let Some(title) = &put.title {
            ensure(title.len() <= NAME_BYTES_MAX, "title", || format!("at most {NAME_BYTES_MAX} bytes"))?;
            profile.title = title.clone();
        }
        profile.active = put.active.unwrap_or(profile.active);
        if profile.active && !known.and_then(|id| self.agent(id)).is_some_and(|held| held.profile.active) {
            self.may_hold_one_agent_more()?;
        }
        if let Some(queues) = &put.queues {
            profile.queues.clear();
            for (place, name) in queues.iter().enumerate() {
                self.queue_ok(name, &format!("queues[{place}]"))?;
                let queue = self.queue_names[name];
                if !profile.queues.contains(&queue) {
                    profile.queues.push(queue);
                }
            }
        }
        if let Some(skills) = &put.skills {
            skills_ok(skills, "skills")?;
            profile.skills = skills.clone();
        }
        if let Some(capacity) = &put.capacity {
            for (name, limit) in capacity {
                let channel = self.settings.channels.iter().any(|channel| channel.name == *name);
                ensure(channel, &format!("capacity.{name}"), || format!("there is no channel {name:?}"))?;
                ensure(*limit <= 10_000, &format!("capacity.{name}"), || "0 to 10000".into())?;
            }
            profile.capacity = capacity.clone();
        }
        if let Some(tiers) = &put.tiers {
            profile.tiers.clear();
            for (name, tier) in tiers {
                self.queue_ok(name, &format!("tiers.{name}"))?;
                ensure((1..=TIER_MAX).contains(tier), &format!("tiers.{name}"), || format!("1 to {TIER_MAX}"))?;
                profile.tiers.insert(self.queue_names[name], *tier);
            }
        }
        if let Some(program) = put.program {
            let programs = self.agents.iter().filter(|agent| agent.profile.program).count();
            let room = profile.program || !program || programs < PROGRAMS_MAX;
            ensure(room, "program", || format!("the workspace holds its most of programs: {PROGRAMS_MAX}"))?;
            profile.program = program;
        }
        if let Some(total) = put.capacity_total {
            let fits = (1..=CAPACITY_TOTAL_MAX).contains(&total);
            ensure(fits, "capacity_total", || format!("1 to {CAPACITY_TOTAL_MAX}"))?;
            profile.capacity_total = Some(total);
        }
        if let Some(auto_accept) = put.auto_accept {
            let fits = !matches!(auto_accept, AutoAccept::AfterMs(ms) if ms > AUTO_ACCEPT_MS_MAX);
            ensure(fits, "auto_accept.after_ms", || format!("at most {AUTO_ACCEPT_MS_MAX} (an hour)"))?;
            profile.auto_accept = auto_accept;
        }
        if let Some(percent) = put.offer_percent {
            ensure(OFFER_PERCENT.contains(&percent), "offer_percent", || {
                format!("{} to {}", OFFER_PERCENT.start(), OFFER_PERCENT.end())
            })?;
            profile.offer_percent = percent;
        }
        if self.agent(agent).is_none_or(|held| held.profile != profile) {
            let leaves = !profile.active;
            self.emit(events, Event::AgentPut { agent, profile: Box::new(profile) });
            if leaves && self.agents[agent.0 as usize].connection != Connection::Offline {
                self.go_offline(agent, OfflineCause::Deactivated, events);
            } else if leaves {
                self.vanish(agent, events);
            }
        }
        Ok(Answer::AgentPut { agent })
    }

    pub(super) fn put_api_key(&mut self, key: &ApiKey, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        if self.api_keys.len() >= API_KEYS_MAX && !self.api_keys.contains_key(&key.id) {
            return Err(Refusal::TooMany { what: "API keys".into(), most: API_KEYS_MAX });
        }
        name_ok(&key.id, "id")?;
        ensure(key.name.len() <= NAME_BYTES_MAX, "name", || format!("at most {NAME_BYTES_MAX} bytes"))?;
        self.emit(events, Event::ApiKeyPut { key: Box::new(key.clone()) });
        Ok(Answer::Done)
    }

    pub(super) fn remove_api_key(&mut self, id: &Arc<str>, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        if !self.api_keys.contains_key(id) {
            return Err(Refusal::NoSuchApiKey(id.clone()));
        }
        self.emit(events, Event::ApiKeyRemoved { id: id.clone() });
        Ok(Answer::Done)
    }
}

pub(super) fn ensure(holds: bool, field: &str, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::BadSetting { field: field.to_owned(), what: what() }) }
}

fn name_ok(name: &str, field: &str) -> Result<(), Refusal> {
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    ensure(fits, field, || format!("1 to {NAME_BYTES_MAX} bytes without control characters"))
}

fn skills_ok(skills: &BTreeMap<Arc<str>, u8>, field: &str) -> Result<(), Refusal> {
    ensure(skills.len() <= SKILLS_OF_AGENT_MAX, field, || format!("at most {SKILLS_OF_AGENT_MAX}"))?;
    for (name, level) in skills {
        name_ok(name, &format!("{field}.{name}"))?;
        ensure((1..=10).contains(level), &format!("{field}.{name}"), || "a level is 1 to 10".into())?;
    }
    Ok(())
}

fn offer_ms_ok(ms: u64, field: &str) -> Result<(), Refusal> {
    ensure((1_000..=3_600_000).contains(&ms), field, || "1000 to 3600000 (an hour)".into())
}

fn wrap_up_ok(ms: u64, field: &str) -> Result<(), Refusal> {
    ensure(ms <= WRAP_UP_MS_MAX, field, || format!("at most {WRAP_UP_MS_MAX} (an hour)"))
}
