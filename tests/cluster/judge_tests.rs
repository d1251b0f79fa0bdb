//! Every rule is one that a history can break: a good one, and from it one that is wrong in each way.

use crate::history::{Book, History, Line, What};
use crate::judge::{Rule, judge};
use offhook::wire::feed::FeedEvent;
use serde_json::{Value, json};
use std::time::Duration;

/// What the feed has for each of these, with one record each.
fn feed(facts: &[Value]) -> Vec<FeedEvent> {
    let event = |(position, fact): (usize, &Value)| {
        let mut event = json!({"id": format!("{position}.0"), "version": 1, "at": 1, "workspace": "demo"});
        event.as_object_mut().expect("an object").extend(fact.as_object().expect("an object").clone());
        serde_json::from_value(event).unwrap_or_else(|error| panic!("{error}: {fact}"))
    };
    facts.iter().enumerate().map(|(place, fact)| event((place + 1, fact))).collect()
}

fn made(offer: &str, conversation: &str, agent: &str) -> Value {
    json!({"type": "offer.made", "offer": offer, "conversation": conversation, "agent": agent, "queue": "support",
        "ends_in_ms": 1, "deliver_in_ms": 1, "transfer": null})
}

fn ended(offer: &str, conversation: &str, agent: &str, end: &str) -> Value {
    json!({"type": "offer.ended", "offer": offer, "conversation": conversation, "agent": agent, "queue": "support",
        "end": end, "reason": null, "transfer": null})
}

/// An offer, or its end, by which `from` gives it away.
fn given(mut fact: Value, from: &str, warm: bool) -> Value {
    fact["transfer"] = json!({"from": from, "warm": warm});
    fact
}

fn posted(conversation: &str, number: u32, text: &str) -> Value {
    json!({"type": "message.posted", "conversation": conversation, "number": number, "author": {"customer": "1"},
        "text": text, "files": []})
}

fn taken(conversation: &str, from: Option<&str>, to: &str) -> Value {
    json!({"type": "conversation.taken", "conversation": conversation, "from": from, "to": to, "how": "claimed",
        "by": "admin", "forced": false})
}

fn requeued(conversation: &str, from: &str) -> Value {
    json!({"type": "conversation.requeued", "conversation": conversation, "from": from, "waiting_since": 1,
        "cause": "owner_gone"})
}

fn over(conversation: &str, owner: &str, wrap_up: bool) -> Value {
    json!({"type": "conversation.ended", "conversation": conversation, "by": "admin", "owner": owner,
        "wrap_up": wrap_up, "wrap_up_ms": null})
}

/// Two conversations from hand to hand, in each of the ways in which they go.
fn facts() -> Vec<Value> {
    vec![
        posted("c1", 1, "one"),
        made("o1", "c1", "ada"),
        ended("o1", "c1", "ada", "expired"),
        made("o2", "c1", "bob"),
        ended("o2", "c1", "bob", "accepted"),
        posted("c1", 2, "two"),
        posted("c2", 1, "first"),
        made("o3", "c2", "ada"),
        ended("o3", "c2", "ada", "accepted"),
        posted("c1", 3, "three"),
        // Given away, cold and warm.
        given(made("o4", "c1", "ada"), "bob", false),
        given(ended("o4", "c1", "ada", "accepted"), "bob", false),
        given(made("o5", "c1", "bob"), "ada", true),
        given(ended("o5", "c1", "bob", "accepted"), "ada", true),
        json!({"type": "conversation.handed_over", "conversation": "c1", "from": "ada", "to": "bob"}),
        // Back to the queue, and taken from there.
        requeued("c1", "bob"),
        taken("c1", None, "ada"),
        taken("c1", Some("ada"), "bob"),
        over("c1", "bob", true),
        json!({"type": "wrap_up.ended", "conversation": "c1", "owner": "bob", "cause": "done", "by": null}),
        json!({"type": "conversation.reopened", "conversation": "c1", "queue": "support", "owner": "bob",
            "waiting_since": 1}),
        posted("c1", 4, "four"),
        over("c1", "bob", false),
    ]
}

