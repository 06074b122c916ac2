"""Nobody is asked for somebody who has gone: callers that close their connection to a real backend."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from backends import BackendProcess, backends
from fake_endpoint import FakeEndpoint, Turn, endpoint, reply
from pictures import noise_uris

ANSWER_S = 2.0
BOX = {"id": "b", "from_name": "label", "to_name": "image", "type": "rectanglelabels"} | {
    "value": {"x": 10, "y": 10, "width": 50, "height": 50, "rectanglelabels": []},
    "original_width": 96,
    "original_height": 64,
}


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[BackendProcess, FakeEndpoint]]:
    """A backend whose model takes one request at a time, and has just been given one that takes two seconds."""

    def slow(turn: Turn) -> str:
        time.sleep(ANSWER_S)
        return reply(looked_at=turn.criteria)

    with endpoint(slow) as running:
        settings = {
            "database_url": f"sqlite:///{tmp_path}/log.db",
            "inspector": "openai",
            "model": "a-model",
            "model_base_url": running.url,
            "concurrency": 1,
            "model_concurrency": 1,
        }
        with backends(1, settings=settings, folder=tmp_path) as (backend,):
            first = threading.Thread(target=backend.predict, args=(noise_uris(1),), kwargs={"box": BOX})
            first.start()
            while not running.turns:
                time.sleep(0.02)
            yield backend, running
            first.join()


@pytest.mark.parametrize("box", [BOX, None], ids=["magic", "many"])
@pytest.mark.timeout(120)
def test_no_call_starts_for_a_caller_who_has_hung_up(box: object, busy: tuple[BackendProcess, FakeEndpoint]) -> None:
    backend, asked = busy
    with pytest.raises(requests.ReadTimeout):
        backend.predict(noise_uris(3, seed=1), first_id=100, box=box, patience_s=0.3)
    time.sleep(ANSWER_S + 2)
    assert len(asked.turns) == 1
    assert all(backend.predict(noise_uris(1, seed=2), first_id=200)), "it works for those who stay"


@pytest.mark.timeout(120)
def test_an_answer_that_has_begun_is_sent_although_the_server_stops(busy: tuple[BackendProcess, FakeEndpoint]) -> None:
    """The fixture's request is in progress; its thread fails if it gets no answer."""
    backend, asked = busy
    backend.end()
    assert len(asked.turns) == 1
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{backend.url}/health", timeout=2)
