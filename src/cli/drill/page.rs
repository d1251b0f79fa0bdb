//! Who looks at the status page as its users would, four times a second, and writes down when it says that something is wrong.

use super::floor::now;
use crate::client::{Address, Call, Client};
use crate::clock;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A trouble that was made, and when the page said so.
#[derive(Debug)]
struct Trouble {
    began: Instant,
    began_at_ms: u64,
    noticed: Option<(Duration, String)>,
}

#[derive(Debug, Default)]
struct Seen {
    trouble: Option<Trouble>,
    /// As of the last look: everything is operational, and the server itself says so.
    is_well: bool,
    /// Looks that the supervisor answered, and that nobody did.
    by_supervisor: u64,
    unanswered: u64,
    looks: u64,
    incidents: usize,
}

/// What came of looking.
pub(super) struct Page {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Page {
    pub fn watch(operators: Address) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let task = tokio::spawn(look_on(operators, seen.clone()));
        Self { seen, task }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn trouble_begins(&self) {
        let trouble = Trouble { began: now(), began_at_ms: clock::wall_ms(), noticed: None };
        let mut seen = self.seen();
        seen.trouble = Some(trouble);
        seen.is_well = false;
    }

    /// How long the page took to say so, and what it said.
    pub fn noticed(&self) -> Option<(f64, String)> {
        let seen = self.seen();
        let (after, words) = seen.trouble.as_ref()?.noticed.as_ref()?;
        Some((after.as_secs_f64(), words.clone()))
    }

    /// Tells whether everything is operational, as of the last look.
    pub fn teller(&self) -> impl Fn() -> bool + use<> {
        let seen = self.seen.clone();
        move || seen.lock().unwrap_or_else(PoisonError::into_inner).is_well
    }

    /// Looks in all, those that the supervisor answered, those that nobody did, and incidents on the page.
    pub fn counts(&self) -> (u64, u64, u64, usize) {
        let seen = self.seen();
        (seen.looks, seen.by_supervisor, seen.unanswered, seen.incidents)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look_on(operators: Address, seen: Arc<Mutex<Seen>>) {
    loop {
        // Each look is somebody's first: no connection is kept.
        let began = now();
        let looked = Client::new(operators.clone()).ask_once(&Call::anonymous("/status")).await;
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.looks += 1;
            match looked {
                Ok(answered) => seen.take(&answered.body, began),
                Err(_) => {
                    seen.unanswered += 1;
                    seen.is_well = false;
                }
            }
        }
        // At the pace of a page that looks again by itself, or somewhat faster.
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Seen {
    fn take(&mut self, page: &Value, asked: Instant) {
        let is_supervisor = page["answered_by"] == "supervisor";
        self.by_supervisor += u64::from(is_supervisor);
        self.is_well = !is_supervisor && page["status"] == "operational";
        if let Some(incidents) = page["incidents"].as_array() {
            self.incidents = incidents.len();
        }
        let Some(trouble) = self.trouble.as_mut().filter(|trouble| trouble.noticed.is_none()) else { return };
        // What was asked before it began cannot speak of it.
        if asked >= trouble.began
            && let Some(words) = says_trouble(page, trouble.began_at_ms)
        {
            trouble.noticed = Some((now() - trouble.began, words));
        }
    }
}

/// What a page says of a trouble that began then, in a few words; nothing while it says nothing.
fn says_trouble(page: &Value, since_ms: u64) -> Option<String> {
    if page["answered_by"] == "supervisor" {
        return Some("down, says the supervisor".to_owned());
    }
    let components = page["components"].as_array().into_iter().flatten();
    let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
    let bad: Vec<String> = components
        .filter(|component| component["state"] != "operational")
        .map(|component| format!("{} {}", text(component, "title"), text(component, "state").replace('_', " ")))
        .collect();
    if !bad.is_empty() {
        return Some(bad.join(", "));
    }
    let incidents = page["incidents"].as_array().into_iter().flatten();
    let lines = incidents.flat_map(|incident| incident["lines"].as_array().into_iter().flatten());
    let line = lines.into_iter().find(|line| line["at"].as_u64().is_some_and(|at| at >= since_ms))?;
    Some(text(line, "text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_says_trouble_by_its_supervisor_a_component_or_an_incident_that_is_new() {
        let well = json!({"title": "API", "state": "operational"});
        let out = json!({"title": "Messenger", "state": "major_outage"});
        let restarted = json!({"lines": [
            {"at": 1_000, "text": "earlier"},
            {"at": 2_000, "text": "Restarted; no service for 0.4 s"},
            {"at": 2_400, "text": "Everything is operational."},
        ]});
        let said = |page: Value| says_trouble(&page, 2_000);
        assert_eq!(said(json!({"answered_by": "server", "components": [well], "incidents": []})), None);
        assert!(said(json!({"answered_by": "supervisor", "status": "down"})).is_some());
        let page = json!({"answered_by": "server", "components": [well, out]});
        assert_eq!(said(page).as_deref(), Some("Messenger major outage"));
        let page = json!({"answered_by": "server", "components": [well], "incidents": [restarted]});
        assert!(said(page.clone()).is_some_and(|words| words.starts_with("Restarted")));
        assert_eq!(says_trouble(&page, 2_401), None, "of what was before");
    }
}
