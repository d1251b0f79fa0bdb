//! Events become rows. Derived from the events alone, so that a journal read twice gives the same view; a turn
//! that the view already holds is left out by its position, which is stored in the same transaction.

use super::batch::CommittedTurn;
use super::failed::{OrFailed, ViewFailed};
use super::keys::{TooLarge, WorkspaceNumber, command_hash, place};
use super::outcomes::{self, remembered_bytes};
use super::sorting::Recent;
use crate::desk::answer::Outcome;
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, ConversationId, CustomerId, OfferId, Principal};
use crate::desk::time::WallTime;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeSet, HashMap};

/// What a conversation's own row does not tell: seen in the events of one batch.
#[derive(Default)]
pub(super) struct Seen {
    /// Who accepted it last.
    pub owners: HashMap<ConversationId, AgentId>,
    /// When it was closed last, in Unix milliseconds.
    pub closed_at: HashMap<ConversationId, u64>,
    /// Conversations that are somebody else's now.
    pub merged: Vec<(ConversationId, CustomerId)>,
    /// Conversations that came from elsewhere.
    pub imported: BTreeSet<ConversationId>,
    /// Conversations that were labelled or rated.
    pub labelled: BTreeSet<ConversationId>,
}

/// Writes one turn. An event that cannot be kept is left out with a complaint: it stops nobody else's.
pub(super) fn turn(
    connection: &Connection,
    workspace: WorkspaceNumber,
    turn: &CommittedTurn,
    seen: &mut Seen,
    recent: &mut Recent,
) -> Result<(), ViewFailed> {
    for (index, event) in turn.events.iter().enumerate() {
        match one_event(connection, workspace, turn, index, event, seen) {
            Ok(()) => {}
            Err(OneFailed::Event(why)) => {
                metrics::counter!("offhook_view_events_left_out_total").increment(1);
                tracing::error!(position = turn.position, index, why, "an event is not in the view");
            }
            Err(OneFailed::View(failed)) => return Err(failed),
        }
    }
    for outcome in &turn.outcomes {
        if outcome.by != Principal::Server && !lives_with_its_message(turn, outcome) {
            outcomes::insert(connection, recent, workspace, turn.now.wall, outcome)?;
        }
    }
    Ok(())
}

