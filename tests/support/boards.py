"""Drawn circuit boards with planted defects, dark copper on white, so that a comparison has a known answer."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.reference.topology import Defect
from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels

SIDE_PX = 640
_PITCH_PX = 52
_LEFT_PX, _RIGHT_PX = 60, 580


@dataclass(frozen=True)
class Planted:
    """One planted defect and a box around it, with the 10 px that annotators of DeepPCB leave on each side."""

    defect: Defect
    box: Box


@dataclass(frozen=True)
class Board:
    """A board, its defect-free template, and what is wrong with it."""

    image: Pixels
    template: Pixels
    planted: tuple[Planted, ...]


def board(*, seed: int, defects: tuple[Defect, ...] = tuple(Defect), side_px: int = SIDE_PX) -> Board:
    """Horizontal traces of 14 to 22 px that end in pads, ragged edges, and one of each defect on traces of its own.

    Args:
        seed: Decides widths, edges, and places and sizes of the defects.
        defects: At most ten.
        side_px: Both pictures are resized to this side.
    """
    random = np.random.default_rng(seed)
    clean = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    rows = [(60 + k * _PITCH_PX, int(random.integers(14, 23))) for k in range(11)]
    for y, width in rows:
        cv2.rectangle(clean, (_LEFT_PX, y - width // 2), (_RIGHT_PX, y - width // 2 + width - 1), 1, -1)
        for x in (_LEFT_PX, _RIGHT_PX):
            cv2.circle(clean, (x, y), width, 1, -1)
            cv2.circle(clean, (x, y), width // 3, 0, -1)
    flawed, planted = clean.copy(), []
    for (y, width), defect in zip(random.permutation(rows[:-1]).tolist(), defects, strict=False):
        before = flawed.copy()
        _plant(flawed, defect, x=int(random.integers(110, 530)), y=y, width=width, random=random)
        ys, xs = np.nonzero(before != flawed)
        corners = np.asarray([xs.min() - 10, ys.min() - 10, xs.max() + 11, ys.max() + 11]) / SIDE_PX
        planted.append(Planted(defect, Box.from_corners(*corners.tolist())))
    image, template = (_printed(_ragged(copper, random), side_px) for copper in (flawed, clean))
    return Board(image, template, tuple(planted))


def _plant(
    copper: npt.NDArray[np.uint8],
    defect: Defect,
    *,
    x: int,
    y: int,
    width: int,
    random: np.random.Generator,
) -> None:
    """Draw one defect on the trace at y, at column x."""
    top, length = y - width // 2, int(random.integers(5, 13))
    bottom = top + width - 1
    match defect:
        case Defect.OPEN:
            cv2.rectangle(copper, (x, top), (x + length, bottom), 0, -1)
        case Defect.SHORT:
            cv2.line(copper, (x, bottom), (x + length, y + _PITCH_PX), 1, 4)
        case Defect.MOUSEBITE:
            cv2.ellipse(copper, (x, top), (length, max(4, width // 2)), 0, 0, 360, 0, -1)
        case Defect.SPUR:
            cv2.ellipse(copper, (x, bottom), (4, 6 + length // 2), 0, 0, 360, 1, -1)
        case Defect.SPURIOUS_COPPER:
            cv2.ellipse(copper, (x, y + _PITCH_PX // 2), (length, 4), 20, 0, 360, 1, -1)
        case Defect.PIN_HOLE:
            cv2.ellipse(copper, (x, y), (length, 3), 0, 0, 360, 0, -1)


def _ragged(copper: npt.NDArray[np.uint8], random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Edges that wander by about a pixel, as etching and scanning leave them."""
    soft = cv2.GaussianBlur(copper.astype(np.float32), (0, 0), 1.0)
    wander = cv2.GaussianBlur(random.normal(0, 1, copper.shape).astype(np.float32), (0, 0), 1.5)
    return np.asarray(soft + 0.6 * wander > 0.5)


def _printed(copper: npt.NDArray[np.bool_], side_px: int) -> Pixels:
    grey = np.where(copper, 8, 250).astype(np.uint8)
    return np.repeat(cv2.resize(grey, (side_px, side_px), interpolation=cv2.INTER_AREA)[..., None], 3, axis=2)
