//! A router of the workspace's own, outside: it answers some of what is wanted of it, well or badly, late or never.

use crate::desk::Desk;
use crate::desk::ids::{ConversationId, DecisionId};
use crate::simulate::dice::Dice;

/// What it asks now, as a line.
pub fn act(dice: &mut Dice, agents: u32, calm: bool, desk: &Desk) -> Option<String> {
    if !dice.per_mille(if calm { 500 } else { 150 }) {
        return None;
    }
    let pending: Vec<(DecisionId, ConversationId)> = desk.decisions().collect();
    if dice.per_mille(200) {
        let known: Vec<String> = pending.iter().map(|(decision, _)| decision.to_string()).collect();
        return Some(format!("router lists {}", if known.is_empty() { "-".into() } else { known.join(",") }));
    }
    let (mut decision, mut conversation) = *dice.pick(&pending)?;
    if !calm && dice.per_mille(100) {
        // One of before, of none yet, or about something else.
        decision = DecisionId(dice.between(1, decision.0 + 3));
        conversation = ConversationId(dice.between(1, conversation.0 + 1));
    }
    if dice.per_mille(200) {
        return Some(format!("router leaves {conversation} {decision}"));
    }
    let owner = if !calm && dice.per_mille(50) { " from=a0" } else { "" };
    Some(format!("router decides {conversation} {decision} to=a{}{owner}", dice.below(u64::from(agents))))
}
