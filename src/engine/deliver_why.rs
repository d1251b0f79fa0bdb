//! Why, as a reply on a socket: named lists give way until it fits into a frame; what is counted by rule stays whole.

use super::deliver::Delivery;
use crate::desk::ids::CommandId;
use crate::desk::why::{WhyAgent, WhyConversation};
use crate::wire::agent::{Done, Reply, ServerFrame, render};
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What a reply holds besides.
const BESIDES_BYTES: usize = 1_024;

pub(super) trait Shortens: Serialize {
    /// Names fewer; `false` when there is nothing left to leave out.
    fn shorten(&mut self) -> bool;
}

impl Shortens for WhyConversation {
    fn shorten(&mut self) -> bool {
        let longest = self.candidates.len().max(self.excluded.len());
        self.candidates.truncate(longest / 2);
        self.excluded.truncate(longest / 2);
        longest > 0
    }
}

impl Shortens for WhyAgent {
    fn shorten(&mut self) -> bool {
        let longest = self.groups.len().max(self.conversations.len());
        self.groups.truncate(longest / 2);
        self.conversations.truncate(longest / 2);
        longest > 0
    }
}

fn fit<T: Shortens>(why: &mut T, bytes_max: usize) {
    while serde_json::to_string(why).map_or(usize::MAX, |json| json.len()) > bytes_max && why.shorten() {}
}

impl Delivery<'_> {
    pub(super) fn why_page<T: Shortens>(
        &self,
        id: CommandId,
        mut why: T,
        members: impl for<'a> Fn(&'a T) -> Done<'a>,
    ) -> Utf8Bytes {
        fit(&mut why, self.limits.frame_bytes_max.saturating_sub(BESIDES_BYTES));
        render(&ServerFrame::Reply(Reply::done(id, Some(self.position.0), members(&why))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Names(Vec<u8>);

    impl Shortens for Names {
        fn shorten(&mut self) -> bool {
            let before = self.0.len();
            self.0.truncate(before / 2);
            before > 0
        }
    }

    #[test]
    fn it_is_shortened_until_it_fits_and_no_further() {
        let mut names = Names(vec![1; 100]);
        fit(&mut names, 60);
        assert_eq!(names.0.len(), 25);
        fit(&mut names, 0);
        assert!(names.0.is_empty(), "and ends where nothing is left");
    }
}
