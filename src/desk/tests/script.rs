//! The one place that knows the desk's verbs: runs a script and compares the whole transcript.
//!
//! A line at the margin is a command, or `given 2 agents` (a queue `support`, and agents in it who are available),
//! `+5s` (time passes, and what is due is done), `wall +31d` (only the wall clock), `restart` (the desk is made anew from
//! its rows). What it leads to follows, indented: the reply after `->`, then the events.

use crate::desk::Desk;
use crate::desk::answer::Outcome;
use crate::desk::command::Command;
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::needs::{Loaded, Need};
use crate::desk::offer::EndedOffer;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::simulate::notation;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Runs the lines at the margin and expects every other line.
pub fn check(script: &str) {
    let script = script.trim_end().trim_start_matches('\n');
    let mut room = Room::default();
    let mut transcript = String::new();
    for line in script.lines().filter(|line| !line.starts_with("  ")) {
        transcript.push_str(line);
        transcript.push('\n');
        room.line(line, &mut transcript);
    }
    let transcript = transcript.trim_end();
    assert!(transcript == script, "expected:\n{script}\n\nand it was:\n{transcript}\n");
}

/// A desk, what it was told, and a view that never lags.
#[derive(Default)]
struct Room {
    desk: Desk,
    now: Now,
    lived: Vec<(Now, Vec<Event>, Vec<Outcome>)>,
    rows: BTreeMap<(&'static str, String), Vec<u8>>,
    conversations: BTreeMap<ConversationId, Conversation>,
    loaded: Loaded,
}

impl Room {
    fn line(&mut self, line: &str, out: &mut String) {
        if let Some(agents) = line.strip_prefix("given ") {
            let agents: u32 = agents.split(' ').next().and_then(|n| n.parse().ok()).expect("given <n> agents");
            self.quietly("admin queue support");
            for agent in 0..agents {
                self.quietly(&format!("admin agent a{agent} queues=support"));
                self.quietly(&format!("a{agent} comes s{agent}"));
                self.quietly(&format!("a{agent} sets available"));
            }
        } else if let Some(time) = line.strip_prefix("wall +") {
            self.now.wall = WallTime(self.now.wall.0 + milliseconds(time));
        } else if let Some(time) = line.strip_prefix('+') {
            self.now.desk = self.now.desk.plus_ms(milliseconds(time));
            self.now.wall = WallTime(self.now.wall.0 + milliseconds(time));
            self.command(notation::command("server tick").expect("a line"), false, out);
        } else if line == "restart" {
            self.restart();
        } else {
            let command = notation::command(line).unwrap_or_else(|why| panic!("{line}: {why}"));
            self.command(command, true, out);
        }
    }

    fn quietly(&mut self, line: &str) {
        self.line(line, &mut String::new());
    }

    fn command(&mut self, command: Command, reply: bool, out: &mut String) {
        let mut needs = Vec::new();
        self.desk.needs(self.now.wall, &command, &mut needs);
        let loaded = if needs.is_empty() { Loaded::default() } else { self.look_up(&needs) };
        let mut events = Vec::new();
        let result = self.desk.handle(self.now, &command, &loaded, &mut events);
        if reply {
            let _ = writeln!(out, "  -> {}", notation::result(&result));
        }
        for event in &events {
            let _ = writeln!(out, "  {}", notation::event(event));
        }
        let outcome = match (&result, command.id) {
            (Ok(answer), Some(id)) if !events.is_empty() || command.ask.may_matter_later() => {
                let fingerprint = command.fingerprint;
                vec![Outcome { by: command.principal, id, fingerprint, answer: answer.clone() }]
            }
            _ => Vec::new(),
        };
        self.lived.push((self.now, events, outcome));
        self.write_down();
        self.desk.check().expect("the invariants");
        let mut again = Desk::default();
        self.lived.iter().for_each(|(now, events, outcomes)| again.replay(*now, events, outcomes));
        assert_eq!(again.difference(&self.desk), None, "a replay gives the same desk");
    }

    /// What the view keeps.
    fn write_down(&mut self) {
        let touched = self.desk.take_touched();
        for row in self.desk.rows(&touched, self.desk.now()) {
            match row.body {
                Some(body) => self.rows.insert((row.kind, row.id), body),
                None => self.rows.remove(&(row.kind, row.id)),
            };
        }
        self.conversations.extend(self.desk.touched_conversations(touched));
        let Some((_, events, outcomes)) = self.lived.last() else { return };
        for event in events {
            if let Event::OfferEnded { offer, conversation, agent, end, .. } = event {
                let ended = EndedOffer { conversation: *conversation, agent: *agent, end: *end };
                self.loaded.offers.insert(*offer, ended);
            }
        }
        self.loaded.outcomes.extend(outcomes.iter().map(|outcome| ((outcome.by, outcome.id), outcome.clone())));
    }

    fn look_up(&self, needs: &[Need]) -> Loaded {
        let closed = self.conversations.iter().filter(|(_, held)| held.state == State::Closed);
        let mut loaded = Loaded { conversations: BTreeMap::new(), ..self.loaded.clone() };
        for need in needs {
            match need {
                Need::Conversation(wanted) => {
                    let found = closed.clone().find(|(id, _)| *id == wanted);
                    loaded.conversations.extend(found.map(|(id, held)| (*id, held.clone())));
                }
                Need::OfCustomer(customer) => {
                    let ids = closed.clone().filter(|(_, held)| held.customer == *customer).map(|(id, _)| *id);
                    loaded.of_customer.insert(*customer, ids.collect());
                }
                Need::Offer(_) | Need::Outcome(..) | Need::Import(_) | Need::ImportToGoOn(_) => {}
            }
        }
        loaded
    }

    fn restart(&mut self) {
        let rows = self.rows.iter().map(|((kind, id), body)| (*kind, id.as_str(), body.as_slice()));
        let open = self.conversations.iter().filter(|(_, held)| held.state != State::Closed);
        self.desk = Desk::from_rows(rows, open.map(|(id, held)| (*id, held.clone()))).expect("rows are read");
        assert!(self.desk.now().desk <= self.now.desk);
        assert_ne!(self.now.desk, DeskTime(u64::MAX));
    }
}

fn milliseconds(text: &str) -> u64 {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        other => panic!("{other:?} is no unit of time"),
    };
    digits.parse::<u64>().expect("a number") * unit
}

/// Both clocks at so many milliseconds.
pub fn now(ms: u64) -> Now {
    Now { desk: DeskTime(ms), wall: WallTime(ms) }
}

/// One line, at a time, to a desk: its events, whatever came of it.
pub fn does(desk: &mut Desk, ms: u64, line: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let command = notation::command(line).expect("a line");
    let _ = desk.handle(now(ms), &command, &Loaded::default(), &mut events);
    desk.take_touched();
    events
}

/// A desk with a queue, put by its line, and agents in it who are available.
pub fn desk_of(count: u32, queue: &str) -> Desk {
    let mut desk = Desk::default();
    does(&mut desk, 0, queue);
    for agent in 0..count {
        does(&mut desk, 0, &format!("admin agent a{agent} queues=support"));
        does(&mut desk, 0, &format!("a{agent} comes s{agent}"));
        does(&mut desk, 0, &format!("a{agent} sets available"));
    }
    desk
}
