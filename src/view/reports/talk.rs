//! What is known of one conversation for the reports: where it is counted, and since when what is going on goes on. A row of its own,
//! as long as the conversation's history is kept.

use super::sums::{put_varint, take_varint};
use crate::desk::ids::{AgentId, OfferId, QueueId};
use crate::desk::settings::ChannelId;

/// Times are Unix milliseconds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Talk {
    pub queue: QueueId,
    pub channel: ChannelId,
    /// It was opened, or reopened.
    pub began_at: u64,
    /// While it waits in its queue.
    pub waits_since: Option<u64>,
    /// A message left, which nobody waits beside: until it is answered.
    pub left: bool,
    /// Pending ones, oldest first.
    pub offers: Vec<PendingOffer>,
    pub owner: Option<Owner>,
    pub joined: Option<AgentId>,
    /// An agent has written to its customer, or has begun it.
    pub replied: bool,
    pub last_owner: Option<AgentId>,
    pub rated: Option<Rated>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PendingOffer {
    pub offer: OfferId,
    pub made_at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Owner {
    pub agent: AgentId,
    pub since: u64,
    /// While it wraps up.
    pub wraps_since: Option<u64>,
}

/// Where its rating was counted, so that another one takes its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rated {
    pub score: u8,
    pub bucket: u32,
    pub queue: QueueId,
    pub agent: Option<AgentId>,
}

/// What a number in the row is. They never change their meaning.
mod tag {
    pub const QUEUE: u64 = 1;
    pub const CHANNEL: u64 = 2;
    pub const BEGAN_AT: u64 = 3;
    pub const WAITS_SINCE: u64 = 4;
    pub const LEFT: u64 = 5;
    pub const OFFER: u64 = 6;
    pub const OFFER_MADE_AT: u64 = 7;
    pub const OWNER: u64 = 8;
    pub const OWNED_SINCE: u64 = 9;
    pub const WRAPS_SINCE: u64 = 10;
    pub const JOINED: u64 = 11;
    pub const REPLIED: u64 = 12;
    pub const LAST_OWNER: u64 = 13;
    pub const RATED_SCORE: u64 = 14;
    pub const RATED_BUCKET: u64 = 15;
    pub const RATED_QUEUE: u64 = 16;
    pub const RATED_AGENT: u64 = 17;
}

