//! The agents' socket over the real engine: sessions are admitted into the registry and handed to their workspace.

use super::directory;
use super::pages::{messages, not_open, notes, sealed, start_of};
use super::{Desk, NewSession, Refused};
use crate::clock;
use crate::desk::agent::Connection;
use crate::desk::command::{Ask, Command, StartAsk};
use crate::desk::files::{Attachments, FileId};
use crate::desk::ids::{AgentId, CommandId, ConversationId};
use crate::desk::labels::{LabelChange, PlainValue};
use crate::desk::refusal::Refusal;
use crate::engine::attaching::attached;
use crate::engine::deliver_replies::QUOTA_RETRY_MS;
use crate::engine::shapes::TEXT;
use crate::engine::watch::{What, agent_shape, queue_shape};
use crate::engine::{Engine, NotDone, Taking, Workspace};
use crate::gateway::auth::agent_token::TokenError;
use crate::gateway::auth::server_keys::ServerKeys;
use crate::gateway::auth::signin_token::{LiveSignins, mark};
use crate::gateway::auth::visitor_token::ReturnTicket;
use crate::gateway::status::Board;
use crate::health::Component;
use crate::overload::{Rung, memory};
use crate::presence::session::{Session, WorkspaceNumber};
use crate::wire::agent::{
    ComponentShape, Done, HistoryFrom, Reply, Rows, ServerFrame, Sheet, StartFrame, Watched, WatchedPage, render,
};
use crate::wire::close::CloseCode;
use crate::wire::error::WireError;
use crate::wire::labels::FIELD;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How long a return ticket is good.
const TICKET_S: i64 = 86_400;
/// The word of a row for an agent who is not here.
const OFFLINE: &str = Connection::Offline.name();
/// When a session that found no room may come again.
pub(super) const FULL_RETRY_MS: u64 = 2_000;

pub struct AgentDesks {
    engine: Arc<Engine>,
    board: Arc<Board>,
    signins: Arc<dyn LiveSignins>,
    server_keys: Arc<ServerKeys>,
    mailbox_bytes_max: usize,
    frame_bytes_max: usize,
}

impl AgentDesks {
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        board: Arc<Board>,
        signins: Arc<dyn LiveSignins>,
        server_keys: Arc<ServerKeys>,
        mailbox_bytes_max: usize,
        frame_bytes_max: usize,
    ) -> Self {
        Self { engine, board, signins, server_keys, mailbox_bytes_max, frame_bytes_max }
    }

    fn workspace(&self, session: &Session) -> Result<Arc<Workspace>, WireError> {
        self.engine.numbered(session.workspace).ok_or_else(WireError::internal)
    }

    fn ticket(&self, agent: &str, workspace: &str) -> Box<str> {
        let expires_at_s = self.wall_s() + TICKET_S;
        let ticket = ReturnTicket { workspace: workspace.into(), agent: agent.into(), expires_at_s };
        ticket.seal(&self.server_keys).into()
    }
}

impl Desk for AgentDesks {
    fn is_named(&self, workspace: WorkspaceNumber, name: &str) -> bool {
        self.engine.numbered(workspace).is_some_and(|held| **held.name() == *name)
    }

    fn agent_of_ticket(&self, ticket: &str) -> Option<(String, String)> {
        let ticket = ReturnTicket::open(ticket, &self.server_keys, self.wall_s()).ok()?;
        Some((ticket.workspace, ticket.agent))
    }

