//! Endpoints: how they are set, paused and sent back, tested and given new secrets, and which addresses they may not have.

use crate::support::scene::{DEMO, eventually};
use crate::support::{Agent, Options, Server, as_cluster};
use crate::{Receiver, a_talk, again, an_id, call, done, expected, hook, options, state, takes};
use offhook::journal::Position;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_set_shown_tested_and_removed_and_its_secret_is_said_once() {
    let server = Server::start(&options());
    let receiver = Receiver::start();
    let (id, body) = (an_id(), json!({"url": receiver.url(), "types": ["offer.*"]}));
    let made = again(&server, "PUT", "/webhooks/crm", &id, &body).await;
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_"));
    // Who did not hear the answer asks again; anybody else is not told.
    assert_eq!(again(&server, "PUT", "/webhooks/crm", &id, &body).await["secret"], secret.as_str());
    assert!(done(&server, "PUT", "/webhooks/crm", Some(&body)).await["secret"].is_null());
    let listed = done(&server, "GET", "/webhooks", None).await;
    assert!(listed["webhooks"][0]["secret"].is_null() && listed["webhooks"][0]["name"] == "crm", "{listed}");
    let tested = done(&server, "POST", "/webhooks/crm/test", None).await;
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(false), &json!(401)), "{tested}");
    receiver.knows(&[&secret]);
    let tested = done(&server, "POST", "/webhooks/crm/test", None).await;
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(true), &json!(200)), "{tested}");
    let last = receiver.heard().pop().expect("a message");
    assert_eq!((&last["event"]["type"], &last["event"]["workspace"]), (&json!("webhook.test"), &json!(DEMO)));
    assert_eq!(last["event"]["id"], last["id"]);

    let put = |body: Value| async move { body };
    for (name, body, status, code, field) in [
        ("CRM", json!({"url": "https://example.com"}), 422, "bad_field", "name"),
        ("crm", json!({"url": "ftp://example.com"}), 422, "bad_field", "url"),
        ("crm", json!({"url": "https://me@example.com"}), 422, "bad_field", "url"),
        ("crm", json!({"url": "https://example.com", "types": ["offer"]}), 422, "bad_field", "types"),
        ("crm", json!({"url": "https://example.com", "after": "x"}), 422, "bad_cursor", "after"),
        ("crm", json!({"url": "https://example.com", "after": "99999999"}), 422, "bad_cursor", "after"),
        ("crm", json!({"types": []}), 400, "bad_request", "url"),
        ("crm", json!({"url": "https://example.com", "secret": "x"}), 400, "bad_request", "secret"),
    ] {
        let body = put(body).await;
        let refused = call(&server, "PUT", &format!("/webhooks/{name}"), Some(&body)).await;
        let said = refused.json();
        assert_eq!(
            (refused.status, &said["code"], &said["field"]),
            (status, &json!(code), &json!(field)),
            "{body}: {said}"
        );
    }
    for path in ["/webhooks/other/pause", "/webhooks/other/resume", "/webhooks/other/test", "/webhooks/other/rotate"] {
        assert_eq!(call(&server, "POST", path, None).await.status, 404, "{path}");
    }
    for nth in 0..19 {
        done(&server, "PUT", &format!("/webhooks/more-{nth}"), Some(&body)).await;
    }
    let refused = call(&server, "PUT", "/webhooks/one-more", Some(&body)).await;
    assert_eq!((refused.status, &refused.json()["what"]), (409, &json!("webhooks")));
    assert_eq!(call(&server, "DELETE", "/webhooks/crm", None).await.status, 204);
    assert_eq!(call(&server, "DELETE", "/webhooks/crm", None).await.status, 404);
    assert_eq!(call(&server, "GET", "/webhooks/crm", None).await.status, 404);

    // Whoever sets one reads what it is sent.
    let made = json!({"name": "settings", "scopes": ["admin"]});
    let key = done(&server, "POST", "/keys", Some(&made)).await["key"].as_str().expect("a key").to_owned();
    let mut http = crate::support::Http::connect(server.address).await.expect("the server listens");
    let headers = format!("Authorization: Bearer {key}\r\n");
    let answer = http.ask("GET", &format!("/v1/workspaces/{DEMO}/webhooks"), &headers, b"").await.expect("an answer");
    assert_eq!(answer.status, 403, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_is_sent_again_from_a_cursor_and_what_is_not_kept_is_said() {
    let mut server = Server::start(&options());
    let receiver = Receiver::start();
    hook(&server, &receiver, "crm", json!({"types": ["conversation.*"]})).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    a_talk(&server, &mut ada).await;
    a_talk(&server, &mut ada).await;
    takes(&receiver, 4).await;
    let heard = receiver.heard();
    let opened = heard.iter().filter(|line| line["event"]["type"] == "conversation.opened");
    let second = opened.clone().nth(1).expect("the second")["event"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(opened.count(), 2);
    // Behind it: only its end is sent again.
    done(&server, "POST", "/webhooks/crm/replay", Some(&json!({"after": second}))).await;
    eventually("what is sent again", async || receiver.heard().len(), |many| *many == heard.len() + 1).await;
    assert_eq!(receiver.heard().last().expect("a message")["event"]["type"], "conversation.ended");
    done(&server, "POST", "/webhooks/crm/replay", Some(&json!({"after": "first"}))).await;
    eventually("all of it", async || receiver.heard().len(), |many| *many == heard.len() + 5).await;
    let (caught_up, end) =
        (async || state(&server, "crm").await, done(&server, "GET", "/events?after=latest", None).await);
    eventually("its end", caught_up, |held| held["cursor"] == end["next"]).await;

    // While it is paused, what comes next is cut from the journal.
    done(&server, "POST", "/webhooks/crm/pause", None).await;
    a_talk(&server, &mut ada).await;
    let last = expected(&server).await.last().expect("an event")["id"].as_str().expect("an id").to_owned();
    let position: u64 = last.split_once('.').expect("an id").0.parse().expect("a position");
    drop(ada);
    assert!(server.stop().success());
    let journal = as_cluster::journal(server.data_dir()).await;
    assert!(journal.cut(&DEMO.into(), Position(position)).await.expect("it can be cut") > 0);
    drop(journal);
    server.start_again();
    assert_eq!(state(&server, "crm").await["paused"], "asked");
    let refused = call(&server, "POST", "/webhooks/crm/resume", None).await;
    let said = refused.json();
    assert_eq!(
        (refused.status, &said["code"], &said["first"]),
        (410, &json!("cursor_gone"), &json!((position - 1).to_string()))
    );
    let before = receiver.heard().len();
    let resumed = done(&server, "POST", "/webhooks/crm/resume", Some(&json!({"after": said["first"]}))).await;
    assert_eq!(resumed["state"], "active");
    eventually("what is kept", async || receiver.heard().len(), |many| *many > before).await;
    assert_eq!(receiver.heard()[before]["event"]["type"], "conversation.ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_changes_both_sign() {
    let mut server = Server::start(&options());
    let receiver = Receiver::start();
    let old = hook(&server, &receiver, "crm", json!({"types": ["conversation.opened"]})).await["secret"].clone();
    let id = an_id();
    let new = again(&server, "POST", "/webhooks/crm/rotate", &id, &json!({})).await["secret"].clone();
    assert_eq!(again(&server, "POST", "/webhooks/crm/rotate", &id, &json!({})).await["secret"], new);
    assert_ne!(old, new);
    let (old, new) = (old.as_str().expect("a secret"), new.as_str().expect("a secret"));
    receiver.knows(&[old, new]);
    server.kill();
    server.start_again();
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    a_talk(&server, &mut ada).await;
    takes(&receiver, 1).await;
    assert_eq!(receiver.heard()[0]["secrets"], json!([0, 1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_this_machine_is_refused_also_by_a_name_that_leads_there() {
    let server = Server::start(&Options::default().without_rate_limits().set("webhooks.retry_first_ms=50"));
    let receiver = Receiver::start();
    for url in [
        receiver.url(),
        "https://127.0.0.1/".to_owned(),
        "https://[::1]/".to_owned(),
        "https://[::ffff:10.0.0.1]/".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://192.168.1.1/".to_owned(),
        "http://example.com/".to_owned(),
    ] {
        let refused = call(&server, "PUT", "/webhooks/crm", Some(&json!({"url": url}))).await;
        let said = refused.json();
        assert_eq!(
            (refused.status, &said["code"], &said["field"]),
            (422, &json!("bad_field"), &json!("url")),
            "{url}: {said}"
        );
    }
    // What a name leads to is only known when it is asked.
    let url = format!("https://localhost:{}/", receiver.port);
    done(&server, "PUT", "/webhooks/crm", Some(&json!({"url": url}))).await;
    let tested = done(&server, "POST", "/webhooks/crm/test", None).await;
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(false), &Value::Null), "{tested}");
    assert!(tested["failure"].as_str().is_some_and(|why| why.contains("of this machine")), "{tested}");
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    a_talk(&server, &mut ada).await;
    let failing = async || state(&server, "crm").await;
    let held = eventually("a failure", failing, |held| held["state"] == "failing").await;
    assert!(held["failure"].as_str().is_some_and(|why| why.contains("of this machine")), "{held}");
    assert!(receiver.heard().is_empty());
    assert!(server.metric("offhook_webhook_deliveries_total{outcome=\"not_allowed\"}").await >= 1.0);
}
