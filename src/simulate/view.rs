//! The view as the engine sees it: rows, closed conversations, ended offers and outcomes, as of a position that lags, and
//! that falls back to what was synced when the server crashes.

use super::dice::Dice;
use super::journal::Lived;
use crate::desk::Desk;
use crate::desk::answer::{Answer, Outcome};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::Event;
use crate::desk::ids::{CommandId, ConversationId, OfferId, Principal};
use crate::desk::needs::{Loaded, Need};
use crate::desk::offer::EndedOffer;
use crate::desk::stored::{Row, RowDamaged};
use crate::desk::touched::Touched;
use crate::journal::Position;
use std::collections::{BTreeMap, VecDeque};

/// What one record changes in the view.
#[derive(Clone, Debug)]
pub struct Projected {
    position: Position,
    rows: Vec<Row>,
    conversations: Vec<(ConversationId, Vec<u8>)>,
    offers: Vec<(OfferId, EndedOffer)>,
    merged: Vec<Event>,
    outcomes: Vec<Outcome>,
}

impl Projected {
    pub fn of(desk: &Desk, touched: Touched, position: Position, lived: &Lived) -> Self {
        let ended = |event: &Event| match event {
            Event::OfferEnded { offer, conversation, agent, end, .. } => {
                Some((*offer, EndedOffer { conversation: *conversation, agent: *agent, end: *end }))
            }
            _ => None,
        };
        let rows = desk.rows(&touched, desk.now());
        let conversations = desk.touched_conversations(touched).into_iter();
        let merged = lived.events.iter().filter(|event| matches!(event, Event::CustomerMerged { .. }));
        Self {
            position,
            rows,
            conversations: conversations
                .map(|(id, held)| (id, serde_json::to_vec(&held).expect("conversations are plain values")))
                .collect(),
            offers: lived.events.iter().filter_map(ended).collect(),
            merged: merged.cloned().collect(),
            outcomes: lived.outcomes.clone(),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Shelf {
    position: Position,
    rows: BTreeMap<(&'static str, String), Vec<u8>>,
    conversations: BTreeMap<ConversationId, Vec<u8>>,
    offers: BTreeMap<OfferId, EndedOffer>,
    outcomes: BTreeMap<(Principal, CommandId), Outcome>,
}

#[derive(Debug, Default)]
pub struct View {
    shelf: Shelf,
    synced: Shelf,
    queue: VecDeque<Projected>,
}

impl View {
    pub fn position(&self) -> Position {
        self.shelf.position
    }

    pub fn push(&mut self, projected: Projected) {
        if projected.position > self.shelf.position {
            self.queue.push_back(projected);
        }
    }

    /// It works at its own pace.
    pub fn moves(&mut self, dice: &mut Dice) {
        if dice.per_mille(300) {
            let few = dice.below(self.queue.len() as u64 + 1) as usize;
            (0..few).for_each(|_| self.take_one());
        }
        if dice.per_mille(100) {
            self.synced = self.shelf.clone();
        }
    }

    pub fn catch_up(&mut self) {
        while !self.queue.is_empty() {
            self.take_one();
        }
    }

    pub fn crash(&mut self) {
        self.queue.clear();
        self.shelf = self.synced.clone();
    }

    fn take_one(&mut self) {
        let Some(projected) = self.queue.pop_front() else { return };
        let shelf = &mut self.shelf;
        shelf.position = projected.position;
        for Row { kind, id, body } in projected.rows {
            match body {
                Some(body) => shelf.rows.insert((kind, id), body),
                None => shelf.rows.remove(&(kind, id)),
            };
        }
        for event in &projected.merged {
            if let Event::CustomerMerged { into, conversations, .. } = event {
                for id in conversations {
                    let Some(mut held) = shelf.conversations.get(id).map(|body| read(body)) else { continue };
                    held.customer = *into;
                    shelf.conversations.insert(*id, serde_json::to_vec(&held).expect("plain values"));
                }
            }
        }
        shelf.conversations.extend(projected.conversations);
        shelf.offers.extend(projected.offers);
        // An import is found by its own id.
        let outcomes = projected.outcomes.into_iter().filter(|told| !matches!(told.answer, Answer::Imported { .. }));
        shelf.outcomes.extend(outcomes.map(|outcome| ((outcome.by, outcome.id), outcome)));
    }

    /// A desk as of the view's position.
    pub fn desk(&self) -> Result<Desk, RowDamaged> {
        let rows = self.shelf.rows.iter().map(|((kind, id), body)| (*kind, id.as_str(), body.as_slice()));
        let conversations = self.shelf.conversations.iter().map(|(id, body)| (*id, read(body)));
        Desk::from_rows(rows, conversations.filter(|(_, held)| held.state != State::Closed))
    }

    /// What the engine looks up before a command is decided.
    pub fn look_up(&self, needs: &[Need], loaded: &mut Loaded) {
        for need in needs {
            match need {
                Need::Conversation(id) => {
                    let held = self.shelf.conversations.get(id).map(|body| (*id, read(body)));
                    loaded.conversations.extend(held);
                }
                Need::Offer(id) => loaded.offers.extend(self.shelf.offers.get(id).map(|ended| (*id, ended.clone()))),
                Need::Outcome(by, id, _) => {
                    let found = self.shelf.outcomes.get(&(*by, *id));
                    loaded.outcomes.extend(found.map(|outcome| ((*by, *id), outcome.clone())));
                }
                Need::Import(import) | Need::ImportToGoOn(import) => {
                    let conversations = self.shelf.conversations.iter().map(|(id, body)| (*id, read(body)));
                    let is_it = |held: &Conversation| held.imported().is_some_and(|of| of.import == *import);
                    let found = conversations.filter(|(_, held)| is_it(held)).map(|found| (*import, found));
                    loaded.imports.extend(found);
                }
                Need::OfCustomer(customer) => {
                    let conversations = self.shelf.conversations.iter().map(|(id, body)| (*id, read(body)));
                    let closed = conversations.filter(|(_, c)| c.customer == *customer && c.state == State::Closed);
                    loaded.of_customer.insert(*customer, closed.map(|(id, _)| id).collect());
                }
            }
        }
    }

    pub fn forget_outcomes(&mut self) {
        self.shelf.outcomes.retain(|_, outcome| outcome.answer == Answer::Done);
    }
}

fn read(body: &[u8]) -> Conversation {
    serde_json::from_slice(body).expect("what was written is read")
}
