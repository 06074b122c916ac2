"""Draws the images of a project: what is in them, what was drafted, and what is true of each suggestion."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worlds.plan import Plan, Rng, Version
from worlds.words import PATTERNS, rationale, summary

SEVERITIES = ("minor", "major", "critical")
LOOK_SIZE = 12
Box4 = tuple[float, float, float, float]
Floats = NDArray[np.float64]


@dataclass(slots=True)
class Suggestion:
    """One drafted region and what is true of it.

    `wrong`: there is nothing. `other`: it belongs to the criterion's neighbor. `gray`, `open`, `severity_gray`,
    `place_gray`: everybody decides alone on whether, which, how bad, and where.
    """

    id: str
    criterion: int
    wrong: bool
    other: bool
    gray: bool
    open: bool
    severity: int
    right_severity: int
    severity_gray: bool
    place_off: bool
    place_gray: bool
    wording_off: bool
    score: float
    box: Box4
    right_box: Box4
    text: str


@dataclass(slots=True)
class Undrafted:
    """A flaw without a suggestion: of a criterion, or (criterion -1) one that no criterion claims."""

    criterion: int
    severity: int
    box: Box4
    pattern: str = ""
    look: tuple[float, ...] = ()


@dataclass(slots=True)
class Task:
    """One image with its draft."""

    id: int
    day: float
    group: int
    version: Version
    exposure: str
    review_id: str
    suggestions: list[Suggestion]
    undrafted: list[Undrafted]
    verdict: str
    summary: str


def verdict_of(severities: list[int], uncovered: int) -> str:
    """The verdict by the shipped rule.

    Fail with one critical or two major flaws; discuss with one major, three minor ones, or an uncovered one.
    """
    major = sum(s >= 1 for s in severities)
    if 2 in severities or major >= 2:
        return "fail"
    return "discuss" if major or len(severities) >= 3 or uncovered else "pass"


def moved(dice: random.Random, box: Box4, iou: float) -> Box4:
    """A box that overlaps another about that much: shifted and stretched to one side."""
    x, y, width, height = box
    part = (1 - iou) / (1 + iou) if iou > 0 else 1.0
    if dice.random() < 0.5:
        shifted = x + width * part * dice.choice((-1, 1))
        return (round(min(max(shifted, 0.0), 1 - width), 5), y, width, height)
    kept = height * max(iou, 0.05)
    return (x, round(y + (height - kept) * dice.random(), 5), width, round(kept, 5))


def overlap(one: Box4, two: Box4) -> float:
    """Intersection over union."""
    width = min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0])
    height = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
    both = max(width, 0.0) * max(height, 0.0)
    return round(both / (one[2] * one[3] + two[2] * two[3] - both), 4)


def _boxes(rng: Rng, count: int) -> list[Box4]:
    width, height = rng.beta(2, 5, count) * 0.7 + 0.03, rng.beta(2, 5, count) * 0.7 + 0.03
    x, y = rng.random(count) * (1 - width), rng.random(count) * (1 - height)
    table = np.round(np.stack([x, y, width, height], axis=1), 5)
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in table]


def _squash(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))


def _chance(base: Floats, extra: Floats, spread: float) -> Floats:
    """Chances around a base with a spread in logits that keep the base as their mean (to a good approximation)."""
    clipped = np.clip(base, 1e-4, 1 - 1e-4)
    return _squash(np.log(clipped / (1 - clipped)) * np.sqrt(1 + 0.346 * spread**2) + extra)


def tasks_of(plan: Plan, rng: Rng) -> list[Task]:
    """The images of a plan in the order of their queue."""
    count, dice = plan.tasks, random.Random(int(rng.integers(2**62)))
    day = np.sort(rng.uniform(0, plan.days, count))
    drafted = np.clip(day - rng.uniform(0, 0.5, count), 0, None)
    group = rng.integers(0, len(plan.groups), count)
    hard = rng.normal(0, plan.hardness, count)
    start, end, extra = plan.season
    hard += extra * ((drafted >= start) & (drafted < end))
    version = np.searchsorted([v.day for v in plan.versions], drafted, side="right") - 1
    first_id = int(rng.integers(1, 90_000))
    exposure = rng.choice(
        np.array(["shown", "withheld", "failed", ""]),
        count,
        p=[1 - plan.blind - plan.undrafted, plan.blind, plan.undrafted / 2, plan.undrafted / 2],
    )
    found = _suggestions(plan, rng, dice, drafted=drafted, group=group, hard=hard)
    hidden = _undrafted(plan, rng, day)
    made = []
    for i in range(count):
        has_draft = exposure[i] in {"shown", "withheld"}
        suggestions = found[i] if has_draft else []
        rest = hidden[i]
        if not has_draft:  # what would have been drafted is there all the same
            rest = rest + [
                Undrafted(
                    plan.criteria[s.criterion].neighbor if s.other else s.criterion, s.right_severity, s.right_box
                )
                for s in found[i]
                if not s.wrong
            ]
        verdict = verdict_of([s.severity for s in suggestions], 0) if has_draft else ""
        labels = [plan.criteria[s.criterion].label for s in suggestions]
        made.append(
            Task(
                id=first_id + i,
                day=float(day[i]),
                group=int(group[i]),
                version=plan.versions[int(version[i])],
                exposure=str(exposure[i]),
                review_id=f"{dice.getrandbits(64):016x}" if exposure[i] else "",
                suggestions=suggestions,
                undrafted=rest,
                verdict=verdict,
                summary=summary(labels, verdict) if has_draft else "",
            )
        )
    return made


def _suggestions(
    plan: Plan, rng: Rng, dice: random.Random, *, drafted: Floats, group: NDArray[np.int64], hard: Floats
) -> list[list[Suggestion]]:
    number = np.minimum(rng.poisson(plan.per_task, plan.tasks), 9)
    task = np.repeat(np.arange(plan.tasks), number)
    total = len(task)
    shares = np.array([c.share for c in plan.criteria])
    weights = shares * np.array(plan.groups)
    # the overall shares stay as planned: factors of the kinds of image even out
    weights *= shares / np.maximum((weights / weights.sum(axis=1, keepdims=True)).mean(axis=0), 1e-12) / shares.sum()
    cumulated = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    criterion = (rng.random((total, 1)) > cumulated[group[task]]).sum(axis=1).clip(0, len(shares) - 1)

    def value(name: str) -> Floats:
        first = np.array([float(getattr(c, name)) for c in plan.criteria])
        later = np.array([c.later.get(name, float(getattr(c, name))) for c in plan.criteria])
        since = np.array([c.later_from for c in plan.criteria])
        return np.where(drafted[task] >= since[criterion], later[criterion], first[criterion])

    own = rng.normal(0, 0.6, total)
    spread = float(np.hypot(plan.hardness, 0.6))
    chance = _chance(value("wrong"), hard[task] + own, spread)
    wrong = rng.random(total) < chance
    other = ~wrong & (rng.random(total) < value("confusion"))
    gray = rng.random(total) < value("gray")
    belief = (1 - chance) * (1 - value("confusion"))
    if plan.calibrated:
        score = _squash(np.log(belief / (1 - belief)) + rng.normal(0, 0.3, total))
    else:
        score = 0.55 + 0.43 * rng.beta(4, 2, total) * (0.9 + 0.1 * belief)
    severity = rng.choice(3, total, p=[0.5, 0.35, 0.15])
    step = np.where(severity == 0, 1, np.where(severity == 2, -1, rng.choice([-1, 1], total)))
    right = np.where(rng.random(total) < value("severity_off"), severity + step, severity)

    def happens(name: str) -> list[bool]:
        return [bool(x) for x in rng.random(total) < value(name)]

    is_open, severity_gray = happens("confusion_open"), happens("severity_gray")
    place_off, place_gray, wording_off = happens("place_off"), happens("place_gray"), happens("wording_off")
    boxes = _boxes(rng, total)
    result: list[list[Suggestion]] = [[] for _ in range(plan.tasks)]
    for i in range(total):
        index = int(criterion[i])
        result[int(task[i])].append(
            Suggestion(
                id=f"{dice.getrandbits(40):010x}",
                criterion=index,
                wrong=bool(wrong[i]) and not gray[i],
                other=bool(other[i]) and not gray[i],
                gray=bool(gray[i]),
                open=is_open[i],
                severity=int(severity[i]),
                right_severity=int(right[i]),
                severity_gray=severity_gray[i],
                place_off=place_off[i],
                place_gray=place_gray[i],
                wording_off=wording_off[i],
                score=round(float(score[i]), 4),
                box=boxes[i],
                right_box=moved(dice, boxes[i], dice.uniform(0.35, 0.75)) if place_off[i] else boxes[i],
                text=rationale(dice, plan.criteria[index].label),
            )
        )
    return result


def _undrafted(plan: Plan, rng: Rng, day: Floats) -> list[list[Undrafted]]:
    result: list[list[Undrafted]] = [[] for _ in range(plan.tasks)]
    for index, criterion in enumerate(plan.criteria):
        for i in np.flatnonzero(rng.random(plan.tasks) < criterion.missed):
            result[int(i)].append(Undrafted(index, int(rng.choice(3, p=[0.5, 0.35, 0.15])), _boxes(rng, 1)[0]))
    for i in np.flatnonzero(rng.random(plan.tasks) < plan.stray):
        result[int(i)].append(Undrafted(-1, int(rng.integers(0, 2)), _boxes(rng, 1)[0], "", _look(rng, None)))
    for pattern in plan.patterns:
        center = np.random.default_rng(list(PATTERNS).index(pattern.key)).normal(0, 1, LOOK_SIZE)
        there = (rng.random(plan.tasks) < pattern.rate) & (day >= pattern.day)
        for i in np.flatnonzero(there):
            severity = int(rng.choice(3, p=[0.4, 0.5, 0.1]))
            result[int(i)].append(Undrafted(-1, severity, _boxes(rng, 1)[0], pattern.key, _look(rng, center)))
    return result


def _look(rng: Rng, center: Floats | None) -> tuple[float, ...]:
    vector = rng.normal(0, 1, LOOK_SIZE) if center is None else center + rng.normal(0, 0.35, LOOK_SIZE)
    return tuple(round(float(x), 4) for x in vector / np.linalg.norm(vector))
