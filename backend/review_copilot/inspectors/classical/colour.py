"""Whether one tint lies over the whole picture. Knows no guideline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from review_copilot.inspectors.classical.frame import Floats, Frame, shrunk

_SIDE_PX = 128
"""Longer side at which colour is read."""
# How much the colour of mean, lightest, darkest, steep-edge, grey-pixel and least coloured tones says about the tint:
# least squares over photographs tinted by known amounts, three times each, and left as they are.
_SAY = np.array([-0.20, 0.04, 0.55, 0.28, 0.17, 0.32], np.float32)


@dataclass(frozen=True, slots=True)
class Colour:
    """The colours of a picture. Distances are in CIELAB units.

    Attributes:
        cast: Estimated distance of neutral tones from grey.
        green: How far the estimate leans to green or magenta.
        warm: How far it leans to yellow (positive) or blue (negative).
        hue_deg: Its direction in the a*b* plane, 0 = red, 90 = yellow, 180 = green, 270 = blue.
        shift: Distance of the mean colour from grey.
        ratio: That distance over the spread of the colours around the mean.
        least: Distance from grey that nine tenths of the picture keep or exceed.
        light: Distance of the lightest tones from grey.
        dark: Distance of the darkest tones from grey.
        edge: Distance from grey of the mean colour of the edges.
        agreement: How far light, dark and mean tones lean the same way, -1..1.
        spread: Spread of the colours around their mean.
    """

    cast: float
    green: float
    warm: float
    hue_deg: float
    shift: float
    ratio: float
    least: float
    light: float
    dark: float
    edge: float
    agreement: float
    spread: float


def colour(frame: Frame) -> Colour:
    """Measure the tint on a thumbnail.

    Mean and spread after F. Gasparini, R. Schettini, "Color balancing of digital photos using simple image statistics"
    (Pattern Recognition 37, 2004); lightest tones after E. Land's white patch; steep edges after J. van de Weijer,
    T. Gevers, A. Gijsenij, "Edge-based color constancy" (2007).
    """
    clues = tint_clues(frame)
    estimate = _SAY @ clues
    mean, light, dark, edge = clues[0], clues[1], clues[2], clues[3]
    chroma, spread = _chroma(frame)
    shift = float(np.hypot(*mean))
    return Colour(
        cast=float(np.hypot(*estimate)),
        green=abs(float(estimate[0])),
        warm=float(estimate[1]),
        hue_deg=float(np.degrees(np.arctan2(estimate[1], estimate[0])) % 360.0),
        shift=shift,
        ratio=shift / max(spread, 1.0),
        least=chroma,
        light=float(np.hypot(*light)),
        dark=float(np.hypot(*dark)),
        edge=float(np.hypot(*edge)),
        agreement=min(_cosine(light, mean), _cosine(dark, mean)),
        spread=spread,
    )


def tint_clues(frame: Frame) -> Floats:
    """a*b* of the mean, lightest, darkest tones, steepest edges, grey pixels, least coloured; shape (6, 2)."""
    rgb = np.asarray(shrunk(frame.small_rgb, longer_px=_SIDE_PX) / np.float32(255), np.float32)
    lab = _lab(rgb.reshape(-1, 3))
    order = np.argsort(lab[:, 0])
    count = max(1, order.size // 20)
    below_white = order[lab[order, 0] < 99]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    middle = np.flatnonzero((lab[:, 0] > 10) & (lab[:, 0] < 97))
    middle = middle if middle.size > 20 else np.arange(chroma.size)
    few = middle[np.argsort(chroma[middle])[: max(5, middle.size // 10)]]
    clues = [
        lab[:, 1:].mean(axis=0),
        lab[below_white[-count:] if below_white.size else order, 1:].mean(axis=0),
        lab[order[:count], 1:].mean(axis=0),
        _edge_colour(rgb),
        _grey_pixels(rgb),
        lab[few, 1:].mean(axis=0),
    ]
    return np.asarray(np.stack(clues), np.float32)


def _chroma(frame: Frame) -> tuple[float, float]:
    lab = _lab(np.asarray(shrunk(frame.small_rgb, longer_px=_SIDE_PX) / np.float32(255), np.float32).reshape(-1, 3))
    least = float(np.quantile(np.hypot(lab[:, 1], lab[:, 2]), 0.1))
    return least, float(np.hypot(lab[:, 1].std(), lab[:, 2].std()))


def _lab(rgb: Floats) -> Floats:
    lab = cv2.cvtColor(rgb.reshape(1, -1, 3), cv2.COLOR_RGB2LAB)
    return np.asarray(lab, np.float32).reshape(-1, 3)


def _cosine(one: Floats, other: Floats) -> float:
    length = float(np.hypot(*one) * np.hypot(*other))
    return float(one @ other) / length if length > 4 else 0.0


def _edge_colour(rgb: Floats) -> Floats:
    if min(rgb.shape[:2]) < 3:
        return np.zeros(2, np.float32)
    steps = np.abs(rgb[:, 2:] - rgb[:, :-2])[1:-1] + np.abs(rgb[2:] - rgb[:-2])[:, 1:-1]
    cubed = steps.reshape(-1, 3) ** 2
    mean = (cubed * cubed * cubed).mean(axis=0) ** (1 / 6) + 1e-4
    return _at_half(np.asarray(mean, np.float32))


def _grey_pixels(rgb: Floats) -> Floats:
    """Colour of the places where the three channels change alike.

    K.-F. Yang, S.-B. Gao, Y.-J. Li, "Efficient illuminant estimation for color constancy using grey pixels" (CVPR
    2015): a grey thing changes alike in the logarithm of all channels, whatever the light.
    """
    if min(rgb.shape[:2]) < 8:
        return np.zeros(2, np.float32)
    logs = np.log(np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.7), np.float32) + 0.01)
    change = np.asarray(cv2.Laplacian(logs, cv2.CV_32F, ksize=3), np.float32)
    mean = change.mean(axis=2)
    unlike = np.sqrt(((change - mean[..., None]) ** 2).sum(axis=2))
    index = unlike / (np.abs(mean) + 1e-3)
    index[(np.abs(mean) < 0.03) | (rgb.mean(axis=2) < 0.06) | (rgb.max(axis=2) > 0.97) | (unlike < 1e-5)] = 9
    index = np.asarray(cv2.blur(index, (3, 3)), np.float32).ravel()
    count = max(5, index.size * 3 // 100)
    chosen = rgb.reshape(-1, 3)[np.argpartition(index, count)[:count]]
    return _at_half(np.median(chosen / np.maximum(chosen.mean(axis=1, keepdims=True), 1e-3), axis=0))


def _at_half(colour_of: Floats) -> Floats:
    level = np.clip(colour_of / max(float(colour_of.mean()), 1e-4) * 0.5, 0, 1)
    return _lab(level.astype(np.float32))[0, 1:]
