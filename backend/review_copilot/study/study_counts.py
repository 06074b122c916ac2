"""All that a study counts, for a part of a log or for all of it, as bytes too. Knows rows and sums, no statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from review_copilot.domain.override import OverrideKind
from review_copilot.study.agreement_counts import AgreementCounts, count_agreement
from review_copilot.study.bias import Blindness, count_blindness
from review_copilot.study.calibration import count_scores
from review_copilot.study.gap_counts import DAY_S, Reviews, count_added, count_reviews, count_submissions
from review_copilot.study.grouped_sums import PLAIN, Cells, cells, keyed, sum_of
from review_copilot.study.joining import first_uses, in_order, renumbered
from review_copilot.study.pace import LeadTimes, Visits, lead_times_of, visits_of
from review_copilot.study.packing import pack, unpack
from review_copilot.study.table import KINDS, Floats, Ints, Outcome, OverrideTable, table_of

WORDS = ("criteria", "reviewers", "guidelines", "models", "values")
_DRAWN = (KINDS.index(OverrideKind.ADDED), KINDS.index(OverrideKind.EDITED))
_AT_ONCE = 16
"""Parts that are added up together, so that few are held at a time."""


@dataclass(frozen=True)
class OutcomeCounts:
    """Outcomes of the suggestions that a reviewer saw and decided on, with other counts.

    Attributes:
        outcomes: Reviews, by criterion, day since 1970 UTC and `Outcome`.
        reasons: Reviews, by criterion and `OverrideTable.reasons`.
        texts: By criterion: sum of the shares of text that were kept, and how many are known.
        revisions: By criterion and guideline revision: reviews, overrides, and the sum of their days since 1970 UTC.
        scores: See `count_scores`; by criterion.
        moves: Relabellings, by suggested and submitted criterion.
        added: Regions that nobody had suggested, by criterion.
        unclaimed: Regions without a label that a criterion claims, by 0.
        missed: See `count_added`.
        submissions: See `count_submissions`.
    """

    outcomes: Cells = field(metadata=keyed("criteria", PLAIN, PLAIN))
    reasons: Cells = field(metadata=keyed("criteria", PLAIN))
    texts: Cells = field(metadata=keyed("criteria"))
    revisions: Cells = field(metadata=keyed("criteria", "guidelines"))
    scores: Cells = field(metadata=keyed("criteria", PLAIN))
    moves: Cells = field(metadata=keyed("criteria", "criteria"))
    added: Cells = field(metadata=keyed("criteria"))
    unclaimed: Cells = field(metadata=keyed(PLAIN))
    missed: Cells = field(metadata=keyed("criteria"))
    submissions: Cells = field(metadata=keyed("reviewers", PLAIN))


@dataclass(frozen=True)
class Counts:
    """Everything that a study counts.

    Attributes:
        uses: Words of each kind in WORDS, each with a number that rises with its first use in the log.
        rows: Rows, those of skipped tasks included.
        tasks: Tasks that somebody judged.
        skipped: Annotations that skip a task; they count nowhere else.
        since_s: Time of the first annotation, seconds since 1970 UTC; infinite without rows.
        until_s: Time of the newest; minus infinite without rows.
        outcome_counts: See `OutcomeCounts`.
        reviews: See `Reviews`.
        agreement_counts: See `AgreementCounts`.
        blindness: See `Blindness`.
        lead_times: See `LeadTimes`.
        visits: See `Visits`.
    """

    uses: Mapping[str, Sequence[tuple[str, int]]]
    rows: int
    tasks: int
    skipped: int
    since_s: float
    until_s: float
    outcome_counts: OutcomeCounts
    reviews: Reviews
    agreement_counts: AgreementCounts
    blindness: Blindness
    lead_times: LeadTimes
    visits: Visits

    def words(self, kind: str) -> tuple[str, ...]:
        """The words of a kind, in the order of their numbers."""
        return tuple(word for word, _ in self.uses[kind])


_GROUPS: Mapping[str, type[Any]] = {
    "outcome_counts": OutcomeCounts,
    "reviews": Reviews,
    "agreement_counts": AgreementCounts,
    "blindness": Blindness,
}
_LISTS: Mapping[str, type[Any]] = {"lead_times": LeadTimes, "visits": Visits}
"""What is kept of every annotation, as parallel arrays; the first one is the number of a reviewer."""


def count(table: OverrideTable, *, gold: frozenset[int] = frozenset(), of: OverrideTable | None = None) -> Counts:
    """Count a table.

    Args:
        table: The log, or a part of it that has whole tasks.
        gold: Ids of annotations that are the standard.
        of: The table that this one was taken from by `where`, for its order of words; None for none.
    """
    uses = first_uses(table if of is None else of)
    rows = len(table)
    skipped = len(np.unique(table.annotation[table.skipped]))
    if skipped:
        table = table.where(~table.skipped)
    return Counts(
        uses={kind: uses[kind] for kind in WORDS},
        rows=rows,
        tasks=len(np.unique(table.task)),
        skipped=skipped,
        since_s=float(table.time_s.min(initial=np.inf)),
        until_s=float(table.time_s.max(initial=-np.inf)),
        outcome_counts=_outcome_counts(table),
        reviews=count_reviews(table),
        agreement_counts=count_agreement(table, gold=gold),
        blindness=count_blindness(table),
        lead_times=lead_times_of(table),
        visits=visits_of(table),
    )


def _outcome_counts(table: OverrideTable) -> OutcomeCounts:
    rows = np.flatnonzero(table.reviewed)
    outcome, suggested = table.outcomes()[rows], table.suggested[rows]
    day = (table.time_s[rows] // DAY_S).astype(np.int64)
    kept = table.text_kept[rows].astype(np.float64)
    known, moved = np.isfinite(kept), (outcome == Outcome.RELABELLED) & (table.submitted[rows] >= 0)
    revision = table.guideline[rows]
    said = revision >= 0
    added = table.regions & (table.kind == KINDS.index(OverrideKind.ADDED)) & (table.submitted >= 0)
    unclaimed = table.regions & (table.submitted < 0) & np.isin(table.kind, _DRAWN)
    return OutcomeCounts(
        outcomes=cells((suggested, day, outcome)),
        reasons=cells((suggested, table.reasons[rows])),
        texts=cells((suggested[known],), (kept[known], np.ones(int(known.sum())))),
        revisions=cells(
            (suggested[said], revision[said]), (np.ones(int(said.sum())), table.overridden[rows][said], day[said])
        ),
        scores=count_scores(suggested, table.score[rows], ~table.overridden[rows]),
        moves=cells((suggested[moved], table.submitted[rows][moved])),
        added=cells((table.submitted[added],)),
        unclaimed=cells((np.zeros(int(unclaimed.sum()), dtype=np.int64),)),
        missed=count_added(table),
        submissions=count_submissions(table),
    )


def total(parts: Iterable[Counts]) -> Counts:
    """The counts of parts of a log together.

    Args:
        parts: No two of them may have rows of the same task.
    """
    waiting: list[Counts] = []
    for part in parts:
        waiting.append(part)
        if len(waiting) == _AT_ONCE:
            waiting = [_added(waiting)]
    if len(waiting) == 1:
        return waiting[0]
    return _added(waiting) if waiting else count(table_of(()))


def numbers_in(words: Callable[[str], Sequence[str]], known: Mapping[str, Sequence[str]]) -> Mapping[str, Ints]:
    """For each kind of words, the numbers in `known` of a part's words, and -1 for -1."""
    return {kind: renumbered(words(kind), known[kind]) for kind in known}


