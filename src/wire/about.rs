//! What is known about the customer of a conversation, as it lies sealed in the journal and is shown with an offer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The sealed JSON under the context `about`. Journals keep it, so a field is only ever added, with a default.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the page said: a flat object of strings.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// What the customer's signed token said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Whether a signed token said who it is.
    pub known: bool,
    /// Where it goes on elsewhere: how the service that carries its messages calls its customer and the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
    /// What the conversation was in the system that it was had in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported: Option<Origin>,
}

/// Where a conversation that was had elsewhere comes from: the system, and what that calls it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Origin {
    pub source: String,
    pub id: String,
}

/// The outside's own names.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Outside {
    pub customer: String,
    /// Empty where the service has one thread with each customer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thread: String,
}
