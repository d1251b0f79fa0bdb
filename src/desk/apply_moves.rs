//! Moves, taken into the state: in one step each, so that a conversation has one owner before and after.

use super::Desk;
use super::conversation::{CoolDown, State, Wishes};
use super::event::Event;
use super::moves::Taken;
use super::silence::Silence;
use super::time::DeskTimeOrNone;

impl Desk {
    /// `event` is one by which a conversation changes hands.
    pub(super) fn apply_move(&mut self, event: &Event) {
        match event {
            Event::ConversationTransferred {
                conversation,
                from,
                queue,
                skills,
                waiting_since,
                by: _,
                cool_down_until,
                public,
            } => {
                self.change_conversation(*conversation, |c| {
                    c.lose_hands();
                    c.state = State::Waiting;
                    c.queue = *queue;
                    c.skills.clone_from(skills);
                    c.waiting_since = *waiting_since;
                    c.ring = 0;
                    c.requeue_at = DeskTimeOrNone::NONE;
                    c.public = *public;
                    let cool_down = cool_down_until.map(|until| CoolDown { agent: *from, until, times: 1 });
                    c.cool_downs = cool_down.into_iter().collect();
                    // Whom it was kept for is not asked any more: somebody has decided otherwise.
                    c.wishes = c.wishes.take().filter(|wishes| !wishes.skills.is_empty());
                    if let Some(wishes) = &mut c.wishes {
                        **wishes = Wishes { agent: None, ..std::mem::take(&mut **wishes) };
                    }
                });
                self.rest(*from);
            }
            Event::ConversationTaken { conversation, from, to, how, by: _, forced, public } => {
                let now = self.now.desk;
                self.change_conversation(*conversation, |c| {
                    if *how == Taken::Started {
                        // Nobody awaits its owner's word.
                        c.change_talk(|talk| talk.silence = Some(Silence::from(now)));
                    }
                    c.lose_hands();
                    if *forced {
                        c.change_moved(|moved| moved.forced = true);
                    }
                    c.state = State::Active { owner: *to };
                    c.requeue_at = DeskTimeOrNone::NONE;
                    c.cool_downs = Vec::new();
                    c.public = *public;
                });
                // Its offer to the same agent ended the event before: beyond limits that were lowered, it held as much and still does.
                self.look_at_limits(*to);
                from.inspect(|from| self.rest(*from));
                self.rest(*to);
            }
            Event::ConversationHandedOver { conversation, from, to, public } => {
                self.change_conversation(*conversation, |c| {
                    c.lose_hands();
                    c.state = State::Active { owner: *to };
                    c.requeue_at = DeskTimeOrNone::NONE;
                    c.public = *public;
                });
                self.rest(*from);
            }
            Event::ConversationLeft { conversation, agent, public } => {
                self.change_conversation(*conversation, |c| {
                    c.change_moved(|moved| moved.joined = None);
                    c.public = *public;
                });
                self.rest(*agent);
            }
            _ => unreachable!("only moves are given here"),
        }
    }
}
