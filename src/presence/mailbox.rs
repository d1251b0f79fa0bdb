//! The queue of frames to one session: bounded in bytes, and without any allocation while it is empty.
//!
//! A delta that does not fit drops all deltas: the session wants one fresh snapshot instead. A reply is never
//! dropped: when even replies do not fit, the session ends and comes back at once.

use crate::overload::{Grains, Purpose, Spent, Weight, memory};
use futures_util::task::AtomicWaker;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What the frame's place in the queue takes beside its bytes.
const FRAME_BYTES: usize = 64;

/// The first frames are paid for by the connection's place: an accept's reply never waits for anybody else's memory.
const GRAINS: Grains = Grains { purpose: Purpose::Mailboxes, own_bytes: 4 * 1024, grain_bytes: 16 * 1024 };

/// What the session is to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Out {
    Frame(Utf8Bytes),
    /// Deltas were dropped: ask for a fresh snapshot.
    Snapshot,
    /// Nothing was heard for a while: send a protocol-level ping.
    Ping,
    /// Say why, and end.
    Close {
        code: u16,
        reason: Cow<'static, str>,
    },
    /// The peer is dead: end without a word.
    Gone,
}

/// The frame did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mailbox is full")]
pub struct Overflow;

#[derive(Debug, Default)]
pub struct Mailbox {
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Queued>,
    bytes: usize,
    /// Deltas are dropped until the snapshot is here.
    snapshot: Snapshot,
    ping: bool,
    gone: bool,
    close: Option<Box<(u16, Cow<'static, str>)>>,
}

#[derive(Debug)]
struct Queued {
    frame: Utf8Bytes,
    is_reply: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Snapshot {
    #[default]
    UpToDate,
    /// To be asked for.
    Wanted,
    /// Asked for; deltas are still dropped.
    Asked,
}

impl Mailbox {
    /// A delta. Dropped while a snapshot is due, which will hold what it said.
    ///
    /// # Errors
    /// It was the one that did not fit: all deltas are gone, and a snapshot is due.
    pub fn push(&self, frame: Utf8Bytes, bytes_max: usize) -> Result<(), Overflow> {
        let mut state = self.lock();
        if state.snapshot != Snapshot::UpToDate || state.is_ending() {
            return Ok(());
        }
        if state.makes_room(&frame, bytes_max, Weight::Ordinary).is_ok() {
            state.add(frame, false);
            drop(state);
            self.waker.wake();
            return Ok(());
        }
        state.drop_deltas();
        state.snapshot = Snapshot::Wanted;
        drop(state);
        self.waker.wake();
        Err(Overflow)
    }

    /// A reply, or whatever else must not be dropped.
    ///
    /// # Errors
    /// It did not fit: the session must be closed with `too_slow`.
    pub fn push_reply(&self, frame: Utf8Bytes, bytes_max: usize) -> Result<(), Overflow> {
        let mut state = self.lock();
        if state.is_ending() {
            return Ok(());
        }
        if state.makes_room(&frame, bytes_max, Weight::Last).is_err() {
            // Deltas make room for it.
            state.drop_deltas();
            if state.snapshot == Snapshot::UpToDate {
                state.snapshot = Snapshot::Wanted;
            }
            state.makes_room(&frame, bytes_max, Weight::Last).map_err(|Spent| Overflow)?;
        }
        state.add(frame, true);
        drop(state);
        self.waker.wake();
        Ok(())
    }

    /// The snapshot that was asked for: all deltas up to it are void, those after it come again.
    ///
    /// # Errors
    /// As for a reply.
    pub fn push_snapshot(&self, frame: Utf8Bytes, bytes_max: usize) -> Result<(), Overflow> {
        {
            let mut state = self.lock();
            state.drop_deltas();
            state.snapshot = Snapshot::UpToDate;
        }
        self.push_reply(frame, bytes_max)
    }

    /// End the session after what is queued already.
    pub fn close(&self, code: u16, reason: impl Into<Cow<'static, str>>) {
        let mut state = self.lock();
        if state.close.is_none() {
            state.close = Some(Box::new((code, reason.into())));
        }
        drop(state);
        self.waker.wake();
    }

    /// End the session at once: nobody is there to read.
    pub fn give_up(&self) {
        self.lock().gone = true;
        self.waker.wake();
    }

    pub fn ask_ping(&self) {
        self.lock().ping = true;
        self.waker.wake();
    }

    /// The next thing to do; `Pending` while there is none.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Out> {
        if let Some(out) = self.take() {
            return Poll::Ready(out);
        }
        self.waker.register(cx.waker());
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&self) -> Option<Out> {
        let mut state = self.lock();
        if state.gone {
            return Some(Out::Gone);
        }
        if let Some(Queued { frame, .. }) = state.frames.pop_front() {
            let left = state.bytes - frame.len() - FRAME_BYTES;
            state.shrink_to(left);
            if state.frames.is_empty() {
                state.frames = VecDeque::new();
            }
            return Some(Out::Frame(frame));
        }
        if let Some(close) = state.close.take() {
            // Nothing is queued behind it.
            state.gone = true;
            return Some(Out::Close { code: close.0, reason: close.1 });
        }
        if state.snapshot == Snapshot::Wanted {
            state.snapshot = Snapshot::Asked;
            return Some(Out::Snapshot);
        }
        std::mem::take(&mut state.ping).then_some(Out::Ping)
    }

