"""When a client comes back."""

import unittest

from offhook.link import Again, Over, advised_ms, after_close, after_refusal, full_jitter_ms


class Link(unittest.TestCase):
    def test_what_broke_is_tried_again_with_full_jitter_to_half_a_minute(self):
        self.assertEqual([full_jitter_ms(attempt, 1.0) for attempt in (0, 1, 4, 5, 99)], [1_000, 2_000, 16_000, 30_000, 30_000])
        self.assertEqual(after_close(None, "", 3, 0.5), Again(4_000))
        self.assertEqual(after_close(1006, "", 0, 0.0), Again(0))

    def test_what_was_advised_is_waited_for_and_a_little_more(self):
        self.assertEqual(advised_ms(2_000, 0.0), 2_000)
        self.assertEqual(advised_ms(2_000, 1.0), 2_500)
        self.assertEqual(advised_ms(60_000, 1.0), 61_000)
        self.assertEqual(after_close(4200, "retry_after_ms=700", 9, 0.0), Again(700))
        self.assertEqual(after_close(4100, "retry_after_ms=1500", 0, 0.0), Again(1_500))
        self.assertEqual(after_close(4102, "something else", 1, 0.5), Again(1_000))

    def test_some_come_back_at_once_and_some_with_another_token_alone(self):
        self.assertEqual(after_close(4201, "too_slow", 5, 1.0), Again(0))
        self.assertEqual(after_close(4202, "resync", 5, 1.0), Again(0))
        self.assertEqual(after_close(4001, "token_expired", 0, 0.0), Again(0, fresh_token=True))

    def test_some_do_not_come_back(self):
        for code, reason in ((4000, "signed_out"), (4003, "forbidden"), (4004, "too_many_devices"), (4008, "bad_frames")):
            self.assertEqual(after_close(code, reason, 0, 0.0), Over(reason))
        self.assertIsInstance(after_close(1009, "", 0, 0.0), Over)
        self.assertIsInstance(after_close(4999, "", 0, 0.0), Over)

    def test_a_refused_handshake_says_when(self):
        self.assertEqual(after_refusal(503, 2_000, 0, 0.0), Again(2_000))
        self.assertEqual(after_refusal(503, None, 2, 0.5), Again(2_000))
        self.assertIsInstance(after_refusal(404, None, 0, 0.0), Over)


if __name__ == "__main__":
    unittest.main()
