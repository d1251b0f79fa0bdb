//! A feed played through: who has what, and what was said. Pure; whatever cannot follow on what was before is a broken rule.

use crate::history::History;
use crate::judge::{Broken, Rule};
use offhook::wire::feed::{Fact, FeedEvent};
use std::collections::{BTreeMap, BTreeSet};

/// What the feed says, played through.
#[derive(Default)]
pub struct Replayed {
    owners: BTreeMap<String, String>,
    /// By a warm transfer, beside the owner.
    joined: BTreeMap<String, String>,
    pub offers: BTreeMap<String, Offer>,
    /// Conversation -> texts, in the order of their numbers; those of customers who were erased are empty.
    pub messages: BTreeMap<String, Vec<String>>,
}

pub struct Offer {
    pub agent: String,
    pub conversation: String,
    pub end: Option<String>,
}

impl Replayed {
    pub fn of(history: &History, feed: &[FeedEvent], broken: &mut Vec<Broken>) -> Self {
        let mut desk = Self::default();
        let mut texts = BTreeSet::new();
        for event in feed {
            let id = &event.id;
            for (rule, what) in desk.take(history, &event.fact, &mut texts) {
                broken.push(Broken { rule, what: format!("{id}: {what}") });
            }
        }
        desk
    }

    /// What is wrong with it, as things stand.
    fn take(&mut self, history: &History, fact: &Fact, texts: &mut BTreeSet<String>) -> Vec<(Rule, String)> {
        let mut wrong = Vec::new();
        match fact {
            Fact::OfferMade(made) => {
                let owner = self.owners.get(&made.conversation);
                let from = made.transfer.as_ref().map(|transfer| &*transfer.from);
                if owner.map(String::as_str) != from {
                    wrong.push((Rule::OneOwner, format!("{} is offered, and owned by {owner:?}", made.conversation)));
                }
                let (agent, conversation) = (made.agent.to_string(), made.conversation.clone());
                if self.offers.insert(made.offer.clone(), Offer { agent, conversation, end: None }).is_some() {
                    wrong.push((Rule::OneEnd, format!("{} is made twice", made.offer)));
                }
                wrong.extend(self.beyond(history, &made.agent));
            }
            Fact::OfferEnded(ended) => {
                match self.offers.get_mut(&ended.offer) {
                    Some(offer) if offer.end.is_none() && offer.agent == *ended.agent => {
                        offer.end = Some(ended.end.to_string());
                    }
                    Some(offer) => {
                        let (before, to) = (&offer.end, &offer.agent);
                        let what =
                            format!("{}, made to {to} and ended as {before:?}, ends as {}", ended.offer, ended.end);
                        wrong.push((Rule::OneEnd, what));
                    }
                    None => wrong.push((Rule::OneEnd, format!("{} was never made", ended.offer))),
                }
                if ended.end == "accepted" {
                    let (agent, conversation) = (Some(&*ended.agent), &ended.conversation);
                    match &ended.transfer {
                        Some(transfer) if transfer.warm => {
                            self.joined.insert(conversation.clone(), ended.agent.to_string());
                        }
                        Some(transfer) => wrong.extend(self.pass(conversation, Some(&transfer.from), agent)),
                        None => wrong.extend(self.pass(conversation, None, agent)),
                    }
                }
            }
            Fact::ConversationTaken(taken) => {
                wrong.extend(self.pass(&taken.conversation, taken.from.as_deref(), Some(&taken.to)));
                if !taken.forced {
                    wrong.extend(self.beyond(history, &taken.to));
                }
            }
            Fact::ConversationHandedOver(handed) => {
                wrong.extend(self.pass(&handed.conversation, Some(&handed.from), Some(&handed.to)));
            }
            Fact::ConversationRequeued(back) => wrong.extend(self.pass(&back.conversation, Some(&back.from), None)),
            Fact::ConversationTransferred(moved) => {
                wrong.extend(self.pass(&moved.conversation, Some(&moved.from), None));
            }
            Fact::ConversationLeft(left) => drop(self.joined.remove(&left.conversation)),
            Fact::ConversationEnded(ended) => {
                let owner = ended.owner.as_deref();
                // In wrap-up it is its owner's still.
                wrong.extend(self.pass(&ended.conversation, owner, owner.filter(|_| ended.wrap_up)));
            }
            Fact::WrapUpEnded(ended) => wrong.extend(self.pass(&ended.conversation, Some(&ended.owner), None)),
            Fact::ConversationReopened(again) => {
                wrong.extend(self.pass(&again.conversation, None, again.owner.as_deref()));
            }
            Fact::MessagePosted(posted) => {
                let messages = self.messages.entry(posted.conversation.clone()).or_default();
                let (number, text) = (posted.number as usize, posted.text.clone().unwrap_or_default());
                if number != messages.len() + 1 {
                    let (conversation, had) = (&posted.conversation, messages.len());
                    wrong.push((Rule::NoGaps, format!("message {number} of {conversation}, which has {had}")));
                }
                if !text.is_empty() && !texts.insert(text.clone()) {
                    wrong.push((Rule::EachMessageOnce, format!("{text:?} is there twice")));
                }
                messages.push(text);
            }
            // None of these is about who has what, or what was said.
            _ => {}
        }
        wrong
    }

    /// It goes from hand to hand: nobody's where that is `None`.
    fn pass(&mut self, conversation: &str, from: Option<&str>, to: Option<&str>) -> Option<(Rule, String)> {
        let owner = match to {
            Some(to) => self.owners.insert(conversation.to_owned(), to.to_owned()),
            None => self.owners.remove(conversation),
        };
        if owner.as_deref() != to {
            self.joined.remove(conversation);
        }
        (owner.as_deref() != from)
            .then(|| (Rule::OneOwner, format!("{conversation} goes from {from:?} to {to:?}, and was {owner:?}'s")))
    }

    /// Whether this agent has more than it can take, offers among it.
    fn beyond(&self, history: &History, agent: &str) -> Option<(Rule, String)> {
        let most = *history.capacity.get(agent)?;
        let offered = self.offers.values().filter(|offer| offer.end.is_none() && offer.agent == agent).count();
        let owned = self.owners.values().chain(self.joined.values()).filter(|holder| *holder == agent).count();
        (offered + owned > most)
            .then(|| (Rule::Capacity, format!("{agent} has {offered} offers and {owned} conversations, of {most}")))
    }
}
