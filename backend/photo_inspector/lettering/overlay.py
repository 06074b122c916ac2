"""Lettering that was laid over the picture: date stamps, captions, watermarks. Knows no guideline.

Lettering that was laid over differs from lettering in the scene in that it is evenly spaced, of one stroke width, and
mixed with whatever lies under it by one constant share: its tone is a straight line of the ground's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.lettering.glyphs import Glyphs, glyphs, level_of, pure_colours, strokes
from photo_inspector.lettering.letter_lines import LEAST_LETTERS, TOLD, Laid, Sheet, ways
from photo_inspector.networks.traces import Traces
from photo_inspector.pixels.frame import Frame, shrunk
from photo_inspector.pixels.parts import Ints
from photo_inspector.pixels.votes import backing, edges_of
from review_copilot.plugin import Box

SIDE_PX = 640
"""Longer side at which lettering is looked for; large letters at a half and a quarter of it."""
LEAST_FRAME = 0.6
"""Share of a drawing's box that its largest part spans at least: a ring, a rectangle or a sign around letters."""
LEAST_DRAWN = 0.04
"""Least side of a drawing, as a share of the picture's height."""
SAME_SIDE = 0.2
"""Logarithm by which sides of the boxes differ that the network puts around repeats of one watermark."""
WORTH_A_LOOK = 0.2
"""Where the network takes no place for lettering with this probability, none is looked for."""
NUMBERS = (
    "contrast", "evenness", "ground", "mix", "alignment", "variety", "stroke", "stroke_spread", "fill", "outline",
    "height_percent", "veil", "rest", "inner", "framed", "edge",
)  # fmt: skip
"""What is told of a line in this order."""

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lettering:
    """A line of letters.

    Attributes:
        box: Around all letters.
        letters: Their number; joined ones are counted by their width.
        contrast: Mean contrast against what is around, in grey levels.
        evenness: Spread of the letters' tones beyond what one constant mix with their ground explains, in grey levels.
        ground: Spread of the ground under the letters, in grey levels.
        mix: How far the ground shines through, 0 for solid letters.
        alignment: Scatter of the letters' feet or heads around a straight line, over their height.
        variety: Spread of the letters' widths over their mean; windows of a facade have next to none.
        stroke: Width of a stroke over the height.
        stroke_spread: Spread of the stroke widths over their mean.
        fill: Mean share of a letter's box that is inked.
        outline: Length of a letter's outline over that of its box.
        height_percent: Median height of a letter, as a share of the picture's height.
        rivals: Number of other lines of like height; facades and fences have many.
        solid: Whether the lettering has one pure colour, not just one contrast.
        slant: Whether the line does not run level.
        drawn: Whether it is a drawing of strokes of one width, such as a logo, not a line.
        veil: How far the ground goes towards white under it, or towards black, 0..1.
        rest: What one even veil of white or black leaves unexplained of its contrast, over that contrast.
        inner: Spread of the levels inside its letters, over its contrast.
        framed: Box of the largest part over the whole box.
        twins: Number of other lines of the same width, height and veil; a tiled watermark has many.
        edge: Distance of the box from the nearest edge of the picture, as a share of the picture's height.
        told: Whether it is whatever lies where the network sees lettering; with no letters, nothing else is known.
        backing: How many of its squares the network takes for lettering of such a box, as a share of them.
        seen: How likely the network takes its box for lettering, mean over it, 0..1.
        around: The same close around the box.
    """

    box: Box
    letters: int
    contrast: float
    evenness: float
    ground: float
    mix: float
    alignment: float
    variety: float
    stroke: float
    stroke_spread: float
    fill: float
    outline: float
    height_percent: float
    rivals: int
    solid: bool
    slant: bool
    drawn: bool
    veil: float
    rest: float
    inner: float
    framed: float
    twins: int
    edge: float
    told: bool
    seen: float
    around: float
    backing: float


