//! What a service that carries messages says over HTTP: a customer's message, and what became of ours.

use super::error::{Code, WireError};
use super::fields::{Fields, missing, wrong_kind};
use super::messenger::{EMAIL_BYTES_MAX, Limits, metadata_of};
use crate::desk::outside::{DeliveryState, REASON_BYTES_MAX};
use crate::desk::settings::NAME_BYTES_MAX;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Of the service's own id of a customer, and of its name of a thread.
pub const OUTSIDE_ID_BYTES_MAX: usize = 256;
pub const PHONE_BYTES_MAX: usize = 64;

/// `POST /channel/{channel}/messages`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InboundBody {
    pub customer: String,
    pub name: Option<String>,
    /// With `email` and `phone`, where the customer can be reached.
    pub metadata: BTreeMap<String, String>,
    pub attributes: BTreeMap<String, String>,
    pub thread: String,
    pub text: String,
}

impl InboundBody {
    /// # Errors
    /// `bad_request`, `bad_field` or `too_large`, with the field at fault.
    pub fn parse(body: &str, limits: &Limits) -> Result<Self, WireError> {
        let mut fields = Fields::parse(body, &["customer", "thread", "text", "metadata"])?;
        let customer = fields.take("customer").ok_or_else(|| missing("customer"))?;
        let text = fields.some_text("text", limits.text_bytes_max)?.into_owned();
        let thread = fields.text("thread", OUTSIDE_ID_BYTES_MAX)?.map(Cow::into_owned).unwrap_or_default();
        let metadata = flat(&mut fields, "metadata", limits)?;
        fields.finish()?;
        let inbound = Self { text, thread, metadata, ..Self::default() };
        inbound.of(customer.get(), limits).map_err(|error| match &error.field {
            Some(field) => {
                let field = format!("customer.{field}");
                error.at(field)
            }
            None => error.at("customer"),
        })
    }

    fn of(mut self, customer: &str, limits: &Limits) -> Result<Self, WireError> {
        let mut fields = Fields::parse(customer, &["id", "name", "email", "phone", "attributes"])?;
        self.customer = fields.some_text("id", OUTSIDE_ID_BYTES_MAX)?.into_owned();
        self.name = fields.text("name", NAME_BYTES_MAX)?.map(Cow::into_owned).filter(|name| !name.is_empty());
        for (place, bytes_max) in [("email", EMAIL_BYTES_MAX), ("phone", PHONE_BYTES_MAX)] {
            if let Some(reached_at) = fields.text(place, bytes_max)?.filter(|text| !text.is_empty()) {
                self.metadata.insert(place.to_owned(), reached_at.into_owned());
            }
        }
        self.attributes = flat(&mut fields, "attributes", limits)?;
        fields.finish()?;
        Ok(self)
    }
}

fn flat(fields: &mut Fields<'_>, name: &'static str, limits: &Limits) -> Result<BTreeMap<String, String>, WireError> {
    let Some(raw) = fields.take(name) else { return Ok(BTreeMap::new()) };
    metadata_of(raw.get(), limits.metadata_bytes_max).map_err(|error| {
        match error.code {
            Code::TooLarge => {
                WireError::new(Code::TooLarge, format!("{name} is over {} bytes", limits.metadata_bytes_max))
            }
            _ => wrong_kind(name, "a flat object of strings"),
        }
        .at(name)
    })
}

