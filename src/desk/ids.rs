//! The names of things: newtypes that are never reused, so that a stale id can never mean something new.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use std::fmt;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            /// The form that `Display` gives; nothing else, so that one id has one spelling.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let digits = text.strip_prefix($prefix).ok_or(NotAnId)?;
                let plain = !digits.is_empty()
                    && digits.bytes().all(|b| b.is_ascii_digit())
                    && (digits == "0" || !digits.starts_with('0'));
                if !plain {
                    return Err(NotAnId);
                }
                digits.parse().map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

numbered!(
    /// An agent of the workspace; its outside name is in its profile.
    AgentId, u32, "a"
);
numbered!(
    /// A queue of the workspace.
    QueueId, u32, "q"
);
numbered!(
    /// A conversation: counted from 1 in its workspace, so ordered by time.
    ConversationId, u64, "c"
);
numbered!(
    /// An offer: counted from 1 in its workspace, so ordered by time.
    OfferId, u64, "o"
);
numbered!(
    /// A decision that is wanted from outside: counted from 1 in its workspace, so ordered by time.
    DecisionId, u64, "d"
);
numbered!(
    /// A number of a customer's key in the key ring.
    KeyNumber, u64, "k"
);

/// The text is not an id of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct NotAnId;

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            /// 32 hexadecimal digits; the hyphens of a UUID are allowed.
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let mut value: u128 = 0;
                let mut digits = 0;
                for byte in text.bytes() {
                    let digit = match byte {
                        b'0'..=b'9' => byte - b'0',
                        b'a'..=b'f' => byte - b'a' + 10,
                        b'A'..=b'F' => byte - b'A' + 10,
                        b'-' => continue,
                        _ => return Err(NotAnId),
                    };
                    digits += 1;
                    if digits > 32 || text.len() > 36 {
                        return Err(NotAnId);
                    }
                    value = value << 4 | u128::from(digit);
                }
                if digits == 32 { Ok(Self(value)) } else { Err(NotAnId) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": "^[0-9a-f]{32}$"})
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(|_| D::Error::custom("32 hexadecimal digits expected"))
            }
        }
    };
}

hex_id!(
    /// A customer: random for an anonymous one, the keyed hash of the outside id for a known one.
    CustomerId
);
hex_id!(
    /// What a service outside names as one talk with one customer: a keyed hash of its own names.
    ThreadId
);
hex_id!(
    /// What another system calls one of its conversations: a keyed hash of that system's name and of its own id.
    ImportId
);
hex_id!(
    /// Chosen by the client, 128 random bits; the same command again carries the same id.
    CommandId
);
hex_id!(
    /// One connection of one agent's device; random, so that it is never met again. In a cluster its first 48 bits say on which
    /// node it is.
    SessionId
);

numbered!(
    /// One run of one node of a cluster: a new number at each start, less than 2^48.
    NodeNumber, u64, "n"
);

const NODE_BITS: u32 = 48;

impl SessionId {
    /// Made of random bits, on this node.
    #[must_use]
    pub fn on(node: NodeNumber, random: u128) -> Self {
        Self((u128::from(node.0) << (128 - NODE_BITS)) | (random >> NODE_BITS))
    }

    /// Of a session of a cluster: where it is.
    #[must_use]
    pub fn node(self) -> NodeNumber {
        NodeNumber((self.0 >> (128 - NODE_BITS)) as u64)
    }
}

/// Who asks. The scope in which a command id is remembered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    Agent(AgentId),
    Customer(CustomerId),
    /// An API key, by the first 64 bits of its hash.
    ApiKey(u64),
    /// A visitor who has no identity yet: its start is remembered for the whole workspace.
    Visitor,
    /// The server itself: ticks and connection edges, which need no remembering.
    Server,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!("c17".parse(), Ok(ConversationId(17)));
        for wrong in ["17", "c", "c017", "c-1", "c+1", "o17", "c99999999999999999999", "c1 "] {
            assert_eq!(wrong.parse::<ConversationId>(), Err(NotAnId), "{wrong}");
        }
    }

    #[test]
    fn command_ids_are_hex_or_uuid() {
        let hex: CommandId = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let uuid: CommandId = "01234567-89ab-cdef-0123-456789ABCDEF".parse().unwrap();
        assert_eq!(hex, uuid);
        for wrong in ["", "0123", "0123456789abcdef0123456789abcdeg", "0123456789abcdef0123456789abcdef0"] {
            assert_eq!(wrong.parse::<CommandId>(), Err(NotAnId), "{wrong}");
        }
        let again: CommandId = serde_json::from_str(&serde_json::to_string(&hex).unwrap()).unwrap();
        assert_eq!(again, hex);
    }
}
