//! Where most tests begin: a server with a workspace, an agent who is offered a conversation, two who talk.

use super::agent::Agent;
use super::customer::Customer;
use super::server::{Options, Server};
use serde_json::{Value, json};

/// The workspace of a first start.
pub const DEMO: &str = "demo";

/// A server without limits on rates, in whose way no other test is.
pub fn server() -> Server {
    Server::start(&Options::default().without_rate_limits())
}

/// A customer starts, and this available agent is offered it.
pub async fn offered(server: &Server, agent: &mut Agent) -> (Customer, Value) {
    let customer = Customer::start(server.address, DEMO, "hello").await;
    let of_customer = |frame: &Value| {
        frame["type"] == "offer" && frame["offer"]["conversation"]["conversation"] == customer.conversation.as_str()
    };
    let offer = agent.until("an offer", of_customer).await["offer"].clone();
    (customer, offer)
}

/// An agent who has accepted a new customer's conversation.
pub async fn talking(server: &Server, name: &str) -> (Agent, Customer) {
    let mut agent = Agent::available(server, DEMO, name).await;
    let (customer, offer) = offered(server, &mut agent).await;
    agent.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    agent.until("the conversation", |frame| frame["type"] == "conversation").await;
    (agent, customer)
}

/// Asks and is refused; gives back the error.
pub async fn refused(agent: &mut Agent, frame: Value) -> Value {
    let said = frame.to_string();
    let reply = agent.ask(frame).await;
    assert!(reply["ok"].is_null() && reply["error"]["code"].is_string(), "{said}: {reply}");
    assert!(reply["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{said}: {reply}");
    reply["error"].clone()
}

/// The rows of `live/agents`, by name.
pub async fn live_agent(server: &Server, name: &str) -> Value {
    let page = server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/agents?limit=200"), None).await;
    assert_eq!(page.status, 200, "{page:?}");
    let rows = page.json()["rows"].as_array().cloned().unwrap_or_default();
    rows.into_iter().find(|row| row["agent"] == name).unwrap_or(Value::Null)
}

/// Asks again until the answer is as wanted: for what becomes so by itself, and is told to nobody.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> T, wanted: impl Fn(&T) -> bool) -> T {
    super::within(what, async {
        loop {
            let found = ask().await;
            if wanted(&found) {
                return found;
            }
            // What is asked over HTTP tells nobody when it changes.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
}
