//! Lines of moves, notes and drains.

use super::{NotALine, Read, Words, numbered, seconds};
use crate::desk::command::{Ask, StartAsk};
use crate::desk::ids::{AgentId, CustomerId, KeyNumber};
use crate::desk::moves::{Deed, MoveAsk, Mover};
use crate::desk::queue_moves::Draining;
use crate::simulate::notation::labels;

impl Words<'_> {
    pub(super) fn of_mover(&mut self, verb: &str, by: Mover) -> Read<Ask> {
        if verb == "lists" {
            let queue = self.word()?.into();
            let limit = self.number()? as usize;
            return Ok(Ask::ListWaiting { by, queue, after: None, limit });
        }
        if verb == "forces" {
            let agent = self.word()?.into();
            return Ok(Ask::ForceStatus { agent, status: self.word()?.into(), by });
        }
        if let Some(then) = labels::then_of(verb) {
            let conversation = self.id()?;
            let json = self.text()?;
            return Ok(Ask::Label(Box::new(labels::read(conversation, by, then, &json)?)));
        }
        if !matches!(verb, "notes" | "transfers" | "queues" | "cancels" | "hands_over" | "leaves" | "picks" | "assigns")
        {
            return Err(NotALine(verb.into()));
        }
        let conversation = self.id()?;
        let deed = match verb {
            "notes" => return Ok(Ask::Note { conversation, by, text: self.text()? }),
            "transfers" => {
                self.expect("to")?;
                let agent = self.word()?.into();
                Deed::TransferToAgent { agent, warm: self.word().is_ok_and(|word| word == "warm") }
            }
            "queues" => {
                self.expect("in")?;
                let queue = self.word()?.into();
                let waiting_since = match self.pair() {
                    Ok(("since", value)) => Some(seconds(value)?),
                    Ok((other, _)) => return Err(NotALine(other.into())),
                    Err(_) => None,
                };
                Deed::TransferToQueue { queue, waiting_since }
            }
            "cancels" => Deed::CancelTransfer,
            "hands_over" => Deed::HandOver,
            "leaves" => Deed::Leave,
            "picks" => Deed::Pick,
            _ => self.assign()?,
        };
        Ok(Ask::Move(MoveAsk { conversation, by, deed }))
    }

    fn assign(&mut self) -> Read<Deed> {
        let (mut to, mut expected_owner, mut force) = (None, None, false);
        while !self.left.trim().is_empty() {
            match self.pair()? {
                ("to", value) => to = Some(value.into()),
                ("from", value) => expected_owner = Some(value.into()),
                ("force", value) => force = value == "yes",
                (other, _) => return Err(NotALine(other.into())),
            }
        }
        Ok(Deed::Assign { to, expected_owner, force })
    }

    pub(super) fn start(&mut self, agent: AgentId) -> Read<Ask> {
        let word = self.word()?;
        let customer = numbered(word, 'u').map(CustomerId).ok_or_else(|| NotALine(word.into()))?;
        let channel = self.word()?.into();
        self.expect("in")?;
        let queue = self.word()?.into();
        let text = self.left.trim().strip_prefix("text=").map(Into::into);
        let key = KeyNumber(1);
        Ok(Ask::Start(Box::new(StartAsk { agent, customer, key, channel, queue, about: None, text, thread: None })))
    }

    pub(super) fn drain_queue(&mut self) -> Read<Ask> {
        let queue = self.word()?.into();
        let draining = match self.word()? {
            "no" => None,
            word => {
                let to = word.strip_prefix("to=").ok_or_else(|| NotALine(word.into()))?;
                Some(Draining { to: (to != "-").then(|| to.into()) })
            }
        };
        Ok(Ask::DrainQueue { queue, draining })
    }

    pub(super) fn expect(&mut self, expected: &str) -> Read<()> {
        let word = self.word()?;
        if word == expected { Ok(()) } else { Err(NotALine(word.into())) }
    }
}
