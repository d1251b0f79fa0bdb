//! Agents: they come with several devices, fall silent, confirm, accept, reject, answer late, and go away.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Author, Closer};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, ConversationId, OfferId, SessionId};
use crate::desk::refusal::Refusal;
use crate::simulate::dice::Dice;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A silent connection is found out after this.
const SILENT_MS: u64 = 20_000;

#[derive(Debug)]
pub struct AgentModel {
    id: AgentId,
    name: Arc<str>,
    sessions: Vec<SessionId>,
    /// Broken, and not found out by the server before the time.
    silent: Vec<(SessionId, u64)>,
    pub gone_until_ms: u64,
    /// Whether its delivery was confirmed.
    offers: BTreeMap<OfferId, bool>,
    past_offers: VecDeque<OfferId>,
    conversations: BTreeSet<ConversationId>,
    coming: BTreeSet<SessionId>,
    /// Gone, and on its way to being told.
    leaving: BTreeSet<SessionId>,
}

impl AgentModel {
    pub fn new(id: AgentId) -> Self {
        Self {
            id,
            name: id.to_string().into(),
            sessions: Vec::new(),
            silent: Vec::new(),
            gone_until_ms: 0,
            offers: BTreeMap::new(),
            past_offers: VecDeque::new(),
            conversations: BTreeSet::new(),
            coming: BTreeSet::new(),
            leaving: BTreeSet::new(),
        }
    }

    pub fn act(&mut self, dice: &mut Dice, now_ms: u64, calm: bool, desk: &Desk, fresh: SessionId) -> Vec<Ask> {
        let agent = self.id;
        if let Some(place) = self.silent.iter().position(|(_, found_out_ms)| *found_out_ms <= now_ms) {
            let (session, _) = self.silent.remove(place);
            self.leaving.insert(session);
            return vec![Ask::SessionWent { agent, session }];
        }
        if self.sessions.is_empty() {
            let comes = self.coming.is_empty() && now_ms >= self.gone_until_ms && (calm || dice.per_mille(300));
            return if comes { vec![self.come(fresh)] } else { Vec::new() };
        }
        if calm { self.work_well(desk) } else { self.work(dice, now_ms, fresh) }
    }

    fn come(&mut self, session: SessionId) -> Ask {
        self.coming.insert(session);
        Ask::SessionCame { agent: self.name.clone(), session, title: None }
    }

    /// Does whatever there is to do, at once.
    fn work_well(&mut self, desk: &Desk) -> Vec<Ask> {
        let agent = self.id;
        let Some(held) = desk.agent(agent) else { return Vec::new() };
        if held.connection == Connection::Unreachable {
            // Whoever sits there sees what its client shows.
            return vec![Ask::Ready { agent }];
        }
        let all = (1_u16 << desk.settings().channels.len()) - 1;
        if !desk.settings().statuses[usize::from(held.status.0)].available || held.channels != all {
            let channels = desk.settings().channels.iter().map(|channel| channel.name.clone()).collect();
            return vec![Ask::SetStatus { agent, status: "available".into(), channels: Some(channels) }];
        }
        if let Some(offer) = self.offers.keys().next() {
            return vec![Ask::Accept { agent, offer: *offer }];
        }
        let Some(conversation) = self.conversations.iter().next().copied() else { return Vec::new() };
        vec![match desk.conversation(conversation).map(|held| held.state.name()) {
            Some("wrap_up") => Ask::WrapUpDone { agent, conversation },
            _ => Ask::Close { conversation, by: Closer::Agent(agent) },
        }]
    }

