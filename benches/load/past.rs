//! A data directory with a past: many conversations, of which few are open, written by the code that the server itself uses
//! (the desk decides, the journal keeps, the view projects), only not through its sockets.

use offhook::desk::Desk;
use offhook::desk::command::{AgentAsk, Ask, Closer, Command, OpenAsk};
use offhook::desk::event::Event;
use offhook::desk::ids::{AgentId, CommandId, ConversationId, CustomerId, KeyNumber, OfferId, Principal, SessionId};
use offhook::desk::needs::Loaded;
use offhook::desk::settings::{QueueSettings, Settings};
use offhook::desk::time::{DeskTime, Now, WallTime};
use offhook::engine::turn::{Asked, Keeper};
use offhook::journal::sqlite::{self, SqliteJournal, Synchronous};
use offhook::journal::{Appended, Journal, Position, TurnId};
use offhook::view::{Batch, CommittedTurn, Settings as ViewSettings, View};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Chats of one agent at most.
const OF_ONE_AGENT: u32 = 100;
/// Conversations that start together.
const TOGETHER: u64 = 128;
/// Between two turns of this past.
const TURN_MS: u64 = 50;

/// Writes `conversations` of them into a directory that is empty; the last `open` ones are open.
pub async fn make(directory: &Path, conversations: u64, open: u64) {
    std::fs::create_dir_all(directory).expect("a directory can be made");
    let settings = sqlite::Settings { synchronous: Synchronous::Off, ..sqlite::Settings::default() };
    let journal = SqliteJournal::open(directory, settings).expect("a journal can be made");
    let view = View::open(directory, ViewSettings::with_clock(Instant::now), || true).expect("a view can be made");
    let turns = conversations.div_ceil(TOGETHER) * 3 + 10;
    let wall_ms = super::support::now_s() as u64 * 1_000 - turns * TURN_MS;
    let now = Now { desk: DeskTime(0), wall: WallTime(wall_ms) };
    let keeper = Keeper::new(Desk::default(), Position(0));
    let mut past =
        Past { workspace: Arc::from("past"), keeper, journal, view, now, feeding: VecDeque::new(), commands: 0 };
    past.furnish(open.div_ceil(u64::from(OF_ONE_AGENT)).max(4) as u32 * 2).await;
    let began = Instant::now();
    let mut made = 0;
    while made < conversations {
        let together = TOGETHER.min(conversations - made);
        let stay_open = made + together > conversations - open;
        past.live(together, stay_open).await;
        made += together;
        if made % (TOGETHER * 400) < TOGETHER {
            eprintln!("  {made} conversations, {:.0}/s", made as f64 / began.elapsed().as_secs_f64());
        }
    }
    for fed in past.feeding {
        fed.await.expect("the view takes a batch");
    }
    past.view.sync().await.expect("the view can be synced");
}

struct Past {
    workspace: Arc<str>,
    keeper: Keeper,
    journal: SqliteJournal,
    view: Arc<View>,
    now: Now,
    feeding: VecDeque<futures_util::future::BoxFuture<'static, Result<(), offhook::view::ViewFailed>>>,
    commands: u128,
}

impl Past {
    /// A queue, and agents who are available.
    async fn furnish(&mut self, agents: u32) {
        let mut settings = Settings {
            default_queue: Some("support".into()),
            new_agent_queues: vec!["support".into()],
            ..Settings::default()
        };
        settings.channels[0].capacity = OF_ONE_AGENT;
        settings.channels[0].weight = 1;
        self.decide(vec![Command::of_server(Ask::PutQueue(Box::new(QueueSettings::named("support"))))]).await;
        self.decide(vec![Command::of_server(Ask::PutSettings(Box::new(settings)))]).await;
        let name = |number: u32| Arc::<str>::from(format!("agent{number}"));
        for number in 0..agents {
            let put = AgentAsk { name: name(number), queues: Some(vec!["support".into()]), ..AgentAsk::default() };
            let came =
                Ask::SessionCame { agent: name(number), session: SessionId(u128::from(number) + 1), title: None };
            self.decide([Ask::PutAgent(Box::new(put)), came].map(Command::of_server).into()).await;
        }
        let available = |agent: AgentId| Ask::SetStatus { agent, status: "available".into(), channels: None };
        let ids: Vec<AgentId> = self.keeper.desk().agents().map(|(id, _)| id).collect();
        for agent in ids {
            self.decide(vec![Command { principal: Principal::Agent(agent), ..Command::of_server(available(agent)) }])
                .await;
        }
    }

