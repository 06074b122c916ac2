"""How well the study finds planted causes: recall, false discoveries, false alarms, reviews needed, patterns, speed.

    python benchmarks/study.py [--projects 8] [--json FILE] [--only recall,nulls,mixed,road,reviews,patterns,...]

Every project is simulated (`study_world`; "mixed" and "road": `study_second_world`, unlike it in nearly everything and
with several causes in one project) with natural differences between criteria and between reviewers. The levels of the
study were chosen while looking at projects of both simulators (other seeds included): the figures are no blind test.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import expit, logit, ndtri
from sklearn.metrics import adjusted_rand_score

import importable  # noqa: F401  # first: the folders that the next imports need
from review_copilot.study.coefficients import krippendorff, unit_counts
from review_copilot.study.flags import Cause, Flag
from review_copilot.study.gap_counts import digest
from review_copilot.study.gaps import find_gaps
from review_copilot.study.patterns import cluster
from review_copilot.study.project_study import study
from review_copilot.study.table import Flags, Outcome, OverrideTable, table_of
from study_coverage import coverage
from study_import import CRITERIA as ROAD_CRITERIA
from study_import import found_by_report, planted
from study_rows import logged_rows
from study_scale import scale
from study_second_world import SUBJECTS, Planted, SecondPlan, make_second
from study_world import BASE_RATE, CAUSES, PATTERNS, Plan, Truth, make_world

RATES = (0.25, 0.35, 0.50)
NULL_PROJECTS = 20
CRITERIA = tuple(f"PQ-{i:02d}" for i in range(1, 11))
ALPHA, BETA = 0.05, 0.05
GROWTH = 1.1
BY_RATE = (Cause.MODEL_WRONG, Cause.AMBIGUOUS, Cause.DRIFT)
"""Causes whose planted rate is the override rate itself."""
Row = dict[str, object]


def plan(seed: int, cause: str = "", rate: float = 0.25, *, tasks: int = 2000) -> Plan:
    """The project of all figures: ten criteria, natural override rates around 10 %, nine in ten of them 7 % to 15 %."""
    return Plan(seed=seed, cause=cause, rate=rate, tasks=tasks, criteria=CRITERIA, criterion_width=0.27)


def flags_of(table: OverrideTable) -> tuple[Flag, ...]:
    """The flags of a table, without tasks and cases."""
    return find_gaps(lambda without: digest(table, without)).flags


def right(flag: Flag, truth: Truth) -> bool:
    """Whether a flag names what was planted, with its cause."""
    if flag.cause != truth.cause:
        return False
    if flag.cause is Cause.REVIEWER:
        return flag.evidence.reviewer == truth.reviewer
    return set(flag.criteria) == set(truth.criteria)


def recall(projects: int) -> Row:
    """Planted causes found, and false flags among all, with 2 000 reviewed tasks."""
    found = false = planted = 0
    for cause in CAUSES:
        for rate in RATES:
            hits = wrong = 0
            for seed in range(projects):
                world = make_world(plan(seed, cause, rate))
                flags = flags_of(table_of(logged_rows(world)))
                hits += any(right(f, world.truth) for f in flags)
                wrong += sum(not right(f, world.truth) for f in flags)
            print(f"  {cause:15} {rate:4.0%}  found {hits}/{projects}  false {wrong}", flush=True)
            found, false, planted = found + hits, false + wrong, planted + projects
    return {"planted": planted, "recall": found / planted, "false_discovery_rate": false / max(1, found + false)}


def nulls() -> Row:
    """Projects with nothing wrong that get a flag, looked at once and every day."""
    once = daily = 0
    for seed in range(NULL_PROJECTS):
        table = table_of(logged_rows(make_world(plan(1000 + seed))))
        at_end = bool(flags_of(table))
        once += at_end
        days = np.unique(table.time_s // 86400)[1:]
        daily += at_end or any(flags_of(table.where(table.time_s < day * 86400)) for day in days.tolist())
    return {"projects": NULL_PROJECTS, "flagged_once": once, "flagged_daily": daily}


def mixed(projects: int) -> Row:
    """The second simulator: one cause alone, two to four in one project, all seven in one, and none."""
    figures: Row = {}
    rng = np.random.default_rng(0)
    groups: dict[str, list[tuple[Planted, ...]]] = {
        "alone": [(Planted(cause, rate),) for cause in CAUSES for rate in RATES],
        "two to four": [_some(rng) for _ in range(2 * projects)],
        "all seven": [tuple(Planted(cause, rate) for cause in CAUSES) for rate in RATES],
        "none": [()],
    }
    for name, group in groups.items():
        found = wrong = all_planted = alarmed = 0
        seeds = range({"two to four": 1, "none": NULL_PROJECTS}.get(name, projects))
        for number, (plants, seed) in enumerate((plants, seed) for plants in group for seed in seeds):
            world, truths = make_second(SecondPlan(500 + number if name == "two to four" else 500 + seed, plants))
            flags = flags_of(table_of(logged_rows(world)))
            found += sum(any(right(f, t) for f in flags) for t in truths)
            false = sum(not any(right(f, t) for t in truths) for f in flags)
            wrong, alarmed, all_planted = wrong + false, alarmed + bool(false), all_planted + len(truths)
        figures[name] = {
            "projects": len(group) * len(seeds),
            "planted": all_planted,
            "recall": found / all_planted if all_planted else None,
            "false_discovery_rate": wrong / (found + wrong) if all_planted else None,
            "projects_with_a_false_flag": alarmed,
        }
        print(f"  {name:12} {json.dumps(figures[name])}", flush=True)
    return figures


def _some(rng: np.random.Generator) -> tuple[Planted, ...]:
    causes = rng.choice(CAUSES, size=int(rng.integers(2, 5)), replace=False)
    return tuple(Planted(str(cause), float(rng.choice(RATES))) for cause in causes)


def road() -> Row:
    """The whole road: exports of new and old form through `overrides import` and `report --format json`."""
    hits = all_planted = wrong = 0
    for seed in range(4):
        plants = tuple(Planted(cause, RATES[1 + seed // 2]) for cause in CAUSES)
        world, truths = make_second(SecondPlan(900 + seed, plants, criteria=ROAD_CRITERIA[:13]))
        found, wanted = found_by_report(world, old_form=seed % 2 == 1), planted(truths)
        hits, all_planted, wrong = hits + len(found & wanted), all_planted + len(wanted), wrong + len(found - wanted)
    return {"planted": all_planted, "recall": hits / all_planted, "false_discovery_rate": wrong / max(1, hits + wrong)}


def wald(natural: float, planted: float, *, shared_by: int) -> float:
    """Mean reviews that Wald's sequential test needs under the alternative (Wald 1945), alpha shared over questions."""
    alpha = ALPHA / shared_by
    gain = planted * math.log(planted / natural) + (1 - planted) * math.log((1 - planted) / (1 - natural))
    return ((1 - BETA) * math.log((1 - BETA) / alpha) + BETA * math.log(BETA / (1 - alpha))) / gain


