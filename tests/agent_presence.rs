//! Who is there: devices, grace, a kill, signing out, deactivation, tokens that end, and readers that stop.

mod support;

use offhook::gateway::auth::agent_token::{AgentClaims, Role, mint};
use offhook::gateway::auth::first_key::LOCAL_KID;
use offhook::gateway::auth::keys::{Algorithm, SigningKey, read_key_file};
use serde_json::{Value, json};
use support::scene::{DEMO, eventually, live_agent, offered, refused, server, talking};
use support::socket::{Heard, Socket};
use support::{Agent, Customer, Options, Server, now_s, within};

/// The close that answers a connection which is not let in.
async fn turned_away(server: &Server, token: &str) -> (u16, String) {
    match Agent::try_connect(server.address, "nobody", token, None).await {
        Err(Heard::Close { code, reason }) => (code, reason),
        Err(other) => panic!("{other:?}"),
        Ok(agent) => panic!("was welcomed: {}", agent.welcome),
    }
}

fn token_until(server: &Server, agent: &str, expires_at_s: i64) -> String {
    let key = read_key_file(&server.data_dir().join("agent.key")).unwrap();
    let key = SigningKey::read(Algorithm::Hs256, &key).unwrap();
    let (agent, workspace) = (agent.to_owned(), DEMO.to_owned());
    mint(
        &AgentClaims { agent, workspace, role: Role::Agent, name: None, expires_at_s, signin: None },
        now_s(),
        LOCAL_KID,
        &key,
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_device_hears_an_offer_and_the_first_answer_counts() {
    let server = server();
    let mut first = Agent::available(&server, DEMO, "ada").await;
    let mut second = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(second.welcome["snapshot"]["available"], true, "a new session changes no status");
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(Agent::connect(&server, DEMO, "ada").await);
    }
    let token = server.agent_token(DEMO, "ada", Role::Agent);
    assert_eq!(turned_away(&server, &token).await, (4004, "too_many_devices".to_owned()));
    let (_customer, offer) = offered(&server, &mut first).await;
    second.wait_for("offer").await;
    second.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    for device in others.iter_mut().chain([&mut first, &mut second]) {
        assert_eq!(device.wait_for("offer_ended").await["end"], "accepted");
        assert_eq!(device.wait_for("conversation").await["cause"], "accepted");
    }
    // The winner's other device asks too late for an offer that its own agent has: it is told so.
    first.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let mut again = others.pop().unwrap();
    again.must(json!({"type": "sign_out"})).await;
    for device in [&mut again, &mut first, &mut second] {
        assert_eq!(device.closed().await, (4000, "signed_out".to_owned()));
    }
    let back = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(back.welcome["snapshot"]["available"], false, "after a sign-out");
    assert_eq!(back.welcome["snapshot"]["conversations"].as_array().map(Vec::len), Some(1), "it is still its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn back_within_grace_nothing_has_changed() {
    let server = server();
    let (agent, customer) = talking(&server, "ada").await;
    let mut watcher = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    let before = watcher.must(json!({"type": "watch", "what": "agents"})).await["rows"][0].clone();
    let ticket = agent.welcome["ticket"].as_str().unwrap().to_owned();
    drop(agent);
    let is = |connection: &'static str| move |row: &Value| row["connection"] == connection;
    let dropped = eventually("reconnecting", async || live_agent(&server, "ada").await, is("reconnecting")).await;
    assert_eq!((&dropped["status"], &dropped["available"]), (&json!("available"), &json!(true)));
    let mut waiting = Customer::start(server.address, DEMO, "nobody is offered this").await;
    assert_eq!(waiting.call("GET", "", None).await.json()["state"], "waiting");
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", waiting.conversation);
    assert_eq!(
        server.admin("GET", &path, None).await.json()["state"],
        "waiting",
        "a reconnecting agent gets no new offer"
    );
    let token = server.agent_token(DEMO, "ada", Role::Agent);
    let mut back = Agent::try_connect(server.address, "ada", &token, Some(&ticket)).await.unwrap();
    let snapshot = &back.welcome["snapshot"];
    assert_eq!((&snapshot["status"], &snapshot["available"]), (&json!("available"), &json!(true)));
    assert_eq!(snapshot["conversations"][0]["conversation"], customer.conversation.as_str());
    // It was free to take it the moment that it came back.
    let offer = match snapshot["offers"].get(0).cloned() {
        Some(offer) => offer,
        None => back.wait_for("offer").await["offer"].clone(),
    };
    assert_eq!(offer["conversation"]["conversation"], waiting.conversation.as_str());
    let after = live_agent(&server, "ada").await;
    assert_eq!((&after["status"], &after["connection"]), (&before["status"], &before["connection"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_grace_it_is_offline_and_its_conversation_goes_to_another() {
    let server = server();
    let quick = |settings: &mut Value| {
        settings["offer_grace_ms"] = 50.into();
        settings["agent_grace_ms"] = 100.into();
        settings["vanished_owner_ms"] = 100.into();
    };
    server.change_settings(DEMO, quick).await;
    let (agent, customer) = talking(&server, "ada").await;
    let mut events = customer.follow(None).await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;
    drop(agent);
    let offer = bob.wait_for("offer").await["offer"].clone();
    assert_eq!(offer["conversation"]["conversation"], customer.conversation.as_str());
    assert_eq!(offer["conversation"]["waiting_since"], offer["conversation"]["opened_at"], "it keeps its age");
    support::customer::event_named(&mut events, "requeued").await;
    assert_eq!(live_agent(&server, "ada").await["connection"], "offline");
    let back = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(back.welcome["snapshot"]["available"], false, "not available until it says so");
    assert_eq!(back.welcome["snapshot"]["conversations"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_agents_offer_goes_on_to_another_after_the_offers_grace() {
    let server = server();
    server.change_settings(DEMO, |settings| settings["offer_grace_ms"] = 100.into()).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (customer, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;
    drop(ada);
    let next = bob.wait_for("offer").await["offer"].clone();
    assert_eq!(next["conversation"]["conversation"], customer.conversation.as_str());
    assert_eq!(next["conversation"]["waiting_since"], offer["conversation"]["waiting_since"]);
    let mut back = Agent::connect(&server, DEMO, "ada").await;
    let gone = refused(&mut back, json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!((&gone["code"], &gone["end"]), (&json!("offer_gone"), &json!("agent_lost")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_goes_on_with_the_time_it_had_left_over_a_kill() {
    let mut server = Server::start(&Options::default().without_rate_limits().set("engine.tick_record_every_ms=100"));
    server.change_settings(DEMO, |settings| settings["channels"][0]["offer_ms"] = 60_000.into()).await;
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let (_customer, offer) = offered(&server, &mut agent).await;
    agent.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    let left = |agent: &Agent| agent.welcome["snapshot"]["offers"][0]["left_ms"].as_u64().unwrap();
    let ask = async || left(&Agent::connect(&server, DEMO, "ada").await);
    // Until a good piece of it has passed, and so has been written down.
    let before = eventually("two seconds of the offer", ask, |left| *left < 58_000).await;
    server.kill();
    server.start_again();
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    let after = left(&agent);
    assert!(after <= before + 600, "{before} ms left before the kill, {after} after it");
    assert!(after + 10_000 > before, "{before} ms left before the kill, {after} after it: downtime counted");
    assert_eq!(agent.welcome["snapshot"]["offers"][0]["delivered"], true);
    assert_eq!(agent.welcome["snapshot"]["status"], "available");
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_missed_offers_make_an_agent_away() {
    let server = server();
    let quick = |settings: &mut Value| {
        settings["channels"][0]["offer_ms"] = 4_000.into();
        settings["missed_in_a_row_max"] = 2.into();
    };
    server.change_settings(DEMO, quick).await;
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    agent.wait_for("status").await;
    for _ in 0..2 {
        let (_, offer) = offered(&server, &mut agent).await;
        agent.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    }
    let away = agent.wait_for("status").await;
    assert_eq!(
        (&away["status"], &away["available"], &away["cause"]),
        (&json!("away"), &json!(false), &json!("missed"))
    );
    for _ in 0..2 {
        assert_eq!(agent.wait_for("offer_ended").await["end"], "expired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_undelivered_offers_make_an_agent_unreachable_until_it_speaks() {
    let server = server();
    let quick = |settings: &mut Value| {
        settings["delivery_ms"] = 100.into();
        settings["cool_downs"]["undelivered_ms"] = 0.into();
    };
    server.change_settings(DEMO, quick).await;
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    agent.wait_for("status").await;
    let _customer = Customer::start(server.address, DEMO, "hello").await;
    let silent = agent.wait_for("status").await;
    assert_eq!((&silent["connection"], &silent["cause"]), (&json!("unreachable"), &json!("unreachable")));
    for _ in 0..2 {
        agent.wait_for("offer").await;
        assert_eq!(agent.wait_for("offer_ended").await["end"], "undelivered");
    }
    // Time enough to answer the next one, however busy the machine is.
    server.change_settings(DEMO, |settings| settings["delivery_ms"] = 15_000.into()).await;
    agent.must(json!({"type": "ready"})).await;
    let back = agent.wait_for("status").await;
    assert_eq!((&back["connection"], &back["cause"]), (&json!("online"), &json!("reachable")));
    let offer = agent.wait_for("offer").await["offer"]["offer"].clone();
    agent.must(json!({"type": "accept", "offer": offer})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivation_closes_every_socket_at_once() {
    let server = server();
    let (mut agent, customer) = talking(&server, "ada").await;
    let mut second = Agent::connect(&server, DEMO, "ada").await;
    let path = format!("/v1/workspaces/{DEMO}/agents/ada");
    assert_eq!(server.admin("PUT", &path, Some(&json!({"active": false}))).await.status, 200);
    for device in [&mut agent, &mut second] {
        assert_eq!(device.closed().await, (4003, "forbidden".to_owned()));
    }
    let token = server.agent_token(DEMO, "ada", Role::Agent);
    assert_eq!(turned_away(&server, &token).await.0, 4003);
    assert_eq!(server.admin("PUT", &path, Some(&json!({"active": true}))).await.status, 200);
    let back = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(back.welcome["snapshot"]["available"], false);
    assert_eq!(back.welcome["snapshot"]["conversations"][0]["conversation"], customer.conversation.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_is_told_why_by_a_close_code() {
    let server = Server::start(&Options::default().set("identity.token_leeway_s=0"));
    let good = server.agent_token(DEMO, "ada", Role::Agent);
    let elsewhere = server.agent_token("nowhere", "ada", Role::Agent);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let forged: String = signature.chars().rev().collect();
    for (token, code, reason) in [
        ("abc", 4001, "token_malformed"),
        (token_until(&server, "ada", now_s() - 1).as_str(), 4001, "token_expired"),
        (format!("{head}.{forged}").as_str(), 4001, "token_"),
        (elsewhere.as_str(), 4003, "forbidden"),
    ] {
        let (found, said) = turned_away(&server, token).await;
        assert_eq!(found, code, "{token}: {said}");
        assert!(said.starts_with(reason), "{token}: {said}");
    }
    let mut bare = Socket::connect(server.address, &[]).await.unwrap().unwrap();
    let said = within("a close", bare.next()).await;
    assert_eq!(said, Heard::Close { code: 4001, reason: "token_missing".to_owned() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_token_unless_it_is_refreshed() {
    let server = Server::start(&Options::default().set("identity.token_leeway_s=0"));
    let soon = now_s() + 6;
    let short = token_until(&server, "ada", soon);
    let mut ending = Agent::try_connect(server.address, "ada", &short, None).await.unwrap();
    let mut staying = Agent::try_connect(server.address, "ada", &short, None).await.unwrap();
    for (token, reason) in
        [("abc", "token_malformed"), (&server.agent_token(DEMO, "bob", Role::Agent), "token_other_agent")]
    {
        let wrong = refused(&mut staying, json!({"type": "refresh", "token": token})).await;
        assert_eq!((&wrong["code"], &wrong["reason"]), (&json!("unauthorized"), &json!(reason)));
    }
    let later = now_s() + 3_600;
    let token = token_until(&server, "ada", later);
    let renewed = staying.must(json!({"type": "refresh", "token": token})).await;
    assert_eq!(renewed["expires_at"], later * 1_000);
    assert_eq!(ending.closed().await, (4001, "token_expired".to_owned()));
    assert!(now_s() >= soon);
    staying.must(json!({"type": "ready"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_costs_bounded_bytes_and_is_given_one_snapshot() {
    let options = Options::default().without_rate_limits().set("sessions.mailbox_bytes_max=128 KiB");
    let server = Server::start(&options);
    let (agent, mut customer) = talking(&server, "ada").await;
    drop(agent);
    // A small window of its own, so that the server's side fills.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    let token = format!("offhook.token.{}", server.agent_token(DEMO, "ada", Role::Agent));
    let protocols = ["offhook.agent.v1", token.as_str()];
    let mut slow = Socket::upgrade(stream, server.address, "/v1/agent", &protocols).await.unwrap().unwrap();
    let Heard::Text(welcome) = within("a welcome", slow.next()).await else { panic!("no welcome") };
    assert!(welcome.contains("\"welcome\""));
    let text = "x".repeat(16_000);
    let mut last = 0;
    for _ in 0..100 {
        last = customer.post(&text).await;
    }
    let (mut snapshots, mut numbers) = (0, Vec::new());
    while numbers.last() != Some(&last) {
        let Heard::Text(text) = within("a frame", slow.next()).await else { panic!("closed") };
        let frame: Value = serde_json::from_str(&text).unwrap();
        match frame["type"].as_str() {
            Some("snapshot") => {
                snapshots += 1;
                let held = &frame["snapshot"]["conversations"][0];
                assert_eq!(held["conversation"], customer.conversation.as_str());
                numbers.push(held["last_number"].as_u64().unwrap());
            }
            Some("message") => numbers.push(frame["number"].as_u64().unwrap()),
            _ => {}
        }
    }
    assert_eq!(snapshots, 1, "{numbers:?}");
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert!(numbers.len() < 80, "{} of 100 messages lay in its way", numbers.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_order_says_so() {
    let mut server = server();
    let (mut agent, _customer) = talking(&server, "ada").await;
    let stopping = tokio::task::spawn_blocking(move || {
        let status = server.stop();
        (server, status)
    });
    let (code, reason) = agent.closed().await;
    assert_eq!(code, 4200);
    let after_ms: u64 = reason.strip_prefix("retry_after_ms=").expect("when to come back").parse().unwrap();
    assert!((200..400).contains(&after_ms), "{reason}: alone, it is wanted back as soon as there is a server");
    let (_server, status) = stopping.await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_status_applies_when_the_work_is_over_and_a_supervisor_forces_another() {
    let server = server();
    let (mut ada, customer) = talking(&server, "ada").await;
    ada.must(json!({"type": "next_status", "status": "away"})).await;
    assert_eq!(ada.wait_for("next_status").await["status"], "away");
    assert_eq!(live_agent(&server, "ada").await["next_status"], "away");
    let mut second = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(second.welcome["snapshot"]["next_status"], "away");
    let waits = Customer::start(server.address, DEMO, "hello").await;
    let why = format!("/v1/workspaces/{DEMO}/conversations/{}/why", waits.conversation);
    let why = server.admin("GET", &why, None).await.json();
    assert_eq!(why["excluded"], json!([{"agent": "ada", "rule": "next_status"}]));
    second.must(json!({"type": "close", "conversation": customer.conversation})).await;
    let status = ada.until("it is away", |frame| frame["type"] == "status" && frame["cause"] == "next").await;
    assert_eq!((&status["status"], &status["available"]), (&json!("away"), &json!(false)));

    let force = json!({"type": "force_status", "agent": "ada", "status": "available"});
    assert_eq!(refused(&mut second, force.clone()).await["code"], "forbidden");
    let mut zoe = Agent::connect_as(&server, DEMO, "zoe", Role::Supervisor).await;
    zoe.must(force).await;
    let status = ada.until("it is forced", |frame| frame["type"] == "status" && frame["cause"] == "forced").await;
    assert_eq!((&status["status"], &status["by"]), (&json!("available"), &json!("zoe")));
    let offer = ada.wait_for("offer").await["offer"].clone();
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    let path = format!("/v1/workspaces/{DEMO}/agents/ada/status");
    let forced = server.admin("POST", &path, Some(&json!({"status": "away"}))).await;
    assert_eq!(forced.status, 204, "{}", forced.text());
    assert_eq!(
        ada.until("its end", |frame| frame["type"] == "offer_ended" && frame["end"] == "rejected").await["offer"],
        offer["offer"]
    );
    let wrong = server.admin("POST", &path, Some(&json!({"status": "asleep"}))).await;
    assert_eq!((wrong.status, &wrong.json()["code"]), (404, &json!("no_such_status")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_client_reports_no_input_is_away_and_one_that_does_is_not() {
    let server = server();
    server.change_settings(DEMO, |settings| settings["idle_agents"] = json!({"after_ms": 3_000})).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let mut bob = Agent::available(&server, DEMO, "bob").await;
    // Bob's client reports input until ada has been found idle; delivery is reported by the client itself, so it is none.
    let reports = async {
        loop {
            bob.send(json!({"type": "input"})).await;
            // Often enough for a second without input never to pass; how long it takes is decided by ada's frame.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let idle = tokio::select! {
        idle = ada.until("it is idle", |frame| frame["type"] == "status" && frame["cause"] == "idle") => idle,
        () = reports => unreachable!("it goes on for ever"),
    };
    assert_eq!((&idle["status"], &idle["available"]), (&json!("away"), &json!(false)));
    assert_eq!(live_agent(&server, "bob").await["available"], true);
    ada.must(json!({"type": "set_status", "status": "available"})).await;
    assert_eq!(live_agent(&server, "ada").await["available"], true);
}
