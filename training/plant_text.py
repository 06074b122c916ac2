"""Lettering and logos laid over a picture: stamps, captions, watermarks, made in many ways. Knows no inspector."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from planted import Floats, Planted, Rng, box_of, u8
from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity
from review_copilot.domain.image import Pixels

WAYS = ("stamp", "caption", "watermark", "outlined", "shadowed", "vector", "diagonal", "tiled", "logo")
_NAMES = ("J. Miller", "North Light", "Studio Vega", "A. Okafor", "Lumen & Co", "Photographer", "Harbour View")
_LINES = ("SAMPLE", "PREVIEW", "STOCK", "Do not copy", "Copyright", "All rights reserved", "www.photos.example",
          "DRAFT", "Summer 98", "for review only", "Proof")  # fmt: skip
_STAMP_COLORS = ((255, 165, 40), (255, 110, 30), (250, 230, 60), (230, 40, 40), (90, 255, 120), (255, 255, 255))
_FONT_FOLDERS = [Path("/usr/share/fonts"), Path("/Library/Fonts"), Path("C:/Windows/Fonts")]


LEAST_STEP = 8.0
"""Gray levels by which half of the ink changes the picture at least; white laid over white is not to be seen."""


def overlay(pixels: Pixels, rng: Rng, severity: Severity, *, ways: Sequence[str] = WAYS) -> Planted:
    """One piece of lettering or a logo, in one of some ways; the strength is the share that its box takes."""
    height, width = pixels.shape[:2]
    percent = {"minor": rng.uniform(0.5, 2.6), "major": rng.uniform(3.3, 9), "critical": rng.uniform(11, 22)}
    share = float(percent[severity.value]) / 100
    way = str(rng.choice(list(ways)))
    ink = _ink(way, rng, (height, width), share)
    x, y = _place(way, rng, (height, width), ink.shape, severity)
    mask: Floats = np.zeros((height, width), np.float32)
    part = ink[: height - y, : width - x]
    mask[y : y + part.shape[0], x : x + part.shape[1]] = part
    color, alpha = _paint(way, rng)
    work = pixels.astype(np.float32)
    if alpha * float(np.median(np.abs(color - work[mask > 0.3]).max(axis=1))) < LEAST_STEP:
        color = 255 - color
    if way == "outlined":  # the rim of the other tone
        rim = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.float32)
        work += ((255 - color) - work) * (alpha * rim)[..., None]
        mask_all = rim
    elif way == "shadowed":
        off = max(1, round(0.004 * max(height, width)))
        shade = np.roll(cv2.GaussianBlur(mask, (0, 0), 0.7 * off), (off, off), (0, 1))
        work *= 1 - 0.7 * shade[..., None]
        mask_all = mask
    else:
        mask_all = mask
    out = u8(work + (color - work) * (alpha * mask)[..., None])
    boxes = _tiles(mask, out, pixels) if way == "tiled" else (box_of(mask_all > 0.3),)
    taken = 100 * sum(box.area for box in boxes)
    reached = Severity.MINOR if taken < 3 else Severity.MAJOR if taken < 10 else Severity.CRITICAL
    return Planted("overlay", way, reached, out, boxes)


def _tiles(mask: Floats, out: Pixels, pixels: Pixels) -> tuple[Box, ...]:
    """A box for each repeat that can be seen: what lies closer than a line and a half is high belongs together."""
    solid = (mask > 0.3).astype(np.uint8)
    ink_rows = np.flatnonzero(solid.any(axis=1))
    breaks = np.flatnonzero(np.diff(ink_rows) > 1)
    tall = int(breaks[0] + 1 if breaks.size else ink_rows.size)
    closed = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((3, int(1.5 * tall) | 1), np.uint8))
    height, width = solid.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    step = cv2.absdiff(out, pixels).max(axis=2)

    def shown(x: int, y: int, w: int, h: int) -> bool:
        part = (slice(y, y + h), slice(x, x + w))
        return bool(np.median(step[part][solid[part] > 0]) >= LEAST_STEP)

    return tuple(
        Box.from_pixels(float(x), float(y), float(w), float(h), image_width_px=width, image_height_px=height)
        for x, y, w, h, _ in stats[1:]
        if h > 0.3 * tall and shown(int(x), int(y), int(w), int(h))
    )


def _paint(way: str, rng: Rng) -> tuple[Floats, float]:
    """Color and how solidly it is laid on, 0..1."""
    if way == "stamp":
        color = _STAMP_COLORS[int(rng.integers(len(_STAMP_COLORS)))]
        return np.array(color, np.float32), float(rng.uniform(0.8, 1.0))
    if way in {"watermark", "diagonal", "tiled", "logo"}:
        level = 255.0 if rng.random() < 0.75 else 0.0
        return np.full(3, level, np.float32), float(rng.uniform(0.3, 0.7))
    tones = [(255, 255, 255), (255, 255, 255), (0, 0, 0), (250, 230, 60), tuple(rng.uniform(0, 255, 3))]
    return np.array(tones[int(rng.integers(len(tones)))], np.float32), float(rng.uniform(0.85, 1.0))


def _place(way: str, rng: Rng, shape: tuple[int, int], ink: tuple[int, ...], severity: Severity) -> tuple[int, int]:
    """Left upper corner: stamps and captions near an edge, watermarks in the middle or anywhere."""
    (height, width), (ink_h, ink_w) = shape, ink[:2]
    margin = round(float(rng.uniform(0.01, 0.05)) * min(height, width))
    free_x, free_y = max(0, width - ink_w), max(0, height - ink_h)
    if way in {"watermark", "diagonal", "logo"} and rng.random() < 0.5:
        return free_x // 2, free_y // 2
    if way != "diagonal" and severity is not Severity.CRITICAL and rng.random() < 0.8:
        x = [margin, free_x - margin, free_x // 2][int(rng.choice(3, p=[0.25, 0.5, 0.25]))]
        y = free_y - margin if rng.random() < 0.8 else margin
        return min(free_x, max(0, x)), min(free_y, max(0, y))
    return int(rng.integers(0, free_x + 1)), int(rng.integers(0, free_y + 1))


def _words(way: str, rng: Rng) -> str:
    if way in {"stamp", "vector"} and rng.random() < 0.8:
        day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(1994, 2025))
        forms = (f"{day:02d}/{month:02d}/{year}", f"{year}-{month:02d}-{day:02d}", f"{day:02d}.{month:02d}.{year}",
                 f"'{year % 100:02d} {month:2d} {day:2d}")  # fmt: skip
        date = forms[int(rng.integers(4))]
        clock = f" {int(rng.integers(24)):02d}:{int(rng.integers(60)):02d}"
        return date + (clock if rng.random() < 0.5 else "")
    if rng.random() < 0.4:
        return ["© ", "Photo: ", ""][int(rng.integers(3))] + _NAMES[int(rng.integers(len(_NAMES)))]
    return _LINES[int(rng.integers(len(_LINES)))]


def _ink(way: str, rng: Rng, shape: tuple[int, int], share: float) -> Floats:
    """The lettering's density, 0..1, cut to its box, which covers about the share of a picture of that shape."""
    height, width = shape
    words = _words(way, rng)
    if way == "caption" and rng.random() < 0.35:
        words += "\n" + _words(way, rng)
    if way == "logo":
        ink = _logo(rng, 160)
    elif way == "vector":
        ink = _vector(words)
    else:
        ink = _font(words, rng)
    if way == "diagonal":
        ink = _turned(ink, float(rng.choice([-1, 1])) * float(rng.uniform(20, 45)))
    if way == "tiled":
        gap_y, gap_x = round(ink.shape[0] * rng.uniform(1.0, 2.5)), round(ink.shape[0] * rng.uniform(2.2, 4.0))
        ink = np.tile(np.pad(ink, ((0, gap_y), (0, gap_x))), (int(rng.integers(2, 5)), int(rng.integers(2, 4))))
        ink = ink[: ink.shape[0] - gap_y, : ink.shape[1] - gap_x]
        share = max(share, 0.2)
    factor = float(np.sqrt(share * width * height / ink.size))
    factor = min(factor, 0.94 * width / ink.shape[1], 0.94 * height / ink.shape[0])
    least = 8.0 / ink.shape[0]
    size = (max(8, round(ink.shape[1] * max(factor, least))), max(8, round(ink.shape[0] * max(factor, least))))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return _cut(np.clip(np.asarray(cv2.resize(ink, size, interpolation=how), np.float32), 0, 1))


