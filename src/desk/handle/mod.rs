//! Deciding commands: each checks first and emits after, so that a refusal leaves nothing behind.

mod admin;
mod clocks;
mod conversations;
mod decisions;
mod describing;
mod draining;
mod due;
mod imports;
mod labels;
mod moves;
mod notes;
mod offers;
mod outside;
mod presence;
mod ratings;
mod silence;
mod start;
mod statuses;
mod waits;
mod wishes;
mod wrap_up;

use super::Desk;
use super::answer::{Answer, Outcome};
use super::command::{Ask, Command};
use super::conversation::{Conversation, State};
use super::event::Event;
use super::ids::{ConversationId, OfferId, Principal};
use super::needs::Loaded;
use super::offer::EndedOffer;
use super::refusal::Refusal;
use super::remembered::Recall;
use super::time::Now;

impl Desk {
    /// Decide one command. Its events are true for this desk at once; the caller makes them last, or drops the desk.
    ///
    /// `loaded` holds what [`Desk::needs`] asked for. `now` must not be earlier than at the last call.
    ///
    /// # Errors
    /// A refusal, which changes nothing (but that an unreachable agent has been heard of).
    pub fn handle(
        &mut self,
        now: Now,
        command: &Command,
        loaded: &Loaded,
        events: &mut Vec<Event>,
    ) -> Result<Answer, Refusal> {
        self.advance(now);
        let before = events.len();
        self.hear(command, events);
        let result = match self.recalled(command, loaded) {
            Ok(Some(answer)) => Ok(answer.again()),
            Ok(None) => self.decide(command, loaded, events),
            Err(refusal) => Err(refusal),
        };
        self.finish_work(events);
        self.pair(events);
        if let (Ok(answer), Some(id)) = (&result, command.id)
            && (events.len() > before || command.ask.may_matter_later())
        {
            let outcome =
                Outcome { by: command.principal, id, fingerprint: command.fingerprint, answer: answer.clone() };
            self.remember(&outcome);
        }
        result
    }

    /// The answer that this command had before, if it was done before.
    fn recalled(&self, command: &Command, loaded: &Loaded) -> Result<Option<Answer>, Refusal> {
        let Some(id) = command.id else { return Ok(None) };
        let (fingerprint, answer) = match self.recall(command, id) {
            Recall::Known { fingerprint, answer } => (fingerprint, answer),
            Recall::New => return Ok(None),
            Recall::AskTheView => match loaded.outcomes.get(&(command.principal, id)) {
                Some(outcome) => (outcome.fingerprint, &outcome.answer),
                None => return Ok(None),
            },
        };
        if fingerprint == command.fingerprint { Ok(Some(answer.clone())) } else { Err(Refusal::IdReused) }
    }

    /// An unreachable agent whose client says anything is reachable again.
    fn hear(&mut self, command: &Command, events: &mut Vec<Event>) {
        let Principal::Agent(agent) = command.principal else { return };
        let unreachable = self.agent(agent).is_some_and(|a| a.connection == super::agent::Connection::Unreachable);
        if unreachable {
            self.emit(events, Event::AgentReachable { agent });
        }
    }

