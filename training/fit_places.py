"""Fit the constants of the local measurements: which candidates are what was planted. Knows no image-wide number."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from photo_inspector.scoring import features
from photo_inspector.scoring.calibration import Surface, read_surface
from photo_inspector.scoring.measured import Places
from photos import lettered
from planted import Planted
from recipes import IMPLIES, PLANTS
from review_copilot.domain.geometry import Box
from samples import CLEAN, Marks, Sample

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
FLAW_OF = {"soft_patch": "defocus_patch", "fiber": "scratch"}
"""The recipe that plants a kind of marks, where it is called otherwise."""
CLEAN_SHARE = 6.0
"""Clean pictures for one of each flaw, as in accuracy.py."""
MOST_OTHERS = 25_000
"""Candidates on no planted box that a glance is fitted on; there are hundreds of thousands."""
PARTLY = 0.1
"""Share of the smaller of two boxes from which one lies on a part of the other."""
SOFT = frozenset({"defocus", "motion_blur", "upscaling", "low_resolution"})
MET, MET_THIN = 0.5, 0.3
"""Overlap with a planted box from which a candidate is right; less for what is hair-thin."""

# fmt: off
PLACE_NUMBERS: dict[str, tuple[str, ...]] = {
    "clipped_highlights": ("percent", "fill", "on_edge"),
    "crushed_shadows": ("percent", "fill", "on_edge"),
    "soft_patch": ("percent", "step", "enclosed", "fill", "detail", "at_edge", "gap", "elsewhere"),
    "dust": ("clear", "depth", "ground", "ragged", "aspect", "width", "tint", "tone", "dark", "rivals", "flat", "steep",
             "inner", "uneven", "sloping", "seen", "around"),
    "scratch": (
        "length", "contrast", "steady", "evenness", "ground", "apart", "end", "light", "level", "plumb", "wander",
        "rivals", "beyond", "hue", "veil", "seen", "backing",
    ),
    "fiber": ("length", "thickness", "pen", "contrast", "standout", "evenness", "veil", "spread", "ground", "apart",
              "end", "hue", "light", "fill", "rivals", "seen", "backing"),
}
# fmt: on


def candidates(planted: Planted, seen: Places, *, whole: features.Features) -> Mapping[str, Marks]:
    """What the local measurements of a picture found, and which of it was planted."""

    def right(box: Box, flaw: str) -> int:
        if planted.flaw != flaw:
            return 0
        if any(box.iou(true) >= (MET_THIN if planted.thin else MET) for true in planted.boxes):
            return 1
        return -any(box.intersection_area(true) > PARTLY * min(box.area, true.area) for true in planted.boxes)

    def marks(found: Sequence[tuple[features.Features, Box]], flaw: str) -> Marks:
        names = tuple(found[0][0]) if found else ()
        numbers = np.array([[row[name] for name in names] for row, _ in found], np.float32)
        return Marks(names, numbers, np.array([right(box, flaw) for _, box in found], np.int8))

    soft = [(features.of_softness(p, whole=whole), p.box) for p in seen.softness.patches]
    return {
        "clipped_highlights": marks([(features.of_patch(p), p.box) for p in seen.clipped], "clipped_highlights"),
        "crushed_shadows": marks([(features.of_patch(p), p.box) for p in seen.crushed], "crushed_shadows"),
        "soft_patch": marks(soft, "defocus"),
        "dust": marks([(features.of_spot(p), p.box) for p in seen.spots], "dust"),
        "scratch": marks([(features.of_line(p), p.box) for p in seen.lines], "scratch"),
        "fiber": marks([(features.of_fiber(p), p.box) for p in seen.fibers], "scratch"),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """All candidates of one kind in many pictures.

    Attributes:
        names: Names of their numbers.
        numbers: Shape (candidates, numbers).
        right: As in `Marks`.
        picture: Which picture each is in.
        group: Which photograph each picture was made of, shape (pictures,).
        weight: How often such a picture is met, shape (pictures,); 0 where it may rightly be called either way.
        own: Whether the flaw was planted, shape (pictures,).
        clean: Whether nothing was, shape (pictures,).
    """

    names: tuple[str, ...]
    numbers: Floats
    right: npt.NDArray[np.int8]
    picture: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    weight: Floats
    own: npt.NDArray[np.bool_]
    clean: npt.NDArray[np.bool_]


def crowd_of(kind: str, samples: Sequence[Sample]) -> Crowd:
    """All candidates of one kind."""
    own = FLAW_OF.get(kind, kind)
    flaws = [s.flaw for s in samples]
    clean, planted = flaws.count(CLEAN), flaws.count(own)
    # in the mix of accuracy.py: every flaw as often as any other, whatever was measured here
    shares = {CLEAN: CLEAN_SHARE * planted / max(1, clean), own: 1.0}
    rest = (len(PLANTS) - 1) * planted / max(1, len(flaws) - clean - planted)
    weight = [0.0 if _either(s, own) else shares.get(s.flaw, rest) for s in samples]
    all_of = [s.places[kind] for s in samples]
    filled = [m for m in all_of if m.right.size]
    return Crowd(
        names=filled[0].names,
        numbers=np.concatenate([m.numbers for m in filled]),
        right=np.concatenate([m.right for m in filled]),
        picture=np.repeat(np.arange(len(samples)), [m.right.size for m in all_of]),
        group=np.array([zlib.crc32(s.name.encode()) for s in samples], np.int64),
        weight=np.array(weight, np.float32),
        own=np.array([flaw == own for flaw in flaws]),
        clean=np.array([flaw == CLEAN for flaw in flaws]),
    )


def _either(sample: Sample, own: str) -> bool:
    """Whether a picture with one flaw may rightly be called by another as well."""
    soft = own == "defocus_patch" and sample.flaw in SOFT
    thin = own == "scratch" and sample.flaw in {"overlay", "border"}
    its_own = own == "overlay" and sample.flaw != own and sample.name in lettered()
    return own in IMPLIES.get(sample.flaw, ()) or soft or thin or its_own


def fit_place(kind: str, crowd: Crowd, *, chosen: npt.NDArray[np.bool_] | None = None) -> dict[str, object]:
    """Constants of a glance at one kind of candidates: all that are on a planted box, and as many others as fit.

    Args:
        kind: Name of the local measurement.
        crowd: Its candidates.
        chosen: Which of the candidates to fit on; all when left out.
    """
    counts = (crowd.right >= 0) & (crowd.weight[crowd.picture] > 0)
    if chosen is not None:
        counts &= chosen
    hits, misses = np.flatnonzero(counts & (crowd.right > 0)), np.flatnonzero(counts & (crowd.right == 0))
    kept = np.random.default_rng(0).permutation(misses)[:MOST_OTHERS]
    rows = np.concatenate([hits, kept])
    weight = np.concatenate([np.ones(hits.size), np.full(kept.size, misses.size / max(1, kept.size))])
    weight *= crowd.weight[crowd.picture[rows]]
    columns = [crowd.names.index(name) for name in PLACE_NUMBERS[kind]]
    numbers = crowd.numbers[np.ix_(rows, columns)].astype(np.float64)
    return fit_surface(PLACE_NUMBERS[kind], numbers, (crowd.right[rows] > 0).astype(np.float64), weight)


def surface_of(row: Mapping[str, object]) -> Surface:
    """The constants as the inspector reads them."""
    return read_surface(json.loads(json.dumps(row)))


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
