//! A channel of the workspace's own: a service that carries messages hands in those of customers, and says what became of ours. What it is
//! to carry it reads like everybody else, from the workspace's messages.

use super::Shared;
use super::asker::Scope;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Command, OpenAsk};
use crate::desk::conversation::Conversation;
use crate::desk::ids::{CommandId, ConversationId, CustomerId, KeyNumber, Principal, ThreadId};
use crate::desk::outside::{DeliveryAsk, ReceiveAsk};
use crate::desk::refusal::Refusal;
use crate::gateway::http::asking::{Asked, At, conversation};
use crate::gateway::http::desks::{Desk, NotSealed, Seals};
use crate::gateway::http::idempotency::{keyed_fingerprint, outside_id};
use crate::gateway::http::problem::{Problem, answer, json_of};
use crate::gateway::http::{VIEW_WAIT_MOST, body};
use crate::gateway::messenger::entry::{Visit, entry};
use crate::gateway::messenger::{keyed_id, known_id};
use crate::wire::about::{About, Outside};
use crate::wire::channel::{InboundBody, parse_delivery};
use crate::wire::messenger::Limits;
use crate::wire::spelled::{Spelled, spelled};
use axum::body::Body;
use axum::extract::State as Held;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// Of one customer's conversations, the newest among which its thread is looked for.
const LOOKED_AT_MAX: usize = 50;
/// How often a message is sealed anew, since another of its customer's was quicker.
const SEALED_TIMES_MAX: usize = 3;

pub(super) async fn receive(
    Held(admin): Held<Shared>,
    At((workspace, channel)): At<(String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Channel)?;
    let id = outside_id(&asked.headers)?;
    let limits = Limits::default();
    let sent = body::text(body, limits.body_bytes_max()).await?;
    let sent = InboundBody::parse(&sent, &limits)?;
    let (door, desk) = (&admin.door, &*asker.desk);
    let customer = known_id(door, desk, &sent.customer);
    admin.take_of_customer(desk.name(), customer)?;
    let parts: [&[u8]; 4] =
        [desk.name().as_bytes(), channel.as_bytes(), sent.customer.as_bytes(), sent.thread.as_bytes()];
    let thread = ThreadId(keyed_id(door, "thread", &parts));
    let message = Message { id, channel: channel.as_str().into(), customer, thread, sent };
    let Answer::Received { conversation, number, at, started } = message.taken(door.desks.seals(), desk).await? else {
        return Err(Problem::internal());
    };
    asker.log("receive");
    Ok(answer(StatusCode::CREATED, &Received { conversation, number, at: at.0, started }))
}

/// Where a message went.
#[derive(Serialize, JsonSchema)]
pub(super) struct Received {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<ConversationId>")]
    conversation: ConversationId,
    number: u32,
    at: u64,
    /// It began that conversation.
    started: bool,
}

struct Message {
    id: CommandId,
    channel: Arc<str>,
    customer: CustomerId,
    thread: ThreadId,
    sent: InboundBody,
}

impl Message {
    /// Sealed with the key that its conversation has, so that erasing the customer erases it too.
    async fn taken(&self, seals: &dyn Seals, desk: &dyn Desk) -> Result<Answer, Problem> {
        let open = self.placed(desk)?;
        let sent = &self.sent;
        let (name, metadata, attributes) = (json_of(&sent.name), json_of(&sent.metadata), json_of(&sent.attributes));
        let parts: [&[u8]; 7] = [
            self.channel.as_bytes(),
            sent.customer.as_bytes(),
            sent.thread.as_bytes(),
            sent.text.as_bytes(),
            &name,
            &metadata,
            &attributes,
        ];
        let fingerprint = keyed_fingerprint(seals, "receive", &parts);
        let (mut found, key) = self.newest(desk).await?;
        if found.is_none_or(|id| desk.history().open(id).is_none()) {
            desk.may_start()?;
        }
        let mut key = match key {
            Some(key) => key,
            None => seals.assign().await?,
        };
        for _ in 0..SEALED_TIMES_MAX {
            let text = match seals.seal(key, b"text", sent.text.as_bytes()) {
                // Who was erased and writes again is somebody new.
                Err(NotSealed::Erased) => {
                    (key, found) = (seals.assign().await?, None);
                    seals.seal(key, b"text", sent.text.as_bytes())?
                }
                sealed => sealed?,
            };
            let about = Some(seals.seal(key, b"about", &json_of(&self.about()))?);
            let open = OpenAsk { key, about, text: Some(text.clone()), ..open.clone() };
            let ask = Ask::Receive(Box::new(ReceiveAsk { thread: self.thread, found, text, open }));
            let principal = Principal::Customer(self.customer);
            let replied = desk.ask(Command { principal, id: Some(self.id), fingerprint, ask }).await?;
            match replied.result {
                Err(Refusal::AnotherKey(of_conversation)) => key = of_conversation,
                other => return Ok(other?),
            }
        }
        Err(Problem::internal())
    }

