//! Conversations by what they are: newest first, in pages, over the index that leaves the least to look at.

use super::failed::{OrFailed, ViewFailed};
use super::keys::{WorkspaceNumber, id_of};
use super::load::conversation_of;
use super::{entities, history::PAGE_ROWS_MAX, imported, labels};
use crate::desk::conversation::Conversation;
use crate::desk::ids::{AgentId, ConversationId, CustomerId, QueueId};
use crate::desk::time::WallTime;
use rusqlite::{Connection, OptionalExtension, ToSql};
use std::sync::Arc;

/// Rows that one page looks at. A page may so hold fewer rows than it could, even none, and still have a next one.
const ROWS_LOOKED_AT_MAX: usize = 50_000;

/// All that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// As in `State::name`; a name that is none finds nothing.
    pub state: Option<Arc<str>>,
    /// The last owner.
    pub agent: Option<AgentId>,
    pub queue: Option<QueueId>,
    pub customer: Option<CustomerId>,
    pub disposition: Option<Arc<str>>,
    pub tag: Option<Arc<str>>,
    /// As it was rated last.
    pub score: Option<u8>,
    /// Opened at this Unix millisecond or later.
    pub from_ms: Option<u64>,
    /// Opened before this one.
    pub to_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ConversationRow {
    pub id: ConversationId,
    pub conversation: Conversation,
    /// Who owns it, or did last.
    pub owner: Option<AgentId>,
    pub closed_at: Option<WallTime>,
}

/// Newest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hits {
    pub rows: Vec<ConversationRow>,
    /// The `cursor` of the next page; `None` on the last.
    pub next: Option<ConversationId>,
}

