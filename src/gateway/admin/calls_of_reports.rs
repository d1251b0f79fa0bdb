//! The calls of reports: what may be asked, and the shape of what is answered, column by column.

use super::asker::Scope;
use super::calls::{AT, name, of};
use super::{Shared, reports};
use crate::gateway::http::calls::{Call, Calls};
use crate::gateway::http::desks::measures::{CONVERSATIONS, TIME};
use crate::wire::error::Code;
use crate::wire::reports::columns::{Derived, OF_CONVERSATIONS, OF_TIME};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

pub(super) fn reports(calls: Calls<Shared>) -> Calls<Shared> {
    let at = |rest: &str| format!("{AT}/reports{rest}");
    let conversations = of(
        Scope::Read,
        "report_conversations",
        "How customers were served and what was done, by time, queue, channel and agent",
    )
    .says("Every number and its formula: docs/reports.md.")
    .query("queue", name(), "Of this queue")
    .query("channel", name(), "Of this channel")
    .query(
        "by",
        json!({"type": "string", "pattern": "^(queue|channel|agent)(,(queue|channel|agent))*$"}),
        "A row for each",
    );
    let agents = of(Scope::Read, "report_agents", "How agents' time went")
        .says("Every number and its formula: docs/reports.md.")
        .query("by", json!({"type": "string", "enum": ["agent"]}), "A row for each");
    let codes = [
        Code::BadField,
        Code::BadCursor,
        Code::TooManyRows,
        Code::NoSuchAgent,
        Code::NoSuchQueue,
        Code::NoSuchChannel,
        Code::Behind,
    ];
    calls
        .get(
            &at("/conversations"),
            reports::conversations,
            asked(conversations)
                .gives::<ConversationsReport>(200, "Rows, and what they come to together", None)
                .or_as("text/csv")
                .may(&codes),
        )
        .get(
            &at("/agents"),
            reports::agents,
            asked(agents)
                .gives::<AgentsReport>(200, "Rows, and what they come to together", None)
                .or_as("text/csv")
                .may(&codes),
        )
}

fn asked(call: Call) -> Call {
    let moment = json!({"type": "string", "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,16})$"});
    let interval =
        json!({"type": "string", "enum": ["15m", "hour", "day", "week", "month", "none"], "default": "none"});
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 2000});
    call.query("from", moment.clone(), "A day in the time zone, or Unix ms: a whole quarter of an hour. Absent: today")
        .query("to", moment, "The same, not included. Absent: now")
        .query("interval", interval, "How long a row's time is")
        .query(
            "time_zone",
            json!({"type": "string", "maxLength": 64, "default": "Etc/UTC"}),
            "By a name such as Europe/Berlin",
        )
        .query("agent", name(), "Of this agent")
        .query("format", json!({"type": "string", "enum": ["json", "csv"]}), "Absent: as `Accept` says")
        .query("limit", limit, "Rows, at most: whole intervals")
        .query("cursor", json!({"type": "string", "pattern": "^[0-9]{1,16}$"}), "`next` of the page before")
}

/// A report's page; its rows are written by `report_rows.rs`.
pub(super) struct ConversationsReport;
pub(super) struct AgentsReport;

impl JsonSchema for ConversationsReport {
    fn schema_name() -> Cow<'static, str> {
        "ConversationsReport".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        page(columns(CONVERSATIONS.iter().map(|measure| measure.name), OF_CONVERSATIONS))
    }
}

impl JsonSchema for AgentsReport {
    fn schema_name() -> Cow<'static, str> {
        "AgentsReport".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut columns = columns(TIME.iter().map(|measure| measure.name), OF_TIME);
        let statuses =
            json!({"type": "object", "additionalProperties": {"type": "integer"}, "description": "In each status"});
        columns.insert("status_ms".into(), statuses);
        page(columns)
    }
}

fn columns(counted: impl Iterator<Item = &'static str>, derived: &[Derived]) -> Map<String, Value> {
    let counted = counted.map(|name| (name.to_owned(), json!({"type": "integer"})));
    let derived = derived.iter().map(|derived| (derived.name.to_owned(), json!({"type": ["number", "null"]})));
    counted.chain(derived).collect()
}

fn page(columns: Map<String, Value>) -> Schema {
    let at = json!({"type": "integer", "minimum": 0, "description": "Unix ms"});
    let mut row = columns.clone();
    for (name, schema) in [("from", &at), ("to", &at)] {
        row.insert(name.into(), schema.clone());
    }
    for name in ["agent", "queue", "channel"] {
        row.insert(name.into(), json!({"type": "string"}));
    }
    json_schema!({
        "type": "object",
        "properties": {
            "from": at,
            "to": at,
            "interval": {"type": "string"},
            "time_zone": {"type": "string"},
            "position": {"type": "integer", "minimum": 0, "description": "The journal's record up to which it counts"},
            "as_of": at,
            "complete_since": {"type": ["integer", "null"], "description": "Whole from then on; null: from the first record"},
            "rows": {"type": "array", "items": {"type": "object", "properties": row, "required": ["from", "to"]}},
            "totals": {"type": "object", "properties": columns},
            "next": {"type": "string", "description": "Where the next page begins"},
        },
        "required": ["from", "to", "interval", "time_zone", "position", "as_of", "complete_since", "rows"],
    })
}
