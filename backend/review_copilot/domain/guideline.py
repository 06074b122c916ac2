"""A written guideline as data. Knows no file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

UNCOVERED = "uncovered"
"""The criterion id of a flaw that no criterion of the guideline claims ("Novel pattern")."""


class Severity(StrEnum):
    """How bad a flaw is, in rising order."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for minor, 1 for major, 2 for critical."""
        return list(Severity).index(self)


class Verdict(StrEnum):
    """What becomes of the image."""

    PASS = "pass"
    FAIL = "fail"
    DISCUSS = "discuss"


@dataclass(frozen=True, slots=True)
class SeverityAnchor:
    """What one severity means for one criterion.

    Attributes:
        words: The anchor that a reviewer reads.
        at_least: Strength from which the severity applies, in the criterion's `unit`; None where no number fits.
    """

    words: str
    at_least: float | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that the guideline asks reviewers to look for.

    Attributes:
        id: Stable for ever, such as "PQ-03".
        label: The rectangle label that reviewers see; unique in the guideline.
        definition: One or two sentences.
        flag_when: Situations that count.
        do_not_flag_when: Situations that look alike and do not count.
        severity: One anchor for each severity.
        unit: Unit of the anchors' numbers; empty where they have none.
        rationale: How a rationale for this criterion should be worded.
        measures: Names of the built-in measurements that speak for it; empty for "models only".
        hotkey: Key that picks the label in the editor; empty to let one be dealt.
        detail: Whether the flaw is so small that a model must be shown parts of the image at full size.
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

    def severity_of(self, strength: float) -> Severity | None:
        """The severity that a strength reaches by the anchors' numbers; None below minor or without numbers."""
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
        words: The rule as reviewers read it.
        fail: Number of findings of a severity (or of UNCOVERED) that fail the image, such as {"critical": 1}.
        discuss: The same for "discuss", looked at after `fail`.

    Findings count upwards: a critical finding also counts as a major and a minor one.
    """

    words: str
    fail: Mapping[str, int]
    discuss: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RationaleStyle:
    """How rationales are written.

    Attributes:
        max_words: Most words of one rationale.
        words: The style as reviewers read it; it asks for the place and the evidence.
    """

    max_words: int
    words: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """A guideline and its revision.

    Attributes:
        id: Name of its file, such as "photo-quality".
        title: What people call it.
        version: The author's own version, such as "1.0".
        purpose: What images it is for and what the review decides.
        criteria: In the order in which people read them.
        novel: The outcome for what no criterion claims.
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
        """The criterion id of a rectangle label, without regard to case and outer space; None when unknown."""
        wanted = label.strip().casefold()
        if wanted == self.novel.label.casefold():
            return UNCOVERED
        return next((c.id for c in self.criteria if c.label.casefold() == wanted or c.id.casefold() == wanted), None)