    /// So many conversations start, are accepted, and (unless they stay open) closed.
    async fn live(&mut self, together: u64, stay_open: bool) {
        let starts = (0..together).map(|_| self.command(Principal::Visitor, open)).collect();
        let offers: Vec<(OfferId, AgentId, ConversationId)> =
            self.decide(starts).await.iter().filter_map(offered).collect();
        assert_eq!(offers.len() as u64, together, "every one is offered at once");
        let accepts = offers.iter().map(|(offer, agent, _)| {
            let (agent, offer) = (*agent, *offer);
            self.command(Principal::Agent(agent), |_| Ask::Accept { agent, offer })
        });
        let accepts = accepts.collect();
        self.decide(accepts).await;
        if stay_open {
            return;
        }
        let closes = offers.iter().map(|(_, agent, conversation)| {
            let (by, conversation) = (Closer::Agent(*agent), *conversation);
            self.command(Principal::Agent(*agent), |_| Ask::Close { conversation, by })
        });
        let closes = closes.collect();
        self.decide(closes).await;
    }

    fn command(&mut self, principal: Principal, ask: impl FnOnce(u128) -> Ask) -> Command {
        self.commands += 1;
        // Spread as random ones are, and the same in every run.
        let id = self.commands.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        Command { principal, id: Some(CommandId(id)), fingerprint: id as u64, ask: ask(id) }
    }

    /// Decides commands in as many turns as they need, and keeps what happened. All must be done.
    async fn decide(&mut self, commands: Vec<Command>) -> Vec<Event> {
        let mut asked: VecDeque<Asked<()>> = commands.into_iter().map(|command| Asked::untraced(command, ())).collect();
        let mut happened = Vec::new();
        while !asked.is_empty() {
            self.now.desk = self.now.desk.plus_ms(TURN_MS);
            self.now.wall.0 += TURN_MS;
            let turn = TurnId(u128::from(self.keeper.position().0) + 1);
            let mut decided = self.keeper.decide(self.now, turn, &mut asked, &Loaded::default());
            for ((), result) in &decided.replies {
                assert!(result.is_ok(), "{result:?}");
            }
            let Some(record) = decided.record.take() else { continue };
            let appended = self.journal.append(&self.workspace, record).await;
            assert_eq!(appended, Appended::Committed(decided.position));
            let after = self.keeper.position().0;
            self.keeper.committed(decided.position);
            let rows = self.keeper.desk().rows(&decided.touched, self.keeper.recorded());
            let conversations = self.keeper.desk().touched_conversations(decided.touched);
            let position = decided.position.0;
            happened.extend(decided.events.iter().cloned());
            let turn = CommittedTurn { position, now: self.now, events: decided.events, outcomes: decided.outcomes };
            let workspace = self.workspace.clone();
            let batch = Batch { workspace, after, turns: vec![Arc::new(turn)], to: position, rows, conversations };
            self.feeding.push_back(self.view.apply(batch));
            if self.feeding.len() > 64 {
                let fed = self.feeding.pop_front().expect("there are many");
                fed.await.expect("the view takes a batch");
            }
        }
        happened
    }
}

fn offered(event: &Event) -> Option<(OfferId, AgentId, ConversationId)> {
    match event {
        Event::OfferMade { offer, agent, conversation, .. } => Some((*offer, *agent, *conversation)),
        _ => None,
    }
}

fn open(id: u128) -> Ask {
    // As long as a sealed text and sealed facts are; what they say is of no matter to a start.
    let sealed = |bytes: usize| Some(Arc::from(format!("{:x<bytes$}", format!("s1:{:x}:", id as u32))));
    Ask::Open(Box::new(OpenAsk {
        customer: CustomerId(id),
        key: KeyNumber(id as u64 >> 40),
        channel: "chat".into(),
        queue: "support".into(),
        about: sealed(150),
        text: sealed(100),
        ..OpenAsk::default()
    }))
}
