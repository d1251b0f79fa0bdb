//! What a visitor's page sends, read member by member: what is wrong is named.

use super::super::error::{Code, WireError};
use super::super::fields::{Fields, missing, wrong_kind};
use super::super::files::PostBody;
use crate::desk::ratings::{COMMENT_BYTES_MAX, SCORE_MAX, SCORE_MIN};
use crate::desk::settings::NAME_BYTES_MAX;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Of an e-mail address (RFC 5321).
pub const EMAIL_BYTES_MAX: usize = 254;

/// Bounds on what a visitor may send; the body itself is bounded by the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    pub text_bytes_max: usize,
    /// Of all keys and values together.
    pub metadata_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes_max: 16 * 1024, metadata_bytes_max: 4 * 1024 }
    }
}

impl Limits {
    /// The largest body: JSON may spell each byte of a text in six (`\\u0001`).
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        self.text_bytes_max
            .saturating_mul(6)
            .saturating_add(self.metadata_bytes_max.saturating_mul(6))
            .saturating_add(4_096)
    }
}

/// `POST /conversations`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StartBody {
    pub text: Option<String>,
    pub name: Option<String>,
    pub channel: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// Should it be refused for now, it is a message that is left.
    pub or_message: bool,
}

impl StartBody {
    /// # Errors
    /// `bad_request`, `bad_field` or `too_large`, with the field at fault.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self, WireError> {
        let mut fields = fields(body, &["text", "name", "channel", "metadata", "or_message"])?;
        let text = fields.text("text", limits.text_bytes_max)?.map(Cow::into_owned);
        if text.as_deref() == Some("") {
            return Err(WireError::new(Code::BadField, "text is empty").at("text"));
        }
        let start = Self {
            text,
            name: fields.text("name", NAME_BYTES_MAX)?.map(Cow::into_owned).filter(|name| !name.is_empty()),
            channel: fields.text("channel", NAME_BYTES_MAX)?.map(Cow::into_owned),
            metadata: metadata(&mut fields, limits.metadata_bytes_max)?,
            or_message: fields.flag("or_message")?.unwrap_or(false),
        };
        fields.finish()?;
        Ok(start)
    }
}

/// `POST /conversations/{c}/messages`.
///
/// # Errors
/// `bad_request`, `bad_field` or `too_large`, with the field at fault.
pub fn parse_post(body: &[u8], limits: &Limits) -> Result<PostBody, WireError> {
    let mut fields = fields(body, &["text", "files"])?;
    let post = PostBody::take(&mut fields, limits.text_bytes_max)?;
    fields.finish()?;
    Ok(post)
}

/// The number of `POST /conversations/{c}/read`.
///
/// # Errors
/// `bad_request`, with the field at fault.
pub fn parse_read(body: &[u8]) -> Result<u32, WireError> {
    let mut fields = fields(body, &["number"])?;
    let number = fields.number("number")?.ok_or_else(|| missing("number"))?;
    fields.finish()?;
    Ok(number)
}

/// `POST /conversations/{c}/contact`: what is absent stays as it is, and what is empty is taken back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contact {
    pub name: Option<String>,
    pub email: Option<String>,
}

/// # Errors
/// `bad_request` or `too_large`, with the field at fault.
pub fn parse_contact(body: &[u8]) -> Result<Contact, WireError> {
    let mut fields = fields(body, &["name", "email"])?;
    let name = fields.text("name", NAME_BYTES_MAX)?.map(Cow::into_owned);
    let email = fields.text("email", EMAIL_BYTES_MAX)?.map(Cow::into_owned);
    fields.finish()?;
    if name.is_none() && email.is_none() {
        return Err(missing("name"));
    }
    Ok(Contact { name, email })
}

/// `POST /conversations/{c}/rating`: a score, and perhaps a comment.
///
/// # Errors
/// `bad_request`, `bad_field` or `too_large`, with the field at fault.
pub fn parse_rating(body: &[u8]) -> Result<(u8, Option<String>), WireError> {
    let mut fields = fields(body, &["score", "comment"])?;
    let score = fields.number("score")?.ok_or_else(|| missing("score"))?;
    let score = u8::try_from(score).ok().filter(|score| (SCORE_MIN..=SCORE_MAX).contains(score));
    let score = score.ok_or_else(|| WireError::new(Code::BadField, "score must be 1 to 5").at("score"))?;
    let comment = fields.text("comment", COMMENT_BYTES_MAX)?.map(Cow::into_owned);
    fields.finish()?;
    Ok((score, comment.filter(|comment| !comment.is_empty())))
}

