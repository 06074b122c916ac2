"""How reviewers agree with each other and with the copilot, from the rows of the log. Knows no pages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.analysis.boxes import BoxAgreement, box_agreement
from review_copilot.analysis.coefficients import (
    Coefficient,
    cohen,
    cross_table,
    fleiss,
    krippendorff_interval,
    unit_counts,
)
from review_copilot.analysis.rates import wilson
from review_copilot.analysis.table import SUBJECTS, Flags, Floats, Ints, Outcome, OverrideTable
from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import Subject

SHRINK = 20.0
"""A reviewer's agreement is drawn towards everybody's by as many imagined decisions as this."""


@dataclass(frozen=True)
class CriterionAgreement:
    """Agreement on one criterion between people who saw the same task.

    Attributes:
        criterion: Its id.
        presence: Krippendorff's alpha (nominal) of "this task shows it", over tasks with two or more annotations.
        cohen: Cohen's kappa of the same; None unless exactly two people share the tasks.
        fleiss: Fleiss' kappa of the same; None unless all tasks have the same number of annotations.
        severity: Krippendorff's alpha (ordinal) of the severity of the same suggestion.
        box_f1: F1 of boxes at IoU 0.5 between pairs of annotations, 0..1; NaN where nobody drew one.
    """

    criterion: str
    presence: Coefficient
    cohen: Coefficient | None
    fleiss: Coefficient | None
    severity: Coefficient
    box_f1: float


@dataclass(frozen=True)
class ReviewerAgreement:
    """One reviewer beside peers, gold tasks and the copilot. No rank, on purpose.

    Attributes:
        reviewer: Name.
        decisions: Suggestions that the reviewer decided on.
        with_model: Share of them kept, shrunken towards everybody's.
        compared: Decisions on suggestions that a peer decided on too, counted once for each peer.
        with_peers: Share of those in which both kept or both overrode, shrunken towards everybody's.
        peers_low: Lower end of the 95 % Wilson interval of the raw share.
        peers_high: Upper end.
        gold: Decisions on suggestions that a gold annotation decided on.
        with_gold: Share of those decided alike, shrunken; NaN without gold.
        median_lead_time_s: Typical time for an annotation; NaN when unknown.
    """

    reviewer: str
    decisions: int
    with_model: float
    compared: int
    with_peers: float
    peers_low: float
    peers_high: float
    gold: int
    with_gold: float
    median_lead_time_s: float


@dataclass(frozen=True)
class Agreement:
    """All of it.

    Attributes:
        tasks: Tasks with annotations by two or more people.
        overall: Krippendorff's alpha of presence over all criteria together.
        verdict: Krippendorff's alpha (nominal) of the verdict.
        decision: Krippendorff's alpha of keeping or overriding the same suggestion.
        box_f1: F1 of boxes of the same criterion at IoU 0.5.
        criteria: In the order of the log.
        reviewers: By name.
    """

    tasks: int
    overall: Coefficient
    verdict: Coefficient
    decision: Coefficient
    box_f1: float
    criteria: tuple[CriterionAgreement, ...]
    reviewers: tuple[ReviewerAgreement, ...]


def agreement(table: OverrideTable, *, gold: frozenset[int] = frozenset()) -> Agreement:
    """Measure agreement.

    Args:
        table: The log.
        gold: Ids of annotations that are the standard.
    """
    presence = _Presence.of(table)
    boxes = _boxes(table, presence)
    found = tuple(_criterion(table, presence, c, boxes) for c in range(len(table.criteria)))
    units = presence.units()
    everything = unit_counts(
        (units[:, None] * len(table.criteria) + np.arange(len(table.criteria))[None, :]).ravel(),
        presence.shown.astype(np.int64).ravel(),
        levels=2,
    )
    verdicts = (table.subject == SUBJECTS.index(Subject.VERDICT)) & (table.value_to >= 0)
    reviewed = table.reviewed
    overrode = (table.outcomes() != Outcome.KEPT).astype(np.int64)
    return Agreement(
        tasks=len(presence.shared_tasks),
        overall=krippendorff_interval(everything),
        verdict=krippendorff_interval(
            unit_counts(table.task[verdicts], table.value_to[verdicts], levels=max(1, len(table.values)))
        ),
        decision=krippendorff_interval(unit_counts(table.suggestion[reviewed], overrode[reviewed], levels=2)),
        box_f1=boxes.overall,
        criteria=found,
        reviewers=_reviewers(table, reviewed, overrode, gold),
    )


@dataclass(frozen=True)
class _Presence:
    """Which annotation of a shared task shows which criterion.

    Attributes:
        task: Task of each annotation.
        reviewer: Author of each annotation.
        shown: Shape (annotations, criteria).
        shared_tasks: Distinct tasks.
    """

    task: Ints
    reviewer: Ints
    shown: Flags
    shared_tasks: Ints

    @classmethod
    def of(cls, table: OverrideTable) -> _Presence:
        _, first, index = np.unique(table.annotation, return_index=True, return_inverse=True)
        task, reviewer = table.task[first], table.reviewer[first]
        tasks, of_task, annotations = np.unique(task, return_inverse=True, return_counts=True)
        shared = annotations[of_task] >= 2
        wide = max(1, len(table.criteria))
        rows = np.flatnonzero(table.regions & (table.submitted >= 0) & shared[index])
        position = np.cumsum(shared) - 1
        flat = np.bincount(position[index[rows]] * wide + table.submitted[rows], minlength=int(shared.sum()) * wide)
        return cls(task[shared], reviewer[shared], flat.reshape(-1, wide) > 0, tasks[annotations >= 2])

    def units(self) -> Ints:
        """The number of each annotation's task, from 0."""
        return np.searchsorted(self.shared_tasks, self.task)


