//! Customers' keys that other nodes made. Each is on its way before anything is sealed with it, and mostly it is here long before that; but
//! they come by another stream than what was committed and what is passed on. So neither is taken here before its keys are: what
//! cannot be opened would be shown without its text, to somebody who is never shown it again.

use crate::desk::command::{Ask, Command};
use crate::desk::event::Event;
use crate::desk::ids;
use crate::desk::imported::Part;
use crate::seal::{KeyNumber, KeyRing, SealFailed};

/// Waits until all of them are known here, for a bounded time.
///
/// # Errors
/// `Unavailable`: one has not come.
pub(super) async fn until_known(
    keys: &KeyRing,
    numbers: impl Iterator<Item = ids::KeyNumber>,
) -> Result<(), SealFailed> {
    for number in numbers {
        keys.until_known(KeyNumber(number.0)).await?;
    }
    Ok(())
}

/// With which these begin something that is sealed. All else in a conversation is sealed with the key that it began with.
pub(super) fn of_events(events: &[Event]) -> impl Iterator<Item = ids::KeyNumber> {
    events.iter().filter_map(|event| match event {
        Event::ConversationOpened { key, .. } => Some(*key),
        Event::ConversationImported { held, .. } => Some(held.key),
        _ => None,
    })
}

/// The same of what is asked.
pub(super) fn of_commands(commands: &[Command]) -> impl Iterator<Item = ids::KeyNumber> {
    commands.iter().filter_map(|command| match &command.ask {
        Ask::Open(open) => Some(open.key),
        Ask::Start(start) => Some(start.key),
        Ask::Import(import) => match &import.part {
            Part::First(beginning) => Some(beginning.key),
            Part::Next(_) => None,
        },
        _ => None,
    })
}
