"""Learn to see where lettering and fine lines were laid over a picture: the network of `traces.py`.

python benchmarks/learn_traces.py --also DIR [--also DIR ...] [--rest-of DIR ...] [--crops N] [--steps N] [--go-on]
    [--out FOLDER]

Photographs are read as in learn.py: none that calibrate.py or accuracy.py read. Half of them get scratches or hairs,
half get lettering or a sign (see plant_marks.py and plant_text.py); some have another flaw besides, which teaches
nothing but patience. Needs torch, which the product does without.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from learn import photographs_of
from photos import lettered
from plant_marks import SCRATCHES, scratch
from plant_text import WAYS, overlay
from planted import Rng, as_jpeg, u8
from recipes import PLANTS
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels
from review_copilot.inspectors.classical import traces
from review_copilot.inspectors.classical.frame import MIDDLE_PX, shrunk
from review_copilot.inspectors.classical.traces import LETTERS_PX, LINES_PX
from trace_network import Batch, learn

CROP_PX = 320
"""Side of the parts that the network learns from."""
MOST_PX = 1024
"""Longer side of the photographs that are planted in."""
BESIDES = ("defocus", "noise", "compression", "low_contrast", "under_exposure", "over_exposure", "border", "dust",
           "defocus_patch", "upscaling", "banding", "motion_blur", "colour_cast")  # fmt: skip
"""Other flaws that a picture with or without marks may have."""
HARD = ("diagonal", "diagonal", "logo", "logo", "tiled", "watermark")
HARD_LINES = ("hair", "hair", "curved")
HARD_SHARE = 0.5
"""Ways of lettering and of lines that are learned slowly, and how often one of these is taken."""
DRAWN_SHARE = 0.04
"""Share of drawn scenes among photographs: flat shapes with crisp corners are no letters."""
LETTER_STEP, LINE_STEP = 5, 8
"""Levels by which lettering and lines change what can be seen of them."""
_BATCH = 16
Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture and what was laid over it.

    Attributes:
        jpeg: The part, 96 of 100, BGR.
        letters: Share of each LETTERS_PX square that lettering covers, 0..255.
        lines: Pixels of each LINES_PX square that a line covers.
    """

    jpeg: Grey
    letters: Grey
    lines: Grey


def crops_of(pixels: Pixels, rng: Rng) -> list[Crop]:
    """Two or three parts of a photograph, at another size most of the time."""
    if rng.random() < 0.6 or min(pixels.shape[:2]) < CROP_PX + 2:
        pixels = _resized(pixels, rng)
    pixels = np.ascontiguousarray(pixels[:, ::-1] if rng.random() < 0.5 else pixels)
    if rng.random() < 0.25:
        severity = list(Severity)[int(rng.choice(3, p=[0.5, 0.35, 0.15]))]
        pixels = PLANTS[str(rng.choice(BESIDES))](pixels, rng, severity).pixels
    letters, lines = np.zeros(pixels.shape[:2], np.uint8), np.zeros(pixels.shape[:2], np.uint8)
    with_letters, with_lines = rng.random(2) < 0.5
    if with_lines:
        ways = HARD_LINES if rng.random() < HARD_SHARE else SCRATCHES
        marked = scratch(pixels, rng, list(Severity)[int(rng.integers(3))], ways=ways).pixels
        lines, pixels = _changed(marked, pixels, LINE_STEP), marked
    if with_letters:
        letters, pixels = _lettered(pixels, rng)
    if rng.random() < 0.35:
        pixels = as_jpeg(pixels, int(rng.integers(60, 97)))[0]
    pixels, letters, lines = _as_inspected(pixels, letters, lines)
    return [_crop(pixels, letters, lines, rng) for _ in range(2 if max(pixels.shape) < 600 else 3)]


def drawn_scene(rng: Rng) -> Pixels:
    """Polygons and discs of all colours over a soft ground, few or many, large or small."""
    height, width = (int(rng.integers(330, most)) for most in (700, 760))
    ramp = np.linspace(rng.uniform(30, 140), rng.uniform(100, 240), 2 * width)[None, :, None] + rng.uniform(-30, 30, 3)
    large = np.broadcast_to(np.clip(ramp, 0, 255).astype(np.uint8), (2 * height, 2 * width, 3)).copy()
    least = float(rng.uniform(10, 60))
    most = least * float(rng.uniform(1.5, 5))
    for _ in range(int(rng.integers(5, 160))):
        centre, reach = rng.uniform(0, 1, 2) * (2 * width, 2 * height), float(rng.uniform(least, most))
        colour = tuple(int(v) for v in rng.integers(15, 245, 3))
        corners = int(rng.integers(3, 9))
        angles = rng.uniform(0, 2 * np.pi) + np.arange(corners) * 2 * np.pi / corners
        if rng.random() < 0.8:
            points = centre + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            cv2.fillPoly(large, [points.astype(np.int32)], colour)
        else:
            cv2.circle(large, (int(centre[0]), int(centre[1])), int(reach), colour, -1)
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    return u8(small + rng.normal(0, rng.uniform(0, 3), (height, width, 1)))


def _resized(pixels: Pixels, rng: Rng) -> Pixels:
    height, width = pixels.shape[:2]
    factor = float(np.exp(rng.uniform(np.log(0.75), np.log(1.7))))
    factor = max(min(factor, MOST_PX / max(height, width)), (CROP_PX + 2) / min(height, width))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def _changed(marked: Pixels, pixels: Pixels, least: int) -> Grey:
    return (cv2.absdiff(marked, pixels).max(axis=2) >= least).astype(np.uint8)


