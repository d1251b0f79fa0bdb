//! Moves, notes and drains to the one line that they are written as.

use super::{add, at, customer, required};
use crate::desk::command::Ask;
use crate::desk::event::Event;
use crate::desk::moves::{Deed, MoveAsk, Mover};
use crate::desk::waiting_page::WaitingPage;

pub(super) fn ask(ask: &Ask) -> String {
    match ask {
        Ask::Move(ask) => moved(ask),
        Ask::Start(start) => {
            let mut line = format!("{} starts {} {}", start.agent, customer(start.customer), start.channel);
            line += &format!(" in {}", start.queue);
            add(&mut line, "text", start.text.as_ref());
            line
        }
        Ask::Note { conversation, by, text } => format!("{} notes {conversation} {text}", mover(*by)),
        Ask::DrainAgent { agent, draining } => format!("admin drains {agent} {}", if *draining { "yes" } else { "no" }),
        Ask::DrainQueue { queue, draining } => {
            let mut line = format!("admin drains_queue {queue}");
            match draining {
                Some(draining) => add(&mut line, "to", Some(draining.to.as_deref().unwrap_or("-"))),
                None => line.push_str(" no"),
            }
            line
        }
        Ask::ListWaiting { by, queue, after: _, limit } => format!("{} lists {queue} {limit}", mover(*by)),
        _ => unreachable!("only moves are given here"),
    }
}

fn moved(ask: &MoveAsk) -> String {
    let (by, id) = (mover(ask.by), ask.conversation);
    match &ask.deed {
        Deed::TransferToAgent { agent, warm } => {
            format!("{by} transfers {id} to {agent}{}", if *warm { " warm" } else { "" })
        }
        Deed::TransferToQueue { queue, waiting_since } => {
            let mut line = format!("{by} queues {id} in {queue}");
            add(&mut line, "since", waiting_since.map(|since| format!("{}s", since.0 as f64 / 1_000.0)));
            line
        }
        Deed::CancelTransfer => format!("{by} cancels {id}"),
        Deed::HandOver => format!("{by} hands_over {id}"),
        Deed::Leave => format!("{by} leaves {id}"),
        Deed::Pick => format!("{by} picks {id}"),
        Deed::Assign { to, expected_owner, force } => {
            let mut line = format!("{by} assigns {id}");
            add(&mut line, "to", to.as_ref());
            add(&mut line, "from", expected_owner.as_ref());
            add(&mut line, "force", force.then_some("yes"));
            line
        }
    }
}

pub(super) fn event(event: &Event) -> String {
    match event {
        Event::ConversationTransferred { conversation, from, queue, skills, cool_down_until, .. } => {
            let mut line = format!("{conversation} transferred {from} {queue}");
            add(&mut line, "skills", (!skills.is_empty()).then(|| required(skills)));
            add(&mut line, "cool", cool_down_until.map(at));
            line
        }
        Event::ConversationTaken { conversation, from, to, how, by: _, forced, public: _ } => {
            let mut line = format!("{conversation} {} {to}", how.name());
            add(&mut line, "from", *from);
            line.push_str(if *forced { " forced" } else { "" });
            line
        }
        Event::ConversationHandedOver { conversation, from, to, public: _ } => {
            format!("{conversation} handed over {from} {to}")
        }
        Event::ConversationLeft { conversation, agent, public: _ } => format!("{conversation} left {agent}"),
        Event::NotePosted { conversation, note, author, text, after } => {
            let author = author.map_or("admin".into(), |author| author.to_string());
            format!("{conversation} note {note} {author} after={after} {text}")
        }
        Event::AgentDraining { agent, draining } => {
            format!("{agent} {}", if *draining { "drains" } else { "drains no more" })
        }
        _ => unreachable!("only moves are given here"),
    }
}

/// `waiting c1, c2 lacks_skill and more`.
pub(super) fn page(page: &WaitingPage) -> String {
    let row = |row: &crate::desk::waiting_page::WaitingRow| match row.rule {
        Some(rule) => format!("{} {}", row.key.conversation, rule.name()),
        None => row.key.conversation.to_string(),
    };
    let rows: Vec<String> = page.rows.iter().map(row).collect();
    format!("waiting {}{}", rows.join(", "), if page.more { " and more" } else { "" })
}

pub(in crate::simulate::notation) fn mover(by: Mover) -> String {
    match by {
        Mover::Agent(agent) => agent.to_string(),
        Mover::Supervisor(agent) => format!("supervisor {agent}"),
        Mover::Admin => "admin".into(),
    }
}
