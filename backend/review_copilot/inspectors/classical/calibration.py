"""The fitted constants: from named numbers to probabilities and strengths. Knows no pixels.

The constants stand in `calibration.json`, written by `benchmarks/calibrate.py`. A probability is a logistic of the
named numbers and their squares, a strength the exponential of a weighted sum.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from review_copilot.inspectors.classical.features import Features

FILE = "calibration.json"


@dataclass(frozen=True, slots=True)
class Term:
    """One weighed number.

    Attributes:
        name: Which number.
        weight: Weight of its value.
        square: Weight of its square.
        low: The value is raised to this least, where the fit saw its last example.
        high: The value is cut to this most.
    """

    name: str
    weight: float
    square: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A weighted sum of named numbers."""

    bias: float
    terms: tuple[Term, ...]

    def sum(self, features: Features) -> float:
        """The weighted sum.

        Raises:
            KeyError: A number is missing.
        """
        total = self.bias
        for term in self.terms:
            value = min(term.high, max(term.low, features[term.name]))
            total += term.weight * value + term.square * value * value
        return total


def probability(name: str, features: Features) -> float:
    """How likely the measurement of that name speaks of a flaw, 0..1."""
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, _curves("probability")[name].sum(features)))))


def strength(name: str, features: Features) -> float:
    """The strength of that flaw in the measure's unit."""
    return math.exp(max(-20.0, min(20.0, _curves("strength")[name].sum(features))))


@cache
def _curves(kind: str) -> Mapping[str, Curve]:
    text = resources.files("review_copilot.inspectors.classical").joinpath(FILE).read_text(encoding="utf-8")
    return {
        name: Curve(float(row["bias"]), tuple(Term(t[0], *(float(v) for v in t[1:])) for t in row["terms"]))
        for name, row in json.loads(text)[kind].items()
    }
