"""Dust, scratches and hairs, each made in several ways. Knows no inspector."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from planted import Floats, Planted, Rng, box_of, u8
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels

SCRATCHES = ("upright", "slanting", "across", "curved", "emulsion", "hair")
_VISIBLE = (1.8, 4.0)
"""A spot is planted where it is this many times deeper than the scene's own spread; else nobody could see it."""

LEAST_RADIUS_PX = 2.0
"""A smaller spot is one pixel of noise."""


LEAST_STEP = 10.0
"""Gray levels by which half of a scratch's pixels change at least; a dark hair on black is there and not to be seen."""


def dust(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Soft or crisp round spots where they can be seen, as from a sensor or a scan; the strength is their number."""
    wanted = {
        "minor": int(rng.integers(1, 4)),
        "major": int(rng.integers(4, 10)),
        "critical": int(rng.integers(10, 18)),
    }
    way = str(rng.choice(["sensor", "gaussian", "crisp", "ring", "lint", "light"]))
    height, width = pixels.shape[:2]
    luma = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
    out = pixels.astype(np.float32)
    boxes: list[Box] = []
    visible = float(rng.uniform(*_VISIBLE))
    largest = float(rng.uniform(0.012, 0.028))
    for _ in range(600):
        if len(boxes) == wanted[severity.value]:
            break
        radius = max(LEAST_RADIUS_PX, float(rng.uniform(0.006, largest) * max(width, height)))
        x, y = float(rng.uniform(2 * radius, width - 2 * radius)), float(rng.uniform(2 * radius, height - 2 * radius))
        depth = float(rng.uniform(0.12, 0.5))
        around = luma[int(y - 2 * radius) : int(y + 2 * radius) + 1, int(x - 2 * radius) : int(x + 2 * radius) + 1]
        level = float(np.median(around))
        levels = depth * (255 - level if way == "light" else level)
        if levels < 8 or levels < visible * float(around.std()):
            continue
        spot = _spot(way, rng, (height, width), (x, y, radius))
        box = box_of(spot > 0.12)
        if any(box.iou(other) > 0 for other in boxes):
            continue
        goal = 255.0 if way == "light" else 0.0
        out += (goal - out) * (depth * spot)[..., None]
        boxes.append(box)
    if not boxes:  # no smooth ground at all: one plain spot in the middle
        spot = _spot(
            "crisp", rng, (height, width), (width / 2, height / 2, max(LEAST_RADIUS_PX, 0.015 * max(width, height)))
        )
        out -= out * (0.8 * spot)[..., None]
        boxes.append(box_of(spot > 0.12))
    reached = Severity.MINOR if len(boxes) < 4 else Severity.MAJOR if len(boxes) < 10 else Severity.CRITICAL
    return Planted("dust", way, reached, u8(out), tuple(boxes))


def _spot(way: str, rng: Rng, shape: tuple[int, int], at: tuple[float, float, float]) -> Floats:
    """A spot's density, 0..1, in a picture of that shape, at x, y with a radius."""
    x, y, radius = at
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    turn = float(rng.uniform(0, np.pi))
    across = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
    up = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
    squeeze = float(rng.uniform(1.0, 1.25))
    away = np.hypot(across / squeeze, up) / radius
    if way == "lint":  # an uneven outline
        away = away * (1 + 0.18 * np.sin(2 * np.arctan2(up, across) + turn) + 0.1 * np.sin(5 * np.arctan2(up, across)))
    if way == "gaussian":
        spot = np.exp(-2 * away**2)
    elif way in {"crisp", "lint"}:
        spot = np.clip((1.05 - away) * radius / 2, 0, 1)
    elif way == "ring":
        spot = np.exp(-((away / 0.8) ** 6)) * (0.75 + 0.25 * np.clip(away, 0, 1))
    else:
        spot = np.exp(-((away / 0.75) ** 4))
    return np.asarray(spot, np.float32)


def scratch(pixels: Pixels, rng: Rng, severity: Severity, *, ways: Sequence[str] = SCRATCHES) -> Planted:
    """Fine lines and hairs where they can be seen, in one of some ways; the strength is their number."""
    count = {"minor": int(rng.integers(1, 4)), "major": int(rng.integers(4, 8)), "critical": int(rng.integers(10, 14))}
    height, width = pixels.shape[:2]
    way = str(rng.choice(list(ways)))
    out = pixels.astype(np.float32)
    boxes: list[Box] = []
    for _ in range(20 * count[severity.value]):
        if len(boxes) == count[severity.value]:
            break
        line = _track(way, rng, (height, width))
        if way == "emulsion":  # a colored gouge into one layer of the film
            color = np.array([(90, 230, 90), (120, 200, 255), (255, 240, 120)][int(rng.integers(3))], np.float32)
        else:
            light = rng.random() < (0.2 if way == "hair" else 0.7)
            color = np.full(3, rng.uniform(225, 255) if light else rng.uniform(0, 35), np.float32)
        step = (color - out) * (float(rng.uniform(0.5, 0.95)) * line[..., None])
        if (line > 0.25).any() and float(np.median(np.abs(step).max(axis=2)[line > 0.25])) >= LEAST_STEP:
            out += step
            boxes.append(box_of(line > 0.25))
    return Planted("scratch", way, severity, u8(out), tuple(boxes), thin=True)


def _track(way: str, rng: Rng, shape: tuple[int, int]) -> Floats:
    """One line's density, 0..1."""
    height, width = shape
    steps = np.linspace(0, 1, 40)
    shaken = float(rng.random() < 0.5)  # the other half is drawn with a ruler
    if way == "hair":
        size = float(rng.uniform(0.12, 0.35)) * min(height, width)
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.09, 40) + rng.normal(0, 0.06))
        xs = rng.uniform(0.15, 0.85) * width + np.cumsum(np.cos(heading)) * size / 40
        ys = rng.uniform(0.15, 0.85) * height + np.cumsum(np.sin(heading)) * size / 40
    elif way == "across":
        turn = float(rng.uniform(0, np.pi))
        along = (steps - 0.5) * float(rng.uniform(0.25, 0.9)) * min(height, width)
        shake_x, shake_y = shaken * np.cumsum(rng.normal(0, 0.15, (2, 40)), axis=1)
        xs = rng.uniform(0.2, 0.8) * width + along * np.cos(turn) + shake_x
        ys = rng.uniform(0.2, 0.8) * height + along * np.sin(turn) + shake_y
    else:
        length = float(rng.uniform(0.25, 0.98)) * height
        lean = float(rng.normal(0, 0.02)) if way in {"upright", "emulsion"} else float(rng.uniform(-1.2, 1.2))
        bow = float(rng.uniform(0.02, 0.1)) * length * float(rng.choice([-1, 1])) if way == "curved" else 0.0
        x0, y0 = rng.uniform(0.05, 0.95) * width, rng.uniform(0, 0.9 * (height - length) + 1)
        shake = shaken * np.cumsum(rng.normal(0, 0.25, 40))
        xs = np.asarray(x0 + lean * length * steps + 4 * bow * steps * (1 - steps) + shake, np.float64)
        ys = np.asarray(y0 + length * steps, np.float64)
    line = np.zeros((height, width), np.uint8)
    points = np.round(np.stack([xs, ys], axis=1) * 8).astype(np.int32)
    thick = int(rng.integers(1, 3)) if max(shape) < 900 else int(rng.integers(1, 4))
    cv2.polylines(line, [points], isClosed=False, color=255, thickness=thick, lineType=cv2.LINE_AA, shift=3)
    density = line.astype(np.float32) / 255
    if rng.random() < 0.3:  # not every scratch is equally deep all along
        wave = 0.75 + 0.25 * np.sin(np.arange(height) * rng.uniform(0.01, 0.05) + rng.uniform(0, 6))
        density *= wave[:, None].astype(np.float32)
    return np.asarray(density, np.float32)
