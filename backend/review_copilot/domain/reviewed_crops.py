"""Features of a project's regions that reviewers decided on. Knows no pixels and no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

CropFeatures: TypeAlias = tuple[float, ...]
"""Features of one crop, as measured by `suggest.crop_features`; empty if it was not measured."""


@dataclass(frozen=True, slots=True)
class CriterionCrops:
    """Suggestions of one criterion that reviewers have decided on.

    Attributes:
        criterion_id: The criterion.
        features: Features of the newest ones.
        kept: For each, whether reviewers kept it.
    """

    criterion_id: str
    features: tuple[CropFeatures, ...]
    kept: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class PatternCrops:
    """One novel pattern.

    Attributes:
        name: Its most characteristic words; empty if there are no notes.
        words: Words that occur neither in the guideline nor in its rationales.
        size: Regions and notes in it.
        tasks: Some task ids, the most typical first.
        features: Features of its measured crops, or an even sample.
    """

    name: str
    words: tuple[str, ...]
    size: int
    tasks: tuple[int, ...]
    features: tuple[CropFeatures, ...]


@dataclass(frozen=True, slots=True)
class ReviewedCrops:
    """Known features of a project's reviewed regions at a given time.

    Attributes:
        made_at: Time of the update, UTC.
        newest_row: The newest row of the log that is included.
        reviewed: By criterion.
        patterns: The largest and fastest growing first.
        crops: Row id of the log to the features of its region, for measured regions that no criterion covers.
    """

    made_at: datetime
    newest_row: int = 0
    reviewed: tuple[CriterionCrops, ...] = ()
    patterns: tuple[PatternCrops, ...] = ()
    crops: Mapping[int, CropFeatures] = field(default_factory=dict)
