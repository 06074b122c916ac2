"""A chat that pays attention: what was asked before is not asked again, what is asked is priced, and a budget holds.

Wraps any chat. Knows no endpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from review_copilot.domain.suggestion import Usage
from review_copilot.errors import InspectorUnavailable, ModelCutOff, ModelMalformed, ModelRefused
from review_copilot.inspectors.chat import Answer, Chat, Question
from review_copilot.inspectors.pricing import Price, ProcessBudget
from review_copilot.inspectors.tokens import TokenRule, text_tokens
from review_copilot.ports import Budget, NamedLocks, ReplyCache

_TURN_S = 120.0
"""How long to wait for another process that asks the same, where the question names no deadline; then ask oneself."""


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
    ) -> None:
        """Wrap a chat.

        Args:
            chat: The chat that is asked.
            tokens: How its provider counts image tokens.
            price: What its tokens cost; None where that is unknown.
            budget: What may be spent; None for no limit.
            cache: Where answers are kept; None to ask every time.
            named_locks: Lets one of several processes ask what all want to know; None where there are no others.

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
            InspectorError: As the wrapped chat says.
        """
        key = self._key(question)
        if (kept := self._kept(key)) is not None:
            return kept
        if self._turns is None:
            return self._ask(question, key)
        with self._turns.turn(key, wait_s=question.deadline_s or _TURN_S):
            return self._kept(key) or self._ask(question, key)

    def _kept(self, key: str) -> Answer | None:
        kept = self._cache.get(key) if self._cache is not None else None
        return None if kept is None else Answer(kept, Usage(cache_hit=True))

    def _ask(self, question: Question, key: str) -> Answer:
        """Ask within the budget, and keep the answer."""
        most_usd = self._most_usd(question)
        self._budget.reserve(most_usd)
        spent_usd = 0.0
        try:
            answer = self._chat.ask(question)
            spent_usd = self._price.cost_usd(answer.usage) if self._price else 0.0
        except (ModelCutOff, ModelRefused, ModelMalformed):
            spent_usd = most_usd  # it was answered and will be charged; how much was not said
            raise
        finally:
            self._budget.settle(reserved_usd=most_usd, spent_usd=spent_usd)
        if self._cache is not None:
            self._cache.put(key, answer.text)
        return replace(answer, usage=replace(answer.usage, cost_usd=spent_usd))

    def _most_usd(self, question: Question) -> float:
        """The most that one question can cost: nothing cached, an answer as long as allowed, one repair turn."""
        if self._price is None:
            return 0.0
        words = text_tokens(question.system + question.user)
        pictures = sum(self._tokens.image_tokens(view.width_px, view.height_px) for view in question.views)
        once = Usage(prompt_tokens=words + pictures, completion_tokens=question.max_tokens)
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
        ]
        return "reply-" + hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
