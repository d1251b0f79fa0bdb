//! Agents and customers at different nodes, some of which go.

use crate::clients::{Visitor, Worker, feed};
use crate::history::{Book, History, What};
use crate::judge::judge;
use crate::nodes::Nodes;
use crate::support::scene::DEMO;
use crate::support::{Options, Server};
use serde_json::{Value, json};

/// Nothing runs out while somebody comes back.
pub fn patient(settings: &mut Value) {
    settings["channels"][0]["offer_ms"] = 600_000.into();
    settings["channels"][0]["wrap_up_ms"] = 0.into();
    settings["offer_grace_ms"] = 600_000.into();
    settings["agent_grace_ms"] = 600_000.into();
    settings["delivery_ms"] = 60_000.into();
}

/// What all saw, held against the feeds of these nodes.
pub async fn is_good(book: &Book, of: &[(&str, &Server)]) {
    let mut history = History { lines: book.lines(), is_settled: true, ..History::default() };
    history.capacity = ["ada", "bob"].map(|name| (name.to_owned(), 3)).into();
    for (name, server) in of {
        history.feeds.insert((*name).to_owned(), feed(server).await);
    }
    let broken = judge(&history);
    let logs: Vec<String> = of.iter().map(|(name, server)| format!("--- {name}\n{}", server.log_tail())).collect();
    assert!(broken.is_empty(), "{broken:#?}\n{}", logs.join("\n"));
}