/// The anonymous token of `POST /identify`.
///
/// # Errors
/// `bad_request`, `bad_field` or `too_large`, with the field at fault.
pub fn parse_identify(body: &[u8]) -> Result<String, WireError> {
    let mut fields = fields(body, &["anonymous_token"])?;
    let token = fields.some_text("anonymous_token", super::super::agent::TOKEN_BYTES_MAX)?.into_owned();
    fields.finish()?;
    Ok(token)
}

fn fields<'a>(body: &'a [u8], known: &'static [&'static str]) -> Result<Fields<'a>, WireError> {
    let text = str::from_utf8(body).map_err(|_| WireError::new(Code::BadRequest, "the body is not UTF-8"))?;
    Fields::parse(text, known)
}

fn metadata(fields: &mut Fields<'_>, bytes_max: usize) -> Result<BTreeMap<String, String>, WireError> {
    let Some(raw) = fields.take("metadata") else { return Ok(BTreeMap::new()) };
    metadata_of(raw.get(), bytes_max)
}

/// A flat object of strings.
///
/// # Errors
/// `bad_request` or `too_large`, at `metadata`.
pub fn metadata_of(json: &str, bytes_max: usize) -> Result<BTreeMap<String, String>, WireError> {
    let too_large = || WireError::new(Code::TooLarge, format!("metadata is over {bytes_max} bytes")).at("metadata");
    // Escapes take at most six bytes for one, and each pair some quotes: what is beyond that cannot fit.
    if json.len() > bytes_max.saturating_mul(12) {
        return Err(too_large());
    }
    let metadata: BTreeMap<String, String> =
        serde_json::from_str(json).map_err(|_| wrong_kind("metadata", "a flat object of strings"))?;
    let bytes: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > bytes_max || metadata.len() > bytes_max / 8 { Err(too_large()) } else { Ok(metadata) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_may_say_nothing_or_all() {
        let limits = Limits::default();
        assert_eq!(StartBody::parse(b"{}", &limits), Ok(StartBody::default()));
        let full = br#"{"text":"h\u00e9","name":"Zo\u00eb","channel":"chat","metadata":{"page":"/p"}}"#;
        let start = StartBody::parse(full, &limits).unwrap();
        assert_eq!((start.text.as_deref(), start.name.as_deref()), (Some("hé"), Some("Zoë")));
        assert_eq!(start.metadata["page"], "/p");
    }

    #[test]
    fn what_is_wrong_with_a_body_is_named() {
        let limits = Limits::default();
        let fat = format!(r#"{{"metadata":{{"k":"{}"}}}}"#, "x".repeat(4 * 1024));
        let many = format!(
            r#"{{"metadata":{{{}}}}}"#,
            (0..1_500).map(|i| format!(r#""{i}":"""#)).collect::<Vec<_>>().join(",")
        );
        let cases: [(&[u8], Code, Option<&str>); 10] = [
            (b"\xff", Code::BadRequest, None),
            (b"", Code::BadRequest, None),
            (b"[]", Code::BadRequest, None),
            (br#"{"queue":"vip"}"#, Code::BadRequest, Some("queue")),
            (br#"{"text":""}"#, Code::BadField, Some("text")),
            (br#"{"text":1}"#, Code::BadRequest, Some("text")),
            (br#"{"metadata":{"a":{"b":"c"}}}"#, Code::BadRequest, Some("metadata")),
            (br#"{"metadata":"x"}"#, Code::BadRequest, Some("metadata")),
            (fat.as_bytes(), Code::TooLarge, Some("metadata")),
            (many.as_bytes(), Code::TooLarge, Some("metadata")),
        ];
        for (body, code, field) in cases {
            let error = StartBody::parse(body, &limits).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (code, field), "{error}");
        }
        assert_eq!(parse_post(b"{}", &limits).unwrap_err().field.as_deref(), Some("text"));
        assert_eq!(parse_read(br#"{"number":3}"#), Ok(3));
        assert_eq!(parse_read(br#"{"number":"3"}"#).unwrap_err().field.as_deref(), Some("number"));
        assert_eq!(parse_identify(br#"{"anonymous_token":"ohv1.x"}"#).as_deref(), Ok("ohv1.x"));
    }
}
