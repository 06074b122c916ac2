"""A cluster that is not there is said at once, and how to find it."""

from __future__ import annotations

import time

import pytest

from builders import a_task
from fake_clock import FakeClock
from fake_label_studio import FakeImages, FakeInspector
from review_copilot.engines.ray_cluster import Cluster, RayEngine
from review_copilot.errors import EngineError
from review_copilot.flows.review_context import ReviewContext
from review_copilot.library import load_guideline
from review_copilot.ports import Shared


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:head"])
def test_an_address_where_nobody_listens_is_told_at_once(address: str) -> None:
    context = ReviewContext(load_guideline("photo-quality"), FakeInspector(), FakeImages(), FakeClock(), min_score=0.3)

    def never(_: Shared) -> ReviewContext:
        pytest.fail("no worker is made")

    engine = RayEngine(context, make_context=never, cluster=Cluster(address=address))
    began = time.monotonic()
    with pytest.raises(EngineError, match="cannot be reached") as error:
        list(engine.reviews([a_task()], rollout="r"))
    assert "ray start --head" in error.value.hint
    assert time.monotonic() - began < 20
    assert list(engine.reviews([], rollout="r")) == [], "no cluster is needed for nothing"
