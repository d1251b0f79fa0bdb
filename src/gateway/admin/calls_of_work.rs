//! What goes on in a workspace, over the admin API: its floor, its conversations, and what is decided from outside. Each call with its handler.

use super::asker::Scope;
use super::calls::{AT, name, of};
use super::{
    Shared, decision_stream, decisions, ends, history, labels, live, moves, notes, search, shapes, statuses, why,
};
use crate::desk::why::{WhyAgent, WhyConversation};
use crate::engine::published::{AgentRow, QueueRow};
use crate::gateway::http::calls::{Calls, Stream};
use crate::wire::error::Code;
use serde_json::{Value, json};

fn unix_ms() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn number() -> Value {
    json!({"type": "string", "pattern": "^[0-9]{1,9}$"})
}

pub(super) fn floor(calls: Calls<Shared>) -> Calls<Shared> {
    use Scope::{Floor, Read};
    let at = |rest: &str| format!("{AT}{rest}");
    calls
        .get(
            &at("/live/queues"),
            live::queues,
            of(Read, "live_queues", "How the queues stand now").pages(name()).gives::<live::Page<QueueRow>>(200, "By name", None),
        )
        .get(
            &at("/live/agents"),
            live::agents,
            of(Read, "live_agents", "How the agents stand now").pages(name()).gives::<live::Page<AgentRow>>(200, "By name", None),
        )
        .post(
            &at("/agents/{agent}/status"),
            statuses::force,
            of(Floor, "force_status", "Sets an agent's status")
                .once()
                .takes::<statuses::Force>(json!({"status": "away"}))
                .gives_nothing(204, "It is set")
                .may(&[Code::NoSuchAgent, Code::NoSuchStatus, Code::AgentUnable]),
        )
        .post(
            &at("/agents/{agent}/drain"),
            moves::drain_agent,
            of(Floor, "drain_agent", "Offers an agent nothing new, or something again")
                .once()
                .takes::<moves::Drain>(json!({"on": true}))
                .gives_nothing(204, "It is so")
                .may(&[Code::NoSuchAgent, Code::BadField]),
        )
        .post(
            &at("/queues/{queue}/drain"),
            moves::drain_queue,
            of(Floor, "drain_queue", "Lets a queue take nothing new in, or something again")
                .says("What comes for it goes to the queue `to`, where one is named. Its settings say so too: `moves.draining`.")
                .once()
                .takes::<moves::Drain>(json!({"on": true, "to": "sales"}))
                .gives_nothing(204, "It is so")
                .may(&[Code::NoSuchQueue, Code::BadSetting]),
        )
        .get(
            &at("/agents/{agent}/why"),
            why::of_agent,
            of(Read, "why_agent", "What keeps an agent idle").gives::<WhyAgent>(200, "As of now", None).may(&[Code::NoSuchAgent]),
        )
}

