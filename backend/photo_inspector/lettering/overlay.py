"""Lettering that may have been laid over the picture, in numbers that tell it from lettering of the scene.

A detector of lettering and the network of traces propose boxes. Lettering that was laid over has one tone, or shifts
its ground by one even veil of white or black; it stands level, near an edge, or is repeated. Knows no guideline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from photo_inspector.networks.text_detector import TextLine, text_lines
from photo_inspector.networks.traces import Traces
from photo_inspector.pixels.frame import Floats, Frame
from photo_inspector.pixels.votes import edges_of
from review_copilot.plugin import Box, Pixels

LEAST_CROP_PX = 6
"""Smaller boxes hold nothing to be measured."""
MOST_CROP_PX = 160
"""Longer side of a box as it is measured."""
STROKE = 0.35
"""Share of a box's height that is wider than a stroke and narrower than what lies around it."""
ALIKE = 0.15
"""Logarithm by which sides of two boxes differ at most that are repeats of one piece of lettering."""


@dataclass(frozen=True, slots=True)
class Ink:
    """What the strokes in a box look like; zeros where none stand out.

    Attributes:
        contrast: Mean step from the ground around them, in gray levels.
        spread: Spread of their tones over that step.
        ground: Spread of the ground, in gray levels.
        veil: How far they go from the ground toward white or black, 0..1.
        rest: What that veil leaves unexplained, over the step.
        share: Share of the box that they cover, 0..1.
        light: Whether they are lighter than their ground.
        pure: Distance of their mean tone from white or black, whichever is nearer, in gray levels.
        colored: Distance between their strongest and weakest channel, in gray levels.
    """

    contrast: float = 0.0
    spread: float = 0.0
    ground: float = 0.0
    veil: float = 0.0
    rest: float = 0.0
    share: float = 0.0
    light: bool = False
    pure: float = 0.0
    colored: float = 0.0


@dataclass(frozen=True, slots=True)
class Lettering:
    """A piece of lettering.

    Attributes:
        box: Around it.
        detected: How sure the detector of lettering is, 0..1; 0 where the network of traces alone proposes it.
        slant_deg: Angle of its line from level or upright, 0..45.
        seen: How likely the network of traces takes the inside for laid over, 0..1.
        around: The same close around it.
        agreed: Overlap with the best box of the other source, 0..1.
        edge: Distance to the nearest edge of the picture, over its height.
        twins: Number of others of the same size.
        others: Number of others in the picture.
        ink: What its strokes look like.
    """

    box: Box
    detected: float
    slant_deg: float
    seen: float
    around: float
    agreed: float
    edge: float
    twins: int
    others: int
    ink: Ink

    @property
    def solid(self) -> bool:
        """Whether its strokes have one tone, not just one step from their ground."""
        return self.ink.veil > 0.8 or self.ink.spread < 0.12


def lettering(frame: Frame, traces: Traces) -> tuple[Lettering, ...]:
    """Everything that either network proposes, with the numbers of each.

    Raises:
        InspectorUnavailable: The weights of the detector are missing.
    """
    return weighed(frame.middle_rgb, text_lines(frame), traces)


def weighed(rgb: Pixels, lines: Sequence[TextLine], traces: Traces) -> tuple[Lettering, ...]:
    """The numbers of what was proposed, in the order of the detector's lines and then of the other network's boxes."""
    boxes = [line.box for line in lines] + [one.box for one in traces.letter_boxes]
    if not boxes:
        return ()
    edges = edges_of(boxes)
    seen, around = traces.within(traces.letters, edges)
    shared = _overlaps(edges)
    detector = np.arange(len(boxes)) < len(lines)
    crossed = np.where(detector[:, None] != detector, shared, 0.0).max(axis=1)
    sides = np.log(np.maximum(edges[:, 2:] - edges[:, :2], 1e-4))
    alike = (np.abs(sides[:, None] - sides).max(axis=2) < ALIKE) & (detector[:, None] == detector) & (shared < ALIKE)
    twins = alike.sum(axis=1) - alike.diagonal()
    margin = np.minimum(edges[:, :2], 1 - edges[:, 2:]).min(axis=1)
    return tuple(
        Lettering(
            box=box,
            detected=lines[at].score if detector[at] else 0.0,
            slant_deg=lines[at].slant_deg if detector[at] else 0.0,
            seen=float(seen[at]),
            around=float(around[at]),
            agreed=float(crossed[at]),
            edge=max(0.0, float(margin[at])),
            twins=int(twins[at]),
            others=int(detector.sum() if detector[at] else (~detector).sum()) - 1,
            ink=ink_of(rgb, box),
        )
        for at, box in enumerate(boxes)
    )


def ink_of(rgb: Pixels, box: Box) -> Ink:
    """The strokes in a box: what a wide median does not keep, of the polarity that covers more."""
    height, width = rgb.shape[:2]
    x, y = int(box.x * width), int(box.y * height)
    part = rgb[y : round(box.bottom * height), x : round(box.right * width)]
    if min(part.shape[:2], default=0) < LEAST_CROP_PX:
        return Ink()
    shrink = min(1.0, MOST_CROP_PX / max(part.shape[:2]))
    if shrink < 1:
        size = tuple(max(LEAST_CROP_PX, round(side * shrink)) for side in part.shape[1::-1])
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    part = np.ascontiguousarray(part)
    window = max(3, min(99, round(2 * STROKE * min(part.shape[:2])) | 1))
    ground = cv2.medianBlur(part, window).astype(np.float32)
    step = part.astype(np.float32) - ground
    gray = step.mean(axis=2)
    bar = max(6.0, 0.5 * float(np.quantile(np.abs(gray), 0.97)))
    light = gray > bar
    dark = gray < -bar
    lighter = bool(np.abs(gray[light]).sum() >= np.abs(gray[dark]).sum())
    inked = light if lighter else dark
    if inked.sum() < LEAST_CROP_PX:
        return Ink(ground=float(part.mean(axis=2).std()))
    return _ink(part.astype(np.float32), ground, inked, lighter=lighter)


def _ink(part: Floats, ground: Floats, inked: npt.NDArray[np.bool_], *, lighter: bool) -> Ink:
    tones, under = part[inked], ground[inked]
    step = tones - under
    contrast = float(np.abs(step.mean(axis=1)).mean())
    room = (255.0 if lighter else 0.0) - under
    veil = float(np.clip((step * room).sum() / max(1.0, float((room * room).sum())), 0, 1))
    rest = float(np.abs(step - veil * room).mean())
    mean = tones.mean(axis=0)
    return Ink(
        contrast=contrast,
        spread=float(tones.std(axis=0).mean()) / max(contrast, 4.0),
        ground=float(ground[~inked].std()) if (~inked).any() else 0.0,
        veil=veil,
        rest=rest / max(contrast, 4.0),
        share=float(inked.mean()),
        light=lighter,
        pure=float(min(255 - mean.min(), mean.max())),
        colored=float(mean.max() - mean.min()),
    )


def _overlaps(edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Intersection over union of any two boxes, shape (boxes, boxes)."""
    low = np.maximum(edges[:, None, :2], edges[:, :2])
    high = np.minimum(edges[:, None, 2:], edges[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    area = (edges[:, 2:] - edges[:, :2]).prod(axis=1)
    return np.asarray(shared / np.maximum(area[:, None] + area - shared, 1e-12))
