"""Ask any OpenAI-compatible endpoint: OpenAI, Azure, vLLM, Ollama, LM Studio, llama.cpp, `transformers serve` ...

NamedLocks every failure into a typed error within a deadline. Knows no guideline and no price.
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

import httpx2
import openai

from review_copilot.concurrency.throttle import Throttle
from review_copilot.domain.request_context import REQUEST_ID, REQUEST_STATE
from review_copilot.domain.suggestion import Usage
from review_copilot.errors import (
    InspectorError,
    InspectorUnavailable,
    ModelAuthError,
    ModelCutOff,
    ModelMalformed,
    ModelRateLimited,
    ModelRefused,
    ModelUnreachable,
    RequestAbandoned,
)
from review_copilot.inspectors.chat import Answer, Question
from review_copilot.inspectors.completion import Completion, read_body, read_completion, retry_after_s
from review_copilot.inspectors.reply import ReplyProblem, checked_object
from review_copilot.inspectors.reply_formats import Dialect, probe_question
from review_copilot.ports import ConcurrencyLimit, ReplyCache

_log = logging.getLogger(__name__)

_BACKOFF_S = (0.5, 1.0)
_LEAST_PAUSE_S = 0.05
_REFUSED_CODES = {"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is served.

    Attributes:
        model: The model's name there.
        base_url: Address up to and with `/v1`; empty for OpenAI's.
        api_key: Empty where none is asked for.
        timeout_s: Seconds for one question, all waiting and retries counted, where the question names no deadline.
        concurrency: Most requests at once.
        reserved: How many of them are kept free for a person with the Magic tool, less than `concurrency`.
        temperature: Sampling temperature; None to send none.
    """

    model: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    concurrency: int = 4
    reserved: int = 0
    temperature: float | None = 0.0


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
        self._client = openai.OpenAI(
            base_url=endpoint.base_url or None, api_key=endpoint.api_key or "none", max_retries=0
        )
        self._limit = concurrency or Throttle(most=endpoint.concurrency, reserved=endpoint.reserved)
        self._probing = threading.Lock()
        self._dialect: Dialect | None = None

    @property
    def model(self) -> str:
        """The model's name at the endpoint."""
        return self._endpoint.model

    @property
    def parameters(self) -> Mapping[str, object]:
        """What besides model and question decides the answer."""
        return {"temperature": self._endpoint.temperature}

    def ask(self, question: Question) -> Answer:
        """Ask; probes the endpoint before the first question.

        Raises:
            ModelRefused: The model or the endpoint's content filter declined.
            ModelCutOff: The answer ended at its length limit.
            ModelMalformed: Not of the asked form, even after one repair turn; or empty; or no chat completion.
            ModelUnreachable: Time-out, broken connection, 5xx.
            ModelRateLimited: 429, and the pause asked for ends after the deadline.
            ModelAuthError: 401 or 403.
            InspectorUnavailable: No such model or address; or the endpoint refuses the request whatever its form.
        """
        deadline = time.monotonic() + (question.deadline_s or self._endpoint.timeout_s)
        dialect, probed = self._known_dialect(deadline)
        while True:
            fields = self._fields(dialect, question)
            try:
                completion = self._call(fields, deadline)
                break
            except _Complaint as complaint:
                adapted = dialect.adapted(complaint.words)
                if adapted is None:
                    raise complaint.typed from complaint
                dialect = adapted
        if dialect != self._dialect:
            self._remember(dialect)
        usage = probed.plus(completion.usage)
        text = dialect.text_of(completion.message)
        try:
            checked_object(text, question.schema)
        except ReplyProblem as problem:
            turn = _repair_turn(said=text, problem=problem, question=question)
            repaired = self._repaired({**fields, "messages": [*fields["messages"], *turn]}, deadline)
            text = dialect.text_of(repaired.message)
            _check_repaired(text, question)
            note = "The model's first answer was not in the asked form; one repair turn mended it."
            return Answer(text, usage.plus(repaired.usage), (note,))
        return Answer(text, usage)

    def probe(self) -> Dialect:
        """Find out anew what the endpoint speaks, and remember it.

        Raises:
            InspectorError: It cannot be asked at all.
        """
        with self._probing:
            return self._probe(time.monotonic() + self._endpoint.timeout_s)[0]

    def models(self) -> tuple[str, ...]:
        """Names of the models that the endpoint lists; empty when it lists none."""
        try:
            return tuple(model.id for model in self._client.models.list(timeout=10.0).data)
        except (openai.OpenAIError, ValueError, TypeError):
            return ()

    def _fields(self, dialect: Dialect, question: Question) -> dict[str, Any]:
        return dialect.fields(question, model=self.model, temperature=self._endpoint.temperature)

    def _repaired(self, fields: Mapping[str, Any], deadline: float) -> Completion:
        try:
            return self._call(fields, deadline)
        except _Complaint as complaint:
            raise complaint.typed from complaint

    def _known_dialect(self, deadline: float) -> tuple[Dialect, Usage]:
        if self._dialect is not None:
            return self._dialect, Usage()
        with self._probing:
            if self._dialect is not None:
                return self._dialect, Usage()
            kept = self._memory.get(self._memory_key) if self._memory else None
            if kept and (dialect := Dialect.read(kept)):
                self._dialect = dialect
                return dialect, Usage()
            return self._probe(deadline)

    def _probe(self, deadline: float) -> tuple[Dialect, Usage]:
        """Go down the ladder until a small question is answered as asked."""
        dialect, usage = Dialect(), Usage()
        while True:
            question = probe_question(dialect.way)
            try:
                completion = self._call(self._fields(dialect, question), deadline)
                usage = usage.plus(completion.usage)
                checked_object(dialect.text_of(completion.message), question.schema)
                return self._remember(dialect), usage
            except _Complaint as complaint:
                adapted = dialect.adapted(complaint.words)
                if adapted is None and dialect.way.next is None:
                    raise complaint.typed from complaint
                dialect = adapted or replace(dialect, way=dialect.way.next or dialect.way)
            except (ReplyProblem, ModelCutOff):
                if dialect.way.next is None:  # it speaks, if not JSON: questions get a repair turn
                    return self._remember(dialect), usage
                dialect = replace(dialect, way=dialect.way.next)

    def _remember(self, dialect: Dialect) -> Dialect:
        self._dialect = dialect
        if self._memory:
            self._memory.put(self._memory_key, dialect.written())
        _log.info("%s answers by %s", self.model, dialect.way)
        return dialect

    @property
    def _memory_key(self) -> str:
        named = f"{self._endpoint.base_url}\0{self._endpoint.model}"
        return "dialect-" + hashlib.sha256(named.encode()).hexdigest()

    def _call(self, fields: Mapping[str, Any], deadline: float) -> Completion:
        """One request, tried again within the deadline where that may help.

        A pause that the endpoint asks for is waited for as often as it asks; other failures are tried again twice.
        """
        backoffs, waiting = iter(_BACKOFF_S), REQUEST_STATE.get()
        waiting.prepared()
        while True:
            try:
                with self._limit.slot(deadline=deadline, urgent=waiting.urgent()):
                    if not waiting.wanted():
                        raise RequestAbandoned("Nobody waits for the answer any more.")
                    return self._send(fields, deadline)
            except TimeoutError as error:
                raise ModelUnreachable(
                    "The model did not answer within the time limit.",
                    hint="Raise REVIEW_COPILOT_MODEL_TIMEOUT_S or lower REVIEW_COPILOT_MODEL_CONCURRENCY.",
                ) from error
            except ModelRateLimited as error:
                wait_s = error.retry_after_s if error.retry_after_s is not None else next(backoffs, None)
                if wait_s is None or time.monotonic() + wait_s >= deadline:
                    raise
                self._limit.pause(max(wait_s, _LEAST_PAUSE_S))
            except (ModelUnreachable, _Complaint) as error:
                may_pass = error.typed.retryable if isinstance(error, _Complaint) else True
                wait_s = next(backoffs, None) if may_pass else None
                if wait_s is None or time.monotonic() + wait_s >= deadline:
                    raise
                time.sleep(wait_s)

    def _send(self, fields: Mapping[str, Any], deadline: float) -> Completion:
        """One request; raises TimeoutError at the deadline, else a typed error or a `_Complaint`."""
        try:
            with self._client.chat.completions.with_streaming_response.create(
                **fields,
                timeout=max(0.001, deadline - time.monotonic()),
                extra_headers={"X-Client-Request-Id": request_id} if (request_id := REQUEST_ID.get()) else None,
            ) as response:
                return read_completion(read_body(response.iter_bytes(), deadline=deadline))
        except (openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise TimeoutError from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise ModelUnreachable(
                "The model's endpoint could not be reached, or broke off.",
                hint="Is it running, and is REVIEW_COPILOT_MODEL_BASE_URL right?",
            ) from error
        except openai.APIStatusError as error:
            raise self._typed(error) from error

    def _typed(self, error: openai.APIStatusError) -> InspectorError | _Complaint:
        """The typed error for a status: a `_Complaint` where another dialect may help."""
        status, words = error.status_code, self._without_key(str(error.message))
        if status in {401, 403}:
            return ModelAuthError(
                f"The model's endpoint does not accept the key ({status}).", hint="Set REVIEW_COPILOT_MODEL_API_KEY."
            )
        if status == 429:
            wait = retry_after_s(error.response.headers)
            hint = "The account's quota is used up." if error.code == "insufficient_quota" else "Lower the concurrency."
            return ModelRateLimited("The model's endpoint asks for a pause (429).", hint=hint, retry_after_s=wait)
        if status in {408, 409} or status >= 502:
            return ModelUnreachable(f"The model's endpoint failed ({status}).", hint="Try again later.")
        if status == 404:
            known = ", ".join(self.models()[:8])
            return InspectorUnavailable(
                f"The model's endpoint knows no model {self.model!r} (404).",
                hint=f"It lists {known}."
                if known
                else "Is REVIEW_COPILOT_MODEL_BASE_URL right (often it ends in /v1)?",
            )
        if error.code in _REFUSED_CODES:
            return ModelRefused("The endpoint's content filter refused the request.")
        if status == 500:
            return _Complaint(words, ModelUnreachable("The model's endpoint failed (500).", hint="Try again later."))
        return _Complaint(words, InspectorUnavailable(f"The model's endpoint refuses the request ({status}): {words}"))

    def _without_key(self, words: str) -> str:
        if self._endpoint.api_key:
            words = words.replace(self._endpoint.api_key, "***")
        return " ".join(words.split())[:300]


class _Complaint(Exception):
    """The endpoint does not like the request's form."""

    def __init__(self, words: str, typed: InspectorUnavailable | ModelUnreachable) -> None:
        super().__init__(words)
        self.words = words
        self.typed = typed


def _repair_turn(*, said: str, problem: ReplyProblem, question: Question) -> list[dict[str, str]]:
    """Show the model what it said and what was wrong with it."""
    mend = f"That was not as asked: {problem}. Answer again with one JSON object that fits this schema: "
    return [
        {"role": "assistant", "content": said or "(nothing)"},
        {"role": "user", "content": mend + json.dumps(question.schema)},
    ]


def _check_repaired(text: str, question: Question) -> None:
    try:
        checked_object(text, question.schema)
    except ReplyProblem as problem:
        what = f"did not answer in the asked form ({problem})" if text else "answered with nothing"
        raise ModelMalformed(
            f"The model {what}, even after one repair turn.",
            hint="Try a larger model; `review-copilot probe` shows what the endpoint can do.",
        ) from problem
