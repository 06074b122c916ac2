"""Figures of many images, with 95 % intervals. Knows numbers only.

Every figure is a ratio of two sums over images, such as hits / (hits + missed). Its interval is a percentile bootstrap
over images (Efron and Tibshirani 1993, 13.3), because boxes of one image are not independent. For a share, it is
widened to Wilson's interval, because a bootstrap has no width if all images are alike. Two setups are compared on the
same resamples (paired bootstrap), so that what is hard about an image cancels out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from review_copilot.evaluation.scores import ImageScore
from review_copilot.study.rates import wilson

Floats: TypeAlias = npt.NDArray[np.float64]

RESAMPLES = 2000
"""Number of bootstrap resamples."""
SEED = 20
"""Seed of the resamples, so that an unchanged setup has unchanged figures."""
_AT_ONCE = 100
"""Resamples that are drawn at a time, so that memory does not grow with their number."""


class Metric(StrEnum):
    """What is measured."""

    PRECISION = "precision"
    RECALL = "recall"
    F1 = "f1"
    SEVERITY = "severity_agreement"
    VERDICT = "verdict_agreement"
    WORDS = "rationale_words"
    WITHIN_LIMIT = "rationales_within_limit"
    NAME_PLACE = "rationales_naming_a_place"
    WORDS_KEPT = "rationale_words_kept"
    TRUTH_WORDS = "rationale_words_of_people"
    COST = "cost_usd_per_image"
    TOKENS = "tokens_per_image"
    LATENCY = "seconds_per_image"


OF_CRITERIA = (Metric.PRECISION, Metric.RECALL, Metric.F1, Metric.SEVERITY)
"""Metrics that each criterion has; the others concern whole images."""
_SHARE: Mapping[Metric, float] = {
    Metric.PRECISION: 1.0,
    Metric.RECALL: 1.0,
    Metric.F1: 0.5,
    Metric.SEVERITY: 1.0,
    Metric.VERDICT: 1.0,
    Metric.WITHIN_LIMIT: 1.0,
    Metric.NAME_PLACE: 1.0,
}
"""Metrics that are shares, and what both sums are multiplied with to count independent trials."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its 95 % interval.

    Attributes:
        value: The figure; NaN if nothing was counted.
        low: Lower end; NaN if nothing was counted.
        high: Upper end; NaN if nothing was counted.
        of: The denominator: suggestions, regions, or images.
    """

    value: float
    low: float
    high: float
    of: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of the other setup minus that of the first.

    Attributes:
        value: The difference; NaN if one of the two counted nothing.
        low: Lower end of the paired 95 % interval; NaN if unknown.
        high: Upper end; NaN if unknown.
    """

    value: float
    low: float
    high: float


Key: TypeAlias = tuple[str, Metric]
"""Criterion id and metric; the criterion is empty for all criteria together."""
Columns: TypeAlias = Mapping[Key, tuple[Floats, Floats]]
"""Numerator and denominator of each image, each of shape (images,)."""


def columns_of(scores: Sequence[ImageScore], criteria: Sequence[str]) -> Columns:
    """The two columns of each figure.

    Args:
        scores: One per image.
        criteria: Criterion ids.
    """
    found: dict[Key, tuple[Floats, Floats]] = {}
    total = np.zeros((len(scores), 5))
    for name in criteria:
        counts = np.array([_row(score, name) for score in scores], dtype=np.float64).reshape(-1, 5)
        total += counts
        found |= {(name, metric): pair for metric, pair in _box_columns(counts).items()}
    found |= {("", metric): pair for metric, pair in _box_columns(total).items()}
    texts = [score.texts for score in scores]
    rationales = _column([t.rationales for t in texts])
    found["", Metric.VERDICT] = (
        _column([score.verdict_agrees is True for score in scores]),
        _column([score.verdict_agrees is not None for score in scores]),
    )
    found["", Metric.WORDS] = _column([t.words for t in texts]), rationales
    found["", Metric.WITHIN_LIMIT] = _column([t.within_limit for t in texts]), rationales
    found["", Metric.NAME_PLACE] = _column([t.name_place for t in texts]), rationales
    found["", Metric.WORDS_KEPT] = _column([t.kept for t in texts]), _column([t.compared for t in texts])
    found["", Metric.TRUTH_WORDS] = (
        _column([t.truth_words for t in texts]),
        _column([t.truth_rationales for t in texts]),
    )
    found["", Metric.COST] = _known([score.cost_usd for score in scores])
    found["", Metric.TOKENS] = _known([score.tokens for score in scores])
    found["", Metric.LATENCY] = _known([score.latency_s for score in scores])
    return found


