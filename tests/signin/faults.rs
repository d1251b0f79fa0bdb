//! Providers that are down, slow or huge, and those that change their keys.

use crate::support::provider::{Answer, ec, keys, sign};
use crate::support::{Agent, Browser, within};
use crate::{WORKSPACE, back, base, begin, both, refused, sign_in};
use jsonwebtoken::Algorithm;
use serde_json::json;

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
