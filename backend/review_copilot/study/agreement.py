"""How reviewers agree with each other and with the copilot, from counts of the log. Knows no pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from review_copilot.study.agreement_counts import AgreementCounts, count_agreement
from review_copilot.study.box_agreement import box_agreement
from review_copilot.study.coefficients import (
    Coefficient,
    Metric,
    cohen,
    fleiss,
    interval_of_patterns,
)
from review_copilot.study.grouped_sums import Cells, added, cells
from review_copilot.study.pace import lead_times_of, median_lead_times
from review_copilot.study.rates import wilson
from review_copilot.study.table import Floats, OverrideTable

FEWEST_BLIND = 10
"""Tasks that people annotated without a draft, from which those are the headline."""
SHRINK = 20.0
"""A reviewer's agreement is drawn toward everybody's by as many imagined decisions as this."""


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
        with_model: Share of them kept, shrunken toward everybody's.
        compared: Decisions on suggestions that a peer decided on too, counted once for each peer.
        with_peers: Share of those in which both kept or both overrode, shrunken toward everybody's.
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
        headline: The coefficient that a draft cannot raise: `blind` from FEWEST_BLIND tasks on, else `decision`.
        basis: What the headline is: "blind" or "decision".
        blind_tasks: Tasks that two or more people annotated without a draft.
        blind: Krippendorff's alpha of presence over all criteria, among annotations made without a draft.
        overall: Krippendorff's alpha of presence over all criteria together. Regions that came from the same draft are
            alike for that reason, so it says more about the drafts than about people.
        verdict: Krippendorff's alpha (nominal) of the verdict.
        decision: Krippendorff's alpha of keeping or overriding the same suggestion.
        box_f1: F1 of boxes of the same criterion at IoU 0.5.
        criteria: In the order of the log.
        reviewers: By name.
    """

    tasks: int
    headline: Coefficient
    basis: str
    blind_tasks: int
    blind: Coefficient
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
    return agreement_of(
        count_agreement(table, gold=gold),
        criteria=table.criteria,
        reviewers=table.reviewers,
        lead_s=median_lead_times(lead_times_of(table), people=len(table.reviewers)),
    )


def agreement_of(
    agreement_counts: AgreementCounts, *, criteria: Sequence[str], reviewers: Sequence[str], lead_s: Sequence[float]
) -> Agreement:
    """Measure agreement from what was counted.

    Args:
        agreement_counts: The counts.
        criteria: Ids, in the order of their numbers.
        reviewers: Names, in the order of their numbers.
        lead_s: Typical seconds for an annotation of each reviewer.
    """
    made, chances = (
        np.bincount(agreement_counts.boxes.keys[:, 0], weights=column, minlength=max(1, len(criteria)))
        for column in agreement_counts.boxes.sums.T
    )
    boxes = box_agreement(made, chances)
    presence = [
        _presence(agreement_counts.presence, agreement_counts.sharing, criterion=c) for c in range(len(criteria))
    ]
    blind = _all_together(
        [
            _presence(agreement_counts.blind_presence, agreement_counts.blind_sharing, criterion=c)
            for c in range(len(criteria))
        ]
    )
    decision = _interval(agreement_counts.decisions)
    blind_tasks = int(agreement_counts.blind_sharing.sums.sum())
    by_blind = blind_tasks >= FEWEST_BLIND and np.isfinite(blind.value)
    return Agreement(
        tasks=int(agreement_counts.sharing.sums.sum()),
        headline=blind if by_blind else decision,
        basis="blind" if by_blind else "decision",
        blind_tasks=blind_tasks,
        blind=blind,
        overall=_all_together(presence),
        verdict=_interval(agreement_counts.verdicts),
        decision=decision,
        box_f1=boxes.overall,
        criteria=tuple(
            CriterionAgreement(
                criterion=name,
                presence=_interval(presence[c]),
                cohen=_cohen(agreement_counts, c),
                fleiss=_fleiss(presence[c]),
                severity=_interval(
                    agreement_counts.severities.where(agreement_counts.severities.keys[:, 0] == c),
                    keys=1,
                    metric="ordinal",
                ),
                box_f1=boxes.by_criterion[c],
            )
            for c, name in enumerate(criteria)
        ),
        reviewers=_reviewers(agreement_counts.people, reviewers, lead_s),
    )


