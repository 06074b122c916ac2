"""Ask any OpenAI-compatible endpoint: OpenAI, Azure, vLLM, Ollama, LM Studio, llama.cpp, `transformers serve` ...

Turns every failure into a typed error within a deadline. Knows no guideline and no price.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openai

from review_copilot.concurrency.throttle import Throttle
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import (
    InspectorError,
    ModelCutOff,
)
from review_copilot.inspectors.chat import Answer, Question, book
from review_copilot.inspectors.completion import Completion
from review_copilot.inspectors.endpoint_calls import Complaint, EndpointCalls
from review_copilot.inspectors.repair import ask_with_repair
from review_copilot.inspectors.reply import ReplyProblem, checked_object
from review_copilot.inspectors.reply_formats import PROBE_TOKENS, Dialect, Sampling, probe_question
from review_copilot.ports import ConcurrencyLimit, ReplyCache

_log = logging.getLogger(__name__)

_LARGER = 3
_MOST_TOKENS = 24_000
_MOST_ADAPTATIONS = 14


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served.

    Attributes:
        model: The model's name there.
        base_url: Address up to and with `/v1`, or a deployment's on Azure; a query such as `?api-version=` is kept.
            Empty for OpenAI's.
        api_key: Empty where none is asked for.
        timeout_s: Seconds for one question, all waiting and retries counted, where the question names no deadline.
        concurrency: Most requests at once.
        reserved: How many of them are kept free for a person with the Magic tool, less than `concurrency`.
        temperature: Sampling temperature; None to send none.
        reasoning_effort: How hard to think, in the provider's words; empty to send none.
        extra_body: More fields of each request's body.
        extra_headers: More headers of each request.
    """

    model: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    concurrency: int = 4
    reserved: int = 0
    temperature: float | None = 0.0
    reasoning_effort: str = ""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class OpenAIChat:
    """A chat with one endpoint: connections, one limit on concurrency, and what the endpoint was found to speak."""

    def __init__(
        self, endpoint: Endpoint, *, memory: ReplyCache | None = None, concurrency: ConcurrencyLimit | None = None
    ) -> None:
        """Open a chat; makes no request.

        Args:
            endpoint: Where to ask.
            memory: Where to remember what the endpoint speaks, beyond this process; None to probe in each process.
            concurrency: The limit on requests at once that is shared with others; None for one of our own.
        """
        self._endpoint = endpoint
        self._memory = memory
        self._sampling = Sampling(endpoint.temperature, endpoint.reasoning_effort, endpoint.extra_body)
        self._calls = EndpointCalls(
            _client(endpoint),
            limit=concurrency or Throttle(most=endpoint.concurrency, reserved=endpoint.reserved),
            model=endpoint.model,
            api_key=endpoint.api_key,
        )
        self._probing = threading.Lock()
        self._dialect: Dialect | None = None

    @property
    def model(self) -> str:
        """The model's name at the endpoint."""
        return self._endpoint.model

    @property
    def parameters(self) -> Mapping[str, object]:
        """What besides model and question decides the answer."""
        said: dict[str, object] = {"temperature": self._endpoint.temperature}
        if self._endpoint.reasoning_effort:
            said["reasoning_effort"] = self._endpoint.reasoning_effort
        if self._endpoint.extra_body:
            said["extra_body"] = dict(self._endpoint.extra_body)
        return said

    def ask(self, question: Question) -> Answer:
        """Ask; probes the endpoint before the first question.

        Raises:
            ModelRefused: The model or the endpoint's content filter declined.
            ModelCutOff: The answer ended at its length limit, however large.
            ModelMalformed: Not of the asked form, even after one repair turn; or empty; or no chat completion.
            ModelUnreachable: Time-out, broken connection, 5xx.
            ModelRateLimited: 429, and the pause asked for ends after the deadline.
            ModelAuthError: 401 or 403.
            ModelQuotaSpent: The account has no money or quota left.
            PicturesRefused: It takes fewer or smaller pictures.
            InspectorUnavailable: No such model or address; or the endpoint refuses the request whatever its form.
        """
        deadline = time.monotonic() + (question.deadline_s or self._endpoint.timeout_s)
        probed = self._probed(deadline)
        try:
            answer = ask_with_repair(lambda turn: self._ask_once(turn, deadline), question)
        except InspectorError as error:
            raise (book(error, probed) if probed is not None else error) from error
        if probed is None:
            return answer
        return replace(answer, usage=probed.usage.plus(answer.usage), unmetered=answer.unmetered + probed.unmetered)

    def probe(self) -> Dialect:
        """Probe again what the endpoint supports, and remember it.

        Raises:
            InspectorError: It cannot be asked at all.
        """
        with self._probing:
            self._probe(time.monotonic() + self._endpoint.timeout_s)
        return self._dialect or Dialect()

    def models(self) -> tuple[str, ...]:
        """Names of the models that the endpoint lists; empty when it lists none."""
        return self._calls.models()

    def _ask_once(self, question: Question, deadline: float) -> Answer:
        """One answer without a repair turn: the request is adapted as the endpoint asks, and gets more room."""
        dialect = self._dialect or Dialect()
        spent = Answer("", Usage())
        try:
            for _ in range(_MOST_ADAPTATIONS):
                fields = dialect.fields(question, model=self.model, sampling=self._sampling)
                try:
                    completion, unmetered = self._calls.send(fields, deadline)
                except Complaint as complaint:
                    dialect = _adapted(dialect, complaint, fields)
                    continue
                spent = _with(spent, completion, unmetered, dialect)
                if completion.cut_off:
                    dialect = _roomier(dialect, question, deadline)
                    continue
                self._remember(dialect)
                return spent
        except InspectorError as error:
            raise book(error, spent) from error
        raise book(ModelCutOff("The model's endpoint refuses one form of the request after the other."), spent)

    def _probed(self, deadline: float) -> Answer | None:
        """What it cost to find out what the endpoint speaks; None where that is known."""
        if self._dialect is not None:
            return None
        with self._probing:
            if self._dialect is not None:
                return None
            kept = self._memory.get(self._memory_key) if self._memory else None
            if kept and (dialect := Dialect.read(kept)):
                self._dialect = dialect
                return None
            return self._probe(deadline)

    def _probe(self, deadline: float) -> Answer:
        """Go down the ladder until a small question is answered as asked."""
        dialect, spent, room = Dialect(), Answer("", Usage()), PROBE_TOKENS
        empty = 0
        while True:
            question = replace(probe_question(dialect.way), max_tokens=room)
            fields = dialect.fields(question, model=self.model, sampling=self._sampling)
            try:
                completion, unmetered = self._calls.send(fields, deadline)
                spent = _with(spent, completion, unmetered, dialect)
                if completion.cut_off and (larger := _larger(dialect.limit_tokens(question), dialect)) is not None:
                    room = larger  # it was still thinking: that says nothing about the form
                    continue
                if not spent.text and not empty:
                    empty += 1
                    continue
                checked_object(spent.text, question.schema)
            except Complaint as complaint:
                dialect = _next_dialect(dialect, complaint, fields)
                continue
            except ReplyProblem:
                if dialect.way.next is not None:
                    dialect = replace(dialect, way=dialect.way.next)
                    continue
            except InspectorError as error:
                raise book(error, spent) from error
            self._remember(dialect)  # where it speaks, if not JSON, questions get a repair turn
            return spent

    def _remember(self, dialect: Dialect) -> None:
        if dialect == self._dialect:
            return
        self._dialect = dialect
        if self._memory:
            self._memory.put(self._memory_key, dialect.written())
        _log.info("%s answers by %s", self.model, dialect.way)

    @property
    def _memory_key(self) -> str:
        """Names all that decides what the endpoint speaks: probed again when one of it changes."""
        named = [self._endpoint.base_url, self._endpoint.model, *map(str, self.parameters.items())]
        return "dialect-" + hashlib.sha256(json.dumps(named).encode()).hexdigest()


