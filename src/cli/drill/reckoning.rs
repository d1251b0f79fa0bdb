//! The last act: everything that was promised is compared with what is there.

use super::acts::{Morning, PATIENCE};
use super::cap::Cap;
use super::customer;
use super::floor::CHOSEN;
use super::outcome::StatusPage;
use crate::client::{Call, Client};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// How many read the messages back at once.
const READING: usize = 16;

impl Morning<'_> {
    /// 12:00.
    pub(super) async fn reckoning(&mut self) {
        self.title("12:00, the reckoning: everything that was acknowledged is read back");
        self.over.send_replace(true);
        let floor = self.floor.clone();
        self.comes("all offers to be answered", || floor.notes().offers.open() == 0).await;
        let _ = tokio::time::timeout(PATIENCE, async { while self.talks.join_next().await.is_some() {} }).await;
        self.look_at_statuses().await;
        let found = self.read_all_back().await;
        let facts = self.stage.facts().await;
        let restarts = facts["restarts"].as_object().into_iter().flatten();
        self.outcome.restarts = restarts.filter_map(|(cause, count)| Some((cause.clone(), count.as_u64()?))).collect();
        self.people.shutdown().await;
        self.outcome.stopped_in_order = self.stage.stop().await;
        let (looks, by_supervisor, unanswered, incidents) = self.page.counts();
        self.outcome.status_page = StatusPage { looks, by_supervisor, unanswered, incidents };
        self.outcome.cap.held_mib = self.held_bytes.map(|bytes| bytes >> 20);
        self.outcome.cap.oom_kills = self.stage.cap.as_ref().and_then(Cap::killed);
        let notes = floor.notes();
        self.outcome.messages = notes.ledger.compare(&found);
        self.outcome.offers = notes.offers.kept();
        self.outcome.status_flaps = notes.statuses.flaps();
        self.outcome.status_flap_examples = notes.statuses.examples();
        self.outcome.faults = notes.faults.clone();
        self.outcome.seconds = self.began.seconds();
    }

    /// Everybody's status, as their supervisors see it.
    async fn look_at_statuses(&mut self) {
        let mut client = Client::new(self.stage.address.clone());
        let mut cursor = String::new();
        let mut seen = 0;
        loop {
            let path = format!("/v1/workspaces/demo/live/agents?limit=200&cursor={cursor}");
            let asked = client.ask(&Call::read(path, &self.stage.key)).await;
            let Ok(page) = asked else { break };
            for row in page.body["rows"].as_array().into_iter().flatten() {
                let text = |member: &str| row[member].as_str().unwrap_or_default();
                if text("agent").starts_with("agent") {
                    seen += 1;
                    self.floor.notes().statuses.seen(text("agent"), CHOSEN, text("status"));
                }
            }
            match page.body["next"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        if seen != self.sizes.agents {
            self.floor.fault(format!("of {} agents {seen} are shown to supervisors", self.sizes.agents));
        }
    }

    async fn read_all_back(&mut self) -> BTreeMap<String, Vec<(u64, String)>> {
        let all: Vec<(String, String)> = {
            let notes = self.floor.notes();
            let token = |conversation: &String| notes.tokens.get(conversation).cloned().unwrap_or_default();
            notes.ledger.conversations().map(|conversation| (conversation.clone(), token(conversation))).collect()
        };
        let mut reading = JoinSet::new();
        for share in all.chunks(all.len().div_ceil(READING).max(1)) {
            let (share, floor) = (share.to_vec(), self.floor.clone());
            reading.spawn(async move {
                let mut found = Vec::new();
                for (conversation, token) in share {
                    let messages = customer::read_back(&floor, &conversation, &token).await;
                    found.extend(messages.map(|messages| (conversation, messages)));
                }
                found
            });
        }
        let mut found = BTreeMap::new();
        while let Some(share) = reading.join_next().await {
            found.extend(share.unwrap_or_default());
            self.look();
        }
        found
    }
}
