"""What an inspector asks of a model and what it gets back. Knows no endpoint, no weights and no guideline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from review_copilot.domain.suggestion import Usage
from review_copilot.inspectors.views import View

Schema: TypeAlias = Mapping[str, object]
"""A JSON schema."""


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
    """

    system: str
    user: str
    views: tuple[View, ...]
    schema_name: str
    schema: Schema
    max_tokens: int
    deadline_s: float | None = None

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
    """

    text: str
    usage: Usage
    notes: tuple[str, ...] = ()


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
