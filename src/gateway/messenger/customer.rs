//! Which customer asks: by an anonymous token of ours, or by a JWT that the workspace's own backend signed.

use crate::desk::ids::CustomerId;
use crate::desk::time::WallTime;
use crate::gateway::http::Door;
use crate::gateway::http::asking::Asked;
use crate::gateway::http::desks::{Desk, Published};
use crate::gateway::http::identities::KnownCustomer;
use crate::gateway::http::problem::Problem;

/// What our own tokens begin with; anything else is taken for a JWT.
const ANONYMOUS: &str = "ohv1.";

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Customer {
    pub id: CustomerId,
    pub known: Option<KnownCustomer>,
}

/// The customer that `Authorization` speaks for; `None` when there is none.
///
/// # Errors
/// `unauthorized`, with the reason; `revoked` when the customer signed out after the token was issued.
pub fn customer(door: &Door, desk: &dyn Desk, asked: &Asked) -> Result<Option<Customer>, Problem> {
    let Some(token) = asked.bearer()? else { return Ok(None) };
    let customer = if token.starts_with(ANONYMOUS) {
        Customer { id: anonymous(door, desk, token)?, known: None }
    } else {
        let known = door
            .identities
            .known(desk.name(), token, (door.now)().wall)
            .map_err(|not_known| Problem::unauthorized(not_known.0))?;
        let id = known_id(door, desk, &known.subject);
        still_good(&desk.published(), id, known.issued_at)?;
        Customer { id, known: Some(known) }
    };
    Ok(Some(customer))
}

/// As `customer`, where there must be one.
///
/// # Errors
/// Those, and `unauthorized` with the reason `missing`.
pub fn customer_needed(door: &Door, desk: &dyn Desk, asked: &Asked) -> Result<Customer, Problem> {
    customer(door, desk, asked)?.ok_or_else(|| Problem::unauthorized("missing"))
}

/// # Errors
/// `unauthorized`, with the reason.
pub fn anonymous(door: &Door, desk: &dyn Desk, token: &str) -> Result<CustomerId, Problem> {
    let token = door
        .identities
        .anonymous(desk.name(), token, (door.now)().wall)
        .map_err(|not_known| Problem::unauthorized(not_known.0))?;
    still_good(&desk.published(), token.customer, token.issued_at)?;
    Ok(token.customer)
}

/// # Errors
/// `unauthorized` with the reason `revoked`. A token issued in the very second of the sign-out is void too: a JWT's `iat`
/// cannot say on which side of it.
pub fn still_good(published: &Published, customer: CustomerId, issued_at: WallTime) -> Result<(), Problem> {
    match published.signed_out.get(&customer) {
        Some(signed_out_at) if issued_at <= *signed_out_at => Err(Problem::unauthorized("revoked")),
        _ => Ok(()),
    }
}

/// A known customer's id: the keyed hash of the outside one, which itself is kept nowhere in the clear.
#[must_use]
pub fn known_id(door: &Door, desk: &dyn Desk, subject: &str) -> CustomerId {
    CustomerId(keyed_id(door, "customer", &[desk.name().as_bytes(), subject.as_bytes()]))
}

/// An anonymous visitor's id follows from its start's command id, so that a start that is repeated, to any node and after
/// any restart, is the same customer's, with nothing stored for it.
#[must_use]
pub fn visitor_id(door: &Door, desk: &dyn Desk, start: crate::desk::ids::CommandId) -> CustomerId {
    CustomerId(keyed_id(door, "visitor", &[desk.name().as_bytes(), &start.0.to_be_bytes()]))
}

/// A keyed hash of names that are the outside's: the same on every node and after every restart, and nobody else's to compute.
#[must_use]
pub fn keyed_id(door: &Door, domain: &str, parts: &[&[u8]]) -> u128 {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    u128::from_be_bytes(door.desks.seals().keyed_hash(domain, &bytes))
}