    fn decide(&mut self, command: &Command, loaded: &Loaded, events: &mut Vec<Event>) -> Result<Answer, Refusal> {
        let ask = match &command.ask {
            Ask::OnlyIf(only_if) if self.is_as_known(only_if) => &only_if.then,
            ask => ask,
        };
        match ask {
            Ask::OnlyIf(_) => Err(Refusal::ChangedMeanwhile),
            Ask::PutSettings(settings) => self.put_settings(settings, events),
            Ask::PutQueue(queue) => self.put_queue(queue, events),
            Ask::RemoveQueue { name } => self.remove_queue(name, events),
            Ask::PutAgent(agent) => self.put_agent(agent, events),
            Ask::PutApiKey(key) => self.put_api_key(key, events),
            Ask::RemoveApiKey { id } => self.remove_api_key(id, events),

            Ask::ServerBegan => self.server_began(events),
            Ask::LeaderBegan => {
                self.look_at_everything();
                // As when a server begins: this release may know the time zone otherwise.
                self.look_at_hours(events);
                Ok(Answer::Done)
            }
            Ask::NodeGone { node } => self.node_gone(*node, events),
            Ask::SessionCame { agent, session, title } => self.session_came(agent, *session, title.as_ref(), events),
            Ask::SessionWent { agent, session } => self.session_went(*agent, *session, events),
            Ask::SetStatus { agent, status, channels } => self.set_status(*agent, status, channels.as_deref(), events),
            Ask::SetNextStatus { agent, status } => self.set_next_status(*agent, status.as_ref(), events),
            Ask::ForceStatus { agent, status, by } => self.force_status(agent, status, *by, events),
            Ask::AgentIsIdle { agent } => self.agent_is_idle(*agent, events),
            // That it spoke was enough.
            Ask::Ready { .. } => Ok(Answer::Done),
            Ask::SignOut { agent } => self.sign_out(*agent, events),
            Ask::SignInEnded { agent, sessions } => self.sign_in_ended(*agent, sessions, events),
            Ask::ListOwn { agent, after } => Ok(Answer::Own { agent: *agent, after: *after }),

            Ask::ConfirmDelivery { agent, offer } => self.confirm_delivery(*agent, *offer, loaded, events),
            Ask::Accept { agent, offer } => self.accept(*agent, *offer, loaded, events),
            Ask::Reject { agent, offer, reason } => self.reject(*agent, *offer, reason, loaded, events),

            Ask::Open(open) => self.open(open, events),
            Ask::Post { conversation, author, text, files } => {
                self.post(*conversation, *author, text, files, loaded, events)
            }
            Ask::Receive(ask) => self.receive(ask, loaded, events),
            Ask::ReportDelivery(ask) => self.report_delivery(ask, loaded, events),
            Ask::Read { conversation, reader, number } => self.read(*conversation, *reader, *number, loaded, events),
            Ask::Typing { conversation, author, draft } => self.typing(*conversation, *author, draft.as_ref(), loaded),
            Ask::Close { conversation, by } => self.close(*conversation, *by, loaded, events),
            Ask::WrapUpDone { conversation, by } => self.wrap_up_done(*conversation, *by, loaded, events),
            Ask::ExtendWrapUp { agent, conversation } => self.extend_wrap_up(*agent, *conversation, loaded, events),
            Ask::Move(ask) => self.move_conversation(ask, loaded, events),
            Ask::Start(start) => self.start(start, events),
            Ask::Note { conversation, by, text } => self.note_down(*conversation, *by, text, loaded, events),
            Ask::Label(ask) => self.label(ask, loaded, events),
            Ask::Rate(ask) => self.rate(ask, loaded, events),
            Ask::Import(ask) => self.import(ask, loaded, events),
            Ask::Describe { conversation, customer, about } => {
                self.describe(*conversation, *customer, about, loaded, events)
            }
            Ask::DrainAgent { agent, draining } => self.drain_agent(agent, *draining, events),
            Ask::DrainQueue { queue, draining } => self.drain_queue(queue, draining.as_ref(), events),
            Ask::ListWaiting { by, queue, after, limit } => self.list_waiting(*by, queue, *after, *limit),
            Ask::Decide(ask) => self.decide_from_outside(ask, loaded, events),
            Ask::ListDecisions { known } => Ok(Answer::Decisions(Box::new(self.list_decisions(known)))),
            Ask::MergeCustomer { from, into } => self.merge_customer(*from, *into, loaded, events),
            Ask::SignOutCustomer { customer } => {
                self.emit(events, Event::CustomerSignedOut { customer: *customer });
                Ok(Answer::Done)
            }

            Ask::WhyConversation { conversation } => {
                let why = self.why_conversation(*conversation).ok_or_else(|| self.not_here(*conversation, loaded))?;
                Ok(Answer::WhyConversation(Box::new(why)))
            }
            Ask::WhyAgent { agent } => {
                let why = self.agent_named(agent).and_then(|id| self.why_agent(id));
                Ok(Answer::WhyAgent(Box::new(why.ok_or_else(|| Refusal::NoSuchAgent(agent.clone()))?)))
            }

            Ask::Tick => self.due(events),
        }
    }

    /// An offer that is not pending: ended, here or in the view, or never made.
    fn gone(&self, offer: OfferId, loaded: &Loaded) -> Result<EndedOffer, Refusal> {
        let ended = self.ended_offers.get(&offer).or_else(|| loaded.offers.get(&offer));
        ended.cloned().ok_or(Refusal::NoSuchOffer(offer))
    }

    /// A closed conversation: one that was closed in this very turn, which the view cannot know yet, or a loaded one.
    fn closed<'a>(&'a self, id: ConversationId, loaded: &'a Loaded) -> Option<&'a Conversation> {
        let in_this_turn = self.touched.conversations.get(&id).and_then(|last| last.as_deref());
        in_this_turn.or_else(|| loaded.conversations.get(&id)).filter(|held| held.state == State::Closed)
    }

    /// A conversation that the desk does not hold: closed, or never opened.
    fn not_here(&self, id: ConversationId, loaded: &Loaded) -> Refusal {
        if self.closed(id, loaded).is_some() {
            Refusal::WrongState { conversation: id, state: State::Closed.name().into() }
        } else {
            Refusal::NoSuchConversation(id)
        }
    }
}
