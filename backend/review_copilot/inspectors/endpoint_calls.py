"""One request to a chat endpoint, tried again within the deadline where that may help. Knows no question.

Books what may have been charged: a request that was sent and brought no answer back counts as a call without usage.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2
import openai

from review_copilot.domain.request_context import REQUEST_ID, REQUEST_STATE
from review_copilot.errors import (
    InspectorError,
    InspectorUnavailable,
    ModelAuthError,
    ModelQuotaSpent,
    ModelRateLimited,
    ModelRefused,
    ModelUnreachable,
    RequestAbandoned,
    RequestRejected,
)
from review_copilot.inspectors.chat import PicturesRefused
from review_copilot.inspectors.completion import BrokenStream, Completion, ErrorInside, read_body, read_completion
from review_copilot.inspectors.picture_limits import most_pictures
from review_copilot.inspectors.server_errors import ServerError, Trouble, read_error
from review_copilot.ports import ConcurrencyLimit

_PASSING_BACKOFF_S = (0.5, 1.0)
_FIRST_BACKOFF_S, _MOST_BACKOFF_S = 0.5, 15.0
_LEAST_PAUSE_S = 0.05
_JITTER = 0.1


class Complaint(Exception):
    """The endpoint does not like the request's form: another one may help."""

    def __init__(self, words: str, typed: InspectorError) -> None:
        super().__init__(words)
        self.words = words
        self.typed = typed


class _Late(TimeoutError):
    """The request was sent, and the deadline passed; it may have been charged."""


class _Unanswered(Exception):
    """The request was sent, and no whole answer came back; it may have been charged."""


class EndpointCalls:
    """Requests to one endpoint under one limit on concurrency."""

    def __init__(self, client: openai.OpenAI, *, limit: ConcurrencyLimit, model: str, api_key: str) -> None:
        """Name the endpoint; makes no request.

        Args:
            client: Knows address and key.
            limit: How many requests at once.
            model: For messages.
            api_key: Never shown in one.
        """
        self._client = client
        self._limit = limit
        self._model = model
        self._api_key = api_key

    def models(self) -> tuple[str, ...]:
        """Names of the models that the endpoint lists; empty when it lists none."""
        try:
            return tuple(str(model.id) for model in self._client.models.list(timeout=10.0).data)
        except (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError, AttributeError):
            return ()

    def send(self, fields: Mapping[str, Any], deadline: float) -> tuple[Completion, int]:
        """One answer, and how many requests before it may have been charged without one.

        A pause that the endpoint asks for is waited for as often as it asks, and so is a model that loads; other
        failures are tried again twice.

        Raises:
            Complaint: The request's form is not liked.
            InspectorError: With `unmetered` set to what may have been charged.
        """
        passing, waits = iter(_PASSING_BACKOFF_S), _growing()
        waiting, unmetered = REQUEST_STATE.get(), 0
        waiting.prepared()
        while True:
            try:
                with self._limit.slot(deadline=deadline, urgent=waiting.urgent()):
                    if not waiting.wanted():
                        raise RequestAbandoned("Nobody waits for the answer any more.")
                    return self._send(fields, deadline), unmetered
            except TimeoutError as error:
                raise _booked(_too_slow(), unmetered + isinstance(error, _Late)) from error
            except _Unanswered as error:
                unmetered += 1
                typed, wait_s = _broken_off(), next(passing, None)
                if wait_s is None or time.monotonic() + wait_s >= deadline:
                    raise _booked(typed, unmetered) from error
                time.sleep(wait_s)
            except (ModelRateLimited, ModelUnreachable) as error:
                self._wait(error, passing, waits, deadline, unmetered)
            except InspectorError as error:
                raise _booked(error, unmetered) from error

    def _wait(
        self,
        error: ModelRateLimited | ModelUnreachable,
        passing: Iterator[float],
        waits: Iterator[float],
        deadline: float,
        unmetered: int,
    ) -> None:
        """Wait before the next try; raises the error where no try is left in time."""
        asked_s = error.retry_after_s if isinstance(error, ModelRateLimited) else getattr(error, "retry_after_s", None)
        patient = isinstance(error, ModelRateLimited | _Loading)
        wait_s = asked_s if asked_s is not None else next(waits if patient else passing, None)
        if wait_s is None or time.monotonic() + wait_s >= deadline:
            raise _booked(error, unmetered) from error
        if isinstance(error, ModelRateLimited):
            self._limit.pause(max(wait_s, _LEAST_PAUSE_S))
        else:
            time.sleep(wait_s)

    def _send(self, fields: Mapping[str, Any], deadline: float) -> Completion:
        """One request; raises TimeoutError at the deadline, else a typed error or a `Complaint`."""
        request_id = REQUEST_ID.get()
        known = {"model", "messages", "stream"}
        try:
            with self._client.chat.completions.with_streaming_response.create(
                **{name: value for name, value in fields.items() if name in known},
                extra_body={name: value for name, value in fields.items() if name not in known},
                timeout=max(0.001, deadline - time.monotonic()),
                extra_headers={"X-Client-Request-Id": request_id} if request_id else None,
            ) as response:
                return read_completion(read_body(response.iter_bytes(), deadline=deadline))
        except ErrorInside as inside:
            raise self._typed(inside.error) from inside
        except BrokenStream as error:
            raise _Unanswered from error
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise _Late from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            if isinstance(error.__cause__, httpx2.ConnectError) or isinstance(error, httpx2.ConnectError):
                raise _out_of_reach() from error
            raise _Unanswered from error
        except openai.APIStatusError as error:
            said = read_error(error.status_code, error.response.content, error.response.headers)  # the client read it
            raise self._typed(said) from error

    def _typed(self, error: ServerError) -> InspectorError | Complaint:
        """The typed error for what the server says; a `Complaint` where another form may help."""
        words = self._without_key(error.words)
        said = f"({error.status}): {words}" if words else f"({error.status})."
        if error.trouble is Trouble.FORM:
            return Complaint(words, _refused_form(error.status, said))
        if error.trouble is Trouble.MODEL:
            return self._no_model(error.status, said)
        return _TYPED[error.trouble](said, error.wait_s)

    def _no_model(self, status: int, said: str) -> InspectorUnavailable:
        known = ", ".join(self.models()[:8]) if status in {400, 404} else ""
        listed, asked = f"It lists {known}.", "Is REVIEW_COPILOT_MODEL_BASE_URL right (often it ends in /v1)?"
        return InspectorUnavailable(
            f"The model's endpoint cannot serve the model {self._model!r} {said}", hint=listed if known else asked
        )

    def _without_key(self, words: str) -> str:
        return words.replace(self._api_key, "***") if len(self._api_key) > 3 else words


