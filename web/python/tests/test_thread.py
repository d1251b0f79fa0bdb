"""Each message is given once and in order, whatever was told."""

import random
import unittest

from offhook.shapes import Message
from offhook.thread import WAITING_MAX, Thread


def message(number, author="customer"):
    return Message(number, author, f"text {number}", 0, "somebody")


def given(thread):
    numbers = []
    while (one := thread.take()) is not None:
        numbers.append(one.number)
    return numbers


class Given(unittest.TestCase):
    def test_what_no_agent_has_answered_is_what_begins(self):
        thread = Thread()
        thread.begin([message(1), message(2, "agent"), message(3), message(4, "system"), message(5)])
        self.assertEqual(given(thread), [3, 4, 5])
        fresh = Thread()
        fresh.begin([message(1), message(2)])
        self.assertEqual(given(fresh), [1, 2])
        empty = Thread()
        empty.begin([])
        self.assertEqual((given(empty), empty.after), ([], None))

    def test_what_is_told_before_it_began_is_not_given_twice(self):
        thread = Thread()
        thread.hear(message(1))
        self.assertIsNone(thread.take())
        thread.begin([message(1)])
        thread.hear(message(1))
        self.assertEqual(given(thread), [1])

    def test_what_is_missing_is_asked_for(self):
        thread = Thread()
        thread.begin([message(1)])
        self.assertEqual(given(thread), [1])
        thread.hear(message(4))
        self.assertEqual((thread.take(), thread.after), (None, 1))
        thread.read([message(2), message(3), message(4)])
        self.assertEqual((given(thread), thread.after), ([2, 3, 4], None))

    def test_no_more_waits_than_may(self):
        thread = Thread()
        thread.begin([])
        for number in range(1, 3 * WAITING_MAX):
            thread.hear(message(number))
        self.assertEqual(given(thread), list(range(1, WAITING_MAX + 1)))
        self.assertEqual(thread.after, WAITING_MAX)

    def test_whatever_is_told_in_whatever_order_each_is_given_once(self):
        for seed in range(200):
            chance = random.Random(seed)
            thread, numbers = Thread(), []
            thread.begin([])
            last = 0
            while len(numbers) < 200:
                last = min(last + chance.randint(0, 3), 200)
                told = chance.randint(max(1, last - 5), last) if last else None
                thread.exists(last)
                if told is not None and chance.random() < 0.7:
                    thread.hear(message(told))
                if chance.random() < 0.5 and thread.after is not None:
                    after = thread.after
                    thread.read([message(number) for number in range(after + 1, min(after + 1 + chance.randint(1, 9), last + 1))])
                numbers += given(thread)
            self.assertEqual(numbers, list(range(1, 201)), f"seed {seed}")


if __name__ == "__main__":
    unittest.main()
