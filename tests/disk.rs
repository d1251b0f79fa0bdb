//! A disk that is full, read-only, slow, failing or damaged: typed refusals, nobody dropped, and recovery by itself.

mod support;

use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use support::disk::{Disk, Fault, Forgets};
use support::scene::{DEMO, eventually, offered, talking};
use support::{Agent, Customer, Options, Server, as_cluster};

fn on(disk: &Disk) -> Server {
    let options = Options::default().without_rate_limits().set("journal.kept_back_bytes=1 MiB");
    // The clock is written down while an offer waits: also on a disk that has room for little else.
    Server::start(&disk.under(options.set("engine.tick_record_every_ms=100"), Forgets::Nothing))
}

async fn ready(server: &Server) -> (u16, Value) {
    let page = server.operators_page("/readyz").await;
    (page.status, page.json())
}

async fn is_alive_and_not_ready(server: &Server) {
    let not_ready = eventually("not ready", async || ready(server).await, |(status, _)| *status == 503).await;
    let reasons = not_ready.1["reasons"].as_array().cloned().unwrap_or_default();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason["component"].is_string()), "{not_ready:?}");
    assert_eq!(server.operators_page("/healthz").await.status, 200, "a bad disk is no reason to be killed");
}

async fn is_ready_again(server: &Server) {
    eventually("ready again", async || ready(server).await, |(status, _)| *status == 200).await;
}

/// Posts until one is refused; the numbers of those that were not.
async fn post_until_refused(customer: &mut Customer, text: &str) -> (Vec<u64>, Value) {
    let mut numbers = Vec::new();
    loop {
        let answer = customer.call("POST", "messages", Some(json!({ "text": text }))).await;
        match answer.status {
            201 => numbers.push(answer.json()["number"].as_u64().unwrap()),
            503 => return (numbers, answer.json()),
            other => panic!("{other}: {}", answer.text()),
        }
        assert!(numbers.len() < 20_000, "it never fills");
    }
}

