//! One frame on its way out: its header beside the bytes that the mailbox held, written without a copy.

use bytes::{Bytes, BytesMut};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

/// A server's frames are not masked: two bytes, and up to eight of length.
const HEAD_BYTES_MAX: usize = 10;
/// A control frame's payload is at most 125 bytes, two of them the code.
const REASON_BYTES_MAX: usize = 123;

#[derive(Debug)]
pub(super) struct Outbound {
    payload: Bytes,
    head: [u8; HEAD_BYTES_MAX],
    head_bytes: u8,
    written_bytes: usize,
}

impl Outbound {
    pub(super) fn new(opcode: OpCode, payload: Bytes) -> Self {
        let mut head = [0; HEAD_BYTES_MAX];
        let mut rest = head.as_mut_slice();
        FrameHeader { opcode, ..FrameHeader::default() }
            .format(payload.len() as u64, &mut rest)
            .expect("an unmasked header has at most ten bytes");
        let head_bytes = (HEAD_BYTES_MAX - rest.len()) as u8;
        Self { payload, head, head_bytes, written_bytes: 0 }
    }

    /// Ready when all of it is with the kernel.
    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let head_bytes = usize::from(self.head_bytes);
        while self.written_bytes < head_bytes + self.payload.len() {
            let head = &self.head[self.written_bytes.min(head_bytes)..head_bytes];
            let payload = &self.payload[self.written_bytes.saturating_sub(head_bytes)..];
            let slices = [IoSlice::new(head), IoSlice::new(payload)];
            match ready!(Pin::new(&mut *io).poll_write_vectored(cx, &slices[usize::from(head.is_empty())..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                bytes => self.written_bytes += bytes,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A close frame's payload; a reason that does not fit is cut between characters.
pub(super) fn close_payload(code: u16, reason: &str) -> Bytes {
    let mut payload = BytesMut::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(REASON_BYTES_MAX)]);
    payload.freeze()
}
