//! Frames that label a conversation: by themselves, and as members of `close` and `wrap_up_done`.

use super::from_client::AgentFrame;
use crate::desk::ids::ConversationId;
use crate::desk::labels::{LabelChange, PlainValue, TAG_BYTES_MAX, TAGS_MAX, ThenEnd};
use crate::desk::settings::NAME_BYTES_MAX;
use crate::wire::error::{Code, WireError};
use crate::wire::fields::{Fields, wrong_kind};
use crate::wire::labels::plain_values;
use std::sync::Arc;

/// A conversation is labelled, and perhaps ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelFrame {
    pub conversation: ConversationId,
    pub change: LabelChange<PlainValue>,
    pub then: ThenEnd,
}

/// `label`, `close` and `wrap_up_done`; the last two without labels are what they always were.
pub(super) fn read(fields: &mut Fields<'_>, then: ThenEnd) -> Result<AgentFrame, WireError> {
    let conversation = fields.id("conversation")?;
    let change = LabelChange {
        disposition: fields.text("disposition", NAME_BYTES_MAX)?.map(Arc::from),
        tags: tags(fields)?,
        fields: values(fields)?,
    };
    Ok(match then {
        ThenEnd::Talk if change.is_empty() => AgentFrame::Close { conversation },
        ThenEnd::WrapUp if change.is_empty() => AgentFrame::WrapUpDone { conversation },
        _ => AgentFrame::Label(Box::new(LabelFrame { conversation, change, then })),
    })
}

fn tags(fields: &mut Fields<'_>) -> Result<Option<Vec<Arc<str>>>, WireError> {
    let Some(raw) = fields.take("tags") else { return Ok(None) };
    let tags: Vec<Arc<str>> = serde_json::from_str(raw.get()).map_err(|_| wrong_kind("tags", "a list of strings"))?;
    if tags.len() > TAGS_MAX || tags.iter().any(|tag| tag.len() > TAG_BYTES_MAX) {
        let most = format!("tags holds at most {TAGS_MAX}, each of at most {TAG_BYTES_MAX} bytes");
        return Err(WireError::new(Code::BadField, most).at("tags"));
    }
    Ok(Some(tags))
}

fn values(fields: &mut Fields<'_>) -> Result<std::collections::BTreeMap<Arc<str>, Option<PlainValue>>, WireError> {
    let Some(raw) = fields.take("fields") else { return Ok(Default::default()) };
    let said = serde_json::from_str(raw.get()).map_err(|_| wrong_kind("fields", "an object"))?;
    plain_values(said)
}
