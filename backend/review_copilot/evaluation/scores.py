"""Score one draft against the truth of its image. Knows no other image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from review_copilot.compare.matching import MIN_IOU, assign
from review_copilot.compare.override_rows import text_change, visible
from review_copilot.domain.box_overlap import corners, pairwise_iou
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import Exposure, Review
from review_copilot.domain.suggestion import Suggestion
from review_copilot.evaluation.truth import Truth, TruthRegion

_PLACE = re.compile(
    r"\b(upper|lower|top|bottom|left|right|cent(?:er|re)|middle|corner|edge|side|whole|entire|everywhere|across|"
    r"background|foreground|overall)\b",
    re.IGNORECASE,
)
"""Words that name a place in an image. English only, like the rationales of the built-in guidelines."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Boxes of one criterion on one image.

    Attributes:
        hits: Suggestions with a true region of the same criterion at an IoU of at least 0.5, one to one.
        extra: Other suggestions.
        missed: Other true regions.
        severity_of: Hits whose true severity is known.
        severity_agrees: Those of them with the same severity.
    """

    hits: int = 0
    extra: int = 0
    missed: int = 0
    severity_of: int = 0
    severity_agrees: int = 0


@dataclass(frozen=True, slots=True)
class Texts:
    """Rationales of one draft.

    Attributes:
        rationales: Number of rationales.
        words: Words in all of them.
        within_limit: Those with at most the guideline's `max_words`.
        name_place: Those that name a place in the image.
        compared: Those of hits where people wrote a rationale too.
        kept: Sum of the shares of their words that the people's text also has, in order, 0..compared.
        truth_words: Words in the people's rationales of this image.
        truth_rationales: Number of the people's rationales of this image.
    """

    rationales: int = 0
    words: int = 0
    within_limit: int = 0
    name_place: int = 0
    compared: int = 0
    kept: float = 0.0
    truth_words: int = 0
    truth_rationales: int = 0


@dataclass(frozen=True, slots=True)
class ImageScore:
    """One draft compared with the truth of its image.

    Attributes:
        task_id: Which task of the evaluation.
        criteria: By criterion id; a criterion that neither names is left out.
        verdict_agrees: Whether the verdict is the same; None if people gave none.
        texts: The rationales.
        failed: Whether there is no draft, because the inspector failed. All regions then count as missed.
        incomplete: Whether nobody examined some of the criteria.
        cost_usd: What its model calls cost; None if it came from the reply cache, or if no price is known.
        tokens: Prompt and completion tokens of its model calls; None if it came from the reply cache.
        latency_s: Seconds for loading and inspecting; None if it came from the reply cache.
    """

    task_id: int
    criteria: Mapping[str, Counts] = field(default_factory=dict)
    verdict_agrees: bool | None = None
    texts: Texts = field(default_factory=Texts)
    failed: bool = False
    incomplete: bool = False
    cost_usd: float | None = None
    tokens: int | None = None
    latency_s: float | None = None

    @property
    def errors(self) -> int:
        """Extra and missed boxes, other severities, and a different verdict."""
        boxes = sum(c.extra + c.missed + c.severity_of - c.severity_agrees for c in self.criteria.values())
        return boxes + (self.verdict_agrees is False)


def score_image(truth: Truth, review: Review, *, guideline: Guideline, criteria: Collection[str]) -> ImageScore:
    """Score one draft.

    Args:
        truth: What people say.
        review: The draft; one that failed counts as a draft without suggestions and with a wrong verdict.
        guideline: The guideline of the draft, for the length of rationales.
        criteria: Ids of the criteria that count; suggestions and regions of others are ignored.
    """
    failed = review.exposure is Exposure.FAILED
    suggested = [s for s in review.suggestions if s.criterion_id in criteria and not failed]
    regions = [r for r in truth.regions if r.criterion_id in criteria]
    pairs = matched(suggested, regions)
    cached = review.usage is not None and review.usage.cache_hit
    usage = None if cached else review.usage
    return ImageScore(
        task_id=truth.task.key.task_id,
        criteria=_counts(suggested, regions, pairs),
        verdict_agrees=None if truth.verdict is None else not failed and review.verdict is truth.verdict,
        texts=_texts(suggested, regions, pairs, max_words=guideline.rationale.max_words),
        failed=failed,
        incomplete=bool(review.unexamined),
        cost_usd=usage.cost_usd if usage and usage.cost_usd else None,
        tokens=usage.prompt_tokens + usage.completion_tokens if usage else None,
        latency_s=None if cached or failed else review.elapsed_s,
    )


def matched(suggested: Sequence[Suggestion], regions: Sequence[TruthRegion]) -> tuple[tuple[int, int], ...]:
    """Pairs of indices of a suggestion and a true region of the same criterion, one to one, at an IoU of at least 0.5.

    Of all such pairings, the one with the greatest total IoU (`compare.matching`).
    """
    if not suggested or not regions:
        return ()
    iou = pairwise_iou(corners([visible(s.box) for s in suggested]), corners([visible(r.box) for r in regions]))
    same = np.array([[(s.criterion_id, s.page) == (r.criterion_id, r.page) for r in regions] for s in suggested])
    # One is added, so that two pairs are always worth more than one.
    partner = assign(np.where(same & (iou >= MIN_IOU), 1.0 + iou, 0.0)[None])[0]
    return tuple((i, int(j)) for i, j in enumerate(partner) if j >= 0)


def _counts(
    suggested: Sequence[Suggestion], regions: Sequence[TruthRegion], pairs: Sequence[tuple[int, int]]
) -> Mapping[str, Counts]:
    ours = Counter(s.criterion_id for s in suggested)
    theirs = Counter(r.criterion_id for r in regions)
    hits = Counter(suggested[i].criterion_id for i, _ in pairs)
    known = Counter(suggested[i].criterion_id for i, j in pairs if regions[j].severity is not None)
    agrees = Counter(suggested[i].criterion_id for i, j in pairs if regions[j].severity is suggested[i].severity)
    return {
        name: Counts(
            hits=hits[name],
            extra=ours[name] - hits[name],
            missed=theirs[name] - hits[name],
            severity_of=known[name],
            severity_agrees=agrees[name],
        )
        for name in sorted(ours.keys() | theirs.keys())
    }


def _texts(
    suggested: Sequence[Suggestion],
    regions: Sequence[TruthRegion],
    pairs: Sequence[tuple[int, int]],
    *,
    max_words: int,
) -> Texts:
    lengths = [len(s.rationale.split()) for s in suggested]
    changes = [text_change(suggested[i].rationale, regions[j].rationale) for i, j in pairs if regions[j].rationale]
    written = [len(r.rationale.split()) for r in regions if r.rationale]
    return Texts(
        rationales=len(lengths),
        words=sum(lengths),
        within_limit=sum(length <= max_words for length in lengths),
        name_place=sum(bool(_PLACE.search(s.rationale)) for s in suggested),
        compared=sum(change is not None for change in changes),
        kept=sum(change.kept for change in changes if change is not None),
        truth_words=sum(written),
        truth_rationales=len(written),
    )
