//! Bytes from a peer become messages. Nothing is kept between messages.

use super::{Broken, Message};
use std::io::Cursor;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

const CONTROL_BYTES_MAX: u64 = 125;
/// Browsers send a message whole. Without a bound, pieces of no bytes would be taken for ever and counted by nobody.
const PARTS_MAX: u16 = 1_024;

#[derive(Debug)]
pub(super) struct Inbound {
    /// Read and not yet understood; without allocation when there is nothing.
    bytes: Vec<u8>,
    /// The first parts of a fragmented text.
    parts: Option<Vec<u8>>,
    parts_count: u16,
    message_bytes_max: u32,
    broken: bool,
    closed: bool,
}

impl Inbound {
    pub(super) fn new(read_already: &[u8], message_bytes_max: usize) -> Self {
        let message_bytes_max = u32::try_from(message_bytes_max).unwrap_or(u32::MAX);
        Self {
            bytes: read_already.to_vec(),
            parts: None,
            parts_count: 0,
            message_bytes_max,
            broken: false,
            closed: false,
        }
    }

    pub(super) fn take_in(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether it is unknown where the next frame begins.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the peer has said that it closes.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    #[cfg(test)]
    pub(super) fn allocated_bytes(&self) -> usize {
        self.bytes.capacity() + self.parts.as_ref().map_or(0, Vec::capacity)
    }

    /// The next whole message. A ping's answer goes into `pong`.
    pub(super) fn next(&mut self, pong: &mut Option<Vec<u8>>) -> Result<Option<Message>, Broken> {
        let next = self.read(pong);
        self.broken |= next.is_err();
        self.closed |= matches!(next, Ok(Some(Message::Close(_))));
        next
    }

    fn read(&mut self, pong: &mut Option<Vec<u8>>) -> Result<Option<Message>, Broken> {
        while !self.bytes.is_empty() {
            let mut cursor = Cursor::new(self.bytes.as_slice());
            let head = FrameHeader::parse(&mut cursor).map_err(|_| Broken::Protocol("unknown opcode"))?;
            let Some((head, payload_bytes)) = head else { return Ok(None) };
            let head_bytes = usize::try_from(cursor.position()).expect("a header has at most 14 bytes");
            let mask = self.check(&head, payload_bytes)?;
            // Checked just now: it is not over `message_bytes_max`.
            let payload_bytes = usize::try_from(payload_bytes).map_err(|_| Broken::TooLarge)?;
            if self.bytes.len() < head_bytes + payload_bytes {
                return Ok(None);
            }
            let mut payload = self.cut(head_bytes, payload_bytes);
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            match head.opcode {
                OpCode::Control(Control::Close) => return close_of(&payload).map(Some),
                OpCode::Control(Control::Ping) => {
                    *pong = Some(payload);
                    return Ok(Some(Message::Ping));
                }
                OpCode::Control(_) => return Ok(Some(Message::Pong)),
                // Refused as soon as it is seen, whole or in parts.
                OpCode::Data(Data::Binary) => return Ok(Some(Message::Binary)),
                OpCode::Data(_) => {
                    if let Some(text) = self.join(payload, head.is_final)? {
                        return Ok(Some(Message::Text(text)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Everything that the header alone tells, before a byte of the payload is waited for.
    fn check(&self, head: &FrameHeader, payload_bytes: u64) -> Result<[u8; 4], Broken> {
        if head.rsv1 || head.rsv2 || head.rsv3 {
            return Err(Broken::Protocol("reserved bits are set"));
        }
        let mask = head.mask.ok_or(Broken::Protocol("a client must mask its frames"))?;
        match (head.opcode, &self.parts) {
            (OpCode::Control(_), _) if payload_bytes > CONTROL_BYTES_MAX || !head.is_final => {
                return Err(Broken::Protocol("a control frame is short and whole"));
            }
            (OpCode::Data(Data::Continue), None) => return Err(Broken::Protocol("nothing is to be continued")),
            (OpCode::Data(Data::Text | Data::Binary), Some(_)) => {
                return Err(Broken::Protocol("a message is to be continued first"));
            }
            _ => {}
        }
        let before = self.parts.as_ref().map_or(0, |parts| parts.len() as u64);
        if payload_bytes > u64::from(self.message_bytes_max) - before { Err(Broken::TooLarge) } else { Ok(mask) }
    }

    /// Cuts the first frame's payload off; leaves nothing allocated when that was all.
    fn cut(&mut self, head_bytes: usize, payload_bytes: usize) -> Vec<u8> {
        let rest = self.bytes.split_off(head_bytes + payload_bytes);
        let mut frame = std::mem::replace(&mut self.bytes, rest);
        frame.drain(..head_bytes);
        frame
    }

    fn join(&mut self, payload: Vec<u8>, is_final: bool) -> Result<Option<String>, Broken> {
        let whole = match self.parts.take() {
            Some(mut parts) => {
                parts.extend_from_slice(&payload);
                parts
            }
            None => payload,
        };
        self.parts_count = if is_final { 0 } else { self.parts_count + 1 };
        if self.parts_count > PARTS_MAX {
            return Err(Broken::TooLarge);
        }
        if is_final {
            return String::from_utf8(whole).map(Some).map_err(|_| Broken::NotUtf8);
        }
        self.parts = Some(whole);
        Ok(None)
    }
}

fn close_of(payload: &[u8]) -> Result<Message, Broken> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(Message::Close(None)) } else { Err(Broken::Protocol("half a close code")) };
    };
    let code = u16::from_be_bytes(*code);
    if !CloseCode::from(code).is_allowed() {
        return Err(Broken::Protocol("no such close code"));
    }
    str::from_utf8(reason).map_err(|_| Broken::NotUtf8)?;
    Ok(Message::Close(Some(code)))
}
