//! What is set up over the admin API: workspaces, settings, queues, agents, keys and who is signed in. Each call with its handler.

use super::asker::Scope;
use super::shapes::Named;
use super::{
    Shared, agents, calls_of_care, calls_of_channels, calls_of_events, calls_of_imports, calls_of_reports,
    calls_of_webhooks, calls_of_work, keys, queues, quotas, settings, signins, workspaces,
};
use crate::desk::settings::{QueueSettings, Settings};
use crate::engine::QuotaStands;
use crate::gateway::http::calls::{Call, Calls, Group, Who, call};
use crate::gateway::http::desks::OwnQuota;
use crate::wire::error::Code;
use serde_json::{Value, json};

pub(super) const GROUP: Group = Group {
    name: "admin",
    says: "Setting up a workspace, and what its floor is led by: with an API key, or with an agent's token by its role.",
    codes: &[
        Code::BadRequest,
        Code::TooLarge,
        Code::Unauthorized,
        Code::Forbidden,
        Code::AgentDeactivated,
        Code::NotFound,
        Code::RateLimited,
        Code::Internal,
        Code::Busy,
        Code::Unavailable,
    ],
};

pub(super) const AT: &str = "/v1/workspaces/{workspace}";

impl Scope {
    /// Who has it.
    pub(super) fn who(self) -> Who {
        Who::Admin { scope: self.name(), role: self.least_role() }
    }
}

/// A call of the admin API.
pub(super) fn of(scope: Scope, id: &'static str, summary: &'static str) -> Call {
    call(id, scope.who(), summary)
}

pub(super) fn name() -> Value {
    json!({"type": "string", "maxLength": 128})
}

/// All calls of the admin API.
pub(super) fn calls() -> Calls<Shared> {
    let calls = accounts(set_up(Calls::of(&GROUP, "")));
    let calls = calls_of_events::events(calls_of_work::conversations(calls_of_work::floor(calls)));
    let calls = calls_of_reports::reports(calls);
    calls_of_care::care(calls_of_webhooks::webhooks(calls_of_imports::imports(calls_of_channels::channels(calls))))
}

fn set_up(calls: Calls<Shared>) -> Calls<Shared> {
    use Scope::{Admin, Read, Settings as OwnSettings};
    let at = |rest: &str| format!("{AT}{rest}");
    let queue = json!({"title": "Support", "priority": 0, "skills": {"french": 3}, "service": {"accept_ms": 30000}});
    let agent = json!({"title": "Ada", "queues": ["support"], "skills": {"french": 5}, "capacity": {"chat": 3}});
    calls
        .get(
            "/v1/workspaces",
            workspaces::list,
            of(Read, "list_workspaces", "Which workspaces the key or token reaches")
                .pages(name())
                .gives::<workspaces::Names>(200, "Names, in their order", Some(json!({"workspaces": ["demo"]}))),
        )
        .put(
            AT,
            workspaces::create,
            of(Admin, "put_workspace", "Makes a workspace, with default settings")
                .says("For a key of the server's own, or an admin whose token names it. Where it is there already, the answer is the same.")
                .again()
                .takes_nothing()
                .gives::<workspaces::Made>(200, "It is there", Some(json!({"workspace": "demo"})))
                .may(&[Code::BadField]),
        )
        .get(
            &at("/settings"),
            settings::show,
            of(OwnSettings, "get_settings", "The workspace's own settings, whole").gives::<Settings>(200, "As they are", None).tagged(),
        )
        .put(
            &at("/settings"),
            settings::replace,
            of(Admin, "put_settings", "Replaces the workspace's settings, whole")
                .once()
                .only_if()
                .takes::<Settings>(json!({"default_queue": "support", "reject_reasons": ["busy", "not_mine"]}))
                .gives::<Settings>(200, "As they are now", None)
                .tells_tag()
                .may(&[Code::BadSetting]),
        )
        .get(
            &at("/quota"),
            quotas::show,
            of(Read, "get_quota", "What the server's operator allows the workspace, and what of it is used").gives::<QuotaStands>(200, "As it stands", None),
        )
        .put(
            &at("/quota"),
            quotas::replace,
            of(Admin, "put_quota", "Sets the workspace's own quota, whole: what is absent is as for all")
                .says("For a key of the server's own alone. 0 is without a limit.")
                .again()
                .takes::<OwnQuota>(json!({"agents": 50, "open_conversations": 2000, "starts_per_s": 20}))
                .gives::<QuotaStands>(200, "As it stands now", None)
                .may(&[Code::BadField]),
        )
        .get(
            &at("/queues"),
            queues::list,
            of(Read, "list_queues", "The queues, with all their settings")
                .pages(name())
                .gives::<queues::Page>(200, "By name", None),
        )
        .get(
            &at("/queues/{queue}"),
            queues::one,
            of(Read, "get_queue", "One queue, with all its settings")
                .gives::<QueueSettings>(200, "As it is set", None)
                .tagged()
                .may(&[Code::NoSuchQueue]),
        )
        .put(
            &at("/queues/{queue}"),
            queues::replace,
            of(Admin, "put_queue", "Makes a queue, or replaces its settings, whole")
                .says("`name` in the body may be left out; it is the path's.")
                .once()
                .only_if_or_new()
                .takes::<Named<QueueSettings>>(queue)
                .gives::<QueueSettings>(200, "As it is set now", None)
                .tells_tag()
                .may(&[Code::BadField, Code::BadSetting, Code::TooMany]),
        )
        .delete(
            &at("/queues/{queue}"),
            queues::remove,
            of(Admin, "delete_queue", "Removes a queue that holds nothing")
                .once()
                .only_if()
                .gives_nothing(204, "It is gone")
                .may(&[Code::NoSuchQueue, Code::QueueInUse, Code::BadSetting]),
        )
        .get(
            &at("/agents"),
            agents::list,
            of(Read, "list_agents", "The agents, as they are set").pages(name()).gives::<agents::Page>(200, "By name", None),
        )
        .get(
            &at("/agents/{agent}"),
            agents::one,
            of(Read, "get_agent", "One agent, as it is set")
                .gives::<agents::Agent>(200, "As it is set", None)
                .tagged()
                .may(&[Code::NoSuchAgent]),
        )
        .put(
            &at("/agents/{agent}"),
            agents::change,
            of(Admin, "put_agent", "Makes an agent, or changes it: what is absent stays as it is")
                .says("`active: false` deactivates it at once, and ends its sessions and sign-ins.")
                .once()
                .only_if_or_new()
                .takes::<agents::Change>(agent)
                .gives::<agents::Agent>(200, "As it is set now", None)
                .tells_tag()
                .may(&[Code::BadField, Code::BadSetting, Code::NoSuchQueue, Code::NoSuchChannel, Code::TooMany, Code::Quota]),
        )
}

