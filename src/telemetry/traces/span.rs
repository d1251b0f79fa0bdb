//! A span from its beginning to its end, in the shapes of OpenTelemetry's own protocol.
//!
//! No id of an agent, a customer or a conversation is in one, and no text: names of workspaces, kinds of commands, numbers.

use super::{Context, TRACES};
use crate::clock;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{Span, Status, status::StatusCode};
use std::borrow::Cow;

/// The most links of one span: as many as a turn takes commands.
const LINKS_MAX: usize = 256;

/// Which side of a call a span is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Somebody asked us.
    Server,
    /// We ask somebody.
    Client,
    Internal,
}

/// A span that has not ended. Dropped without an end, it is not told of.
#[derive(Debug)]
pub struct Open {
    context: Context,
    parent: Option<u64>,
    kind: Kind,
    name: Cow<'static, str>,
    began_ns: u64,
    stopwatch: clock::Stopwatch,
    attributes: Vec<KeyValue>,
    links: Vec<Context>,
    failed: bool,
}

impl Open {
    pub(super) fn new(context: Context, parent: Option<u64>, kind: Kind, name: Cow<'static, str>) -> Self {
        let (began_ns, stopwatch) = (clock::wall_ns(), clock::stopwatch());
        Self {
            context,
            parent,
            kind,
            name,
            began_ns,
            stopwatch,
            attributes: Vec::new(),
            links: Vec::new(),
            failed: false,
        }
    }

    /// Of what is done for this one.
    #[must_use]
    pub fn child(parent: Context, name: Cow<'static, str>) -> Self {
        Self::new(parent.child(), Some(parent.span), Kind::Internal, name)
    }

    /// The same, of a call to somebody else.
    #[must_use]
    pub fn call(parent: Context, name: Cow<'static, str>) -> Self {
        Self { kind: Kind::Client, ..Self::child(parent, name) }
    }

    #[must_use]
    pub fn context(&self) -> Context {
        self.context
    }

    /// `name` is a word of ours or of the semantic conventions.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        let Value(value) = value.into();
        let value = Some(AnyValue { value: Some(value) });
        self.attributes.push(KeyValue { key: name.to_owned(), value, ..KeyValue::default() });
    }

    /// Another span has to do with it, of this trace or another.
    pub fn link(&mut self, context: Context) {
        if self.links.len() < LINKS_MAX {
            self.links.push(context);
        }
    }

    /// It did not come to what was asked, by a fault of ours.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// It is over now.
    pub fn end(self) {
        let Some(traces) = TRACES.get() else { return };
        let took_ns = (self.stopwatch.seconds() * 1e9) as u64;
        let kind = match self.kind {
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Internal => SpanKind::Internal,
        };
        let code = if self.failed { StatusCode::Error } else { StatusCode::Unset };
        traces.queue.push(Span {
            trace_id: self.context.trace.to_be_bytes().to_vec(),
            span_id: self.context.span.to_be_bytes().to_vec(),
            parent_span_id: self.parent.map_or_else(Vec::new, |parent| parent.to_be_bytes().to_vec()),
            flags: 1,
            name: self.name.into_owned(),
            kind: kind.into(),
            start_time_unix_nano: self.began_ns,
            end_time_unix_nano: self.began_ns.saturating_add(took_ns),
            attributes: self.attributes,
            links: self.links.into_iter().map(link).collect(),
            status: Some(Status { message: String::new(), code: code.into() }),
            ..Span::default()
        });
    }
}

fn link(context: Context) -> Link {
    let (trace_id, span_id) = (context.trace.to_be_bytes().to_vec(), context.span.to_be_bytes().to_vec());
    Link { trace_id, span_id, flags: 1, ..Link::default() }
}

/// What an attribute may be.
pub struct Value(Any);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(Any::StringValue(text.to_owned()))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self(Any::IntValue(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}
