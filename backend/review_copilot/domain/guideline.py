"""A written guideline as data. Knows no file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

UNCOVERED = "uncovered"
"""The criterion id of a defect that no criterion of the guideline covers ("Novel pattern")."""


class Severity(StrEnum):
    """Severity of a defect, in ascending order."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for minor, 1 for major, 2 for critical."""
        return list(Severity).index(self)


class Verdict(StrEnum):
    """Result of the review of an image."""

    PASS = "pass"
    FAIL = "fail"
    DISCUSS = "discuss"


@dataclass(frozen=True, slots=True)
class SeverityAnchor:
    """Meaning of one severity for one criterion.

    Attributes:
        words: The description that reviewers read.
        at_least: Minimum strength for the severity, in the criterion's `unit`; None if it has no number.
    """

    words: str
    at_least: float | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that the guideline asks reviewers to look for.

    Attributes:
        id: Permanent id, such as "PQ-03".
        label: The rectangle label that reviewers see; unique in the guideline.
        definition: One or two sentences.
        flag_when: Situations to flag.
        do_not_flag_when: Similar situations not to flag.
        severity: One description per severity.
        unit: Unit of the numbers; empty if there are none.
        rationale: Example of a rationale for this criterion.
        measures: Names of the built-in measures for it; empty if only models can detect it.
        hotkey: Key for the label in the editor, with Alt if it has no modifier; empty to assign one automatically.
        detail: Whether a model needs full-size parts of the image to see the defect.
        formerly: Earlier labels, oldest first. Results in Label Studio keep the oldest, so that their history stays
            together.
    """

    id: str
    label: str
    definition: str
    flag_when: tuple[str, ...]
    do_not_flag_when: tuple[str, ...]
    severity: Mapping[Severity, SeverityAnchor]
    unit: str
    rationale: str
    measures: tuple[str, ...]
    hotkey: str = ""
    detail: bool = False
    formerly: tuple[str, ...] = ()

    def severity_of(self, strength: float) -> Severity | None:
        """The severity for a strength, by the levels' numbers; None below minor or without numbers."""
        reached = [s for s in Severity if (least := self.severity[s].at_least) is not None and strength >= least]
        return reached[-1] if reached else None


@dataclass(frozen=True, slots=True)
class NovelPattern:
    """The outcome "not covered by the guideline"."""

    label: str
    definition: str
    hotkey: str = ""


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """How findings become a verdict.

    Attributes:
        words: The rule that reviewers read.
        fail: Number of findings of a severity (or of UNCOVERED) that fail the image, such as {"critical": 1}.
        discuss: The same for "discuss", checked after `fail`.

    A finding also counts for all lower severities: a critical one counts as a major and a minor one.
    """

    words: str
    fail: Mapping[str, int]
    discuss: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RationaleStyle:
    """Rules for rationales.

    Attributes:
        max_words: Maximum number of words in a rationale.
        words: The style that reviewers read; it asks for the place and the evidence.
    """

    max_words: int
    words: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """A guideline and its revision.

    Attributes:
        id: Name of its file, such as "photo-quality".
        title: Its display name.
        version: The author's own version, such as "1.0".
        purpose: The images it applies to, and what the review decides.
        criteria: Criteria in display order.
        novel: The outcome for defects that no criterion covers.
        verdict: How findings become a verdict.
        rationale: How rationales are written.
        revision: Hex hash of the content, independent of key order and white space; 12 digits.
    """

    id: str
    title: str
    version: str
    purpose: str
    criteria: tuple[Criterion, ...]
    novel: NovelPattern
    verdict: VerdictRule
    rationale: RationaleStyle
    revision: str

    def criterion(self, criterion_id: str) -> Criterion | None:
        """The criterion of that id; None for UNCOVERED and for unknown ids."""
        return next((c for c in self.criteria if c.id == criterion_id), None)

    def label_of(self, criterion_id: str) -> str:
        """The rectangle label of a criterion id.

        Raises:
            KeyError: The guideline has no such criterion.
        """
        if criterion_id == UNCOVERED:
            return self.novel.label
        if found := self.criterion(criterion_id):
            return found.label
        raise KeyError(criterion_id)

    def id_of(self, label: str) -> str | None:
        """The criterion id of a rectangle label, ignoring case and surrounding spaces; None if unknown."""
        wanted = label.strip().casefold()
        if wanted == self.novel.label.casefold():
            return UNCOVERED
        return next((c.id for c in self.criteria if c.label.casefold() == wanted or c.id.casefold() == wanted), None)
