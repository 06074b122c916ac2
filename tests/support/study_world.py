"""A made-up review project with one planted cause, or none: who was shown what, and what each reviewer did with it.

Knows nothing of how the study looks for causes. Rates of criteria and reviewers differ by nature (logistic-normal);
overrides of one suggestion by several people are tied by a Gaussian copula, so that "they agree" has a strength.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.special import expit, logit, ndtri

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Severity

CAUSES = ("model_wrong", "ambiguous", "uncovered", "confused", "severity_vague", "drift", "reviewer")
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KINDS = ("rejected", "relabelled", "severity", "place", "text")
BASE_RATE = 0.10
"""Median natural override rate."""

PATTERNS = (
    (
        "moire",
        "moire ripple on woven fabric",
        "wavy interference stripes over cloth",
        "moire stripes across the fabric",
    ),
    (
        "ghost",
        "ghost image of the lamp reflected",
        "lens flare ghost beside the lamp",
        "reflected lamp ghost, green flare",
    ),
    (
        "stitch",
        "stitching seam visible in panorama",
        "panorama seam, broken stitching line",
        "misaligned stitching seam",
    ),
)
SCATTER = tuple(
    f"{first} {second}"
    for first in ("odd", "unsure about", "look at", "check", "strange", "maybe", "client asked for", "please see")
    for second in (
        "corner", "hand", "logo", "shadow", "price tag", "sky", "floor", "packaging", "face", "edge", "table", "cable",
        "window", "plant", "bottle", "zip", "sleeve", "hair", "label", "box", "door", "wheel", "screen", "shelf",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What to make.

    Attributes:
        seed: Same seed, same project.
        cause: One of CAUSES; empty for nothing wrong.
        rate: Override rate of the planted criterion (or reviewer); share of tasks with the pattern for "uncovered".
        tasks: Reviewed tasks.
        criteria: Ids of the guideline's criteria.
        reviewers: How many people.
        days: Length of the project.
        criterion_width: Natural standard deviation of the criteria's rates, in logits.
        reviewer_width: The same for reviewers.
        natural_tie: Copula correlation of two people's overrides of one suggestion.
    """

    seed: int
    cause: str = ""
    rate: float = 0.25
    tasks: int = 2000
    criteria: tuple[str, ...] = tuple(f"PQ-{i:02d}" for i in range(1, 13))
    reviewers: int = 6
    days: int = 40
    criterion_width: float = 0.35
    reviewer_width: float = 0.3
    natural_tie: float = 0.6


@dataclass(frozen=True)
class Truth:
    """What was planted.

    Attributes:
        cause: One of CAUSES; empty for nothing.
        criteria: The planted criterion, or both of a pair; empty for uncovered and reviewer.
        reviewer: The planted reviewer; empty otherwise.
        at: When a drift began.
        pattern_of: Planted pattern of each task's added region, by task id.
        natural_rates: Override rate of each criterion without the plant.
    """

    cause: str = ""
    criteria: tuple[str, ...] = ()
    reviewer: str = ""
    at: datetime | None = None
    pattern_of: dict[int, str] = field(default_factory=dict)
    natural_rates: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """One suggestion as the reviewer saw it."""

    id: str
    criterion: str
    severity: Severity
    score: float
    box: Box
    text: str


@dataclass(frozen=True)
class Decision:
    """What one reviewer did with one suggestion: what it became, or None where it was deleted."""

    shown: Shown
    became: Shown | None
    unclear: bool = False


