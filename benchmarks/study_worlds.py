"""How well the study finds what was planted in simulated projects that it was not tuned on, world by world.

    python benchmarks/study_worlds.py [--seeds 8] [--first 100] [--worlds plain,rare] [--daily 4] [--json FILE]

The projects (`worlds`) were written from the documented table alone; they come in through the reader of exported files.
A flag is right when cause and criteria (or person) are those that were planted, false when nothing like it was, and
neither when it follows from a planted fault (`Truth.also`, `World.allowed`). Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score

from review_copilot.reports.read_overrides import log_of
from review_copilot.study.flags import Cause, Flag
from review_copilot.study.patterns import Pattern
from review_copilot.study.project_study import Study, study
from review_copilot.study.rates import wilson
from review_copilot.study.table import Floats, OverrideTable, number_columns
from worlds import WORLDS, Truth, World

MANY = frozenset({Cause.MODEL_CHANGE, Cause.GUIDELINE_CHANGE, Cause.RARE_POOLED})
"""Causes with several criteria: right where most of the named ones are planted and most of the planted ones named."""
GROWTH = 1.15
"""Step between looks for the time to the first right flag."""


@dataclass
class Score:
    """What was found in some projects."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    right: int = 0
    projects: int = 0
    clean: int = 0
    clean_flagged: int = 0
    ratios: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rand: list[float] = field(default_factory=list)


def table_of_world(world: World) -> OverrideTable:
    """The world's rows, read as an exported file is."""
    return number_columns(log_of(world.rows).columns)


def looks_of(world: World, table: OverrideTable) -> Floats | None:
    """What the crops of uncovered rows look like, for tasks of which the world says so; None where it says nothing."""
    wide = max((len(look) for look in world.looks.values()), default=0)
    unseen = (float("nan"),) * wide
    rows = table.task[table.uncovered].tolist()
    return np.array([world.looks.get(task, unseen) for task in rows]) if wide and rows else None


def names(pattern: Pattern, truth: Truth) -> bool:
    """Whether a pattern is the planted one: most of its tasks are planted ones."""
    tasks = set(pattern.tasks)
    return len(tasks & set(truth.tasks)) > 0.5 * len(tasks)


def right(flag: Flag, truth: Truth, found: Study) -> bool:
    """Whether a flag names what was planted."""
    if flag.cause != truth.cause:
        return False
    if flag.cause is Cause.UNCOVERED:
        return any(names(pattern, truth) for pattern in found.novel_patterns)
    if truth.reviewer:
        return flag.evidence.reviewer == truth.reviewer
    named, planted = set(flag.criteria), set(truth.criteria)
    if flag.cause in MANY:
        return 2 * len(named & planted) > max(len(named), len(planted))
    return named == planted


def excused(flag: Flag, world: World) -> bool:
    """Whether a flag follows from something planted, or is true and too weak to be asked for."""
    allowed = {*world.allowed, *(also for truth in world.truth for also in truth.also)}
    concerned = flag.criteria or (flag.evidence.reviewer or "uncovered",)
    hits = sum((str(flag.cause), name) in allowed for name in concerned)
    return 2 * hits > len(concerned) if flag.cause in MANY else hits == len(concerned)


def score(world: World, into: Score, *, say: bool) -> None:
    """Study a whole project and compare with what was planted."""
    table = table_of_world(world)
    found = study(table, features=looks_of(world, table))
    into.projects += 1
    for truth in world.truth:
        into.planted[truth.cause] += 1
        hit = any(right(flag, truth, found) for flag in found.flags)
        into.found[truth.cause] += hit
        if say and not hit:
            print(
                f"    {world.name} {world.seed} missed: {truth.words} [{truth.effect} v {truth.usual}, {truth.units}]"
            )
    for flag in found.flags:
        if any(right(flag, truth, found) for truth in world.truth):
            into.right += 1
        elif not excused(flag, world):
            into.false[str(flag.cause)] += 1
            if say:
                print(f"    {world.name} {world.seed} false: {flag.cause} {flag.criteria} {flag.summary}")
    planted = [truth for truth in world.truth if truth.pattern]
    if planted:
        reported = np.unique(table.task[table.uncovered]).tolist()
        into.rand.append(_rand_index(reported, found.novel_patterns, planted))


def _rand_index(tasks: Sequence[int], patterns: Sequence[Pattern], planted: Sequence[Truth]) -> float:
    """Adjusted Rand index over all tasks with something uncovered; those of no pattern are one group of their own."""
    said = [next((i for i, p in enumerate(patterns) if t in p.tasks), -1) for t in tasks]
    true = [next((i for i, truth in enumerate(planted) if t in truth.tasks), -1) for t in tasks]
    return float(adjusted_rand_score(true, said))


