"""Agents that are programs, and channels of your own, for Offhook."""

from .agent import Agent
from .draft import Answer
from .errors import Refused, Stopped
from .shapes import Conversation, Message, Offer
from .talk import Talk

__all__ = ["Agent", "Answer", "Conversation", "Message", "Offer", "Refused", "Stopped", "Talk"]
