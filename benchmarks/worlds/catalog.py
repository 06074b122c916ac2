"""The kinds of world there are, and how one is drawn. `WORLDS` holds a function for each.

Ranges that a world does not name are those of `plan.base`, and the strengths of faults those of `plant`. Each world
draws its faults from a menu of its own when nobody says which; a fault that the log does not bear out (fewer units than
`Plan.least_factor` times the fair bound, twice that for `uncovered`) is drawn again, and left out after some tries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from worlds.measure import sight_of, truth_of
from worlds.nouns import CAUSES, Make, Truth, World
from worlds.plan import Plan, Rng, base, hashed, next_version
from worlds.plant import NoRoom, everything_bad, plant
from worlds.rows import Log, date_of, log_of
from worlds.words import BOARDS, CATALOG, GENERATED, PHOTO, SHIPPED

TRIES = 9
PATIENCE = 4
_ORDER = ("model_change", "guideline_change", "rare_pooled", "drift")
Names = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of world: how its plan is drawn, which faults it draws, and what is planted in any case."""

    name: str
    plan: Callable[[Rng], Plan]
    menu: Callable[[Rng], list[str]]
    always: Callable[[Plan, Rng], None] | None = None

    def __call__(self, seed: int, *, clean: bool = False, causes: Sequence[str] | None = None) -> World:
        """See `nouns.Make`."""
        unknown = sorted(set(causes or ()) - {*CAUSES, "copier"})
        if unknown:
            raise ValueError(f"Unknown causes: {', '.join(unknown)}.")
        key = [crc32(self.name.encode()), seed]
        wanted = list(causes) if causes is not None else self.menu(np.random.default_rng([*key, 1]))
        wanted = [] if clean else sorted(wanted, key=lambda c: _ORDER.index(c) if c in _ORDER else len(_ORDER))
        left_out: list[str] = []
        for attempt in range(TRIES):
            plan, rng = (
                self.plan(np.random.default_rng([*key, 0])),
                np.random.default_rng([*key, 2, int(clean), attempt]),
            )
            if self.always is not None and not clean:
                self.always(plan, rng)
            before, failed = len(plan.planted), set()
            for number, cause in enumerate(wanted):
                try:
                    plant(plan, cause, rng, 1 + 0.2 * min(attempt, PATIENCE))
                except NoRoom:
                    failed.add(number)
            last = attempt == TRIES - 1
            if not failed or last:
                planted_for = [number for number in range(len(wanted)) if number not in failed]
                log = log_of(plan, rng)
                sight = sight_of(log)
                truths = [truth_of(plan, planted, log, sight) for planted in plan.planted]
                strong = [_borne_out(truth, plan) for truth in truths]
                failed |= {n for n, good in zip(planted_for, strong[before:], strict=True) if not good}
                if not failed or last:
                    left_out += [wanted[number] for number in sorted(failed)]
                    drawn = _world(self.name, seed, plan=plan, log=log, truths=truths, strong=strong)
                    return replace(drawn, clean=clean, left_out=tuple(left_out))
            if attempt >= PATIENCE:
                left_out += [wanted[number] for number in sorted(failed)]
                wanted = [cause for number, cause in enumerate(wanted) if number not in failed]
        raise AssertionError


def _borne_out(truth: Truth, plan: Plan) -> bool:
    """Whether the log holds enough of a fault; twice as much for a pattern, which nobody knows beforehand."""
    factor = plan.least_factor * (2 if truth.cause == "uncovered" else 1)
    return truth.bound_at is not None and truth.bound * factor <= truth.units


