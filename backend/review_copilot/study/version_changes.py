"""Did a new model or a new guideline revision make criteria worse? Knows counts, no rows.

Each row has its versions, so no date is guessed: reviews of drafts by one version are compared with reviews of drafts
by the next one, whatever their dates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from review_copilot.study.criterion_figures import Figures, times
from review_copilot.study.flags import Evidence
from review_copilot.study.natural_variation import LOGITS, RATES, log_likelihood
from review_copilot.study.pooling import pooled
from review_copilot.study.rate_changes import moves_of
from review_copilot.study.rates import wilson
from review_copilot.study.table import Flags, Floats, Ints, Outcome

WOBBLE = 0.2
"""Rates under two versions that are equally good differ by this in logits: other images, other people."""
NAMED = 0.8
"""Probability from which a criterion is named beside a version."""
FEWEST = 10
"""Reviews on each side below which two versions are not compared."""


@dataclass(frozen=True)
class VersionChange:
    """A version with which criteria are worse, or better.

    Attributes:
        guideline: Whether the guideline revision is new; otherwise only the model is.
        version: Hash of the new revision or model.
        rank: Its place in time among all versions, from 0.
        day: First day of its reviews, since 1970 UTC.
        log_e: Natural logarithm of the Bayes factor of "some criteria are worse" against "none is".
        worse: Indices into `Figures.names` of the criteria that are worse.
        better: Of those that are better.
        evidence: Of the worse ones together.
    """

    guideline: bool
    version: str
    rank: int
    day: int
    log_e: float
    worse: tuple[int, ...]
    better: tuple[int, ...]
    evidence: Evidence


def version_of(known: Figures) -> tuple[Ints, Ints]:
    """Rank in time of each cell's version (model and revision), -1 where unknown; and the first day of each."""
    gap = known.shaped.gap_counts
    code = np.where(
        (gap.model >= 0) & (gap.guideline >= 0), gap.model * (gap.guideline.max(initial=0) + 2) + gap.guideline, -1
    )
    versions, place = np.unique(code, return_inverse=True)
    middle = np.bincount(place, weights=gap.count * gap.day) / np.maximum(np.bincount(place, weights=gap.count), 1)
    middle[versions < 0] = -np.inf
    order = np.argsort(middle, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - int((versions < 0).any())
    ranks = rank[place]
    count = int(ranks.max(initial=-1)) + 1
    return ranks, np.array([gap.day[ranks == i].min() for i in range(count)], dtype=np.int64)


def version_changes(known: Figures, *, effect: float, alpha: float) -> tuple[VersionChange, ...]:
    """Versions that changed something, in the order of time: the clearest boundary first, then within its two sides."""
    ranks, days = version_of(known)
    found: list[VersionChange] = []
    _split(
        known,
        ranks,
        days,
        span=(0, len(days)),
        effect=effect,
        bar=float(np.log(max(len(days) - 1, 1) / alpha)),
        found=found,
    )
    return tuple(sorted(found, key=lambda change: change.day))


def _split(
    known: Figures,
    ranks: Ints,
    days: Ints,
    *,
    span: tuple[int, int],
    effect: float,
    bar: float,
    found: list[VersionChange],
) -> None:
    tried = [_Boundary.of(known, ranks, at=at, span=span, effect=effect) for at in range(span[0] + 1, span[1])]
    if not tried:
        return
    # A criterion counts where it changed most clearly; at the boundaries beside it would seem to have changed too.
    tops = np.max([one.worse for one in tried], axis=0), np.max([one.better for one in tried], axis=0)
    judged = [one.alone(*tops) for one in tried]
    best = max(judged, key=lambda one: max(pooled(one.worse).log_e, pooled(one.better).log_e))
    if max(pooled(best.worse).log_e, pooled(best.better).log_e) < bar:
        return
    found.append(_change(known, ranks, days, best))
    _split(known, ranks, days, span=(span[0], best.at), effect=effect, bar=bar, found=found)
    _split(known, ranks, days, span=(best.at, span[1]), effect=effect, bar=bar, found=found)


@dataclass(frozen=True)
class _Boundary:
    """Reviews before and after a version began, and each criterion's log Bayes factor of being worse, and better."""

    at: int
    before: Flags
    after: Flags
    worse: Floats
    better: Floats

    @classmethod
    def of(cls, known: Figures, ranks: Ints, *, at: int, span: tuple[int, int], effect: float) -> _Boundary:
        before, after = (ranks >= span[0]) & (ranks < at), (ranks >= at) & (ranks < span[1])
        hit = known.shaped.gap_counts.outcome != Outcome.KEPT
        old, new = (
            log_likelihood(known.shaped.table(side & hit), known.shaped.table(side), known.any.offsets)
            for side in (before, after)
        )
        enough = (known.shaped.raw(before) >= FEWEST) & (known.shaped.raw(after) >= FEWEST)
        worse, better = (
            np.where(enough, _log_factors(old, new, known.any.contrast.inside, effect, rising=rising), 0.0)
            for rising in (True, False)
        )
        return cls(at, before, after, worse, better)

    def alone(self, top_worse: Floats, top_better: Floats) -> _Boundary:
        """The same, criteria that changed more clearly at another boundary not counted."""
        worse = np.where(self.worse < top_worse - 1, np.minimum(self.worse, 0.0), self.worse)
        better = np.where(self.better < top_better - 1, np.minimum(self.better, 0.0), self.better)
        return replace(self, worse=worse, better=better)


def _change(known: Figures, ranks: Ints, days: Ints, boundary: _Boundary) -> VersionChange:
    up, down = pooled(boundary.worse), pooled(boundary.better)
    worse = (
        np.flatnonzero((up.affected >= NAMED) & (boundary.worse > 0)) if up.log_e > 0 else np.zeros(0, dtype=np.int64)
    )
    better = np.flatnonzero((down.affected >= NAMED) & (boundary.better > 0)) if down.log_e > 0 else ()
    change = changed_at(known, ranks, days, rank=boundary.at, worse=tuple(int(c) for c in worse), log_e=up.log_e)
    return replace(change, better=tuple(int(c) for c in better))


def changed_at(
    known: Figures, ranks: Ints, days: Ints, *, rank: int, worse: tuple[int, ...], log_e: float
) -> VersionChange:
    """The change of some criteria with a version, with its evidence."""
    gap = known.shaped.gap_counts
    of_new, of_old = (int(np.flatnonzero(ranks == r)[0]) for r in (rank, rank - 1))
    guideline = bool(gap.guideline[of_new] != gap.guideline[of_old])
    version = (
        known.counts.guidelines[int(gap.guideline[of_new])]
        if guideline
        else known.counts.models[int(gap.model[of_new])]
    )
    return VersionChange(
        guideline=guideline,
        version=version,
        rank=rank,
        day=int(days[rank]),
        log_e=log_e,
        worse=worse,
        better=(),
        evidence=_evidence(known, (ranks >= 0) & (ranks < rank), ranks >= rank, np.array(worse, dtype=np.int64), log_e),
    )


def _log_factors(old: Floats, new: Floats, inside: Floats, effect: float, *, rising: bool) -> Floats:
    """For each criterion the log Bayes factor of "changed by the effect or more" against "stayed, but for wobble"."""
    tops = old.max(axis=1, keepdims=True), new.max(axis=1, keepdims=True)
    early, late = np.exp(old - tops[0]), np.exp(new - tops[1])
    spread = 0.5 * inside + 0.5 * _EVEN
    stayed = (early * spread * (late @ _wobble().T)).sum(axis=1)
    changed = (early * spread * (late @ moves_of(effect, rising=rising).T)).sum(axis=1)
    return np.asarray(np.log(changed + 1e-300) - np.log(stayed + 1e-300))


_EVEN: Floats = RATES * (1 - RATES) / (RATES * (1 - RATES)).sum()


@lru_cache(maxsize=1)
def _wobble() -> Floats:
    """Chance of each new rate (column) given the old one (row), where nothing changed."""
    z = (LOGITS[None, :] - LOGITS[:, None]) / WOBBLE
    density = np.exp(-0.5 * z * z)
    return np.asarray(density / density.sum(axis=1, keepdims=True))


def _evidence(known: Figures, before: Flags, after: Flags, named: Ints, log_e: float) -> Evidence:
    hit = known.shaped.gap_counts.outcome != Outcome.KEPT
    yes, of = (int(known.shaped.raw(mask)[named].sum()) for mask in (after & hit, after))
    was, was_of = (int(known.shaped.raw(mask)[named].sum()) for mask in (before & hit, before))
    low, high = wilson(yes, of)
    natural = float(np.median(known.any.contrast.natural))
    made = Evidence(
        reviews=of,
        overridden=yes,
        rate=yes / of if of else 0.0,
        rate_low=low,
        rate_high=high,
        natural=natural,
        natural_high=float(np.median(known.any.contrast.natural_high)),
        times_likelier=times(log_e),
    )
    return replace(made, rate_before=was / was_of if was_of else None, rate_after=made.rate)
