"""Fit the boosted trees that weigh image-wide numbers (see likelihood.py). Knows no pixels and no recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from photo_inspector.scoring.likelihood import Forest

Floats = npt.NDArray[np.float32]
SHAPE = {"max_iter": 120, "learning_rate": 0.08, "max_leaf_nodes": 8, "max_depth": 5, "l2_regularization": 5.0,
         "min_samples_leaf": 15, "early_stopping": False}  # fmt: skip
"""Few, shallow, slowly learning trees: compared with logistic regressions of numbers and squares and with networks of
one hidden layer by photographs held out, they did best on the whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Measured pictures, as one flaw sees them.

    Attributes:
        numbers: Names of the columns of `values`.
        values: Shape (pictures, numbers).
        truth: 1 where the picture has the flaw, else 0, shape (pictures,).
        weight: How often such a picture is met; 0 where it may rightly be called either way.
        group: Which photograph each picture was made of.
        rising: Numbers that never speak against the flaw when they grow.
    """

    numbers: tuple[str, ...]
    values: Floats
    truth: Floats
    weight: Floats
    group: npt.NDArray[np.int64]
    rising: frozenset[str] = frozenset()

    def part(self, chosen: npt.NDArray[np.bool_]) -> Table:
        """Some of the pictures."""
        return replace(
            self, values=self.values[chosen], truth=self.truth[chosen], weight=self.weight[chosen],
            group=self.group[chosen],
        )  # fmt: skip


def fit_trees(table: Table) -> HistGradientBoostingClassifier:
    """Trees of one flaw (J. Friedman, "Greedy function approximation: a gradient boosting machine", 2001)."""
    counts = table.weight > 0
    rising = [int(name in table.rising) for name in table.numbers]
    fitted = HistGradientBoostingClassifier(**SHAPE, monotonic_cst=rising, random_state=0)
    with threadpool_limits(limits=1):  # threads that wait for each other on a busy machine cost more than they save
        return fitted.fit(table.values[counts], table.truth[counts], sample_weight=table.weight[counts])


def held_out(table: Table, *, folds: int = 5) -> Floats:
    """Odds of every picture by trees that never saw its photograph, shape (pictures,)."""
    fold = table.group % folds
    odds: Floats = np.zeros_like(table.truth)
    for index in range(folds):
        asked = fold == index
        if asked.any():
            odds[asked] = fit_trees(table.part(~asked)).decision_function(table.values[asked])
    return odds


def platt(odds: Floats, truth: Floats, counts: Floats) -> tuple[float, float]:
    """Slope and bias that make odds come true, each picture counted `counts` times.

    J. Platt, "Probabilistic outputs for support vector machines" (1999).
    """

    def loss(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        total = point[0] * odds + point[1]
        value = (counts * np.logaddexp(0, -total * (2 * truth - 1))).sum() + (point[0] - 1) ** 2 / 2
        wrong = counts * (1 / (1 + np.exp(-np.clip(total, -50, 50))) - truth)
        return float(value), np.array([(wrong * odds).sum() + point[0] - 1, wrong.sum()], np.float64)

    slope, bias = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B").x
    return float(slope), float(bias)


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """The trees of one flaw with their stretch.

    Attributes:
        numbers: What they ask for.
        trees: As fitted.
        slope: By how much their odds are multiplied.
        bias: And what is added, so that held-out odds come true.
    """

    numbers: tuple[str, ...]
    trees: HistGradientBoostingClassifier
    slope: float
    bias: float


def joined(judges: Mapping[str, Judge], *, least: Floats) -> Forest:
    """One forest that says what all of them say.

    Reads the fitted nodes of scikit-learn, which has no public way to write them down; a test compares the answers.
    """
    numbers = tuple(sorted({name for judge in judges.values() for name in judge.numbers}))
    place = {name: index for index, name in enumerate(numbers)}
    columns: dict[str, list[npt.NDArray[np.generic]]] = {
        name: [] for name in ("asked", "border", "low", "high", "says")
    }
    roots, flaws, biases = [], [], []
    start = depth = 0
    for index, judge in enumerate(judges.values()):
        own = np.array([place[name] for name in judge.numbers])
        biases.append(judge.slope * float(np.ravel(judge.trees._baseline_prediction)[0]) + judge.bias)  # noqa: SLF001  see above
        for (tree,) in judge.trees._predictors:  # noqa: SLF001  see above
            nodes = tree.nodes
            ends = nodes["is_leaf"].astype(bool)
            here = start + np.arange(len(nodes))
            columns["asked"].append(own[nodes["feature_idx"]])
            columns["border"].append(np.where(ends, 0.0, nodes["num_threshold"]))
            columns["low"].append(np.where(ends, here, start + nodes["left"]))
            columns["high"].append(np.where(ends, here, start + nodes["right"]))
            columns["says"].append(np.where(ends, judge.slope * nodes["value"], 0.0))
            roots.append(start)
            flaws.append(index)
            start += len(nodes)
            depth = max(depth, int(nodes["depth"].max()))
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    return Forest(
        numbers=numbers,
        flaws=tuple(judges),
        root=np.array(roots, np.int32),
        flaw=np.array(flaws, np.int32),
        asked=whole["asked"].astype(np.int32),
        border=whole["border"].astype(np.float32),
        low=whole["low"].astype(np.int32),
        high=whole["high"].astype(np.int32),
        says=whole["says"].astype(np.float32),
        depth=depth,
        bias=np.array(biases, np.float32),
        least=least,
    )


def save(forest: Forest, path: Path) -> None:
    """Write the trees as NumPy's archive."""
    small = {"asked": np.uint8, "flaw": np.uint8, "root": np.uint32, "low": np.uint32, "high": np.uint32}
    names: Sequence[str] = [field.name for field in fields(forest)]
    arrays = {name: np.asarray(getattr(forest, name), small.get(name)) for name in names}
    np.savez_compressed(path, allow_pickle=False, **arrays)
