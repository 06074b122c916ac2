"""Everything that the override log of a project says, in one value. Knows counts and rows; no SQL, no pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from review_copilot.study.agreement import Agreement, agreement_of
from review_copilot.study.bias import AutomationBias, automation_bias_of
from review_copilot.study.calibration import Calibration, calibration_of
from review_copilot.study.cases import gather
from review_copilot.study.criterion_rates import Confusion, CriterionStudy, Week, confusions, criterion_study, weeks
from review_copilot.study.flags import Cause, Flag, Policy
from review_copilot.study.gap_counts import Digest, Reviews, count_reviews, digest_of
from review_copilot.study.gaps import find_gaps
from review_copilot.study.grouped_sums import sum_of
from review_copilot.study.joining import renumbered
from review_copilot.study.pace import TimeSaved, median_lead_times, time_saved
from review_copilot.study.patterns import Pattern, novel_patterns
from review_copilot.study.study_counts import Counts, count
from review_copilot.study.table import Floats, OverrideTable
from review_copilot.study.uncovered import pattern_flag

MOST_WORK = 0.8
"""Share of annotations from which one person's part of the work is named."""


@dataclass(frozen=True)
class Busiest:
    """The person who made MOST_WORK of the annotations or more.

    Attributes:
        reviewer: Name.
        annotations: How many they made.
    """

    reviewer: str
    annotations: int


@dataclass(frozen=True)
class Study:
    """What the override log says.

    Attributes:
        rows: Rows studied.
        tasks: Tasks with at least one annotation.
        annotations: Annotations.
        skipped: Annotations that skip a task; they count nowhere else.
        since_s: Time of the first annotation, seconds since 1970 UTC; NaN when empty.
        until_s: Time of the newest.
        flags: What to act on, the most certain first, with tasks and typical cases.
        novel_patterns: What no criterion claims, the biggest and fastest growing first.
        agreement: Between reviewers, and with the copilot.
        calibration: Of all scores.
        bias: Signs of automation bias.
        criteria: In the order of the guideline where it was given, else of the log.
        confusions: The most frequent first.
        weeks: By time, none left out in between.
        policy: By which flags were raised.
        busiest: Who made most of the annotations; None where nobody made as many, or only one person reviews.
        saved: Typical time with and without a draft; None while too few annotations have none.
        unclaimed: Regions without a label that a criterion claims, such as a renamed one.
    """

    rows: int
    tasks: int
    annotations: int
    skipped: int
    since_s: float
    until_s: float
    flags: tuple[Flag, ...]
    novel_patterns: tuple[Pattern, ...]
    agreement: Agreement
    calibration: Calibration
    bias: AutomationBias
    criteria: tuple[CriterionStudy, ...]
    confusions: tuple[Confusion, ...]
    weeks: tuple[Week, ...]
    policy: Policy
    busiest: Busiest | None
    saved: TimeSaved | None
    unclaimed: int


def study(
    table: OverrideTable,
    *,
    policy: Policy | None = None,
    criteria: Sequence[str] = (),
    gold: frozenset[int] = frozenset(),
    features: Floats | None = None,
) -> Study:
    """Study the rows of one project.

    Args:
        table: Current rows of living annotations, of one project and one period.
        policy: When to raise a flag.
        criteria: Ids in the order in which to list them; criteria of the log that are missing here come after.
        gold: Ids of annotations that are the standard.
        features: What the crops of `table.uncovered` look like; see `novel_patterns`.
    """
    return study_of(count(table, gold=gold), lambda: (table,), policy=policy, criteria=criteria, see=lambda _: features)


def study_of(
    counts: Counts,
    tables: Callable[[], Iterable[OverrideTable]],
    *,
    policy: Policy | None = None,
    criteria: Sequence[str] = (),
    see: Callable[[OverrideTable], Floats | None] | None = None,
) -> Study:
    """Study what was counted; rows are read for what counts cannot tell: tasks, cases, patterns, a person left out.

    Args:
        counts: Of one project and one period.
        tables: Reads the rows that were counted, in parts that have whole tasks; called up to twice.
        policy: When to raise a flag.
        criteria: Ids in the order in which to list them; criteria of the log that are missing here come after.
        see: Says what the crops of uncovered rows look like; see `novel_patterns`.
    """
    found = figures_of(counts, tables, policy=policy, criteria=criteria)
    flags, uncovered = gather(found.flags, tables())
    span = (counts.since_s, counts.until_s)
    patterns = novel_patterns(uncovered, span=span, features=see(uncovered) if see and len(uncovered) else None)
    new = pattern_flag(
        patterns,
        _digest(counts, tables, frozenset()).submissions,
        tasks=len(np.unique(uncovered.task)),
        rules=found.policy,
    )
    if new is not None:
        told, _ = gather((new,), (uncovered,))
        flags = tuple(
            sorted([*told, *(f for f in flags if f.cause is not Cause.UNCOVERED)], key=lambda f: -f.confidence)
        )
    return replace(found, flags=flags, novel_patterns=patterns)


