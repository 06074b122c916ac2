"""Estimates of a small network from a thumbnail: tint, exposure and tilt. Knows no flaw's threshold.

A tint, too much light or a lean is partly told by what a picture shows: skin and sky have colors, clouds are lighter
than stone, walls and people stand upright. The network is the first two thirds of EfficientNet-Lite0 (M. Tan, Q. Le,
"EfficientNet", ICML 2019; its authors' weights, Apache License 2.0), which was then taught what it is asked here by
`benchmarks/learn.py`. OpenCV runs it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from importlib import resources

import cv2
import numpy as np

from photo_inspector.pixels.convolution import Convolutions, keep_to_one_thread
from photo_inspector.pixels.frame import Floats
from review_copilot.plugin import Pixels

FILE = "sight.npz"
SIZE_PX = (160, 112)
"""Longer and shorter side of the network's input in pixels."""
LEANS: Floats = np.arange(-16, 17).astype(np.float32)
"""Tilt classes of the network, in degrees clockwise."""
LEVEL_SHARE = 0.45
"""Share of level pictures in the network's training data."""
LEARNED_LAB = 10.0
"""The network counts tints in tens of Lab units."""
HEADS = ("lean", "tint", "light")
"""What the network is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the network says of a picture.

    Attributes:
        leans: How likely each of LEANS is, summing to 1, where LEVEL_SHARE of all pictures do not lean.
        tinted: How likely a tint is, as the logarithm of the odds.
        green: a* that the tint gives to middle gray, in Lab units; negative for green, positive for magenta.
        warm: b* likewise; positive for yellow, negative for blue.
        overlit: How likely it is that there is too much light, as the logarithm of the odds.
        stops: Stops of light too much, negative for too little.
    """

    leans: Floats
    tinted: float
    green: float
    warm: float
    overlit: float
    stops: float


def sight(rgb: Pixels) -> Sight:
    """Look at a picture of any size, and at its mirror image: the mean is surer."""
    picture = seen_picture(rgb)
    own, mirrored = _answers(picture, np.ascontiguousarray(picture[:, ::-1]))
    # a mirrored picture leans the other way
    lean = (own[0] + mirrored[0][::-1]) / 2
    odds = np.exp(lean - lean.max())
    tinted, green, warm = ((own[1] + mirrored[1]) / 2).tolist()
    overlit, stops = ((own[2] + mirrored[2]) / 2).tolist()
    leans = np.asarray(odds / odds.sum(), np.float32)
    return Sight(leans, tinted, LEARNED_LAB * green, LEARNED_LAB * warm, overlit, stops)


def seen_picture(rgb: Pixels) -> Pixels:
    """What the network sees of a picture: SIZE_PX, lying or standing as the picture does."""
    size = SIZE_PX if rgb.shape[1] >= rgb.shape[0] else SIZE_PX[::-1]
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _answers(*pictures: Pixels) -> list[tuple[Floats, ...]]:
    """What each of HEADS says of each picture."""
    (answered,) = _body().answers(np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32))
    seen = [pooled(found) for found in answered]
    return [tuple(_joined(found, name) for name in HEADS) for found in seen]


def pooled(seen: Floats) -> Floats:
    """Mean and most of each channel, then its mean in the four quarters, shape (6 x channels,).

    Args:
        seen: Shape (channels, rows, columns), two rows and columns at least; an odd last one is in no quarter.
    """
    rows, columns = seen.shape[1] // 2, seen.shape[2] // 2
    quarters = [
        seen[:, y : y + rows, x : x + columns].mean(axis=(1, 2)) for y in (0, rows) for x in (0, columns)
    ]  # fmt: skip
    return np.concatenate([seen.mean(axis=(1, 2)), seen.max(axis=(1, 2)), *quarters])


def _joined(seen: Floats, name: str) -> Floats:
    """Two layers that join as much of what is seen as the first of them asks for."""
    (first, offset), (last, bias) = _layers()[name]
    hidden = np.maximum(first @ seen[: first.shape[1]] + offset, 0)
    return np.asarray(last @ hidden + bias, np.float32)


@cache
def _arrays() -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    data = resources.files("photo_inspector.networks").joinpath(FILE).read_bytes()
    with np.load(io.BytesIO(data)) as arrays:
        return dict(arrays)


@cache
def _layers() -> dict[str, tuple[tuple[Floats, Floats], ...]]:
    """Weights and offsets of the two joining layers of each of HEADS."""
    keep_to_one_thread()
    held = _arrays()
    return {
        name: tuple(
            (held[f"{name}_join_{index}"].astype(np.float32), held[f"{name}_bias_{index}"].astype(np.float32))
            for index in (0, 1)
        )
        for name in HEADS
    }


@cache
def _body() -> Convolutions:
    """The convolutions, read once."""
    return Convolutions(_arrays()["body"].tobytes())
