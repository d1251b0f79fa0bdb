//! A request's body: read within limits of bytes and time, UTF-8 and JSON, with the field at fault named.

use super::problem::Problem;
use crate::overload::{Purpose, Taken, Weight, memory};
use crate::wire::error::Code;
use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::ops::Deref;
use std::time::Duration;

/// An administrator's body: what fits a record.
pub const ADMIN_BODY_BYTES_MAX: usize = 256 * 1024;
const BODY_TIME_MOST: Duration = Duration::from_secs(10);

/// A body that was read. It counts as memory for bursts as long as it is held.
#[derive(Debug)]
pub struct Text {
    text: String,
    _taken: Taken,
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

/// The whole body as text.
///
/// # Errors
/// `busy` when there is no room for it now, `too_large` over `bytes_max` (at once when the length is announced), `bad_request` when it is not UTF-8, broke off
/// or took longer than 10 s.
pub async fn text(body: Body, bytes_max: usize) -> Result<Text, Problem> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Problem::too_large("body", bytes_max));
    }
    // What does not say how long it is may be as long as it may be.
    let announced = body.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
    let bytes = announced.map_or(bytes_max, |bytes| bytes.min(bytes_max));
    let mut taken = memory().reserve.guard(Purpose::Bodies, Weight::Ordinary, bytes)?;
    let bytes: Bytes = match tokio::time::timeout(BODY_TIME_MOST, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            return Err(Problem::too_large("body", bytes_max));
        }
        Ok(Err(_)) => return Err(Problem::bad_request("the body broke off")),
        Err(_) => return Err(Problem::bad_request("the body took too long")),
    };
    taken.resize_to(bytes.len())?;
    let text = String::from_utf8(bytes.into()).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    Ok(Text { text, _taken: taken })
}

/// For calls that have nothing to say: nothing, or an empty object.
///
/// # Errors
/// As `text`, and `bad_request` for anything else.
pub async fn nothing(body: Body) -> Result<(), Problem> {
    let text = text(body, 1_024).await?;
    if text.trim().is_empty() {
        return Ok(());
    }
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    json(&text).map(|Nothing {}| ())
}

/// The body's JSON as a `T`.
///
/// # Errors
/// `bad_request`; `field` is the path of what is at fault, `a.b[2].c`.
pub fn json<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut from = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut from).map_err(|error| {
        let path = error.path().to_string();
        let wrong = error.into_inner();
        let message = said(&wrong);
        if !wrong.is_data() {
            return Problem::new(Code::BadRequest, format!("not JSON: {message}"));
        }
        let inside = if path == "." { String::new() } else { path };
        // serde reports an absent member at its parent, and names it only in the sentence.
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let field = match missing {
            Some(name) if inside.is_empty() => name.to_owned(),
            Some(name) => format!("{inside}.{name}"),
            None => inside,
        };
        let problem = Problem::new(Code::BadRequest, message);
        if field.is_empty() { problem } else { problem.at(cut(field, 128)) }
    })?;
    from.end().map_err(|wrong| Problem::bad_request(format!("not JSON: {}", said(&wrong))))?;
    Ok(value)
}

/// What serde says quotes the request: no more of it than this.
fn said(wrong: &serde_json::Error) -> String {
    cut(wrong.to_string(), 200)
}

fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::settings::Settings;

    fn field_of(text: &str) -> Option<String> {
        json::<Settings>(text).unwrap_err().0.field.map(|field| field.into_owned())
    }

    #[test]
    fn the_field_at_fault_is_named_with_its_path() {
        assert_eq!(field_of(r#"{"devices_max": "five"}"#).as_deref(), Some("devices_max"));
        assert_eq!(field_of(r#"{"devices_most": 5}"#).as_deref(), Some("devices_most"));
        assert_eq!(field_of(r#"{"statuses": [{"name": "away"}]}"#).as_deref(), Some("statuses[0].available"));
        assert_eq!(field_of(r#"{"cool_downs": {"most_ms": -1}}"#).as_deref(), Some("cool_downs.most_ms"));
        assert_eq!(field_of("{"), None);
        assert_eq!(field_of("{} {}"), None);
    }

    #[tokio::test]
    async fn a_body_over_its_limit_is_refused_before_it_is_read() {
        let problem = text(Body::from(vec![b' '; 100]), 99).await.unwrap_err();
        assert_eq!(problem.0.code, Code::TooLarge);
        let problem = text(Body::from(vec![0xff]), 99).await.unwrap_err();
        assert_eq!(problem.0.code, Code::BadRequest);
        assert_eq!(&*text(Body::from("ж"), 2).await.unwrap(), "ж");
    }
}
