"""Submissions whose verdict contradicts their boxes by the guideline's rule. Knows rows and the rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.override import OverrideKind, Subject
from review_copilot.study.table import KINDS, SUBJECTS, Flags, Ints, OverrideTable

MOST_LISTED = 20


@dataclass(frozen=True)
class Contradiction:
    """One submission to look at again.

    Attributes:
        task: Label Studio's task id.
        annotation: Label Studio's annotation id.
        reviewer: Who submitted it.
        submitted: The verdict, pass or fail.
        by_rule: What the rule says of the submitted boxes: the other one.
    """

    task: int
    annotation: int
    reviewer: str
    submitted: Verdict
    by_rule: Verdict


@dataclass(frozen=True)
class LookAgain:
    """Submissions that contradict themselves.

    Attributes:
        count: How many there are.
        of: Submissions with a verdict of pass or fail.
        newest: The newest ones, at most MOST_LISTED, newest first.
    """

    count: int = 0
    of: int = 0
    newest: tuple[Contradiction, ...] = ()


def look_again(tables: Iterable[OverrideTable], guideline: Guideline) -> LookAgain:
    """Submissions with "pass" where the rule says "fail", or the other way round.

    "Discuss" contradicts nothing: it is a question, and reviewers may answer one either way.

    Args:
        tables: Rows, in parts that have whole tasks.
        guideline: Its present rule is applied, whatever revision a submission was made under.
    """
    if not guideline.verdict.fail:
        return LookAgain()  # no rule, no contradiction
    count = of = 0
    newest: list[tuple[float, Contradiction]] = []
    for table in tables:
        mine, judged = _contradictions(table, guideline)
        count, of = count + len(mine), of + judged
        newest = sorted([*newest, *mine], key=lambda found: (-found[0], found[1].annotation))[:MOST_LISTED]
    return LookAgain(count, of, tuple(found for _, found in newest))


def _contradictions(table: OverrideTable, guideline: Guideline) -> tuple[list[tuple[float, Contradiction]], int]:
    """Contradictions with their times, and how many submissions were judged."""
    number = {word: i for i, word in enumerate(table.values)}
    passes, fails = (number.get(str(verdict), -2) for verdict in (Verdict.PASS, Verdict.FAIL))
    rows = np.flatnonzero((table.subject == SUBJECTS.index(Subject.VERDICT)) & np.isin(table.value_to, [passes, fails]))
    annotations, of = np.unique(table.annotation[rows], return_index=True)
    rows = rows[of]
    boxes = table.regions & (table.kind != KINDS.index(OverrideKind.REJECTED)) & np.isin(table.annotation, annotations)
    place = np.searchsorted(annotations, table.annotation[boxes])
    novel = table.criteria.index(UNCOVERED) if UNCOVERED in table.criteria else -2
    counts = {
        str(severity): np.bincount(place[table.severity_to[boxes] >= severity.rank], minlength=len(rows))
        for severity in Severity
    }
    counts[UNCOVERED] = np.bincount(place[table.submitted[boxes] == novel], minlength=len(rows))
    must_fail, may_pass = _reached(counts, guideline.verdict.fail), ~_reached(counts, guideline.verdict.discuss)
    wrong_pass = (table.value_to[rows] == passes) & must_fail
    # A box without a severity may be one that fails the image.
    unknown = np.bincount(place[table.severity_to[boxes] < 0], minlength=len(rows)) > 0
    wrong_fail = (table.value_to[rows] == fails) & ~must_fail & may_pass & ~unknown
    wrong = np.flatnonzero(wrong_pass | wrong_fail)
    return [_told(table, int(rows[i]), passed=bool(wrong_pass[i])) for i in wrong], len(rows)


def _reached(counts: Mapping[str, Ints], rule: Mapping[str, int]) -> Flags:
    """Submissions for which a part of a rule is met."""
    met = [counts[kind] >= least for kind, least in rule.items()]
    return np.asarray(np.logical_or.reduce([np.zeros(len(next(iter(counts.values()))), dtype=np.bool_), *met]))


def _told(table: OverrideTable, row: int, *, passed: bool) -> tuple[float, Contradiction]:
    submitted, by_rule = (Verdict.PASS, Verdict.FAIL) if passed else (Verdict.FAIL, Verdict.PASS)
    found = Contradiction(
        int(table.task[row]), int(table.annotation[row]), table.reviewers[int(table.reviewer[row])], submitted, by_rule
    )
    return float(table.time_s[row]), found