def _lettered(pixels: Pixels, rng: Rng) -> tuple[Grey, Pixels]:
    """The hull of each piece of lettering, as far as it can be seen, and the picture with it."""
    ways = HARD if rng.random() < HARD_SHARE else WAYS
    planted = overlay(pixels, rng, list(Severity)[int(rng.integers(3))], ways=ways)
    ink = _changed(planted.pixels, pixels, LETTER_STEP)
    hulls = np.zeros_like(ink)
    height, width = ink.shape
    for box in planted.boxes if planted.way == "tiled" else planted.boxes[:1]:
        part = np.zeros_like(ink)
        rows = slice(int(box.y * height), int(np.ceil(box.bottom * height)))
        columns = slice(int(box.x * width), int(np.ceil(box.right * width)))
        part[rows, columns] = ink[rows, columns]
        points = cv2.findNonZero(part)
        if points is not None and len(points) > 20:
            cv2.fillConvexPoly(hulls, cv2.convexHull(points), 1)
    return hulls, planted.pixels


def _as_inspected(pixels: Pixels, letters: Grey, lines: Grey) -> tuple[Pixels, Grey, Grey]:
    """At the size of the middle level, and at least as large as a crop."""
    if max(pixels.shape[:2]) > MIDDLE_PX:
        pixels = shrunk(pixels, longer_px=MIDDLE_PX)
        size = (pixels.shape[1], pixels.shape[0])
        letters = np.asarray(cv2.resize(letters, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        shares = cv2.resize(lines.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        lines = np.asarray(shares > 0.3, np.uint8)
    down, right = (max(0, CROP_PX - length) for length in pixels.shape[:2])

    def padded(plane: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.copyMakeBorder(plane, 0, down, 0, right, cv2.BORDER_CONSTANT), np.uint8)

    return padded(pixels), padded(letters), padded(lines)


def _crop(pixels: Pixels, letters: Grey, lines: Grey, rng: Rng) -> Crop:
    """A part, of four tried rather one that shows something."""
    height, width = letters.shape
    for _ in range(4):
        y, x = int(rng.integers(0, height - CROP_PX + 1)), int(rng.integers(0, width - CROP_PX + 1))
        part = (slice(y, y + CROP_PX), slice(x, x + CROP_PX))
        if int(letters[part].sum()) > 300 or int(lines[part].sum()) > 40 or rng.random() < 0.25:
            break
    jpeg = cv2.imencode(".jpg", pixels[part][:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 96])[1]
    covered = _squares(letters[part], LETTERS_PX).mean(axis=(1, 3))
    return Crop(
        jpeg, (covered * 255).astype(np.uint8), _squares(lines[part], LINES_PX).sum(axis=(1, 3), dtype=np.uint8)
    )


def _squares(plane: Grey, side: int) -> Grey:
    return plane.reshape(CROP_PX // side, side, CROP_PX // side, side)


def batch_of(crops: Sequence[Crop], rng: Rng) -> Batch:
    """Some of the parts, mirrored, at times on their side, lighter, tinted or grey, as torch takes them."""
    pictures, letters, lines = [], [], []
    for index in rng.integers(0, len(crops), _BATCH):
        crop = crops[int(index)]
        planes = [np.asarray(cv2.imdecode(crop.jpeg, cv2.IMREAD_COLOR))[:, :, ::-1], crop.letters, crop.lines]
        if rng.random() < 0.5:
            planes = [plane[:, ::-1] for plane in planes]
        if rng.random() < 0.15:
            planes = [plane.swapaxes(0, 1) for plane in planes]
        picture = planes[0].astype(np.float32)
        if rng.random() < 0.4:
            picture = picture * rng.uniform(0.7, 1.15, 3 if rng.random() < 0.5 else 1) + rng.uniform(-15, 15)
        if rng.random() < 0.15:
            picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
        pictures.append(np.clip(picture, 0, 255).astype(np.float32).transpose(2, 0, 1))
        letters.append(planes[1].astype(np.float32) / 255)
        lines.append(planes[2].astype(np.int64))
    return tuple(torch.from_numpy(np.stack(part)) for part in (pictures, letters, lines))


def main() -> None:
    """Read, plant, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--also", type=Path, action="append", required=True)
    parser.add_argument("--rest-of", type=Path, action="append", default=[])
    parser.add_argument("--crops", type=int, default=26_000, help="parts of pictures that are learned from")
    parser.add_argument("--steps", type=int, default=10_000, help=f"batches of {_BATCH} that are learned from")
    parser.add_argument("--go-on", action="store_true", help="learn on from the network that is in the folder")
    parser.add_argument("--out", type=Path, default=Path(traces.__file__).parent)
    options = parser.parse_args()
    photos = [shrunk(p, longer_px=MOST_PX) for name, p in photographs_of(options.also, options.rest_of)
              if name not in lettered() and max(p.shape[:2]) >= CROP_PX]  # fmt: skip
    rng = np.random.default_rng(1)
    crops: list[Crop] = []
    while len(crops) < options.crops:
        drawn = rng.random() < DRAWN_SHARE
        crops += crops_of(drawn_scene(rng) if drawn else photos[int(rng.integers(len(photos)))], rng)
    print(f"{len(crops)} parts of {len(photos)} photographs", flush=True)
    file = options.out / traces.FILE
    begun = dict(np.load(file)) if options.go_on else None
    arrays = learn(lambda rng: batch_of(crops, rng), steps=options.steps, begun=begun)
    np.savez_compressed(file, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
