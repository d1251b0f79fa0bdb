//! Every kind of command goes there unchanged.

use super::super::shapes::Batch;
use super::each_is_sampled;
use crate::desk::auto_accept::AutoAccept;
use crate::desk::command::{AgentAsk, Ask, AskedAgent, Author, Closer, Command, OpenAsk, StartAsk, Worker};
use crate::desk::decision::{Choice, DecideAsk};
use crate::desk::expecting::{Known, OnlyIf};
use crate::desk::files::{Attached, Attachments, FileId};
use crate::desk::ids::{
    AgentId, CommandId, ConversationId, CustomerId, DecisionId, ImportId, KeyNumber, NodeNumber, OfferId, Principal,
    QueueId, SessionId, ThreadId,
};
use crate::desk::imported::{Beginning, By, Entry, ImportAsk, Part, Rated};
use crate::desk::labels::{FieldValue, LabelAsk, LabelChange, ThenEnd};
use crate::desk::moves::{Deed, MoveAsk, Mover};
use crate::desk::outside::{DeliveryAsk, DeliveryState, ReceiveAsk};
use crate::desk::own::OwnCursor;
use crate::desk::queue_moves::Draining;
use crate::desk::ratings::RateAsk;
use crate::desk::settings::{AgentProfile, ApiKey, ChannelId, QueueSettings, Settings};
use crate::desk::time::WallTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const AGENT: AgentId = AgentId(7);
const CONVERSATION: ConversationId = ConversationId(17);
const CUSTOMER: CustomerId = CustomerId(0xabc << 100);
/// With what JSON escapes, and what is longer than a byte.
const TEXT: &str = "sealed \"text\" \u{1}\n\\ zoë \u{1f600}";

fn words(words: &[&str]) -> Vec<Arc<str>> {
    words.iter().copied().map(Arc::from).collect()
}

fn levels(level: u8) -> BTreeMap<Arc<str>, u8> {
    [("french".into(), level), ("".into(), 1)].into()
}

fn attached() -> Attachments {
    let file = Attached {
        file: FileId(u128::MAX),
        name: TEXT.into(),
        kind: "image/png".into(),
        bytes: u64::MAX,
        width: Some(1),
        height: None,
    };
    [file].into()
}

fn settings() -> Settings {
    Settings { files: None, retention_days: Some(3), default_queue: Some("support".into()), ..Settings::default() }
}

fn profile() -> AgentProfile {
    AgentProfile {
        queues: vec![QueueId(1)],
        tiers: [(QueueId(1), 2)].into(),
        skills: levels(3),
        capacity: [("chat".into(), 4)].into(),
        auto_accept: AutoAccept::AfterMs(5),
        ..AgentProfile::named(&"ada".into())
    }
}

fn open() -> OpenAsk {
    OpenAsk {
        customer: CUSTOMER,
        key: KeyNumber(u64::MAX),
        channel: "chat".into(),
        queue: "support".into(),
        priority: Some(-3),
        skills: levels(2),
        about: Some(TEXT.into()),
        text: Some("".into()),
        waiting_since: Some(WallTime(1)),
        preferred_skills: words(&["french"]),
        preferred_agent: Some(AskedAgent { name: "ada".into(), required: true }),
        or_message: true,
        thread: Some(ThreadId(9)),
    }
}

fn change() -> LabelChange {
    let fields = [
        ("number", Some(FieldValue::Number("1e3".into()))),
        ("choice", Some(FieldValue::Choice("a".into()))),
        ("flag", Some(FieldValue::Boolean(false))),
        ("day", Some(FieldValue::Date("2026-11-26".into()))),
        ("sealed", Some(FieldValue::Sealed(TEXT.into()))),
        ("none", None),
    ];
    let fields = fields.map(|(name, value)| (name.into(), value)).into();
    LabelChange { disposition: Some("".into()), tags: Some(Vec::new()), fields }
}

