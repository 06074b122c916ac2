"""Find identical and nearly identical images of a project. Knows pixels and hashes, but no file.

Two images are nearly identical if their perceptual hashes differ in few bits (C. Zauner, "Implementation and
benchmarking of perceptual image hash functions", 2010): the signs of the lowest 8 x 8 frequencies of the cosine
transform of a small gray image, compared with their median. The hash does not change if an image is resized, saved
again, sharpened, or brightened; it changes if the image is cropped or mirrored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from review_copilot.domain.image import Pixels
from review_copilot.domain.task_image import Picture

Floats: TypeAlias = npt.NDArray[np.float64]

NEAR_BITS = 8
"""Maximum number of differing bits, of 63, for nearly identical images. In 499 500 pairs of different photos of a
public sample, the minimum distance was 12. Of 1 000 photos, at least 995 differed from themselves by at most 8 bits
when resized to a third, blurred, saved as JPEG with quality 20, or brightened by a quarter, and 969 when cropped by 2 %
on each side (`benchmarks/duplicates.py`)."""
LEAST_DETAIL = 10.0
"""Minimum mean size of the frequencies for a fingerprint, in gray levels of a 32 x 32 image: fog, a wall, and
an empty frame look alike without being the same. No photo of that sample was so plain."""
MOST_NAMED = 20
"""Maximum number of other tasks named: a fixed camera produces thousands of similar images in a night."""
_SIDE_PX = 32
_FREQUENCIES = 8
_COSINES: Floats = (
    np.cos(np.pi / _SIDE_PX * np.outer(np.arange(_FREQUENCIES), np.arange(_SIDE_PX) + 0.5))
    * np.sqrt(np.where(np.arange(_FREQUENCIES) == 0, 1, 2) / _SIDE_PX)[:, None]
)
"""The lowest rows of the orthonormal cosine transform (DCT-II), as `scipy.fft.dctn` computes it with `norm="ortho"`.

Importing `scipy.fft` takes longer than inspecting an image."""
_BAND_BITS = 7
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Other tasks that show the same image as a task.

    Attributes:
        same: Ids of tasks with the same file, ascending; at most `MOST_NAMED`.
        near: Ids of tasks with nearly the same image, ascending; at most `MOST_NAMED`.
    """

    same: tuple[int, ...] = ()
    near: tuple[int, ...] = ()


def fingerprint(thumbnail: Pixels) -> str:
    """The perceptual hash of an image, 16 hex digits; empty if the image shows too little.

    Args:
        thumbnail: The image, of any size; 64 px on the longer side are enough.
    """
    gray = _squeezed(thumbnail.astype(np.float32) @ _LUMA)
    low = (_COSINES @ gray @ _COSINES.T).ravel()[1:]
    if float(np.abs(low).mean()) < LEAST_DETAIL:
        return ""
    bits = np.concatenate([[False], low > np.median(low)])
    return np.packbits(bits).tobytes().hex()


def likenesses(pictures: Iterable[Picture]) -> Mapping[int, Likeness]:
    """Task id to the other tasks with the same image, without tasks that have none.

    Args:
        pictures: One per task; if there are several, the last one counts.

    Pairs within `NEAR_BITS` share one of nine bands of seven bits exactly (nine bands, at most eight differences), so
    that only pictures that share a band are compared.
    """
    latest = {picture.task_id: picture for picture in pictures}
    same = _same(latest.values())
    near = _near([p for p in latest.values() if p.fingerprint])
    return {
        task_id: Likeness(same=tuple(sorted(same[task_id])), near=tuple(sorted(near[task_id] - same[task_id])))
        for task_id in sorted(same.keys() | near.keys())
    }


def _squeezed(gray: npt.NDArray[np.float32]) -> Floats:
    """Averages over 32 x 32 even parts."""
    height, width = gray.shape
    rows = np.linspace(0, height, _SIDE_PX + 1)
    columns = np.linspace(0, width, _SIDE_PX + 1)
    sums = np.zeros((height + 1, width + 1), np.float64)
    sums[1:, 1:] = gray.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    # a sum up to a fraction of a pixel is interpolated between adjacent sums
    up_to = _between(_between(sums, rows, axis=0), columns, axis=1)
    parts = np.diff(np.diff(up_to, axis=0), axis=1)
    return np.asarray(parts * (_SIDE_PX * _SIDE_PX / (height * width)))


def _between(values: Floats, places: npt.NDArray[np.floating], *, axis: int) -> Floats:
    low = np.minimum(places.astype(np.int64), values.shape[axis] - 2)
    share = (places - low).reshape((-1, 1) if axis == 0 else (1, -1))
    return np.asarray(values.take(low, axis) * (1 - share) + values.take(low + 1, axis) * share)


def _same(pictures: Iterable[Picture]) -> defaultdict[int, set[int]]:
    by_hash: defaultdict[str, list[int]] = defaultdict(list)
    for picture in pictures:
        if picture.sha256:
            by_hash[picture.sha256].append(picture.task_id)
    found: defaultdict[int, set[int]] = defaultdict(set)
    for task_ids in by_hash.values():
        if len(task_ids) > 1:
            named = sorted(task_ids)[: MOST_NAMED + 1]
            for task_id in task_ids:
                found[task_id] = set([other for other in named if other != task_id][:MOST_NAMED])
    return found


def _near(pictures: Sequence[Picture]) -> defaultdict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    if len(pictures) < 2:
        return found
    hashes = np.array([int(picture.fingerprint, 16) for picture in pictures], np.uint64)
    for start in range(0, 63, _BAND_BITS):
        band = (hashes >> np.uint64(start)) & np.uint64((1 << _BAND_BITS) - 1)
        order = np.argsort(band, kind="stable")
        edges = np.flatnonzero(np.diff(band[order])) + 1
        for group in np.split(order, edges):
            for place, one in enumerate(group[:-1]):
                others = group[place + 1 :]
                close = others[np.bitwise_count(hashes[others] ^ hashes[one]) <= NEAR_BITS]
                for other in close:
                    _name(found[pictures[one].task_id], pictures[other])
                    _name(found[pictures[other].task_id], pictures[one])
    return found


def _name(named: set[int], other: Picture) -> None:
    if len(named) < MOST_NAMED:
        named.add(other.task_id)
