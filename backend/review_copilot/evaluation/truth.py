"""What people say about an image: the truth that drafts are compared with."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Severity, Verdict
from review_copilot.domain.review import ReviewTask


@dataclass(frozen=True, slots=True)
class TruthRegion:
    """One defect that people marked.

    Attributes:
        criterion_id: A criterion id, or UNCOVERED.
        box: The place, in fractions; the whole image for an image-wide defect.
        severity: None if unknown.
        rationale: What people wrote; empty if nothing.
        page: Page of the task, starting at 0.
    """

    criterion_id: str
    box: Box
    severity: Severity | None = None
    rationale: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class Truth:
    """What people say about one image.

    Attributes:
        task: The image, with its reference image and prompt. Its id is unique within an evaluation.
        name: The image as people know it, such as a file name.
        regions: The defects; empty if there are none.
        verdict: None if unknown.
        blind: Whether the reviewer saw no draft, so that the draft did not influence the truth.
    """

    task: ReviewTask
    name: str
    regions: tuple[TruthRegion, ...]
    verdict: Verdict | None = None
    blind: bool = False
