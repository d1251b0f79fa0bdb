//! The smallest desk that can go wrong: who owns one conversation, what was posted in it, which commands are remembered.
//!
//! ```text
//!   accept as A ──nobody owns it──▶ accepted          post ──somebody owns it──▶ posted, with its number
//!              └──another owns it─▶ refused               └──nobody does───────▶ refused, for now
//! ```

use crate::journal::{Body, Record};

/// Of one client; each has one id, which its retries have too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    /// Offer 1, by this agent.
    Accept(u8),
    /// A message in the conversation, which must have an owner.
    Post,
}

/// What a client hears when something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    Accepted,
    /// With the message's number.
    Posted(u8),
}

/// What the desk makes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is to be recorded, and then answered.
    Done(Answer),
    /// Nothing changes. It may rest on something that will change.
    Refused,
    /// Only where ids are not looked at: the winner repeats itself.
    Already(Answer),
}

/// How many commands a run has at most.
pub const COMMANDS_MAX: usize = 3;

/// A node's memory of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Desk {
    pub owner: Option<u8>,
    pub posts: u8,
    /// The outcome of each command, by its place in the run's list.
    pub remembered: [Option<Answer>; COMMANDS_MAX],
}

impl Desk {
    /// What a command would do. Changes nothing.
    pub fn handle(&self, command: Command) -> Decision {
        match (command, self.owner) {
            (Command::Accept(_), None) => Decision::Done(Answer::Accepted),
            (Command::Accept(agent), Some(owner)) if agent == owner => Decision::Already(Answer::Accepted),
            (Command::Accept(_), Some(_)) | (Command::Post, None) => Decision::Refused,
            (Command::Post, Some(_)) => Decision::Done(Answer::Posted(self.posts + 1)),
        }
    }

    /// Lives through a record; the only way in which a desk changes.
    pub fn apply(&mut self, record: &Record, commands: &[Command], remembers: bool) {
        let Body::Turn { command, answer: Some(answer), .. } = record.body else { return };
        match commands[command as usize] {
            Command::Accept(agent) => self.owner = Some(agent),
            Command::Post => self.posts += 1,
        }
        if remembers {
            self.remembered[command as usize] = Some(answer);
        }
    }
}
