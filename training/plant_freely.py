"""Plant flaws in simple ways with freely drawn parameters, unlike the recipes that the trees are fitted on.

The operating points are chosen on both kinds, so that they do not rest on how the recipes happen to plant. Knows no
inspector.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from planted import Floats, Planted, Rng, box_of, u8
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels

_WORDS = ("Preview", "(c) 2021 A. Lens", "CONFIDENTIAL", "sample copy", "12.07.2009 14:31", "example.org",
          "NOT FOR SALE", "Draft 3", "@photographer", "Vacation", "HELLO", "Stockphoto 4411")  # fmt: skip


def overlay(pixels: Pixels, rng: Rng) -> Planted:
    """One line of text, at times repeated, slanting, see-through, with a rim or on a plate."""
    height, width = pixels.shape[:2]
    font = ImageFont.load_default(size=float(rng.uniform(0.035, 0.14)) * min(height, width) + 4)
    word = _WORDS[int(rng.integers(len(_WORDS)))]
    left, top, right, bottom = font.getbbox(word)
    ink_w, ink_h = int(right - left) + 8, int(bottom - top) + 8
    card = Image.new("L", (ink_w, ink_h), 0)
    ImageDraw.Draw(card).text((4 - left, 4 - top), word, font=font, fill=255, stroke_width=int(rng.random() < 0.2))
    if rng.random() < 0.2:
        card = card.rotate(float(rng.uniform(10, 50)), expand=True, resample=Image.Resampling.BICUBIC)
    ink = np.asarray(card, np.float32)[:height, :width] / 255
    mask: Floats = np.zeros((height, width), np.float32)
    places = 1 if rng.random() < 0.85 else int(rng.integers(2, 5))
    boxes: list[Box] = []
    for _ in range(places):
        y, x = (int(rng.integers(0, max(1, whole - own))) for whole, own in zip(mask.shape, ink.shape, strict=True))
        own = np.zeros_like(mask)
        own[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
        if (mask * own).any():
            continue
        mask = np.maximum(mask, own)
        boxes.append(box_of(own > 0.3))
    alpha = float(rng.uniform(0.35, 1.0))
    color = np.array([(255, 255, 255), (0, 0, 0), tuple(rng.uniform(0, 255, 3))][int(rng.integers(3))], np.float32)
    work = pixels.astype(np.float32)
    if alpha * float(np.median(np.abs(color - work[mask > 0.3]).max(axis=1))) < 20:
        color = 255 - color
    if rng.random() < 0.15:
        work *= 1 - 0.5 * np.asarray(cv2.dilate(mask, np.ones((9, 9))), np.float32)[..., None]
    return _planted("overlay", u8(work + (color - work) * (alpha * mask)[..., None]), tuple(boxes))


def over_exposure(pixels: Pixels, rng: Rng) -> Planted:
    """More light, by a gain of linear light or by a lifted curve."""
    level = pixels.astype(np.float32) / 255
    if rng.random() < 0.5:
        out = np.clip(level**2.2 * 2 ** rng.uniform(1.0, 2.4), 0, 1) ** (1 / 2.2)
    else:
        out = np.clip(level ** (1 / rng.uniform(1.6, 2.8)) * rng.uniform(1.0, 1.15), 0, 1)
    return _planted("over_exposure", u8(255 * out))


def under_exposure(pixels: Pixels, rng: Rng) -> Planted:
    """Less light, by a gain of linear light or by a pressed curve."""
    level = pixels.astype(np.float32) / 255
    power = rng.uniform(2.0, 4.0)
    out = level * 2 ** (-rng.uniform(2, 4.2) / 2.2) if rng.random() < 0.5 else level**power
    return _planted("under_exposure", u8(255 * out))


def upscaling(pixels: Pixels, rng: Rng) -> Planted:
    """Shrunk and enlarged again, by any pair of ways."""
    ways = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
    height, width = pixels.shape[:2]
    factor = float(rng.uniform(1.8, 4.5))
    size = (max(8, round(width / factor)), max(8, round(height / factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    back = cv2.resize(small, (width, height), interpolation=ways[int(rng.integers(1, 4))])
    return _planted("upscaling", np.asarray(back, np.uint8))


def tilt(pixels: Pixels, rng: Rng) -> Planted:
    """Turned about its middle, the largest upright part kept."""
    height, width = pixels.shape[:2]
    degrees = float(rng.uniform(2.5, 12)) * (1 if rng.random() < 0.5 else -1)
    radians = abs(np.deg2rad(degrees))
    share = 1 / (np.cos(radians) + max(width / height, height / width) * np.sin(radians))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    out_h, out_w = int(height * share), int(width * share)
    y, x = (height - out_h) // 2, (width - out_w) // 2
    return _planted("tilt", np.ascontiguousarray(turned[y : y + out_h, x : x + out_w]))


def colour_cast(pixels: Pixels, rng: Rng) -> Planted:
    """Channels multiplied or shifted by unlike amounts."""
    work = pixels.astype(np.float32)
    way = rng.normal(size=3)
    way = (way - way.mean()) / (np.abs(way - way.mean()).max() + 1e-6)
    if rng.random() < 0.5:
        return _planted("colour_cast", u8(work * (1 + way * rng.uniform(0.12, 0.35))))
    return _planted("colour_cast", u8(work + way * rng.uniform(14, 45)))


def noise(pixels: Pixels, rng: Rng) -> Planted:
    """Grain of one tone or of every channel, at times coarser than a pixel."""
    shape = (*pixels.shape[:2], 1 if rng.random() < 0.4 else 3)
    grain = rng.normal(0, rng.uniform(8, 32), shape).astype(np.float32)
    if rng.random() < 0.25:
        grain = 1.8 * cv2.GaussianBlur(grain, (0, 0), 0.7).reshape(shape)
    return _planted("noise", u8(pixels + grain))


def defocus(pixels: Pixels, rng: Rng) -> Planted:
    """A round or a Gaussian blur."""
    if rng.random() < 0.5:
        return _planted("defocus", np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(1.8, 6))), np.uint8))
    side = int(rng.integers(2, 8))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * side + 1,) * 2).astype(np.float32)
    return _planted("defocus", np.asarray(cv2.filter2D(pixels, -1, disk / disk.sum()), np.uint8))


def motion_blur(pixels: Pixels, rng: Rng) -> Planted:
    """A straight smear in any direction."""
    length = int(rng.integers(7, 32)) | 1
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), float(rng.uniform(0, 180)), 1.0)
    kernel = np.asarray(cv2.warpAffine(line, turn, (length, length)), np.float32)
    return _planted("motion_blur", np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8))


def low_contrast(pixels: Pixels, rng: Rng) -> Planted:
    """All tones pressed into a part of the range."""
    share = float(rng.uniform(0.25, 0.5))
    return _planted("low_contrast", u8(pixels * share + rng.uniform(0, 1) * (1 - share) * 255))


def defocus_patch(pixels: Pixels, rng: Rng) -> Planted:
    """A blurred ellipse or rectangle."""
    height, width = pixels.shape[:2]
    own_h, own_w = int(height * rng.uniform(0.2, 0.5)), int(width * rng.uniform(0.2, 0.5))
    y, x = int(rng.integers(0, height - own_h)), int(rng.integers(0, width - own_w))
    mask: Floats = np.zeros((height, width), np.float32)
    if rng.random() < 0.5:
        mask[y : y + own_h, x : x + own_w] = 1
    else:
        cv2.ellipse(mask, ((x + own_w / 2, y + own_h / 2), (own_w, own_h), 0), 1.0, -1)
    soft = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(3, 9))).astype(np.float32)
    weight = cv2.GaussianBlur(mask, (0, 0), 2.0)[..., None]
    return _planted("defocus", u8(pixels * (1 - weight) + soft * weight), (box_of(mask > 0.5),))


def scratch(pixels: Pixels, rng: Rng) -> Planted:
    """One to four lines, straight or bent, light or dark, across a part of the frame or all of it."""
    height, width = pixels.shape[:2]
    work, boxes = pixels.astype(np.float32), []
    for _ in range(int(rng.integers(1, 5))):
        start = rng.uniform(0, 1, 2) * (width, height)
        way = rng.normal(size=2)
        way *= float(rng.uniform(0.3, 1.2)) * max(height, width) / np.linalg.norm(way)
        bend = rng.normal(0, 0.06, 2) * np.linalg.norm(way)
        along = np.linspace(0, 1, 40)[:, None]
        points = start + along * way + np.sin(np.pi * along) * bend
        mask = np.zeros((height, width), np.uint8)
        cv2.polylines(mask, [(points * 16).astype(np.int32)], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA, 4)
        if (mask > 80).sum() < 0.15 * max(height, width):
            continue
        tone = 235.0 if rng.random() < 0.75 else 20.0
        work += (tone - work) * (rng.uniform(0.55, 1.0) * mask.astype(np.float32) / 255)[..., None]
        boxes.append(box_of(mask > 80))
    return _planted("scratch", u8(work), tuple(boxes), thin=True)


def dust(pixels: Pixels, rng: Rng) -> Planted:
    """Three to twelve spots, dark or light."""
    height, width = pixels.shape[:2]
    work, boxes = pixels.astype(np.float32), []
    dark = rng.random() < 0.6
    for _ in range(int(rng.integers(3, 13))):
        radius = float(rng.uniform(0.004, 0.014)) * max(height, width)
        middle = rng.uniform(0.03, 0.97, 2) * (width, height)
        rows, columns = np.ogrid[:height, :width]
        away = np.hypot(columns - middle[0], rows - middle[1])
        mask = np.clip((radius - away) / max(1.0, 0.4 * radius) + 0.5, 0, 1).astype(np.float32)
        work += ((25.0 if dark else 235.0) - work) * (rng.uniform(0.4, 0.9) * mask)[..., None]
        boxes.append(box_of(mask > 0.4))
    return _planted("dust", u8(work), tuple(boxes))


def _planted(flaw: str, pixels: Pixels, boxes: tuple[Box, ...] = (), *, thin: bool = False) -> Planted:
    return Planted(flaw, "free", Severity.MAJOR, pixels, boxes, thin=thin)


FREELY: dict[str, Callable[[Pixels, Rng], Planted]] = {
    "overlay": overlay,
    "over_exposure": over_exposure,
    "under_exposure": under_exposure,
    "upscaling": upscaling,
    "tilt": tilt,
    "colour_cast": colour_cast,
    "noise": noise,
    "defocus": defocus,
    "motion_blur": motion_blur,
    "low_contrast": low_contrast,
    "defocus_patch": defocus_patch,
    "scratch": scratch,
    "dust": dust,
}
"""Every flaw that can be planted freely, by the name of its recipe."""