fn accounts(calls: Calls<Shared>) -> Calls<Shared> {
    use Scope::{Admin, Keys};
    let at = |rest: &str| format!("{AT}{rest}");
    let key = json!({"id": "4dXq1PzR0aBc", "name": "exports", "scopes": ["read"], "created_at": 1_700_000_000_000_u64,
        "key": "ohk_4dXq1PzR0aBc_…"});
    calls
        .post(
            &at("/agents/{agent}/role"),
            signins::set_role,
            of(Admin, "set_role", "The role of somebody who signs in by the provider; `null`: as that says")
                .again()
                .takes::<signins::Said>(json!({"role": "supervisor"}))
                .gives::<signins::RoleSet>(200, "As it was set", Some(json!({"agent": "ada", "role": "supervisor"})))
                .may(&[Code::NoSuchAgent, Code::TooMany]),
        )
        .post(
            &at("/agents/{agent}/sign_out"),
            signins::sign_out,
            of(Admin, "sign_out_agent", "Ends all sign-ins of an agent, and takes it offline at once")
                .again()
                .takes_nothing()
                .gives_nothing(204, "It is signed out")
                .may(&[Code::NoSuchAgent]),
        )
        .get(
            &at("/signins"),
            signins::list,
            of(Admin, "list_signins", "Who is signed in with a browser")
                .pages(json!({"type": "string", "pattern": "^[0-9a-f]{32}$"}))
                .gives::<signins::Page>(200, "By id", None),
        )
        .delete(
            &at("/signins/{signin}"),
            signins::end,
            of(Admin, "delete_signin", "Ends a sign-in").again().gives_nothing(204, "It has ended, or had already"),
        )
        .get(
            &at("/keys"),
            keys::list,
            of(Keys, "list_keys", "The API keys, without what would let anybody be one")
                .pages(name())
                .gives::<keys::Page>(200, "By id", None),
        )
        .post(
            &at("/keys"),
            keys::create,
            of(Keys, "create_key", "Makes an API key")
                .says("A key gives others no scope that it has not itself.")
                .once()
                .takes::<keys::Wanted>(json!({"name": "exports", "scopes": ["read"]}))
                .gives::<keys::Key>(201, "The key itself is here, and in no other answer", Some(key))
                .may(&[Code::BadField, Code::TooMany]),
        )
        .delete(
            &at("/keys/{key}"),
            keys::remove,
            of(Keys, "delete_key", "Removes an API key: it is good for nothing from now on")
                .once()
                .gives_nothing(204, "It is gone")
                .may(&[Code::NoSuchApiKey]),
        )
}
