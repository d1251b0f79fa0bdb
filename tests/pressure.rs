//! Memory that runs short: work is shed in its order, each with an answer and a count, and what matters goes on.
//!
//! Which rung is in force is set by marks that any use passes, or that none does. One test brings the pressure about for
//! real, in a memory cgroup where one can be made.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::scene::{DEMO, eventually, offered, refused, talking};
use support::socket::{Heard, Socket};
use support::{Agent, Cgroup, Customer, Options, Response, Server, within};

const RUNGS: [&str; 5] = ["observers", "typing", "history", "starts", "newcomers"];

/// A server that sheds the first `rungs` of them, whatever is used.
fn shedding(rungs: usize) -> Options {
    let options = Options::default().without_rate_limits();
    let options = options.set("memory.budget_bytes=64 MiB").set("memory.shed_gap_percent=0");
    RUNGS.iter().enumerate().fold(options, |options, (place, rung)| {
        let percent = if place < rungs { 1 } else { 1_000 };
        options.set(&format!("memory.shed_{rung}_percent={percent}"))
    })
}

/// Two who talk, an offer that waits for its answer, and a server that was started again and now sheds.
async fn talking_and_shedding(rungs: usize) -> (Server, Agent, Customer, Value) {
    let mut server = Server::start(&shedding(0));
    let (mut agent, customer) = talking(&server, "ada").await;
    let (_, offer) = offered(&server, &mut agent).await;
    server.kill();
    server.start_again_with(shedding(rungs));
    let agent = Agent::connect(&server, DEMO, "ada").await;
    let customer = customer.at(server.address).await;
    (server, agent, customer, offer)
}

/// In force up to this one and no further, and as many were counted.
async fn is_shed(server: &Server, rung: &str, times: u32) {
    let place = RUNGS.iter().position(|held| *held == rung).unwrap();
    for (at, each) in RUNGS.iter().enumerate() {
        let in_force = server.metric(&format!("offhook_ladder_rung{{rung=\"{each}\"}}")).await;
        assert_eq!(in_force, f64::from(at <= place), "{each}");
    }
    assert_eq!(server.metric(&format!("offhook_shed_total{{rung=\"{rung}\"}}")).await, f64::from(times));
}

fn is_busy_over_http(answer: &Response) {
    let problem = answer.json();
    assert_eq!((answer.status, &problem["code"]), (503, &json!("busy")), "{}", answer.text());
    assert!(problem["retry_after_ms"].as_u64() >= Some(2_000), "{problem}");
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
}

async fn is_busy(agent: &mut Agent, frame: Value) {
    let error = refused(agent, frame).await;
    assert_eq!(error["code"], "busy", "{error}");
    assert!(error["retry_after_ms"].as_u64() >= Some(2_000), "{error}");
}

