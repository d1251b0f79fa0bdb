//! `GET /decisions`: whoever routes follows what is wanted of it. The stream remembers what it has sent and, whenever something
//! has changed, asks the desk for the difference: a client that is slow is sent less often, and never anything that is over.

use super::Shared;
use super::asker::{Asker, Scope};
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Command};
use crate::desk::decision::{Decisions, Ended, Fitting, Wanted};
use crate::desk::ids::{ConversationId, CustomerId, DecisionId};
use crate::desk::time::DeskTime;
use crate::engine::Changes;
use crate::gateway::http::asking::Asked;
use crate::gateway::http::desks::Position;
use crate::wire::spelled::{Spelled, spelled};
use axum::body::Body;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");
const BEAT: Duration = Duration::from_secs(15);
/// Before a workspace that can answer nothing now is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest life of a stream, as of a customer's.
const LIFE_MS_MAX: u64 = 3_600_000;

pub(super) fn body(admin: Shared, asked: Asked, asker: Asker, changes: watch::Receiver<Changes>) -> Body {
    let opened_at = (admin.door.now)().desk;
    let workspace = asker.desk.name().clone();
    let follow = Follow {
        admin,
        asked,
        workspace,
        asker,
        changes,
        opened_at,
        known: BTreeSet::new(),
        next: Next::Hello,
        beat: Box::pin(sleep(BEAT)),
    };
    let stream = futures_util::stream::unfold(follow, |mut follow| async {
        let bytes = follow.next().await?;
        Some((Ok::<_, Infallible>(bytes), follow))
    });
    Body::from_stream(stream)
}

struct Follow {
    admin: Shared,
    /// With its credential, which must stay good.
    asked: Asked,
    workspace: Arc<str>,
    asker: Asker,
    changes: watch::Receiver<Changes>,
    opened_at: DeskTime,
    /// Decisions that were sent, and whose end was not.
    known: BTreeSet<DecisionId>,
    next: Next,
    beat: Pin<Box<Sleep>>,
}

#[derive(PartialEq)]
enum Next {
    Hello,
    /// The first list, which begins everything anew for the client.
    List,
    Look,
    Wait,
}

impl Follow {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.next {
                Next::Hello => {
                    self.next = Next::List;
                    return Some(RETRY);
                }
                Next::List | Next::Look => {
                    // Seen before it is asked, so that what changes meanwhile is looked at again.
                    if self.changes.borrow_and_update().over || !self.holds() {
                        return None;
                    }
                    match self.look().await {
                        Some((_, decisions)) if self.next == Next::Look && decisions == Decisions::default() => {
                            self.next = Next::Wait;
                        }
                        Some((position, decisions)) => return Some(self.tell(position, &decisions)),
                        None => sleep(AGAIN).await,
                    }
                }
                Next::Wait => tokio::select! {
                    changed = self.changes.changed() => {
                        changed.ok()?;
                        self.next = Next::Look;
                    }
                    () = &mut self.beat => {
                        self.beat.set(sleep(BEAT));
                        return self.holds().then_some(HEARTBEAT);
                    }
                },
            }
        }
    }

    /// Whether it may go on: the key or token is good still, and its hour is not over.
    fn holds(&self) -> bool {
        // Not by the wall: a clock that is set ends nobody's stream.
        (self.admin.door.now)().desk.ms_since(self.opened_at) < LIFE_MS_MAX
            && self.admin.may_still(&self.workspace, &self.asked, Scope::Route)
    }

    /// What was not sent yet; `None` while the workspace answers nothing.
    async fn look(&self) -> Option<(Position, Decisions)> {
        let ask = Ask::ListDecisions { known: self.known.clone() };
        let command = Command { principal: self.asker.principal, id: None, fingerprint: 0, ask };
        let replied = self.asker.desk.ask(command).await.ok()?;
        match replied.result {
            Ok(Answer::Decisions(decisions)) => Some((replied.position, *decisions)),
            _ => None,
        }
    }

    fn tell(&mut self, position: Position, decisions: &Decisions) -> Bytes {
        let mut out = String::new();
        if self.next == Next::List {
            event(&mut out, "list", &ListShape { position: position.0 });
        }
        for Ended { decision, end } in &decisions.ended {
            self.known.remove(decision);
            let end = end.map(|end| end.name());
            event(&mut out, "ended", &EndedShape { position: position.0, decision: *decision, end });
        }
        for wanted in &decisions.wanted {
            self.known.insert(wanted.decision);
            event(&mut out, "wanted", &WantedShape::of(position, wanted));
        }
        self.next = if decisions.more { Next::Look } else { Next::Wait };
        out.into()
    }
}

fn event(out: &mut String, name: &str, data: &impl Serialize) {
    let data = serde_json::to_string(data).expect("strings and numbers always serialize");
    out.push_str("event: ");
    out.push_str(name);
    out.push_str("\ndata: ");
    out.push_str(&data);
    out.push_str("\n\n");
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RouterBegins")]
pub(super) struct ListShape {
    position: u64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RouterDecisionEnded")]
pub(super) struct EndedShape {
    position: u64,
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<DecisionId>")]
    decision: DecisionId,
    /// `null`: so long ago that it is not known any more.
    end: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RouterDecisionWanted")]
pub(super) struct WantedShape<'a> {
    position: u64,
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<DecisionId>")]
    decision: DecisionId,
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<ConversationId>")]
    conversation: ConversationId,
    ends_in_ms: u64,
    queue: &'a str,
    channel: &'a str,
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<CustomerId>")]
    customer: CustomerId,
    priority: i32,
    skills: BTreeMap<&'a str, u8>,
    preferred_skills: &'a [Arc<str>],
    ring: u8,
    waiting_since: u64,
    offers_made: u32,
    waiting: u32,
    expected_owner: Option<&'a str>,
    candidates: &'a [Fitting],
    more_candidates: bool,
}

impl<'a> WantedShape<'a> {
    fn of(position: Position, wanted: &'a Wanted) -> Self {
        Self {
            position: position.0,
            decision: wanted.decision,
            conversation: wanted.conversation,
            ends_in_ms: wanted.ends_in_ms,
            queue: &wanted.queue,
            channel: &wanted.channel,
            customer: wanted.customer,
            priority: wanted.priority,
            skills: wanted.skills.iter().map(|skill| (&*skill.name, skill.level)).collect(),
            preferred_skills: &wanted.preferred_skills,
            ring: wanted.ring,
            waiting_since: wanted.waiting_since.0,
            offers_made: wanted.offers_made,
            waiting: wanted.waiting,
            expected_owner: wanted.expected_owner.as_deref(),
            candidates: &wanted.candidates,
            more_candidates: wanted.more_candidates,
        }
    }
}
