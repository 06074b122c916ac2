"""The tasks behind a flag, the most telling first, and three typical cases. Knows rows, no statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from review_copilot.domain.override import OverrideKind, Reason
from review_copilot.study.flags import Case, Cause, Flag
from review_copilot.study.joining import joined
from review_copilot.study.reviewer_differences import OVERRIDES
from review_copilot.study.table import (
    ASPECTS,
    KINDS,
    REASONS,
    Flags,
    Floats,
    Ints,
    Outcome,
    OverrideTable,
    Touch,
    reason_bit,
)

MOST_TASKS = 200
"""Tasks named by a flag; the most telling ones where there are more."""
MOST_CASES = 3
MOST_WORDS = 3
_MOST_NOTES = 1000
"""Different notes that are counted for a flag; the least frequent are dropped where a log has more."""
_OF_PEOPLE = frozenset({Cause.REVIEWER, Cause.BULK_HOURS, Cause.FATIGUE})
_TOUCHES = {
    Cause.SEVERITY_VAGUE: Touch.SEVERITY,
    Cause.PLACE_VAGUE: Touch.PLACE,
    Cause.WORDING_DISLIKED: Touch.TEXT,
}


@dataclass(frozen=True)
class _Candidate:
    """A row that may be a typical case; they sort as `_Rows` do."""

    untelling: float
    row: int
    task: int
    reviewer: str
    case: Case = field(compare=False)

    @property
    def order(self) -> tuple[float, int]:
        """The least one comes first."""
        return self.untelling, self.row


@dataclass
class _Gathered:
    """What is known of one flag after some tables: enough to go on, however many rows there are."""

    tasks: dict[int, tuple[float, int]] = field(default_factory=dict)
    candidates: dict[str, list[_Candidate]] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)


def gather(flags: Sequence[Flag], tables: Iterable[OverrideTable]) -> tuple[tuple[Flag, ...], OverrideTable]:
    """The flags with their tasks and typical cases, and all rows that no criterion claims.

    Args:
        flags: What to look for.
        tables: The rows of the period that the flags were raised from, in parts that have whole tasks.
    """
    gathered = [_Gathered() for _ in flags]
    uncovered: list[OverrideTable] = []
    for table in tables:
        for flag, found in zip(flags, gathered, strict=True):
            _take(flag, table, found)
        if table.uncovered.any():
            uncovered.append(table.where(table.uncovered))
    done = tuple(_attached(flag, found) for flag, found in zip(flags, gathered, strict=True))
    return done, joined(uncovered)


def _take(flag: Flag, table: OverrideTable, found: _Gathered) -> None:
    rows, telling = _concerned(flag, table)
    written, often = np.unique(table.note[rows][table.note[rows] >= 0], return_counts=True)
    found.notes.update({table.notes[i]: n for i, n in zip(written.tolist(), often.tolist(), strict=True)})
    found.notes = Counter(dict(found.notes.most_common(_MOST_NOTES)))
    order = np.lexsort((table.row[rows], -telling))
    rows, telling = rows[order], telling[order]
    _, first = np.unique(table.task[rows], return_index=True)
    for i in np.sort(first)[:MOST_TASKS].tolist():
        found.tasks[int(table.task[rows[i]])] = (-float(telling[i]), int(table.row[rows[i]]))
    best = sorted(found.tasks.items(), key=lambda task: task[1])[:MOST_TASKS]
    found.tasks = dict(best)
    for reviewer in np.unique(table.reviewer[rows]).tolist():
        mine = np.flatnonzero(table.reviewer[rows] == reviewer)
        _, first = np.unique(table.task[rows[mine]], return_index=True)
        name = table.reviewers[reviewer]
        known = found.candidates.get(name, [])
        # A person's three best rows of different tasks are enough: no more cases are chosen than that.
        for i in mine[np.sort(first)[:MOST_CASES]].tolist():
            place = (-float(telling[i]), int(table.row[rows[i]]))
            if len(known) < MOST_CASES or place < known[-1].order:
                row = int(rows[i])
                known.append(_Candidate(*place, int(table.task[row]), name, _case(table, row)))
                known = sorted(known, key=lambda candidate: candidate.order)[:MOST_CASES]
        found.candidates[name] = known


def _attached(flag: Flag, found: _Gathered) -> Flag:
    candidates = sorted((c for of_one in found.candidates.values() for c in of_one), key=lambda c: c.order)
    words = sorted(found.notes.items(), key=lambda note: (-note[1], note[0]))[:MOST_WORDS]
    return replace(flag, tasks=tuple(found.tasks), cases=_typical(candidates), words=tuple(note for note, _ in words))


def _concerned(flag: Flag, table: OverrideTable) -> tuple[Ints, Floats]:
    """Rows that the flag rests on, and how telling each is."""
    wanted = [i for i, name in enumerate(table.criteria) if name in flag.criteria]
    mine = table.reviewed & np.isin(table.suggested, wanted)
    if flag.cause in _OF_PEOPLE:
        return _of_reviewer(flag, table)
    if flag.cause in _TOUCHES:
        rows = np.flatnonzero(mine & ((table.touches & int(_TOUCHES[flag.cause])) > 0) & ~table.overridden)
        return rows, _how_much(flag.cause, table, rows)
    if flag.cause in {Cause.UNCOVERED, Cause.MISSED}:
        added = table.regions & (table.kind == KINDS.index(OverrideKind.ADDED)) & np.isin(table.submitted, wanted)
        rows = np.flatnonzero(added if flag.cause is Cause.MISSED else table.uncovered)
        return rows, (table.note[rows] >= 0).astype(np.float64)
    if flag.cause is Cause.CONFUSED:
        rows = np.flatnonzero(mine & table.overridden & (table.submitted >= 0) & np.isin(table.submitted, wanted))
        rows = rows[table.outcomes()[rows] == Outcome.RELABELLED]
        return rows, _score(table, rows)
    rows = np.flatnonzero(mine & table.overridden & _side(flag, table))
    if flag.cause in {Cause.AMBIGUOUS, Cause.MODEL_WRONG}:
        return rows, _dispute(table, rows, mine, wanted_split=flag.cause is Cause.AMBIGUOUS)
    return rows, _score(table, rows)


def _side(flag: Flag, table: OverrideTable) -> Flags:
    """Rows of the time when more was overridden; all where nothing changed."""
    if not flag.evidence.changed_on:
        return np.ones(len(table), dtype=np.bool_)
    changed = float(np.datetime64(flag.evidence.changed_on, "s").astype(np.int64))
    rose = (flag.evidence.rate_after or 0) >= (flag.evidence.rate_before or 0)
    return np.asarray(table.time_s >= changed if rose else table.time_s < changed)


def _how_much(cause: Cause, table: OverrideTable, rows: Ints) -> Floats:
    if cause is Cause.SEVERITY_VAGUE:
        return np.asarray(np.abs(table.severity_to[rows] - table.severity_from[rows]) + _score(table, rows))
    kept = table.iou[rows] if cause is Cause.PLACE_VAGUE else table.text_kept[rows]
    return np.asarray(1.0 - np.nan_to_num(kept, nan=1.0), dtype=np.float64)


def _of_reviewer(flag: Flag, table: OverrideTable) -> tuple[Ints, Floats]:
    """What the person did that others who saw the same suggestion did not."""
    name = flag.evidence.reviewer
    who = table.reviewers.index(name) if name in table.reviewers else len(table.reviewers)
    reviewed, kept = table.reviewed, ~table.overridden
    accepts = flag.evidence.behaviour != OVERRIDES
    rows = np.flatnonzero(reviewed & (table.reviewer == who) & (kept if accepts else ~kept) & _hours(flag, table))
    others = np.flatnonzero(reviewed & (table.reviewer != who) & (~kept if accepts else kept))
    size = int(table.suggestion.max(initial=0)) + 1
    against = np.bincount(table.suggestion[others], minlength=size)[table.suggestion[rows]]
    quick = 1.0 / (1.0 + np.nan_to_num(table.lead_time_s[rows], nan=1e6))
    return rows, against + (quick if accepts else _score(table, rows))


def _hours(flag: Flag, table: OverrideTable) -> Flags:
    """Rows of the hours that a flag names; all where it names none."""
    if flag.evidence.hours is None:
        return np.ones(len(table), dtype=np.bool_)
    start, end = flag.evidence.hours
    return np.asarray((table.time_s // 3600 - start) % 24 < (end - start) % 24)


def _dispute(table: OverrideTable, rows: Ints, mine: Flags, *, wanted_split: bool) -> Floats:
    """High where several people saw the suggestion and differed (or agreed, as wanted), or called it unclear."""
    size = int(table.suggestion.max(initial=0)) + 1
    all_rows = np.flatnonzero(mine)
    seen = np.bincount(table.suggestion[all_rows], minlength=size)[table.suggestion[rows]]
    overrode = np.bincount(table.suggestion[all_rows], weights=table.overridden[all_rows], minlength=size)
    share = overrode[table.suggestion[rows]] / np.maximum(seen, 1)
    together = np.where(seen >= 2, 1 - np.abs(2 * share - 1) if wanted_split else share == 1, 0.0)
    unclear = (table.reasons[rows] & reason_bit(Reason.GUIDELINE_UNCLEAR)) > 0
    return np.asarray(2 * together * seen + (unclear if wanted_split else 0) + _score(table, rows))


def _score(table: OverrideTable, rows: Ints) -> Floats:
    return np.nan_to_num(table.score[rows], nan=0.0).astype(np.float64)


def _typical(candidates: Sequence[_Candidate]) -> tuple[Case, ...]:
    """The most telling rows, from different tasks, and from different reviewers while there are any."""
    chosen: list[_Candidate] = []
    for fresh_reviewer in (True, False):
        for candidate in candidates:
            if len(chosen) == MOST_CASES:
                break
            tasks, people = {c.task for c in chosen}, {c.reviewer for c in chosen}
            if candidate.task in tasks or (fresh_reviewer and candidate.reviewer in people):
                continue
            chosen.append(candidate)
    return tuple(candidate.case for candidate in chosen)


def _case(table: OverrideTable, row: int) -> Case:
    return Case(int(table.task[row]), int(table.annotation[row]), int(table.row[row]), _story(table, row))


def _story(table: OverrideTable, row: int) -> str:
    """What happened in one row, as a sentence."""
    kind = str(KINDS[int(table.kind[row])])
    start, end = _criterion(table, int(table.suggested[row])), _criterion(table, int(table.submitted[row]))
    edits = [str(a) for i, a in enumerate(ASPECTS) if int(table.edits[row]) >> i & 1]
    if kind == "added":
        told = f"Added {end or 'a region without a criterion'}"
    elif start and end and start != end:
        told = f"Relabelled {start} as {end}"
    elif edits:
        told = f"Edited {' and '.join(edits)} of {start}"
    else:
        told = f"{kind.capitalize()} {start}".strip()
    said = [r.replace("_", " ") for i, r in enumerate(REASONS) if int(table.reasons[row]) >> i & 1]
    note = table.notes[int(table.note[row])] if table.note[row] >= 0 else ""
    because = f", saying {' and '.join(said)}" if said else ""
    return f"{told}{because}" + (f": “{note}”." if note else ".")


def _criterion(table: OverrideTable, index: int) -> str:
    return table.criteria[index] if index >= 0 else ""
