//! The only way that state changes: one event at a time, live, replayed and in the simulation. Never refuses.

mod customers;
mod offers;
mod presence;

use super::Desk;
use super::agent::{Agent, Connection};
use super::answer::Outcome;
use super::change::AT_NEXT_MESSAGE;
use super::command::Author;
use super::conversation::{Conversation, CoolDown, Pending, Spell, State};
use super::event::{Event, OfferEnd};
use super::ids::{AgentId, ConversationId, OfferId};
use super::moves::Transfer;
use super::offer::{Delivery, Offer};
use super::offering::AcrossQueues;
use super::settings::{ChannelId, StatusId};
use super::time::{DeskTime, DeskTimeOrNone, Now, WallTime};
use std::sync::Arc;

impl Desk {
    /// Live through one record again: its time, its events, its outcomes.
    pub fn replay(&mut self, now: Now, events: &[Event], outcomes: &[Outcome]) {
        self.advance(now);
        for event in events {
            self.apply(event);
        }
        self.settle();
        for outcome in outcomes {
            self.remember(outcome);
        }
    }

    pub fn remember(&mut self, outcome: &Outcome) {
        self.remembered.add(self.now.wall, outcome);
    }

    /// From now on outcomes are remembered for so long, in place of a day.
    pub fn remember_for(&mut self, kept_ms: u64) {
        self.remembered.keep_for(kept_ms);
    }