/// `POST …/messages/{number}/delivery`: the state, and why, of a failure.
///
/// # Errors
/// `bad_request`, `bad_field` or `too_large`, with the field at fault.
pub fn parse_delivery(body: &str) -> Result<(DeliveryState, Option<String>), WireError> {
    let mut fields = Fields::parse(body, &["state", "reason"])?;
    let word = fields.some_text("state", 64)?;
    let state = DeliveryState::ALL.into_iter().find(|state| state.name() == word);
    let state = state
        .ok_or_else(|| WireError::new(Code::BadField, "state must be sent, delivered, read or failed").at("state"))?;
    let reason = fields.text("reason", REASON_BYTES_MAX)?.map(Cow::into_owned).filter(|reason| !reason.is_empty());
    fields.finish()?;
    if reason.is_some() && state != DeliveryState::Failed {
        return Err(WireError::new(Code::BadField, "only what failed has a reason").at("reason"));
    }
    Ok((state, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_who_wrote_it_and_where_it_belongs() {
        let limits = Limits::default();
        let least = InboundBody::parse(r#"{"customer":{"id":"+491"},"text":"hi"}"#, &limits).unwrap();
        assert_eq!((&*least.customer, &*least.thread, &*least.text), ("+491", "", "hi"));
        let all = r#"{"customer":{"id":"u7","name":"Zoë","email":"z@x.y","phone":"+491","attributes":{"plan":"gold"}},
            "thread":"T1","text":"hi","metadata":{"to":"help@x.y"}}"#;
        let all = InboundBody::parse(all, &limits).unwrap();
        assert_eq!(
            (all.name.as_deref(), &*all.metadata["email"], &*all.metadata["to"]),
            (Some("Zoë"), "z@x.y", "help@x.y")
        );
        assert_eq!((&*all.metadata["phone"], &*all.attributes["plan"]), ("+491", "gold"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let limits = Limits::default();
        let long = format!(r#"{{"customer":{{"id":"{}"}},"text":"hi"}}"#, "x".repeat(257));
        let cases = [
            ("[]", Code::BadRequest, None),
            (r#"{"text":"hi"}"#, Code::BadRequest, Some("customer")),
            (r#"{"customer":"u7","text":"hi"}"#, Code::BadRequest, Some("customer")),
            (r#"{"customer":{},"text":"hi"}"#, Code::BadRequest, Some("customer.id")),
            (r#"{"customer":{"id":""},"text":"hi"}"#, Code::BadField, Some("customer.id")),
            (r#"{"customer":{"id":7},"text":"hi"}"#, Code::BadRequest, Some("customer.id")),
            (r#"{"customer":{"id":"u7","age":7},"text":"hi"}"#, Code::BadRequest, Some("customer.age")),
            (r#"{"customer":{"id":"u7","attributes":[]},"text":"hi"}"#, Code::BadRequest, Some("customer.attributes")),
            (r#"{"customer":{"id":"u7"}}"#, Code::BadRequest, Some("text")),
            (r#"{"customer":{"id":"u7"},"text":""}"#, Code::BadField, Some("text")),
            (r#"{"customer":{"id":"u7"},"text":"hi","metadata":{"a":1}}"#, Code::BadRequest, Some("metadata")),
            (r#"{"customer":{"id":"u7"},"text":"hi","files":[]}"#, Code::BadRequest, Some("files")),
            (&long, Code::TooLarge, Some("customer.id")),
        ];
        for (body, code, field) in cases {
            let error = InboundBody::parse(body, &limits).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (code, field), "{body}: {error}");
        }
    }

    #[test]
    fn only_a_failure_has_a_reason() {
        assert_eq!(parse_delivery(r#"{"state":"read"}"#), Ok((DeliveryState::Read, None)));
        let failed = parse_delivery(r#"{"state":"failed","reason":"no such number"}"#);
        assert_eq!(failed, Ok((DeliveryState::Failed, Some("no such number".into()))));
        for (body, code, field) in [
            (r"{}", Code::BadRequest, "state"),
            (r#"{"state":"queued"}"#, Code::BadField, "state"),
            (r#"{"state":"sent","reason":"x"}"#, Code::BadField, "reason"),
            (r#"{"state":"failed","reason":7}"#, Code::BadRequest, "reason"),
        ] {
            let error = parse_delivery(body).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (code, Some(field)), "{body}");
        }
    }
}
