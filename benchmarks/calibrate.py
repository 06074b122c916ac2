"""Fit the built-in inspector's constants on the tuning half of a folder of photographs and write them down.

python benchmarks/calibrate.py --photos DIR [--rounds N] [--out FILE]

Each photograph is measured clean and with every flaw planted in it. For each measurement a logistic regression of a few
named numbers and their squares tells its own flaw from all else; for graded ones a linear regression tells the
logarithm of the strength. The reporting half is never read.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fit_places import CLEAN, PLACE_NUMBERS, candidates, fit_place, logistic
from photos import photographs
from planted import Planted
from recipes import IMPLIES, PLANTS
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical import features
from review_copilot.inspectors.classical.frame import build_frame
from review_copilot.inspectors.classical.measured import measure_places, measure_whole

Array = npt.NDArray[np.float64]
LOCAL = frozenset({"clipped_highlights", "crushed_shadows", "defocus", "overlay", "dust", "scratch"})

NUMBERS: dict[str, tuple[str, ...]] = {
    "defocus": ("blur", "blur_half", "smear_middle", "drop_1", "drop_2", "drop_3", "drop_4", "grain", "ripple"),
    "motion_blur": ("smear_middle", "smear_coarse", "smear_far", "blur", "blur_half", "drop_1", "drop_2"),
    "over_exposure": ("stops", "median", "dark", "light", "white", "low"),
    "under_exposure": ("stops", "median", "dark", "light", "black", "high"),
    "noise": ("grain", "grain_quarter", "grain_half", "lonely", "streak", "drop_3", "drop_4", "block_jump"),
    "compression": ("block_ratio", "block_jump", "jpeg_comb", "jpeg_quality", "still", "grain"),
    "banding": ("gap", "wide_gap", "still", "levels", "repeats", "block_jump", "grain"),
    "colour_cast": (
        "cast",
        "cast_shift",
        "cast_ratio",
        "cast_least",
        "cast_light",
        "cast_dark",
        "cast_edge",
        "cast_agreement",
        "cast_green",
        "cast_warm",
        "colourful",
    ),
    "low_contrast": ("low", "high", "unused", "spread", "veil", "local", "stops"),
    "empty_frame": ("unused", "spread", "local", "drop_1"),
    "tilt": ("lean", "lean_sure", "bundle", "level", "lean_both", "lean_longest", "lean_total", "fan"),
    "upscaling": ("blur", "blur_half", "drop_1", "drop_2", "drop_3", "drop_4", "ripple", "repeats", "grain"),
}
HEAD_TO_HEAD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "enlarged_not_blurred": (
        "upscaling",
        "defocus",
        ("blur", "blur_half", "drop_1", "drop_2", "drop_3", "drop_4", "ripple", "repeats", "grain"),
    ),
}
"""Two flaws that look alike: the likelihood of the first where it is one of them."""
STRENGTHS: dict[str, tuple[str, ...]] = {
    "defocus": ("blur", "blur_half", "drop_1", "drop_2", "drop_3"),
    "motion_blur": ("smear_middle", "smear_coarse", "smear_far", "blur", "blur_half", "drop_1", "drop_2", "drop_3"),
    "over_exposure": ("stops", "median", "white", "light"),
    "under_exposure": ("stops", "median", "high"),
    "noise": ("grain", "grain_quarter", "lonely"),
    "compression": ("block_ratio", "block_jump", "jpeg_quality", "jpeg_comb", "still"),
    "banding": ("gap", "wide_gap", "levels", "still"),
    "colour_cast": ("cast", "cast_least", "cast_shift", "cast_dark", "cast_light"),
    "upscaling": ("blur", "blur_half", "drop_1", "drop_2", "drop_3", "ripple"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured picture.

    Attributes:
        flaw: Recipe that planted its flaw; "clean" for none.
        strength: As planted; 0 when none was drawn.
        whole: The image-wide numbers.
        places: Per local measurement, the candidates' numbers and whether each is on a planted box.
    """

    flaw: str
    strength: float
    whole: features.Features
    places: Mapping[str, tuple[tuple[features.Features, bool], ...]]


def measure(planted: Planted, recipe: str) -> Sample:
    """Measure one picture."""
    frame = build_frame(planted.pixels)
    whole = features.of_whole(measure_whole(frame))
    seen = measure_places(frame, wanted=LOCAL)

    return Sample(recipe, planted.strength, whole, candidates(planted, seen, whole=whole))


