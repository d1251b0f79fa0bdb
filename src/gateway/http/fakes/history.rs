//! The fake workspace's view: it has reached what it was last waited for, and no more.

use super::desk::{FakeDesk, Point};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::Event;
use crate::desk::ids::{ConversationId, CustomerId, ImportId};
use crate::desk::imported::FoundImport;
use crate::gateway::http::desks::{
    Behind, EventRow, Filter, History, MessageRow, NotRead, NoteRow, Position, PublicRow, ReportFound, ReportWanted,
    Rows, Soon, Span,
};
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

type Conversations = Vec<(ConversationId, Conversation)>;

/// The first of them.
fn page<T>(mut rows: impl Iterator<Item = T>, limit: usize) -> Rows<T> {
    Rows { rows: rows.by_ref().take(limit).collect(), more: rows.next().is_some() }
}

/// The last of them.
fn last_page<T>(mut rows: Vec<T>, limit: usize) -> Rows<T> {
    let before = rows.len().saturating_sub(limit);
    Rows { rows: rows.split_off(before), more: before > 0 }
}

impl History for FakeDesk {
    fn report(&self, _: ReportWanted) -> Soon<'_, Result<ReportFound, NotRead>> {
        Box::pin(ready(Ok(ReportFound::default())))
    }
    fn wait_for(&self, position: Position, _: Duration) -> Soon<'_, Result<(), Behind>> {
        self.at(Point::WaitFor);
        let mut inside = self.inside();
        if inside.view_stuck && inside.view_position < position.0 {
            return Box::pin(ready(Err(Behind)));
        }
        inside.view_position = inside.view_position.max(position.0);
        Box::pin(ready(Ok(())))
    }
    fn open(&self, id: ConversationId) -> Option<Arc<Conversation>> {
        let found = self.inside().conversations.get(&id).cloned();
        found.filter(|found| found.state != State::Closed).map(Arc::new)
    }
    fn conversation(&self, id: ConversationId) -> Soon<'_, Result<Option<Conversation>, NotRead>> {
        self.at(Point::Conversation);
        Box::pin(ready(Ok(self.inside().conversations.get(&id).cloned())))
    }
    fn imported(&self, import: ImportId) -> Soon<'_, Result<Option<FoundImport>, NotRead>> {
        let is_it = |held: &Conversation| held.imported().is_some_and(|imported| imported.import == import);
        let found =
            self.inside().conversations.iter().find(|(_, held)| is_it(held)).map(|(id, held)| (*id, held.clone()));
        Box::pin(ready(Ok(found)))
    }
    fn conversations_of(&self, customer: CustomerId, limit: usize) -> Soon<'_, Result<Conversations, NotRead>> {
        let filter = Filter { customer: Some(customer), ..Filter::default() };
        self.search(filter, None, limit)
    }
    fn messages(&self, id: ConversationId, span: Span, limit: usize) -> Soon<'_, Result<Rows<MessageRow>, NotRead>> {
        let all = self.inside().messages.get(&id).cloned().unwrap_or_default();
        let page = match span {
            Span::After(after) => page(all.into_iter().filter(|row| row.number > after), limit),
            Span::Last => last_page(all, limit),
            Span::Before(before) => last_page(all.into_iter().filter(|row| row.number < before).collect(), limit),
        };
        Box::pin(ready(Ok(page)))
    }
    fn notes(&self, id: ConversationId, after: u32, limit: usize) -> Soon<'_, Result<Rows<NoteRow>, NotRead>> {
        let all = self.inside().events.get(&id).cloned().unwrap_or_default().into_iter();
        let rows = all.filter_map(|row| match row.event {
            Event::NotePosted { note, author, text, after, .. } => {
                Some(NoteRow { note, author, at: row.at, after, text })
            }
            _ => None,
        });
        Box::pin(ready(Ok(page(rows.filter(|row| row.note > after), limit))))
    }
    fn public_events(
        &self,
        id: ConversationId,
        after: u32,
        limit: usize,
    ) -> Soon<'_, Result<Rows<PublicRow>, NotRead>> {
        self.at(Point::PublicEvents);
        let inside = self.inside();
        let reached = inside.view_position;
        let rows = inside.public.get(&id).into_iter().flatten();
        let rows = rows.filter(|(position, row)| *position <= reached && row.public > after);
        let rows = page(rows.map(|(_, row)| row.clone()), limit);
        Box::pin(ready(Ok(rows)))
    }
    fn search(
        &self,
        filter: Filter,
        before: Option<ConversationId>,
        limit: usize,
    ) -> Soon<'_, Result<Conversations, NotRead>> {
        let inside = self.inside();
        let fits = |(id, found): &(&ConversationId, &Conversation)| {
            before.is_none_or(|before| **id < before)
                && filter.customer.is_none_or(|customer| found.customer == customer)
                && filter.state.is_none_or(|state| found.state.name() == state)
                && filter.queue.is_none_or(|queue| found.queue == queue)
        };
        let found = inside.conversations.iter().rev().filter(fits).take(limit);
        let found = found.map(|(id, found)| (*id, found.clone())).collect();
        Box::pin(ready(Ok(found)))
    }
    fn events_of(
        &self,
        id: ConversationId,
        after: Option<(Position, u32)>,
        limit: usize,
    ) -> Soon<'_, Result<Rows<EventRow>, NotRead>> {
        let all = self.inside().events.get(&id).cloned().unwrap_or_default();
        let rows = all.into_iter().filter(|row| after.is_none_or(|after| (row.position, row.index) > after));
        Box::pin(ready(Ok(page(rows, limit))))
    }
}
