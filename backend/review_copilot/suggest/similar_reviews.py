"""Find out if a new suggestion is near a known novel pattern, or far from everything reviewed under its criterion.

Knows suggestions and reviewed crops, but no pixels and no store. With little data, it reports nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from review_copilot.domain.note_words import WORD
from review_copilot.domain.reviewed_crops import CropFeatures, PatternCrops, ReviewedCrops
from review_copilot.domain.suggestion import LIKE, UNLIKE, Suggestion
from review_copilot.suggest.crop_features import Floats

NEIGHBOURS = 3
"""The distance of a crop from others is the average distance from the nearest three of them."""
LEAST_FAR = 50
"""Minimum number of reviewed suggestions of a criterion to report that one is far from them."""
FAR = 0.02
"""A suggestion is far if at most this share of the reviewed ones, including itself, is as far from the others. If it
were one of them, it would be reported at most this often (conformal anomaly detection: Laxhammar and Falkman 2015)."""
FARTHER = 1.25
"""It must also be this much farther than the one at that share, so that the edge of a cluster is not reported."""
LEAST_NEAR = 5
LEAST_ORDINARY = 20
"""Minimum number of crops of a pattern, and of kept suggestions, to report that one is near a pattern."""
WITHIN = 0.9
NEARBY = 1.5
"""A suggestion is near a pattern if it is at most this much farther from its crops than that share of them is."""
CLOSER = 0.5
"""It must also be this much nearer to the pattern than to suggestions that reviewers kept."""
LEAST_SPREAD = 0.05
"""Added to the normal variation of each feature, so that a feature that never varied does not dominate the others."""
TOLD_BY = 2
"""Number of a pattern's words that a rationale must contain to match it; all if the pattern has fewer."""
MOST_NAMED = 3


@dataclass(frozen=True)
class _Crowd:
    """Crops as points, and how far each is from the others.

    Attributes:
        points: Shape (crops, FEATURE_COUNT).
        apart: Distance of each to its nearest neighbors.
        inner: Maximum distance of the share WITHIN of them.
        edge: Maximum distance of all but the share FAR of them.
    """

    points: Floats
    apart: Floats
    inner: float = 0.0
    edge: float = 0.0

    def __len__(self) -> int:
        return len(self.points)

    def far(self, point: Floats) -> float:
        """Distance of a point from the crops."""
        return float(_nearest(np.linalg.norm(self.points - point, axis=1)))


@dataclass(frozen=True)
class _Reviewed:
    """The reviewed suggestions of one criterion."""

    everything: _Crowd
    kept: _Crowd


@dataclass(frozen=True)
class Familiar:
    """Reviewed crops, prepared for comparison.

    Attributes:
        middle: Mean of all reviewed features.
        spread: Their standard deviation.
        reviewed: By criterion.
        kept: Suggestions that reviewers kept, under any criterion.
        patterns: Each with its crops.
    """

    middle: Floats
    spread: Floats
    reviewed: Mapping[str, _Reviewed]
    kept: _Crowd
    patterns: Sequence[tuple[PatternCrops, _Crowd]]

    def facts(self, suggestion: Suggestion) -> dict[str, str]:
        """Sentences for the evidence of a suggestion, by `LIKE` and `UNLIKE`; empty if there are none."""
        point = self._point(suggestion.crop_features)
        found: dict[str, str] = {}
        if pattern := self._spoken_of(suggestion.rationale) or self._near(suggestion.criterion_id, point):
            found[LIKE] = _like(pattern)
        reviewed = self.reviewed.get(suggestion.criterion_id)
        if point is not None and reviewed is not None and _is_far(point, reviewed.everything):
            found[UNLIKE] = (
                f"Unlike the {len(reviewed.everything)} suggestions last reviewed under {suggestion.label}: look twice."
            )
        return found

    def _point(self, crop: CropFeatures) -> Floats | None:
        if len(crop) != len(self.middle):
            return None
        return np.asarray((np.asarray(crop) - self.middle) / self.spread)

    def _spoken_of(self, rationale: str) -> PatternCrops | None:
        said = words_of(rationale)
        spoken = (p for p, _ in self.patterns if len(said & set(p.words)) >= max(1, min(TOLD_BY, len(p.words))))
        return next(spoken, None)

    def _near(self, criterion_id: str, point: Floats | None) -> PatternCrops | None:
        if point is None:
            return None
        own = self.reviewed.get(criterion_id)
        ordinary = own.kept if own is not None and len(own.kept) >= LEAST_ORDINARY else self.kept
        if len(ordinary) < LEAST_ORDINARY:
            return None
        near = [(crowd.far(point), pattern) for pattern, crowd in self.patterns if _is_near(point, crowd)]
        found, pattern = min(near, key=lambda pair: pair[0], default=(np.inf, None))
        return pattern if found < CLOSER * ordinary.far(point) else None


