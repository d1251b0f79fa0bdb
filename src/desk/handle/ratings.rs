//! Ratings: by a conversation's own customer, once its talk is over, for a time.

use super::conversations::wrong_state;
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::conversation::State;
use crate::desk::event::Event;
use crate::desk::needs::Loaded;
use crate::desk::ratings::{RATED_TIMES_MAX, RateAsk};
use crate::desk::refusal::Refusal;

impl Desk {
    /// Of what the desk no longer holds the event carries it whole, so that a replay needs nothing from elsewhere.
    pub(super) fn rate(&mut self, ask: &RateAsk, loaded: &Loaded, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let id = ask.conversation;
        let here = self.conversation(id);
        let held = here.or_else(|| self.closed(id, loaded)).ok_or(Refusal::NoSuchConversation(id))?;
        if held.customer != ask.customer {
            return Err(Refusal::NoSuchConversation(id));
        }
        match held.state {
            State::WrapUp { .. } | State::Closed => {}
            State::Waiting | State::Offered {} | State::Active { .. } => return Err(wrong_state(id, held)),
        }
        let before = held.rating();
        let rules = &self.settings.rating;
        let times = before.map_or(0, |rating| rating.times);
        let over = !rules.allow(held.ended_at, self.now.wall) || held.imported().is_some();
        if over || times >= RATED_TIMES_MAX {
            return Err(Refusal::RatingOver(id));
        }
        rules.check_score(ask.score)?;
        let before = before.map(|rating| rating.score);
        let was = here.is_none().then(|| Box::new(held.clone()));
        let (score, comment) = (ask.score, ask.comment.clone());
        self.emit(events, Event::ConversationRated { conversation: id, score, comment, before, was });
        Ok(Answer::Done)
    }
}
