//! Spans that have ended, on their way to a collector: a bounded queue, and a task that sends what is in it once a second.
//!
//! Nobody waits for the collector. What finds the queue full is dropped and counted; what a collector does not take is tried again,
//! later and later, while the queue fills.

use super::turns::Turns;
use super::{TRACES, Traces};
use crate::client::outbound::{BadUrl, NoRoots, NotFetched, Outbound, Url};
use crate::telemetry::catalogue::{TRACE_SPANS_TOTAL, TRACE_SPANS_WAITING};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Spans that wait at most: some 2 MB.
const WAITING_MAX: usize = 4_096;
/// Of one request.
const BATCH_MAX: usize = 512;
/// How long spans gather.
const GATHER: Duration = Duration::from_secs(1);
/// For one answer.
const WITHIN: Duration = Duration::from_secs(5);
/// Between tries, doubling.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// What was not taken by the end.
const FAILED: &str = "failed";
const ANSWER_BYTES_MAX: usize = 64 << 10;
const HEADERS_FILE_BYTES_MAX: u64 = 64 << 10;

/// Where spans go, and how many there are.
#[derive(Clone, Debug)]
pub struct Settings {
    pub endpoint: String,
    /// In millionths.
    pub sample_ratio: u32,
    /// `Name: value` by lines; empty: none.
    pub headers_file: PathBuf,
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum NoTraces {
    #[error("traces.otlp_endpoint: {0}")]
    Url(#[from] BadUrl),
    #[error("traces.otlp_endpoint: {0}")]
    Roots(#[from] NoRoots),
    #[error("traces.headers_file: {path} cannot be read: {why}")]
    Unreadable { path: PathBuf, why: std::io::Error },
    #[error("traces.headers_file: line {line} of {path} is not `Name: value`")]
    BadLine { path: PathBuf, line: usize },
    #[error("traces are sent already")]
    Twice,
}

#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Vec<Span>>);

impl Queue {
    pub(super) fn push(&self, span: Span) {
        let mut waiting = self.lock();
        if waiting.len() < WAITING_MAX {
            return waiting.push(span);
        }
        drop(waiting);
        metrics::counter!(TRACE_SPANS_TOTAL, "outcome" => "dropped").increment(1);
    }

    /// The first of those that wait.
    fn take(&self) -> Vec<Span> {
        let mut waiting = self.lock();
        let count = waiting.len().min(BATCH_MAX);
        let batch = waiting.drain(..count).collect();
        metrics::gauge!(TRACE_SPANS_WAITING).set(waiting.len() as f64);
        batch
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Span>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that sends.
#[derive(Debug)]
pub struct Exporting {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Exporting {
    /// What has ended is sent, where somebody takes it; what is not taken is given up.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

/// From now on spans are made, and sent.
///
/// # Errors
/// The settings are not to be used; or it was started before.
pub fn start(settings: &Settings) -> Result<Exporting, NoTraces> {
    let url = Url::parse(&settings.endpoint)?;
    let outbound = Outbound::new(None, url.is_secure(), WITHIN)?;
    let headers = headers(&settings.headers_file)?;
    let sampled = (u128::from(settings.sample_ratio) * u128::from(u64::MAX) / 1_000_000) as u64;
    let traces = Traces { queue: Queue::default(), sampled, parents: AtomicU64::new(0), turns: Turns::default() };
    TRACES.set(traces).map_err(|_| NoTraces::Twice)?;
    let (stop, stopped) = watch::channel(false);
    let exporter = Exporter { outbound, url, headers, resource: resource(), stopped };
    Ok(Exporting { stop, task: tokio::spawn(exporter.run()) })
}

struct Exporter {
    outbound: Outbound,
    url: Url,
    headers: HeaderMap,
    resource: Resource,
    stopped: watch::Receiver<bool>,
}

impl Exporter {
    async fn run(mut self) {
        let Some(traces) = TRACES.get() else { return };
        loop {
            let stops = self.waits(GATHER).await;
            let mut given_up = false;
            loop {
                let batch = traces.queue.take();
                if batch.is_empty() {
                    break;
                }
                let count = batch.len() as u64;
                let outcome = if given_up { FAILED } else { self.deliver(batch).await };
                given_up |= outcome == FAILED;
                metrics::counter!(TRACE_SPANS_TOTAL, "outcome" => outcome).increment(count);
            }
            if stops || given_up {
                return;
            }
        }
    }

    /// Whether it is to stop.
    async fn waits(&mut self, most: Duration) -> bool {
        // The pace of sending: a span that ends tells nobody.
        tokio::time::timeout(most, self.stopped.wait_for(|stopped| *stopped)).await.is_ok()
    }

    /// Until it is taken, or never will be: the outcome's word.
    async fn deliver(&mut self, spans: Vec<Span>) -> &'static str {
        let scope = InstrumentationScope { name: "offhook".to_owned(), ..InstrumentationScope::default() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
        let resource_spans =
            ResourceSpans { resource: Some(self.resource.clone()), scope_spans, ..ResourceSpans::default() };
        let body: Bytes = ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec().into();
        let mut pause = PAUSE_MIN;
        loop {
            let posted =
                self.outbound.post(&self.url, self.headers.clone(), Full::new(body.clone()), ANSWER_BYTES_MAX).await;
            match posted {
                Ok((status, _)) if status.is_success() => return "sent",
                Ok((status, _)) if !may_pass(status) => {
                    tracing::warn!(%status, "the collector of traces refuses spans");
                    return "refused";
                }
                Ok((status, _)) => tracing::warn!(%status, "the collector of traces takes nothing now"),
                Err(error @ (NotFetched::Unreachable(_) | NotFetched::Late | NotFetched::NotAllowed(_))) => {
                    tracing::warn!(%error, "the collector of traces was not reached");
                }
                Err(NotFetched::TooLarge(_)) => return "sent",
            }
            // At the end it is tried once more, and given up.
            if *self.stopped.borrow() {
                return FAILED;
            }
            self.waits(pause).await;
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }
}

/// Those that OTLP says to come again after.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn resource() -> Resource {
    let mut instance = [0; 16];
    let _ = getrandom::fill(&mut instance);
    let instance = format!("{:032x}", u128::from_be_bytes(instance));
    let text = |key: &str, value: &str| {
        let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
        KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
    };
    let attributes = vec![
        text("service.name", "offhook"),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", &instance),
    ];
    Resource { attributes, ..Resource::default() }
}

/// In a file, since they hold what opens the collector.
fn headers(path: &Path) -> Result<HeaderMap, NoTraces> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    if path.as_os_str().is_empty() {
        return Ok(headers);
    }
    let unreadable = |why| NoTraces::Unreadable { path: path.to_owned(), why };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    std::io::Read::read_to_string(&mut std::io::Read::take(file, HEADERS_FILE_BYTES_MAX), &mut text)
        .map_err(unreadable)?;
    for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (name, value) =
            header_of(line).ok_or_else(|| NoTraces::BadLine { path: path.to_owned(), line: place + 1 })?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn header_of(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_holds_so_many_spans_and_gives_them_in_batches() {
        let queue = Queue::default();
        (0..WAITING_MAX + 100).for_each(|_| queue.push(Span::default()));
        assert_eq!(queue.lock().len(), WAITING_MAX);
        assert_eq!((queue.take().len(), queue.lock().len()), (BATCH_MAX, WAITING_MAX - BATCH_MAX));
    }

    #[test]
    fn headers_are_lines_and_a_bad_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("headers");
        std::fs::write(&path, "Authorization: Bearer abc:d\n\nX-Scope: acme\n").unwrap();
        let read = headers(&path).unwrap();
        assert_eq!(
            (&read["authorization"], &read["x-scope"]),
            (&"Bearer abc:d".parse::<HeaderValue>().unwrap(), &"acme".parse().unwrap())
        );
        assert!(!format!("{read:?}").contains("abc"), "not to be seen where they are printed");
        std::fs::write(&path, "X-Scope: acme\nnothing\n").unwrap();
        let bad = headers(&path).unwrap_err().to_string();
        assert!(bad.contains("line 2") && !bad.contains("nothing"), "{bad}");
    }
}
