"""What the regions of a project that reviewers have dealt with look like. Knows no pixels and no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

CropFeatures: TypeAlias = tuple[float, ...]
"""What one crop looks like, as `suggest.crop_features` measures it; empty where it was not measured."""


@dataclass(frozen=True, slots=True)
class CriterionCrops:
    """Suggestions of one criterion that reviewers have decided on.

    Attributes:
        criterion_id: Which criterion.
        features: A sample of them, the newest.
        kept: For each, whether the reviewers kept it.
    """

    criterion_id: str
    features: tuple[CropFeatures, ...]
    kept: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class PatternCrops:
    """One novel pattern.

    Attributes:
        name: Its most telling words; empty where nobody wrote any.
        words: Words that tell it from all that the guideline and its rationales say.
        size: Regions and notes in it.
        tasks: Label Studio task ids, the typical ones first; a few.
        features: Those of its crops that were seen, or an even sample.
    """

    name: str
    words: tuple[str, ...]
    size: int
    tasks: tuple[int, ...]
    features: tuple[CropFeatures, ...]


@dataclass(frozen=True, slots=True)
class ReviewedCrops:
    """What is known of a project's reviewed regions at a time.

    Attributes:
        made_at: When, UTC.
        newest_row: The newest row of the log that it knows of.
        reviewed: By criterion.
        patterns: The biggest and fastest growing first.
        crops: Row id of the log to the look of its region, for regions that no criterion claims and that were seen.
    """

    made_at: datetime
    newest_row: int = 0
    reviewed: tuple[CriterionCrops, ...] = ()
    patterns: tuple[PatternCrops, ...] = ()
    crops: Mapping[int, CropFeatures] = field(default_factory=dict)
