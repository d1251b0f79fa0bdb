//! Health as users would recognise it, on the real server: outages within seconds, a probe that people do not see, and a history
//! that outlives restarts.

mod support;

use offhook::gateway::auth::agent_token::Role;
use offhook::journal::Position;
use serde_json::{Value, json};
use support::disk::{Disk, Fault, Forgets};
use support::scene::{DEMO, eventually, offered, refused, talking};
use support::{Agent, Customer, Http, Options, Server, alone, as_cluster};

const PROBES: &str = "_probe";

/// Probes follow each other closely, and what is well again is called so at once. A busy machine is slow, and that is not what is
/// tried here.
fn watched() -> Options {
    Options::default()
        .without_rate_limits()
        .set("health.probe_every_ms=100")
        .set("health.probe_within_ms=20000")
        .set("health.slow_ms=20000")
        .set("health.window_ms=2000")
        .set("health.recover_after_ms=500")
}

async fn status(server: &Server) -> Value {
    server.operators_page("/status").await.json()
}

fn state(status: &Value, component: &str) -> String {
    let components = status["components"].as_array().expect("components");
    let held = components.iter().find(|held| held["component"] == component).expect("the component");
    held["state"].as_str().expect("a state").to_owned()
}

async fn until(server: &Server, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, async || status(server).await, wanted).await
}

async fn metric(server: &Server, series: &str) -> f64 {
    let page = server.operators_page("/metrics").await;
    let line = page.text().lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned));
    line.map_or(0.0, |value| value.parse().expect("a number"))
}

