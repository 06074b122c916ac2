"""Whether smooth tones fall into steps. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from photo_inspector.pixels.frame import Floats, Frame, Levels, histogram

_MOST_LUMA_PX = 400_000
"""Pixels whose brightness is counted."""
_SPREADS = (4.0, 10.0)
"""Standard deviations, in gray levels, with which the histogram is smoothed."""


@dataclass(frozen=True, slots=True)
class Banding:
    """How many tones are missing.

    Attributes:
        gap: Gray levels a step: 2 to the power of the missing entropy against a histogram smoothed by 4 levels.
        wide_gap: The same against one smoothed by 10 levels.
        still: Share of neighboring pixels of exactly equal level, as a logarithm against those that differ by 1 or 2.
        luma_gap: As `gap`, of brightness instead of green.
        levels: Number of levels that hold nearly all (99 %) of the picture, over what its range has room for, 0..1.
    """

    gap: float
    wide_gap: float
    luma_gap: float
    still: float
    levels: float


def banding(frame: Frame) -> Banding:
    """Measure the green channel, and brightness in whole rows."""
    green = frame.green
    counts = histogram(green)
    share = counts / counts.sum()
    gaps = [2.0 ** max(0.0, _entropy(_smooth(share, s)) - _entropy(share)) for s in _SPREADS]
    steps = cv2.absdiff(green[:, 1:], green[:, :-1]) if green.shape[1] > 1 else np.zeros((1, 1), np.uint8)
    jumps = histogram(np.asarray(steps, np.uint8))
    still = float(np.log((jumps[0] + 1) / (jumps[1] + jumps[2] + 1)))
    every = -(-frame.rgb.shape[0] * frame.rgb.shape[1] // _MOST_LUMA_PX)
    luma = histogram(np.asarray(cv2.cvtColor(np.ascontiguousarray(frame.rgb[::every]), cv2.COLOR_RGB2GRAY), np.uint8))
    luma /= luma.sum()
    luma_gap = 2.0 ** max(0.0, _entropy(_smooth(luma, _SPREADS[0])) - _entropy(luma))
    return Banding(gaps[0], gaps[1], luma_gap, still, _filled(share))


def _entropy(share: Levels) -> float:
    """Bits (C. Shannon, 1948)."""
    held = share[share > 0]
    return float(-(held * np.log2(held)).sum())


def _smooth(share: Levels, spread: float) -> Levels:
    """The histogram without its teeth; its two ends, where clipped tones pile up, are left as they are."""
    inner = share.copy()
    ends = inner[[0, 255]].copy()
    inner[[0, 255]] = 0
    smoothed = np.asarray(np.convolve(inner, _kernel(spread), mode="same"), np.float64)
    smoothed *= inner.sum() / max(smoothed.sum(), 1e-12)
    smoothed[[0, 255]] += ends
    return smoothed


@cache
def _kernel(spread: float) -> Floats:
    reach = int(4 * spread)
    kernel: Floats = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2).astype(np.float32)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _filled(share: Levels) -> float:
    held = np.sort(share)[::-1]
    needed = int(np.searchsorted(np.cumsum(held), 0.99)) + 1
    present = np.flatnonzero(np.cumsum(share) >= 0.005)[0], np.flatnonzero(np.cumsum(share) >= 0.995)[0]
    return min(1.0, needed / max(1, int(present[1]) - int(present[0]) + 1))