def reviews(projects: int) -> Row:
    """Mean reviews until the first right flag, as a multiple of Wald's test.

    Beside it what that test itself takes on the same reviews when it is told both rates: more than its mean where few
    projects came out low, or where several people's answers to one suggestion are but one.
    """
    ratios: Row = {}
    for cause in CAUSES:
        for rate in RATES[1:]:
            needed, told, reference = [], [], _reference(cause, rate)
            for seed in range(projects):
                world = make_world(plan(100 + seed, cause, rate))
                table = table_of(logged_rows(world))
                needed.append(_until_flag(table, world.truth))
                told.append(_told(table, world.truth, rate))
            ratio = float(np.mean(needed)) / reference
            beside = f"; told both rates {np.mean(told) / reference:.2f}" if cause in BY_RATE else ""
            print(
                f"  {cause:15} {rate:4.0%}  {np.mean(needed):5.0f} reviews, Wald {reference:4.0f}: {ratio:.2f}{beside}",
                flush=True,
            )
            ratios[f"{cause} {rate:.0%}"] = ratio
    return ratios


def _reference(cause: str, rate: float) -> float:
    return wald(_natural_high(cause), rate, shared_by=_shared_by(cause))


def _natural_high(cause: str) -> float:
    base = plan(0)
    width = base.reviewer_width if cause == Cause.REVIEWER else base.criterion_width
    return float(expit(logit(BASE_RATE) + ndtri(0.95) * width))