    /// Only whether it is to end, whatever is still queued: for a socket that cannot take a frame now.
    pub fn poll_end(&self, cx: &mut Context<'_>) -> Poll<Out> {
        self.waker.register(cx.waker());
        let mut state = self.lock();
        if state.gone {
            return Poll::Ready(Out::Gone);
        }
        let Some(close) = state.close.take() else { return Poll::Pending };
        state.gone = true;
        Poll::Ready(Out::Close { code: close.0, reason: close.1 })
    }

    /// Bytes that wait, with what their places take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Charges for it; `Err` when it fits neither here nor into what is left for all mailboxes.
    fn makes_room(&mut self, frame: &Utf8Bytes, bytes_max: usize, weight: Weight) -> Result<(), Spent> {
        let bytes = self.bytes + frame.len() + FRAME_BYTES;
        if bytes > bytes_max {
            return Err(Spent);
        }
        GRAINS.grow(&memory().reserve, self.bytes, bytes, Some(weight))?;
        self.bytes = bytes;
        Ok(())
    }

    fn drop_deltas(&mut self) {
        self.frames.retain(|queued| queued.is_reply);
        self.shrink_to(self.frames.iter().map(|queued| queued.frame.len() + FRAME_BYTES).sum());
    }

    fn shrink_to(&mut self, bytes: usize) {
        GRAINS.shrink(&memory().reserve, self.bytes, bytes);
        self.bytes = bytes;
    }

    /// Only after `makes_room`.
    fn add(&mut self, frame: Utf8Bytes, is_reply: bool) {
        if self.frames.capacity() == 0 {
            self.frames.reserve_exact(2);
        }
        self.frames.push_back(Queued { frame, is_reply });
    }

    fn is_ending(&self) -> bool {
        self.gone || self.close.is_some()
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

    fn next(mailbox: &Mailbox) -> Option<Out> {
        let mut cx = Context::from_waker(futures_util::task::noop_waker_ref());
        match mailbox.poll_next(&mut cx) {
            Poll::Ready(out) => Some(out),
            Poll::Pending => None,
        }
    }

    fn frame(text: &str) -> Out {
        Out::Frame(text.into())
    }

    #[test]
    fn frames_come_in_order_and_leave_nothing_behind() {
        let mailbox = Mailbox::default();
        mailbox.push("a".into(), 1_000).unwrap();
        mailbox.push_reply("b".into(), 1_000).unwrap();
        assert_eq!([next(&mailbox), next(&mailbox), next(&mailbox)], [Some(frame("a")), Some(frame("b")), None]);
        assert_eq!(mailbox.bytes(), 0);
        assert_eq!(mailbox.lock().frames.capacity(), 0);
    }

    #[test]
    fn overflow_becomes_one_fresh_snapshot_and_keeps_replies() {
        let mailbox = Mailbox::default();
        mailbox.push("delta".into(), 200).unwrap();
        mailbox.push_reply("reply".into(), 200).unwrap();
        assert_eq!(mailbox.push("too much".into(), 200), Err(Overflow));
        assert_eq!(mailbox.push("dropped".into(), 200), Ok(()));
        assert_eq!([next(&mailbox), next(&mailbox), next(&mailbox)], [Some(frame("reply")), Some(Out::Snapshot), None]);
        mailbox.push("still dropped".into(), 200).unwrap();
        mailbox.push_snapshot("snapshot".into(), 200).unwrap();
        mailbox.push("after".into(), 200).unwrap();
        assert_eq!(
            [next(&mailbox), next(&mailbox), next(&mailbox)],
            [Some(frame("snapshot")), Some(frame("after")), None]
        );
    }

    #[test]
    fn a_reply_takes_the_room_of_deltas_and_then_overflows() {
        let mailbox = Mailbox::default();
        mailbox.push("delta".into(), 140).unwrap();
        mailbox.push_reply("one".into(), 140).unwrap();
        mailbox.push_reply("two".into(), 140).unwrap();
        assert_eq!(mailbox.push_reply("three".into(), 140), Err(Overflow));
        assert_eq!(
            [next(&mailbox), next(&mailbox), next(&mailbox)],
            [Some(frame("one")), Some(frame("two")), Some(Out::Snapshot)]
        );
    }

    #[test]
    fn close_comes_after_what_is_queued_and_a_dead_peer_at_once() {
        let mailbox = Mailbox::default();
        mailbox.push_reply("last".into(), 200).unwrap();
        mailbox.close(4000, "signed_out");
        mailbox.push("late".into(), 200).unwrap();
        assert_eq!(next(&mailbox), Some(frame("last")));
        assert_eq!(next(&mailbox), Some(Out::Close { code: 4000, reason: "signed_out".into() }));
        assert_eq!(next(&mailbox), Some(Out::Gone));
        let stuck = Mailbox::default();
        let mut cx = Context::from_waker(futures_util::task::noop_waker_ref());
        stuck.push("never taken".into(), 200).unwrap();
        assert_eq!(stuck.poll_end(&mut cx), Poll::Pending);
        stuck.close(4201, "too_slow");
        assert_eq!(stuck.poll_end(&mut cx), Poll::Ready(Out::Close { code: 4201, reason: "too_slow".into() }));
        let dead = Mailbox::default();
        dead.push("never read".into(), 200).unwrap();
        dead.give_up();
        assert_eq!(next(&dead), Some(Out::Gone));
    }
}