    /// Take an event into the state, as of the time last handed in.
    pub fn apply(&mut self, event: &Event) {
        let now = self.now;
        match event {
            Event::SettingsChanged { settings } => self.change_settings((**settings).clone()),
            Event::QueuePut { queue, settings } => self.apply_queue_put(*queue, settings),
            Event::QueueRemoved { queue, name: _ } => {
                let removed = self.queues.remove(queue).expect("a queue that is here");
                self.able.remove_queue(*queue);
                self.look_who_skips_busy();
                self.queue_names.remove(&removed.settings.name);
                self.forget_estimates(*queue);
                self.touched.queues.insert(*queue);
            }
            Event::AgentPut { agent, profile } => self.apply_agent_put(*agent, profile),
            Event::ApiKeyPut { key } => {
                self.api_keys.insert(key.id.clone(), (**key).clone());
                self.touched.api_keys.insert(key.id.clone());
            }
            Event::ApiKeyRemoved { id } => {
                self.api_keys.remove(id);
                self.touched.api_keys.insert(id.clone());
            }

            Event::ServerBegan { grace_until, offer_grace_until } => {
                for place in 0..self.agents.len() as u32 {
                    // Also who was reconnecting already: while there was no server, nobody could come back to it.
                    let connected = self.agents[place as usize].connection != Connection::Offline;
                    if connected {
                        self.lose_sessions(AgentId(place), *grace_until, *offer_grace_until);
                    }
                }
            }
            Event::NodeGone { node, reconnecting, grace_until, offer_grace_until } => {
                for agent in reconnecting {
                    self.lose_sessions(*agent, *grace_until, *offer_grace_until);
                }
                self.lose_sessions_on(*node);
            }
            Event::SessionCame { agent, session } => self.apply_session_came(*agent, |a| a.sessions.push(*session)),
            Event::SessionWent { agent, session } => {
                self.change_agent(*agent, |a| a.sessions.retain(|held| held != session));
            }
            Event::AgentReconnecting { agent, grace_until, offer_grace_until } => {
                self.lose_sessions(*agent, *grace_until, *offer_grace_until);
            }
            Event::AgentUnreachable { agent } => self.change_agent(*agent, |a| a.connection = Connection::Unreachable),
            Event::AgentReachable { agent } => self.change_agent(*agent, |a| {
                a.connection = Connection::Online;
                a.undelivered_in_a_row = 0;
            }),
            Event::AgentOffline { agent, status, cause: _ } => self.change_agent(*agent, |a| {
                a.connection = Connection::Offline;
                a.sessions = Vec::new();
                a.status = *status;
                a.next_status = None;
                a.missed_in_a_row = 0;
                a.undelivered_in_a_row = 0;
            }),
            Event::StatusChanged { agent, status, channels, cause, by: _ } => {
                self.apply_status(*agent, *status, *channels, *cause, now);
            }
            Event::NextStatusSet { agent, status } => self.change_agent(*agent, |a| a.next_status = *status),

            Event::OfferMade { offer, conversation, agent, ends_at, deliver_by, transfer, queue: _ } => {
                self.apply_offer_made(*offer, *conversation, *agent, (*ends_at, *deliver_by), *transfer);
            }
            Event::OfferDelivered { offer, accepts_at, of: _ } => {
                let agent = self.offers[offer].agent;
                self.change_offer(*offer, |o| o.confirm(now.desk, *accepts_at));
                self.change_agent(agent, |a| a.undelivered_in_a_row = 0);
            }
            Event::OfferEnded { offer, end, cool_down_until, public, transfer, .. } => {
                let joins = *end == OfferEnd::Accepted && transfer.is_some_and(|transfer| transfer.warm);
                self.apply_offer_ended(*offer, *end, *cool_down_until, *public, joins);
            }

            Event::ConversationOpened {
                conversation,
                customer,
                key,
                channel,
                queue,
                priority,
                skills,
                about,
                public,
                waiting_since,
                wishes,
                left,
                message,
                thread,
            } => {
                self.last_conversation = self.last_conversation.max(conversation.0);
                let mut opened = Conversation {
                    customer: *customer,
                    key: *key,
                    channel: *channel,
                    queue: *queue,
                    priority: *priority,
                    skills: skills.clone(),
                    about: about.clone(),
                    state: State::Waiting,
                    offers: Vec::new(),
                    opened_at: now.wall,
                    waiting_since: waiting_since.unwrap_or(now.wall),
                    ended_at: WallTime(0),
                    last_number: 0,
                    public: *public,
                    read_by_agent: 0,
                    read_by_customer: 0,
                    offers_made: 0,
                    cool_downs: Vec::new(),
                    requeue_at: DeskTimeOrNone::NONE,
                    ring: 0,
                    wishes: wishes.clone(),
                    spell: Spell { from: now.wall, left: *left, message: *message, ..Spell::default() },
                    moved: None,
                    routed: None,
                    labels: None,
                };
                if let Some(thread) = thread {
                    opened.begin_line(*thread);
                }
                self.add_conversation(*conversation, opened);
                self.forget_left(*customer);
            }
            Event::MessagePosted { conversation, number, author, public, files, text: _ } => {
                self.apply_message(*conversation, *author, |c| {
                    c.last_number = *number;
                    c.public = *public;
                    c.add_files(files);
                    c.await_delivery(*author, *number);
                    mark_read(c, *author, *number);
                });
            }
            Event::ConversationPaused { conversation, weight_percent } => {
                self.apply_paused(*conversation, Some(*weight_percent));
            }
            Event::ConversationWoken { conversation } => self.apply_paused(*conversation, None),
            Event::MessagesRead { conversation, reader, number } => {
                self.note(*conversation, |c| mark_read(c, *reader, *number));
            }
            Event::DeliveryReported { conversation, number, state, reason, was } => {
                let change = |c: &mut Conversation| c.report(*number, *state, reason.as_ref());
                self.change_lately(*conversation, was.as_deref(), change);
            }
            Event::ConversationEnded { conversation, by: _, owner, wrap_up_until, public, blocks } => {
                let wrap_up = owner.zip(*wrap_up_until).map(|(owner, until)| State::WrapUp {
                    owner,
                    until,
                    since: now.desk,
                    blocks: *blocks,
                    extensions: 0,
                });
                self.apply_ended(*conversation, *owner, wrap_up, *public);
            }
            Event::WrapUpExtended { conversation, wrap_up_until } => self.change_conversation(*conversation, |c| {
                if let State::WrapUp { until: held, extensions, .. } = &mut c.state {
                    *held = *wrap_up_until;
                    *extensions += 1;
                }
            }),
            Event::WrapUpEnded { conversation, owner, cause: _, by: _ } => {
                let took = self.conversations[conversation].state.takes_slot();
                self.drop_conversation(*conversation, |c| c.state = State::Closed);
                // What blocked nothing ends nothing: it may have been idle for long.
                if took {
                    self.rest(*owner);
                }
            }
            Event::ConversationReopened { conversation, was, queue, owner, waiting_since, public, wished } => {
                if let Some(was) = was {
                    self.add_conversation(
                        *conversation,
                        Conversation { queue: *queue, state: State::Closed, ..(**was).clone() },
                    );
                }
                self.change_conversation(*conversation, |c| {
                    c.queue = *queue;
                    c.waiting_since = *waiting_since;
                    c.public = *public;
                    c.cool_downs = Vec::new();
                    c.requeue_at = DeskTimeOrNone::NONE;
                    c.routed = None;
                    c.ring = 0;
                    if wished.is_some() {
                        c.wishes.get_or_insert_default().agent = *wished;
                    }
                    c.state = owner.map_or(State::Waiting, |owner| State::Active { owner });
                });
                self.forget_left(self.conversations[conversation].customer);
            }
            Event::OwnerVanished { conversation, requeue_at } => {
                self.change_conversation(*conversation, |c| {
                    c.requeue_at = Some(requeue_at.unwrap_or(AT_NEXT_MESSAGE)).into()
                });
            }
            Event::OwnerReturned { conversation } => {
                self.change_conversation(*conversation, |c| c.requeue_at = DeskTimeOrNone::NONE)
            }
            Event::OwnerReminded { conversation, .. } => self.apply_owner_reminded(*conversation),
            Event::ConversationRequeued { conversation, from, waiting_since, public, cause: _, cool_down_until } => {
                self.change_conversation(*conversation, |c| {
                    c.state = State::Waiting;
                    c.waiting_since = *waiting_since;
                    c.requeue_at = DeskTimeOrNone::NONE;
                    c.public = *public;
                    let cool_down = cool_down_until.map(|until| CoolDown { agent: *from, until, times: 1 });
                    c.cool_downs = cool_down.into_iter().collect();
                    c.lose_hands();
                });
            }

            // moves
            Event::ConversationTransferred { .. }
            | Event::ConversationTaken { .. }
            | Event::ConversationHandedOver { .. }
            | Event::ConversationLeft { .. } => self.apply_move(event),
            Event::NotePosted { conversation, note, .. } => {
                self.note(*conversation, |c| c.change_moved(|moved| moved.notes = *note));
            }
            Event::ConversationLabelled { conversation, labels, by: _ } => {
                self.note(*conversation, |c| c.set_labels(labels));
            }
            Event::ConversationDescribed { conversation, about } => {
                self.note(*conversation, |c| c.about = Some(about.clone()));
            }
            Event::ConversationImported { conversation, held, part: _ } => {
                self.last_conversation = self.last_conversation.max(conversation.0);
                self.touched.conversations.insert(*conversation, Some(held.clone()));
            }
            Event::MessageImported { .. } | Event::NoteImported { .. } => {}
            Event::ConversationRated { conversation, score, comment, was, before: _ } => {
                let change = |c: &mut Conversation| c.rate(*score, comment.as_ref(), now.wall);
                self.change_lately(*conversation, was.as_deref(), change);
            }
            Event::AgentDraining { agent, draining } => self.change_agent(*agent, |a| a.draining = *draining),

            // routing
            Event::RingReached { conversation, ring } => {
                self.change_conversation(*conversation, |c| c.ring = *ring);
            }
            Event::DecisionWanted { .. } | Event::DecisionEnded { .. } => self.apply_decision(event),

            // waiting
            Event::ConversationMoved { conversation, queue, skills, moves, public, by: _ } => {
                self.change_conversation(*conversation, |c| {
                    (c.queue, c.public) = (*queue, public.unwrap_or(c.public));
                    c.skills.clone_from(skills);
                    c.ring = 0;
                    let (offers_before, message) = (c.offers_made, c.spell.message);
                    c.spell = Spell { from: now.wall, offers_before, moves: *moves, message, ..Spell::default() };
                });
            }
            Event::PriorityRaised { conversation, priority, raised } => {
                self.change_conversation(*conversation, |c| {
                    c.priority = *priority;
                    c.spell.raised = *raised;
                });
            }

            Event::ClockSet { .. } | Event::ClockBreached { .. } | Event::ClockEnded { .. } => self.apply_clock(event),
            Event::HoursTurned { .. } | Event::StayedAtClosing { .. } => self.apply_hours(event),

            Event::CustomerMerged { from: _, into, conversations } => {
                for id in conversations {
                    if self.conversations.contains_key(id) {
                        self.note(*id, |c| c.customer = *into);
                    } else if let Some(Some(last)) = self.touched.conversations.get_mut(id) {
                        // Closed and not yet handed to the view, which must not be given the old customer again.
                        last.customer = *into;
                    }
                }
            }
            Event::CustomerSignedOut { customer } => {
                self.sign_out_customer(*customer);
                self.touched.signed_out.insert(*customer);
            }
        }
    }