fn beginning() -> Beginning {
    Beginning {
        customer: CUSTOMER,
        key: KeyNumber(1),
        channel: ChannelId(2),
        queue: QueueId(3),
        owner: Some(AGENT),
        about: TEXT.into(),
        labels: change(),
        opened_at: WallTime(1),
        closed_at: WallTime(2),
        rating: Some(Rated { score: 5, comment: Some(TEXT.into()) }),
    }
}

fn known() -> Vec<Known> {
    let known = vec![
        Known::There,
        Known::Absent,
        Known::Settings(Arc::new(settings())),
        Known::Queue(Arc::new(QueueSettings::named("support"))),
        Known::Agent(Arc::new(profile())),
        Known::Outdated,
    ];
    each_is_sampled!(known, Known: There Absent Settings Queue Agent Outdated);
    known
}

fn deeds() -> Vec<Deed> {
    let deeds = vec![
        Deed::TransferToAgent { agent: "ada".into(), warm: true },
        Deed::TransferToQueue { queue: "support".into(), waiting_since: Some(WallTime(3)) },
        Deed::TransferToQueue { queue: "support".into(), waiting_since: None },
        Deed::CancelTransfer,
        Deed::HandOver,
        Deed::Leave,
        Deed::Pick,
        Deed::Assign { to: Some("ada".into()), expected_owner: None, force: true },
        Deed::Assign { to: None, expected_owner: Some("bob".into()), force: false },
    ];
    each_is_sampled!(deeds, Deed: TransferToAgent TransferToQueue CancelTransfer HandOver Leave Pick Assign);
    deeds
}

fn imports() -> Vec<ImportAsk> {
    let by = [By::Customer, By::Agent(AGENT), By::Other, By::Note(None), By::Note(Some(AGENT))];
    each_is_sampled!(by, By: Customer Agent Other Note);
    let parts = [Part::First(Box::new(beginning())), Part::Next(2)];
    each_is_sampled!(parts, Part: First Next);
    let entries: Vec<Entry> = by.map(|by| Entry { at: WallTime(4), by, text: TEXT.into() }).into();
    parts.map(|part| ImportAsk { import: ImportId(5), part, entries: entries.clone() }).into()
}

fn of_the_workspace() -> Vec<Ask> {
    let mut asks = vec![
        Ask::PutSettings(Box::default()),
        Ask::PutSettings(Box::new(settings())),
        Ask::PutQueue(Box::new(QueueSettings::named("support"))),
        Ask::RemoveQueue { name: "support".into() },
        Ask::PutAgent(Box::default()),
        Ask::PutAgent(Box::new(AgentAsk {
            name: "zoë".into(),
            title: Some("Zoë".into()),
            active: Some(false),
            queues: Some(words(&["support"])),
            skills: Some(levels(4)),
            capacity: Some([("chat".into(), 1)].into()),
            tiers: Some(levels(2)),
            program: Some(true),
            capacity_total: Some(100),
            auto_accept: Some(AutoAccept::Never),
            offer_percent: Some(200),
        })),
        Ask::PutApiKey(Box::new(ApiKey {
            id: "k".into(),
            name: "shop".into(),
            sha256: "00".into(),
            scopes: words(&["admin"]),
            created_at: 6,
        })),
        Ask::RemoveApiKey { id: "k".into() },
        Ask::ServerBegan,
        Ask::LeaderBegan,
        Ask::NodeGone { node: NodeNumber(7) },
        Ask::MergeCustomer { from: CUSTOMER, into: CustomerId(1) },
        Ask::SignOutCustomer { customer: CUSTOMER },
        Ask::Tick,
    ];
    asks.extend(known().into_iter().map(|known| {
        let then = Ask::RemoveQueue { name: "support".into() };
        Ask::OnlyIf(Box::new(OnlyIf { known, then }))
    }));
    asks
}

