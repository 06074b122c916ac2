"""Which letters belong together: lines that run level or slant, drawings, what a network takes for lettering.

Knows no guideline, and not what a line is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.lettering.glyphs import Glyphs
from photo_inspector.networks.traces import LETTERS_PX, Traces
from photo_inspector.pixels.frame import Floats, Mask
from photo_inspector.pixels.linking import Labels, chained, pairs_within
from photo_inspector.pixels.ranks import median

LEAST_LEAN, MOST_LEAN, BIN = np.radians((12, 70, 7))
"""Leans of a slanting line, and the width of the bins that they are counted in."""
FAR_PX = 100_000.0
"""Pixels by which things of different masks are moved apart; no level is as wide, nor any line as far from it."""
LIKE_SIZE = 0.55
"""Share of the larger letter's size that the smaller one has at least, for a slanting line."""
SAME_TONE = 18
"""Grey levels by which solid letters differ; they need not stand out alike from every ground."""
LEAST_LETTERS = 4
"""Letters in a row that make a line."""
TOLD = (0.4, 0.7)
"""Probabilities from which a place is a region that the network takes for lettering: joined by little, and for sure."""
Way: TypeAlias = Literal["level", "slant", "drawn", "told"]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Things that one mask of one level showed.

    Attributes:
        seen: The things.
        size: Height and width of the level in pixels.
        solid: Whether they are of one pure colour.
    """

    seen: Glyphs
    size: tuple[int, int]
    solid: bool


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """The things of one sheet, joined into lines in one way.

    Attributes:
        sheet: Which sheet they are of.
        line: Which line each belongs to.
        things: The things, turned until their lines are level.
        way: How they were joined.
    """

    sheet: int
    line: Labels
    things: Glyphs
    way: Way


def ways(sheets: Sequence[Sheet], traces: Traces) -> list[Laid]:
    """Every way in which the things of each sheet make lines, sheet by sheet.

    Sheets are worked on all together: there are few things on each, and NumPy takes as long for few as for many.

    Args:
        sheets: What was seen; may be none.
        traces: What the network says of the picture.
    """
    if not sheets:
        return []
    seen = [sheet.seen for sheet in sheets]
    thin = [place for place, sheet in enumerate(sheets) if not sheet.solid]
    leans = {place: _lean(seen[place]) for place in thin}
    laid = {place: _levelled(seen[place], lean) for place, lean in leans.items() if lean is not None}
    level, drawn = _lines(seen), dict(zip(thin, _drawn([seen[place] for place in thin]), strict=True))
    slanting = dict(zip(laid, _lines(list(laid.values())), strict=True))
    regions = _regions(traces)
    found = []
    for place, (things, line) in enumerate(zip(seen, level, strict=True)):
        found.append(Laid(place, line, things, "level"))
        if regions.any():
            scale = traces.size[0] / sheets[place].size[0] / LETTERS_PX
            found.append(Laid(place, _told(things, regions, scale=scale), things, "told"))
        if place in laid:
            found.append(Laid(place, slanting[place], laid[place], "slant"))
        if place in drawn:
            found.append(Laid(place, drawn[place], things, "drawn"))
    return found


def _by_sheet(label: Labels, many: Sequence[Glyphs]) -> list[Labels]:
    """Labels of the things of all sheets, which no two sheets share, as labels of each sheet's own."""
    parts = np.split(label, np.cumsum([seen.x.size for seen in many])[:-1])
    return [part - part.min() for part in parts]


def _regions(traces: Traces) -> Labels:
    """Which region that the network takes for lettering each square is in; 0 for none."""
    likely = np.asarray(traces.letters >= TOLD[0], np.uint8)
    return np.asarray(cv2.connectedComponents(likely, connectivity=8)[1], np.int32)


def _told(seen: Glyphs, regions: Labels, *, scale: float) -> Labels:
    """Label of each thing; those in one region that the network takes for lettering share one.

    Args:
        seen: The things.
        regions: As from `_regions`.
        scale: Squares in a pixel of the things' level.
    """
    rows, columns = regions.shape
    row = np.minimum((seen.y + seen.height / 2) * scale, rows - 1).astype(np.int64)
    column = np.minimum((seen.x + seen.width / 2) * scale, columns - 1).astype(np.int64)
    region = regions[row, column]
    # a thing in no region comes alone, before those of the regions
    alone = region == 0
    name = np.where(alone, np.cumsum(alone), region + region.size)
    return np.asarray((np.cumsum(np.bincount(name) > 0) - 1)[name], np.int32)


def _lean(seen: Glyphs) -> float | None:
    """Direction in radians, off the level, in which most neighbours of like height follow each other; None for none."""
    if seen.x.size < LEAST_LETTERS:
        return None
    x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
    size = np.maximum(seen.height, seen.width)
    one, other = pairs_within(x, x, x + 1.7 / LIKE_SIZE * size + 1)
    dx, dy = x[other] - x[one], y[other] - y[one]
    most, least = np.maximum(size[one], size[other]), np.minimum(size[one], size[other])
    near = (dx > 0) & (np.hypot(dx, dy) < 1.7 * most) & (least > LIKE_SIZE * most)
    near &= seen.contrast[one] * seen.contrast[other] > 0
    angle = np.arctan2(dy[near], dx[near])
    angle = angle[(np.abs(angle) > LEAST_LEAN) & (np.abs(angle) < MOST_LEAN)]
    if angle.size < LEAST_LETTERS:
        return None
    bins = np.round(angle / BIN).astype(np.int64)
    counts = np.bincount(bins - bins.min())
    wide = np.convolve(counts, np.ones(3), mode="same")
    best = int(np.argmax(wide)) + int(bins.min())
    return median(angle[np.abs(bins - best) <= 1]) if wide.max() >= LEAST_LETTERS else None


