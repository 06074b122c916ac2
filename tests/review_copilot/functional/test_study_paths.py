"""A study says the same whichever road it takes: rows at once, kept columns, or kept counts of many parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest

from builders import PROJECT
from fakes import MemoryStore
from review_copilot.domain.override import LoggedOverride
from review_copilot.flows.packed_log import Reading, reading_of, reading_of_log
from review_copilot.flows.study_project import Scope, scoped
from review_copilot.study.flags import Cause
from review_copilot.study.joining import joined, pack_table, unpack_table
from review_copilot.study.project_study import Study, study, study_of
from review_copilot.study.study_counts import count, pack_counts, total, unpack_counts
from review_copilot.study.table import OverrideTable, table_of
from study_log import fill, read_table
from study_rows import logged_rows
from study_second_world import Planted, SecondPlan, make_second
from study_world import CAUSES, START, Plan, make_world

CRITERIA = tuple(f"PQ-{i:02d}" for i in range(1, 9))


def planted(cause: str, *, seed: int = 1) -> Plan:
    return Plan(seed=seed, cause=cause, rate=0.5, tasks=500, criteria=CRITERIA)


def _two_people() -> list[LoggedOverride]:
    return [row for row in logged_rows(make_world(planted("ambiguous"))) if row.author in {"reviewer-1", "reviewer-2"}]


def _everything() -> list[LoggedOverride]:
    """All causes in one project, with a person to be left out; every tenth task was reviewed blind."""
    made, _ = make_second(SecondPlan(3, tuple(Planted(cause, 0.5) for cause in CAUSES), criteria=CRITERIA))
    return [replace(row, exposure="withheld") if row.key.task_id % 10 == 0 else row for row in logged_rows(made)]


WORLDS: dict[str, Callable[[], Sequence[LoggedOverride]]] = {
    "nothing wrong": lambda: list(logged_rows(make_world(planted("")))),
    "an odd reviewer": lambda: list(logged_rows(make_world(planted("reviewer")))),
    "a pattern": lambda: list(logged_rows(make_world(planted("uncovered")))),
    "two people": _two_people,
    "everything": _everything,
    "nothing": list,
}


@cache
def table(world: str) -> OverrideTable:
    return table_of(WORLDS[world]())


def parts(whole: OverrideTable, *, number: int = 7) -> list[OverrideTable]:
    """Whole tasks in each, in another order than they were written in, and with words numbered anew."""
    rng = np.random.default_rng(0)
    tasks, of = np.unique(whole.task, return_inverse=True)
    which = rng.integers(0, number, len(tasks))[of]
    cut = (whole.where(which == i) for i in range(number))
    return [renumbered(part) for part in cut if len(part)]


def renumbered(part: OverrideTable) -> OverrideTable:
    """The part as it looks when its rows are all that is known: its words are those that it uses, in its own order."""
    kept = joined([part, table_of(())])
    used = {
        "reviewers": ("reviewer",),
        "criteria": ("suggested", "submitted"),
        "values": ("value_from", "value_to"),
        "guidelines": ("guideline",),
    }
    values = {name: getattr(kept, name) for name in kept.__dataclass_fields__}
    for words, columns in used.items():
        seen = np.unique(np.concatenate([getattr(kept, c) for c in columns]))
        seen = seen[seen >= 0]
        values[words] = tuple(getattr(kept, words)[i] for i in seen.tolist())
        for column in columns:
            old = getattr(kept, column)
            values[column] = np.where(old >= 0, np.searchsorted(seen, old), -1).astype(old.dtype)
    return OverrideTable(**values)


def said(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every single number and word of a study, with its place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from said(inner, f"{path}.{name}")
    elif isinstance(value, (tuple, list)):
        yield path, len(value)
        for i, inner in enumerate(value):
            yield from said(inner, f"{path}[{i}]")
    else:
        yield path, value


def assert_same(found: Study, wanted: Study) -> None:
    got, want = dict(said(asdict(found))), dict(said(asdict(wanted)))
    assert list(got) == list(want)
    for path, value in want.items():
        if isinstance(value, float):
            assert got[path] == pytest.approx(value, rel=1e-6, abs=1e-9, nan_ok=True), path
        else:
            assert got[path] == value, path


@pytest.mark.parametrize("world", WORLDS)
def test_counts_of_parts_say_what_rows_say(world: str) -> None:
    cut = parts(table(world))
    kept = [unpack_counts(pack_counts(count(part))) for part in cut]
    rows = [unpack_table(pack_table(part)) for part in cut]
    assert_same(study_of(total(kept), lambda: rows), study(table(world)))


def test_the_worlds_have_what_makes_roads_differ() -> None:
    """A person whose reviews are left out, patterns, kappas of two people."""
    assert [f.cause for f in study(table("an odd reviewer")).flags] == [Cause.REVIEWER]
    assert study(table("a pattern")).novel_patterns
    assert all(c.cohen for c in study(table("two people")).agreement.criteria if c.presence.units)
    assert len({f.cause for f in study(table("everything")).flags}) > 3


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    made = MemoryStore()
    fill(made, [planted("model_wrong"), planted("uncovered", seed=2)], project=PROJECT)
    return made


@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope(since=START.replace(day=10)),
        Scope(until=START.replace(day=10), reviewer="1"),
        Scope(since=START.replace(year=START.year + 9)),
    ],
)
def test_the_logs_own_road_says_what_rows_say_of_any_period_and_person(store: MemoryStore, scope: Scope) -> None:
    whole = table_of(store.overrides(project=PROJECT))
    assert_same(_studied(scoped(reading_of_log(store, PROJECT), scope)), _studied(scoped(reading_of(whole), scope)))
    assert len(read_table(store, PROJECT)) == len(whole)


def _studied(reading: Reading) -> Study:
    return study_of(reading.counts(), reading.tables)
