//! Labels in the words of the wire: as agents and administrators say them, and as they are shown.

use crate::desk::labels::{FieldValue, LabelChange, Labels, PlainValue};
use crate::wire::error::{Code, WireError};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The context that values of fields are sealed for.
pub const FIELD: &[u8] = b"field";
/// Values that one change may hold.
const VALUES_MAX: usize = 100;

/// What a conversation is labelled with, unsealed; a value whose customer was erased is null.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LabelsShown")]
pub struct LabelsShape {
    pub disposition: Option<Arc<str>>,
    pub tags: BTreeSet<Arc<str>>,
    pub fields: BTreeMap<Arc<str>, Box<RawValue>>,
}

impl LabelsShape {
    /// `unseal` gives nothing where the customer was erased.
    #[must_use]
    pub fn of(labels: &Labels, unseal: impl Fn(&str) -> Option<Vec<u8>>) -> Self {
        let clear = |value: &FieldValue| {
            let json = match value {
                FieldValue::Sealed(sealed) => unseal(sealed).and_then(|clear| String::from_utf8(clear).ok()),
                value => value.plain().map(|(_, plain)| plain.json()),
            };
            json.and_then(|json| RawValue::from_string(json).ok()).unwrap_or_else(|| RawValue::NULL.to_owned())
        };
        Self {
            disposition: labels.disposition.clone(),
            tags: labels.tags.clone(),
            fields: labels.fields.iter().map(|(name, value)| (name.clone(), clear(value))).collect(),
        }
    }
}

/// Values by field as a client says them; null: none any more.
///
/// # Errors
/// `bad_field` with the field named, when a value is neither text, number nor flag.
pub fn plain_values(said: BTreeMap<Arc<str>, Value>) -> Result<BTreeMap<Arc<str>, Option<PlainValue>>, WireError> {
    if said.len() > VALUES_MAX {
        return Err(WireError::new(Code::BadField, format!("fields holds at most {VALUES_MAX} values")).at("fields"));
    }
    let plain = |(name, value): (Arc<str>, Value)| {
        let value = match value {
            Value::Null => None,
            Value::String(text) => Some(PlainValue::Text(text.into())),
            Value::Number(number) => Some(PlainValue::Number(number.to_string().into())),
            Value::Bool(flag) => Some(PlainValue::Boolean(flag)),
            Value::Array(_) | Value::Object(_) => {
                let shown: String = name.chars().take(64).collect();
                let error = WireError::new(Code::BadField, "a value is a text, a number, true, false or null");
                return Err(error.at(format!("fields.{shown}")));
            }
        };
        Ok((name, value))
    };
    said.into_iter().map(plain).collect()
}

/// What a fingerprint is taken of: in the clear, so that only a keyed hash of it may be kept.
#[must_use]
pub fn print(change: &LabelChange<PlainValue>) -> Vec<u8> {
    let fields = change.fields.iter().map(|(name, value)| (name, value.as_ref().map(PlainValue::json)));
    let parts = (&change.disposition, &change.tags, fields.collect::<BTreeMap<_, _>>());
    serde_json::to_vec(&parts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_shown_as_it_was_said_and_null_when_it_is_erased() {
        let mut labels = Labels { disposition: Some("solved".into()), ..Labels::default() };
        labels.tags.extend(["vip".into(), "b".into()]);
        labels.fields.insert("count".into(), FieldValue::Number("7.5".into()));
        labels.fields.insert("open".into(), FieldValue::Boolean(true));
        labels.fields.insert("story".into(), FieldValue::Sealed("x".into()));
        let shown = |unsealed: Option<&str>| {
            let shape = LabelsShape::of(&labels, |_| unsealed.map(|text| text.as_bytes().to_vec()));
            serde_json::to_string(&shape).unwrap()
        };
        assert_eq!(
            shown(Some(r#""a \"word\"""#)),
            r#"{"disposition":"solved","tags":["b","vip"],"fields":{"count":7.5,"open":true,"story":"a \"word\""}}"#
        );
        assert!(shown(None).contains(r#""story":null"#));
    }
}
