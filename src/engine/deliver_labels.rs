//! Delivery of labels to those who talk in a conversation, unsealed.

use super::deliver::Delivery;
use crate::desk::ids::ConversationId;
use crate::desk::labels::Labels;
use crate::seal::{KeyRing, Sealed};
use crate::wire::agent::{ServerFrame, render};
use crate::wire::labels::{FIELD, LabelsShape};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// As agents are shown them.
#[must_use]
pub fn labels_shape(labels: &Labels, keys: &KeyRing) -> LabelsShape {
    LabelsShape::of(labels, |sealed| keys.unseal(FIELD, &Sealed(sealed.into())).ok())
}

impl Delivery<'_> {
    pub(super) fn labelled(&self, conversation: ConversationId, labels: &Labels) -> Utf8Bytes {
        let labels = labels_shape(labels, self.keys);
        render(&ServerFrame::Labelled { position: self.position.0, conversation, labels: &labels })
    }
}