/// One node has nobody to disagree with: what is written down here and how it is judged fits what is really said.
#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_one_server_is_good() {
    let (book, server) = (Book::open(), Server::start(&Options::default().without_rate_limits()));
    server.change_settings(DEMO, patient).await;
    let mut ada = Worker::connect(&book, &server, "ada").await;
    ada.set_status("available").await;
    let mut zoe = Visitor::start(&book, &server, "zoe: hello").await;
    let (offer, conversation) = ada.offered().await;
    ada.delivered(&offer).await;
    ada.accept(&offer).await;
    ada.send(&conversation, "ada: good morning").await;
    zoe.sees("ada: good morning").await;
    zoe.post("zoe: thank you").await;
    ada.sees("zoe: thank you").await;
    is_good(&book, &[("it", &server)]).await;
    let lines = book.lines();
    for (what, seen) in [
        ("an offer", lines.iter().any(|line| matches!(line.what, What::Offered { .. }))),
        ("its end", lines.iter().any(|line| matches!(line.what, What::Ended { .. }))),
        ("a message", lines.iter().any(|line| matches!(line.what, What::Saw { .. }))),
        ("a position", lines.iter().any(|line| matches!(line.what, What::Position(1..)))),
    ] {
        assert!(seen, "{what} was not written down: {lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_customers_at_three_nodes_are_at_one_desk_and_a_node_that_is_killed_takes_no_offer_along() {
    let (book, mut nodes) = (Book::open(), Nodes::start(&Options::default().without_rate_limits()).await);
    nodes.server(2).change_settings(DEMO, patient).await;
    let mut ada = Worker::connect(&book, nodes.server(0), "ada").await;
    let mut bob = Worker::connect(&book, nodes.server(1), "bob").await;
    ada.set_status("available").await;

    let mut zoe = Visitor::start(&book, nodes.server(2), "zoe: hello").await;
    let (offer, conversation) = ada.offered().await;
    assert_eq!(conversation, zoe.conversation());
    ada.delivered(&offer).await;
    ada.accept(&offer).await;
    ada.send(&conversation, "ada: good morning").await;
    zoe.sees("ada: good morning").await;
    zoe.post("zoe: thank you").await;
    ada.sees("zoe: thank you").await;

    let mut yan = Visitor::start(&book, nodes.server(2), "yan: hello").await;
    let (pending, of_yan) = ada.offered().await;
    ada.delivered(&pending).await;
    nodes.kill(0);
    let mut ada = Worker::connect(&book, nodes.server(1), "ada").await;
    let snapshot = &ada.agent.welcome["snapshot"];
    assert_eq!(snapshot["conversations"][0]["conversation"], conversation.as_str(), "{snapshot}");
    assert_eq!(snapshot["offers"][0]["offer"], pending.as_str(), "{snapshot}");
    assert_eq!(snapshot["offers"][0]["delivered"], true, "{snapshot}");
    ada.accept(&pending).await;
    ada.send(&of_yan, "ada: here again").await;
    yan.sees("ada: here again").await;
    ada.send(&conversation, "ada: still here").await;
    zoe.sees("ada: still here").await;
    is_good(&book, &nodes.servers()[1..]).await;

    // The node comes back, and is like the others.
    nodes.start_again(0);
    ada.set_status("away").await;
    bob.set_status("available").await;
    let mut xen = Visitor::start(&book, nodes.server(0), "xen: hello").await;
    let (offer, conversation) = bob.offered().await;
    bob.accept(&offer).await;
    bob.send(&conversation, "bob: good day").await;
    xen.sees("bob: good day").await;
    xen.post("xen: and good night").await;
    bob.sees("xen: and good night").await;
    is_good(&book, &nodes.servers()).await;
}

/// An offer that is pending at an agent's socket, of a customer at another node.
pub async fn pending(book: &Book, at: &Server, elsewhere: &Server, round: usize) -> (Worker, Visitor, String, String) {
    let mut agent = Worker::connect(book, at, "ada").await;
    agent.set_status("available").await;
    let zoe = Visitor::start(book, elsewhere, &format!("zoe: hello {round}")).await;
    let (offer, conversation) = agent.offered().await;
    agent.delivered(&offer).await;
    (agent, zoe, offer, conversation)
}

/// The same agent at another node: it has that offer, takes it, and is heard.
pub async fn taken(book: &Book, at: &Server, zoe: &mut Visitor, (offer, round): (&str, usize)) -> Worker {
    let mut ada = Worker::connect(book, at, "ada").await;
    let snapshot = &ada.agent.welcome["snapshot"];
    assert_eq!(snapshot["offers"][0]["offer"], offer, "round {round}: {snapshot}");
    ada.accept(offer).await;
    let words = format!("ada: good morning {round}");
    ada.send(zoe.conversation(), &words).await;
    zoe.sees(&words).await;
    ada
}

/// What may become of a node, and how that is over.
type Trouble = (fn(&mut Nodes, usize), fn(&mut Nodes, usize));
/// By their names and the workspace's, of all three.
const FOLLOWS: usize = 0;
const LEADS: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stands_still_is_cut_off_or_goes_in_order_takes_nothing_along_and_comes_back() {
    let (book, mut nodes) = (Book::open(), Nodes::start(&Options::default().without_rate_limits()).await);
    nodes.server(2).change_settings(DEMO, patient).await;
    let troubles: [Trouble; 4] = [
        (Nodes::pause, Nodes::go_on),
        (Nodes::cut_off, Nodes::let_through),
        (Nodes::stop, Nodes::start_again),
        (Nodes::kill, Nodes::start_again),
    ];
    let rounds = [FOLLOWS, LEADS].into_iter().flat_map(|node| troubles.map(|trouble| (node, trouble)));
    for (round, (node, (begin, end))) in rounds.enumerate() {
        let (second, third) = ((node + 1) % 3, (node + 2) % 3);
        let (_before, mut zoe, offer, conversation) =
            pending(&book, nodes.server(node), nodes.server(third), round).await;
        begin(&mut nodes, node);
        let mut ada = taken(&book, nodes.server(second), &mut zoe, (&offer, round)).await;
        end(&mut nodes, node);
        let answer = format!("zoe: thank you {round}");
        zoe.post(&answer).await;
        ada.sees(&answer).await;
        ada.agent.must(json!({"type": "close", "conversation": conversation})).await;
    }
    is_good(&book, &nodes.servers()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_nats_that_goes_or_stands_still_stops_nobody() {
    let (book, mut nodes) = (Book::open(), Nodes::start(&Options::default().without_rate_limits()).await);
    nodes.server(2).change_settings(DEMO, patient).await;
    let mut ada = Worker::connect(&book, nodes.server(0), "ada").await;
    ada.set_status("available").await;
    let mut zoe = Visitor::start(&book, nodes.server(2), "zoe: hello").await;
    let (offer, conversation) = ada.offered().await;
    ada.accept(&offer).await;
    for round in 0..2 {
        let leader = nodes.trio.leader().await;
        if round == 0 {
            nodes.trio.kill(leader)
        } else {
            nodes.trio.pause(leader)
        }
        let words = format!("ada: good morning {round}");
        ada.send_until_done(&conversation, &words).await;
        zoe.sees(&words).await;
        if round == 0 {
            nodes.trio.start_again(leader)
        } else {
            nodes.trio.go_on(leader)
        }
        nodes.trio.well().await;
    }
    is_good(&book, &nodes.servers()).await;
}
