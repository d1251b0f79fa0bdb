//! The desk's entities as rows for the view, and a desk made from such rows: what makes a start quick.

use super::agent::Agent;
use super::conversation::{Conversation, Pending};
use super::estimates::Estimates;
use super::ids::{AgentId, ConversationId, CustomerId, OfferId, QueueId};
use super::left_waiting::Left;
use super::offer::Offer;
use super::opening::Opening;
use super::remembered::Remembered;
use super::settings::{ApiKey, QueueSettings, Settings};
use super::time::{Now, WallTime};
use super::touched::Touched;
use super::{Desk, Queue};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A row: its kind, its id within the kind, and its body as JSON; no body deletes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub kind: &'static str,
    pub id: String,
    pub body: Option<Vec<u8>>,
}

/// The counters and clocks.
#[derive(Serialize, Deserialize)]
struct Counters {
    #[serde(flatten)]
    now: Now,
    last_queue: u32,
    last_conversation: u64,
    last_offer: u64,
    #[serde(default)]
    last_decision: u64,
}

/// A row that cannot be read: the view is damaged, or of a newer release.
#[derive(Debug, thiserror::Error)]
#[error("the row {kind} {id:?} of the view cannot be read: {why}")]
pub struct RowDamaged {
    pub kind: String,
    pub id: String,
    pub why: String,
}

impl Desk {
    /// Rows of what was touched, as it is now; conversations come apart, in [`Desk::touched_conversations`]. The clock is that of the
    /// last record: what this desk did without one may be another's to do, from there on.
    #[must_use]
    pub fn rows(&self, touched: &Touched, recorded: Now) -> Vec<Row> {
        let mut rows = Vec::new();
        let counters = Counters {
            now: recorded,
            last_queue: self.last_queue,
            last_conversation: self.last_conversation,
            last_offer: self.last_offer,
            last_decision: self.last_decision,
        };
        rows.push(row("counters", "", Some(&counters)));
        if touched.settings {
            rows.push(row("settings", "", Some(&*self.settings)));
        }
        for id in &touched.queues {
            rows.push(row("queue", id.0, self.queues.get(id).map(|queue| &*queue.settings)));
        }
        for id in &touched.agents {
            rows.push(row("agent", id.0, self.agent(*id)));
        }
        for id in &touched.offers {
            rows.push(row("offer", id.0, self.offers.get(id)));
        }
        for id in &touched.api_keys {
            rows.push(row("api_key", id, self.api_keys.get(id)));
        }
        for id in &touched.signed_out {
            rows.push(row("signed_out", id, self.signed_out.get(id)));
        }
        for class in &touched.estimates {
            rows.push(row("estimate", class, self.estimates.get(class)));
        }
        for name in &touched.openings {
            rows.push(row("opening", name, self.openings.get(name)));
        }
        for id in &touched.left_waiting {
            rows.push(row("left_waiting", id, self.left_waiting.get(*id)));
        }
        rows
    }

    /// The touched conversations with their state now, or their last one.
    #[must_use]
    pub fn touched_conversations(&self, touched: Touched) -> Vec<(ConversationId, Conversation)> {
        let states = touched.conversations.into_iter();
        states
            .filter_map(|(id, last)| Some((id, last.map(|c| *c).or_else(|| self.conversation(id).cloned())?)))
            .collect()
    }

    /// A desk from its rows; everything else is derived. Records after these rows' position are replayed onto it.
    ///
    /// # Errors
    /// The first row that cannot be read.
    pub fn from_rows<'a>(
        rows: impl IntoIterator<Item = (&'a str, &'a str, &'a [u8])>,
        conversations: impl IntoIterator<Item = (ConversationId, Conversation)>,
    ) -> Result<Self, RowDamaged> {
        let mut desk = Desk::default();
        let mut agents: Vec<(AgentId, Agent)> = Vec::new();
        for (kind, id, body) in rows {
            let damaged =
                |why: &dyn std::fmt::Display| RowDamaged { kind: kind.into(), id: id.into(), why: why.to_string() };
            let number = || id.parse::<u64>().map_err(|why| damaged(&why));
            match kind {
                "counters" => {
                    let counters: Counters = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    desk.now = counters.now;
                    desk.last_queue = counters.last_queue;
                    desk.last_conversation = counters.last_conversation;
                    desk.last_offer = counters.last_offer;
                    desk.last_decision = counters.last_decision;
                }
                "settings" => {
                    let settings: Settings = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    desk.settings = Arc::new(settings);
                }
                "queue" => {
                    let settings: QueueSettings = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    let queue = QueueId(number()? as u32);
                    desk.queue_names.insert(settings.name.clone(), queue);
                    let settings = Arc::new(settings);
                    desk.queues.insert(queue, Queue::new(settings));
                }
                "agent" => {
                    let agent: Agent = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    agents.push((AgentId(number()? as u32), agent));
                }
                "offer" => {
                    let offer: Offer = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    desk.offers.insert(OfferId(number()?), offer);
                }
                "api_key" => {
                    let key: ApiKey = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    desk.api_keys.insert(key.id.clone(), key);
                }
                "signed_out" => {
                    let at: WallTime = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    let customer: CustomerId = id.parse().map_err(|why| damaged(&why))?;
                    desk.signed_out.insert(customer, at);
                }
                "estimate" => {
                    let mut estimates: Estimates = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    estimates.look();
                    desk.estimates.insert(id.parse().map_err(|why: String| damaged(&why))?, estimates);
                }
                "opening" => {
                    let opening: Opening = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    desk.openings.insert(id.into(), opening);
                }
                "left_waiting" => {
                    let left: Left = serde_json::from_slice(body).map_err(|why| damaged(&why))?;
                    let customer: CustomerId = id.parse().map_err(|why| damaged(&why))?;
                    desk.left_waiting.put(customer, left, WallTime(0));
                }
                _ => return Err(damaged(&"no such kind of row in this release")),
            }
        }
        agents.sort_unstable_by_key(|(id, _)| *id);
        for (id, agent) in agents {
            if id.0 as usize != desk.agents.len() {
                let why = format!("agent {} is missing before it", desk.agents.len());
                return Err(RowDamaged { kind: "agent".into(), id: id.0.to_string(), why });
            }
            desk.agent_names.insert(agent.profile.name.clone(), id);
            desk.agents.push(agent);
        }
        let conversations = conversations.into_iter();
        desk.conversations = conversations.map(|(id, conversation)| (id, Box::new(conversation))).collect();
        for (id, conversation) in desk.conversations.iter() {
            if !desk.queues.contains_key(&conversation.queue) {
                let why = format!("its queue {} is not there", conversation.queue);
                return Err(RowDamaged { kind: "conversation".into(), id: id.to_string(), why });
            }
        }
        for (id, offer) in &desk.offers {
            // Rows of before a conversation had several offers do not name them.
            if let Some(held) = desk.conversations.get_mut(&offer.conversation)
                && held.offers.iter().all(|pending| pending.offer != *id)
            {
                held.offers.push(Pending { offer: *id, agent: offer.agent });
            }
        }
        desk.remembered = Remembered::since(WallTime(desk.now.wall.0 + 1));
        desk.derive();
        Ok(desk)
    }
}

fn row<T: Serialize>(kind: &'static str, id: impl ToString, entity: Option<&T>) -> Row {
    let body = entity.map(|entity| serde_json::to_vec(entity).expect("entities are plain values"));
    Row { kind, id: id.to_string(), body }
}
