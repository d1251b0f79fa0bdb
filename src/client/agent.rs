//! An agent's WebSocket from the other side: frames as JSON, one after the other.

use super::http::{Address, random_id};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The usual 128 KiB for each connection are too much for a process that plays thousands of agents.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Where an answer says that it is to be tried again, and not when.
const LATER: Duration = Duration::from_secs(1);

/// Why a socket says no more.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The server's own words.
    #[error("{code} {reason}")]
    Told { code: u16, reason: String },
    /// There is no room now, or nobody serves: the time is a place in a line.
    #[error("told to come again in {} ms", .0.as_millis())]
    Later(Duration),
    #[error(transparent)]
    Broken(#[from] Error),
}

/// Signed in as an agent. Dropped, the connection ends without a word, as a pulled cable's does.
pub struct AgentSocket(WebSocketStream<TcpStream>);

impl AgentSocket {
    /// Opens the socket; whether the token was good is what the first frame tells.
    ///
    /// # Errors
    /// No connection, or no upgrade.
    pub async fn connect(address: &Address, token: &str) -> Result<Self, Lost> {
        let stream = TcpStream::connect(address.authority()).await.map_err(Error::Io)?;
        Self::over(stream, address, token, None).await
    }

    /// The same over a connection that is there, and with the ticket of an earlier welcome.
    ///
    /// # Errors
    /// No upgrade.
    pub async fn over(stream: TcpStream, address: &Address, token: &str, ticket: Option<&str>) -> Result<Self, Lost> {
        let mut request = format!("ws://{}/v1/agent", address.authority()).into_client_request()?;
        let ticket = ticket.map(|ticket| format!(", offhook.ticket.{ticket}")).unwrap_or_default();
        let protocols = format!("offhook.agent.v1, offhook.token.{token}{ticket}");
        let protocols = protocols.parse().map_err(|_| Error::Http(Box::default()))?;
        request.headers_mut().insert("sec-websocket-protocol", protocols);
        stream.set_nodelay(true).map_err(Error::Io)?;
        let small = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        match tokio_tungstenite::client_async_with_config(request, stream, Some(small)).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) if answer.status() == 503 => Err(Lost::Later(retry_after(&answer))),
            Err(error) => Err(error.into()),
        }
    }

    /// The next frame of the server's. May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// There will be no more.
    pub async fn frame(&mut self) -> Result<Value, Lost> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(frame) = serde_json::from_str(&text) {
                        return Ok(frame);
                    }
                }
                Some(Ok(Message::Close(close))) => {
                    let (code, reason) =
                        close.map_or((1005, String::new()), |close| (close.code.into(), close.reason.to_string()));
                    return Err(Lost::Told { code, reason });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(Error::ConnectionClosed.into()),
            }
        }
    }

    /// Sends a frame under an id of its own, which is answered.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, mut frame: Value) -> Result<String, Lost> {
        let id = random_id();
        frame["id"] = id.as_str().into();
        self.repeat(&frame).await?;
        Ok(id)
    }

    /// Sends a frame that has its id already: a command that was not answered is repeated so.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn repeat(&mut self, frame: &Value) -> Result<(), Lost> {
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    /// Ends it in order.
    pub async fn close(mut self) {
        // Who is gone already needs no farewell.
        let _ = self.0.close(None).await;
    }
}

/// From the body, which may have come in part only; else from the header, in whole seconds.
fn retry_after(answer: &Response) -> Duration {
    let body = answer.body().as_deref().and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let exact = body.and_then(|body| body["retry_after_ms"].as_u64()).map(Duration::from_millis);
    let header = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let whole = header.and_then(|value| value.parse().ok()).map(Duration::from_secs);
    exact.or(whole).unwrap_or(LATER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_again_is_read_from_the_body_or_else_the_header() {
        let answer = |header: Option<&str>, body: Option<&str>| {
            let mut answer = Response::new(body.map(|body| body.as_bytes().to_vec()));
            if let Some(value) = header {
                answer.headers_mut().insert("retry-after", value.parse().unwrap());
            }
            retry_after(&answer).as_millis()
        };
        assert_eq!(answer(Some("2"), Some(r#"{"code": "busy", "retry_after_ms": 1234}"#)), 1_234);
        assert_eq!(answer(Some("2"), Some(r#"{"code": "bus"#)), 2_000);
        assert_eq!(answer(None, None), 1_000);
    }
}
