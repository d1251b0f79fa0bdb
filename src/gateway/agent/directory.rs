//! Names of colleagues and queues, for whoever works here: whom and what a conversation may be given to. Of agents no more is told than whether
//! they could take it now; how much they have is the supervisors' to see.

use crate::desk::ids::{CommandId, QueueId};
use crate::desk::settings::QueueSettings;
use crate::engine::{AgentRow, Workspace};
use crate::presence::session::Session;
use crate::wire::agent::{ColleagueShape, Done, QueueNameShape, Reply, Rows, ServerFrame, Watched, render};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// One page, in the order of names, as the whole reply.
pub(super) fn page(
    workspace: &Workspace,
    session: &Session,
    id: CommandId,
    what: Watched,
    after: Option<&str>,
    limit: usize,
) -> Utf8Bytes {
    let position = workspace.position().0;
    let reply =
        |rows, cursor| render(&ServerFrame::Reply(Reply::done(id, Some(position), Done::Page { rows, cursor })));
    match what {
        Watched::Agents => {
            let rows = workspace.agent_rows(after, limit + 1);
            // Who may not work here any more is passed over, so that a page may be a short one.
            let shapes: Vec<_> = rows.iter().take(limit).filter(|row| row.active).map(colleague).collect();
            let last = (rows.len() > limit).then(|| &*rows[limit - 1].name);
            reply(Rows::Colleagues(&shapes), last)
        }
        Watched::Queues => {
            let published = workspace.published();
            let profile = workspace.profile(&session.name);
            let may_pick = |queue: &QueueId, settings: &QueueSettings| {
                let own = || profile.as_ref().is_some_and(|profile| profile.queues.contains(queue));
                session.is_supervisor() || (settings.moves.pick && own())
            };
            let behind = published.queues.iter().filter(|(name, _)| after.is_none_or(|after| ***name > *after));
            let rows: Vec<_> = behind.take(limit + 1).collect();
            let name = rows.iter().take(limit).map(|(name, (queue, settings))| QueueNameShape {
                queue: name,
                title: if settings.title.is_empty() { name } else { &settings.title },
                picking: may_pick(queue, settings),
            });
            let shapes: Vec<_> = name.collect();
            let last = (rows.len() > limit).then(|| &**rows[limit - 1].0);
            reply(Rows::QueueNames(&shapes), last)
        }
    }
}

fn colleague(row: &AgentRow) -> ColleagueShape<'_> {
    ColleagueShape {
        agent: &row.name,
        title: &row.title,
        program: row.program,
        connection: row.connection,
        status: &row.status,
        available: row.available,
    }
}