def _criterion(table: OverrideTable, presence: _Presence, c: int, boxes: BoxAgreement) -> CriterionAgreement:
    shown = presence.shown[:, c].astype(np.int64)
    counts = unit_counts(presence.units(), shown, levels=2)
    rows = table.reviewed & (table.suggested == c) & (table.severity_to >= 0) & (table.submitted >= 0)
    severities = unit_counts(table.suggestion[rows], table.severity_to[rows], levels=len(Severity))
    kappa = fleiss(counts) if len(counts) else None
    return CriterionAgreement(
        criterion=table.criteria[c],
        presence=krippendorff_interval(counts),
        cohen=_cohen(presence, shown),
        fleiss=kappa if kappa and np.isfinite(kappa.value) else None,
        severity=krippendorff_interval(severities, metric="ordinal"),
        box_f1=boxes.by_criterion[c],
    )


def _cohen(presence: _Presence, shown: Ints) -> Coefficient | None:
    """Cohen's kappa where all shared tasks are shared by the same two people."""
    people = np.unique(presence.reviewer)
    if len(people) != 2 or len(presence.task) != 2 * len(presence.shared_tasks):
        return None
    order = np.lexsort((presence.reviewer, presence.task))
    pairs = shown[order].reshape(-1, 2)
    return cohen(cross_table(pairs[:, 0], pairs[:, 1], levels=2).astype(np.float64))


def _boxes(table: OverrideTable, presence: _Presence) -> BoxAgreement:
    shared = np.isin(table.task, presence.shared_tasks)
    rows = table.regions & (table.submitted >= 0) & ~np.isnan(table.box[:, 0]) & shared
    people = np.bincount(presence.units(), minlength=1)
    return box_agreement(
        table.task[rows],
        table.annotation[rows],
        table.submitted[rows].astype(np.int64),
        table.box[rows],
        seen_by=people[np.searchsorted(presence.shared_tasks, table.task[rows])],
        criteria=max(1, len(table.criteria)),
    )


def _reviewers(
    table: OverrideTable, reviewed: Flags, overrode: Ints, gold: frozenset[int]
) -> tuple[ReviewerAgreement, ...]:
    people = len(table.reviewers)
    rows = np.flatnonzero(reviewed)
    who, suggestion, no = table.reviewer[rows], table.suggestion[rows], overrode[rows]
    size = int(suggestion.max(initial=0)) + 1
    seen, against = np.bincount(suggestion, minlength=size), np.bincount(suggestion, weights=no, minlength=size)
    alike = np.where(no == 1, against[suggestion] - 1, seen[suggestion] - against[suggestion] - 1)
    decisions, kept = np.bincount(who, minlength=people), np.bincount(who, weights=1 - no, minlength=people)
    compared = np.bincount(who, weights=seen[suggestion] - 1, minlength=people)
    agreed = np.bincount(who, weights=alike, minlength=people)
    golden, like_gold = _against_gold(table, rows, overrode, gold)
    lead = _median_lead(table)
    model, peers, standard = _drawn(kept, decisions), _drawn(agreed, compared), _drawn(like_gold, golden)
    found = []
    for r in np.argsort(np.array(table.reviewers, dtype=object)).tolist():
        low, high = wilson(float(agreed[r]), float(compared[r]))
        found.append(
            ReviewerAgreement(
                reviewer=table.reviewers[r],
                decisions=int(decisions[r]),
                with_model=float(model[r]),
                compared=int(compared[r]),
                with_peers=float(peers[r]),
                peers_low=low,
                peers_high=high,
                gold=int(golden[r]),
                with_gold=float(standard[r]),
                median_lead_time_s=lead[r],
            )
        )
    return tuple(found)


def _against_gold(table: OverrideTable, rows: Ints, overrode: Ints, gold: frozenset[int]) -> tuple[Ints, Ints]:
    """For each reviewer: decisions that a gold annotation decided too, and those decided alike."""
    people = len(table.reviewers)
    standard = np.isin(table.annotation[rows], list(gold))
    size = int(table.suggestion[rows].max(initial=0)) + 1
    said = np.full(size, -1, dtype=np.int64)
    said[table.suggestion[rows[standard]]] = overrode[rows[standard]]
    mine = rows[~standard]
    known = mine[said[table.suggestion[mine]] >= 0]
    alike = said[table.suggestion[known]] == overrode[known]
    return (
        np.bincount(table.reviewer[known], minlength=people),
        np.bincount(table.reviewer[known], weights=alike, minlength=people).astype(np.int64),
    )


def _drawn(yes: Floats, of: Floats) -> Floats:
    """Shares drawn towards everybody's share; NaN for who has none while nobody has any."""
    total = float(np.sum(of))
    if not total:
        return np.full(len(of), np.nan)
    return np.asarray((yes + SHRINK * float(np.sum(yes)) / total) / (of + SHRINK))


def _median_lead(table: OverrideTable) -> list[float]:
    _, first = np.unique(table.annotation, return_index=True)
    lead, who = table.lead_time_s[first], table.reviewer[first]
    times = [lead[(who == r) & (lead > 0)] for r in range(len(table.reviewers))]
    return [float(np.median(t)) if len(t) else float("nan") for t in times]