def _added(parts: Sequence[Counts]) -> Counts:
    uses = {kind: in_order(part.uses[kind] for part in parts) for kind in WORDS}
    known = {kind: tuple(word for word, _ in uses[kind]) for kind in WORDS}
    numbers = [numbers_in(part.words, known) for part in parts]
    sizes = {kind: len(known[kind]) for kind in WORDS}
    groups: dict[str, Any] = {
        name: sum_of([getattr(part, name) for part in parts], numbers, sizes=sizes) for name in _GROUPS
    }
    lists: dict[str, Any] = {name: _listed(name, parts, numbers) for name in _LISTS}
    return Counts(
        uses=uses,
        rows=sum(part.rows for part in parts),
        tasks=sum(part.tasks for part in parts),
        skipped=sum(part.skipped for part in parts),
        since_s=min(part.since_s for part in parts),
        until_s=max(part.until_s for part in parts),
        **lists,
        **groups,
    )


def _listed(name: str, parts: Sequence[Counts], numbers: Sequence[Mapping[str, Ints]]) -> Any:
    who, *others = (field.name for field in fields(_LISTS[name]))
    lists = [getattr(part, name) for part in parts]
    people = [number["reviewers"][getattr(one, who)] for one, number in zip(lists, numbers, strict=True)]
    columns = [np.concatenate([getattr(one, other) for one in lists]) for other in others]
    return _LISTS[name](np.concatenate(people).astype(np.int32), *columns)


def pack_counts(counts: Counts) -> bytes:
    """Counts as bytes."""
    arrays: dict[str, Ints] = {
        f"{kind} {part.name}": getattr(getattr(counts, kind), part.name)
        for kind in _LISTS
        for part in fields(_LISTS[kind])
    }
    for group in _GROUPS:
        for part in fields(_GROUPS[group]):
            counted: Cells = getattr(getattr(counts, group), part.name)
            arrays[f"{group} {part.name} keys"] = counted.keys
            arrays[f"{group} {part.name} sums"] = _whole(counted.sums)
    span = [counts.since_s, counts.until_s] if np.isfinite(counts.since_s) else None
    return pack([counts.uses, counts.rows, counts.tasks, counts.skipped, span], arrays)


def unpack_counts(packed: bytes) -> Counts:
    """The counts that `pack_counts` was given."""
    (uses, rows, tasks, skipped, span), arrays = unpack(packed)
    groups: dict[str, Any] = {
        group: kind(
            *(
                Cells(arrays[f"{group} {part.name} keys"], arrays[f"{group} {part.name} sums"].astype(np.float64))
                for part in fields(kind)
            )
        )
        for group, kind in _GROUPS.items()
    }
    since_s, until_s = span or (np.inf, -np.inf)
    lists: dict[str, Any] = {
        kind: of(*(arrays[f"{kind} {part.name}"] for part in fields(of))) for kind, of in _LISTS.items()
    }
    uses = {kind: [(word, at) for word, at in uses[kind]] for kind in WORDS}
    return Counts(uses, rows, tasks, skipped, since_s, until_s, **lists, **groups)


def _whole(sums: Floats) -> Ints:
    """Sums as whole numbers where they are."""
    whole = sums.astype(np.int64)
    return whole if (whole == sums).all() else sums
