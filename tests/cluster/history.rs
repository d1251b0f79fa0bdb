//! What clients did and saw, written down as it happened, and what the feed says of it afterwards. To be judged when all is over.

use offhook::wire::feed::FeedEvent;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// All that is known of a run.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In the order in which they were written down.
    pub lines: Vec<Line>,
    /// The feed from its beginning, with texts, as each node gives it.
    pub feeds: BTreeMap<String, Vec<FeedEvent>>,
    /// How many conversations each agent may hold, offers among them. Those that are not named are not counted.
    pub capacity: BTreeMap<String, usize>,
    /// Nobody works any more, and there has been time for every offer to end.
    pub is_settled: bool,
}

/// Something that one client did or saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Since the run began, by one monotonic clock for all clients.
    pub at: Duration,
    /// One connection of one client.
    pub session: String,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A frame, or an answer, that rests on this position.
    Position(u64),
    /// It is about to send this message. Each text is sent once, or again with the same command id.
    Sends { text: String },
    /// The message was acknowledged, with its number.
    Sent { conversation: String, text: String, number: u64 },
    /// It was told that nothing happened by this message, and never will.
    NotSent { text: String },
    /// It saw a message of whomever, in a stream, a frame or a page.
    Saw { conversation: String, number: u64, text: String },
    /// It was told of an offer to itself.
    Offered { offer: String, conversation: String, agent: String },
    /// It was told that it has accepted: the conversation is its own.
    Accepted { offer: String, agent: String },
    /// It was told how an offer ended.
    Ended { offer: String, end: String },
}

/// Writes down for one connection of one client.
#[derive(Debug, Clone)]
pub struct Pen {
    session: String,
    book: Book,
}

/// Where all clients write.
#[derive(Debug, Clone)]
pub struct Book {
    began: Instant,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Book {
    pub fn open() -> Self {
        Self { began: Instant::now(), lines: Arc::default() }
    }

    /// Of a session: a name that no other has.
    pub fn pen(&self, session: &str) -> Pen {
        Pen { session: session.to_owned(), book: self.clone() }
    }

    /// Since the run began.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Pen {
    pub fn write(&self, what: What) {
        let mut lines = self.book.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that lines are in the order of their times.
        lines.push(Line { at: self.book.began.elapsed(), session: self.session.clone(), what });
    }
}
