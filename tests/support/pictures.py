"""Drawn pictures with known flaws, so that measurements have known answers."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from photo_inspector.lettering.overlay import Lettering, lettering
from photo_inspector.marks.fibers import Fiber, fibers
from photo_inspector.marks.lines import Line, lines
from photo_inspector.networks.traces import traces
from photo_inspector.pixels.frame import build_frame
from review_copilot.domain.image import Pixels


def scene(*, seed: int = 7, width_px: int = 480, height_px: int = 320) -> Pixels:
    """A sharp, well exposed scene of many colored polygons of all directions over a soft ground."""
    rng = np.random.default_rng(seed)
    big = np.zeros((height_px * 2, width_px * 2, 3), np.uint8)
    ramp = np.linspace(90, 150, big.shape[1], dtype=np.float32)
    big[:] = np.broadcast_to(ramp[None, :, None], big.shape).astype(np.uint8)
    for _ in range(120):
        center = rng.uniform(0, 1, 2) * (big.shape[1], big.shape[0])
        radius = rng.uniform(38, 90)
        corners = int(rng.integers(3, 8))
        turn = rng.uniform(0, 2 * np.pi)
        angles = turn + np.arange(corners) * 2 * np.pi / corners
        points = center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(big, [points.astype(np.int32)], tuple(int(v) for v in rng.integers(25, 230, 3)))
    small = cv2.resize(big, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(np.rint(small + rng.normal(0, 1.5, (height_px, width_px, 1))), 0, 255), np.uint8)


def facade() -> Pixels:
    """A wall with three rows of windows."""
    pixels = np.full((320, 420, 3), 170, np.uint8)
    for top in (50, 140, 230):
        for left in range(40, 360, 80):
            cv2.rectangle(pixels, (left, top), (left + 45, top + 55), (60, 70, 80), -1)
    return pixels


def blurred(pixels: Pixels, *, sigma_px: float) -> Pixels:
    """The picture behind a Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma_px), np.uint8)


def smeared(pixels: Pixels, *, length_px: int, angle_deg: float = 0.0) -> Pixels:
    """The picture moved along a straight line of the given length during exposure; 0 degrees is sideways."""
    side = length_px + 4 + length_px % 2 + 1
    kernel = np.zeros((side * 8, side * 8), np.float32)
    middle = (side * 8 - 1) / 2
    reach = length_px * 4 * np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    ends = [tuple(round(float(v)) for v in middle + sign * reach) for sign in (-1, 1)]
    cv2.line(kernel, (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1]), 1.0, 8)
    small = cv2.resize(kernel, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.filter2D(pixels, -1, small / small.sum(), borderType=cv2.BORDER_REFLECT), np.uint8)


def grained(pixels: Pixels, *, sigma: float, seed: int = 3) -> Pixels:
    """The picture with the same Gaussian grain on all channels."""
    grain = np.random.default_rng(seed).normal(0, sigma, pixels.shape[:2])[..., None]
    return np.asarray(np.clip(np.rint(pixels + grain), 0, 255), np.uint8)


def compressed(pixels: Pixels, *, quality: int) -> Pixels:
    """The picture after JPEG at a quality of 1..100."""
    ok, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1])


def gained(pixels: Pixels, *, factor: float) -> Pixels:
    """The picture with all levels multiplied."""
    return np.asarray(np.clip(np.rint(pixels * factor), 0, 255), np.uint8)


def noise_uris(number: int, *, seed: int = 0) -> list[str]:
    """Data URIs of small pictures of noise, no two alike."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        _, file = cv2.imencode(".png", rng.integers(0, 255, (64, 96, 3), np.uint8))
        found.append("data:image/png;base64," + base64.b64encode(file.tobytes()).decode())
    return found


def lettering_in(pixels: Pixels) -> tuple[Lettering, ...]:
    """What may be lettering."""
    frame = build_frame(pixels)
    return lettering(frame, traces(frame))


def lines_in(pixels: Pixels) -> tuple[Line, ...]:
    """What may be a scratch."""
    frame = build_frame(pixels)
    return lines(frame, traces(frame))


def fibers_in(pixels: Pixels) -> tuple[Fiber, ...]:
    """What may be a hair."""
    frame = build_frame(pixels)
    return fibers(frame, traces(frame))
