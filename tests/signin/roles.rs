//! Who comes in, as what, and what that may call.

use crate::support::provider::{FakeProvider, signed};
use crate::support::{Browser, Options};
use crate::{WORKSPACE, back, base, begin, both, call, connect, refused, server, sign_in};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn another_role_counts_at_once_for_sockets_and_calls() {
    let (provider, server) = both("").await;
    let (url, mut browser) = (base(&server), Browser::new());
    sign_in(&mut browser, &provider, &server, "ann", &["leads"]).await;
    let session = browser.session(&url, WORKSPACE).await;
    assert_eq!(session["role"], "supervisor");
    let mut socket = connect(&server, &session).await;
    assert_eq!(socket.welcome["agent"]["role"], "supervisor");
    socket.must(json!({"type": "watch", "what": "agents"})).await;
    assert_eq!(call(&server, &session, "GET", "/live/agents", None).await.0, 200);
    // The provider says less of her, at her next sign-in in another browser.
    sign_in(&mut Browser::new(), &provider, &server, "ann", &[]).await;
    assert_eq!(socket.closed().await, (4001, "token_role_changed".to_owned()));
    assert_eq!(call(&server, &session, "GET", "/live/agents", None).await.0, 403, "the same token");
    let session = browser.session(&url, WORKSPACE).await;
    assert_eq!(session["role"], "agent");
    let mut socket = connect(&server, &session).await;
    assert_eq!(socket.ask(json!({"type": "watch", "what": "agents"})).await["error"]["code"], "forbidden");
    // An administrator says more of her here, which goes before it, and outlives a restart.
    let role = |role: Value| json!({ "role": role });
    let at = "/v1/workspaces/demo/agents/ann/role";
    let set = server.admin("POST", at, Some(&role(json!("admin")))).await;
    assert!(set.is_success(), "{set:?}");
    assert_eq!(socket.closed().await, (4001, "token_role_changed".to_owned()));
    assert_eq!(browser.session(&url, WORKSPACE).await["role"], "admin");
    sign_in(&mut browser, &provider, &server, "ann", &["leads"]).await;
    assert_eq!(browser.session(&url, WORKSPACE).await["role"], "admin");
    server.admin("POST", at, Some(&role(Value::Null))).await;
    assert_eq!(browser.session(&url, WORKSPACE).await["role"], "supervisor");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_call_what_it_needs_and_no_more() {
    let (provider, server) = both("").await;
    let url = base(&server);
    let mut sessions = Vec::new();
    for (agent, group) in [("ann", "desk"), ("lea", "leads"), ("ada", "root")] {
        let mut browser = Browser::new();
        sign_in(&mut browser, &provider, &server, agent, &[group]).await;
        sessions.push(browser.session(&url, WORKSPACE).await);
    }
    let yes = json!({"on": true});
    // (call, agent, supervisor, admin)
    let calls: [(&str, &str, Option<&Value>, [u16; 3]); 17] = [
        ("GET", "/live/queues", None, [403, 200, 200]),
        ("GET", "/agents", None, [403, 200, 200]),
        ("GET", "/agents/ann/why", None, [403, 200, 200]),
        ("GET", "/conversations", None, [200, 200, 200]),
        ("GET", "/conversations?agent=lea", None, [403, 200, 200]),
        ("GET", "/conversations/c1/events", None, [403, 404, 404]),
        ("GET", "/conversations/c1", None, [404, 404, 404]),
        ("POST", "/agents/ann/drain", Some(&yes), [403, 204, 204]),
        ("POST", "/conversations/c1/close", None, [403, 404, 404]),
        ("GET", "/settings", None, [403, 403, 200]),
        ("GET", "/keys", None, [403, 403, 200]),
        ("GET", "/signins", None, [403, 403, 200]),
        ("GET", "/decisions", None, [403, 403, 0]),
        ("GET", "/events", None, [403, 403, 200]),
        ("GET", "/webhooks", None, [403, 403, 200]),
        ("POST", "/agents/lea/role", Some(&Value::Null), [403, 403, 400]),
        ("PUT", "/agents/ann", Some(&yes), [403, 403, 400]),
    ];
    for (method, path, body, expected) in calls {
        for (session, status) in sessions.iter().zip(expected).filter(|(_, status)| *status > 0) {
            let (said, answer) = call(&server, session, method, path, body).await;
            assert_eq!(said, status, "{method} {path} by {}: {answer}", session["role"]);
        }
    }
    // What a person does bears its name.
    let conversation = crate::support::Customer::start(server.address, WORKSPACE, "Hello").await.conversation;
    let (status, _) = call(&server, &sessions[1], "POST", &format!("/conversations/{conversation}/close"), None).await;
    assert_eq!(status, 204);
    let (_, events) = call(&server, &sessions[2], "GET", &format!("/conversations/{conversation}/events"), None).await;
    let by = events["events"].as_array().expect("events").iter().find_map(|event| event["data"].get("by").cloned());
    assert_eq!(by, Some(json!({"agent": "lea"})), "{events}");
    // Ended by an administrator.
    let (_, page) = call(&server, &sessions[2], "GET", "/signins", None).await;
    assert_eq!(page["signins"].as_array().map(Vec::len), Some(3));
    let (status, _) = call(&server, &sessions[2], "POST", "/agents/lea/sign_out", None).await;
    assert_eq!(status, 204);
    assert_eq!(call(&server, &sessions[1], "GET", "/agents", None).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_comes_in_only_where_that_is_wanted_and_with_no_role_nobody_does() {
    let provider = FakeProvider::start().await;
    let setting = provider.setting(", agents=[\"desk\"]").replace("create_agents=true", "create_agents=false");
    let server = server(Options::default().set(&setting)).await;
    let mut browser = Browser::new();
    for (agent, groups, reason) in [("ann", json!(["desk"]), "unknown_agent"), ("ann", json!(["x"]), "no_role")] {
        let begun = begin(&mut browser, &server).await;
        let mut claims = provider.claims(agent, &begun.nonce);
        claims["groups"] = groups;
        provider.gives(&signed(&claims));
        assert_eq!(refused(&mut browser, &back(&server, &begun.state)).await, (403, reason.to_owned()));
    }
    let put = server.admin("PUT", "/v1/workspaces/demo/agents/ann", Some(&json!({"title": "Ann Lee"}))).await;
    assert!(put.is_success(), "{put:?}");
    sign_in(&mut browser, &provider, &server, "ann", &["desk"]).await;
    assert_eq!(browser.session(&base(&server), WORKSPACE).await["title"], "Ann Lee");
    // The provider's own no.
    let begun = begin(&mut browser, &server).await;
    let url = format!("{}/signin/{WORKSPACE}/callback?error=access_denied&state={}", base(&server), begun.state);
    assert_eq!(refused(&mut browser, &url).await, (403, "access_denied".to_owned()));
    // One provider's answer does not pass for another's.
    let begun = begin(&mut browser, &server).await;
    let url = format!("{}&iss=http%3A%2F%2F127.0.0.1%3A1", back(&server, &begun.state));
    assert_eq!(refused(&mut browser, &url).await, (403, "issuer".to_owned()));
}
