//! History from elsewhere: written down, and nothing else. Nobody is offered it, no clock runs for it, and the desk does not hold it: it is closed.

use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Author, Notice};
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::ids::{ConversationId, ImportId};
use crate::desk::imported::{Beginning, By, Entry, FoundImport, ImportAsk, PARTS_MAX, Part};
use crate::desk::needs::Loaded;
use crate::desk::refusal::Refusal;

impl Desk {
    /// A part that is here already changes nothing, whoever brings it and whatever it holds now.
    pub(super) fn import(
        &mut self,
        ask: &ImportAsk,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        let found = self.import_found(ask.import, loaded);
        let part = ask.part();
        if let Some((conversation, held)) = &found
            && let Some(imported) = held.imported()
            && part <= imported.parts
        {
            return Ok(Answer::Imported { conversation: *conversation, parts: imported.parts, was_here: true });
        }
        let (conversation, mut held) = match (&ask.part, found) {
            (Part::First(beginning), _) => self.begin_import(ask.import, beginning)?,
            (Part::Next(_), Some(found)) => found,
            (Part::Next(_), None) => return Err(Refusal::PartMissing { next: 1 }),
        };
        let next = held.imported().map_or(0, |imported| imported.parts) + 1;
        if part != next {
            return Err(Refusal::PartMissing { next });
        }
        if part > PARTS_MAX {
            return Err(Refusal::TooMany { what: "parts".into(), most: PARTS_MAX as usize });
        }
        let mut written = Vec::with_capacity(ask.entries.len());
        for entry in &ask.entries {
            written.push(write_down(conversation, &mut held, entry));
        }
        held.change_imported(|imported| {
            imported.parts = part;
            imported.last_at = ask.entries.last().map_or(imported.last_at, |last| last.at);
        });
        (held.read_by_agent, held.read_by_customer) = (held.last_number, held.last_number);
        self.emit(events, Event::ConversationImported { conversation, part, held: Box::new(held) });
        for event in written {
            self.emit(events, event);
        }
        Ok(Answer::Imported { conversation, parts: part, was_here: false })
    }

    /// As the view has it, or as it became in this very turn.
    fn import_found(&self, import: ImportId, loaded: &Loaded) -> Option<FoundImport> {
        let is_it = |held: &&Conversation| held.imported().is_some_and(|imported| imported.import == import);
        let mut in_this_turn = self.touched.conversations.iter();
        let in_this_turn =
            in_this_turn.find_map(|(id, last)| last.as_deref().filter(is_it).map(|held| (*id, held.clone())));
        in_this_turn.or_else(|| loaded.imports.get(&import).cloned())
    }

    fn begin_import(&self, import: ImportId, beginning: &Beginning) -> Result<FoundImport, Refusal> {
        let Some(queue) = self.queues.get(&beginning.queue) else {
            return Err(Refusal::BadSetting { field: "queue".into(), what: "it has just been removed".into() });
        };
        let rules = &self.settings.labels;
        let labels = rules.labelled(&queue.settings.labels, None, &beginning.labels)?;
        let id = ConversationId(self.last_conversation + 1);
        Ok((id, beginning.conversation(import, labels, self.now.wall)))
    }
}

/// The event of one entry; the conversation counts it.
fn write_down(conversation: ConversationId, held: &mut Conversation, entry: &Entry) -> Event {
    let (at, text) = (entry.at, entry.text.clone());
    let author = match entry.by {
        By::Customer => Author::Customer(held.customer),
        By::Agent(agent) => Author::Agent(agent),
        By::Other => Author::System(Notice::Imported),
        By::Note(author) => {
            let (note, after) = (held.notes() + 1, held.last_number);
            held.change_moved(|moved| moved.notes = note);
            return Event::NoteImported { conversation, note, author, text, at, after };
        }
    };
    held.last_number += 1;
    held.public += 1;
    let (number, public) = (held.last_number, held.public);
    Event::MessageImported { conversation, number, author, text, at, public }
}
