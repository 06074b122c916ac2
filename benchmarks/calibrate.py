"""Fit the built-in inspector's constants on the tuning half of a folder of photographs and write them down.

python benchmarks/calibrate.py --photos DIR [--photos DIR ...] [--rounds N] [--out FOLDER]

Each photograph is measured clean and with every flaw planted in it. For image-wide flaws boosted trees tell each flaw
from all else (see trees.py); for local ones a logistic regression of a few named numbers and their squares does; for
graded ones a linear regression tells the logarithm of the strength. The reporting half is never read. Prints how well
the trees do on photographs that they were not fitted on; with --ways also on ways of making a flaw that they never saw.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fit_marks import MARKS, WHOLE_NUMBERS, fit_marks
from fit_places import PLACE_NUMBERS, candidates, crowd_of, fit_place
from fit_whole import fit_and_report
from photos import ordinary_photographs
from planted import Planted, as_jpeg
from recipes import PLANTS
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical import calibration, features, likelihood, second_look
from review_copilot.inspectors.classical.frame import build_frame
from review_copilot.inspectors.classical.measured import measure_places, measure_whole
from samples import CLEAN, Sample

Array = npt.NDArray[np.float64]
SOFT = frozenset({"defocus", "motion_blur", "upscaling", "low_resolution"})
LOCAL = frozenset({"clipped_highlights", "crushed_shadows", "defocus", "overlay", "dust", "scratch"})

STRENGTHS: dict[str, tuple[str, ...]] = {
    "defocus": ("blur", "blur_half", "drop_1", "drop_2", "drop_3"),
    "motion_blur": ("smear_middle", "smear_coarse", "smear_far", "blur", "blur_half", "drop_1", "drop_2", "drop_3"),
    "over_exposure": ("stops", "median", "white", "light", "tone_low", "roll_off"),
    "under_exposure": ("stops", "median", "high"),
    "noise": ("grain", "grain_quarter", "lonely"),
    "compression": ("block_ratio", "block_jump", "jpeg_quality", "jpeg_comb", "still"),
    "banding": ("gap", "wide_gap", "luma_gap", "levels", "still"),
    "colour_cast": ("cast", "cast_peak", "cast_least", "cast_shift", "cast_dark", "cast_light"),
    "upscaling": ("blur", "blur_half", "drop_1", "drop_2", "drop_3", "ripple"),
}


def measure(planted: Planted, recipe: str, name: str) -> Sample:
    """Measure one picture."""
    frame = build_frame(planted.pixels)
    whole = features.of_whole(measure_whole(frame))
    seen = measure_places(frame, wanted=LOCAL)

    return Sample(name, planted.way, recipe, planted.strength, whole, candidates(planted, seen, whole=whole))


def samples_of(task: tuple[str, Pixels, int]) -> list[Sample]:
    """The photograph clean and with every flaw, one strength each by turns; in later rounds another part of it."""
    name, pixels, round_no = task
    cv2.setNumThreads(1)
    out = []
    for index, recipe in enumerate((CLEAN, *PLANTS)):
        seed = zlib.crc32(f"{name} {recipe} {round_no}".encode())
        rng = np.random.default_rng(seed)
        ground = part_of(pixels, rng) if round_no else pixels
        planted = Planted(CLEAN, "", Severity.MINOR, ground)
        if recipe != CLEAN:
            planted = PLANTS[recipe](ground, rng, list(Severity)[(seed + index) % 3])
        out.append(measure(resaved(planted, rng), recipe, name))
    return out


def part_of(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Most of the picture, mirrored half of the time; small pictures keep their size."""
    height, width = pixels.shape[:2]
    h, w = (max(min(v, 440), int(v * rng.uniform(0.8, 1.0))) for v in (height, width))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    part = pixels[y : y + h, x : x + w]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def resaved(planted: Planted, rng: np.random.Generator) -> Planted:
    """A quarter of the pictures saved once more as good JPEG, as pictures on their way to a reviewer are."""
    if rng.random() < 0.75 or planted.flaw == "compression":
        return planted
    return replace(planted, pixels=as_jpeg(planted.pixels, int(rng.integers(85, 97)))[0])


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
    parser.add_argument("--photos", type=Path, action="append", required=True)
    parser.add_argument("--rounds", type=int, default=1, help="how often each flaw is planted in each photograph")
    parser.add_argument("--out", type=Path, default=Path(features.__file__).parent)
    parser.add_argument("--ways", action="store_true", help="also print recall of ways held out; takes minutes")
    parser.add_argument(
        "--only", choices=("places",), help="fit marks and areas alone; what is image-wide stays as it is"
    )
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    photos = [photo for folder in options.photos for photo in ordinary_photographs(folder, "tune")]
    tasks = [(name, pixels, turn) for turn in range(options.rounds) for name, pixels in photos]
    with ProcessPoolExecutor(options.workers) as pool:
        samples = [sample for batch in pool.map(samples_of, tasks, chunksize=2) for sample in batch]
    print(f"{len(samples)} pictures measured")
    if options.only != "places":
        fit_and_report(samples, options.out / likelihood.FILE, ways=options.ways)
        write(options.out / calibration.FILE, "strength", {name: fit_strength(name, samples) for name in STRENGTHS})
    crowds = {kind: crowd_of(kind, samples) for kind in PLACE_NUMBERS}
    write(options.out / calibration.FILE, "place", {kind: fit_place(kind, crowd) for kind, crowd in crowds.items()})
    whole = np.array([[s.whole[name] for name in WHOLE_NUMBERS] for s in samples], np.float32)
    fit_marks({kind: crowds[kind] for kind in MARKS}, whole, options.out / second_look.FILE)


def write(out: Path, kind: str, fitted: Mapping[str, object]) -> None:
    """Put the constants of one kind into the data file; those of the other kind stay as they are."""
    groups = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    groups[kind] = fitted
    lines = [f'  "{kind}": {{\n' + ",\n".join(f'    "{n}": {json.dumps(c)}' for n, c in sorted(group.items())) + "\n  }"
             for kind, group in sorted(groups.items())]  # fmt: skip
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
