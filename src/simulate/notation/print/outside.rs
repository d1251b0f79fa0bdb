//! Lines of what comes from outside.

use super::{add, author, customer};
use crate::desk::command::Ask;
use crate::desk::event::Event;
use crate::desk::ids::KeyNumber;

pub(super) fn ask(ask: &Ask) -> String {
    match ask {
        Ask::Receive(ask) => {
            let open = &ask.open;
            let mut line =
                format!("{} writes t{} {} in {}", customer(open.customer), ask.thread.0, open.channel, open.queue);
            add(&mut line, "found", ask.found);
            add(&mut line, "key", (open.key != KeyNumber(1)).then_some(open.key.0));
            add(&mut line, "or_message", open.or_message.then_some("yes"));
            add(&mut line, "text", Some(&ask.text));
            line
        }
        Ask::ReportDelivery(ask) => {
            let reason = ask.reason.as_deref().map_or(String::new(), |reason| format!(" {reason}"));
            format!("carrier {} {} {} {}{reason}", ask.channel, ask.conversation, ask.number, ask.state.name())
        }
        Ask::Import(ask) => {
            format!("importer {:x} part={} entries={}", ask.import.0 >> 64, ask.part(), ask.entries.len())
        }
        _ => unreachable!("only what comes from outside is printed here"),
    }
}

pub(super) fn event(event: &Event) -> String {
    match event {
        Event::ConversationImported { conversation, part, held } => {
            let mut line = format!("{conversation} imported part={part} {} in {}", customer(held.customer), held.queue);
            add(&mut line, "owner", held.last_owner());
            line
        }
        Event::MessageImported { conversation, number, author: by, text, at: _, public: _ } => {
            format!("{conversation} had {number} {} {text}", author(*by))
        }
        Event::NoteImported { conversation, note, author, text, at: _, after } => {
            let author = author.map_or("nobody".into(), |author| author.to_string());
            format!("{conversation} had note {note} {author} after={after} {text}")
        }
        _ => unreachable!("only what comes from outside is printed here"),
    }
}
