"""Count what agreement is measured from, so that it adds up over parts of a log. Knows rows, and no coefficient."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from review_copilot.domain.guideline import Severity
from review_copilot.domain.override import Subject
from review_copilot.study.box_agreement import pair_boxes
from review_copilot.study.coefficients import unit_counts
from review_copilot.study.grouped_sums import EACH, PLAIN, Cells, cells, keyed
from review_copilot.study.people import one_annotation_each
from review_copilot.study.table import SUBJECTS, Flags, Ints, OverrideTable


@dataclass(frozen=True)
class AgreementCounts:
    """What agreement is measured from; adds up over parts of a log that have whole tasks.

    Of several annotations of a task by one person, only the newest counts: people are compared, not annotations.

    Attributes:
        presence: Shared tasks in which somebody shows a criterion, by criterion, annotations without it and with it.
        blind_presence: The same among annotations whose authors saw no draft.
        blind_sharing: Tasks that two or more people annotated without a draft, by how many did.
        pairs: Shared tasks of two annotations, where no more than two people share tasks: by the two people, the
            criterion, and whether each annotation shows it; left out where none does.
        sharers: Annotations of shared tasks, by reviewer.
        sharing: Shared tasks, by how many annotations they have.
        verdicts: Tasks, by how many annotations gave each verdict.
        decisions: Suggestions, by how often they were kept and overridden.
        severities: Suggestions, by criterion and how many people gave each severity.
        boxes: Pairs made and chances to make one, by criterion.
        people: By reviewer: decisions, kept, compared with peers, alike, compared with gold, alike.
    """

    presence: Cells = field(metadata=keyed("criteria", PLAIN, PLAIN))
    blind_presence: Cells = field(metadata=keyed("criteria", PLAIN, PLAIN))
    blind_sharing: Cells = field(metadata=keyed(PLAIN))
    pairs: Cells = field(metadata=keyed("reviewers", "reviewers", "criteria", PLAIN, PLAIN))
    sharers: Cells = field(metadata=keyed("reviewers"))
    sharing: Cells = field(metadata=keyed(PLAIN))
    verdicts: Cells = field(metadata=keyed(EACH + "values"))
    decisions: Cells = field(metadata=keyed(PLAIN, PLAIN))
    severities: Cells = field(metadata=keyed("criteria", *(PLAIN for _ in Severity)))
    boxes: Cells = field(metadata=keyed("criteria"))
    people: Cells = field(metadata=keyed("reviewers"))


def count_agreement(table: OverrideTable, *, gold: frozenset[int] = frozenset()) -> AgreementCounts:
    """Count what agreement is measured from.

    Args:
        table: The log, or a part of it that has whole tasks.
        gold: Ids of annotations that are the standard.
    """
    table = one_annotation_each(table, also=gold)
    presence = _Presence.of(table)
    blind = _Presence.of(table.where(table.blind))
    verdicts = (table.subject == SUBJECTS.index(Subject.VERDICT)) & (table.value_to >= 0)
    reviewed = table.reviewed
    overrode = table.overridden.astype(np.int64)
    rated = reviewed & (table.severity_to >= 0) & (table.submitted >= 0)
    wide = max(1, len(table.criteria))
    about = table.suggestion[rated].astype(np.int64) * wide + table.suggested[rated]
    distinct, unit = np.unique(about, return_inverse=True)
    severities = unit_counts(unit, table.severity_to[rated], levels=len(Severity))
    return AgreementCounts(
        presence=presence.patterns(),
        blind_presence=blind.patterns(),
        blind_sharing=blind.sharing(),
        pairs=presence.pairs(),
        sharers=cells((presence.reviewer,)),
        sharing=presence.sharing(),
        verdicts=cells(
            list(unit_counts(table.task[verdicts], table.value_to[verdicts], levels=max(1, len(table.values))).T)
        ),
        decisions=cells(list(unit_counts(table.suggestion[reviewed], overrode[reviewed], levels=2).T)),
        severities=cells((distinct % wide, *severities.T)),
        boxes=_count_boxes(table, presence),
        people=_count_people(table, reviewed, overrode, gold),
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

    def sharing(self) -> Cells:
        """See `AgreementCounts.sharing`."""
        return cells((np.bincount(self.units(), minlength=len(self.shared_tasks)),))

    def patterns(self) -> Cells:
        """See `AgreementCounts.presence`."""
        units, size = self.units(), len(self.shared_tasks)
        showing = _units_sum(units, self.shown, size)
        task, criterion = np.nonzero(showing)
        present = showing[task, criterion]
        return cells((criterion, np.bincount(units, minlength=size)[task] - present, present))

    def pairs(self) -> Cells:
        """See `AgreementCounts.pairs`."""
        units, wide = self.units(), self.shown.shape[1]
        two = np.bincount(units, minlength=len(self.shared_tasks))[units] == 2
        if len(np.unique(self.reviewer)) > 2:
            two[:] = False
        rows = np.flatnonzero(two)
        order = rows[np.lexsort((self.reviewer[rows], units[rows]))].reshape(-1, 2)
        shown = self.shown[order].astype(np.int64)  # shape (tasks, 2, criteria)
        one, other = (np.repeat(self.reviewer[order[:, i]], wide) for i in (0, 1))
        criterion = np.tile(np.arange(wide), len(order))
        first, second = shown[:, 0].ravel(), shown[:, 1].ravel()
        keys = (one, other, criterion, first, second)
        return cells([key[first + second > 0] for key in keys])


def _units_sum(unit: Ints, shown: Flags, units: int) -> Ints:
    """How many annotations of each unit show each criterion, shape (units, criteria)."""
    wide = shown.shape[1]
    row, criterion = np.nonzero(shown)
    return np.bincount(unit[row] * wide + criterion, minlength=units * wide).reshape(units, wide)


def _count_boxes(table: OverrideTable, presence: _Presence) -> Cells:
    shared = np.isin(table.task, presence.shared_tasks)
    rows = table.regions & (table.submitted >= 0) & ~np.isnan(table.box[:, 0]) & shared
    people = np.bincount(presence.units(), minlength=1)
    criteria = max(1, len(table.criteria))
    made, chances = pair_boxes(
        table.task[rows],
        table.annotation[rows],
        table.submitted[rows].astype(np.int64),
        table.box[rows],
        seen_by=people[np.searchsorted(presence.shared_tasks, table.task[rows])],
        criteria=criteria,
    )
    return cells((np.arange(criteria),), (made, chances))


def _count_people(table: OverrideTable, reviewed: Flags, overrode: Ints, gold: frozenset[int]) -> Cells:
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
    return cells((np.arange(people),), (decisions, kept, compared, agreed, golden, like_gold))


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
