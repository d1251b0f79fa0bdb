//! A node that leads a workspace no more, and can neither lead it again nor pass on what is asked.

use crate::member::of_node;
use crate::support::nats::Nats;
use crate::support::scene::{DEMO, eventually, offered, refused};
use crate::support::{Agent, Options, Server, within};
use async_nats::jetstream::{self, stream::Config};
use serde_json::json;
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_while_no_node_can_lead_is_refused_in_time_and_it_goes_on_by_itself() {
    let (nats, dir) = (Nats::alone("").await, tempfile::tempdir().expect("a directory"));
    let servers = [nats.address.trim_start_matches("nats://").to_owned()];
    let options = Options::default().without_rate_limits();
    let node = of_node("a", dir.path().join("a"), &servers, &options).set("cluster.replicas=1");
    let server = block_in_place(|| Server::start(&node));
    server.change_settings(DEMO, |settings| settings["channels"][0]["offer_ms"] = 600_000.into()).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (_zoe, offer) = offered(&server, &mut ada).await;
    let accept = json!({"type": "accept", "offer": offer["offer"]});

    let context = jetstream::new(async_nats::connect(&nats.address).await.expect("it answers"));
    let mut stream = context.get_stream("TRIO_JOURNAL").await.expect("it is there");
    let held = stream.info().await.expect("it says what it holds").clone();
    // Room for nothing more: also a claim has none.
    let full = Config { max_bytes: held.state.bytes as i64 + 1, ..held.config.clone() };
    context.update_stream(full).await.expect("it can be set");
    let asked = async |ada: &mut Agent| {
        let why = within("an answer", refused(ada, accept.clone())).await;
        assert_eq!(why["code"], "unavailable", "{why}");
    };
    asked(&mut ada).await;
    eventually("nobody leads", async || server.metric("offhook_cluster_leads").await, |leads| *leads == 0.0).await;
    asked(&mut ada).await;

    context.update_stream(held.config).await.expect("it can be set");
    let ask = async || ada.ask(accept.clone()).await;
    eventually("the offer is taken", ask, |reply| reply["ok"] == true).await;
}
