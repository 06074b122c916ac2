"""Learn to see where lettering, fine lines and dust were laid over a picture: the network of `traces.py`.

python benchmarks/learn_traces.py --also DIR [--also DIR ...] [--rest-of DIR ...] [--fonts DIR ...] [--crops N]
    [--steps N] [--go-on] [--out FOLDER]

Photographs are read as in learn.py: none that calibrate.py or accuracy.py read. Half of them get scratches or hairs,
half get lettering or a sign, a third get dust (see plant_marks.py and plant_text.py); some have another flaw besides,
which teaches nothing but patience. The network learns where they are and which box each part of them belongs to. Needs
torch, which the product does without.
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
from photo_inspector.networks import traces
from photo_inspector.networks.traces import LETTERS_PX, LINES_PX
from photo_inspector.pixels.frame import MIDDLE_PX, shrunk
from photos import lettered
from plant_marks import SCRATCHES, dust, scratch
from plant_text import WAYS, overlay, write_with_fonts_of
from planted import Rng, as_jpeg, u8
from recipes import PLANTS
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels
from trace_network import Batch, learn

CROP_PX = 384
"""Side of the parts that the network learns from."""
MOST_PX = 1024
"""Longer side of the photographs that are planted in."""
BESIDES = ("defocus", "noise", "compression", "low_contrast", "under_exposure", "over_exposure", "border",
           "defocus_patch", "upscaling", "banding", "motion_blur", "colour_cast")  # fmt: skip
"""Other flaws that a picture with or without marks may have."""
HARD = ("diagonal", "diagonal", "logo", "logo", "tiled", "watermark")
HARD_LINES = ("hair", "hair", "curved")
HARD_SHARE = 0.5
"""Ways of lettering and of lines that are learned slowly, and how often one of these is taken."""
DRAWN_SHARE = 0.04
"""Share of drawn scenes among photographs: flat shapes with crisp corners are no letters."""
LEAST_SHOWN = 0.6
"""Share of a box that lies in a part from which its edges are learned."""
LETTER_STEP, LINE_STEP, SPOT_STEP = 5, 8, 6
"""Levels by which lettering, lines and spots change what can be seen of them."""
_BATCH = 12
Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture and what was laid over it.

    Attributes:
        jpeg: The part, 96 of 100, BGR.
        letters: Share of each LETTERS_PX square that lettering covers, 0..255.
        lines: Pixels of each LINES_PX square that a line covers.
        spots: The same of spots.
        owners: Which box each LETTERS_PX square belongs to, of lettering and of lines, 0 for none; shape (2, rows,
            columns).
        boxes: Left, upper, right and lower edges in pixels of the part, lettering's and then lines', shape (boxes, 4).
    """

    jpeg: Gray
    letters: Gray
    lines: Gray
    spots: Gray
    owners: Gray
    boxes: Floats


@dataclass(frozen=True, slots=True)
class Laid:
    """What was laid over a picture, at each of its pixels.

    Attributes:
        letters: Where the hull of lettering is, 0 or 1.
        lines: Where lines are, 0 or 1.
        spots: Where spots are, 0 or 1.
        owners: Which box each pixel belongs to, of lettering and of lines, 0 for none.
        boxes: Edges in pixels, shape (boxes, 4).
    """

    letters: Gray
    lines: Gray
    spots: Gray
    owners: tuple[Gray, Gray]
    boxes: Floats


def crops_of(pixels: Pixels, rng: Rng) -> list[Crop]:
    """Two or three parts of a photograph, at another size most of the time."""
    if rng.random() < 0.6 or min(pixels.shape[:2]) < CROP_PX + 2:
        pixels = _resized(pixels, rng)
    pixels = np.ascontiguousarray(pixels[:, ::-1] if rng.random() < 0.5 else pixels)
    if rng.random() < 0.25:
        severity = list(Severity)[int(rng.choice(3, p=[0.5, 0.35, 0.15]))]
        pixels = PLANTS[str(rng.choice(BESIDES))](pixels, rng, severity).pixels
    nothing = np.zeros(pixels.shape[:2], np.uint8)
    letters = lines = spots = letter_owners = line_owners = nothing
    boxes: list[Box] = []
    with_letters, with_lines, with_spots = rng.random(3) < (0.5, 0.5, 0.35)
    if with_spots:
        planted = dust(pixels, rng, list(Severity)[int(rng.integers(3))])
        spots = _changed(planted.pixels, pixels, SPOT_STEP) * (_innermost(planted.boxes, spots.shape) > 0)
        pixels = planted.pixels
    if with_lines:
        ways = HARD_LINES if rng.random() < HARD_SHARE else SCRATCHES
        planted = scratch(pixels, rng, list(Severity)[int(rng.integers(3))], ways=ways)
        lines, pixels = _changed(planted.pixels, pixels, LINE_STEP), planted.pixels
        line_owners = lines * _innermost(planted.boxes, lines.shape)
        boxes += planted.boxes
    if with_letters:
        letters, letter_owners, lettered_boxes, pixels = _lettered(pixels, rng, first=len(boxes) + 1)
        boxes += lettered_boxes
    if rng.random() < 0.35:
        pixels = as_jpeg(pixels, int(rng.integers(60, 97)))[0]
    edges = np.array([(b.x, b.y, b.right, b.bottom) for b in boxes], np.float32).reshape(-1, 4)
    laid = Laid(
        letters, lines, spots, (letter_owners, line_owners), edges * np.tile(nothing.shape[::-1], 2).astype(np.float32)
    )
    pixels, laid = _as_inspected(pixels, laid)
    return [_crop(pixels, laid, rng) for _ in range(2 if max(pixels.shape) < 600 else 3)]


