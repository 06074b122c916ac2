"""Evaluate one setup, or compare two. Puts the other modules together; contains no formula."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from review_copilot.domain.guideline import UNCOVERED, Guideline
from review_copilot.domain.review import Exposure, Review
from review_copilot.evaluation.figures import (
    Difference,
    Figure,
    Key,
    Metric,
    columns_of,
    differences,
    figures,
)
from review_copilot.evaluation.scores import ImageScore, score_image
from review_copilot.evaluation.truth import Truth

DECIDING = (Metric.F1, Metric.VERDICT)
"""Metrics that decide whether a setup is worse."""
ENOUGH_BLIND = 20
"""Minimum number of blind images from which they decide alone."""
ENOUGH_DIFFERENT = 6
"""Minimum number of images with different errors: with fewer, a sign test never reaches 5 % (2 / 2**6 is 3 %)."""


class Outcome(StrEnum):
    """How the other setup compares with the first."""

    SAME = "same"
    WORSE = "worse"
    BETTER = "better"
    NOT_WORSE = "not_worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Drafted:
    """One setup and its drafts.

    Attributes:
        name: The setup as the report calls it.
        version: Hash of everything that determines its drafts.
        guideline: Its guideline.
        reviews: Its draft of each image, by task id; images that could not be read are left out.
    """

    name: str
    version: str
    guideline: Guideline
    reviews: Mapping[int, Review]


@dataclass(frozen=True, slots=True)
class Group:
    """Images that are evaluated together.

    Attributes:
        images: Number of images.
        regions: Number of true regions on them.
        figures: For each setup, each figure.
        differences: The other setup minus the first; empty with one setup.
        different: Number of images on which the two setups make different errors; 0 with one setup.
    """

    images: int
    regions: int
    figures: tuple[Mapping[Key, Figure], ...]
    differences: Mapping[Key, Difference]
    different: int


@dataclass(frozen=True, slots=True)
class DifferingImage:
    """One image on which two setups draft different things.

    Attributes:
        truth: What people say.
        reviews: The draft of each setup.
        errors: The number of errors of each setup; see `ImageScore.errors`.
    """

    truth: Truth
    reviews: tuple[Review, Review]
    errors: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One setup, or two, compared with what people say.

    Attributes:
        setups: The setups, the first one first.
        criteria: Ids of the criteria that count: those of every setup's guideline, and UNCOVERED.
        everything: All images.
        blind: Images whose reviewer saw no draft; None if there are none.
        failed: For each setup, the number of images without a draft.
        incomplete: For each setup, the number of drafts with criteria that nobody examined.
        ignored_regions: True regions of criteria that do not count.
        differing: Images on which the setups differ, those on which the other is worse first; empty with one setup.
        outcome: How the other setup compares; None with one setup.
        reasons: Why, in sentences.
        margin: The largest loss of F1 or verdict agreement that is acceptable, 0..1.
    """

    setups: tuple[Drafted, ...]
    criteria: tuple[str, ...]
    everything: Group
    blind: Group | None
    failed: tuple[int, ...]
    incomplete: tuple[int, ...]
    ignored_regions: int
    differing: tuple[DifferingImage, ...]
    outcome: Outcome | None
    reasons: tuple[str, ...]
    margin: float


def evaluate(truths: Sequence[Truth], setups: Sequence[Drafted], *, margin: float) -> Evaluation:
    """Compare drafts with what people say.

    Args:
        truths: The images; those without a review of every setup are left out.
        setups: One or two setups.
        margin: The largest loss of F1 or verdict agreement that is acceptable, 0..1.
    """
    known = [truth for truth in truths if all(truth.task.key.task_id in setup.reviews for setup in setups)]
    criteria = _common([setup.guideline for setup in setups])
    scores = [
        [
            score_image(
                truth, setup.reviews[truth.task.key.task_id], guideline=setup.guideline, criteria=frozenset(criteria)
            )
            for truth in known
        ]
        for setup in setups
    ]
    blind = [number for number, truth in enumerate(known) if truth.blind]
    everything = _group(known, scores, criteria)
    unaided = _group([known[n] for n in blind], [[s[n] for n in blind] for s in scores], criteria) if blind else None
    outcome, reasons = (
        _decided(everything, unaided, margin=margin, same=_same(setups)) if len(setups) > 1 else (None, ())
    )
    return Evaluation(
        setups=tuple(setups),
        criteria=criteria,
        everything=everything,
        blind=unaided,
        failed=tuple(sum(score.failed for score in own) for own in scores),
        incomplete=tuple(sum(score.incomplete for score in own) for own in scores),
        ignored_regions=sum(region.criterion_id not in criteria for truth in known for region in truth.regions),
        differing=_differing(known, setups, scores) if len(setups) > 1 else (),
        outcome=outcome,
        reasons=reasons,
        margin=margin,
    )


