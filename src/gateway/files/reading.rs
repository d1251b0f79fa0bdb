//! A file is given out, as nothing that a browser would run: a few kinds of pictures in place, all else to be saved.

use super::Counter;
use super::upload::{SHARED_RETRY_MS, UNDER_WAY_BYTES, chunks_of};
use crate::desk::ids::ConversationId;
use crate::files::{About, NotOpened, NotShared, Place, kind};
use crate::gateway::http::desks::Desk;
use crate::gateway::http::problem::Problem;
use crate::overload::{Purpose, Rung, Weight, memory};
use crate::seal::Unsealed;
use crate::wire::error::WireError;
use crate::wire::percent::encoded;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use http::{HeaderValue, header};

const RETRY_MS: u64 = 500;
/// What is in a file never changes.
const CACHE: &str = "private, max-age=31536000, immutable";

pub(super) fn admit() -> Result<(), Problem> {
    Ok(memory().admit(Rung::History)?)
}

/// # Errors
/// There is none; or it cannot be read now.
pub(super) async fn give(
    counter: &Counter,
    desk: &dyn Desk,
    conversation: ConversationId,
    file: &str,
) -> Result<Response, Problem> {
    let file = file.parse().map_err(|_| Problem::not_found("file"))?;
    let place = Place { workspace: desk.name().clone(), conversation, file };
    let busy = |_| Problem(WireError::busy(RETRY_MS));
    let permit = counter.reads.clone().try_acquire_owned().map_err(busy)?;
    let taken = memory().reserve.guard(Purpose::Files, Weight::Ordinary, UNDER_WAY_BYTES)?;
    counter.files.at_hand(&place).await.map_err(problem_of)?;
    let files = counter.files.clone();
    let opened = tokio::task::spawn_blocking(move || files.open(&place)).await.map_err(|_| Problem::internal())?;
    let stored = opened.map_err(problem_of)?;
    let about = stored.about.clone();
    // Held until the last byte is with the kernel, or the reader is gone.
    let held = (permit, taken);
    let chunks = chunks_of(stored).map(move |chunk| {
        let _held = &held;
        chunk
    });
    let mut response = Body::from_stream(chunks).into_response();
    mark(&mut response, &about);
    Ok(response)
}

fn problem_of(not_opened: NotOpened) -> Problem {
    match not_opened {
        NotOpened::None | NotOpened::Sealed(Unsealed::Erased) => Problem::not_found("file"),
        NotOpened::Shared(NotShared::NoMemory) => Problem(WireError::busy(RETRY_MS)),
        NotOpened::Shared(error @ NotShared::Unreachable(_)) => {
            tracing::warn!(%error, "a file cannot be fetched");
            Problem(WireError::unavailable(SHARED_RETRY_MS, "the cluster's files cannot be reached"))
        }
        other => {
            tracing::error!(error = %other, "a file cannot be read");
            Problem(WireError::unavailable(RETRY_MS, "the file cannot be read"))
        }
    }
}

fn mark(response: &mut Response, about: &About) {
    let inline = kind::PICTURES.iter().find(|kind| **kind == about.kind);
    let how = if inline.is_some() { "inline" } else { "attachment" };
    let disposition = format!("{how}; filename*=UTF-8''{}", encoded(&about.name));
    let disposition = HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = inline.copied().unwrap_or("application/octet-stream");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(about.bytes));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, CACHE),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(kind: &str, name: &str) -> (String, String) {
        let mut response = Body::empty().into_response();
        let (name, kind) = (name.to_owned(), kind.to_owned());
        mark(&mut response, &About { name, kind, bytes: 1, width: None, height: None, sha256: [0; 32] });
        let header = |name: header::HeaderName| response.headers()[name].to_str().unwrap().to_owned();
        (header(header::CONTENT_TYPE), header(header::CONTENT_DISPOSITION))
    }

    #[test]
    fn pictures_alone_are_shown_in_place() {
        let (kind, how) = marked("image/png", "a.png");
        assert_eq!((&*kind, &*how), ("image/png", "inline; filename*=UTF-8''a.png"));
        for other in
            ["image/svg+xml", "text/html", "text/xml", "text/plain", "application/pdf", "application/javascript"]
        {
            let (kind, how) = marked(other, "a\"; b/ж.html");
            assert_eq!(kind, "application/octet-stream");
            assert_eq!(how, "attachment; filename*=UTF-8''a%22%3B%20b%2F%D0%B6.html");
        }
    }
}
