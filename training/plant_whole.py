"""Flaws of detail, each made in several ways, so that no single recipe can be fitted. Knows no inspector."""

from __future__ import annotations

import io
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from photo_inspector.catalogue import measure
from planted import SLOPE, Floats, Planted, Rng, as_jpeg, as_taken, display, linear, reach_of, strength_of, u8
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels

_LONGEST = 0.07
"""Longest way of a moved camera, over the longer side."""
_SEGMENTS_PX = 448
"""Longer side at which line segments are looked for."""
_LEAST_SEGMENT, _TRUE_DEG, _NEAR_DEG = 0.04, 1.5, 20.0
"""Least length of a segment over the longer side; lean up to which it is level or upright, or meant to be."""


def defocus(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """A lens's disc, a Gaussian, boxes, rough glass, or a disc in a camera, which adds grain and may sharpen.

    The strength is the kernel's standard deviation in pixels.
    """
    sigma = strength_of("defocus", severity, rng, most=reach_of(pixels))
    way = str(rng.choice(["gaussian", "disc", "box", "glass", "camera", "camera"]))
    if way == "camera":
        out = as_taken(soften(pixels, sigma, "disc"), rng)
    else:
        out = _through_glass(pixels, sigma, rng) if way == "glass" else soften(pixels, sigma, way)
    return Planted("defocus", way, severity, out, strength=sigma)


def _through_glass(pixels: Pixels, sigma: float, rng: Rng) -> Pixels:
    """Every pixel is taken from somewhere near, and the whole is softened before and after."""
    height, width = pixels.shape[:2]
    soft = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.6 * sigma), np.uint8)
    reach = 0.55 * sigma
    x = np.arange(width, dtype=np.float32)[None] + rng.normal(0, reach, (height, width)).astype(np.float32)
    y = np.arange(height, dtype=np.float32)[:, None] + rng.normal(0, reach, (height, width)).astype(np.float32)
    moved = cv2.remap(soft, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), 0.58 * sigma), np.uint8)


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
    """An even, fading, bent or shaky line, or the way of a hand, four times of ten in a camera.

    The strength is sqrt(12) standard deviations of the way along its longer axis, in pixels.
    """
    least, most = reach_of(pixels), _LONGEST * max(pixels.shape[:2]) / measure("motion_blur").steps[-1]
    length = strength_of("motion_blur", severity, rng, most=least * max(1.0, most / least) ** rng.random())
    way, taken = str(rng.choice(["even", "fading", "bent", "shaky", "hand"])), bool(rng.random() < 0.4)
    angle = float(rng.uniform(0, np.pi))
    along, aside = (length * part for part in _way(way, rng))
    x, y = along * np.cos(angle) - aside * np.sin(angle), along * np.sin(angle) + aside * np.cos(angle)
    out = u8(cv2.filter2D(pixels.astype(np.float32), -1, _trail(x, y), borderType=cv2.BORDER_REFLECT))
    if taken:
        way, out = f"{way}, camera", as_taken(out, rng)
    return Planted("motion_blur", way, severity, out, strength=length)


def _way(way: str, rng: Rng) -> tuple[Floats, Floats]:
    """Where the picture was during the exposure, along its longer axis and aside, in lengths."""
    steps = np.linspace(-0.5, 0.5, 4000)
    if way == "fading":
        return np.clip(rng.normal(0, 1 / np.sqrt(12), 4000), -1, 1).astype(np.float32), np.zeros(4000, np.float32)
    if way == "bent":
        return steps.astype(np.float32), (0.3 * (steps**2 - 0.125)).astype(np.float32)
    if way == "shaky":
        walk = np.cumsum(rng.normal(0, 1, steps.size))
        return steps.astype(np.float32), (0.12 * (walk - walk.mean()) / (np.ptp(walk) + 1e-6)).astype(np.float32)
    return (steps.astype(np.float32), np.zeros(4000, np.float32)) if way == "even" else _way_of_a_hand(rng)