fn of_agents() -> Vec<Ask> {
    vec![
        Ask::SessionCame { agent: "ada".into(), session: SessionId(u128::MAX), title: Some("Ada".into()) },
        Ask::SessionWent { agent: AGENT, session: SessionId(1) },
        Ask::SetStatus { agent: AGENT, status: "away".into(), channels: Some(words(&["chat"])) },
        Ask::SetNextStatus { agent: AGENT, status: None },
        Ask::ForceStatus { agent: "ada".into(), status: "away".into(), by: Mover::Supervisor(AGENT) },
        Ask::AgentIsIdle { agent: AGENT },
        Ask::Ready { agent: AGENT },
        Ask::SignOut { agent: AGENT },
        Ask::SignInEnded { agent: AGENT, sessions: vec![SessionId(1), SessionId(u128::MAX)] },
        Ask::ListOwn { agent: AGENT, after: OwnCursor { offer: OfferId(1), conversation: CONVERSATION } },
        Ask::ConfirmDelivery { agent: AGENT, offer: OfferId(u64::MAX) },
        Ask::Accept { agent: AGENT, offer: OfferId(1) },
        Ask::Reject { agent: AGENT, offer: OfferId(1), reason: "busy".into() },
        Ask::DrainAgent { agent: "ada".into(), draining: true },
        Ask::DrainQueue { queue: "support".into(), draining: Some(Draining { to: Some("sales".into()) }) },
        Ask::DrainQueue { queue: "support".into(), draining: None },
        Ask::ListWaiting {
            by: Mover::Agent(AGENT),
            queue: "support".into(),
            after: Some("-1.2.3.4".parse().expect("a cursor")),
            limit: 50,
        },
        Ask::WhyConversation { conversation: CONVERSATION },
        Ask::WhyAgent { agent: "ada".into() },
    ]
}

fn of_conversations() -> Vec<Ask> {
    let (conversation, text) = (CONVERSATION, Arc::from(TEXT));
    let mut asks = vec![
        Ask::Open(Box::default()),
        Ask::Open(Box::new(open())),
        Ask::Post { conversation, author: Author::Agent(AGENT), text, files: attached() },
        Ask::Post { conversation, author: Author::Customer(CUSTOMER), text: "".into(), files: Attachments::default() },
        Ask::Receive(Box::new(ReceiveAsk {
            thread: ThreadId(1),
            found: Some(conversation),
            text: TEXT.into(),
            open: open(),
        })),
        Ask::ReportDelivery(Box::new(DeliveryAsk {
            channel: "email".into(),
            conversation,
            number: u32::MAX,
            state: DeliveryState::Failed,
            reason: Some("bounced".into()),
        })),
        Ask::Read { conversation, reader: Author::Customer(CUSTOMER), number: 3 },
        Ask::Typing { conversation, author: Author::Agent(AGENT), draft: Some(TEXT.into()) },
        Ask::ExtendWrapUp { agent: AGENT, conversation },
        Ask::Start(Box::new(StartAsk {
            agent: AGENT,
            customer: CUSTOMER,
            key: KeyNumber(1),
            channel: "email".into(),
            queue: "support".into(),
            about: None,
            text: Some(TEXT.into()),
            thread: Some(ThreadId(2)),
        })),
        Ask::Note { conversation, by: Mover::Admin, text: TEXT.into() },
        Ask::Describe { conversation, customer: CUSTOMER, about: TEXT.into() },
        Ask::Rate(Box::new(RateAsk { conversation, customer: CUSTOMER, score: 5, comment: None })),
        Ask::Decide(Box::new(DecideAsk {
            conversation,
            decision: DecisionId(1),
            expected_owner: Some("ada".into()),
            choice: Choice::Agent("bob".into()),
            by: "router".into(),
        })),
        Ask::ListDecisions { known: BTreeSet::from([DecisionId(1), DecisionId(u64::MAX)]) },
    ];
    let closers = [Closer::Supervisor(AGENT), Closer::Agent(AGENT), Closer::Customer(CUSTOMER), Closer::Admin];
    asks.extend(closers.map(|by| Ask::Close { conversation, by }));
    let workers = [Worker::Owner(AGENT), Worker::Supervisor(AGENT), Worker::Admin];
    each_is_sampled!(workers, Worker: Owner Supervisor Admin);
    asks.extend(workers.map(|by| Ask::WrapUpDone { conversation, by }));
    asks.extend(deeds().into_iter().map(|deed| Ask::Move(MoveAsk { conversation, by: Mover::Agent(AGENT), deed })));
    let ends = [ThenEnd::Nothing, ThenEnd::Talk, ThenEnd::WrapUp];
    each_is_sampled!(ends, ThenEnd: Nothing Talk WrapUp);
    let label = |then| LabelAsk { conversation, by: Mover::Agent(AGENT), change: change(), then };
    asks.extend(ends.map(|then| Ask::Label(Box::new(label(then)))));
    asks.extend(imports().into_iter().map(|import| Ask::Import(Box::new(import))));
    asks
}

