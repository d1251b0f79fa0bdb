//! The server's half of the watchdog: a beat is a timely answer through gateway and engine, and nothing else is one.
//!
//! A typed `unavailable` is an answer: a full disk fails readiness, which the beat tells beside it, and no restart would help it.

use super::notice::tell;
use crate::gateway::http::Door;
use crate::gateway::operators::{self, Health};
use std::sync::Arc;
use std::time::Duration;

/// The supervisor answers itself when two beats are missing, and two seconds is how long a client may wait.
const EVERY: Duration = Duration::from_millis(500);
/// Workspaces that are asked for one beat, in turn: what stops all of them stops these, and thousands of questions a second would only say so
/// more often.
const ASKED_MAX: usize = 64;

/// Beats for ever; spawn it among the requests that it speaks for.
pub async fn beat(door: Door, health: Arc<dyn Health>) {
    let mut place = 0;
    loop {
        let asked = in_turn(&door.desks.names(), &mut place);
        let silent = operators::silent(&door, asked).await;
        if silent.is_empty() {
            let reasons = health.not_ready().await;
            let status = match reasons.first() {
                None => READY.to_owned(),
                Some(reason) => format!("{}: {}", reason.component, reason.message.replace('\n', " ")),
            };
            tell(&format!("WATCHDOG=1\nSTATUS={status}"));
        } else {
            tracing::warn!(?silent, "workspaces do not answer: no beat");
        }
        // The pace of the beat.
        tokio::time::sleep(EVERY).await;
    }
}

/// While a start goes on it is not asked anything yet: that the runtime runs is all that can be said, and it is said. Never ends.
pub async fn beat_at_start() {
    loop {
        tell("WATCHDOG=1");
        // The pace of the beat.
        tokio::time::sleep(EVERY).await;
    }
}

/// What STATUS says of a server that takes all work.
pub(super) const READY: &str = "ready";

/// The next so many of all, from the start again at the end.
fn in_turn(all: &[Arc<str>], place: &mut usize) -> Vec<Arc<str>> {
    if *place >= all.len() {
        *place = 0;
    }
    let end = (*place + ASKED_MAX).min(all.len());
    let these = all[*place..end].to_vec();
    *place = end;
    these
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workspace_is_asked_in_its_turn() {
        let all: Vec<Arc<str>> = (0..150).map(|number| number.to_string().into()).collect();
        let mut place = 0;
        let lengths: Vec<usize> = (0..4).map(|_| in_turn(&all, &mut place).len()).collect();
        assert_eq!(lengths, [64, 64, 22, 64]);
        assert!(in_turn(&[], &mut place).is_empty());
        assert_eq!(in_turn(&all[..1], &mut place).len(), 1, "fewer than before");
    }
}
