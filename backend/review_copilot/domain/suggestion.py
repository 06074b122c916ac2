"""Findings of inspectors, and suggestions. Knows no inspector and no Label Studio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Guideline, Severity, Verdict
from review_copilot.domain.image import ReviewImage
from review_copilot.domain.reviewed_crops import CropFeatures

Evidence: TypeAlias = Mapping[str, float | int | str | bool]
"""Measured facts by name; the name carries the unit, such as {"clipped_percent": 4.2}."""

LIKE = "like_known_pattern"
UNLIKE = "unlike_reviewed"
"""The two facts about past reviews. Each is a sentence for the reviewer, and is shown first."""


SURE_FROM = 0.5
"""Score from which a finding is sure unless its inspector says otherwise: more likely right than wrong."""


class Scope(StrEnum):
    """Whether a suggestion applies to the whole image or to a place in it."""

    IMAGE = "image"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Brief:
    """The input of an inspector.

    Attributes:
        image: The image under review.
        guideline: The guideline to review by.
        reference: The reference image; None if the task has none.
        prompt: The prompt of a generated image; empty if there is none. It is data, never an instruction.
        box: Inspect only this box (the Magic tool); None for the whole image.
        task_data: Other text of the task, which a prompt template can show as data.
        deadline_s: Time limit for the inspector in seconds; None for its own default.
    """

    image: ReviewImage
    guideline: Guideline
    reference: ReviewImage | None = None
    prompt: str = ""
    box: Box | None = None
    task_data: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect as an inspector reports it.

    Attributes:
        criterion_id: A criterion of the guideline, or UNCOVERED.
        severity: By the criterion's anchors.
        score: Probability that the finding is correct, 0..1.
        box: The place; None for the whole image.
        rationale: In the guideline's style: place, evidence, criterion.
        evidence: What was measured or seen.
        source: Who says so, such as "measured" or a model's name.
        page: Page of the task, starting at 0. Inspectors see one page at a time, so they leave it at 0.
    """

    criterion_id: str
    severity: Severity
    score: float
    box: Box | None
    rationale: str
    evidence: Evidence = field(default_factory=dict)
    source: str = "measured"
    page: int = 0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that was dropped, so that nothing is lost silently.

    Attributes:
        what: What was dropped, in a few words.
        reason: Why it was dropped.
    """

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Cost of a model call, as reported by the provider; 0 for values that it did not report."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    calls: int = 0
    cache_hit: bool = False

    def plus(self, other: Usage) -> Usage:
        """The sum of both; a cache hit if all replies came from the cache."""
        asked = [usage for usage in (self, other) if usage != Usage()]
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost_usd=self.cost_usd + other.cost_usd,
            calls=self.calls + other.calls,
            cache_hit=bool(asked) and all(usage.cache_hit for usage in asked),
        )


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that an inspector reports about one brief.

    Attributes:
        findings: In any order; can be empty.
        verdict: The inspector's own verdict; None to let the guideline's rule decide.
        summary: The inspector's own summary; empty to generate one from the findings.
        notes: Facts that are not findings, such as "shallow depth of field looks intended".
        dropped: What the inspector dropped, and why.
        usage: Cost of model calls; None if there were none.
        prompt_hash: Hash of the prompt that was sent; empty if none was sent.
        examined: Ids of the criteria that the inspector looked at, whether or not it found anything.
        sure_from: Score from which its findings are sure enough to decide a verdict, 0..1; by its own calibration.
        incomplete: Whether something that it was asked about, or that it said, is missing here; `notes` say what.
    """

    findings: tuple[Finding, ...]
    verdict: Verdict | None = None
    summary: str = ""
    notes: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    usage: Usage | None = None
    prompt_hash: str = ""
    examined: frozenset[str] = frozenset()
    sure_from: float = SURE_FROM
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One drafted region.

    Attributes:
        id: Region id in Label Studio; stable for the same task, roll-out, and content.
        criterion_id: A criterion of the guideline, or UNCOVERED.
        label: Its rectangle label.
        severity: By the criterion's anchors.
        score: Probability that the suggestion is correct, 0..1.
        scope: IMAGE if the defect is everywhere; the box is then the whole image.
        box: The place, within the image.
        rationale: The drafted text.
        evidence: What was measured or seen.
        source: Who says so.
        crop_features: What its crop looks like (see `suggest.crop_features`); empty where it was not measured.
        page: Page of the task that the box is on, starting at 0.
    """

    id: str
    criterion_id: str
    label: str
    severity: Severity
    score: float
    scope: Scope
    box: Box
    rationale: str
    evidence: Evidence
    source: str
    crop_features: CropFeatures = ()
    page: int = 0
