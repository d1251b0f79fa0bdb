"""Calls are asked again with the same id until they are answered, and a feed goes on where it was."""

import json
import unittest

import httpx

from offhook.errors import Refused
from offhook.workspace import Received, Workspace


def problem(status, code, **members):
    return httpx.Response(status, json={"code": code, "title": code, "detail": "for people", **members})


class Told(Workspace):
    """A workspace whose server answers what it is told to, one after the other."""

    def __init__(self, *answers):
        super().__init__("http://desk.example", "de mo", key="ohk_x")
        self.asked = []
        self.answers = list(answers)
        self._client = httpx.AsyncClient(base_url="http://desk.example", transport=httpx.MockTransport(self.answer))

    def answer(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Workspaces(unittest.IsolatedAsyncioTestCase):
    async def test_what_is_not_answered_is_asked_again_with_the_same_id(self):
        received = httpx.Response(201, json={"conversation": "c1", "number": 1, "at": 5, "started": True, "later": 1})
        answers = (httpx.ConnectError("gone"), problem(503, "busy", retry_after_ms=1), httpx.Response(502, text="<p>"), received)
        workspace = Told(*answers)
        workspace.answers[2].headers["Retry-After"] = "0"
        told = await workspace.receive("sms", "+491", "hi", id="m1", phone="+491")
        self.assertEqual(told, Received("c1", 1, True))
        self.assertEqual({request.headers["Idempotency-Key"] for request in workspace.asked}, {"m1"})
        self.assertEqual(workspace.asked[0].url.raw_path, b"/v1/workspaces/de%20mo/channel/sms/messages")
        body = json.loads(workspace.asked[-1].content)
        self.assertEqual(body, {"customer": {"id": "+491", "phone": "+491"}, "thread": "", "text": "hi"})

    async def test_what_is_refused_says_why(self):
        workspace = Told(problem(404, "no_such_channel", field="channel"))
        with self.assertRaises(Refused) as refused:
            await workspace.receive("pigeon", "u7", "hi", id="m1")
        self.assertEqual((refused.exception.code, refused.exception.field), ("no_such_channel", "channel"))

    async def test_a_feed_goes_on_behind_what_it_was_sent_last(self):
        first = httpx.Response(200, text=': here\n\nid: 5.0\ndata: {"id":"5.0"}\n\nid: 7\n\n')
        second = httpx.Response(200, text='id: 8.0\ndata: {"id":"8.0"}\n\nevent: gone\ndata: {"first": "9"}\n\n')
        workspace = Told(first, problem(503, "unavailable", retry_after_ms=1), second)
        seen = []
        with self.assertRaises(Refused) as refused:
            async for event in workspace.events(after="4", types=["message.posted", "offer.*"], texts=True):
                seen.append(event["id"])
        self.assertEqual(seen, ["5.0", "8.0"])
        self.assertEqual((refused.exception.code, refused.exception.members["first"]), ("cursor_gone", "9"))
        asked = [dict(request.url.params) for request in workspace.asked]
        wanted = {"types": "message.posted,offer.*", "texts": "true"}
        self.assertEqual(asked, [{**wanted, "after": "4"}, {**wanted, "after": "7"}, {**wanted, "after": "7"}])


if __name__ == "__main__":
    unittest.main()
