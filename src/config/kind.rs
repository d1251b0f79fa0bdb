//! The kinds of values that settings have: how each is written, what is allowed, how it is read. Pure.

use std::net::SocketAddr;

use crate::gateway::auth::keys::KeySettings;
use crate::gateway::signin::ProviderSettings;

/// What a setting may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Count {
        min: u64,
        max: u64,
    },
    /// A number of bytes, or text like "16 KiB".
    Bytes {
        min: u64,
        max: u64,
    },
    Flag,
    /// A part of the whole, kept in millionths.
    Ratio,
    Text {
        bytes_max: usize,
    },
    Choice(&'static [&'static str]),
    /// An address and port to listen on.
    Address,
    Texts {
        entries_max: usize,
    },
    /// The list of `identity.agent_keys`.
    Keys {
        entries_max: usize,
    },
    /// The list of `signin.providers`.
    Providers {
        entries_max: usize,
    },
}

/// A value that was found to be of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain {
    Number(u64),
    Flag(bool),
    Text(String),
    Address(SocketAddr),
    Texts(Vec<String>),
    Keys(Vec<KeySettings>),
    Providers(Vec<ProviderSettings>),
}

impl Kind {
    /// The value as it is meant, or None if it is not of this kind or out of range.
    pub fn read(&self, value: &toml::Value) -> Option<Plain> {
        match self {
            Self::Count { min, max } => {
                let count = u64::try_from(value.as_integer()?).ok()?;
                (*min..=*max).contains(&count).then_some(Plain::Number(count))
            }
            Self::Bytes { min, max } => {
                let bytes = match value {
                    toml::Value::Integer(bytes) => u64::try_from(*bytes).ok()?,
                    toml::Value::String(text) => bytes_of_text(text)?,
                    _ => return None,
                };
                (*min..=*max).contains(&bytes).then_some(Plain::Number(bytes))
            }
            Self::Flag => value.as_bool().map(Plain::Flag),
            Self::Ratio => {
                let ratio = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))?;
                (0.0..=1.0).contains(&ratio).then(|| Plain::Number((ratio * 1e6).round() as u64))
            }
            Self::Text { bytes_max } => {
                let text = value.as_str()?;
                let fits = text.len() <= *bytes_max && !text.chars().any(char::is_control);
                fits.then(|| Plain::Text(text.to_owned()))
            }
            Self::Choice(words) => {
                let text = value.as_str()?;
                words.contains(&text).then(|| Plain::Text(text.to_owned()))
            }
            Self::Address => value.as_str()?.parse().ok().map(Plain::Address),
            Self::Texts { entries_max } => {
                let list = value.as_array()?;
                if list.len() > *entries_max {
                    return None;
                }
                let texts: Option<Vec<String>> = list.iter().map(|entry| entry.as_str().map(str::to_owned)).collect();
                texts.map(Plain::Texts)
            }
            Self::Keys { entries_max } => {
                let list = value.as_array()?;
                if list.len() > *entries_max {
                    return None;
                }
                let keys: Option<Vec<KeySettings>> = list.iter().map(|entry| entry.clone().try_into().ok()).collect();
                keys.map(Plain::Keys)
            }
            Self::Providers { entries_max } => {
                let list = value.as_array().filter(|list| list.len() <= *entries_max)?;
                let providers: Option<Vec<_>> = list.iter().map(|entry| entry.clone().try_into().ok()).collect();
                providers.map(Plain::Providers)
            }
        }
    }

    /// What is allowed, as the end of the sentence "Allowed is …".
    pub fn allowed(&self) -> String {
        match self {
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Bytes { min, max } => {
                format!("a size from {min} to {max} bytes, as a number or as text like \"16 KiB\"")
            }
            Self::Flag => "true or false".to_owned(),
            Self::Ratio => "a number from 0 to 1".to_owned(),
            Self::Text { bytes_max } => {
                format!("text of at most {bytes_max} bytes without control characters")
            }
            Self::Choice(words) => format!("one of \"{}\"", words.join("\", \"")),
            Self::Address => "an IP address and port, like \"127.0.0.1:7788\"".to_owned(),
            Self::Texts { entries_max } => format!("a list of at most {entries_max} texts"),
            Self::Keys { entries_max } => format!(
                "a list of at most {entries_max} tables with kid (1 to 128 printable characters), algorithm (HS256, \
                 RS256, ES256 or EdDSA), file, and if you wish workspace"
            ),
            Self::Providers { entries_max } => format!(
                "a list of at most {entries_max} tables with workspace, issuer, client_id, agent_claim, and if you wish \
                 client_secret_file, scopes, trust_email, title_claim, role_claim, agents, supervisors, administrators, \
                 create_agents"
            ),
        }
    }

    /// How text from the environment or the command line is written in TOML. What does not fit stays text, so that the
    /// check that follows can show it as it was given.
    pub fn value_of_text(&self, raw: &str) -> toml::Value {
        let as_text = || toml::Value::String(raw.to_owned());
        match self {
            Self::Count { .. } | Self::Bytes { .. } => {
                raw.parse::<i64>().map_or_else(|_| as_text(), toml::Value::Integer)
            }
            Self::Flag => raw.parse::<bool>().map_or_else(|_| as_text(), toml::Value::Boolean),
            Self::Ratio => raw.parse::<f64>().map_or_else(|_| as_text(), toml::Value::Float),
            Self::Text { .. } | Self::Choice(_) | Self::Address => as_text(),
            Self::Texts { .. } | Self::Keys { .. } | Self::Providers { .. } if raw.starts_with('[') => {
                toml::from_str::<toml::Table>(&format!("list = {raw}"))
                    .ok()
                    .and_then(|mut table| table.remove("list"))
                    .unwrap_or_else(as_text)
            }
            Self::Texts { .. } => toml::Value::Array(
                raw.split(',')
                    .map(str::trim)
                    .filter(|entry| !entry.is_empty())
                    .map(|entry| toml::Value::String(entry.to_owned()))
                    .collect(),
            ),
            Self::Keys { .. } | Self::Providers { .. } => as_text(),
        }
    }
}

