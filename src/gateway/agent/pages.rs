//! What an agent's socket reads from the view: pages of messages and of notes, and the customer of a conversation that it begins.

use super::real::FULL_RETRY_MS;
use crate::desk::command::{Author, StartAsk};
use crate::desk::conversation::{Conversation, State};
use crate::desk::ids::{AgentId, CommandId, ConversationId, KeyNumber};
use crate::engine::shapes::{TEXT, clear_text, files_of, text_of};
use crate::engine::{Engine, Workspace};
use crate::presence::session::Session;
use crate::seal::{self, SealFailed};
use crate::view::{Page, ViewFailed};
use crate::wire::agent::{
    AuthorShape, DeliveryShape, Done, HistoryFrom, MessageShape, NoteShape, Reply, ServerFrame, StartFrame, render,
};
use crate::wire::error::{Code, More, WireError};
use crate::wire::files::FileShape;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How long a read waits for the view to reach what its session has seen.
const BEHIND: Duration = Duration::from_millis(1_000);
const BEHIND_RETRY_MS: u64 = 500;
/// Of one customer's conversations, the newest among which a thread is looked for.
const THREADS_LOOKED_AT_MAX: usize = 20;
/// What a message takes in a page beside its text.
const MESSAGE_BYTES: usize = 160;

pub(super) fn not_open(workspace: &Workspace, conversation: ConversationId) -> WireError {
    if workspace.was_opened(conversation) {
        let error = WireError::new(Code::WrongState, format!("the conversation {conversation} is closed"));
        WireError { more: Some(More::State(State::Closed.name().into())), ..error.at("conversation") }
    } else {
        WireError::new(Code::NoSuchConversation, format!("there is no conversation {conversation}")).at("conversation")
    }
}

/// What is written, sealed with the customer's key.
pub(super) fn sealed(
    engine: &Engine,
    KeyNumber(key): KeyNumber,
    context: &[u8],
    clear: &[u8],
) -> Result<Arc<str>, WireError> {
    let sealed = engine.keys().seal(seal::KeyNumber(key), context, clear);
    sealed.map(|sealed| Arc::from(sealed.0)).map_err(|error| {
        tracing::error!(%error, "a text could not be sealed");
        WireError::unavailable(FULL_RETRY_MS, "the customer's key cannot be read")
    })
}

fn unread(error: ViewFailed) -> WireError {
    tracing::warn!(%error, "history could not be read");
    WireError::new(Code::Behind, "history cannot be read now").after_ms(BEHIND_RETRY_MS)
}

/// The workspace, when the session may read this conversation and the view has reached what it has seen.
async fn readable(
    engine: &Engine,
    session: &Session,
    conversation: ConversationId,
) -> Result<(Arc<Workspace>, u64), WireError> {
    let workspace = engine.numbered(session.workspace).ok_or_else(WireError::internal)?;
    let not_yours = || WireError::new(Code::NotYours, format!("{conversation} is not yours")).at("conversation");
    match workspace.conversation(conversation) {
        Some(held) if may_read(session, session.agent(), &held) => {}
        Some(_) => return Err(not_yours()),
        None if !workspace.was_opened(conversation) => return Err(not_open(&workspace, conversation)),
        // Closed: nobody holds it.
        None if session.is_supervisor() => {}
        None => return Err(not_yours()),
    }
    let position = reached(engine, &workspace).await?;
    Ok((workspace, position))
}

/// The position that the view has reached: the workspace's when this was asked.
async fn reached(engine: &Engine, workspace: &Workspace) -> Result<u64, WireError> {
    let position = workspace.position().0;
    let behind = |_| WireError::new(Code::Behind, "the view has not come as far yet").after_ms(BEHIND_RETRY_MS);
    engine.view().wait_for(workspace.name(), position, BEHIND).await.map_err(behind)?;
    Ok(position)
}

/// What an agent begins with a customer: by the newest conversation that it had here.
pub(super) async fn start_of(
    engine: &Engine,
    session: &Session,
    agent: AgentId,
    frame: StartFrame,
) -> Result<StartAsk, WireError> {
    let nobody = || WireError::new(Code::NoSuchCustomer, "nobody with this id has written here").at("customer");
    let workspace = engine.numbered(session.workspace).ok_or_else(WireError::internal)?;
    reached(engine, &workspace).await?;
    let found = engine.view().conversations_of_customer(workspace.name(), frame.customer, THREADS_LOOKED_AT_MAX).await;
    let mut rows = found.map_err(unread)?.into_iter().map(|row| row.conversation);
    let mut last = rows.next().ok_or_else(nobody)?;
    // Where its messages are carried, the answer is to find it: it goes on the thread that the customer has there.
    let published = workspace.published();
    let channel = published.settings.channels.iter().position(|channel| channel.name == frame.channel);
    let on_channel = |held: &Conversation| held.line().is_some() && Some(usize::from(held.channel.0)) == channel;
    if !on_channel(&last)
        && let Some(threaded) = rows.find(on_channel)
    {
        last = threaded;
    }
    let thread = last.line().filter(|_| on_channel(&last)).map(|line| line.thread);
    let sealing = |text: String| match engine.keys().seal(seal::KeyNumber(last.key.0), TEXT, text.as_bytes()) {
        Ok(sealed) => Ok(Arc::from(sealed.0)),
        Err(SealFailed::Erased) => Err(nobody()),
        Err(_) => sealed(engine, last.key, TEXT, text.as_bytes()),
    };
    let text = frame.text.map(sealing).transpose()?;
    let StartFrame { customer, queue, channel, .. } = frame;
    Ok(StartAsk { agent, customer, key: last.key, channel, queue, about: last.about, text, thread })
}

