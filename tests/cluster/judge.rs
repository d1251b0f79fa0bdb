//! Whether a history is one that a single desk could have had. Pure: each rule has a name, and a test in which it is broken.

use crate::history::{History, Line, What};
use crate::replayed::Replayed;
use offhook::wire::feed::FeedEvent;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A rule that a history breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    pub rule: Rule,
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Events come in order, each once, and from every node the same.
    OneFeed,
    /// A conversation has one owner at a time.
    OneOwner,
    /// An offer is made once and has one end, and whoever was told of one was told of that.
    OneEnd,
    /// Messages are numbered 1, 2, 3, … in their conversation.
    NoGaps,
    /// An acknowledged message is in its conversation once, in the place that was named; one that did not happen is not there; and none is
    /// there twice.
    EachMessageOnce,
    /// What everybody sees in one place of a conversation is the same.
    SameForAll,
    /// What is sent after something was acknowledged comes after it.
    AsItHappened,
    /// Who was told that a conversation is its own had it.
    AcceptedIsOwned,
    /// Within a session positions only rise.
    PositionsRise,
    /// No agent is given more than it can take.
    Capacity,
}

/// All that is broken, in order; nothing, where the history is good.
pub fn judge(history: &History) -> Vec<Broken> {
    let mut judge = Judge { history, broken: Vec::new() };
    judge.feeds();
    let desk = Replayed::of(history, judge.feed(), &mut judge.broken);
    judge.sessions();
    judge.offers(&desk);
    judge.messages(&desk);
    judge.order(&desk);
    judge.broken.sort();
    judge.broken
}

struct Judge<'a> {
    history: &'a History,
    broken: Vec<Broken>,
}

impl<'a> Judge<'a> {
    fn broken(&mut self, rule: Rule, what: String) {
        self.broken.push(Broken { rule, what });
    }

    /// The longest: the others are compared with it.
    fn feed(&self) -> &'a [FeedEvent] {
        self.history.feeds.values().max_by_key(|feed| feed.len()).map_or(&[], Vec::as_slice)
    }

    fn feeds(&mut self) {
        let longest = self.feed();
        for pair in longest.windows(2) {
            let (Some(one), Some(other)) = (place(&pair[0].id), place(&pair[1].id)) else {
                self.broken(Rule::OneFeed, format!("{} or {} is no place", pair[0].id, pair[1].id));
                continue;
            };
            if one >= other {
                self.broken(Rule::OneFeed, format!("{} comes before {}", pair[0].id, pair[1].id));
            }
        }
        for (node, feed) in &self.history.feeds {
            let differs = feed.iter().zip(longest).find(|(one, other)| one != other);
            if let Some((one, other)) = differs {
                self.broken(Rule::OneFeed, format!("{node} tells {one:?}, and another node {other:?}"));
            }
        }
    }

    fn sessions(&mut self) {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for Line { session, what, .. } in &self.history.lines {
            let What::Position(position) = what else { continue };
            let before = last.insert(session, *position).unwrap_or(0);
            if before > *position {
                self.broken(Rule::PositionsRise, format!("{session} was at {before}, and then at {position}"));
            }
        }
    }

    /// What agents were told of offers, held against the feed.
    fn offers(&mut self, desk: &Replayed) {
        for Line { session, what, .. } in &self.history.lines {
            match what {
                What::Offered { offer, conversation, agent } => {
                    let made = desk.offers.get(offer);
                    if made.is_none_or(|made| (&made.agent, &made.conversation) != (agent, conversation)) {
                        let what = format!("{session} was offered {conversation} by {offer}, which is in no feed");
                        self.broken(Rule::OneEnd, what);
                    }
                }
                What::Ended { offer, end } => {
                    let so = desk.offers.get(offer).and_then(|made| made.end.as_ref());
                    if so != Some(end) {
                        let what = format!("{session} was told that {offer} ended as {end}, and it is {so:?}");
                        self.broken(Rule::OneEnd, what);
                    }
                }
                What::Accepted { offer, agent } => {
                    let so = desk.offers.get(offer);
                    if so.is_none_or(|so| so.end.as_deref() != Some("accepted") || so.agent != *agent) {
                        let what = format!("{agent} was told that it has accepted {offer}");
                        self.broken(Rule::AcceptedIsOwned, what);
                    }
                }
                What::Position(_)
                | What::Sends { .. }
                | What::Sent { .. }
                | What::NotSent { .. }
                | What::Saw { .. } => {}
            }
        }
        for (id, offer) in desk.offers.iter().filter(|(_, offer)| offer.end.is_none()) {
            if self.history.is_settled {
                self.broken(Rule::OneEnd, format!("{id}, made to {}, has no end", offer.agent));
            }
        }
    }

    /// What was sent and seen, held against what is there.
    fn messages(&mut self, desk: &Replayed) {
        let there = |conversation: &str, number: u64| {
            let texts = desk.messages.get(conversation)?;
            texts.get(usize::try_from(number).ok()?.checked_sub(1)?)
        };
        let all: BTreeSet<&String> = desk.messages.values().flatten().collect();
        for Line { session, what, .. } in &self.history.lines {
            let (rule, wrong) = match what {
                What::Sent { conversation, text, number } => {
                    (Rule::EachMessageOnce, there(conversation, *number) != Some(text))
                }
                What::NotSent { text } => (Rule::EachMessageOnce, all.contains(text)),
                What::Saw { conversation, number, text } => {
                    (Rule::SameForAll, there(conversation, *number) != Some(text))
                }
                What::Position(_)
                | What::Sends { .. }
                | What::Offered { .. }
                | What::Accepted { .. }
                | What::Ended { .. } => continue,
            };
            if wrong {
                self.broken(rule, format!("{session}: {what:?}"));
            }
        }
    }

    /// A message that was begun when another had been acknowledged has the higher number.
    fn order(&mut self, desk: &Replayed) {
        let mut begun: BTreeMap<&String, Duration> = BTreeMap::new();
        let mut acknowledged: BTreeMap<&String, Duration> = BTreeMap::new();
        for Line { at, what, .. } in &self.history.lines {
            match what {
                // Sent again it is the same, begun when it was sent first; acknowledged again likewise.
                What::Sends { text, .. } => drop(begun.entry(text).or_insert(*at)),
                What::Sent { text, .. } => drop(acknowledged.entry(text).or_insert(*at)),
                _ => {}
            }
        }
        for (conversation, texts) in &desk.messages {
            // Of those from here to the end, the one that was acknowledged first: nothing before them was begun after that.
            let mut first: Option<(Duration, &String)> = None;
            for text in texts.iter().rev() {
                if let (Some(begun), Some((at, later))) = (begun.get(text), first)
                    && *begun > at
                {
                    let what = format!("{conversation}: {text:?} was sent when {later:?}, behind it, was acknowledged");
                    self.broken(Rule::AsItHappened, what);
                }
                if let Some(at) = acknowledged.get(text)
                    && first.is_none_or(|(first, _)| *at < first)
                {
                    first = Some((*at, text));
                }
            }
        }
    }
}

/// `812.0`
fn place(id: &str) -> Option<(u64, u64)> {
    let (position, index) = id.split_once('.')?;
    Some((position.parse().ok()?, index.parse().ok()?))
}
