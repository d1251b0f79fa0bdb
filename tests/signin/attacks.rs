//! Answers that nobody asked for, tokens that are no good, pages of other sites: nobody is signed in by them, sent elsewhere or read.

use crate::support::Browser;
use crate::support::provider::{Answer, ec, rsa, sign, signed};
use crate::{WORKSPACE, back, base, begin, begin_for, both, refused, sign_in};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

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
    let secret = EncodingKey::from_secret(include_bytes!("../keys/rs.pub"));
    let now_s = crate::support::now_s();
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
