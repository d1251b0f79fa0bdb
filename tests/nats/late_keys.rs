//! Customers' keys that come to a node behind what was sealed with them.

use crate::keys::end_watches;
use crate::pair::Pair;
use crate::support::customer::event_named;
use crate::support::scene::DEMO;
use crate::support::{Customer, Options, PATIENCE, within};
use async_nats::jetstream::{self, stream::Config};
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// More than one node makes ahead, so that the last ones have keys that were made meanwhile.
const CUSTOMERS: usize = 300;
const AT_ONCE: usize = 20;

/// Starts conversations at one node, and then reads each at the other.
async fn are_whole(at: SocketAddr, elsewhere: SocketAddr) {
    let mut customers = Vec::new();
    for number in (0..CUSTOMERS).step_by(AT_ONCE) {
        let start = |number: usize| async move {
            let until = Instant::now() + PATIENCE;
            let text = format!("customer {number} of {at}");
            loop {
                match Customer::try_start(at, DEMO, &serde_json::json!({ "text": text })).await {
                    Ok(customer) => return (customer, text),
                    // Nobody takes what is sealed with a key that has not come.
                    Err(refused) => {
                        assert!(refused.status == 503 && Instant::now() < until, "{}", refused.text());
                        let ms = refused.json()["retry_after_ms"].as_u64().expect("when to come again");
                        // As long as the server asked for.
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                    }
                }
            }
        };
        customers.extend(join_all((number..number + AT_ONCE).map(start)).await);
    }
    for (customer, text) in customers {
        let mut events = customer.at(elsewhere).await.follow(None).await;
        assert_eq!(event_named(&mut events, "message").await.json()["text"], text);
    }
}

/// The watch of the keys stands still, as when a server of NATS is lost that had a part in it, and so does what it could be asked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_customers_say_is_shown_once_their_keys_are_here_and_not_without_its_text() {
    let pair = Pair::start(&Options::default().without_rate_limits(), |_| ()).await;
    let context = jetstream::new(async_nats::connect(&pair.nats.address).await.expect("it answers"));
    let mut stream = context.get_stream("KV_trio-keys").await.expect("it is there");
    let config = stream.info().await.expect("it says what it is").config.clone();
    context.update_stream(Config { allow_direct: false, ..config }).await.expect("it can be set");
    end_watches(&stream).await;
    let [a, b] = [0, 1].map(|node| pair.nodes[node].address);
    within("both to be whole", async { tokio::join!(are_whole(a, b), are_whole(b, a)) }).await;
}
