"""Fit the built-in inspector's constants on the tuning half of a folder of photographs and write them down.

python benchmarks/calibrate.py --photos DIR [--photos DIR ...] [--rounds N] [--only whole] [--out FOLDER]

Each photograph is measured clean and with every flaw planted in it. For image-wide flaws boosted trees tell each flaw
from all else (see trees.py); for local ones a logistic regression of a few named numbers and their squares does; for
graded ones a sum of curves that only rise or fall tells the logarithm of the strength. The reporting half is never
read. Prints how well the trees do on photographs that they were not fitted on; with --ways also on ways of making a
flaw that they never saw.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np

from fit_marks import MARKS, WHOLE_NUMBERS, fit_marks
from fit_places import PLACE_NUMBERS, candidates, crowd_of, fit_place
from fit_strengths import STRENGTHS, fit_strength
from fit_whole import fit_and_report
from photo_inspector.pixels.frame import build_frame
from photo_inspector.scoring import calibration, features, likelihood, second_look
from photo_inspector.scoring.measured import measure_places, measure_whole
from photos import ordinary_photographs
from planted import Planted, as_jpeg
from recipes import PLANTS, SHOWN_BY
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels
from samples import CLEAN, Sample

AGAIN = 3
"""Some three photographs of ten show a tilt."""
LARGE_TIMES = MappingProxyType({CLEAN: 3, "defocus": 3, "motion_blur": 6})
"""How often blur is planted in large photographs, which hide it in more ways than small ones; other flaws once."""
LARGE_PX, SMALLEST_PX, LARGEST_PX = 720, 480, 2200
"""Longer side from which a photograph is made smaller at random, and to what."""
PARTS = 0.35
"""Share of large photographs of which a part is taken instead."""
LOCAL = frozenset({"clipped_highlights", "crushed_shadows", "defocus", "overlay", "dust", "scratch"})


def measure(planted: Planted, recipe: str, name: str, *, wanted: frozenset[str]) -> Sample:
    """Measure one picture, of places those that are wanted."""
    frame = build_frame(planted.pixels)
    whole = features.of_whole(measure_whole(frame))
    seen = measure_places(frame, wanted=wanted)

    return Sample(name, planted.way, recipe, planted.strength, whole, candidates(planted, seen, whole=whole))


def samples_of(task: tuple[str, Pixels, int], *, wanted: frozenset[str]) -> list[Sample]:
    """The photograph clean and with every flaw that it can show, one strength each by turns; next another part."""
    name, pixels, round_no = task
    cv2.setNumThreads(1)
    out = []
    for index, recipe in enumerate((CLEAN, *PLANTS)):
        for turn in times_of(recipe, pixels):
            seed = zlib.crc32(f"{name} {recipe} {round_no}{turn or ''}".encode())
            rng = np.random.default_rng(seed)
            ground = rendition_of(pixels, rng)
            ground = part_of(ground, rng) if round_no or turn else ground
            planted = Planted(CLEAN, "", Severity.MINOR, ground)
            if recipe != CLEAN:
                planted = PLANTS[recipe](ground, rng, list(Severity)[(seed + index) % 3])
            out.append(measure(resaved(planted, rng), recipe, name, wanted=wanted))
    return out


def times_of(recipe: str, pixels: Pixels) -> range:
    """How often a flaw is planted in a round: once, oftener in large photographs and in those that show what few do."""
    if recipe in SHOWN_BY:
        return range(AGAIN if SHOWN_BY[recipe](pixels) else 0)
    if max(pixels.shape[:2]) <= LARGE_PX:
        return range(1)
    return range(LARGE_TIMES.get(recipe, 1))


def rendition_of(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A large photograph as it may reach a reviewer: made smaller, or a part of it as crisp as the camera made it."""
    longer = max(pixels.shape[:2])
    if longer <= LARGE_PX:
        return pixels
    wanted = int(np.exp(rng.uniform(np.log(SMALLEST_PX), np.log(min(longer, LARGEST_PX)))))
    if rng.random() < PARTS:
        height, width = (min(v, max(SMALLEST_PX, round(v * wanted / longer))) for v in pixels.shape[:2])
        y, x = int(rng.integers(0, pixels.shape[0] - height + 1)), int(rng.integers(0, pixels.shape[1] - width + 1))
        return np.ascontiguousarray(pixels[y : y + height, x : x + width])
    size = (max(1, round(pixels.shape[1] * wanted / longer)), max(1, round(pixels.shape[0] * wanted / longer)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


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


def main() -> None:
    """Measure, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, action="append", required=True)
    parser.add_argument("--rounds", type=int, default=1, help="how often each flaw is planted in each photograph")
    parser.add_argument("--out", type=Path, default=Path(features.__file__).parent)
    parser.add_argument("--ways", action="store_true", help="also print recall of ways held out; takes minutes")
    parser.add_argument(
        "--only", choices=("whole", "places"), help="fit image-wide flaws alone, or marks and areas alone"
    )
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    photos = [photo for folder in options.photos for photo in ordinary_photographs(folder, "tune")]
    tasks = [(name, pixels, turn) for turn in range(options.rounds) for name, pixels in photos]
    with ProcessPoolExecutor(options.workers) as pool:
        job = partial(samples_of, wanted=frozenset() if options.only == "whole" else LOCAL)
        samples = [sample for batch in pool.map(job, tasks, chunksize=2) for sample in batch]
    print(f"{len(samples)} pictures measured")
    if options.only != "places":
        fit_and_report(samples, options.out / likelihood.FILE, ways=options.ways)
        write(options.out / calibration.FILE, "strength", {name: fit_strength(name, samples) for name in STRENGTHS})
    if options.only != "whole":
        fit_local(samples, options.out)


def fit_local(samples: Sequence[Sample], out: Path) -> None:
    """Fit marks and areas and write them down."""
    crowds = {kind: crowd_of(kind, samples) for kind in PLACE_NUMBERS}
    write(out / calibration.FILE, "place", {kind: fit_place(kind, crowd) for kind, crowd in crowds.items()})
    whole = np.array([[s.whole[name] for name in WHOLE_NUMBERS] for s in samples], np.float32)
    fit_marks({kind: crowds[kind] for kind in MARKS}, whole, out / second_look.FILE, out / second_look.FITS_FILE)


def write(out: Path, kind: str, fitted: Mapping[str, object]) -> None:
    """Put the constants of one kind into the data file; those of the other kind stay as they are."""
    groups = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    groups[kind] = fitted
    lines = [f'  "{kind}": {{\n' + ",\n".join(f'    "{n}": {json.dumps(c)}' for n, c in sorted(group.items())) + "\n  }"
             for kind, group in sorted(groups.items())]  # fmt: skip
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
