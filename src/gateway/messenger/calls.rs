//! The messenger's calls, each with its handler and what is said of it.

use super::{Shared, contact, gate, identity, page, reading, reception, start, stream, talk, transcript};
use crate::gateway::http::calls::{Call, Calls, Group, Stream, Who, call};
use crate::wire::error::Code;
use crate::wire::messenger::schema as bodies;
use crate::wire::messenger::{
    ConversationShape, ConversationsShape, MergedShape, PostedShape, ReceptionShape, StartedShape,
};
use serde_json::{Value, json};

const GROUP: Group = Group {
    name: "messenger",
    says: "What a customer's page asks. A customer is anonymous, by a token that the first start answers with, or known, by a token that \
           the page's own backend signed. Pages of other origins are let in by a list.",
    codes: &[
        Code::BadRequest,
        Code::TooLarge,
        Code::Forbidden,
        Code::NotFound,
        Code::RateLimited,
        Code::Internal,
        Code::Busy,
        Code::Unavailable,
    ],
};

const CONVERSATION: &str = "/v1/messenger/{workspace}/conversations/{conversation}";

fn number() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32})
}

/// A call of a customer's.
fn of_customer(id: &'static str, summary: &'static str) -> Call {
    call(id, Who::Customer, summary).may(&[Code::Unauthorized])
}

/// One about a conversation of its own.
fn of_own(id: &'static str, summary: &'static str) -> Call {
    of_customer(id, summary).may(&[Code::NoSuchConversation])
}

pub(super) fn calls() -> Calls<Shared> {
    talking(beginning(Calls::of(&GROUP, "")))
}

fn beginning(calls: Calls<Shared>) -> Calls<Shared> {
    let start_body = json!({"text": "Hello", "name": "Zoë", "metadata": {"page": "/pricing"}});
    let started = json!({
        "conversation": {"conversation": "c17", "state": "waiting", "queue": "Support", "place": 2, "agent": null, "last_number": 1,
            "read_by_agent": 0, "read_by_customer": 1, "opened_at": 1_700_000_000_000_u64},
        "number": 1, "token": "ohv1.…", "events": "/v1/messenger/demo/conversations/c17/events?ticket=ohs1.…"});
    calls
        .get(
            "/v1/messenger/{workspace}",
            reading::list,
            of_customer("list_own_conversations", "This customer's conversations, newest first, at most 20")
                .gives::<ConversationsShape<'static>>(200, "Newest first", None)
                .may(&[Code::Behind]),
        )
        .also("/v1/messenger/{workspace}/")
        .get(
            "/v1/messenger/{workspace}/page",
            page::page,
            call("get_page", Who::Everybody, "How the messenger looks and what it says in this workspace")
                .gives::<page::Page<'static>>(200, "May be kept for a minute", None)
                .tagged(),
        )
        .get(
            "/v1/messenger/{workspace}/reception",
            reception::reception,
            call("get_reception", Who::Visitor, "Whether anybody is there, before anything is begun")
                .query("channel", json!({"type": "string", "maxLength": 128, "default": "chat"}), "On this channel")
                .query("metadata", json!({"type": "string", "maxLength": 1_024, "examples": ["{\"page\":\"/pricing\"}"]}), "As in a start, as JSON")
                .gives::<ReceptionShape>(200, "May be kept for 5 s", Some(json!({"open": true, "nobody_there": false, "message": false})))
                .may(&[Code::Unauthorized, Code::NoSuchQueue]),
        )
        .post(
            gate::STARTS,
            start::start,
            call("start_conversation", Who::Visitor, "Begins a conversation")
                .says("Who comes without a token is answered with one. It follows from the `Idempotency-Key`, so that one is a secret.")
                .once()
                .takes_as(bodies::start, start_body)
                .gives::<StartedShape<'static>>(201, "It waits, or is closed again already", Some(started))
                .may(&[Code::Unauthorized, Code::BadField, Code::NoSuchQueue, Code::NoSuchChannel])
                .may(&[Code::QueueFull, Code::NobodyThere, Code::QueueClosed, Code::QueueDraining, Code::Quota]),
        )
        .post(
            "/v1/messenger/{workspace}/identify",
            identity::identify,
            of_customer("identify", "What an anonymous customer had is now a known one's")
                .says("With the known customer's token in `Authorization`.")
                .once()
                .takes_as(bodies::identify, json!({"anonymous_token": "ohv1.…"}))
                .gives::<MergedShape>(200, "So many have moved", Some(json!({"conversations": 2})))
                .may(&[Code::BadField]),
        )
        .post(
            "/v1/messenger/{workspace}/sign_out",
            identity::sign_out,
            of_customer("sign_out", "This customer's tokens issued so far are void")
                .once()
                .takes_nothing()
                .gives_nothing(204, "They are void"),
        )
}

