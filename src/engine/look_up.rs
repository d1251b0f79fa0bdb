//! What the commands of a turn rest on and the desk no longer holds: asked of the view, all in one trip.

use super::intake::ReplyTo;
use super::project::Projection;
use super::turn::{Asked, Keeper};
use crate::clock;
use crate::desk::ids::CustomerId;
use crate::desk::needs::{Loaded, Need};
use crate::desk::remembered::REMEMBERED_HERE_MAX;
use crate::desk::time::WallTime;
use crate::view::{View, ViewFailed, Wanted};
use std::collections::VecDeque;

/// Closed conversations of one customer that a merge takes over at most: the newest.
const MERGED_MAX: usize = 1_000;

/// Everything that these commands need; nothing, and no trip, for most turns.
///
/// # Errors
/// The view could not be read: nothing may be decided.
pub async fn look_up(
    keeper: &Keeper,
    projection: &mut Projection,
    view: &View,
    asked: &VecDeque<Asked<ReplyTo>>,
    now: WallTime,
) -> Result<Loaded, ViewFailed> {
    let mut needs = Vec::new();
    for Asked { command, .. } in asked {
        keeper.desk().needs(now, command, &mut needs);
    }
    if needs.is_empty() {
        return Ok(Loaded::default());
    }
    // What left the desk a moment ago may not be in the view yet. An outcome is no such thing: the desk remembers those
    // that the view does not have. On a full disk, where the view stands still, accepts and closes must not wait for it.
    let left_the_desk = needs.iter().any(|need| !matches!(need, Need::Outcome(..) | Need::Import(_)));
    let wait = left_the_desk || projection.lag_outcomes() >= REMEMBERED_HERE_MAX;
    while wait && projection.lag_records() > 0 {
        projection.hand_over(keeper, clock::monotonic_ms());
        projection.written(clock::monotonic_ms).await?;
    }
    let workspace = projection.workspace().clone();
    let mut wanted = Wanted::default();
    let mut customers: Vec<CustomerId> = Vec::new();
    for need in needs {
        match need {
            Need::Conversation(id) => wanted.conversations.push(id),
            Need::Offer(id) => wanted.offers.push(id),
            Need::Outcome(by, id, conversation) => wanted.outcomes.push((by, id, conversation)),
            Need::OfCustomer(customer) => customers.push(customer),
            Need::Import(import) | Need::ImportToGoOn(import) => wanted.imports.push(import),
        }
    }
    let found = view.look_up(&workspace, wanted.clone()).await?;
    let mut loaded = Loaded::default();
    for (id, conversation) in wanted.conversations.into_iter().zip(found.conversations) {
        conversation.map(|conversation| loaded.conversations.insert(id, conversation));
    }
    for (id, offer) in wanted.offers.into_iter().zip(found.offers) {
        offer.map(|offer| loaded.offers.insert(id, offer));
    }
    for ((by, id, _), outcome) in wanted.outcomes.into_iter().zip(found.outcomes) {
        outcome.map(|outcome| loaded.outcomes.insert((by, id), outcome));
    }
    for (import, held) in wanted.imports.into_iter().zip(found.imports) {
        held.map(|held| loaded.imports.insert(import, held));
    }
    for customer in customers {
        let rows = view.conversations_of_customer(&workspace, customer, MERGED_MAX).await?;
        loaded.of_customer.insert(customer, rows.into_iter().map(|row| row.id).collect());
    }
    Ok(loaded)
}
