//! How an agent comes, by what docs/wire.md says: welcomed, told when to come again, or answered by nobody.

use super::scan::text_of;
use super::support::socket::{Heard, Socket};
use super::tls::secured;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

pub enum Come {
    /// With its welcome.
    Welcomed(Socket, String),
    Later(Duration),
    Nobody,
}

/// How one agent gets to the server.
pub struct Road {
    pub server: SocketAddr,
    /// One of this machine's addresses; port 0 takes any.
    pub from: SocketAddr,
    pub tls: Option<TlsConnector>,
}

pub async fn come(road: &Road, token: &str, ticket: Option<&str>) -> Come {
    let connect = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(road.from)?;
        let stream = socket.connect(road.server).await?;
        let token = format!("offhook.token.{token}");
        let ticket = ticket.map(|ticket| format!("offhook.ticket.{ticket}"));
        let mut protocols = vec!["offhook.agent.v1", &token];
        protocols.extend(ticket.as_deref());
        match &road.tls {
            None => Socket::upgrade(stream, road.server, "/v1/agent", &protocols).await,
            Some(client) => {
                Socket::upgrade_tls(secured(client, stream).await?, road.server, "/v1/agent", &protocols).await
            }
        }
    };
    match connect.await {
        Ok(Ok(mut socket)) => match socket.next().await {
            Heard::Text(welcome) => Come::Welcomed(socket, welcome),
            Heard::Close { reason, .. } => told(&reason).map_or(Come::Nobody, Come::Later),
            Heard::Gone => Come::Nobody,
        },
        Ok(Err(refused)) => {
            let ms = refused.answer.split_once("\"retry_after_ms\":").map(|(_, rest)| rest);
            let ms = ms.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
            ms.map_or(Come::Nobody, |ms| Come::Later(Duration::from_millis(ms)))
        }
        Err(_) => Come::Nobody,
    }
}

/// The ticket of a welcome, to come back with.
pub fn ticket_of(welcome: &str) -> Option<String> {
    text_of(welcome, "ticket").map(str::to_owned)
}

/// The time in a close reason.
pub fn told(reason: &str) -> Option<Duration> {
    reason.strip_prefix("retry_after_ms=")?.parse().ok().map(Duration::from_millis)
}

/// Full jitter.
pub fn spread(most_ms: u64) -> Duration {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    Duration::from_millis((u64::from(u32::from_le_bytes(bytes)) * most_ms) >> 32)
}
