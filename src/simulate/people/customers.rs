//! Customers: they start, write, leave, and come back to what was closed.

use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, AskedAgent, Author, Closer, OpenAsk};
use crate::desk::files::Attachments;
use crate::desk::ids::{ConversationId, CustomerId, KeyNumber, ThreadId};
use crate::desk::outside::ReceiveAsk;
use crate::desk::ratings::RateAsk;
use crate::desk::refusal::Refusal;
use crate::simulate::dice::Dice;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug)]
pub struct CustomerModel {
    id: CustomerId,
    /// All that it ever started.
    conversations: BTreeSet<ConversationId>,
    /// The last one that its thread was in.
    on_thread: Option<ConversationId>,
}

impl CustomerModel {
    pub fn new(number: u128) -> Self {
        Self { id: CustomerId(number), conversations: BTreeSet::new(), on_thread: None }
    }

    pub fn act(&mut self, dice: &mut Dice, desk: &Desk) -> Option<Ask> {
        let customer = self.id;
        let mine: Vec<ConversationId> = self.conversations.iter().copied().collect();
        // Mostly the newest, now and then an old one that is closed.
        let newest = mine.last().copied().filter(|_| dice.per_mille(700));
        let conversation = newest.or_else(|| dice.pick(&mine).copied());
        let author = Author::Customer(customer);
        let wraps_up =
            |id: &&ConversationId| desk.conversation(**id).is_some_and(|held| held.state.name() == "wrap_up");
        // One thing more, just after it was over.
        if let Some(over) = mine.iter().find(wraps_up)
            && dice.per_mille(20)
        {
            return Some(post(*over, author, "one more thing"));
        }
        match dice.below(1_000) {
            0..=29 => Some(self.open(dice)),
            30..=79 => Some(post(conversation?, author, "help")),
            80..=89 => Some(Ask::Read { conversation: conversation?, reader: author, number: 1 }),
            90..=94 => Some(Ask::Typing { conversation: conversation?, author, draft: None }),
            95..=104 => Some(Ask::Close { conversation: conversation?, by: Closer::Customer(customer) }),
            105 => Some(post(ConversationId(dice.between(1, 30)), author, "mine")),
            106 => {
                let into = CustomerId(u128::from(dice.between(1, 5)));
                (into != customer).then_some(Ask::MergeCustomer { from: customer, into })
            }
            107 => Some(Ask::SignOutCustomer { customer }),
            116 | 117 => {
                let about = format!("number {}", dice.below(10)).into();
                Some(Ask::Describe { conversation: conversation?, customer, about })
            }
            108..=115 => {
                let (conversation, score) = (conversation?, dice.between(1, 5) as u8);
                let comment = dice.per_mille(300).then(|| "as I thought".into());
                Some(Ask::Rate(Box::new(RateAsk { conversation, customer, score, comment })))
            }
            118..=129 => Some(self.write(dice)),
            _ => None,
        }
    }

    /// By e-mail, on the one thread that it has.
    fn write(&self, dice: &mut Dice) -> Ask {
        let (thread, text) = (ThreadId(self.id.0), Arc::from("by e-mail"));
        let open = OpenAsk {
            customer: self.id,
            key: KeyNumber(1),
            channel: "email".into(),
            queue: "support".into(),
            text: Some(Arc::clone(&text)),
            or_message: dice.per_mille(500),
            thread: Some(thread),
            ..OpenAsk::default()
        };
        Ask::Receive(Box::new(ReceiveAsk { thread, found: self.on_thread, text, open }))
    }

    fn open(&self, dice: &mut Dice) -> Ask {
        let channel = *dice.pick(&["chat", "chat", "chat", "voice", "email"]).unwrap_or(&"chat");
        let queue = *dice.pick(&["support", "support", "sales"]).unwrap_or(&"support");
        let mut skills = BTreeMap::new();
        if dice.per_mille(300) {
            skills.insert("french".into(), dice.between(1, 6) as u8);
        }
        Ask::Open(Box::new(OpenAsk {
            customer: self.id,
            key: KeyNumber(1),
            channel: channel.into(),
            queue: queue.into(),
            priority: dice.per_mille(200).then(|| dice.below(3) as i32),
            skills,
            about: None,
            text: dice.per_mille(800).then(|| "hello".into()),
            or_message: dice.per_mille(300),
            ..self.wishes(dice)
        }))
    }

    /// Now and then it prefers somebody, or is handed in as one that waited before.
    fn wishes(&self, dice: &mut Dice) -> OpenAsk {
        let agent = dice
            .per_mille(200)
            .then(|| AskedAgent { name: format!("a{}", dice.below(3)).into(), required: dice.per_mille(100) });
        let preferred_skills = if dice.per_mille(200) { vec!["french".into()] } else { Vec::new() };
        OpenAsk { preferred_skills, preferred_agent: agent, ..OpenAsk::default() }
    }

    pub fn hear(&mut self, result: &Result<Answer, Refusal>) {
        if let Ok(Answer::Opened { conversation, .. }) = result {
            self.conversations.insert(*conversation);
        }
        if let Ok(Answer::Received { conversation, .. }) = result {
            self.conversations.insert(*conversation);
            self.on_thread = Some(*conversation);
        }
    }
}

fn post(conversation: ConversationId, author: Author, text: &str) -> Ask {
    Ask::Post { conversation, author, text: text.into(), files: Attachments::default() }
}