class _Loading(ModelUnreachable):
    """The endpoint is not ready yet, and will be."""

    def __init__(self, public: str, *, retry_after_s: float | None) -> None:
        super().__init__(public, hint="Try again when its model is loaded.")
        self.retry_after_s = retry_after_s


def _refused_form(status: int, said: str) -> InspectorError:
    if status >= 500:
        return ModelUnreachable(f"The model's endpoint failed {said}", hint="Try again later.")
    return RequestRejected(f"The model's endpoint refuses the request {said}")


_TYPED: Mapping[Trouble, Callable[[str, float | None], InspectorError]] = {
    Trouble.KEY: lambda said, _: ModelAuthError(
        f"The model's endpoint does not let us in {said}",
        hint="Check REVIEW_COPILOT_MODEL_API_KEY and what the account may use.",
    ),
    Trouble.MONEY: lambda said, _: ModelQuotaSpent(
        f"The account at the model's endpoint has nothing left {said}",
        hint="Add credit or quota there, then run again: what is done is kept.",
    ),
    Trouble.REFUSED: lambda said, _: ModelRefused(f"The endpoint's content filter refused the request {said}"),
    Trouble.RATE: lambda said, wait_s: ModelRateLimited(
        f"The model's endpoint asks for a pause {said}", hint="Lower the concurrency.", retry_after_s=wait_s
    ),
    Trouble.LOADING: lambda said, wait_s: _Loading(f"The model's endpoint is not ready {said}", retry_after_s=wait_s),
    Trouble.PASSING: lambda said, _: ModelUnreachable(f"The model's endpoint failed {said}", hint="Try again later."),
    Trouble.SIZE: lambda said, _: PicturesRefused(
        f"The model's endpoint takes fewer or smaller pictures {said}",
        hint="Lower REVIEW_COPILOT_MODEL_CLOSE_UPS, or enlarge the server's context.",
        most=most_pictures(said),
    ),
}
"""The typed error of each trouble, from what the server says and the seconds that it asks to wait."""


def _growing() -> Iterator[float]:
    """Pauses that double up to a most, a little at random so that threads do not come back together."""
    wait_s = _FIRST_BACKOFF_S
    while True:
        yield wait_s * (1 + _JITTER * random.random())
        wait_s = min(_MOST_BACKOFF_S, 2 * wait_s)


def _booked(error: InspectorError, unmetered: int) -> InspectorError:
    error.unmetered += unmetered
    return error


def _too_slow() -> ModelUnreachable:
    return ModelUnreachable(
        "The model did not answer within the time limit.",
        hint="Raise REVIEW_COPILOT_MODEL_TIMEOUT_S or lower REVIEW_COPILOT_MODEL_CONCURRENCY.",
    )


def _out_of_reach() -> ModelUnreachable:
    return ModelUnreachable(
        "The model's endpoint could not be reached.",
        hint="Is it running, and is REVIEW_COPILOT_MODEL_BASE_URL right?",
    )


def _broken_off() -> ModelUnreachable:
    return ModelUnreachable(
        "The model's endpoint could not be reached, or broke off.",
        hint="Is it running, and is REVIEW_COPILOT_MODEL_BASE_URL right?",
    )
