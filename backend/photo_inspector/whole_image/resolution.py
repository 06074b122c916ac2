"""Whether the picture has the detail that its size promises. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from scipy.fft import rfft2

from photo_inspector.pixels.frame import Floats, Frame, Gray
from photo_inspector.pixels.ranks import median

Indices = npt.NDArray[np.int64]
ENOUGH_PX = 640
"""Longer side that counts as one time coarse."""
_TILE_PX = 128
_MOST_TILES = 8
_MOST_LINES = 200
"""Rows or columns in which traces of interpolation are looked for."""
_BANDS = (0.06, 0.12, 0.2, 0.28, 0.36, 0.5)
"""Borders of the frequency bands, in cycles a pixel."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How much detail there is.

    Attributes:
        coarseness: 640 over the longer side in pixels.
        drop_1: Logarithm of the energy lost from the band .06-.12 to .12-.2 cycles a pixel.
        drop_2: From .12-.2 to .2-.28.
        drop_3: From .2-.28 to .28-.36.
        drop_4: From .28-.36 to .36-.5.
        ripple: Strongest regular ripple that interpolation leaves in the second derivative, as a logarithm.
        repeats: Share of pixels that repeat their left neighbor exactly, beyond flat places, 0..1.
    """

    coarseness: float
    drop_1: float
    drop_2: float
    drop_3: float
    drop_4: float
    ripple: float
    repeats: float


def resolution(frame: Frame) -> Resolution:
    """Measure the spectrum and the traces of interpolation."""
    coarseness = ENOUGH_PX / max(frame.height_px, frame.width_px)
    green = frame.green
    if min(green.shape) < _TILE_PX:
        return Resolution(coarseness, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    bands = np.log(_band_energy(green, frame.tile_px) + 1e-3)
    drops = [float(v) for v in bands[:-1] - bands[1:]]
    ripple = max(_ripple(green, axis, seam_px=frame.tile_px[1 - axis]) for axis in (0, 1))
    return Resolution(
        coarseness, drops[0], drops[1], drops[2], drops[3], ripple, _repeats(green, seam_px=frame.tile_px[1])
    )


def _band_energy(green: Gray, tile_px: tuple[int, int]) -> Floats:
    """Mean power in five rings of the spectrum, over the tiles with the most contrast."""
    tiles = _windows(green, tile_px)
    order = np.argsort(-tiles[:, ::4, ::4].std(axis=(1, 2)))[:_MOST_TILES]
    chosen = tiles[order].astype(np.float32)
    chosen -= chosen.mean(axis=(1, 2), keepdims=True)
    spectrum = rfft2(chosen * _window(), overwrite_x=True)
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    ring, sizes = _rings()
    sums = np.bincount(ring, power.ravel(), minlength=len(_BANDS) + 1)[1 : len(_BANDS)]
    return np.asarray(sums / sizes / (len(order) * _TILE_PX**2), np.float32)


def _windows(green: Gray, tile_px: tuple[int, int]) -> Gray:
    """Squares of _TILE_PX, shape (squares, side, side), none across the seam of two tiles of a large picture's sample.

    A seam is sharper than anything in a blurred picture. Only where tiles are narrower than a square it is put up with.
    """
    height, width = tile_px if min(tile_px) >= _TILE_PX else green.shape
    rows, columns = height // _TILE_PX, width // _TILE_PX
    top, left = (height - rows * _TILE_PX) // 2, (width - columns * _TILE_PX) // 2
    tiles = green.reshape(green.shape[0] // height, height, green.shape[1] // width, width).transpose(0, 2, 1, 3)
    cut = tiles[:, :, top : top + rows * _TILE_PX, left : left + columns * _TILE_PX]
    squares = cut.reshape(*cut.shape[:2], rows, _TILE_PX, columns, _TILE_PX).transpose(0, 1, 2, 4, 3, 5)
    return squares.reshape(-1, _TILE_PX, _TILE_PX)


@cache
def _window() -> Floats:
    return np.outer(np.hanning(_TILE_PX), np.hanning(_TILE_PX)).astype(np.float32)


@cache
def _rings() -> tuple[Indices, Indices]:
    """Which band each frequency of a tile is in, and how many there are in each."""
    down, across = np.abs(np.fft.fftfreq(_TILE_PX)), np.fft.rfftfreq(_TILE_PX)
    ring = np.digitize(np.hypot(down[:, None], across[None, :]), _BANDS).ravel()
    return ring, np.bincount(ring, minlength=len(_BANDS) + 1)[1 : len(_BANDS)]


def _ripple(green: Gray, axis: int, *, seam_px: int) -> float:
    """A. Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images" (CRV 2005).

    The mean size of the second derivative along rows is periodic by the factor of enlargement. Frequencies that the
    8 px grid of JPEG makes, and low ones that the scene makes, are left out.
    """
    kernel = np.array([[1, -2, 1]], np.float32)
    every = max(1, green.shape[axis] // _MOST_LINES)
    green = np.ascontiguousarray(green[::every] if axis == 0 else green[:, ::every])
    second = cv2.convertScaleAbs(cv2.filter2D(green, cv2.CV_16S, kernel if axis == 0 else kernel.T))
    sums = np.asarray(second).sum(axis=axis, dtype=np.int32)
    for seam in range(seam_px, sums.size - 2, seam_px):  # where two tiles meet is no line of the picture
        sums[seam - 1 : seam + 1] = (sums[seam - 2] + sums[seam + 1]) // 2
    sums = sums[2:-2]
    profile = np.log(sums / np.float32(green.shape[axis]) + 0.2).astype(np.float32)
    smooth = cv2.GaussianBlur(profile[None, :], (0, 0), 3.0)[0]
    signal = (profile - smooth) * np.hanning(profile.size)
    power = np.abs(np.fft.rfft(signal))
    frequency = np.fft.rfftfreq(signal.size)
    usable = frequency > 0.18
    for grid in (0.25, 0.375, 0.5):
        usable &= np.abs(frequency - grid) > 2.0 / signal.size
    floor = median(power[usable]) + 1e-6
    even = np.abs(frequency - 0.5) <= 2.0 / signal.size
    quarter = np.abs(frequency - 0.25) <= 2.0 / signal.size
    eighth = np.abs(frequency - 0.375) <= 2.0 / signal.size
    peak = float(power[usable].max())
    # doubling shows at 1/2 and 1/4 as well: count what stands above the JPEG grid's own line at 3/8
    grid_line = float(power[eighth].max(initial=0.0))
    doubled = max(float(power[even].max(initial=0.0)), float(power[quarter].max(initial=0.0))) - 1.5 * grid_line
    return float(np.log(max(peak, doubled) / floor + 1e-6))


def _repeats(green: Gray, *, seam_px: int) -> float:
    """Pixels equal to their left neighbor where the one after next differs plainly."""
    rows = green[:: max(2, green.shape[0] // _MOST_LINES)]
    tiles = rows.reshape(rows.shape[0], -1, seam_px)
    same = tiles[..., 1:-1] == tiles[..., :-2]
    apart = np.maximum(tiles[..., 2:], tiles[..., :-2]) - np.minimum(tiles[..., 2:], tiles[..., :-2])
    busy = apart > 6
    return float(np.count_nonzero(same & busy)) / max(1, int(np.count_nonzero(busy)))
