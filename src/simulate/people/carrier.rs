//! A service of the workspace's own that carries messages: it reports what became of them, late, twice, out of order, or of what it was
//! never given.

use crate::desk::Desk;
use crate::desk::command::Ask;
use crate::desk::ids::ConversationId;
use crate::desk::outside::{DeliveryAsk, DeliveryState};
use crate::simulate::dice::Dice;

pub fn act(dice: &mut Dice, desk: &Desk) -> Option<Ask> {
    let carried: Vec<ConversationId> =
        desk.conversations().filter(|(_, held)| held.line().is_some()).map(|(id, _)| id).collect();
    // Mostly one that is open, now and then any there ever was.
    let any = ConversationId(dice.between(1, desk.last_conversation().0.max(1) + 1));
    let conversation = dice.pick(&carried).copied().filter(|_| dice.per_mille(700)).unwrap_or(any);
    let last = desk.conversation(conversation).map_or(3, |held| held.last_number);
    let state = *dice.pick(&DeliveryState::ALL)?;
    let reason = (state == DeliveryState::Failed).then(|| "no such number".into());
    let channel = if dice.per_mille(900) { "email" } else { "chat" };
    let number = dice.between(1, u64::from(last) + 1) as u32;
    Some(Ask::ReportDelivery(Box::new(DeliveryAsk { channel: channel.into(), conversation, number, state, reason })))
}
