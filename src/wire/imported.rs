//! What a conversation from another system looks like when it is brought: bodies of the admin API, checked member by member.

use super::channel::PHONE_BYTES_MAX;
use super::error::{Code, WireError};
use super::messenger::{EMAIL_BYTES_MAX, Limits};
use crate::desk::imported::{ENTRIES_MAX, TEXTS_BYTES_MAX};
use crate::desk::ratings::{COMMENT_BYTES_MAX, SCORE_MAX, SCORE_MIN};
use crate::desk::settings::NAME_BYTES_MAX;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of a system's name: letters, digits, `-` and `_`.
pub const SOURCE_BYTES_MAX: usize = 32;
/// Of what it calls a conversation.
pub const SOURCE_ID_BYTES_MAX: usize = 255;
/// Of what it calls a customer.
const CUSTOMER_ID_BYTES_MAX: usize = 256;

/// A closed conversation from another system, with the first of what was said in it. Times are Unix milliseconds.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "ImportedConversation")]
pub struct ImportBody {
    pub customer: ImportedCustomer,
    /// Absent: `chat`.
    pub channel: Option<Arc<str>>,
    /// The name of a queue. Absent: the workspace's default queue.
    pub queue: Option<Arc<str>>,
    /// The name of the agent who owned it.
    pub agent: Option<Arc<str>>,
    pub opened_at: u64,
    /// Not before the last message, and not in the future.
    pub closed_at: u64,
    pub disposition: Option<Arc<str>>,
    pub tags: Vec<Arc<str>>,
    /// Values of the workspace's own fields, by name.
    pub fields: BTreeMap<Arc<str>, Value>,
    /// What else is known of it, such as its `subject`: at most 4 KiB.
    pub metadata: BTreeMap<String, String>,
    pub rating: Option<ImportedRating>,
    pub messages: Vec<ImportedMessage>,
}

/// Who wrote, by the id that your customers' tokens have.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImportedCustomer {
    pub id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// What you vouch for: at most 4 KiB.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedRating {
    /// 1 to 5.
    pub score: u8,
    /// At most 2,000 bytes.
    pub comment: Option<String>,
}

/// Something that was written in it.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedMessage {
    pub author: ImportedAuthor,
    /// Not before the message before it.
    pub at: u64,
    /// At most 16 KiB of UTF-8.
    pub text: String,
    /// An internal note, which its customer never sees.
    #[serde(default)]
    pub note: bool,
}

#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportedAuthor {
    Customer,
    /// An agent of the workspace, by name.
    Agent(Arc<str>),
    /// A program or a rule there, or somebody who is no agent here.
    Other,
}

/// What follows in a conversation that is larger than one call.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ImportedPart")]
pub struct PartBody {
    pub messages: Vec<ImportedMessage>,
}

fn bad(field: impl Into<String>, what: &str) -> WireError {
    let field = field.into();
    WireError::new(Code::BadField, format!("{field} {what}")).at(field)
}

fn too_large(field: impl Into<String>, what: &str) -> WireError {
    let field = field.into();
    WireError::new(Code::TooLarge, format!("{field} is over {what}")).at(field)
}

fn bounded(field: &'static str, text: Option<&String>, bytes_max: usize) -> Result<(), WireError> {
    match text {
        Some(text) if text.len() > bytes_max => Err(too_large(field, &format!("{bytes_max} bytes"))),
        _ => Ok(()),
    }
}

fn flat(field: &'static str, map: &BTreeMap<String, String>, limits: &Limits) -> Result<(), WireError> {
    let (most, bytes) =
        (limits.metadata_bytes_max, map.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>());
    let fits = bytes <= most && map.len() <= most / 8;
    if fits { Ok(()) } else { Err(too_large(field, &format!("{most} bytes"))) }
}

/// The names in the path.
///
/// # Errors
/// `bad_field`.
pub fn check_names(source: &str, id: &str) -> Result<(), WireError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if source.is_empty() || source.len() > SOURCE_BYTES_MAX || !source.chars().all(plain) {
        return Err(bad("source", "must be 1 to 32 of a-z, 0-9, - and _"));
    }
    if id.is_empty() || id.len() > SOURCE_ID_BYTES_MAX || id.chars().any(char::is_control) || id.trim() != id {
        return Err(bad("id", "must be 1 to 255 bytes without control characters and spaces around it"));
    }
    Ok(())
}

impl ImportBody {
    /// # Errors
    /// `bad_field` or `too_large`, with the field at fault.
    pub fn check(&self, now_ms: u64, limits: &Limits) -> Result<(), WireError> {
        let customer = &self.customer;
        let id = &customer.id;
        if id.is_empty() || id.len() > CUSTOMER_ID_BYTES_MAX || id.chars().any(char::is_control) || id.trim() != id {
            return Err(bad("customer.id", "must be 1 to 256 bytes without control characters and spaces around it"));
        }
        bounded("customer.name", customer.name.as_ref(), NAME_BYTES_MAX)?;
        bounded("customer.email", customer.email.as_ref(), EMAIL_BYTES_MAX)?;
        bounded("customer.phone", customer.phone.as_ref(), PHONE_BYTES_MAX)?;
        flat("customer.attributes", &customer.attributes, limits)?;
        flat("metadata", &self.metadata, limits)?;
        if self.closed_at > now_ms {
            return Err(bad("closed_at", "is in the future"));
        }
        if self.closed_at < self.opened_at || self.opened_at == 0 {
            return Err(bad("opened_at", "must be a time that is not after closed_at"));
        }
        if let Some(rating) = &self.rating {
            if !(SCORE_MIN..=SCORE_MAX).contains(&rating.score) {
                return Err(bad("rating.score", "must be 1 to 5"));
            }
            bounded("rating.comment", rating.comment.as_ref(), COMMENT_BYTES_MAX)?;
        }
        check_messages(&self.messages, self.opened_at, self.closed_at, limits)
    }

