"""Inspectors, image sources, and engines. Knows no implementation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from review_copilot.domain.geometry import Box
from review_copilot.domain.image import Pixels, ReviewImage
from review_copilot.domain.measure import Measure
from review_copilot.domain.review import Review, ReviewTask
from review_copilot.domain.suggestion import Brief, Inspection

Numbers: TypeAlias = NDArray[np.float64]


class Clock(Protocol):
    """Gives the time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class Inspector(Protocol):
    """Inspects an image with a guideline."""

    @property
    def name(self) -> str:
        """Short name, such as "builtin" or "openai"."""
        ...

    @property
    def version(self) -> str:
        """Hash of everything except the guideline that determines this inspector's findings."""
        ...

    def catalogue(self) -> Sequence[Measure]:
        """The measures that guidelines can name; empty for an inspector that reads criteria as text."""
        ...

    def inspect(self, brief: Brief) -> Inspection:
        """Inspect one image. Safe to call from several threads.

        Raises:
            InspectorError: The inspector failed.
            ImageError: The image could not be decoded.
        """
        ...


class ReplyCache(Protocol):
    """Stores model replies, by a hash of what determined the reply. Safe to call from several threads."""

    def get(self, key: str) -> str | None:
        """The reply stored under the key; None if there is none."""
        ...

    def put(self, key: str, reply: str) -> None:
        """Store a reply; an existing one is replaced."""
        ...


class CropMeasure(Protocol):
    """Measures features of crops, with the same number of features for each."""

    def __call__(self, pixels: Pixels, box: Box) -> Numbers:
        """The features of one crop.

        Args:
            pixels: Upright RGB.
            box: Where, in fractions.

        Raises:
            CopilotError: The crop cannot be measured.
        """
        ...


class ImageSource(Protocol):
    """Loads images."""

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        """Load the image of a task.

        Args:
            reference: URL, Label Studio path, cloud URI, file path or data URI.
            task_id: The task, for cloud URIs, which Label Studio signs per task.

        Raises:
            ImageError: The image cannot be loaded; the message says why, and how to fix it.
        """
        ...


class Engine(Protocol):
    """Runs a bulk run: on the threads of a process, or on a cluster."""

    def reviews(self, tasks: Iterable[ReviewTask], *, rollout: str) -> Iterator[Review]:
        """One review per task, in the order in which they are ready.

        Tasks are read only slightly ahead of the work, so that memory does not grow with their number.

        Raises:
            NoFurtherCalls: The budget is used up, or the endpoint keeps failing; finished reviews were returned before.
            EngineError: There are no workers left.
        """
        ...
