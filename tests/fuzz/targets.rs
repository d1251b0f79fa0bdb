//! What is read from outside, each with seeds, and with what must hold of whatever it answers.

use http::{HeaderMap, HeaderValue};
use offhook::desk::event::Event;
use offhook::desk::files::FILES_EACH_MAX;
use offhook::desk::settings::Settings;
use offhook::engine::passing::shapes::{Batch, BatchAnswer, Malformed, Told};
use offhook::gateway::auth::agent_token::{self, AgentClaims, AgentKeys, Role};
use offhook::gateway::auth::client_address::{ForwardedHeader, TrustedProxies};
use offhook::gateway::auth::customer_token::{self, CustomerClaims, CustomerKeySettings, CustomerKeys};
use offhook::gateway::auth::id_token::{self, Expected, ProviderKeys};
use offhook::gateway::auth::keys::{Algorithm, KeySettings, SigningKey};
use offhook::gateway::auth::origin::OriginRules;
use offhook::gateway::auth::server_keys::ServerKeys;
use offhook::gateway::auth::signin_token::{FlowCookie, SessionCookie};
use offhook::gateway::auth::visitor_token::{ReturnTicket, StreamTicket, VisitorToken};
use offhook::gateway::http::body;
use offhook::gateway::websocket::{Broken, Message, Socket};
use offhook::journal::record;
use offhook::wire::agent;
use offhook::wire::error::WireError;
use offhook::wire::messenger::{self, StartBody};
use std::path::Path;
use std::task::{Context, Poll, Waker};

const NOW_S: i64 = 1_700_000_000;
const SECRET: &str = "a secret of thirty-two bytes, ok!";

pub struct Target {
    pub name: &'static str,
    pub seeds: Vec<Vec<u8>>,
    /// What happened, in words of which there are few.
    pub read: Box<dyn Fn(&[u8]) -> String>,
    pub bytes_max: usize,
    /// What each seed is answered with.
    pub every_seed_is_good: Option<&'static str>,
    /// Fewer than these would mean that nothing was reached.
    pub answers_min: usize,
}

