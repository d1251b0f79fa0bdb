//! Signing in, by a provider and by a token, against everything that may go wrong; each file has its own kind of trouble.

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod ends;
mod faults;
mod roles;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use support::browser::{Page, query};
use support::provider::{Answer, FakeProvider, signed};
use support::{Agent, Browser, Http, Options, Server, command_id, within};

pub const WORKSPACE: &str = "demo";

pub async fn server(options: Options) -> Server {
    let server = tokio::task::spawn_blocking(move || Server::start(&options)).await.expect("a server");
    server.workspace(WORKSPACE).await;
    server
}

pub async fn both(more: &str) -> (FakeProvider, Server) {
    let provider = FakeProvider::start().await;
    let server = server(Options::default().set(&provider.setting(more)).set("signin.provider_timeout_ms=1000")).await;
    (provider, server)
}

pub fn base(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// As far as the provider's own page: what it was asked.
pub struct Begun {
    pub state: String,
    pub nonce: String,
    pub page: Page,
}

pub async fn begin(browser: &mut Browser, server: &Server) -> Begun {
    begin_for(browser, server, "").await
}

pub async fn begin_for(browser: &mut Browser, server: &Server, to: &str) -> Begun {
    let page =
        browser.go_until(&format!("{}/signin/{WORKSPACE}{to}", base(server)), |url| url.contains("/auth?")).await;
    let member = |name| query(&page.url, name).unwrap_or_else(|| panic!("no {name}: {page:?}"));
    Begun { state: member("state"), nonce: member("nonce"), page }
}

pub fn back(server: &Server, state: &str) -> String {
    format!("{}/signin/{WORKSPACE}/callback?code=c0de&state={state}", base(server))
}

/// The reason for which somebody does not come in.
pub async fn refused(browser: &mut Browser, url: &str) -> (u16, String) {
    let response = browser.ask("GET", url, "Accept: application/json\r\n", "").await;
    let problem = response.json();
    (response.status, problem["reason"].as_str().unwrap_or_default().to_owned())
}

/// Signs somebody in by the provider, with these groups.
pub async fn sign_in(browser: &mut Browser, provider: &FakeProvider, server: &Server, agent: &str, groups: &[&str]) {
    let begun = begin(browser, server).await;
    let mut claims = provider.claims(agent, &begun.nonce);
    claims["groups"] = json!(groups);
    provider.gives(&signed(&claims));
    // Where the token has no group, it is asked whether it knows of one.
    provider.answer("/me", Answer::Json(200, json!({ "sub": claims["sub"] })));
    let page = browser.go_until(&back(server, &begun.state), |url| url.contains("/console/")).await;
    assert_eq!(page.path(), format!("/console/{WORKSPACE}"), "{}", page.text());
}

pub async fn connect(server: &Server, session: &Value) -> Agent {
    let token = session["token"].as_str().expect("a token");
    let agent = session["agent"].as_str().expect("an agent");
    Agent::try_connect(server.address, agent, token, None).await.expect("a welcome")
}

/// A call of the admin API by a person.
pub async fn call(server: &Server, session: &Value, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let token = session["token"].as_str().expect("a token");
    let headers = format!("Authorization: Bearer {token}\r\nIdempotency-Key: {}\r\n", command_id());
    let mut http = Http::connect(server.address).await.expect("it listens");
    let body = body.map(Value::to_string).unwrap_or_default();
    let whole = format!("/v1/workspaces/{WORKSPACE}{path}");
    let response = within(path, http.ask(method, &whole, &headers, body.as_bytes())).await.expect("an answer");
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_where_it_was_begun_for_with_a_cookie_that_no_script_and_no_other_site_has() {
    let (provider, server) = both("").await;
    let mut browser = Browser::new();
    let page = browser.go(&format!("{}/wallboard/demo", base(&server))).await;
    assert!(page.text().contains(" data-provider>"), "its door says that there is a provider: {}", page.text());
    let begun = begin_for(&mut browser, &server, "?to=%2Fwallboard%2Fdemo%2Fqueues%3Fsort%3Dname").await;
    let member = |name| query(&begun.page.url, name).unwrap_or_default();
    assert_eq!((member("response_type").as_str(), member("code_challenge_method").as_str()), ("code", "S256"));
    assert_eq!(member("scope"), "openid profile email");
    assert_eq!(member("redirect_uri"), format!("{}/signin/demo/callback", base(&server)));
    assert!(
        browser.set[0].contains("; HttpOnly; SameSite=Lax") && browser.set[0].contains("; Path=/;"),
        "{:?}",
        browser.set
    );
    provider.gives(&signed(&provider.claims("ann", &begun.nonce)));
    let page = browser.go_until(&back(&server, &begun.state), |url| url.contains("/wallboard/")).await;
    assert_eq!(page.path(), "/wallboard/demo/queues?sort=name");
    let set = browser.set.iter().find(|line| line.starts_with("offhook-demo=ohw1.")).expect("the session's cookie");
    assert!(set.contains("; HttpOnly; SameSite=Strict") && set.contains("; Max-Age=43200;"), "{set}");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["offhook-demo"], "that of the way there is gone");
    // The verifier whose hash was said before.
    let body = provider.asked("/token").remove(0);
    let verifier = query(&format!("?{body}"), "code_verifier").expect("a verifier");
    use base64::Engine;
    use sha2::Digest;
    let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier));
    assert_eq!(hash, member("code_challenge"));
    let session = browser.session(&base(&server), WORKSPACE).await;
    assert_eq!((session["agent"].as_str(), session["role"].as_str()), (Some("ann"), Some("agent")));
    assert_eq!((session["title"].as_str(), session["by"].as_str()), (Some("Somebody"), Some("provider")));
    let agent = connect(&server, &session).await;
    assert_eq!(agent.welcome["agent"]["name"], "ann");
    assert_eq!(server.metric("offhook_signins_total{outcome=\"signed_in\"}").await, 1.0);
    assert_eq!(server.metric("offhook_signins").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_a_token_is_pasted_and_with_one_beside_it() {
    let server = server(Options::default()).await;
    let (url, mut browser) = (base(&server), Browser::new());
    assert!(!browser.go(&format!("{url}/console/demo")).await.text().contains("data-provider"));
    let page = browser.go(&format!("{url}/signin/demo?to=/wallboard/demo")).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("<label for=\"token\">") && !page.text().contains("unsafe"));
    let policy = page.response.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let token = server.agent_token(WORKSPACE, "ann", Role::Supervisor);
    // Another site's form signs nobody in.
    let form = format!("token={token}");
    for headers in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", ""] {
        let headers = format!("{headers}Content-Type: application/x-www-form-urlencoded\r\n");
        let response = browser.ask("POST", &format!("{url}/signin/demo/token"), &headers, &form).await;
        assert_eq!(response.status, 403, "{headers}");
    }
    let to = page.hidden("to").expect("where to go");
    for (bad, why) in [("rubbish", "not a token"), (&token[..token.len() - 3], "signature")] {
        let page = browser.submit(&page, &[("token", bad), ("to", &to)]).await;
        assert_eq!(page.status(), 403);
        assert!(page.text().contains("role=\"alert\"") && page.text().contains(why), "{}", page.text());
    }
    let other = server.agent_token("other", "ann", Role::Admin);
    assert!(browser.submit(&page, &[("token", &other), ("to", &to)]).await.text().contains("another workspace"));
    let there = browser.submit_until(&page, &[("token", &token), ("to", &to)], |url| url.contains("/wallboard/")).await;
    assert_eq!(there.path(), "/wallboard/demo");
    let session = browser.session(&url, WORKSPACE).await;
    assert_eq!((session["agent"].as_str(), session["role"].as_str()), (Some("ann"), Some("supervisor")));
    assert_eq!(session["by"], "token");
    let mut socket = connect(&server, &session).await;
    // What it gave for minutes makes no other for hours.
    let given = session["token"].as_str().expect("a token");
    let again = browser.submit(&page, &[("token", given), ("to", &to)]).await;
    assert!(again.status() == 403 && again.text().contains("sign in again"), "{}", again.text());
    let (_, out) = browser.fetch("POST", &format!("{url}/signin/demo/out")).await;
    assert_eq!(out["to"], "/signin/demo/out");
    assert_eq!(socket.closed().await.0, 4000);
    assert_eq!(browser.no_session(&url, WORKSPACE).await, (401, "missing".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_new_is_made_at_the_sign_in_and_called_as_the_token_says() {
    let server = server(Options::default()).await;
    let (url, mut browser) = (base(&server), Browser::new());
    let page = browser.go(&format!("{url}/signin/demo/token")).await;
    let token = server.tokens().named(WORKSPACE, "ann", "Ann Lee");
    let there = browser.submit_until(&page, &[("token", &token)], |url| url.contains("/console/")).await;
    assert_eq!(there.path(), "/console/demo");
    let session = browser.session(&url, WORKSPACE).await;
    assert_eq!(session["title"], "Ann Lee");
    assert_eq!(connect(&server, &session).await.welcome["agent"]["title"], "Ann Lee");
    // Where nobody is made by coming, nobody is.
    let settings = "/v1/workspaces/demo/settings";
    let mut set = server.admin("GET", settings, None).await.json();
    set["create_agents"] = json!(false);
    assert!(server.admin("PUT", settings, Some(&set)).await.is_success());
    let token = server.tokens().named(WORKSPACE, "eve", "Eve");
    let page = browser.submit(&page, &[("token", &token)]).await;
    assert!(page.status() == 403 && page.text().contains("obody of this name works here yet"), "{}", page.text());
}