def samples_of(task: tuple[str, Pixels, int]) -> list[Sample]:
    """The photograph clean and with every flaw, one strength each by turns."""
    name, pixels, round_no = task
    cv2.setNumThreads(1)
    out = []
    if round_no == 0:
        out.append(measure(Planted(CLEAN, "", Severity.MINOR, pixels), CLEAN))
    for index, (recipe, plant) in enumerate(PLANTS.items()):
        seed = zlib.crc32(f"{name} {recipe} {round_no}".encode())
        severity = list(Severity)[(seed + index) % 3]
        out.append(measure(plant(pixels, np.random.default_rng(seed), severity), recipe))
    return out


def _curve(names: Sequence[str], bias: float, weights: Array, numbers: Array) -> dict[str, object]:
    half = len(names)
    low, high = np.quantile(numbers, [0.002, 0.998], axis=0)
    rows = [
        [
            name,
            *(
                round(float(v), 5)
                for v in (weights[i], weights[half + i] if weights.size > half else 0.0, low[i], high[i])
            ),
        ]
        for i, name in enumerate(names)
    ]
    return {"bias": round(bias, 5), "terms": rows}


def _squares(numbers: Array) -> Array:
    return np.hstack([numbers, numbers**2])


def fit_whole(name: str, samples: Sequence[Sample]) -> dict[str, object]:
    """Constants of one image-wide measurement; the flaws that it implies or is implied by are left out."""
    used = [s for s in samples if s.flaw == name or (name not in IMPLIES.get(s.flaw, ()) and s.flaw != f"{name}_patch")]
    numbers = np.array([[s.whole[n] for n in NUMBERS[name]] for s in used])
    flawed = np.array([float(s.flaw == name) for s in used])
    # clean pictures are what an inspector meets most
    weight = np.array([3.0 if s.flaw == CLEAN else 2.0 if s.flaw == name else 1.0 for s in used])
    bias, weights = logistic(_squares(numbers), flawed, weight)
    return _curve(NUMBERS[name], bias, weights, numbers)


def fit_pair(name: str, samples: Sequence[Sample]) -> dict[str, object]:
    """Constants that tell two flaws from each other."""
    first, second, names = HEAD_TO_HEAD[name]
    used = [s for s in samples if s.flaw in {first, second}]
    numbers = np.array([[s.whole[n] for n in names] for s in used])
    bias, weights = logistic(_squares(numbers), np.array([float(s.flaw == first) for s in used]), np.ones(len(used)))
    return _curve(names, bias, weights, numbers)


def fit_strength(name: str, samples: Sequence[Sample]) -> dict[str, object]:
    """Constants of the logarithm of one strength (ridge regression)."""
    used = [s for s in samples if s.flaw == name and s.strength > 0]
    numbers = np.array([[s.whole[n] for n in STRENGTHS[name]] for s in used])
    target = np.log([s.strength for s in used])
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0) + 1e-6
    scaled = _squares((numbers - mean) / spread)
    # squares are centred too, so that the bias is the mean strength
    centre = scaled.mean(axis=0)
    matrix = scaled - centre
    found = np.linalg.solve(matrix.T @ matrix + 3.0 * np.eye(matrix.shape[1]), matrix.T @ (target - target.mean()))
    half = len(STRENGTHS[name])
    linear, square = found[:half], found[half:]
    weights = np.concatenate([linear / spread - 2 * square * mean / spread**2, square / spread**2])
    bias = target.mean() - centre @ found - (linear * mean / spread).sum() + (square * mean**2 / spread**2).sum()
    return _curve(STRENGTHS[name], float(bias), weights, numbers)


def main() -> None:
    """Measure, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=1, help="how often each flaw is planted in each photograph")
    parser.add_argument("--out", type=Path, default=Path(features.__file__).with_name("calibration.json"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    tasks = [(n, p, r) for r in range(options.rounds) for n, p in photographs(options.photos, "tune")]
    with ProcessPoolExecutor(options.workers) as pool:
        samples = [sample for batch in pool.map(samples_of, tasks, chunksize=2) for sample in batch]
    write(samples, options.out)
    print(f"{len(samples)} pictures measured, constants written to {options.out.name}")


def write(samples: Sequence[Sample], out: Path) -> None:
    """Fit everything and write the data file."""
    fitted = {
        "probability": {
            **{name: fit_whole(name, samples) for name in NUMBERS},
            **{name: fit_pair(name, samples) for name in HEAD_TO_HEAD},
        },
        "place": {name: fit_place(name, [(s.flaw, s.places[name]) for s in samples]) for name in PLACE_NUMBERS},
        "strength": {name: fit_strength(name, samples) for name in STRENGTHS},
    }
    lines = [f'  "{kind}": {{\n' + ",\n".join(f'    "{n}": {json.dumps(c)}' for n, c in sorted(group.items())) + "\n  }"
             for kind, group in fitted.items()]  # fmt: skip
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
