//! Servers that are killed, stopped, stuck or damaged are started again; offers go on.

use super::first_byte::FirstByte;
use super::support::disk::{Disk, Fault, Forgets};
use super::support::scene::{DEMO, eventually, offered};
use super::support::{Agent, Customer, Http, Options, Server, as_cluster, command_id, process};
use super::{alone, back, restarts, send, status};
use serde_json::json;
use std::time::Duration;

/// Few by default; with OFFHOOK_SUPERVISOR_KILLS=20 one each three seconds, as in a bad minute.
fn kills() -> (u64, Duration) {
    match std::env::var("OFFHOOK_SUPERVISOR_KILLS") {
        Ok(kills) => (kills.parse().expect("a number"), Duration::from_secs(3)),
        Err(_) => (4, Duration::from_millis(300)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_goes_on_however_often_the_server_is_killed() {
    let _alone = alone().await;
    let server = Server::start(&Options::supervised().without_rate_limits().set("engine.tick_record_every_ms=100"));
    let mut agent = Agent::available(&server, DEMO, "ada").await;
    server
        .change_settings(DEMO, |settings| {
            settings["channels"][0]["offer_ms"] = 600_000.into();
            settings["offer_grace_ms"] = 60_000.into();
            settings["delivery_ms"] = 60_000.into();
        })
        .await;
    let (_customer, offer) = offered(&server, &mut agent).await;
    agent.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    let watch = FirstByte::watch(server.address);
    let (kills, every) = kills();
    let mut left_ms = offer["left_ms"].as_u64().unwrap();
    for _ in 0..kills {
        let before = server.server_pid().unwrap();
        send(before, libc::SIGKILL);
        back(&server, before).await;
        agent = Agent::connect(&server, DEMO, "ada").await;
        let snapshot = &agent.welcome["snapshot"];
        assert_eq!((&snapshot["status"], &snapshot["offers"][0]["offer"]), (&"available".into(), &offer["offer"]));
        let now_ms = snapshot["offers"][0]["left_ms"].as_u64().unwrap();
        assert!(now_ms < left_ms, "{now_ms} of {left_ms} ms are left");
        left_ms = now_ms;
        // The pace of the killer: what is held is what happens between its blows.
        tokio::time::sleep(every).await;
    }
    let worst = watch.held();
    println!("{kills} kills: a new client waited {worst:?} at most");
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    assert_eq!(restarts(&status(&server).await, "killed"), kills);
    let metrics = server.operators_page("/metrics").await;
    let wanted = format!("offhook_restarts_total{{cause=\"killed\"}} {kills}");
    assert!(metrics.text().contains(&wanted), "{}", metrics.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_stopped_is_ended_and_started_again() {
    let _alone = alone().await;
    let server = Server::start(&Options::supervised().without_rate_limits().set("supervisor.hang_ms=3000"));
    let watch = FirstByte::watch(server.address);
    let before = server.server_pid().unwrap();
    process::freeze(before);
    back(&server, before).await;
    watch.held();
    assert_eq!(restarts(&status(&server).await, "hung"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_stuck_is_a_hang() {
    if as_cluster::passes_over("the writer of a journal is at the servers of NATS, whose silence is no hang") {
        return;
    }
    let _alone = alone().await;
    let disk = Disk::new();
    let options = Options::supervised().without_rate_limits().set("supervisor.hang_ms=3000");
    let server = Server::start(&disk.under(options, Forgets::Nothing));
    let before = server.server_pid().unwrap();
    disk.turn(Fault::SyncsHang);
    let address = server.address;
    // Its commit does not come back, and it hears of it only that the connection is gone.
    let stuck = tokio::spawn(async move {
        let mut http = Http::connect(address).await.expect("the server listens");
        let id = format!("Idempotency-Key: {}\r\n", command_id());
        http.ask("POST", &format!("/v1/messenger/{DEMO}/conversations"), &id, br#"{"text":"hello"}"#).await.is_ok()
    });
    let ask = async || status(&server).await;
    eventually("the hang", ask, |status| restarts(status, "hung") == 1).await;
    disk.turn(Fault::None);
    back(&server, before).await;
    assert!(!stuck.await.unwrap(), "nothing was said that was not committed");
    Customer::start(server.address, DEMO, "hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_answered_for_and_ends_by_itself_when_its_reason_does() {
    let _alone = alone().await;
    let server = Server::start(&Options::supervised().without_rate_limits().set("supervisor.delay_ms_max=1000"));
    let (master, aside) = (server.data_dir().join("master.key"), server.data_dir().join("aside"));
    let before = server.server_pid().unwrap();
    let watch = FirstByte::watch(server.address);
    std::fs::rename(&master, &aside).unwrap();
    send(before, libc::SIGKILL);

    let ask = async || status(&server).await;
    let looping = eventually("a crash loop", ask, |status| {
        status["answered_by"] == "supervisor" && restarts(status, "exited") >= 3
    });
    let told = looping.await;
    assert_eq!((&told["status"], &told["supervisor"]["last_restart"]["cause"]), (&"down".into(), &"exited".into()));
    let mut http = Http::connect(server.address).await.unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let refused = http.ask("GET", "/v1/agent", upgrade, b"").await.unwrap();
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("unavailable")));
    let after_ms = refused.json()["retry_after_ms"].as_u64().unwrap();
    assert!((1_000..3_000).contains(&after_ms) && refused.header("retry-after").is_some(), "{refused:?}");
    let mut posts = Http::connect(server.address).await.unwrap();
    let refused = posts.ask("POST", "/v1/messenger/demo/conversations", "", &[b'x'; 10_000]).await.unwrap();
    assert_eq!(refused.status, 503, "also where a body comes along");
    assert_eq!(server.operators_page("/readyz").await.status, 503);
    assert_eq!(server.operators_page("/healthz").await.status, 200, "who starts it again is at work");
    assert!(server.operators_page("/metrics").await.text().contains("offhook_restarts_total{cause=\"killed\"} 1"));

    std::fs::rename(&aside, &master).unwrap();
    back(&server, before).await;
    watch.held();
    Customer::start(server.address, DEMO, "hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_outlive_its_supervisor() {
    let _alone = alone().await;
    let mut server = Server::start(&Options::supervised().without_rate_limits());
    let pid = server.server_pid().unwrap();
    server.kill();
    let gone = async || !std::path::Path::new(&format!("/proc/{pid}")).exists();
    eventually("its end", gone, |gone| *gone).await;
    server.start_again();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_order_ends_both_and_a_server_that_does_not_end_is_killed() {
    let _alone = alone().await;
    let mut server = Server::start(&Options::supervised().without_rate_limits());
    let pid = server.server_pid().unwrap();
    assert!(server.stop().success());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());

    let mut stuck = Server::start(&Options::supervised().set("server.drain_ms=500").set("server.stop_grace_ms=2500"));
    let pid = stuck.server_pid().unwrap();
    process::freeze(pid);
    assert!(stuck.stop().success());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it is gone, and reaped");
}

#[test]
fn a_first_start_that_the_caller_can_mend_ends_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let first = Server::start(&Options { data_dir: Some(data_dir.clone()), ..Options::supervised() });
    let refused = Server::try_start(&Options { data_dir: Some(data_dir), ..Options::supervised() });
    let why = refused.err().expect("it is in use");
    assert!(why.contains("is in use by the process"), "{why}");
    drop(first);
}
