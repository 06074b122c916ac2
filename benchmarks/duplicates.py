"""How far apart fingerprints of different photographs are, and how near those of changed copies.

python benchmarks/duplicates.py --photos DIR [--most N]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

import importable  # noqa: F401  # first: the folders that the next imports need
from photos import photographs
from planted import as_jpeg
from review_copilot.domain.image import THUMBNAIL_PX, Pixels
from review_copilot.suggest.fingerprints import NEAR_BITS, fingerprint


def cut(pixels: Pixels, share: float) -> Pixels:
    """Without a share of the picture at each side."""
    height, width = pixels.shape[:2]
    y, x = int(share * height), int(share * width)
    return np.ascontiguousarray(pixels[y : height - y, x : width - x])


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG quality 20": lambda p: as_jpeg(p, 20)[0],
    "a third of the size": lambda p: np.asarray(cv2.resize(p, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)),
    "a quarter brighter": lambda p: np.clip(p * 1.25, 0, 255).astype(np.uint8),
    "blurred by 2 px": lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 2.0), np.uint8),
    "cut by 2 % at each side": lambda p: cut(p, 0.02),
    "cut by 5 % at each side": lambda p: cut(p, 0.05),
    "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
}


def hash_of(pixels: Pixels) -> int | None:
    """The fingerprint as a number; None for a picture that has none."""
    factor = min(1.0, THUMBNAIL_PX / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    found = fingerprint(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8))
    return int(found, 16) if found else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=None, help="folder of photographs; scikit-image's when left out")
    parser.add_argument("--most", type=int, default=1000)
    options = parser.parse_args()
    photos = [pixels for _, pixels in photographs(options.photos, "all")][: options.most]
    hashes = [hash_of(pixels) for pixels in photos]
    known = [value for value in hashes if value is not None]
    apart = [(one ^ other).bit_count() for one, other in combinations(known, 2)]
    near = sum(bits <= NEAR_BITS for bits in apart)
    print(f"{len(photos)} photographs, {len(photos) - len(known)} without a fingerprint")
    print(f"{len(apart)} pairs: least distance {min(apart)}, within {NEAR_BITS} bits {near}")
    for name, change in CHANGES.items():
        changed = [
            (old, hash_of(change(pixels))) for old, pixels in zip(hashes, photos, strict=True) if old is not None
        ]
        bits = [(old ^ new).bit_count() for old, new in changed if new is not None]
        print(f"{name:24s} within {NEAR_BITS} bits {np.mean([b <= NEAR_BITS for b in bits]):.3f}, most {max(bits)}")


if __name__ == "__main__":
    main()
