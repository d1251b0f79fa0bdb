//! An agent's WebSocket from the other side: frames as JSON, one after the other.

use super::http::{Address, random_id};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Why a socket says no more.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The server's own words.
    #[error("{code} {reason}")]
    Told { code: u16, reason: String },
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
        let mut request = format!("ws://{}/v1/agent", address.authority()).into_client_request()?;
        let protocols = format!("offhook.agent.v1, offhook.token.{token}");
        let protocols = protocols.parse().map_err(|_| Error::Http(Box::default()))?;
        request.headers_mut().insert("sec-websocket-protocol", protocols);
        let stream = TcpStream::connect(address.authority()).await.map_err(Error::Io)?;
        stream.set_nodelay(true).map_err(Error::Io)?;
        Ok(Self(tokio_tungstenite::client_async(request, stream).await?.0))
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
        self.0.send(Message::text(frame.to_string())).await?;
        Ok(id)
    }

    /// Ends it in order.
    pub async fn close(mut self) {
        // Who is gone already needs no farewell.
        let _ = self.0.close(None).await;
    }
}
