//! What agents label a conversation with: a disposition code (how it came out), tags, and fields of the workspace's own. The
//! rules are settings, checked here; what a label holds is checked against them whenever one is set. Values of text fields, and
//! of those that are marked personal, come sealed: their sort was checked before they were.

use super::conversation::Conversation;
use super::ids::ConversationId;
use super::moves::Mover;
use super::refusal::Refusal;
use super::settings::NAME_BYTES_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DISPOSITIONS_MAX: usize = 200;
const TAGS_SET_MAX: usize = 500;
const FIELDS_MAX: usize = 30;
const CHOICES_MAX: usize = 100;
/// A page of an agent's client holds all rules of a queue.
const RULES_BYTES_MAX: usize = 16 * 1024;
/// Tags of one conversation.
pub const TAGS_MAX: usize = 20;
pub const TAG_BYTES_MAX: usize = 64;
pub const FIELD_TEXT_BYTES_MAX: usize = 1_000;
/// All labels of one conversation, as JSON, sealed values in the form in which they are kept.
pub const LABELS_BYTES_MAX: usize = 8 * 1024;

/// What a workspace's conversations may be labelled with.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LabelRules {
    /// Disposition codes.
    pub dispositions: Vec<Arc<str>>,
    /// The tags that may be set; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Arc<str>>>,
    pub fields: Vec<CustomField>,
}

/// A field of the workspace's own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomField {
    pub name: Arc<str>,
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// What may be chosen, of a `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Arc<str>>,
    /// Its owner cannot finish a conversation without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Its values say something of the customer: kept sealed. Those of a `text` always are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    Number,
    Choice,
    Boolean,
    /// A day: `2026-11-26`.
    Date,
}

/// What a queue says of labels.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueLabels {
    /// The disposition codes that are offered here; absent: the workspace's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispositions: Option<Vec<Arc<str>>>,
    /// Its owner cannot finish a conversation without one, where any is offered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disposition_required: bool,
}

/// A value as a client says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlainValue {
    Text(Arc<str>),
    /// As decimal digits, so that it is the same wherever it is read.
    Number(Arc<str>),
    Boolean(bool),
}

/// A value as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    Number(Arc<str>),
    Choice(Arc<str>),
    Boolean(bool),
    Date(Arc<str>),
    /// The value as JSON, under the customer's key.
    Sealed(Arc<str>),
}

/// What a conversation is labelled with.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Labels {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Arc<str>>,
    /// In order, each once.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<Arc<str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Arc<str>, FieldValue>,
}

/// What is to change of a conversation's labels; what is absent stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelChange<V = FieldValue> {
    /// Empty: none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Arc<str>>,
    /// All of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Arc<str>>>,
    /// Null: none any more.
    #[serde(default = "BTreeMap::default", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Arc<str>, Option<V>>,
}

impl<V> Default for LabelChange<V> {
    fn default() -> Self {
        Self { disposition: None, tags: None, fields: BTreeMap::new() }
    }
}

impl<V> LabelChange<V> {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.disposition.is_none() && self.tags.is_none() && self.fields.is_empty()
    }
}

/// One conversation is to be labelled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LabelAsk {
    pub conversation: ConversationId,
    pub by: Mover,
    pub change: LabelChange,
    pub then: ThenEnd,
}

/// What ends with it, in the same step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThenEnd {
    Nothing,
    Talk,
    WrapUp,
}

impl ThenEnd {
    /// The command that it is on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ThenEnd::Nothing => "label",
            ThenEnd::Talk => "close",
            ThenEnd::WrapUp => "wrap_up_done",
        }
    }
}

impl Labels {
    /// About what they take in a record.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let value = |value: &FieldValue| match value {
            FieldValue::Number(text) | FieldValue::Choice(text) | FieldValue::Date(text) | FieldValue::Sealed(text) => {
                text.len()
            }
            FieldValue::Boolean(_) => 5,
        };
        let tags: usize = self.tags.iter().map(|tag| tag.len() + 3).sum();
        let fields: usize = self.fields.iter().map(|(name, held)| name.len() + value(held) + 24).sum();
        tags + fields + self.disposition.as_ref().map_or(0, |code| code.len())
    }
}

