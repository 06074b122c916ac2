"""Where the guideline has gaps: flags with causes, from counts. Knows no rows, no files and no pages.

What stands on decisions (rejected, relabelled) is kept apart from what stands on touches (moved, reworded, severity).
A criterion is flagged when it is far likelier an exception than one of the others' kind (an e-value, so that looking
every day costs nothing), or more often wrong than the bar allows; false discoveries are held down over all criteria.
Odd people are set aside before criteria are judged, and a new version that made criteria worse is named once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from review_copilot.study.causes import date_of, rate_changes, rate_flags, touch_flags
from review_copilot.study.confusion import confused_pairs
from review_copilot.study.criterion_figures import Figures, confidence, figures
from review_copilot.study.flags import EXCEPTION, Cause, Flag, Gaps, Policy
from review_copilot.study.gap_counts import Digest
from review_copilot.study.habits import habit_flags
from review_copilot.study.outlook import outlooks, standings
from review_copilot.study.rate_changes import Change
from review_copilot.study.rates import percent
from review_copilot.study.reviewer_differences import odd_reviewers
from review_copilot.study.table import Ints
from review_copilot.study.uncovered import uncovered_flag
from review_copilot.study.version_changes import VersionChange, changed_at, version_changes, version_of

NEAR_DAYS = 3
"""Drafts of an older version are still reviewed for some days after a new one began."""


def find_gaps(count: Callable[[frozenset[str]], Digest], policy: Policy | None = None) -> Gaps:
    """Look for everything that can be wrong with a guideline.

    A person who differs from all others is found first; criteria are then judged by the others.

    Args:
        count: Counts everything but the decisions of the named reviewers; called once or twice.
        policy: When to raise a flag.

    Returns:
        Flags without tasks and cases (those need rows: see `cases.gather`), and what is known of the rest.
    """
    rules = policy or Policy()
    counts = count(frozenset())
    flags: list[Flag] = [f for f in (uncovered_flag(counts.submissions, rules),) if f]
    if not len(counts.gap_counts.count):
        return Gaps(tuple(flags), (), ())
    known = figures(counts, rules)
    found, current = _criterion_flags(known, rules)
    suspect = frozenset(c for f in found for c in f.criteria)
    people = odd_reviewers(known, rules, leave_out=suspect)
    habits = habit_flags(counts.visits, counts.gap_counts.reviewers, rules)
    named = {f.evidence.reviewer for f in habits}
    # Who does not look at certain hours differs from the others for that reason.
    people = habits + [f for f in people if f.evidence.reviewer not in named]
    odd = frozenset(f.evidence.reviewer for f in people if f.evidence.reviewer)
    judged = count(odd) if odd else counts
    if odd and len(judged.gap_counts.count):
        found, current = _criterion_flags(figures(judged, rules), rules)
    if found:  # what is natural shows better without them, and with that what else stands out
        apart = frozenset(c for f in found for c in f.criteria)
        found, current = _criterion_flags(figures(current.counts, rules, apart=apart), rules, apart=apart)
    flags += people + found
    flagged = frozenset(c for f in flags for c in f.criteria)
    return Gaps(
        tuple(sorted(flags, key=lambda f: -f.confidence)),
        outlooks(current, rules, flagged=flagged),
        standings(current),
    )


def _criterion_flags(
    known: Figures, rules: Policy, *, apart: frozenset[str] = frozenset()
) -> tuple[list[Flag], Figures]:
    """Flags about criteria and versions, and the figures that they were read from: of the versions that count."""
    turned = _by_version(known, rules)
    worse = {i for change in turned for i in change.worse}
    steady = np.array([i not in worse and not any(i in t.better for t in turned) for i in range(len(known.names))])
    current = _current(known, rules, turned, apart) if turned else known
    pairs = [f for f in confused_pairs(current, rules) if not any(known.names.index(c) in worse for c in f.criteria)]
    single = rate_flags(current, rules, pairs=pairs, steady=steady)
    names = {known.names[i] for i in worse}
    single = [f for f in single if not names & set(f.criteria)]
    turned, single = _with_drifts(known, turned, single)
    touched = touch_flags(current, rules, decided=frozenset(c for f in (*pairs, *single) for c in f.criteria))
    return [*(_changed(known, t) for t in turned if t.worse), *pairs, *single, *touched], current


def _with_drifts(
    known: Figures, turned: tuple[VersionChange, ...], single: list[Flag]
) -> tuple[tuple[VersionChange, ...], list[Flag]]:
    """A drift that coincides with a new version is named with it, once; one for the better is no fault of it."""
    ranks, days = version_of(known)
    by_rank = {change.rank: change for change in turned}
    left = []
    for flag in single:
        rank = _version_near(flag, days)
        if rank is None:
            left.append(flag)
        elif (flag.evidence.rate_after or 0) > (flag.evidence.rate_before or 0):
            there = by_rank.get(rank)
            worse = tuple(sorted({*(there.worse if there else ()), known.names.index(flag.criteria[0])}))
            log_e = max(there.log_e if there else -np.inf, float(np.log(flag.evidence.times_likelier)))
            made = changed_at(known, ranks, days, rank=rank, worse=worse, log_e=log_e)
            by_rank[rank] = replace(made, better=there.better if there else ())
    return tuple(by_rank.values()), left


def _version_near(flag: Flag, days: Ints) -> int | None:
    """The version that began within NEAR_DAYS of when a drift may have begun; None where there is none."""
    evidence = flag.evidence
    if flag.cause is not Cause.DRIFT or not evidence.changed_from or not evidence.changed_to or not evidence.changed_on:
        return None
    first, last, middle = (
        int(np.datetime64(day, "D").astype(np.int64))
        for day in (evidence.changed_from, evidence.changed_to, evidence.changed_on)
    )
    near = [rank for rank in range(1, len(days)) if first - NEAR_DAYS <= days[rank] <= last + NEAR_DAYS]
    return min(near, key=lambda rank: abs(int(days[rank]) - middle), default=None)


def _by_version(known: Figures, rules: Policy) -> tuple[VersionChange, ...]:
    """What versions changed, without criteria whose rate changed at another time than the version did."""
    turned = version_changes(known, effect=rules.effect, alpha=rules.alpha)
    if not turned:
        return ()
    dated = rate_changes(known, rules)
    return tuple(replace(t, worse=tuple(c for c in t.worse if not _elsewhere(dated[c], t.day))) for t in turned)


def _elsewhere(change: Change, day: int) -> bool:
    """Whether a rate surely changed, and surely not near another day."""
    return change.log_e > EXCEPTION and not change.first_day - NEAR_DAYS <= day <= change.last_day + NEAR_DAYS


def _current(known: Figures, rules: Policy, turned: tuple[VersionChange, ...], apart: frozenset[str]) -> Figures:
    """The figures of each criterion since the last version that changed it."""
    ranks, _ = version_of(known)
    gap = known.shaped.gap_counts
    only = np.ones(len(gap.count), dtype=np.bool_)
    place = np.searchsorted(known.shaped.criteria, gap.criterion)
    for change in turned:
        for i in (*change.worse, *change.better):
            only &= (place != i) | (ranks >= change.rank)
    return figures(known.counts, rules, apart=apart, only=only)


def _changed(known: Figures, change: VersionChange) -> Flag:
    names = tuple(known.names[i] for i in change.worse)
    evidence = replace(change.evidence, changed_on=date_of(change.day), version=change.version)
    what = "guideline revision" if change.guideline else "model version"
    criteria = "1 criterion is" if len(names) == 1 else f"{len(names)} criteria are"
    return Flag(
        Cause.GUIDELINE_CHANGE if change.guideline else Cause.MODEL_CHANGE,
        names,
        confidence(change.log_e),
        f"Since {what} {change.version} on {evidence.changed_on}, {criteria} worse: reviewers reject or relabel "
        f"{percent(evidence.rate)} of {evidence.reviews} suggestions, {percent(evidence.rate_before or 0.0)} before.",
        evidence,
    )
