//! Lines of labels: `a0 labels c1 {"disposition":"solved"}`, `a0 labels_and_closes c1 …`, `a0 labels_and_ends c1 …`.

use super::parse::NotALine;
use super::print::mover;
use crate::desk::event::Event;
use crate::desk::ids::ConversationId;
use crate::desk::labels::{LabelAsk, ThenEnd};
use crate::desk::moves::Mover;

const VERBS: [(&str, ThenEnd); 3] =
    [("labels", ThenEnd::Nothing), ("labels_and_closes", ThenEnd::Talk), ("labels_and_ends", ThenEnd::WrapUp)];

pub(super) fn then_of(verb: &str) -> Option<ThenEnd> {
    VERBS.iter().find(|(known, _)| *known == verb).map(|(_, then)| *then)
}

pub(super) fn read(conversation: ConversationId, by: Mover, then: ThenEnd, json: &str) -> Result<LabelAsk, NotALine> {
    let change = serde_json::from_str(json).map_err(|why| NotALine(why.to_string()))?;
    Ok(LabelAsk { conversation, by, change, then })
}

pub(super) fn ask(ask: &LabelAsk) -> String {
    let verb = VERBS.iter().find(|(_, then)| *then == ask.then).map_or("labels", |(verb, _)| verb);
    let change = serde_json::to_string(&ask.change).expect("changes are plain values");
    format!("{} {verb} {} {change}", mover(ask.by), ask.conversation)
}

pub(super) fn event(event: &Event) -> String {
    let Event::ConversationLabelled { conversation, by, labels } = event else {
        unreachable!("only labels are printed here")
    };
    let labels = serde_json::to_string(labels).expect("labels are plain values");
    format!("{conversation} labelled {} {labels}", mover(*by))
}
