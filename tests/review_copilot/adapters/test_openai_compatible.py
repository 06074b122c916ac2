"""The openai chat against a real HTTP server on loopback: every rung of the ladder, every failure."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate

import numpy as np
import pytest

from fake_endpoint import JSON, Speaks, Turn, completing, endpoint, refusing, reply
from review_copilot.errors import (
    InspectorError,
    InspectorUnavailable,
    ModelAuthError,
    ModelCutOff,
    ModelMalformed,
    ModelRateLimited,
    ModelRefused,
    ModelUnreachable,
)
from review_copilot.inspectors.chat import Question
from review_copilot.inspectors.openai_compatible import Endpoint, OpenAIChat
from review_copilot.inspectors.reply import closed_object
from review_copilot.inspectors.reply_cache import MemoryReplyCache
from review_copilot.inspectors.reply_formats import Way
from review_copilot.inspectors.views import View
from web_server import Answer, serving

QUESTION = Question(
    system="Static.",
    user="Review the image now.",
    views=(View(np.full((32, 48, 3), 128, np.uint8)),),
    schema_name="review",
    schema=closed_object(
        {
            "findings": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
            "verdict": {"type": "string"},
            "summary": {"type": "string", "maxLength": 20},
        }
    ),
    max_tokens=64,
)
GOOD = reply()


def chat(
    url: str, *, timeout_s: float = 5.0, concurrency: int = 4, memory: MemoryReplyCache | None = None
) -> OpenAIChat:
    return OpenAIChat(
        Endpoint("a-model", base_url=url, api_key="k-secret", timeout_s=timeout_s, concurrency=concurrency),
        memory=memory,
    )


@pytest.mark.parametrize(
    ("speaks", "way"),
    [
        (Speaks(), Way.BOUNDED_SCHEMA),
        (Speaks(bounds=False), Way.SCHEMA),
        (Speaks(bounds=False, schema=False), Way.JSON_OBJECT),
        (Speaks(bounds=False, schema=False, json_object=False), Way.TOOL_CALL),
        (Speaks(bounds=False, schema=False, json_object=False, tools=False), Way.FENCED),
        (Speaks(schema=False, ignores=True), Way.JSON_OBJECT),
        (Speaks(schema=False, json_object=False, ignores=True), Way.TOOL_CALL),
        (Speaks(schema=False, json_object=False, tools=False, ignores=True), Way.FENCED),
    ],
)
def test_the_best_way_that_a_server_knows_is_found_once_and_remembered(speaks: Speaks, way: Way) -> None:
    """Servers that refuse a way, and servers that ignore it in silence, end at the same rung."""
    memory = MemoryReplyCache()
    with endpoint(lambda turn: f"```json\n{GOOD}\n```" if turn.way == "fenced" else GOOD, speaks=speaks) as server:
        first = chat(server.url, memory=memory)
        for _ in range(3):
            first.ask(QUESTION)
        probes = len(server.probes)
        chat(server.url, memory=memory).ask(QUESTION)
        assert len(server.probes) == probes, "another process that shares the memory need not probe"
        assert {turn.way for turn in server.turns} == {way.value.removesuffix("_bounded")}
        assert first.probe().way is way


def test_a_server_that_wants_other_names_gets_them() -> None:
    speaks = Speaks(limit_field="max_completion_tokens", temperature=False)
    with endpoint(lambda _: GOOD, speaks=speaks) as server:
        chat(server.url).ask(QUESTION)
        assert server.turns[0].fields["max_completion_tokens"] == 64
        assert not {"max_tokens", "temperature"} & set(server.turns[0].fields)


def test_a_later_refusal_of_the_form_goes_one_rung_down() -> None:
    """The small probe passed, the real schema is too much: the server says so, and the next way is tried."""

    def model(turn: Turn) -> str | Answer:
        return refusing(400, "Invalid schema: too complex a grammar") if turn.way == "json_schema" else GOOD

    with endpoint(model) as server:
        asked = chat(server.url)
        assert asked.ask(QUESTION).text == GOOD
        asked.ask(QUESTION)
        assert [turn.way for turn in server.turns] == ["json_schema", "json_schema", "json_object", "json_object"]


def test_many_threads_probe_once() -> None:
    with endpoint(lambda _: GOOD) as server:
        asked = chat(server.url)
        threads = [threading.Thread(target=asked.ask, args=(QUESTION,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server.probes), len(server.turns)) == (1, 6)


def test_usage_is_what_the_provider_said() -> None:
    with endpoint(lambda _: GOOD) as server:
        asked = chat(server.url)
        asked.probe()
        usage = asked.ask(QUESTION).usage
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.calls) == (2000, 1500, 100, 1)


def test_one_repair_turn_shows_the_model_what_was_wrong() -> None:
    said = iter(["I see nothing.", GOOD])
    with endpoint(lambda _: next(said)) as server:
        answer = chat(server.url).ask(QUESTION)
        mend = server.turns[1].fields["messages"][-2:]
    assert answer.text == GOOD
    assert "one repair turn" in answer.notes[0]
    assert answer.usage.calls == 3, "probe, answer, repair"
    assert mend[0] == {"role": "assistant", "content": "I see nothing."}
    assert "must be one JSON object" in mend[1]["content"]


def _redirected(turn: Turn) -> Answer:
    return Answer(body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"})


FAILURES: list[tuple[str, Callable[[Turn], str | Answer], type[InspectorError], str]] = [
    ("refusal", lambda _: completing(None, refusal="I cannot help with that."), ModelRefused, "cannot help"),
    ("filter", lambda _: completing(None, finish="content_filter"), ModelRefused, "declined"),
    ("azure filter", lambda _: refusing(400, "Filtered.", code="content_filter"), ModelRefused, "content filter"),
    ("cut off", lambda _: completing('{"findings": [', finish="length"), ModelCutOff, "MAX_TOKENS"),
    ("empty", lambda _: "", ModelMalformed, "even after one repair turn: the answer was empty"),
    ("null", lambda _: completing(None), ModelMalformed, "the answer was empty"),
    ("prose", lambda _: "The image is fine.", ModelMalformed, "even after one repair turn"),
    ("wrong kind", lambda _: '{"findings": 3, "verdict": "", "summary": ""}', ModelMalformed, '"findings" must be'),
    ("no choices", lambda _: Answer(body=b'{"choices": []}', headers=JSON), ModelMalformed, "no chat completion"),
    ("half a body", lambda _: Answer(body=b'{"choices": [{"mess', headers=JSON), ModelMalformed, "no chat completion"),
    ("a web page", _redirected, ModelMalformed, "MODEL_BASE_URL"),
    ("wrong key", lambda _: refusing(401, "Incorrect API key: k-secret"), ModelAuthError, "MODEL_API_KEY"),
    ("forbidden", lambda _: refusing(403, "No."), ModelAuthError, "403"),
    ("no model", lambda _: refusing(404, "No such model"), InspectorUnavailable, "It lists a-model"),
    ("bad request", lambda _: refusing(400, "k-secret: no such dial"), InspectorUnavailable, r"\*\*\*: no such dial"),
    ("server error", lambda _: refusing(500, "Oops"), ModelUnreachable, "500"),
    ("bad gateway", lambda _: refusing(502, "Oops"), ModelUnreachable, "502"),
    ("overloaded", lambda _: refusing(529, "Oops"), ModelUnreachable, "529"),
    ("long pause", lambda _: refusing(429, "Wait", headers={"Retry-After": "900"}), ModelRateLimited, "429"),
]


@pytest.mark.parametrize(("model", "error", "says"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES])
def test_every_failure_has_its_type(
    model: Callable[[Turn], str | Answer], error: type[InspectorError], says: str
) -> None:
    with endpoint(model) as server, pytest.raises(error, match=says) as raised:
        chat(server.url).ask(QUESTION)
    assert "k-secret" not in str(raised.value)


def test_a_server_that_fails_even_the_probe_is_named() -> None:
    with serving(lambda _: refusing(503, "Loading model")) as server, pytest.raises(ModelUnreachable, match="503"):
        chat(f"{server.url}/v1").ask(QUESTION)


@pytest.mark.parametrize("header", ["seconds", "date", "milliseconds"])
def test_a_pause_asked_for_is_waited_for_within_the_deadline(header: str) -> None:
    first = threading.Event()
    started: list[float] = []
    pauses = {
        "seconds": lambda: {"Retry-After": "1"},
        "date": lambda: {"Retry-After": formatdate(time.time() + 2, usegmt=True)},
        "milliseconds": lambda: {"retry-after-ms": "700"},
    }

    def model(turn: Turn) -> str | Answer:
        started.append(time.monotonic())
        if first.is_set():
            return GOOD
        first.set()
        return refusing(429, "Slow down", headers=pauses[header]())

    with endpoint(model) as server:
        assert chat(server.url, timeout_s=60).ask(QUESTION).text == GOOD  # a pause past the minute would be an error
    assert started[1] - started[0] >= 0.6


def test_pauses_are_waited_for_as_often_as_asked_and_by_all_threads() -> None:
    """One thread is told to wait; the others, which were not, wait as well."""
    told: list[float] = []
    answered: list[float] = []
    lock = threading.Lock()

    def model(_: Turn) -> str | Answer:
        with lock:
            if len(told) < 5:
                told.append(time.monotonic())
                return refusing(429, "Slow down", headers={"retry-after-ms": "200"})
            answered.append(time.monotonic())
        return GOOD

    with endpoint(model) as server:
        asked = chat(server.url, timeout_s=20, concurrency=1)
        with ThreadPoolExecutor(3) as pool:
            assert [answer.text for answer in pool.map(asked.ask, [QUESTION] * 3)] == [GOOD] * 3
    assert len(told) == 5
    assert all(later - earlier >= 0.19 for earlier, later in itertools.pairwise(told))


@pytest.mark.timeout(120)
def test_a_pause_longer_than_the_deadline_says_how_long() -> None:
    """At once: whoever waited for the deadline of ten minutes would be ended after two."""
    with endpoint(lambda _: refusing(429, "Wait", headers={"Retry-After": "3600"})) as server:
        with pytest.raises(ModelRateLimited) as raised:
            chat(server.url, timeout_s=600).ask(QUESTION)
        assert len(server.turns) == 1
    assert raised.value.retry_after_s == 3600
    assert raised.value.retryable


def test_a_passing_failure_is_tried_again() -> None:
    said: Iterator[str | Answer] = iter([refusing(503, "Busy"), GOOD])
    with endpoint(lambda _: next(said)) as server:
        assert chat(server.url).ask(QUESTION).text == GOOD


def test_a_server_that_hangs_ends_in_a_time_out() -> None:
    """It answers only after it was left."""
    left = threading.Event()

    def model(turn: Turn) -> str:
        left.wait(60)
        return GOOD

    with endpoint(model) as server:
        with pytest.raises(ModelUnreachable, match="time limit"):
            chat(server.url, timeout_s=0.5).ask(QUESTION)
        left.set()


def test_a_deadline_of_the_question_goes_before_the_chats_own() -> None:
    left = threading.Event()

    def model(turn: Turn) -> str:
        left.wait(25)
        return GOOD

    with endpoint(model) as server:
        with pytest.raises(ModelUnreachable, match="time limit"):
            chat(server.url, timeout_s=30).ask(replace(QUESTION, deadline_s=0.4))
        left.set()


@contextmanager
def _dripping() -> Iterator[str]:
    """A server that sends one byte every tenth of a second, for ever: no single read ever times out."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
            while not over.wait(0.1):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        over.set()
        thread.join()
        listener.close()