/// Numbers as the journal has them: no half turn, no gap.
async fn messages_are_whole(server: &Server, conversation: &str, acknowledged: u64) {
    let path = format!("/v1/workspaces/{DEMO}/conversations/{conversation}");
    let whole = |facts: &support::Response| facts.status == 200;
    let facts = eventually("its facts", async || server.admin("GET", &path, None).await, whole).await.json();
    let last = facts["last_number"].as_u64().unwrap();
    assert_eq!(last, acknowledged, "neither lost nor written half");
    let (mut after, mut numbers) = (String::new(), Vec::new());
    loop {
        let page = server.admin("GET", &format!("{path}/messages?limit=200{after}"), None).await.json();
        numbers.extend(page["messages"].as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()));
        match page["next"].as_str() {
            Some(next) => after = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
}

/// A node of a cluster whose own disk takes nothing: what is decided is on the disks of the servers of NATS, and its view makes up for it.
async fn goes_on_beside(fault: Fault) {
    let disk = Disk::new();
    let mut server = on(&disk);
    let (mut agent, mut customer) = talking(&server, "ada").await;
    let (_second, offer) = offered(&server, &mut agent).await;
    disk.turn(fault);
    for number in 2..=20 {
        assert_eq!(customer.post(&"x".repeat(8_000)).await, number);
    }
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    is_alive_and_not_ready(&server).await;
    disk.turn(Fault::None);
    is_ready_again(&server).await;
    assert_eq!(customer.post("again").await, 21);
    messages_are_whole(&server, &customer.conversation, 21).await;
    server.kill();
    server.start_again();
    messages_are_whole(&server, &customer.conversation, 21).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_accepts_are_still_taken_and_the_rest_is_refused() {
    if as_cluster::is_on() {
        return goes_on_beside(Fault::Full).await;
    }
    let disk = Disk::new();
    let server = on(&disk);
    let (mut agent, mut customer) = talking(&server, "ada").await;
    let (_second, offer) = offered(&server, &mut agent).await;
    agent.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    disk.turn(Fault::Full);
    let (numbers, refusal) = post_until_refused(&mut customer, &"x".repeat(8_000)).await;
    assert_eq!(refusal["code"], "unavailable");
    assert!(refusal["retry_after_ms"].as_u64() > Some(0), "{refusal}");
    let last = numbers.last().copied().unwrap_or(1);
    is_alive_and_not_ready(&server).await;
    let start = Customer::try_start(server.address, DEMO, &json!({"text": "hello"})).await;
    assert_eq!(
        start.err().map(|answer| (answer.status, answer.json()["code"].clone())),
        Some((503, json!("unavailable")))
    );
    let send = agent.ask(json!({"type": "send", "conversation": customer.conversation, "text": "x"})).await;
    assert_eq!(send["error"]["code"], "unavailable", "{send}");
    let records = async || as_cluster::shown(server.data_dir(), DEMO).await.len();
    let before = records().await;
    eventually("the clock to be written down", records, |now| *now >= before + 3).await;
    // What is kept back is for these.
    let accepted = agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(accepted["conversation"], offer["conversation"]["conversation"]);
    agent.must(json!({"type": "close", "conversation": accepted["conversation"]})).await;
    disk.turn(Fault::None);
    is_ready_again(&server).await;
    let goes_on = |answer: &support::Response| answer.status == 201;
    let post = async || customer.call("POST", "messages", Some(json!({"text": "again"}))).await;
    let posted = eventually("a message after the room came back", post, goes_on).await;
    assert_eq!(posted.json()["number"], last + 1);
    agent.must(json!({"type": "ready"})).await;
    messages_are_whole(&server, &customer.conversation, last + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_the_disk_fills_strangers_are_refused_first_then_messages_and_accepts_last() {
    let options = Options::default().without_rate_limits().set("journal.kept_back_bytes=4 MiB");
    let options = options.set("journal.disk_low_percent=40").set("journal.disk_critical_percent=90");
    // Nobody reads or answers while the disk fills, however long that takes.
    let options = options.set("sessions.ping_every_ms=300000").set("sessions.dead_after_ms=600000");
    let options = options.set("server.header_timeout_ms=120000").set("sessions.mailbox_bytes_max=64 MiB");
    let server = Server::start(&options.set("journal.disk_budget_bytes=64 MiB"));
    server.change_settings(DEMO, |settings| settings["channels"][0]["offer_ms"] = json!(600_000)).await;
    let (mut agent, mut customer) = talking(&server, "ada").await;
    let (mut waiting, offer) = offered(&server, &mut agent).await;
    agent.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    let refusal = async || Customer::try_start(server.address, DEMO, &json!({"text": "hello"})).await.err();
    let text = "x".repeat(16 * 1024);
    let mut posted = 0;
    let refused = loop {
        assert_eq!(customer.post(&text).await, posted + 2, "messages go on");
        posted += 1;
        // On a machine that is busy with other things a start may be put off before the disk fills.
        if let Some(refused) = refusal().await.filter(|refused| refused.json()["code"] != "busy") {
            break refused;
        }
    };
    let problem = refused.json();
    assert_eq!((refused.status, &problem["code"]), (503, &json!("unavailable")), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("the disk is nearly full")), "{problem}");
    assert!(problem["retry_after_ms"].as_u64() > Some(0) && refused.header("retry-after").is_some());
    assert_eq!(server.metric("offhook_disk_shed_total").await, 1.0);
    assert_eq!(server.metric("offhook_disk_fill{mark=\"low\"}").await, 1.0);
    assert_eq!(server.metric("offhook_disk_fill{mark=\"critical\"}").await, 0.0);

    let (_, refusal) = post_until_refused(&mut customer, &text).await;
    assert_eq!(refusal["code"], "unavailable", "{refusal}");
    is_alive_and_not_ready(&server).await;
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    agent.must(json!({"type": "close", "conversation": waiting.conversation})).await;
    assert_eq!(waiting.call("GET", "messages", None).await.status, 200, "reading goes on");
}

/// Refusals while it lasts, recovery when it ends; the same socket all along.
async fn refuses_and_recovers(fault: Fault) {
    if as_cluster::is_on() {
        return goes_on_beside(fault).await;
    }
    let disk = Disk::new();
    let mut server = on(&disk);
    let (mut agent, mut customer) = talking(&server, "ada").await;
    assert_eq!(customer.call("GET", "messages", None).await.status, 200, "the view has it");
    disk.turn(fault);
    let (numbers, refusal) = post_until_refused(&mut customer, "lost?").await;
    assert_eq!((&refusal["code"], numbers.len()), (&json!("unavailable"), 0));
    is_alive_and_not_ready(&server).await;
    let send = agent.ask(json!({"type": "send", "conversation": customer.conversation, "text": "x"})).await;
    assert_eq!(send["error"]["code"], "unavailable", "{send}");
    assert!(send["error"]["retry_after_ms"].as_u64() > Some(0), "{send}");
    // Who comes now is told to come later, and by what code.
    let token = server.agent_token(DEMO, "bob", offhook::gateway::auth::agent_token::Role::Agent);
    match Agent::try_connect(server.address, "bob", &token, None).await {
        Err(support::socket::Heard::Close { code: 4101, reason }) => {
            assert!(reason.starts_with("retry_after_ms="), "{reason}")
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("was welcomed by a workspace that cannot commit"),
    }
    let page = customer.call("GET", "messages", None).await;
    assert_eq!(page.status, 200, "reading goes on: {}", page.text());
    assert_eq!(page.json()["messages"][0]["text"], "hello");
    disk.turn(Fault::None);
    is_ready_again(&server).await;
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": "second"})).await;
    assert_eq!(customer.post("third").await, 3);
    messages_are_whole(&server, &customer.conversation, 3).await;
    server.kill();
    server.start_again();
    messages_are_whole(&server, &customer.conversation, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_refuses_and_recovers() {
    refuses_and_recovers(Fault::ReadOnly).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_whose_writes_fail_refuses_and_recovers() {
    refuses_and_recovers(Fault::WritesFail).await;
}

/// Each sync takes 1.5 s more: what is acknowledged is late, and that is all. A commit is under way all the while, and an answer may wait for two.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_slow_disk_everything_is_late_and_nobody_is_dropped_or_started_again() {
    let _alone = support::alone().await;
    let disk = Disk::new();
    // Shorter than usual, and longer than two commits: the supervisor must not take slow for hung.
    let options = Options::supervised().without_rate_limits().set("supervisor.hang_ms=8000");
    let server = Server::start(&disk.under(options, Forgets::Nothing));
    let (mut agent, customer) = talking(&server, "ada").await;
    let (_waiting, offer) = offered(&server, &mut agent).await;
    let before = server.server_pid();
    disk.turn(Fault::SyncsSlow);
    // Several at once, so that the next commit begins where the last one ends.
    let mut writing = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let mut customer = customer.another().await;
        writing.spawn(async move {
            for number in 0..3 {
                let text = json!({"text": format!("{writer}/{number}")});
                let posted = customer.call("POST", "messages", Some(text)).await;
                assert_eq!(posted.status, 201, "{}", posted.text());
            }
        });
    }
    let accepted = agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(accepted["conversation"], offer["conversation"]["conversation"]);
    while let Some(wrote) = writing.join_next().await {
        wrote.expect("it was acknowledged");
        assert_eq!(server.operators_page("/healthz").await.status, 200, "slow is not dead");
    }
    agent.must(json!({"type": "send", "conversation": customer.conversation, "text": "late"})).await;
    disk.turn(Fault::None);
    is_ready_again(&server).await;
    agent.must(json!({"type": "ready"})).await;
    assert_eq!(server.server_pid(), before, "it is the same process");
    messages_are_whole(&server, &customer.conversation, 14).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_ends_the_process_and_a_start_goes_on() {
    if as_cluster::passes_over("what was acknowledged is synced by the servers of NATS") {
        return;
    }
    let disk = Disk::new();
    let mut server = on(&disk);
    let (mut agent, mut customer) = talking(&server, "ada").await;
    assert_eq!(customer.post("second").await, 2);
    disk.turn(Fault::SyncsFail);
    let send =
        json!({"type": "send", "conversation": customer.conversation, "text": "third", "id": support::command_id()});
    assert_eq!(agent.try_ask(send.clone()).await, None, "it is not acknowledged");
    let ended = server.ended();
    assert!(!ended.success() && ended.signal() == Some(libc::SIGABRT), "{ended}");
    assert!(server.log_tail().contains("could not make the journal durable"), "{}", server.log_tail());
    disk.turn(Fault::None);
    server.start_again();
    let mut agent = Agent::connect(&server, DEMO, "ada").await;
    assert_eq!(agent.must(send).await["number"], 3);
    messages_are_whole(&server, &customer.conversation, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_said_at_the_start_and_nothing_is_made_worse() {
    if as_cluster::passes_over("it has no file of a journal") {
        return;
    }
    let mut server = support::scene::server();
    let (_agent, _customer) = talking(&server, "ada").await;
    assert!(server.stop().success());
    let journal = server.data_dir().join("journal.db");
    assert!(!server.data_dir().join("journal.db-wal").exists(), "a stop in order leaves no WAL behind");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[..100].fill(0x5a);
    std::fs::write(&journal, &bytes).unwrap();
    let why = server.try_start_again().unwrap_err();
    assert!(why.contains("journal.db") && why.contains("damaged") && why.contains("backup"), "{why}");
    assert_eq!(std::fs::read(&journal).unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_directory_is_refused() {
    let server = support::scene::server();
    let options = Options { data_dir: Some(server.data_dir().to_owned()), ..Options::default() };
    let why = Server::try_start(&options).err().expect("one at a time");
    assert!(why.contains("in use") || why.contains("lock"), "{why}");
    Agent::connect(&server, DEMO, "ada").await;
}
