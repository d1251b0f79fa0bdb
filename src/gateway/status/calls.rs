//! The status page as a call, with what is said of it.

use super::{Known, Status, as_json, negotiated};
use crate::gateway::http::calls::{Call, Calls, Group, Who, call};
use crate::wire::error::Code;

const GROUP: Group = Group {
    name: "status",
    says: "How each component stands for its users. On the operators' port; on the public one where `health.public_status` is set.",
    codes: &[Code::Internal],
};

fn of(id: &'static str) -> Call {
    call(id, Who::Everybody, "How each component stands, incidents, and ninety days").gives::<Status>(
        200,
        "As of now",
        None,
    )
}

pub(super) fn calls() -> Calls<Known> {
    Calls::of(&GROUP, "")
        .get(
            "/status",
            negotiated,
            of("get_status").says("For who accepts `text/html` it is a page.").or_as("text/html"),
        )
        .get("/status.json", as_json, of("get_status_json"))
}