def _shared_by(cause: str) -> int:
    base = plan(0)
    return base.reviewers if cause == Cause.REVIEWER else len(base.criteria)


def _told(table: OverrideTable, truth: Truth, rate: float) -> float:
    """Reviews that Wald's test takes here when it is told the planted rate, and what is natural at most."""
    concerned, natural = _concerned(table, truth), _natural_high(truth.cause)
    changed = (table.outcomes()[concerned] != Outcome.KEPT)[np.argsort(table.time_s[concerned], kind="stable")]
    steps = np.where(changed, math.log(rate / natural), math.log((1 - rate) / (1 - natural)))
    over = np.flatnonzero(np.cumsum(steps) >= math.log((1 - BETA) * _shared_by(truth.cause) / ALPHA))
    return float(over[0] + 1 if len(over) else len(steps))


def _until_flag(table: OverrideTable, truth: Truth) -> float:
    """Reviews of the planted criterion (person, tasks) before the first right flag; all of them when there is none."""
    concerned = _concerned(table, truth)
    times = np.sort(table.time_s[concerned])
    size = 5.0
    while size < len(times):
        if any(right(f, truth) for f in flags_of(table.where(table.time_s <= times[int(size)]))):
            return size
        size = max(size + 1, size * GROWTH)
    return float(len(times))


def _concerned(table: OverrideTable, truth: Truth) -> Flags:
    """Rows that count as reviews of what was planted; for a pair those of one of the two."""
    if truth.cause == Cause.UNCOVERED:
        first = np.zeros(len(table), dtype=np.bool_)
        first[np.unique(table.annotation, return_index=True)[1]] = True
        return first
    if truth.cause == Cause.REVIEWER:
        return np.asarray(table.reviewed & (table.reviewer == table.reviewers.index(truth.reviewer)))
    rows = table.reviewed & (table.suggested == table.criteria.index(truth.criteria[0]))
    return np.asarray(rows & (table.time_s >= truth.at.timestamp()) if truth.at else rows)


def patterns(projects: int) -> Row:
    """Adjusted Rand index of the clusters of novel patterns against the planted ones."""
    found = []
    for rate in RATES:
        for seed in range(projects):
            world = make_world(plan(seed, Cause.UNCOVERED, rate))
            notes = [r.text for t in world.tasks for s in t.submissions for r in s.added if r.criterion == "uncovered"]
            planted = np.array([_pattern(note) for note in notes])
            labels = cluster(notes)
            found.append(adjusted_rand_score(planted[planted >= 0], labels[planted >= 0]))
    noisy = [_noisy_patterns(seed, rate) for rate in RATES for seed in range(projects)]
    return {
        "projects": len(found),
        "mean_ari": float(np.mean(found)),
        "least_ari": float(np.min(found)),
        "noisy_mean_ari": float(np.mean(noisy)),
        "noisy_least_ari": float(np.min(noisy)),
    }


def _noisy_patterns(seed: int, rate: float) -> float:
    """The same for the second simulator's sentences, in which most words say nothing."""
    world, _ = make_second(SecondPlan(seed, (Planted(Cause.UNCOVERED, rate),)))
    notes = [r.text for t in world.tasks for s in t.submissions for r in s.added if r.criterion == "uncovered"]
    planted = np.array([_subject(note) for note in notes])
    labels = cluster(notes)
    return float(adjusted_rand_score(planted[planted >= 0], labels[planted >= 0]))


