"""Learn the features of a project's reviewed regions, and compare new suggestions with them. Knows ports only.

The crops of a draft are measured where its image is decoded. What is known about reviewed crops is read from the store,
where one process updates it for all. So a draft costs only a few distances, and a worker needs no store.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey, Review, TaskKey
from review_copilot.domain.reviewed_crops import CriterionCrops, CropFeatures, PatternCrops, ReviewedCrops
from review_copilot.domain.suggestion import Suggestion
from review_copilot.errors import StoreError
from review_copilot.flows.packed_log import reading_of_log
from review_copilot.flows.uncovered_crops import crops_of
from review_copilot.ports import Clock, ImageSource, ReviewedCropsStore, Store, WorkspaceOpener
from review_copilot.study.joining import joined
from review_copilot.study.table import Ints, Outcome, OverrideTable
from review_copilot.suggest.crop_features import rounded
from review_copilot.suggest.similar_reviews import Familiar, familiar, words_of

if TYPE_CHECKING:
    from review_copilot.study.patterns import Pattern

log = logging.getLogger(__name__)

MOST_REVIEWED = 200
"""Sample of suggestions per criterion: large enough that 2 % of them are more than one."""
MOST_PATTERNS, MOST_CROPS = 20, 50
"""Maximum number of patterns, and of crops per pattern."""
MOST_SEEN = 4000
"""Maximum number of stored crops, which are then not measured again; as many as are clustered."""
LEARN_AFTER = timedelta(minutes=10)
"""Age after which reviewed crops are updated, if the log has new rows."""
COMMON = 0.05
"""A word in a larger share of rationales than this does not characterize a pattern."""
KEPT_S = 30.0
"""How long a process caches what it read from the store."""


@dataclass(frozen=True)
class Learning:
    """What is needed to update a project's reviewed crops.

    Attributes:
        store: The log, the drafts, and where crops_table are kept.
        guideline_of: The guideline of a project; its words do not characterize a pattern.
        images: Loads images for crops that were not measured with a draft.
        clock: Gives the time of the update.
    """

    store: Store
    guideline_of: Callable[[ProjectKey], Guideline]
    images: ImageSource
    clock: Clock


class LearnOutcome(Enum):
    """Result of an attempt to learn."""

    TOO_SOON = "too soon"
    NOTHING_NEW = "nothing new"
    ANEW = "anew"


def learn(project: ProjectKey, *, learning: Learning, opener: WorkspaceOpener | None) -> LearnOutcome:
    """Update a project's reviewed crops if they are old and the log has new rows.

    Args:
        project: Which project.
        learning: What is needed for it.
        opener: Opens the project, for crops; None to use only notes and crops that were measured before.
    """
    # importing scikit-learn takes longer than everything else together, and no draft needs it
    from review_copilot.study.patterns import novel_patterns  # noqa: PLC0415

    store, now = learning.store, learning.clock.now()
    before = store.reviewed_crops(project)
    if before is not None and timedelta(0) <= now - before.made_at < LEARN_AFTER:
        return LearnOutcome.TOO_SOON
    table, newest, span = rows_of_interest(reading_of_log(store, project).tables())
    if newest == (before.newest_row if before else 0):
        return LearnOutcome.NOTHING_NEW
    known = before.crops if before else {}
    features = crops_of(table, project=project, opener=opener, images=learning.images, known=known)
    rows = table.row[table.uncovered].tolist()
    seen = [] if features is None else list(zip(rows, features, strict=True))
    crops = dict(sorted((row, rounded(crop)) for row, crop in seen if np.isfinite(crop).all())[-MOST_SEEN:])
    reviewed, rationales = _reviewed(table, project=project, store=store)
    patterns = novel_patterns(table, span=span, features=features)[:MOST_PATTERNS]
    dull = _dull(learning.guideline_of(project), rationales)
    book = ReviewedCrops(
        made_at=now,
        newest_row=newest,
        reviewed=reviewed,
        patterns=tuple(_pattern(p, crops=crops, dull=dull) for p in patterns),
        crops=crops,
    )
    store.keep_reviewed_crops(project, book)
    return LearnOutcome.ANEW


def rows_of_interest(tables: Iterable[OverrideTable]) -> tuple[OverrideTable, int, tuple[float, float]]:
    """Uncovered rows and the newest reviewed rows; the newest row id; the times of the first and the last row.

    Each part of the log is released before the next one is read.
    """
    found, newest, since, until = joined([]), 0, np.inf, -np.inf
    for table in tables:
        newest = max(newest, int(table.row.max(initial=0)))
        since = min(since, float(table.time_s.min(initial=np.inf)))
        until = max(until, float(table.time_s.max(initial=-np.inf)))
        found = _narrowed(joined([found, _narrowed(table)]))
    return found, newest, (since, until)


def _narrowed(table: OverrideTable) -> OverrideTable:
    wanted = table.uncovered.copy()
    for number in range(len(table.criteria)):
        wanted[_newest_reviewed(table, number)] = True
    return table.where(wanted)


def _newest_reviewed(table: OverrideTable, criterion: int) -> Ints:
    """The latest decision on each of the newest suggestions of a criterion, newest first."""
    rows = np.flatnonzero(table.reviewed & (table.suggested == criterion))
    newest = rows[np.argsort(-table.time_s[rows], kind="stable")]
    _, first = np.unique(table.suggestion[newest], return_index=True)
    return np.asarray(newest[np.sort(first)[:MOST_REVIEWED]])


def _reviewed(
    table: OverrideTable, *, project: ProjectKey, store: Store
) -> tuple[tuple[CriterionCrops, ...], Sequence[str]]:
    """Features of the newest suggestions of each criterion that reviewers decided on, and the drafts' rationales."""
    kept = table.outcomes() == Outcome.KEPT
    drafts: dict[int, Sequence[Suggestion]] = {}
    found = []
    for number, criterion in enumerate(table.criteria):
        features: list[tuple[CropFeatures, bool]] = []
        for row in _newest_reviewed(table, number).tolist():
            task = int(table.task[row])
            if task not in drafts:
                drafts[task] = [s for review in store.recall(TaskKey(project, task)) for s in review.suggestions]
            score = float(table.score[row])
            same = [s for s in drafts[task] if s.criterion_id == criterion and s.crop_features]
            if same:
                features.append((min(same, key=lambda s: abs(s.score - score)).crop_features, bool(kept[row])))
        found.append(CriterionCrops(criterion, tuple(crop for crop, _ in features), tuple(was for _, was in features)))
    return tuple(r for r in found if r.features), [s.rationale for of_task in drafts.values() for s in of_task]


