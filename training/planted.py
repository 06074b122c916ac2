"""What a planted flaw is, and the tools to draw its strength. Knows no inspector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.catalogue import measure
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels

Rng: TypeAlias = np.random.Generator
Floats: TypeAlias = npt.NDArray[np.float32]

_LEVEL = np.arange(256, dtype=np.float32) / 255
SLOPE = 255 * 1.055 / 2.4 * 0.18 ** (1 / 2.4 - 1)
"""Levels by linear light at middle gray."""
_LINEAR = np.where(_LEVEL <= 0.04045, _LEVEL / 12.92, ((_LEVEL + 0.055) / 1.055) ** 2.4)


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A photograph with one flaw.

    Attributes:
        flaw: Name of the measurement that should see it.
        way: Which of several ways it was made.
        severity: What the strength amounts to by the built-in steps.
        pixels: Upright RGB.
        boxes: Where, for local flaws; empty for the whole picture.
        thin: Whether the boxes are hair-thin.
        file: The file's bytes where the file is part of the flaw; empty otherwise.
        strength: In the measurement's unit; 0 where none was drawn.
    """

    flaw: str
    way: str
    severity: Severity
    pixels: Pixels
    boxes: tuple[Box, ...] = ()
    thin: bool = False
    file: bytes = b""
    strength: float = 0.0


Plant: TypeAlias = Callable[[Pixels, Rng, Severity], Planted]


def strength_of(flaw: str, severity: Severity, rng: Rng, *, most: float = 1.6) -> float:
    """A strength well inside the severity's range by the built-in steps; critical reaches to `most` of its step."""
    steps = measure(flaw).steps
    low = steps[severity.rank]
    high = steps[severity.rank + 1] if severity.rank < 2 else most * low
    return float(rng.uniform(low + 0.1 * (high - low), high - 0.1 * (high - low)))


def u8(values: npt.NDArray[np.generic]) -> Pixels:
    """Rounded and clipped to 0..255."""
    return np.clip(np.rint(np.asarray(values, np.float32)), 0, 255).astype(np.uint8)


def linear(pixels: Pixels) -> Floats:
    """Levels by the sRGB curve to linear light, 0..1."""
    return np.asarray(np.take(_LINEAR, pixels), np.float32)


def display(light: Floats) -> Pixels:
    """Linear light to sRGB."""
    light = np.clip(light, 0, 1)
    return u8(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def as_jpeg(pixels: Pixels, quality: int, *, subsample: bool = True) -> tuple[Pixels, bytes]:
    """The picture after JPEG, and the file."""
    factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsample else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    ok, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[:, :, ::-1]), options)
    assert ok
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[:, :, ::-1]), data.tobytes()


def reach_of(pixels: Pixels) -> float:
    """How far a critical blur reaches, for `strength_of`: as far across a large picture as across one of 640 px."""
    return 1.6 * max(1.0, max(pixels.shape[:2]) / 640)


def as_taken(pixels: Pixels, rng: Rng) -> Pixels:
    """What a camera adds behind the lens: the grain of its sensor, often sharpening, often its own JPEG."""
    light = linear(pixels)
    grain = float(np.exp(rng.uniform(np.log(0.4), np.log(3.0)))) / SLOPE
    light += grain * np.sqrt(0.2 + 0.8 * light / 0.18) * rng.normal(0, 1, light.shape).astype(np.float32)
    taken = display(light)
    if rng.random() < 0.5:
        work = taken.astype(np.float32)
        taken = u8(work + float(rng.uniform(0.3, 1.0)) * (work - cv2.GaussianBlur(work, (0, 0), 0.8)))
    return as_jpeg(taken, int(rng.integers(80, 97)))[0] if rng.random() < 0.6 else taken


def box_of(mask: npt.NDArray[np.bool_]) -> Box:
    """The bounding box of a mask that has at least one pixel."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    return Box.from_pixels(
        float(columns[0]),
        float(rows[0]),
        float(columns[-1] - columns[0] + 1),
        float(rows[-1] - rows[0] + 1),
        image_width_px=width,
        image_height_px=height,
    )
