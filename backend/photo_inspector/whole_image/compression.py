"""How strongly the picture was squeezed by JPEG: blocks that show, and the rounding that its values still carry.

Knows no guideline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.pixels.frame import Floats, Frame, Gray

BLOCK_PX = 8
MOST_BLOCKS = 1500
"""Blocks that are read for the rounding; more add nothing."""
_JUMP = np.array([[1, -3, 3, -1]], np.float32)
"""Twice the jump between two pixels beyond what the slopes on both sides explain."""
PLAIN_RATIO = 1.1
"""Blocking under which the rounding is not looked for."""
# Frequencies (row, column) that are read, with their steps in the example table of ITU-T T.81, annex K.1.
_FREQUENCIES = (((0, 1), 11), ((1, 0), 12), ((1, 1), 12), ((0, 2), 10), ((2, 0), 14), ((1, 2), 14), ((2, 1), 13))
_QUALITIES = (*range(3, 30, 2), *range(30, 66, 4))
"""Qualities whose rounding is looked for."""


@dataclass(frozen=True, slots=True)
class Compression:
    """How strongly the picture was squeezed.

    Attributes:
        ratio: Jump at the block borders over the jump elsewhere, 1 for none; the weaker direction speaks.
        jump: Extra jump at the block borders in gray levels.
        quality: JPEG quality whose rounding the values still carry, 1..100; 100 when none is seen.
        comb: How plainly they carry it, 0..1.
    """

    ratio: float
    jump: float
    quality: float
    comb: float


def compression(frame: Frame) -> Compression:
    """Measure blocking and rounding on the green channel, on whatever offset the grid has."""
    green = frame.green
    if min(green.shape) < 4 * BLOCK_PX:
        return Compression(1.0, 0.0, 100.0, 0.0)
    across, down = _profile(green, _JUMP, 0), _profile(green, _JUMP.T, 1)
    (x, ratio_x, jump_x), (y, ratio_y, jump_y) = _at_grid(across), _at_grid(down)
    ratio = min(ratio_x, ratio_y)
    quality, comb = _rounding(green, x=x, y=y) if ratio >= PLAIN_RATIO else (100.0, 0.0)
    return Compression(ratio, min(jump_x, jump_y), quality, comb)


def _profile(gray: Gray, kernel: Floats, axis: int) -> Floats:
    """Mean extra jump between column (or row) i + 1 and i + 2."""
    anchor = (1, 0) if axis == 0 else (0, 1)
    jumps = cv2.convertScaleAbs(cv2.filter2D(gray, cv2.CV_16S, kernel, anchor=anchor), alpha=0.5)
    return np.asarray(np.asarray(jumps).sum(axis=axis, dtype=np.int32)[1:-2] / gray.shape[axis], np.float32)


def _at_grid(profile: Floats) -> tuple[int, float, float]:
    """Offset of the grid, ratio and extra jump.

    After Z. Wang, H. Sheikh, A. Bovik, "No-reference perceptual quality assessment of JPEG compressed images" (ICIP
    2002), with the median over all borders, so that a few strong edges of the scene do not count.
    """
    whole = profile[: profile.size // BLOCK_PX * BLOCK_PX].reshape(-1, BLOCK_PX)
    ranked = np.sort(whole, axis=0)
    phase = (ranked[(len(whole) - 1) // 2] + ranked[len(whole) // 2]) / 2
    best = int(np.argmax(phase))
    rest = float(np.delete(phase, [best, (best + 1) % BLOCK_PX, (best - 1) % BLOCK_PX]).mean())
    # entry i speaks of the border between columns i + 1 and i + 2
    return (best + 2) % BLOCK_PX, float((phase[best] + 0.05) / (rest + 0.05)), float(phase[best]) - rest


def _rounding(gray: Gray, *, x: int, y: int) -> tuple[float, float]:
    """The JPEG quality whose steps the DCT values keep to, and how plainly.

    Z. Fan, R. de Queiroz, "Identification of bitmap compression history: JPEG detection and quantizer estimation"
    (2003): the values of a frequency gather around multiples of its step. For every quality, the mean of
    cos(2 pi value / step) over the values that are not around zero is 1 for a perfect comb and 0 for none.
    """
    rows, columns = (gray.shape[0] - y) // BLOCK_PX, (gray.shape[1] - x) // BLOCK_PX
    blocks = gray[y : y + rows * BLOCK_PX, x : x + columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    row, column = np.divmod(np.arange(0, rows * columns, max(1, rows * columns // MOST_BLOCKS)), columns)
    values = blocks[row, :, column].reshape(-1, BLOCK_PX * BLOCK_PX).astype(np.float32) @ _basis()
    rising = np.sort(np.abs(values).T, axis=1)  # the cosine asks for no sign
    waves, least = (np.asarray(values, np.float32) for values in (2 * np.pi / _steps(), 0.6 * _steps()))
    starts = [np.searchsorted(row, own, "right") for row, own in zip(rising, least.T, strict=True)]
    best, found = 0.0, 100.0
    for index, quality in enumerate(_QUALITIES):
        spoken = [row[start[index] :] for row, start in zip(rising, starts, strict=True)]
        teeth = sum(float(np.cos(row * wave).sum()) for row, wave in zip(spoken, waves[index], strict=True))
        count = sum(row.size for row in spoken)
        if count >= 40 and teeth / count > best:
            best, found = teeth / count, float(quality)
    return found, best


@cache
def _steps() -> npt.NDArray[np.float64]:
    """The step of each read frequency at each quality on the scale of the Independent JPEG Group."""
    scales = [5000 / quality if quality < 50 else 200 - 2 * quality for quality in _QUALITIES]
    bases = [base for _, base in _FREQUENCIES]
    return np.array([[min(255, max(1, int((base * s + 50) / 100))) for base in bases] for s in scales], np.float64)


def _basis() -> Floats:
    """Orthonormal DCT-II of the read frequencies, shape (64, frequencies)."""
    place = np.arange(BLOCK_PX)
    waves = []
    for (row, column), _ in _FREQUENCIES:
        down = np.cos((2 * place + 1) * row * np.pi / 16) * np.sqrt((1 if row == 0 else 2) / 8)
        across = np.cos((2 * place + 1) * column * np.pi / 16) * np.sqrt((1 if column == 0 else 2) / 8)
        waves.append(np.outer(down, across).ravel())
    return np.asarray(np.stack(waves, axis=1), np.float32)
