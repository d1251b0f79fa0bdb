//! `GET /conversations/{c}/transcript`: a customer's own conversation as a text to keep. It is read from the view page by page while it
//! is sent, so that it takes a page's memory however long it is, and holds what its customer may see and nothing else.

use super::Shared;
use super::customer::customer_needed;
use super::reading::own;
use super::shapes::{Shown, with_event};
use crate::desk::conversation::Conversation;
use crate::desk::files;
use crate::desk::ids::ConversationId;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::desks::{Desk, PublicFact, PublicRow, Rows, Seals};
use crate::gateway::http::problem::Problem;
use crate::gateway::http::query::Query;
use crate::overload::{Purpose, Rung, Taken, Weight, memory};
use crate::wire::about::About;
use crate::wire::transcript::{ZONE_BYTES_MAX, head, lines, zone};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::try_unfold;
use http::{HeaderValue, header};
use jiff::tz::TimeZone;
use std::io;
use std::sync::Arc;

/// Rows that are read at once.
const PAGE: usize = 16;
/// What they are taken to need until they are known.
const PAGE_BYTES: usize = 16 * 1024;

pub(super) async fn transcript(
    Held(messenger): Held<Shared>,
    At((workspace, id)): At<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    memory().admit(Rung::History)?;
    let desk = messenger.desk(&workspace)?;
    let customer = customer_needed(&messenger.door, &*desk, &asked)?;
    messenger.take(&messenger.calls, (&*workspace, customer.id))?;
    let query = Query::parse(asked.query.as_deref(), &["time_zone"])?;
    let zone_name = query.text("time_zone").unwrap_or("Etc/UTC").to_owned();
    let no_zone = || Problem::bad_field("time_zone", "is no time zone that is known here");
    let zone = Some(&*zone_name).filter(|name| name.len() <= ZONE_BYTES_MAX).and_then(zone).ok_or_else(no_zone)?;
    let id = conversation(&id)?;
    let found = own(&*desk, customer.id, id).await?;
    let shown = Shown::of(&*desk, id, &found);
    let told = Told {
        you: name_of(messenger.door.desks.seals(), &found),
        head: Some(head(&id.to_string(), shown.queue(), &zone_name)),
        messenger,
        desk,
        id,
        zone,
        after: 0,
        // What happens while it is read is not waited for.
        last: found.public,
    };
    let body = Body::from_stream(try_unfold(told, Told::next));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let named = HeaderValue::from_str(&format!("attachment; filename=\"conversation-{id}.txt\""));
    headers.insert(header::CONTENT_DISPOSITION, named.expect("a letter and digits"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What the customer calls itself here.
fn name_of(seals: &dyn Seals, found: &Conversation) -> String {
    let sealed = found.about.as_deref();
    let about = sealed.and_then(|sealed| seals.unseal(b"about", sealed).ok());
    let about: About = about.and_then(|clear| serde_json::from_slice(&clear).ok()).unwrap_or_default();
    about.name.unwrap_or_else(|| "You".into())
}

/// How far it has been told.
struct Told {
    messenger: Shared,
    desk: Arc<dyn Desk>,
    id: ConversationId,
    zone: TimeZone,
    you: String,
    head: Option<String>,
    after: u32,
    last: u32,
}

impl Told {
    /// The next page of it. What cannot be read breaks the answer off, so that nobody takes a part for the whole.
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        if let Some(head) = self.head.take() {
            return Ok(Some((head.into(), self)));
        }
        if self.after >= self.last {
            return Ok(None);
        }
        let mut taken =
            memory().reserve.guard(Purpose::Pages, Weight::Ordinary, PAGE_BYTES).map_err(io::Error::other)?;
        let read = self.desk.history().public_events(self.id, self.after, PAGE).await;
        let Rows { rows, .. } = read.map_err(|_| io::Error::other("the history cannot be read"))?;
        let rows: Vec<PublicRow> = rows.into_iter().filter(|row| row.public <= self.last).collect();
        // Numbers without rows are of what was left out as damaged.
        let Some(reached) = rows.last().map(|row| row.public) else { return Ok(None) };
        taken.resize_to(rows.iter().map(|row| 2 * bytes_of(row)).sum()).map_err(io::Error::other)?;
        let mut text = String::new();
        for row in &rows {
            with_event(&self.messenger.door, &*self.desk, row, |event| text += &lines(&event, &self.you, &self.zone));
        }
        self.after = reached;
        Ok(Some((Bytes::from_owner(Charged { text, _taken: taken }), self)))
    }
}

fn bytes_of(row: &PublicRow) -> usize {
    let text = match &row.fact {
        PublicFact::Message { text, files, .. } => text.len() + files::bytes_of(files),
        _ => 0,
    };
    size_of::<PublicRow>() + text
}

/// A page of text, charged until it is with the kernel.
struct Charged {
    text: String,
    _taken: Taken,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}
