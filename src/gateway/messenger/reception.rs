//! `GET /reception`: whether anybody is there, before a conversation is begun. By the entry rules and the rows of the queues, as of at most
//! a second ago; no command, nothing of anybody, and cheap.

use super::Shared;
use super::customer::customer;
use super::entry::{Visit, entry};
use crate::desk::refusal::Refusal;
use crate::desk::settings::NAME_BYTES_MAX;
use crate::gateway::auth::client_address::prefix;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::desks::Desk;
use crate::gateway::http::problem::{Problem, ok};
use crate::gateway::http::query::Query;
use crate::wire::messenger::{ReceptionShape, metadata_of};
use axum::extract::State as Held;
use axum::response::Response;
use http::{HeaderValue, header};
use std::collections::BTreeMap;

/// Of the metadata, as JSON, in the query.
const METADATA_BYTES_MAX: usize = 1_024;
/// For so long an answer holds: who opens the panel twice asks once.
const CACHE: &str = "max-age=5";

pub(super) async fn reception(
    Held(messenger): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let desk = messenger.desk_for_people(&workspace)?;
    let door = &messenger.door;
    let asker = customer(door, &*desk, &asked)?;
    match &asker {
        Some(asker) => messenger.take(&messenger.calls, (&*workspace, asker.id))?,
        None => {
            let address = prefix(door.identities.client_address(&asked.headers, asked.peer));
            messenger.take(&messenger.calls, (&*workspace, address))?;
        }
    }
    let query = Query::parse(asked.query.as_deref(), &["channel", "metadata"])?;
    let channel = query.text("channel").unwrap_or("chat");
    if channel.len() > NAME_BYTES_MAX {
        return Err(Problem::too_large("channel", NAME_BYTES_MAX));
    }
    let metadata = metadata_of(query.text("metadata").unwrap_or("{}"), METADATA_BYTES_MAX)?;
    let none = BTreeMap::new();
    let known = asker.as_ref().and_then(|asker| asker.known.as_ref());
    let attributes = known.map_or(&none, |known| &known.attributes);
    let visit = Visit { metadata: &metadata, attributes, known: known.is_some(), channel };
    let shape = as_it_is(&*desk, visit)?;
    let mut response = ok(&shape);
    // A signed token may have decided: such an answer is nobody else's.
    let cache = if asker.is_some() { format!("private, {CACHE}") } else { format!("public, {CACHE}") };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_str(&cache).expect("plain letters"));
    Ok(response)
}

fn as_it_is(desk: &dyn Desk, visit: Visit<'_>) -> Result<ReceptionShape, Problem> {
    let published = desk.published();
    let placed = entry(&published.settings, visit).ok_or_else(Problem::nowhere)?;
    let (id, settings) =
        published.queues.get(&placed.queue).ok_or_else(|| Problem::from(Refusal::NoSuchQueue(placed.queue.clone())))?;
    let rows = desk.queue_rows();
    let row = |name: &str| rows.iter().find(|row| *row.queue == *name);
    let Some(first) = row(&placed.queue) else {
        // Of a queue that was made within the last second nothing more is known.
        let opens_at = published.opens_at(*id).map(|at| at.0);
        let open = opens_at.is_none();
        return Ok(ReceptionShape {
            open,
            opens_at,
            nobody_there: false,
            refused: None,
            message: false,
            estimate: None,
        });
    };
    // Where a rule would move it, what counts is how that queue stands.
    let there = row(&first.coming.queue).unwrap_or(first);
    let own = published.queues.get(&there.queue).map_or(settings.priority, |(_, settings)| settings.priority);
    let priority = placed.priority.unwrap_or(own);
    let alike = there.estimates.iter().find(|one| *one.channel == *visit.channel && one.priority == priority);
    Ok(ReceptionShape {
        open: there.open,
        opens_at: there.opens_at,
        nobody_there: !there.coming.there,
        refused: first.coming.refused,
        message: first.coming.message,
        estimate: alike.map(|one| one.estimate),
    })
}
