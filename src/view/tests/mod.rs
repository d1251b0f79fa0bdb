//! The view as its users see it: turns go in, pages come out.

mod figures;
mod keeping;
mod reading;
mod remembering;
mod reporting;
mod sorting;

use super::*;
use crate::desk::answer::{Answer, Outcome};
use crate::desk::command::{Author, Closer};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, CommandId, ConversationId, CustomerId, KeyNumber, OfferId, Principal, QueueId};
use crate::desk::labels::Labels;
use crate::desk::moves::Mover;
use crate::desk::settings::ChannelId;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::desk::wrapping::Blocks;

const W: &str = "demo";
const C1: ConversationId = ConversationId(1);
const C2: ConversationId = ConversationId(2);
const ADA: AgentId = AgentId(1);
const ZOE: CustomerId = CustomerId(0x1111_2222_3333_4444_5555_6666_7777_8888);
/// When turn 0 would have been; each turn comes a second later.
const START_MS: u64 = 1_700_000_000_000;

/// A data directory with a view, and a workspace that goes on turn by turn.
struct Desk {
    view: Arc<View>,
    dir: tempfile::TempDir,
    position: u64,
}

fn settings() -> Settings {
    Settings::with_clock(Instant::now)
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let view = View::open(dir.path(), settings(), || false).unwrap();
        Self { view, dir, position: 0 }
    }

    fn reopened(self) -> Self {
        let Self { view, dir, position } = self;
        drop(view);
        let view = View::open(dir.path(), settings(), || false).unwrap();
        Self { view, dir, position }
    }

    /// Commits one turn.
    async fn turn(
        &mut self,
        events: Vec<Event>,
        outcomes: Vec<Outcome>,
        conversations: Vec<(ConversationId, Conversation)>,
    ) {
        self.position += 1;
        let batch = Batch { conversations, ..batch_of(turn_at(self.position, events, outcomes)) };
        self.view.apply(batch).await.unwrap();
    }

    async fn events(&mut self, events: Vec<Event>) {
        self.turn(events, Vec::new(), Vec::new()).await;
    }
}

fn wall_of(position: u64) -> WallTime {
    WallTime(START_MS + position * 1_000)
}

fn turn_at(position: u64, events: Vec<Event>, outcomes: Vec<Outcome>) -> CommittedTurn {
    let now = Now { desk: DeskTime(position * 1_000), wall: wall_of(position) };
    CommittedTurn { position, now, events, outcomes }
}

fn batch_of(turn: CommittedTurn) -> Batch {
    Batch {
        workspace: W.into(),
        after: turn.position - 1,
        to: turn.position,
        turns: vec![Arc::new(turn)],
        rows: Vec::new(),
        conversations: Vec::new(),
    }
}

fn conversation(state: State) -> Conversation {
    Conversation {
        customer: ZOE,
        key: KeyNumber(1),
        channel: ChannelId(0),
        queue: QueueId(1),
        priority: 0,
        skills: Vec::new(),
        about: None,
        state,
        offers: Vec::new(),
        opened_at: wall_of(1),
        waiting_since: wall_of(1),
        ended_at: WallTime(0),
        last_number: 1,
        public: 2,
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
    }
}

fn opened(conversation: ConversationId) -> Event {
    Event::ConversationOpened {
        conversation,
        customer: ZOE,
        key: KeyNumber(1),
        channel: ChannelId(0),
        queue: QueueId(1),
        priority: 0,
        skills: Vec::new(),
        about: None,
        left: false,
        message: false,
        public: 1,
        waiting_since: None,
        wishes: None,
        thread: None,
    }
}

fn posted(conversation: ConversationId, number: u32, public: u32) -> Event {
    let text = format!("sealed {conversation} {number}").into();
    let files = Default::default();
    Event::MessagePosted { conversation, number, author: Author::Customer(ZOE), text, public, files }
}

fn offer_made(offer: u64, conversation: ConversationId) -> Event {
    let (ends_at, deliver_by) = (DeskTime(30_000), DeskTime(5_000));
    let (offer, transfer, queue) = (OfferId(offer), None, None);
    Event::OfferMade { offer, conversation, agent: ADA, ends_at, deliver_by, transfer, queue }
}

fn offer_ended(offer: u64, conversation: ConversationId, end: OfferEnd, public: Option<u32>) -> Event {
    Event::OfferEnded {
        offer: OfferId(offer),
        conversation,
        agent: ADA,
        end,
        reason: None,
        cool_down_until: None,
        public,
        transfer: None,
        queue: None,
    }
}

fn ended(conversation: ConversationId, public: u32) -> Event {
    Event::ConversationEnded {
        conversation,
        by: Closer::Agent(ADA),
        owner: Some(ADA),
        wrap_up_until: None,
        public,
        blocks: Blocks::Slot,
    }
}

fn done(by: Principal, id: u128, answer: Answer) -> Outcome {
    Outcome { by, id: CommandId(id), fingerprint: u64::MAX - 1, answer }
}