pub(super) fn conversations(calls: Calls<Shared>) -> Calls<Shared> {
    use Scope::{Own, Read, Route, Write};
    let at = |rest: &str| format!("{AT}/conversations{rest}");
    let is_gone = [Code::NoSuchConversation, Code::Behind];
    let state = json!({"type": "string", "enum": ["waiting", "offered", "active", "wrap_up", "closed"]});
    let decide = json!({"decision": "d12", "expected_owner": null, "to": {"agent": "ada"}});
    let stream = [
        Stream::of::<decision_stream::ListShape>("list", "First: forget what you knew"),
        Stream::of::<decision_stream::WantedShape<'static>>("wanted", "Is to be decided"),
        Stream::of::<decision_stream::EndedShape>("ended", "Is over"),
    ];
    calls
        .get(
            &at(""),
            search::search,
            of(Own, "search_conversations", "Conversations, newest first")
                .says("An agent's token finds its own. With `text` a page may be short, or empty, with a `next` to go on from.")
                .query("state", state, "In this state")
                .query("agent", name(), "Owned by this agent, or last owned")
                .query("queue", name(), "Of this queue")
                .query("customer", json!({"type": "string", "pattern": "^[0-9a-f]{32}$"}), "Of this customer")
                .query("disposition", name(), "Labelled so now")
                .query("tag", name(), "Labelled so now")
                .query("score", json!({"type": "integer", "minimum": 1, "maximum": 5}), "As it was rated last")
                .query("from", unix_ms(), "Opened then or later: Unix ms")
                .query("to", unix_ms(), "Opened before: Unix ms")
                .query("text", json!({"type": "string", "maxLength": 64}), "In a message; compared without case")
                .pages(json!({"type": "string", "pattern": "^c[1-9][0-9]{0,15}([.][0-9]{1,9})?$"}))
                .gives::<search::Page>(200, "Those that were found", None)
                .may(&[Code::NoSuchAgent, Code::NoSuchQueue, Code::Behind]),
        )
        .get(
            &at("/{conversation}"),
            history::one,
            of(Own, "get_conversation", "One conversation").gives::<shapes::Facts>(200, "Its facts", None).may(&is_gone),
        )
        .get(
            &at("/{conversation}/messages"),
            history::messages,
            of(Own, "list_messages", "Its messages; texts of an erased customer are null")
                .pages(number())
                .gives::<history::Messages<'static>>(200, "In their order", None)
                .may(&is_gone),
        )
        .get(
            &at("/{conversation}/events"),
            history::events,
            of(Read, "list_events", "Its journal")
                .pages(json!({"type": "string", "pattern": "^[0-9]{1,15}[.][0-9]{1,9}$"}))
                .gives::<history::Events>(200, "In their order", None)
                .may(&is_gone),
        )
        .post(
            &at("/{conversation}/close"),
            ends::close,
            of(Write, "close_conversation", "Ends a conversation")
                .once()
                .takes_nothing()
                .gives_nothing(204, "It has ended")
                .may(&[Code::NoSuchConversation, Code::WrongState]),
        )
        .post(
            &at("/{conversation}/wrap_up_done"),
            ends::wrap_up_done,
            of(Write, "end_wrap_up", "Ends an agent's wrap-up")
                .once()
                .takes_nothing()
                .gives_nothing(204, "It has ended")
                .may(&[Code::NoSuchConversation, Code::WrongState]),
        )
        .get(
            &at("/{conversation}/notes"),
            notes::list,
            of(Own, "list_notes", "Its internal notes").pages(number()).gives::<notes::Notes>(200, "In their order", None).may(&is_gone),
        )
        .post(
            &at("/{conversation}/notes"),
            notes::write,
            of(Write, "write_note", "Writes an internal note")
                .once()
                .takes::<notes::Said>(json!({"text": "has paid twice"}))
                .gives::<notes::Noted>(201, "It is written down", Some(json!({"note": 1, "at": 1_700_000_000_000_u64})))
                .may(&[Code::NoSuchConversation, Code::WrongState, Code::BadField, Code::Quota]),
        )
        .post(
            &at("/{conversation}/label"),
            labels::label,
            of(Write, "label_conversation", "Labels it: what is absent stays as it is")
                .once()
                .takes::<labels::Said>(json!({"disposition": "solved", "tags": ["vip"], "fields": {"count": 7.5}}))
                .gives_nothing(204, "It is labelled")
                .may(&[Code::NoSuchConversation, Code::WrongState, Code::BadField, Code::BadLabel]),
        )
        .post(
            &at("/{conversation}/transfer"),
            moves::transfer,
            of(Write, "transfer_conversation", "Gives it to an agent, by an offer, or to a queue")
                .says("Either `agent` with `warm`, or `queue` with `waiting_since`.")
                .once()
                .takes::<moves::Transfer>(json!({"agent": "bob", "warm": true}))
                .gives::<shapes::Offered>(200, "It is offered to the agent", Some(json!({"offer": "o23"})))
                .gives_nothing(204, "It waits in the queue")
                .may(&[Code::NoSuchConversation, Code::WrongState, Code::BadField, Code::BadSetting, Code::NoSuchAgent])
                .may(&[Code::AgentUnable, Code::AlreadyThere, Code::NoSuchQueue, Code::QueueFull, Code::QueueDraining]),
        )
        .post(
            &at("/{conversation}/assign"),
            moves::assign,
            of(Write, "assign_conversation", "Makes an agent its owner, without asking")
                .once()
                .takes::<moves::Assign>(json!({"agent": "bob", "expected_owner": "ada", "force": false}))
                .gives_nothing(204, "The agent owns it")
                .may(&[Code::NoSuchConversation, Code::WrongState, Code::NoSuchAgent, Code::AgentUnable])
                .may(&[Code::AlreadyThere, Code::OwnerChanged]),
        )
        .get(
            &at("/{conversation}/why"),
            why::of_conversation,
            of(Read, "why_conversation", "Who comes first, and which rule excludes each other")
                .gives::<WhyConversation>(200, "As of now", None)
                .may(&[Code::NoSuchConversation, Code::WrongState]),
        )
        .get(
            &format!("{AT}/decisions"),
            decisions::follow,
            of(Route, "follow_decisions", "What is to be decided from outside, as a stream")
                .says("It begins anew each time: what is pending follows the first event, whole.")
                .streams(&stream),
        )
        .post(
            &at("/{conversation}/decide"),
            decisions::decide,
            of(Route, "decide", "Answers a decision that is wanted from outside")
                .once()
                .takes::<decisions::Decide>(decide)
                .gives::<shapes::Offered>(200, "It is offered to the agent", Some(json!({"offer": "o23"})))
                .gives_nothing(204, "It is left to Offhook")
                .may(&[Code::NoSuchConversation, Code::WrongState, Code::BadField, Code::NoSuchDecision, Code::DecisionGone])
                .may(&[Code::OwnerChanged, Code::NoSuchAgent, Code::AgentUnable]),
        )
}