async fn until_probed(server: &Server, times: f64) {
    let done = async || metric(server, "offhook_probes_total{outcome=\"done\"}").await;
    let before = done().await;
    eventually("probes that did the whole job", done, |done| *done >= before + times).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_server_is_operational_by_probes_of_the_whole_job() {
    let _alone = alone().await;
    let server = Server::start(&watched());
    until_probed(&server, 3.0).await;
    let status = status(&server).await;
    assert_eq!((&status["status"], &status["answered_by"]), (&json!("operational"), &json!("server")), "{status}");
    assert_eq!(status["incidents"], json!([]));
    let mut http = Http::connect(server.operators).await.unwrap();
    let page = http.ask("GET", "/status", "Accept: text/html\r\n", b"").await.unwrap();
    assert!(page.text().contains("Everything is operational"), "{}", page.text());
    for component in ["agent_interface", "conversation_offers", "messenger", "api"] {
        let series = format!("offhook_component_state{{component=\"{component}\"}}");
        assert_eq!(metric(&server, &series).await, 0.0, "{component}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_is_an_outage_within_seconds_and_kills_nobody() {
    if as_cluster::passes_over("what is decided goes to the disks of the servers of NATS") {
        return;
    }
    let _alone = alone().await;
    let disk = Disk::new();
    let options = watched().set("journal.kept_back_bytes=1 MiB");
    let mut server = Server::start(&disk.under(options, Forgets::Nothing));
    let (mut agent, mut customer) = talking(&server, "ada").await;
    until_probed(&server, 1.0).await;
    disk.turn(Fault::ReadOnly);
    let out = until(&server, "an outage of messenger and offers", |status| {
        state(status, "messenger").ends_with("outage") && state(status, "conversation_offers").ends_with("outage")
    })
    .await;
    assert_eq!(state(&out, "api"), "operational", "what only reads goes on: {out}");
    let incident = out["incidents"][0].clone();
    assert_eq!(incident["ended_at"], Value::Null, "{out}");
    assert_eq!(server.operators_page("/healthz").await.status, 200, "alive is not ready");
    let refused =
        refused(&mut agent, json!({"type": "send", "conversation": customer.conversation, "text": "x"})).await;
    assert_eq!(refused["code"], "unavailable");

    disk.turn(Fault::None);
    let well = until(&server, "all to be well again", |status| status["status"] == "operational").await;
    assert!(well["incidents"][0]["ended_at"].as_u64() > incident["began_at"].as_u64(), "{well}");
    assert_eq!(customer.post("again").await, 2);

    server.kill();
    server.start_again();
    let after = until(&server, "the restart to be told", |status| {
        status["incidents"].as_array().is_some_and(|incidents| incidents.len() == 2)
    })
    .await;
    assert_eq!(after["incidents"][0], well["incidents"][0], "the history outlives the restart");
    let restart = &after["incidents"][1]["lines"][0];
    assert!(restart["text"].as_str().unwrap().starts_with("Restarted; no service for "), "{restart}");
    assert!(restart["why"].as_str().unwrap().contains("ended"), "{restart}");
    assert!(server.stop().success());
    server.start_again();
    let after = until(&server, "the stop to be told", |status| status["incidents"][2].is_object()).await;
    assert_eq!(after["incidents"][2]["lines"][0]["why"], "stopped in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_new_conversations_are_an_outage_and_accepts_are_not() {
    let _alone = alone().await;
    let disk = Disk::new();
    let options = watched().set("journal.kept_back_bytes=1 MiB");
    let server = Server::start(&disk.under(options, Forgets::Nothing));
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    let (_customer, offer) = offered(&server, &mut agent).await;
    disk.turn(Fault::Full);
    until(&server, "an outage of the messenger", |status| state(status, "messenger").ends_with("outage")).await;
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(server.operators_page("/healthz").await.status, 200);
    disk.turn(Fault::None);
    until(&server, "all to be well again", |status| status["status"] == "operational").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_who_lose_their_connections_together_are_an_outage_until_they_are_back() {
    let _alone = alone().await;
    let server = Server::start(&watched().set("health.probe_every_ms=0"));
    let mut agents = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        agents.push(Agent::available(&server, DEMO, name).await);
    }
    drop(agents);
    let out =
        until(&server, "an outage of the agent interface", |now| state(now, "agent_interface") == "major_outage").await;
    assert_eq!(state(&out, "messenger"), "operational");
    let mut back = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        back.push(Agent::connect(&server, DEMO, name).await);
    }
    until(&server, "all to be well again", |status| status["status"] == "operational").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_is_kept_out_of_everything_that_people_are_shown() {
    let _alone = alone().await;
    let server = Server::start(&watched());
    let mut watching = Agent::connect_as(&server, DEMO, "sue", Role::Supervisor).await;
    until_probed(&server, 2.0).await;
    let names = server.admin("GET", "/v1/workspaces", None).await.json();
    assert_eq!(names["workspaces"], json!([DEMO]));
    for (method, path) in [("GET", "settings"), ("GET", "live/agents"), ("GET", "conversations"), ("PUT", "")] {
        let asked = server.admin(method, &format!("/v1/workspaces/{PROBES}/{path}"), None).await;
        assert_eq!(asked.status, 404, "{method} {path}: {}", asked.text());
    }
    let made = server.admin("PUT", &format!("/v1/workspaces/{PROBES}"), None).await;
    assert_eq!((made.status, &made.json()["field"]), (422, &json!("workspace")), "{}", made.text());
    let started = Customer::try_start(server.address, PROBES, &json!({"text": "let me in"})).await;
    assert_eq!(started.err().map(|answer| answer.status), Some(404));
    let token = server.agent_token(PROBES, "mallory", Role::Agent);
    assert!(Agent::try_connect(server.address, "mallory", &token, None).await.is_err());
    // A wallboard's pages, and what is counted.
    let rows = watching.must(json!({"type": "watch", "what": "agents"})).await;
    assert!(!rows.to_string().contains("probe"), "{rows}");
    let live = server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/agents"), None).await;
    assert!(!live.text().contains("probe"), "{}", live.text());
    let found = server.admin("GET", &format!("/v1/workspaces/{DEMO}/conversations"), None).await;
    assert_eq!(found.json()["conversations"], json!([]), "{}", found.text());
    let metrics = server.operators_page("/metrics").await;
    let of_people = |line: &&str| {
        let names =
            ["offers_total", "messages_total", "time_to_offer", "waiting{", "status_changes_total", "moves_total"];
        let word = line.strip_prefix("offhook_").unwrap_or_default();
        names.iter().any(|name| word.starts_with(name)) && !line.ends_with(" 0") || line.contains("=\"_probe")
    };
    let counted: Vec<&str> = metrics.text().lines().filter(of_people).collect();
    assert_eq!(counted, [""; 0]);
    let online = async || metric(&server, "offhook_agents{connection=\"online\"}").await;
    eventually("the one who watches", online, |online| *online == 1.0).await;
    assert_eq!(metric(&server, "offhook_commands_total{type=\"accept\",outcome=\"done\"}").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_lost_is_made_anew_though_the_probes_journal_was_cut() {
    let _alone = alone().await;
    let mut server = Server::start(&watched());
    let (_agent, customer) = talking(&server, "ada").await;
    until_probed(&server, 2.0).await;
    assert!(server.stop().success());
    let journal = as_cluster::journal(server.data_dir()).await;
    assert_eq!(journal.cut(&PROBES.into(), Position(10)).await.unwrap(), 9);
    drop(journal);
    std::fs::write(server.data_dir().join("view.db.damaged"), "a page was unreadable").unwrap();
    server.start_again();
    until_probed(&server, 2.0).await;
    let path = format!("/v1/workspaces/{DEMO}/conversations/{}", customer.conversation);
    let held = server.admin("GET", &path, None).await;
    assert_eq!(held.json()["state"], "active", "{}", held.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_is_public_only_where_that_is_wanted() {
    let _alone = alone().await;
    let asked = async |server: &Server| {
        let mut http = Http::connect(server.address).await.unwrap();
        http.ask("GET", "/status", "", b"").await.unwrap()
    };
    let private = Server::start(&watched());
    assert_eq!(asked(&private).await.status, 404);
    let public = Server::start(&watched().set("health.public_status=true"));
    let page = asked(&public).await.json();
    assert_eq!((&page["status"], &page["version"]), (&json!("operational"), &Value::Null), "{page}");
}