/// Who sent and saw them, each line a second after the one before.
fn lines() -> Vec<Line> {
    let sends = |text: &str| What::Sends { text: text.to_owned() };
    let sent = |conversation: &str, text: &str, number| What::Sent {
        conversation: conversation.to_owned(),
        text: text.to_owned(),
        number,
    };
    let whats = [
        ("zoe", sends("one")),
        ("zoe", sent("c1", "one", 1)),
        ("ada", What::Position(1)),
        ("ada", What::Offered { offer: "o1".into(), conversation: "c1".into(), agent: "ada".into() }),
        ("ada", What::Ended { offer: "o1".into(), end: "expired".into() }),
        ("bob", What::Position(4)),
        ("bob", What::Accepted { offer: "o2".into(), agent: "bob".into() }),
        ("bob", sends("two")),
        ("zoe", sends("three")),
        // It was begun before "two" was acknowledged, so either may be first.
        ("zoe", sent("c1", "three", 3)),
        ("bob", sent("c1", "two", 2)),
        ("zoe", What::Saw { conversation: "c1".into(), number: 2, text: "two".into() }),
        ("zoe", sends("nothing came of it")),
        ("zoe", What::NotSent { text: "nothing came of it".into() }),
        ("ada", What::Position(4)),
        ("ada", What::Position(12)),
        ("zoe", sends("four")),
        // Sent again, as it was not answered.
        ("zoe", sends("four")),
        ("zoe", sent("c1", "four", 4)),
    ];
    let line = |(place, (session, what)): (u64, (&str, What))| Line {
        at: Duration::from_secs(place),
        session: session.to_owned(),
        what,
    };
    (0..).zip(whats).map(line).collect()
}

fn history(facts: &[Value], lines: Vec<Line>) -> History {
    let feeds = ["a", "b"].map(|node| (node.to_owned(), feed(facts))).into();
    let capacity = [("ada".to_owned(), 2), ("bob".to_owned(), 1)].into();
    History { lines, feeds, capacity, is_settled: true }
}

/// The good one, changed.
fn changed(change: impl FnOnce(&mut Vec<Value>)) -> History {
    let mut facts = facts();
    change(&mut facts);
    history(&facts, lines())
}

fn with(session: &str, what: What) -> History {
    let mut lines = lines();
    lines.push(Line { at: Duration::from_secs(100), session: session.to_owned(), what });
    history(&facts(), lines)
}

#[track_caller]
fn breaks(history: &History, rule: Rule) {
    let broken = judge(history);
    assert!(broken.iter().any(|broken| broken.rule == rule), "{rule:?} is not among {broken:#?}");
}

#[track_caller]
fn breaks_only(history: &History, rule: Rule) {
    let broken = judge(history);
    assert!(!broken.is_empty() && broken.iter().all(|broken| broken.rule == rule), "{rule:?} alone: {broken:#?}");
}

#[test]
fn a_good_history_breaks_nothing() {
    assert_eq!(judge(&history(&facts(), lines())), []);
    assert_eq!(judge(&History::default()), []);
    // A node that is behind tells less.
    let mut behind = history(&facts(), lines());
    behind.feeds.get_mut("b").expect("a feed").truncate(5);
    assert_eq!(judge(&behind), []);
}

#[test]
fn nodes_that_tell_different_feeds_are_found() {
    let mut other = history(&facts(), lines());
    other.feeds.insert("c".to_owned(), feed(&[posted("c1", 1, "another")]));
    breaks_only(&other, Rule::OneFeed);
    let mut back = history(&facts(), lines());
    for feed in back.feeds.values_mut() {
        feed[3].id = "2.0".to_owned();
    }
    breaks_only(&back, Rule::OneFeed);
    for feed in back.feeds.values_mut() {
        feed[3].id = "x".to_owned();
    }
    breaks_only(&back, Rule::OneFeed);
}

#[test]
fn two_owners_are_found() {
    breaks(&changed(|facts| facts.insert(5, made("o9", "c1", "ada"))), Rule::OneOwner);
    let both = [made("o8", "c9", "ada"), made("o9", "c9", "carl")];
    let accepted = [ended("o8", "c9", "ada", "accepted"), ended("o9", "c9", "carl", "accepted")];
    breaks_only(&changed(|facts| facts.extend([&both[..], &accepted].concat())), Rule::OneOwner);
    breaks_only(&changed(|facts| facts.push(taken("c2", None, "carl"))), Rule::OneOwner);
    breaks_only(&changed(|facts| facts.push(requeued("c2", "bob"))), Rule::OneOwner);
    breaks_only(&changed(|facts| facts.push(over("c2", "bob", false))), Rule::OneOwner);
    let give = |fact| given(fact, "bob", false);
    breaks(&changed(|facts| facts.extend([give(made("o9", "c2", "carl"))])), Rule::OneOwner);
}

