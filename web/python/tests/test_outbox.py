"""What was given is sent until it is answered, and always with the same id."""

import asyncio
import unittest

from offhook.errors import Stopped
from offhook.outbox import Outbox


class Outboxes(unittest.IsolatedAsyncioTestCase):
    async def test_it_is_sent_again_after_a_disconnect_in_order_and_with_its_id(self):
        outbox = Outbox()
        first, second = outbox.add({"type": "send"}), outbox.add({"type": "close", "id": "c" * 32})
        self.assertEqual(list(outbox.unsent()), [first, second])
        first.sent = second.sent = True
        self.assertEqual(list(outbox.unsent()), [])
        before = [entry.frame["id"] for entry in (first, second)]
        outbox.disconnected()
        self.assertEqual([entry.frame["id"] for entry in outbox.unsent()], before)
        self.assertEqual(before[1], "c" * 32)
        self.assertNotEqual(before[0], before[1])

    async def test_each_reply_is_its_own_askers_and_once(self):
        outbox = Outbox()
        entry = outbox.add({"type": "send"})
        reply = {"type": "reply", "id": entry.frame["id"], "ok": True}
        self.assertFalse(outbox.reply({"type": "reply", "id": None}))
        self.assertTrue(outbox.reply(reply))
        self.assertFalse(outbox.reply(reply))
        self.assertEqual(await entry.answered, reply)
        outbox.drop(entry)
        self.assertEqual(len(outbox), 0)

    async def test_who_waits_when_it_is_over_is_told(self):
        outbox = Outbox()
        entry = outbox.add({"type": "send"})
        outbox.fail(Stopped("forbidden"))
        with self.assertRaises(Stopped):
            await asyncio.wait_for(entry.answered, 1)


if __name__ == "__main__":
    unittest.main()
