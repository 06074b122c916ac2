"""Inspect the same image only once at a time, however many tasks and requests name it. Knows no inspector."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial

from review_copilot.concurrency.single_flight import SingleFlight
from review_copilot.domain.measure import Measure
from review_copilot.domain.suggestion import Brief, Inspection
from review_copilot.ports import Inspector


@dataclass(frozen=True)
class CoalescingInspector:
    """An inspector that shares an inspection among all who ask for the same one at the same time.

    Nothing is kept afterward: drafts are in the store, and replies of models in their own cache.

    Attributes:
        inspector: Inspects.
    """

    inspector: Inspector
    _inspections: SingleFlight[Inspection] = field(default_factory=SingleFlight, repr=False)

    @property
    def name(self) -> str:
        """The inspector's name."""
        return self.inspector.name

    @property
    def version(self) -> str:
        """The inspector's version."""
        return self.inspector.version

    def catalogue(self) -> Sequence[Measure]:
        """The inspector's measures."""
        return self.inspector.catalogue()

    def inspect(self, brief: Brief) -> Inspection:
        """See `ports.Inspector`; waits for the answer where the same is being asked."""
        return self._inspections.run(_same_question(brief), partial(self.inspector.inspect, brief))


def _same_question(brief: Brief) -> Hashable:
    """Everything in a brief that may change the answer, except the time allowed."""
    return (
        brief.image.sha256,
        brief.reference and brief.reference.sha256,
        brief.guideline.revision,
        brief.prompt,
        brief.box,
        tuple(sorted(brief.task_data.items())),
    )
