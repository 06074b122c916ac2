"""Learn what ordinary photographs look like: the filters by which the built-in inspector tells tint and lean.

python benchmarks/learn.py --photos DIR [--photos DIR ...] [--also DIR ...] [--out FILE]

Each photograph is tinted and turned many times by known amounts; the filters are those that find the amount best
(multinomial logistic regression over all shifts, by Adam). Of the folders under --photos the reporting half is never
read; those under --also are for learning only and read as a whole.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from descent import slope_of
from photos import ordinary_photographs
from plant_tone import TINTS, tint_of, tinted
from plant_whole import turned
from planted import Floats, Rng, as_jpeg
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical import colour as tint_reading
from review_copilot.inspectors.classical import learned
from review_copilot.inspectors.classical import tilt as lean_reading
from review_copilot.inspectors.classical.colour import BIN, BINS, colour_maps
from review_copilot.inspectors.classical.frame import shrunk
from review_copilot.inspectors.classical.tilt import LEANS, STEP_DEG, edge_maps, log_maps

TINTED, TURNED = 16, 8
"""Times each photograph is tinted and turned."""
_GREYEST = 2.0
"""Spread of a*b* under which a photograph is black and white and teaches nothing of tints."""
_EPOCHS, _BATCH = 16, 256
Examples = tuple[list[Floats], list[tuple[float, float]]]
"""Maps, and the true shift of each in cells from the middle, (row, column)."""


def examples_of(task: tuple[str, Pixels]) -> tuple[Examples, Examples]:
    """Tinted and turned versions of one photograph, about half of them left as they are."""
    name, pixels = task
    cv2.setNumThreads(1)
    rng = np.random.default_rng(zlib.crc32(f"learn {name}".encode()))
    middle = shrunk(pixels, longer_px=448)
    tints: Examples = ([], [])
    lab = cv2.cvtColor(shrunk(middle, longer_px=tint_reading.SIDE_PX), cv2.COLOR_RGB2LAB)
    for _ in range(TINTED if float(lab[..., 1:].std()) >= _GREYEST else 0):
        part = shrunk(_part(middle, rng), longer_px=128)
        way, amount = str(rng.choice(TINTS)), float(rng.uniform(4, 38)) if rng.random() < 0.6 else 0.0
        colour = tint_of(amount, way, rng) if amount else np.zeros(3, np.float32)
        grey = tinted(np.full((1, 1, 3), 128, np.uint8), colour, way)[0, 0].astype(np.float32) + 3
        tints[0].append(
            colour_maps(shrunk(tinted(part, colour, way) if amount else part, longer_px=tint_reading.SIDE_PX))
        )
        tints[1].append((float(np.log(grey[1] / grey[2])) / BIN, float(np.log(grey[1] / grey[0])) / BIN))
    leans: Examples = ([], [])
    for turn in range(TURNED):
        degrees = float(rng.uniform(1.5, 14.5) * rng.choice([-1, 1])) if turn % 2 else 0.0
        part = turned(_part(middle, rng), degrees, cubic=bool(rng.random() < 0.5))
        if rng.random() < 0.3:
            part = as_jpeg(part, int(rng.integers(70, 96)))[0]
        grey_part = np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8)
        leans[0].append(log_maps(edge_maps(shrunk(grey_part, longer_px=lean_reading.SIDE_PX))))
        leans[1].append((0.0, degrees / STEP_DEG))
    return tints, leans


def _part(pixels: Pixels, rng: Rng) -> Pixels:
    """Most of the picture, mirrored half of the time."""
    height, width = pixels.shape[:2]
    h, w = (int(v * rng.uniform(0.75, 1.0)) for v in (height, width))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    part = pixels[y : y + h, x : x + w]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def truths(shifts: npt.NDArray[np.float32], rows: int, columns: int, *, spread: float) -> Floats:
    """For each example a Gaussian around its shift, shape (examples, rows, columns), each summing to 1."""
    most = np.array([max(rows // 2 - 1, 0), columns // 2 - 1], np.float32)
    shifts = np.clip(shifts, -most, most)
    y, x = np.arange(rows) - rows // 2, np.arange(columns) - columns // 2
    away = (y[None, :, None] - shifts[:, :1, None]) ** 2 + (x[None, None, :] - shifts[:, 1:2, None]) ** 2
    near = np.exp(-0.5 * away / spread**2)
    return np.asarray(near / near.sum(axis=(1, 2), keepdims=True), np.float32)


def fit(maps: Floats, truth: Floats, *, decay: float, roughness: float) -> tuple[Floats, Floats]:
    """Filters, shape (maps, rows, columns), and bias, shape (rows, columns)."""
    _, channels, rows, columns = maps.shape
    spectra = np.fft.rfft2(maps).astype(np.complex64)
    filters: Floats = np.zeros((channels, rows, columns), np.float32)
    bias = np.log(truth.mean(axis=0) + 1e-5).astype(np.float32)
    rough = (
        (2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(rows)))[:, None]
        + 2
        - 2 * np.cos(2 * np.pi * np.fft.rfftfreq(columns))
    )
    filter_slope, bias_slope = slope_of(filters), slope_of(bias)
    rng = np.random.default_rng(0)
    step = 0
    for epoch in range(_EPOCHS):
        rate = 0.03 * (0.5 * (1 + np.cos(np.pi * epoch / _EPOCHS)) + 0.02)
        order = rng.permutation(len(maps))
        for start in range(0, len(maps), _BATCH):
            batch = order[start : start + _BATCH]
            transformed = np.fft.rfft2(filters)
            score = np.fft.irfft2((spectra[batch] * np.conj(transformed)).sum(axis=1), s=(rows, columns)) + bias
            odds = np.exp(score - score.max(axis=(1, 2), keepdims=True))
            wrong = ((odds / odds.sum(axis=(1, 2), keepdims=True)) - truth[batch]) / len(batch)
            slope = (spectra[batch] * np.conj(np.fft.rfft2(wrong))[:, None]).sum(axis=0)
            slope = np.fft.irfft2(slope + roughness * rough * transformed, s=(rows, columns)) + decay * filters
            step += 1
            filter_slope.descend(filters, slope, rate=rate, step=step)
            bias_slope.descend(bias, wrong.sum(axis=0), rate=rate, step=step)
    return filters, bias


def gathered(results: Sequence[tuple[Examples, Examples]], kind: int) -> tuple[Floats, npt.NDArray[np.float32]]:
    """All maps and shifts of one kind."""
    maps = np.array(list(chain.from_iterable(r[kind][0] for r in results)), np.float32)
    return maps, np.array(list(chain.from_iterable(r[kind][1] for r in results)), np.float32)


def photographs_of(photos: Sequence[Path], also: Sequence[Path]) -> Iterator[tuple[str, Pixels]]:
    """The tuning half of the first folders, all of the second."""
    for folder in photos:
        yield from ordinary_photographs(folder, "tune")
    for folder in also:
        yield from ordinary_photographs(folder, "all")


def main() -> None:
    """Plant, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, action="append", required=True)
    parser.add_argument("--also", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path, default=Path(learned.__file__).with_name(learned.FILE))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.workers) as pool:
        results = list(pool.map(examples_of, photographs_of(options.photos, options.also), chunksize=4))
    maps, shifts = gathered(results, 0)
    tint = fit(maps, truths(shifts, BINS, BINS, spread=0.8), decay=1e-4, roughness=1e-3)
    lean_maps, turns = gathered(results, 1)
    lean = fit(lean_maps, truths(turns, 1, LEANS, spread=1.0), decay=1e-3, roughness=1e-3)
    np.savez_compressed(
        options.out,
        tint_filters=tint[0].astype(np.float16),
        tint_bias=tint[1].astype(np.float16),
        lean_filters=lean[0].astype(np.float16),
        lean_bias=lean[1].astype(np.float16),
    )
    print(
        f"{len(results)} photographs, {len(maps)} tints, {len(lean_maps)} leans; filters written to {options.out.name}"
    )


if __name__ == "__main__":
    main()
