"""Bring one picture to the exposure of another. Knows no alignment and no flaws."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from photo_inspector.reference.planes import Mask
from review_copilot.plugin import Pixels

_BINS = 32
_LEAST_SHARE = 0.0005


def toned(reference: Pixels, image: Pixels, valid: Mask) -> Pixels:
    """The reference with its exposure, gamma and white balance brought to the image's, channel by channel.

    Args:
        reference: RGB of the same shape as `image`, roughly aligned with it.
        image: RGB.
        valid: Where `reference` holds true pixels.
    """
    if not valid.any():
        return reference
    channels = [
        tone_curve(reference[..., k][valid], image[..., k][valid])[reference[..., k]] for k in range(reference.shape[2])
    ]
    return np.stack(channels, axis=-1).astype(np.uint8)


def tone_curve(source: npt.NDArray[np.uint8], target: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Rising curve of 256 levels that takes `source` to `target`, pixel for pixel.

    The median of the target over each of 32 bins of the source is robust to a change of contents in less than half of
    a bin and to misplaced edges; the mean of the running maximum and the running minimum from the other end makes the
    curve rise. Beyond the levels that occur it goes on with slope 1.

    Args:
        source: Levels, flat, not empty.
        target: Levels at the same places.
    """
    bins = source.astype(np.intp) * _BINS // 256
    order = np.argsort(bins, kind="stable")
    edges = np.searchsorted(bins[order], np.arange(_BINS + 1))
    x, y = [], []
    for low, high in itertools.pairwise(edges):
        if high - low >= max(1, _LEAST_SHARE * source.size):
            chosen = order[low:high]
            x.append(float(source[chosen].mean()))
            y.append(float(np.median(target[chosen])))
    levels = np.asarray(y)
    rising = (np.maximum.accumulate(levels) + np.minimum.accumulate(levels[::-1])[::-1]) / 2
    everywhere = np.arange(256, dtype=np.float64)
    curve = np.interp(everywhere, x, rising)
    curve += np.minimum(0, everywhere - x[0]) + np.maximum(0, everywhere - x[-1])
    return np.asarray(np.clip(curve, 0, 255), dtype=np.float32)
