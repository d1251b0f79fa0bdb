//! A customer who starts a conversation, writes now and then through whatever happens, and repeats what was not answered with the same id.

use super::floor::{Floor, TALK, jitter};
use crate::client::{Answered, Call, Client, random_id};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A page that is put off for longer is not read.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// A conversation, and what its customer shows for it.
pub(super) struct Visit {
    pub conversation: String,
    pub token: String,
}

/// The body of a start whose first word names it.
pub(super) fn start_of(page: &str, text: &str) -> Value {
    json!({"text": text, "metadata": {"page": page}})
}

pub(super) fn start_call(body: &Value) -> Call<'_> {
    let path = "/v1/messenger/demo/conversations".to_owned();
    Call { method: Method::POST, path, body: Some(body), token: None, id: Some(random_id()) }
}

/// Notes what the answer to a start promises.
pub(super) fn started(floor: &Floor, answered: &Answered, text: &str) -> Option<Visit> {
    if answered.status != StatusCode::CREATED {
        return None;
    }
    let conversation = answered.body["conversation"]["conversation"].as_str()?.to_owned();
    let token = answered.text("token").to_owned();
    let mut notes = floor.notes();
    notes.ledger.acknowledged(&conversation, answered.body["number"].as_u64()?, text);
    notes.tokens.insert(conversation.clone(), token.clone());
    Some(Visit { conversation, token })
}

/// Comes until it is let in.
pub(super) async fn start(floor: &Floor, client: &mut Client, page: &str, text: &str) -> Option<Visit> {
    let body = start_of(page, text);
    let answered = floor.persist(client, "starts", &start_call(&body)).await;
    let visit = started(floor, &answered, text);
    if visit.is_none() {
        floor.fault(format!("a customer was not let in: {} {}", answered.status, answered.text("code")));
    }
    visit
}

/// Writes until it has an answer that waiting would not change; whether it was acknowledged.
async fn write(floor: &Floor, client: &mut Client, visit: &Visit, text: &str) -> bool {
    let body = json!({"text": text});
    let path = format!("/v1/messenger/demo/conversations/{}/messages", visit.conversation);
    let call = Call::write(Method::POST, path, &visit.token, Some(&body));
    let answered = floor.persist(client, "messages", &call).await;
    if answered.status != StatusCode::CREATED {
        floor.fault(format!("{}: a message was refused: {}", visit.conversation, answered.text("code")));
        return false;
    }
    let number = answered.body["number"].as_u64().unwrap_or_default();
    floor.notes().ledger.acknowledged(&visit.conversation, number, text);
    true
}

/// Talks until it is told that the day is over, and has the answer to its last word.
pub(super) async fn talk(floor: Arc<Floor>, number: usize, mut over: watch::Receiver<bool>) {
    let mut client = Client::new(floor.address.clone());
    let pause_ms = floor.pause.as_millis() as u64;
    let name = format!("customer{number}");
    // Customers come one after the other.
    tokio::time::sleep(jitter(0, pause_ms)).await;
    let Some(visit) = start(&floor, &mut client, TALK, &format!("{name}.0 Hello!")).await else { return };
    floor.notes().talking += 1;
    for said in 1_u64.. {
        tokio::select! {
            // Whoever writes reads first.
            () = tokio::time::sleep(jitter(pause_ms / 2, pause_ms * 3 / 2)) => {}
            _ = over.wait_for(|over| *over) => return,
        }
        if !write(&floor, &mut client, &visit, &format!("{name}.{said} And then?")).await {
            return;
        }
    }
}

/// All messages of a conversation, as its customer is shown them: number and text. Nothing if they could not be read.
pub(super) async fn read_back(floor: &Floor, conversation: &str, token: &str) -> Option<Vec<(u64, String)>> {
    let mut client = Client::new(floor.address.clone());
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let path = format!("/v1/messenger/demo/conversations/{conversation}/messages?after={after}&limit=100");
        let call = Call::read(path, token);
        let read = floor.persist(&mut client, "reading back", &call);
        let page = tokio::time::timeout(READ_WITHIN, read).await.ok()?;
        if page.status != StatusCode::OK {
            return None;
        }
        for message in page.body["messages"].as_array()? {
            let number = message["number"].as_u64()?;
            found.push((number, message["text"].as_str()?.to_owned()));
            after = after.max(number);
        }
        if page.body["more"] != true {
            return Some(found);
        }
    }
}