/// One of each kind of command at least.
pub(super) fn samples() -> Vec<Command> {
    let asks = [of_the_workspace(), of_agents(), of_conversations()].concat();
    each_is_sampled!(asks, Ask: PutSettings PutQueue RemoveQueue PutAgent OnlyIf PutApiKey RemoveApiKey ServerBegan LeaderBegan NodeGone
        SessionCame SessionWent SetStatus SetNextStatus ForceStatus AgentIsIdle Ready SignOut SignInEnded ListOwn ConfirmDelivery
        Accept Reject Open Post Receive ReportDelivery Read Typing Close WrapUpDone ExtendWrapUp Move Start Note Label
        Describe Rate Import DrainAgent DrainQueue ListWaiting Decide ListDecisions MergeCustomer SignOutCustomer
        WhyConversation WhyAgent Tick);
    let principals = [
        Principal::Agent(AGENT),
        Principal::Customer(CUSTOMER),
        Principal::ApiKey(u64::MAX),
        Principal::Visitor,
        Principal::Server,
    ];
    each_is_sampled!(principals, Principal: Agent Customer ApiKey Visitor Server);
    let ids = [Some(CommandId(u128::MAX)), None];
    let who = principals.into_iter().cycle().zip(ids.into_iter().cycle());
    asks.into_iter()
        .zip(who)
        .map(|(ask, (principal, id))| Command { principal, id, fingerprint: u64::MAX, ask })
        .collect()
}

#[test]
fn every_command_arrives_as_it_was_sent() {
    let commands = samples();
    let (workspace, sender) = (Arc::from("acme"), (1 << 48) - 1);
    let batch = Batch { workspace, term: u64::MAX, sender, number: 1, commands };
    let there = Batch::decode(&batch.encode().expect("it has room")).expect("it can be read");
    assert_eq!(there.commands.len(), batch.commands.len());
    for (sent, came) in batch.commands.iter().zip(&there.commands) {
        assert_eq!(sent, came);
    }
    assert_eq!(there, batch);
}

/// Another release may send members that this one does not know, and leave out such as are new here.
#[test]
fn what_another_release_says_is_understood_as_far_as_it_is_known() {
    let read = |text: &str| serde_json::from_str::<Command>(text);
    let tick = r#"{"principal":"server","fingerprint":0,"ask":"tick","of_the_next_release":{"deep":[1]}}"#;
    assert_eq!(read(tick).expect("it is a command"), Command::of_server(Ask::Tick));
    let accept = r#"{"principal":{"agent":7},"fingerprint":1,"ask":{"accept":{"agent":7,"offer":1,"new":true}}}"#;
    assert_eq!(read(accept).expect("it is a command").ask, Ask::Accept { agent: AGENT, offer: OfferId(1) });
    let open = r#"{"principal":"visitor","fingerprint":1,"ask":{"open":{"queue":"support"}}}"#;
    let asked = Ask::Open(Box::new(OpenAsk { queue: "support".into(), ..OpenAsk::default() }));
    assert_eq!(read(open).expect("it is a command").ask, asked);
    // Of what an administrator sets nothing is left out.
    let put = r#"{"principal":"server","fingerprint":0,"ask":{"put_agent":{"name":"ada","of_the_next_release":1}}}"#;
    assert!(read(put).is_err());
}
