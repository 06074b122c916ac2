"""Fit the constants of the local measurements: which candidates are what was planted. Knows no image-wide number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from planted import Planted
from recipes import IMPLIES
from review_copilot.domain.geometry import Box
from review_copilot.inspectors.classical import features
from review_copilot.inspectors.classical.measured import Places
from samples import CLEAN

Array = npt.NDArray[np.float64]
Candidates = tuple[tuple[features.Features, bool], ...]
"""The numbers of each candidate, and whether it is on a planted box."""
SOFT = frozenset({"defocus", "motion_blur", "upscaling", "low_resolution"})
MET, MET_THIN = 0.5, 0.3
"""Overlap with a planted box from which a candidate is right; less for what is hair-thin."""

# fmt: off
PLACE_NUMBERS: dict[str, tuple[str, ...]] = {
    "clipped_highlights": ("percent", "fill", "on_edge"),
    "crushed_shadows": ("percent", "fill", "on_edge"),
    "soft_patch": ("percent", "step", "enclosed", "fill", "detail", "at_edge", "gap", "elsewhere"),
    "overlay": (
        "letters", "contrast", "evenness", "ground", "mix", "alignment", "variety", "stroke", "stroke_spread", "fill",
        "outline", "height", "rivals", "solid", "slant", "edge",
    ),
    "dust": ("clear", "depth", "ground", "ragged", "aspect", "width", "tint", "tone", "dark", "rivals"),
    "scratch": (
        "length", "contrast", "steady", "evenness", "ground", "apart", "end", "light", "level", "plumb", "wander",
        "rivals", "beyond",
    ),
    "fibre": ("length", "thickness", "contrast", "evenness", "spread", "ground", "end", "light", "fill", "rivals"),
}
# fmt: on


def candidates(planted: Planted, seen: Places, *, whole: features.Features) -> Mapping[str, Candidates]:
    """What the local measurements of a picture found, and which of it was planted."""

    def on(box: Box, flaw: str) -> bool:
        least = MET_THIN if planted.thin else MET
        return planted.flaw == flaw and any(box.iou(true) >= least for true in planted.boxes)

    return {
        "clipped_highlights": tuple((features.of_patch(p), on(p.box, "clipped_highlights")) for p in seen.clipped),
        "crushed_shadows": tuple((features.of_patch(p), on(p.box, "crushed_shadows")) for p in seen.crushed),
        "soft_patch": tuple(
            (features.of_softness(p, whole=whole), on(p.box, "defocus")) for p in seen.softness.patches
        ),
        "overlay": tuple((features.of_lettering(p), on(p.box, "overlay")) for p in seen.lettering),
        "dust": tuple((features.of_spot(p), on(p.box, "dust")) for p in seen.spots),
        "scratch": tuple((features.of_line(p), on(p.box, "scratch")) for p in seen.lines),
        "fibre": tuple((features.of_fibre(p), on(p.box, "scratch")) for p in seen.fibres),
    }


def logistic(numbers: Array, flawed: Array, weight: Array, *, ridge: float = 2.0) -> tuple[float, Array]:
    """Bias and weights of a ridge-penalised logistic regression, on the numbers' own scale."""
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0) + 1e-6
    scaled = (numbers - mean) / spread

    def loss(point: Array) -> tuple[float, Array]:
        total = scaled @ point[1:] + point[0]
        value = (weight * np.logaddexp(0, -total * (2 * flawed - 1))).sum() + ridge / 2 * (point[1:] ** 2).sum()
        slope = weight * (1 / (1 + np.exp(-np.clip(total, -50, 50))) - flawed)
        return float(value), np.concatenate([[slope.sum()], scaled.T @ slope + ridge * point[1:]])

    found = minimize(loss, np.zeros(numbers.shape[1] + 1), jac=True, method="L-BFGS-B").x
    weights = found[1:] / spread
    return float(found[0] - weights @ mean), weights


def fit_place(name: str, pictures: Sequence[tuple[str, Candidates]]) -> dict[str, object]:
    """Constants of one local measurement, over all candidates of pictures with that flaw and of clean ones."""
    own = {"soft_patch": "defocus_patch", "fibre": "scratch"}.get(name, name)
    rows: list[tuple[features.Features, bool, float]] = []
    for flaw, found in pictures:
        if own in IMPLIES.get(flaw, ()) or (own == "defocus_patch" and flaw in SOFT):
            continue
        if own == "scratch" and flaw in {"overlay", "border"}:
            continue
        for numbers_of, hit in found:
            if hit or flaw != own:
                # a flaw is planted far more often here than it is met
                rows.append((numbers_of, hit, 1.0 if hit else 3.0 if flaw == CLEAN else 1.5))
    numbers = np.array([[r[0][n] for n in PLACE_NUMBERS[name]] for r in rows])
    flawed, weight = np.array([float(r[1]) for r in rows]), np.array([r[2] for r in rows])
    return fit_surface(PLACE_NUMBERS[name], numbers, flawed, weight)


def fit_surface(names: Sequence[str], numbers: Array, flawed: Array, weight: Array) -> dict[str, object]:
    """Constants of a logistic of the numbers and of the products of any two."""
    low, high = np.quantile(numbers, [0.002, 0.998], axis=0)
    held = np.clip(numbers, low, high)
    middle = held.mean(axis=0)
    first, second = np.triu_indices(len(names))
    away = held - middle
    bias, weights = logistic(np.hstack([away, away[:, first] * away[:, second]]), flawed, weight, ridge=6.0)
    products = np.zeros((len(names), len(names)))
    products[first, second] = weights[len(names) :]
    # from numbers less their middle to the numbers themselves
    linear = weights[: len(names)] - (products + products.T) @ middle
    bias += float(middle @ products @ middle - weights[: len(names)] @ middle)
    return {
        "names": list(names),
        "bias": round(bias, 5),
        "low": np.round(low, 5).tolist(),
        "high": np.round(high, 5).tolist(),
        "linear": np.round(linear, 5).tolist(),
        "products": np.round(products[first, second], 5).tolist(),
    }