    fn admit(&self, new: NewSession) -> Result<Arc<Session>, Refused> {
        let NewSession { id, claims, returning: _ } = new;
        let id = self.engine.session_here(id);
        let Some(workspace) = self.engine.workspace(&claims.workspace) else {
            return Err(Refused::plainly(CloseCode::Forbidden));
        };
        if matches!(workspace.taking(), Taking::Nothing { .. }) {
            workspace.not_admitted();
            return Err(Refused::for_now(CloseCode::Unavailable, FULL_RETRY_MS));
        }
        let name: Arc<str> = claims.agent.into();
        // Nobody's grace is cut short by memory: only who was not here before is sent away.
        let was_here = || workspace.agent_row(&name).is_some_and(|row| row.connection != OFFLINE);
        if memory().newcomers_are_shed() && !was_here() {
            let shed = memory().shed(Rung::Newcomers);
            return Err(Refused::for_now(CloseCode::Busy, shed.retry_after_ms));
        }
        workspace.quota().connect(was_here).map_err(|_| over_quota())?;
        let session = Session::new(
            id,
            workspace.number(),
            name.clone(),
            claims.role,
            self.ends_at_s(claims.expires_at_s),
            self.mailbox_bytes_max,
            clock::monotonic_ms(),
        );
        let registry = self.engine.registry();
        session.rest_on(claims.signin.map_or(0, mark));
        let session = registry.admit(session).map_err(|_| {
            workspace.quota().disconnect();
            workspace.not_admitted();
            Refused::for_now(CloseCode::Busy, FULL_RETRY_MS)
        })?;
        // Looked at again now that it is on the roll: whoever ends the sign-in from here on closes this socket too.
        if let Some(signin) = claims.signin
            && self.signins.role_of(signin, workspace.name(), &name) != Some(claims.role)
        {
            registry.remove(&session);
            workspace.quota().disconnect();
            return Err(Refused { code: CloseCode::Unauthorized, reason: TokenError::Revoked.code().into() });
        }
        let title = claims.name.map(Arc::from);
        let came = Command::of_server(Ask::SessionCame { agent: name.clone(), session: id, title });
        let ticket = self.ticket(&name, workspace.name());
        workspace.submit_session(came, &session, ticket).map_err(|not_done| {
            registry.remove(&session);
            workspace.quota().disconnect();
            match not_done {
                NotDone::Busy { retry_after_ms } => Refused::for_now(CloseCode::Busy, retry_after_ms),
                NotDone::Unavailable { retry_after_ms, .. } => Refused::for_now(CloseCode::Unavailable, retry_after_ms),
                NotDone::Quota(_) => over_quota(),
            }
        })?;
        Ok(session)
    }

    fn went(&self, session: &Arc<Session>) {
        memory().places.keep_one();
        self.engine.registry().remove(session);
        let Some(workspace) = self.engine.numbered(session.workspace) else { return };
        workspace.quota().disconnect();
        if session.is_supervisor() {
            workspace.watchers().unwatch(session.id, None);
            workspace.sheets().unwatch(session.id);
        }
        // Without an agent the desk has not let it in yet; delivery finds it gone, and tells.
        if let Some(agent) = session.agent() {
            workspace.tell(Command::of_server(Ask::SessionWent { agent, session: session.id }));
        }
    }

    fn submit(&self, session: &Arc<Session>, command: Command, id: CommandId) -> Result<(), WireError> {
        self.workspace(session)?.submit(command, session, id).map_err(WireError::from)
    }

    fn snapshot(&self, session: &Arc<Session>) -> Result<(), WireError> {
        self.workspace(session)?.want_snapshot(session);
        Ok(())
    }

    fn watch(
        &self,
        session: &Arc<Session>,
        id: CommandId,
        what: Watched,
        page: WatchedPage,
        limit: u32,
    ) -> Result<(), WireError> {
        memory().admit(Rung::Observers)?;
        let workspace = self.workspace(session)?;
        match page {
            WatchedPage::Names { after } => {
                names_page(&workspace, session, id, what, after.as_deref(), limit as usize);
            }
            WatchedPage::Sheet(sheet) => sheet_page(&workspace, session, id, Arc::from(sheet), limit as usize),
        }
        Ok(())
    }

