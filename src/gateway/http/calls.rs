//! Calls, each with what is said of it: a router and its part of the API's document (gateway/spec/) are built from one table, so that no
//! route is without a description, and no description without its route.

use crate::desk::settings::Role;
use crate::wire::error::Code;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

/// Calls that belong together, and the problems with which any of them may be answered.
#[derive(Debug, PartialEq)]
pub struct Group {
    pub name: &'static str,
    pub says: &'static str,
    pub codes: &'static [Code],
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Everybody,
    /// An API key with this scope, or an agent's token of at least this role.
    Admin {
        scope: &'static str,
        role: Role,
    },
    Agent,
    Customer,
    /// Or somebody who is to become one.
    Visitor,
    /// A customer, or whoever has a ticket for this one stream.
    Follower,
    /// A browser that is signed in.
    Browser,
    /// The workspace's OpenID provider, by a token in the body.
    Provider,
}

/// Writes down a type's schema, with those it needs beside it.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A member of the query, or a header.
#[derive(Debug)]
pub struct Member {
    pub name: &'static str,
    pub says: &'static str,
    pub required: bool,
    pub schema: Value,
}

/// What is sent or answered: JSON of a type, or something else of this kind.
#[derive(Debug)]
pub enum Content {
    Json {
        schema: SchemaOf,
        example: Option<Value>,
    },
    Other {
        kind: &'static str,
        schema: Value,
    },
    /// JSON of another name.
    As {
        kind: &'static str,
        schema: SchemaOf,
    },
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub says: &'static str,
    pub content: Vec<Content>,
    pub headers: Vec<Member>,
}

/// An event of a stream, which goes on while its call is open.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    pub event: &'static str,
    pub says: &'static str,
    pub data: SchemaOf,
}

impl Stream {
    /// `T`: its `data`.
    #[must_use]
    pub fn of<T: JsonSchema>(event: &'static str, says: &'static str) -> Self {
        Self { event, says, data: schema_of::<T> }
    }
}

/// What is said of a call; its method and path are the route's.
#[derive(Debug)]
pub struct Call {
    pub id: &'static str,
    pub summary: &'static str,
    pub says: &'static str,
    pub who: Who,
    pub query: Vec<Member>,
    pub headers: Vec<Member>,
    pub body: Option<(Content, bool)>,
    pub answers: Vec<Answer>,
    /// Where it answers with a stream.
    pub events: Vec<Stream>,
    /// Problems besides those of its group.
    pub codes: Vec<Code>,
}

/// `id` is the name by which programs know it.
#[must_use]
pub fn call(id: &'static str, who: Who, summary: &'static str) -> Call {
    let (query, headers, answers) = (Vec::new(), Vec::new(), Vec::new());
    Call { id, summary, says: "", who, query, headers, body: None, answers, events: Vec::new(), codes: Vec::new() }
}

impl Call {
    #[must_use]
    pub fn says(mut self, says: &'static str) -> Self {
        self.says = says;
        self
    }

    #[must_use]
    pub fn query(mut self, name: &'static str, schema: Value, says: &'static str) -> Self {
        self.query.push(Member { name, says, required: false, schema });
        self
    }

    #[must_use]
    pub fn needs_query(mut self, name: &'static str, schema: Value, says: &'static str) -> Self {
        self.query.push(Member { name, says, required: true, schema });
        self
    }

    /// It comes in pages, by `limit` and the `cursor` that the page before has as `next`.
    #[must_use]
    pub fn pages(self, cursor: Value) -> Self {
        self.limited().query("cursor", cursor, "`next` of the page before").may(&[Code::BadField, Code::BadCursor])
    }

