//! A report's rows with names for ids, as JSON or CSV. Written down row by row as they are read, since a page has thousands of numbers.

use super::reports::Span;
use crate::desk::ids::{AgentId, QueueId};
use crate::desk::settings::ChannelId;
use crate::gateway::http::desks::{Course, Desk, ReportFound, ReportGroup, ReportWanted, Sums, measures};
use crate::wire::reports::columns::{Counts, Derived, OF_CONVERSATIONS, OF_TIME, Value};
use crate::wire::reports::csv;
use crate::wire::reports::intervals::spelled;
use measures::Measure;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Table {
    Conversations,
    Agents,
}

pub(super) struct Report<'a> {
    desk: &'a dyn Desk,
    table: Table,
    span: &'a Span,
    wanted: &'a ReportWanted,
    found: &'a ReportFound,
    columns: Vec<Column>,
}

enum Column {
    Counted(Measure),
    Derived(&'static Derived),
    /// Of agents: time in the status of this name.
    Status(String, Measure),
}

/// As JSON.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    from: u64,
    to: u64,
    interval: &'static str,
    time_zone: &'a str,
    position: u64,
    as_of: u64,
    /// Null: from the first record on.
    complete_since: Option<u64>,
    rows: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Row<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

struct Row<'a> {
    /// Absent of totals.
    interval: Option<(u64, u64)>,
    names: Vec<(&'static str, String)>,
    columns: &'a [Column],
    table: Table,
    sums: &'a Sums,
}

impl<'a> Report<'a> {
    pub fn new(
        desk: &'a dyn Desk,
        table: Table,
        span: &'a Span,
        wanted: &'a ReportWanted,
        found: &'a ReportFound,
    ) -> Self {
        // By agent, there is only what belongs to one.
        let of_agents = wanted.by_agent || wanted.agent.is_some();
        let derived = match table {
            Table::Conversations => OF_CONVERSATIONS,
            Table::Agents => OF_TIME,
        };
        let counted = table.measures().iter().filter(|measure| measure.of_agents || !of_agents);
        let mut columns: Vec<Column> = counted.copied().map(Column::Counted).collect();
        columns.extend(derived.iter().filter(|derived| derived.of_agents || !of_agents).map(Column::Derived));
        if table == Table::Agents {
            let published = desk.published();
            let statuses = (0u8..).zip(&published.settings.statuses);
            columns
                .extend(statuses.map(|(place, set)| Column::Status(set.name.to_string(), measures::status_ms(place))));
        }
        Self { desk, table, span, wanted, found, columns }
    }

    /// Where the next page begins.
    pub fn next(&self) -> Option<String> {
        let intervals = self.intervals();
        (intervals + 1 < self.span.bounds.len()).then(|| self.span.bounds[intervals].to_string())
    }

    pub fn json(&self) -> Page<'_> {
        let Span { from, to, every, zone_name, .. } = self.span;
        let (interval, names) = (None, Vec::new());
        let totals = Row { interval, names, columns: &self.columns, table: self.table, sums: &self.found.totals };
        Page {
            from: *from,
            to: *to,
            interval: every.name(),
            time_zone: zone_name,
            position: self.found.position,
            as_of: self.found.as_of_ms,
            complete_since: Some(self.found.since_ms).filter(|since| *since > 0),
            rows: self.rows(),
            totals: self.span.is_first().then_some(totals),
            next: self.next(),
        }
    }

    pub fn csv(&self) -> String {
        let mut rows = csv::Rows::default();
        let groups = self.names(ReportGroup { interval: 0, agent: None, queue: None, channel: None });
        let mut head: Vec<String> = vec!["from".into(), "to".into()];
        head.extend(groups.into_iter().map(|(name, _)| name.to_owned()));
        head.extend(self.columns.iter().map(|column| match column {
            Column::Counted(measure) => measure.name.to_owned(),
            Column::Derived(derived) => derived.name.to_owned(),
            Column::Status(name, _) => format!("status_ms.{name}"),
        }));
        rows.add(&head);
        for row in self.rows() {
            let (from, to) = row.interval.unwrap_or_default();
            let mut fields = vec![spelled(from, &self.span.zone), spelled(to, &self.span.zone)];
            fields.extend(row.names.iter().map(|(_, name)| csv::name(name)));
            let named = Named::of(row.sums, self.table);
            fields.extend(self.columns.iter().map(|column| column.value(row.sums, &named).to_string()));
            rows.add(&fields);
        }
        rows.text()
    }