fn talking(calls: Calls<Shared>) -> Calls<Shared> {
    let at = |rest: &str| format!("{CONVERSATION}{rest}");
    let last = json!({"type": "string", "pattern": "^[0-9]{1,9}$"});
    let events: Vec<Stream> = bodies::EVENTS.map(|(event, says, data)| Stream { event, says, data }).to_vec();
    calls
        .get(
            CONVERSATION,
            reading::one,
            of_own("get_own_conversation", "One conversation, with where its stream is")
                .gives::<ConversationShape<'static>>(200, "As of now", None)
                .may(&[Code::Behind]),
        )
        .get(
            &at("/messages"),
            reading::messages,
            of_own("list_own_messages", "Its messages: the last ones, without `after` or `before`")
                .query("after", number(), "Behind this number")
                .query("before", number(), "Before this number; only one of the two may be there")
                .limited()
                .gives::<reading::Page>(200, "In their order", None)
                .may(&[Code::BadField, Code::BadCursor, Code::Behind]),
        )
        .post(
            &at("/messages"),
            talk::post,
            of_own("post_message", "Writes a message")
                .once()
                .takes_as(bodies::message, json!({"text": "Hello?"}))
                .gives::<PostedShape>(201, "It is kept", Some(json!({"number": 4, "at": 1_700_000_000_000_u64})))
                .may(&[Code::BadField, Code::WrongState, Code::NoSuchFile, Code::FileTaken, Code::TooMany, Code::Behind])
                .may(&[Code::QueueFull, Code::NobodyThere, Code::QueueClosed, Code::QueueDraining, Code::Quota]),
        )
        .post(
            &at("/read"),
            talk::read,
            of_own("read_messages", "What came so far has been read")
                .once()
                .takes_as(bodies::read, json!({"number": 4}))
                .gives_nothing(204, "It is known")
                .may(&[Code::BadField, Code::NoSuchMessage]),
        )
        .post(
            &at("/typing"),
            talk::typing,
            of_own("typing", "Something is being typed").takes_nothing().gives_nothing(204, "It is passed on").may(&[Code::WrongState]),
        )
        .post(
            &at("/leave"),
            talk::leave,
            of_own("leave_conversation", "Ends it").once().takes_nothing().gives_nothing(204, "It has ended").may(&[Code::WrongState]),
        )
        .post(
            &at("/rating"),
            talk::rate,
            of_own("rate_conversation", "What it was like, once it has ended; again, and the last counts")
                .once()
                .takes_as(bodies::rating, json!({"score": 5, "comment": "quick and kind"}))
                .gives_nothing(204, "It is kept")
                .may(&[Code::BadField, Code::WrongState, Code::RatingOver, Code::Behind]),
        )
        .post(
            &at("/contact"),
            contact::contact,
            of_own("set_contact", "How its customer is called, and where it can be reached")
                .says("What is absent stays as it is, and what is empty is taken back. A name that was signed is not said anew.")
                .once()
                .takes_as(bodies::contact, json!({"email": "zoe@example.org"}))
                .gives_nothing(204, "It is kept")
                .may(&[Code::BadField, Code::WrongState, Code::Behind]),
        )
        .get(
            &at("/events"),
            stream::events,
            call("follow_conversation", Who::Follower, "Follows it, as a stream")
                .says("Numbered events have an `id`; who comes back goes on behind `Last-Event-ID`.")
                .query("ticket", json!({"type": "string"}), "For `EventSource`, which sends no headers: it is in the conversation's `events`")
                .query("after", number(), "Behind this number")
                .header("Last-Event-ID", last, "The number of the last event that was seen; goes before `after`")
                .streams(&events)
                .may(&[Code::Unauthorized, Code::NoSuchConversation, Code::BadCursor, Code::Quota]),
        )
        .get(
            &at("/transcript"),
            transcript::transcript,
            of_own("get_transcript", "All of it that its customer may see, as a text to keep")
                .query("time_zone", json!({"type": "string", "maxLength": 64, "default": "Etc/UTC", "examples": ["Europe/Berlin"]}), "A name of the IANA's")
                .gives_other(200, "text/plain", "A line for each thing")
                .may(&[Code::BadField, Code::Behind]),
        )
}
