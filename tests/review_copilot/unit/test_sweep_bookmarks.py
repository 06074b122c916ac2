"""Where a sweep continues: the bookmark and the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import pytest

from builders import NOON, PROJECT, an_annotation, task_key
from fake_label_studio import FakeWorkspace
from fakes import MemoryStore
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.sweep import (
    KEEP_EVERY,
    OVERLAP,
    sweep_project,
)
from review_copilot.ports import Store, SweepPoint
from submitted_workspace import submitted_workspace


@pytest.fixture
def workspace(store: MemoryStore) -> FakeWorkspace:
    return submitted_workspace(store)


@pytest.mark.parametrize(("before_s", "read"), [(119.0, 1), (120.0, 0), (121.0, 0)])
def test_a_sweep_looks_again_at_two_minutes_of_the_last_one(
    store: MemoryStore, workspace: FakeWorkspace, before_s: float, read: int
) -> None:
    """A task changed less than two minutes before the bookmark is read once more; that of the bookmark always is."""
    sweep_project(workspace, store=store)
    bookmark = store.bookmark(PROJECT)
    assert bookmark is not None
    assert bookmark == NOON + timedelta(minutes=2)
    workspace.touched[1] = bookmark - timedelta(seconds=before_s)
    assert sweep_project(workspace, store=store).tasks == 1 + read
    assert timedelta(minutes=2) == OVERLAP


@pytest.mark.parametrize(("back_s", "everything"), [(120.0, False), (121.0, True)])
def test_a_clock_is_set_back_when_it_stands_before_the_window(
    store: MemoryStore, workspace: FakeWorkspace, back_s: float, *, everything: bool
) -> None:
    sweep_project(workspace, store=store)
    workspace.touched = {1: NOON - timedelta(hours=1), 2: NOON - timedelta(hours=2)}
    workspace.clock = NOON + timedelta(minutes=2) - timedelta(seconds=back_s)
    assert sweep_project(workspace, store=store).tasks == (2 if everything else 0)


@pytest.mark.parametrize(("clock_s", "bookmark_s"), [(60.0, 60.0), (180.0, 120.0), (None, 120.0)])
def test_the_bookmark_passes_neither_the_newest_change_nor_the_clock(
    store: MemoryStore, workspace: FakeWorkspace, clock_s: float | None, bookmark_s: float
) -> None:
    workspace.clock = None if clock_s is None else NOON + timedelta(seconds=clock_s)
    sweep_project(workspace, store=store)
    assert store.bookmark(PROJECT) == NOON + timedelta(seconds=bookmark_s)


def test_a_project_without_changes_gets_no_bookmark(store: MemoryStore) -> None:
    assert sweep_project(FakeWorkspace(PROJECT, {1: "1.png"}), store=store).tasks == 0
    assert store.bookmark(PROJECT) is None
    assert store.unfinished_sweep(PROJECT) is None


@dataclass
class Remembered:
    """A store that notes where a sweep said that it stands."""

    store: MemoryStore
    points: list[SweepPoint | None] = field(default_factory=list)

    def keep_sweep(self, project: ProjectKey, point: SweepPoint | None) -> None:
        self.points.append(point)
        self.store.keep_sweep(project, point)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


@pytest.mark.parametrize(("tasks", "kept"), [(99, []), (100, [100]), (199, [100]), (200, [100, 200])])
def test_a_sweep_remembers_where_it_stands_after_every_hundred_tasks(
    store: MemoryStore, tasks: int, kept: list[int]
) -> None:
    numbers = range(1, tasks + 1)
    many = FakeWorkspace(PROJECT, dict.fromkeys(numbers, "1.png"))
    many.annotations = {n: [an_annotation(annotation_id=n, key=task_key(n))] for n in numbers}
    many.touched = dict.fromkeys(numbers, NOON)
    remembered = Remembered(store)
    sweep_project(many, store=cast("Store", remembered))
    begun, *on_the_way, ended = remembered.points
    assert begun == SweepPoint(since=None, up_to=NOON, after=0)
    assert on_the_way == [SweepPoint(since=None, up_to=NOON, after=after) for after in kept]
    assert ended is None
    assert KEEP_EVERY == 100
