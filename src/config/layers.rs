//! The four sources of settings, laid over each other: defaults, file, environment, command line.
//!
//! A value stays as it was written until `sections` reads it, so that `offhook check` can show it with its origin.

use std::collections::BTreeMap;
use std::fmt;

use super::error::ConfigError;
use super::kind::Kind;
use super::sections;

/// The commented file that *is* the defaults.
pub const DEFAULTS: &str = include_str!("../../config/offhook.toml");

const ENVIRONMENT_PREFIX: &str = "OFFHOOK_";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File { path: String, line: usize },
    Environment { name: String },
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Environment { name } => write!(f, "environment {name}"),
            Self::Flag => f.write_str("--set"),
        }
    }
}

/// One setting as written, and by whom.
#[derive(Debug, Clone)]
pub struct Entry {
    pub value: toml::Value,
    pub origin: Origin,
}

/// Every setting by its path (`section.key`), the last source winning.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    entries: BTreeMap<String, Entry>,
}

impl Layers {
    /// Lays the sources over each other; values are not yet checked, names are.
    ///
    /// `file` is (path, text); `environment` may hold foreign variables; `flags` are `section.key=value`.
    pub fn gather(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        layers.add_file(None, DEFAULTS)?;
        if let Some((path, text)) = file {
            layers.add_file(Some(path), text)?;
        }
        for (name, raw) in environment {
            layers.add_variable(&name, &raw)?;
        }
        for flag in flags {
            let (path, raw) = flag.split_once('=').ok_or_else(|| ConfigError::BadFlag { given: flag.clone() })?;
            if !path.contains('.') {
                return Err(ConfigError::BadFlag { given: flag.clone() });
            }
            layers.add_raw(path.trim(), raw.trim(), Origin::Flag)?;
        }
        Ok(layers)
    }

    /// The setting at this path, if a source named it.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// All settings in order of their path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    fn add_file(&mut self, path: Option<&str>, text: &str) -> Result<(), ConfigError> {
        let shown = path.unwrap_or("config/offhook.toml");
        let syntax = |error: toml::de::Error| ConfigError::Syntax {
            path: shown.to_owned(),
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            message: error.message().to_owned(),
        };
        let table: toml::Table = toml::from_str(text).map_err(syntax)?;
        let lines = lines_by_path(text).map_err(syntax)?;
        for (section, value) in table {
            let origin = |path_in_file: &str| match path {
                None => Origin::Default,
                Some(path) => {
                    Origin::File { path: path.to_owned(), line: lines.get(path_in_file).copied().unwrap_or(1) }
                }
            };
            let toml::Value::Table(keys) = value else {
                return Err(unknown(&section, origin(&section)));
            };
            if !sections::all().any(|setting| setting.section() == section) {
                return Err(unknown(&section, origin(&section)));
            }
            for (key, value) in keys {
                let path = format!("{section}.{key}");
                let origin = origin(&path);
                self.put(&path, value, origin)?;
            }
        }
        Ok(())
    }

    /// Takes `OFFHOOK_SECTION__KEY`. A name without the double underscore is left alone: Kubernetes puts
    /// `OFFHOOK_PORT` and the like into every pod beside a service called offhook.
    fn add_variable(&mut self, name: &str, raw: &str) -> Result<(), ConfigError> {
        let Some((section, key)) = name.strip_prefix(ENVIRONMENT_PREFIX).and_then(|rest| rest.split_once("__")) else {
            return Ok(());
        };
        let path = format!("{}.{}", section.to_ascii_lowercase(), key.to_ascii_lowercase());
        self.add_raw(&path, raw, Origin::Environment { name: name.to_owned() })
    }

    fn add_raw(&mut self, path: &str, raw: &str, origin: Origin) -> Result<(), ConfigError> {
        let kind = known(path).ok_or_else(|| unknown(path, origin.clone()))?;
        self.put(path, kind.value_of_text(raw), origin)
    }

    fn put(&mut self, path: &str, value: toml::Value, origin: Origin) -> Result<(), ConfigError> {
        if known(path).is_none() {
            return Err(unknown(path, origin));
        }
        self.entries.insert(path.to_owned(), Entry { value, origin });
        Ok(())
    }
}

fn known(path: &str) -> Option<&'static Kind> {
    sections::all().find(|setting| setting.path == path).map(|setting| &setting.kind)
}

fn unknown(path: &str, origin: Origin) -> ConfigError {
    let nearest = sections::all()
        .map(|setting| (distance(path, setting.path), setting.path))
        .min()
        .filter(|(steps, _)| *steps <= 4);
    let mend = match nearest {
        Some((_, near)) => format!("Did you mean {near}?"),
        None => "`offhook check` without it lists every setting there is.".to_owned(),
    };
    ConfigError::Unknown { field: path.to_owned(), origin, mend }
}

/// Levenshtein's distance, over one row: names are short.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().take(128).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

fn lines_by_path(text: &str) -> Result<BTreeMap<String, usize>, toml::de::Error> {
    let document = toml::de::DeTable::parse(text)?;
    let mut lines = BTreeMap::new();
    for (section, value) in document.get_ref() {
        lines.insert(section.get_ref().to_string(), line_of(text, section.span().start));
        if let Some(keys) = value.get_ref().as_table() {
            for (key, _) in keys {
                lines.insert(format!("{}.{}", section.get_ref(), key.get_ref()), line_of(text, key.span().start));
            }
        }
    }
    Ok(lines)
}
