//! One JSON object from outside, taken apart field by field, so that whatever is wrong with it can be named. One pass
//! over the text, no copy of a value before its kind and size are known.

use super::error::{Code, WireError};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The most different fields that one shape may know.
const KNOWN_MAX: usize = 40;
/// How much of an unknown field's name is said back.
const NAME_SAID_BYTES_MAX: usize = 64;

/// The fields that were sent, each to be taken once; `finish` refuses what nobody took.
#[derive(Debug)]
pub struct Fields<'a> {
    known: &'static [&'static str],
    values: [Option<&'a RawValue>; KNOWN_MAX],
    unknown: Option<String>,
}

impl<'a> Fields<'a> {
    /// Takes `text` apart; `known` are the names of all fields that the shape may have.
    ///
    /// # Errors
    /// `bad_request` when it is not one JSON object, or has a field twice.
    pub fn parse(text: &'a str, known: &'static [&'static str]) -> Result<Self, WireError> {
        assert!(known.len() <= KNOWN_MAX, "a shape knows at most {KNOWN_MAX} fields");
        let mut fields = Self { known, values: [None; KNOWN_MAX], unknown: None };
        let mut json = serde_json::Deserializer::from_str(text);
        (&mut json)
            .deserialize_map(Object(&mut fields))
            .and_then(|()| json.end())
            .map_err(|wrong| WireError::new(Code::BadRequest, said(&wrong)))?;
        Ok(fields)
    }

    /// The field as it was sent; `null` is the same as absent.
    pub fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.known.iter().position(|known| *known == name).expect("only known fields are asked for");
        self.values[place].take().filter(|value| value.get() != "null")
    }

    /// A string of at most `bytes_max` bytes of UTF-8.
    ///
    /// # Errors
    /// `bad_request` when it is no string, `too_large` when it is too long.
    pub fn text(&mut self, name: &'static str, bytes_max: usize) -> Result<Option<Cow<'a, str>>, WireError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        string(raw, name, bytes_max).map(Some)
    }

    /// A string that is there and not empty.
    ///
    /// # Errors
    /// As `text`; `bad_request` when it is missing, `bad_field` when it is empty.
    pub fn some_text(&mut self, name: &'static str, bytes_max: usize) -> Result<Cow<'a, str>, WireError> {
        let text = self.text(name, bytes_max)?.ok_or_else(|| missing(name))?;
        if text.is_empty() {
            return Err(WireError::new(Code::BadField, format!("{name} is empty")).at(name));
        }
        Ok(text)
    }

    /// What `FromStr` of an id reads.
    ///
    /// # Errors
    /// `bad_request` when it is missing or no string, `bad_field` when it is not such an id.
    pub fn id<T: std::str::FromStr>(&mut self, name: &'static str) -> Result<T, WireError> {
        let raw = self.take(name).ok_or_else(|| missing(name))?;
        // Ids are short: what is longer need not be unescaped to be refused.
        let text = string(raw, name, NAME_SAID_BYTES_MAX).map_err(|error| match error.code {
            Code::TooLarge => WireError::new(Code::BadField, format!("{name} is not an id of this kind")).at(name),
            _ => error,
        })?;
        text.parse().map_err(|_| WireError::new(Code::BadField, format!("{name} is not an id of this kind")).at(name))
    }

    /// A whole number from 0 to 2^32-1.
    ///
    /// # Errors
    /// `bad_request` when it is something else.
    pub fn number(&mut self, name: &'static str) -> Result<Option<u32>, WireError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong_kind(name, "a whole number from 0 to 4294967295"))
    }

    /// Unix milliseconds.
    ///
    /// # Errors
    /// `bad_request` when it is something else.
    pub fn milliseconds(&mut self, name: &'static str) -> Result<Option<u64>, WireError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong_kind(name, "a time in Unix milliseconds"))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// `bad_request` when it is something else.
    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, WireError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong_kind(name, "true or false"))
    }

    /// Nothing may be left: neither an unknown field, nor one that this kind of object does not have.
    ///
    /// # Errors
    /// `bad_request`, with the field named.
    pub fn finish(self) -> Result<(), WireError> {
        let left = self.known.iter().zip(&self.values).find(|(_, value)| value.is_some());
        let name = match (left, self.unknown) {
            (Some((name, _)), _) => Cow::Borrowed(*name),
            (None, Some(name)) => Cow::Owned(name),
            (None, None) => return Ok(()),
        };
        Err(WireError::new(Code::BadRequest, format!("unknown field {name:?}")).at(name))
    }
}

pub(super) fn string<'a>(raw: &'a RawValue, name: &'static str, bytes_max: usize) -> Result<Cow<'a, str>, WireError> {
    #[derive(serde::Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
    let too_large = || WireError::new(Code::TooLarge, format!("{name} is over {bytes_max} bytes")).at(name);
    // The longest spelling of a byte of text is six bytes (`\u0001`), so this much cannot fit.
    if raw.get().len() > bytes_max.saturating_mul(6).saturating_add(2) {
        return Err(if raw.get().starts_with('"') { too_large() } else { wrong_kind(name, "a string") });
    }
    let Borrowed(text) = serde_json::from_str(raw.get()).map_err(|_| wrong_kind(name, "a string"))?;
    if text.len() > bytes_max { Err(too_large()) } else { Ok(text) }
}

pub(super) fn missing(name: &'static str) -> WireError {
    WireError::new(Code::BadRequest, format!("{name} is missing")).at(name)
}

pub(super) fn wrong_kind(name: &'static str, expected: &str) -> WireError {
    WireError::new(Code::BadRequest, format!("{name} must be {expected}")).at(name)
}

/// What serde says, without the parts of the request that it quotes beyond measure.
fn said(wrong: &serde_json::Error) -> String {
    let mut message = wrong.to_string();
    cut(&mut message, 200);
    message
}

fn cut(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push('…');
    }
}

struct Object<'f, 'a>(&'f mut Fields<'a>);

impl<'a> Visitor<'a> for Object<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let fields = self.0;
        while let Some(key) = map.next_key_seed(Name(fields.known))? {
            match key {
                Key::Known(place) => {
                    let value: &'a RawValue = map.next_value()?;
                    if fields.values[place].replace(value).is_some() {
                        return Err(A::Error::custom(format_args!("the field {} is there twice", fields.known[place])));
                    }
                }
                Key::Unknown(name) => {
                    map.next_value::<IgnoredAny>()?;
                    fields.unknown.get_or_insert(name);
                }
            }
        }
        Ok(())
    }
}

enum Key {
    Known(usize),
    Unknown(String),
}

/// Looks a name up without copying it, unless it is unknown.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Key;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.0.iter().position(|known| *known == name) {
            Some(place) => Key::Known(place),
            None => {
                let mut said = name[..name.floor_char_boundary(NAME_SAID_BYTES_MAX + 1)].to_owned();
                cut(&mut said, NAME_SAID_BYTES_MAX);
                Key::Unknown(said)
            }
        })
    }
}
