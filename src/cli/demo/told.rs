//! What the players tell the audience: one line each, through a bounded channel that drops rather than waits.

use tokio::sync::mpsc;

/// One thing that happened, as its player saw it.
#[derive(Debug)]
pub(super) struct Told {
    pub who: String,
    pub what: String,
    pub counted: Counted,
}

/// What is summed up over the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Nothing,
    Started,
    Offered,
    Accepted,
    Rejected,
    Missed,
    Message,
    Closed,
    Dropped,
}

#[derive(Clone)]
pub(super) struct Teller(mpsc::Sender<Told>);

impl Teller {
    pub fn new() -> (Self, mpsc::Receiver<Told>) {
        let (sender, told) = mpsc::channel(1_024);
        (Self(sender), told)
    }

    pub fn tell(&self, who: &str, what: impl Into<String>, counted: Counted) {
        // Whoever draws too slowly misses lines: the play goes on.
        let _ = self.0.try_send(Told { who: who.to_owned(), what: what.into(), counted });
    }
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sums {
    pub started: u64,
    pub offered: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub missed: u64,
    pub messages: u64,
    pub closed: u64,
    pub dropped: u64,
}

impl Sums {
    pub fn count(&mut self, counted: Counted) {
        match counted {
            Counted::Nothing => {}
            Counted::Started => self.started += 1,
            Counted::Offered => self.offered += 1,
            Counted::Accepted => self.accepted += 1,
            Counted::Rejected => self.rejected += 1,
            Counted::Missed => self.missed += 1,
            Counted::Message => self.messages += 1,
            Counted::Closed => self.closed += 1,
            Counted::Dropped => self.dropped += 1,
        }
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { started, offered, accepted, rejected, missed, messages, closed, dropped } = self;
        write!(
            f,
            "{started} conversations, {offered} offers ({accepted} accepted, {rejected} rejected, {missed} not answered), \
             {messages} messages, {closed} closed, {dropped} connections dropped"
        )
    }
}
