//! Judges from outside: what the journal says record by record, against rules that know nothing of how the desk works.

use super::journal::{FaultyJournal, Lived};
use super::judge_clocks;
use super::judge_seen::{SeenOffer, Talk};
use super::judge_silence;
use super::kinds::Kinds;
use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::auto_accept::BY_ITSELF;
use crate::desk::event::{Event, OfferEnd, OfflineCause};
use crate::desk::ids::{AgentId, CommandId, ConversationId, OfferId, Principal};
use crate::desk::time::{DeskTime, Now};
use crate::journal::{Position, TurnId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Judge {
    /// Up to here somebody may have been told.
    pub acknowledged: Position,
    /// As of the last record.
    pub last: Now,
    pub kinds: Kinds,
    pub(super) position: Position,
    pub(super) offers: BTreeMap<OfferId, SeenOffer>,
    pub(super) talks: BTreeMap<ConversationId, Talk>,
    pub(super) outcomes: BTreeMap<(Principal, CommandId), (u64, Answer)>,
    /// Told of commands that changed nothing, and in no record yet.
    pub(super) idle: BTreeMap<(Principal, CommandId), (u64, Answer)>,
    turns: BTreeMap<Position, TurnId>,
    never: BTreeSet<u128>,
    grace: BTreeMap<AgentId, DeskTime>,
    decisions: super::judge_decisions::Decisions,
    imports: super::judge_imports::Imports,
    /// Messages left out of hours that have yet to begin to wait.
    left: BTreeSet<ConversationId>,
    /// Lives through every record once: the whole journal's replay.
    shadow: Desk,
}

impl Judge {
    pub(super) fn channel_of(&self, talk: &Talk) -> &str {
        &self.shadow.settings().channels[usize::from(talk.channel.0)].name
    }

    pub fn offers_made(&self) -> u64 {
        self.offers.len() as u64
    }

    /// Somebody was told, or was to be told, that this turn did not happen.
    pub fn never(&mut self, turn: TurnId) {
        self.never.insert(turn.0);
    }

    /// Take in what the journal holds by now.
    pub fn catch_up(&mut self, journal: &FaultyJournal) -> Result<(), String> {
        if journal.last() < self.acknowledged {
            return Err(format!("record {} was acknowledged and is gone", self.acknowledged));
        }
        while self.position < journal.last() {
            let position = self.position.next();
            let lived = journal.lived(position)?;
            self.live(position, &lived).map_err(|what| format!("record {position}: {what}"))?;
            self.position = position;
        }
        Ok(())
    }

    fn live(&mut self, position: Position, lived: &Lived) -> Result<(), String> {
        let now = lived.now();
        if now.desk < self.last.desk || now.wall < self.last.wall {
            return Err(format!("time goes back from {:?} to {now:?}", self.last));
        }
        if self.never.contains(&lived.head.turn.0) {
            return Err("its clients were told that it did not happen".into());
        }
        self.turns.insert(position, lived.head.turn);
        for event in &lived.events {
            self.graces_start_once(event, now.desk)?;
            self.shadow.replay(now, std::slice::from_ref(event), &[]);
            self.kinds.lived(event, &self.shadow);
            self.decisions.live(event, &self.shadow, now.desk)?;
            super::judge_customers::hears(event, &mut self.talks, now, &self.shadow)?;
            self.imports.hear(event, |id| self.talks.contains_key(&id))?;
            self.one(event, now, position)?;
            super::judge_hours::those_left_begin(&mut self.left, &mut self.talks, &self.shadow)?;
        }
        self.imports.are_whole()?;
        // In a barrier nothing was decided, and hours that are due turn with the next turn.
        if !lived.events.is_empty() {
            super::judge_hours::those_left_wait_for_opening(&self.left, &self.shadow)?;
        }
        self.shadow.replay(now, &[], &lived.outcomes);
        self.shadow.take_touched();
        for outcome in &lived.outcomes {
            let told = (outcome.fingerprint, outcome.answer.clone());
            match self.outcomes.get(&(outcome.by, outcome.id)) {
                Some(before) if *before != told => {
                    return Err(format!("{:?} #{} was done twice: {before:?}, {told:?}", outcome.by, outcome.id.0));
                }
                _ => self.outcomes.insert((outcome.by, outcome.id), told),
            };
        }
        self.last = now;
        Ok(())
    }

    fn one(&mut self, event: &Event, now: Now, position: Position) -> Result<(), String> {
        match event {
            Event::OfferMade { offer, conversation, agent, ends_at, deliver_by, transfer, queue: _ } => {
                self.offer_fits(*conversation, *agent, transfer.is_some())?;
                let talk = talk(&mut self.talks, *conversation)?;
                if transfer.is_some() {
                    super::judge_moves::may_be_transferred(*conversation, talk, *agent)?;
                } else if talk.owner.is_some() {
                    return Err(format!("{offer} is made of {conversation}, which is taken"));
                }
                if talk.offers.iter().any(|pending| self.offers[pending].agent == *agent) {
                    return Err(format!("{offer} is made to {agent}, who has one of {conversation}"));
                }
                if talk.cool.get(agent).is_some_and(|until| *until > now.desk) {
                    return Err(format!("{offer} is made to {agent} while it cools down"));
                }
                talk.offers.insert(*offer);
                let (ends_at, deliver_by) = (*ends_at, *deliver_by);
                let seen = SeenOffer {
                    conversation: *conversation,
                    agent: *agent,
                    ends_at,
                    deliver_by,
                    end: None,
                    made_in: position,
                    transfer: transfer.is_some(),
                    accepts_at: None,
                };
                if self.offers.insert(*offer, seen).is_some() {
                    return Err(format!("{offer} is made twice"));
                }
            }
            Event::OfferDelivered { offer, accepts_at, of: _ } => {
                let seen = self.offers.get_mut(offer).ok_or_else(|| format!("{offer} was never made"))?;
                if seen.end.is_some() {
                    return Err(format!("{offer} is delivered after its end"));
                }
                seen.accepts_at = *accepts_at;
            }
            Event::OfferEnded { offer, end, reason, cool_down_until, public, transfer, .. } => {
                self.offer_ends(*offer, *end, reason.as_deref() == Some(BY_ITSELF), now)?;
                let seen = &self.offers[offer];
                let (agent, conversation) = (seen.agent, seen.conversation);
                let talk = talk(&mut self.talks, conversation)?;
                talk.offers.remove(offer);
                if *end == OfferEnd::Withdrawn {
                    talk.stood_down.insert(agent, position);
                }
                cool_down_until.map(|until| talk.cool.insert(agent, until));
                if *end == OfferEnd::Accepted {
                    if talk.owner.is_some() != seen.transfer || !talk.offers.is_empty() {
                        return Err(format!("{offer} is accepted while {conversation} is offered or owned"));
                    }
                    if transfer.is_some_and(|transfer| transfer.warm) {
                        talk.joined = Some(agent);
                    } else {
                        judge_silence::changes_hands(talk, now);
                        talk.owner = Some(agent);
                        talk.cool.clear();
                    }
                    counts(conversation, talk, *public)?;
                }
            }
            Event::ConversationOpened { conversation, customer, channel, public, waiting_since, left, .. } => {
                if *left {
                    super::judge_hours::is_closed(&self.shadow, *conversation)?;
                    self.left.insert(*conversation);
                }
                let waiting_since = waiting_since.unwrap_or(now.wall);
                let (customer, channel) = (*customer, *channel);
                let fresh = Talk { customer, channel, waiting_since, opened_in: position, ..Talk::default() };
                if self.talks.insert(*conversation, fresh).is_some() {
                    return Err(format!("{conversation} is opened twice"));
                }
                counts(*conversation, talk(&mut self.talks, *conversation)?, Some(*public))?;
            }
            Event::MessagePosted { conversation, number, public, author, .. } => {
                super::judge_waiting::notice_is_due(&self.shadow, *conversation, *author)?;
                let talk = talk(&mut self.talks, *conversation)?;
                judge_silence::hears(event, talk, now, &self.shadow)?;
                if *number != talk.last_number + 1 {
                    return Err(format!("{conversation} has message {number} after {}", talk.last_number));
                }
                talk.last_number = *number;
                counts(*conversation, talk, Some(*public))?;
            }
            Event::ConversationEnded { conversation, owner, wrap_up_until, public, .. } => {
                let talk = talk(&mut self.talks, *conversation)?;
                if *owner != talk.owner || !talk.offers.is_empty() || talk.joined.is_some() {
                    return Err(format!("{conversation} ends as {owner:?}'s and is {:?}'s", talk.owner));
                }
                judge_silence::is_let_go(talk, true);
                judge_clocks::none_outlives(*conversation, talk)?;
                talk.owner = talk.owner.filter(|_| wrap_up_until.is_some());
                talk.cool.clear();
                counts(*conversation, talk, Some(*public))?;
            }
            Event::OwnerReminded { conversation, .. }
            | Event::ConversationPaused { conversation, .. }
            | Event::ConversationWoken { conversation } => {
                judge_silence::hears(event, talk(&mut self.talks, *conversation)?, now, &self.shadow)?;
            }
            Event::ClockSet { conversation, .. }
            | Event::ClockBreached { conversation, .. }
            | Event::ClockEnded { conversation, .. } => {
                judge_clocks::runs(event, talk(&mut self.talks, *conversation)?, now, &self.shadow)?;
            }
            Event::WrapUpExtended { conversation, wrap_up_until } => {
                super::judge_routing::wrap_up_is_extended(&self.shadow, *conversation, *wrap_up_until)?;
            }
            Event::WrapUpEnded { conversation, owner, .. } => {
                let talk = talk(&mut self.talks, *conversation)?;
                if talk.owner.take() != Some(*owner) {
                    return Err(format!("{owner} wraps up {conversation}, which it does not own"));
                }
            }
            Event::ConversationReopened { conversation, owner, waiting_since, public, .. } => {
                let talk = talk(&mut self.talks, *conversation)?;
                if owner.is_some() && *owner != talk.owner {
                    return Err(format!("{conversation} is reopened for {owner:?} and was {:?}'s", talk.owner));
                }
                (talk.owner, talk.waiting_since) = (*owner, *waiting_since);
                if owner.is_some() {
                    judge_silence::changes_hands(talk, now);
                }
                talk.cool.clear();
                counts(*conversation, talk, Some(*public))?;
            }
            Event::ConversationRequeued { conversation, from, waiting_since, public, cool_down_until, .. } => {
                let talk = talk(&mut self.talks, *conversation)?;
                judge_silence::hears(event, talk, now, &self.shadow)?;
                talk.cool.clear();
                talk.cool.extend(cool_down_until.map(|until| (*from, until)));
                let others = !talk.offers.is_empty() || talk.joined.is_some();
                if others || talk.owner.take() != Some(*from) || *waiting_since != talk.waiting_since {
                    return Err(format!("{conversation} goes back from {from} and loses its age"));
                }
                judge_silence::is_let_go(talk, false);
                counts(*conversation, talk, Some(*public))?;
            }
            Event::ConversationTransferred { conversation, public, .. }
            | Event::ConversationTaken { conversation, public, .. }
            | Event::ConversationHandedOver { conversation, public, .. }
            | Event::ConversationLeft { conversation, public, .. } => {
                let talk = talk(&mut self.talks, *conversation)?;
                let owner = talk.owner;
                super::judge_moves::moves(event, talk, &self.shadow, position)?;
                judge_silence::moves(event, owner, talk, now);
                counts(*conversation, talk, Some(*public))?;
            }
            Event::NotePosted { conversation, note, after, .. } => {
                let talk = talk(&mut self.talks, *conversation)?;
                talk.notes += 1;
                if (*note, *after) != (talk.notes, talk.last_number) {
                    return Err(format!("{conversation} has note {note} after message {after}"));
                }
            }
            Event::ConversationLabelled { conversation, .. } => {
                let owner = talk(&mut self.talks, *conversation)?.owner;
                owner.ok_or_else(|| format!("{conversation} is labelled and nobody's"))?;
            }
            Event::CustomerMerged { into, conversations, .. } => {
                for id in conversations.iter().filter(|id| !self.imports.has(**id)) {
                    let talk = talk(&mut self.talks, *id)?;
                    (talk.customer, talk.merged) = (*into, true);
                }
            }
            Event::ConversationMoved { conversation, moves, public, by, .. } => {
                let talk = talk(&mut self.talks, *conversation)?;
                talk.waits()
                    .and_then(|()| super::judge_waiting::move_is_one_more(talk, *moves, *by))
                    .map_err(|what| format!("{conversation} is moved on: {what}"))?;
                counts(*conversation, talk, *public)?;
            }
            Event::PriorityRaised { conversation, .. } | Event::DecisionWanted { conversation, .. } => {
                let waits = talk(&mut self.talks, *conversation)?.waits();
                waits.map_err(|what| format!("{conversation} is put ahead, or asked about: {what}"))?;
            }
            Event::StatusChanged { agent, cause, by, .. } => {
                super::judge_routing::status_changes_rightly(&self.shadow, *agent, *cause, by.is_some())?;
            }
            Event::HoursTurned { hours, open, .. } => super::judge_hours::turn_is_due(&self.shadow, hours, *open)?,
            Event::StayedAtClosing { conversation } => {
                super::judge_hours::is_closed(&self.shadow, *conversation)?;
                let waits = talk(&mut self.talks, *conversation)?.waits();
                waits.map_err(|what| format!("{conversation} stays at closing: {what}"))?;
            }
            Event::RingReached { conversation, ring } => {
                super::judge_routing::ring_is_due(&self.shadow, *conversation, *ring)?;
            }
            Event::SettingsChanged { .. }
            | Event::ConversationDescribed { .. }
            | Event::ConversationRated { .. }
            | Event::DeliveryReported { .. }
            | Event::ConversationImported { .. }
            | Event::MessageImported { .. }
            | Event::NoteImported { .. }
            | Event::QueuePut { .. }
            | Event::QueueRemoved { .. }
            | Event::AgentPut { .. }
            | Event::ApiKeyPut { .. }
            | Event::ApiKeyRemoved { .. }
            | Event::ServerBegan { .. }
            | Event::NodeGone { .. }
            | Event::SessionCame { .. }
            | Event::SessionWent { .. }
            | Event::AgentReconnecting { .. }
            | Event::AgentUnreachable { .. }
            | Event::AgentReachable { .. }
            | Event::AgentOffline { .. }
            | Event::NextStatusSet { .. }
            | Event::MessagesRead { .. }
            | Event::AgentDraining { .. }
            | Event::DecisionEnded { .. }
            | Event::OwnerVanished { .. }
            | Event::OwnerReturned { .. }
            | Event::CustomerSignedOut { .. } => {}
        }
        Ok(())
    }

    /// The shadow holds the state right after the offer was made.
    fn offer_fits(&self, conversation: ConversationId, agent: AgentId, transfer: bool) -> Result<(), String> {
        let desk = &self.shadow;
        let (Some(held), Some(talk)) = (desk.agent(agent), desk.conversation(conversation)) else {
            return Err(format!("an offer of {conversation} to {agent}, who are not there"));
        };
        let settings = desk.settings();
        let fits = held.is_able(settings)
            && held.has_channel(talk.channel)
            && !held.over_limit
            && held.load.is_within_on(held, settings, talk.channel)
            && (transfer || super::judge_routing::may_take(desk, agent, conversation));
        if fits { Ok(()) } else { Err(format!("{agent} is offered {conversation} and cannot take it: {held:?}")) }
    }

    fn offer_ends(&mut self, offer: OfferId, end: OfferEnd, by_itself: bool, now: Now) -> Result<(), String> {
        let seen = self.offers.get_mut(&offer).ok_or_else(|| format!("{offer} was never made"))?;
        if let Some(before) = seen.end.replace(end) {
            return Err(format!("{offer} ends as {} and then as {}", before.name(), end.name()));
        }
        let in_time = match end {
            OfferEnd::Accepted if by_itself => seen.accepts_at.is_some_and(|at| at <= now.desk && at < seen.ends_at),
            OfferEnd::Accepted => now.desk < seen.ends_at,
            OfferEnd::Expired => now.desk >= seen.ends_at,
            OfferEnd::Undelivered => now.desk >= seen.deliver_by.min(seen.ends_at),
            OfferEnd::Rejected | OfferEnd::Withdrawn | OfferEnd::AgentLost | OfferEnd::Rescinded => true,
        };
        if in_time { Ok(()) } else { Err(format!("{offer} is {} at {:?}", end.name(), now.desk)) }
    }

    fn graces_start_once(&mut self, event: &Event, now: DeskTime) -> Result<(), String> {
        match event {
            Event::ServerBegan { grace_until, .. } => {
                let connected = self.shadow.agents().filter(|(_, held)| held.connection != Connection::Offline);
                for (agent, _) in connected {
                    self.grace.insert(agent, *grace_until);
                }
            }
            Event::NodeGone { reconnecting, grace_until, .. } => {
                for agent in reconnecting {
                    let before = self.grace.insert(*agent, *grace_until);
                    before.map_or(Ok(()), |_| Err(format!("the grace of {agent} starts twice")))?;
                }
            }
            Event::AgentReconnecting { agent, grace_until, .. } => {
                let before = self.grace.insert(*agent, *grace_until);
                before.map_or(Ok(()), |_| Err(format!("the grace of {agent} starts twice")))?;
            }
            Event::SessionCame { agent, .. } => {
                self.grace.remove(agent);
            }
            Event::AgentOffline { agent, cause, .. } => {
                let until = self.grace.remove(agent);
                if *cause == OfflineCause::GraceOver && until.is_none_or(|until| until > now) {
                    return Err(format!("the grace of {agent} is over too early"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the running desk says of what was seen from outside, and what it says of itself.
    pub fn desk_is_right(&self, desk: &Desk) -> Result<(), String> {
        desk.check()?;
        super::judge_hours::hours_are_by_the_book(desk)?;
        for (id, offer) in desk.offers() {
            let seen = self.offers.get(&id).ok_or_else(|| format!("{id} is pending and was never made"))?;
            if offer.ends_at != seen.ends_at || seen.end.is_some() {
                return Err(format!("{id} ends at {:?} and was made to end at {:?}", offer.ends_at, seen.ends_at));
            }
        }
        for (id, held) in desk.conversations() {
            let talk = self.talks.get(&id).ok_or_else(|| format!("{id} is held and was never opened"))?;
            if held.waiting_since != talk.waiting_since {
                return Err(format!("{id} lost its age"));
            }
            judge_silence::is_as_heard(id, talk, desk)?;
            judge_clocks::are_as_set(id, talk, desk)?;
            talk.rated.is_kept(id, held)?;
            if held.joined() != talk.joined {
                return Err(format!("{id} is joined by {:?} and not {:?}", held.joined(), talk.joined));
            }
            if held.state.owner() != talk.owner || held.last_number != talk.last_number {
                return Err(format!("{id} is {:?}'s and not {:?}'s", held.state.owner(), talk.owner));
            }
        }
        for (id, agent) in desk.agents() {
            let until = match agent.connection {
                Connection::Reconnecting { until } => Some(until),
                Connection::Online | Connection::Unreachable | Connection::Offline => None,
            };
            if until != self.grace.get(&id).copied() {
                return Err(format!("the grace of {id} is {until:?} and began as {:?}", self.grace.get(&id)));
            }
        }
        Ok(())
    }

    /// Replaying the whole journal gives the desk that runs, field by field.
    pub fn same_as_lived(&self, desk: &Desk) -> Result<(), String> {
        if self.shadow.now() == desk.now() && self.shadow.same_state(desk) {
            return Ok(());
        }
        let (mut shadow, mut desk) = (self.shadow.clone(), desk.clone());
        // A barrier writes down a later time than the desk has seen; a turn without events sees a later one.
        let latest = if shadow.now().desk > desk.now().desk { shadow.now() } else { desk.now() };
        shadow.replay(latest, &[], &[]);
        desk.replay(latest, &[], &[]);
        shadow.difference(&desk).map_or(Ok(()), |field| Err(format!("the replay differs from the desk in {field}")))
    }

    /// Every record that was acknowledged is there, and is the one that was.
    pub fn everything_told_is_kept(&self, journal: &FaultyJournal) -> Result<(), String> {
        if journal.last() < self.acknowledged {
            return Err(format!("record {} was acknowledged and is gone", self.acknowledged));
        }
        for (position, turn) in &self.turns {
            let stored = journal.at(*position).ok_or_else(|| format!("record {position} is gone"))?;
            if stored.turn != *turn {
                return Err(format!("record {position} is another now"));
            }
        }
        Ok(())
    }
}

/// For sabotage: move the ends of the offers made.
pub fn each_offer(events: &mut [Event], change: impl Fn(&mut DeskTime)) {
    for event in events {
        if let Event::OfferMade { ends_at, .. } = event {
            change(ends_at);
        }
    }
}

fn talk(talks: &mut BTreeMap<ConversationId, Talk>, id: ConversationId) -> Result<&mut Talk, String> {
    talks.get_mut(&id).ok_or_else(|| format!("{id} was never opened"))
}

/// What a customer may see is counted without a gap.
fn counts(id: ConversationId, talk: &mut Talk, public: Option<u32>) -> Result<(), String> {
    talk.public += 1;
    if public == Some(talk.public) { Ok(()) } else { Err(format!("{id} counts {public:?} and not {}", talk.public)) }
}
