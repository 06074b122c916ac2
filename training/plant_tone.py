"""Flaws of light, color and tone, each made in several ways, as cameras, editors and test sets do.

Knows no inspector.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from planted import Floats, Planted, Rng, as_jpeg, display, linear, strength_of, u8
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels

MIDDLE = 0.18
"""Middle gray in linear light."""
TINTS = ("balance", "temperature", "gains", "shift", "veil")
EXPOSURES = ("light", "light", "raw", "film", "levels", "gamma", "offset")


def exposed(pixels: Pixels, stops: float, way: str) -> Pixels:
    """The picture as many stops lighter or darker, by what happens to middle gray.

    Args:
        pixels: Upright RGB.
        stops: Positive for more light.
        way: "light" is another exposure; "raw" clips the channels of a sensor before white balance; "film" rolls the
            highlights off; "levels", "gamma" and "offset" are what editors and test sets do.
    """
    light = linear(pixels) * np.float32(2.0**stops)
    if way == "light":
        return display(light)
    if way == "raw":
        balance = np.array([1.9, 1.0, 1.6], np.float32)
        return display(np.minimum(light / balance, 1 / balance.max()) * balance)
    if way == "film":
        knee = np.float32(0.6)
        over = np.maximum(light - knee, 0)
        return display(np.minimum(light, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee))))
    if way == "levels":
        return u8(pixels.astype(np.float32) * 2.0 ** (stops / 2.2))
    if way == "offset":
        middle = display(np.array([MIDDLE, MIDDLE * 2.0**stops], np.float32)).astype(np.float32)
        return u8(pixels.astype(np.float32) + (middle[1] - middle[0]))
    return u8(255 * (pixels.astype(np.float32) / 255) ** (2.0 ** (-stops / 2.4)))


def over_exposure(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Too much light; the strength is the stops added."""
    low, high = {"minor": (1.0, 1.4), "major": (1.5, 2.0), "critical": (2.1, 3.0)}[severity.value]
    way = str(rng.choice(EXPOSURES))
    stops = float(rng.uniform(low, high))
    return Planted("over_exposure", way, severity, exposed(pixels, stops, way), strength=stops)


