//! The workspace as it is, read and changed over the admin API.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::changes::Change;
use super::declared::object;
use super::merge::Members;
use crate::client::{Answered, Call, Client, Unreached};
use crate::desk::settings::Settings;
use crate::wire::percent::encoded;

/// What was found. A workspace that is not there looks like a new one.
#[derive(Debug)]
pub(in crate::cli) struct Found {
    pub workspace: String,
    pub exists: bool,
    pub settings: Members,
    /// What is set for this workspace alone.
    pub quota: Members,
    pub queues: BTreeMap<String, Members>,
    pub agents: BTreeMap<String, Members>,
    /// What each is set to; empty where the file names none.
    pub webhooks: BTreeMap<String, Members>,
}

impl Found {
    fn absent(workspace: &str) -> Self {
        let settings = object(json!(Settings::default()));
        let (queues, agents, webhooks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let quota = Members::new();
        Self { workspace: workspace.to_owned(), exists: false, settings, quota, queues, agents, webhooks }
    }
}

/// Why the server was not read or changed.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum NotMade {
    #[error(transparent)]
    Unreached(#[from] Unreached),
    #[error("the server refused the API key: {0}")]
    Key(String),
    /// `field` begins where the entry in the file ends: `.offer_ms`, or nothing.
    #[error("{field}: {message} [{code}]")]
    Refused { field: String, code: String, message: String },
}

impl NotMade {
    fn of(answered: &Answered) -> Self {
        if matches!(answered.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Self::Key(answered.text("message").to_owned());
        }
        let field = match answered.text("field") {
            "" => String::new(),
            field => format!(".{field}"),
        };
        let message = match answered.text("message") {
            "" => answered.text("detail"),
            message => message,
        };
        let code = match answered.text("code") {
            "" => answered.status.to_string(),
            code => code.to_owned(),
        };
        Self::Refused { field, code, message: message.to_owned() }
    }
}

pub(in crate::cli) struct Live {
    client: Client,
    key: String,
    workspace: String,
}

impl Live {
    pub fn new(client: Client, key: String, workspace: String) -> Self {
        Self { client, key, workspace }
    }

    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/workspaces/{}{rest}", encoded(&self.workspace))
    }

    /// `webhooks`: those too, which need a scope more.
    pub async fn read(&mut self, webhooks: bool) -> Result<Found, NotMade> {
        let settings = self.client.ask(&Call::read(self.path("/settings"), &self.key)).await?;
        if settings.status == StatusCode::NOT_FOUND {
            return Ok(Found::absent(&self.workspace));
        }
        if settings.status != StatusCode::OK {
            return Err(NotMade::of(&settings));
        }
        Ok(Found {
            workspace: self.workspace.clone(),
            exists: true,
            settings: object(settings.body),
            quota: self.quota().await?,
            queues: self.list("queues").await?,
            agents: self.list("agents").await?,
            webhooks: if webhooks { self.webhooks().await? } else { BTreeMap::new() },
        })
    }

    async fn webhooks(&mut self) -> Result<BTreeMap<String, Members>, NotMade> {
        let webhooks = self.client.ask(&Call::read(self.path("/webhooks"), &self.key)).await?;
        if webhooks.status != StatusCode::OK {
            return Err(NotMade::of(&webhooks));
        }
        let all = webhooks.body.get("webhooks").and_then(Value::as_array).into_iter().flatten();
        let set = |one: &Value| {
            let mut members = object(one.clone());
            // The rest is how it stands.
            members.retain(|member, _| ["name", "url", "types", "texts"].contains(&member.as_str()));
            let name = members.get("name")?.as_str()?.to_owned();
            Some((name, members))
        };
        Ok(all.filter_map(set).collect())
    }

    async fn quota(&mut self) -> Result<Members, NotMade> {
        let quota = self.client.ask(&Call::read(self.path("/quota"), &self.key)).await?;
        match quota.status {
            StatusCode::OK => Ok(object(quota.body.get("set").cloned().unwrap_or_default())),
            // A release before there were any.
            StatusCode::NOT_FOUND => Ok(Members::new()),
            _ => Err(NotMade::of(&quota)),
        }
    }

    async fn list(&mut self, what: &str) -> Result<BTreeMap<String, Members>, NotMade> {
        let mut all = BTreeMap::new();
        let mut cursor = None;
        loop {
            let after = cursor.map_or(String::new(), |cursor: String| format!("&cursor={}", encoded(&cursor)));
            let page = self.path(&format!("/{what}?limit=200{after}"));
            let page = self.client.ask(&Call::read(page, &self.key)).await?;
            if page.status != StatusCode::OK {
                return Err(NotMade::of(&page));
            }
            for entry in page.body.get(what).and_then(Value::as_array).into_iter().flatten() {
                if let (Some(name), Value::Object(members)) = (entry.get("name").and_then(Value::as_str), entry) {
                    all.insert(name.to_owned(), members.clone());
                }
            }
            cursor = match page.body.get("next").and_then(Value::as_str) {
                Some(next) => Some(next.to_owned()),
                None => return Ok(all),
            };
        }
    }

    /// Makes one change. A retry inside has the same command id, so the change is made once.
    pub(super) async fn make(&mut self, change: &Change) -> Result<(), NotMade> {
        let path = self.path(&change.path);
        let call = Call::write(change.method.clone(), path, &self.key, change.body.as_ref());
        let answered = self.client.ask(&call).await?;
        // What is to go and is gone is as wanted.
        let gone = change.method == Method::DELETE && answered.status == StatusCode::NOT_FOUND;
        if answered.status.is_success() || gone { Ok(()) } else { Err(NotMade::of(&answered)) }
    }
}
