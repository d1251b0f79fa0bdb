//! What a conversation's course says: how long it waited and how that ended, who had it for how long, and what came of it.
//!
//! ```text
//!   into a queue: opened, reopened, requeued, transferred_in, moved_in
//!   out of it:    answered, abandoned, closed_waiting, moved_out; or it waits still
//! ```

use super::bucket_of;
use super::fold::{Fold, Kept};
use super::histogram::Course;
use super::measures::*;
use super::talk::{Owner, Rated, Talk};
use crate::desk::clocks::{Clock, ClockEnd};
use crate::desk::command::{Author, Closer};
use crate::desk::conversation::Conversation;
use crate::desk::event::Event;
use crate::desk::ids::AgentId;
use crate::desk::moves::Taken;

impl Fold {
    pub(super) fn conversations<K: Kept>(&mut self, event: &Event, kept: &mut K) -> Result<(), K::Failed> {
        let (id, was) = match event {
            Event::ConversationOpened { conversation, queue, channel, left, message, .. } => {
                let mut talk = Talk {
                    queue: *queue,
                    channel: *channel,
                    left: *left || *message,
                    began_at: self.now,
                    ..Talk::default()
                };
                self.wait(&mut talk, OPENED, None);
                self.talks.insert(*conversation, talk);
                return Ok(());
            }
            Event::ConversationReopened { conversation, was, .. }
            | Event::ConversationRated { conversation, was, .. } => (*conversation, was.as_deref()),
            Event::MessagePosted { conversation, .. }
            | Event::ConversationEnded { conversation, .. }
            | Event::WrapUpEnded { conversation, .. }
            | Event::ConversationRequeued { conversation, .. }
            | Event::ConversationTransferred { conversation, .. }
            | Event::ConversationTaken { conversation, .. }
            | Event::ConversationHandedOver { conversation, .. }
            | Event::ConversationLeft { conversation, .. }
            | Event::ConversationMoved { conversation, .. }
            | Event::ClockEnded { conversation, .. } => (*conversation, None),
            _ => unreachable!("only what is said of conversations is given here"),
        };
        let known = self.talk(id, kept)?;
        let Some(mut talk) = known.or_else(|| was.map(talk_of)) else { return Ok(()) };
        self.course(&mut talk, event, kept)?;
        self.talks.insert(id, talk);
        Ok(())
    }

    fn course<K: Kept>(&mut self, talk: &mut Talk, event: &Event, kept: &mut K) -> Result<(), K::Failed> {
        match event {
            Event::MessagePosted { author, .. } => self.message(talk, *author),
            Event::ConversationEnded { by, wrap_up_until, .. } => {
                match talk.owner {
                    Some(_) => self.closed(talk, *by),
                    None => self.ended_waiting(talk, *by),
                }
                match &mut talk.owner {
                    Some(owner) if wrap_up_until.is_some() => owner.wraps_since = Some(self.now),
                    _ => self.lose(talk, kept)?,
                }
            }
            Event::WrapUpEnded { .. } => self.lose(talk, kept)?,
            Event::ConversationReopened { queue, owner, .. } => {
                self.lose(talk, kept)?;
                (talk.queue, talk.began_at, talk.left) = (*queue, self.now, false);
                match owner {
                    Some(owner) => {
                        self.count(talk, Some(*owner), REOPENED_TO_OWNER, 1);
                        self.gain(talk, *owner, kept)?;
                    }
                    None => self.wait(talk, REOPENED, None),
                }
            }
            Event::ConversationRequeued { from, .. } => {
                self.lose(talk, kept)?;
                self.wait(talk, REQUEUED, Some(*from));
            }
            Event::ConversationTransferred { from, queue, .. } => {
                self.count(talk, Some(*from), TRANSFERRED_OUT, 1);
                self.lose(talk, kept)?;
                talk.queue = *queue;
                self.wait(talk, TRANSFERRED_IN, None);
            }
            Event::ConversationTaken { from, to, how, .. } => {
                if let Some(from) = from {
                    self.count(talk, Some(*from), TAKEN_AWAY, 1);
                    self.lose(talk, kept)?;
                    self.count(talk, Some(*to), TAKEN, 1);
                } else if *how == Taken::Started {
                    // It was opened in the same turn, and nobody waited.
                    self.count(talk, None, OPENED, -1);
                    self.count(talk, Some(*to), STARTED, 1);
                    (talk.waits_since, talk.replied) = (None, true);
                } else {
                    self.answer(talk, *to);
                    self.count(talk, Some(*to), TAKEN, 1);
                }
                self.gain(talk, *to, kept)?;
            }
            Event::ConversationHandedOver { from, to, .. } => {
                self.count(talk, Some(*from), TRANSFERRED_OUT, 1);
                self.leave(talk, *to, kept)?;
                self.lose(talk, kept)?;
                self.count(talk, Some(*to), TRANSFERS_TAKEN, 1);
                self.gain(talk, *to, kept)?;
            }
            Event::ConversationLeft { agent, .. } => self.leave(talk, *agent, kept)?,
            Event::ConversationMoved { queue, .. } => {
                if talk.waits_since.take().is_some() {
                    self.count(talk, None, MOVED_OUT, 1);
                    talk.queue = *queue;
                    self.wait(talk, MOVED_IN, None);
                }
                talk.queue = *queue;
            }
            Event::ConversationRated { score, .. } => self.rated(talk, *score),
            Event::ClockEnded { clock, queue, end, late, .. } => {
                let (bucket, channel) = (bucket_of(self.now), talk.channel);
                self.count_at(bucket, *queue, channel, None, clock_measure(*clock, *end, *late), 1);
            }
            _ => unreachable!("only what is said of a known conversation is given here"),
        }
        Ok(())
    }