/// Notes in ascending order, as many as fit into a frame.
pub(super) async fn notes(
    engine: &Engine,
    session: &Session,
    id: CommandId,
    conversation: ConversationId,
    after: u32,
    limit: usize,
    bytes_max: usize,
) -> Result<Utf8Bytes, WireError> {
    let (workspace, position) = readable(engine, session, conversation).await?;
    let page = engine.view().notes(workspace.name(), conversation, after, limit).await.map_err(unread)?;
    let clear: Vec<(String, Option<Arc<str>>)> = page
        .rows
        .iter()
        .map(|row| {
            let author = row.author.and_then(|author| workspace.agent_with_id(author)).map(|row| row.name);
            (clear_text(&row.text, engine.keys()), author)
        })
        .collect();
    let mut bytes = 0;
    let notes: Vec<NoteShape<'_>> = page
        .rows
        .iter()
        .zip(&clear)
        .map(|(row, (text, author))| {
            let (note, author, after) = (row.note, author.as_deref(), row.after);
            NoteShape { note, author, after, text, at: row.at.0 }
        })
        .take_while(|note| {
            bytes += escaped(note.text) + MESSAGE_BYTES;
            bytes <= bytes_max
        })
        .collect();
    let more = page.more || notes.len() < page.rows.len();
    let members = Done::Notes { notes: &notes, more };
    Ok(render(&ServerFrame::Reply(Reply::done(id, Some(position), members))))
}

fn escaped(text: &str) -> usize {
    serde_json::to_string(text).map_or(usize::MAX, |json| json.len())
}

/// Whether the session may read this conversation: its owner, whom it is offered to, and supervisors.
fn may_read(session: &Session, agent: Option<AgentId>, conversation: &Conversation) -> bool {
    session.is_supervisor() || agent.is_some_and(|agent| conversation.is_held_by(agent))
}

/// Messages in ascending order, as many as fit into a frame, from the end that the page begins at.
pub(super) async fn messages(
    engine: &Engine,
    session: &Session,
    id: CommandId,
    conversation: ConversationId,
    from: HistoryFrom,
    limit: usize,
    bytes_max: usize,
) -> Result<Utf8Bytes, WireError> {
    let (workspace, position) = readable(engine, session, conversation).await?;
    let page = match from {
        HistoryFrom::End => Page::Last,
        HistoryFrom::After(number) => Page::After(number),
        HistoryFrom::Before(number) => Page::Before(number),
    };
    let read = engine.view().messages(workspace.name(), conversation, page, limit).await;
    let mut page_rows = read.map_err(unread)?;
    let keys = engine.keys();
    let held = match workspace.conversation(conversation) {
        Some(held) => Some(held),
        None => engine.view().conversation(workspace.name(), conversation).await.map_err(unread)?.map(Arc::new),
    };
    let clear: Vec<(String, Option<Arc<str>>, Vec<FileShape>)> = page_rows
        .rows
        .iter()
        .map(|row| {
            let name = match row.author {
                Author::Agent(agent) => workspace.agent_with_id(agent).map(|row| row.name),
                Author::Customer(_) | Author::System(_) => None,
            };
            (text_of(row.author, &row.text, keys), name, files_of(&row.files, keys))
        })
        .collect();
    let mut bytes = 0;
    let mut fits = |(text, _, files): &&(String, Option<Arc<str>>, Vec<FileShape>)| {
        bytes += escaped(text) + MESSAGE_BYTES + files.iter().map(FileShape::bytes_in_json).sum::<usize>();
        bytes <= bytes_max
    };
    let from_the_end = !matches!(from, HistoryFrom::After(_));
    let count = if from_the_end {
        clear.iter().rev().take_while(&mut fits).count()
    } else {
        clear.iter().take_while(&mut fits).count()
    };
    page_rows.more |= count < clear.len();
    let skip = if from_the_end { clear.len() - count } else { 0 };
    let messages: Vec<MessageShape<'_>> = page_rows
        .rows
        .iter()
        .zip(&clear)
        .skip(skip)
        .take(count)
        .map(|(row, (text, name, files))| MessageShape {
            number: row.number,
            author: match row.author {
                Author::Agent(_) => AuthorShape::Agent(name.as_deref().unwrap_or("")),
                Author::Customer(customer) => AuthorShape::Customer(customer),
                Author::System(notice) => AuthorShape::System(notice.name()),
            },
            text,
            at: row.at.0,
            files,
            delivery: held.as_ref().and_then(|held| held.sent(row.number)).map(DeliveryShape::from),
        })
        .collect();
    let members = Done::History { messages: &messages, more: page_rows.more };
    Ok(render(&ServerFrame::Reply(Reply::done(id, Some(position), members))))
}