/// The files of `tests/fuzz/seeds/NAME`, each line one.
fn lines(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| line.as_bytes().to_vec()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every error can be told, and says where.
fn told(error: &WireError) -> String {
    let problem: serde_json::Value = serde_json::from_slice(&error.problem()).expect("a problem is JSON");
    assert_eq!(problem["code"], error.code.name());
    assert!(!error.message.is_empty());
    // A field that nobody knows is the stranger's own word.
    let field = error.field.as_deref().filter(|field| field.len() < 24 && field.is_ascii()).unwrap_or("");
    format!("{} {field}", error.code.name())
}

pub fn frames() -> Target {
    let limits = agent::Limits::default();
    let read = move |bytes: &[u8]| match agent::parse(&text(bytes), &limits) {
        Ok((_, frame)) => {
            assert_eq!(frame.body(), frame.body());
            format!("ok {}", frame.name())
        }
        Err(bad) => told(&bad.error),
    };
    Target {
        name: "frames",
        seeds: lines("frames"),
        read: Box::new(read),
        bytes_max: 65_536,
        every_seed_is_good: None,
        answers_min: 45,
    }
}

pub fn websocket() -> Target {
    const MESSAGE_BYTES_MAX: usize = 1_024;
    let masked = |first: u8, payload: &[u8]| {
        let mut frame = vec![first, 0x80 | payload.len().min(125) as u8, 1, 2, 3, 4];
        frame.extend(payload.iter().take(125).zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    };
    let seeds = vec![
        masked(0x81, b"{\"type\":\"ready\"}"),
        [masked(0x01, b"in "), masked(0x89, b"ping"), masked(0x80, b"pieces")].concat(),
        masked(0x88, &[3, 0xe8, b'b', b'y', b'e']),
        masked(0x8a, b""),
        [&[0x81, 0xfe, 1, 0, 0, 0, 0, 0][..], &[b' '; 256]].concat(),
        [&[0x81, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat(),
        masked(0x82, b"binary"),
    ];
    let read = |bytes: &[u8]| {
        let mut socket = Socket::new(tokio::io::join(bytes, tokio::io::sink()), &[], MESSAGE_BYTES_MAX);
        let mut cx = Context::from_waker(Waker::noop());
        let mut heard = 0;
        loop {
            match socket.poll_message(&mut cx) {
                Poll::Ready(Ok(Message::Text(text))) => assert!(text.len() <= MESSAGE_BYTES_MAX),
                Poll::Ready(Ok(Message::Close(code))) => {
                    assert!(code.is_none_or(|code| code >= 1_000), "{code:?}");
                    return "close".to_owned();
                }
                Poll::Ready(Ok(Message::Binary)) => return "binary".to_owned(),
                Poll::Ready(Ok(Message::Ping | Message::Pong)) => {}
                Poll::Ready(Err(Broken::Gone)) => return format!("gone after {}", heard.min(3)),
                Poll::Ready(Err(broken)) => return broken.to_string(),
                Poll::Pending => panic!("bytes in hand are never waited for"),
            }
            heard += 1;
            assert!(heard <= bytes.len(), "a message takes bytes");
        }
    };
    Target {
        name: "websocket",
        seeds,
        read: Box::new(read),
        bytes_max: 8_192,
        every_seed_is_good: None,
        answers_min: 12,
    }
}

pub fn bodies() -> Target {
    let limits = messenger::Limits::default();
    let read = move |bytes: &[u8]| {
        let start = match StartBody::parse(bytes, &limits) {
            Ok(start) => {
                let metadata: usize = start.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
                assert!(metadata <= limits.metadata_bytes_max);
                assert!(start.text.is_none_or(|text| text.len() <= limits.text_bytes_max));
                "ok start".to_owned()
            }
            Err(error) => told(&error),
        };
        let post = match messenger::parse_post(bytes, &limits) {
            Ok(post) => {
                let least = usize::from(post.files.is_empty());
                assert!((least..=limits.text_bytes_max).contains(&post.text.len()));
                assert!(post.files.len() <= FILES_EACH_MAX);
                "ok post".to_owned()
            }
            Err(error) => told(&error),
        };
        let read = messenger::parse_read(bytes).map_or_else(|error| told(&error), |_| "ok read".to_owned());
        let identify = messenger::parse_identify(bytes).map_or_else(|error| told(&error), |_| "ok identify".to_owned());
        let rating = match messenger::parse_rating(bytes) {
            Ok((score, comment)) => {
                assert!((1..=5).contains(&score) && comment.is_none_or(|text| (1..=2_000).contains(&text.len())));
                "ok rating".to_owned()
            }
            Err(error) => told(&error),
        };
        let contact = match messenger::parse_contact(bytes) {
            Ok(said) => {
                assert!(said.email.is_none_or(|email| email.len() <= messenger::EMAIL_BYTES_MAX));
                "ok contact".to_owned()
            }
            Err(error) => told(&error),
        };
        format!("{start}, {post}, {read}, {identify}, {rating}, {contact}")
    };
    Target {
        name: "bodies",
        seeds: lines("bodies"),
        read: Box::new(read),
        bytes_max: 65_536,
        every_seed_is_good: None,
        answers_min: 15,
    }
}

pub fn settings() -> Target {
    let read = |bytes: &[u8]| match body::json::<Settings>(&text(bytes)) {
        Ok(settings) => {
            let again = serde_json::to_string(&settings).expect("settings are written");
            assert_eq!(serde_json::from_str::<Settings>(&again).expect("and read back"), settings);
            "ok".to_owned()
        }
        Err(problem) => told(&problem.0),
    };
    let default = serde_json::to_vec(&Settings::default()).expect("settings are written");
    Target {
        name: "settings",
        seeds: vec![default, b"{}".to_vec()],
        read: Box::new(read),
        bytes_max: 65_536,
        every_seed_is_good: None,
        answers_min: 20,
    }
}

/// Whoever is let in by a token is who it was made for, whatever was done to its text.
fn only_as_made<C: PartialEq + std::fmt::Debug, E: std::fmt::Display>(
    made: &[(String, C)],
    given: &[u8],
    verified: Result<C, E>,
) -> String {
    match verified {
        Ok(claims) => {
            let same = made.iter().find(|(token, _)| token.as_bytes() == given);
            let (_, meant) = same.unwrap_or_else(|| panic!("taken though it was changed: {}", given.escape_ascii()));
            assert_eq!(claims, *meant);
            "ok".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

pub fn agent_tokens() -> Target {
    let dir = tempfile::tempdir().expect("a directory can be made");
    let file = dir.path().join("a.key");
    std::fs::write(&file, SECRET).expect("a key can be written");
    let setting = KeySettings { kid: "a".to_owned(), algorithm: Algorithm::Hs256, file, workspace: None };
    let keys = AgentKeys::load(&[setting], 30).expect("a key");
    let signing = SigningKey::read(Algorithm::Hs256, SECRET.as_bytes()).expect("a key");
    let claims = |agent: &str, role, name: Option<&str>| AgentClaims {
        agent: agent.to_owned(),
        workspace: "demo".to_owned(),
        role,
        name: name.map(str::to_owned),
        expires_at_s: NOW_S + 60,
        signin: None,
    };
    let made: Vec<(String, AgentClaims)> =
        [claims("ada", Role::Agent, None), claims("zoë", Role::Supervisor, Some("Zoë"))]
            .into_iter()
            .map(|claims| (agent_token::mint(&claims, NOW_S, "a", &signing).expect("a token"), claims))
            .collect();
    let seeds = made.iter().map(|(token, _)| token.clone().into_bytes()).collect();
    let read = move |bytes: &[u8]| only_as_made(&made, bytes, keys.verify(&text(bytes), NOW_S));
    Target {
        name: "agent tokens",
        seeds,
        read: Box::new(read),
        bytes_max: 8_192,
        every_seed_is_good: Some("ok"),
        answers_min: 4,
    }
}

pub fn customer_tokens() -> Target {
    let setting = CustomerKeySettings { kid: "c".to_owned(), algorithm: Algorithm::Hs256, key: SECRET.to_owned() };
    let keys = CustomerKeys::from_list(&[setting]).expect("a key");
    let signing = SigningKey::read(Algorithm::Hs256, SECRET.as_bytes()).expect("a key");
    let claims = CustomerClaims {
        customer: "4711".to_owned(),
        name: Some("Zoë".to_owned()),
        email: Some("zoe@example.com".to_owned()),
        attributes: None,
        expires_at_s: NOW_S + 60,
        issued_at_s: Some(NOW_S),
    };
    let token = customer_token::mint(&claims, NOW_S, Some("c"), &signing).expect("a token");
    let made = vec![(token.clone(), claims)];
    let read = move |bytes: &[u8]| only_as_made(&made, bytes, keys.verify(&text(bytes), NOW_S, 30));
    Target {
        name: "customer tokens",
        seeds: vec![token.into_bytes()],
        read: Box::new(read),
        bytes_max: 8_192,
        every_seed_is_good: Some("ok"),
        answers_min: 4,
    }
}

pub fn own_tokens() -> Target {
    let keys = ServerKeys::derive(&[7; 32]);
    let (workspace, expires_at_s) = ("demo".to_owned(), NOW_S + 60);
    let visitor = VisitorToken { workspace: workspace.clone(), customer: 0xabc, expires_at_s };
    let stream = StreamTicket { workspace: workspace.clone(), customer: 0xabc, conversation: 17, expires_at_s };
    let back = ReturnTicket { workspace: workspace.clone(), agent: "ada".to_owned(), expires_at_s };
    let session = SessionCookie { workspace: workspace.clone(), agent: "ada".to_owned(), signin: 0xdef, expires_at_s };
    let flow = FlowCookie { workspace, flow: 0xdef, to: "/console/demo".to_owned(), expires_at_s };
    let made = [visitor.seal(&keys), stream.seal(&keys), back.seal(&keys), session.seal(&keys), flow.seal(&keys)];
    let seeds = made.iter().map(|token| token.clone().into_bytes()).collect();
    let read = move |bytes: &[u8]| {
        let given = text(bytes);
        let opened = [
            VisitorToken::open(&given, &keys, NOW_S).map(|opened| assert_eq!(opened, visitor)),
            StreamTicket::open(&given, &keys, NOW_S).map(|opened| assert_eq!(opened, stream)),
            ReturnTicket::open(&given, &keys, NOW_S).map(|opened| assert_eq!(opened, back)),
            SessionCookie::open(&given, &keys, NOW_S).map(|opened| assert_eq!(opened, session)),
            FlowCookie::open(&given, &keys, NOW_S).map(|opened| assert_eq!(opened, flow)),
        ];
        for (opened, token) in opened.iter().zip(&made) {
            assert!(opened.is_err() || *token == given, "taken though it was changed: {given}");
        }
        opened.map(|opened| opened.map_or_else(|error| error.code(), |()| "ok")).join(" ")
    };
    Target {
        name: "own tokens",
        seeds,
        read: Box::new(read),
        bytes_max: 4_096,
        every_seed_is_good: None,
        answers_min: 5,
    }
}

/// What a provider publishes as its keys.
pub fn provider_keys() -> Target {
    let seeds = [
        r#"{"keys":[{"kty":"RSA","kid":"r","use":"sig","alg":"RS256","n":"1S3jFbuHFDUoFk_JiqJyzg","e":"AQAB"}]}"#,
        r#"{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#,
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"oct","k":"AA"}]}"#,
    ];
    let read = |bytes: &[u8]| match ProviderKeys::read(bytes) {
        None => "none".to_owned(),
        Some(keys) => {
            let issuer = "https://id.example.com";
            let expected = Expected { issuer, client_id: "offhook", now_s: NOW_S, leeway_s: 30 };
            let checked = id_token::check("eyJhbGciOiJub25lIn0.e30.", &keys, expected, "n");
            let error = checked.expect_err("nobody signed it");
            format!("{} {}", if keys.is_empty() { "empty" } else { "keys" }, error.code())
        }
    };
    Target {
        name: "provider keys",
        seeds: seeds.map(|seed| seed.as_bytes().to_vec()).to_vec(),
        read: Box::new(read),
        bytes_max: 8_192,
        every_seed_is_good: Some("keys token_bad_signature"),
        answers_min: 3,
    }
}

pub fn headers() -> Target {
    let rules = OriginRules::parse(&["https://*.example.com".to_owned()]).expect("rules");
    let proxies = |header| TrustedProxies::parse(&["10.0.0.0/8".to_owned()], header).expect("networks");
    let (plain, long) = (proxies(ForwardedHeader::XForwardedFor), proxies(ForwardedHeader::Forwarded));
    let read = move |bytes: &[u8]| {
        let Ok(value) = HeaderValue::from_bytes(bytes) else { return "no header".to_owned() };
        let peer = "10.0.0.1".parse().expect("an address");
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", value.clone());
        headers.insert("forwarded", value);
        let (x, f) = (plain.client_address(peer, &headers), long.client_address(peer, &headers));
        let origin = text(bytes);
        let allowed = rules.allows(&origin, Some("desk.example"));
        let plain = origin.to_ascii_lowercase();
        // Only what ends as the rule does, or names the very host.
        let own = ["localhost", "127.", "::1", ".example.com", "desk.example"];
        let plausible = own.iter().any(|own| plain.contains(own));
        assert!(!allowed || plausible, "{origin}");
        format!("{} {} {allowed}", x == peer, f == peer)
    };
    Target {
        name: "headers",
        seeds: lines("headers"),
        read: Box::new(read),
        bytes_max: 2_048,
        every_seed_is_good: None,
        answers_min: 4,
    }
}

/// The checksum is put right, or nothing behind it would ever be reached; that it is looked at, others test.
pub fn records() -> Target {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/records");
    let files = std::fs::read_dir(golden).expect("there are records").flatten();
    let seeds: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.path()).expect("a record can be read")).collect();
    let read = |bytes: &[u8]| {
        let raw = record::decode(bytes).map_or_else(|error| error.to_string(), |_| String::new());
        let mut mended = bytes.to_vec();
        if let Some((_, body)) = bytes.split_at_checked(8) {
            mended[4..8].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        }
        match record::decode(&mended) {
            Ok(record) => {
                assert_eq!(raw.is_empty(), mended == bytes);
                let read =
                    record.events.iter().filter(|event| serde_json::from_str::<Event>(event.get()).is_ok()).count();
                format!("ok {} {}", record.events.len().min(3), read.min(3))
            }
            // The words before what is quoted.
            Err(error) => error
                .to_string()
                .split([':', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                .next()
                .unwrap_or("")
                .to_owned(),
        }
    };
    Target { name: "records", seeds, read: Box::new(read), bytes_max: 16_384, every_seed_is_good: None, answers_min: 6 }
}

/// What nodes say to each other: seeds are of both kinds, and each is read as both.
pub fn passed() -> Target {
    // Of what is quoted only a field that is one of ours.
    let words = |malformed: &Malformed| match malformed {
        Malformed::TooLarge(_) => "too large".to_owned(),
        Malformed::Empty => "empty".to_owned(),
        Malformed::UnknownVersion { .. } => "another version".to_owned(),
        Malformed::Whole { .. } => "no whole".to_owned(),
        Malformed::TooMany { .. } => "too many".to_owned(),
        Malformed::Command { field, .. } if field.len() < 48 && field.is_ascii() => format!("no command at {field}"),
        Malformed::Command { .. } => "no command".to_owned(),
    };
    let read = move |bytes: &[u8]| {
        let batch = Batch::decode(bytes).map_or_else(
            |malformed| words(&malformed),
            |batch| {
                let again = batch.encode().expect("what came in has room to go out");
                assert_eq!(Batch::decode(&again).as_ref(), Ok(&batch));
                format!("{} commands", batch.commands.len().min(3))
            },
        );
        let answer = match BatchAnswer::decode(bytes) {
            Err(malformed) => words(&malformed),
            Ok(BatchAnswer::Led { answers }) => {
                let unknown = answers.iter().filter(|passed| matches!(passed.result, Told::Unknown { .. })).count();
                format!("led {} {}", answers.len().min(3), unknown.min(3))
            }
            Ok(BatchAnswer::NotLed { .. }) => "not led".to_owned(),
            Ok(BatchAnswer::Unreadable { .. }) => "unreadable".to_owned(),
        };
        format!("{batch}, {answer}")
    };
    let seeds = lines("passed").into_iter().map(|line| [&[1], &line[..]].concat());
    Target {
        name: "passed",
        seeds: seeds.collect(),
        read: Box::new(read),
        bytes_max: 16_384,
        every_seed_is_good: None,
        answers_min: 30,
    }
}
