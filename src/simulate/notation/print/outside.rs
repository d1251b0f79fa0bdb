//! Lines of what comes from outside.

use super::{add, customer};
use crate::desk::command::Ask;
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
        _ => unreachable!("only what comes from outside is printed here"),
    }
}
