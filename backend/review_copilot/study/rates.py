"""Shares with their uncertainty, and many tests at once. Knows counts only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from review_copilot.study.table import Flags, Floats


def wilson(yes: float, of: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927); (0, 1) without trials."""
    if of <= 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2))
    share = yes / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


@dataclass(frozen=True)
class Share:
    """A share with its 95 % Wilson interval."""

    yes: int
    of: int
    rate: float
    low: float
    high: float


def share_of(yes: int, of: int) -> Share:
    """A share of so many; its rate is NaN where there are none."""
    low, high = wilson(yes, of)
    return Share(yes, of, yes / of if of else float("nan"), low, high)


def difference(yes: float, of: float, *, before_yes: float, before_of: float) -> tuple[float, float, float]:
    """Change of a share with its 95 % interval by Newcombe's method 10 (1998): (change, low, high)."""
    if of <= 0 or before_of <= 0:
        return float("nan"), -1.0, 1.0
    now, then = yes / of, before_yes / before_of
    low, high = wilson(yes, of)
    before_low, before_high = wilson(before_yes, before_of)
    down = np.hypot(now - low, before_high - then)
    up = np.hypot(high - now, then - before_low)
    return now - then, float(now - then - down), float(now - then + up)


def q_values(p: Floats) -> Floats:
    """Benjamini and Hochberg's (1995) adjusted p-values, in the order given; empty for none."""
    n = len(p)
    if not n:
        return np.zeros(0)
    order = np.argsort(p)
    scaled = p[order] * n / np.arange(1, n + 1)
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def discoveries(log_e: Floats, *, alpha: float) -> Flags:
    """Benjamini-Hochberg for e-values (Wang and Ramdas 2022): which of them are discoveries at level alpha.

    Holds whatever the e-values have to do with each other, and at any time of looking.
    """
    n = len(log_e)
    if not n:
        return np.zeros(0, dtype=np.bool_)
    ranked = np.sort(log_e)[::-1]
    enough = np.flatnonzero(ranked >= np.log(n / alpha) - np.log(np.arange(1, n + 1)))
    return np.zeros(n, dtype=np.bool_) if not len(enough) else log_e >= ranked[enough[-1]]


def percent(share: float) -> str:
    """A share as "12 %", in tenths where it is under one."""
    return f"{100 * share:.1f} %" if 0 < share < 0.0095 else f"{100 * share:.0f} %"