enum OneFailed {
    Event(&'static str),
    View(ViewFailed),
}

impl From<ViewFailed> for OneFailed {
    fn from(failed: ViewFailed) -> Self {
        OneFailed::View(failed)
    }
}

impl From<TooLarge> for OneFailed {
    fn from(TooLarge: TooLarge) -> Self {
        OneFailed::Event("a number in it is larger than any that we give")
    }
}

/// A posted message keeps its outcome, and an import is found by its own id; the start of a conversation is asked about without one, so it is kept here too.
fn lives_with_its_message(turn: &CommittedTurn, outcome: &Outcome) -> bool {
    use crate::desk::answer::Answer;
    let (conversation, number) = match outcome.answer {
        Answer::Posted { conversation, number, .. } => (conversation, number),
        Answer::Imported { .. } => return true,
        _ => return false,
    };
    turn.events.iter().any(|event| {
        matches!(event, Event::MessagePosted { conversation: c, number: n, .. } if (*c, *n) == (conversation, number))
    })
}

/// What of an event goes into columns.
#[derive(Default, Clone, Copy)]
struct Columns {
    number: Option<i64>,
    public: Option<u32>,
    /// When it was, if not with its turn.
    at: Option<WallTime>,
}

fn one_event(
    connection: &Connection,
    workspace: WorkspaceNumber,
    turn: &CommittedTurn,
    index: usize,
    event: &Event,
    seen: &mut Seen,
) -> Result<(), OneFailed> {
    let keep = |conversation, columns| keep_event(connection, workspace, turn, index, event, conversation, columns);
    let nothing = Columns::default();
    let shown = |public: u32| Columns { public: Some(public), ..nothing };
    match event {
        Event::OfferMade { offer, conversation, agent, .. } => {
            keep_offer(connection, workspace, *offer, *conversation, *agent, None)?;
            keep(*conversation, nothing)
        }
        Event::OfferDelivered { offer, .. } => match conversation_of(connection, workspace, *offer)? {
            Some(conversation) => keep(conversation, nothing),
            None => Err(OneFailed::Event("it is about an offer that was never made")),
        },
        Event::OfferEnded { offer, conversation, agent, end, public, transfer, .. } => {
            keep_offer(connection, workspace, *offer, *conversation, *agent, Some(*end))?;
            if *end == OfferEnd::Accepted && !transfer.is_some_and(|transfer| transfer.warm) {
                seen.owners.insert(*conversation, *agent);
            }
            keep(*conversation, Columns { public: *public, ..nothing })
        }
        Event::MessagePosted { conversation, number, public, .. } => {
            keep(*conversation, Columns { number: Some(i64::from(*number)), public: Some(*public), ..nothing })
        }
        Event::ConversationEnded { conversation, wrap_up_until, public, .. } => {
            if wrap_up_until.is_none() {
                seen.closed_at.insert(*conversation, turn.now.wall.0);
            }
            keep(*conversation, shown(*public))
        }
        Event::WrapUpEnded { conversation, .. } => {
            seen.closed_at.insert(*conversation, turn.now.wall.0);
            keep(*conversation, nothing)
        }
        Event::ConversationTaken { conversation, to, public, .. }
        | Event::ConversationHandedOver { conversation, to, public, .. } => {
            seen.owners.insert(*conversation, *to);
            keep(*conversation, shown(*public))
        }
        Event::ConversationLabelled { conversation, .. } | Event::ConversationRated { conversation, .. } => {
            seen.labelled.insert(*conversation);
            keep(*conversation, nothing)
        }
        Event::NotePosted { conversation, note, .. } => {
            // Below those of messages, so that neither finds the other's.
            keep(*conversation, Columns { number: Some(-i64::from(*note)), ..nothing })
        }
        Event::ConversationImported { conversation, part, held } => {
            seen.closed_at.insert(*conversation, held.ended_at.0);
            seen.owners.extend(held.last_owner().map(|owner| (*conversation, owner)));
            seen.labelled.insert(*conversation);
            seen.imported.insert(*conversation);
            keep(*conversation, if *part == 1 { shown(1) } else { nothing })
        }
        Event::MessageImported { conversation, number, public, at, .. } => {
            let (number, public) = (Some(i64::from(*number)), Some(*public));
            keep(*conversation, Columns { number, public, at: Some(*at) })
        }
        Event::NoteImported { conversation, note, at, .. } => {
            keep(*conversation, Columns { number: Some(-i64::from(*note)), at: Some(*at), ..nothing })
        }
        Event::ConversationOpened { conversation, public, .. }
        | Event::ConversationTransferred { conversation, public, .. }
        | Event::ConversationLeft { conversation, public, .. }
        | Event::ConversationReopened { conversation, public, .. }
        | Event::ConversationRequeued { conversation, public, .. } => keep(*conversation, shown(*public)),
        Event::MessagesRead { conversation, .. }
        | Event::DeliveryReported { conversation, .. }
        | Event::ConversationDescribed { conversation, .. }
        | Event::ConversationPaused { conversation, .. }
        | Event::ConversationWoken { conversation }
        | Event::OwnerReminded { conversation, .. }
        | Event::ClockSet { conversation, .. }
        | Event::ClockBreached { conversation, .. }
        | Event::ClockEnded { conversation, .. }
        | Event::WrapUpExtended { conversation, .. }
        | Event::OwnerVanished { conversation, .. }
        | Event::OwnerReturned { conversation }
        | Event::RingReached { conversation, .. }
        | Event::DecisionWanted { conversation, .. }
        | Event::DecisionEnded { conversation, .. }
        | Event::StayedAtClosing { conversation }
        | Event::PriorityRaised { conversation, .. } => keep(*conversation, nothing),
        Event::ConversationMoved { conversation, public, .. } => {
            keep(*conversation, Columns { public: *public, ..nothing })
        }
        Event::CustomerMerged { from, into, conversations } => {
            for conversation in conversations {
                seen.merged.push((*conversation, *into));
                // Each conversation's history tells of itself alone.
                let own = Event::CustomerMerged { from: *from, into: *into, conversations: vec![*conversation] };
                keep_event(connection, workspace, turn, index, &own, *conversation, nothing)?;
            }
            Ok(())
        }
        Event::SettingsChanged { .. }
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
        | Event::StatusChanged { .. }
        | Event::NextStatusSet { .. }
        | Event::AgentDraining { .. }
        | Event::HoursTurned { .. }
        | Event::CustomerSignedOut { .. } => Ok(()),
    }
}

fn keep_event(
    connection: &Connection,
    workspace: WorkspaceNumber,
    turn: &CommittedTurn,
    index: usize,
    event: &Event,
    conversation: ConversationId,
    columns: Columns,
) -> Result<(), OneFailed> {
    let key = workspace.conversation(conversation)?;
    let place = place(turn.position, index)?;
    let body = serde_json::to_vec(event).map_err(|_| OneFailed::Event("it has no JSON form"))?;
    let outcome = columns.number.and_then(|number| {
        turn.outcomes.iter().find(|outcome| {
            outcomes::message_of(outcome).is_some_and(|(held, nth)| (held, i64::from(nth)) == (conversation, number))
        })
    });
    let command = outcome.map(|outcome| command_hash(outcome.by, outcome.id) as i64);
    let remembered = outcome.map(remembered_bytes);
    connection
        .prepare_cached(
            "INSERT INTO event (conversation, place, at, number, public, command, remembered, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                key,
                place,
                columns.at.unwrap_or(turn.now.wall).0 as i64,
                columns.number,
                columns.public,
                command,
                remembered,
                body
            ])
        })
        .or_failed("keeping an event")?;
    Ok(())
}

