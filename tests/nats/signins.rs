//! Who signs in at one node is signed in at all, and who signs out is out everywhere.

use crate::keys::end_watches;
use crate::pair::Pair;
use crate::support::browser::query;
use crate::support::provider::{Answer, FakeProvider, signed};
use crate::support::scene::{DEMO, eventually};
use crate::support::{Agent, Browser, Options, Server, now_s};
use async_nats::jetstream;
use serde_json::{Value, json};
use std::path::Path;
use tokio::task::block_in_place;

const OUT: (u16, &str) = (4000, "signed_out");

fn options(provider: &FakeProvider) -> Options {
    Options::default().set(&provider.setting(""))
}

async fn pair() -> (FakeProvider, Pair) {
    let provider = FakeProvider::start().await;
    let pair = Pair::start(&options(&provider), |_| ()).await;
    for node in &pair.nodes {
        node.workspace(DEMO).await;
    }
    (provider, pair)
}

fn base(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// Begins at one node, and comes back from the provider to another.
async fn sign_in(provider: &FakeProvider, from: &Server, to: &Server, agent: &str) -> Browser {
    let mut browser = Browser::new();
    let page =
        browser.go_until(&format!("{}/signin/{DEMO}", base(from)), |url| url.starts_with(&provider.issuer())).await;
    let member = |name| query(&page.url, name).unwrap_or_else(|| panic!("no {name}: {page:?}"));
    let mut claims = provider.claims(agent, &member("nonce"));
    claims["groups"] = json!([]);
    provider.gives(&signed(&claims));
    // Where the token has no group, it is asked whether it knows of one.
    provider.answer("/me", Answer::Json(200, json!({ "sub": claims["sub"] })));
    let back = format!("{}/signin/{DEMO}/callback?code=c0de&state={}", base(to), member("state"));
    let page = browser.go_until(&back, |url| url.contains("/console/")).await;
    assert_eq!(page.path(), format!("/console/{DEMO}"), "{}", page.text());
    browser
}

async fn connect(server: &Server, session: &Value) -> Agent {
    let word = |name: &str| session[name].as_str().expect("a word");
    Agent::try_connect(server.address, word("agent"), word("token"), None).await.expect("a welcome")
}

async fn connection(server: &Server) -> Value {
    let live = server.admin("GET", &format!("/v1/workspaces/{DEMO}/live/agents"), None).await.json();
    live["rows"][0]["connection"].clone()
}

async fn is_out(browser: &mut Browser, server: &Server) {
    assert_eq!(browser.no_session(&base(server), DEMO).await, (401, "revoked".to_owned()));
}

async fn sign_out(browser: &mut Browser, server: &Server) {
    let (status, out) = browser.fetch("POST", &format!("{}/signin/{DEMO}/out", base(server))).await;
    assert_eq!(status, 200);
    assert!(query(out["to"].as_str().expect("where to go"), "id_token_hint").is_some(), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_at_one_node_works_at_the_other_and_is_out_of_both_at_once() {
    let (provider, pair) = pair().await;
    let [a, b] = &pair.nodes;
    let mut browser = sign_in(&provider, a, b, "ann").await;
    let mut other = sign_in(&provider, a, a, "ann").await;
    let mut sockets = Vec::new();
    for node in [a, b] {
        let session = browser.session(&base(node), DEMO).await;
        sockets.push(connect(node, &session).await);
    }
    // Given at one node, and shown at the other.
    let session = other.session(&base(a), DEMO).await;
    let mut third = connect(b, &session).await;
    let cookies = browser.cookies.clone();
    sign_out(&mut browser, a).await;
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, (OUT.0, OUT.1.to_owned()));
    }
    browser.cookies = cookies;
    for node in [a, b] {
        is_out(&mut browser, node).await;
    }
    third.must(json!({"type": "ready"})).await;
    assert_eq!(connection(b).await, "online", "another browser keeps its place");
    sign_out(&mut other, a).await;
    assert_eq!(third.closed().await, (OUT.0, OUT.1.to_owned()));
    for node in [a, b] {
        eventually("it is offline, without grace", async || connection(node).await, |is| *is == "offline").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_set_at_one_node_and_a_sign_out_that_the_provider_says_to_one_hold_at_both() {
    let (provider, pair) = pair().await;
    let [a, b] = &pair.nodes;
    let mut browser = sign_in(&provider, a, a, "ann").await;
    let mut socket = connect(a, &browser.session(&base(a), DEMO).await).await;
    let path = format!("/v1/workspaces/{DEMO}/agents/ann/role");
    let set = b.admin("POST", &path, Some(&json!({"role": "supervisor"}))).await;
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(socket.closed().await, (4001, "token_role_changed".to_owned()));
    let session = browser.session(&base(a), DEMO).await;
    assert_eq!(session["role"], "supervisor");
    let mut socket = connect(a, &session).await;

    let now_s = now_s();
    let logout = json!({"iss": provider.issuer(), "aud": "offhook", "iat": now_s, "exp": now_s + 120, "jti": "1",
        "sub": "sub-ann", "events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
    let url = format!("{}/signin/{DEMO}/backchannel", base(b));
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let said = Browser::new().ask("POST", &url, headers, &format!("logout_token={}", signed(&logout))).await;
    assert_eq!(said.status, 200, "{}", said.text());
    assert_eq!(socket.closed().await, (OUT.0, OUT.1.to_owned()));
    is_out(&mut browser, a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_lets_nobody_in_who_signed_out_meanwhile() {
    let (provider, mut pair) = pair().await;
    let mut goes = sign_in(&provider, &pair.nodes[1], &pair.nodes[1], "ann").await;
    let mut stays = sign_in(&provider, &pair.nodes[0], &pair.nodes[0], "eve").await;
    pair.nodes[1].kill();
    let cookies = goes.cookies.clone();
    sign_out(&mut goes, &pair.nodes[0]).await;
    goes.cookies = cookies;
    pair.start_again(1);
    is_out(&mut goes, &pair.nodes[1]).await;
    assert_eq!(stays.session(&base(&pair.nodes[1]), DEMO).await["agent"], "eve");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_signed_in_at_a_single_server_is_so_at_all_nodes_of_its_cluster() {
    let provider = FakeProvider::start().await;
    let mut alone = block_in_place(|| Server::start(&options(&provider)));
    let mut browser = sign_in(&provider, &alone, &alone, "ann").await;
    let path = format!("/v1/workspaces/{DEMO}/agents/ann/role");
    alone.admin("POST", &path, Some(&json!({"role": "admin"}))).await;
    block_in_place(|| alone.stop());
    let bring = |first: &Path| {
        for name in ["server.key", "signins.db"] {
            std::fs::copy(alone.data_dir().join(name), first.join(name)).expect("a file");
        }
    };
    let pair = Pair::start(&options(&provider), bring).await;
    for node in &pair.nodes {
        let session = browser.session(&base(node), DEMO).await;
        assert_eq!((&session["agent"], &session["role"]), (&json!("ann"), &json!("admin")));
    }
    sign_out(&mut browser, &pair.nodes[1]).await;
}

/// The watch stands still, as when a server of NATS is lost that had a part in it.
#[tokio::test(flavor = "multi_thread")]
async fn who_signed_in_is_asked_for_at_a_node_that_has_not_heard_of_it() {
    let (provider, pair) = pair().await;
    let [a, b] = &pair.nodes;
    let mut browser = sign_in(&provider, a, a, "ann").await;
    let context = jetstream::new(async_nats::connect(&pair.nats.address).await.expect("it answers"));
    end_watches(&context.get_stream("KV_trio-settings").await.expect("it is there")).await;
    let mut second = sign_in(&provider, a, a, "eve").await;
    // Given at the node at which it began, and shown at the other before that has heard of it.
    let session = second.session(&base(a), DEMO).await;
    let mut socket = connect(b, &session).await;
    sign_out(&mut browser, b).await;
    second.session(&base(b), DEMO).await;
    sign_out(&mut second, b).await;
    assert_eq!(socket.closed().await, (OUT.0, OUT.1.to_owned()));
}
