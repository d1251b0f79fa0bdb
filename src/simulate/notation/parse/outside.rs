//! Lines of what comes from outside: messages on a thread, and what became of ours.

use super::{NotALine, Read, Words, numbered};
use crate::desk::command::{Ask, OpenAsk};
use crate::desk::ids::{CustomerId, KeyNumber, ThreadId};
use crate::desk::outside::{DeliveryAsk, DeliveryState, ReceiveAsk};
use std::sync::Arc;

impl Words<'_> {
    /// `u1 writes t7 email in support found=c3 key=2 text=hello`
    pub(super) fn receive(&mut self, customer: CustomerId) -> Read<Ask> {
        let word = self.word()?;
        let thread = numbered(word, 't').map(ThreadId).ok_or_else(|| NotALine(word.into()))?;
        let channel = self.word()?.into();
        self.expect("in")?;
        let queue = self.word()?.into();
        let (mut found, mut key, mut or_message) = (None, KeyNumber(1), false);
        let text: Arc<str> = loop {
            if let Some(text) = self.left.trim().strip_prefix("text=") {
                break text.into();
            }
            match self.pair()? {
                ("found", id) => found = Some(id.parse().map_err(|_| NotALine(id.into()))?),
                ("key", number) => key = KeyNumber(u64::from(super::number(number)?)),
                ("or_message", value) => or_message = value == "yes",
                (other, _) => return Err(NotALine(other.into())),
            }
        };
        let open = OpenAsk {
            customer,
            key,
            channel,
            queue,
            text: Some(text.clone()),
            or_message,
            thread: Some(thread),
            ..OpenAsk::default()
        };
        Ok(Ask::Receive(Box::new(ReceiveAsk { thread, found, text, open })))
    }

    /// `carrier email c1 2 failed no such number`
    pub(super) fn of_carrier(&mut self) -> Read<Ask> {
        let (channel, conversation, number) = (self.word()?.into(), self.id()?, self.number()?);
        let word = self.word()?;
        let state = DeliveryState::ALL.into_iter().find(|state| state.name() == word);
        let state = state.ok_or_else(|| NotALine(word.into()))?;
        let reason = Some(self.left.trim()).filter(|text| !text.is_empty()).map(Into::into);
        Ok(Ask::ReportDelivery(Box::new(DeliveryAsk { channel, conversation, number, state, reason })))
    }
}
