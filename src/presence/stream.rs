//! One customer's event stream: what it has yet to be sent, bounded in bytes.
//!
//! A stream that falls behind is not fed any further: it reads what it missed from the view, from where it was.

use crate::overload::{Grains, Purpose, Weight, memory};
use futures_util::task::AtomicWaker;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The event that is true for a moment.
const TYPING: &str = "typing";
/// What a frame's place takes beside its bytes.
const FRAME_BYTES: usize = 64;

/// The first frames are paid for by the connection's place.
const GRAINS: Grains = Grains { purpose: Purpose::Streams, own_bytes: 4 * 1024, grain_bytes: 16 * 1024 };

/// An event for a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicFrame {
    /// Its number among what the customer may see; absent for what is only true now.
    pub public: Option<u32>,
    pub event: &'static str,
    /// JSON, on one line.
    pub data: Utf8Bytes,
}

#[derive(Debug, PartialEq, Eq)]
pub enum StreamOut {
    Frame(PublicFrame),
    /// Frames were dropped: the view has them.
    Behind,
    /// The server is going down.
    Ended {
        /// When the browser is to come back.
        retry_after_ms: u32,
    },
}

#[derive(Debug, Default)]
pub struct Stream {
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<PublicFrame>,
    bytes: usize,
    behind: bool,
    /// When to come back.
    ended: Option<u32>,
}

impl Stream {
    /// Adds a frame, or drops all when it does not fit: then the stream is behind.
    pub fn push(&self, frame: PublicFrame, bytes_max: usize) {
        let mut state = self.lock();
        // What is typed now goes before what was typed a moment ago: a slow reader is not sent each letter of an answer.
        if frame.event == TYPING
            && let Some(place) = state.frames.iter().rposition(|held| held.event == TYPING)
        {
            let stale = state.frames.remove(place).expect("it was found there");
            let left = state.bytes - stale.data.len() - FRAME_BYTES;
            state.shrink_to(left);
        }
        let bytes = state.bytes + frame.data.len() + FRAME_BYTES;
        let fits =
            bytes <= bytes_max && GRAINS.grow(&memory().reserve, state.bytes, bytes, Some(Weight::Ordinary)).is_ok();
        if fits {
            state.bytes = bytes;
            state.frames.push_back(frame);
        } else {
            state.frames = VecDeque::new();
            state.shrink_to(0);
            state.behind = true;
        }
        drop(state);
        self.waker.wake();
    }

    pub fn end(&self, retry_after_ms: u32) {
        self.lock().ended = Some(retry_after_ms);
        self.waker.wake();
    }

    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<StreamOut> {
        if let Some(out) = self.take() {
            return Poll::Ready(out);
        }
        self.waker.register(cx.waker());
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&self) -> Option<StreamOut> {
        let mut state = self.lock();
        if std::mem::take(&mut state.behind) {
            return Some(StreamOut::Behind);
        }
        if let Some(frame) = state.frames.pop_front() {
            let left = state.bytes - frame.data.len() - FRAME_BYTES;
            state.shrink_to(left);
            if state.frames.is_empty() {
                state.frames = VecDeque::new();
            }
            return Some(StreamOut::Frame(frame));
        }
        state.ended.map(|retry_after_ms| StreamOut::Ended { retry_after_ms })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn shrink_to(&mut self, bytes: usize) {
        GRAINS.shrink(&memory().reserve, self.bytes, bytes);
        self.bytes = bytes;
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(stream: &Stream) -> Option<StreamOut> {
        let mut cx = Context::from_waker(futures_util::task::noop_waker_ref());
        match stream.poll_next(&mut cx) {
            Poll::Ready(out) => Some(out),
            Poll::Pending => None,
        }
    }

    #[test]
    fn of_an_answer_that_grows_a_slow_reader_is_sent_the_newest_alone() {
        let stream = Stream::default();
        let typing = |text: &str| PublicFrame { public: None, event: TYPING, data: text.into() };
        let message = PublicFrame { public: Some(1), event: "message", data: "hello".into() };
        stream.push(typing("so"), 400);
        stream.push(message.clone(), 400);
        for length in 1..100 {
            stream.push(typing(&"x".repeat(length)), 400);
        }
        assert_eq!(next(&stream), Some(StreamOut::Frame(message)));
        assert_eq!(next(&stream), Some(StreamOut::Frame(typing(&"x".repeat(99)))));
        assert_eq!(next(&stream), None);
        assert_eq!(stream.lock().bytes, 0);
    }

    #[test]
    fn a_stream_that_falls_behind_is_told_once() {
        let stream = Stream::default();
        let frame = |n| PublicFrame { public: Some(n), event: "message", data: "x".repeat(100).into() };
        for n in 1..=3 {
            stream.push(frame(n), 400);
        }
        assert_eq!(next(&stream), Some(StreamOut::Behind));
        stream.push(frame(4), 400);
        assert_eq!(next(&stream), Some(StreamOut::Frame(frame(4))));
        assert_eq!(next(&stream), None);
        stream.end(700);
        assert_eq!(next(&stream), Some(StreamOut::Ended { retry_after_ms: 700 }));
    }
}