impl Conversation {
    pub(super) fn set_labels(&mut self, labels: &Labels) {
        self.labels = (*labels != Labels::default()).then(|| Box::new(labels.clone()));
    }
}

impl LabelRules {
    /// Refused with the field named, below `labels`.
    ///
    /// # Errors
    /// The first member that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let bytes = serde_json::to_vec(self).map_or(usize::MAX, |text| text.len());
        ensure(bytes <= RULES_BYTES_MAX, "labels", || format!("at most {RULES_BYTES_MAX} bytes as JSON"))?;
        names(&self.dispositions, DISPOSITIONS_MAX, NAME_BYTES_MAX, "labels.dispositions")?;
        names(self.tags.as_deref().unwrap_or_default(), TAGS_SET_MAX, TAG_BYTES_MAX, "labels.tags")?;
        let fields: Vec<Arc<str>> = self.fields.iter().map(|field| field.name.clone()).collect();
        names(&fields, FIELDS_MAX, NAME_BYTES_MAX, "labels.fields")?;
        for (place, field) in self.fields.iter().enumerate() {
            let at = format!("labels.fields[{place}].choices");
            names(&field.choices, CHOICES_MAX, NAME_BYTES_MAX, &at)?;
            let chooses = field.kind == FieldKind::Choice;
            ensure(field.choices.is_empty() != chooses, &at, || "what may be chosen, of a choice alone".into())?;
        }
        Ok(())
    }

    fn field(&self, name: &str) -> Result<&CustomField, Refusal> {
        let found = self.fields.iter().find(|field| *field.name == *name);
        found.ok_or_else(|| bad(&format!("fields.{name}"), "there is no such field"))
    }

    /// The change as the desk is handed it: each value checked, and those that must be sealed sealed by `seal`, which is given
    /// their JSON.
    ///
    /// # Errors
    /// The value that does not hold, with its field; or what `seal` says.
    pub fn sealed<E: From<Refusal>>(
        &self,
        change: LabelChange<PlainValue>,
        mut seal: impl FnMut(&[u8]) -> Result<Arc<str>, E>,
    ) -> Result<LabelChange, E> {
        let mut fields = BTreeMap::new();
        for (name, value) in change.fields {
            let kept = match value {
                None => None,
                Some(value) => {
                    let field = self.field(&name)?;
                    field.check_plain(&value)?;
                    let clear = if field.is_sealed() { None } else { FieldValue::of(field.kind, value.clone()) };
                    Some(clear.map_or_else(|| seal(value.json().as_bytes()).map(FieldValue::Sealed), Ok)?)
                }
            };
            fields.insert(name, kept);
        }
        Ok(LabelChange { disposition: change.disposition, tags: change.tags, fields })
    }

    /// The labels after the change.
    pub(super) fn labelled(
        &self,
        of_queue: &QueueLabels,
        held: Option<&Labels>,
        change: &LabelChange,
    ) -> Result<Labels, Refusal> {
        let mut labels = held.cloned().unwrap_or_default();
        match change.disposition.as_deref() {
            None => {}
            Some("") => labels.disposition = None,
            Some(code) => labels.disposition = Some(self.offered(of_queue, code)?),
        }
        if let Some(tags) = &change.tags {
            let allowed = |tag: &Arc<str>| self.tags.as_ref().is_none_or(|known| known.contains(tag));
            for tag in tags {
                name_ok(tag, TAG_BYTES_MAX).map_err(|what| bad("tags", &what))?;
                // One that it has already may stay, whatever became of the rules.
                let fits = allowed(tag) || labels.tags.contains(tag);
                fits.then_some(()).ok_or_else(|| bad("tags", &format!("there is no tag {tag:?}")))?;
            }
            labels.tags = tags.iter().cloned().collect();
            if labels.tags.len() > TAGS_MAX {
                return Err(bad("tags", &format!("at most {TAGS_MAX}")));
            }
        }
        for (name, value) in &change.fields {
            match value {
                None => drop(labels.fields.remove(name)),
                Some(value) => {
                    self.field(name)?.check(value)?;
                    labels.fields.insert(name.clone(), value.clone());
                }
            }
        }
        let bytes = serde_json::to_vec(&labels).map_or(usize::MAX, |text| text.len());
        if bytes > LABELS_BYTES_MAX {
            return Err(bad("fields", &format!("all labels of a conversation are at most {LABELS_BYTES_MAX} bytes")));
        }
        Ok(labels)
    }

    fn offered(&self, of_queue: &QueueLabels, code: &str) -> Result<Arc<str>, Refusal> {
        let found = of_queue.offered(self).iter().find(|offered| &***offered == code);
        found.cloned().ok_or_else(|| bad("disposition", &format!("the queue does not offer {code:?}")))
    }

    /// What its owner still has to set before it may finish.
    pub(super) fn missing(&self, of_queue: &QueueLabels, labels: Option<&Labels>) -> Option<String> {
        if of_queue.requires_disposition(self) && labels.is_none_or(|labels| labels.disposition.is_none()) {
            return Some("disposition".into());
        }
        let has = |name: &Arc<str>| labels.is_some_and(|labels| labels.fields.contains_key(name));
        let missing = self.fields.iter().find(|field| field.required && !has(&field.name))?;
        Some(format!("fields.{}", missing.name))
    }
}

