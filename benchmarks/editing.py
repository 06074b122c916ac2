"""How often seams and copied patches are found where they were planted, and where nothing was.

python benchmarks/editing.py --photos DIR [--most N]

Tone seams of 6 to 20 levels, parts moved by 3 to 10 px along a line, and patches of 2 to 9 % copied elsewhere, each
saved as JPEG at quality 85 afterwards. A seam is met when its box holds the planted line, a copy when both its boxes
reach an IoU of .5.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

import importable  # noqa: F401  # first: the folders that the next imports need
from photo_inspector.editing import find_edits
from photos import photographs
from planted import Rng, as_jpeg
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.suggestion import Brief, Finding
from review_copilot.library import load_guideline

BUDGET_S = 60.0


def tone_seam(pixels: Pixels, rng: Rng) -> tuple[Pixels, tuple[Box, ...]]:
    """One side lighter or darker."""
    column = int(rng.uniform(0.2, 0.8) * pixels.shape[1])
    out = pixels.astype(np.float32)
    out[:, column:] += float(rng.choice([-1, 1])) * rng.uniform(6, 20)
    return _saved(np.clip(out, 0, 255).astype(np.uint8)), (Box(column / pixels.shape[1], 0, 1e-6, 1),)


def shifted_seam(pixels: Pixels, rng: Rng) -> tuple[Pixels, tuple[Box, ...]]:
    """One side moved up or down."""
    column = int(rng.uniform(0.2, 0.8) * pixels.shape[1])
    out = pixels.copy()
    out[:, column:] = np.roll(pixels, int(rng.choice([-1, 1]) * rng.integers(3, 11)), axis=0)[:, column:]
    return _saved(out), (Box(column / pixels.shape[1], 0, 1e-6, 1),)


def copied(pixels: Pixels, rng: Rng) -> tuple[Pixels, tuple[Box, ...]]:
    """A patch put elsewhere."""
    height, width = pixels.shape[:2]
    w, h = (int(rng.uniform(0.14, 0.3) * side) for side in (width, height))
    x, y, u, v = 0, 0, 0, 0
    while abs(u - x) < w and abs(v - y) < h:
        x, u = (int(n) for n in rng.integers(0, width - w, 2))
        y, v = (int(n) for n in rng.integers(0, height - h, 2))
    out = pixels.copy()
    out[v : v + h, u : u + w] = pixels[y : y + h, x : x + w]
    size = (w / width, h / height)
    return _saved(out), (Box(x / width, y / height, *size), Box(u / width, v / height, *size))


def _saved(pixels: Pixels) -> Pixels:
    return as_jpeg(pixels, 85)[0]


def look(pixels: Pixels) -> tuple[Finding, ...]:
    """What is reported of a picture."""
    height, width = pixels.shape[:2]
    image = ReviewImage("planted", b"", "", "JPEG", width, height, lambda _longest: pixels)
    return find_edits(Brief(image, load_guideline("edited-photo")), budget_s=BUDGET_S).findings


def met(found: tuple[Finding, ...], criterion: str, truth: tuple[Box, ...]) -> bool:
    """Whether every planted place has its box."""
    boxes = [f.box for f in found if f.criterion_id == criterion and f.box is not None]
    if criterion == "EP-01":
        return any(box.x <= truth[0].x <= box.right and box.height > box.width for box in boxes)
    return all(any(box.iou(true) >= 0.5 for box in boxes) for true in truth)


PLANTS: dict[str, tuple[str, Callable[[Pixels, Rng], tuple[Pixels, tuple[Box, ...]]]]] = {
    "jump of tone": ("EP-01", tone_seam),
    "parts moved": ("EP-01", shifted_seam),
    "copied patch": ("EP-02", copied),
}


def main() -> None:
    """Plant, look, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=None, help="folder of photographs; scikit-image's when left out")
    parser.add_argument("--most", type=int, default=60)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    photos = list(photographs(options.photos, "report"))[: options.most]
    began = time.perf_counter()
    clean = [look(pixels) for _, pixels in photos]
    each_s = (time.perf_counter() - began) / len(photos)
    print(f"{len(photos)} photographs, {each_s:.2f} s each")
    for name, (criterion, plant) in PLANTS.items():
        rng = np.random.default_rng(1)
        found = []
        for _, pixels in photos:
            planted, truth = plant(pixels, rng)
            found.append(met(look(planted), criterion, truth))
        false = np.mean([any(f.criterion_id == criterion for f in said) for said in clean])
        print(f"{name:14s} met {np.mean(found):.2f}, clean pictures with {criterion} {false:.3f}")


if __name__ == "__main__":
    main()
