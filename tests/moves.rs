//! Conversations that change hands, over real sockets: what each side asks, hears and is refused.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use support::customer::event_named;
use support::scene::{DEMO, live_agent, refused, server, talking};
use support::{Agent, Customer, Response, Server};

async fn admin(server: &Server, method: &str, path: &str, body: Value) -> Response {
    server.admin(method, &format!("/v1/workspaces/{DEMO}{path}"), Some(&body)).await
}

async fn put_queue(server: &Server, name: &str, settings: Value) {
    let answer = admin(server, "PUT", &format!("/queues/{name}"), settings).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn of(kind: &'static str, conversation: &str) -> impl Fn(&Value) -> bool {
    move |frame| {
        let held = &frame["conversation"];
        frame["type"] == kind && (held == conversation || held["conversation"] == conversation)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_transfer_leaves_it_with_its_owner_until_the_other_accepts() {
    let server = server();
    let (mut ada, customer) = talking(&server, "ada").await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;
    let id = customer.conversation.as_str();
    let mut events = customer.follow(None).await;
    let frame = json!({"type": "transfer", "conversation": id, "agent": "bob"});
    assert_eq!(refused(&mut bob, frame.clone()).await["code"], "not_yours");
    let nobody = json!({"type": "transfer", "conversation": id, "agent": "nobody"});
    assert_eq!(refused(&mut ada, nobody).await["code"], "no_such_agent");
    for (members, field) in [
        (json!({}), "agent"),
        (json!({"agent": "bob", "queue": "support"}), "queue"),
        (json!({"agent": "bob", "warm": "yes"}), "warm"),
        (json!({"queue": "support", "waiting_since": "now"}), "waiting_since"),
    ] {
        let mut frame = json!({"type": "transfer", "conversation": id});
        members.as_object().unwrap().iter().for_each(|(name, value)| frame[name] = value.clone());
        assert_eq!(refused(&mut ada, frame).await["field"], field);
    }

    let offered = ada.must(frame).await;
    let told = ada.until("transfer", of("transfer", id)).await;
    assert_eq!((&told["offer"], &told["agent"], &told["warm"]), (&offered["offer"], &json!("bob"), &json!(false)));
    let offer = bob.wait_for("offer").await["offer"].clone();
    assert_eq!((&offer["offer"], &offer["transfer"]), (&offered["offer"], &json!({"from": "ada", "warm": false})));
    assert_eq!((&offer["conversation"]["owner"], &offer["conversation"]["state"]), (&json!("ada"), &json!("active")));
    bob.must(json!({"type": "history", "conversation": id})).await;
    bob.must(json!({"type": "reject", "offer": offer["offer"], "reason": "busy"})).await;
    let ended = ada.until("transfer_ended", of("transfer_ended", id)).await;
    assert_eq!((&ended["end"], &ended["reason"], &ended["agent"]), (&json!("rejected"), &json!("busy"), &json!("bob")));
    ada.must(json!({"type": "send", "conversation": id, "text": "still with me"})).await;

    let offered = ada.must(json!({"type": "transfer", "conversation": id, "agent": "bob"})).await;
    bob.must(json!({"type": "accept", "offer": offered["offer"]})).await;
    let mine = bob.until("conversation", of("conversation", id)).await;
    assert_eq!((&mine["cause"], &mine["conversation"]["owner"]), (&json!("accepted"), &json!("bob")));
    assert_eq!(ada.until("gone", of("conversation_gone", id)).await["cause"], "transferred");
    assert_eq!(event_named(&mut events, "joined").await.json()["agent"]["title"], "ada");
    assert_eq!(event_named(&mut events, "joined").await.json()["agent"]["title"], "bob");
    let late = json!({"type": "send", "conversation": id, "text": "too late"});
    assert_eq!(refused(&mut ada, late).await["code"], "not_yours");
    bob.must(json!({"type": "close", "conversation": id})).await;
    assert_eq!(bob.until("gone", of("conversation_gone", id)).await["cause"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_warm_transfer_both_hear_and_write_until_it_is_handed_over() {
    let server = server();
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;
    let id = customer.conversation.clone();
    let mut events = customer.follow(None).await;
    let offered = ada.must(json!({"type": "transfer", "conversation": id, "agent": "bob", "warm": true})).await;
    bob.must(json!({"type": "accept", "offer": offered["offer"]})).await;
    let joined = bob.until("conversation", of("conversation", &id)).await;
    assert_eq!((&joined["cause"], &joined["conversation"]["owner"]), (&json!("joined"), &json!("ada")));
    assert_eq!(joined["conversation"]["joined"], "bob");
    assert_eq!(ada.until("ended", of("transfer_ended", &id)).await["end"], "accepted");
    for (who, text) in [(0, "from ada"), (1, "from bob")] {
        let writer = if who == 0 { &mut ada } else { &mut bob };
        writer.must(json!({"type": "send", "conversation": id, "text": text})).await;
        for reader in [&mut ada, &mut bob] {
            reader.until(text, |frame| frame["type"] == "message" && frame["text"] == text).await;
        }
    }
    assert_eq!(customer.post("to both").await, 4);
    for reader in [&mut ada, &mut bob] {
        reader.until("to both", |frame| frame["type"] == "message" && frame["text"] == "to both").await;
    }
    assert_eq!(customer.call("POST", "typing", None).await.status, 204);
    for reader in [&mut ada, &mut bob] {
        assert_eq!(reader.until("typing", of("typing", &id)).await["agent"], Value::Null);
    }
    bob.send(json!({"type": "typing", "conversation": id})).await;
    assert_eq!(ada.until("typing", of("typing", &id)).await["agent"], "bob");
    ada.must(json!({"type": "note", "conversation": id, "text": "she is kind"})).await;
    let note = bob.until("note", of("note", &id)).await;
    assert_eq!((&note["note"], &note["author"], &note["after"]), (&json!(1), &json!("ada"), &json!(4)));
    for frame in ["close", "hand_over", "cancel_transfer"] {
        assert_eq!(refused(&mut bob, json!({"type": frame, "conversation": id})).await["code"], "not_yours");
    }
    // Another device of who has joined is given it with its welcome.
    let device = Agent::connect(&server, DEMO, "bob").await;
    assert_eq!(device.welcome["snapshot"]["conversations"][0]["joined"], "bob");

    bob.must(json!({"type": "leave", "conversation": id})).await;
    assert_eq!(bob.until("gone", of("conversation_gone", &id)).await["cause"], "left");
    assert_eq!(ada.until("left", of("left", &id)).await["agent"], "bob");
    let offered = ada.must(json!({"type": "transfer", "conversation": id, "agent": "bob", "warm": true})).await;
    bob.must(json!({"type": "accept", "offer": offered["offer"]})).await;
    ada.must(json!({"type": "hand_over", "conversation": id})).await;
    assert_eq!(ada.until("gone", of("conversation_gone", &id)).await["cause"], "handed_over");
    let handed_over = |frame: &Value| frame["type"] == "conversation" && frame["cause"] == "handed_over";
    let mine = bob.until("conversation", handed_over).await;
    assert_eq!((&mine["conversation"]["owner"], &mine["conversation"]["joined"]), (&json!("bob"), &Value::Null));
    assert_eq!(event_named(&mut events, "left").await.json()["agent"]["title"], "bob");
    assert_eq!(event_named(&mut events, "left").await.json()["agent"]["title"], "ada");
    // What the view kept is what the stream sent.
    let mut again = customer.follow(None).await;
    assert_eq!(event_named(&mut again, "left").await.json()["agent"]["title"], "bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_to_a_queue_waits_there_and_a_full_one_refuses_it() {
    let server = server();
    put_queue(&server, "sales", json!({"waiting_max": 1})).await;
    let (mut ada, customer) = talking(&server, "ada").await;
    let id = customer.conversation.as_str();
    let mut events = customer.follow(None).await;
    let to_sales = json!({"type": "transfer", "conversation": id, "queue": "sales"});
    let nowhere = json!({"type": "transfer", "conversation": id, "queue": "nowhere"});
    assert_eq!(refused(&mut ada, nowhere).await["code"], "no_such_queue");
    ada.must(to_sales.clone()).await;
    assert_eq!(ada.until("gone", of("conversation_gone", id)).await["cause"], "transferred");
    event_named(&mut events, "requeued").await;

    let (mut bob, other) = talking(&server, "bob").await;
    let full = json!({"type": "transfer", "conversation": other.conversation, "queue": "sales"});
    assert_eq!(refused(&mut bob, full).await["code"], "queue_full");
    bob.must(json!({"type": "send", "conversation": other.conversation, "text": "you stay with me"})).await;
    admin(&server, "PUT", "/agents/cleo", json!({"queues": ["sales"]})).await;
    let mut cleo = Agent::available(&server, DEMO, "cleo").await;
    let offer = cleo.wait_for("offer").await["offer"].clone();
    assert_eq!(
        (&offer["conversation"]["conversation"], &offer["conversation"]["queue"]),
        (&json!(id), &json!("sales"))
    );
    assert_eq!(offer.get("transfer"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_see_what_waits_and_pick_it_where_the_queue_lets_them() {
    let server = server();
    let mut ada = Agent::connect(&server, DEMO, "ada").await;
    let first = Customer::start(server.address, DEMO, "first").await;
    let second = Customer::start(server.address, DEMO, "second").await;
    let list = json!({"type": "waiting", "queue": "support", "limit": 1});
    assert_eq!(refused(&mut ada, list.clone()).await["code"], "pick_not_allowed");
    put_queue(&server, "support", json!({"moves": {"pick": true}})).await;
    let page = ada.must(list).await;
    assert_eq!(page["waiting"][0]["conversation"], first.conversation.as_str());
    assert_eq!(page["waiting"][0]["rule"], "status_not_available");
    let next = json!({"type": "waiting", "queue": "support", "cursor": page["cursor"]});
    let page = ada.must(next).await;
    assert_eq!(page["waiting"][0]["conversation"], second.conversation.as_str());
    assert_eq!((page["waiting"].as_array().map(Vec::len), page.get("cursor")), (Some(1), None));
    let wrong = json!({"type": "waiting", "queue": "support", "cursor": "x"});
    assert_eq!(refused(&mut ada, wrong).await["code"], "bad_cursor");
    let pick = json!({"type": "pick", "conversation": second.conversation});
    let unable = refused(&mut ada, pick.clone()).await;
    assert_eq!((&unable["code"], &unable["rule"]), (&json!("agent_unable"), &json!("status_not_available")));

    // Available for other things than chat, it is offered nothing and may still not pick a chat.
    ada.must(json!({"type": "set_status", "status": "available", "channels": ["email"]})).await;
    assert_eq!(refused(&mut ada, pick.clone()).await["rule"], "channel_off");
    admin(&server, "PUT", "/agents/ada", json!({"capacity": {"chat": 1}})).await;
    ada.must(json!({"type": "set_status", "status": "available", "channels": ["chat"]})).await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    ada.must(json!({"type": "reject", "offer": offer["offer"], "reason": "not_mine"})).await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    ada.must(json!({"type": "reject", "offer": offer["offer"], "reason": "not_mine"})).await;
    assert_eq!(ada.must(pick.clone()).await["conversation"], second.conversation.as_str());
    assert_eq!(ada.until("its own", of("conversation", &second.conversation)).await["cause"], "picked");
    let full = refused(&mut ada, json!({"type": "pick", "conversation": first.conversation})).await;
    assert_eq!(full["rule"], "channel_full");
    assert_eq!(refused(&mut ada, pick).await["code"], "wrong_state");
}

#[tokio::test(flavor = "multi_thread")]
async fn supervisors_claim_and_reassign_what_they_expect() {
    let server = server();
    let (mut ada, customer) = talking(&server, "ada").await;
    let mut bob = Agent::connect(&server, DEMO, "bob").await;
    let mut sue = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    let id = customer.conversation.as_str();
    let claim = json!({"type": "claim", "conversation": id});
    assert_eq!(refused(&mut ada, claim.clone()).await["code"], "forbidden");
    let changed = refused(&mut sue, claim).await;
    assert_eq!((&changed["code"], &changed["owner"]), (&json!("owner_changed"), &json!("ada")));
    let claim = json!({"type": "claim", "conversation": id, "expected_owner": "ada", "id": support::command_id()});
    assert_eq!(sue.must(claim.clone()).await["conversation"], id);
    assert_eq!(sue.must(claim).await["conversation"], id, "the same id, the same answer");
    assert_eq!(sue.until("its own", of("conversation", id)).await["cause"], "claimed");
    assert_eq!(ada.until("gone", of("conversation_gone", id)).await["cause"], "claimed");

    admin(&server, "PUT", "/agents/bob", json!({"capacity": {"chat": 0}})).await;
    let mut give = json!({"type": "reassign", "conversation": id, "agent": "bob", "expected_owner": "sue"});
    assert_eq!(refused(&mut sue, give.clone()).await["rule"], "status_not_available");
    bob.must(json!({"type": "set_status", "status": "available"})).await;
    assert_eq!(refused(&mut sue, give.clone()).await["rule"], "channel_full");
    give["force"] = json!(true);
    sue.must(give).await;
    assert_eq!(bob.until("its own", of("conversation", id)).await["cause"], "reassigned");
    assert_eq!(sue.until("gone", of("conversation_gone", id)).await["cause"], "reassigned");
    assert_eq!(live_agent(&server, "bob").await["conversations"], 1);

    let assign = format!("/conversations/{id}/assign");
    let wrong = admin(&server, "POST", &assign, json!({"agent": "ada"})).await;
    assert_eq!((wrong.status, &wrong.json()["owner"]), (409, &json!("bob")));
    let done = admin(&server, "POST", &assign, json!({"agent": "ada", "expected_owner": "bob"})).await;
    assert_eq!(done.status, 204, "{}", done.text());
    let back = |frame: &Value| frame["type"] == "conversation" && frame["cause"] == "reassigned";
    ada.until("its own again", back).await;
    let transfer = format!("/conversations/{id}/transfer");
    let unable = admin(&server, "POST", &transfer, json!({"agent": "bob"})).await;
    assert_eq!((unable.status, &unable.json()["rule"]), (409, &json!("channel_full")));
    let done = admin(&server, "POST", &transfer, json!({"queue": "support"})).await;
    assert_eq!(done.status, 204, "{}", done.text());
    let both = admin(&server, "POST", &transfer, json!({"queue": "support", "agent": "bob"})).await;
    assert_eq!(both.status, 422, "{}", both.text());
    let events = server.admin("GET", &format!("/v1/workspaces/{DEMO}/conversations/{id}/events?limit=200"), None).await;
    let events = events.json()["events"].as_array().cloned().unwrap_or_default();
    let forced = events.iter().find(|event| event["data"]["forced"] == true).expect("it was forced");
    assert_eq!((&forced["event"], &forced["data"]["to"]), (&json!("conversation_taken"), &json!("bob")));
    assert_eq!(forced["data"]["by"], json!({"agent": "sue"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drains_is_told_and_keeps_what_it_has() {
    let server = server();
    let (mut ada, customer) = talking(&server, "ada").await;
    let mut sue = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    let drain = json!({"type": "drain", "agent": "ada", "on": true});
    assert_eq!(refused(&mut ada, drain.clone()).await["code"], "forbidden");
    sue.must(drain).await;
    assert_eq!(ada.wait_for("draining").await["draining"], true);
    let device = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(device.welcome["snapshot"]["draining"], true);
    assert_eq!(live_agent(&server, "ada").await["draining"], true);
    let other = Customer::start(server.address, DEMO, "hello").await;
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "go on"})).await;
    assert!(ada.kept().all(|frame| frame["type"] != "offer"));
    let done = admin(&server, "POST", "/agents/ada/drain", json!({"on": false})).await;
    assert_eq!(done.status, 204, "{}", done.text());
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], other.conversation.as_str());

    sue.must(json!({"type": "drain", "queue": "support", "on": true})).await;
    let body = json!({"text": "hello"});
    let Err(refusal) = Customer::try_start(server.address, DEMO, &body).await else {
        panic!("a draining queue takes nothing new")
    };
    assert_eq!((refusal.status, &refusal.json()["code"]), (409, &json!("queue_draining")));
    put_queue(&server, "sales", json!({})).await;
    let done = admin(&server, "POST", "/queues/support/drain", json!({"on": true, "to": "sales"})).await;
    assert_eq!(done.status, 204, "{}", done.text());
    Customer::try_start(server.address, DEMO, &body).await.expect("sales takes it");
    let done = admin(&server, "POST", "/queues/support/drain", json!({"on": false})).await;
    assert_eq!(done.status, 204, "{}", done.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_read_by_agents_and_never_by_the_customer() {
    let server = server();
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let mut bob = Agent::connect(&server, DEMO, "bob").await;
    let mut sue = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    let id = customer.conversation.clone();
    let note = json!({"type": "note", "conversation": id, "text": "between us"});
    assert_eq!(refused(&mut bob, note.clone()).await["code"], "not_yours");
    assert_eq!(ada.must(note).await["note"], 1);
    assert_eq!(sue.must(json!({"type": "note", "conversation": id, "text": "be careful"})).await["note"], 2);
    let told = ada.until("the supervisor's", |frame| frame["type"] == "note" && frame["note"] == 2).await;
    assert_eq!((&told["author"], &told["text"]), (&json!("sue"), &json!("be careful")));
    assert_eq!(customer.post("anything else?").await, 2, "notes are no messages");
    let history = ada.must(json!({"type": "history", "conversation": id})).await;
    assert_eq!(history["messages"].as_array().map(Vec::len), Some(2));
    let page = ada.must(json!({"type": "notes", "conversation": id})).await;
    let texts: Vec<&Value> = page["notes"].as_array().unwrap().iter().map(|note| &note["text"]).collect();
    assert_eq!((texts, &page["more"]), (vec![&json!("between us"), &json!("be careful")], &json!(false)));
    let page = ada.must(json!({"type": "notes", "conversation": id, "after": 1})).await;
    assert_eq!(page["notes"][0]["note"], 2);
    assert_eq!(refused(&mut bob, json!({"type": "notes", "conversation": id})).await["code"], "not_yours");
    let path = format!("/v1/workspaces/{DEMO}/conversations/{id}/notes");
    let written = server.admin("POST", &path, Some(&json!({"text": "paid"}))).await;
    assert_eq!((written.status, &written.json()["note"]), (201, &json!(3)), "{}", written.text());
    let told = ada.until("the administrator's", |frame| frame["type"] == "note" && frame["note"] == 3).await;
    assert_eq!((&told["author"], &told["text"]), (&Value::Null, &json!("paid")));
    let page = server.admin("GET", &format!("{path}?limit=2"), None).await.json();
    let first = &page["notes"][0];
    assert_eq!((&first["author"], &first["text"], &page["next"]), (&json!("ada"), &json!("between us"), &json!("2")));
    let page = server.admin("GET", &format!("{path}?cursor=2"), None).await.json();
    assert_eq!((&page["notes"][0]["text"], &page["next"]), (&json!("paid"), &Value::Null));
    assert_eq!(server.admin("POST", &path, Some(&json!({"text": ""}))).await.status, 422);
    let seen = customer.call("GET", "messages", None).await;
    assert!(!seen.text().contains("between us"), "{}", seen.text());
    let mut events = customer.follow(None).await;
    event_named(&mut events, "opened").await;
    let last = event_named(&mut events, "message").await;
    assert!(!last.data.contains("between us"), "{}", last.data);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_begins_a_conversation_with_a_customer_who_was_here() {
    let server = server();
    let (mut ada, customer) = talking(&server, "ada").await;
    let before = ada.must(json!({"type": "history", "conversation": customer.conversation})).await;
    let known = before["messages"][0]["author"]["customer"].clone();
    ada.must(json!({"type": "close", "conversation": customer.conversation})).await;
    let nobody = json!({"type": "start", "customer": "0".repeat(32), "queue": "support"});
    assert_eq!(refused(&mut ada, nobody).await["code"], "no_such_customer");
    let nowhere = json!({"type": "start", "customer": known, "queue": "nowhere"});
    assert_eq!(refused(&mut ada, nowhere).await["code"], "no_such_queue");
    let start = json!({"type": "start", "customer": known, "queue": "support", "text": "good morning",
        "id": support::command_id()});
    let begun = ada.must(start.clone()).await["conversation"].clone();
    assert_eq!(ada.must(start).await["conversation"], begun, "the same id, the same conversation");
    let mine = ada.until("its own", of("conversation", begun.as_str().unwrap())).await;
    assert_eq!((&mine["cause"], &mine["conversation"]["customer"]), (&json!("started"), &known));
    let history = ada.must(json!({"type": "history", "conversation": begun})).await;
    assert_eq!(history["messages"][0]["text"], "good morning");
    assert_eq!(history["messages"][0]["author"], json!({"agent": "ada"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_works_here_is_told_whom_and_what_a_conversation_may_be_given_to() {
    let server = server();
    put_queue(&server, "support", json!({"title": "Support", "moves": {"pick": true}})).await;
    put_queue(&server, "sales", json!({"moves": {"pick": true}})).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let _bob = Agent::connect_as(&server, DEMO, "bob", Role::Agent).await;
    let gone = admin(&server, "PUT", "/agents/aaron", json!({"active": false})).await;
    assert_eq!(gone.status, 200, "{}", gone.text());

    let agents = ada.must(json!({"type": "directory", "what": "agents"})).await;
    let names: Vec<_> = agents["rows"].as_array().unwrap().iter().map(|row| &row["agent"]).collect();
    assert_eq!(names, ["ada", "bob"], "{agents}");
    let ada_row = json!({"agent": "ada", "title": "ada", "program": false, "connection": "online", "status": "available", "available": true});
    assert_eq!(agents["rows"][0], ada_row);
    assert_eq!((&agents["rows"][1]["available"], &agents["cursor"]), (&json!(false), &Value::Null));
    // In pages by name; what a page passes over, it passes over.
    let first = ada.must(json!({"type": "directory", "what": "agents", "limit": 1})).await;
    assert_eq!((&first["rows"], &first["cursor"]), (&json!([]), &json!("aaron")));
    let second = ada.must(json!({"type": "directory", "what": "agents", "limit": 1, "cursor": "aaron"})).await;
    assert_eq!((&second["rows"][0]["agent"], &second["cursor"]), (&json!("ada"), &json!("ada")));

    // Ada is not one of sales: she may give to it, and not pick from it.
    let queues = ada.must(json!({"type": "directory", "what": "queues"})).await;
    let sales = json!({"queue": "sales", "title": "sales", "picking": false});
    assert_eq!(queues["rows"], json!([sales, {"queue": "support", "title": "Support", "picking": true}]));
    let mut sue = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    let last = sue.must(json!({"type": "directory", "what": "queues", "limit": 1})).await;
    assert_eq!((&last["rows"][0]["picking"], &last["cursor"]), (&json!(true), &json!("sales")));
    assert_eq!(refused(&mut ada, json!({"type": "directory", "what": "customers"})).await["field"], "what");
}
