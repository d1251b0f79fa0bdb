//! An OpenID provider that says what a test wants, also what none should: for attacks and faults. That signing in works with a real one is
//! for `tests/signin_provider.rs`.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const RSA: &[u8] = include_bytes!("../keys/rs.pem");
pub const EC: &[u8] = include_bytes!("../keys/es.pem");
pub const CLIENT: &str = "offhook";

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    Json(u16, Value),
    /// These bytes, whatever they are; the connection stays open.
    Raw(Vec<u8>),
    /// Nothing, for as long as the client waits.
    Silence,
}

#[derive(Default)]
struct Inside {
    answers: BTreeMap<String, Answer>,
    /// Paths, with the bodies of what was sent.
    asked: Vec<(String, String)>,
}

pub struct FakeProvider {
    address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
}

impl FakeProvider {
    /// One that does all as it should: it has discovery and keys, and needs a token for each code.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let provider = Self { address, inside: Arc::default() };
        provider.answer("/.well-known/openid-configuration", Answer::Json(200, provider.discovery()));
        provider.answer("/keys", Answer::Json(200, keys(&[(&rsa(), Algorithm::RS256, "r")])));
        let inside = provider.inside.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, inside.clone()));
            }
        });
        provider
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn discovery(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer());
        json!({"issuer": self.issuer(), "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"), "userinfo_endpoint": at("/me"), "end_session_endpoint": at("/end"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic"]})
    }

    pub fn answer(&self, path: &str, answer: Answer) {
        self.inside.lock().expect("never poisoned").answers.insert(path.to_owned(), answer);
    }

    /// The next codes give this ID token.
    pub fn gives(&self, id_token: &str) {
        let tokens = json!({"access_token": "a", "token_type": "Bearer", "id_token": id_token});
        self.answer("/token", Answer::Json(200, tokens));
    }

    /// What was asked at a path.
    pub fn asked(&self, path: &str) -> Vec<String> {
        let inside = self.inside.lock().expect("never poisoned");
        inside.asked.iter().filter(|(held, _)| held == path).map(|(_, body)| body.clone()).collect()
    }

    /// Claims of a good ID token.
    pub fn claims(&self, agent: &str, nonce: &str) -> Value {
        let now_s = super::now_s();
        json!({"iss": self.issuer(), "aud": CLIENT, "sub": format!("sub-{agent}"), "exp": now_s + 300, "iat": now_s,
            "nonce": nonce, "preferred_username": agent, "name": "Somebody", "sid": format!("sid-{agent}"), "groups": ["desk"]})
    }

    /// The setting by which a server has it.
    pub fn setting(&self, more: &str) -> String {
        format!(
            "signin.providers=[{{workspace=\"demo\", issuer=\"{}\", client_id=\"{CLIENT}\", agent_claim=\"preferred_username\", \
             role_claim=\"groups\", supervisors=[\"leads\"], administrators=[\"root\"], create_agents=true{more}}}]",
            self.issuer()
        )
    }
}

pub fn rsa() -> EncodingKey {
    EncodingKey::from_rsa_pem(RSA).expect("a key")
}

pub fn ec() -> EncodingKey {
    EncodingKey::from_ec_pem(EC).expect("a key")
}

pub fn keys(list: &[(&EncodingKey, Algorithm, &str)]) -> Value {
    let keys = list.iter().map(|(key, algorithm, kid)| {
        let mut jwk = Jwk::from_encoding_key(key, *algorithm).expect("a key");
        jwk.common.key_id = Some((*kid).to_owned());
        serde_json::to_value(jwk).expect("a key")
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

pub fn sign(claims: &Value, algorithm: Algorithm, kid: &str, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    jsonwebtoken::encode(&header, claims, key).expect("it can be signed")
}

pub fn signed(claims: &Value) -> String {
    sign(claims, Algorithm::RS256, "r", &rsa())
}

async fn serve(mut stream: TcpStream, inside: Arc<Mutex<Inside>>) {
    let mut read = Vec::new();
    let (head, body_from) = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&read[..end]).into_owned(), end + 4);
        }
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.unwrap_or(0);
    while read.len() < body_from + length {
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    let body = String::from_utf8_lossy(&read[body_from..]).into_owned();
    let answer = {
        let mut inside = inside.lock().expect("never poisoned");
        inside.asked.push((path.clone(), body));
        inside.answers.get(&path).cloned().unwrap_or(Answer::Json(404, json!({"error": "not_found"})))
    };
    match answer {
        Answer::Json(status, value) => {
            let text = value.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                text.len()
            );
            let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
        }
        Answer::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
            until_gone(&mut stream).await;
        }
        Answer::Silence => until_gone(&mut stream).await,
    }
}

async fn until_gone(stream: &mut TcpStream) {
    let mut rest = [0; 64];
    while stream.read(&mut rest).await.unwrap_or(0) > 0 {}
}
