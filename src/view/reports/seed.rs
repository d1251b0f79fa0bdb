//! Where reports begin in the middle: the records before are gone, so they go on from how everything stands, as the view has it. What began
//! before is counted from then on.

use super::facts::Facts;
use super::fold::Fold;
use super::person::{Connection, Person};
use super::talk::{Owner, PendingOffer, Talk};
use crate::desk::agent::{Agent, Connection as Connected};
use crate::desk::conversation::{Conversation, State};
use crate::desk::ids::{AgentId, QueueId};
use crate::desk::settings::{QueueSettings, Settings};
use crate::view::failed::ViewFailed;
use crate::view::keys::WorkspaceNumber;
use crate::view::load;
use rusqlite::Connection as Sqlite;

/// A workspace as of the view's position, at which its last turn was at this time.
pub(super) fn seed(connection: &Sqlite, workspace: WorkspaceNumber, wall_ms: u64) -> Result<Fold, ViewFailed> {
    let stored = load::load(connection, workspace)?;
    let mut fold = Fold { wall_ms, now: wall_ms, ..Fold::default() };
    for (kind, id, body) in &stored.rows {
        match kind.as_str() {
            "settings" => {
                if let Ok(settings) = serde_json::from_slice::<Settings>(body) {
                    fold.facts.available = Facts::available_of(&settings);
                }
            }
            "queue" => {
                if let (Ok(id), Ok(settings)) = (id.parse(), serde_json::from_slice::<QueueSettings>(body)) {
                    fold.facts.put_queue(QueueId(id), &settings);
                }
            }
            "agent" => {
                if let (Ok(id), Ok(agent)) = (id.parse(), serde_json::from_slice::<Agent>(body)) {
                    fold.persons.insert(AgentId(id), person_of(&agent, wall_ms));
                }
            }
            _ => {}
        }
    }
    for (id, conversation) in &stored.conversations {
        fold.talks.insert(*id, talk_of(conversation, wall_ms));
    }
    Ok(fold)
}

pub(super) fn person_of(agent: &Agent, now: u64) -> Person {
    let connection = match agent.connection {
        Connected::Offline => Connection::Offline,
        Connected::Online => Connection::Online,
        Connected::Reconnecting { .. } => Connection::Reconnecting,
        Connected::Unreachable => Connection::Unreachable,
    };
    Person { connection, status: agent.status.0, held: agent.conversations.len() as u32, since: now }
}

pub(super) fn talk_of(conversation: &Conversation, now: u64) -> Talk {
    let left = conversation.spell.left || conversation.spell.message;
    let waits = matches!(conversation.state, State::Waiting | State::Offered {});
    let owner = conversation.state.owner().map(|agent| {
        let wraps_since = matches!(conversation.state, State::WrapUp { .. }).then_some(now);
        Owner { agent, since: now, wraps_since }
    });
    Talk {
        queue: conversation.queue,
        channel: conversation.channel,
        began_at: conversation.opened_at.0,
        waits_since: (waits && !left).then_some(conversation.spell.from.0),
        left: waits && left,
        offers: conversation.offers.iter().map(|held| PendingOffer { offer: held.offer, made_at: now }).collect(),
        owner,
        joined: conversation.joined(),
        // Whether an agent wrote is not in its row; who has read nothing has not.
        replied: owner.is_some() || conversation.read_by_agent > 0,
        last_owner: conversation.last_owner(),
        rated: None,
    }
}