    /// Where it begins, should it begin something, with nothing sealed in it.
    fn placed(&self, desk: &dyn Desk) -> Result<OpenAsk, Problem> {
        let visit = Visit {
            metadata: &self.sent.metadata,
            attributes: &self.sent.attributes,
            known: true,
            channel: &self.channel,
        };
        let published = desk.published();
        if !published.settings.channels.iter().any(|channel| channel.name == self.channel) {
            return Err(Refusal::NoSuchChannel(self.channel.clone()).into());
        }
        let entry = entry(&published.settings, visit).ok_or_else(Problem::nowhere)?;
        Ok(OpenAsk {
            customer: self.customer,
            channel: self.channel.clone(),
            queue: entry.queue,
            priority: entry.priority,
            skills: entry.skills,
            preferred_skills: entry.preferred_skills,
            preferred_agent: entry.preferred_agent,
            // Nobody waits at the other end: it may wait here.
            or_message: true,
            thread: Some(self.thread),
            ..OpenAsk::default()
        })
    }

    fn about(&self) -> About {
        About {
            name: self.sent.name.clone(),
            metadata: self.sent.metadata.clone(),
            attributes: self.sent.attributes.clone(),
            known: true,
            outside: Some(Outside { customer: self.sent.customer.clone(), thread: self.sent.thread.clone() }),
            imported: None,
        }
    }

    /// The thread's newest conversation, and the key that the customer's texts are sealed with already. What is not open is looked up once
    /// the view has come as far as the workspace: it may have closed a moment ago.
    async fn newest(&self, desk: &dyn Desk) -> Result<(Option<ConversationId>, Option<KeyNumber>), Problem> {
        let history = desk.history();
        let known = history.conversations_of(self.customer, LOOKED_AT_MAX).await?;
        if let Some((id, held)) = self.of_thread(&known).filter(|(id, _)| history.open(*id).is_some()) {
            return Ok((Some(*id), Some(held.key)));
        }
        history.wait_for(desk.position(), VIEW_WAIT_MOST).await?;
        let known = history.conversations_of(self.customer, LOOKED_AT_MAX).await?;
        let found = self.of_thread(&known).or(known.first());
        Ok((self.of_thread(&known).map(|(id, _)| *id), found.map(|(_, held)| held.key)))
    }

    fn of_thread<'a>(&self, known: &'a [(ConversationId, Conversation)]) -> Option<&'a (ConversationId, Conversation)> {
        known.iter().find(|(_, held)| held.line().is_some_and(|line| line.thread == self.thread))
    }
}

/// A state that says no more than is known changes nothing, so it needs no command id.
pub(super) async fn report(
    Held(admin): Held<Shared>,
    At((workspace, channel, id, number)): At<(String, String, String, String)>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let asker = admin.asker(&workspace, &asked, Scope::Channel)?;
    let conversation = conversation(&id)?;
    let number = number.parse().map_err(|_| Problem::not_found("message"))?;
    let (state, reason) = parse_delivery(&body::text(body, body::ADMIN_BODY_BYTES_MAX).await?)?;
    let (channel, reason) = (channel.into(), reason.map(Into::into));
    asker.look(Ask::ReportDelivery(Box::new(DeliveryAsk { channel, conversation, number, state, reason }))).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
