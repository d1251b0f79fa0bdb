//! What was committed at another node of a cluster and is not known here yet: before this node says that there is no such thing, the one
//! that decides is asked, and when that has answered, this node stands where the answer does.

use super::desks::Desk;
use super::problem::Problem;
use crate::desk::command::{Ask, Command};
use crate::desk::ids::ConversationId;

/// Whether it is worth looking for a conversation again, since this node may have been behind; then it is not any more.
///
/// # Errors
/// `unavailable`: the node that decides does not say.
pub async fn may_be_known_by_now(desk: &dyn Desk, conversation: ConversationId) -> Result<bool, Problem> {
    if !desk.may_be_behind() {
        return Ok(false);
    }
    // Any question would do: what is refused is answered too.
    drop(desk.ask(Command::of_server(Ask::WhyConversation { conversation })).await?.result);
    Ok(true)
}