def figures_of(
    counts: Counts,
    tables: Callable[[], Iterable[OverrideTable]],
    *,
    policy: Policy | None = None,
    criteria: Sequence[str] = (),
) -> Study:
    """The numbers of a study: all but the tasks and cases of its flags, and novel patterns.

    Args:
        counts: See `study_of`.
        tables: See `study_of`; only read where one person differs from all others.
        policy: When to raise a flag.
        criteria: See `study_of`.
    """
    rules = policy or Policy()
    gaps = find_gaps(lambda without: _digest(counts, tables, without), rules)
    standing = {s.criterion: s for s in gaps.standings}
    outlook = {o.criterion: o for o in gaps.outlooks}
    of_log, reviewers = counts.words("criteria"), counts.words("reviewers")
    return Study(
        rows=counts.rows,
        tasks=counts.tasks,
        annotations=int(counts.outcome_counts.submissions.sums[:, 0].sum()),
        skipped=counts.skipped,
        since_s=counts.since_s if counts.tasks else float("nan"),
        until_s=counts.until_s if counts.tasks else float("nan"),
        flags=gaps.flags,
        novel_patterns=(),
        agreement=agreement_of(
            counts.agreement_counts,
            criteria=of_log,
            reviewers=reviewers,
            lead_s=median_lead_times(counts.lead_times, people=len(reviewers)),
        ),
        calibration=calibration_of(counts.outcome_counts.scores),
        bias=automation_bias_of(counts.lead_times, counts.blindness),
        criteria=tuple(
            replace(criterion_study(counts, name), standing=standing.get(name), outlook=outlook.get(name))
            for name in dict.fromkeys([*criteria, *of_log])
        ),
        confusions=confusions(counts),
        weeks=weeks(counts),
        policy=rules,
        busiest=_busiest(counts),
        saved=time_saved(counts.lead_times),
        unclaimed=int(counts.outcome_counts.unclaimed.sums.sum()),
    )


def _busiest(counts: Counts) -> Busiest | None:
    submissions = counts.outcome_counts.submissions
    made = np.bincount(submissions.keys[:, 0], weights=submissions.sums[:, 0]) if len(submissions.keys) else np.zeros(1)
    first = int(np.argmax(made))
    if (made > 0).sum() < 2 or made[first] < MOST_WORK * made.sum():
        return None
    return Busiest(counts.words("reviewers")[first], int(made[first]))


def _digest(counts: Counts, tables: Callable[[], Iterable[OverrideTable]], without: frozenset[str]) -> Digest:
    known = {kind: counts.words(kind) for kind in ("criteria", "reviewers", "guidelines", "models")}
    reviews = counts.reviews
    parts, numbers = [], []
    for table in tables() if without else ():
        parts.append(count_reviews(table, without))
        numbers.append({kind: renumbered(getattr(table, kind), words) for kind, words in known.items()})
    if parts:
        read = sum_of(parts, numbers, sizes={kind: len(words) for kind, words in known.items()})
        # A word that was first used after the counting has no number; its rows are the next study's.
        numbered = np.flatnonzero((read.gap_counts.keys[:, :2] >= 0).all(axis=1))
        reviews = Reviews(read.gap_counts.where(numbered), read.shared.where(read.shared.keys[:, 0] >= 0))
    return digest_of(
        reviews,
        counts.outcome_counts.submissions,
        tasks=counts.tasks,
        words=known,
        added=counts.outcome_counts.missed,
        visits=counts.visits,
    )


def iso(seconds: float) -> str | None:
    """A time as ISO text in UTC; None for NaN."""
    return None if np.isnan(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
