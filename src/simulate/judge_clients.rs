//! Judges what clients were told: only what is committed, the same thing each time, and nothing false.

use super::journal::Lived;
use super::judge::Judge;
use super::notation;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Author, Command};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::ConversationId;
use crate::desk::refusal::Refusal;
use crate::journal::Position;

impl Judge {
    /// A reply, as of the position that it rests on.
    pub fn told(
        &mut self,
        command: &Command,
        result: &Result<Answer, Refusal>,
        position: Position,
    ) -> Result<(), String> {
        let line = || format!("{} -> {}", notation::ask(&command.ask), notation::result(result));
        if position > self.position {
            return Err(format!("told before it was committed: {}", line()));
        }
        self.kinds.told(&command.ask, result);
        let key = command.id.map(|id| (command.principal, id));
        let outcome = key.and_then(|key| self.outcomes.get(&key).or_else(|| self.idle.get(&key)));
        match (result, outcome) {
            (Ok(answer), Some((fingerprint, first)))
                if answer != first && *answer != first.clone().again() || *fingerprint != command.fingerprint =>
            {
                return Err(format!("{}, and it was {first:?} before", line()));
            }
            (Ok(Answer::Posted { .. } | Answer::Received { .. } | Answer::Opened { .. }), None) => {
                return Err(format!("{}, and the journal does not know it", line()));
            }
            (Err(Refusal::IdReused), None) => return Err(format!("{}, and it was not", line())),
            (Err(refusal), Some((fingerprint, first)))
                if *refusal != Refusal::IdReused && *fingerprint == command.fingerprint =>
            {
                return Err(format!("{}, and it was done before: {first:?}", line()));
            }
            _ => {}
        }
        if let (Ok(answer), Some(key), None) = (result, key, outcome)
            && command.ask.may_matter_later()
        {
            self.idle.insert(key, (command.fingerprint, answer.clone()));
        }
        match result {
            Ok(Answer::Accepted { conversation }) => self.accepted(command, *conversation),
            Err(Refusal::OfferGone { offer, end }) => match self.offers.get(offer) {
                Some(seen) if seen.end == Some(*end) => Ok(()),
                _ => Err(format!("{}, which is not its end", line())),
            },
            // What came to be later in the same turn was not there yet.
            Err(Refusal::NoSuchOffer(offer)) => match self.offers.get(offer) {
                Some(seen) if seen.made_in < position => Err(line()),
                _ => Ok(()),
            },
            Err(Refusal::NoSuchConversation(id)) => {
                self.no_such_conversation(command, *id, position).map_err(|()| line())
            }
            _ => Ok(()),
        }
    }

    /// Something has changed: what was told of commands that changed nothing must be remembered from here on, whatever fails.
    pub fn idle_ones_are_kept(&mut self) -> Result<(), String> {
        for (key, told) in std::mem::take(&mut self.idle) {
            if self.outcomes.get(&key) != Some(&told) {
                return Err(format!("{key:?} was told {told:?}, and the journal does not know it"));
            }
        }
        Ok(())
    }

    fn accepted(&self, command: &Command, conversation: ConversationId) -> Result<(), String> {
        let Ask::Accept { agent, offer } = &command.ask else { return Err("accepted what it did not ask".into()) };
        let seen = self.offers.get(offer);
        let won = seen.is_some_and(|seen| {
            (seen.agent, seen.conversation, seen.end) == (*agent, conversation, Some(OfferEnd::Accepted))
        });
        if won { Ok(()) } else { Err(format!("{agent} was told that it won {offer}")) }
    }

    /// Only somebody else's customer may be told so. (Where customers were merged, both answers were right once.)
    fn no_such_conversation(&self, command: &Command, id: ConversationId, position: Position) -> Result<(), ()> {
        let Some(talk) = self.talks.get(&id).filter(|talk| !talk.merged && talk.opened_in < position) else {
            return Ok(());
        };
        match &command.ask {
            Ask::Post { author: Author::Customer(customer), .. }
            | Ask::Read { reader: Author::Customer(customer), .. }
                if *customer != talk.customer =>
            {
                Ok(())
            }
            Ask::Close { by: crate::desk::command::Closer::Customer(customer), .. } if *customer != talk.customer => {
                Ok(())
            }
            Ask::Typing { author: Author::Customer(customer), .. } if *customer != talk.customer => Ok(()),
            Ask::Rate(ask) if ask.customer != talk.customer => Ok(()),
            Ask::Describe { customer, .. } if *customer != talk.customer => Ok(()),
            // A service hears nothing of what another channel carries.
            Ask::ReportDelivery(ask) if self.channel_of(talk) != &*ask.channel => Ok(()),
            _ => Err(()),
        }
    }

    /// A delta: it is in the journal, word for word.
    pub fn event_is_committed(
        &self,
        position: Position,
        place: usize,
        event: &Event,
        lived: &Lived,
    ) -> Result<(), String> {
        if position > self.position || lived.events.get(place) != Some(event) {
            return Err(format!("a delta that is not committed: {}", notation::event(event)));
        }
        Ok(())
    }
}
