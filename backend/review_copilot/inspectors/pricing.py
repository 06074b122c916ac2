"""What model calls cost: a dated price table, an estimate before a run, and a budget that is never overspent.

Reads the text of price files that it is handed. Asks no provider.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from review_copilot.domain.suggestion import Usage
from review_copilot.errors import BudgetSpent
from review_copilot.inspectors.strict_yaml import Strict, check_matches, read_strict

_MILLION = 1_000_000
TYPICAL_ANSWER_TOKENS = 300
LEAST_SEEN = 3
"""Calls from which their mean is believed more than what is typical."""


@dataclass(frozen=True, slots=True)
class Price:
    """One row of the price table, in US dollars per million tokens.

    Attributes:
        match: Regular expression that is searched for in the model's name, without regard to case.
        input_usd: For prompt tokens that no cache held.
        cached_usd: For prompt tokens that the provider's cache held.
        output_usd: For completion tokens.
        read: When the price was read, such as "2026-06".
    """

    match: str
    input_usd: float
    cached_usd: float
    output_usd: float
    read: str

    def cost_usd(self, usage: Usage) -> float:
        """What a usage costs."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        total = fresh * self.input_usd + usage.cached_tokens * self.cached_usd
        return (total + usage.completion_tokens * self.output_usd) / _MILLION


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is likely to cost, before it starts.

    Attributes:
        images: How many.
        calls: Questions to the model.
        prompt_tokens: Words and pictures together.
        image_tokens: Pictures alone.
        cacheable_tokens: Those of the static words that a provider's prompt cache can hold.
        completion_tokens: Of the answers.
        cost_usd: None where the price is unknown.
        price_read: When the price was read; empty where it is unknown.
    """

    images: int
    calls: int
    prompt_tokens: int
    image_tokens: int
    cacheable_tokens: int
    completion_tokens: int
    cost_usd: float | None
    price_read: str = ""

    def __str__(self) -> str:
        cost = "at an unknown price" if self.cost_usd is None else f"about ${self.cost_usd:.2f}"
        dated = f" (prices of {self.price_read})" if self.price_read else ""
        return (
            f"{self.images} images, {self.calls} calls, {self.prompt_tokens} prompt tokens "
            f"({self.image_tokens} of them pictures, {self.cacheable_tokens} cacheable), "
            f"{self.completion_tokens} completion tokens, {cost}{dated}"
        )


class _PriceEntry(Strict):
    match: str = Field(min_length=1)
    input: float = Field(ge=0)
    cached: float = Field(ge=0)
    output: float = Field(ge=0)
    read: str


class _PriceFile(Strict):
    prices: tuple[_PriceEntry, ...]


def read_prices(text: str, *, name: str = "prices.yaml") -> tuple[Price, ...]:
    """Read a price file.

    Args:
        text: YAML with one key, `prices`: a list.
        name: What to call the file in an error.

    Raises:
        LibraryError: The file is no YAML, has an unknown key or a wrong value.
    """
    entries = read_strict(text, _PriceFile, name=name, example="prompts/prices.yaml").prices
    check_matches((entry.match for entry in entries), name=name)
    return tuple(Price(e.match, e.input, e.cached, e.output, e.read) for e in entries)


def price_for(model: str, prices: Sequence[Price]) -> Price | None:
    """The first row that names the model; None when none does, which is not the same as free."""
    return next((price for price in prices if re.search(price.match, model, re.IGNORECASE)), None)


class ProcessBudget:
    """Money for model calls, shared by all threads of a process.

    A call reserves the most that it can cost before it starts, so that the limit holds whatever comes back.
    """

    def __init__(self, limit_usd: float | None, *, spent_usd: float = 0.0) -> None:
        """Open a budget.

        Args:
            limit_usd: The most that may be spent; None for no limit.
            spent_usd: What earlier runs have spent of it.
        """
        self._limit_usd = limit_usd
        self._spent_usd = spent_usd
        self._reserved_usd = 0.0
        self._lock = threading.Lock()

    @property
    def limit_usd(self) -> float | None:
        """The most that may be spent; None for no limit."""
        return self._limit_usd

    @property
    def spent_usd(self) -> float:
        """What was spent so far, what is reserved not counted."""
        return self._spent_usd

    def raise_to(self, limit_usd: float) -> None:
        """Set another limit; calls that were refused may be made again."""
        with self._lock:
            self._limit_usd = limit_usd

    def reserve(self, usd: float) -> None:
        """Set money aside for a call.

        Raises:
            BudgetSpent: It is not there.
        """
        with self._lock:
            if self._limit_usd is not None and self._spent_usd + self._reserved_usd + usd > self._limit_usd + 1e-12:
                raise BudgetSpent(
                    f"The budget of ${self._limit_usd:g} does not cover another call: ${self._spent_usd:.4f} is spent, "
                    f"and the call may cost up to ${usd:.4f}.",
                    hint="Raise REVIEW_COPILOT_MODEL_BUDGET_USD and run again: what is done is kept.",
                )
            self._reserved_usd += usd

    def settle(self, *, reserved_usd: float, spent_usd: float) -> None:
        """Give back what was set aside and book what was spent."""
        with self._lock:
            self._reserved_usd -= reserved_usd
            self._spent_usd += spent_usd


class SeenUsage:
    """What the calls of this process took so far, so that estimates learn from them. Safe for several threads."""

    def __init__(self, reasoning_tokens: int = 0) -> None:
        """Start from what the family typically takes.

        Args:
            reasoning_tokens: Thought before an answer.
        """
        self._lock = threading.Lock()
        self._usual = TYPICAL_ANSWER_TOKENS + reasoning_tokens
        self._calls = self._prompt = self._completion = 0

    def add(self, usage: Usage) -> None:
        """Take a usage that the provider told in full."""
        with self._lock:
            self._calls += usage.calls
            self._prompt += usage.prompt_tokens
            self._completion += usage.completion_tokens

    @property
    def calls(self) -> int:
        """How many calls were seen."""
        return self._calls

    def likely(self, prompt_tokens: int, max_tokens: int) -> tuple[int, int]:
        """Likely (prompt, completion) tokens of one call that nothing is known of.

        Args:
            prompt_tokens: By count of words and pictures.
            max_tokens: Length limit of the answer.
        """
        with self._lock:
            if self._calls >= LEAST_SEEN:
                return max(prompt_tokens, self._prompt // self._calls), self._completion // self._calls
        return prompt_tokens, min(self._usual, max_tokens) if max_tokens else self._usual

    @property
    def completion_tokens(self) -> int:
        """Likely completion tokens of one call: as seen, or typical of the family."""
        with self._lock:
            return self._completion // self._calls if self._calls >= LEAST_SEEN else self._usual