    /// It waits in its queue from now on; a message that was left does so without anybody who waits.
    fn wait(&mut self, talk: &mut Talk, entry: Measure, from: Option<AgentId>) {
        if talk.left {
            self.count(talk, None, LEFT, 1);
            return;
        }
        self.count(talk, from, entry, 1);
        talk.waits_since = Some(self.now);
    }

    /// The wait is over: this agent has it.
    pub(super) fn answer(&mut self, talk: &mut Talk, agent: AgentId) {
        if std::mem::take(&mut talk.left) {
            self.count(talk, Some(agent), LEFT_ANSWERED, 1);
            // A reply to what nobody waited for is none that was waited for.
            talk.replied = true;
        } else if let Some(since) = talk.waits_since.take() {
            let ms = self.now.saturating_sub(since);
            self.count(talk, Some(agent), ANSWERED, 1);
            self.count(talk, Some(agent), ANSWER_MS, ms as i64);
            self.count(talk, Some(agent), ANSWER_MS_MAX, ms as i64);
            self.time(talk, Some(agent), Course::Answer, ms);
            if ms <= self.facts.answer_within_ms(talk.queue) {
                self.count(talk, Some(agent), ANSWERED_IN_TIME, 1);
            }
        }
    }

    fn ended_waiting(&mut self, talk: &mut Talk, by: Closer) {
        if std::mem::take(&mut talk.left) {
            return self.count(talk, None, LEFT_CLOSED, 1);
        }
        let Some(since) = talk.waits_since.take() else { return };
        let Closer::Customer(_) = by else { return self.count(talk, None, CLOSED_WAITING, 1) };
        let ms = self.now.saturating_sub(since);
        self.count(talk, None, ABANDONED, 1);
        self.count(talk, None, ABANDON_MS, ms as i64);
        self.count(talk, None, ABANDON_MS_MAX, ms as i64);
        if ms <= SHORT_MS {
            self.count(talk, None, ABANDONED_SHORT, 1);
        }
        if ms <= self.facts.answer_within_ms(talk.queue) {
            self.count(talk, None, ABANDONED_IN_TIME, 1);
        }
    }

    fn closed(&mut self, talk: &Talk, by: Closer) {
        let owner = talk.owner.map(|owner| owner.agent);
        let measure = match by {
            Closer::Agent(_) => CLOSED_BY_AGENT,
            Closer::Customer(_) => CLOSED_BY_CUSTOMER,
            Closer::Supervisor(_) | Closer::Admin => CLOSED_BY_ADMIN,
            Closer::System => CLOSED_BY_SYSTEM,
        };
        self.count(talk, owner, measure, 1);
        self.count(talk, owner, RESOLUTION_MS, self.now.saturating_sub(talk.began_at) as i64);
    }

