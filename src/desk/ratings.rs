//! What a customer thinks of a conversation that is over: a score, and perhaps a comment that only people read. It changes nothing of
//! how anybody is routed. Plain values.

use super::conversation::Conversation;
use super::ids::{ConversationId, CustomerId};
use super::refusal::Refusal;
use super::time::WallTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The least and the best score, on every scale.
pub const SCORE_MIN: u8 = 1;
pub const SCORE_MAX: u8 = 5;
/// Of a comment, before it is sealed.
pub const COMMENT_BYTES_MAX: usize = 2_000;
/// How often one conversation is rated at most, changes included: each is an event.
pub const RATED_TIMES_MAX: u8 = 20;
const WITHIN_MS_MAX: u64 = 90 * 86_400_000;

/// A customer rates its conversation, or changes its mind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RateAsk {
    pub conversation: ConversationId,
    pub customer: CustomerId,
    pub score: u8,
    /// Sealed.
    pub comment: Option<Arc<str>>,
}

/// As its customer rated it last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rating {
    /// `SCORE_MIN` to `SCORE_MAX`.
    pub score: u8,
    /// Sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Arc<str>>,
    pub at: WallTime,
    /// How often it was rated.
    pub times: u8,
}

/// What customers are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Nothing.
    None,
    /// 1 to 5.
    #[default]
    Five,
    /// Bad, which is 1, or good, which is 5: so that one average and one search go over both scales.
    Two,
}

/// Whether conversations are rated, on which scale, and until when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RatingRules {
    pub scale: Scale,
    /// So long after its end it may be rated, and the rating changed.
    pub within_ms: u64,
}

impl Default for RatingRules {
    fn default() -> Self {
        Self { scale: Scale::default(), within_ms: 7 * 86_400_000 }
    }
}

impl RatingRules {
    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        if (1_000..=WITHIN_MS_MAX).contains(&self.within_ms) {
            return Ok(());
        }
        let what = format!("1000 to {WITHIN_MS_MAX} (90 days)");
        Err(Refusal::BadSetting { field: "rating.within_ms".into(), what })
    }

    /// Whether what ended then may be rated now.
    #[must_use]
    pub fn allow(&self, ended_at: WallTime, now: WallTime) -> bool {
        self.scale != Scale::None && ended_at.0.saturating_add(self.within_ms) >= now.0
    }

    /// # Errors
    /// A score that is not of the scale.
    pub fn check_score(&self, score: u8) -> Result<(), Refusal> {
        let (is_of_it, what) = match self.scale {
            Scale::Two => (score == SCORE_MIN || score == SCORE_MAX, "1 (bad) or 5 (good)"),
            Scale::None | Scale::Five => ((SCORE_MIN..=SCORE_MAX).contains(&score), "1 to 5"),
        };
        if is_of_it { Ok(()) } else { Err(Refusal::BadSetting { field: "score".into(), what: what.into() }) }
    }
}

impl Conversation {
    /// As its customer rated it last, also when it was reopened since.
    #[must_use]
    pub fn rating(&self) -> Option<&Rating> {
        self.moved.as_ref()?.rating.as_deref()
    }

    pub(super) fn rate(&mut self, score: u8, comment: Option<&Arc<str>>, at: WallTime) {
        let times = self.rating().map_or(0, |rating| rating.times).saturating_add(1);
        let rating = Rating { score, comment: comment.cloned(), at, times };
        self.change_moved(|moved| moved.rating = Some(Box::new(rating)));
    }
}
