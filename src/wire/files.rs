//! Files in messages: how a message names them, and how it shows them.

use super::error::{Code, WireError};
use super::fields::{Fields, wrong_kind};
use super::spelled::{Spelled, spelled};
use crate::desk::files::{Attached, FILES_EACH_MAX, FileId, FileRules};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

/// A file as both sides see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "File")]
pub struct FileShape {
    #[serde(serialize_with = "spelled")]
    #[schemars(with = "Spelled<FileId>")]
    pub file: FileId,
    /// Empty when its customer was erased.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

impl FileShape {
    /// Its name unsealed.
    #[must_use]
    pub fn of(file: &Attached, name: String) -> Self {
        let Attached { file, name: _, kind, bytes, width, height } = file;
        Self { file: *file, name, kind: kind.clone(), bytes: *bytes, width: *width, height: *height }
    }

    /// What it takes of a page, at most.
    #[must_use]
    pub fn bytes_in_json(&self) -> usize {
        160 + self.kind.len() + 6 * self.name.len()
    }
}

/// The answer to an upload.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Uploaded")]
pub struct UploadedShape {
    pub file: FileShape,
}

/// What pages are told of what a workspace allows.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "FilesAllowed")]
pub struct FilesAllowedShape<'a> {
    pub max_bytes: u64,
    pub types: &'a [Arc<str>],
}

impl<'a> From<&'a FileRules> for FilesAllowedShape<'a> {
    fn from(rules: &'a FileRules) -> Self {
        Self { max_bytes: rules.max_bytes, types: &rules.types }
    }
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PostBody {
    /// Empty only where there are files.
    pub text: String,
    pub files: Vec<FileId>,
}

impl PostBody {
    /// Its `text` and `files`.
    ///
    /// # Errors
    /// `bad_request`, `bad_field` or `too_large`, with the field at fault.
    pub fn take(fields: &mut Fields<'_>, text_bytes_max: usize) -> Result<Self, WireError> {
        let files = files(fields)?;
        let text = match files.is_empty() {
            true => fields.some_text("text", text_bytes_max)?.into_owned(),
            false => fields.text("text", text_bytes_max)?.unwrap_or_default().into_owned(),
        };
        Ok(Self { text, files })
    }
}

fn files(fields: &mut Fields<'_>) -> Result<Vec<FileId>, WireError> {
    let Some(raw) = fields.take("files") else { return Ok(Vec::new()) };
    let bad = |what: String| WireError::new(Code::BadField, what).at("files");
    let kind = || wrong_kind("files", "a list of files");
    // An id takes 34 characters; what is much longer is no list of so few.
    if raw.get().len() > FILES_EACH_MAX * 64 {
        return Err(bad(format!("files are at most {FILES_EACH_MAX}")));
    }
    let spelled: Vec<&str> = serde_json::from_str(raw.get()).map_err(|_| kind())?;
    let files: Vec<FileId> =
        spelled.iter().map(|text| text.parse().map_err(|_| no_such_file())).collect::<Result<_, _>>()?;
    if files.len() > FILES_EACH_MAX {
        return Err(bad(format!("files are at most {FILES_EACH_MAX}")));
    }
    let twice = files.iter().enumerate().any(|(place, file)| files[..place].contains(file));
    if twice { Err(bad("a file is there twice".to_owned())) } else { Ok(files) }
}

/// One that never was, one of another conversation, and one that nobody named in time.
#[must_use]
pub fn no_such_file() -> WireError {
    WireError::new(Code::NoSuchFile, "there is no such file in this conversation").at("files")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(json: &str) -> Result<PostBody, (Code, Option<String>)> {
        let mut fields = Fields::parse(json, &["text", "files"]).unwrap();
        PostBody::take(&mut fields, 100).map_err(|error| (error.code, error.field.map(|field| field.into_owned())))
    }

    #[test]
    fn a_message_has_text_or_files() {
        let one = FileId(1);
        assert_eq!(taken(r#"{"text":"a"}"#), Ok(PostBody { text: "a".into(), files: vec![] }));
        assert_eq!(taken(&format!(r#"{{"files":["{one}"]}}"#)), Ok(PostBody { text: "".into(), files: vec![one] }));
        assert_eq!(taken(&format!(r#"{{"text":"","files":["{one}"]}}"#)).unwrap().files, [one]);
        assert_eq!(taken(r#"{"files":[]}"#), Err((Code::BadRequest, Some("text".into()))));
        assert_eq!(taken(r#"{"text":"","files":[]}"#), Err((Code::BadField, Some("text".into()))));
    }

    #[test]
    fn what_is_wrong_with_files_is_said_at_files() {
        let many: Vec<String> = (0..6).map(|file| format!("\"{}\"", FileId(file))).collect();
        let cases = [
            (format!("[{}]", many.join(",")), Code::BadField),
            (format!("[{0},{0}]", many[0]), Code::BadField),
            ("[\"f_1\"]".into(), Code::NoSuchFile),
            ("[\"../../etc/passwd\"]".into(), Code::NoSuchFile),
            ("[1]".into(), Code::BadRequest),
            ("\"f_1\"".into(), Code::BadRequest),
            (format!("[\"{}\"]", "x".repeat(10_000)), Code::BadField),
        ];
        for (files, code) in cases {
            assert_eq!(
                taken(&format!(r#"{{"text":"a","files":{files}}}"#)),
                Err((code, Some("files".into()))),
                "{files}"
            );
        }
    }
}