#[test]
fn an_offer_with_two_ends_or_none_is_found() {
    breaks_only(&changed(|facts| facts.push(ended("o1", "c1", "ada", "rejected"))), Rule::OneEnd);
    breaks_only(&changed(|facts| facts.push(ended("o9", "c1", "ada", "expired"))), Rule::OneEnd);
    breaks(&changed(|facts| facts[2] = ended("o1", "c1", "carl", "expired")), Rule::OneEnd);
    breaks(&changed(|facts| facts.insert(3, made("o1", "c1", "ada"))), Rule::OneEnd);
    let pending = changed(|facts| facts.push(made("o9", "c9", "carl")));
    breaks_only(&pending, Rule::OneEnd);
    assert_eq!(judge(&History { is_settled: false, ..pending }), []);
    // What agents were told is what the feed says.
    breaks_only(&with("ada", What::Ended { offer: "o1".into(), end: "rejected".into() }), Rule::OneEnd);
    breaks_only(&with("ada", What::Ended { offer: "o9".into(), end: "expired".into() }), Rule::OneEnd);
    let offered = |agent: &str, conversation: &str| What::Offered {
        offer: "o1".into(),
        conversation: conversation.to_owned(),
        agent: agent.to_owned(),
    };
    breaks_only(&with("bob", offered("bob", "c1")), Rule::OneEnd);
    breaks_only(&with("ada", offered("ada", "c2")), Rule::OneEnd);
}

#[test]
fn who_was_told_that_it_accepted_and_has_not_is_found() {
    for (offer, agent) in [("o1", "ada"), ("o2", "ada"), ("o9", "ada")] {
        let accepted = What::Accepted { offer: offer.to_owned(), agent: agent.to_owned() };
        breaks_only(&with(agent, accepted), Rule::AcceptedIsOwned);
    }
}

#[test]
fn gaps_are_found() {
    breaks_only(&changed(|facts| facts.push(posted("c2", 3, "third"))), Rule::NoGaps);
    breaks_only(&changed(|facts| facts.push(posted("c2", 1, "first again"))), Rule::NoGaps);
}

#[test]
fn a_message_that_was_lost_or_doubled_is_found() {
    breaks_only(&changed(|facts| facts.push(posted("c2", 2, "two"))), Rule::EachMessageOnce);
    let sent = |text: &str, number| What::Sent { conversation: "c2".into(), text: text.to_owned(), number };
    breaks_only(&with("zoe", sent("never came", 2)), Rule::EachMessageOnce);
    breaks_only(&with("zoe", sent("first", 2)), Rule::EachMessageOnce);
    breaks_only(&with("zoe", sent("first", 0)), Rule::EachMessageOnce);
    // It was said that nothing happened.
    breaks_only(&with("zoe", What::NotSent { text: "first".into() }), Rule::EachMessageOnce);
}

#[test]
fn who_sees_something_else_is_found() {
    let saw = |number, text: &str| What::Saw { conversation: "c2".into(), number, text: text.to_owned() };
    breaks_only(&with("yan", saw(1, "one")), Rule::SameForAll);
    breaks_only(&with("yan", saw(2, "first")), Rule::SameForAll);
}

#[test]
fn what_comes_before_what_it_followed_is_found() {
    // "three" is acknowledged before "four" is sent.
    let swapped = changed(|facts| {
        let (three, four) = (9, 21);
        facts[three] = posted("c1", 3, "four");
        facts[four] = posted("c1", 4, "three");
    });
    breaks(&swapped, Rule::AsItHappened);
    // "two" and "three" were under way at once.
    let other = changed(|facts| {
        facts[5] = posted("c1", 2, "three");
        facts[9] = posted("c1", 3, "two");
    });
    assert!(judge(&other).iter().all(|broken| broken.rule != Rule::AsItHappened));
}

#[test]
fn a_position_that_falls_is_found_within_its_session() {
    breaks_only(&with("ada", What::Position(11)), Rule::PositionsRise);
    assert_eq!(judge(&with("ada again", What::Position(11))), []);
}

#[test]
fn an_agent_with_too_much_is_found() {
    let offer = [made("o9", "c9", "bob"), ended("o9", "c9", "bob", "expired")];
    breaks_only(&changed(|facts| facts.splice(5..5, offer.clone()).for_each(drop)), Rule::Capacity);
    breaks_only(&changed(|facts| facts.insert(5, taken("c9", None, "bob"))), Rule::Capacity);
    let mut forced = taken("c9", None, "bob");
    forced["forced"] = true.into();
    let lets_go = requeued("c9", "bob");
    assert_eq!(judge(&changed(|facts| facts.splice(5..5, [forced, lets_go]).for_each(drop))), []);
    // Of those that are not named nobody knows.
    let mut unknown = changed(|facts| facts.splice(5..5, offer).for_each(drop));
    unknown.capacity.clear();
    assert_eq!(judge(&unknown), []);
}

#[test]
fn lines_are_in_the_order_of_their_times() {
    let book = Book::open();
    std::thread::scope(|scope| {
        for session in ["a", "b"] {
            let pen = book.pen(session);
            scope.spawn(move || (0..100).for_each(|position| pen.write(What::Position(position))));
        }
    });
    let lines = book.lines();
    assert_eq!(lines.len(), 200);
    assert!(lines.is_sorted_by_key(|line| line.at));
}
