//! `GET /page`: how the messenger looks and what it says in this workspace. The same for everybody, so that anybody may keep it.

use super::Shared;
use crate::desk::files::FileRules;
use crate::desk::messenger_page::MessengerPage;
use crate::desk::ratings::RatingRules;
use crate::gateway::auth::client_address::prefix;
use crate::gateway::http::asking::{Asked, At};
use crate::gateway::http::etag::{hex_tag, tagged};
use crate::gateway::http::problem::{Problem, answer_of, json_of};
use crate::gateway::http::query::Query;
use crate::wire::files::FilesAllowedShape;
use axum::extract::State as Held;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

/// A change of it is seen within a minute; a browser that was away may begin with what it had.
const CACHE: &str = "public, max-age=60, stale-while-revalidate=86400";

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MessengerPageShown")]
pub(super) struct Page<'a> {
    #[serde(flatten)]
    page: &'a MessengerPage,
    rating: &'a RatingRules,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<FilesAllowedShape<'a>>,
}

pub(super) async fn page(
    Held(messenger): Held<Shared>,
    At(workspace): At<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    let desk = messenger.desk_for_people(&workspace)?;
    let address = prefix(messenger.door.identities.client_address(&asked.headers, asked.peer));
    messenger.take(&messenger.calls, (&*workspace, address))?;
    Query::parse(asked.query.as_deref(), &[])?;
    let settings = desk.published().settings.clone();
    let json = json_of(&Page {
        page: &settings.messenger,
        rating: &settings.rating,
        files: FileRules::in_force(&settings.files).map(Into::into),
    });
    let mut response = tagged(&asked.headers, &hex_tag(&json), || answer_of(StatusCode::OK, json));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    Ok(response)
}