impl Talk {
    /// Tags and values; times but the first as how long after the beginning.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        let mut put = |tag: u64, value: u64| {
            put_varint(&mut bytes, tag);
            put_varint(&mut bytes, value);
        };
        // What began before it was reopened wraps around, and is put right again.
        let after = |at: u64| at.wrapping_sub(self.began_at);
        put(tag::QUEUE, u64::from(self.queue.0));
        put(tag::CHANNEL, u64::from(self.channel.0));
        put(tag::BEGAN_AT, self.began_at);
        if let Some(since) = self.waits_since {
            put(tag::WAITS_SINCE, after(since));
        }
        if self.left {
            put(tag::LEFT, 1);
        }
        for pending in &self.offers {
            put(tag::OFFER, pending.offer.0);
            put(tag::OFFER_MADE_AT, after(pending.made_at));
        }
        if let Some(owner) = &self.owner {
            put(tag::OWNER, u64::from(owner.agent.0));
            put(tag::OWNED_SINCE, after(owner.since));
            if let Some(since) = owner.wraps_since {
                put(tag::WRAPS_SINCE, after(since));
            }
        }
        if let Some(agent) = self.joined {
            put(tag::JOINED, u64::from(agent.0));
        }
        if self.replied {
            put(tag::REPLIED, 1);
        }
        if let Some(agent) = self.last_owner {
            put(tag::LAST_OWNER, u64::from(agent.0));
        }
        if let Some(rated) = &self.rated {
            put(tag::RATED_SCORE, u64::from(rated.score));
            put(tag::RATED_BUCKET, u64::from(rated.bucket));
            put(tag::RATED_QUEUE, u64::from(rated.queue.0));
            if let Some(agent) = rated.agent {
                put(tag::RATED_AGENT, u64::from(agent.0));
            }
        }
        bytes
    }

    /// What a newer release put beside it is passed over.
    pub fn of_bytes(mut bytes: &[u8]) -> Self {
        let mut talk = Self::default();
        let agent = |value: u64| AgentId(value as u32);
        while let Some((tag, value)) = take_varint(&mut bytes).zip(take_varint(&mut bytes)) {
            let at = talk.began_at.wrapping_add(value);
            match tag {
                tag::QUEUE => talk.queue = QueueId(value as u32),
                tag::CHANNEL => talk.channel = ChannelId(value as u8),
                tag::BEGAN_AT => talk.began_at = value,
                tag::WAITS_SINCE => talk.waits_since = Some(at),
                tag::LEFT => talk.left = true,
                tag::OFFER => talk.offers.push(PendingOffer { offer: OfferId(value), made_at: 0 }),
                tag::OFFER_MADE_AT => {
                    if let Some(pending) = talk.offers.last_mut() {
                        pending.made_at = at;
                    }
                }
                tag::OWNER => talk.owner = Some(Owner { agent: agent(value), since: 0, wraps_since: None }),
                tag::OWNED_SINCE => {
                    if let Some(owner) = &mut talk.owner {
                        owner.since = at;
                    }
                }
                tag::WRAPS_SINCE => {
                    if let Some(owner) = &mut talk.owner {
                        owner.wraps_since = Some(at);
                    }
                }
                tag::JOINED => talk.joined = Some(agent(value)),
                tag::REPLIED => talk.replied = true,
                tag::LAST_OWNER => talk.last_owner = Some(agent(value)),
                tag::RATED_SCORE => {
                    talk.rated = Some(Rated { score: value as u8, bucket: 0, queue: QueueId(0), agent: None });
                }
                tag::RATED_BUCKET | tag::RATED_QUEUE | tag::RATED_AGENT => {
                    if let Some(rated) = &mut talk.rated {
                        match tag {
                            tag::RATED_BUCKET => rated.bucket = value as u32,
                            tag::RATED_QUEUE => rated.queue = QueueId(value as u32),
                            _ => rated.agent = Some(agent(value)),
                        }
                    }
                }
                _ => {}
            }
        }
        talk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_read_back_from_its_bytes() {
        let least = Talk { queue: QueueId(7), began_at: 1_700_000_000_000, ..Talk::default() };
        let most = Talk {
            channel: ChannelId(3),
            waits_since: Some(1_700_000_000_001),
            left: true,
            offers: [4, 5].map(|id| PendingOffer { offer: OfferId(id), made_at: 1_700_000_000_000 + id }).to_vec(),
            // Before its beginning, which is that of when it was reopened.
            owner: Some(Owner { agent: AgentId(0), since: 1_600_000_000_000, wraps_since: Some(1_800_000_000_000) }),
            joined: Some(AgentId(9)),
            replied: true,
            last_owner: Some(AgentId(u32::MAX)),
            rated: Some(Rated { score: 5, bucket: 1_888_888, queue: QueueId(2), agent: Some(AgentId(1)) }),
            ..least.clone()
        };
        for talk in [least, most] {
            assert_eq!(Talk::of_bytes(&talk.to_bytes()), talk);
        }
    }

    #[test]
    fn what_is_closed_takes_few_bytes() {
        let closed = Talk {
            queue: QueueId(7),
            began_at: 1_700_000_000_000,
            replied: true,
            last_owner: Some(AgentId(312)),
            ..Talk::default()
        };
        assert!(closed.to_bytes().len() <= 20, "{}", closed.to_bytes().len());
    }

    #[test]
    fn what_a_newer_release_added_is_passed_over() {
        let talk = Talk { queue: QueueId(7), began_at: 5, last_owner: Some(AgentId(2)), ..Talk::default() };
        let mut bytes = talk.to_bytes();
        put_varint(&mut bytes, 99);
        put_varint(&mut bytes, 12_345);
        assert_eq!(Talk::of_bytes(&bytes), talk);
    }
}