    fn directory(
        &self,
        session: &Arc<Session>,
        id: CommandId,
        what: Watched,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<(), WireError> {
        memory().admit(Rung::History)?;
        let workspace = self.workspace(session)?;
        session.reply(directory::page(&workspace, session, id, what, cursor, limit as usize));
        Ok(())
    }

    fn unwatch(&self, session: &Arc<Session>, what: Watched) {
        if let Ok(workspace) = self.workspace(session) {
            unwatch(&workspace, session, what);
        }
    }

    /// Without the reasons: those are for who runs the server, and it may serve others too.
    fn health(&self, session: &Session, id: CommandId) {
        let history = self.board.history();
        let components = Component::ALL.map(|component| {
            let held = &history.components[component.place()];
            let (state, since) = (held.state.name(), held.since);
            ComponentShape { component: component.name(), title: component.title(), state, since }
        });
        let members = Done::Health { at: history.told_at, components: &components };
        session.reply(render(&ServerFrame::Reply(Reply::done(id, None, members))));
    }

    fn agent_named(&self, session: &Session, name: &str) -> Option<AgentId> {
        self.workspace(session).ok()?.agent_row(name).map(|row| row.id)
    }

    fn history(
        &self,
        session: Arc<Session>,
        id: CommandId,
        conversation: ConversationId,
        from: HistoryFrom,
        limit: u32,
    ) -> impl Future<Output = Utf8Bytes> + Send + 'static {
        let engine = self.engine.clone();
        let bytes_max = self.frame_bytes_max.saturating_sub(1_024);
        async move {
            let page = messages(&engine, &session, id, conversation, from, limit as usize, bytes_max).await;
            page.unwrap_or_else(|error| render(&ServerFrame::Reply(Reply::error(Some(id), None, &error))))
        }
    }

    fn notes(
        &self,
        session: Arc<Session>,
        id: CommandId,
        conversation: ConversationId,
        after: u32,
        limit: u32,
    ) -> impl Future<Output = Utf8Bytes> + Send + 'static {
        let engine = self.engine.clone();
        let bytes_max = self.frame_bytes_max.saturating_sub(1_024);
        async move {
            let page = notes(&engine, &session, id, conversation, after, limit as usize, bytes_max).await;
            page.unwrap_or_else(|error| render(&ServerFrame::Reply(Reply::error(Some(id), None, &error))))
        }
    }

    fn start(
        &self,
        session: Arc<Session>,
        agent: AgentId,
        frame: StartFrame,
    ) -> impl Future<Output = Result<StartAsk, WireError>> + Send + 'static {
        let engine = self.engine.clone();
        async move { start_of(&engine, &session, agent, frame).await }
    }

    fn seal_text(
        &self,
        session: &Arc<Session>,
        conversation: ConversationId,
        text: &str,
    ) -> Result<Arc<str>, WireError> {
        let workspace = self.workspace(session)?;
        let held = workspace.conversation(conversation).ok_or_else(|| not_open(&workspace, conversation))?;
        sealed(&self.engine, held.key, TEXT, text.as_bytes())
    }

    fn attached(
        &self,
        session: Arc<Session>,
        conversation: ConversationId,
        files: Vec<FileId>,
    ) -> impl Future<Output = Result<Attachments, WireError>> + Send + 'static {
        let engine = self.engine.clone();
        async move {
            let workspace = engine.numbered(session.workspace).ok_or_else(WireError::internal)?;
            let held = workspace.conversation(conversation).ok_or_else(|| not_open(&workspace, conversation))?;
            // The desk says more exactly what is not the agent's; that there is a file it is not to be told here.
            if !session.agent().is_some_and(|agent| held.is_talked_in_by(agent)) {
                return Err(Refusal::NotYours(conversation).into());
            }
            attached(engine.files(), engine.keys(), workspace.name(), conversation, held.key, &files).await
        }
    }

    fn seal_labels(
        &self,
        session: &Arc<Session>,
        conversation: ConversationId,
        change: LabelChange<PlainValue>,
    ) -> Result<LabelChange, WireError> {
        let workspace = self.workspace(session)?;
        let held = workspace.conversation(conversation).ok_or_else(|| not_open(&workspace, conversation))?;
        workspace.published().settings.labels.sealed(change, |clear| sealed(&self.engine, held.key, FIELD, clear))
    }

    fn label_rules(&self, session: &Arc<Session>, id: CommandId, queue: &Arc<str>) -> Result<(), WireError> {
        let workspace = self.workspace(session)?;
        let published = workspace.published();
        let (_, of_queue) = published.queues.get(queue).ok_or_else(|| Refusal::NoSuchQueue(queue.clone()))?;
        let rules = &published.settings.labels;
        let members = Done::LabelRules {
            dispositions: of_queue.labels.offered(rules),
            disposition_required: of_queue.labels.requires_disposition(rules),
            tags: rules.tags.as_deref(),
            fields: &rules.fields,
        };
        session.reply(render(&ServerFrame::Reply(Reply::done(id, Some(workspace.position().0), members))));
        Ok(())
    }

    fn fingerprint(&self, body: &[u8]) -> u64 {
        let hash = self.engine.keys().keyed_hash("command", body);
        u64::from_le_bytes(*hash.first_chunk().expect("a hash has sixteen bytes"))
    }
}

