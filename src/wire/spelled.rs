//! Ids as they are spelled on the wire (`c17`), apart from the bare numbers that the journal keeps.

use crate::desk::files::FileId;
use crate::desk::ids::{ConversationId, CustomerId, DecisionId, OfferId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Display;

/// For `#[serde(serialize_with = "spelled")]`.
///
/// # Errors
/// Those of the serializer.
pub fn spelled<T: Display, S: Serializer>(id: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// An id as a value of its own, where a field attribute does not reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spelled<T>(pub T);

impl<T: Display> Serialize for Spelled<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// How an id is spelled, as a JSON Schema: its letter and its number.
macro_rules! spelled_as {
    ($($id:ident $letter:literal,)*) => {$(
        impl JsonSchema for Spelled<$id> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                concat!("Spelled", stringify!($id)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let one: $id = $id(17);
                json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $letter, "(0|[1-9][0-9]*)$"),
                    "examples": [one.to_string()],
                })
            }
        }
    )*};
}

spelled_as! {
    ConversationId "c",
    OfferId "o",
    DecisionId "d",
}

/// Those that are digits alone have one spelling.
macro_rules! spelled_itself {
    ($($id:ident,)*) => {$(
        impl JsonSchema for Spelled<$id> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $id::schema_name()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                $id::json_schema(generator)
            }
        }
    )*};
}

spelled_itself! {
    CustomerId,
    FileId,
}