    /// A change of a conversation that nothing is derived from.
    fn note(&mut self, id: ConversationId, change: impl FnOnce(&mut Conversation)) {
        change(self.conversations.get_mut(&id).expect("events name conversations that are here"));
        self.touched.conversations.insert(id, None);
    }

    /// The agent finished or took something: its idle time begins anew.
    pub(super) fn rest(&mut self, agent: AgentId) {
        let now = self.now.desk;
        self.change_agent(agent, |a| a.idle_since = now);
    }

    fn apply_queue_put(&mut self, id: super::ids::QueueId, settings: &super::settings::QueueSettings) {
        self.last_queue = self.last_queue.max(id.0);
        self.queue_names.insert(settings.name.clone(), id);
        self.change_silence_rules(id, settings);
        let settings = Arc::new(settings.clone());
        let fresh = !self.queues.contains_key(&id);
        let waiting = if fresh { Vec::new() } else { self.stop_waiting_in(id) };
        self.able.put_queue(id, settings.offering.agents_by);
        match self.queues.get_mut(&id) {
            Some(queue) => queue.settings = settings,
            None => {
                self.queues.insert(id, super::Queue::new(settings));
            }
        }
        self.look_who_skips_busy();
        self.start_waiting_again(&waiting);
        self.touched.queues.insert(id);
    }