@dataclass(frozen=True)
class Submission:
    """One reviewer's annotation of one task."""

    id: int
    reviewer: str
    at: datetime
    lead_time_s: float
    decisions: tuple[Decision, ...]
    added: tuple[Shown, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class ReviewedTask:
    """One task with everything that was suggested and submitted."""

    id: int
    shown: tuple[Shown, ...]
    submissions: tuple[Submission, ...]


@dataclass(frozen=True)
class World:
    """A project and its planted truth."""

    tasks: tuple[ReviewedTask, ...]
    truth: Truth


def make_world(plan: Plan) -> World:
    """Simulate a project."""
    return _Maker(plan).make()


class _Maker:
    """Holds the random state of one project while it is made."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = rng = np.random.default_rng([plan.seed, *plan.cause.encode()])
        n = len(plan.criteria)
        self.prevalence = rng.dirichlet(np.full(n, 8.0))
        self.rates = expit(logit(BASE_RATE) + rng.normal(0, plan.criterion_width, n))
        self.kinds = rng.dirichlet(10 * np.array([0.4, 0.1, 0.2, 0.2, 0.1]), n)
        self.names = [f"reviewer-{i + 1}" for i in range(plan.reviewers)]
        self.strictness = rng.normal(0, plan.reviewer_width, plan.reviewers)
        self.pace = 40 * np.exp(rng.normal(0, 0.3, plan.reviewers))
        self.share = rng.dirichlet(np.full(plan.reviewers, 8.0))
        self.uncovered_rate = 0.015 * np.exp(rng.normal(0, 0.4))
        # The plant goes to a criterion of ordinary prevalence: a rare one cannot be found by any test.
        common = np.flatnonzero(self.prevalence >= 0.75 / n)
        self.planted = rng.permutation(common)[:2]
        if plan.cause == "model_wrong":  # what is wrong is deleted or moved; its severity is seldom the point
            self.kinds[self.planted[0]] = rng.dirichlet(20 * np.array([0.6, 0.1, 0.1, 0.15, 0.05]))
        self.change = rng.uniform(0.3, 0.6)
        self.contrary = int(np.argsort(-self.share)[rng.integers(0, 3)])
        self.stamper = bool(rng.integers(0, 2))
        self.numbers = iter(range(1, 10_000_000))

    def make(self) -> World:
        plan = self.plan
        times = np.sort(self.rng.uniform(0, plan.days, plan.tasks))
        made = [self._task(i + 1, float(day)) for i, day in enumerate(times)]
        pattern_of = {task.id: pattern for task, pattern in made if pattern}
        truth = Truth(
            cause=plan.cause,
            criteria=tuple(plan.criteria[i] for i in self._planted_criteria()),
            reviewer=self.names[self.contrary] if plan.cause == "reviewer" else "",
            at=START + timedelta(days=plan.days * self.change) if plan.cause == "drift" else None,
            pattern_of=pattern_of,
            natural_rates=dict(zip(plan.criteria, self.rates.tolist(), strict=True)),
        )
        return World(tuple(task for task, _ in made), truth)

    def _planted_criteria(self) -> list[int]:
        wanted = {"confused": 2, "uncovered": 0, "reviewer": 0, "": 0}.get(self.plan.cause, 1)
        return [int(i) for i in self.planted[:wanted]]

    def _task(self, number: int, day: float) -> tuple[ReviewedTask, str]:
        rng = self.rng
        people = 1 if rng.random() > 1 / 3 else int(rng.integers(2, 4))
        order = rng.choice(self.plan.reviewers, size=people, replace=False, p=self.share)
        count = int(rng.choice([1, 2, 3], p=[0.25, 0.5, 0.25]))
        picked = rng.choice(len(self.prevalence), size=count, p=self.prevalence)
        shown = tuple(self._shown(number, int(c), i) for i, c in enumerate(picked))
        luck = [(int(c), rng.normal(), rng.random()) for c in picked]
        pattern = int(rng.integers(0, len(PATTERNS))) if self._has_pattern() else -1
        subs = []
        for order_of, who in enumerate(order):
            at = START + timedelta(days=day + 0.2 * order_of)
            decisions = tuple(self._decide(s, fate, int(who), day) for s, fate in zip(shown, luck, strict=True))
            added = self._added(number, pattern)
            stamps = self.plan.cause == "reviewer" and self.stamper and who == self.contrary
            lead = (4.0 if stamps else self.pace[who]) * np.exp(rng.normal(0, 0.5))
            subs.append(Submission(next(self.numbers), self.names[who], at, float(lead), decisions, added))
        return ReviewedTask(number, shown, tuple(subs)), PATTERNS[pattern][0] if pattern >= 0 else ""

    def _has_pattern(self) -> bool:
        return self.plan.cause == "uncovered" and self.rng.random() < self.plan.rate - BASE_RATE

    def _shown(self, task: int, criterion: int, place: int) -> Shown:
        rng = self.rng
        x, y = rng.uniform(0, 0.7, 2)
        width, height = rng.uniform(0.05, 0.3, 2)
        name = self.plan.criteria[criterion]
        severity = list(Severity)[int(rng.choice(3, p=[0.4, 0.45, 0.15]))]
        box = Box(float(x), float(y), float(width), float(height))
        return Shown(f"t{task}s{place}", name, severity, float(rng.beta(5, 3)), box, f"{name} seen at {x:.2f}, {y:.2f}")

    def _chances(self, which: int, who: int, day: float) -> tuple[float, float]:
        """Chance of an override of this criterion by this reviewer on this day, and the tie between people."""
        plan, rate, tie = self.plan, float(self.rates[which]), self.plan.natural_tie
        if plan.cause in {"model_wrong", "ambiguous"} and which == self.planted[0]:
            rate, tie = plan.rate, 0.98 if plan.cause == "model_wrong" else 0.05
        if plan.cause == "drift" and which == self.planted[0] and day >= plan.days * self.change:
            rate = plan.rate
        if plan.cause == "reviewer" and who == self.contrary:
            if self.stamper:
                return 0.005, tie
            return float(expit(logit(rate) + logit(plan.rate) - logit(BASE_RATE))), 0.1
        return float(expit(logit(rate) + self.strictness[who])), tie

    def _decide(self, shown: Shown, luck: tuple[int, float, float], who: int, day: float) -> Decision:
        rng, plan = self.rng, self.plan
        which, tie, mood = luck
        chance, strength = self._chances(which, who, day)
        pull = np.sqrt(strength) * tie + np.sqrt(1 - strength) * rng.normal()
        if pull < ndtri(chance):
            kind = KINDS[
                int(np.searchsorted(np.cumsum(self.kinds[which]), mood if rng.random() < 0.8 else rng.random()))
            ]
            vague = plan.cause == "ambiguous" and which == self.planted[0]
            unclear = rng.random() < (0.3 if vague else 0.03)
            return Decision(shown, self._change(shown, kind), unclear)
        extra = (plan.rate - self.rates[which]) / (1 - self.rates[which])
        if plan.cause == "severity_vague" and which == self.planted[0] and rng.random() < extra:
            return Decision(shown, self._change(shown, "severity"))
        if (
            plan.cause == "confused"
            and which in self.planted
            and (mood < extra if rng.random() < 0.7 else rng.random() < extra)
        ):
            partner = self.planted[1] if which == self.planted[0] else self.planted[0]
            return Decision(shown, replace(shown, criterion=plan.criteria[int(partner)]))
        return Decision(shown, shown)

    def _change(self, shown: Shown, kind: str) -> Shown | None:
        rng = self.rng
        if kind == "rejected":
            return None
        if kind == "relabelled":
            others = [c for c in self.plan.criteria if c != shown.criterion]
            return replace(shown, criterion=str(rng.choice(others)))
        if kind == "severity":
            return replace(shown, severity=[s for s in Severity if s is not shown.severity][int(rng.integers(0, 2))])
        if kind == "place":
            move = 0.3 * shown.box.width
            return replace(shown, box=replace(shown.box, x=shown.box.x + move))
        return replace(shown, text=f"{shown.text}, but only in the shade")

    def _added(self, task: int, pattern: int) -> tuple[Shown, ...]:
        rng, added = self.rng, []
        if pattern >= 0 and rng.random() < 0.9:
            base = self._shown(task, 0, 50 + int(rng.integers(0, 10**6)))
            text = str(rng.choice(PATTERNS[pattern][1:]))
            added.append(replace(base, criterion=UNCOVERED, text=text))
        if rng.random() < self.uncovered_rate:
            base = self._shown(task, 0, 50 + int(rng.integers(0, 10**6)))
            added.append(replace(base, criterion=UNCOVERED, text=str(rng.choice(SCATTER))))
        if rng.random() < 0.03:
            missed = int(rng.integers(0, len(self.rates)))
            added.append(self._shown(task, missed, 50 + int(rng.integers(0, 10**6))))
        return tuple(added)
