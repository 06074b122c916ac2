"""The fitted constants: how likely each place is flawed, how strong each flaw is. Knows no pixels.

The constants stand in `calibration.json`, written by `benchmarks/calibrate.py`. A probability is a logistic of the
named numbers, their squares and, for places, the products of any two; a strength is the exponential of a weighted sum.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from photo_inspector.scoring.features import Features

FILE = "calibration.json"
Doubles = npt.NDArray[np.float64]


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


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A weighted sum of named numbers and of the products of any two, for many places at once.

    Attributes:
        names: Which numbers.
        low: Each is raised to this least.
        high: And cut to this most.
        bias: Added to the sum.
        linear: Weights of the numbers.
        products: Weights of the products; upper triangle, shape (numbers, numbers).
    """

    names: tuple[str, ...]
    low: Doubles
    high: Doubles
    bias: float
    linear: Doubles
    products: Doubles

    def sums(self, rows: Sequence[Features]) -> Doubles:
        """The weighted sum for each row.

        Raises:
            KeyError: A number is missing.
        """
        numbers = itemgetter(*self.names)
        return self.sums_of(np.array([numbers(row) for row in rows], np.float64).reshape(-1, len(self.names)))

    def sums_of(self, values: Doubles) -> Doubles:
        """The same for rows of numbers in the order of the names."""
        values = np.clip(values, self.low, self.high)
        return np.asarray(self.bias + values @ self.linear + ((values @ self.products) * values).sum(axis=1))


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


def probabilities(name: str, rows: Sequence[Features]) -> list[float]:
    """How likely each place is the flaw of that name, 0..1; in the order given."""
    if not rows:
        return []
    return [float(v) for v in 1.0 / (1.0 + np.exp(-np.clip(first_odds(name, rows), -40, 40)))]


def first_odds(name: str, rows: Sequence[Features]) -> Doubles:
    """Logarithm of the odds that each place is the flaw of that name, by its own numbers; at least one row."""
    return _surface(name).sums(rows)


def strength(name: str, features: Features) -> float:
    """The strength of that flaw in the measure's unit."""
    return math.exp(max(-20.0, min(20.0, _curves("strength")[name].sum(features))))


@cache
def _curves(kind: str) -> Mapping[str, Curve]:
    text = resources.files("photo_inspector.scoring").joinpath(FILE).read_text(encoding="utf-8")
    return {
        name: Curve(float(row["bias"]), tuple(Term(t[0], *(float(v) for v in t[1:])) for t in row["terms"]))
        for name, row in json.loads(text)[kind].items()
    }


@cache
def _surface(name: str) -> Surface:
    text = resources.files("photo_inspector.scoring").joinpath(FILE).read_text(encoding="utf-8")
    return read_surface(json.loads(text)["place"][name])


def read_surface(row: Mapping[str, Any]) -> Surface:
    """A surface as it stands in the data file."""
    size = len(row["names"])
    products = np.zeros((size, size))
    products[np.triu_indices(size)] = row["products"]
    low, high, linear = (np.asarray(row[key], np.float64) for key in ("low", "high", "linear"))
    return Surface(tuple(row["names"]), low, high, float(row["bias"]), linear, products)
