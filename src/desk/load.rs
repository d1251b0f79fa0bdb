//! What an agent's offers, conversations and wrap-ups take of it: by channel, in hundredths of a conversation, since one that is
//! paused may take less than a whole one. The one place where loads are added up and held against limits.

use super::agent::Agent;
use super::settings::{ChannelId, Settings};

/// One conversation, in hundredths.
pub const WHOLE: u32 = 100;

/// By channel; shorter than the channels where the rest is zero.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Load(Vec<u32>);

impl Load {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In hundredths of a conversation.
    #[must_use]
    pub fn on(&self, channel: ChannelId) -> u32 {
        self.0.get(usize::from(channel.0)).copied().unwrap_or(0)
    }

    /// All channels together, in hundredths of a conversation.
    #[must_use]
    pub fn sum(&self) -> u32 {
        self.0.iter().sum()
    }

    /// What that weighs, in hundredths.
    #[must_use]
    pub fn weight(&self, settings: &Settings) -> u32 {
        settings.channels.iter().zip(&self.0).map(|(channel, held)| channel.weight * held).sum()
    }

    pub fn take(&mut self, channel: ChannelId, hundredths: u32) {
        let place = usize::from(channel.0);
        if hundredths == 0 {
            return;
        }
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] += hundredths;
    }

    pub fn give_back(&mut self, channel: ChannelId, hundredths: u32) {
        if hundredths == 0 {
            return;
        }
        let held = &mut self.0[usize::from(channel.0)];
        assert!(*held >= hundredths, "a load is given back once");
        *held -= hundredths;
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
    }

    /// Whether an agent's limits and its total hold so much.
    #[must_use]
    pub fn is_within(&self, agent: &Agent, settings: &Settings) -> bool {
        let mut channels = (0..settings.channels.len()).map(|place| ChannelId(place as u8));
        channels.all(|channel| self.is_within_on(agent, settings, channel))
    }

    /// The same of its total and one channel's limit alone.
    #[must_use]
    pub fn is_within_on(&self, agent: &Agent, settings: &Settings, channel: ChannelId) -> bool {
        self.on(channel) <= agent.limit_on(settings, channel) * WHOLE
            && self.weight(settings) <= agent.profile.total() * WHOLE
    }
}
