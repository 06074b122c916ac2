"""What an inspector asks of a model and what it gets back. Knows no endpoint, no weights and no guideline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from review_copilot.domain.suggestion import Usage
from review_copilot.errors import InspectorError
from review_copilot.inspectors.views import View

Schema: TypeAlias = Mapping[str, object]
"""A JSON schema."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with an answer.

    Attributes:
        words: Each fault, in words for the model; empty for an answer that needs no repair.
        parts: How many parts the answer has, readable or not: a repaired answer with fewer lost something.
        useless: Whether nothing in it can be used.
    """

    words: tuple[str, ...] = ()
    parts: int = 0
    useless: bool = False


class PicturesRefused(InspectorError):
    """The endpoint takes fewer or smaller pictures than it was sent.

    Attributes:
        most: How many pictures it takes; None where their size is the trouble.
    """

    def __init__(self, public: str, *, hint: str = "", most: int | None = None) -> None:
        super().__init__(public, hint=hint)
        self.most = most


@dataclass(frozen=True, slots=True)
class Question:
    """One turn: static words first, then the words of this task, then pictures.

    Attributes:
        system: Static words; the same for every task of a guideline, so that a provider's prompt cache hits.
        user: Words of this task.
        views: Pictures, in the order in which the words speak of them.
        schema_name: Name of the reply's schema, such as "review".
        schema: What the reply must look like.
        max_tokens: Length limit of the reply.
        deadline_s: Seconds that the answer may take, all waiting and retries counted; None for the chat's own limit.
        check: Says what is wrong with an answer's text; None to look at the top of the schema only.
        turns: Earlier turns, (role, text): an answer and the request to repair it.
    """

    system: str
    user: str
    views: tuple[View, ...]
    schema_name: str
    schema: Schema
    max_tokens: int
    deadline_s: float | None = None
    check: Callable[[str], Faults] | None = field(default=None, compare=False, repr=False)
    turns: tuple[tuple[str, str], ...] = ()

    def repair(self, said: str, faults: Faults) -> Question:
        """The question with one more turn: what the model said, and what was wrong with it."""
        listed = "\n".join(f"- {word}" for word in faults.words)
        wanted = (
            f"That answer could not be used as it is:\n{listed}\nSend the whole answer again as one JSON object, with "
            "everything else in it unchanged."
        )
        return replace(self, turns=(*self.turns, ("assistant", said or "(nothing)"), ("user", wanted)))

    @property
    def schema_words(self) -> str:
        """The schema as text, for a model without structured output."""
        return f"Answer with one JSON object of this schema and nothing else:\n{json.dumps(self.schema)}"

    @property
    def prompt_hash(self) -> str:
        """Hash of the words and the schema, 12 hex digits."""
        words = json.dumps([self.system, self.user, self.schema], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said.

    Attributes:
        text: JSON; checked to be an object, not yet to fit the guideline.
        usage: What the provider said it cost; `cost_usd` is zero until a price table was asked.
        notes: What was odd about getting it, such as "answered after one repair".
        unmetered: Calls that may be charged and of which the provider said no usage.
    """

    text: str
    usage: Usage
    notes: tuple[str, ...] = ()
    unmetered: int = 0


def book(error: InspectorError, answer: Answer) -> InspectorError:
    """The error with what an answer cost beside what it cost itself."""
    usage, tokens = answer.usage, error.tokens
    more = (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.calls)
    prompt, cached, completion, calls = (one + other for one, other in zip(tokens, more, strict=True))
    error.tokens = (prompt, cached, completion, calls)
    error.unmetered += answer.unmetered
    return error


class Chat(Protocol):
    """A model that answers questions about pictures by a JSON schema. Safe to call from several threads."""

    @property
    def model(self) -> str:
        """The model's name."""
        ...

    @property
    def parameters(self) -> Mapping[str, object]:
        """Everything besides the model and the question that decides the answer; no secret, no address."""
        ...

    def ask(self, question: Question) -> Answer:
        """Ask.

        Raises:
            InspectorError: A typed failure: refused, cut off, malformed, unreachable, rate limited, wrong key.
        """
        ...