fn keep_offer(
    connection: &Connection,
    workspace: WorkspaceNumber,
    offer: OfferId,
    conversation: ConversationId,
    agent: AgentId,
    end: Option<OfferEnd>,
) -> Result<(), OneFailed> {
    let doing = "keeping an offer";
    let key = workspace.offer(offer)?;
    let ended = end.map(end_number);
    if end.is_some() {
        let changed = connection
            .prepare_cached("UPDATE offer SET ended = ?2 WHERE key = ?1")
            .and_then(|mut update| update.execute(params![key, ended]))
            .or_failed(doing)?;
        if changed == 1 {
            return Ok(());
        }
    }
    connection
        .prepare_cached("INSERT OR IGNORE INTO offer (key, conversation, agent, ended) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut insert| insert.execute(params![key, conversation.0 as i64, agent.0, ended]))
        .or_failed(doing)?;
    Ok(())
}

fn conversation_of(
    connection: &Connection,
    workspace: WorkspaceNumber,
    offer: OfferId,
) -> Result<Option<ConversationId>, OneFailed> {
    let key = workspace.offer(offer)?;
    let found = connection
        .prepare_cached("SELECT conversation FROM offer WHERE key = ?1")
        .and_then(|mut select| select.query_row([key], |row| row.get::<_, i64>(0)).optional())
        .or_failed("looking an offer up")?;
    Ok(found.map(|id| ConversationId(id as u64)))
}

/// The number of an end in the file. It never changes its meaning.
fn end_number(end: OfferEnd) -> u8 {
    match end {
        OfferEnd::Accepted => 0,
        OfferEnd::Rejected => 1,
        OfferEnd::Expired => 2,
        OfferEnd::Undelivered => 3,
        OfferEnd::Withdrawn => 4,
        OfferEnd::AgentLost => 5,
        OfferEnd::Rescinded => 6,
    }
}

pub(super) fn end_of(number: u8) -> Option<OfferEnd> {
    OfferEnd::ALL.into_iter().find(|end| end_number(*end) == number)
}
