"""Photographs as the network of `sight.py` learns from them: turned, lighter or darker, tinted. Reads no files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch

from photo_inspector.networks.sight import LEVEL_SHARE, SIZE_PX
from plant_tone import EXPOSURES, TINTS, exposed, tint_of, tinted
from planted import Floats, Rng, as_jpeg, u8
from review_copilot.domain.image import Pixels
from sight_network import Batch

KEPT_PX = 288
"""Longer side at which photographs are kept."""
SMALL_PX, SMALL_SHARE = 204, 0.18
"""A photograph whose longer side is less is small; share of the pictures that come of such, where there are both."""
MOST_DEG = 14.0
_LYING = 0.75
"""Share of square photographs that are made broad; the others are made high."""
_OVER, _UNDER = 0.36, 0.1
"""Share of the pictures that get more light, and less."""
_TINTED, _TINTED_LIGHT = 0.5, 0.25
"""Share of the pictures that are tinted, and of those with more light."""
_TINT_BANK, _BATCH = 3000, 32
Tint = tuple[Floats, str, Floats]
"""A color, a way, and what it makes of middle gray in a* and b*."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the network sees, and what was done to it.

    Attributes:
        pixels: SIZE_PX, lying or standing.
        degrees: How far it was turned clockwise.
        lab: a* and b* that its tint gives to middle gray; zeros for none.
        stops: Light added, negative for taken.
    """

    pixels: Pixels
    degrees: float
    lab: Floats
    stops: float


def batches_of(photos: Sequence[Pixels]) -> Callable[[Rng], Batch]:
    """Draws batches of pictures that all lie, or all stand, as often as the photographs do."""
    tints = tint_bank(np.random.default_rng(1))
    lying = np.array([photo.shape[1] >= photo.shape[0] for photo in photos])
    drawn = shares_of(photos)
    lie = float(drawn[lying].sum())
    shelves = {way: np.cumsum(np.where(lying == way, drawn, 0)) for way in (True, False)}

    def batch(rng: Rng) -> Batch:
        study_cache = shelves[bool(rng.random() < lie)]
        views: list[View] = []
        while len(views) < _BATCH:
            at = int(np.searchsorted(study_cache, rng.random() * study_cache[-1]))
            view = view_of(photos[min(at, len(photos) - 1)], tints, rng)
            if not views or view.pixels.shape == views[0].pixels.shape:
                views.append(view)
        return (
            torch.from_numpy(np.stack([view.pixels for view in views])).permute(0, 3, 1, 2).float(),
            torch.tensor([view.degrees for view in views], dtype=torch.float32),
            torch.from_numpy(np.stack([view.lab for view in views])),
            torch.tensor([view.stops for view in views], dtype=torch.float32),
        )

    return batch


def shares_of(photos: Sequence[Pixels]) -> npt.NDArray[np.float64]:
    """How likely each photograph is drawn: all alike, but small ones SMALL_SHARE together."""
    small = np.array([max(photo.shape[:2]) < SMALL_PX for photo in photos])
    both = small.any() and not small.all()
    shares = np.zeros(len(photos))
    for kind, share in ((small, SMALL_SHARE if both else 1.0), (~small, 1 - SMALL_SHARE if both else 1.0)):
        shares[kind] = share / max(1, int(kind.sum()))
    return np.asarray(shares / shares.sum())


def tint_bank(rng: Rng) -> list[Tint]:
    """Different tints; more teach nothing."""
    bank = []
    for _ in range(_TINT_BANK):
        way = str(rng.choice(TINTS))
        color = tint_of(float(rng.uniform(4, 38)), way, rng)
        gray = tinted(np.full((1, 1, 3), 128, np.uint8), color, way).astype(np.float32) / 255
        bank.append((color, way, np.asarray(cv2.cvtColor(gray, cv2.COLOR_RGB2LAB), np.float32)[0, 0, 1:]))
    return bank


def view_of(photo: Pixels, tints: Sequence[Tint], rng: Rng) -> View:
    """A part of a photograph, turned, and lit, tinted and spoiled otherwise as the dice fall."""
    pixels, degrees = turned_part(_unsqueezed(photo, rng), rng)
    if rng.random() < 0.25:
        levels = 255 * (pixels / 255.0) ** rng.uniform(0.6, 1.5) * rng.uniform(0.6, 1.1) + rng.uniform(0, 25)
        pixels = np.clip(levels, 0, 255).astype(np.uint8)
    lab: Floats = np.zeros(2, np.float32)
    stops, kind = 0.0, rng.random()
    if kind < _OVER + _UNDER:
        stops = float(rng.uniform(0.8, 3.0) if kind < _OVER else -rng.uniform(1.0, 5.0))
        pixels = exposed(pixels, stops, str(rng.choice(EXPOSURES)))
    if rng.random() < (_TINTED if stops <= 0 else _TINTED_LIGHT):
        color, way, lab = tints[int(rng.integers(len(tints)))]
        pixels = tinted(pixels, color, way)
    return View(_spoilt(pixels, rng) if rng.random() < 0.25 else pixels, degrees, lab, stops)


def _unsqueezed(photo: Pixels, rng: Rng) -> Pixels:
    """A square photograph made as broad, or as high, as photographs are; others as they are."""
    height, width = photo.shape[:2]
    if abs(height - width) >= 3:
        return photo
    longer = int(width * rng.uniform(1.2, 1.5))
    return np.asarray(cv2.resize(photo, (longer, height) if rng.random() < _LYING else (width, longer)), np.uint8)


def turned_part(photo: Pixels, rng: Rng) -> tuple[Pixels, float]:
    """Most of a photograph, turned clockwise by some degrees, by none nearly half of the time.

    Upright parts go through the same resampling and are cropped alike, so that neither tells. At times one rectangle is
    hidden (Z. Zhong and others, "Random erasing data augmentation", AAAI 2020), gamma is off, or color is gone.
    """
    degrees = 0.0 if rng.random() < LEVEL_SHARE else float(rng.uniform(-MOST_DEG, MOST_DEG))
    mirrored = bool(rng.random() < 0.5)
    height, width = photo.shape[:2]
    columns, rows = SIZE_PX if width >= height else SIZE_PX[::-1]
    angle = np.radians(-degrees if mirrored else degrees)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    keep = min(width / (width * cos + height * abs(sin)), height / (width * abs(sin) + height * cos))
    w, h = width * keep * rng.uniform(0.7, 1), height * keep * rng.uniform(0.7, 1)
    room = np.array([width - w * cos - h * abs(sin), height - w * abs(sin) - h * cos]) / 2
    middle = np.array([width / 2, height / 2]) + rng.uniform(-1, 1, 2) * np.maximum(room, 0)
    across, down = w / columns * (-1 if mirrored else 1), h / rows
    map_back: npt.NDArray[np.float64] = np.array([[cos * across, sin * down, 0], [-sin * across, cos * down, 0]])
    map_back[:, 2] = middle - map_back[:, :2] @ np.array([(columns - 1) / 2, (rows - 1) / 2])
    part = np.asarray(cv2.warpAffine(
        photo, map_back, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    ), np.uint8)  # fmt: skip
    if rng.random() < 0.4:
        part = (255 * (part / 255.0) ** rng.uniform(0.5, 1.8)).astype(np.uint8)
    if rng.random() < 0.3:
        part = _partly_hidden(part, rng)
    if rng.random() < 0.2:
        part = np.repeat(np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8)[..., None], 3, axis=2)
    return part, degrees


def _partly_hidden(part: Pixels, rng: Rng) -> Pixels:
    """A rectangle of up to half the width and height is one tone, so that no single thing is relied on."""
    height, width = part.shape[:2]
    h, w = (int(v * rng.uniform(0.15, 0.5)) for v in (height, width))
    y, x = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    out = part.copy()
    out[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return out


def _spoilt(pixels: Pixels, rng: Rng) -> Pixels:
    """Another flaw, which says nothing of light, tint and lean."""
    work = pixels.astype(np.float32)
    kind = int(rng.integers(6))
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.6, 2.2))), np.uint8)
    if kind == 1:
        return u8(work + rng.normal(0, rng.uniform(4, 24), pixels.shape))
    if kind == 2:
        return as_jpeg(pixels, int(rng.integers(8, 40)))[0]
    if kind == 3:
        middle = rng.uniform(100, 210)
        return u8(middle + (work - middle) * rng.uniform(0.3, 0.8))
    if kind == 4:
        return _smeared(pixels, rng)
    step = float(rng.uniform(12, 40))
    return u8(np.floor(work / step) * step + step / 2)


def _smeared(pixels: Pixels, rng: Rng) -> Pixels:
    side = int(rng.integers(3, 12))
    kernel, angle, reach = np.zeros((side, side), np.float32), rng.uniform(0, np.pi), (side - 1) / 2
    for step in np.linspace(-reach, reach, 4 * side):
        kernel[round(reach + step * np.sin(angle)), round(reach + step * np.cos(angle))] += 1
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)