    fn work(&mut self, dice: &mut Dice, now_ms: u64, fresh: SessionId) -> Vec<Ask> {
        let agent = self.id;
        let offers: Vec<(OfferId, bool)> = self.offers.iter().map(|(id, seen)| (*id, *seen)).collect();
        let held: Vec<ConversationId> = self.conversations.iter().copied().collect();
        let conversation = dice.pick(&held).copied();
        let offer = dice.pick(&offers).copied();
        match dice.below(1_000) {
            0..=299 => match offer {
                Some((offer, false)) => vec![Ask::ConfirmDelivery { agent, offer }],
                _ => Vec::new(),
            },
            300..=419 => {
                let Some((offer, _)) = offer else { return Vec::new() };
                let accept = Ask::Accept { agent, offer };
                // Two devices at once, now and then.
                if dice.per_mille(150) { vec![accept.clone(), accept] } else { vec![accept] }
            }
            420..=449 => match offer {
                Some((offer, _)) => {
                    let reason = *dice.pick(&["busy", "not_mine", "no_such_reason"]).unwrap_or(&"busy");
                    vec![Ask::Reject { agent, offer, reason: reason.into() }]
                }
                None => Vec::new(),
            },
            450..=469 => {
                let past: Vec<OfferId> = self.past_offers.iter().copied().collect();
                let Some(offer) = dice.pick(&past).copied() else { return Vec::new() };
                match dice.below(3) {
                    0 => vec![Ask::Accept { agent, offer }],
                    1 => vec![Ask::Reject { agent, offer, reason: "busy".into() }],
                    _ => vec![Ask::ConfirmDelivery { agent, offer }],
                }
            }
            470..=474 => vec![Ask::Accept { agent, offer: OfferId(dice.between(1, 60)) }],
            475..=554 => {
                let channels = match dice.below(4) {
                    0 => Some(vec!["chat".into(), "email".into(), "voice".into()]),
                    1 if dice.per_mille(200) => Some(vec!["chat".into()]),
                    _ => None,
                };
                vec![Ask::SetStatus { agent, status: "available".into(), channels }]
            }
            555..=564 => vec![Ask::SetStatus { agent, status: "away".into(), channels: None }],
            565..=624 => with(conversation, |conversation| Ask::Post {
                conversation,
                author: Author::Agent(agent),
                text: "hello".into(),
            }),
            625..=644 => {
                with(conversation, |conversation| Ask::Read { conversation, reader: Author::Agent(agent), number: 1 })
            }
            645..=654 => with(conversation, |conversation| Ask::Typing { conversation, author: Author::Agent(agent) }),
            655..=694 => with(conversation, |conversation| Ask::Close { conversation, by: Closer::Agent(agent) }),
            695..=714 => with(conversation, |conversation| Ask::WrapUpDone { agent, conversation }),
            715..=719 => vec![Ask::SignOut { agent }],
            720..=739 => vec![Ask::Ready { agent }],
            740..=754 => vec![self.come(fresh)],
            755..=779 => {
                let Some(session) = self.sessions.pop() else { return Vec::new() };
                self.gone_until_ms = now_ms + dice.between(0, 30_000);
                self.leaving.insert(session);
                vec![Ask::SessionWent { agent, session }]
            }
            780..=789 => {
                self.silent.extend(self.sessions.drain(..).map(|session| (session, now_ms + SILENT_MS)));
                self.gone_until_ms = now_ms + dice.between(0, 60_000);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub fn hear(&mut self, ask: &Ask, result: &Result<Answer, Refusal>, desk: &Desk) {
        match (ask, result) {
            (Ask::SessionCame { session, .. }, Ok(_)) => {
                self.coming.remove(session);
                self.sessions.push(*session);
                // The snapshot that comes with the welcome.
                let Some(held) = desk.agent(self.id) else { return };
                self.offers = held.offers.iter().map(|offer| (*offer, false)).collect();
                self.conversations = held.conversations.iter().copied().collect();
            }
            (Ask::SessionCame { session, .. }, Err(_)) => {
                self.coming.remove(session);
            }
            (Ask::SessionWent { session, .. }, _) => {
                self.leaving.remove(session);
            }
            (Ask::SignOut { .. }, Ok(_)) => self.closed_by_server(desk),
            (Ask::ConfirmDelivery { offer, .. }, Ok(_)) => {
                self.offers.entry(*offer).and_modify(|seen| *seen = true);
            }
            (Ask::Close { conversation, .. } | Ask::WrapUpDone { conversation, .. }, Err(_)) => {
                let owner = desk.conversation(*conversation).and_then(|held| held.state.owner());
                self.conversations.retain(|held| held != conversation || owner == Some(self.id));
            }
            _ => {}
        }
    }

    pub fn hear_event(&mut self, event: &Event, desk: &Desk) {
        match event {
            Event::OfferMade { offer, .. } => {
                self.offers.insert(*offer, false);
            }
            Event::OfferEnded { offer, conversation, end, .. } => {
                self.offers.remove(offer);
                self.past_offers.push_back(*offer);
                if self.past_offers.len() > 20 {
                    self.past_offers.pop_front();
                }
                if *end == OfferEnd::Accepted {
                    self.conversations.insert(*conversation);
                }
            }
            Event::ConversationEnded { conversation, wrap_up_until: None, .. }
            | Event::WrapUpEnded { conversation, .. }
            | Event::ConversationRequeued { conversation, .. } => {
                self.conversations.remove(conversation);
            }
            Event::AgentOffline { .. } => {
                self.closed_by_server(desk);
            }
            _ => {}
        }
    }

    /// Deactivated, signed out or away for too long: those that the desk no longer knows are closed (one that came in
    /// the same turn, after that, is not).
    fn closed_by_server(&mut self, desk: &Desk) {
        let known = |session: &SessionId| desk.agent(self.id).is_some_and(|held| held.sessions.contains(session));
        self.sessions.retain(known);
        self.silent.retain(|(session, _)| known(session));
    }

    pub fn did_not_come_in(&mut self, session: SessionId) {
        self.coming.remove(&session);
    }

    pub fn server_is_gone(&mut self) {
        self.sessions.clear();
        self.silent.clear();
        self.coming.clear();
        self.leaving.clear();
    }

    /// Its own: connected, on its way in, or broken and not found out yet.
    pub fn knows(&self, session: SessionId) -> bool {
        self.sessions.contains(&session)
            || self.coming.contains(&session)
            || self.silent.iter().any(|(silent, _)| *silent == session)
            || self.leaving.contains(&session)
    }
}

fn with(conversation: Option<ConversationId>, ask: impl FnOnce(ConversationId) -> Ask) -> Vec<Ask> {
    conversation.map(ask).into_iter().collect()
}
