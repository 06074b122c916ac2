"""Who looks at images, and where images come from. Knows no one who fulfils it."""

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
    """Tells the time."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        ...


class Inspector(Protocol):
    """Looks at an image by a guideline."""

    @property
    def name(self) -> str:
        """Short name, such as "builtin" or "openai"."""
        ...

    @property
    def version(self) -> str:
        """Hash of everything but the guideline that decides what this inspector says."""
        ...

    def catalogue(self) -> Sequence[Measure]:
        """The measures that it offers to guidelines; empty for an inspector that reads criteria as text."""
        ...

    def inspect(self, brief: Brief) -> Inspection:
        """Look at one image. Safe to call from several threads.

        Raises:
            InspectorError: No answer could be had.
            ImageError: The image could not be decoded.
        """
        ...


class ReplyCache(Protocol):
    """Keeps what a model answered, by a hash of what decided the answer. Safe to call from several threads."""

    def get(self, key: str) -> str | None:
        """What was kept under the key; None when nothing was."""
        ...

    def put(self, key: str, reply: str) -> None:
        """Keep an answer; one that is there already is replaced."""
        ...


class CropMeasure(Protocol):
    """Says what crops look like, by as many numbers for each."""

    def __call__(self, pixels: Pixels, box: Box) -> Numbers:
        """The numbers of one crop.

        Args:
            pixels: Upright RGB.
            box: Where, in fractions.

        Raises:
            CopilotError: It cannot be measured by this measure at all.
        """
        ...


class ImageSource(Protocol):
    """Fetches images."""

    def load(self, reference: str, *, task_id: int | None = None) -> ReviewImage:
        """Fetch the image that a task names.

        Args:
            reference: URL, Label Studio path, cloud URI, file path or data URI.
            task_id: The task, for cloud URIs that Label Studio signs per task.

        Raises:
            ImageError: With what is wrong and how to mend it.
        """
        ...


class Engine(Protocol):
    """Spreads a bulk run: over the threads of a process, or over a cluster."""

    def reviews(self, tasks: Iterable[ReviewTask], *, rollout: str) -> Iterator[Review]:
        """One review for each task, in the order in which they get ready.

        Tasks are read only a little ahead of the work, so that memory does not grow with their number.

        Raises:
            BudgetSpent: No further model call may be made; everything that was paid for has come before.
            EngineError: There is nobody left who could work.
        """
        ...