def figures(columns: Columns) -> Mapping[Key, Figure]:
    """Each figure with its interval."""
    sums = _resampled([columns])[0]
    return {key: _figure(key[1], pair, sums[key]) for key, pair in columns.items()}


def differences(first: Columns, other: Columns) -> Mapping[Key, Difference]:
    """Each figure of the other setup minus that of the first, for the same images in the same order."""
    ours, theirs = _resampled([first, other])
    return {key: _difference(first[key], other[key], ours[key], theirs[key]) for key in first if key in other}


def _row(score: ImageScore, criterion: str) -> tuple[int, int, int, int, int]:
    counts = score.criteria.get(criterion)
    if counts is None:
        return 0, 0, 0, 0, 0
    return counts.hits, counts.extra, counts.missed, counts.severity_agrees, counts.severity_of


def _box_columns(counts: Floats) -> Mapping[Metric, tuple[Floats, Floats]]:
    hits, extra, missed, agrees, known = counts.T
    return {
        Metric.PRECISION: (hits, hits + extra),
        Metric.RECALL: (hits, hits + missed),
        Metric.F1: (2 * hits, 2 * hits + extra + missed),
        Metric.SEVERITY: (agrees, known),
    }


def _column(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _known(values: Sequence[float | None]) -> tuple[Floats, Floats]:
    return _column([value or 0.0 for value in values]), _column([value is not None for value in values])


def _resampled(setups: Sequence[Columns]) -> list[Mapping[Key, tuple[Floats, Floats]]]:
    """Both sums of each figure in each resample, shape (RESAMPLES,); all setups with the same resamples."""
    images = max((len(pair[0]) for columns in setups for pair in columns.values()), default=0)
    table = np.array([column for columns in setups for pair in columns.values() for column in pair]).T
    sums = np.zeros((RESAMPLES, table.shape[1] if images else 0))
    generator = np.random.default_rng(SEED)
    for start in range(0, RESAMPLES if images else 0, _AT_ONCE):
        drawn = generator.multinomial(images, np.full(images, 1.0 / images), size=_AT_ONCE)
        sums[start : start + _AT_ONCE] = drawn @ table
    found: list[Mapping[Key, tuple[Floats, Floats]]] = []
    at = 0
    for columns in setups:
        own: dict[Key, tuple[Floats, Floats]] = {}
        for key in columns:
            own[key] = (sums[:, at], sums[:, at + 1]) if images else (sums[:, :0].sum(1), sums[:, :0].sum(1))
            at += 2
        found.append(own)
    return found


def _figure(metric: Metric, pair: tuple[Floats, Floats], sums: tuple[Floats, Floats]) -> Figure:
    over, under = float(pair[0].sum()), float(pair[1].sum())
    if not under:
        return Figure(float("nan"), float("nan"), float("nan"), 0.0)
    low, high = _percentiles(_ratios(sums))
    if (trials := _SHARE.get(metric)) is not None:
        least, most = wilson(over * trials, under * trials)
        low, high = min(low, least), max(high, most)
    return Figure(over / under, low, high, under)


def _difference(
    first: tuple[Floats, Floats],
    other: tuple[Floats, Floats],
    ours: tuple[Floats, Floats],
    theirs: tuple[Floats, Floats],
) -> Difference:
    if not first[1].sum() or not other[1].sum():
        return Difference(float("nan"), float("nan"), float("nan"))
    value = float(other[0].sum() / other[1].sum() - first[0].sum() / first[1].sum())
    return Difference(value, *_percentiles(_ratios(theirs) - _ratios(ours)))


def _ratios(sums: tuple[Floats, Floats]) -> Floats:
    """The ratio in each resample; NaN in those that counted nothing."""
    return np.divide(sums[0], sums[1], out=np.full_like(sums[0], np.nan), where=sums[1] > 0)


def _percentiles(values: Floats) -> tuple[float, float]:
    """The 2.5th and the 97.5th percentile of the known values."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