    #[must_use]
    pub fn limited(self) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50});
        self.query("limit", limit, "How many, at most")
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, schema: Value, says: &'static str) -> Self {
        self.headers.push(Member { name, says, required: false, schema });
        self
    }

    #[must_use]
    pub fn needs_header(mut self, name: &'static str, schema: Value, says: &'static str) -> Self {
        self.headers.push(Member { name, says, required: true, schema });
        self
    }

    /// A write, which is done once however often it is sent.
    #[must_use]
    pub fn once(self) -> Self {
        self.again().may(&[Code::IdReused])
    }

    /// A write that does the same however often it is sent: its id is asked for as of every write, and not remembered.
    #[must_use]
    pub fn again(self) -> Self {
        let id = json!({"type": "string", "pattern": "^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"});
        self.needs_header(
            "Idempotency-Key",
            id,
            "128 random bits, chosen by the client: the same call again has the same",
        )
        .may(&[Code::MissingId])
    }

    /// It is done only while what it changes is as its sender knows it.
    #[must_use]
    pub fn only_if(self) -> Self {
        let tag = json!({"type": "string", "examples": ["\"5e8f0c3a1b2d4f6071829304\""]});
        let says = "Only if it is still what was answered under this `ETag`; `*`: only if it is there";
        self.header("If-Match", tag, says).may(&[Code::ChangedMeanwhile])
    }

    /// The same, of what it may make, too.
    #[must_use]
    pub fn only_if_or_new(self) -> Self {
        let any = json!({"type": "string", "enum": ["*"]});
        self.only_if().header("If-None-Match", any, "Only if it is not there")
    }

    /// JSON of this type.
    #[must_use]
    pub fn takes<T: JsonSchema>(mut self, example: Value) -> Self {
        self.body = Some((Content::Json { schema: schema_of::<T>, example: Some(example) }, true));
        self
    }

    /// JSON of a shape that is read by hand.
    #[must_use]
    pub fn takes_as(mut self, schema: SchemaOf, example: Value) -> Self {
        self.body = Some((Content::Json { schema, example: Some(example) }, true));
        self
    }

    /// Nothing, or an empty object.
    #[must_use]
    pub fn takes_nothing(mut self) -> Self {
        let schema = json!({"type": "object", "additionalProperties": false});
        self.body = Some((Content::Other { kind: "application/json", schema }, false));
        self
    }

    #[must_use]
    pub fn takes_other(mut self, kind: &'static str, schema: Value) -> Self {
        self.body = Some((Content::Other { kind, schema }, true));
        self
    }

    /// JSON of this type, under this status.
    #[must_use]
    pub fn gives<T: JsonSchema>(mut self, status: u16, says: &'static str, example: Option<Value>) -> Self {
        let content = vec![Content::Json { schema: schema_of::<T>, example }];
        self.answers.push(Answer { status, says, content, headers: Vec::new() });
        self
    }

    /// JSON of this type under a name of its own.
    #[must_use]
    pub fn gives_as<T: JsonSchema>(mut self, status: u16, kind: &'static str, says: &'static str) -> Self {
        let content = vec![Content::As { kind, schema: schema_of::<T> }];
        self.answers.push(Answer { status, says, content, headers: Vec::new() });
        self
    }

    #[must_use]
    pub fn gives_other(mut self, status: u16, kind: &'static str, says: &'static str) -> Self {
        let content = vec![Content::Other { kind, schema: json!({"type": "string"}) }];
        self.answers.push(Answer { status, says, content, headers: Vec::new() });
        self
    }

    /// The last answer may be of this kind too.
    #[must_use]
    pub fn or_as(mut self, kind: &'static str) -> Self {
        let answer = self.answers.last_mut().expect("an answer of another kind");
        answer.content.push(Content::Other { kind, schema: json!({"type": "string"}) });
        self
    }

    /// A stream of events, for as long as it is read.
    #[must_use]
    pub fn streams(self, events: &[Stream]) -> Self {
        let mut call = self.gives_other(200, "text/event-stream", "Events, as they come");
        call.events = events.to_vec();
        call
    }

    /// The last answer may be such a stream too.
    #[must_use]
    pub fn or_streams(self, events: &[Stream]) -> Self {
        let mut call = self.or_as("text/event-stream");
        call.events = events.to_vec();
        call
    }

    #[must_use]
    pub fn gives_nothing(mut self, status: u16, says: &'static str) -> Self {
        self.answers.push(Answer { status, says, content: Vec::new(), headers: Vec::new() });
        self
    }

    /// The last answer has this header.
    #[must_use]
    pub fn with(mut self, name: &'static str, schema: Value, says: &'static str) -> Self {
        let answer = self.answers.last_mut().expect("an answer to put it on");
        answer.headers.push(Member { name, says, required: true, schema });
        self
    }

    /// The last answer has an `ETag`.
    #[must_use]
    pub fn tells_tag(self) -> Self {
        self.with("ETag", json!({"type": "string"}), "Changes with what is answered")
    }

    /// The last answer has an `ETag`; and who sends it back in `If-None-Match` is told only that it is the same.
    #[must_use]
    pub fn tagged(self) -> Self {
        self.tells_tag()
            .header("If-None-Match", json!({"type": "string"}), "An `ETag` that is known")
            .gives_nothing(304, "It is still what this `ETag` was given for")
    }

    #[must_use]
    pub fn may(mut self, codes: &[Code]) -> Self {
        self.codes.extend_from_slice(codes);
        self
    }
}

/// A call where it is routed.
#[derive(Debug)]
pub struct Routed {
    pub group: &'static Group,
    pub method: Method,
    pub path: String,
    pub call: Call,
}

/// A table of calls of one group.
pub struct Calls<S> {
    group: &'static Group,
    /// Before each path.
    at: &'static str,
    routes: Vec<(Routed, MethodRouter<S>)>,
    /// The same calls under another spelling of their path.
    also: Vec<(String, MethodRouter<S>)>,
}

impl<S: Clone + Send + Sync + 'static> Calls<S> {
    #[must_use]
    pub fn of(group: &'static Group, at: &'static str) -> Self {
        Self { group, at, routes: Vec::new(), also: Vec::new() }
    }

    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H, call: Call) -> Self {
        self.route(Method::GET, on(MethodFilter::GET, handler), path, call)
    }

    #[must_use]
    pub fn put<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H, call: Call) -> Self {
        self.route(Method::PUT, on(MethodFilter::PUT, handler), path, call)
    }

    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H, call: Call) -> Self {
        self.route(Method::POST, on(MethodFilter::POST, handler), path, call)
    }

    #[must_use]
    pub fn delete<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H, call: Call) -> Self {
        self.route(Method::DELETE, on(MethodFilter::DELETE, handler), path, call)
    }

    fn route(mut self, method: Method, does: MethodRouter<S>, path: &str, call: Call) -> Self {
        let path = format!("{}{path}", self.at);
        self.routes.push((Routed { group: self.group, method, path, call }, does));
        self
    }

    /// The last call is there under this path too.
    #[must_use]
    pub fn also(mut self, path: &str) -> Self {
        let (_, does) = self.routes.last().expect("a call before it");
        self.also.push((format!("{}{path}", self.at), does.clone()));
        self
    }

    /// The routes, without layers.
    pub fn router(self) -> Router<S> {
        let routes = self.routes.into_iter().map(|(routed, does)| (routed.path, does));
        routes.chain(self.also).fold(Router::new(), |router, (path, does)| router.route(&path, does))
    }

    #[must_use]
    pub fn described(self) -> Vec<Routed> {
        self.routes.into_iter().map(|(routed, _)| routed).collect()
    }
}