def under_exposure(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Too little light; the strength is the stops taken."""
    low, high = {"minor": (2.1, 2.9), "major": (3.1, 3.9), "critical": (4.1, 5.5)}[severity.value]
    way = str(rng.choice(["light", "light", "levels", "gamma"]))
    stops = float(rng.uniform(low, high))
    return Planted("under_exposure", way, severity, exposed(pixels, -stops, way), strength=stops)


def banding(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Levels cut down per channel, to a number of bits, or in brightness alone, or a small palette; partly as JPEG."""
    step = strength_of("banding", severity, rng)
    way = str(rng.choice(["channels", "bits", "brightness", "palette", "saved"]))
    work = pixels.astype(np.float32)
    if way == "bits":
        step = float(2 ** round(np.log2(step)))
        work = np.floor(work / step) * step
    elif way == "brightness":
        luma = work @ np.array([0.299, 0.587, 0.114], np.float32)
        work += (np.round(luma / step) * step - luma)[..., None]
    elif way == "palette":
        colors = int(np.clip((256 / step) ** 1.35, 6, 256))
        image = Image.fromarray(pixels).quantize(colors, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        work = np.asarray(image.convert("RGB"), np.float32)
    else:
        work = np.floor(work / step) * step + step / 2
    out = u8(work)
    if way == "saved":
        out, _ = as_jpeg(out, int(rng.integers(88, 97)))
    return Planted("banding", way, severity, out, strength=step)


def colour_cast(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """One tint over everything; the strength is by a gray patch in Lab units."""
    target = strength_of("colour_cast", severity, rng)
    way = str(rng.choice(TINTS))
    return Planted("colour_cast", way, severity, tinted(pixels, tint_of(target, way, rng), way), strength=target)


def tint_of(target: float, way: str, rng: Rng) -> Floats:
    """A color that moves a middle gray by `target` Lab units: of any hue; a temperature is orange or blue."""
    axis = float(rng.uniform(0, 2 * np.pi))
    if way == "temperature":
        axis = float(rng.choice([0.6, 3.75])) + float(rng.uniform(-0.15, 0.15))
    color = np.array([np.cos(axis), np.cos(axis - 2.094), np.cos(axis + 2.094)], np.float32)
    low, high = 0.0, 3.0
    patch = np.full((2, 2, 3), 128, np.uint8)
    for _ in range(20):
        amount = (low + high) / 2
        lab = cv2.cvtColor(tinted(patch, color * amount, way).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
        low, high = (amount, high) if np.hypot(lab[1], lab[2]) < target else (low, amount)
    return np.asarray(color * np.float32(low), np.float32)


def tinted(pixels: Pixels, color: Floats, way: str) -> Pixels:
    """White balance off in linear light, gains or shifts on the levels, or a colored veil."""
    work = pixels.astype(np.float32)
    if way in {"balance", "temperature"}:
        return display(linear(pixels) * np.exp(color))
    if way == "gains":
        return u8(work * np.exp(color / 2))
    if way == "shift":
        return u8(work + 60 * color)
    alpha = 0.3
    return u8((1 - alpha) * work + alpha * np.clip(128 + 120 * color, 0, 255))


def low_contrast(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Levels squeezed, lifted blacks, an even or cloudy veil, or stray light; the strength is the unused range in %."""
    target = min(strength_of("low_contrast", severity, rng), 90.0)
    way = str(rng.choice(["squeezed", "lifted", "gray", "haze", "fog", "stray"]))
    work = pixels.astype(np.float32)
    p1, p99 = np.percentile(work.mean(axis=2), [1, 99])
    keep = min(1.0, (100 - target) / 100 * 255 / max(p99 - p1, 1))
    goal = {"squeezed": float(work.mean()), "gray": 128.0, "lifted": 150.0}.get(way, float(rng.uniform(180, 220)))
    height, width = pixels.shape[:2]
    uneven: Floats = np.zeros((height, width), np.float32)
    if way == "haze":
        uneven += np.linspace(-0.12, 0.12, height, dtype=np.float32)[:, None]
    if way == "fog":
        uneven += 0.15 * clouds(height, width, rng)
    if way == "stray":
        away = np.hypot(np.arange(width)[None] / width - rng.random(), np.arange(height)[:, None] / height)
        uneven += 0.3 * (away - away.mean()).astype(np.float32)
    amount = np.clip(keep * (1 + uneven), 0.03, 1)[..., None]
    return Planted("low_contrast", way, severity, u8(goal + (work - goal) * amount), strength=target)


def clouds(height: int, width: int, rng: Rng) -> Floats:
    """Smooth random patches of all sizes, of mean 0 and spread 1."""
    total: Floats = np.zeros((height, width), np.float32)
    for cells in (2, 4, 8, 16):
        coarse = rng.normal(0, 1 / cells, (cells + 1, cells + 1)).astype(np.float32)
        total += np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray((total - total.mean()) / (total.std() + 1e-6), np.float32)


def empty_frame(pixels: Pixels, rng: Rng, _severity: Severity) -> Planted:
    """One tone with hardly anything on it: even, grainy, or a faint ramp."""
    way = str(rng.choice(["even", "grainy", "ramp"]))
    level = rng.uniform(30, 225)
    work = np.full(pixels.shape, level, np.float32) + rng.uniform(-12, 12, 3).astype(np.float32)
    if way == "grainy":
        work += rng.normal(0, 2.0, pixels.shape)
    if way == "ramp":
        work += np.linspace(-6, 6, pixels.shape[1])[None, :, None]
    return Planted("empty_frame", way, Severity.CRITICAL, u8(work))
