//! One message to an endpoint: signed, sent, and what came of it.

use super::endpoint::Endpoint;
use super::secret::signatures;
use crate::client::{Answer, Courier, NotFetched};
use crate::clock;
use crate::feed::Place;
use crate::telemetry::catalogue::WEBHOOK_SECONDS;
use crate::telemetry::traces::Context;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use std::fmt;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Taken(StatusCode),
    /// It wants no more.
    Gone,
    Refused {
        status: StatusCode,
        retry_after_s: Option<u64>,
    },
    NotSent(NotFetched),
}

impl Outcome {
    /// The word for metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Taken(_) => "taken",
            Outcome::Gone => "gone",
            Outcome::Refused { .. } => "refused",
            Outcome::NotSent(NotFetched::Late) => "late",
            Outcome::NotSent(NotFetched::NotAllowed(_)) => "not_allowed",
            Outcome::NotSent(NotFetched::Unreachable(_) | NotFetched::TooLarge(_)) => "unreachable",
        }
    }

    /// How long it asked to be left alone.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Outcome::Refused { retry_after_s, .. } => retry_after_s.map(|seconds| seconds.saturating_mul(1_000)),
            Outcome::Taken(_) | Outcome::Gone | Outcome::NotSent(_) => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Taken(status) | Outcome::Refused { status, .. } => write!(f, "it answered {}", status.as_u16()),
            Outcome::Gone => f.write_str("it answered 410"),
            Outcome::NotSent(why) => why.fmt(f),
        }
    }
}

/// `webhook-id`: of one event, at every attempt, and in no other workspace. Without full stops, since those part what is signed.
#[must_use]
pub fn id_of(workspace: &str, place: Place) -> String {
    format!("{workspace}_{place}").replace('.', "_")
}

/// One attempt; in the trace of what it tells, where that is sampled.
pub async fn send(courier: &Courier, endpoint: &Endpoint, id: &str, body: Bytes, trace: Option<Context>) -> Outcome {
    let spec = endpoint.held().spec;
    let wall_ms = clock::wall_ms();
    let (Some(url), timestamp_s) = (spec.url(), wall_ms / 1_000) else {
        return Outcome::NotSent(NotFetched::Unreachable("its address cannot be read".to_owned()));
    };
    let signed = signatures(spec.secrets(wall_ms).iter(), id, timestamp_s, &body);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in
        [("webhook-id", id), ("webhook-timestamp", &timestamp_s.to_string()), ("webhook-signature", &signed)]
    {
        // Names of workspaces, numbers and base64 are all that is in them.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    if let Some(trace) = trace.and_then(|trace| HeaderValue::from_str(&trace.to_string()).ok()) {
        headers.insert("traceparent", trace);
    }
    let took = clock::stopwatch();
    let answered = courier.post(&endpoint.kept, &url, &headers, body).await;
    metrics::histogram!(WEBHOOK_SECONDS).record(took.seconds());
    match answered {
        Ok(Answer { status, .. }) if status.is_success() => Outcome::Taken(status),
        Ok(Answer { status: StatusCode::GONE, .. }) => Outcome::Gone,
        Ok(Answer { status, retry_after_s }) => Outcome::Refused { status, retry_after_s },
        Err(why) => Outcome::NotSent(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_event_s_and_has_no_full_stop() {
        assert_eq!(id_of("demo", "812.3".parse().unwrap()), "demo_812_3");
    }
}