def test_a_server_that_drips_is_cut_off_at_the_deadline() -> None:
    """It stops only after it was left."""
    with _dripping() as url, pytest.raises(ModelUnreachable, match="time limit"):
        chat(url, timeout_s=0.8).ask(QUESTION)


def test_a_broken_connection_and_a_closed_port_are_unreachable() -> None:
    def model(turn: Turn) -> Answer:
        return Answer(body=b"", headers={**JSON, "Transfer-Encoding": "chunked"})

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelUnreachable, match="could not be reached"):
        chat(f"http://127.0.0.1:{port}/v1", timeout_s=3).ask(QUESTION)
    with endpoint(model) as server, pytest.raises(ModelUnreachable):
        chat(server.url, timeout_s=3).ask(QUESTION)


def test_all_threads_share_one_limit_on_concurrency() -> None:
    now, most = [0], [0]
    lock = threading.Lock()

    def model(turn: Turn) -> str:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        return GOOD

    with endpoint(model) as server:
        asked = chat(server.url, concurrency=2)
        threads = [threading.Thread(target=asked.ask, args=(QUESTION,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.turns) == 8
    assert most[0] == 2


def test_the_picture_comes_last_so_that_the_static_prefix_can_be_cached() -> None:
    with endpoint(lambda _: GOOD) as server:
        chat(server.url).ask(QUESTION)
        messages = server.turns[0].fields["messages"]
    assert [message["role"] for message in messages] == ["system", "user"]
    assert [part["type"] for part in messages[1]["content"]] == ["text", "image_url"]
    assert server.turns[0].pictures[0].shape == (32, 48, 3)
