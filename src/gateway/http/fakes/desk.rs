//! A workspace that does just enough: opens, posts, remembers, and lets a test step in at every point where events could.

use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Author, Closer, Command};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::Event;
use crate::desk::files::{Attachments, FileId};
use crate::desk::ids::{AgentId, CommandId, ConversationId, CustomerId, KeyNumber, Principal, QueueId};
use crate::desk::refusal::Refusal;
use crate::desk::settings::{AgentProfile, QueueSettings, Settings};
use crate::desk::time::WallTime;
use crate::desk::waiting_rules::Coming;
use crate::gateway::http::desks::{
    AgentRow, Changes, Desk, EventRow, History, Live, MessageRow, NotDone, Out, Outlook, Position, PublicFact,
    PublicFrame, PublicRow, Published, QueueRow, Replied, Soon,
};
use crate::wire::error::WireError;
use crate::wire::files::no_such_file;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use tokio::sync::watch;

use super::AT;

/// Where a test may step in: every call that a stream makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Point {
    Stream,
    WaitFor,
    Conversation,
    PublicEvents,
}

type StepIn = Box<dyn FnMut(&FakeDesk, Point) + Send>;

#[derive(Default)]
pub(crate) struct Inside {
    pub position: u64,
    /// How far the view is: it moves only when it is waited for.
    pub view_position: u64,
    /// The view never catches up.
    pub view_stuck: bool,
    pub conversations: BTreeMap<ConversationId, Conversation>,
    pub messages: BTreeMap<ConversationId, Vec<MessageRow>>,
    pub public: BTreeMap<ConversationId, Vec<(u64, PublicRow)>>,
    pub events: BTreeMap<ConversationId, Vec<EventRow>>,
    pub published: Published,
    pub profiles: BTreeMap<Arc<str>, Arc<AgentProfile>>,
    pub asked: Vec<Command>,
    pub refuse: Option<Refusal>,
    pub not_done: Option<NotDone>,
    pub hang: bool,
    outcomes: HashMap<(Principal, CommandId), (u64, Answer)>,
    streams: Vec<(ConversationId, Arc<Mutex<Queue>>)>,
}

#[derive(Default)]
struct Queue {
    out: VecDeque<Out>,
    waker: Option<Waker>,
}

pub(crate) struct FakeDesk {
    name: Arc<str>,
    inside: Mutex<Inside>,
    step_in: Mutex<Option<StepIn>>,
    /// Frames that a stream holds before it is behind.
    pub frames_max: Mutex<usize>,
    changes: watch::Sender<Changes>,
}

