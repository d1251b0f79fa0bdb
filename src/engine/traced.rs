//! The spans of a turn, where a command in it is sampled: of the turn itself, and of each such command until it is answered.

use super::intake::ReplyTo;
use super::turn::{Asked, Decided};
use crate::telemetry::traces::{self, Context, Open, Trace};
use std::collections::VecDeque;

pub(super) struct Traced {
    turn: Open,
    /// One for each command, in their order.
    commands: Vec<Trace>,
}

impl Traced {
    /// `None` where nobody samples: with traces off, that is one look.
    pub(super) fn begin(asked: &mut VecDeque<Asked<ReplyTo>>, workspace: &str) -> Option<Box<Self>> {
        if !traces::are_on() {
            return None;
        }
        // It is part of the first one's trace.
        let first = asked.iter().find_map(|asked| asked.trace.as_ref())?.context();
        let mut turn = Open::child(first, "turn".into());
        turn.set("offhook.workspace", workspace);
        let commands = asked.iter_mut().map(|asked| asked.trace.take()).collect();
        Some(Box::new(Self { turn, commands }))
    }

    /// The first so many commands are decided; what is left goes on waiting. `None` where none of those that are decided is sampled.
    pub(super) fn decided(
        mut self: Box<Self>,
        decided: &Decided<ReplyTo>,
        left: &mut VecDeque<Asked<ReplyTo>>,
    ) -> Option<Box<Self>> {
        let rest = self.commands.split_off(decided.replies.len());
        left.iter_mut().zip(rest).for_each(|(asked, trace)| asked.trace = trace);
        let turn = self.turn.context();
        let mut sampled = false;
        for (command, (_, result)) in self.commands.iter_mut().zip(&decided.replies) {
            let Some(command) = command else { continue };
            sampled = true;
            self.turn.link(command.context());
            command.link(turn);
            command.set("offhook.outcome", result.as_ref().map_or_else(|refusal| refusal.code(), |_| "done"));
        }
        self.turn.set("offhook.commands", decided.replies.len() as u64);
        self.turn.set("offhook.events", decided.events.len() as u64);
        self.turn.set("offhook.position", decided.position.0);
        sampled.then_some(self)
    }

    pub(super) fn context(&self) -> Context {
        self.turn.context()
    }

    /// Everybody is answered.
    pub(super) fn end(self) {
        self.commands.into_iter().flatten().for_each(|command| command.end());
        self.turn.end();
    }

    /// Nothing was committed, and everybody is told so.
    pub(super) fn fail(mut self) {
        self.turn.fail();
        self.commands.iter_mut().flatten().for_each(|command| command.fail());
        self.end();
    }
}
