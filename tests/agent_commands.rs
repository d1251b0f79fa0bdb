//! Each command of an agent's socket, and each of its refusals, against the real binary.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::customer::event_named;
use support::scene::{DEMO, eventually, refused, server, talking};
use support::{Agent, Customer, command_id};

#[tokio::test(flavor = "multi_thread")]
async fn the_welcome_says_who_where_and_what() {
    let server = server();
    let agent = Agent::connect(&server, DEMO, "ada").await;
    let welcome = &agent.welcome;
    assert_eq!(welcome["agent"]["name"], "ada");
    assert_eq!(welcome["agent"]["role"], "agent");
    assert_eq!(welcome["workspace"], DEMO);
    assert_eq!(welcome["session"].as_str().map(str::len), Some(32));
    assert!(welcome["ticket"].as_str().is_some_and(|ticket| ticket.starts_with("ohr1.")));
    assert!(welcome["position"].as_u64() > Some(0));
    let settings = &welcome["settings"];
    assert!(settings["statuses"].as_array().unwrap().contains(&json!({"name": "available", "available": true})));
    assert_eq!(settings["channels"], json!(["chat", "voice", "email"]));
    assert!(settings["reject_reasons"].as_array().unwrap().contains(&json!("busy")));
    assert_eq!((&settings["text_bytes_max"], &settings["frame_bytes_max"]), (&json!(16384), &json!(65536)));
    let snapshot = &welcome["snapshot"];
    assert_eq!((&snapshot["available"], &snapshot["connection"]), (&json!(false), &json!("online")));
    assert_eq!((&snapshot["offers"], &snapshot["conversations"]), (&json!([]), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_channels_decide_what_is_offered() {
    let server = server();
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let wrong = refused(&mut agent, json!({"type": "set_status", "status": "asleep"})).await;
    assert_eq!(wrong["code"], "no_such_status");
    let channels = json!({"type": "set_status", "status": "available", "channels": ["fax"]});
    assert_eq!(refused(&mut agent, channels).await["code"], "no_such_channel");
    agent.must(json!({"type": "set_status", "status": "available", "channels": ["email"]})).await;
    let status = agent.wait_for("status").await;
    assert_eq!((&status["status"], &status["available"]), (&json!("available"), &json!(true)));
    assert_eq!((&status["channels"], &status["cause"]), (&json!(["email"]), &json!("chosen")));
    assert_eq!(status["connection"], "online");
    let customer = Customer::start(server.address, DEMO, "by chat").await;
    // Asked after the start, so an offer would have come before this reply.
    agent.must(json!({"type": "ready"})).await;
    assert!(agent.kept().all(|frame| frame["type"] != "offer"));
    agent.must(json!({"type": "set_status", "status": "available", "channels": ["chat"]})).await;
    let offer = agent.wait_for("offer").await;
    assert_eq!(offer["offer"]["conversation"]["conversation"], customer.conversation.as_str());
    agent.must(json!({"type": "set_status", "status": "away"})).await;
    let ended = agent.wait_for("offer_ended").await;
    assert_eq!(ended["end"], "agent_lost", "away before delivery");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_holds_its_conversation_and_is_answered_once() {
    let server = server();
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let mut other = Agent::connect(&server, DEMO, "bob").await;
    let body = json!({"text": "hello", "name": "Zoë", "metadata": {"page": "/pricing"}});
    let customer = Customer::try_start(server.address, DEMO, &body).await.unwrap();
    let offer = agent.wait_for("offer").await["offer"].clone();
    let held = &offer["conversation"];
    assert_eq!(held["conversation"], customer.conversation.as_str());
    assert_eq!(
        (&held["state"], &held["channel"], &held["queue"]),
        (&json!("offered"), &json!("chat"), &json!("support"))
    );
    assert_eq!((&held["name"], &held["metadata"]), (&json!("Zoë"), &json!({"page": "/pricing"})));
    assert_eq!((&held["known"], &held["last_number"]), (&json!(false), &json!(1)));
    assert!(offer["left_ms"].as_u64().is_some_and(|ms| (1..=30_000).contains(&ms)), "{offer}");
    assert!(offer["deliver_left_ms"].as_u64().is_some_and(|ms| (1..=5_000).contains(&ms)), "{offer}");
    assert_eq!(offer["delivered"], false);

    let id = &offer["offer"];
    for kind in ["delivered", "accept"] {
        assert_eq!(refused(&mut agent, json!({"type": kind, "offer": "o999"})).await["code"], "no_such_offer");
        assert_eq!(refused(&mut other, json!({"type": kind, "offer": id})).await["code"], "not_your_offer");
    }
    let reject = json!({"type": "reject", "offer": id, "reason": "bored"});
    assert_eq!(refused(&mut agent, reject).await["code"], "no_such_reason");
    agent.must(json!({"type": "delivered", "offer": id})).await;
    assert_eq!(agent.wait_for("offer_delivered").await["offer"], *id);
    agent.must(json!({"type": "reject", "offer": id, "reason": "busy"})).await;
    let ended = agent.wait_for("offer_ended").await;
    assert_eq!((&ended["end"], &ended["reason"]), (&json!("rejected"), &json!("busy")));
    for frame in [
        json!({"type": "accept", "offer": id}),
        json!({"type": "delivered", "offer": id}),
        json!({"type": "reject", "offer": id, "reason": "busy"}),
    ] {
        let gone = refused(&mut agent, frame).await;
        assert_eq!((&gone["code"], &gone["end"]), (&json!("offer_gone"), &json!("rejected")));
    }
    // It waits on, at its old age, and the next one gets it.
    other.must(json!({"type": "set_status", "status": "available"})).await;
    let next = other.wait_for("offer").await["offer"].clone();
    assert_eq!(next["conversation"]["conversation"], held["conversation"]);
    assert_eq!(next["conversation"]["waiting_since"], held["waiting_since"]);
    let accepted = other.must(json!({"type": "accept", "offer": next["offer"]})).await;
    assert_eq!(accepted["conversation"], held["conversation"]);
    let again = other.must(json!({"type": "accept", "offer": next["offer"]})).await;
    assert_eq!(again["conversation"], held["conversation"], "the winner who repeats it");
    let owned = other.wait_for("conversation").await;
    assert_eq!((&owned["cause"], &owned["conversation"]["owner"]), (&json!("accepted"), &json!("bob")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_and_read_reaches_the_other_side() {
    let server = server();
    let (mut agent, mut customer) = talking(&server, "ada").await;
    let conversation = customer.conversation.clone();
    let mut events = customer.follow(None).await;
    assert_eq!(customer.post("second").await, 2);
    let came = agent.wait_for("message").await;
    assert_eq!((&came["number"], &came["text"]), (&json!(2), &json!("second")));
    assert!(came["author"]["customer"].is_string(), "{came}");
    agent.must(json!({"type": "read", "conversation": conversation, "number": 2})).await;
    assert_eq!(event_named(&mut events, "read").await.json()["number"], 2);
    let sent = agent.must(json!({"type": "send", "conversation": conversation, "text": "third"})).await;
    assert_eq!(sent["number"], 3);
    let own = agent.until("its own message", |frame| frame["type"] == "message" && frame["number"] == 3).await;
    assert_eq!((&own["author"], &own["at"]), (&json!({"agent": "ada"}), &sent["at"]));
    assert_eq!(customer.call("POST", "read", Some(json!({"number": 3}))).await.status, 204);
    let read = agent.until("read", |frame| frame["type"] == "read" && frame["reader"] == "customer").await;
    assert_eq!(read["number"], 3);
    agent.send(json!({"type": "typing", "conversation": conversation})).await;
    event_named(&mut events, "typing").await;
    assert_eq!(customer.call("POST", "typing", None).await.status, 204);
    let typing = agent.wait_for("typing").await;
    assert_eq!((&typing["conversation"], &typing["position"]), (&json!(conversation), &Value::Null));

    let read = json!({"type": "read", "conversation": conversation, "number": 99});
    assert_eq!(refused(&mut agent, read).await["code"], "no_such_message");
    let long = json!({"type": "send", "conversation": conversation, "text": "x".repeat(16_385)});
    let long = refused(&mut agent, long).await;
    assert_eq!((&long["code"], &long["field"]), (&json!("too_large"), &json!("text")));
    let empty = refused(&mut agent, json!({"type": "send", "conversation": conversation, "text": ""})).await;
    assert_eq!(empty["field"], "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_its_owners_until_it_is_closed() {
    let server = server();
    let (mut agent, mut customer) = talking(&server, "ada").await;
    let mut other = Agent::connect(&server, DEMO, "bob").await;
    let mut supervisor = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    let conversation = customer.conversation.clone();
    let of = |kind: &str, conversation: &str| {
        let mut frame = json!({"type": kind, "conversation": conversation});
        match kind {
            "send" => frame["text"] = "x".into(),
            "read" => frame["number"] = 1.into(),
            _ => {}
        }
        frame
    };
    for kind in ["send", "read", "typing", "close", "wrap_up_done", "history"] {
        assert_eq!(refused(&mut other, of(kind, &conversation)).await["code"], "not_yours", "{kind}");
        assert_eq!(refused(&mut agent, of(kind, "c999")).await["code"], "no_such_conversation", "{kind}");
    }
    let early = refused(&mut agent, of("wrap_up_done", &conversation)).await;
    assert_eq!((&early["code"], &early["state"]), (&json!("wrong_state"), &json!("active")));
    supervisor.must(of("close", &conversation)).await;
    let gone = agent.wait_for("conversation_gone").await;
    assert_eq!((&gone["conversation"], &gone["cause"]), (&json!(conversation), &json!("closed")));
    for kind in ["send", "close"] {
        let closed = refused(&mut agent, of(kind, &conversation)).await;
        assert_eq!((&closed["code"], &closed["state"]), (&json!("wrong_state"), &json!("closed")), "{kind}");
    }
    // The customer writes on: it waits anew and is offered again.
    assert_eq!(customer.post("one more thing").await, 2);
    let offer = agent.wait_for("offer").await;
    assert_eq!(offer["offer"]["conversation"]["conversation"], conversation.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrap_up_runs_until_it_is_done_and_a_message_ends_it() {
    let server = server();
    server.change_settings(DEMO, |settings| settings["channels"][0]["wrap_up_ms"] = 600_000.into()).await;
    let (mut agent, mut customer) = talking(&server, "ada").await;
    let conversation = customer.conversation.clone();
    agent.must(json!({"type": "close", "conversation": conversation})).await;
    let ended = agent.wait_for("conversation_ended").await;
    assert_eq!((&ended["by"], &ended["conversation"]["state"]), (&json!("agent"), &json!("wrap_up")));
    assert!(ended["conversation"]["wrap_up_left_ms"].as_u64().is_some_and(|ms| (1..=600_000).contains(&ms)), "{ended}");
    let send = json!({"type": "send", "conversation": conversation, "text": "x"});
    let wrong = refused(&mut agent, send).await;
    assert_eq!((&wrong["code"], &wrong["state"]), (&json!("wrong_state"), &json!("wrap_up")));
    customer.post("wait").await;
    let back = agent.until("reopened", |frame| frame["type"] == "conversation" && frame["cause"] == "reopened").await;
    assert_eq!((&back["conversation"]["state"], &back["conversation"]["owner"]), (&json!("active"), &json!("ada")));
    agent.must(json!({"type": "close", "conversation": conversation})).await;
    agent.must(json!({"type": "wrap_up_done", "conversation": conversation})).await;
    assert_eq!(agent.wait_for("conversation_gone").await["cause"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_hears_the_same_and_changes_nothing_twice_even_after_a_kill() {
    let mut server = server();
    let (mut agent, customer) = talking(&server, "ada").await;
    let conversation = &customer.conversation;
    let send = json!({"type": "send", "conversation": conversation, "text": "once", "id": command_id()});
    let first = agent.must(send.clone()).await;
    let again = agent.must(send.clone()).await;
    assert_eq!((&again["number"], &again["at"]), (&first["number"], &first["at"]));
    let mut other = send.clone();
    other["text"] = "another".into();
    assert_eq!(refused(&mut agent, other.clone()).await["code"], "id_reused");
    let next = agent.must(json!({"type": "send", "conversation": conversation, "text": "next"})).await;
    assert_eq!(next["number"].as_u64(), first["number"].as_u64().map(|number| number + 1));
    server.kill();
    server.start_again();
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let again = agent.must(send).await;
    assert_eq!((&again["number"], &again["at"]), (&first["number"], &first["at"]));
    assert_eq!(refused(&mut agent, other).await["code"], "id_reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn history_comes_in_pages_from_either_end() {
    let server = server();
    let (mut agent, mut customer) = talking(&server, "ada").await;
    for number in 2..=10 {
        assert_eq!(customer.post(&format!("text {number}")).await, number);
    }
    let conversation = customer.conversation.clone();
    let mut page = async |more: Value| {
        let mut frame = json!({"type": "history", "conversation": conversation});
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = agent.ask(frame).await;
        let numbers = |messages: &Vec<Value>| messages.iter().map(|one| one["number"].as_u64().unwrap()).collect();
        match reply["messages"].as_array() {
            Some(messages) => Ok::<(Vec<u64>, bool), Value>((numbers(messages), reply["more"].as_bool().unwrap())),
            None => Err(reply["error"].clone()),
        }
    };
    assert_eq!(page(json!({})).await, Ok(((1..=10).collect(), false)));
    assert_eq!(page(json!({"limit": 3})).await, Ok((vec![8, 9, 10], true)));
    assert_eq!(page(json!({"limit": 3, "before": 8})).await, Ok((vec![5, 6, 7], true)));
    assert_eq!(page(json!({"limit": 3, "after": 0})).await, Ok((vec![1, 2, 3], true)));
    assert_eq!(page(json!({"limit": 3, "after": 8, "before": null})).await, Ok((vec![9, 10], false)));
    assert_eq!(page(json!({"after": 10})).await, Ok((vec![], false)));
    for (wrong, code) in [
        (json!({"after": 1, "before": 3}), "bad_cursor"),
        (json!({"limit": 0}), "bad_field"),
        (json!({"limit": 201}), "bad_field"),
    ] {
        assert_eq!(page(wrong.clone()).await.unwrap_err()["code"], code, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn supervisors_watch_pages_of_rows_that_change_at_most_once_a_second() {
    let server = server();
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let watch = |what: &str| json!({"type": "watch", "what": what});
    assert_eq!(refused(&mut agent, watch("queues")).await["code"], "forbidden");
    let mut supervisor = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    assert_eq!(refused(&mut supervisor, watch("customers")).await["field"], "what");
    let page = supervisor.must(json!({"type": "watch", "what": "agents", "limit": 1})).await;
    assert_eq!((&page["rows"][0]["agent"], &page["cursor"]), (&json!("ada"), &json!("ada")));
    let rest = supervisor.must(json!({"type": "watch", "what": "agents", "cursor": "ada", "limit": 100})).await;
    assert_eq!((&rest["rows"][0]["agent"], &rest["cursor"]), (&json!("sue"), &Value::Null));
    let row = &page["rows"][0];
    assert_eq!(
        (&row["connection"], &row["status"], &row["available"]),
        (&json!("online"), &json!("available"), &json!(true))
    );
    supervisor.must(json!({"type": "unwatch", "what": "agents"})).await;
    // Rows are as of the last second: the queue was made just now.
    let path = format!("/v1/workspaces/{DEMO}/live/queues");
    let live = async || server.admin("GET", &path, None).await.json();
    eventually("a row of queues", live, |page| page["rows"][0]["queue"] == "support").await;
    let queues = supervisor.must(watch("queues")).await;
    assert_eq!(queues["rows"][0]["queue"], "support");
    // Ten starts are a few frames at most, and the last one has them all.
    agent.must(json!({"type": "set_status", "status": "away"})).await;
    let began = std::time::Instant::now();
    let mut customers = Vec::new();
    for _ in 0..10 {
        customers.push(Customer::start(server.address, DEMO, "hello").await);
    }
    let mut frames = 0;
    loop {
        let rows = supervisor.wait_for("queues").await;
        frames += 1;
        if rows["rows"][0]["waiting"] == 10 {
            assert_eq!(rows["rows"][0]["agents_available"], 0);
            break;
        }
    }
    let seconds = began.elapsed().as_secs();
    assert!(frames <= seconds + 3, "{frames} frames in {seconds} s");
    supervisor.must(json!({"type": "unwatch", "what": "queues"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_two_hundred_conversations_is_told_them_page_by_page() {
    let server = server();
    let profile = json!({"program": true, "queues": ["support"], "capacity": {"chat": 200}});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/agents/assistant"), Some(&profile)).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let mut assistant = Agent::available(&server, DEMO, "assistant").await;
    let start = json!({"text": "hello", "metadata": {"page": "x".repeat(3_000)}});
    let mut held = BTreeSet::new();
    for _ in 0..200 {
        let customer = Customer::try_start(server.address, DEMO, &start).await.expect("a start");
        let offer = assistant.wait_for("offer").await["offer"].clone();
        // The last one stays an offer.
        if held.len() < 199 {
            assistant.must(json!({"type": "accept", "offer": offer["offer"]})).await;
        }
        held.insert(customer.conversation);
    }

    let mut device = Agent::connect(&server, DEMO, "assistant").await;
    let mut told = BTreeSet::new();
    let mut page = device.welcome["snapshot"].clone();
    assert!(device.welcome.to_string().len() <= 64 * 1024);
    assert_eq!(page["offers"].as_array().map(Vec::len), Some(1));
    let mut pages = 1;
    loop {
        let offered = page["offers"].as_array().into_iter().flatten().map(|offer| &offer["conversation"]);
        let shapes = offered.chain(page["conversations"].as_array().into_iter().flatten());
        for shape in shapes {
            let id = shape["conversation"].as_str().expect("an id").to_owned();
            assert!(told.insert(id), "told twice: {shape}");
        }
        let Some(cursor) = page["cursor"].as_str() else { break };
        page = device.must(json!({"type": "own", "cursor": cursor})).await;
        assert!(page.to_string().len() <= 64 * 1024);
        pages += 1;
    }
    assert_eq!(told, held);
    assert!(pages > 10, "{pages} pages");
    let wrong = refused(&mut device, json!({"type": "own", "cursor": "c1"})).await;
    assert_eq!((&wrong["code"], &wrong["field"]), (&json!("bad_cursor"), &json!("cursor")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_was_shown_is_accepted_by_itself_where_the_queue_says_so() {
    let server = server();
    let path = format!("/v1/workspaces/{DEMO}/queues/support");
    let mut queue = server.admin("GET", &path, None).await.json();
    queue["offering"]["auto_accept_ms"] = 1.into();
    assert!(server.admin("PUT", &path, Some(&queue)).await.is_success());
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let customer = Customer::start(server.address, DEMO, "hello").await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["auto_accept_left_ms"], Value::Null, "it is not shown yet");
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    let delivered = ada.wait_for("offer_delivered").await;
    assert!(delivered["auto_accept_left_ms"].as_u64().is_some_and(|ms| ms <= 1), "{delivered}");
    let ended = ada.wait_for("offer_ended").await;
    assert_eq!((&ended["end"], &ended["reason"]), (&json!("accepted"), &json!("auto_accept")));
    ada.until("the conversation", |frame| frame["type"] == "conversation").await;
    ada.must(json!({"type": "send", "conversation": customer.conversation, "text": "here I am"})).await;

    let path = format!("/v1/workspaces/{DEMO}/agents/ada");
    let put = server.admin("PUT", &path, Some(&json!({"auto_accept": "never"}))).await;
    assert_eq!((put.status, &put.json()["auto_accept"]), (200, &json!("never")));
    let _second = Customer::start(server.address, DEMO, "hello again").await;
    let offer = ada.wait_for("offer").await["offer"].clone();
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    assert_eq!(ada.wait_for("offer_delivered").await["auto_accept_left_ms"], Value::Null);
}