def _client(endpoint: Endpoint) -> openai.OpenAI:
    """A client for any address: a query is kept, and Azure gets its key in its own header."""
    address = urlsplit(endpoint.base_url)
    key = endpoint.api_key or "none"
    azure = "/openai/deployments/" in address.path or (address.hostname or "").endswith(".azure.com")
    headers = {**({"api-key": key} if azure else {}), **endpoint.extra_headers}
    return openai.OpenAI(
        base_url=address._replace(query="", fragment="").geturl() if endpoint.base_url else None,
        api_key=key,
        max_retries=0,
        default_query=dict(parse_qsl(address.query)) or None,
        default_headers=headers or None,
    )


def _with(spent: Answer, completion: Completion, unmetered: int, dialect: Dialect) -> Answer:
    """The answer of a completion, with what came before it booked."""
    usage = completion.usage or Usage(calls=1)
    more = unmetered + (completion.usage is None)
    text = dialect.text_of(completion.message)
    return replace(spent, text=text, usage=spent.usage.plus(usage), unmetered=spent.unmetered + more)


def _adapted(dialect: Dialect, complaint: Complaint, fields: Mapping[str, Any]) -> Dialect:
    adapted = dialect.adapted(complaint.words, sent=fields)
    if adapted is None:
        raise complaint.typed from complaint
    return adapted


def _next_dialect(dialect: Dialect, complaint: Complaint, fields: Mapping[str, Any]) -> Dialect:
    """The dialect that answers a complaint; where it asks for nothing known, the next way down."""
    adapted = dialect.adapted(complaint.words, sent=fields)
    if adapted is not None:
        return adapted
    if dialect.way.next is None:
        raise complaint.typed from complaint
    return replace(dialect, way=dialect.way.next)


def _larger(limit: int, dialect: Dialect) -> int | None:
    """A larger length limit; None where there is none to take."""
    most = min(_MOST_TOKENS, dialect.most_tokens or _MOST_TOKENS)
    return min(most, max(limit * _LARGER, PROBE_TOKENS)) if limit < most else None


def _roomier(dialect: Dialect, question: Question, deadline: float) -> Dialect:
    """The dialect with more room for the answer.

    Raises:
        ModelCutOff: The limit cannot be raised further, or no time is left.
    """
    limit = dialect.limit_tokens(question)
    larger = _larger(limit, dialect)
    if larger is None or time.monotonic() >= deadline:
        raise ModelCutOff(
            f"The model's answer ended at its length limit of {limit} tokens.",
            hint="Raise REVIEW_COPILOT_MODEL_MAX_TOKENS, or lower REVIEW_COPILOT_MODEL_REASONING_EFFORT.",
        )
    return replace(dialect, room_tokens=larger)
