//! Whether anybody waits whom an agent could take: what pairing never leaves behind, looked at from outside while it runs.

use super::Desk;
use super::deciding::NextOffer;
use super::ids::QueueId;
use super::time::WallTime;

impl Desk {
    /// Since when the longest of the queues' firsts has waited, of those that an agent could take now. Somebody is found here for
    /// as long as more has changed than one command may decide; who is found for seconds was forgotten, and that is a fault.
    pub fn overlooked(&mut self) -> Option<WallTime> {
        self.settle();
        let waited_in: Vec<QueueId> = self.queues().filter(|(_, queue)| queue.waiting > 0).map(|(id, _)| id).collect();
        waited_in.into_iter().filter_map(|queue| self.overlooked_in(queue)).min()
    }

    fn overlooked_in(&mut self, queue: QueueId) -> Option<WallTime> {
        let first = self.waiting.first_of_queue(queue)?;
        let next = self.next_offer_of(self.conversations.get(&first.conversation)?);
        let taken = next != NextOffer::Asked && !self.best(first.conversation, 1, next).is_empty();
        taken.then(|| first.waiting_since())
    }
}
