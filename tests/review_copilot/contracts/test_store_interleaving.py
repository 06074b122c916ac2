"""In whatever order events come, and however often, the log ends in the same state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import PROJECT, a_comparison, an_annotation, at
from fakes import MemoryStore
from review_copilot.domain.override import Comparison, Override, OverrideKind, Subject
from review_copilot.domain.review import ProjectKey, TaskKey
from review_copilot.ports import Store
from review_copilot.store import open_store

PROJECTS = count(1)
"""A project of its own for each run, so that all can share one database."""


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    memory = MemoryStore()
    if request.param == "memory":
        yield memory
        return
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'log.db'}", clock=memory.clock)
    yield opened
    opened.close()


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, str]]:
    """What became of up to three annotations, second by second: a content, or their deletion at the end."""
    events = []
    for annotation_id in range(1, draw(st.integers(1, 3)) + 1):
        contents = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
        events += [(annotation_id, content) for content in contents]
        if draw(st.booleans()):
            events.append((annotation_id, "deleted"))
    return events


def state(store: Store, project: ProjectKey) -> set[tuple[int, str]]:
    return {(row.annotation_id, row.override.note) for row in store.overrides(project=project)}


def revision(project: ProjectKey, annotation_id: int, content: str, second: int) -> Comparison:
    annotation = an_annotation(annotation_id=annotation_id, content_hash=content, updated_at=at(200 + second))
    row = Override(subject=Subject.REGION, kind=OverrideKind.ADDED, note=content)
    annotation = replace(annotation, key=TaskKey(project, 1))
    return a_comparison(annotation, [row], confirmed=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(history=histories(), random=st.randoms(use_true_random=False), repeated=st.integers(0, 3))
def test_any_interleaving_of_the_same_events_gives_the_same_state(
    store: Store, history: list[tuple[int, str]], random: Random, repeated: int
) -> None:
    """Webhook bodies that nobody can check: they come late, doubled and in any order."""
    expected = {annotation_id: content for annotation_id, content in history}  # noqa: C416  # the last one stays
    project = replace(PROJECT, project_id=next(PROJECTS))
    events = [(second, *event) for second, event in enumerate(history)]
    events += random.choices(events, k=repeated)
    random.shuffle(events)
    for second, annotation_id, content in events:
        if content == "deleted":
            store.record_deletion(TaskKey(project, 1), annotation_ids=[annotation_id])
        else:
            store.append(revision(project, annotation_id, content, second))
    assert state(store, project) == {(a, content) for a, content in expected.items() if content != "deleted"}
