//! The calls by which files come and go, each with its handler and what is said of it.

use super::{Shared, agents, customers};
use crate::gateway::http::calls::{Call, Calls, Group, Who, call};
use crate::wire::error::Code;
use crate::wire::files::UploadedShape;
use serde_json::json;

const GROUP: Group = Group {
    name: "files",
    says: "A file is sent first and named by a message then, within an hour.",
    codes: &[
        Code::BadRequest,
        Code::TooLarge,
        Code::Unauthorized,
        Code::Forbidden,
        Code::NotFound,
        Code::NoSuchConversation,
        Code::RateLimited,
        Code::Internal,
        Code::Busy,
        Code::Unavailable,
        Code::Behind,
    ],
};

fn upload(id: &'static str, who: Who) -> Call {
    let file = json!({"file": {"file": "f_0123456789abcdef0123456789abcdef", "name": "bill.pdf", "type": "application/pdf", "bytes": 81_234}});
    call(id, who, "Sends a file")
        .says("What `Content-Type` says is not believed: the kind is told from what is in it.")
        .needs_query(
            "name",
            json!({"type": "string", "minLength": 1, "maxLength": 200, "examples": ["bill.pdf"]}),
            "The file's name",
        )
        .needs_header("Content-Length", json!({"type": "string", "pattern": "^[0-9]+$"}), "How many bytes it has")
        .once()
        .takes_other("application/octet-stream", json!({}))
        .gives::<UploadedShape>(201, "It is on the disk, and was looked at", Some(file))
        .may(&[Code::LengthRequired, Code::FileRefused, Code::TooMany, Code::Quota])
}

fn read(id: &'static str, who: Who) -> Call {
    call(id, who, "The file's bytes")
        .says("Pictures have their own `Content-Type`; everything else is an attachment.")
        .gives_other(200, "application/octet-stream", "The bytes")
        .or_as("image/png")
        .or_as("image/jpeg")
        .or_as("image/gif")
        .or_as("image/webp")
}

pub(super) fn calls() -> Calls<Shared> {
    let (customers_at, agents_at) = ("/v1/messenger/{workspace}", "/v1/agent/{workspace}");
    let files = "/conversations/{conversation}/files";
    let of_agents = [Code::AgentDeactivated, Code::NotYours];
    Calls::of(&GROUP, "")
        .post(&format!("{customers_at}{files}"), customers::upload, upload("upload_file", Who::Customer))
        .get(&format!("{customers_at}{files}/{{file}}"), customers::read, read("read_file", Who::Customer))
        .post(
            &format!("{agents_at}{files}"),
            agents::upload,
            upload("upload_file_as_agent", Who::Agent).may(&of_agents).may(&[Code::WrongState]),
        )
        .get(
            &format!("{agents_at}{files}/{{file}}"),
            agents::read,
            read("read_file_as_agent", Who::Agent).may(&of_agents),
        )
}
