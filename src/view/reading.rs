//! The view's reads, each in one read transaction on a blocking thread.

use super::View;
use super::failed::ViewFailed;
use super::history::{self, EventRow, MessageRow, NoteRow, Page, PublicRow, Rows, Texts};
use super::load::{self, Found, Stored, Wanted};
use super::search::{self, ConversationRow, Filter, Hits};
use super::{imported, outcomes, reports};
use crate::desk::conversation::Conversation;
use crate::desk::ids::{ConversationId, CustomerId, ImportId};
use crate::desk::imported::FoundImport;
use rusqlite::Connection;

/// Texts that one page of a search by words brings into memory.
const TEXTS_BYTES_MAX: usize = 4 << 20;

impl View {
    /// Everything that the desk starts from; empty, at position 0, for a workspace that is not known.
    pub async fn load(&self, workspace: &str) -> Result<Stored, ViewFailed> {
        let Some((number, _)) = self.directory.find(workspace) else { return Ok(Stored::default()) };
        self.engine.read(self.settings.load_time, move |connection| load::load(connection, number)).await
    }

    /// What a turn's commands name that the desk no longer holds, in one trip.
    pub async fn look_up(&self, workspace: &str, wanted: Wanted) -> Result<Found, ViewFailed> {
        let Some((number, wall_ms)) = self.directory.find(workspace) else {
            return Ok(Found {
                position: 0,
                conversations: wanted.conversations.iter().map(|_| None).collect(),
                offers: wanted.offers.iter().map(|_| None).collect(),
                outcomes: wanted.outcomes.iter().map(|_| None).collect(),
                imports: wanted.imports.iter().map(|_| None).collect(),
            });
        };
        let rows_of = |(by, id, _): &(_, _, _)| outcomes::unsorted(&self.unsorted, wall_ms, *by, *id);
        let unsorted: Vec<Vec<i64>> = wanted.outcomes.iter().map(rows_of).collect();
        let look = move |connection: &Connection| load::look_up(connection, number, wall_ms, &wanted, &unsorted);
        self.engine.read(self.settings.read_time, look).await
    }

    /// A page of a conversation's messages, ascending. `limit` is cut to `PAGE_ROWS_MAX`; a conversation that is not
    /// known has none.
    pub async fn messages(
        &self,
        workspace: &str,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<Rows<MessageRow>, ViewFailed> {
        self.of_one(workspace, conversation, Rows::none, move |connection, key| {
            history::messages(connection, key, page, limit)
        })
        .await
    }

    /// The conversation's internal notes after that one, ascending.
    pub async fn notes(
        &self,
        workspace: &str,
        conversation: ConversationId,
        after: u32,
        limit: usize,
    ) -> Result<Rows<NoteRow>, ViewFailed> {
        self.of_one(workspace, conversation, Rows::none, move |connection, key| {
            history::notes(connection, key, after, limit)
        })
        .await
    }

    /// What the conversation's customer may see, after that number, ascending.
    pub async fn public_events(
        &self,
        workspace: &str,
        conversation: ConversationId,
        after: u32,
        limit: usize,
    ) -> Result<Rows<PublicRow>, ViewFailed> {
        self.of_one(workspace, conversation, Rows::none, move |connection, key| {
            history::public_events(connection, key, after, limit)
        })
        .await
    }

    /// The conversation's events, ascending, after that position and index.
    pub async fn events_of(
        &self,
        workspace: &str,
        conversation: ConversationId,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Rows<EventRow>, ViewFailed> {
        self.of_one(workspace, conversation, Rows::none, move |connection, key| {
            history::events(connection, key, after, limit)
        })
        .await
    }

    pub async fn conversation(&self, workspace: &str, id: ConversationId) -> Result<Option<Conversation>, ViewFailed> {
        self.of_one(workspace, id, || None, load::conversation).await
    }

    /// What another system's conversation became here.
    pub async fn imported(&self, workspace: &str, import: ImportId) -> Result<Option<FoundImport>, ViewFailed> {
        let Some((number, _)) = self.directory.find(workspace) else { return Ok(None) };
        let look = move |connection: &Connection| imported::find(connection, number, import);
        self.people.read(self.settings.read_time, look).await
    }

    /// Newest first.
    pub async fn conversations_of_customer(
        &self,
        workspace: &str,
        customer: CustomerId,
        limit: usize,
    ) -> Result<Vec<ConversationRow>, ViewFailed> {
        let filter = Filter { customer: Some(customer), ..Filter::default() };
        Ok(self.search(workspace, filter, None, limit).await?.rows)
    }

    /// A report. `None` for a workspace that the view does not know.
    pub async fn report(&self, workspace: &str, wanted: reports::Wanted) -> Result<Option<reports::Found>, ViewFailed> {
        let Some((number, _)) = self.directory.find(workspace) else { return Ok(None) };
        let look = move |connection: &Connection| reports::report(connection, number, &wanted).map(Some);
        self.reporters.read(self.settings.report_time, look).await
    }

    /// A page of the conversations that fit, newest first, older than `cursor`. A page with few rows, or none, may still
    /// have a `next`: a page looks at a bounded number of conversations.
    pub async fn search(
        &self,
        workspace: &str,
        filter: Filter,
        cursor: Option<ConversationId>,
        limit: usize,
    ) -> Result<Hits, ViewFailed> {
        let Some((number, _)) = self.directory.find(workspace) else { return Ok(Hits::default()) };
        let look = move |connection: &Connection| search::search(connection, number, &filter, cursor, limit);
        self.people.read(self.settings.read_time, look).await
    }

    /// Sealed texts for a search by words: of these conversations in this order, as many as fit into 4 MiB, but of one at
    /// least. The caller unseals them, and asks again for the conversations that are missing at the end.
    pub async fn texts(&self, workspace: &str, conversations: Vec<ConversationId>) -> Result<Vec<Texts>, ViewFailed> {
        let Some((number, _)) = self.directory.find(workspace) else { return Ok(Vec::new()) };
        let look = move |connection: &Connection| {
            let (mut found, mut bytes) = (Vec::new(), 0);
            for conversation in conversations {
                if bytes >= TEXTS_BYTES_MAX {
                    break;
                }
                let (texts, all) = match number.conversation(conversation) {
                    Ok(key) => history::texts(connection, key, TEXTS_BYTES_MAX - bytes)?,
                    Err(_) => (Vec::new(), true),
                };
                if !all && !found.is_empty() {
                    break;
                }
                bytes += texts.iter().map(|text| text.len()).sum::<usize>();
                found.push(Texts { conversation, texts, all });
            }
            Ok(found)
        };
        self.people.read(self.settings.read_time, look).await
    }

    async fn of_one<T: Send + 'static>(
        &self,
        workspace: &str,
        conversation: ConversationId,
        nothing: impl FnOnce() -> T,
        read: impl FnOnce(&Connection, i64) -> Result<T, ViewFailed> + Send + 'static,
    ) -> Result<T, ViewFailed> {
        let key = self.directory.find(workspace).and_then(|(number, _)| number.conversation(conversation).ok());
        let Some(key) = key else { return Ok(nothing()) };
        self.people.read(self.settings.read_time, move |connection| read(connection, key)).await
    }
}
