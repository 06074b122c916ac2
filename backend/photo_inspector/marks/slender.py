"""Where a slender part of a mask runs, without what branches off its way. Knows no scratch and no guideline."""

from __future__ import annotations

import numpy as np

from photo_inspector.pixels.frame import Floats
from photo_inspector.pixels.parts import Ints

SLENDER = 3.0
"""How many times longer than wide a part is that runs along its longer side."""
BESIDE_PX = 2.5
"""Pixels off the way that are still of the part."""
HALF = 0.5
"""Share of what stands out on the way that the rest of the part's width stands out by."""
LEAST_REACH, SHARE_OF_WAY = 4, 12
"""Steps to both sides that settle where the way is: so many, or one of so many of its steps."""

Edges = tuple[int, int, int, int]
"""Left, upper, right and lower edge in pixels, the last two past the part."""


def slender_edges(columns: Ints, rows: Ints, rise: Floats) -> Edges:
    """Edges of a part; of a slender one without the edges of things that it crosses and hangs together with.

    Args:
        columns: Column of each of its pixels.
        rows: Row of each.
        rise: How far each stands out.
    """
    left, right = int(columns.min()), int(columns.max()) + 1
    top, bottom = int(rows.min()), int(rows.max()) + 1
    width, height = right - left, bottom - top
    if height >= SLENDER * width:
        left, right = _across(rows, columns, rise)
    elif width >= SLENDER * height:
        top, bottom = _across(columns, rows, rise)
    return left, top, right, bottom


def _across(along: Ints, across: Ints, rise: Floats) -> tuple[int, int]:
    """Where a part begins and ends across its way: where it stands out most on each step, as the steps around agree."""
    order = np.lexsort((rise, along))
    along, across, rise = along[order], across[order], rise[order]
    first = np.flatnonzero(np.diff(along, prepend=-1))
    last = np.append(first[1:], along.size) - 1
    reach = min(max(LEAST_REACH, first.size // SHARE_OF_WAY), first.size - 1)
    padded = np.pad(across[last], reach, mode="reflect", reflect_type="odd")
    way = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    count = last - first + 1
    crossed = count > 2 * np.median(count)
    own = (np.abs(across - np.repeat(way, count)) <= BESIDE_PX) & ~np.repeat(crossed, count)
    own &= rise >= HALF * np.repeat(rise[last], count)
    kept = across[own] if own.any() else across
    return int(kept.min()), int(kept.max()) + 1
