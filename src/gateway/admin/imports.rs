//! History from another system: one closed conversation a call, in parts where it is large. Whoever brings one again, now or in a year, hears
//! that it is here.

use super::Shared;
use super::asker::{Asker, Scope};
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::{CommandId, ConversationId, CustomerId, ImportId, KeyNumber, Principal};
use crate::desk::imported::{Beginning, By, Entry, FoundImport, ImportAsk, Part, Rated};
use crate::desk::labels::{LabelChange, PlainValue};
use crate::desk::refusal::Refusal;
use crate::desk::settings::ChannelId;
use crate::desk::time::WallTime;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::body;
use crate::gateway::http::desks::{Desk, NotSealed, Seals};
use crate::gateway::http::problem::{Problem, answer, json_of};
use crate::gateway::http::{Door, VIEW_WAIT_MOST};
use crate::gateway::messenger::{keyed_id, known_id};
use crate::wire::about::{About, Origin};
use crate::wire::error::Code;
use crate::wire::imported::{ImportBody, ImportedAuthor, ImportedMessage, PartBody, check_messages, check_names};
use crate::wire::labels::{FIELD, plain_values};
use crate::wire::messenger::Limits;
use crate::wire::spelled::{Spelled, spelled};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Of one customer's conversations, the newest in which its key is looked for.
const LOOKED_AT_MAX: usize = 50;

/// What it became.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Imported")]
pub(super) struct Imported {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<ConversationId>")]
    conversation: ConversationId,
    /// Parts of it that are here.
    parts: u32,
    /// It was here before, and nothing was changed.
    was_here: bool,
}

/// Who brings what, and the two names by which it is known for ever.
struct Bringing {
    asker: Asker,
    source: String,
    id: String,
    import: ImportId,
}

impl Bringing {
    async fn of(admin: &Shared, asker: Asker, source: String, id: String) -> Result<Self, Problem> {
        check_names(&source, &id)?;
        let parts: [&[u8]; 3] = [asker.desk.name().as_bytes(), source.as_bytes(), id.as_bytes()];
        let import = ImportId(keyed_id(&admin.door, "import", &parts));
        Ok(Self { asker, source, id, import })
    }

    /// As the view has it: mostly enough to see that there is nothing to do.
    async fn found(&self) -> Result<Option<FoundImport>, Problem> {
        Ok(self.asker.desk.history().imported(self.import).await?)
    }

    async fn ask(&self, part: Part, entries: Vec<Entry>) -> Result<Response, Problem> {
        let ask = ImportAsk { import: self.import, part, entries };
        // The same for whoever brings it, and whatever it holds by now: it is this part of this conversation.
        let id = Some(CommandId(self.import.0 ^ u128::from(ask.part())));
        let ask = Ask::Import(Box::new(ask));
        let command = Command { principal: Principal::Visitor, id, fingerprint: 0, ask };
        let Answer::Imported { conversation, parts, was_here } = self.asker.desk.ask(command).await?.result? else {
            return Err(Problem::internal());
        };
        Ok(here(Imported { conversation, parts, was_here }))
    }

    fn entries(&self, seals: &dyn Seals, key: KeyNumber, messages: &[ImportedMessage]) -> Result<Vec<Entry>, Problem> {
        let entry = |(place, message): (usize, &ImportedMessage)| {
            let agent = match &message.author {
                ImportedAuthor::Agent(name) => match self.asker.desk.agent_row(name) {
                    Some(row) => Some(row.id),
                    None => return Err(no_such_agent(name).at(format!("messages[{place}].author"))),
                },
                ImportedAuthor::Customer | ImportedAuthor::Other => None,
            };
            let by = match (&message.author, agent, message.note) {
                (_, agent, true) => By::Note(agent),
                (_, Some(agent), false) => By::Agent(agent),
                (ImportedAuthor::Customer, ..) => By::Customer,
                (ImportedAuthor::Agent(_) | ImportedAuthor::Other, ..) => By::Other,
            };
            let text = seals.seal(key, b"text", message.text.as_bytes()).map_err(not_sealed)?;
            Ok(Entry { at: WallTime(message.at), by, text })
        };
        messages.iter().enumerate().map(entry).collect()
    }
}

fn here(imported: Imported) -> Response {
    answer(if imported.was_here { StatusCode::OK } else { StatusCode::CREATED }, &imported)
}

fn no_such_agent(name: &Arc<str>) -> Problem {
    Refusal::NoSuchAgent(name.clone()).into()
}

/// Nothing brings back who was erased.
fn erased() -> Problem {
    Problem::new(Code::CustomerErased, "this customer was erased here").at("customer.id")
}

fn not_sealed(not_sealed: NotSealed) -> Problem {
    match not_sealed {
        NotSealed::Erased => erased(),
        NotSealed::Failed => not_sealed.into(),
    }
}

