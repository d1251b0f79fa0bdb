//! What programs and pages ask of signing in, each call with its handler and what is said of it. Where browsers navigate are no calls: pages.

use super::{Shared, back_channel, session};
use crate::gateway::http::calls::{Calls, Group, Who, call};
use crate::wire::error::Code;
use serde_json::json;

const GROUP: Group = Group {
    name: "signin",
    says: "Who is signed in in a browser, and how that ends.",
    codes: &[Code::BadRequest, Code::TooLarge, Code::NotFound, Code::Internal, Code::Unavailable],
};

pub(super) fn calls() -> Calls<Shared> {
    let form =
        json!({"type": "object", "required": ["logout_token"], "properties": {"logout_token": {"type": "string"}}});
    Calls::of(&GROUP, "/signin/{workspace}")
        .get(
            "/session",
            session::show,
            call("get_session", Who::Browser, "Who is signed in in this browser, with an agent's token for its pages")
                .says("For pages of this server alone.")
                .gives::<session::Session>(200, "Somebody is signed in", None)
                .may(&[Code::Unauthorized, Code::Forbidden, Code::AgentDeactivated]),
        )
        .post(
            "/out",
            session::out,
            call("sign_out_browser", Who::Browser, "Signs out, here and at the provider")
                .needs_header("X-Offhook", json!({"type": "string"}), "Anything: what no page of another site can send")
                .gives::<session::Out>(200, "Where the browser is to go", Some(json!({"to": "/signin/demo/out"})))
                .may(&[Code::Forbidden]),
        )
        .post(
            "/backchannel",
            back_channel::logout,
            call("provider_sign_out", Who::Provider, "The provider says that somebody signed out there")
                .says("OpenID Connect Back-Channel Logout 1.0. A refusal has the shape that that document gives it.")
                .takes_other("application/x-www-form-urlencoded", form)
                .gives::<back_channel::Ended>(200, "It is done", Some(json!({})))
                .gives::<back_channel::NotEnded>(400, "The token is no good", None),
        )
}