def lettering(frame: Frame, traces: Traces) -> tuple[Lettering, ...]:
    """Lines of letters, longest first; the same line may come more than once, as different masks saw it.

    Args:
        frame: The picture.
        traces: What the network says of it; nothing is looked for where it is sure of nothing.
    """
    if float(traces.letters.max()) < WORTH_A_LOOK:
        return ()
    sheets: list[Sheet] = []
    rgb = frame.middle_rgb
    if max(rgb.shape[:2]) > SIDE_PX:  # by little: not worth averaging over areas
        factor = SIDE_PX / max(rgb.shape[:2])
        rgb = np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.uint8)
    for divisor in (1, 2, 4):
        if divisor > 1:
            rgb = shrunk(rgb, longer_px=max(1, max(rgb.shape[:2]) // 2))
        if min(rgb.shape[:2]) < 24:
            break
        level, size = level_of(rgb), (rgb.shape[0], rgb.shape[1])
        near = traces.near(traces.letters, shape=size)
        masks = [(mask, False) for mask in strokes(level.grey)]
        if divisor == 1:
            masks += [(mask, True) for mask in pure_colours(rgb)]
        for mask, solid in masks:
            seen = glyphs(np.asarray(cv2.bitwise_and(mask, near), np.uint8), level)
            if seen is not None:
                sheets.append(Sheet(seen, size, solid))
    found = _regions(traces) + _described(sheets, traces)
    return tuple(sorted(found, key=lambda line: -line.letters))


def _regions(traces: Traces) -> list[Lettering]:
    """Places that the network takes for lettering, and boxes that it puts around some, of which nothing is measured."""
    height, width = traces.size
    chosen = [one.box for one in traces.letter_boxes]
    boxes = [*chosen, *(box for least in TOLD for box, _ in traces.regions(least))]
    sides = np.array([(box.width, box.height) for box in boxes], np.float64).reshape(-1, 2).T
    alike = (_ratio(sides[0]) < SAME_SIDE) & (_ratio(sides[1]) < SAME_SIDE)
    alike[len(chosen) :] = False
    twins = np.maximum(alike.sum(axis=1) - 1, 0).tolist()
    found = []
    for box, twin, seen, around, backed in zip(boxes, twins, *_lettered(boxes, traces), strict=True):
        edge = min(box.x * width, box.y * height, (1 - box.right) * width, (1 - box.bottom) * height)
        nothing = dict.fromkeys(NUMBERS, 0.0) | {"height_percent": 100 * box.height, "edge": max(0.0, edge) / height}
        found.append(
            Lettering(
                box=box, letters=0, rivals=0, twins=twin, solid=False, slant=False, drawn=False, told=True, seen=seen,
                around=around, backing=backed, **nothing,
            )
        )  # fmt: skip
    return found


def _lettered(boxes: Sequence[Box], traces: Traces) -> tuple[list[float], list[float], list[float]]:
    """How likely the network takes boxes for lettering, what is close around them, and how it backs them, 0..1."""
    edges = edges_of(boxes)
    inside, around = traces.within(traces.letters, edges)
    return inside.tolist(), around.tolist(), backing(edges, traces.letter_boxes, thin=False).tolist()


def _things(many: Sequence[Glyphs]) -> list[Doubles]:
    """Of each thing: its edges and size, step and room by channel, then what a line is told by the mean of.

    Returns:
        For each sheet, shape (numbers, things).
    """
    x, y, width, height, area, rim, contrast, inner = np.hstack([
        (seen.x, seen.y, seen.width, seen.height, seen.area, seen.rim, seen.contrast, seen.inner) for seen in many
    ])  # fmt: skip
    tone, ground = (np.vstack(colours).T for colours in zip(*((seen.tone, seen.ground) for seen in many), strict=True))
    step, room = tone - ground, np.where(contrast > 0, np.float32(255), np.float32(0)) - ground
    pen, box = 2 * area / rim, width * height
    rows = [
        x, y, -x - width, -y - height, -box, *step, *room, *tone, *ground,
        (tone * tone).sum(axis=0), (ground * ground).sum(axis=0), (tone * ground).sum(axis=0),
        (step * room).sum(axis=0), (room * room).sum(axis=0), np.abs(step).mean(axis=0),
        contrast, inner, pen, pen * pen, area / box, rim / (2 * (width + height)),
    ]  # fmt: skip
    return np.split(np.stack(rows).astype(np.float64), np.cumsum([seen.x.size for seen in many])[:-1], axis=1)


def _described(sheets: Sequence[Sheet], traces: Traces) -> list[Lettering]:
    """Lines of letters in numbers, all of a picture at once."""
    if not sheets:
        return []
    joined = ways(sheets, traces)
    of_sheets = _things([sheet.seen for sheet in sheets])
    things = np.hstack([of_sheets[one.sheet] for one in joined])
    laid = np.hstack([(one.things.width, one.things.height, one.things.y) for one in joined]).astype(np.float64)
    sizes = [one.line.size for one in joined]
    lines = [int(one.line.max()) + 1 for one in joined]
    line = np.concatenate([one.line for one in joined]) + np.repeat(np.cumsum([0, *lines[:-1]]), sizes)
    way = np.repeat([one.way for one in joined], lines)
    total = np.bincount(line, np.maximum(1, np.rint(laid[0] / (0.75 * laid[1]))))
    parts = np.bincount(line)
    long = (parts >= 2) & ((total >= LEAST_LETTERS) | (way == "drawn") | (way == "told"))
    order = np.argsort(line, kind="stable")
    order = order[long[line[order]]]
    if order.size == 0:
        return []
    source = np.repeat(np.arange(len(joined)), lines)[long]
    return _told_of(sheets, joined, source, traces, things=things[:, order], laid=laid[:, order], parts=parts[long])


def _told_of(
    sheets: Sequence[Sheet],
    joined: Sequence[Laid],
    source: Ints,
    traces: Traces,
    *,
    things: Doubles,
    laid: Doubles,
    parts: Ints,
) -> list[Lettering]:
    """Lines that are worth being told, in numbers.

    Args:
        sheets: What was seen.
        joined: How it was joined.
        source: Which of these each line comes from.
        traces: What the network says of the picture.
        things: The numbers of its things, line by line.
        laid: Width, height and upper edge of these, turned until the lines are level.
        parts: How many things each line has.
    """
    starts = np.concatenate([[0], np.cumsum(parts[:-1])])
    height, width = np.array([sheets[one.sheet].size for one in joined], np.float64)[source].T
    way = np.array([one.way for one in joined])[source]
    left, top, right, bottom, largest = np.minimum.reduceat(things[:5], starts, axis=1)
    right, bottom, largest = -right, -bottom, -largest
    across, tall, head = laid
    foot = head + tall
    total = np.add.reduceat(np.maximum(1, np.rint(across / (0.75 * tall))), starts)
    turned = np.stack([across, tall, head, foot, across * across, head * head, foot * foot])
    mean = np.add.reduceat(np.vstack([things[11:], turned]), starts, axis=1) / parts
    across, tall, head, foot, across_2, head_2, foot_2 = mean[-7:]
    wide, high = right - left, bottom - top
    framed = np.where(way == "drawn", largest / (wide * high), 0.0)
    enough = (way == "told") | np.where(way == "level", wide >= 1.6 * tall, wide * high >= 2 * tall**2)
    drawn = (framed >= LEAST_FRAME) & (np.minimum(wide, high) >= LEAST_DRAWN * height)
    chosen = np.flatnonzero(np.where(way == "drawn", drawn, enough))
    tone_2, ground_2, both, stepped, rooms, steps, contrast, inner, pen, pen_2, fill, outline = mean[6:-7]
    # letters' tones as a straight line of their grounds', channels together
    variance = np.maximum(ground_2 - (mean[3:6] ** 2).sum(axis=0), 0) / 3
    shared = (both - (mean[:3] * mean[3:6]).sum(axis=0)) / 3
    mix = np.clip(shared / (variance + 4), 0, 0.9)
    uneven = (tone_2 - (mean[:3] ** 2).sum(axis=0)) / 3 - 2 * mix * shared + mix**2 * variance
    # one even share of white or black, and what it leaves of the contrast
    veil = np.clip(stepped / np.maximum(rooms, 1), 0, 1)
    unveiled = np.abs(things[5:8] - np.repeat(veil, parts) * things[8:11]).mean(axis=0)
    rest = np.add.reduceat(unveiled, starts) / parts / np.maximum(steps, 4)
    contrast = np.abs(contrast)
    # feet or heads around level lines, whichever scatter less
    scatter = np.minimum(_deviation(head_2, head), _deviation(foot_2, foot))
    edge = np.minimum(np.minimum(left, top), np.minimum(width - right, height - bottom))
    numbers = np.stack([
        contrast, np.sqrt(np.maximum(uneven, 0)), np.sqrt(variance), mix, scatter / np.maximum(tall, 1),
        _deviation(across_2, across) / np.maximum(across, 1), pen / tall, _deviation(pen_2, pen) / np.maximum(pen, 0.5),
        fill, outline, 100 * tall / height, veil, rest, inner / np.maximum(contrast, 4), framed,
        np.maximum(0, edge) / height,
    ])[:, chosen].T.tolist()  # fmt: skip
    sides = np.stack([left / width, top / height, wide / width, high / height])[:, chosen].T.tolist()
    boxes = [Box(*box) for box in sides]
    beside = source[chosen, None] == source[chosen]
    rivals = beside & (_ratio(tall[chosen]) < 0.5)
    twins = beside & (_ratio(wide[chosen]) < 0.08) & (_ratio(high[chosen]) < 0.15)
    twins &= np.abs(veil[chosen, None] - veil[chosen]) < 0.12
    counts = np.stack([total[chosen], rivals.sum(axis=1) - 1, twins.sum(axis=1) - 1], axis=1).astype(np.int64).tolist()
    from_ = [joined[at] for at in source[chosen].tolist()]
    told = zip(boxes, from_, numbers, counts, *_lettered(boxes, traces), strict=True)
    return [
        Lettering(
            box=box, letters=letters, rivals=rival, twins=twin, solid=sheets[one.sheet].solid, slant=one.way == "slant",
            drawn=one.way == "drawn", told=one.way == "told", seen=seen, around=around, backing=backed,
            **dict(zip(NUMBERS, row, strict=True)),
        )
        for box, one, row, (letters, rival, twin), seen, around, backed in told
    ]  # fmt: skip


def _ratio(values: Doubles) -> Doubles:
    """How far any two are apart, as the logarithm of the larger over the smaller."""
    logs = np.log(np.maximum(values, 1e-6))
    return np.asarray(np.abs(logs[:, None] - logs))


def _deviation(square: Doubles, mean: Doubles) -> Doubles:
    """Spread of what has this mean, and squares of that mean."""
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)))