impl FakeDesk {
    pub fn new(name: &str) -> Arc<Self> {
        let queue = QueueSettings { title: "Support".into(), ..QueueSettings::named("support") };
        let settings = Settings { default_queue: Some("support".into()), ..Settings::default() };
        let published = Published {
            settings: Arc::new(settings),
            queues: Arc::new(BTreeMap::from([("support".into(), (QueueId(1), Arc::new(queue)))])),
            queue_names: Arc::new(BTreeMap::from([(QueueId(1), "support".into())])),
            ..Published::default()
        };
        let inside = Inside { published, ..Inside::default() };
        Arc::new(Self {
            name: name.into(),
            inside: Mutex::new(inside),
            step_in: Mutex::default(),
            frames_max: Mutex::new(64),
            changes: watch::Sender::default(),
        })
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    pub fn step_in(&self, step_in: impl FnMut(&FakeDesk, Point) + Send + 'static) {
        *self.step_in.lock().unwrap() = Some(Box::new(step_in));
    }

    pub(super) fn at(&self, point: Point) {
        // Taken out meanwhile: what it does comes here again.
        let taken = self.step_in.lock().unwrap().take();
        if let Some(mut step_in) = taken {
            step_in(self, point);
            *self.step_in.lock().unwrap() = Some(step_in);
        }
    }

    pub fn commit(&self, id: ConversationId, fact: PublicFact, frame: (&'static str, String)) {
        let mut inside = self.inside();
        inside.position += 1;
        let position = inside.position;
        let rows = inside.public.entry(id).or_default();
        let public = rows.len() as u32 + 1;
        rows.push((position, PublicRow { public, at: WallTime(AT), fact }));
        inside.conversations.get_mut(&id).unwrap().public = public;
        drop(inside);
        self.send(id, PublicFrame { public: Some(public), event: frame.0, data: frame.1.into() });
    }

    /// Of an event that has no text: `requeued` serves wherever any would.
    pub fn commit_any(&self, id: ConversationId) {
        self.commit(id, PublicFact::Requeued, ("requeued", format!(r#"{{"at":{AT}}}"#)));
    }

    pub fn send(&self, id: ConversationId, frame: PublicFrame) {
        let most = *self.frames_max.lock().unwrap();
        for (_, queue) in self.inside().streams.iter().filter(|(of, _)| *of == id) {
            let mut queue = queue.lock().unwrap();
            if queue.out.len() >= most {
                queue.out.clear();
                queue.out.push_back(Out::Behind);
            } else {
                queue.out.push_back(Out::Frame(frame.clone()));
            }
            if let Some(waker) = queue.waker.take() {
                waker.wake();
            }
        }
    }

    pub fn end_streams(&self) {
        for (_, queue) in &self.inside().streams {
            let mut queue = queue.lock().unwrap();
            queue.out.push_back(Out::Ended { retry_after_ms: 700 });
            if let Some(waker) = queue.waker.take() {
                waker.wake();
            }
        }
    }

    pub fn open(&self, customer: u128) -> ConversationId {
        self.opened(CustomerId(customer), crate::desk::ids::KeyNumber(1), None, None)
    }

    fn opened(
        &self,
        customer: CustomerId,
        key: crate::desk::ids::KeyNumber,
        about: Option<Arc<str>>,
        text: Option<Arc<str>>,
    ) -> ConversationId {
        let id = ConversationId(self.inside().conversations.len() as u64 + 1);
        let conversation = Conversation {
            customer,
            key,
            channel: Default::default(),
            queue: QueueId(1),
            priority: 0,
            skills: Vec::new(),
            about,
            state: State::Waiting,
            offers: Vec::new(),
            opened_at: WallTime(AT),
            waiting_since: WallTime(AT),
            ended_at: WallTime(0),
            last_number: 0,
            public: 0,
            read_by_agent: 0,
            read_by_customer: 0,
            offers_made: 0,
            cool_downs: Vec::new(),
            requeue_at: Default::default(),
            ring: 0,
            wishes: None,
            spell: Default::default(),
            moved: None,
            routed: None,
            labels: None,
        };
        self.inside().conversations.insert(id, conversation);
        self.commit(id, PublicFact::Opened, ("opened", format!(r#"{{"at":{AT}}}"#)));
        if let Some(text) = text {
            self.posted(id, Author::Customer(customer), text);
        }
        id
    }

    pub fn posted(&self, id: ConversationId, author: Author, text: Arc<str>) -> u32 {
        let mut inside = self.inside();
        let found = inside.conversations.get_mut(&id).unwrap();
        found.last_number += 1;
        let number = found.last_number;
        let files = Attachments::default();
        let row = MessageRow { number, author, at: WallTime(AT), text: text.clone(), files: files.clone() };
        inside.messages.entry(id).or_default().push(row);
        let (public, written) = (0, text.clone());
        let event =
            Event::MessagePosted { conversation: id, number, author, text: written, public, files: files.clone() };
        let position = Position(inside.position + 1);
        inside.events.entry(id).or_default().push(EventRow { position, index: 0, at: WallTime(AT), event });
        drop(inside);
        self.commit(
            id,
            PublicFact::Message { number, author, text, files },
            ("message", format!(r#"{{"number":{number}}}"#)),
        );
        number
    }

    fn decide(&self, ask: &Ask) -> Result<Answer, Refusal> {
        let owner = |id: &ConversationId, author: &Author| {
            let inside = self.inside();
            let found = inside.conversations.get(id).ok_or(Refusal::NoSuchConversation(*id))?;
            if Author::Customer(found.customer) == *author { Ok(()) } else { Err(Refusal::NotYours(*id)) }
        };
        Ok(match ask {
            Ask::Open(open) => {
                let conversation = self.opened(open.customer, open.key, open.about.clone(), open.text.clone());
                Answer::Opened { conversation, customer: open.customer, at: WallTime(AT) }
            }
            Ask::Post { conversation, author, text, .. } => {
                owner(conversation, author)?;
                let number = self.posted(*conversation, *author, text.clone());
                Answer::Posted { conversation: *conversation, number, at: WallTime(AT) }
            }
            Ask::Read { conversation, reader, .. } => owner(conversation, reader).map(|()| Answer::Done)?,
            Ask::Typing { conversation, author, draft } => {
                owner(conversation, author)?;
                Answer::Typing { conversation: *conversation, to: Vec::new(), by: None, draft: draft.clone() }
            }
            Ask::Close { conversation, by: Closer::Customer(customer) } => {
                owner(conversation, &Author::Customer(*customer)).map(|()| Answer::Done)?
            }
            Ask::MergeCustomer { from, into } => {
                let mut merged = 0;
                for found in self.inside().conversations.values_mut().filter(|found| found.customer == *from) {
                    found.customer = *into;
                    merged += 1;
                }
                Answer::Merged { conversations: merged }
            }
            Ask::SignOutCustomer { customer } => {
                let mut inside = self.inside();
                Arc::make_mut(&mut inside.published.signed_out).insert(*customer, WallTime(AT));
                Answer::Done
            }
            Ask::PutApiKey(key) => {
                Arc::make_mut(&mut self.inside().published.api_keys).insert(key.id.clone(), (**key).clone());
                Answer::Done
            }
            Ask::PutAgent(ask) => {
                let profile = AgentProfile {
                    title: ask.title.clone().unwrap_or_default(),
                    active: ask.active.unwrap_or(true),
                    queues: vec![QueueId(1)],
                    skills: ask.skills.clone().unwrap_or_default(),
                    capacity: ask.capacity.clone().unwrap_or_default(),
                    program: ask.program.unwrap_or_default(),
                    ..AgentProfile::named(&ask.name)
                };
                self.inside().profiles.insert(ask.name.clone(), Arc::new(profile));
                Answer::AgentPut { agent: AgentId(1) }
            }
            Ask::PutQueue(_) => Answer::QueuePut { queue: QueueId(1) },
            _ => Answer::Done,
        })
    }

    fn answer(&self, command: Command) -> Result<Replied, NotDone> {
        self.inside().asked.push(command.clone());
        let not_done = self.inside().not_done.clone();
        let refuse = self.inside().refuse.clone();
        if let Some(not_done) = not_done {
            return Err(not_done);
        }
        let replied = |desk: &Self, result| Replied { position: Position(desk.inside().position), result };
        if let Some(refusal) = refuse {
            return Ok(replied(self, Err(refusal)));
        }
        let key = command.id.map(|id| (command.principal, id));
        if let Some((fingerprint, answer)) = key.and_then(|key| self.inside().outcomes.get(&key).cloned()) {
            let same = fingerprint == command.fingerprint;
            return Ok(replied(self, if same { Ok(answer) } else { Err(Refusal::IdReused) }));
        }
        let result = self.decide(&command.ask);
        if let (Some(key), Ok(answer)) = (key, &result) {
            self.inside().outcomes.insert(key, (command.fingerprint, answer.clone()));
        }
        Ok(replied(self, result))
    }
}

impl Desk for FakeDesk {
    fn name(&self) -> &Arc<str> {
        &self.name
    }
    fn ask(&self, command: Command) -> Soon<'_, Result<Replied, NotDone>> {
        if self.inside().hang {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(self.answer(command)))
    }
    fn published(&self) -> Arc<Published> {
        Arc::new(self.inside().published.clone())
    }
    fn position(&self) -> Position {
        Position(self.inside().position)
    }
    fn agent_row(&self, name: &str) -> Option<AgentRow> {
        let inside = self.inside();
        inside.profiles.get(name).map(|profile| row(profile))
    }
    fn agent_rows(&self, after: Option<&str>, limit: usize) -> Vec<AgentRow> {
        self.profiles(after, limit).iter().map(|profile| row(profile)).collect()
    }
    fn queue_rows(&self) -> Arc<Vec<QueueRow>> {
        let row = |queue: &Arc<str>| QueueRow {
            queue: queue.clone(),
            title: queue.clone(),
            waiting: 1,
            offered: 0,
            active: 0,
            paused: 0,
            longest_wait_ms: 5,
            agents_available: 0,
            agents_there: 0,
            open: true,
            opens_at: None,
            closes_at: None,
            estimates: Vec::new(),
            draining: false,
            service: None,
            coming: Coming { queue: queue.clone(), there: true, refused: None, message: false },
        };
        Arc::new(self.inside().published.queues.keys().map(row).collect())
    }
    fn profile(&self, name: &str) -> Option<Arc<AgentProfile>> {
        self.inside().profiles.get(name).cloned()
    }
    fn profiles(&self, after: Option<&str>, limit: usize) -> Vec<Arc<AgentProfile>> {
        let inside = self.inside();
        let all = inside.profiles.values().filter(|profile| *profile.name > *after.unwrap_or_default());
        all.take(limit).cloned().collect()
    }
    fn agent_named(&self, agent: AgentId) -> Option<AgentRow> {
        (agent == AgentId(1)).then(|| self.agent_row("ada"))?
    }
    fn outlook(&self, id: ConversationId) -> Option<Outlook> {
        let waits = self.inside().conversations.get(&id).is_some_and(|found| found.state == State::Waiting);
        waits.then_some(Outlook { place: 1, opens_at: None, estimate: None })
    }
    fn stream(&self, id: ConversationId, _: u32) -> Result<Box<dyn Live>, NotDone> {
        self.at(Point::Stream);
        let queue = Arc::new(Mutex::new(Queue::default()));
        self.inside().streams.push((id, queue.clone()));
        Ok(Box::new(FakeLive(queue)))
    }
    fn decisions(&self) -> Option<watch::Receiver<Changes>> {
        Some(self.changes.subscribe())
    }
    fn history(&self) -> &dyn History {
        self
    }
    fn attached<'a>(
        &'a self,
        _: ConversationId,
        _: KeyNumber,
        files: &'a [FileId],
    ) -> Soon<'a, Result<Attachments, WireError>> {
        let none = files.is_empty().then(Attachments::default).ok_or_else(no_such_file);
        Box::pin(std::future::ready(none))
    }
}

fn row(profile: &AgentProfile) -> AgentRow {
    AgentRow {
        name: profile.name.clone(),
        title: profile.title.clone(),
        program: profile.program,
        active: profile.active,
        connection: "online",
        status: "available".into(),
        available: true,
        since: AT,
        offers: 0,
        conversations: 0,
        paused: 0,
        load: 0,
        missed: 0,
        channels: Box::default(),
        next_status: None,
        draining: false,
        id: AgentId(1),
        changed_at: Position(0),
    }
}

struct FakeLive(Arc<Mutex<Queue>>);

impl Live for FakeLive {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Out> {
        let mut queue = self.0.lock().unwrap();
        match queue.out.pop_front() {
            Some(out) => Poll::Ready(out),
            None => {
                queue.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
