//! What ends a sign-in, at once and for good, while somebody is connected; and what does not.

use crate::support::browser::query;
use crate::support::provider::{ec, sign, signed};
use crate::support::{Agent, Browser};
use crate::{WORKSPACE, back, base, begin, both, call, connect, sign_in};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lives_through_a_restart_and_one_that_was_ended_stays_ended() {
    let (provider, mut server) = both("").await;
    let (mut stays, mut goes) = (Browser::new(), Browser::new());
    sign_in(&mut stays, &provider, &server, "ann", &[]).await;
    sign_in(&mut goes, &provider, &server, "eve", &[]).await;
    let old = goes.session(&base(&server), WORKSPACE).await;
    let mut socket = connect(&server, &old).await;
    let cookie = goes.cookies["offhook-demo"].clone();
    let (status, out) = goes.fetch("POST", &format!("{}/signin/demo/out", base(&server))).await;
    assert_eq!(status, 200);
    let to = out["to"].as_str().expect("where to go");
    assert!(to.starts_with(&format!("{}/end?client_id=offhook", provider.issuer())), "{to}");
    assert_eq!(query(to, "post_logout_redirect_uri"), Some(format!("{}/signin/demo/out", base(&server))));
    assert!(query(to, "id_token_hint").is_some());
    assert_eq!(socket.closed().await, (4000, "signed_out".to_owned()));
    assert!(!goes.cookies.contains_key("offhook-demo"));
    goes.cookies.insert("offhook-demo".to_owned(), cookie);
    for round in 0..2 {
        assert_eq!(goes.no_session(&base(&server), WORKSPACE).await, (401, "revoked".to_owned()), "{round}");
        // Nor is a token good any more that it gave.
        assert_eq!(call(&server, &old, "GET", "/conversations", None).await.0, 401);
        let token = old["token"].as_str().expect("a token");
        let heard = Agent::try_connect(server.address, "eve", token, None).await.err();
        assert_eq!(
            heard,
            Some(crate::support::socket::Heard::Close { code: 4001, reason: "token_revoked".to_owned() })
        );
        assert_eq!(stays.session(&base(&server), WORKSPACE).await["agent"], "ann");
        server.kill();
        tokio::task::block_in_place(|| server.start_again());
    }
    let page = Browser::new().go(&format!("{}/signin/demo/out", base(&server))).await;
    assert!(page.text().contains("<h1>Signed out</h1>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_everywhere_is_offline_at_once_and_another_browser_keeps_its_place() {
    let (provider, server) = both("").await;
    let url = base(&server);
    let (mut one, mut two) = (Browser::new(), Browser::new());
    sign_in(&mut one, &provider, &server, "ann", &[]).await;
    sign_in(&mut two, &provider, &server, "ann", &[]).await;
    let mut first = connect(&server, &one.session(&url, WORKSPACE).await).await;
    let mut second = connect(&server, &two.session(&url, WORKSPACE).await).await;
    second.must(json!({"type": "set_status", "status": "available"})).await;
    one.fetch("POST", &format!("{url}/signin/demo/out")).await;
    assert_eq!(first.closed().await, (4000, "signed_out".to_owned()));
    second.must(json!({"type": "ready"})).await;
    let of = |rows: Value| rows["rows"].as_array().expect("rows")[0]["connection"].clone();
    assert_eq!(of(server.admin("GET", "/v1/workspaces/demo/live/agents", None).await.json()), "online");
    two.fetch("POST", &format!("{url}/signin/demo/out")).await;
    assert_eq!(second.closed().await, (4000, "signed_out".to_owned()));
    assert_eq!(of(server.admin("GET", "/v1/workspaces/demo/live/agents", None).await.json()), "offline");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_is_out_at_once_and_stays_out_when_made_active_again() {
    let (provider, server) = both("").await;
    let (url, mut browser) = (base(&server), Browser::new());
    sign_in(&mut browser, &provider, &server, "ann", &["root"]).await;
    let session = browser.session(&url, WORKSPACE).await;
    let mut socket = connect(&server, &session).await;
    assert_eq!(call(&server, &session, "GET", "/settings", None).await.0, 200);
    let put = server.admin("PUT", "/v1/workspaces/demo/agents/ann", Some(&json!({"active": false}))).await;
    assert!(put.is_success(), "{put:?}");
    assert_eq!(socket.closed().await.0, 4003);
    assert_eq!(browser.no_session(&url, WORKSPACE).await, (403, "agent_deactivated".to_owned()));
    assert_eq!(call(&server, &session, "GET", "/settings", None).await.0, 401);
    // The provider would let it in; we do not.
    let mut again = Browser::new();
    let begun = begin(&mut again, &server).await;
    provider.gives(&signed(&provider.claims("ann", &begun.nonce)));
    let page = again.go(&back(&server, &begun.state)).await;
    assert_eq!(page.status(), 403);
    assert!(page.text().contains("agent_deactivated"), "{}", page.text());
    server.admin("PUT", "/v1/workspaces/demo/agents/ann", Some(&json!({"active": true}))).await;
    assert_eq!(browser.no_session(&url, WORKSPACE).await, (401, "revoked".to_owned()));
    sign_in(&mut again, &provider, &server, "ann", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_ends_a_session_by_itself_and_nobody_else_does() {
    let (provider, server) = both("").await;
    let (url, mut browser, mut other) = (base(&server), Browser::new(), Browser::new());
    sign_in(&mut browser, &provider, &server, "ann", &[]).await;
    sign_in(&mut other, &provider, &server, "eve", &[]).await;
    let mut socket = connect(&server, &browser.session(&url, WORKSPACE).await).await;
    let now_s = crate::support::now_s();
    let logout = json!({"iss": provider.issuer(), "aud": "offhook", "iat": now_s, "exp": now_s + 120, "jti": "1",
        "sub": "sub-ann", "events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
    let post = |token: String| {
        let url = format!("{url}/signin/demo/backchannel");
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        async move { Browser::new().ask("POST", &url, headers, &format!("logout_token={token}")).await.status }
    };
    let with = |name: &str, value: Value| {
        let mut claims = logout.clone();
        claims[name] = value;
        claims
    };
    for bad in [
        sign(&logout, Algorithm::ES256, "r", &ec()),
        signed(&with("aud", json!("another"))),
        signed(&with("nonce", json!("n"))),
        signed(&with("events", json!({}))),
        signed(&with("exp", json!(now_s - 3_600))),
        signed(&provider.claims("ann", "n")),
        String::new(),
    ] {
        assert_eq!(post(bad).await, 400);
    }
    assert_eq!(browser.session(&url, WORKSPACE).await["agent"], "ann");
    assert_eq!(post(signed(&logout)).await, 200);
    assert_eq!(socket.closed().await, (4000, "signed_out".to_owned()));
    assert_eq!(browser.no_session(&url, WORKSPACE).await, (401, "revoked".to_owned()));
    assert_eq!(other.session(&url, WORKSPACE).await["agent"], "eve");
}
