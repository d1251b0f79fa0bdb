//! Files that are added to messages: what the desk is told of each, and which a workspace allows. What is in them is elsewhere, and no
//! decision rests on it. Plain values.

use super::conversation::Conversation;
use super::ids::{ConversationId, NotAnId};
use super::refusal::Refusal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Files of one message.
pub const FILES_EACH_MAX: usize = 5;
/// Files of one conversation.
pub const FILES_MAX: usize = 200;
pub const FILE_BYTES_MAX: u64 = 20 << 20;
const FILE_BYTES: u64 = 10 << 20;
const TYPES_MAX: usize = 50;
const TYPE_BYTES_MAX: usize = 100;
const TYPES: [&str; 6] = ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"];

/// A file: 128 bits that nobody can guess.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u128);

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f_{:032x}", self.0)
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for FileId {
    type Err = NotAnId;
    /// The form that `Display` gives; nothing else, so that one file has one spelling, also on the disk.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.strip_prefix("f_").filter(|digits| digits.len() == 32).ok_or(NotAnId)?;
        if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotAnId);
        }
        u128::from_str_radix(digits, 16).map(Self).map_err(|_| NotAnId)
    }
}

impl Serialize for FileId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for FileId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FileId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^f_[0-9a-f]{32}$"})
    }
}

impl<'de> Deserialize<'de> for FileId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A file as the message that has it keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attached {
    pub file: FileId,
    /// Sealed.
    pub name: Arc<str>,
    /// As was seen from what is in it: `image/png`.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    pub bytes: u64,
    /// Of pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// The files of a message; mostly none.
pub type Attachments = Arc<[Attached]>;

/// What they take in a record or a command.
#[must_use]
pub fn bytes_of(files: &[Attached]) -> usize {
    files.iter().map(|file| 160 + file.name.len() + file.kind.len()).sum()
}

pub(super) fn is_none(files: &Attachments) -> bool {
    files.is_empty()
}

/// Which files may be added to messages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileRules {
    pub max_bytes: u64,
    /// As they are told from what is in a file, never from its name.
    pub types: Vec<Arc<str>>,
}

impl Default for FileRules {
    fn default() -> Self {
        Self { max_bytes: FILE_BYTES, types: TYPES.map(Arc::from).to_vec() }
    }
}

impl FileRules {
    /// What a workspace has that says nothing of it. (So it is written only where it is something else, and a release that does not
    /// know of files reads the settings of whoever never set any.)
    #[must_use]
    pub(super) fn usual() -> Option<Self> {
        Some(Self::default())
    }

    pub(super) fn are_usual(rules: &Option<Self>) -> bool {
        *rules == Self::usual()
    }

    /// Those by which files are taken; none where no kind is allowed.
    #[must_use]
    pub fn in_force(rules: &Option<Self>) -> Option<&Self> {
        rules.as_ref().filter(|rules| !rules.types.is_empty())
    }

    /// # Errors
    /// The first field that does not hold.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |field: &str, what: String| Err(Refusal::BadSetting { field: field.into(), what });
        if !(1..=FILE_BYTES_MAX).contains(&self.max_bytes) {
            return bad("files.max_bytes", format!("1 to {FILE_BYTES_MAX}"));
        }
        if self.types.len() > TYPES_MAX {
            return bad("files.types", format!("at most {TYPES_MAX}"));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&-^_.+".contains(&byte);
        for (place, kind) in self.types.iter().enumerate() {
            let parts = kind.split_once('/').map(|(kind, form)| [kind, form]);
            let good = parts.is_some_and(|parts| parts.iter().all(|part| !part.is_empty() && part.bytes().all(plain)));
            if !good || kind.len() > TYPE_BYTES_MAX {
                return bad(&format!("files.types[{place}]"), "kind/form in lower case, such as image/png".into());
            }
        }
        Ok(())
    }
}

impl Conversation {
    /// Those that its messages have.
    #[must_use]
    pub fn files(&self) -> &[FileId] {
        self.moved.as_ref().map_or(&[], |moved| &moved.files)
    }

