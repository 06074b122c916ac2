"""Flaws with a place: patches, bars. Each is made in several ways. Knows no inspector."""

from __future__ import annotations

import cv2
import numpy as np

from plant_whole import soften
from planted import Floats, Planted, Rng, box_of, reach_of, strength_of, u8
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels


def _oval(pixels: Pixels, rng: Rng, share: float, *, oblong: bool = True) -> Floats:
    """A soft-edged ellipse or rectangle that covers about a share of the picture, 0..1."""
    height, width = pixels.shape[:2]
    stretch = float(rng.uniform(0.7, 1.4)) if oblong else 1.0
    half_w = min(0.45 * width, np.sqrt(share * width * height) / 2 * stretch)
    half_h = min(0.45 * height, share * width * height / 4 / half_w)
    x = rng.uniform(half_w, width - half_w)
    y = rng.uniform(half_h, height - half_h)
    mask = np.zeros((height, width), np.float32)
    if rng.random() < 0.5:
        cv2.rectangle(mask, (int(x - half_w), int(y - half_h)), (int(x + half_w), int(y + half_h)), 1.0, -1)
    else:
        cv2.ellipse(mask, (int(x), int(y)), (int(half_w), int(half_h)), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5), np.float32)


def defocus_patch(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """A soft patch in a sharp picture."""
    sigma = max(2.0, strength_of("defocus", severity, rng, most=reach_of(pixels)))
    mask = _oval(pixels, rng, float(rng.uniform(0.05, 0.25)))
    way = str(rng.choice(["gaussian", "disc"]))
    if rng.random() < 0.4:  # from a hard edge to a wide fade
        fade = float(rng.uniform(0.005, 0.025)) * max(pixels.shape)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), fade), np.float32)
    out = u8(pixels + (soften(pixels, sigma, way).astype(np.float32) - pixels) * mask[..., None])
    return Planted("defocus", f"patch {way}", severity, out, (box_of(mask > 0.5),), strength=sigma)


def clipped_highlights(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """A burned-out patch with a glow around it."""
    percent = min(strength_of("clipped_highlights", severity, rng), 35.0)
    mask = _oval(pixels, rng, percent / 100 * 1.15)
    way = str(rng.choice(["hard", "glow", "bright parts"]))
    if way == "bright parts":  # what is light in the patch burns out first
        luma = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 3).astype(np.float32)
        out = u8(pixels * (1 + mask[..., None]) + (mask * (300 - 0.4 * luma))[..., None])
        gone = (out.min(axis=2) >= 250) & (mask > 0.5)
        return Planted("clipped_highlights", way, severity, out, (box_of(gone if gone.any() else mask > 0.85),))
    if way == "glow":
        wide = cv2.GaussianBlur(mask, (0, 0), 0.03 * max(pixels.shape))
        mask = np.maximum(mask, np.asarray(wide, np.float32) * 0.6)
    out = u8(pixels.astype(np.float32) * (1 + mask[..., None]) + 330 * mask[..., None] ** 2)
    return Planted("clipped_highlights", way, severity, out, (box_of(mask > 0.85),))


def crushed_shadows(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """A patch without any light."""
    percent = min(strength_of("crushed_shadows", severity, rng), 55.0)
    mask = _oval(pixels, rng, percent / 100 * 1.1)
    out = u8(pixels.astype(np.float32) * (1 - mask[..., None]) - 8 * mask[..., None])
    return Planted("crushed_shadows", "patch", severity, out, (box_of(mask > 0.9),))


def border(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Bars above and below, at both sides, all round, or on one side; black, white or of a color."""
    percent = min(max(1.0, strength_of("border", severity, rng)), 45.0)
    way = str(rng.choice(["letterbox", "pillarbox", "frame", "one side"]))
    kind = str(rng.choice(["black", "white", "color"]))
    color = {"black": np.zeros(3), "white": np.full(3, 255.0), "color": rng.uniform(20, 235, 3)}[kind]
    height, width = pixels.shape[:2]
    share = percent / 100
    sides: dict[str, tuple[int, int, int, int]] = {
        "letterbox": (round(height * share / 2), round(height * share / 2), 0, 0),
        "pillarbox": (0, 0, round(width * share / 2), round(width * share / 2)),
        "one side": [(round(height * share), 0, 0, 0), (0, 0, 0, round(width * share))][int(rng.integers(2))],
        "frame": (4 * (max(2, round((1 - np.sqrt(1 - share)) / 2 * min(height, width))),))[:4],
    }
    top, bottom, left, right = (max(v, 2) if v else 0 for v in sides[way])
    inner = cv2.resize(pixels, (width - left - right, height - top - bottom), interpolation=cv2.INTER_AREA)
    out = np.empty_like(pixels)
    out[:] = u8(color)
    out[top : height - bottom, left : width - right] = inner
    boxes = []
    if top:
        boxes.append(Box(0, 0, 1, top / height))
    if bottom:
        boxes.append(Box(0, 1 - bottom / height, 1, bottom / height))
    if left:
        boxes.append(Box(0, 0, left / width, 1))
    if right:
        boxes.append(Box(1 - right / width, 0, right / width, 1))
    return Planted("border", f"{way} {kind}", severity, out, tuple(boxes), thin=True)
