"""How often the intervals of agreement hold the true coefficient, for 10 to 30 units. Knows coefficients only.

Raters see a true level and name it, or with a chance of `slips` any level. The true coefficient is that of endlessly
many units. Samples in which nothing varies have no coefficient and are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import importable  # noqa: F401  # first: the folders that the next imports need
from review_copilot.study.coefficients import (
    Coefficient,
    Metric,
    cohen,
    fleiss,
    interval_of_patterns,
    krippendorff,
    unit_counts,
)
from review_copilot.study.table import Floats, Ints

UNITS = (10, 15, 20, 30)
SHARES = ((0.9, 0.1), (0.7, 0.3), (0.5, 0.5), (0.6, 0.3, 0.1), (0.3, 0.4, 0.3))
SLIPS = (0.05, 0.2, 0.5)
TARGET = 0.92
_MANY = 10**7


@dataclass(frozen=True)
class Case:
    """One way in which units are rated.

    Attributes:
        units: Units in a sample.
        raters: Ratings of each.
        shares: Share of each true level.
        slips: Chance that a rating is any level.
    """

    units: int
    raters: int
    shares: tuple[float, ...]
    slips: float

    def sample(self, random: np.random.Generator) -> Ints:
        """Ratings, shape (units, raters)."""
        levels = len(self.shares)
        true = random.choice(levels, size=(self.units, 1), p=self.shares)
        any_level = random.integers(0, levels, size=(self.units, self.raters))
        return np.where(random.random((self.units, self.raters)) < self.slips, any_level, true)

    def pairs(self) -> Floats:
        """How often two ratings of a unit are which two levels, shape (levels, levels); sums to 1."""
        levels = len(self.shares)
        says = np.full((levels, levels), self.slips / levels) + (1 - self.slips) * np.eye(levels)
        return np.asarray(np.einsum("t,ti,tj->ij", np.array(self.shares), says, says))

    def true_alpha(self, metric: Metric) -> float:
        """Alpha of so many units that chance does not matter."""
        one, two = np.triu_indices(len(self.shares))
        often = np.round(_MANY * np.where(one == two, 1, 2) * self.pairs()[one, two]).astype(np.int64)
        units = np.zeros((len(one), len(self.shares)), dtype=np.int64)
        units[np.arange(len(one)), one] += 1
        units[np.arange(len(one)), two] += 1
        return krippendorff(np.repeat(units, np.maximum(often // 1000, 0), axis=0), metric=metric)


def cases() -> Iterator[Case]:
    """Every combination."""
    for units in UNITS:
        for raters in (2, 3):
            for shares in SHARES:
                for slips in SLIPS:
                    yield Case(units, raters, shares, slips)


def covered(case: Case, *, samples: int, seed: int = 0) -> dict[str, float]:
    """Share of samples whose interval holds the true value, by coefficient; NaN without a sample that varies."""
    random = np.random.default_rng([seed, case.units, case.raters, len(case.shares), int(100 * case.slips)])
    true = {"alpha": case.true_alpha("nominal"), "ordinal alpha": case.true_alpha("ordinal")}
    true |= {"Fleiss' kappa": true["alpha"], "Cohen's kappa": true["alpha"]}
    if len(case.shares) == 2:
        del true["ordinal alpha"]
    if case.raters != 2:
        del true["Cohen's kappa"]
    hits: dict[str, list[bool]] = {name: [] for name in true}
    for _ in range(samples):
        ratings = case.sample(random)
        for name in true:
            found = _measured(name, ratings, len(case.shares))
            if not np.isnan(found.value):
                assert found.high <= 1.0
                hits[name].append(found.low <= true[name] <= found.high)
    return {name: float(np.mean(held)) if held else float("nan") for name, held in hits.items()}


def _measured(name: str, ratings: Ints, levels: int) -> Coefficient:
    units, raters = ratings.shape
    if name == "Cohen's kappa":
        flat = np.bincount(ratings[:, 0] * levels + ratings[:, 1], minlength=levels * levels)
        return cohen(flat.reshape(levels, levels).astype(np.float64))
    counts = unit_counts(np.repeat(np.arange(units), raters), ratings.ravel(), levels=levels)
    if name == "Fleiss' kappa":
        return fleiss(counts)
    patterns, often = np.unique(counts, axis=0, return_counts=True)
    return interval_of_patterns(patterns, often, metric="ordinal" if name == "ordinal alpha" else "nominal")


def coverage(*, samples: int = 200) -> dict[str, object]:
    """Share of 95 % intervals of agreement that hold the truth, for 10 to 30 units."""
    found: dict[str, list[float]] = {}
    for case in cases():
        for name, share in covered(case, samples=samples).items():
            found.setdefault(name, []).append(share)
    told: dict[str, object] = {}
    for name, shares in found.items():
        told[name] = {"mean": round(float(np.mean(shares)), 3), "least": round(min(shares), 3), "cases": len(shares)}
        print(f"  {name:14} {json.dumps(told[name])}", flush=True)
    return {"samples": samples, "target": TARGET} | told
