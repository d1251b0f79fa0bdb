//! Lines of a router of one's own: `router decides c1 d1 to=a0 from=a1`, `router leaves c1 d1`, `router lists d1,d2`.

use super::{NotALine, Read, Words};
use crate::desk::command::Ask;
use crate::desk::decision::{Choice, DecideAsk};
use std::collections::BTreeSet;

impl Words<'_> {
    pub(super) fn of_router(&mut self) -> Read<Ask> {
        let verb = self.word()?;
        if verb == "lists" {
            let word = self.word()?;
            let ids = word.split(',').filter(|id| *id != "-").map(|id| id.parse().map_err(|_| NotALine(id.into())));
            return Ok(Ask::ListDecisions { known: ids.collect::<Read<BTreeSet<_>>>()? });
        }
        let (conversation, decision) = (self.id()?, self.id()?);
        let (mut to, mut expected_owner) = (None, None);
        while !self.left.trim().is_empty() {
            match self.pair()? {
                ("to", value) => to = Some(value.into()),
                ("from", value) => expected_owner = Some(value.into()),
                (other, _) => return Err(NotALine(other.into())),
            }
        }
        let choice = match (verb, to) {
            ("decides", Some(agent)) => Choice::Agent(agent),
            ("leaves", None) => Choice::Offhook,
            _ => return Err(NotALine(verb.into())),
        };
        Ok(Ask::Decide(Box::new(DecideAsk { conversation, decision, expected_owner, choice, by: "router".into() })))
    }
}
