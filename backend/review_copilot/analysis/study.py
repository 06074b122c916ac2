"""Everything that the override log of a project says, in one value. Knows rows as columns; no SQL, no pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from review_copilot.analysis.agreement import Agreement, agreement
from review_copilot.analysis.bias import AutomationBias, automation_bias
from review_copilot.analysis.calibration import Calibration, calibration
from review_copilot.analysis.cases import attach
from review_copilot.analysis.flags import Flag, Outlook, Policy, Standing
from review_copilot.analysis.gaps import find_gaps
from review_copilot.analysis.patterns import Pattern, novel_patterns
from review_copilot.analysis.rates import difference
from review_copilot.analysis.table import KINDS, REASONS, Floats, Ints, Outcome, OverrideTable
from review_copilot.analysis.tally import digest
from review_copilot.domain.override import OverrideKind

WEEK_S = 7 * 86400.0


@dataclass(frozen=True)
class RevisionChange:
    """Override rate under the newest guideline revision against the one before.

    Attributes:
        now: Revision hash.
        before: Revision hash.
        difference: Rate now - rate before.
        low: Lower end of its 95 % interval (Newcombe).
        high: Upper end.
    """

    now: str
    before: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class CriterionStudy:
    """One criterion in numbers.

    Attributes:
        criterion: Its id.
        suggestions: Decisions of reviewers about its suggestions.
        overridden: Overrides among them.
        rate: overridden / suggestions; NaN without any.
        standing: Where it stands among the others; None without suggestions.
        outlook: How many more reviews would tell; None where it is flagged or has no suggestions.
        outcomes: How often each `Outcome` was the answer, by its lower-case name.
        reasons: How often each reason was ticked, those never ticked left out.
        text_kept: Mean share of the drafted text that was kept, 0..1; NaN without any.
        added: Regions of this criterion that reviewers drew and nobody had suggested.
        change: Against the previous guideline revision; None where there is only one.
        calibration: Of its scores.
    """

    criterion: str
    suggestions: int
    overridden: int
    rate: float
    standing: Standing | None
    outlook: Outlook | None
    outcomes: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]
    text_kept: float
    added: int
    change: RevisionChange | None
    calibration: Calibration


@dataclass(frozen=True)
class Confusion:
    """How often reviewers relabelled one criterion as another."""

    suggested: str
    submitted: str
    count: int


@dataclass(frozen=True)
class Week:
    """One week of reviewing.

    Attributes:
        start_s: Its first second, since 1970 UTC.
        suggestions: Decisions about suggestions.
        overridden: Overrides among them.
        annotations: Annotations.
    """

    start_s: float
    suggestions: int
    overridden: int
    annotations: int


@dataclass(frozen=True)
class Study:
    """What the override log says.

    Attributes:
        rows: Rows studied.
        tasks: Tasks with at least one annotation.
        annotations: Annotations.
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
    """

    rows: int
    tasks: int
    annotations: int
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
    rules = policy or Policy()
    gaps = find_gaps(lambda without: digest(table, without), rules)
    flags = tuple(attach(flag, table) for flag in gaps.flags)
    standing = {s.criterion: s for s in gaps.standings}
    outlook = {o.criterion: o for o in gaps.outlooks}
    names = list(dict.fromkeys([*criteria, *table.criteria]))
    outcome = table.outcomes()
    reviewed = table.reviewed
    return Study(
        rows=len(table),
        tasks=len(np.unique(table.task)),
        annotations=len(np.unique(table.annotation)),
        since_s=float(table.time_s.min()) if len(table) else float("nan"),
        until_s=float(table.time_s.max()) if len(table) else float("nan"),
        flags=flags,
        novel_patterns=novel_patterns(table, features=features),
        agreement=agreement(table, gold=gold),
        calibration=calibration(table.score[reviewed], outcome[reviewed] == Outcome.KEPT),
        bias=automation_bias(table),
        criteria=tuple(
            replace(_criterion(table, name, outcome), standing=standing.get(name), outlook=outlook.get(name))
            for name in names
        ),
        confusions=_confusions(table, outcome),
        weeks=_weeks(table, outcome),
        policy=rules,
    )


def _criterion(table: OverrideTable, name: str, outcome: Ints) -> CriterionStudy:
    number = table.criteria.index(name) if name in table.criteria else -2
    rows = np.flatnonzero(table.reviewed & (table.suggested == number))
    mine = outcome[rows]
    kept = table.text_kept[rows]
    added = table.regions & (table.kind == KINDS.index(OverrideKind.ADDED)) & (table.submitted == number)
    overridden = int((mine != Outcome.KEPT).sum())
    ticked = [(word, int((table.reasons[rows] >> bit & 1).sum())) for bit, word in enumerate(REASONS)]
    return CriterionStudy(
        criterion=name,
        suggestions=len(rows),
        overridden=overridden,
        rate=overridden / len(rows) if len(rows) else float("nan"),
        standing=None,
        outlook=None,
        outcomes=tuple((o.name.lower(), int((mine == o).sum())) for o in Outcome),
        reasons=tuple((word, count) for word, count in ticked if count),
        text_kept=float(np.nanmean(kept)) if np.isfinite(kept).any() else float("nan"),
        added=int(added.sum()),
        change=_change(table, rows, mine),
        calibration=calibration(table.score[rows], mine == Outcome.KEPT),
    )


def _change(table: OverrideTable, rows: Ints, outcome: Ints) -> RevisionChange | None:
    """Against the revision that was in use before the newest one (revisions are numbered in the order of use)."""
    revision = table.guideline[rows]
    used = np.unique(revision[revision >= 0])
    if len(used) < 2:
        return None
    before, now = int(used[-2]), int(used[-1])
    changed = outcome != Outcome.KEPT

    def counts(which: int) -> tuple[float, float]:
        return float(changed[revision == which].sum()), float((revision == which).sum())

    (yes, of), (before_yes, before_of) = counts(now), counts(before)
    gap, low, high = difference(yes, of, before_yes=before_yes, before_of=before_of)
    return RevisionChange(table.guidelines[now], table.guidelines[before], gap, low, high)


def _confusions(table: OverrideTable, outcome: Ints) -> tuple[Confusion, ...]:
    rows = np.flatnonzero(table.reviewed & (outcome == Outcome.RELABELLED) & (table.submitted >= 0))
    wide = max(1, len(table.criteria))
    counts = np.bincount(table.suggested[rows].astype(np.int64) * wide + table.submitted[rows], minlength=wide * wide)
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    return tuple(
        Confusion(table.criteria[int(i) // wide], table.criteria[int(i) % wide], int(counts[i])) for i in order
    )


def _weeks(table: OverrideTable, outcome: Ints) -> tuple[Week, ...]:
    if not len(table):
        return ()
    reviewed = table.reviewed
    start = float(table.time_s.min() // 86400 * 86400)
    week = ((table.time_s - start) // WEEK_S).astype(np.int64)
    n = int(week.max()) + 1
    suggestions = np.bincount(week[reviewed], minlength=n)
    overridden = np.bincount(week[reviewed & (outcome != Outcome.KEPT)], minlength=n)
    _, first = np.unique(table.annotation, return_index=True)
    annotations = np.bincount(week[first], minlength=n)
    return tuple(
        Week(start + i * WEEK_S, int(suggestions[i]), int(overridden[i]), int(annotations[i])) for i in range(n)
    )


def iso(seconds: float) -> str | None:
    """A time as ISO text in UTC; None for NaN."""
    return None if np.isnan(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
