"""Hands tasks to people, lets time pass, and writes the log in its order."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from worlds.decide import Work, work_of
from worlds.draw import Task, tasks_of
from worlds.nouns import COLUMNS, SCHEMA_VERSION, Row
from worlds.plan import Person, Plan, Rng

_EMPTY: Row = dict.fromkeys(COLUMNS)
_LIST_COLUMNS = ("edits", "reasons", "unexamined")
OTHER_EDITOR = 0.1
"""Share of later revisions that somebody else makes."""
DELETED = 0.005
UNCHECKED = 0.004


@dataclass(slots=True)
class Visit:
    """One person at one task, and where in which session."""

    task: Task
    person: int
    day: int
    session: int = 0
    place: int = 0
    length: int = 1
    second: bool = False
    work: Work | None = None
    made: datetime = field(default=datetime(2000, 1, 1, tzinfo=UTC))


@dataclass(slots=True)
class Log:
    """The log and what the simulation knows beside it.

    Attributes:
        rows: In the order of writing.
        visits: Every submission that was not skipped, by annotation id.
        start: The first working day.
        looks: Task id to what its first reported uncovered flaw looks like.
        reported: Pattern key to the ids of tasks where a current annotation reports it.
    """

    rows: list[Row]
    visits: dict[int, Visit]
    start: datetime
    looks: dict[int, tuple[float, ...]]
    reported: dict[str, set[int]]


def date_of(start: datetime, day: float) -> datetime:
    """The calendar time of a working day, Monday to Friday; its fraction counts from midnight."""
    whole = int(day)
    return start + timedelta(days=whole // 5 * 7 + whole % 5 + (day - whole))


def log_of(plan: Plan, rng: Rng) -> Log:
    """Simulate the log of a plan."""
    dice = random.Random(int(rng.integers(2**62)))
    start = datetime(2025, 1, 6, tzinfo=UTC) + timedelta(weeks=int(rng.integers(0, 60)))
    visits = _visits(plan, tasks_of(plan, rng), rng)
    _pass_time(plan, visits, start, dice)
    visits.sort(key=lambda visit: visit.made)
    return _written(plan, visits, start, dice, rng)


def _visits(plan: Plan, tasks: list[Task], rng: Rng) -> list[Visit]:
    weight = np.array([person.weight for person in plan.people])
    mix = np.array([person.mix for person in plan.people])
    chances = weight[:, None] * mix
    chances *= (weight / (chances.sum(axis=1) / chances.shape[1]))[:, None]  # the share of the work stays as planned
    chances /= chances.sum(axis=0)
    count, people = len(tasks), len(plan.people)
    second, uniform, lag = rng.random(count) < plan.shared, rng.random((count, 2)), rng.exponential(0.8, count)
    visits = []
    for i, task in enumerate(tasks):
        first = int(min(np.searchsorted(np.cumsum(chances[:, task.group]), uniform[i, 0]), people - 1))
        visits.append(Visit(task, first, int(task.day)))
        if second[i] and people > 1:
            rest = weight**0.7
            rest[first] = 0
            other = int(min(np.searchsorted(np.cumsum(rest / rest.sum()), uniform[i, 1]), people - 1))
            visits.append(Visit(task, other, int(task.day + min(lag[i], 3.0)), second=True))
    return visits


def _careless(person: Person, visit: Visit) -> float:
    if person.bulk == visit.session:
        return 0.9
    if person.tires and visit.length >= 8:
        return max(person.copies, person.tires * visit.place / (visit.length - 1))
    return person.copies


def _pass_time(plan: Plan, visits: list[Visit], start: datetime, dice: random.Random) -> None:
    days: dict[tuple[int, int], list[Visit]] = defaultdict(list)
    for visit in visits:
        days[visit.person, visit.day].append(visit)
    for (index, day), todo in days.items():
        person = plan.people[index]
        parts = len(person.starts)
        dice.shuffle(todo)
        for session, begins in enumerate(person.starts):
            part = todo[len(todo) * session // parts : len(todo) * (session + 1) // parts]
            now = date_of(start, day) + timedelta(hours=begins, minutes=dice.uniform(0, 25))
            for place, visit in enumerate(part):
                visit.session, visit.place, visit.length = session, place, len(part)
                visit.work = work_of(plan, visit.task, person, dice, _careless(person, visit))
                now += timedelta(seconds=visit.work.seconds + dice.uniform(2, 25))
                visit.made = now.replace(microsecond=0)


def _written(plan: Plan, visits: list[Visit], start: datetime, dice: random.Random, rng: Rng) -> Log:
    project = int(rng.integers(1, 60))
    fixed: Row = {
        **_EMPTY,
        "schema_version": SCHEMA_VERSION,
        "instance": dice.choice(("studio", "annotate", "label-studio", "review")),
        "project_id": project,
        "project_created": f"{(start - timedelta(days=dice.uniform(2, 30))).timestamp():.6f}",
    }
    first_id = int(rng.integers(1, 50_000))
    batches: list[tuple[datetime, int, list[Row]]] = []
    log = Log([], {}, start, {}, defaultdict(set))
    for number, visit in enumerate(visits):
        annotation = first_id + number
        skipped = dice.random() < plan.skips
        deleted = dice.random() < DELETED
        revised = not skipped and dice.random() < plan.revised
        common = fixed | _common(plan, visit, annotation, deleted=deleted, confirmed=dice.random() > UNCHECKED)
        work = visit.work
        assert work is not None
        content: list[Row] = [{"subject": "task", "kind": "rejected"}] if skipped else work.rows
        batches.append((visit.made, number, _revision(common, content, 1, current=not deleted and not revised)))
        if revised:
            batches.append(_second(plan, visit, common, number, dice, deleted=deleted))
        if skipped or deleted:
            continue
        log.visits[annotation] = visit
        latest = visit.work
        assert latest is not None
        for look, key in zip(latest.looks, latest.patterns, strict=True):
            log.looks.setdefault(visit.task.id, look)
            if key:
                log.reported[key].add(visit.task.id)
    batches.sort(key=lambda batch: (batch[0], batch[1]))
    number = int(rng.integers(1, 200_000))
    logged = start
    for at, _, rows in batches:
        logged = max(logged, at + timedelta(seconds=dice.choice((1, 1, 2, 3, 5, 40))))
        for row in rows:
            row["id"], row["logged_at"] = number, logged
            number += 1
            log.rows.append(row)
    return log


def _common(plan: Plan, visit: Visit, annotation: int, *, deleted: bool, confirmed: bool) -> Row:
    version, name = visit.task.version, plan.people[visit.person].name
    assert visit.work is not None
    row: Row = {
        "task_id": visit.task.id,
        "annotation_id": annotation,
        "deleted": deleted,
        "confirmed": confirmed,
        "author": name,
        "editor": name,
        "created_at": visit.made,
        "updated_at": visit.made,
        "lead_time_s": visit.work.seconds,
        "exposure": visit.task.exposure or None,
    }
    if visit.task.exposure:
        row |= {
            "inspector": version.inspector,
            "model_version": version.model_version,
            "rollout": version.rollout,
            "guideline_id": plan.guideline_id,
            "guideline_revision": version.guideline_revision,
            "prompt_hash": version.prompt_hash or None,
            "review_id": visit.task.review_id,
        }
    return row


def _revision(common: Row, content: list[Row], number: int, *, current: bool) -> list[Row]:
    rows = []
    for part in content:
        row = common | part | {"revision": number, "current": current}
        if not part.get("suggestion_id") and part["subject"] == "region":
            row["review_id"] = None  # nobody suggested it
        for name in _LIST_COLUMNS:
            row[name] = row[name] or []
        rows.append(row)
    return rows


def _second(
    plan: Plan, visit: Visit, common: Row, number: int, dice: random.Random, *, deleted: bool
) -> tuple[datetime, int, list[Row]]:
    """A later revision: the task is judged anew, mostly by its author, and this time with a look at it."""
    editor = plan.people[visit.person]
    if len(plan.people) > 1 and dice.random() < OTHER_EDITOR:
        visit.person = dice.choice([i for i, person in enumerate(plan.people) if person is not editor])
        editor = plan.people[visit.person]
    later = visit.made + timedelta(seconds=round(60 * dice.choice((2, 5, 30, 300, 1500)) * dice.uniform(0.8, 1.2)))
    again = work_of(plan, visit.task, editor, dice, _careless(editor, visit))
    assert visit.work is not None
    again.seconds = round(visit.work.seconds + again.seconds * 0.4, 2)
    visit.work = again
    common = common | {"editor": editor.name, "updated_at": later, "lead_time_s": again.seconds}
    return later, number, _revision(common, again.rows, 2, current=not deleted)
