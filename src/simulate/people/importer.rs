//! Somebody who brings history from elsewhere: few conversations, in parts, again and again, out of order, and several times at once.

use crate::desk::Desk;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::{AgentId, CommandId, CustomerId, ImportId, KeyNumber, Principal, QueueId};
use crate::desk::imported::{Beginning, By, Entry, ImportAsk, Part, Rated};
use crate::desk::labels::LabelChange;
use crate::desk::settings::ChannelId;
use crate::desk::time::WallTime;
use crate::simulate::dice::Dice;

const IMPORTS: u64 = 40;
const PARTS: u64 = 3;

pub fn act(dice: &mut Dice, desk: &Desk) -> Command {
    let import = ImportId(u128::from(dice.between(1, IMPORTS)) << 64);
    let part = dice.between(1, PARTS) as u32;
    let now = desk.now().wall.0;
    let opened_at = now.saturating_sub(dice.between(86_400_000, 999_999_999));
    let entries = (0..dice.below(4)).map(|place| entry(dice, opened_at + place)).collect();
    let first = Beginning {
        customer: CustomerId(u128::from(dice.between(1, 5))),
        key: KeyNumber(1),
        channel: ChannelId(dice.below(3) as u8),
        queue: QueueId(dice.between(1, 3) as u32),
        owner: dice.per_mille(500).then_some(AgentId(0)),
        about: "about".into(),
        labels: LabelChange { disposition: dice.per_mille(300).then(|| "solved".into()), ..LabelChange::default() },
        opened_at: WallTime(opened_at),
        closed_at: WallTime(now.saturating_sub(dice.below(3_600_000))),
        rating: dice.per_mille(300).then_some(Rated { score: 5, comment: None }),
    };
    let part = if part == 1 { Part::First(Box::new(first)) } else { Part::Next(part) };
    let ask = ImportAsk { import, part, entries };
    // As the gateway makes it: whoever brings it, and whatever it holds, it is the same command.
    let id = CommandId(import.0 | u128::from(ask.part()));
    Command { principal: Principal::Visitor, id: Some(id), fingerprint: 0, ask: Ask::Import(Box::new(ask)) }
}

fn entry(dice: &mut Dice, at: u64) -> Entry {
    let by = *dice.pick(&[By::Customer, By::Agent(AgentId(0)), By::Other, By::Note(None)]).unwrap_or(&By::Customer);
    Entry { at: WallTime(at), by, text: "text".into() }
}