def _cut(ink: Floats) -> Floats:
    rows, columns = np.flatnonzero((ink > 0.2).any(axis=1)), np.flatnonzero((ink > 0.2).any(axis=0))
    return np.asarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.float32)


def _font(words: str, rng: Rng) -> Floats:
    files = _font_files()
    choice = int(rng.integers(len(files) + 1)) if files else 0
    font = ImageFont.truetype(str(files[choice - 1]), 64) if choice else ImageFont.load_default(64)
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    box = draw.multiline_textbbox((8, 8), words, font=font, align="center")
    canvas = Image.new("L", (int(box[2]) + 16, int(box[3]) + 16), 0)
    ImageDraw.Draw(canvas).multiline_text((8, 8), words, fill=255, font=font, align="center")
    return _cut(np.asarray(canvas, np.float32) / np.float32(255))


def write_with_fonts_of(folder: Path) -> None:
    """From now on write with the fonts of that folder as well, in this process."""
    _FONT_FOLDERS.append(folder)
    _font_files.cache_clear()


@cache
def _font_files() -> tuple[Path, ...]:
    """Text fonts of this machine; Pillow's own is always there besides."""
    found = [path for room in _FONT_FOLDERS if room.is_dir() for path in room.rglob("*.ttf")]
    plain = [path for path in found if not any(part in path.name for part in ("Math", "Symbol", "Emoji", "Ding"))]
    return tuple(sorted(plain, key=lambda path: path.name))