impl QueueLabels {
    /// Refused with the field named, below `labels`.
    ///
    /// # Errors
    /// The first member that does not hold, or a code that is none of the workspace's.
    pub fn check(&self, rules: &LabelRules) -> Result<(), Refusal> {
        let own = self.dispositions.as_deref().unwrap_or_default();
        names(own, DISPOSITIONS_MAX, NAME_BYTES_MAX, "labels.dispositions")?;
        own.iter().enumerate().try_for_each(|(place, code)| {
            let known = rules.dispositions.contains(code);
            ensure(known, &format!("labels.dispositions[{place}]"), || {
                format!("the settings hold no disposition {code:?}")
            })
        })
    }

    /// A code that is offered here and is to go. (Of before lists were compared, a queue may have others than the workspace.)
    pub(super) fn loses(&self, rules: &LabelRules, to: &LabelRules) -> Option<&Arc<str>> {
        let goes = |code: &&Arc<str>| rules.dispositions.contains(code) && !to.dispositions.contains(code);
        self.dispositions.iter().flatten().find(goes)
    }

    /// The codes that its agents choose from.
    #[must_use]
    pub fn offered<'a>(&'a self, rules: &'a LabelRules) -> &'a [Arc<str>] {
        self.dispositions.as_deref().unwrap_or(&rules.dispositions)
    }

    /// Where none is offered none is required: nobody could finish.
    #[must_use]
    pub fn requires_disposition(&self, rules: &LabelRules) -> bool {
        self.disposition_required && !self.offered(rules).is_empty()
    }
}

impl CustomField {
    /// Whether its values are kept sealed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.kind == FieldKind::Text || self.personal
    }

    fn check_plain(&self, value: &PlainValue) -> Result<(), Refusal> {
        let fits = match (self.kind, value) {
            (FieldKind::Text, PlainValue::Text(text)) => (1..=FIELD_TEXT_BYTES_MAX).contains(&text.len()),
            (FieldKind::Number, PlainValue::Number(digits)) => digits.parse().is_ok_and(f64::is_finite),
            (FieldKind::Choice, PlainValue::Text(chosen)) => self.choices.contains(chosen),
            (FieldKind::Boolean, PlainValue::Boolean(_)) => true,
            (FieldKind::Date, PlainValue::Text(day)) => is_day(day),
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.wrong(self.kind.expected())) }
    }

    /// A value that comes in the form in which it is kept; in the clear, where it need not be sealed, it is checked again.
    fn check(&self, value: &FieldValue) -> Result<(), Refusal> {
        match value.plain() {
            None if self.is_sealed() => Ok(()),
            Some((kind, plain)) if kind == self.kind && !self.is_sealed() => self.check_plain(&plain),
            _ => Err(self.wrong("its rules have just changed: set it again")),
        }
    }

    fn wrong(&self, what: &str) -> Refusal {
        bad(&format!("fields.{}", self.name), what)
    }
}