    /// How many intervals are on this page.
    fn intervals(&self) -> usize {
        let all = self.span.bounds.len().saturating_sub(1);
        if self.is_grouped() { self.found.next.unwrap_or(all) } else { self.wanted.rows_max.min(all) }
    }

    fn is_grouped(&self) -> bool {
        let ReportWanted { by_agent, by_queue, by_channel, .. } = *self.wanted;
        by_agent || by_queue || by_channel
    }

    /// Those in which something was counted; and where nothing groups them, every interval.
    fn rows(&self) -> Vec<Row<'_>> {
        const NOTHING: &Sums = &Sums::EMPTY;
        let bound = |place: usize| self.span.bounds.get(place).copied().unwrap_or(self.span.to);
        let row = |group: ReportGroup, sums| Row {
            interval: Some((bound(group.interval), bound(group.interval + 1))),
            names: self.names(group),
            columns: &self.columns,
            table: self.table,
            sums,
        };
        if self.is_grouped() {
            let counted = self.found.rows.iter().filter(|(_, sums)| !sums.is_empty());
            return counted.map(|(group, sums)| row(*group, sums)).collect();
        }
        let of = |interval| ReportGroup { interval, agent: None, queue: None, channel: None };
        (0..self.intervals()).map(of).map(|group| row(group, self.found.rows.get(&group).unwrap_or(NOTHING))).collect()
    }

    /// The group's columns: agent, queue, channel, as far as it is grouped by them.
    fn names(&self, group: ReportGroup) -> Vec<(&'static str, String)> {
        let mut names = Vec::new();
        if self.wanted.by_agent {
            let id = group.agent.unwrap_or(AgentId(0));
            names.push(("agent", self.desk.agent_named(id).map_or_else(|| id.to_string(), |row| row.name.to_string())));
        }
        if !self.wanted.by_queue && !self.wanted.by_channel {
            return names;
        }
        let published = self.desk.published();
        if self.wanted.by_queue {
            let id = group.queue.unwrap_or(QueueId(0));
            names.push(("queue", published.queue_names.get(&id).map_or_else(|| id.to_string(), ToString::to_string)));
        }
        if self.wanted.by_channel {
            let ChannelId(place) = group.channel.unwrap_or_default();
            let channel = published.settings.channels.get(usize::from(place));
            names.push(("channel", channel.map_or_else(|| place.to_string(), |channel| channel.name.to_string())));
        }
        names
    }
}

impl Table {
    fn measures(self) -> &'static [Measure] {
        match self {
            Table::Conversations => measures::CONVERSATIONS,
            Table::Agents => measures::TIME,
        }
    }
}

impl Column {
    fn value(&self, sums: &Sums, named: &Named<'_>) -> Value {
        match self {
            Column::Counted(measure) | Column::Status(_, measure) => Value::Whole(sums.get(*measure)),
            Column::Derived(derived) => derived.value(named),
        }
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = Named::of(self.sums, self.table);
        let mut map = serializer.serialize_map(None)?;
        if let Some((from, to)) = self.interval {
            map.serialize_entry("from", &from)?;
            map.serialize_entry("to", &to)?;
        }
        for (name, value) in &self.names {
            map.serialize_entry(name, value)?;
        }
        let mut statuses = BTreeMap::new();
        for column in self.columns {
            let value = column.value(self.sums, &named);
            match column {
                Column::Counted(measure) => map.serialize_entry(measure.name, &value)?,
                Column::Derived(derived) => map.serialize_entry(derived.name, &value)?,
                Column::Status(name, _) => {
                    statuses.insert(name, value);
                }
            }
        }
        if self.table == Table::Agents {
            map.serialize_entry("status_ms", &statuses)?;
        }
        map.end()
    }
}

/// The counts by their names.
struct Named<'a> {
    sums: &'a Sums,
    counts: HashMap<&'static str, i64>,
}

impl<'a> Named<'a> {
    fn of(sums: &'a Sums, table: Table) -> Self {
        let counts = table.measures().iter().map(|measure| (measure.name, sums.get(*measure)));
        Self { sums, counts: counts.filter(|(_, value)| *value != 0).collect() }
    }
}

impl Counts for Named<'_> {
    fn count(&self, name: &str) -> i64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    fn percentile(&self, course: &str, percent: u64) -> Option<u64> {
        let course = Course::ALL.into_iter().find(|known| known.name() == course)?;
        self.sums.percentile(course, percent)
    }
}
