//! What is counted, event by event: a script of a few turns, and what came of it.

use super::fold::{CellKey, Fold, Kept};
use super::measures::{CONVERSATIONS, Measure, TIME};
use super::person::Person;
use super::sums::Sums;
use super::talk::Talk;
use super::{BUCKET_MS, Cube};
use crate::desk::clocks::ServiceTimes;
use crate::desk::command::{Author, Closer};
use crate::desk::event::{Event, OfferEnd};
use crate::desk::ids::{AgentId, ConversationId, CustomerId, KeyNumber, OfferId, QueueId, SessionId};
use crate::desk::moves::{Mover, Taken, Transfer};
use crate::desk::settings::{AgentProfile, ChannelId, QueueSettings, Settings, StatusId};
use crate::desk::time::{DeskTime, WallTime};
use crate::desk::wrapping::Blocks;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

const C: ConversationId = ConversationId(1);
const ADA: AgentId = AgentId(0);
const BEA: AgentId = AgentId(1);
const SUPPORT: QueueId = QueueId(1);
const SALES: QueueId = QueueId(2);
const ZOE: CustomerId = CustomerId(7);
/// A quarter of an hour begins.
const START: u64 = 1_888_888 * BUCKET_MS;
const AVAILABLE: StatusId = StatusId(1);

/// As the view keeps it between two transactions, in memory.
#[derive(Default)]
pub(super) struct Shelf {
    talks: HashMap<ConversationId, Talk>,
    persons: BTreeMap<AgentId, Person>,
    cells: HashMap<CellKey, Sums>,
}

impl Kept for Shelf {
    type Failed = Infallible;
    fn talk(&mut self, id: ConversationId) -> Result<Option<Talk>, Infallible> {
        Ok(self.talks.get(&id).map(|talk| Talk::of_bytes(&talk.to_bytes())))
    }
    fn person(&mut self, id: AgentId) -> Result<Option<Person>, Infallible> {
        Ok(self.persons.get(&id).copied())
    }
    fn connected(&mut self) -> Result<Vec<AgentId>, Infallible> {
        let all = self.persons.iter();
        Ok(all.filter(|(_, person)| person.connection != Default::default()).map(|(id, _)| *id).collect())
    }
}

/// Turns, each so many milliseconds after the start, in transactions of so many turns.
fn counted(turns: &[(u64, Vec<Event>)], each: usize) -> Shelf {
    let (mut shelf, mut facts, mut wall_ms) = (Shelf::default(), Default::default(), 0);
    for few in turns.chunks(each) {
        let mut fold = Fold::of(facts, wall_ms);
        for (after, events) in few {
            let Ok(()) = fold.turn(START + after, events, &mut shelf);
        }
        shelf.talks.extend(fold.talks);
        shelf.persons.extend(fold.persons);
        for (key, sums) in fold.cells {
            shelf.cells.entry(key).or_default().merge(&sums);
        }
        (facts, wall_ms) = (fold.facts, fold.wall_ms);
    }
    shelf
}

/// What is not 0 of a cube's cells that fit, by names.
fn sums(shelf: &Shelf, cube: Cube, fits: impl Fn(&CellKey) -> bool) -> BTreeMap<&'static str, i64> {
    let mut all = Sums::default();
    shelf.cells.iter().filter(|(key, _)| key.cube == cube && fits(key)).for_each(|(_, sums)| all.merge(sums));
    let list: &[Measure] = if cube == Cube::Time { TIME } else { CONVERSATIONS };
    list.iter().map(|measure| (measure.name, all.get(*measure))).filter(|(_, value)| *value != 0).collect()
}

