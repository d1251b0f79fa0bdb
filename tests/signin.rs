//! Signing in against everything that may go wrong: answers that nobody asked for, tokens that are no good, providers that are down, slow or
//! huge, pages of other sites, and what ends a sign-in while somebody is connected.

mod support;

use jsonwebtoken::{Algorithm, EncodingKey};
use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use support::browser::{Page, query};
use support::provider::{Answer, FakeProvider, ec, keys, rsa, sign, signed};
use support::{Agent, Browser, Http, Options, Server, command_id, within};

const WORKSPACE: &str = "demo";

async fn server(options: Options) -> Server {
    let server = tokio::task::spawn_blocking(move || Server::start(&options)).await.expect("a server");
    server.workspace(WORKSPACE).await;
    server
}

async fn both(more: &str) -> (FakeProvider, Server) {
    let provider = FakeProvider::start().await;
    let server = server(Options::default().set(&provider.setting(more)).set("signin.provider_timeout_ms=1000")).await;
    (provider, server)
}

fn base(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// As far as the provider's own page: what it was asked.
struct Begun {
    state: String,
    nonce: String,
    page: Page,
}

async fn begin(browser: &mut Browser, server: &Server) -> Begun {
    begin_for(browser, server, "").await
}

async fn begin_for(browser: &mut Browser, server: &Server, to: &str) -> Begun {
    let page =
        browser.go_until(&format!("{}/signin/{WORKSPACE}{to}", base(server)), |url| url.contains("/auth?")).await;
    let member = |name| query(&page.url, name).unwrap_or_else(|| panic!("no {name}: {page:?}"));
    Begun { state: member("state"), nonce: member("nonce"), page }
}

fn back(server: &Server, state: &str) -> String {
    format!("{}/signin/{WORKSPACE}/callback?code=c0de&state={state}", base(server))
}

/// The reason for which somebody does not come in.
async fn refused(browser: &mut Browser, url: &str) -> (u16, String) {
    let response = browser.ask("GET", url, "Accept: application/json\r\n", "").await;
    let problem = response.json();
    (response.status, problem["reason"].as_str().unwrap_or_default().to_owned())
}

/// Signs somebody in by the provider, with these groups.
async fn sign_in(browser: &mut Browser, provider: &FakeProvider, server: &Server, agent: &str, groups: &[&str]) {
    let begun = begin(browser, server).await;
    let mut claims = provider.claims(agent, &begun.nonce);
    claims["groups"] = json!(groups);
    provider.gives(&signed(&claims));
    // Where the token has no group, it is asked whether it knows of one.
    provider.answer("/me", Answer::Json(200, json!({ "sub": claims["sub"] })));
    let page = browser.go_until(&back(server, &begun.state), |url| url.contains("/console/")).await;
    assert_eq!(page.path(), format!("/console/{WORKSPACE}"), "{}", page.text());
}

async fn connect(server: &Server, session: &Value) -> Agent {
    let token = session["token"].as_str().expect("a token");
    let agent = session["agent"].as_str().expect("an agent");
    Agent::try_connect(server.address, agent, token, None).await.expect("a welcome")
}

/// A call of the admin API by a person.
async fn call(server: &Server, session: &Value, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
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
async fn an_answer_that_this_browser_did_not_ask_for_signs_nobody_in() {
    let (provider, server) = both("").await;
    let mut attacker = Browser::new();
    let begun = begin(&mut attacker, &server).await;
    provider.gives(&signed(&provider.claims("mallory", &begun.nonce)));
    let url = back(&server, &begun.state);
    // Somebody else's browser is sent there: it began nothing, or something else.
    let mut victim = Browser::new();
    assert_eq!(refused(&mut victim, &url).await, (403, "no_flow".to_owned()));
    let own = begin(&mut victim, &server).await;
    assert_ne!(own.state, begun.state);
    assert_eq!(refused(&mut victim, &url).await, (403, "state".to_owned()));
    assert_eq!(victim.no_session(&base(&server), WORKSPACE).await, (401, "missing".to_owned()));
    // What was begun is over with the first answer, whatever that was.
    assert_eq!(refused(&mut victim, &back(&server, &own.state)).await, (403, "no_flow".to_owned()));
    // A changed cookie, and one of another kind, are none.
    for cookie in ["ohf1.e30.AAAA", "x", "ohw1.e30.AAAA"] {
        victim.cookies.insert("offhook-flow.demo".to_owned(), cookie.to_owned());
        assert_eq!(refused(&mut victim, &url).await, (403, "flow".to_owned()));
    }
    assert!(provider.asked("/token").is_empty(), "no code was spent on it");
    for wrong in ["state=", "code=c0de", "code=a&code=b&state=s", "error=access_denied&state=wrong"] {
        let mut browser = Browser::new();
        begin(&mut browser, &server).await;
        let url = format!("{}/signin/{WORKSPACE}/callback?{wrong}", base(&server));
        assert!(matches!(refused(&mut browser, &url).await.0, 400 | 403), "{wrong}");
        assert_eq!(browser.no_session(&base(&server), WORKSPACE).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_that_is_no_good_signs_nobody_in() {
    let (provider, server) = both("").await;
    let secret = EncodingKey::from_secret(include_bytes!("keys/rs.pub"));
    let now_s = support::now_s();
    type Change = Box<dyn Fn(&mut Value)>;
    let set =
        |name: &'static str, value: Value| Box::new(move |claims: &mut Value| claims[name] = value.clone()) as Change;
    let good: Change = Box::new(|_| {});
    let by = |algorithm, kid: &'static str, key: EncodingKey| move |claims: &Value| sign(claims, algorithm, kid, &key);
    type Signs = Box<dyn Fn(&Value) -> String>;
    let usual = || Box::new(signed) as Signs;
    let none = |claims: &Value| {
        let part = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
        format!("{}.{}.", part(r#"{"alg":"none","kid":"r"}"#), part(&claims.to_string()))
    };
    let cases: Vec<(&str, Change, Signs, &str)> = vec![
        ("a nonce of another sign-in", set("nonce", json!("another")), usual(), "token_bad_claim"),
        ("for another client", set("aud", json!("another")), usual(), "token_bad_claim"),
        ("of another issuer", set("iss", json!("http://127.0.0.1:1")), usual(), "token_bad_claim"),
        ("expired", set("exp", json!(now_s - 3_600)), usual(), "token_expired"),
        ("of the future", set("iat", json!(now_s + 3_600)), usual(), "token_not_yet"),
        ("of nobody", set("sub", json!("")), usual(), "token_bad_claim"),
        ("without an algorithm", Box::new(|_| {}), Box::new(none), "token_bad_signature"),
        (
            "by a secret that is public",
            Box::new(|_| {}),
            Box::new(by(Algorithm::HS256, "r", secret)),
            "token_bad_signature",
        ),
        (
            "by another key under this name",
            Box::new(|_| {}),
            Box::new(by(Algorithm::ES256, "r", ec())),
            "token_bad_signature",
        ),
        ("by a key that is not published", good, Box::new(by(Algorithm::RS256, "unheard", rsa())), "token_unknown_kid"),
        ("no token", Box::new(|_| {}), Box::new(|_| "rubbish".to_owned()), "token_malformed"),
        ("huge", set("x", json!("x".repeat(40_000))), usual(), "token_malformed"),
        ("without a name", set("preferred_username", Value::Null), usual(), ""),
    ];
    for (what, change, signs, reason) in cases {
        let mut browser = Browser::new();
        let begun = begin(&mut browser, &server).await;
        let mut claims = provider.claims("ann", &begun.nonce);
        change(&mut claims);
        provider.gives(&signs(&claims));
        let (status, said) = refused(&mut browser, &back(&server, &begun.state)).await;
        if reason.is_empty() {
            // It was asked for more, and has none to say.
            assert_eq!((status, said.as_str()), (502, "status"), "{what}");
        } else {
            assert_eq!((status, said.as_str()), (403, reason), "{what}");
        }
        assert_eq!(browser.no_session(&base(&server), WORKSPACE).await, (401, "missing".to_owned()), "{what}");
    }
    // A code that was used already.
    let mut browser = Browser::new();
    let begun = begin(&mut browser, &server).await;
    provider.answer("/token", Answer::Json(400, json!({"error": "invalid_grant"})));
    assert_eq!(refused(&mut browser, &back(&server, &begun.state)).await, (403, "code_refused".to_owned()));
    assert_eq!(server.metric("offhook_signins").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_of_the_provider_is_learnt_and_keys_are_not_asked_for_as_often_as_somebody_likes() {
    let (provider, server) = both("").await;
    sign_in(&mut Browser::new(), &provider, &server, "ann", &[]).await;
    assert_eq!(provider.asked("/keys").len(), 1);
    provider.answer("/keys", Answer::Json(200, keys(&[(&ec(), Algorithm::ES256, "new")])));
    let mut browser = Browser::new();
    let begun = begin(&mut browser, &server).await;
    provider.gives(&sign(&provider.claims("ann", &begun.nonce), Algorithm::ES256, "new", &ec()));
    let page = browser.go_until(&back(&server, &begun.state), |url| url.contains("/console/")).await;
    assert_eq!(page.path(), "/console/demo");
    assert_eq!(provider.asked("/keys").len(), 2);
    for _ in 0..3 {
        let mut browser = Browser::new();
        let begun = begin(&mut browser, &server).await;
        provider.gives(&sign(&provider.claims("ann", &begun.nonce), Algorithm::ES256, "unheard", &ec()));
        let (_, reason) = refused(&mut browser, &back(&server, &begun.state)).await;
        assert_eq!(reason, "token_unknown_kid");
    }
    assert_eq!(provider.asked("/keys").len(), 2, "they were asked for just now");
    assert_eq!(provider.asked("/.well-known/openid-configuration").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_slow_or_huge_is_told_plainly_and_keeps_nobody_else_waiting() {
    let (provider, server) = both("").await;
    let discovery = "/.well-known/openid-configuration";
    let endless =
        [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".as_slice(), &[b' '; 300 << 10]].concat();
    let mut elsewhere = provider.discovery();
    elsewhere["issuer"] = json!("http://127.0.0.1:1");
    let mut script = provider.discovery();
    script["authorization_endpoint"] = json!("javascript:alert(1)");
    let mut plain = provider.discovery();
    plain["token_endpoint"] = json!("http://id.example.com/token");
    let failing = [
        // No two alike in a row: what comes must be of this one.
        (Answer::Silence, "late"),
        (Answer::Raw(endless), "too_large"),
        (Answer::Json(500, json!({})), "status"),
        (Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{".to_vec()), "too_large"),
        (Answer::Json(200, json!([1])), "malformed"),
        (Answer::Json(302, json!({})), "status"),
        (Answer::Json(200, script), "malformed"),
        (Answer::Json(200, elsewhere), "other_issuer"),
        (Answer::Json(200, plain), "malformed"),
    ];
    let url = format!("{}/signin/{WORKSPACE}", base(&server));
    let mut agent = Agent::available(&server, WORKSPACE, "eve").await;
    for (answer, reason) in failing {
        provider.answer(discovery, answer);
        // What failed just now is told again for a moment without asking.
        let told = async {
            loop {
                let (status, said) = refused(&mut Browser::new(), &url).await;
                assert_eq!(status, 502);
                if said == reason {
                    return;
                }
            }
        };
        within(reason, told).await;
        // Whoever is at work notices nothing.
        agent.must(json!({"type": "set_status", "status": "available"})).await;
    }
    let page = Browser::new().go(&url).await;
    assert_eq!(page.status(), 502);
    assert!(
        page.text().contains("role=\"alert\"") && page.text().contains("provider_failed: malformed"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("href=\"/signin/demo?to="), "{}", page.text());
    assert!(server.metric("offhook_provider_requests_total{what=\"discovery\",outcome=\"late\"}").await >= 1.0);
    provider.answer(discovery, Answer::Json(200, provider.discovery()));
    let well = async {
        loop {
            let page = Browser::new().go_until(&url, |url| url.contains("/auth?")).await;
            if page.url.contains("/auth?") {
                return;
            }
        }
    };
    within("the provider to be well again", well).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_to_another_server() {
    let (provider, server) = both("").await;
    for to in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2Fconsole%2Fdemo%2F..%2F..%2F%2Fevil",
        "%2Fconsole%2Fother",
    ] {
        let mut browser = Browser::new();
        let begun = begin_for(&mut browser, &server, &format!("?to={to}")).await;
        provider.gives(&signed(&provider.claims("ann", &begun.nonce)));
        let page = browser.go_until(&back(&server, &begun.state), |url| !url.contains("/callback")).await;
        assert_eq!(page.url, format!("{}/console/demo", base(&server)), "{to}");
    }
    // The page for a token neither, nor does it say what it was given but as text.
    let page = Browser::new().go(&format!("{}/signin/demo/token?to=%22%3E%3Cscript%3E", base(&server))).await;
    assert_eq!(page.hidden("to").as_deref(), Some("/console/demo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_for_pages_of_this_server_and_a_changed_cookie_is_none() {
    let (provider, server) = both("").await;
    let (url, mut browser) = (base(&server), Browser::new());
    sign_in(&mut browser, &provider, &server, "ann", &[]).await;
    let session = format!("{url}/signin/demo/session");
    for headers in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Origin: http://127.0.0.1:1\r\n",
    ] {
        let response = browser.ask("GET", &session, headers, "").await;
        assert_eq!(response.status, 403, "{headers}");
        assert!(response.header("access-control-allow-origin").is_none());
        let out =
            browser.ask("POST", &format!("{url}/signin/demo/out"), &format!("{headers}X-Offhook: 1\r\n"), "").await;
        assert_eq!(out.status, 403, "{headers}");
    }
    // Without the header that no form can send, nor without an Origin.
    for headers in [format!("Origin: {url}\r\n"), "X-Offhook: 1\r\n".to_owned()] {
        assert_eq!(browser.ask("POST", &format!("{url}/signin/demo/out"), &headers, "").await.status, 403);
    }
    assert_eq!(browser.session(&url, WORKSPACE).await["agent"], "ann");
    let good = browser.cookies["offhook-demo"].clone();
    let last = if good.ends_with('A') { 'B' } else { 'A' };
    for bad in [
        format!("{}{last}", &good[..good.len() - 1]),
        good.replace("ohw1.", "ohv1."),
        "x".to_owned(),
        "y".repeat(4_000),
    ] {
        browser.cookies.insert("offhook-demo".to_owned(), bad);
        assert_eq!(browser.no_session(&url, WORKSPACE).await, (401, "malformed".to_owned()));
    }
    // One of another workspace opens nothing here.
    server.workspace("other").await;
    browser.cookies = [("offhook-other".to_owned(), good)].into();
    assert_eq!(browser.no_session(&url, "other").await, (401, "malformed".to_owned()));
    assert_eq!(browser.no_session(&url, "nowhere").await, (404, "not_found".to_owned()));
}

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
        assert_eq!(heard, Some(support::socket::Heard::Close { code: 4001, reason: "token_revoked".to_owned() }));
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
    let calls: [(&str, &str, Option<&Value>, [u16; 3]); 15] = [
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
    let conversation = support::Customer::start(server.address, WORKSPACE, "Hello").await.conversation;
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
async fn without_a_provider_a_token_is_pasted_and_with_one_beside_it() {
    let server = server(Options::default()).await;
    let (url, mut browser) = (base(&server), Browser::new());
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
async fn the_provider_ends_a_session_by_itself_and_nobody_else_does() {
    let (provider, server) = both("").await;
    let (url, mut browser, mut other) = (base(&server), Browser::new(), Browser::new());
    sign_in(&mut browser, &provider, &server, "ann", &[]).await;
    sign_in(&mut other, &provider, &server, "eve", &[]).await;
    let mut socket = connect(&server, &browser.session(&url, WORKSPACE).await).await;
    let now_s = support::now_s();
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