def _innermost(boxes: Sequence[Box], shape: tuple[int, ...]) -> Gray:
    """The number, from 1 on, of the smallest box that each pixel is in; 0 for none."""
    out = np.zeros(shape, np.uint8)
    for index in sorted(range(len(boxes)), key=lambda at: -boxes[at].area):
        box = boxes[index]
        rows = slice(int(box.y * shape[0]), int(np.ceil(box.bottom * shape[0])))
        out[rows, int(box.x * shape[1]) : int(np.ceil(box.right * shape[1]))] = index + 1
    return out


def drawn_scene(rng: Rng) -> Pixels:
    """Polygons and discs of all colors over a soft ground, few or many, large or small."""
    height, width = (int(rng.integers(330, most)) for most in (700, 760))
    ramp = np.linspace(rng.uniform(30, 140), rng.uniform(100, 240), 2 * width)[None, :, None] + rng.uniform(-30, 30, 3)
    large = np.broadcast_to(np.clip(ramp, 0, 255).astype(np.uint8), (2 * height, 2 * width, 3)).copy()
    least = float(rng.uniform(10, 60))
    most = least * float(rng.uniform(1.5, 5))
    for _ in range(int(rng.integers(5, 160))):
        center, reach = rng.uniform(0, 1, 2) * (2 * width, 2 * height), float(rng.uniform(least, most))
        color = tuple(int(v) for v in rng.integers(15, 245, 3))
        corners = int(rng.integers(3, 9))
        angles = rng.uniform(0, 2 * np.pi) + np.arange(corners) * 2 * np.pi / corners
        if rng.random() < 0.8:
            points = center + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            cv2.fillPoly(large, [points.astype(np.int32)], color)
        else:
            cv2.circle(large, (int(center[0]), int(center[1])), int(reach), color, -1)
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    return u8(small + rng.normal(0, rng.uniform(0, 3), (height, width, 1)))


def _resized(pixels: Pixels, rng: Rng) -> Pixels:
    height, width = pixels.shape[:2]
    factor = float(np.exp(rng.uniform(np.log(0.75), np.log(1.7))))
    factor = max(min(factor, MOST_PX / max(height, width)), (CROP_PX + 2) / min(height, width))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def _changed(marked: Pixels, pixels: Pixels, least: int) -> Gray:
    return np.asarray(cv2.absdiff(marked, pixels).max(axis=2) >= least, np.uint8)


def _lettered(pixels: Pixels, rng: Rng, *, first: int) -> tuple[Gray, Gray, list[Box], Pixels]:
    """The hull of each piece of lettering, as far as it can be seen, whose it is, their boxes, and the picture with it.

    Args:
        pixels: The picture without it.
        rng: Where chance comes from.
        first: Number of the first box.
    """
    ways = HARD if rng.random() < HARD_SHARE else WAYS
    planted = overlay(pixels, rng, list(Severity)[int(rng.integers(3))], ways=ways)
    ink = _changed(planted.pixels, pixels, LETTER_STEP)
    hulls, owners = np.zeros_like(ink), np.zeros_like(ink)
    height, width = ink.shape
    for index, box in enumerate(planted.boxes):
        part = np.zeros_like(ink)
        rows = slice(int(box.y * height), int(np.ceil(box.bottom * height)))
        columns = slice(int(box.x * width), int(np.ceil(box.right * width)))
        part[rows, columns] = ink[rows, columns]
        points = np.argwhere(part)[:, ::-1].astype(np.int32)
        if len(points) > 20:
            cv2.fillConvexPoly(hulls, cv2.convexHull(points), 1)
            cv2.fillConvexPoly(owners, cv2.convexHull(points), first + index)
    return hulls, owners, list(planted.boxes), planted.pixels


def _as_inspected(pixels: Pixels, laid: Laid) -> tuple[Pixels, Laid]:
    """At the size of the middle level, and at least as large as a crop."""
    if max(pixels.shape[:2]) > MIDDLE_PX:
        factor = MIDDLE_PX / max(pixels.shape[:2])
        pixels = shrunk(pixels, longer_px=MIDDLE_PX)
        size = (pixels.shape[1], pixels.shape[0])
        letters, *owners = (
            np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST), np.uint8)
            for plane in (laid.letters, *laid.owners)
        )
        lines, spots = (
            np.asarray(cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.3, np.uint8)
            for plane in (laid.lines, laid.spots)
        )
        laid = Laid(letters, lines, spots, (owners[0], owners[1]), laid.boxes * factor)
    down, right = (max(0, CROP_PX - length) for length in pixels.shape[:2])

    def padded(plane: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.copyMakeBorder(plane, 0, down, 0, right, cv2.BORDER_CONSTANT), np.uint8)

    planes = (laid.letters, laid.lines, laid.spots, *laid.owners)
    letters, lines, spots, first, second = (padded(plane) for plane in planes)
    return padded(pixels), Laid(letters, lines, spots, (first, second), laid.boxes)