def _world(name: str, seed: int, *, plan: Plan, log: Log, truths: list[Truth], strong: list[bool]) -> World:
    kept = [truth for truth, good in zip(truths, strong, strict=True) if good]
    weak = [truth for truth, good in zip(truths, strong, strict=True) if not good]
    allowed = tuple(
        (truth.cause, concerned) for truth in weak for concerned in truth.criteria or (truth.reviewer or "uncovered",)
    )
    second = [v.task.id for v in log.visits.values() if v.second]
    start, end, extra = plan.season
    facts: dict[str, object] = {
        "tasks": plan.tasks,
        "working_days": plan.days,
        "reviewers": len(plan.people),
        "shared_tasks": len(set(second)),
        "busiest_share": round(max(p.weight for p in plan.people) / sum(p.weight for p in plan.people), 3),
        "usual_wrong": round(float(np.median([c.wrong for c in plan.criteria])), 3),
        "calibrated_scores": plan.calibrated,
        "blind_share": round(plan.blind, 3),
        "stray_share": round(plan.stray, 4),
        "hard_season": [date_of(log.start, start).date().isoformat(), date_of(log.start, end).date().isoformat()]
        if extra
        else [],
        "versions": [
            {
                "since": date_of(log.start, v.day).isoformat(),
                "model": v.model_version,
                "guideline": v.guideline_revision,
            }
            for v in plan.versions
        ],
    }
    return World(
        name=name,
        seed=seed,
        clean=False,
        rows=log.rows,
        truth=tuple(kept),
        guideline_id=plan.guideline_id,
        criteria={c.id: c.label for c in plan.criteria},
        reviewers=tuple(p.name for p in plan.people),
        looks=log.looks,
        facts=facts,
        allowed=allowed,
    )


def _guideline(rng: Rng, *ids: str) -> tuple[Names, str]:
    chosen = str(rng.choice(ids or ("photo-quality", "generated-image")))
    return SHIPPED[chosen], chosen


def _some(rng: Rng, menu: Sequence[str], least: int, most: int) -> list[str]:
    count = int(rng.integers(least, most, endpoint=True))
    return [str(cause) for cause in rng.choice(np.array(menu), min(count, len(menu)), replace=False)]


_CRITERIA = ("model_wrong", "ambiguous", "severity_vague", "confused")
_TOUCHES = ("place_vague", "wording_disliked")
_GAPS = ("uncovered", "missed")


def _plain(rng: Rng) -> Plan:
    return base(rng, *_guideline(rng))


def _touching(rng: Rng) -> Plan:
    """Everybody moves and rewords a lot: .35 to .75 of what is good enough."""
    return base(rng, *_guideline(rng), touching=(0.35, 0.75))


def _uneven(rng: Rng) -> Plan:
    """One of 4 to 8 people does .7 to .85 of the work; 1200 to 2000 tasks, .15 to .35 of them shared."""
    plan = base(rng, *_guideline(rng), tasks=(1200, 2000), people=(4, 8), shared=(0.15, 0.35))
    main, rest = float(rng.uniform(0.7, 0.85)), sum(p.weight for p in plan.people[1:])
    for index, person in enumerate(plan.people):
        person.weight = main if index == 0 else person.weight / rest * (1 - main)
    return plan


def _rare(rng: Rng) -> Plan:
    """28 to 40 narrow criteria whose shares fall as rank to the power -.8 to -1.2."""
    count = int(rng.integers(28, 41))
    chosen = sorted(int(i) for i in rng.choice(len(CATALOG), count, replace=False))
    return base(rng, [CATALOG[i] for i in chosen], "cloth", zipf=float(rng.uniform(0.8, 1.2)))


def _versions(rng: Rng) -> Plan:
    """One to three later versions that change nothing but names; 1000 to 2000 tasks."""
    plan = base(rng, *_guideline(rng), tasks=(1000, 2000), harmless=0.0)
    for part in rng.choice([0.12, 0.2, 0.78, 0.88], int(rng.integers(1, 4)), replace=False):
        before = [v for v in plan.versions if v.day <= part * plan.days][-1]
        plan.versions.append(next_version(rng, before, float(part * plan.days), guideline=bool(rng.random() < 0.4)))
        plan.versions.sort(key=lambda v: v.day)
    return plan


def _seasons(rng: Rng) -> Plan:
    """A week of hard images (1.2 to 2.2 logits) that passes, anywhere between .1 and .85 of 40 to 70 working days."""
    plan = base(rng, *_guideline(rng), tasks=(1200, 2000), days=(40, 70))
    begin = float(plan.days * (rng.uniform(0.1, 0.2) if rng.random() < 0.5 else rng.uniform(0.72, 0.85)))
    plan.season = (begin, begin + 5, float(rng.uniform(1.2, 2.2)))
    return plan


def _copying(rng: Rng) -> Plan:
    """Drafts are wrong in .2 to .35, so copying shows; 1400 to 2000 tasks in 12 to 24 days, .1 to .25 blind."""
    return base(
        rng,
        *_guideline(rng),
        tasks=(1400, 2000),
        days=(12, 24),
        people=(4, 6),
        wrong=(0.2, 0.35),
        blind=(0.1, 0.25),
        shared=(0.25, 0.5),
    )


