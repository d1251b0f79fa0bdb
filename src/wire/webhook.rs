//! A webhook as the admin API shows it.

use super::feed::Word;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One endpoint, and how it stands. Times are Unix milliseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub struct WebhookShape {
    /// Its name within the workspace.
    pub name: String,
    /// Where it is sent to.
    pub url: String,
    /// Which types, as they were named; none: all.
    pub types: Vec<String>,
    /// With what was sealed.
    pub texts: bool,
    /// `active`, `failing` (something was not taken and is tried again) or `paused`.
    pub state: Word,
    /// Why it is paused: `asked`, `failing`, `endpoint_gone`, `cursor_gone`, `cursor_beyond`; null: it is not.
    pub paused: Option<Word>,
    /// Behind it everything was delivered.
    pub cursor: String,
    /// When it was made.
    pub created_at: u64,
    /// When it took something last; null: not since the server was started.
    pub delivered_at: Option<u64>,
    /// When it failed last; null likewise.
    pub failed_at: Option<u64>,
    /// Why.
    pub failure: Option<String>,
    /// For how long something has not been taken; null: nothing is left.
    pub failing_ms: Option<u64>,
    /// What it is signed with: only when it was made, or changed, by this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What came of a test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WebhookTested")]
pub struct TestedShape {
    /// Whether it was taken.
    pub delivered: bool,
    /// What was answered; null: nothing.
    pub status: Option<u16>,
    /// Why it was not; null: it was.
    pub failure: Option<String>,
}

/// All endpoints of a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Webhooks")]
pub struct WebhooksShape {
    /// By name.
    pub webhooks: Vec<WebhookShape>,
}