def _interval(counted: Cells, *, keys: int = 0, metric: Metric = "nominal") -> Coefficient:
    """Krippendorff's alpha of units by pattern; the first keys are no levels and are left aside."""
    patterns = cells(list(counted.keys[:, keys:].T), list(counted.sums.T))
    return interval_of_patterns(patterns.keys, patterns.sums[:, 0].astype(np.int64), metric=metric)


def _all_together(presence: Sequence[Cells]) -> Coefficient:
    """Alpha of presence over all criteria."""
    return _interval(added(presence) if presence else Cells(np.zeros((0, 2), dtype=np.int64), np.zeros((0, 1))))


def _presence(presence: Cells, sharing: Cells, *, criterion: int) -> Cells:
    """Shared tasks by how many annotations do not show a criterion and how many do, those included where none does."""
    shown = presence.where(presence.keys[:, 0] == criterion)
    shown = Cells(shown.keys[:, 1:], shown.sums)
    absent = np.stack([sharing.keys[:, 0], np.zeros(len(sharing.keys), dtype=np.int64)], axis=1)
    taken = np.stack([shown.keys.sum(axis=1), np.zeros(len(shown.keys), dtype=np.int64)], axis=1)
    all_tasks = added([shown, Cells(absent, sharing.sums), Cells(taken, -shown.sums)])
    return all_tasks.where(all_tasks.sums[:, 0] > 0)


def _fleiss(presence: Cells) -> Coefficient | None:
    kappa = fleiss(presence.keys, presence.sums[:, 0])
    return kappa if np.isfinite(kappa.value) else None


def _cohen(agreement_counts: AgreementCounts, c: int) -> Coefficient | None:
    """Cohen's kappa where all shared tasks are shared by the same two people."""
    if (
        len(agreement_counts.sharers.keys) != 2
        or agreement_counts.sharers.sums.sum() != 2 * agreement_counts.sharing.sums.sum()
    ):
        return None
    mine = agreement_counts.pairs.where(agreement_counts.pairs.keys[:, 2] == c)
    one, other, _, first, second = mine.keys.T
    turned = one > other
    table = np.zeros((2, 2))
    np.add.at(table, (np.where(turned, second, first), np.where(turned, first, second)), mine.sums[:, 0])
    table[0, 0] = agreement_counts.sharing.sums.sum() - table.sum()  # neither of the two shows it
    return cohen(table)


def _reviewers(people: Cells, names: Sequence[str], lead_s: Sequence[float]) -> tuple[ReviewerAgreement, ...]:
    decisions, kept, compared, agreed, golden, like_gold = people.sums.T
    model, peers, standard = _drawn(kept, decisions), _drawn(agreed, compared), _drawn(like_gold, golden)
    found = []
    for r in sorted(range(len(names)), key=names.__getitem__):
        low, high = wilson(float(agreed[r]), float(compared[r]))
        found.append(
            ReviewerAgreement(
                reviewer=names[r],
                decisions=int(decisions[r]),
                with_model=float(model[r]),
                compared=int(compared[r]),
                with_peers=float(peers[r]),
                peers_low=low,
                peers_high=high,
                gold=int(golden[r]),
                with_gold=float(standard[r]),
                median_lead_time_s=lead_s[r],
            )
        )
    return tuple(found)


def _drawn(yes: Floats, of: Floats) -> Floats:
    """Shares drawn toward everybody's share; NaN for who has none while nobody has any."""
    total = float(np.sum(of))
    if not total:
        return np.full(len(of), np.nan)
    return np.asarray((yes + SHRINK * float(np.sum(yes)) / total) / (of + SHRINK))