impl FieldKind {
    fn expected(self) -> &'static str {
        match self {
            FieldKind::Text => "must be a text of 1 to 1000 bytes",
            FieldKind::Number => "must be a number",
            FieldKind::Choice => "must be one of its choices",
            FieldKind::Boolean => "must be true or false",
            FieldKind::Date => "must be a day, as 2026-11-26",
        }
    }
}

impl FieldValue {
    /// What it says, and of which sort it is; `None`: sealed.
    #[must_use]
    pub fn plain(&self) -> Option<(FieldKind, PlainValue)> {
        Some(match self {
            FieldValue::Number(digits) => (FieldKind::Number, PlainValue::Number(digits.clone())),
            FieldValue::Choice(chosen) => (FieldKind::Choice, PlainValue::Text(chosen.clone())),
            FieldValue::Boolean(flag) => (FieldKind::Boolean, PlainValue::Boolean(*flag)),
            FieldValue::Date(day) => (FieldKind::Date, PlainValue::Text(day.clone())),
            FieldValue::Sealed(_) => return None,
        })
    }

    /// Of a field whose values are not sealed.
    fn of(kind: FieldKind, plain: PlainValue) -> Option<Self> {
        Some(match (kind, plain) {
            (FieldKind::Number, PlainValue::Number(digits)) => FieldValue::Number(digits),
            (FieldKind::Choice, PlainValue::Text(chosen)) => FieldValue::Choice(chosen),
            (FieldKind::Boolean, PlainValue::Boolean(flag)) => FieldValue::Boolean(flag),
            (FieldKind::Date, PlainValue::Text(day)) => FieldValue::Date(day),
            _ => return None,
        })
    }
}

impl PlainValue {
    /// As it is sealed, and as clients say it.
    #[must_use]
    pub fn json(&self) -> String {
        match self {
            PlainValue::Text(text) => serde_json::to_string(&**text).expect("a string is JSON"),
            PlainValue::Number(digits) => digits.to_string(),
            PlainValue::Boolean(flag) => flag.to_string(),
        }
    }
}

/// The Gregorian calendar's, from year 1 to 9999.
fn is_day(text: &str) -> bool {
    let digits = |part: &str, count: usize| {
        let all = part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| all)
    };
    let mut parts = text.split('-');
    let mut part = |count| parts.next().and_then(|part| digits(part, count));
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else { return false };
    let leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    parts.next().is_none() && year > 0 && (1..=days).contains(&day)
}

fn bad(field: &str, what: &str) -> Refusal {
    Refusal::BadLabel { field: field.to_owned(), what: what.to_owned() }
}

fn name_ok(name: &str, bytes_max: usize) -> Result<(), String> {
    let fits = !name.is_empty() && name.len() <= bytes_max && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(format!("1 to {bytes_max} bytes without control characters")) }
}

fn names(list: &[Arc<str>], most: usize, bytes_max: usize, field: &str) -> Result<(), Refusal> {
    ensure(list.len() <= most, field, || format!("at most {most}"))?;
    let mut seen = BTreeSet::new();
    for (place, name) in list.iter().enumerate() {
        let at = format!("{field}[{place}]");
        name_ok(name, bytes_max).map_err(|what| Refusal::BadSetting { field: at.clone(), what })?;
        ensure(seen.insert(name), &at, || "used twice".into())?;
    }
    Ok(())
}

fn ensure(holds: bool, field: &str, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::BadSetting { field: field.to_owned(), what: what() }) }
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
