//! Agents: they come with several devices, fall silent, confirm, accept, reject, answer late, and go away.

use crate::desk::Desk;
use crate::desk::agent::Connection;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Author, Closer, StartAsk, Worker};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::files::Attachments;
use crate::desk::ids::{AgentId, ConversationId, CustomerId, KeyNumber, NodeNumber, OfferId, SessionId};
use crate::desk::labels::{FieldValue, LabelAsk, LabelChange, ThenEnd};
use crate::desk::moves::{Deed, MoveAsk, Mover};
use crate::desk::own::OwnCursor;
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
        if calm { self.work_well(desk) } else { self.work(dice, now_ms, fresh, desk) }
    }

    fn come(&mut self, session: SessionId) -> Ask {
        self.coming.insert(session);
        Ask::SessionCame { agent: self.name.clone(), session, title: None }
    }

    /// Does whatever there is to do, at once.
    fn work_well(&mut self, desk: &Desk) -> Vec<Ask> {
        let agent = self.id;
        let Some(held) = desk.agent(agent) else { return Vec::new() };
        // Whoever is there says so, since somebody may wait for this agent alone.
        if held.connection == Connection::Unreachable {
            return vec![Ask::Ready { agent }];
        }
        let all = (1_u16 << desk.settings().channels.len()) - 1;
        let available = desk.settings().statuses[usize::from(held.status.0)].available && held.next_status.is_none();
        if !available || held.channels != all {
            let channels = desk.settings().channels.iter().map(|channel| channel.name.clone()).collect();
            return vec![Ask::SetStatus { agent, status: "available".into(), channels: Some(channels) }];
        }
        if let Some(offer) = self.offers.keys().next() {
            return vec![Ask::Accept { agent, offer: *offer }];
        }
        let Some(conversation) = self.conversations.iter().next().copied() else { return Vec::new() };
        vec![match desk.conversation(conversation).map(|held| held.state.name()) {
            Some("wrap_up") => {
                labels(conversation, Mover::Agent(agent), offered(desk, conversation), ThenEnd::WrapUp, desk)
            }
            // What it has only joined is its owner's to end.
            _ if desk.conversation(conversation).is_some_and(|held| held.joined() == Some(agent)) => {
                Ask::Move(MoveAsk { conversation, by: Mover::Agent(agent), deed: Deed::Leave })
            }
            _ => labels(conversation, Mover::Agent(agent), offered(desk, conversation), ThenEnd::Talk, desk),
        }]
    }

    fn work(&mut self, dice: &mut Dice, now_ms: u64, fresh: SessionId, desk: &Desk) -> Vec<Ask> {
        let agent = self.id;
        let offers: Vec<(OfferId, bool)> = self.offers.iter().map(|(id, seen)| (*id, *seen)).collect();
        let held: Vec<ConversationId> = self.conversations.iter().copied().collect();
        let conversation = dice.pick(&held).copied();
        let offer = dice.pick(&offers).copied();
        // What a colleague gives it, it mostly takes.
        let given =
            |id: &OfferId| desk.offer(*id).and_then(|held| desk.conversation(held.conversation)?.transfer()).is_some();
        if let Some((offer, _)) = offer.filter(|(id, _)| given(id))
            && dice.per_mille(150)
        {
            return vec![Ask::Accept { agent, offer }];
        }
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
                files: Attachments::default(),
            }),
            625..=644 => {
                with(conversation, |conversation| Ask::Read { conversation, reader: Author::Agent(agent), number: 1 })
            }
            645..=654 => with(conversation, |conversation| Ask::Typing {
                conversation,
                author: Author::Agent(agent),
                draft: None,
            }),
            655..=694 => with(conversation, |conversation| Ask::Close { conversation, by: Closer::Agent(agent) }),
            695..=709 => with(conversation, |conversation| {
                let by = if dice.per_mille(900) { Worker::Owner(agent) } else { Worker::Supervisor(agent) };
                Ask::WrapUpDone { conversation, by }
            }),
            710..=714 | 945..=964 => {
                with(self.one_that_wraps_up(desk), |conversation| Ask::ExtendWrapUp { agent, conversation })
            }
            860..=869 | 985..=994 => {
                let status = *dice.pick(&[Some("away"), Some("away"), Some("available"), None]).unwrap_or(&None);
                vec![Ask::SetNextStatus { agent, status: status.map(Into::into) }]
            }
            870..=874 => {
                let status = if dice.per_mille(500) { "available" } else { "away" };
                let (other, by) = (format!("a{}", dice.below(4)).into(), Mover::Supervisor(agent));
                vec![Ask::ForceStatus { agent: other, status: status.into(), by }]
            }
            830..=859 => with(conversation, |conversation| {
                let by = if dice.per_mille(900) { Mover::Agent(agent) } else { Mover::Supervisor(agent) };
                let then = *dice.pick(&[ThenEnd::Nothing, ThenEnd::Talk, ThenEnd::WrapUp]).unwrap_or(&ThenEnd::Nothing);
                let code = *dice.pick(&["solved", "spam", ""]).unwrap_or(&"");
                labels(conversation, by, Some(code.into()), then, desk)
            }),
            715..=719 | 995..=999 => {
                self.gone_until_ms = now_ms + dice.between(0, 40_000);
                vec![Ask::SignOut { agent }]
            }
            720..=739 => vec![Ask::Ready { agent }],
            740..=754 => vec![self.come(fresh)],
            755..=779 => {
                let Some(session) = self.sessions.pop() else { return Vec::new() };
                self.gone_until_ms = now_ms + dice.between(0, 30_000);
                self.leaving.insert(session);
                vec![Ask::SessionWent { agent, session }]
            }
            965..=984 => self.talks_alone_again(dice, desk).into_iter().collect(),
            790..=829 | 875..=939 => self.move_on(dice, conversation, desk),
            940..=944 => {
                let wraps_up =
                    desk.conversations().filter(|(_, held)| held.state.name() == "wrap_up").map(|(id, _)| id);
                let any = dice.pick(&wraps_up.collect::<Vec<_>>()).copied();
                with(any, |conversation| Ask::WrapUpDone { conversation, by: Worker::Supervisor(agent) })
            }
            780..=789 => {
                self.silent.extend(self.sessions.drain(..).map(|session| (session, now_ms + SILENT_MS)));
                self.gone_until_ms = now_ms + dice.between(0, 60_000);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Where two talk, one of them soon does not.
    fn talks_alone_again(&self, dice: &mut Dice, desk: &Desk) -> Option<Ask> {
        let (conversation, joined) = self.conversations.iter().find_map(|id| {
            let joined = desk.conversation(*id)?.joined()?;
            Some((*id, joined))
        })?;
        let deed = match joined {
            joined if joined == self.id => Deed::Leave,
            _ if dice.per_mille(700) => Deed::HandOver,
            _ => Deed::CancelTransfer,
        };
        Some(Ask::Move(MoveAsk { conversation, by: Mover::Agent(self.id), deed }))
    }

    fn one_that_wraps_up(&self, desk: &Desk) -> Option<ConversationId> {
        let mut own = self.conversations.iter().copied();
        own.find(|id| desk.conversation(*id).is_some_and(|held| held.state.name() == "wrap_up"))
    }

    /// Transfers, picks, claims, notes and begins, rightly and wrongly.
    fn move_on(&self, dice: &mut Dice, own: Option<ConversationId>, desk: &Desk) -> Vec<Ask> {
        let agent = self.id;
        // Mostly one who could have it.
        let able = desk.agents().filter(|(id, held)| *id != agent && held.is_able(desk.settings())).map(|(id, _)| id);
        let able = dice.pick(&able.collect::<Vec<_>>()).copied().filter(|_| dice.per_mille(700));
        let other: Arc<str> = able.unwrap_or(AgentId(dice.below(4) as u32)).to_string().into();
        let queue: Arc<str> = (*dice.pick(&["support", "support", "sales"]).unwrap_or(&"support")).into();
        let open: Vec<ConversationId> = desk.conversations().map(|(id, _)| id).collect();
        // Mostly its own, where it has any.
        let any = own.filter(|_| dice.per_mille(700)).or_else(|| dice.pick(&open).copied());
        let conversation = any.unwrap_or(ConversationId(dice.between(1, 30)));
        let by = if dice.per_mille(200) { Mover::Supervisor(agent) } else { Mover::Agent(agent) };
        let deed = match dice.below(24) {
            0..=6 => Deed::TransferToAgent { agent: other, warm: dice.per_mille(600) },
            7..=8 => {
                let waiting_since = dice.per_mille(300).then(|| desk.now().wall);
                Deed::TransferToQueue { queue, waiting_since }
            }
            9..=10 => Deed::CancelTransfer,
            11..=13 => Deed::HandOver,
            14 => Deed::Leave,
            15..=17 => {
                let waiting: Vec<ConversationId> = desk.queues().flat_map(|(id, _)| desk.waiting_in(id)).collect();
                let conversation = dice.pick(&waiting).copied().unwrap_or(conversation);
                return vec![Ask::Move(MoveAsk { conversation, by: Mover::Agent(agent), deed: Deed::Pick })];
            }
            18..=20 => {
                let owner = desk.conversation(conversation).and_then(|held| held.state.owner());
                let expected_owner = owner.filter(|_| dice.per_mille(850)).map(|owner| owner.to_string().into());
                let to = dice.per_mille(500).then_some(other);
                let deed = Deed::Assign { to, expected_owner, force: dice.per_mille(400) };
                return vec![Ask::Move(MoveAsk { conversation, by: Mover::Supervisor(agent), deed })];
            }
            21 => {
                let customer = CustomerId(u128::from(dice.between(1, 5)));
                let (key, channel) = (KeyNumber(1), "chat".into());
                let text = dice.per_mille(500).then(|| "good morning".into());
                return vec![Ask::Start(Box::new(StartAsk {
                    agent,
                    customer,
                    key,
                    channel,
                    queue,
                    about: None,
                    text,
                    thread: None,
                }))];
            }
            22 if dice.per_mille(500) => return vec![Ask::ListOwn { agent, after: OwnCursor::default() }],
            22 => return vec![Ask::ListWaiting { by, queue, after: None, limit: 5 }],
            _ => return vec![Ask::Note { conversation, by, text: "between us".into() }],
        };
        vec![Ask::Move(MoveAsk { conversation, by, deed })]
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
            (Ask::Label(ask), Err(_)) => self.forget_what_is_not_mine(ask.conversation, desk),
            (Ask::Close { conversation, .. } | Ask::WrapUpDone { conversation, .. }, Err(_)) => {
                self.forget_what_is_not_mine(*conversation, desk);
            }
            _ => {}
        }
    }

    fn forget_what_is_not_mine(&mut self, conversation: ConversationId, desk: &Desk) {
        let mine = desk.conversation(conversation).is_some_and(|held| held.is_talked_in_by(self.id));
        self.conversations.retain(|held| *held != conversation || mine);
    }

    pub fn hear_event(&mut self, event: &Event, desk: &Desk) {
        match event {
            // Its own conversation, which another was asked to take.
            Event::OfferMade { agent, .. } if *agent != self.id => {}
            Event::OfferMade { offer, .. } => {
                self.offers.insert(*offer, false);
            }
            Event::OfferEnded { conversation, agent, end, transfer, .. } if *agent != self.id => {
                let lost = *end == OfferEnd::Accepted && !transfer.is_some_and(|transfer| transfer.warm);
                if lost {
                    self.conversations.remove(conversation);
                }
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
            Event::ConversationTaken { conversation, to, .. }
            | Event::ConversationHandedOver { conversation, to, .. }
                if *to == self.id =>
            {
                self.conversations.insert(*conversation);
            }
            Event::ConversationTaken { conversation, .. }
            | Event::ConversationHandedOver { conversation, .. }
            | Event::ConversationTransferred { conversation, .. } => {
                self.conversations.remove(conversation);
            }
            Event::ConversationLeft { conversation, agent, .. } if *agent == self.id => {
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

    /// Whether a session is on its way in there: nobody can tell whether it came before the node went.
    pub fn comes_to(&self, node: NodeNumber) -> bool {
        self.coming.iter().any(|session| session.node() == node)
    }

    /// A node of the cluster is gone. What the desk still has of it is on its way to being told.
    pub fn node_is_gone(&mut self, node: NodeNumber) {
        self.silent.retain(|(session, _)| session.node() != node);
        self.leaving.extend(self.sessions.extract_if(.., |session| session.node() == node));
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

/// A disposition that the conversation's queue offers.
fn offered(desk: &Desk, conversation: ConversationId) -> Option<Arc<str>> {
    let queue = desk.queue(desk.conversation(conversation)?.queue)?;
    queue.settings.labels.offered(&desk.settings().labels).first().cloned()
}

/// With a value for every field that may be required.
fn labels(conversation: ConversationId, by: Mover, disposition: Option<Arc<str>>, then: ThenEnd, desk: &Desk) -> Ask {
    let tags = (then == ThenEnd::Nothing).then(|| vec!["vip".into()]);
    let mut change = LabelChange { disposition, tags, ..LabelChange::default() };
    let required = desk.settings().labels.fields.iter().filter(|field| field.required);
    change.fields.extend(required.map(|field| (field.name.clone(), Some(FieldValue::Number("7".into())))));
    Ask::Label(Box::new(LabelAsk { conversation, by, change, then }))
}

fn with(conversation: Option<ConversationId>, ask: impl FnOnce(ConversationId) -> Ask) -> Vec<Ask> {
    conversation.map(ask).into_iter().collect()
}