    fn apply_agent_put(&mut self, id: AgentId, profile: &super::settings::AgentProfile) {
        let was_active = self.agent(id).is_some_and(|held| held.profile.active);
        self.active_agents = self.active_agents + u32::from(profile.active) - u32::from(was_active);
        if id.0 as usize == self.agents.len() {
            let away = away_status(&self.settings.statuses);
            let all = all_channels(self.settings.channels.len());
            self.agents.push(Agent::new(profile.clone(), away, all));
            self.agent_names.insert(profile.name.clone(), id);
            self.touched.agents.insert(id);
        } else {
            self.change_agent(id, |agent| agent.profile = profile.clone());
        }
        self.skills.put_agent(id, &profile.skills);
        self.able.mark_moved(id);
        self.preferred_seen.remove(&id);
        self.look_at_limits(id);
        self.programs_moved.insert(id);
        self.look_again(id);
    }

    fn apply_offer_made(
        &mut self,
        id: OfferId,
        conversation: ConversationId,
        agent: AgentId,
        (ends_at, deliver_by): (DeskTime, DeskTime),
        transfer: Option<Transfer>,
    ) {
        self.last_offer = self.last_offer.max(id.0);
        // The queue by which it came to this agent: a ring may have added it.
        let by_weight = self.settings.across_queues == AcrossQueues::ByWeight;
        let turn = (by_weight && transfer.is_none()).then(|| {
            let made;
            let need = match self.waiting.group_of(conversation) {
                Some(group) => &group.common.need,
                // To another agent at the same time.
                None => {
                    made = self.need_of(&self.conversations[&conversation]);
                    &made
                }
            };
            let place = need.queue_of(&self.agents[agent.0 as usize].profile).map_or(0, |(place, _)| place);
            (need.queues[place], self.queues[&need.queues[place]].settings.offering.weight)
        });
        self.change_agent(agent, |a| {
            a.last_offer = a.last_offer.max(id);
            if let Some((queue, weight)) = turn {
                a.turns.take(queue, weight);
            }
        });
        let delivery = Delivery::Awaited { by: deliver_by };
        let made_at = self.now.desk;
        let (grace_until, accepts) = (None, None);
        self.add_offer(id, Offer { conversation, agent, made_at, ends_at, delivery, grace_until, accepts });
        self.change_conversation(conversation, |c| {
            c.offers_made += 1;
            c.offers.push(Pending { offer: id, agent });
            if transfer.is_some() {
                c.change_moved(|moved| moved.transfer = transfer);
            } else {
                c.state = State::Offered {};
                c.was_decided_by_itself();
            }
        });
    }

    fn apply_ended(&mut self, id: ConversationId, owner: Option<AgentId>, wrap_up: Option<State>, public: u32) {
        self.keep_place(id);
        let ended_at = self.now.wall;
        let end = move |c: &mut Conversation, state| {
            c.public = public;
            c.ended_at = ended_at;
            c.requeue_at = DeskTimeOrNone::NONE;
            c.cool_downs = Vec::new();
            if owner.is_some() {
                // What was forced on it is so until its work is over too.
                c.change_moved(|moved| moved.last_owner = owner);
            }
            c.state = state;
        };
        match wrap_up {
            Some(wrap_up) => self.change_conversation(id, |c| end(c, wrap_up)),
            None => self.drop_conversation(id, |c| end(c, State::Closed)),
        }
        if let Some(owner) = owner {
            self.rest(owner);
        }
    }
}

/// Who writes has read what came before; who reads has read up to there.
fn mark_read(conversation: &mut Conversation, reader: Author, number: u32) {
    let mark = match reader {
        Author::Agent(_) => &mut conversation.read_by_agent,
        Author::Customer(_) => &mut conversation.read_by_customer,
        Author::System(_) => return,
    };
    *mark = (*mark).max(number);
}

/// The status of those who have not chosen one: the first that is not available.
pub(super) fn away_status(statuses: &[super::settings::Status]) -> StatusId {
    let place =
        statuses.iter().position(|status| !status.available).expect("settings hold a status that is not available");
    StatusId(place as u8)
}

pub(super) fn all_channels(channels: usize) -> u16 {
    (0..channels).fold(0, |bits, place| bits | 1 << ChannelId(place as u8).0)
}