pub(super) async fn begin(
    Held(admin): Held<Shared>,
    At((workspace, source, id)): At<(String, String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let text = body::text(body, body::ADMIN_BODY_BYTES_MAX).await?;
    let sent: ImportBody = body::json(&text)?;
    let limits = Limits::default();
    sent.check((admin.door.now)().wall.0, &limits)?;
    let bringing = Bringing::of(&admin, asker, source, id).await?;
    if let Some((conversation, held)) = bringing.found().await? {
        let parts = held.imported().map_or(1, |imported| imported.parts);
        return Ok(here(Imported { conversation, parts, was_here: true }));
    }
    let desk = &*bringing.asker.desk;
    is_kept(desk, sent.closed_at, (admin.door.now)().wall.0)?;
    desk.may_start()?;
    let door = &admin.door;
    let placed = Placed::of(desk, &sent)?;
    let customer = known_id(door, desk, &sent.customer.id);
    let key = key_of(door, desk, customer).await?;
    let beginning = bringing.beginning(door, placed, &sent, customer, key)?;
    let entries = bringing.entries(door.desks.seals(), key, &sent.messages)?;
    bringing.asker.log("import");
    bringing.ask(Part::First(Box::new(beginning)), entries).await
}

pub(super) async fn go_on(
    Held(admin): Held<Shared>,
    At((workspace, source, id, part)): At<(String, String, String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Admin)?;
    let part = part.parse::<u32>().ok().filter(|part| *part >= 2);
    let part = part.ok_or_else(|| Problem::bad_field("part", "must be a number from 2"))?;
    let text = body::text(body, body::ADMIN_BODY_BYTES_MAX).await?;
    let sent: PartBody = body::json(&text)?;
    if sent.messages.is_empty() {
        return Err(Problem::bad_field("messages", "is empty"));
    }
    let bringing = Bringing::of(&admin, asker, source, id).await?;
    let desk = &*bringing.asker.desk;
    // What came a moment ago must be seen: it is gone on with.
    desk.history().wait_for(desk.position(), VIEW_WAIT_MOST).await?;
    let Some((conversation, held)) = bringing.found().await? else {
        return Err(Refusal::PartMissing { next: 1 }.into());
    };
    let Some(imported) = held.imported() else { return Err(Problem::internal()) };
    if part <= imported.parts {
        return Ok(here(Imported { conversation, parts: imported.parts, was_here: true }));
    }
    if part != imported.parts + 1 {
        return Err(Refusal::PartMissing { next: imported.parts + 1 }.into());
    }
    check_messages(&sent.messages, imported.last_at.0, held.ended_at.0, &Limits::default())?;
    let entries = bringing.entries(admin.door.desks.seals(), held.key, &sent.messages)?;
    bringing.ask(Part::Next(part), entries).await
}

/// What is older than anything is kept would be forgotten at once, and could be brought again and again.
fn is_kept(desk: &dyn Desk, closed_at: u64, now_ms: u64) -> Result<(), Problem> {
    match desk.kept_ms() {
        Some(kept_ms) if closed_at.saturating_add(kept_ms) <= now_ms => {
            let days = kept_ms / 86_400_000;
            let what = format!("it was closed longer ago than conversations are kept here: {days} days");
            Err(Problem::new(Code::TooOld, what).at("closed_at"))
        }
        _ => Ok(()),
    }
}

/// Where it belongs here, by number.
struct Placed {
    channel: ChannelId,
    queue: crate::desk::ids::QueueId,
    owner: Option<crate::desk::ids::AgentId>,
}

impl Placed {
    fn of(desk: &dyn Desk, sent: &ImportBody) -> Result<Self, Problem> {
        let published = desk.published();
        let channel = sent.channel.clone().unwrap_or_else(|| "chat".into());
        let place = published.settings.channels.iter().position(|set| set.name == channel);
        let place = place.and_then(|place| u8::try_from(place).ok());
        let channel = ChannelId(place.ok_or(Refusal::NoSuchChannel(channel))?);
        let queue = sent.queue.clone().or_else(|| published.settings.default_queue.clone()).unwrap_or_default();
        let found = published.queues.get(&queue).map(|(id, _)| *id);
        let queue = found.ok_or(Refusal::NoSuchQueue(queue))?;
        let owner = match &sent.agent {
            Some(name) => Some(desk.agent_row(name).ok_or_else(|| no_such_agent(name))?.id),
            None => None,
        };
        Ok(Self { channel, queue, owner })
    }
}

impl Bringing {
    fn beginning(
        &self,
        door: &Door,
        Placed { channel, queue, owner }: Placed,
        sent: &ImportBody,
        customer: CustomerId,
        key: KeyNumber,
    ) -> Result<Beginning, Problem> {
        let seals = door.desks.seals();
        let seal = |context: &[u8], clear: &[u8]| seals.seal(key, context, clear).map_err(not_sealed);
        let about = About {
            name: sent.customer.name.clone().filter(|name| !name.is_empty()),
            metadata: sent.metadata(),
            attributes: sent.customer.attributes.clone(),
            known: true,
            outside: None,
            imported: Some(Origin { source: self.source.clone(), id: self.id.clone() }),
        };
        let tags = (!sent.tags.is_empty()).then(|| sent.tags.clone());
        let fields = plain_values(sent.fields.clone())?;
        let said: LabelChange<PlainValue> = LabelChange { disposition: sent.disposition.clone(), tags, fields };
        let rules = &self.asker.desk.published().settings.labels;
        let labels = rules.sealed(said, |clear| seal(FIELD, clear))?;
        let rating = sent.rating.as_ref().map(|rating| {
            let comment = rating.comment.as_ref().filter(|comment| !comment.is_empty());
            let comment = comment.map(|comment| seal(b"text", comment.as_bytes())).transpose()?;
            Ok::<_, Problem>(Rated { score: rating.score, comment })
        });
        Ok(Beginning {
            customer,
            key,
            channel,
            queue,
            owner,
            about: seal(b"about", &json_of(&about))?,
            labels,
            opened_at: WallTime(sent.opened_at),
            closed_at: WallTime(sent.closed_at),
            rating: rating.transpose()?,
        })
    }
}

/// The key that the customer's texts are sealed with already, or a new one.
async fn key_of(door: &Door, desk: &dyn Desk, customer: CustomerId) -> Result<KeyNumber, Problem> {
    let seals = door.desks.seals();
    let known = desk.history().conversations_of(customer, LOOKED_AT_MAX).await?;
    for (_, held) in &known {
        if seals.is_erased(held.key)? {
            return Err(erased());
        }
    }
    match known.first() {
        Some((_, held)) => Ok(held.key),
        None => Ok(seals.assign().await?),
    }
}
