"""How many and how large pictures an endpoint takes, learned from what it refuses. Knows no endpoint."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

from review_copilot.inspectors.views import View, shrunk

_COUNTS = (
    re.compile(r"at most (\d+) image", re.IGNORECASE),
    re.compile(r"up to (\d+) images?", re.IGNORECASE),
    re.compile(r"(?:maximum|limit|max)\D{0,30}(\d+)\D{0,12}images?", re.IGNORECASE),
    re.compile(r"images?\D{0,40}(?:maximum|limit|at most|exceed\w*)\D{0,12}(\d+)(?!\d)", re.IGNORECASE),
)
_MOST_COUNT = 64
_STEP = 0.7
_LEAST_SIDE_PX = 224


def most_pictures(words: str) -> int | None:
    """How many pictures an endpoint says that it takes; None where it speaks of something else."""
    if re.search(r"\bdimension|\bbytes\b|\bpixels\b", words, re.IGNORECASE):
        return None
    for pattern in _COUNTS:
        found = pattern.search(words)
        if found and 1 <= int(found.group(1)) <= _MOST_COUNT:
            return int(found.group(1))
    return None


class PictureLimits:
    """What one endpoint takes; shared by all threads that ask it."""

    def __init__(self) -> None:
        """Start without limits."""
        self._lock = threading.Lock()
        self._most: int | None = None
        self._pixels: float | None = None

    def fitted(self, views: Sequence[View]) -> tuple[View, ...]:
        """The pictures that are sent: close-ups go first, then the reference; what is left is reduced to fit."""
        with self._lock:
            most, pixels = self._most, self._pixels
        kept = _first(views, most) if most is not None else tuple(views)
        while pixels is not None and _pixels_of(kept) > pixels:
            smaller = _smaller(kept)
            if smaller is None:
                break
            kept = smaller
        return kept

    def learn(self, views: Sequence[View], most: int | None) -> bool:
        """Remember that pictures were refused; False where there is nothing less to send.

        Args:
            views: What was sent.
            most: How many pictures the endpoint takes; None where their size is the trouble.
        """
        with self._lock:
            if most is not None and most < len(views):
                self._most = most
                return True
            smaller = _smaller(views)
            if smaller is None:
                return False
            self._pixels = min(self._pixels or float("inf"), _pixels_of(smaller))
            return True


def _first(views: Sequence[View], most: int) -> tuple[View, ...]:
    """The most telling pictures, in their order: the whole image, then the reference, then close-ups."""
    ranked = sorted(range(len(views)), key=lambda n: (n > 0, not (views[n].reference and views[n].whole), n))
    chosen = set(ranked[: max(1, most)])
    return tuple(view for number, view in enumerate(views) if number in chosen)


def _smaller(views: Sequence[View]) -> tuple[View, ...] | None:
    """Fewer or smaller pictures; None where they are as few and small as is of use."""
    essential = tuple(view for view in views if view.whole or view is views[0])
    if len(essential) < len(views):
        return essential
    if all(max(view.width_px, view.height_px) * _STEP < _LEAST_SIDE_PX for view in views):
        return None
    return tuple(shrunk(view, _STEP) for view in views)


def _pixels_of(views: Sequence[View]) -> float:
    return float(sum(view.width_px * view.height_px for view in views))
