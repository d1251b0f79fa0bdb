//! A customer's event stream, event by event.

use super::heard;
use super::http::Http;
use serde_json::Value;
use std::io;
use std::net::SocketAddr;

/// One event, as a browser would be given it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The last `id` seen; 0 before the first.
    pub id: u64,
    pub name: String,
    pub data: String,
}

impl Event {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {}", self.data))
    }
}

pub struct Events {
    path: String,
    http: Http,
    text: Vec<u8>,
    pub last_id: u64,
}

impl Events {
    /// Opens `path` (with its ticket), from behind an event that was seen. An answer that is no stream: its status.
    pub async fn open(address: SocketAddr, path: &str, last_id: Option<u64>) -> io::Result<Result<Self, u16>> {
        let last = last_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let opened = Self::open_with(address, path, &last).await?;
        Ok(opened.map(|events| Self { last_id: last_id.unwrap_or(0), ..events }))
    }

    /// The same with any headers, each a whole line.
    pub async fn open_with(address: SocketAddr, path: &str, headers: &str) -> io::Result<Result<Self, u16>> {
        let mut http = Http::connect(address).await?;
        http.send("GET", path, &format!("Accept: text/event-stream\r\n{headers}"), b"").await?;
        let head = http.head().await?;
        if head.status != 200 {
            return Ok(Err(head.status));
        }
        Ok(Ok(Self { path: path.to_owned(), http, text: Vec::new(), last_id: 0 }))
    }

    /// The next event; comments are passed over. `None` when the server ended the stream.
    pub async fn next(&mut self) -> io::Result<Option<Event>> {
        loop {
            while let Some(end) = self.text.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                if let Some(event) = self.event(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            match self.http.chunk().await? {
                Some(chunk) => self.text.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    fn event(&mut self, block: &str) -> Option<Event> {
        let (mut name, mut data) = ("message".to_owned(), None::<String>);
        for line in block.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => self.last_id = value.parse().unwrap_or(self.last_id),
                "event" => name = value.to_owned(),
                "data" => match &mut data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => data = Some(value.to_owned()),
                },
                _ => {}
            }
        }
        let data = data?;
        heard::event(&self.path, &name, &data);
        Some(Event { id: self.last_id, name, data })
    }
}
