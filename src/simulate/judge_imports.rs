//! The judge's own reading of history from elsewhere: each conversation is here once, its parts follow each other, and what is in it is
//! counted without a gap. No other event is ever about one, but that its customer turned out to be another.

use crate::desk::conversation::State;
use crate::desk::event::Event;
use crate::desk::ids::{ConversationId, ImportId};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Imports {
    of: BTreeMap<ImportId, ConversationId>,
    held: BTreeMap<ConversationId, Counted>,
}

#[derive(Default)]
struct Counted {
    parts: u32,
    messages: u32,
    notes: u32,
    /// As the conversation said with its last part.
    told: (u32, u32, u32),
}

impl Imports {
    pub fn has(&self, id: ConversationId) -> bool {
        self.held.contains_key(&id)
    }

    /// `opened`: whether a conversation of this id was opened here.
    pub fn hear(&mut self, event: &Event, opened: impl Fn(ConversationId) -> bool) -> Result<(), String> {
        match event {
            Event::ConversationImported { conversation: id, part, held } => {
                let imported = held.imported().ok_or_else(|| format!("{id} is imported from nowhere"))?;
                let before = self.of.insert(imported.import, *id).filter(|before| before != id);
                if let Some(before) = before {
                    return Err(format!("{:?} is here twice: {before} and {id}", imported.import));
                }
                let counted = self.held.entry(*id).or_default();
                if *part != counted.parts + 1 || imported.parts != *part || opened(*id) {
                    return Err(format!("part {part} of {id} comes after {}", counted.parts));
                }
                counted.parts = *part;
                counted.told = (held.last_number, held.notes(), held.public);
                let closed = held.state == State::Closed && held.offers.is_empty();
                if closed { Ok(()) } else { Err(format!("{id} is imported and {}", held.state.name())) }
            }
            Event::MessageImported { conversation: id, number, public, .. } => {
                let counted = self.held.get_mut(id).ok_or_else(|| format!("{id} was never imported"))?;
                counted.messages += 1;
                let right = *number == counted.messages && *public == number + 1;
                if right { Ok(()) } else { Err(format!("{id} has the message {number}, seen as {public}")) }
            }
            Event::NoteImported { conversation: id, note, after, .. } => {
                let counted = self.held.get_mut(id).ok_or_else(|| format!("{id} was never imported"))?;
                counted.notes += 1;
                let right = *note == counted.notes && *after == counted.messages;
                if right { Ok(()) } else { Err(format!("{id} has the note {note} after {after}")) }
            }
            _ => Ok(()),
        }
    }

    /// After a record: what a conversation says of itself is what came with it.
    pub fn are_whole(&self) -> Result<(), String> {
        for (id, counted) in &self.held {
            if counted.told != (counted.messages, counted.notes, counted.messages + 1) {
                return Err(format!("{id} tells of {:?}", counted.told));
            }
        }
        Ok(())
    }
}
