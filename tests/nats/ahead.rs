//! A node whose view is of another journal than the cluster's.

use crate::member::of_node;
use crate::support::nats::Nats;
use crate::support::scene::DEMO;
use crate::support::{Customer, Options, Server};
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_does_not_start_with_a_view_of_what_the_journal_does_not_know() {
    let (nats, dir) = (Nats::alone("").await, tempfile::tempdir().expect("a directory"));
    let servers = [nats.address.trim_start_matches("nats://").to_owned()];
    let node = of_node("a", dir.path().join("a"), &servers, &Options::default()).set("cluster.replicas=1");
    let mut a = block_in_place(|| Server::start(&node));
    let mut zoe = Customer::start(a.address, DEMO, "hello").await;
    zoe.post("is anybody there?").await;
    assert!(block_in_place(|| a.stop()).success(), "{}", a.log_tail());

    let other = node.clone().set("cluster.name=other");
    let why = block_in_place(|| Server::try_start(&other)).err().expect("it knows more than that journal");
    for words in ["the view here has demo up to", "journal ends at 0", "start from an empty directory"] {
        assert!(why.contains(words), "{words}: {why}");
    }

    block_in_place(|| a.try_start_again()).expect("it is the journal of this view");
    let page = zoe.at(a.address).await.call("GET", "messages?limit=10", None).await;
    assert_eq!(page.json()["messages"].as_array().map(Vec::len), Some(2), "{}", page.text());
}
