"""Flaws of the whole picture, each made in several ways, so that no single recipe can be fitted. Knows no inspector."""

from __future__ import annotations

import io
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from planted import Floats, Planted, Rng, as_jpeg, display, linear, strength_of, u8
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels


def defocus(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Gaussian, lens disc, or box thrice; the strength is the kernel's standard deviation in pixels."""
    sigma = strength_of("defocus", severity, rng)
    way = str(rng.choice(["gaussian", "disc", "box"]))
    return Planted("defocus", way, severity, soften(pixels, sigma, way), strength=sigma)


def soften(pixels: Pixels, sigma: float, way: str) -> Pixels:
    """A blur of the given standard deviation in pixels."""
    if way == "disc":
        return u8(cv2.filter2D(pixels.astype(np.float32), -1, _disc(2 * sigma), borderType=cv2.BORDER_REFLECT))
    if way == "box":
        side = max(1, round((np.sqrt(4 * sigma * sigma + 1) - 1) / 2)) * 2 + 1
        for _ in range(3):
            pixels = np.asarray(cv2.blur(pixels, (side, side)), np.uint8)
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def _disc(radius: float) -> Floats:
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def motion_blur(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """An even line, a fading line, or a slightly bent one; the strength is sqrt(12) times its standard deviation."""
    length = strength_of("motion_blur", severity, rng)
    way = str(rng.choice(["even", "fading", "bent"]))
    angle = float(rng.uniform(0, np.pi))
    reach = int(np.ceil(length)) + 2
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    steps = np.linspace(-1, 1, 8 * reach)
    if way == "fading":
        steps = np.clip(rng.normal(0, 1 / np.sqrt(3), 4000), -2, 2)
    bend = 0.15 if way == "bent" else 0.0
    along = steps * length / 2
    aside = bend * length / 2 * (steps**2 - 0.5)
    x = reach + along * np.cos(angle) - aside * np.sin(angle)
    y = reach + along * np.sin(angle) + aside * np.cos(angle)
    for px, py in zip(x, y, strict=True):
        i, j = int(py), int(px)
        fy, fx = py - i, px - j
        kernel[i, j] += (1 - fy) * (1 - fx)
        kernel[i + 1, j] += fy * (1 - fx)
        kernel[i, j + 1] += (1 - fy) * fx
        kernel[i + 1, j + 1] += fy * fx
    out = cv2.filter2D(pixels.astype(np.float32), -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    return Planted("motion_blur", way, severity, u8(out), strength=length)


def _exposed(pixels: Pixels, stops: float, way: str) -> Pixels:
    if way == "light":
        return display(linear(pixels) * 2.0**stops)
    if way == "levels":
        return u8(pixels.astype(np.float32) * 2.0 ** (stops / 2.2))
    return u8(255 * (pixels.astype(np.float32) / 255) ** (2.0 ** (-stops / 2.4)))


def over_exposure(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """More light, a gain on the levels, or a gamma curve; the strength is the stops added."""
    low, high = {"minor": (1.0, 1.4), "major": (1.5, 2.0), "critical": (2.1, 3.0)}[severity.value]
    way = str(rng.choice(["light", "levels", "gamma"]))
    stops = float(rng.uniform(low, high))
    return Planted("over_exposure", way, severity, _exposed(pixels, stops, way), strength=stops)


def under_exposure(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Less light, a loss on the levels, or a gamma curve; the strength is the stops taken."""
    low, high = {"minor": (2.1, 2.9), "major": (3.1, 3.9), "critical": (4.1, 5.5)}[severity.value]
    way = str(rng.choice(["light", "levels", "gamma"]))
    stops = float(rng.uniform(low, high))
    return Planted("under_exposure", way, severity, _exposed(pixels, -stops, way), strength=stops)


def noise(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Gaussian in colour or in grey, photon, speckle, salt and pepper, or raw noise after demosaicing."""
    sigma = strength_of("noise", severity, rng)
    way = str(rng.choice(["colour", "grey", "photon", "speckle", "impulse", "coarse"]))
    work = pixels.astype(np.float32)
    grain = rng.normal(0, 1, pixels.shape).astype(np.float32)
    if way == "grey":
        work += sigma * grain[..., :1]
    elif way == "photon":
        work += sigma * np.sqrt(np.maximum(work, 1) / 110) * grain
    elif way == "speckle":
        work += sigma * np.maximum(work, 8) / 110 * grain
    elif way == "impulse":
        hit = rng.random(pixels.shape[:2]) < (sigma / 140) ** 2
        work[hit] = np.where(rng.random((int(hit.sum()), 1)) < 0.5, 0, 255)
    elif way == "coarse":
        soft = np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.6), np.float32)
        work += sigma * soft / soft.std()
    else:
        work += sigma * grain
    return Planted("noise", way, severity, u8(work), strength=sigma)


def compression(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """JPEG with full or halved colour, as the file itself, as pixels, or cropped off the grid; or saved twice."""
    quality = round(100 - strength_of("compression", severity, rng))
    quality = max(4, min(quality, {"minor": 33, "major": 19, "critical": 9}[severity.value]))
    way = str(rng.choice(["file", "pixels", "444", "cropped", "twice"]))
    out, data = as_jpeg(pixels, quality, subsample=way != "444")
    if way == "cropped":
        dx, dy = (int(v) for v in rng.integers(1, 8, 2))
        out = np.ascontiguousarray(out[dy:, dx:])
    if way == "twice":
        out, data = as_jpeg(out, 92)
    return Planted(
        "compression", way, severity, out, file=data if way in {"file", "twice"} else b"", strength=100.0 - quality
    )


def banding(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Levels cut down per channel or in brightness alone, or a small palette; partly saved as JPEG afterwards."""
    step = strength_of("banding", severity, rng)
    way = str(rng.choice(["channels", "brightness", "palette", "saved"]))
    work = pixels.astype(np.float32)
    if way == "brightness":
        luma = work @ np.array([0.299, 0.587, 0.114], np.float32)
        work += (np.round(luma / step) * step - luma)[..., None]
    elif way == "palette":
        colours = int(np.clip((256 / step) ** 1.35, 6, 256))
        image = Image.fromarray(pixels).quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        work = np.asarray(image.convert("RGB"), np.float32)
    else:
        work = np.floor(work / step) * step + step / 2
    out = u8(work)
    if way == "saved":
        out, _ = as_jpeg(out, 93)
    return Planted("banding", way, severity, out, strength=step)


def colour_cast(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """White balance in linear light, gains or shifts on the levels, or a coloured veil; strength by a grey patch."""
    target = strength_of("colour_cast", severity, rng)
    way = str(rng.choice(["balance", "gains", "shift", "veil"]))
    axis = float(rng.uniform(0, 2 * np.pi))
    if way in {"balance", "gains"}:
        axis = float(rng.choice([1.2, 4.4, 0.2, 2.6])) + float(rng.uniform(-0.3, 0.3))
    colour = np.array([np.cos(axis), np.cos(axis - 2.094), np.cos(axis + 2.094)], np.float32)
    low, high = 0.0, 3.0
    patch = np.full((2, 2, 3), 128, np.uint8)
    for _ in range(24):
        amount = (low + high) / 2
        lab = cv2.cvtColor(_tinted(patch, colour * amount, way).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]
        low, high = (amount, high) if np.hypot(lab[1], lab[2]) < target else (low, amount)
    return Planted("colour_cast", way, severity, _tinted(pixels, colour * low, way), strength=target)


def _tinted(pixels: Pixels, colour: Floats, way: str) -> Pixels:
    work = pixels.astype(np.float32)
    if way == "balance":
        return display(linear(pixels) * np.exp(colour))
    if way == "gains":
        return u8(work * np.exp(colour / 2))
    if way == "shift":
        return u8(work + 60 * colour)
    alpha = 0.3
    return u8((1 - alpha) * work + alpha * np.clip(128 + 120 * colour, 0, 255))


def low_contrast(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Levels squeezed around the mean, lifted blacks, or a veil of haze; the strength is the unused range in %."""
    target = strength_of("low_contrast", severity, rng)
    target = min(target, 90.0)
    way = str(rng.choice(["squeezed", "lifted", "haze"]))
    work = pixels.astype(np.float32)
    p1, p99 = np.percentile(work.mean(axis=2), [1, 99])
    keep = min(1.0, (100 - target) / 100 * 255 / max(p99 - p1, 1))
    goal = {"squeezed": float(work.mean()), "lifted": 150.0, "haze": 205.0}[way]
    amount: Floats | float = keep
    if way == "haze":
        depth = np.linspace(-0.12, 0.12, pixels.shape[0], dtype=np.float32)[:, None, None]
        amount = np.clip(keep + depth * keep, 0.03, 1)
    return Planted("low_contrast", way, severity, u8(goal + (work - goal) * amount), strength=target)


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


def tilt(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Turned and cropped to what is left, with linear or cubic interpolation."""
    degrees = min(strength_of("tilt", severity, rng), 14.0) * float(rng.choice([-1, 1]))
    way = str(rng.choice(["linear", "cubic"]))
    flag = cv2.INTER_LINEAR if way == "linear" else cv2.INTER_CUBIC
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turned = cv2.warpAffine(pixels, turn, (width, height), flags=flag, borderMode=cv2.BORDER_REFLECT)
    # the largest upright rectangle of the same shape inside the turned one
    sin, cos = abs(np.sin(np.radians(degrees))), abs(np.cos(np.radians(degrees)))
    keep = min(width / (width * cos + height * sin), height / (width * sin + height * cos))
    w, h = int(width * keep), int(height * keep)
    left, top = (width - w) // 2, (height - h) // 2
    return Planted(
        "tilt", way, severity, np.ascontiguousarray(turned[top : top + h, left : left + w]), strength=abs(degrees)
    )


def low_resolution(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Scaled down to a longer side of 640 / strength."""
    longer = 640 / strength_of("low_resolution", severity, rng)
    size = _size(pixels, longer / max(pixels.shape[:2]))
    return Planted("low_resolution", "area", severity, u8(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))


_Filter = Literal["nearest", "linear", "cubic", "lanczos", "pillow"]
_CV_FILTERS: dict[str, int] = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


def upscaling(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Scaled down and up again by the strength, with five filters."""
    factor = strength_of("upscaling", severity, rng)
    way = str(rng.choice([*_CV_FILTERS, "pillow"]))
    small = cv2.resize(pixels, _size(pixels, 1 / factor), interpolation=cv2.INTER_AREA)
    size = (pixels.shape[1], pixels.shape[0])
    if way == "pillow":
        out = np.asarray(Image.fromarray(u8(small)).resize(size, Image.Resampling.BICUBIC), np.uint8)
    else:
        out = u8(cv2.resize(small, size, interpolation=_CV_FILTERS[way]))
    return Planted("upscaling", way, severity, out, strength=factor)


def _size(pixels: Pixels, factor: float) -> tuple[int, int]:
    return max(8, round(pixels.shape[1] * factor)), max(8, round(pixels.shape[0] * factor))


def webp(pixels: Pixels, quality: int) -> Pixels:
    """The picture after lossy WebP."""
    room = io.BytesIO()
    Image.fromarray(pixels).save(room, "WEBP", quality=quality)
    return np.asarray(Image.open(room).convert("RGB"), np.uint8)