def _vector(words: str) -> Floats:
    """Strokes without serifs, as a camera or a video recorder draws them."""
    text = words.encode("ascii", "ignore").decode().replace("\n", " ") or "SAMPLE"
    (w, h), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 2.0, 5)
    canvas = np.zeros((h + base + 12, w + 12), np.uint8)
    cv2.putText(canvas, text, (6, h + 6), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 255, 5, cv2.LINE_AA)
    return _cut(np.asarray(canvas / np.float32(255), np.float32))


def _logo(rng: Rng, size: int) -> Floats:
    """A ring or a square with letters in it."""
    canvas = np.zeros((size, size), np.uint8)
    middle = (size // 2, size // 2)
    if rng.random() < 0.6:
        cv2.circle(canvas, middle, size // 2 - 8, 255, 8, cv2.LINE_AA)
    else:
        cv2.rectangle(canvas, (8, 8), (size - 9, size - 9), 255, 8)
    letters = "".join(rng.choice(list("ABCEGHKLMNPRSTVW"), 2))
    cv2.putText(canvas, letters, (size // 6, 2 * size // 3), cv2.FONT_HERSHEY_DUPLEX, 2.4, 255, 6, cv2.LINE_AA)
    return np.asarray(canvas / np.float32(255), np.float32)


def _turned(ink: Floats, degrees: float) -> Floats:
    side = int(np.hypot(ink.shape[0], ink.shape[1])) + 4
    canvas = np.zeros((side, side), np.float32)
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
    return _cut(np.asarray(cv2.warpAffine(canvas, turn, (side, side)), np.float32))