def _dull(guideline: Guideline, rationales: Sequence[str]) -> frozenset[str]:
    """Common words of rationales: those of the guideline, and those of many drafts."""
    often = Counter(word for rationale in rationales for word in words_of(rationale))
    common = {word for word, count in often.items() if count > COMMON * len(rationales)}
    texts = [text for c in guideline.criteria for text in (c.label, c.definition, c.rationale, *c.flag_when)]
    return words_of(" ".join(texts)) | common


def _pattern(pattern: Pattern, *, crops: Mapping[int, CropFeatures], dull: frozenset[str]) -> PatternCrops:
    features = [crops[row] for row in pattern.rows if row in crops]
    step = max(1, -(-len(features) // MOST_CROPS))
    typical = [sighting.task for sighting in pattern.typical]
    return PatternCrops(
        name=pattern.name if pattern.words else "",
        words=tuple(word for word in pattern.words if word not in dull),
        size=pattern.size,
        tasks=tuple(dict.fromkeys([*typical, *pattern.tasks[:3]]))[:3],
        features=tuple(features[::step]),
    )


@dataclass
class SimilarReviewNotes:
    """Adds facts about similar reviews to drafts. Safe to use from several threads.

    Attributes:
        books: Where crops_table are kept.
        kept_s: How long it caches what it read, in seconds.
    """

    books: ReviewedCropsStore
    kept_s: float = KEPT_S
    _read: dict[ProjectKey, tuple[float, Familiar | None]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, review: Review) -> Review:
        """The review, with facts in the evidence of suggestions that resemble a pattern or nothing reviewed before.

        Ids do not change, because the content that reviewers decide on is the same.
        """
        known = self._familiar(review.key.project) if review.suggestions else None
        if known is None:
            return review
        told = tuple(replace(s, evidence={**s.evidence, **known.facts(s)}) for s in review.suggestions)
        return replace(review, suggestions=told)

    def _familiar(self, project: ProjectKey) -> Familiar | None:
        with self._lock:
            read_at, known = self._read.get(project, (-self.kept_s, None))
            if time.monotonic() - read_at >= self.kept_s:
                try:
                    book = self.books.reviewed_crops(project)
                except StoreError as error:  # a draft is useful without these facts
                    log.warning("Drafts do not mention similar reviews: %s", error)
                    book = None
                known = familiar(book) if book else None
                self._read[project] = time.monotonic(), known
            return known
