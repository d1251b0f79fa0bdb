//! Pages: what is in them, what they are asked for with, and who may.

use crate::support::scene::{DEMO, offered, server};
use crate::support::{Agent, as_cluster, within};
use crate::{all, curl, ids, key, types};
use offhook::journal::Position;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_in_order_by_name_and_texts_only_to_who_may_read_them() {
    let server = server();
    let events = key(&server, &["events"]).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (mut customer, offer) = offered(&server, &mut ada).await;
    let id = customer.conversation.clone();
    ada.must(json!({"type": "delivered", "offer": offer["offer"]})).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    ada.must(json!({"type": "send", "conversation": id, "text": "Good morning"})).await;
    customer.post("Thank you").await;
    ada.must(json!({"type": "note", "conversation": id, "text": "a friendly one"})).await;
    ada.must(json!({"type": "label", "conversation": id, "tags": ["vip"]})).await;
    ada.must(json!({"type": "close", "conversation": id})).await;

    let found = all(&server, &events, "");
    let of_it: Vec<Value> = found.iter().filter(|event| event["conversation"] == id.as_str()).cloned().collect();
    assert_eq!(
        types(&of_it),
        [
            "conversation.opened",
            "message.posted",
            "offer.made",
            "offer.delivered",
            "offer.ended",
            "message.posted",
            "message.posted",
            "note.posted",
            "conversation.labelled",
            "conversation.ended",
        ]
    );
    for event in &of_it[2..5] {
        assert_eq!(
            (&event["offer"], &event["agent"], &event["queue"], &event["version"], &event["workspace"]),
            (&offer["offer"], &json!("ada"), &json!("support"), &json!(1), &json!(DEMO)),
            "{event}"
        );
    }
    assert_eq!((&of_it[0]["queue"], &of_it[0]["channel"]), (&json!("support"), &json!("chat")));
    assert_eq!((&of_it[4]["end"], &of_it[9]["by"]), (&json!("accepted"), &json!({"agent": "ada"})));
    assert_eq!(of_it[5]["author"], json!({"agent": "ada"}));
    assert_eq!(of_it[8]["tags"], json!(["vip"]));
    let (of_offer, left_ms) = (&of_it[2], of_it[2]["ends_in_ms"].as_u64());
    assert!(left_ms == Some(30_000) && of_offer["deliver_in_ms"] == 5_000, "{of_offer}");
    assert!(of_it.iter().all(|event| event["text"].is_null()), "{of_it:?}");
    let status = found.iter().find(|event| event["type"] == "agent.status_changed").expect("her status");
    assert_eq!((&status["agent"], &status["status"]), (&json!("ada"), &json!("available")));

    // Times and ids go up.
    let at: Vec<u64> = found.iter().map(|event| event["at"].as_u64().expect("a time")).collect();
    assert!(at.is_sorted());
    let place =
        |id: &&str| id.split_once('.').map(|(one, other)| (one.parse::<u64>().unwrap(), other.parse::<u64>().unwrap()));
    let ids = ids(&found);
    assert!(ids.iter().map(place).is_sorted_by(|one, other| one < other), "{ids:?}");

    let (status, refused) = curl(&server, &events, "?texts=true");
    assert_eq!((status, &refused["code"]), (403, &json!("forbidden")), "{refused}");
    let reader = key(&server, &["events", "read"]).await;
    let texts: Vec<Value> = all(&server, &reader, "&texts=true").iter().map(|event| event["text"].clone()).collect();
    let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
    assert_eq!(texts, ["hello", "Good morning", "Thank you", "a friendly one"]);
    // Once the customer is erased they are nobody's, wherever one begins.
    let path = format!("/v1/workspaces/{DEMO}/customers/{}", of_it[0]["customer"].as_str().expect("an id"));
    assert!(server.admin("DELETE", &path, None).await.is_success());
    let after = all(&server, &reader, "&texts=true");
    assert!(after.len() >= found.len() && after.iter().all(|event| event["text"].is_null()), "{after:?}");
    let other = key(&server, &["read", "write", "admin", "keys", "route"]).await;
    assert_eq!(curl(&server, &other, "").0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_asked_for_by_types_from_a_cursor_and_waits_when_told_to() {
    let server = server();
    let key = key(&server, &["events"]).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (customer, _) = offered(&server, &mut ada).await;

    let all_of_them = all(&server, &key, "");
    let offers = all(&server, &key, "&types=offer.*,conversation.opened");
    assert_eq!(types(&offers), ["conversation.opened", "offer.made"]);
    let behind = format!("&after={}", all_of_them[3]["id"].as_str().expect("an id"));
    assert_eq!(ids(&all(&server, &key, &behind)), ids(&all_of_them)[4..]);
    // What is not wanted is passed over, and the cursor goes on.
    let (_, none) = curl(&server, &key, "?types=rating.given");
    assert_eq!((&none["events"], &none["more"]), (&json!([]), &json!(false)));
    let (_, latest) = curl(&server, &key, "?after=latest");
    assert_eq!((&latest["events"], &latest["next"]), (&json!([]), &none["next"]));

    for (query, status, code, field) in [
        ("?types=offer", 422, "bad_field", "types"),
        ("?types=nothing.here", 422, "bad_field", "types"),
        ("?texts=perhaps", 422, "bad_field", "texts"),
        ("?limit=0", 422, "bad_field", "limit"),
        ("?limit=201", 422, "bad_field", "limit"),
        ("?wait_ms=30001", 422, "bad_field", "wait_ms"),
        ("?after=c1", 422, "bad_cursor", "after"),
        ("?after=1.x", 422, "bad_cursor", "after"),
        ("?after=999999", 422, "bad_cursor", "after"),
        ("?after=999999.0", 422, "bad_cursor", "after"),
        ("?before=1", 400, "bad_request", "before"),
    ] {
        let (said, refused) = curl(&server, &key, query);
        assert_eq!(
            (said, &refused["code"], &refused["field"]),
            (status, &json!(code), &json!(field)),
            "{query}: {refused}"
        );
    }

    // It waits for what is wanted, and not for what is not.
    let next = none["next"].as_str().expect("a cursor").to_owned();
    let (address, token) = (server.address, key.clone());
    let waiting = tokio::task::spawn_blocking(move || {
        let url = format!("http://{address}/v1/workspaces/{DEMO}/events?types=offer.ended&wait_ms=30000&after={next}");
        let key = format!("Authorization: Bearer {token}");
        std::process::Command::new("curl").args(["-sS", "-H", &key, &url]).output().expect("there is curl").stdout
    });
    ada.must(json!({"type": "next_status", "status": "away"})).await;
    let offer = all_of_them.iter().find(|event| event["type"] == "offer.made").expect("an offer")["offer"].clone();
    ada.must(json!({"type": "reject", "offer": offer, "reason": "busy"})).await;
    let page: Value = serde_json::from_slice(&within("a page", waiting).await.expect("curl")).expect("JSON");
    assert_eq!(types(page["events"].as_array().expect("events")), ["offer.ended"], "{page}");
    let ended = &page["events"][0];
    assert_eq!(
        (&ended["conversation"], &ended["end"], &ended["reason"]),
        (&json!(customer.conversation), &json!("rejected"), &json!("busy"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_whose_events_are_not_kept_any_more_is_told_where_it_can_go_on() {
    let mut server = server();
    let key = key(&server, &["events"]).await;
    let mut ada = Agent::available(&server, DEMO, "ada").await;
    let (_, offer) = offered(&server, &mut ada).await;
    ada.must(json!({"type": "accept", "offer": offer["offer"]})).await;
    let before = all(&server, &key, "");
    let position = |event: &Value| event["id"].as_str().and_then(|id| id.split_once('.')).expect("an id").0.to_owned();
    let middle: u64 = position(&before[before.len() / 2]).parse().expect("a position");
    drop(ada);
    assert!(server.stop().success());

    // As the retention cuts it: all below a position that the view has.
    let journal = as_cluster::journal(server.data_dir()).await;
    assert!(journal.cut(&DEMO.into(), Position(middle)).await.expect("it can be cut") > 0);
    drop(journal);
    server.start_again();

    let (status, gone) = curl(&server, &key, "?after=1");
    assert_eq!((status, &gone["code"], &gone["field"]), (410, &json!("cursor_gone"), &json!("after")), "{gone}");
    let first = gone["first"].as_str().expect("the first cursor").to_owned();
    assert_eq!(first, (middle - 1).to_string());
    // The same to who would follow; an index within a record that is gone may have had others behind it.
    let stream = format!("http://{}/v1/workspaces/{DEMO}/events", server.address);
    let said = std::process::Command::new("curl")
        .args(["-sS", "-H", &format!("Authorization: Bearer {key}"), "-H", "Accept: text/event-stream"])
        .args(["-H", &format!("Last-Event-ID: {first}.0"), &stream])
        .output()
        .expect("there is curl");
    let said: Value = serde_json::from_slice(&said.stdout).expect("a problem");
    assert_eq!((&said["code"], &said["first"]), (&json!("cursor_gone"), &json!(first)));
    // From there on, and without a cursor, everything that is kept.
    let kept: Vec<&Value> =
        before.iter().filter(|event| position(event).parse::<u64>().is_ok_and(|at| at >= middle)).collect();
    for query in [String::new(), format!("&after={first}")] {
        let after = all(&server, &key, &query);
        assert_eq!(after.iter().take(kept.len()).collect::<Vec<_>>(), kept);
        // In a cluster no workspace begins anew: nodes come and go.
        assert_eq!(types(&after[kept.len()..]).contains(&"workspace.began"), !as_cluster::is_on(), "{after:?}");
    }
}
