"""Which photographs a benchmark reads, and which half of them. Knows no flaw and no inspector."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from review_copilot.domain.image import Pixels

Half = Literal["tune", "report", "all"]
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}
_EVEN = 2.0
"""Gray levels within which an edge is of one tone."""
_SHIPPED = ("astronaut", "chelsea", "coffee", "rocket", "cat")
"""scikit-image's color photographs that need no download."""


@cache
def lettered() -> frozenset[str]:
    """Names of photographs that carry a stamp, a watermark or a caption of their own, as told by eye.

    They are of the public sample of ImageNet with one picture for each of 1 000 classes; its pictures were looked at
    that the inspector took for lettered with nothing planted. Others may be lettered as well.
    """
    return frozenset(Path(__file__).with_name("lettered.txt").read_text(encoding="utf-8").split())


@cache
def own_flaws(name: str) -> frozenset[str]:
    """Flaws that a photograph has of its own, by the name of the recipe that would plant them, as told by eye.

    All photographs of Urban100, BSDS500 and Sun-Hays80 were looked at that have an edge of one tone: slide mounts,
    frames and letterboxes. Others may have flaws of their own as well.
    """
    lines = Path(__file__).with_name("own_flaws.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(flaw for photo, flaw in map(str.split, lines) if photo == name)


def half_of(name: str) -> Half:
    """Which half a photograph is in, by the hash of its file name."""
    return "tune" if hashlib.sha256(name.encode()).digest()[0] % 2 == 0 else "report"


def photographs(folder: Path | None, half: Half) -> Iterator[tuple[str, Pixels]]:
    """Names and pixels, by name; scikit-image's own photographs, all of them, when there is no folder."""
    if folder is None:
        from skimage import data  # noqa: PLC0415  only needed without a folder

        for name in _SHIPPED:
            yield name, np.ascontiguousarray(np.asarray(getattr(data, name)(), np.uint8)[..., :3])
        return
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES):
        if half in ("all", half_of(path.name)):
            read = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if read is not None:
                yield path.name, np.ascontiguousarray(np.asarray(read, np.uint8)[:, :, ::-1])


def ordinary_photographs(folder: Path, half: Half) -> Iterator[tuple[str, Pixels]]:
    """Those without an even margin at two edges or more: such pictures are not clean to begin with."""
    for name, pixels in photographs(folder, half):
        if sum(float(edge.std()) < _EVEN for edge in (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:])) < 2:
            yield name, pixels