def _way_of_a_hand(rng: Rng) -> tuple[Floats, Floats]:
    """A hand drifts, halts and turns; where it halts the picture is crisp and doubled. Aside it moves less than half.

    After G. Boracchi, A. Foi, "Modeling the performance of image restoration from motion blur", IEEE TIP 2012.
    """
    count, keep = 400, 0.97
    speed = np.zeros((count, 2))
    for step in range(1, count):
        speed[step] = keep * speed[step - 1] + rng.normal(0, 1, 2)
        if rng.random() < 0.006:
            speed[step] -= 2 * speed[step]
    haste = np.cumsum(rng.normal(0, 0.1, count))
    place = np.cumsum(speed * np.exp(haste - haste.max())[:, None], axis=0)
    place -= place.mean(axis=0)
    _, _, axes = np.linalg.svd(place, full_matrices=False)
    along, aside = (np.interp(np.linspace(0, count - 1, 4000), np.arange(count), place @ axis) for axis in axes)
    along /= np.sqrt(12) * along.std() + 1e-9
    spread = np.sqrt(12) * float(aside.std())
    return along.astype(np.float32), (aside * rng.uniform(0, 0.4) / (spread + 1e-9)).astype(np.float32)


def _trail(x: Floats, y: Floats) -> Floats:
    """How long the picture was at each pixel, the whole taken for 1."""
    reach = int(np.ceil(max(np.abs(x).max(), np.abs(y).max()))) + 2
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    column, row = (x + reach).astype(int), (y + reach).astype(int)
    right, below = x + reach - column, y + reach - row
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = (below if down else 1 - below) * (right if across else 1 - right)
        np.add.at(kernel, (row + down, column + across), share)
    return np.asarray(kernel / kernel.sum(), np.float32)