/// What is never shed.
async fn accepts_and_messages_go_on(agent: &mut Agent, customer: &mut Customer, offer: &Value) {
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let text = "goes on";
    customer.post(text).await;
    agent.until("a message", |frame| frame["type"] == "message" && frame["text"] == text).await;
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": "so it does"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn observers_are_shed_first() {
    let (server, mut agent, mut customer, offer) = talking_and_shedding(1).await;
    let mut supervisor = Agent::connect_as(&server, DEMO, "eve", Role::Supervisor).await;
    is_busy(&mut supervisor, json!({"type": "watch", "what": "agents"})).await;
    is_busy_over_http(&server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/queues"), None).await);
    is_busy_over_http(&server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/agents"), None).await);
    is_shed(&server, "observers", 3).await;
    // The next rung is not in force.
    assert_eq!(customer.call("POST", "typing", None).await.status, 204);
    accepts_and_messages_go_on(&mut agent, &mut customer, &offer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn then_typing() {
    let (server, mut agent, mut customer, offer) = talking_and_shedding(2).await;
    is_busy(&mut agent, json!({"type": "typing", "conversation": customer.conversation})).await;
    is_busy_over_http(&customer.call("POST", "typing", None).await);
    is_shed(&server, "typing", 2).await;
    let page = customer.call("GET", "messages", None).await;
    assert_eq!(page.status, 200, "{}", page.text());
    accepts_and_messages_go_on(&mut agent, &mut customer, &offer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn then_history() {
    let (server, mut agent, mut customer, offer) = talking_and_shedding(3).await;
    is_busy(&mut agent, json!({"type": "history", "conversation": customer.conversation})).await;
    is_busy(&mut agent, json!({"type": "notes", "conversation": customer.conversation})).await;
    is_busy_over_http(&customer.call("GET", "messages", None).await);
    is_busy_over_http(&server.admin("GET", &format!("/v1/workspaces/{DEMO}/conversations"), None).await);
    is_shed(&server, "history", 4).await;
    Customer::start(server.address, DEMO, "the next rung is not in force").await;
    accepts_and_messages_go_on(&mut agent, &mut customer, &offer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn then_new_conversations_of_anonymous_visitors() {
    let (server, mut agent, mut customer, offer) = talking_and_shedding(4).await;
    let refused = Customer::try_start(server.address, DEMO, &json!({"text": "hello"})).await;
    is_busy_over_http(&refused.err().expect("no room for strangers"));
    // A visitor's own token makes nobody known.
    let mut http = support::Http::connect(server.address).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", customer.token, support::command_id());
    let path = format!("/v1/messenger/{DEMO}/conversations");
    is_busy_over_http(&http.ask("POST", &path, &headers, br#"{"text": "again"}"#).await.unwrap());
    is_shed(&server, "starts", 2).await;
    Agent::connect(&server, DEMO, "eve, for whom there is room yet").await;
    accepts_and_messages_go_on(&mut agent, &mut customer, &offer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn then_agents_who_were_not_here_before_and_never_the_return_of_one_who_was() {
    let (server, mut agent, mut customer, offer) = talking_and_shedding(5).await;
    let token = server.agent_token(DEMO, "eve", Role::Agent);
    match Agent::try_connect(server.address, "eve", &token, None).await.err() {
        Some(Heard::Close { code: 4100, reason }) => assert!(reason.starts_with("retry_after_ms="), "{reason}"),
        other => panic!("{other:?}"),
    }
    is_shed(&server, "newcomers", 1).await;
    // Drops, and is back within its grace, with what it had.
    drop(agent);
    agent = Agent::connect(&server, DEMO, "ada").await;
    accepts_and_messages_go_on(&mut agent, &mut customer, &offer).await;
}

/// As `talking`, on a machine that may be too busy for new conversations now and then.
async fn talking_at_last(server: &Server, name: &str) -> (Agent, Customer) {
    let mut agent = Agent::available(server, DEMO, name).await;
    let start = async || Customer::try_start(server.address, DEMO, &json!({"text": "hello"})).await;
    let customer = eventually("a start", start, Result::is_ok).await.expect("it was");
    let offer = agent.wait_for("offer").await;
    agent.must(json!({"type": "accept", "offer": offer["offer"]["offer"]})).await;
    (agent, customer)
}

/// Connects, and never reads again.
async fn who_stops_reading(server: &Server, name: &str, role: Role, last_word: Value) -> Socket {
    let protocol = format!("offhook.token.{}", server.agent_token(DEMO, name, role));
    let mut socket = Socket::connect_narrow(server.address, &[&protocol]).await.unwrap().unwrap();
    assert!(matches!(within("a welcome", socket.next()).await, Heard::Text(_)));
    socket.writer.text(&last_word.to_string()).await.unwrap();
    socket
}

const MIB: u64 = 1 << 20;
const LIMIT_BYTES: u64 = 96 * MIB;

#[tokio::test(flavor = "multi_thread")]
async fn under_a_limit_with_readers_that_stopped_and_floods_it_lives_and_accepts() {
    let cgroup = Cgroup::with_limit(LIMIT_BYTES).map(Arc::new);
    let mut options = Options { cgroup: cgroup.clone(), ..Options::default().without_rate_limits() }
        // So few readers could not fill the reserve with the usual mailboxes.
        .set("sessions.mailbox_bytes_max=8 MiB")
        // Who stopped reading is to be there all the while.
        .set("sessions.ping_every_ms=300000")
        .set("sessions.dead_after_ms=600000")
        // Until all are there, some say nothing.
        .set("server.header_timeout_ms=120000");
    if cgroup.is_none() {
        options = options.set(&format!("memory.budget_bytes={}", LIMIT_BYTES - 16 * MIB));
    }
    let server = Arc::new(Server::start(&options));
    let budget = server.metric("offhook_memory_bytes{kind=\"budget\"}").await;
    assert_eq!(budget as u64, LIMIT_BYTES - 16 * MIB, "the limit less its headroom");
    // What waits is bounded, so that it is not what is left over at the end.
    let queue =
        server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/support"), Some(&json!({"waiting_max": 100}))).await;
    assert!(queue.is_success(), "{queue:?}");
    let (mut agent, mut customer) = talking_at_last(&server, "ada").await;
    let mut supervisor = Agent::connect_as(&server, DEMO, "eve", Role::Supervisor).await;
    supervisor.must(json!({"type": "watch", "what": "agents"})).await;

    // Owners who stop reading, and customers who write to them.
    let mut stuck = Vec::new();
    let writers: Vec<Customer> = {
        let mut writers = Vec::new();
        for number in 0..8 {
            let name = format!("stuck{number}");
            agent.must(json!({"type": "set_status", "status": "away"})).await;
            let (_, customer) = talking_at_last(&server, &name).await;
            let input = json!({"type": "input", "id": support::command_id()});
            stuck.push(who_stops_reading(&server, &name, Role::Agent, input).await);
            writers.push(customer);
        }
        agent.must(json!({"type": "set_status", "status": "available"})).await;
        writers
    };
    let going = Arc::new(AtomicBool::new(true));
    let mut floods = Vec::new();
    for mut writer in writers {
        let going = going.clone();
        floods.push(tokio::spawn(async move {
            let text = "x".repeat(16 * 1024);
            while going.load(Ordering::Relaxed) {
                let posted = writer.call("POST", "messages", Some(json!({ "text": text }))).await;
                assert!(matches!(posted.status, 201 | 503), "{} {}", posted.status, posted.text());
            }
        }));
    }
    for _ in 0..16 {
        let (going, address) = (going.clone(), server.address);
        floods.push(tokio::spawn(async move {
            while going.load(Ordering::Relaxed) {
                if let Err(answer) = Customer::try_start(address, DEMO, &json!({"text": "hello"})).await {
                    assert!(matches!(answer.status, 409 | 503), "{} {}", answer.status, answer.text());
                }
            }
        }));
    }
    let most = {
        let (server, going) = (server.clone(), going.clone());
        tokio::spawn(async move {
            let mut most = 0.0_f64;
            while going.load(Ordering::Relaxed) {
                most = most.max(server.metric("offhook_memory_bytes{kind=\"used\"}").await);
            }
            most
        })
    };

    // Whoever watches is told that the rows pause, which needs the reserve to have filled; accepts go on all the while.
    let is_paused = |frame: &Value| frame["type"] == "watching" && frame["paused"] == true;
    let watching = tokio::spawn(async move {
        // Rows of agents come all the while.
        while !is_paused(&supervisor.next().await) {}
        supervisor
    });
    let mut accepted = 0;
    while !watching.is_finished() || accepted < 20 {
        assert!(accepted < 20_000, "it never runs short");
        let offer = agent.until("an offer", |frame| frame["type"] == "offer").await;
        let reply = agent.ask(json!({"type": "accept", "offer": offer["offer"]["offer"]})).await;
        let gone = reply["error"]["code"] == "offer_gone";
        assert!(reply["ok"] == true || gone, "{reply}");
        accepted += u32::from(!gone);
        let conversation = &offer["offer"]["conversation"]["conversation"];
        let closed = agent.ask(json!({"type": "close", "conversation": conversation})).await;
        assert!(closed["ok"] == true || gone, "{closed}");
    }
    let mut supervisor = watching.await.unwrap();
    going.store(false, Ordering::Relaxed);
    let most = most.await.unwrap();
    for flood in floods {
        flood.await.unwrap();
    }
    assert!(most < budget, "{most} of {budget}");
    assert!(server.metric("offhook_shed_total{rung=\"observers\"}").await > 0.0);
    customer.post("still here").await;
    // They are gone, and so is what was kept for them.
    drop(stuck);
    let goes_on = |frame: &Value| frame["type"] == "watching" && frame["paused"] == false;
    supervisor.until("rows again", goes_on).await;
    let kept = async || server.metric("offhook_reserve_bytes{purpose=\"mailboxes\"}").await;
    eventually("an empty reserve", kept, |bytes| *bytes < 1e6).await;
    assert_eq!(cgroup.map_or(0, |cgroup| cgroup.killed()), 0);
}
