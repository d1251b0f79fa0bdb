//! What a service that carries messages says, as JSON Schema: its bodies are read by hand (channel.rs).

use super::channel::{OUTSIDE_ID_BYTES_MAX, PHONE_BYTES_MAX};
use super::messenger::EMAIL_BYTES_MAX;
use crate::desk::outside::{DeliveryState, REASON_BYTES_MAX};
use crate::desk::settings::NAME_BYTES_MAX;
use schemars::{Schema, SchemaGenerator, json_schema};

/// `InboundBody`.
pub fn message(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "InboundBody",
        "type": "object",
        "properties": {
            "customer": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "minLength": 1, "maxLength": OUTSIDE_ID_BYTES_MAX, "description": "How you call this customer"},
                    "name": {"type": ["string", "null"], "maxLength": NAME_BYTES_MAX},
                    "email": {"type": ["string", "null"], "maxLength": EMAIL_BYTES_MAX},
                    "phone": {"type": ["string", "null"], "maxLength": PHONE_BYTES_MAX},
                    "attributes": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "What you vouch for: at most 4 KiB"},
                },
                "required": ["id"],
                "additionalProperties": false,
            },
            "thread": {"type": ["string", "null"], "maxLength": OUTSIDE_ID_BYTES_MAX, "description": "Your name of this talk; none: one talk with each customer"},
            "text": {"type": "string", "minLength": 1, "description": "At most 16 KiB of UTF-8"},
            "metadata": {"type": ["object", "null"], "additionalProperties": {"type": "string"}, "description": "At most 4 KiB"},
        },
        "required": ["customer", "text"],
        "additionalProperties": false,
    })
}

/// What `parse_delivery` reads.
pub fn delivery(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "title": "DeliveryBody",
        "type": "object",
        "properties": {
            "state": {"type": "string", "enum": DeliveryState::ALL.map(DeliveryState::name)},
            "reason": {"type": ["string", "null"], "maxLength": REASON_BYTES_MAX, "description": "Of what failed alone; kept in the clear"},
        },
        "required": ["state"],
        "additionalProperties": false,
    })
}