def noise(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Gaussian in color or in gray, photon, speckle, salt and pepper, coarse, of a sensor, or saved as JPEG."""
    sigma = strength_of("noise", severity, rng)
    way = str(rng.choice(["color", "gray", "photon", "speckle", "impulse", "coarse", "sensor", "saved"]))
    work = pixels.astype(np.float32)
    grain = rng.normal(0, 1, pixels.shape).astype(np.float32)
    if way == "gray":
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
    elif way == "sensor":
        work = _sensor_noise(pixels, sigma, rng)
    else:
        work += sigma * grain
    out = as_jpeg(u8(work), int(rng.integers(82, 97)))[0] if way == "saved" else u8(work)
    return Planted("noise", way, severity, out, strength=sigma)


def _sensor_noise(pixels: Pixels, sigma: float, rng: Rng) -> Floats:
    """Photon and read noise in linear light, scaled so that middle gray gets `sigma` levels."""
    light = linear(pixels)
    variance = (sigma / SLOPE) ** 2 * (0.2 + 0.8 * light / 0.18)
    return display(light + np.sqrt(variance) * rng.normal(0, 1, light.shape).astype(np.float32)).astype(np.float32)


def compression(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """JPEG as the file itself, as pixels, cropped off the grid or saved twice; WebP and JPEG 2000 of equal error."""
    quality = round(100 - strength_of("compression", severity, rng))
    quality = max(4, min(quality, {"minor": 33, "major": 19, "critical": 9}[severity.value]))
    way = str(rng.choice(["file", "pixels", "444", "cropped", "twice", "webp", "jpeg2000"]))
    out, data = as_jpeg(pixels, quality, subsample=way != "444")
    if way in {"webp", "jpeg2000"}:
        out = _as_bad(pixels, out, way)
    if way == "cropped":
        dx, dy = (int(v) for v in rng.integers(1, 8, 2))
        out = np.ascontiguousarray(out[dy:, dx:])
    if way == "twice":
        out, data = as_jpeg(out, 92)
    return Planted(
        "compression", way, severity, out, file=data if way in {"file", "twice"} else b"", strength=100.0 - quality
    )


def shows_lean(pixels: Pixels) -> bool:
    """Whether a lean of this photograph could be seen: it has straight edges that are level or upright.

    Asked of the photograph before it is turned, of line segments that the inspector does not look at (R. von Gioi,
    J. Jakubowicz, J.-M. Morel, G. Randall, "LSD: a line segment detector", IPOL 2012). Those of _LEAST_SEGMENT or more
    that lie within _TRUE_DEG of level or upright must together be half as long as the longer side, and be three tenths
    of all that lie within _NEAR_DEG. A cat on a cushion has no such edges; a photograph that leans already would be set
    upright as often as tilted.
    """
    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    factor = min(1.0, _SEGMENTS_PX / max(gray.shape))
    gray = np.asarray(cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(gray)[0]
    if found is None:
        return False
    ends = np.asarray(found, np.float32).reshape(-1, 4)
    across, down = np.abs(ends[:, 2] - ends[:, 0]), np.abs(ends[:, 3] - ends[:, 1])
    length = np.hypot(across, down) / max(gray.shape)
    lean = np.degrees(np.arctan2(np.minimum(across, down), np.maximum(across, down)))
    near = (length >= _LEAST_SEGMENT) & (lean < _NEAR_DEG)
    true = float(length[near & (lean < _TRUE_DEG)].sum())
    return true >= 0.5 and true >= 0.3 * float(length[near].sum())


def tilt(pixels: Pixels, rng: Rng, severity: Severity) -> Planted:
    """Turned and cropped to what is left, with linear or cubic interpolation, partly saved as JPEG."""
    degrees = min(strength_of("tilt", severity, rng), 14.0) * float(rng.choice([-1, 1]))
    way = str(rng.choice(["linear", "cubic", "saved"]))
    out = turned(pixels, degrees, cubic=way != "linear")
    if way == "saved":
        out, _ = as_jpeg(out, int(rng.integers(80, 97)))
    return Planted("tilt", way, severity, out, strength=abs(degrees))


def turned(pixels: Pixels, degrees: float, *, cubic: bool) -> Pixels:
    """The picture turned clockwise and cropped to the largest upright rectangle of its shape that is left."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    flag = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    out = np.asarray(cv2.warpAffine(pixels, turn, (width, height), flags=flag, borderMode=cv2.BORDER_REFLECT), np.uint8)
    sin, cos = abs(np.sin(np.radians(degrees))), abs(np.cos(np.radians(degrees)))
    keep = min(width / (width * cos + height * sin), height / (width * sin + height * cos))
    w, h = int(width * keep), int(height * keep)
    left, top = (width - w) // 2, (height - h) // 2
    return np.ascontiguousarray(out[top : top + h, left : left + w])


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
    """Scaled down and up again by the strength, with five filters, or sharpened afterward."""
    factor = strength_of("upscaling", severity, rng)
    way = str(rng.choice([*_CV_FILTERS, "pillow", "sharpened"]))
    small = cv2.resize(pixels, _size(pixels, 1 / factor), interpolation=cv2.INTER_AREA)
    size = (pixels.shape[1], pixels.shape[0])
    if way == "pillow":
        out = np.asarray(Image.fromarray(u8(small)).resize(size, Image.Resampling.BICUBIC), np.uint8)
    elif way == "sharpened":
        large = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
        out = u8(large + 0.8 * (large - cv2.GaussianBlur(large, (0, 0), 0.5 * factor)))
    else:
        out = u8(cv2.resize(small, size, interpolation=_CV_FILTERS[way]))
    return Planted("upscaling", way, severity, out, strength=factor)


def _size(pixels: Pixels, factor: float) -> tuple[int, int]:
    return max(8, round(pixels.shape[1] * factor)), max(8, round(pixels.shape[0] * factor))


def _as_bad(pixels: Pixels, squeezed: Pixels, kind: str) -> Pixels:
    """The picture in another format, at the setting whose error comes nearest to that of `squeezed`."""
    image = Image.fromarray(pixels)
    loss = float(np.mean((squeezed.astype(np.float32) - pixels) ** 2))
    if kind == "jpeg2000":
        decibels = 10 * np.log10(255**2 / max(loss, 1e-3))
        return _reopened(image, "JPEG2000", quality_mode="dB", quality_layers=[float(decibels)])
    low, high = 0, 90
    while high - low > 8:
        quality = (low + high) // 2
        out = _reopened(image, "WEBP", quality=quality, method=2)
        worse = float(np.mean((out.astype(np.float32) - pixels) ** 2)) > loss
        low, high = (quality, high) if worse else (low, quality)
    return _reopened(image, "WEBP", quality=low, method=2)


def _reopened(image: Image.Image, kind: str, **options: object) -> Pixels:
    room = io.BytesIO()
    image.save(room, kind, **options)
    return np.asarray(Image.open(room).convert("RGB"), np.uint8)
