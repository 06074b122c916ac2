"""Fit how strong each graded flaw is. Knows no pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from samples import Sample

Array = npt.NDArray[np.float64]
_RIDGE = 3.0

STRENGTHS: dict[str, tuple[str, ...]] = {
    "defocus": ("blur", "blur_half", "blur_screen", "blur_small", "reach", "drop_1", "drop_2", "drop_3"),
    "motion_blur": (
        "smear_middle",
        "smear_coarse",
        "smear_far",
        "smear_1",
        "smear_2",
        "smear_4",
        "smear_8",
        "smear_1_near",
        "smear_2_near",
        "smear_4_near",
        "smear_8_near",
        "reach",
        "blur",
        "blur_half",
        "blur_screen",
        "blur_small",
        "drop_1",
        "drop_2",
        "drop_3",
    ),
    "over_exposure": ("stops", "median", "white", "light", "tone_low", "light_stops", "light_over", "cut"),
    "under_exposure": ("stops", "median", "high", "light_stops"),
    "noise": ("grain", "grain_quarter", "lonely"),
    "compression": ("block_ratio", "block_jump", "jpeg_quality", "jpeg_comb", "still"),
    "banding": ("gap", "wide_gap", "luma_gap", "levels", "still"),
    "colour_cast": ("cast", "cast_sure", "cast_least", "cast_shift", "cast_dark", "cast_light"),
    "upscaling": ("blur", "blur_half", "drop_1", "drop_2", "drop_3", "ripple"),
}


def fit_strength(name: str, samples: Sequence[Sample]) -> dict[str, object]:
    """Constants of the logarithm of one strength: a sum of curves, each bent once, that only rise or only fall.

    Each number may speak only in the direction in which it speaks alone among pictures of one size, so that a picture
    which is worse by every number is never called the lesser one (ridge regression with coefficients of one sign:
    C. Lawson, R. Hanson, "Solving least squares problems", 1974).
    """
    used = [s for s in samples if s.flaw == name and s.strength > 0]
    names = STRENGTHS[name]
    numbers = np.array([[s.whole[n] for n in names] for s in used], np.float64)
    target = np.log([s.strength for s in used])
    low, high = np.quantile(numbers, [0.002, 0.998], axis=0)
    span = np.maximum(high - low, 1e-6)
    part = (np.clip(numbers, low, high) - low) / span
    # large pictures carry grain behind a blur and reach farther: what that says is no sign of more or less blur
    size = numbers[:, names.index("reach")] if "reach" in names else np.zeros(len(used))
    alone = [
        values - values.mean() if number == "reach" else _apart_from(size, values)
        for number, values in zip(names, part.T, strict=True)
    ]
    sign = np.where(np.array(alone) @ (target - target.mean()) < 0, -1.0, 1.0)
    # the slope of `early` falls from 1 to 0 on the way from low to high, that of `late` rises from 0 to 1
    early, late = part - part**2 / 2, part**2 / 2
    curves = np.hstack([early * sign, late * sign])
    middle, spread = curves.mean(axis=0), curves.std(axis=0) + 1e-6
    rows = np.vstack([(curves - middle) / spread, np.sqrt(_RIDGE) * np.eye(curves.shape[1])])
    found = nnls(rows, np.concatenate([target - target.mean(), np.zeros(curves.shape[1])]))[0] / spread
    at_low, at_high = (sign * half / span for half in np.split(found, 2))
    square = (at_high - at_low) / (2 * span)
    linear = at_low - 2 * square * low
    bias = target.mean() - middle @ found - (linear * low + square * low**2).sum()
    terms = [[n, *(round(float(v), 5) for v in row)] for n, *row in zip(names, linear, square, low, high, strict=True)]
    return {"bias": round(float(bias), 5), "terms": terms}


def _apart_from(known: Array, values: Array) -> Array:
    """What is left of numbers when a straight line of what is known is taken away."""
    away = known - known.mean()
    left = values - values.mean()
    return np.asarray(left - away * float(away @ left) / max(float(away @ away), 1e-9), np.float64)