def daily(world: World, into: Score, *, say: bool, looks: int) -> None:
    """Look at a clean project again and again: it is flagged when one look raises a flag."""
    table = table_of_world(world)
    days = np.unique(table.time_s // 86400)
    chosen = days if len(days) <= looks else days[np.linspace(0, len(days) - 1, looks).astype(np.int64)]
    into.clean += 1
    for day in chosen.tolist():
        flags = study(table.where(table.time_s < (day + 1) * 86400)).flags
        if flags:
            into.clean_flagged += 1
            if say:
                print(f"    {world.name} {world.seed} clean, day {day - days[0]:.0f}: {[f.summary for f in flags]}")
            return


def first_flags(world: World, into: Score) -> None:
    """Units until the first right flag, as a multiple of the fair bound, for faults that have one in the log."""
    table = table_of_world(world)
    for truth in world.truth:
        if truth.bound_at is None:
            continue
        start = truth.since.timestamp() if truth.since else float(table.time_s.min())
        bound_s, end_s = truth.bound_at.timestamp() - start, float(table.time_s.max()) - start
        at = max(bound_s, 3600.0)
        while at < end_s:
            found = study(table.where(table.time_s <= start + at))
            if any(right(flag, truth, found) for flag in found.flags):
                break
            at *= GROWTH
        into.ratios[truth.cause].append(min(at, end_s) / max(bound_s, 3600.0))


def share(yes: int, of: int) -> str:
    """A share with its interval."""
    low, high = wilson(yes, of)
    return f"{yes}/{of} = {yes / of:.3f} ({low:.2f} to {high:.2f})" if of else "none"


def main() -> None:
    """Run the worlds asked for and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="planted projects of each world")
    parser.add_argument("--first", type=int, default=100, help="the first seed")
    parser.add_argument("--clean", type=int, default=4, help="clean projects of each world, looked at daily")
    parser.add_argument("--looks", type=int, default=60, help="most looks at a clean project")
    parser.add_argument("--timed", type=int, default=1, help="planted projects of each world with a time to first flag")
    parser.add_argument("--worlds", default=",".join(WORLDS))
    parser.add_argument("--quiet", action="store_true", help="print no project on its own")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    every = Score()
    told: dict[str, object] = {}
    for name in chosen.worlds.split(","):
        one = Score()
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            score(WORLDS[name](seed), one, say=not chosen.quiet)
        for seed in range(chosen.first, chosen.first + chosen.clean):
            daily(WORLDS[name](seed, clean=True), one, say=not chosen.quiet, looks=chosen.looks)
        for seed in range(chosen.first, chosen.first + chosen.timed):
            first_flags(WORLDS[name](seed), one)
        print(f"{name:9} {_line(one)}", flush=True)
        told[name] = _plain(one)
        _add(every, one)
    print(f"{'all':9} {_line(every)}")
    for cause in sorted(every.planted):
        ratios = every.ratios.get(cause, [])
        timed = f"; first flag at {np.median(ratios):.2f} x the bound (median of {len(ratios)})" if ratios else ""
        false = every.false[cause]
        print(f"  {cause:17} recall {share(every.found[cause], every.planted[cause])}; false {false}{timed}")
    for cause in sorted(set(every.false) - set(every.planted)):
        print(f"  {cause:17} false {every.false[cause]}")
    if every.rand:
        print(f"  patterns          adjusted Rand index, mean {np.mean(every.rand):.2f}, least {min(every.rand):.2f}")
    if chosen.json:
        chosen.json.write_text(json.dumps(told | {"all": _plain(every)}, indent=1), encoding="utf-8")


def _line(one: Score) -> str:
    false = sum(one.false.values())
    return (
        f"recall {share(sum(one.found.values()), sum(one.planted.values()))}; false discoveries "
        f"{share(false, false + one.right)}; clean flagged {share(one.clean_flagged, one.clean)}"
    )


def _plain(one: Score) -> dict[str, object]:
    return asdict(replace(one, ratios=dict(one.ratios)))


def _add(into: Score, one: Score) -> None:
    into.planted += one.planted
    into.found += one.found
    into.false += one.false
    into.right += one.right
    into.projects += one.projects
    into.clean += one.clean
    into.clean_flagged += one.clean_flagged
    into.rand += one.rand
    for cause, ratios in one.ratios.items():
        into.ratios[cause] += ratios


if __name__ == "__main__":
    main()