    /// An agent owns it from now on.
    pub(super) fn gain<K: Kept>(&mut self, talk: &mut Talk, agent: AgentId, kept: &mut K) -> Result<(), K::Failed> {
        talk.owner = Some(Owner { agent, since: self.now, wraps_since: None });
        self.hold(agent, true, kept)
    }

    /// Its owner has it no longer, if it had one: what that one did is counted now.
    pub(super) fn lose<K: Kept>(&mut self, talk: &mut Talk, kept: &mut K) -> Result<(), K::Failed> {
        let Some(Owner { agent, since, wraps_since }) = talk.owner.take() else { return Ok(()) };
        let talked_to = wraps_since.unwrap_or(self.now);
        let (talk_ms, wrap_up_ms) = (talked_to.saturating_sub(since), self.now.saturating_sub(talked_to));
        self.count(talk, Some(agent), HANDLED, 1);
        self.count(talk, Some(agent), TALK_MS, talk_ms as i64);
        self.count(talk, Some(agent), WRAP_UP_MS, wrap_up_ms as i64);
        self.count(talk, Some(agent), HANDLE_MS_MAX, (talk_ms + wrap_up_ms) as i64);
        self.time(talk, Some(agent), Course::Handle, talk_ms + wrap_up_ms);
        talk.last_owner = Some(agent);
        self.hold(agent, false, kept)
    }

    fn leave<K: Kept>(&mut self, talk: &mut Talk, agent: AgentId, kept: &mut K) -> Result<(), K::Failed> {
        match talk.joined.take_if(|joined| *joined == agent) {
            Some(agent) => self.hold(agent, false, kept),
            None => Ok(()),
        }
    }

    fn message(&mut self, talk: &mut Talk, author: Author) {
        let agent = match author {
            Author::Customer(_) => return self.count(talk, None, MESSAGES_OF_CUSTOMERS, 1),
            Author::System(_) => return,
            Author::Agent(agent) => agent,
        };
        self.count(talk, Some(agent), MESSAGES_OF_AGENTS, 1);
        if std::mem::replace(&mut talk.replied, true) {
            return;
        }
        let ms = self.now.saturating_sub(talk.began_at);
        self.count(talk, Some(agent), FIRST_REPLIES, 1);
        self.count(talk, Some(agent), FIRST_REPLY_MS, ms as i64);
        self.time(talk, Some(agent), Course::FirstReply, ms);
        if ms <= self.facts.first_reply_within_ms(talk.queue) {
            self.count(talk, Some(agent), FIRST_REPLIES_IN_TIME, 1);
        }
    }

    /// The last rating counts, where it was given: the one before it is taken back from where that was.
    fn rated(&mut self, talk: &mut Talk, score: u8) {
        if let Some(Rated { score, bucket, queue, agent }) = talk.rated.take()
            && let Some(measure) = rated(score)
        {
            self.count_at(bucket, queue, talk.channel, agent, measure, -1);
        }
        let Some(measure) = rated(score) else { return };
        let agent = talk.owner.map(|owner| owner.agent).or(talk.last_owner);
        self.count(talk, agent, measure, 1);
        talk.rated = Some(Rated { score, bucket: bucket_of(self.now), queue: talk.queue, agent });
    }
}

/// One that ended before the reports began.
fn talk_of(was: &Conversation) -> Talk {
    Talk {
        queue: was.queue,
        channel: was.channel,
        began_at: was.opened_at.0,
        replied: true,
        last_owner: was.last_owner(),
        ..Talk::default()
    }
}

fn clock_measure(clock: Clock, end: ClockEnd, late: bool) -> Measure {
    let [achieved, too_late, voided] = match clock {
        Clock::Accept => [ACCEPT_ACHIEVED, ACCEPT_LATE, ACCEPT_VOIDED],
        Clock::FirstReply => [FIRST_REPLY_ACHIEVED, FIRST_REPLY_LATE, FIRST_REPLY_VOIDED],
        Clock::NextReply => [NEXT_REPLY_ACHIEVED, NEXT_REPLY_LATE, NEXT_REPLY_VOIDED],
        Clock::Resolution => [RESOLUTION_ACHIEVED, RESOLUTION_LATE, RESOLUTION_VOIDED],
    };
    match end {
        ClockEnd::Voided => voided,
        ClockEnd::Achieved if late => too_late,
        ClockEnd::Achieved => achieved,
    }
}
