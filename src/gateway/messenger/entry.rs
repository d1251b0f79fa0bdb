//! Where a new conversation goes: queue, skills and priority by the workspace's entry rules. Pure. What a visitor sends
//! is only ever compared; the rules read it in the clear, before it is sealed.

use crate::desk::command::AskedAgent;
use crate::desk::settings::{EntryRule, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the rules may look at.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    pub metadata: &'a BTreeMap<String, String>,
    /// From a signed customer token; empty for an anonymous visitor.
    pub attributes: &'a BTreeMap<String, String>,
    pub known: bool,
    pub channel: &'a str,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    pub queue: Arc<str>,
    pub skills: BTreeMap<Arc<str>, u8>,
    /// `None`: the queue's.
    pub priority: Option<i32>,
    pub preferred_skills: Vec<Arc<str>>,
    pub preferred_agent: Option<AskedAgent>,
}

/// By the first rule that matches; a rule without a queue leaves it to the default one. `None`: nothing names a queue.
#[must_use]
pub fn entry(settings: &Settings, visit: Visit<'_>) -> Option<Entry> {
    let rule = settings.entry_rules.iter().find(|rule| matches(rule, visit));
    let queue = rule.and_then(|rule| rule.queue.as_ref()).or(settings.default_queue.as_ref())?.clone();
    Some(match rule {
        Some(rule) => {
            let signed = rule.prefers.agent_attribute.as_deref().and_then(|name| visit.attributes.get(name));
            let name = signed.map(|name| name.as_str().into()).or_else(|| rule.prefers.agent.clone());
            Entry {
                queue,
                skills: rule.skills.clone(),
                priority: rule.priority,
                preferred_skills: rule.prefers.skills.clone(),
                preferred_agent: name.map(|name| AskedAgent { name, required: rule.prefers.required }),
            }
        }
        None => Entry { queue, ..Entry::default() },
    })
}

fn matches(rule: &EntryRule, visit: Visit<'_>) -> bool {
    rule.known.is_none_or(|known| known == visit.known)
        && rule.channel.as_deref().is_none_or(|channel| channel == visit.channel)
        && all_match(&rule.metadata, visit.metadata)
        && all_match(&rule.attributes, visit.attributes)
}

fn all_match(wanted: &BTreeMap<Arc<str>, Vec<Arc<str>>>, sent: &BTreeMap<String, String>) -> bool {
    wanted
        .iter()
        .all(|(key, values)| sent.get(&**key).is_some_and(|value| values.iter().any(|wanted| **wanted == **value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn rules() -> Settings {
        let rules = serde_json::json!([
            {"known": true, "attributes": {"plan": ["gold", "silver"]}, "queue": "vip", "priority": 10},
            {"metadata": {"page": ["/pricing"], "lang": ["fr"]}, "queue": "sales", "skills": {"french": 3}},
            {"channel": "email", "queue": "letters"},
            {"metadata": {"lang": ["fr"]}, "skills": {"french": 1}},
        ]);
        Settings {
            entry_rules: serde_json::from_value(rules).unwrap(),
            default_queue: Some("support".into()),
            ..Settings::default()
        }
    }

    fn placed(metadata: &[(&str, &str)], attributes: &[(&str, &str)], known: bool, channel: &str) -> Entry {
        let (metadata, attributes) = (map(metadata), map(attributes));
        entry(&rules(), Visit { metadata: &metadata, attributes: &attributes, known, channel }).unwrap()
    }

    #[test]
    fn the_first_rule_that_matches_places_a_conversation() {
        let vip = placed(&[("page", "/pricing"), ("lang", "fr")], &[("plan", "gold")], true, "chat");
        assert_eq!((&*vip.queue, vip.priority), ("vip", Some(10)));
        let sales = placed(&[("page", "/pricing"), ("lang", "fr")], &[], false, "chat");
        assert_eq!((&*sales.queue, sales.skills.get("french")), ("sales", Some(&3)));
        assert_eq!(&*placed(&[], &[], false, "email").queue, "letters");
        let french = placed(&[("lang", "fr")], &[], false, "chat");
        assert_eq!((&*french.queue, french.skills.get("french")), ("support", Some(&1)));
        assert_eq!(placed(&[], &[], false, "chat"), Entry { queue: "support".into(), ..Entry::default() });
    }

    #[test]
    fn a_rule_names_the_preferred_agent_or_the_signed_attribute_that_does() {
        let rules = serde_json::json!([{"prefers": {
            "skills": ["french"], "agent": "bob", "agent_attribute": "account_manager", "required": true
        }}]);
        let settings = Settings {
            entry_rules: serde_json::from_value(rules).unwrap(),
            default_queue: Some("support".into()),
            ..Settings::default()
        };
        let (none, signed) = (BTreeMap::new(), map(&[("account_manager", "ada")]));
        let by = |metadata, attributes| {
            let visit = Visit { metadata, attributes, known: true, channel: "chat" };
            let entry = entry(&settings, visit).unwrap();
            assert_eq!(entry.preferred_skills, ["french".into()]);
            entry.preferred_agent
        };
        let named = |name: &str| Some(AskedAgent { name: name.into(), required: true });
        assert_eq!(by(&none, &signed), named("ada"));
        assert_eq!(by(&signed, &none), named("bob"));
    }

    #[test]
    fn metadata_never_passes_for_signed_attributes() {
        assert_eq!(&*placed(&[("plan", "gold")], &[], true, "chat").queue, "support");
        assert_eq!(&*placed(&[], &[("plan", "gold")], false, "chat").queue, "support");
    }

    #[test]
    fn without_a_matching_rule_and_a_default_queue_there_is_no_place() {
        let none = BTreeMap::new();
        let visit = Visit { metadata: &none, attributes: &none, known: false, channel: "chat" };
        assert_eq!(entry(&Settings::default(), visit), None);
    }
}
