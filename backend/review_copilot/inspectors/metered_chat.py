"""A chat that pays attention: what was asked before is not asked again, what is asked is priced, and a budget holds.

Wraps any chat. Knows no endpoint.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace

from review_copilot.concurrency.breaker import Breaker
from review_copilot.domain.request_context import REQUEST_STATE
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import (
    InspectorError,
    InspectorUnavailable,
    ModelCutOff,
    ModelMalformed,
    ModelRefused,
    NoFurtherCalls,
)
from review_copilot.inspectors.chat import Answer, Chat, PicturesRefused, Question
from review_copilot.inspectors.pricing import Price, ProcessBudget, SeenUsage
from review_copilot.inspectors.repair import faults_of
from review_copilot.inspectors.tokens import TokenRule, text_tokens
from review_copilot.ports import Budget, CircuitBreaker, NamedLocks, ReplyCache

_TURN_S = 120.0
"""How long to wait for another process that asks the same, where the question names no deadline; then ask oneself."""
_FAILURE_KEPT_S = 3600.0
"""How long a paid failure is remembered: the same picture of a run is not paid for again."""
_MOST_FAILURES = 20_000
_PAID_FAILURES = (ModelCutOff, ModelRefused, ModelMalformed)


class MeteredChat:
    """A chat with a reply cache, a price and a budget."""

    def __init__(
        self,
        chat: Chat,
        *,
        tokens: TokenRule,
        price: Price | None = None,
        budget: Budget | None = None,
        cache: ReplyCache | None = None,
        named_locks: NamedLocks | None = None,
        breaker: CircuitBreaker | None = None,
        reasoning_tokens: int = 0,
    ) -> None:
        """Wrap a chat.

        Args:
            chat: The chat that is asked.
            tokens: How its provider counts image tokens.
            price: What its tokens cost; None where that is unknown.
            budget: What may be spent; None for no limit.
            cache: Where answers are kept; None to ask every time.
            named_locks: Lets one of several processes ask what all want to know; None where there are no others.
            breaker: Stops all who ask when the endpoint fails whatever it is asked; None for one of our own.
            reasoning_tokens: How many the family typically thinks before it answers, for estimates.

        Raises:
            InspectorUnavailable: A budget is set and the price is unknown, so that it could not be kept.
        """
        if budget is not None and budget.limit_usd is not None and price is None:
            raise InspectorUnavailable(
                f"A budget is set, but no price is known for the model {chat.model!r}.",
                hint="Add a row for it to a file and name that in REVIEW_COPILOT_MODEL_PRICES.",
            )
        self._chat = chat
        self._tokens = tokens
        self._price = price
        self._budget: Budget = budget or ProcessBudget(None)
        self._cache = cache
        self._turns = named_locks
        self._breaker: CircuitBreaker = breaker or Breaker()
        self._failures: dict[str, tuple[float, InspectorError]] = {}
        self.seen = SeenUsage(reasoning_tokens)

    @property
    def model(self) -> str:
        """The model's name."""
        return self._chat.model

    @property
    def parameters(self) -> Mapping[str, object]:
        """What besides model and question decides the answer."""
        return self._chat.parameters

    @property
    def price(self) -> Price | None:
        """What tokens cost; None where that is unknown."""
        return self._price

    def ask(self, question: Question) -> Answer:
        """Answer from the cache, or ask within the budget.

        Raises:
            BudgetSpent: The call could cost more than is left.
            ModelHalted: The endpoint failed too often, or for good; it is not asked.
            InspectorError: As the wrapped chat says; one that was paid for before is raised again, and not paid again.
        """
        key = self._key(question)
        if (kept := self._kept(key, question)) is not None:
            return kept
        if self._turns is None:
            return self._ask(question, key)
        with self._turns.turn(key, wait_s=question.deadline_s or _TURN_S):
            return self._kept(key, question) or self._ask(question, key)

    def _kept(self, key: str, question: Question) -> Answer | None:
        kept = self._cache.get(key) if self._cache is not None else None
        if kept is not None and not faults_of(kept, question).words:  # only replies without faults are kept
            return Answer(kept, Usage(cache_hit=True))
        failed = self._failures.get(key)
        if failed and time.monotonic() < failed[0] and not REQUEST_STATE.get().urgent():
            raise copy.copy(failed[1])
        return None

    def _ask(self, question: Question, key: str) -> Answer:
        """Ask within the budget, and keep the answer where all of it can be used."""
        self._breaker.check()
        most_usd = self._most_usd(question)
        self._budget.reserve(most_usd)
        spent_usd = 0.0
        try:
            answer = self._chat.ask(question)
            usage = self._booked(answer.usage, answer.unmetered, question)
            spent_usd = usage.cost_usd
        except InspectorError as error:
            spent_usd = self._failed(error, question, key).cost_usd
            raise
        finally:
            self._budget.settle(reserved_usd=most_usd, spent_usd=spent_usd)
        self._breaker.answered()
        if not answer.unmetered and usage.calls:
            self.seen.add(usage)
        if self._cache is not None and not faults_of(answer.text, question).words:
            self._cache.put(key, answer.text)
        return replace(answer, usage=usage)

    def _failed(self, error: InspectorError, question: Question, key: str) -> Usage:
        """Book what a failure cost, remember it, and tell the breaker."""
        prompt, cached, completion, calls = error.tokens
        told = Usage(prompt, cached, completion, calls=calls)
        usage = self._booked(told, error.unmetered, question)
        error.tokens = (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.calls)
        error.cost_usd, error.unmetered = usage.cost_usd, 0
        if isinstance(error, _PAID_FAILURES):
            if len(self._failures) >= _MOST_FAILURES:
                self._failures.clear()
            again = copy.copy(error)
            again.tokens, again.cost_usd = (0, 0, 0, 0), 0.0
            self._failures[key] = time.monotonic() + _FAILURE_KEPT_S, again
        if not isinstance(error, NoFurtherCalls | PicturesRefused):
            self._breaker.failed(str(error), final=error.final)
        return usage

    def _booked(self, told: Usage, unmetered: int, question: Question) -> Usage:
        """What calls took and cost: as the provider said, and by estimate where it said nothing."""
        prompt, completion = self.seen.likely(self._prompt_tokens(question), question.max_tokens)
        untold = max(0, unmetered)
        missing_calls = max(0, untold - (told.calls if not told.prompt_tokens else 0))
        usage = replace(
            told,
            prompt_tokens=told.prompt_tokens + untold * prompt,
            completion_tokens=told.completion_tokens + untold * completion,
            calls=told.calls + missing_calls,
        )
        return replace(usage, cost_usd=self._price.cost_usd(usage) if self._price else 0.0)

    def _prompt_tokens(self, question: Question) -> int:
        words = text_tokens(question.system + question.user)
        return words + sum(self._tokens.image_tokens(view.width_px, view.height_px) for view in question.views)

    def _most_usd(self, question: Question) -> float:
        """The most that one question can cost: nothing cached, an answer as long as allowed, one repair turn."""
        if self._price is None:
            return 0.0
        once = Usage(prompt_tokens=self._prompt_tokens(question), completion_tokens=question.max_tokens)
        return 2 * self._price.cost_usd(once)

    def _key(self, question: Question) -> str:
        """Hash of all that decides the answer: pictures, words, schema, model, parameters, length limit."""
        pictures = [hashlib.sha256(view.jpeg).hexdigest() for view in question.views]
        decides = [
            pictures,
            question.system,
            question.user,
            question.schema,
            self.model,
            dict(self.parameters),
            question.max_tokens,
            *(list(turn) for turn in question.turns),
        ]
        return "reply-" + hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
