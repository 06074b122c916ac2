"""Where lettering stands in a picture, laid over it or in the scene. Knows no guideline and no flaw.

The network is the detector of PP-OCRv6 (small; Apache License 2.0), whose weights the package `rapidocr` ships. Only
its file is read; OpenCV runs it. Boxes are found as its authors do: parts of the map above a threshold, widened by
their area over their outline (M. Liao and others, "Real-time scene text detection with differentiable binarization",
AAAI 2020).
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from photo_inspector.pixels.convolution import Convolutions
from photo_inspector.pixels.frame import Floats, Frame
from review_copilot.plugin import Box, InspectorUnavailable

WEIGHTS = "models/PP-OCRv6_det_small.onnx"
WEIGHTS_SHA256 = "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
"""Other weights would draft otherwise under the same version."""
AREA_PX = 170_000
"""Pixels of the picture as the network sees it; its time is proportional to them. 504 x 336 take 0.13 s of one core."""
LEAST_PIXEL, LEAST_BOX = 0.3, 0.45
"""Probability from which a pixel belongs to lettering, and mean probability from which lettering is reported."""
WIDENED = 1.6
"""By how much of its area over its outline a box is widened; lettering is learned as shrunk cores."""
LEAST_SIDE_PX = 3
"""Thinner cores are no lettering."""
MOST_BOXES = 80
"""More lines of lettering nobody lays over a picture; the likeliest are kept."""
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of lettering.

    Attributes:
        box: Upright box around it.
        score: Mean probability of its core, 0..1.
        slant_deg: Angle of its longer side from level or upright, whichever is nearer, 0..45.
    """

    box: Box
    score: float
    slant_deg: float


def text_lines(frame: Frame) -> tuple[TextLine, ...]:
    """Lines of lettering, the likeliest first.

    Raises:
        InspectorUnavailable: The package with the weights is missing or has other weights.
    """
    rgb = frame.middle_rgb
    height, width = rgb.shape[:2]
    scale = min(1.0, math.sqrt(AREA_PX / (height * width)))
    size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
    seen = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    values = (seen[:, :, ::-1].astype(np.float32) / 255 - _MEAN) / _SPREAD
    (told,) = _detector().answers(np.ascontiguousarray(values.transpose(2, 0, 1)[None]))
    return _lines(told[0, 0])


def _lines(told: Floats) -> tuple[TextLine, ...]:
    mask = (told > LEAST_PIXEL).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in outlines:
        middle, (one, other), angle = cv2.minAreaRect(outline)
        if min(one, other) < LEAST_SIDE_PX:
            continue
        x, y, w, h = cv2.boundingRect(outline)
        core = np.zeros((h, w), np.uint8)
        cv2.drawContours(core, [outline], -1, 1, -1, offset=(-x, -y))
        score = float(told[y : y + h, x : x + w][core > 0].mean())
        if score < LEAST_BOX:
            continue
        more = WIDENED * one * other / (one + other)
        corners = cv2.boxPoints((middle, (one + more, other + more), angle))
        edges = np.clip(np.concatenate([corners.min(axis=0), corners.max(axis=0)]) / np.tile(told.shape[::-1], 2), 0, 1)
        box = Box(float(edges[0]), float(edges[1]), float(edges[2] - edges[0]), float(edges[3] - edges[1]))
        found.append(TextLine(box, score, float(min(angle % 90, 90 - angle % 90))))
    return tuple(sorted(found, key=lambda line: -line.score)[:MOST_BOXES])


@cache
def _detector() -> Convolutions:
    spec = find_spec("rapidocr")
    path = Path(spec.origin).parent / WEIGHTS if spec is not None and spec.origin is not None else None
    if path is None or not path.is_file():
        raise InspectorUnavailable(
            "The weights that find lettering are missing.", hint="Run: pip install 'rapidocr>=3.10,<3.11'"
        )
    weights = path.read_bytes()
    if hashlib.sha256(weights).hexdigest() != WEIGHTS_SHA256:
        raise InspectorUnavailable(
            "The weights that find lettering are not the expected ones.",
            hint="Run: pip install --force-reinstall 'rapidocr>=3.10,<3.11'",
        )
    return Convolutions(weights)
