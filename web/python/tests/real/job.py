"""A program and a person against the real server: an answer that its customer sees grow, a server that is killed while another is
written, and a conversation that goes to a person with its note."""

import asyncio
import os
import sys

from customer import PATIENCE_S, Customer
from offhook import Agent, Refused

URL = os.environ["OFFHOOK_URL"]
WORKSPACE = os.environ["OFFHOOK_WORKSPACE"]

program = Agent(URL, token=lambda: os.environ["OFFHOOK_TOKEN"])
asked = []
half_written, go_on = asyncio.Event(), asyncio.Event()


@program.on_message
async def answer(talk, message):
    asked.append((talk.id, message.number))
    if message.text == "a person, please":
        return await talk.hand_over(queue="support", note="wants a person")
    async with talk.answer() as answer:
        await answer.write("you said ")
        if message.text == "slowly":
            half_written.set()
            await go_on.wait()
        await answer.write(message.text)


async def restart_server():
    print("kill", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


def same(found, wanted, what):
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


async def main():
    working = asyncio.create_task(program.run(channels=["chat"]))
    customer = await Customer(URL, WORKSPACE).start("hello")
    await customer.message("you said hello")

    # Half of it is seen before there is a message, and the message is the whole.
    await customer.post("slowly")
    drafted = await customer.until("a draft", lambda event: event["event"] == "typing" and event.get("text") == "you said ")
    assert drafted["event"] == "typing" and await customer.messages() == [
        ("customer", "hello"),
        ("agent", "you said hello"),
        ("customer", "slowly"),
    ]

    # Killed in the middle of it: the answer is there once, and so is what was asked meanwhile.
    await half_written.wait()
    await restart_server()
    await customer.post("and this")
    go_on.set()
    await customer.message("you said slowly")
    await customer.message("you said and this")
    said = [
        ("customer", "hello"),
        ("agent", "you said hello"),
        ("customer", "slowly"),
        ("customer", "and this"),
        ("agent", "you said slowly"),
        ("agent", "you said and this"),
    ]
    same(await customer.messages(), said, "each once")
    same(asked, [(customer.conversation, number) for number in (1, 3, 4)], "what was asked of it")

    # A person has it next, with the note; the program, which gave it away, is not asked again.
    person = Agent(URL, token=os.environ["OFFHOOK_TOKEN_2"])
    notes = asyncio.Queue()

    @person.on_start
    async def begin(talk):
        await notes.put((await person.command("notes", conversation=talk.id))["notes"])
        await talk.send("here I am")

    at_work = asyncio.create_task(person.run(channels=["chat"]))
    await customer.post("a person, please")
    async with asyncio.timeout(PATIENCE_S):
        (note,) = await notes.get()
    same((note["author"], note["text"]), ("ada", "wants a person"), "the note")
    await customer.message("here I am")
    same(customer.conversation in program.talks, False, "the program has it no longer")
    try:
        await program.command("send", conversation=customer.conversation, text="I again")
        raise AssertionError("it was sent")
    except Refused as refused:
        same(refused.code, "not_yours", "why it was refused")

    await person.talks[customer.conversation].close()
    ended = await customer.until("the end", lambda event: event["event"] == "ended")
    same(ended["by"], "agent", "who ended it")
    drafts = [event["text"] for event in customer.events if event["event"] == "typing" and event.get("text")]
    assert all("you said and this".startswith(text) or "you said slowly".startswith(text) or "you said hello".startswith(text) for text in drafts), drafts

    for agent, work in ((program, working), (person, at_work)):
        await agent.sign_out()
        async with asyncio.timeout(PATIENCE_S):
            await work


asyncio.run(main())
print("done", flush=True)
