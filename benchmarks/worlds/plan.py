"""What is drawn before anything happens: criteria, people, versions, habits. Every world begins from `base`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

Rng = np.random.Generator


@dataclass(slots=True)
class Criterion:
    """One criterion and how its suggestions fare.

    Attributes:
        id: Criterion id.
        label: What reviewers see.
        share: Relative frequency among suggestions.
        wrong: Chance that a suggestion is wrong on an image of usual hardness.
        gray: Share of suggestions that the guideline does not decide; each reviewer decides alone.
        neighbor: Index of the criterion that it is most easily taken for.
        confusion: Chance that a suggestion belongs to the neighbor.
        confusion_open: Share of those on which each reviewer decides alone.
        severity_off: Chance that the drafted severity is not the right one.
        severity_gray: Chance that two severities are as good as each other.
        place_off: Chance that the drafted box is off, for everybody.
        place_gray: Chance that nobody can say where the box ends; each reviewer draws another one.
        wording_off: Chance that the drafted text is written anew, whoever reads it.
        missed: Share of tasks that hold it without a suggestion.
        later_from: Day from which `later` holds.
        later: Values that change on that day: wrong, gray.
    """

    id: str
    label: str
    share: float
    wrong: float
    gray: float
    neighbor: int
    confusion: float
    confusion_open: float
    severity_off: float
    severity_gray: float
    place_off: float
    place_gray: float
    wording_off: float
    missed: float
    later_from: float = inf
    later: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Person:
    """One reviewer and their habits.

    Attributes:
        name: As the log says it.
        weight: Share of first reviews.
        shift: Logits by which they reject more often than others.
        moves: Chance to move a box that is good enough.
        rewords: Chance to reword a text that is good enough.
        ticks: Chance to tick the reason for a change.
        writes: Chance to write a note to a change.
        agrees: Chance to tick "agree" on what they keep.
        marks: Chance to mark "not a defect" where others delete.
        sees: Chance to find a flaw that was not drafted.
        text_in_note: Chance that the words of an added box stand in the note and not in its text.
        pace: Factor on lead times.
        starts: Hours at which their sessions begin, UTC.
        copies: Chance to submit a draft without looking.
        false_alarm: Extra chance to reject what is right.
        tires: Chance to submit without looking at the end of a session; it grows from 0.
        bulk: Index of the session in which everything is accepted; -1 for none.
        taste: Own rule for each criterion, in logits; used where the guideline does not decide.
        mix: Factor on the weight for each kind of image.
    """

    name: str
    weight: float
    shift: float
    moves: float
    rewords: float
    ticks: float
    writes: float
    agrees: float
    marks: float
    sees: float
    text_in_note: float
    pace: float
    starts: list[float]
    taste: list[float]
    mix: list[float]
    copies: float = 0.0
    false_alarm: float = 0.0
    tires: float = 0.0
    bulk: int = -1


@dataclass(frozen=True, slots=True)
class Version:
    """What drafts from a day on."""

    day: float
    inspector: str
    model_version: str
    rollout: str
    guideline_revision: str
    prompt_hash: str


@dataclass(slots=True)
class Pattern:
    """A flaw that no criterion claims: its key in `words.PATTERNS`, its share of tasks, and its first day."""

    key: str
    rate: float
    day: float = 0.0


@dataclass(slots=True)
class Planted:
    """A fault as it was planned; `measure` turns it into a truth.

    With `may_fail` it is no truth where the log holds too little of it, and the log stands all the same.
    """

    cause: str
    criteria: list[int] = field(default_factory=list)
    person: int = -1
    direction: str = ""
    pattern: str = ""
    day: float = 0.0
    words: str = ""
    may_fail: bool = False


@dataclass(slots=True)
class Plan:
    """Everything that a log is simulated from.

    Attributes:
        tasks: Number of tasks.
        days: Working days that the log spans.
        criteria: In the guideline's order.
        people: Everybody.
        shared: Share of tasks with a second reviewer.
        blind: Share of tasks whose draft is withheld.
        undrafted: Share of tasks without a draft.
        per_task: Suggestions for each task, on average.
        hardness: Spread of the tasks' hardness, in logits.
        season: First day, last day and extra logits of hard images.
        groups: Kinds of image; for each, a factor on every criterion's share.
        calibrated: Whether scores are chances; else they say little.
        skips: Share of annotations that are skipped.
        revised: Share of annotations that are revised later.
        stray: Share of tasks with a flaw that no criterion claims and that no other task has.
        patterns: Novel patterns.
        versions: In the order of days; the first holds from the beginning.
        guideline_id: Name of the guideline.
        planted: What was planted.
        least_factor: Times the fair bound that a planted fault must fill.
    """

    tasks: int
    days: int
    criteria: list[Criterion]
    people: list[Person]
    shared: float
    blind: float
    undrafted: float
    per_task: float
    hardness: float
    groups: list[list[float]]
    calibrated: bool
    skips: float
    revised: float
    stray: float
    guideline_id: str
    season: tuple[float, float, float] = (0.0, 0.0, 0.0)
    patterns: list[Pattern] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    least_factor: float = 2.5


def hashed(rng: Rng, digits: int = 12) -> str:
    """A made-up hash."""
    return "".join(rng.choice(list("0123456789abcdef"), digits))


def criteria_of(
    rng: Rng, names: Sequence[tuple[str, str]], *, wrong: tuple[float, float], zipf: float
) -> list[Criterion]:
    """Natural criteria: rates differ, none is outstanding.

    Wrong: within `wrong`, around a middle of the world with a spread of 25 % of it; gray: .02 to .08; confusion with
    the neighbor: .005 to .03; severity off: .03 to .12, a matter of taste: .03 to .10; place off: .02 to .10, vague:
    .01 to .05; wording off: .02 to .08; missed: .002 to .02 of tasks. Shares fall as rank to the power -`zipf`.
    """
    count = len(names)
    shares = rng.permutation(np.arange(1, count + 1, dtype=float) ** -zipf) * rng.uniform(0.8, 1.25, count)
    middle = rng.uniform(*wrong)
    draw = rng.uniform
    made = []
    for index, (criterion_id, label) in enumerate(names):
        others = [i for i in range(count) if i != index]
        own = float(np.clip(middle * np.exp(rng.normal(0, 0.25)), wrong[0] * 0.7, wrong[1] * 1.3))
        made.append(
            Criterion(
                id=criterion_id,
                label=label,
                share=float(shares[index] / shares.sum()),
                wrong=own,
                gray=draw(0.02, 0.08),
                neighbor=int(rng.choice(others)),
                confusion=draw(0.005, 0.03),
                confusion_open=draw(0.0, 0.4),
                severity_off=draw(0.03, 0.12),
                severity_gray=draw(0.03, 0.10),
                place_off=draw(0.02, 0.10),
                place_gray=draw(0.01, 0.05),
                wording_off=draw(0.02, 0.08),
                missed=draw(0.002, 0.02),
            )
        )
    return made


def people_of(
    rng: Rng,
    count: int,
    criteria: int,
    groups: int,
    *,
    weights: Sequence[float] | None = None,
    touching: tuple[float, float] = (0.02, 0.35),
    shift: float = 0.12,
) -> list[Person]:
    """Natural people: they reject alike and touch as they like.

    Logits by which they reject more often: a spread of `shift`, cut at twice that.

    Moves and rewordings of what is good enough: uniform within `touching` for each person; reasons ticked .1 to .9;
    notes .03 to .5; "agree" ticked 0 to .3; found though not drafted .75 to .95; pace .6 to 1.6; one or two sessions.
    """
    shares = rng.dirichlet(np.full(count, 6.0)) if weights is None else np.asarray(weights)
    ids = rng.choice(np.arange(11, 400), count, replace=False)
    by_number = rng.random() < 0.5
    draw = rng.uniform
    made = []
    for index in range(count):
        first = draw(6, 10)
        made.append(
            Person(
                name=str(ids[index]) if by_number else f"reviewer-{hashed(rng, 6)}",
                weight=float(shares[index]),
                shift=float(np.clip(rng.normal(0, shift), -2 * shift, 2 * shift)),
                moves=draw(*touching),
                rewords=draw(*touching),
                ticks=draw(0.1, 0.9),
                writes=draw(0.03, 0.5),
                agrees=draw(0, 0.3) if rng.random() < 0.6 else 0.0,
                marks=draw(0, 1) if rng.random() < 0.5 else 0.05,
                sees=draw(0.75, 0.95),
                text_in_note=draw(0, 0.8),
                pace=draw(0.6, 1.6),
                starts=[first] if rng.random() < 0.4 else [first, first + draw(4.5, 6)],
                taste=[float(x) for x in rng.normal(0, 0.9, criteria)],
                mix=[float(x) for x in np.exp(rng.normal(0, 0.5, groups))],
            )
        )
    return made


def versions_of(rng: Rng, guideline_id: str, days: int, *, harmless: float) -> list[Version]:
    """The first version and, with the chance `harmless`, a later one that changes nothing but its names."""
    prompted = rng.random() < 0.6
    first = Version(
        0.0,
        "vision-language" if prompted else "measurements",
        hashed(rng),
        f"{guideline_id} r1 {hashed(rng, 6)}",
        hashed(rng),
        hashed(rng) if prompted else "",
    )
    made = [first]
    if rng.random() < harmless:
        made.append(next_version(rng, first, float(days * rng.uniform(0.15, 0.85)), guideline=rng.random() < 0.3))
    return made


def next_version(rng: Rng, before: Version, day: float, *, guideline: bool) -> Version:
    """A version that follows another: a new model, or the same model with a new revision of the guideline."""
    name, number, _ = before.rollout.rsplit(" ", 2)
    return Version(
        day,
        before.inspector,
        hashed(rng),
        f"{name} r{int(number[1:]) + 1} {hashed(rng, 6)}",
        hashed(rng) if guideline else before.guideline_revision,
        hashed(rng) if guideline and before.prompt_hash else before.prompt_hash,
    )


def base(
    rng: Rng,
    names: Sequence[tuple[str, str]],
    guideline_id: str,
    *,
    tasks: tuple[int, int] = (900, 2000),
    days: tuple[int, int] = (20, 70),
    people: tuple[int, int] = (4, 9),
    wrong: tuple[float, float] = (0.07, 0.18),
    zipf: float = 0.35,
    shared: tuple[float, float] = (0.2, 0.45),
    blind: tuple[float, float] = (0.04, 0.15),
    per_task: tuple[float, float] = (1.8, 3.2),
    touching: tuple[float, float] = (0.02, 0.35),
    harmless: float = 0.4,
) -> Plan:
    """A plan without a fault; ranges as given.

    Beside them: hardness .3 to .8 logits; 2 to 4 kinds of image, whose criteria differ by factors around 1 (spread .5);
    undrafted tasks 0 to .03; skipped .005 to .03; revised .02 to .10; stray flaws in .002 to .012 of tasks; scores are
    calibrated in 6 of 10 worlds.
    """
    kinds = int(rng.integers(2, 5))
    span = int(rng.integers(*days, endpoint=True))
    return Plan(
        tasks=int(rng.integers(*tasks, endpoint=True)),
        days=span,
        criteria=criteria_of(rng, names, wrong=wrong, zipf=zipf),
        people=people_of(rng, int(rng.integers(*people, endpoint=True)), len(names), kinds, touching=touching),
        shared=float(rng.uniform(*shared)),
        blind=float(rng.uniform(*blind)),
        undrafted=float(rng.uniform(0, 0.03)),
        per_task=float(rng.uniform(*per_task)),
        hardness=float(rng.uniform(0.3, 0.8)),
        groups=[[float(x) for x in np.exp(rng.normal(0, 0.5, len(names)))] for _ in range(kinds)],
        calibrated=bool(rng.random() < 0.6),
        skips=float(rng.uniform(0.005, 0.03)),
        revised=float(rng.uniform(0.02, 0.10)),
        stray=float(rng.uniform(0.002, 0.012)),
        guideline_id=guideline_id,
        versions=versions_of(rng, guideline_id, span, harmless=harmless),
    )
