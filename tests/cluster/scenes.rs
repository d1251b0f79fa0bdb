//! Agents and customers at different nodes, some of which go.

use crate::clients::{Visitor, Worker, feeds};
use crate::history::{Book, History};
use crate::judge::judge;
use crate::nodes::Nodes;
use crate::support::Options;
use crate::support::scene::DEMO;
use serde_json::Value;

/// Nothing runs out while somebody comes back.
fn patient(settings: &mut Value) {
    settings["channels"][0]["offer_ms"] = 600_000.into();
    settings["channels"][0]["wrap_up_ms"] = 0.into();
    settings["offer_grace_ms"] = 600_000.into();
    settings["agent_grace_ms"] = 600_000.into();
    settings["delivery_ms"] = 60_000.into();
}

/// What all saw, held against the feeds of these nodes.
async fn is_good(book: &Book, nodes: &Nodes, of: &[usize]) {
    let capacity = ["ada", "bob"].map(|name| (name.to_owned(), 3)).into();
    let history = History { lines: book.lines(), feeds: feeds(nodes, of).await, capacity, is_settled: true };
    let broken = judge(&history);
    assert!(broken.is_empty(), "{broken:#?}\n{}", nodes.logs());
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_customers_at_three_nodes_are_at_one_desk_and_a_node_that_is_killed_takes_no_offer_along() {
    let (book, mut nodes) = (Book::open(), Nodes::start(&Options::default().without_rate_limits()).await);
    nodes.server(2).change_settings(DEMO, patient).await;
    let mut ada = Worker::connect(&book, &nodes, 0, "ada").await;
    let mut bob = Worker::connect(&book, &nodes, 1, "bob").await;
    ada.set_status("available").await;

    let mut zoe = Visitor::start(&book, &nodes, 2, "zoe: hello").await;
    let (offer, conversation) = ada.offered().await;
    assert_eq!(conversation, zoe.conversation());
    ada.delivered(&offer).await;
    ada.accept(&offer).await;
    ada.send(&conversation, "ada: good morning").await;
    zoe.sees("ada: good morning").await;
    zoe.post("zoe: thank you").await;
    ada.sees("zoe: thank you").await;

    let mut yan = Visitor::start(&book, &nodes, 2, "yan: hello").await;
    let (pending, of_yan) = ada.offered().await;
    ada.delivered(&pending).await;
    nodes.kill(0);
    let mut ada = Worker::connect(&book, &nodes, 1, "ada").await;
    let snapshot = &ada.agent.welcome["snapshot"];
    assert_eq!(snapshot["conversations"][0]["conversation"], conversation.as_str(), "{snapshot}");
    assert_eq!(snapshot["offers"][0]["offer"], pending.as_str(), "{snapshot}");
    assert_eq!(snapshot["offers"][0]["delivered"], true, "{snapshot}");
    ada.accept(&pending).await;
    ada.send(&of_yan, "ada: here again").await;
    yan.sees("ada: here again").await;
    ada.send(&conversation, "ada: still here").await;
    zoe.sees("ada: still here").await;
    is_good(&book, &nodes, &[1, 2]).await;

    // The node comes back, and is like the others.
    nodes.start_again(0);
    ada.set_status("away").await;
    bob.set_status("available").await;
    let mut xen = Visitor::start(&book, &nodes, 0, "xen: hello").await;
    let (offer, conversation) = bob.offered().await;
    bob.accept(&offer).await;
    bob.send(&conversation, "bob: good day").await;
    xen.sees("bob: good day").await;
    xen.post("xen: and good night").await;
    bob.sees("xen: and good night").await;
    is_good(&book, &nodes, &[0, 1, 2]).await;
}