    pub(super) fn add_files(&mut self, files: &[Attached]) {
        if !files.is_empty() {
            self.change_moved(|moved| moved.files.extend(files.iter().map(|file| file.file)));
        }
    }

    /// Whether a message may have these: each file belongs to one.
    pub(super) fn may_add(&self, id: ConversationId, files: &[Attached]) -> Result<(), Refusal> {
        for (place, file) in files.iter().enumerate() {
            let named = self.files().contains(&file.file);
            if named || files[..place].iter().any(|other| other.file == file.file) {
                return Err(Refusal::FileTaken { conversation: id, file: file.file });
            }
        }
        if files.len() > FILES_EACH_MAX || self.files().len() + files.len() > FILES_MAX {
            return Err(Refusal::TooMany { what: "files".into(), most: FILES_MAX });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_spelling() {
        let file = FileId(0xab);
        assert_eq!(file.to_string(), "f_000000000000000000000000000000ab");
        assert_eq!(file.to_string().parse(), Ok(file));
        for bad in
            ["", "f_", "f_ab", "000000000000000000000000000000ab", "f_000000000000000000000000000000AB", "f_../../etc"]
        {
            assert!(bad.parse::<FileId>().is_err(), "{bad}");
        }
        assert!("f_+00000000000000000000000000000ab".parse::<FileId>().is_err());
    }

    #[test]
    fn rules_that_do_not_hold_name_their_field() {
        assert!(FileRules::default().check().is_ok());
        let with =
            |max_bytes, types: &[&str]| FileRules { max_bytes, types: types.iter().copied().map(Arc::from).collect() };
        let cases = [
            (with(0, &["image/png"]), "files.max_bytes"),
            (with(FILE_BYTES_MAX + 1, &["image/png"]), "files.max_bytes"),
            (with(1, &["a/b"; TYPES_MAX + 1]), "files.types"),
            (with(1, &["image/png", "image"]), "files.types[1]"),
            (with(1, &["Image/PNG"]), "files.types[0]"),
            (with(1, &["a/b/c"]), "files.types[0]"),
            (with(1, &["a/b\r\nX: y"]), "files.types[0]"),
        ];
        for (rules, field) in cases {
            assert_eq!(rules.check().unwrap_err().field(), Some(field));
        }
    }

    #[test]
    fn messages_without_files_are_written_as_they_always_were() {
        use crate::desk::command::Author;
        use crate::desk::event::Event;
        use crate::desk::ids::CustomerId;
        let before = r#"{"message_posted":{"conversation":1,"number":2,"author":{"customer":"00000000000000000000000000000003"},"text":"x","public":4}}"#;
        let author = Author::Customer(CustomerId(3));
        let event = |files: Attachments| Event::MessagePosted {
            conversation: ConversationId(1),
            number: 2,
            author,
            text: "x".into(),
            public: 4,
            files,
        };
        assert_eq!(serde_json::from_str::<Event>(before).unwrap(), event(Attachments::default()));
        assert_eq!(serde_json::to_string(&event(Attachments::default())).unwrap(), before);
        let kind: Arc<str> = "image/png".into();
        let file = Attached { file: FileId(5), name: "sealed".into(), kind, bytes: 6, width: Some(7), height: Some(8) };
        let json = serde_json::to_string(&event([file.clone()].into())).unwrap();
        let with = r#","files":[{"file":"f_00000000000000000000000000000005","name":"sealed","type":"image/png","bytes":6,"width":7,"height":8}]}}"#;
        assert_eq!(json, format!("{}{with}", &before[..before.len() - 2]));
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event([file].into()));
    }

    #[test]
    fn what_is_usual_is_not_written_and_none_is() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        struct Held {
            #[serde(skip_serializing_if = "FileRules::are_usual")]
            files: Option<FileRules>,
        }
        impl Default for Held {
            fn default() -> Self {
                Self { files: FileRules::usual() }
            }
        }
        assert_eq!(serde_json::to_string(&Held::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Held>("{}").unwrap(), Held::default());
        let none = Held { files: None };
        assert_eq!(serde_json::to_string(&none).unwrap(), r#"{"files":null}"#);
        assert_eq!(serde_json::from_str::<Held>(r#"{"files":null}"#).unwrap(), none);
    }
}
