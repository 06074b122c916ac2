"""A second, unlike simulator: several causes may be planted in one project, and nearly every distribution differs.

Beside `study_world`: natural rates are beta distributed, criteria have skewed frequencies, reviewers read single
criteria in their own way, opinions come from a hidden truth with slips instead of a copula, notes are noisy sentences,
tasks to be seen twice are chosen at random days apart, and projects differ in size of team, guideline and length.
Knows nothing of how the study looks for causes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from scipy.special import expit, logit

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import UNCOVERED, Severity
from study_world import START, Decision, ReviewedTask, Shown, Submission, Truth, World

SUBJECTS = (
    ("moire", ("moire", "ripple", "fabric", "stripes", "weave", "wavy")),
    ("flare", ("lamp", "flare", "reflection", "ghost", "green", "halo")),
    ("seam", ("panorama", "seam", "stitching", "join", "misaligned", "step")),
    ("watermark", ("watermark", "logo", "overlay", "stamp", "agency", "printed")),
)
FILLER = (
    "please", "here", "again", "on", "the", "left", "right", "side", "looks", "like", "maybe", "some", "there", "seen",
    "near", "bottom", "top", "corner", "slightly", "very", "and", "also", "think", "not", "sure", "image", "area", "a",
)  # fmt: skip
ODDITIES = (
    "hand", "shadow", "price tag", "sky", "floor", "packaging", "face", "table", "cable", "window", "plant", "bottle",
    "zip", "sleeve", "hair", "box", "door", "wheel", "screen", "shelf", "cup", "bag", "shoe", "lens", "dog", "wall",
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """One thing that is wrong: a cause, and the override rate (share of tasks for "uncovered") that it leads to."""

    cause: str
    rate: float


@dataclass(frozen=True)
class SecondPlan:
    """What to make.

    Attributes:
        seed: Same seed, same project.
        plants: What is wrong; each has criteria of its own.
        tasks: Reviewed tasks.
        criteria: Ids of the guideline's criteria; None for 10 to 14 of them.
        natural: Mean of the natural override rates; None for one between 6 % and 10 %.
        doubt: How much the natural rates differ: their standard deviation, as a rate.
    """

    seed: int
    plants: tuple[Planted, ...] = ()
    tasks: int = 2000
    criteria: tuple[str, ...] | None = None
    natural: float | None = None
    doubt: float = 0.025


def make_second(plan: SecondPlan) -> tuple[World, tuple[Truth, ...]]:
    """Simulate a project; the world's own truth is the first plant's."""
    return _Team(plan).make()


class _Team:
    """Holds the random state of one project while it is made."""

    def __init__(self, plan: SecondPlan) -> None:
        self.plan = plan
        words = "+".join(f"{p.cause}{p.rate}" for p in plan.plants)
        self.rng = rng = np.random.default_rng([7, plan.seed, *words.encode()])
        self.names = plan.criteria or tuple(f"PQ-{i:02d}" for i in range(1, int(rng.integers(10, 15)) + 1))
        n, people = len(self.names), int(rng.integers(4, 10))
        weight = 1.0 / np.arange(1, n + 1) ** rng.uniform(0.2, 0.7)
        self.frequency = rng.permutation(weight / weight.sum())
        mean = plan.natural or rng.uniform(0.06, 0.1)
        strength = mean * (1 - mean) / plan.doubt**2 - 1
        self.rates = rng.beta(mean * strength, (1 - mean) * strength, n)
        self.kinds = rng.dirichlet(8 * np.array([0.35, 0.1, 0.2, 0.2, 0.15]), n)
        self.people = tuple(f"reviewer-{i + 1}" for i in range(people))
        self.strict = rng.normal(0, 0.3, people)
        self.reading = rng.normal(0, 0.2, (people, n))
        self.pace = 35 * np.exp(rng.normal(0, 0.35, people))
        self.share = rng.dirichlet(np.full(people, 5.0))
        self.days = float(rng.uniform(20, 60))
        self.change = float(rng.uniform(0.3, 0.65)) * self.days
        self.oddities = float(rng.uniform(0.005, 0.025))
        self.slip = float(rng.uniform(0.1, 0.25))
        self._plant()
        self.numbers = iter(range(1, 10_000_000))

    def _plant(self) -> None:
        rng, n = self.rng, len(self.names)
        common = rng.permutation(np.flatnonzero(self.frequency >= 0.7 / n)).tolist()
        busy = np.argsort(-self.share)[: max(2, len(self.people) // 2)]
        self.who = int(rng.choice(busy))
        self.stamps = bool(rng.integers(0, 2))
        self.cause_of: dict[int, Planted] = {}
        self.partner: dict[int, int] = {}
        self.pattern_rate = self.person_rate = 0.0
        self.opinions = rng.random() < 0.5
        self.truths: list[Truth] = []
        general = 20 * np.array([0.45, 0.1, 0.1, 0.2, 0.15])  # what is wrong is wrong in every way, seldom in severity
        for planted in self.plan.plants:
            mine: list[int] = []
            if planted.cause == "uncovered":
                self.pattern_rate = planted.rate - 0.1
            elif planted.cause == "reviewer":
                self.person_rate = planted.rate
            else:
                mine = [common.pop() for _ in range(2 if planted.cause == "confused" else 1)]
                self.cause_of.update(dict.fromkeys(mine, planted))
                self.kinds[mine] = rng.dirichlet(general, len(mine))
            if planted.cause == "confused":
                self.partner.update({mine[0]: mine[1], mine[1]: mine[0]})
            self.truths.append(
                Truth(
                    cause=planted.cause,
                    criteria=tuple(self.names[i] for i in mine),
                    reviewer=self.people[self.who] if planted.cause == "reviewer" else "",
                    at=START + timedelta(days=self.change) if planted.cause == "drift" else None,
                )
            )

    def make(self) -> tuple[World, tuple[Truth, ...]]:
        rng = self.rng
        tasks = [
            self._task(i + 1, float(day)) for i, day in enumerate(np.sort(rng.uniform(0, self.days, self.plan.tasks)))
        ]
        first = self.truths[0] if self.truths else Truth()
        return World(tuple(tasks), first), tuple(self.truths)

    def _task(self, number: int, day: float) -> ReviewedTask:
        rng = self.rng
        people = 1 + int(rng.random() < 1 / 3) * int(rng.integers(1, 3))
        order = rng.choice(len(self.people), size=people, replace=False, p=self.share)
        picked = rng.choice(len(self.names), size=min(6, int(rng.poisson(2.0))), p=self.frequency).tolist()
        shown = [self._shown(number, c, place) for place, c in enumerate(picked)]
        truth = [self._truth(c, day) for c in picked]
        subject = int(rng.integers(len(SUBJECTS))) if rng.random() < self.pattern_rate else -1
        submissions = []
        for turn, who in enumerate(order.tolist()):
            at = day + (float(rng.exponential(2.0)) if turn else 0.0)
            decisions = tuple(self._decide(s, c, t, who) for s, c, t in zip(shown, picked, truth, strict=True))
            quick = self.person_rate > 0 and self.stamps and who == self.who
            lead = (rng.uniform(2, 5) if quick else self.pace[who]) * float(np.exp(rng.normal(0, 0.6)))
            moment = START + timedelta(days=at)
            added = () if quick else self._added(number, subject)
            submissions.append(Submission(next(self.numbers), self.people[who], moment, lead, decisions, added))
        return ReviewedTask(number, tuple(shown), tuple(submissions))

    def _shown(self, task: int, criterion: int, place: int) -> Shown:
        rng = self.rng
        x, y = rng.uniform(0, 0.6, 2).tolist()
        box = Box(x, y, float(rng.uniform(0.03, 0.35)), float(rng.uniform(0.03, 0.35)))
        severity = list(Severity)[int(rng.choice(3, p=[0.5, 0.35, 0.15]))]
        name = self.names[criterion]
        return Shown(f"b{task}x{place}", name, severity, float(rng.beta(4, 2)), box, f"{name}: {self._words(())}")

    def _truth(self, criterion: int, day: float) -> tuple[bool, float, bool, float]:
        """Whether the suggestion is naturally wrong, in which way, whether the plant strikes, and a share of luck."""
        rng, planted = self.rng, self.cause_of.get(criterion)
        strikes = False
        if planted and not (planted.cause == "drift" and day < self.change):
            extra = (planted.rate - self.rates[criterion]) / (1 - self.rates[criterion])
            strikes = bool(rng.random() < extra)
        return bool(rng.random() < self.rates[criterion]), float(rng.random()), strikes, float(rng.random())

    def _decide(self, shown: Shown, criterion: int, truth: tuple[bool, float, bool, float], who: int) -> Decision:
        wrong, way, strikes, luck = truth
        rng = self.rng
        if self.person_rate and who == self.who:
            if self.stamps:
                return Decision(shown, self._changed(shown, "text") if rng.random() < 0.005 else shown)
            if rng.random() < self.person_rate - self.rates[criterion]:
                return Decision(shown, self._changed(shown, self._kind(criterion, float(rng.random()))))
        rate = float(self.rates[criterion])
        leaning = float(expit(logit(rate) + self.strict[who] + self.reading[who, criterion]))
        unclear = bool(rng.random() < 0.02)
        if struck := self._decide_by_plant(shown, criterion, who, way=way, strikes=strikes, unclear=unclear):
            return struck
        # By nature: a hidden truth that most see (and some miss), and slips of one's own.
        seen = wrong and luck < 1 and rng.random() < 1 - self.slip
        own = rng.random() < max(0.0, leaning - rate * (1 - self.slip))
        if seen or own:
            return Decision(shown, self._changed(shown, self._kind(criterion, way)), unclear)
        return Decision(shown, shown)

    def _decide_by_plant(
        self, shown: Shown, criterion: int, who: int, *, way: float, strikes: bool, unclear: bool
    ) -> Decision | None:
        """What the planted cause of a criterion makes of a suggestion; None where it leaves it to nature."""
        rng, planted = self.rng, self.cause_of.get(criterion)
        cause = planted.cause if planted else ""
        if cause in {"model_wrong", "drift"} and strikes and rng.random() < 0.93:
            return Decision(shown, self._changed(shown, self._kind(criterion, way)), unclear)
        if cause == "confused" and strikes and rng.random() < 0.9:
            other = self.names[self.partner[criterion]]
            return Decision(shown, replace(shown, criterion=other), unclear)
        if planted and cause == "severity_vague" and rng.random() < self._extra(planted, criterion):
            return Decision(shown, self._changed(shown, "severity"), unclear)
        if planted and cause == "ambiguous" and rng.random() < self._extra(planted, criterion) * self._side(who):
            said = bool(rng.random() < 0.25)
            return Decision(shown, self._changed(shown, self._kind(criterion, float(rng.random()))), said)
        return None

    def _extra(self, planted: Planted, criterion: int) -> float:
        return float((planted.rate - self.rates[criterion]) / (1 - self.rates[criterion]))

    def _side(self, who: int) -> float:
        """In half of the projects people read an ambiguous criterion in two ways instead of tossing a coin."""
        return (1.6 if who % 2 else 0.4) if self.opinions else 1.0

    def _kind(self, criterion: int, luck: float) -> str:
        kinds = ("rejected", "relabelled", "severity", "place", "text")
        return kinds[min(4, int(np.searchsorted(np.cumsum(self.kinds[criterion]), luck)))]

    def _changed(self, shown: Shown, kind: str) -> Shown | None:
        rng = self.rng
        if kind == "rejected":
            return None
        if kind == "relabelled":
            others = [(c, w) for c, w in zip(self.names, self.frequency, strict=True) if c != shown.criterion]
            weights = np.array([w for _, w in others])
            return replace(shown, criterion=others[int(rng.choice(len(others), p=weights / weights.sum()))][0])
        if kind == "severity":
            return replace(shown, severity=[s for s in Severity if s is not shown.severity][int(rng.integers(0, 2))])
        if kind == "place":
            return replace(shown, box=replace(shown.box, x=min(0.65, shown.box.x + rng.uniform(0.02, 0.1))))
        return replace(shown, text=f"{shown.text} {self._words(())}")

    def _added(self, task: int, subject: int) -> tuple[Shown, ...]:
        rng, added = self.rng, []
        if subject >= 0 and rng.random() < 0.85:
            added.append(self._novel(task, self._words(SUBJECTS[subject][1])))
        if rng.random() < self.oddities:
            added.append(self._novel(task, self._words((str(rng.choice(ODDITIES)),))))
        if rng.random() < 0.05:
            missed = int(rng.choice(len(self.names), p=self.frequency))
            added.append(self._shown(task, missed, 50 + int(rng.integers(0, 10**6))))
        return tuple(added)

    def _novel(self, task: int, note: str) -> Shown:
        base = self._shown(task, 0, 50 + int(self.rng.integers(0, 10**6)))
        return replace(base, criterion=UNCOVERED, text=note)

    def _words(self, telling: Sequence[str]) -> str:
        """A sentence of noise with two or three of the telling words in it."""
        rng = self.rng
        said = (
            rng.choice(telling, size=min(len(telling), int(rng.integers(2, 4))), replace=False).tolist()
            if telling
            else []
        )
        words = [*said, *rng.choice(FILLER, size=int(rng.integers(2, 6))).tolist()]
        return " ".join(rng.permutation(words).tolist())