def _tiny(rng: Rng) -> Plan:
    """Two people, 110 to 200 tasks in 5 to 20 days, six criteria; in 4 of 10 worlds no task has two reviewers."""
    shared = (0.0, 0.0) if rng.random() < 0.4 else (0.2, 0.6)
    plan = base(rng, BOARDS, "pcb", tasks=(110, 200), days=(5, 20), people=(2, 2), shared=shared, blind=(0.0, 0.1))
    plan.least_factor = 1.3
    return plan


def _bad(rng: Rng) -> Plan:
    """4 to 8 criteria, 150 to 1500 tasks, 2 to 6 people. Without faults the drafts are wrong in .15 to .25."""
    names, guideline = _guideline(rng)
    chosen = sorted(int(i) for i in rng.choice(len(names), int(rng.integers(4, 9)), replace=False))
    few = [names[i] for i in chosen]
    return base(rng, few, guideline, tasks=(150, 1500), days=(8, 40), people=(2, 6), wrong=(0.15, 0.25))


def _novel(rng: Rng) -> Plan:
    """Many flaws that no criterion claims and that occur once: .008 to .02 of the tasks."""
    plan = base(rng, PHOTO, "photo-quality", tasks=(1000, 2000))
    plan.stray = float(rng.uniform(0.008, 0.02))
    return plan


def _crowd(rng: Rng) -> Plan:
    """12 to 22 people with uneven work (spread of a factor 2), 1400 to 2000 tasks, .3 to .5 shared."""
    plan = base(
        rng, GENERATED, "generated-image", tasks=(1400, 2000), people=(12, 22), shared=(0.3, 0.5), wrong=(0.1, 0.22)
    )
    for person in plan.people:
        person.weight = float(np.exp(rng.normal(0, 0.6)))
        person.name = f"annotator {hashed(rng, 4)}"
    return plan


def _with(*must: str, menu: Sequence[str], least: int, most: int) -> Callable[[Rng], list[str]]:
    return lambda rng: [*must, *_some(rng, [cause for cause in menu if cause not in must], least, most)]


def _version_menu(rng: Rng) -> list[str]:
    first = (
        ("model_change", "guideline_change")
        if rng.random() < 0.3
        else (str(rng.choice(["model_change", "guideline_change"])),)
    )
    return [*first, *_some(rng, ["model_wrong", "ambiguous", "missed", "place_vague"], 0, 1)]


def _copy_menu(rng: Rng) -> list[str]:
    person = str(rng.choice(["copier", "bulk_hours", "fatigue"]))
    return [person, *_some(rng, ["model_wrong", "ambiguous", "missed", "severity_vague"], 1, 2)]


def _novel_menu(rng: Rng) -> list[str]:
    return ["uncovered"] * int(rng.integers(1, 4)) + _some(rng, ["missed", "model_wrong"], 0, 1)


_KINDS = (
    Kind("plain", _plain, _with(menu=(*_CRITERIA, "reviewer", "drift", *_GAPS), least=2, most=4)),
    Kind("touching", _touching, _with(menu=(*_CRITERIA, *_TOUCHES, "reviewer", "missed"), least=2, most=4)),
    Kind("uneven", _uneven, _with(menu=(*_CRITERIA, "reviewer", "drift", *_GAPS, *_TOUCHES), least=2, most=4)),
    Kind("rare", _rare, _with("rare_pooled", menu=("model_wrong", *_GAPS, "wording_disliked"), least=0, most=2)),
    Kind("versions", _versions, _version_menu),
    Kind("seasons", _seasons, _with("drift", menu=("model_wrong", "confused", "ambiguous", *_GAPS), least=0, most=2)),
    Kind("copying", _copying, _copy_menu),
    Kind(
        "tiny", _tiny, _with(menu=("model_wrong", "model_wrong", *_GAPS, *_TOUCHES, "severity_vague"), least=1, most=2)
    ),
    Kind(
        "bad",
        _bad,
        _with(menu=(*_GAPS, "severity_vague", "wording_disliked", "place_vague"), least=0, most=1),
        everything_bad,
    ),
    Kind("novel", _novel, _novel_menu),
    Kind("crowd", _crowd, _with("reviewer", menu=(*_CRITERIA, "reviewer", *_TOUCHES, "drift"), least=1, most=3)),
)
WORLDS: Mapping[str, Make] = {kind.name: kind for kind in _KINDS}
"""Every kind of world by its name."""