def _levelled(seen: Glyphs, lean: float) -> Glyphs:
    """The letters as they lie when the picture is turned until their line is level."""
    rows, columns, owner = seen.outline
    across, down = columns * np.cos(lean) + rows * np.sin(lean), rows * np.cos(lean) - columns * np.sin(lean)
    count = seen.x.size
    left, top = _least(owner, np.asarray(across, np.float32), count), _least(owner, np.asarray(down, np.float32), count)
    right, bottom = (
        _least(owner, np.asarray(-across, np.float32), count),
        _least(owner, np.asarray(-down, np.float32), count),
    )
    return replace(seen, x=left, y=top, width=1 - right - left, height=1 - bottom - top)


def _drawn(many: Sequence[Glyphs]) -> list[Labels]:
    """Label of each thing; those of one veil and one stroke that lie in or close by each other share one."""
    if not many:
        return []
    x, y, width, height, contrast, veil, pen = np.hstack([
        (seen.x, seen.y, seen.width, seen.height, seen.contrast, seen.veil, 2 * seen.area / seen.rim) for seen in many
    ])  # fmt: skip
    right, bottom, size = x + width, y + height, np.maximum(width, height)
    apart = _apart(many)
    # of two that are close the second begins within the first
    one, other = pairs_within(x + apart, x + apart, right + 0.4 * size + 1 + apart)
    alike: Mask = contrast[one] * contrast[other] > 0
    alike &= np.abs(veil[one] - veil[other]) <= 0.2 * np.maximum(veil[one], veil[other]) + 0.02
    alike &= np.maximum(pen[one], pen[other]) <= 1.7 * np.minimum(pen[one], pen[other])
    near = 0.4 * np.minimum(size[one], size[other])
    alike &= np.maximum(x[one], x[other]) - np.minimum(right[one], right[other]) <= near
    alike &= np.maximum(y[one], y[other]) - np.minimum(bottom[one], bottom[other]) <= near
    alike &= one != other
    return _by_sheet(chained(one[alike], other[alike], count=x.size), many)


def _apart(many: Sequence[Glyphs]) -> Doubles:
    """For each thing, by how many pixels its sheet is moved to the right, so that none is beside one of another."""
    return np.repeat(FAR_PX * np.arange(len(many)), [seen.x.size for seen in many])


def _lines(many: Sequence[Glyphs]) -> list[Labels]:
    """Which line each letter belongs to, sheet by sheet.

    Letters of like height and tone on one level, close to each other, make words; words alike side by side make lines.
    """
    if not many:
        return []
    x, y, width, height, contrast, tone = np.hstack([
        (seen.x, seen.y, seen.width, seen.height, seen.contrast, seen.lightness) for seen in many
    ])  # fmt: skip
    right, bottom, apart = x + width, y + height, _apart(many)
    words = _linked(x, y, right, bottom, apart=apart, contrast=contrast, tone=tone, most_gap=0.9, slack=0.12)
    count = int(words.max()) + 1
    parts = np.bincount(words, minlength=count)
    first = np.unique(words, return_index=True)[1]
    lines = _linked(
        _least(words, x, count),
        _least(words, y, count),
        -_least(words, -right, count),
        -_least(words, -bottom, count),
        apart=apart[first],
        contrast=_mean(words, contrast, parts),
        tone=_mean(words, tone, parts),
        most_gap=1.5,
        slack=0.2,
        tall=_mean(words, height, parts),
    )
    return _by_sheet(lines[words], many)


def _linked(
    left: Floats,
    top: Floats,
    right: Floats,
    bottom: Floats,
    *,
    apart: Doubles,
    contrast: Floats,
    tone: Floats,
    most_gap: float,
    slack: float,
    tall: Floats | None = None,
) -> Labels:
    """Label of each thing; those that follow each other on a level, and are mixed or toned alike, share one."""
    high = bottom - top if tall is None else tall
    # the taller of two is no more than twice as high
    least, most = np.maximum(left, right - 0.6 * high - 1), right + 2 * most_gap * high + 1
    one, other = pairs_within(left + apart, least + apart, most + apart)
    tallest = np.maximum(high[one], high[other])
    gap = left[other] - right[one]
    fits: Mask = (gap <= most_gap * tallest) & (gap >= -0.3 * tallest) & (left[other] > left[one])
    one, other, tallest = one[fits], other[fits], tallest[fits]
    strong = np.maximum(np.abs(contrast[one]), np.abs(contrast[other]))
    fits = np.minimum(high[one], high[other]) >= 0.5 * tallest
    fits &= np.minimum(np.abs(bottom[one] - bottom[other]), np.abs(top[one] - top[other])) <= slack * tallest + 1.5
    mixed = (contrast[one] * contrast[other] > 0) & (np.abs(contrast[one] - contrast[other]) <= 0.5 * strong)
    fits &= mixed | (np.abs(tone[one] - tone[other]) <= SAME_TONE)
    return chained(one[fits], other[fits], count=left.size)


def _least(label: Labels, values: Floats, count: int) -> Floats:
    out = np.full(count, np.inf, np.float32)
    np.minimum.at(out, label, values)
    return out


def _mean(label: Labels, values: Floats, parts: npt.NDArray[np.int64]) -> Floats:
    return np.asarray(np.bincount(label, values, minlength=parts.size) / np.maximum(parts, 1), np.float32)