    /// What its customer is known by, beside the name.
    #[must_use]
    pub fn metadata(&self) -> BTreeMap<String, String> {
        let reached = [("email", &self.customer.email), ("phone", &self.customer.phone)];
        let reached = reached.into_iter().filter_map(|(name, at)| Some((name.to_owned(), at.clone()?)));
        self.metadata.clone().into_iter().chain(reached.filter(|(_, at)| !at.is_empty())).collect()
    }
}

/// `from` to `to`: when the first may be at the earliest, and the last at the latest.
///
/// # Errors
/// `bad_field` or `too_large`, with the field at fault: `messages[3].at`.
pub fn check_messages(messages: &[ImportedMessage], from: u64, to: u64, limits: &Limits) -> Result<(), WireError> {
    if messages.len() > ENTRIES_MAX {
        return Err(too_large("messages", &format!("{ENTRIES_MAX}: the rest goes in parts")));
    }
    let (mut before, mut bytes) = (from, 0);
    for (place, message) in messages.iter().enumerate() {
        let at = |member: &str| format!("messages[{place}].{member}");
        if message.text.is_empty() {
            return Err(bad(at("text"), "is empty"));
        }
        if message.text.len() > limits.text_bytes_max {
            return Err(too_large(at("text"), &format!("{} bytes", limits.text_bytes_max)));
        }
        bytes += message.text.len();
        if bytes > TEXTS_BYTES_MAX {
            return Err(too_large("messages", &format!("{TEXTS_BYTES_MAX} bytes: the rest goes in parts")));
        }
        if message.at < before || message.at > to {
            return Err(bad(at("at"), "must be between the message before it and the end"));
        }
        before = message.at;
        if message.note && message.author == ImportedAuthor::Customer {
            return Err(bad(at("note"), "is never a customer's"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: u64 = 1_800_000_000_000;

    fn body(change: impl FnOnce(&mut Value)) -> ImportBody {
        let mut body = json!({
            "customer": {"id": "c-17", "name": "Zoë", "email": "zoe@example.org"},
            "opened_at": 1_000, "closed_at": 5_000,
            "messages": [
                {"author": "customer", "at": 1_000, "text": "It is wrong."},
                {"author": {"agent": "ada"}, "at": 2_000, "text": "again?", "note": true},
                {"author": "other", "at": 2_000, "text": "We have it."},
            ],
        });
        change(&mut body);
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_conversation_that_holds_is_taken() {
        let whole = body(|_| {});
        assert_eq!(whole.check(NOW, &Limits::default()), Ok(()));
        assert_eq!(whole.metadata()["email"], "zoe@example.org");
        assert_eq!(check_names("zendesk", "35436"), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let field = |body: ImportBody| body.check(NOW, &Limits::default()).unwrap_err().field.unwrap().into_owned();
        let set = |path: &str, value: Value| {
            let path = path.to_owned();
            field(body(move |body| *body.pointer_mut(&path).unwrap() = value))
        };
        assert_eq!(set("/customer/id", json!("")), "customer.id");
        assert_eq!(set("/customer/id", json!(" c")), "customer.id");
        assert_eq!(set("/customer/name", json!("x".repeat(129))), "customer.name");
        assert_eq!(set("/customer/email", json!("x".repeat(255))), "customer.email");
        assert_eq!(set("/closed_at", json!(NOW + 1)), "closed_at");
        assert_eq!(set("/closed_at", json!(999)), "opened_at");
        assert_eq!(set("/closed_at", json!(1_500)), "messages[1].at");
        assert_eq!(set("/messages/0/at", json!(999)), "messages[0].at");
        assert_eq!(set("/messages/0/at", json!(2_001)), "messages[1].at");
        assert_eq!(set("/messages/2/text", json!("")), "messages[2].text");
        assert_eq!(set("/messages/2/text", json!("x".repeat(16 * 1024 + 1))), "messages[2].text");
        assert_eq!(set("/messages/1/author", json!("customer")), "messages[1].note");
        assert_eq!(field(body(|body| body["rating"] = json!({"score": 6}))), "rating.score");
        assert_eq!(field(body(|body| body["metadata"] = json!({"a": "x".repeat(4_096)}))), "metadata");
        let many = vec![json!({"author": "other", "at": 1_000, "text": "x"}); ENTRIES_MAX + 1];
        assert_eq!(set("/messages", json!(many)), "messages");
        let large = vec![json!({"author": "other", "at": 1_000, "text": "x".repeat(16 * 1024)}); 5];
        assert_eq!(set("/messages", json!(large)), "messages");
        for (source, id) in [("", "1"), ("Zendesk", "1"), ("a/b", "1"), ("zendesk", ""), ("zendesk", "a\n")] {
            assert_eq!(check_names(source, id).unwrap_err().code, Code::BadField, "{source:?} {id:?}");
        }
    }
}