/// However the turns are cut into transactions, it comes to the same.
fn check<const N: usize>(turns: Vec<(u64, Vec<Event>)>, queue: QueueId, expected: [(&'static str, i64); N]) -> Shelf {
    let whole = counted(&turns, turns.len());
    assert_eq!(sums(&whole, Cube::Queues, |key| key.queue == queue), expected.into_iter().collect());
    let single = counted(&turns, 1);
    assert_eq!(single.cells, whole.cells);
    assert_eq!((single.talks, single.persons), (whole.talks.clone(), whole.persons.clone()));
    whole
}

fn of_agent(shelf: &Shelf, agent: AgentId) -> BTreeMap<&'static str, i64> {
    sums(shelf, Cube::Agents, |key| key.agent == agent)
}

fn opened(left: bool) -> Event {
    Event::ConversationOpened {
        conversation: C,
        customer: ZOE,
        key: KeyNumber(1),
        channel: ChannelId(0),
        queue: SUPPORT,
        priority: 0,
        skills: Vec::new(),
        about: None,
        public: 1,
        waiting_since: None,
        wishes: None,
        left,
        message: false,
        thread: None,
    }
}

fn offered(offer: u64, agent: AgentId) -> Event {
    let (ends_at, deliver_by) = (DeskTime(0), DeskTime(0));
    let (offer, transfer, queue) = (OfferId(offer), None, None);
    Event::OfferMade { offer, conversation: C, agent, ends_at, deliver_by, transfer, queue }
}

fn ended_of(offer: u64, agent: AgentId, end: OfferEnd, transfer: Option<Transfer>) -> Event {
    Event::OfferEnded {
        offer: OfferId(offer),
        conversation: C,
        agent,
        end,
        reason: None,
        cool_down_until: None,
        public: None,
        transfer,
        queue: None,
    }
}

fn accepted(offer: u64, agent: AgentId) -> Event {
    ended_of(offer, agent, OfferEnd::Accepted, None)
}

fn said(author: Author) -> Event {
    Event::MessagePosted { conversation: C, number: 1, author, text: "".into(), public: 1, files: Default::default() }
}

fn closed(by: Closer, owner: Option<AgentId>, wraps_up: bool) -> Event {
    let wrap_up_until = wraps_up.then_some(DeskTime(1));
    Event::ConversationEnded { conversation: C, by, owner, wrap_up_until, public: 1, blocks: Blocks::default() }
}

fn taken(from: Option<AgentId>, to: AgentId, how: Taken) -> Event {
    Event::ConversationTaken { conversation: C, from, to, how, by: Mover::Admin, forced: false, public: 1 }
}

fn rated(score: u8, before: Option<u8>) -> Event {
    Event::ConversationRated { conversation: C, score, comment: None, before, was: None }
}

fn reopened(owner: Option<AgentId>) -> Event {
    let waiting_since = WallTime(0);
    Event::ConversationReopened {
        conversation: C,
        was: None,
        queue: SUPPORT,
        owner,
        waiting_since,
        public: 1,
        wished: None,
    }
}

#[test]
fn a_conversation_that_is_answered_replied_to_and_wrapped_up() {
    let turns = vec![
        (0, vec![opened(false), said(Author::Customer(ZOE)), offered(1, ADA)]),
        (1_000, vec![accepted(1, ADA)]),
        (3_000, vec![said(Author::Agent(ADA))]),
        (4_000, vec![said(Author::Agent(ADA))]),
        (10_000, vec![closed(Closer::Customer(ZOE), Some(ADA), true)]),
        (
            15_000,
            vec![Event::WrapUpEnded {
                conversation: C,
                owner: ADA,
                cause: crate::desk::event::WrapUpCause::Done,
                by: None,
            }],
        ),
    ];
    let shelf = check(
        turns,
        SUPPORT,
        [
            ("opened", 1),
            ("answered", 1),
            ("answered_in_time", 1),
            ("answer_ms", 1_000),
            ("answer_ms_max", 1_000),
            ("offered", 1),
            ("accepted", 1),
            ("reaction_ms", 1_000),
            ("first_replies", 1),
            ("first_replies_in_time", 1),
            ("first_reply_ms", 3_000),
            ("handled", 1),
            ("talk_ms", 9_000),
            ("wrap_up_ms", 5_000),
            ("handle_ms_max", 14_000),
            ("closed_by_customer", 1),
            ("resolution_ms", 10_000),
            ("messages_of_customers", 1),
            ("messages_of_agents", 2),
        ],
    );
    let agent = of_agent(&shelf, ADA);
    assert_eq!((agent["handled"], agent["answered"], agent.get("opened")), (1, 1, None));
    assert_eq!(shelf.persons[&ADA].held, 0);
}

#[test]
fn who_leaves_while_waiting_has_abandoned_and_who_is_closed_has_not() {
    let leaves = |after| vec![(0, vec![opened(false)]), (after, vec![closed(Closer::Customer(ZOE), None, false)])];
    let [opened_once, abandoned] = [("opened", 1), ("abandoned", 1)];
    let ms = |ms| [("abandon_ms", ms), ("abandon_ms_max", ms)];
    let [at_once, longest] = ms(4_000);
    check(
        leaves(4_000),
        SUPPORT,
        [opened_once, abandoned, at_once, longest, ("abandoned_short", 1), ("abandoned_in_time", 1)],
    );
    let [later, longest] = ms(30_000);
    check(leaves(30_000), SUPPORT, [opened_once, abandoned, later, longest, ("abandoned_in_time", 1)]);
    let [late, longest] = ms(30_001);
    check(leaves(30_001), SUPPORT, [opened_once, abandoned, late, longest]);
    let by_rule = vec![(0, vec![opened(false)]), (1, vec![closed(Closer::System, None, false)])];
    check(by_rule, SUPPORT, [opened_once, ("closed_waiting", 1)]);
}

#[test]
fn in_time_is_what_the_clock_of_its_queue_says_when_it_is_answered() {
    let service = ServiceTimes { accept_ms: Some(500), ..ServiceTimes::default() };
    let settings = Box::new(QueueSettings { service, ..QueueSettings::named("support") });
    let turns = vec![
        (0, vec![Event::QueuePut { queue: SUPPORT, settings }, opened(false), offered(1, ADA)]),
        (501, vec![accepted(1, ADA)]),
    ];
    let shelf = counted(&turns, 1);
    let all = sums(&shelf, Cube::Queues, |_| true);
    assert_eq!((all["answered"], all.get("answered_in_time")), (1, None));
}

#[test]
fn offers_that_fail_count_with_their_end_and_the_wait_goes_on() {
    let turns = vec![
        (0, vec![opened(false), offered(1, ADA)]),
        (2_000, vec![ended_of(1, ADA, OfferEnd::Expired, None), offered(2, BEA)]),
        (3_000, vec![ended_of(2, BEA, OfferEnd::Rejected, None), offered(3, ADA)]),
        (3_500, vec![accepted(3, ADA)]),
    ];
    let shelf = check(
        turns,
        SUPPORT,
        [
            ("opened", 1),
            ("answered", 1),
            ("answered_in_time", 1),
            ("answer_ms", 3_500),
            ("answer_ms_max", 3_500),
            ("offered", 3),
            ("accepted", 1),
            ("expired", 1),
            ("rejected", 1),
            ("reaction_ms", 500),
        ],
    );
    assert_eq!(of_agent(&shelf, BEA), [("offered", 1), ("rejected", 1)].into());
}

#[test]
fn a_cold_transfer_ends_the_work_of_one_and_begins_that_of_the_other() {
    let cold = Some(Transfer { from: ADA, warm: false });
    let turns = vec![
        (0, vec![opened(false), taken(None, ADA, Taken::Picked)]),
        (1_000, vec![offered(1, BEA)]),
        (4_000, vec![ended_of(1, BEA, OfferEnd::Accepted, cold)]),
    ];
    let shelf = counted(&turns, 1);
    let ada = of_agent(&shelf, ADA);
    assert_eq!((ada["transferred_out"], ada["handled"], ada["talk_ms"], ada["taken"]), (1, 1, 4_000, 1));
    let bea = of_agent(&shelf, BEA);
    assert_eq!((bea["transfers_taken"], bea.get("answered"), bea["accepted"]), (1, None, 1));
    assert_eq!((shelf.persons[&ADA].held, shelf.persons[&BEA].held), (0, 1));
}

#[test]
fn who_joins_holds_it_too_until_it_leaves_or_is_handed_it() {
    let warm = Some(Transfer { from: ADA, warm: true });
    let join = |after, offer| (after, vec![offered(offer, BEA), ended_of(offer, BEA, OfferEnd::Accepted, warm)]);
    let turns = vec![
        (0, vec![opened(false), taken(None, ADA, Taken::Claimed)]),
        join(1_000, 1),
        (2_000, vec![Event::ConversationLeft { conversation: C, agent: BEA, public: 1 }]),
        join(3_000, 2),
        (4_000, vec![Event::ConversationHandedOver { conversation: C, from: ADA, to: BEA, public: 1 }]),
    ];
    let held = |turns: &[_]| {
        let shelf = counted(turns, 2);
        [ADA, BEA].map(|agent| shelf.persons.get(&agent).map_or(0, |person| person.held))
    };
    assert_eq!((2..=5).map(|turn| held(&turns[..turn])).collect::<Vec<_>>(), [[1, 1], [1, 0], [1, 1], [0, 1]]);
    let bea = of_agent(&counted(&turns, 1), BEA);
    assert_eq!((bea["joined"], bea["transfers_taken"]), (2, 1));
}

#[test]
fn a_conversation_that_changes_queues_enters_each_and_waits_there_anew() {
    let moved = Event::ConversationMoved {
        conversation: C,
        queue: SALES,
        skills: Vec::new(),
        moves: 1,
        public: None,
        by: None,
    };
    let turns = vec![
        (0, vec![opened(false)]),
        (10_000, vec![moved, offered(1, ADA)]),
        (12_000, vec![accepted(1, ADA)]),
        (
            20_000,
            vec![Event::ConversationTransferred {
                conversation: C,
                from: ADA,
                queue: SUPPORT,
                skills: Vec::new(),
                waiting_since: WallTime(0),
                by: Mover::Agent(ADA),
                cool_down_until: None,
                public: 1,
            }],
        ),
    ];
    let shelf = counted(&turns, 1);
    let support = sums(&shelf, Cube::Queues, |key| key.queue == SUPPORT);
    assert_eq!(support, [("opened", 1), ("moved_out", 1), ("transferred_in", 1)].into());
    let sales = sums(&shelf, Cube::Queues, |key| key.queue == SALES);
    assert_eq!(
        (sales["moved_in"], sales["answer_ms"], sales["transferred_out"], sales["talk_ms"]),
        (1, 2_000, 1, 8_000)
    );
}

#[test]
fn what_an_agent_starts_itself_is_no_wait_and_has_no_first_reply() {
    let turns = vec![
        (0, vec![opened(false), said(Author::Agent(ADA)), taken(None, ADA, Taken::Started)]),
        (5_000, vec![said(Author::Agent(ADA)), closed(Closer::Agent(ADA), Some(ADA), false)]),
    ];
    let shelf = counted(&turns, 1);
    let all = sums(&shelf, Cube::Queues, |_| true);
    assert_eq!((all["started"], all.get("opened"), all.get("answered"), all["handled"]), (1, None, None, 1));
}

#[test]
fn a_message_that_was_left_is_waited_for_by_nobody() {
    let turns = vec![
        (0, vec![opened(true), offered(1, ADA)]),
        (9_000_000, vec![accepted(1, ADA)]),
        (9_001_000, vec![said(Author::Agent(ADA)), closed(Closer::Agent(ADA), Some(ADA), false)]),
    ];
    let all = sums(&counted(&turns, 1), Cube::Queues, |_| true);
    assert_eq!((all["left"], all["left_answered"], all.get("answered"), all.get("first_replies")), (1, 1, None, None));
    let gone = vec![(0, vec![opened(true)]), (1, vec![closed(Closer::Customer(ZOE), None, false)])];
    check(gone, SUPPORT, [("left", 1), ("left_closed", 1)]);
}

#[test]
fn one_that_comes_back_is_handled_again() {
    let turns = vec![
        (0, vec![opened(false), taken(None, ADA, Taken::Picked)]),
        (1_000, vec![closed(Closer::Agent(ADA), Some(ADA), true)]),
        (3_000, vec![reopened(Some(ADA))]),
        (7_000, vec![closed(Closer::Agent(ADA), Some(ADA), false)]),
        (9_000, vec![reopened(None)]),
    ];
    let all = sums(&counted(&turns, 1), Cube::Queues, |_| true);
    assert_eq!((all["handled"], all["talk_ms"], all["wrap_up_ms"]), (2, 1_000 + 4_000, 2_000));
    assert_eq!((all["reopened_to_owner"], all["reopened"], all["closed_by_agent"]), (1, 1, 2));
    assert_eq!(all["resolution_ms"], 1_000 + 4_000, "from when it was reopened");
}

#[test]
fn the_last_rating_counts_where_it_was_given_and_the_one_before_it_no_more() {
    let turns = vec![
        (0, vec![opened(false), taken(None, ADA, Taken::Picked)]),
        (1_000, vec![closed(Closer::Agent(ADA), Some(ADA), false)]),
        (2_000, vec![rated(2, None)]),
        (BUCKET_MS, vec![rated(5, Some(2))]),
    ];
    let shelf = counted(&turns, 1);
    let in_bucket = |place: u64| {
        let bucket = (START / BUCKET_MS + place) as u32;
        let all = sums(&shelf, Cube::Agents, |key| key.agent == ADA && key.bucket == bucket);
        ["rated_2", "rated_5"].map(|name| all.get(name).copied().unwrap_or_default())
    };
    assert_eq!((in_bucket(0), in_bucket(1)), ([0, 0], [0, 1]));
}

#[test]
fn an_agents_time_goes_by_connection_status_and_work() {
    let settings = Box::new(Settings::default());
    let profile: AgentProfile = serde_json::from_str(r#"{"name": "ada"}"#).unwrap();
    let session = SessionId(1);
    let turns = vec![
        (0, vec![Event::SettingsChanged { settings }, Event::AgentPut { agent: ADA, profile: Box::new(profile) }]),
        (1_000, vec![Event::SessionCame { agent: ADA, session }]),
        (
            3_000,
            vec![Event::StatusChanged {
                agent: ADA,
                status: AVAILABLE,
                channels: 1,
                cause: crate::desk::event::StatusCause::Chosen,
                by: None,
            }],
        ),
        (10_000, vec![opened(false), taken(None, ADA, Taken::Picked)]),
        (11_000, Vec::new()),
        (14_000, vec![Event::ServerBegan { grace_until: DeskTime(0), offer_grace_until: DeskTime(0) }]),
        (15_000, vec![Event::SessionCame { agent: ADA, session }]),
        (
            BUCKET_MS + 5_000,
            vec![Event::AgentOffline {
                agent: ADA,
                status: StatusId(0),
                cause: crate::desk::event::OfflineCause::SignedOut,
            }],
        ),
        (2 * BUCKET_MS, vec![closed(Closer::Admin, Some(ADA), false)]),
    ];
    let shelf = counted(&turns, 1);
    assert_eq!(counted(&turns, 3).cells, shelf.cells);
    let at = |place: u64| sums(&shelf, Cube::Time, |key| u64::from(key.bucket) == START / BUCKET_MS + place);
    let quarter = BUCKET_MS as i64;
    assert_eq!(
        at(0),
        [
            ("connected_ms", quarter - 1_000 - 3_000),
            ("reconnecting_ms", 1_000),
            ("available_ms", quarter - 3_000 - 3_000),
            ("idle_ms", 7_000),
            ("occupied_ms", quarter - 10_000 - 3_000),
            ("held_ms", quarter - 10_000 - 3_000),
            ("before_restart_ms", 3_000),
            ("sign_ins", 1),
        ]
        .into()
    );
    assert_eq!(
        at(1),
        [("connected_ms", 5_000), ("available_ms", 5_000), ("occupied_ms", 5_000), ("held_ms", 5_000)].into()
    );
    assert_eq!(at(2), BTreeMap::new());
}

#[test]
fn when_a_status_stops_to_be_an_available_one_the_time_before_stays_what_it_was() {
    let settings = Settings::default();
    let mut changed = settings.clone();
    changed.statuses[1].available = false;
    let came = Event::SessionCame { agent: ADA, session: SessionId(1) };
    let chosen = Event::StatusChanged {
        agent: ADA,
        status: AVAILABLE,
        channels: 1,
        cause: crate::desk::event::StatusCause::Chosen,
        by: None,
    };
    let turns = vec![
        (0, vec![Event::SettingsChanged { settings: Box::new(settings) }, came, chosen]),
        (1_000, vec![Event::SettingsChanged { settings: Box::new(changed) }]),
        (5_000, vec![Event::AgentUnreachable { agent: ADA }]),
    ];
    let all = sums(&counted(&turns, 1), Cube::Time, |_| true);
    assert_eq!((all["connected_ms"], all["available_ms"], all["idle_ms"]), (5_000, 1_000, 1_000));
}

#[test]
fn what_is_said_of_a_conversation_that_nothing_is_known_of_is_passed_over() {
    let turns = vec![(0, vec![offered(1, ADA), accepted(1, ADA), said(Author::Agent(ADA)), rated(5, None)])];
    assert!(counted(&turns, 1).cells.is_empty());
}
