"""Cache what the dashboard reads from the log, so that changing a filter reads nothing again."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from review_copilot.domain.draft_totals import Drafts
from review_copilot.domain.review import ProjectKey
from review_copilot.domain.reviewed_crops import CropFeatures
from review_copilot.flows.packed_log import Reading, reading_of_log
from review_copilot.flows.study_project import Scope
from review_copilot.ports import Store
from review_copilot.study.study_counts import Counts

KEPT_S = 20.0
"""Maximum age of a page's numbers, in seconds. The log is behind by up to one sweep interval, 30 s by default."""


@dataclass(frozen=True)
class _Kept:
    read_at_s: float
    counts: Counts
    drafts: dict[tuple[object, object], Drafts]
    crops: Mapping[int, CropFeatures]


class StudyCache:
    """Counts and drafts of the projects that were opened last. Safe to use from several threads: each is read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: dict[ProjectKey, _Kept] = {}

    def counts(self, project: ProjectKey) -> Counts:
        """The counts of a project's log."""
        with self._lock:
            return self._fresh(project).counts

    def reading(self, project: ProjectKey) -> Reading:
        """The rows of a project's log. They are not cached: each request for rows reads the log again."""
        return replace(reading_of_log(self._store, project), counts=partial(self.counts, project))

    def crops(self, project: ProjectKey) -> Mapping[int, CropFeatures]:
        """Features of the uncovered crops that the learning worker has stored."""
        with self._lock:
            return self._fresh(project).crops

    def drafts(self, project: ProjectKey, scope: Scope) -> Drafts:
        """Totals of a project's drafts in a period."""
        with self._lock:
            kept = self._fresh(project).drafts
            period = (scope.since, scope.until)
            if period not in kept:
                kept[period] = self._store.draft_totals(project, since=scope.since, until=scope.until)
            return kept[period]

    def _fresh(self, project: ProjectKey) -> _Kept:
        now = time.monotonic()
        self._kept = {key: kept for key, kept in self._kept.items() if now - kept.read_at_s < KEPT_S}
        if project not in self._kept:
            stored = self._store.reviewed_crops(project)
            counts = reading_of_log(self._store, project).counts()
            self._kept[project] = _Kept(now, counts, {}, stored.crops if stored else {})
        return self._kept[project]
