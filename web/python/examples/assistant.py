"""An AI agent. Where a model would answer, this one repeats what was said, word by word."""

import asyncio
import logging
import os

from offhook import Agent

agent = Agent(os.environ["OFFHOOK_URL"], token=os.environ["OFFHOOK_TOKEN"])


@agent.on_message
async def answer(talk, message):
    if "person" in message.text:
        return await talk.hand_over(queue="support", note=f"asked for a person: {message.text!r}")
    async with talk.answer() as answer:
        async for word in model(message.text):
            await answer.write(word)


async def model(text):
    for word in f"you said: {text}".split(" "):
        yield word + " "
        await asyncio.sleep(float(os.environ.get("THINKING_S", "0.05")))


logging.basicConfig(level=logging.INFO)
asyncio.run(agent.run(channels=["chat"]))