def familiar(book: ReviewedCrops) -> Familiar:
    """Prepare reviewed crops for comparison; with too little data, the result reports nothing."""
    crops = [crop for reviewed in book.reviewed for crop in reviewed.features]
    crops += [crop for pattern in book.patterns for crop in pattern.features]
    wide = max((len(crop) for crop in crops), default=0)
    known = _matrix([crop for crop in crops if len(crop) == wide], wide)
    middle = known.mean(axis=0) if len(known) else np.zeros(wide)
    spread = known.std(axis=0) + LEAST_SPREAD if len(known) else np.ones(wide)

    def points(features: Sequence[CropFeatures]) -> Floats:
        return (_matrix([crop for crop in features if len(crop) == wide], wide) - middle) / spread

    def crowd(features: Sequence[CropFeatures]) -> _Crowd:
        return _crowd(points(features))

    def kept(features: Sequence[CropFeatures], flags: Sequence[bool]) -> list[CropFeatures]:
        return [crop for crop, was_kept in zip(features, flags, strict=True) if was_kept]

    return Familiar(
        middle=middle,
        spread=spread,
        reviewed={r.criterion_id: _Reviewed(crowd(r.features), crowd(kept(r.features, r.kept))) for r in book.reviewed},
        kept=_Crowd(points([crop for r in book.reviewed for crop in kept(r.features, r.kept)]), np.zeros(0)),
        patterns=[(pattern, crowd(pattern.features)) for pattern in book.patterns],
    )


def words_of(text: str) -> frozenset[str]:
    """The words of a text in lowercase, as in the names of patterns."""
    return frozenset(re.findall(WORD, text.lower()))


def _matrix(features: Sequence[CropFeatures], wide: int) -> Floats:
    return np.asarray(features, dtype=np.float64).reshape(len(features), wide)


def _crowd(points: Floats) -> _Crowd:
    if len(points) < 2:
        return _Crowd(points, np.zeros(0))
    apart = cdist(points, points)
    each = np.array([_nearest(np.delete(row, own)) for own, row in enumerate(apart)])
    return _Crowd(points, each, inner=float(np.quantile(each, WITHIN)), edge=float(np.quantile(each, 1.0 - FAR)))


def _nearest(distances: Floats) -> float:
    """Mean of the smallest values."""
    few = min(NEIGHBOURS, len(distances))
    return float(np.partition(distances, few - 1)[:few].mean()) if few else float("inf")


def _is_far(point: Floats, crowd: _Crowd) -> bool:
    if len(crowd) < LEAST_FAR:
        return False
    found = crowd.far(point)
    as_far = int((crowd.apart >= found).sum())
    return (1 + as_far) / (1 + len(crowd)) <= FAR and found > FARTHER * crowd.edge


def _is_near(point: Floats, crowd: _Crowd) -> bool:
    return len(crowd) >= LEAST_NEAR and crowd.far(point) <= NEARBY * crowd.inner


def _like(pattern: PatternCrops) -> str:
    called = f'marked as "{pattern.name}"' if pattern.name else "marked without a note"
    return f"Like {pattern.size} regions that reviewers {called} and no criterion claims: {_tasks(pattern.tasks)}."


def _tasks(tasks: Sequence[int]) -> str:
    named = [str(task) for task in tasks[:MOST_NAMED]]
    return f"task {named[0]}" if len(named) == 1 else f"tasks {', '.join(named[:-1])} and {named[-1]}"
