//! History from elsewhere: once, in order, and nobody's business but the history's.

use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Author, Command};
use crate::desk::conversation::{Conversation, State};
use crate::desk::event::Event;
use crate::desk::ids::{CommandId, ConversationId, CustomerId, ImportId, KeyNumber, Principal, QueueId};
use crate::desk::imported::{Beginning, By, Entry, ImportAsk, Part};
use crate::desk::labels::LabelChange;
use crate::desk::needs::{Loaded, Need};
use crate::desk::refusal::Refusal;
use crate::desk::settings::{ChannelId, QueueSettings};
use crate::desk::time::{DeskTime, Now, WallTime};

const NOW: Now = Now { desk: DeskTime(1_000), wall: WallTime(1_000_000) };

fn desk() -> Desk {
    let mut desk = Desk::default();
    let queue = QueueSettings::named("support");
    desk.handle(NOW, &Command::of_server(Ask::PutQueue(Box::new(queue))), &Loaded::default(), &mut Vec::new()).unwrap();
    desk.take_touched();
    desk
}

fn command(part: u32, entries: usize) -> Command {
    let import = ImportId(7 << 64);
    let beginning = Beginning {
        customer: CustomerId(1),
        key: KeyNumber(1),
        channel: ChannelId(0),
        queue: QueueId(1),
        owner: None,
        about: "about".into(),
        labels: LabelChange::default(),
        opened_at: WallTime(10),
        closed_at: WallTime(20),
        rating: None,
    };
    let entry = |place| Entry {
        at: WallTime(10),
        by: if place % 2 == 0 { By::Customer } else { By::Note(None) },
        text: "text".into(),
    };
    let ask = ImportAsk {
        import,
        part: if part == 1 { Part::First(Box::new(beginning)) } else { Part::Next(part) },
        entries: (0..entries).map(entry).collect(),
    };
    let id = Some(CommandId(import.0 ^ u128::from(part)));
    Command { principal: Principal::Visitor, id, fingerprint: 0, ask: Ask::Import(Box::new(ask)) }
}

fn held_of(events: &[Event]) -> Conversation {
    let Event::ConversationImported { held, .. } = &events[0] else { panic!("{events:?}") };
    (**held).clone()
}

#[test]
fn it_is_closed_read_and_counted_and_the_desk_does_not_hold_it() {
    let (mut desk, mut events) = (desk(), Vec::new());
    let answer = desk.handle(NOW, &command(1, 3), &Loaded::default(), &mut events);
    let conversation = ConversationId(1);
    assert_eq!(answer, Ok(Answer::Imported { conversation, parts: 1, was_here: false }));
    let held = held_of(&events);
    assert_eq!((held.state, held.last_number, held.notes(), held.public), (State::Closed, 2, 1, 3));
    assert_eq!((held.read_by_agent, held.ended_at), (2, WallTime(20)));
    assert!(matches!(
        &events[1..],
        [
            Event::MessageImported { number: 1, public: 2, author: Author::Customer(CustomerId(1)), .. },
            Event::NoteImported { note: 1, after: 1, .. },
            Event::MessageImported { number: 2, public: 3, .. },
        ]
    ));
    assert!(desk.conversation(conversation).is_none());
    desk.check().unwrap();
    let mut replayed = self::desk();
    replayed.replay(NOW, &events, &[]);
    assert_eq!(replayed.touched_conversations(replayed.clone().take_touched()), [(conversation, held)]);
}

#[test]
fn once_more_it_is_here_whatever_it_says_by_now() {
    let (mut desk, mut events) = (desk(), Vec::new());
    desk.handle(NOW, &command(1, 3), &Loaded::default(), &mut events).unwrap();
    let was_here = Ok(Answer::Imported { conversation: ConversationId(1), parts: 1, was_here: true });
    let mut none = Vec::new();
    assert_eq!(desk.handle(NOW, &command(1, 5), &Loaded::default(), &mut none), was_here, "remembered");
    // Long after, when nothing of it is in memory: the view knows.
    let mut later = self::desk();
    let mut needs = Vec::new();
    later.needs(NOW.wall, &command(1, 5), &mut needs);
    assert_eq!(needs, [Need::Import(ImportId(7 << 64))]);
    let mut loaded = Loaded::default();
    loaded.imports.insert(ImportId(7 << 64), (ConversationId(1), held_of(&events)));
    assert_eq!(later.handle(NOW, &command(1, 5), &loaded, &mut none), was_here);
    assert_eq!(none, []);
}

#[test]
fn parts_follow_each_other_also_within_a_turn() {
    let (mut desk, mut events) = (desk(), Vec::new());
    let early = desk.handle(NOW, &command(2, 1), &Loaded::default(), &mut events);
    assert_eq!(early, Err(Refusal::PartMissing { next: 1 }));
    desk.handle(NOW, &command(1, 3), &Loaded::default(), &mut events).unwrap();
    let skipped = desk.handle(NOW, &command(3, 1), &Loaded::default(), &mut events);
    assert_eq!(skipped, Err(Refusal::PartMissing { next: 2 }));
    events.clear();
    let next = desk.handle(NOW, &command(2, 2), &Loaded::default(), &mut events);
    assert_eq!(next, Ok(Answer::Imported { conversation: ConversationId(1), parts: 2, was_here: false }));
    let held = held_of(&events);
    assert_eq!((held.last_number, held.notes(), held.public), (3, 2, 4));
    assert!(matches!(events[1], Event::MessageImported { number: 3, public: 4, .. }));
}

#[test]
fn its_customer_neither_goes_on_in_it_nor_rates_it() {
    let (mut desk, mut events) = (desk(), Vec::new());
    desk.handle(NOW, &command(1, 1), &Loaded::default(), &mut events).unwrap();
    desk.take_touched();
    let conversation = ConversationId(1);
    let mut loaded = Loaded::default();
    loaded.conversations.insert(conversation, held_of(&events));
    let author = Author::Customer(CustomerId(1));
    let post = Ask::Post { conversation, author, text: "text".into(), files: Default::default() };
    let refused = desk.handle(NOW, &Command::of_server(post), &loaded, &mut Vec::new());
    assert_eq!(refused, Err(Refusal::WrongState { conversation, state: "closed".into() }));
    let rate = crate::desk::ratings::RateAsk { conversation, customer: CustomerId(1), score: 5, comment: None };
    let refused = desk.handle(NOW, &Command::of_server(Ask::Rate(Box::new(rate))), &loaded, &mut Vec::new());
    assert_eq!(refused, Err(Refusal::RatingOver(conversation)));
}