pub(super) fn search(
    connection: &Connection,
    workspace: WorkspaceNumber,
    filter: &Filter,
    cursor: Option<ConversationId>,
    limit: usize,
) -> Result<Hits, ViewFailed> {
    let doing = "searching conversations";
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let (mut first, mut end) = workspace.span();
    if let Some(cursor) = cursor
        && let Ok(before) = workspace.conversation(cursor)
    {
        end = before;
    }
    let opened = Opened::of(connection, workspace, filter)?;
    if let Some(opened) = &opened {
        (first, end) = (first.max(opened.span.0), end.min(opened.span.1));
    }
    let state = match &filter.state {
        None => None,
        Some(name) => match entities::state_number(name) {
            Some(state) => Some(state),
            None => return Ok(Hits::default()),
        },
    };
    let open = state.is_some() && filter.state.as_deref() != Some("closed");
    let agent = filter.agent.map(|agent| workspace.agent(agent));
    let queue = filter.queue.map(|queue| workspace.queue(queue));
    let customer = filter.customer.map(|customer| workspace.customer(customer));
    let words: [Option<String>; 3] = [
        filter.disposition.as_deref().map(labels::disposition),
        filter.tag.as_deref().map(labels::tag),
        filter.score.map(labels::score),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    let (index, lead, bound): (&str, &str, Option<i64>) = match (customer, agent, queue) {
        // The labels' own table leads, in the order of time too.
        (None, ..) if !words.is_empty() => ("", "1", None),
        (Some(customer), ..) => ("INDEXED BY conversation_customer", "customer = ?3", Some(customer)),
        _ if open => ("INDEXED BY conversation_open", "closed_at IS NULL", None),
        (_, Some(agent), _) => ("INDEXED BY conversation_agent", "agent = ?3", Some(agent)),
        (.., Some(queue)) => ("INDEXED BY conversation_queue", "queue = ?3", Some(queue)),
        _ => ("NOT INDEXED", "1", None),
    };
    let mut bounds: Vec<&dyn ToSql> = vec![&first, &end];
    bounds.extend(bound.as_ref().map(|bound| bound as &dyn ToSql));
    let (mut from, mut labelled) = (format!("conversation c {index}"), String::new());
    for (place, word) in words.iter().enumerate() {
        bounds.push(word);
        let parameter = bounds.len();
        if place == 0 && customer.is_none() {
            from = "label l CROSS JOIN conversation c ON c.key = l.conversation".into();
            labelled += &format!(" AND l.word = ?{parameter} AND l.conversation >= ?1 AND l.conversation < ?2");
        } else {
            labelled +=
                &format!(" AND EXISTS (SELECT 1 FROM label WHERE word = ?{parameter} AND conversation = c.key)");
        }
    }
    let sql = format!(
        "SELECT c.key, state, queue, agent, closed_at, coalesce(o.body, c.body), i.opened_at FROM {from} \
         LEFT JOIN open_conversation o ON o.key = c.key LEFT JOIN imported i ON i.conversation = c.key \
         WHERE {lead}{labelled} AND c.key >= ?1 AND c.key < ?2 ORDER BY c.key DESC"
    );
    let mut select = connection.prepare_cached(&sql).or_failed(doing)?;
    let mut found = select.query(bounds.as_slice()).or_failed(doing)?;
    let mut hits = Hits::default();
    let (mut looked_at, mut last) = (0, None);
    while let Some(row) = found.next().or_failed(doing)? {
        if hits.rows.len() == limit || looked_at == ROWS_LOOKED_AT_MAX {
            hits.next = last;
            break;
        }
        looked_at += 1;
        let key: i64 = row.get(0).or_failed(doing)?;
        let id = ConversationId(id_of(key));
        last = Some(id);
        let owner: Option<i64> = row.get(3).or_failed(doing)?;
        let fits = state.is_none_or(|state| row.get(1) == Ok(state))
            && queue.is_none_or(|queue| row.get(2) == Ok(queue))
            && agent.is_none_or(|agent| owner == Some(agent))
            && match &opened {
                Some(opened) => opened.has(key, row.get(6).or_failed(doing)?),
                None => true,
            };
        if !fits {
            continue;
        }
        let body = row.get_ref(5).or_failed(doing)?.as_blob().unwrap_or_default();
        let Some(conversation) = conversation_of(key, body) else { continue };
        // The column is half of it: nobody is shown what is another's because of a hash.
        if filter.customer.is_some_and(|customer| customer != conversation.customer) {
            continue;
        }
        hits.rows.push(ConversationRow {
            id,
            conversation,
            owner: owner.map(|owner| AgentId(owner as u32)),
            closed_at: row.get::<_, Option<i64>>(4).or_failed(doing)?.map(|at| WallTime(at as u64)),
        });
    }
    Ok(hits)
}

/// Those that were opened in a span of time. Ids are given in the order of time, so of what began here that is a span of ids; what was had
/// elsewhere has ids that tell when it came here, and is looked at one by one.
struct Opened {
    here: (i64, i64),
    elsewhere: (i64, i64),
    /// Both, and what is between them.
    span: (i64, i64),
}

impl Opened {
    /// `None`: whenever.
    fn of(connection: &Connection, workspace: WorkspaceNumber, filter: &Filter) -> Result<Option<Self>, ViewFailed> {
        if filter.from_ms.is_none() && filter.to_ms.is_none() {
            return Ok(None);
        }
        let mut here = workspace.span();
        if let Some(to_ms) = filter.to_ms {
            here.1 = first_opened_at(connection, workspace, to_ms)?;
        }
        if let Some(from_ms) = filter.from_ms {
            here.0 = first_opened_at(connection, workspace, from_ms)?;
        }
        let most = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        let elsewhere = (filter.from_ms.map_or(0, most), filter.to_ms.map_or(i64::MAX, most));
        let span = match imported::span_opened(connection, workspace, elsewhere.0, elsewhere.1)? {
            Some((first, end)) if here.0 < here.1 => (here.0.min(first), here.1.max(end)),
            Some(span) => span,
            None => here,
        };
        Ok(Some(Self { here, elsewhere, span }))
    }

    fn has(&self, key: i64, opened_elsewhere_at: Option<i64>) -> bool {
        match opened_elsewhere_at {
            Some(at) => (self.elsewhere.0..self.elsewhere.1).contains(&at),
            None => (self.here.0..self.here.1).contains(&key),
        }
    }
}

/// The first key from which on conversations were opened at `ms` or later; ids in between may be gone.
fn first_opened_at(connection: &Connection, workspace: WorkspaceNumber, ms: u64) -> Result<i64, ViewFailed> {
    let doing = "finding a time among conversations";
    let (mut low, end) = workspace.span();
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(key) FROM conversation WHERE key >= ?1 AND key < ?2")
        .and_then(|mut select| select.query_row([low, end], |row| row.get(0)))
        .or_failed(doing)?;
    let Some(last) = last else { return Ok(low) };
    let mut high = last + 1;
    let mut select = connection
        .prepare_cached("SELECT key, opened_at FROM conversation WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 1")
        .or_failed(doing)?;
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, i64)> =
            select.query_row([middle, end], |row| Ok((row.get(0)?, row.get(1)?))).optional().or_failed(doing)?;
        match found {
            Some((key, opened_at)) if opened_at < ms => low = key + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}