def _subject(note: str) -> int:
    words = set(note.split())
    return next((i for i, (_, telling) in enumerate(SUBJECTS) if words & set(telling)), -1)


def _pattern(note: str) -> int:
    return next((i for i, words in enumerate(PATTERNS) if note in words[1:]), -1)


def speed() -> Row:
    """Seconds for a million overrides and a million ratings, beside pandas counting the same."""
    table = _million()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timings: Row = {"rows": len(table)}
    timings["flags_s"] = _best(lambda: flags_of(table))
    timings["digest_s"] = _best(lambda: digest(table))
    timings["study_s"] = _best(lambda: study(table), times=1)
    rng = np.random.default_rng(0)
    unit, value = rng.integers(0, 400_000, 10**6), rng.integers(0, 4, 10**6)
    timings["alpha_s"] = _best(lambda: krippendorff(unit_counts(unit, value, levels=4)))
    timings["extra_mib"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    counted = digest(table)
    timings["flags_from_counts_s"] = _best(lambda: find_gaps(lambda _: counted))
    timings["pandas_s"] = _best(lambda: _pandas(table))
    timings["digest_beside_pandas"] = _seconds(timings["digest_s"]) / _seconds(timings["pandas_s"])
    return timings


def _seconds(value: object) -> float:
    assert isinstance(value, float)
    return value


def _pandas(table: OverrideTable) -> object:
    """The same counts by pandas."""
    import pandas as pd  # noqa: PLC0415  # only this comparison needs it

    frame = pd.DataFrame(
        {
            "criterion": table.suggested,
            "reviewer": table.reviewer,
            "day": (table.time_s // 86400).astype(np.int64),
            "outcome": table.outcomes(),
            "suggestion": table.suggestion,
        }
    )[table.reviewed]
    frame["overrode"] = frame["outcome"] > 0
    shared = frame.groupby("suggestion", sort=False).agg({"criterion": "first", "overrode": ["size", "sum"]})
    counted = shared.groupby(list(shared.columns), sort=False).size()
    return frame.groupby(["criterion", "reviewer", "day", "outcome"], sort=False).size(), counted


def _million() -> OverrideTable:
    """A project's rows, repeated with new tasks, annotations and suggestions until there are a million."""
    table = table_of(logged_rows(make_world(plan(0, tasks=4000))))
    copies = math.ceil(10**6 / len(table))
    which = np.repeat(np.arange(copies), len(table))
    rows = table.where(np.tile(np.arange(len(table)), copies))

    def shifted(
        column: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return np.where(column >= 0, column + which * (int(column.max()) + 1), column)

    return replace(
        rows,
        row=np.arange(len(which)),
        task=shifted(rows.task),
        annotation=shifted(rows.annotation),
        suggestion=shifted(rows.suggestion).astype(np.int32),
    )


def _best(run: Callable[[], object], *, times: int = 3) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)


def main(arguments: Iterable[str] | None = None) -> None:
    """Run the figures asked for and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=8, help="projects for each cause and rate")
    parser.add_argument("--only", default="recall,nulls,mixed,road,reviews,patterns,coverage,speed,scale")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    parts: dict[str, Callable[[], Row]] = {
        "recall": lambda: recall(chosen.projects),
        "nulls": nulls,
        "mixed": lambda: mixed(chosen.projects),
        "road": road,
        "reviews": lambda: reviews(chosen.projects),
        "patterns": lambda: patterns(chosen.projects),
        "coverage": coverage,
        "speed": speed,
        "scale": scale,
    }
    results: dict[str, Row] = {}
    for name in chosen.only.split(","):
        print(f"{name}: {(parts[name].__doc__ or '').strip()}", flush=True)
        results[name] = parts[name]()
        print("  " + json.dumps(results[name]), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