/// The workspace has as many connections as it may.
fn over_quota() -> Refused {
    Refused::for_now(CloseCode::Quota, QUOTA_RETRY_MS)
}

/// One page in the order of names, and from then on what changes in it.
fn names_page(
    workspace: &Workspace,
    session: &Arc<Session>,
    id: CommandId,
    what: Watched,
    cursor: Option<&str>,
    limit: usize,
) {
    let position = workspace.position();
    let reply =
        |rows, cursor| render(&ServerFrame::Reply(Reply::done(id, Some(position.0), Done::Page { rows, cursor })));
    let page = match what {
        Watched::Agents => {
            let rows = workspace.agent_rows(cursor, limit + 1);
            let shapes: Vec<_> = rows.iter().take(limit).map(agent_shape).collect();
            let last = (rows.len() > limit).then(|| &*rows[limit - 1].name);
            reply(Rows::Agents(&shapes), last)
        }
        Watched::Queues => {
            let rows = workspace.queue_rows();
            let page = || rows.iter().filter(|row| cursor.is_none_or(|after| *row.queue > *after));
            let shapes: Vec<_> = page().take(limit).map(queue_shape).collect();
            let last = page().nth(limit).and_then(|_| page().nth(limit - 1)).map(|row| &*row.queue);
            reply(Rows::Queues(&shapes), last)
        }
    };
    unwatch(workspace, session, what);
    session.reply(page);
    workspace.watchers().watch(session, what_of(what), cursor.map(Arc::from), limit, position);
}

fn sheet_page(workspace: &Workspace, session: &Arc<Session>, id: CommandId, sheet: Arc<Sheet>, limit: usize) {
    let position = workspace.position();
    let found = workspace.sheet(&sheet, limit);
    let shapes: Vec<_> = found.rows.iter().map(agent_shape).collect();
    let members = Done::Sheet { rows: Rows::Agents(&shapes), matching: found.matching, totals: &found.totals };
    let page = render(&ServerFrame::Reply(Reply::done(id, Some(position.0), members)));
    unwatch(workspace, session, Watched::Agents);
    session.reply(page);
    workspace.sheets().watch(session, sheet, limit, &found);
}

fn unwatch(workspace: &Workspace, session: &Session, what: Watched) {
    workspace.watchers().unwatch(session.id, Some(what_of(what)));
    if what == Watched::Agents {
        workspace.sheets().unwatch(session.id);
    }
}

fn what_of(what: Watched) -> What {
    match what {
        Watched::Queues => What::Queues,
        Watched::Agents => What::Agents,
    }
}