def _common(guidelines: Sequence[Guideline]) -> tuple[str, ...]:
    """Criteria that all guidelines have, in the order of the first."""
    shared = set.intersection(*({c.id for c in guideline.criteria} for guideline in guidelines))
    return (*(c.id for c in guidelines[0].criteria if c.id in shared), UNCOVERED)


def _same(setups: Sequence[Drafted]) -> bool:
    return len({setup.version for setup in setups}) == 1


def _group(truths: Sequence[Truth], scores: Sequence[Sequence[ImageScore]], criteria: tuple[str, ...]) -> Group:
    columns = [columns_of(own, criteria) for own in scores]
    pairs = zip(*scores, strict=True) if len(scores) > 1 else ()
    return Group(
        images=len(truths),
        regions=sum(region.criterion_id in criteria for truth in truths for region in truth.regions),
        figures=tuple(figures(own) for own in columns),
        differences=differences(*columns) if len(columns) > 1 else {},
        different=sum((a.criteria, a.verdict_agrees) != (b.criteria, b.verdict_agrees) for a, b in pairs),
    )


def _differing(
    truths: Sequence[Truth], setups: Sequence[Drafted], scores: Sequence[Sequence[ImageScore]]
) -> tuple[DifferingImage, ...]:
    found = []
    for truth, ours, theirs in zip(truths, *scores, strict=True):
        first, other = (setup.reviews[truth.task.key.task_id] for setup in setups)
        if _content(first) != _content(other):
            found.append(DifferingImage(truth, (first, other), (ours.errors, theirs.errors)))
    found.sort(key=lambda d: (-abs(d.errors[1] - d.errors[0]), d.errors[0] - d.errors[1], d.truth.task.key.task_id))
    return tuple(found)


def _content(review: Review) -> tuple[object, ...]:
    """What a reviewer would see differently: places, criteria, severities, and the verdict; not the words."""
    places = sorted(
        (s.criterion_id, s.severity.value, *(round(v, 3) for v in (s.box.x, s.box.y, s.box.width, s.box.height)))
        for s in review.suggestions
    )
    return review.verdict, review.exposure is Exposure.FAILED, tuple(places)


def _decided(everything: Group, blind: Group | None, *, margin: float, same: bool) -> tuple[Outcome, tuple[str, ...]]:
    """How the other setup compares, and why.

    It is worse if F1 or verdict agreement falls by more than the margin and the paired interval excludes no change.
    It is not worse if both intervals stay within the margin, and better if one of them is also above 0.
    """
    if same:
        return Outcome.SAME, ("The two setups have the same draft version.",)
    if blind is not None and blind.images >= ENOUGH_BLIND:
        group, which = blind, f"the {blind.images} blind images"
    else:
        group, which = everything, f"all {everything.images} images"
    found = [group.differences["", metric] for metric in DECIDING]
    known = [(metric, d) for metric, d in zip(DECIDING, found, strict=True) if not math.isnan(d.value)]
    if not known:
        return Outcome.UNDECIDED, (f"Nothing can be compared on {which}.",)
    said = tuple(
        f"{_WORDS[metric]} on {which}: {100 * d.value:+.1f} points ({100 * d.low:+.1f} to {100 * d.high:+.1f})."
        for metric, d in known
    )
    if 0 < group.different < ENOUGH_DIFFERENT:
        few = f"Only {group.different} of them have different errors, which is too few to decide."
        return Outcome.UNDECIDED, (*said, few)
    return _outcome([d for _, d in known], margin=margin), said


def _outcome(found: Sequence[Difference], *, margin: float) -> Outcome:
    if any(d.value < -margin and d.high < 0 for d in found):
        return Outcome.WORSE
    if not all(d.low >= -margin for d in found):
        return Outcome.UNDECIDED
    return Outcome.BETTER if any(d.low > 0 for d in found) else Outcome.NOT_WORSE


_WORDS: Mapping[Metric, str] = {Metric.F1: "F1", Metric.VERDICT: "Verdict agreement"}
