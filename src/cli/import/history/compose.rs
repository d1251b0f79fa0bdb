//! Conversations as the server takes them, one at a time: people become customers and agents of the workspace, groups its queues, and what is
//! larger than one call goes in parts.

use super::super::gathered::slug;
use super::left::Left;
use super::shelf::{Author, Person, Said, Shelf, Talk};
use crate::desk::imported::{ENTRIES_MAX, PARTS_MAX, TEXTS_BYTES_MAX};
use crate::desk::labels::{TAG_BYTES_MAX, TAGS_MAX};
use crate::desk::settings::NAME_BYTES_MAX;
use crate::wire::channel::PHONE_BYTES_MAX;
use crate::wire::imported::SOURCE_ID_BYTES_MAX;
use crate::wire::messenger::{EMAIL_BYTES_MAX, Limits};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};

const SUBJECT_BYTES_MAX: usize = 1_000;
/// Conversations that are read from the shelf at once.
const TALKS_AT_ONCE: usize = 100;

/// What of the workspace a conversation may name.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub agents: BTreeSet<String>,
    pub queues: BTreeSet<String>,
    /// For those whose own is not here.
    pub queue: String,
    pub channels: Vec<String>,
    /// `None`: any tag.
    pub tags: Option<BTreeSet<String>>,
}

/// One conversation: a body for each call.
#[derive(Debug, PartialEq)]
pub(super) struct Composed {
    pub id: String,
    pub first: Value,
    /// Parts 2 and on.
    pub more: Vec<Value>,
}

pub(super) struct Composer<'a> {
    shelf: &'a Shelf,
    standing: Standing,
    source: String,
    /// The last that was read.
    after: Option<(u64, String)>,
    read: VecDeque<(String, Talk)>,
}

impl<'a> Composer<'a> {
    pub fn new(shelf: &'a Shelf, standing: Standing, source: String) -> Self {
        Self { shelf, standing, source, after: None, read: VecDeque::new() }
    }

    /// The next, in the order in which they were opened; `None` after the last.
    pub fn next(&mut self, left: &mut Left) -> Result<Option<Composed>, String> {
        if self.read.is_empty() {
            self.read = self.shelf.next_talks(self.after.clone(), TALKS_AT_ONCE)?.into();
        }
        let Some((id, talk)) = self.read.pop_front() else { return Ok(None) };
        self.after = Some((talk.opened_at, id.clone()));
        self.compose(id, talk, left).map(Some)
    }

    fn compose(&self, id: String, talk: Talk, left: &mut Left) -> Result<Composed, String> {
        let mut messages = Vec::new();
        for said in self.shelf.said_in(&id)? {
            self.messages(&talk, said, &mut messages, left)?;
        }
        // What is told of the whole may be older than what was said last.
        let times = || messages.iter().filter_map(|message| message["at"].as_u64());
        let opened_at = times().min().map_or(talk.opened_at, |first| first.min(talk.opened_at));
        let closed_at = times().max().map_or(talk.closed_at, |last| last.max(talk.closed_at));
        let mut parts = parts(messages);
        if parts.len() > PARTS_MAX as usize {
            let beyond = parts.split_off(PARTS_MAX as usize).iter().map(Vec::len).sum::<usize>();
            left.many("messages of conversations that have more than fit 500 parts", beyond as u64);
        }
        let mut parts = parts.into_iter();
        let rating = talk.rating.clone().or(self.shelf.find_rating(&id)?);
        let rating = rating.as_ref().map(|(score, comment)| {
            let comment = cut(comment, crate::desk::ratings::COMMENT_BYTES_MAX);
            json!({"score": score, "comment": (!comment.is_empty()).then_some(comment)})
        });
        let subject = cut(&talk.subject, SUBJECT_BYTES_MAX);
        let first = json!({
            "customer": self.customer(&talk, left)?,
            "channel": self.channel(&talk),
            "queue": self.queue(&talk, left)?,
            "agent": self.owner(&talk, left)?,
            "opened_at": opened_at,
            "closed_at": closed_at,
            "tags": self.tags(&talk, left),
            "metadata": if subject.is_empty() { json!({}) } else { json!({"subject": subject}) },
            "rating": rating,
            "messages": parts.next().unwrap_or_default(),
        });
        Ok(Composed {
            id: cut(&id, SOURCE_ID_BYTES_MAX).to_owned(),
            first,
            more: parts.map(|messages| json!({"messages": messages})).collect(),
        })
    }