/// Reads "65536", "64 KiB", "1.5 MiB" or "1 GB"; None if it is not a whole number of bytes.
fn bytes_of_text(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return None,
    };
    let Some((whole, fraction)) = number.split_once('.') else {
        return number.parse::<u64>().ok()?.checked_mul(unit);
    };
    // Decimal arithmetic, so that "1.1 kB" is 1,100 and "0.3 KiB" (307.2 bytes) is refused instead of rounded.
    if fraction.is_empty() || fraction.len() > 6 {
        return None;
    }
    let scale = 10u64.pow(u32::try_from(fraction.len()).ok()?);
    let scaled = fraction.parse::<u64>().ok()?.checked_mul(unit)?;
    if scaled % scale != 0 {
        return None;
    }
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(scaled / scale)
}

/// Reading a checked value into a field's own type.
pub trait FromPlain: Sized {
    fn from_plain(plain: Plain) -> Option<Self>;
}

macro_rules! from_number {
    ($($ty:ty),*) => {$(
        impl FromPlain for $ty {
            fn from_plain(plain: Plain) -> Option<Self> {
                match plain { Plain::Number(number) => Self::try_from(number).ok(), _ => None }
            }
        }
    )*};
}
from_number!(u32, u64, usize, i64);

macro_rules! from_variant {
    ($($variant:ident => $ty:ty),*) => {$(
        impl FromPlain for $ty {
            fn from_plain(plain: Plain) -> Option<Self> {
                match plain { Plain::$variant(value) => Some(value.into()), _ => None }
            }
        }
    )*};
}
from_variant!(Flag => bool, Text => String, Text => std::path::PathBuf, Address => SocketAddr, Texts => Vec<String>,
    Keys => Vec<KeySettings>, Providers => Vec<ProviderSettings>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_or_text_with_a_unit() {
        for (text, bytes) in [
            ("65536", 65536),
            ("16 KiB", 16384),
            ("16KiB", 16384),
            ("256 MiB", 268_435_456),
            ("1 GB", 1_000_000_000),
            ("1.5 MiB", 1_572_864),
            ("1.1 kB", 1100),
            ("7 B", 7),
        ] {
            assert_eq!(bytes_of_text(text), Some(bytes), "{text}");
        }
        for text in ["", "KiB", "1 kib", "-1", "1,5 MiB", "1 MiB 2", "0.3 KiB", "1.", "99999999999 TiB", "1.2.3 MB"] {
            assert_eq!(bytes_of_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_outside_its_range_is_not_of_its_kind() {
        let kind = Kind::Count { min: 1, max: 5 };
        assert_eq!(kind.read(&toml::Value::Integer(5)), Some(Plain::Number(5)));
        for wrong in [0, 6, -1] {
            assert_eq!(kind.read(&toml::Value::Integer(wrong)), None);
        }
        assert_eq!(kind.read(&toml::Value::Float(2.0)), None);
    }

    #[test]
    fn a_ratio_is_a_part_of_the_whole_in_millionths() {
        let read = |text: &str| Kind::Ratio.read(&Kind::Ratio.value_of_text(text));
        assert_eq!(
            (read("0.01"), read("1"), read("0")),
            (Some(Plain::Number(10_000)), Some(Plain::Number(1_000_000)), Some(Plain::Number(0)))
        );
        assert_eq!(Kind::Ratio.read(&toml::Value::Integer(1)), Some(Plain::Number(1_000_000)));
        for wrong in ["1.1", "-0.1", "nan", "much"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_list_in_the_environment_is_toml_or_parts_between_commas() {
        let kind = Kind::Texts { entries_max: 3 };
        let both = Some(Plain::Texts(vec!["a".into(), "b".into()]));
        assert_eq!(kind.read(&kind.value_of_text("a, b")), both);
        assert_eq!(kind.read(&kind.value_of_text("[\"a\", \"b\"]")), both);
        assert_eq!(kind.read(&kind.value_of_text("")), Some(Plain::Texts(vec![])));
        assert_eq!(kind.read(&kind.value_of_text("[\"a\"")), None);
        assert_eq!(kind.read(&kind.value_of_text("a,b,c,d")), None);
    }
}
