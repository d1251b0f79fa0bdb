//! A wall clock that is set by an hour, forward and back, while everybody is there: offers, connections and streams go on, and no
//! time that is told goes back.

mod support;

use serde_json::{Value, json};
use support::clock::WallClock;
use support::customer::event_named;
use support::scene::{DEMO, eventually, live_agent, offered, refused, talking};
use support::{Agent, Customer, Options, Server, as_cluster, now_s};

const HOUR_MS: i64 = 3_600_000;

async fn is_alive_and_ready(server: &Server) {
    for page in ["/healthz", "/readyz"] {
        let answer = server.operators_page(page).await;
        assert_eq!(answer.status, 200, "{page}: {}", answer.text());
    }
}

/// Ended tokens and dead peers are looked for once a second, and sessions are counted after it.
async fn sessions_were_looked_after(server: &Server, open: f64) {
    let counted = async || server.metric("offhook_sessions").await;
    for _ in 0..2 {
        let more = Agent::connect(server, DEMO, "zoe").await;
        eventually("one more", counted, |now| *now == open + 1.0).await;
        drop(more);
        eventually("one less", counted, |now| *now == open).await;
    }
}

/// A message each way, over the connections that were there before; when the customer's was, by the server's clock.
async fn they_talk(agent: &mut Agent, customer: &mut Customer, text: &str) -> u64 {
    customer.post(text).await;
    let heard = agent.until("a message", |frame| frame["type"] == "message" && frame["text"] == text).await;
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": format!("{text} to you")})).await;
    heard["at"].as_u64().expect("a time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_forward_by_an_hour_ends_no_offer_no_session_and_no_stream() {
    let clock = WallClock::new();
    // The customer says nothing for some seconds, and keeps its connection all the while.
    let options = Options::default().without_rate_limits().set("server.header_timeout_ms=120000");
    let server = Server::start(&clock.under(options));
    server.change_settings(DEMO, |settings| settings["channels"][0]["offer_ms"] = json!(120_000)).await;
    // A token that has half an hour left.
    let token = server.tokens().until(DEMO, "ada", now_s() + 1_800);
    let mut ada = Agent::try_connect(server.address, "ada", &token, None).await.expect("a welcome");
    ada.must(json!({"type": "set_status", "status": "available"})).await;
    let (mut customer, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let mut stream = customer.follow(None).await;
    let before = they_talk(&mut ada, &mut customer, "good morning").await;
    let (_waiting, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;

    clock.set_off_ms(HOUR_MS);
    sessions_were_looked_after(&server, 1.0).await;
    let after = they_talk(&mut ada, &mut customer, "good day").await;
    assert!(after - before >= HOUR_MS as u64, "the clock was set: {before}, {after}");
    event_named(&mut stream, "message").await;
    let row = live_agent(&server, "ada").await;
    assert_eq!((&row["connection"], &row["available"], &row["offers"]), (&json!("online"), &json!(true), &json!(1)));
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    is_alive_and_ready(&server).await;

    // Who comes with that token now is told, by the clock as it is.
    match Agent::try_connect(server.address, "ada", &token, None).await.err() {
        Some(support::socket::Heard::Close { code: 4001, reason }) => assert_eq!(reason, "token_expired"),
        other => panic!("{other:?}"),
    }
    // And set right again, it is good as it was.
    clock.set_off_ms(0);
    let again = they_talk(&mut ada, &mut customer, "good evening").await;
    assert!(again >= after, "no time that is told goes back: {after}, {again}");
    Agent::try_connect(server.address, "ada", &token, None).await.expect("a welcome");
    is_alive_and_ready(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_clock_that_was_set_back_by_an_hour_catches_up_offers_end_in_time_and_nobody_is_dropped() {
    let clock = WallClock::new();
    let mut server = Server::start(&clock.under(Options::default().without_rate_limits()));
    let (mut ada, mut customer) = talking(&server, "ada").await;
    let mut stream = customer.follow(None).await;
    let before = they_talk(&mut ada, &mut customer, "good morning").await;

    clock.set_off_ms(-HOUR_MS);
    let after = they_talk(&mut ada, &mut customer, "good day").await;
    assert!(after >= before, "no time that is told goes back: {before}, {after}");
    event_named(&mut stream, "message").await;
    // What ends by desk time ends, though the wall's stands.
    server.change_settings(DEMO, |settings| settings["channels"][0]["offer_ms"] = json!(1_000)).await;
    let (_waiting, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    let ended = ada.until("its end", |frame| frame["type"] == "offer_ended" && frame["offer"] == offer["offer"]).await;
    assert_eq!(ended["end"], "expired", "{ended}");
    assert_eq!(refused(&mut ada, json!({"type": "accept", "offer": offer["offer"]})).await["end"], "expired");
    is_alive_and_ready(&server).await;

    // A start with that clock goes on from what the journal has.
    server.kill();
    server.start_again();
    is_alive_and_ready(&server).await;
    let mut customer = customer.at(server.address).await;
    customer.post("still here").await;
    let page = customer.call("GET", "messages", None).await.json();
    let times: Vec<u64> = page["messages"].as_array().unwrap().iter().filter_map(|one| one["at"].as_u64()).collect();
    assert!(times.len() >= 6 && times.is_sorted(), "{page}");

    // Whose token was made by a clock that is right is from the future here.
    let token = server.agent_token(DEMO, "ada", offhook::gateway::auth::agent_token::Role::Agent);
    let told = Agent::try_connect(server.address, "ada", &token, None).await.err();
    assert!(matches!(&told, Some(support::socket::Heard::Close { code: 4001, .. })), "{told:?}");
    clock.set_off_ms(0);
    let ada = Agent::connect(&server, DEMO, "ada").await;
    let owned = ada.welcome["snapshot"]["conversations"].as_array().cloned().unwrap_or_default();
    assert!(owned.iter().any(|one: &Value| one["conversation"] == customer.conversation.as_str()), "{}", ada.welcome);
}

/// The positions of the demo workspace's records that the journal has.
async fn positions(server: &Server) -> Vec<u64> {
    let shown = as_cluster::shown(server.data_dir(), DEMO).await;
    shown.iter().map(|line| line["position"].as_u64().expect("one")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_forgets_after_its_own_time_and_others_do_not() {
    let clock = WallClock::new();
    let mut server = Server::start(&clock.under(Options::default().without_rate_limits()));
    let day_ms = 24 * HOUR_MS;
    server
        .change_settings(DEMO, |settings| {
            settings["reopen_ms"] = day_ms.into();
            settings["retention_days"] = 3.into();
        })
        .await;
    let too_short = async |days: u64| {
        let mut settings = server.workspace(DEMO).await;
        settings["retention_days"] = days.into();
        server.admin("PUT", &format!("/v1/workspaces/{DEMO}/settings"), Some(&settings)).await
    };
    let refused = too_short(1).await;
    assert_eq!((refused.status, refused.json()["field"].clone()), (422, json!("retention_days")), "{}", refused.text());
    let closed = async |workspace: &str| {
        let customer = Customer::start_when_there_is_room(server.address, workspace, "long ago").await;
        let path = format!("/v1/workspaces/{workspace}/conversations/{}", customer.conversation);
        assert_eq!(server.admin("POST", &format!("{path}/close"), None).await.status, 204);
        path
    };
    server.workspace("other").await;
    let (own, others) = (closed(DEMO).await, closed("other").await);
    let before = positions(&server).await;
    clock.set_off_ms(4 * day_ms);
    server.kill();
    server.start_again();
    let status = async |path: &str| server.admin("GET", path, None).await.status;
    eventually("it is forgotten", async || status(&own).await, |status| *status == 404).await;
    assert_eq!(status(&others).await, 200);
    eventually(
        "its part of the journal is cut",
        async || positions(&server).await,
        |now| now[0] > before[before.len() - 2],
    )
    .await;
}
