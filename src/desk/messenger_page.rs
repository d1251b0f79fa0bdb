//! How the messenger looks and what it says on every page of a workspace, where a page does not say otherwise. The desk keeps and checks
//! it, and nothing is decided by it.

use super::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

const HEADING_BYTES_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = 1_000;
const LANGUAGES_MAX: usize = 20;
/// Between two colours, so that what is written in one on the other can be read (WCAG 2.2, 1.4.3).
const CONTRAST_MIN: f64 = 4.5;
const WHITE: &str = "#ffffff";

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MessengerPage {
    pub texts: PageTexts,
    /// In this language instead: each text that is there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_language: BTreeMap<Arc<str>, PageTexts>,
    /// `#1d5bbf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<Arc<str>>,
    /// What is written on the accent; absent: white.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent_text: Option<Arc<str>>,
    /// Those that visitors are spoken to in; empty: all that it knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Arc<str>>,
    /// What is asked before a conversation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ask: Vec<PageAsks>,
    pub position: PagePosition,
}

/// Words of the workspace's own; what is absent the messenger says in its own words.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PageTexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heading: Option<Arc<str>>,
    /// What an empty conversation shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Arc<str>>,
    /// What is shown in its place while nothing can be begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline: Option<Arc<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageAsks {
    Name,
    Email,
}

/// At which end of a line's direction the button is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PagePosition {
    #[default]
    End,
    Start,
}

impl MessengerPage {
    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        self.texts.check("texts")?;
        ensure(self.by_language.len() <= LANGUAGES_MAX, "by_language", || format!("at most {LANGUAGES_MAX}"))?;
        for (language, texts) in &self.by_language {
            let field = format!("by_language.{language}");
            ensure(is_language(language), &field, || "a language is two or three letters, like de".into())?;
            texts.check(&field)?;
        }
        ensure(self.languages.len() <= LANGUAGES_MAX, "languages", || format!("at most {LANGUAGES_MAX}"))?;
        for (place, language) in self.languages.iter().enumerate() {
            let field = format!("languages[{place}]");
            ensure(is_language(language), &field, || "a language is two or three letters, like de".into())?;
        }
        ensure(self.ask.len() <= 2, "ask", || "name and email, each once".into())?;
        let colour = |text: &Option<Arc<str>>, field: &str| {
            let sound = text.as_deref().is_none_or(|text| luminance(text).is_some());
            ensure(sound, field, || "a colour is # and six hexadecimal digits".into())
        };
        colour(&self.accent, "accent")?;
        colour(&self.accent_text, "accent_text")?;
        let Some(accent) = self.accent.as_deref() else {
            return ensure(self.accent_text.is_none(), "accent_text", || {
                "without an accent there is nothing it is on".into()
            });
        };
        let contrast = contrast(accent, self.accent_text.as_deref().unwrap_or(WHITE));
        ensure(contrast >= CONTRAST_MIN, "accent", || {
            format!("what is written on it cannot be read: {contrast:.1} to 1, and {CONTRAST_MIN} to 1 is the least")
        })
    }
}

impl PageTexts {
    fn check(&self, field: &str) -> Result<(), Refusal> {
        for (text, name, most) in [
            (&self.heading, "heading", HEADING_BYTES_MAX),
            (&self.greeting, "greeting", TEXT_BYTES_MAX),
            (&self.offline, "offline", TEXT_BYTES_MAX),
        ] {
            let fits = text.as_ref().is_none_or(|text| (1..=most).contains(&text.len()));
            ensure(fits, &format!("{field}.{name}"), || format!("1 to {most} bytes"))?;
        }
        Ok(())
    }
}

fn is_language(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one).unwrap_or(0.0), luminance(other).unwrap_or(0.0));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance of `#rrggbb`, as WCAG computes it; `None` for what is no colour.
fn luminance(colour: &str) -> Option<f64> {
    let digits = colour.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).ok()?) / 255.0;
        Some(if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * part(0)? + 0.7152 * part(2)? + 0.0722 * part(4)?)
}

fn ensure(holds: bool, field: &str, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(Refusal::BadSetting { field: format!("messenger.{field}"), what: what() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refused(page: Value) -> String {
        let page: MessengerPage = serde_json::from_value(page).expect("it is read");
        match page.check() {
            Ok(()) => String::new(),
            Err(refusal) => refusal.field().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn a_page_is_checked_with_the_field_named() {
        let long = "x".repeat(1_001);
        for (page, field) in [
            (json!({}), ""),
            (json!({"accent": "#1d5bbf", "ask": ["name", "email"], "position": "start", "languages": ["de"]}), ""),
            (json!({"accent": "#ffd400", "accent_text": "#000000"}), ""),
            (json!({"accent": "#ffd400"}), "messenger.accent"),
            (json!({"accent": "red"}), "messenger.accent"),
            (json!({"accent": "#12345"}), "messenger.accent"),
            (json!({"accent": "#1234é"}), "messenger.accent"),
            (json!({"accent_text": "#000000"}), "messenger.accent_text"),
            (json!({"texts": {"heading": ""}}), "messenger.texts.heading"),
            (json!({"texts": {"greeting": long}}), "messenger.texts.greeting"),
            (json!({"by_language": {"de": {"offline": long}}}), "messenger.by_language.de.offline"),
            (json!({"by_language": {"de-AT": {}}}), "messenger.by_language.de-AT"),
            (json!({"languages": ["de", "Deutsch"]}), "messenger.languages[1]"),
            (json!({"ask": ["name", "name", "name"]}), "messenger.ask"),
        ] {
            assert_eq!(refused(page.clone()), field, "{page}");
        }
    }

    #[test]
    fn contrast_is_as_wcag_has_it() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.001);
        assert!((contrast("#767676", "#ffffff") - 4.54).abs() < 0.01);
    }
}
