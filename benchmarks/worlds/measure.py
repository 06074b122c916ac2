"""Counts what was planted in the finished log: how strong it came out, and when a fair test could say so.

The counts know where to look; they are a yardstick for others, no study.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import log

from worlds.nouns import Row, Truth
from worlds.plan import Plan, Planted
from worlds.rows import Log, Visit, date_of

ALPHA, BETA = 0.001, 0.1
BAR = 0.35
"""Usual share of wrong suggestions where a world has no healthy criterion to compare with."""


def wald(effect: float, usual: float) -> float:
    """Units that Wald's sequential test needs on average when `effect` is true, errors `ALPHA` and `BETA`."""
    one, two = min(max(effect, 1e-4), 1 - 1e-4), min(max(usual, 1e-4), 1 - 1e-4)
    gain = one * log(one / two) + (1 - one) * log((1 - one) / (1 - two))
    needed = (1 - BETA) * log((1 - BETA) / ALPHA) + BETA * log(BETA / (1 - ALPHA))
    return needed / gain if gain > 1e-9 else float("inf")


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that shows a fault or does not, when it was seen, and whether it belongs to what was planted."""

    at: datetime
    hit: bool
    mine: bool


@dataclass(slots=True)
class Sight:
    """Current region rows of drafts that were shown, by what the counts ask for."""

    drafted: list[Row]
    pairs: list[tuple[Row, Row]]
    visits: dict[int, Visit]
    start: datetime
    tasks: dict[int, datetime]
    added: dict[str, set[int]]
    stray: int


def sight_of(log: Log) -> Sight:
    """Sort the current rows once."""
    drafted: list[Row] = []
    by_suggestion: dict[object, list[Row]] = defaultdict(list)
    tasks: dict[int, datetime] = {}
    added: dict[str, set[int]] = defaultdict(set)
    for row in log.rows:
        if not row["current"] or row["exposure"] != "shown":
            continue
        task = int(str(row["task_id"]))
        tasks.setdefault(task, _at(row))
        if row["subject"] == "region" and row["suggestion_id"]:
            drafted.append(row)
            by_suggestion[row["suggestion_id"]].append(row)
        elif row["kind"] == "added" and row["subject"] == "region":
            added[str(row["criterion_to"] or "")].add(task)
    pairs = [(rows[0], rows[1]) for rows in by_suggestion.values() if len(rows) > 1 and _who(rows[0]) != _who(rows[1])]
    patterned = set().union(*log.reported.values()) if log.reported else set()
    stray = len(added.get("uncovered", set()) - patterned)
    return Sight(drafted, pairs, log.visits, log.start, tasks, added, stray)


def truth_of(plan: Plan, planted: Planted, log: Log, sight: Sight) -> Truth:
    """A planned fault as the log bears it out."""
    since = date_of(log.start, planted.day) if planted.day else None
    criteria = tuple(plan.criteria[i].id for i in planted.criteria)
    sick = {plan.criteria[i].id for other in plan.planted if _alike(other.cause, planted.cause) for i in other.criteria}
    units, unit = _units(plan, planted, sight, criteria, sick)
    mine = sorted((u for u in units if u.mine and (since is None or u.at >= since)), key=lambda u: u.at)
    rest = [u for u in units if not u.mine]
    effect = sum(u.hit for u in mine) / max(len(mine), 1)
    usual = _usual(plan, planted, rest, sight)
    if planted.cause == "uncovered":
        mine = [
            Unit(at, hit=task in log.reported[planted.pattern], mine=True) for task, at in sorted(sight.tasks.items())
        ]
        mine = sorted((u for u in mine if since is None or u.at >= since), key=lambda u: u.at)
        effect = sum(u.hit for u in mine) / max(len(mine), 1)
    bound = wald(effect, usual)
    wrong_way = effect <= usual
    place = int(bound) if bound < len(mine) else -1
    return Truth(
        cause=planted.cause,
        criteria=criteria,
        reviewer=plan.people[planted.person].name if planted.person >= 0 else "",
        direction=planted.direction,
        pattern=planted.pattern,
        since=since,
        tasks=tuple(sorted(log.reported.get(planted.pattern, ()))) if planted.pattern else (),
        unit=unit,
        units=len(mine),
        effect=round(effect, 4),
        usual=round(usual, 4),
        bound=float("inf") if wrong_way else round(bound, 1),
        bound_at=mine[place].at if place >= 0 and not wrong_way else None,
        also=_also(plan, planted, criteria),
        words=planted.words,
    )


def _alike(one: str, two: str) -> bool:
    """Whether what one cause does would blur what is usual for the other."""
    return one == two or not {one, two} & {"severity_vague", "place_vague", "wording_disliked", "missed"}


def _at(row: Row) -> datetime:
    made = row["created_at"]
    assert isinstance(made, datetime)
    return made


def _who(row: Row) -> str:
    return str(row["editor"])


def _overridden(row: Row) -> bool:
    return row["kind"] == "rejected" or _edited(row, "criterion")


def _edited(row: Row, what: str) -> bool:
    edits = row["edits"]
    return isinstance(edits, list) and what in edits


def _units(
    plan: Plan, planted: Planted, sight: Sight, criteria: tuple[str, ...], sick: set[str]
) -> tuple[list[Unit], str]:
    cause, chosen = planted.cause, set(criteria)
    drafted, names = sight.drafted, ", ".join(criteria)

    def mine(row: Row) -> bool:
        return row["criterion_from"] in chosen

    def fair(rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if mine(row) or row["criterion_from"] not in sick]

    if cause in {"drift", "model_change", "guideline_change"}:
        since = date_of(sight.start, planted.day)
        rows = [row for row in drafted if mine(row)]
        return [Unit(_at(r), _overridden(r), _at(r) >= since) for r in rows], f"suggestions of {names} since then"
    if cause in {"model_wrong", "rare_pooled"}:
        return [Unit(_at(r), _overridden(r), mine(r)) for r in fair(drafted)], f"suggestions of {names}"
    if cause == "confused":
        ways = {
            (plan.criteria[i].id, plan.criteria[plan.criteria[i].neighbor].id)
            for i in planted.criteria
            if plan.criteria[i].confusion >= 0.25
        }
        chosen = {one for one, _ in ways}
        units = [
            Unit(
                _at(r),
                (r["criterion_from"], r["criterion_to"]) in ways if mine(r) else _edited(r, "criterion"),
                mine(r),
            )
            for r in fair(drafted)
        ]
        return units, f"suggestions of {' and '.join(sorted(chosen))}"
    if cause in {"ambiguous", "severity_vague"}:
        pairs = [p for p in sight.pairs if mine(p[0]) or p[0]["criterion_from"] not in sick]
        if cause == "severity_vague":
            pairs = [p for p in pairs if "rejected" not in {p[0]["kind"], p[1]["kind"]}]
            differ = [a["severity_to"] != b["severity_to"] for a, b in pairs]
        else:
            differ = [_overridden(a) != _overridden(b) for a, b in pairs]
        later = [max(_at(a), _at(b)) for a, b in pairs]
        return [Unit(at, d, mine(p[0])) for at, d, p in zip(later, differ, pairs, strict=True)], f"{names} judged twice"
    if cause in {"place_vague", "wording_disliked"}:
        what = "place" if cause == "place_vague" else "rationale"
        kept = [r for r in fair(drafted) if r["kind"] != "rejected"]
        return [Unit(_at(r), _edited(r, what), mine(r)) for r in kept], f"suggestions of {names} that were kept"
    if cause == "missed":
        tasks = sight.added.get(criteria[0], set())
        return [Unit(at, task in tasks, mine=True) for task, at in sight.tasks.items()], "tasks"
    if cause == "uncovered":
        return [], "tasks"
    return _people(plan, planted, sight)


def _people(plan: Plan, planted: Planted, sight: Sight) -> tuple[list[Unit], str]:
    name, cause = plan.people[planted.person].name, planted.cause
    accepts = planted.direction != "rejects"
    odd = {plan.people[p.person].name for p in plan.planted if p.person >= 0} - {name}
    units = []
    for row in sight.drafted:
        visit = sight.visits.get(int(str(row["annotation_id"])))
        if visit is None or _who(row) in odd or (cause != "reviewer" and _who(row) != name):
            continue
        if cause == "reviewer":
            own = _who(row) == name
        elif cause == "bulk_hours":
            own = visit.session == 2
        else:
            own = visit.length >= 8 and visit.place >= visit.length / 2
        units.append(Unit(_at(row), (not _overridden(row)) == accepts, own))
    return units, f"suggestions judged by {name}" + ("" if cause == "reviewer" else " at those times")


def _usual(plan: Plan, planted: Planted, rest: list[Unit], sight: Sight) -> float:
    if planted.cause == "missed":
        rates = [len(sight.added.get(c.id, ())) / max(len(sight.tasks), 1) for c in plan.criteria if c.missed < 0.1]
        return max(0.01, max(rates, default=0.0))
    if planted.cause == "uncovered":  # two tasks that are no pattern rarely say the same
        return max(0.002, sight.stray / max(len(sight.tasks), 1) / 4)
    if planted.cause == "model_wrong" and not rest:
        return BAR
    if planted.cause == "confused":
        return max(0.01, sum(u.hit for u in rest) / max(len(rest), 1))
    return (sum(u.hit for u in rest) + 0.5) / (len(rest) + 1)


def _also(plan: Plan, planted: Planted, criteria: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    follow = {
        "ambiguous": ("model_wrong",),
        "confused": ("model_wrong", "ambiguous"),
        "drift": ("model_wrong",),
        "model_change": ("drift", "model_wrong"),
        "guideline_change": ("drift", "model_wrong", "ambiguous"),
        "rare_pooled": ("model_wrong",),
        "model_wrong": ("rare_pooled",),
    }
    if planted.person >= 0:
        name = plan.people[planted.person].name
        return tuple((cause, name) for cause in ("reviewer", "bulk_hours", "fatigue") if cause != planted.cause)
    if planted.pattern and planted.day:
        return (("drift", "uncovered"), ("missed", "uncovered"))
    if planted.pattern:
        return (("missed", "uncovered"),)
    return tuple((cause, criterion) for cause in follow.get(planted.cause, ()) for criterion in criteria)
