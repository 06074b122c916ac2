"""How likely each image-wide flaw is, from the measured numbers together. Knows no pixels and no guideline.

Small decision trees, boosted, fitted by `benchmarks/calibrate.py`. They weigh the same numbers that the rationale and
the evidence show, and nothing else; each flaw has its own trees, which ask only for numbers that speak of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.frame import Floats
from photo_inspector.scoring.features import Features

FILE = "trees.npz"
Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """The trees of all flaws in one row of nodes.

    Attributes:
        numbers: Names of the numbers that are asked for.
        flaws: Names of the measurements that are spoken of.
        root: First node of each tree.
        flaw: Which flaw each tree speaks of, by its place in `flaws`.
        asked: Which number each node asks for, by its place in `numbers`.
        border: A number up to this goes to `low`, any other to `high`.
        low: Next node; the node itself where the tree ends.
        high: Likewise.
        says: What the last node adds to the logarithm of the odds; 0 elsewhere.
        depth: Most steps from a root to an end.
        bias: Logarithm of the odds before any tree speaks, by flaw.
        least: Probability from which each flaw is reported.
    """

    numbers: tuple[str, ...]
    flaws: tuple[str, ...]
    root: Indices
    flaw: Indices
    asked: Indices
    border: Floats
    low: Indices
    high: Indices
    says: Floats
    depth: int
    bias: Floats
    least: Floats

    def odds(self, values: Floats) -> Floats:
        """Logarithm of the odds of each flaw, shape (flaws,), for the numbers in their order."""
        node = self.root
        for _ in range(self.depth):
            node = np.where(values[self.asked[node]] <= self.border[node], self.low[node], self.high[node])
        summed = np.bincount(self.flaw, self.says[node], minlength=len(self.flaws))
        return np.asarray(summed + self.bias, np.float32)

    def odds_of(self, flaw: str, values: Floats) -> Floats:
        """Logarithm of the odds of one flaw for many rows of numbers, shape (rows,)."""
        own = self.flaws.index(flaw)
        rows = np.arange(len(values))[:, None]
        node = np.broadcast_to(self.root[self.flaw == own], (len(values), int((self.flaw == own).sum())))
        for _ in range(self.depth):
            node = np.where(values[rows, self.asked[node]] <= self.border[node], self.low[node], self.high[node])
        return np.asarray(self.says[node].sum(axis=1) + self.bias[own], np.float32)


def likelihoods(features: Features, *, wanted: frozenset[str] | None = None) -> Mapping[str, float]:
    """The probability of each wanted flaw, 0..1, by name of its measurement; None means all.

    Raises:
        KeyError: A number that its trees ask for is missing.
    """
    forest = fitted_forest() if wanted is None else _grove(wanted)
    odds = forest.odds(np.array([features[name] for name in forest.numbers], np.float32))
    return dict(zip(forest.flaws, (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).tolist(), strict=True))


def fitted_forest() -> Forest:
    """The fitted trees of image-wide flaws."""
    return read_forest(FILE)


@cache
def read_forest(name: str) -> Forest:
    """The fitted trees of that file beside the code, read once."""
    with resources.files("photo_inspector.scoring").joinpath(name).open("rb") as file:
        arrays = np.load(file)
        return Forest(
            numbers=tuple(arrays["numbers"].tolist()),
            flaws=tuple(arrays["flaws"].tolist()),
            root=arrays["root"].astype(np.int32),
            flaw=arrays["flaw"].astype(np.int32),
            asked=arrays["asked"].astype(np.int32),
            border=arrays["border"].astype(np.float32),
            low=arrays["low"].astype(np.int32),
            high=arrays["high"].astype(np.int32),
            says=arrays["says"].astype(np.float32),
            depth=int(arrays["depth"]),
            bias=arrays["bias"].astype(np.float32),
            least=arrays["least"].astype(np.float32),
        )


@cache
def _grove(wanted: frozenset[str]) -> Forest:
    """The trees of some flaws, with the numbers that these ask for and no other."""
    forest = fitted_forest()
    flaws = [index for index, name in enumerate(forest.flaws) if name in wanted]
    chosen = np.isin(forest.flaw, flaws)
    reached = forest.root[chosen]
    for _ in range(forest.depth):
        reached = np.unique(np.concatenate([reached, forest.low[reached], forest.high[reached]]))
    asking = reached[forest.low[reached] != reached]
    numbers = np.unique(forest.asked[asking])
    return replace(
        forest,
        numbers=tuple(forest.numbers[index] for index in numbers),
        flaws=tuple(forest.flaws[index] for index in flaws),
        root=forest.root[chosen],
        flaw=np.searchsorted(flaws, forest.flaw[chosen]).astype(np.int32),
        # the ends of trees ask as well, for whatever is there: both answers lead to themselves
        asked=np.minimum(np.searchsorted(numbers, forest.asked), len(numbers) - 1).astype(np.int32),
        bias=forest.bias[flaws],
        least=forest.least[flaws],
    )