    fn customer(&self, talk: &Talk, left: &mut Left) -> Result<Value, String> {
        let found = self.shelf.find_person(&talk.customer)?;
        let known = found.as_ref().unwrap_or(&talk.known);
        if *known == Person::default() {
            left.one("customers who are in none of the files: they are known by their number alone");
        }
        let number = talk.customer.rsplit(' ').next().unwrap_or_default();
        let by_number = format!("{}-{number}", self.source);
        let ids = [known.external.as_str(), known.email.as_str(), &by_number];
        let id = ids.into_iter().find(|id| is_id(id)).unwrap_or("unknown");
        let fits =
            |text: &str, bytes_max: usize| (!text.is_empty() && text.len() <= bytes_max).then(|| text.to_owned());
        Ok(json!({
            "id": id,
            "name": cut(&known.name, NAME_BYTES_MAX),
            "email": fits(&known.email, EMAIL_BYTES_MAX),
            "phone": fits(&known.phone, PHONE_BYTES_MAX),
        }))
    }

    fn channel(&self, talk: &Talk) -> Option<String> {
        let channels = &self.standing.channels;
        channels.iter().find(|name| **name == talk.channel).or(channels.first()).cloned()
    }

    fn queue(&self, talk: &Talk, left: &mut Left) -> Result<String, String> {
        let title = self.shelf.find_place(&talk.queue)?.unwrap_or_else(|| talk.queue.clone());
        let name = slug(&title);
        if self.standing.queues.contains(&name) {
            return Ok(name);
        }
        let queue = &self.standing.queue;
        if !name.is_empty() {
            left.one(&format!("queues of conversations: they are no queues here, so those went to {queue:?}"));
        }
        Ok(queue.clone())
    }

    fn owner(&self, talk: &Talk, left: &mut Left) -> Result<Option<String>, String> {
        if talk.owner.is_empty() {
            return Ok(None);
        }
        let person = self.shelf.find_person(&talk.owner)?;
        let agent = self.agent(&talk.owner, person.as_ref());
        if agent.is_none() {
            left.one("owners who are no agents here (offhook import and offhook apply make them)");
        }
        Ok(agent)
    }

    /// The agent that somebody is here.
    fn agent(&self, number: &str, person: Option<&Person>) -> Option<String> {
        let name = match person {
            Some(person) if !person.email.is_empty() => person.email.as_str(),
            _ => number.strip_prefix("agent ").unwrap_or(number),
        };
        self.standing.agents.contains(name).then(|| name.to_owned())
    }

    fn tags(&self, talk: &Talk, left: &mut Left) -> Vec<String> {
        let allowed = |tag: &String| {
            let fits = !tag.is_empty() && tag.len() <= TAG_BYTES_MAX && !tag.chars().any(char::is_control);
            fits && self.standing.tags.as_ref().is_none_or(|tags| tags.contains(tag))
        };
        let all: BTreeSet<&String> = talk.tags.iter().collect();
        let taken: Vec<String> = all.iter().copied().filter(|tag| allowed(tag)).take(TAGS_MAX).cloned().collect();
        left.many(
            "tags that the workspace does not have, or beyond 20 of one conversation",
            (all.len() - taken.len()) as u64,
        );
        taken
    }

    /// One, or several where it is longer than a message may be.
    fn messages(&self, talk: &Talk, said: Said, messages: &mut Vec<Value>, left: &mut Left) -> Result<(), String> {
        let (author, name) = match &said.by {
            Author::Customer if said.note => (json!("other"), String::new()),
            Author::Customer => (json!("customer"), String::new()),
            Author::Nobody => (json!("other"), String::new()),
            Author::Person { number, .. } if *number == talk.customer && !said.note => {
                (json!("customer"), String::new())
            }
            Author::Person { number, name } => {
                let person = self.shelf.find_person(number)?;
                match self.agent(number, person.as_ref()) {
                    Some(agent) => (json!({"agent": agent}), String::new()),
                    None => {
                        left.one("authors who are no agents here: their names are at the beginning of what they said");
                        let known = person.map(|person| person.name).filter(|name| !name.is_empty());
                        (json!("other"), known.unwrap_or_else(|| name.clone()))
                    }
                }
            }
        };
        let text = if name.is_empty() { said.text } else { format!("{name}: {}", said.text) };
        let mut rest = text.as_str();
        if rest.len() > Limits::default().text_bytes_max {
            left.one("texts of more than 16 KiB, which became several messages");
        }
        while !rest.is_empty() {
            let piece = cut(rest, Limits::default().text_bytes_max);
            messages.push(json!({"author": author, "at": said.at, "text": piece, "note": said.note}));
            rest = &rest[piece.len()..];
        }
        Ok(())
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 256 && !id.chars().any(char::is_control) && id.trim() == id
}

/// As much of it as fits, at the border of a character.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// So that each fits a call; the first may be empty.
pub(super) fn parts(messages: Vec<Value>) -> Vec<Vec<Value>> {
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for message in messages {
        let size = message["text"].as_str().map_or(0, str::len);
        let last = parts.last().map_or(0, Vec::len);
        if last == ENTRIES_MAX || bytes + size > TEXTS_BYTES_MAX {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(message);
        }
    }
    parts
}