def _crop(pixels: Pixels, laid: Laid, rng: Rng) -> Crop:
    """A part, of four tried rather one that shows something."""
    height, width = laid.letters.shape
    for _ in range(4):
        y, x = int(rng.integers(0, height - CROP_PX + 1)), int(rng.integers(0, width - CROP_PX + 1))
        part = (slice(y, y + CROP_PX), slice(x, x + CROP_PX))
        shown = (int(laid.letters[part].sum()) > 300, int((laid.lines | laid.spots)[part].sum()) > 40)
        if any(shown) or rng.random() < 0.25:
            break
    jpeg = cv2.imencode(".jpg", pixels[part][:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 96])[1]
    covered = _squares(laid.letters[part], LETTERS_PX).mean(axis=(1, 3))
    lined, spotted = (
        _squares(plane[part], LINES_PX).sum(axis=(1, 3), dtype=np.uint8) for plane in (laid.lines, laid.spots)
    )
    owners = np.stack([_squares(plane[part], LETTERS_PX).max(axis=(1, 3)) for plane in laid.owners])
    corner = np.array([x, y, x, y], np.float32)
    return Crop(jpeg, (covered * 255).astype(np.uint8), lined, spotted, owners, laid.boxes - corner)


def _edges_of(owners: Gray, boxes: Floats) -> Floats:
    """Distances in pixels from each square's middle to the edges of its box, shape (4, rows, columns); 0 for none.

    What reaches far out of the part has none: nobody can tell where it ends.
    """
    out = np.zeros((4, *owners.shape), np.float32)
    inside = np.clip(boxes, 0, CROP_PX)
    sizes, shown = (np.maximum(b[:, 2:] - b[:, :2], 1).prod(axis=1) for b in (boxes, inside))
    rows, columns = np.nonzero((owners > 0) & (np.append(0, shown >= LEAST_SHOWN * sizes)[owners] > 0))
    if rows.size == 0:
        return out
    x, y = (columns + 0.5) * LETTERS_PX, (rows + 0.5) * LETTERS_PX
    left, top, right, bottom = inside[owners[rows, columns] - 1].T
    out[:, rows, columns] = np.maximum([x - left, y - top, right - x, bottom - y], 0.5)
    return out


def _squares(plane: Gray, side: int) -> Gray:
    return plane.reshape(CROP_PX // side, side, CROP_PX // side, side)


def batch_of(crops: Sequence[Crop], rng: Rng) -> Batch:
    """Some of the parts, mirrored, at times on their side, lighter, tinted or gray, as torch takes them."""
    parts: list[list[npt.NDArray[np.generic]]] = []
    for index in rng.integers(0, len(crops), _BATCH):
        crop = crops[int(index)]
        pixels = np.asarray(cv2.imdecode(crop.jpeg, cv2.IMREAD_COLOR))[:, :, ::-1]
        planes, boxes = [pixels, crop.letters, crop.lines, crop.spots, *crop.owners], crop.boxes
        if rng.random() < 0.5:
            planes = [plane[:, ::-1] for plane in planes]
            boxes = np.stack([CROP_PX - boxes[:, 2], boxes[:, 1], CROP_PX - boxes[:, 0], boxes[:, 3]], axis=1)
        if rng.random() < 0.15:
            planes, boxes = [plane.swapaxes(0, 1) for plane in planes], boxes[:, [1, 0, 3, 2]]
        picture = planes[0].astype(np.float32)
        if rng.random() < 0.4:
            picture = picture * rng.uniform(0.7, 1.15, 3 if rng.random() < 0.5 else 1) + rng.uniform(-15, 15)
        if rng.random() < 0.15:
            picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
        shown = np.clip(picture, 0, 255).astype(np.float32).transpose(2, 0, 1)
        edges = [_edges_of(np.asarray(owners, np.uint8), boxes) for owners in planes[4:]]
        marked = [plane.astype(np.int64) for plane in planes[2:4]]
        parts.append([shown, planes[1].astype(np.float32) / 255, *marked, *edges])
    return tuple(torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))


def main() -> None:
    """Read, plant, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--also", type=Path, action="append", required=True)
    parser.add_argument("--rest-of", type=Path, action="append", default=[])
    parser.add_argument("--crops", type=int, default=26_000, help="parts of pictures that are learned from")
    parser.add_argument("--steps", type=int, default=10_000, help=f"batches of {_BATCH} that are learned from")
    parser.add_argument("--go-on", action="store_true", help="learn on from the network that is in the folder")
    parser.add_argument("--fonts", type=Path, action="append", default=[], help="folder of more fonts to write with")
    parser.add_argument("--out", type=Path, default=Path(traces.__file__).parent)
    options = parser.parse_args()
    for folder in options.fonts:
        write_with_fonts_of(folder)
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
