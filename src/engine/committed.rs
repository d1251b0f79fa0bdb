//! How far a workspace has committed, told to those who follow all of it: that there is more, never what. Each reads on from where it
//! is, so that nothing piles up for one that is slow.

use crate::journal::Position;
use tokio::sync::watch;

/// What was committed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Of a record that everybody may be told of: what readers see of the workspace is at least of then.
    pub position: Position,
    /// The server stops.
    pub over: bool,
    /// Another node of the cluster leads, as far as this one knows.
    pub follows: bool,
}

#[derive(Debug, Default)]
pub struct Committed(watch::Sender<Standing>);

impl Committed {
    pub(super) fn reach(&self, position: Position) {
        self.0.send_modify(|standing| standing.position = position);
    }

    pub(super) fn follows(&self, follows: bool) {
        self.0.send_modify(|standing| standing.follows = follows);
    }

    pub fn end(&self) {
        self.0.send_modify(|standing| standing.over = true);
    }

    #[must_use]
    pub fn position(&self) -> Position {
        self.0.borrow().position
    }

    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Standing> {
        self.0.subscribe()
    }
}
