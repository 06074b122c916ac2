"""Small stand-ins for the ports, each passing the contract suite of the real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from fake_clock import FakeClock
from review_copilot.domain.draft_totals import Cost, Drafts, Undrafted, Why, why_undrafted
from review_copilot.domain.log_columns import columns_of
from review_copilot.domain.override import Comparison, LoggedOverride, Override, SubmittedAnnotation
from review_copilot.domain.pending_draft import PendingDraft
from review_copilot.domain.review import Exposure, ProjectKey, Provenance, Review, ReviewTask, TaskKey
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.domain.setup import ProjectSetup, SetupVersion
from review_copilot.domain.task_image import Picture
from review_copilot.ports import Appended, Clock, Packing, Part, StoredPrediction, SweepPoint, WebhookNotice

FORGOTTEN = "forgotten-"


@dataclass
class _Held:
    """One annotation of the fake log."""

    key: TaskKey
    revisions: list[Comparison] = field(default_factory=list)
    rows: list[LoggedOverride] = field(default_factory=list)
    logged: list[tuple[int, datetime]] = field(default_factory=list)
    seen: list[datetime | None] = field(default_factory=list)
    deleted: bool = False

    def newest(self) -> int:
        """Number of the newest revision; 0 when there is none."""
        dated = [(seen or datetime.min.replace(tzinfo=UTC), number) for number, seen in enumerate(self.seen, start=1)]
        return max(dated)[1] if dated else 0


def made_within(review: Review, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or review.created_at >= since) and (until is None or review.created_at < until)


@dataclass
class MemoryStore:
    """`ports.Store` in memory; the clock stamps what is written."""

    clock: Clock = field(default_factory=FakeClock)
    _reviews: dict[str, Review] = field(default_factory=dict)
    _predictions: dict[tuple[ProjectKey, int], StoredPrediction] = field(default_factory=dict)
    _held: dict[tuple[ProjectKey, int], _Held] = field(default_factory=dict)
    _inbox: dict[int, WebhookNotice] = field(default_factory=dict)
    _came: dict[int, datetime] = field(default_factory=dict)
    _bookmarks: dict[ProjectKey, datetime] = field(default_factory=dict)
    _points: dict[ProjectKey, SweepPoint | None] = field(default_factory=dict)
    _gone_tasks: set[TaskKey] = field(default_factory=set)
    _rollouts: dict[ProjectKey, list[tuple[str, str]]] = field(default_factory=dict)
    _pending: dict[int, tuple[PendingDraft, datetime]] = field(default_factory=dict)
    _reviewed_crops: dict[ProjectKey, ReviewedCrops] = field(default_factory=dict)
    _setups: dict[ProjectKey, list[SetupVersion]] = field(default_factory=dict)
    _marks: dict[ProjectKey, datetime] = field(default_factory=dict)
    _last_id: int = 0

    def remember(self, reviews: Sequence[Review]) -> None:
        for review in reviews:
            self._reviews.setdefault(review.id, review)

    def recall(self, key: TaskKey) -> Sequence[Review]:
        return tuple(sorted((r for r in self._reviews.values() if r.key == key), key=lambda r: r.created_at))

    def _whole(self, project: ProjectKey) -> Iterator[Review]:
        yield from (r for r in self._reviews.values() if r.key.project == project and r.box is None)

    def _newest(self, project: ProjectKey, since: datetime | None, until: datetime | None) -> Mapping[int, Review]:
        return {r.key.task_id: r for r in self._whole(project) if made_within(r, since, until)}

    def draft_totals(
        self, project: ProjectKey, *, since: datetime | None = None, until: datetime | None = None
    ) -> Drafts:
        newest = self._newest(project, since, until)
        reasons = Counter(filter(None, map(why_undrafted, newest.values())))
        used = [r.usage for r in self._whole(project) if r.usage is not None and made_within(r, since, until)]
        cost = Cost(
            drafts=len(used),
            calls=sum(usage.calls for usage in used),
            tokens=sum(usage.prompt_tokens + usage.completion_tokens for usage in used),
            usd=sum(usage.cost_usd for usage in used),
        )
        unexamined = Counter(criterion for review in newest.values() for criterion in review.unexamined)
        return Drafts(len(newest), reasons, cost if used else None, unexamined)

    def undrafted(
        self,
        project: ProjectKey,
        why: Why,
        *,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Undrafted]:
        newest = sorted(self._newest(project, since, until).items())
        found = [Undrafted(task, why, r.error, r.created_at) for task, r in newest if why_undrafted(r) is why]
        return tuple(found[:limit])

    def close(self) -> None:
        pass

    def projects(self) -> Sequence[ProjectKey]:
        known = [r.key.project for r in self._reviews.values()] + [project for project, _ in self._held]
        return tuple(dict.fromkeys([*known, *self._bookmarks, *self._rollouts, *self._setups, *self._marks]))

    def rollout(self, project: ProjectKey, *, guideline_id: str, model_version: str) -> str:
        known = self._rollouts.setdefault(project, [])
        if (guideline_id, model_version) not in known:
            known.append((guideline_id, model_version))
        return f"{guideline_id} r{known.index((guideline_id, model_version)) + 1} {model_version[:6]}"

    def rollouts(self, project: ProjectKey) -> Sequence[str]:
        known = self._rollouts.get(project, [])
        return [f"{guideline} r{number} {version[:6]}" for number, (guideline, version) in enumerate(known, start=1)]

    def drafted(
        self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int] | None = None
    ) -> Mapping[int, Review]:
        wanted = (
            r
            for r in self._reviews.values()
            if r.key.project == project
            and (task_ids is None or r.key.task_id in task_ids)
            and r.provenance.rollout == rollout
            and r.exposure not in {Exposure.FAILED, Exposure.NOT_READY}
            and r.box is None
        )
        return {r.key.task_id: r for r in sorted(wanted, key=lambda r: r.created_at)}

    def failed(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> frozenset[int]:
        made = self.drafted(project, rollout=rollout, task_ids=task_ids).keys()
        whole = (r for r in self._whole(project) if r.provenance.rollout == rollout and r.exposure is Exposure.FAILED)
        return (frozenset(r.key.task_id for r in whole) & frozenset(task_ids)) - made

    def new_tasks_since(self, project: ProjectKey) -> datetime | None:
        return self._marks.get(project)

    def mark_new_tasks(self, project: ProjectKey, since: datetime | None) -> None:
        self._marks.pop(project, None)
        if since is not None:
            self._marks[project] = since

    def pictures(self, project: ProjectKey) -> Sequence[Picture]:
        looked_at = (r for r in self._whole(project) if r.image_sha256)
        return tuple(dict.fromkeys(Picture(r.key.task_id, r.image_sha256, r.image_fingerprint) for r in looked_at))

    def remember_predictions(self, project: ProjectKey, predictions: Iterable[StoredPrediction]) -> None:
        for prediction in predictions:
            self._predictions.setdefault((project, prediction.id), prediction)

    def newest_review(self) -> int:
        return len(self._reviews)

    def predictions_of(self, key: TaskKey) -> Sequence[StoredPrediction]:
        found = (
            p for (project, _), p in self._predictions.items() if (project, p.task_id) == (key.project, key.task_id)
        )
        return tuple(sorted(found, key=lambda p: p.id))

    def append(self, comparison: Comparison) -> Appended:
        return self.append_all([comparison])

    def append_all(self, comparisons: Iterable[Comparison], *, surely_newest: bool = False) -> Appended:
        done = [self._append(comparison, surely_newest=surely_newest) for comparison in comparisons]
        late = sum(one.late for one in done)
        return Appended(sum(one.revisions for one in done), sum(one.rows for one in done), late)

    def _append(self, comparison: Comparison, *, surely_newest: bool) -> Appended:
        annotation = comparison.annotation
        held = self._hold(annotation.key, annotation.annotation_id)
        if comparison.confirmed:
            self._gone_tasks.discard(annotation.key)
        held.deleted = not comparison.confirmed and (held.deleted or annotation.key in self._gone_tasks)
        said = (annotation.content_hash, comparison.overrides, comparison.provenance)
        newest = held.newest()
        for number, other in enumerate(held.revisions, start=1):
            first, last, now = other.annotation.updated_at, held.seen[number - 1], annotation.updated_at
            again = first is not None and last is not None and now is not None and first <= now <= last
            same = (other.annotation.content_hash, other.overrides, other.provenance) == said
            if same and number == newest and now is not None:
                held.seen[number - 1] = max(now, last or now)
            if same and (number == newest or (again and not (surely_newest and number < newest))):
                if comparison.confirmed:
                    held.revisions[number - 1] = replace(other, confirmed=True)
                    held.rows = [replace(r, confirmed=True) if r.revision == number else r for r in held.rows]
                if surely_newest and newest:
                    held.seen[number - 1] = held.seen[newest - 1]
                return Appended(late=number != held.newest())
        author = next((c.annotation.author for c in held.revisions if c.annotation.author.startswith(FORGOTTEN)), None)
        if author is not None:
            editor = author if annotation.editor == annotation.author else annotation.editor
            comparison = replace(comparison, annotation=replace(annotation, author=author, editor=editor))
        held.revisions.append(comparison)
        held.seen.append(held.seen[newest - 1] if surely_newest and newest else annotation.updated_at)
        held.logged.append((self._next_id(), self.clock.now()))
        held.rows += [self._logged(comparison, override, len(held.revisions)) for override in comparison.overrides]
        return Appended(1, len(comparison.overrides), late=len(held.revisions) != held.newest())

    def record_deletion(self, key: TaskKey, *, annotation_ids: Iterable[int] | None = None) -> int:
        gone = self.living(key) if annotation_ids is None else annotation_ids
        if annotation_ids is None:
            self._gone_tasks.add(key)
        new = [held for held in (self._hold(key, i) for i in set(gone)) if not held.deleted]
        for held in new:
            held.deleted = True
        return len(new)

    def living(self, key: TaskKey) -> frozenset[int]:
        return frozenset(i for (_, i), h in self._held.items() if h.key == key and h.revisions and not h.deleted)

    def newest(self, key: TaskKey) -> Mapping[int, SubmittedAnnotation]:
        held = {number: self._held[key.project, number] for number in self.living(key)}
        return {number: one.revisions[one.newest() - 1].annotation for number, one in held.items()}

    def living_tasks(self, project: ProjectKey) -> frozenset[int]:
        held = (h for h in self._held.values() if h.key.project == project and h.revisions and not h.deleted)
        return frozenset(h.key.task_id for h in held)

    def overrides(
        self, *, project: ProjectKey | None = None, since: datetime | None = None, current: bool = True
    ) -> Iterator[LoggedOverride]:
        rows = []
        for held in self._held.values():
            newest = held.newest()
            for row in held.rows:
                is_current = row.revision == newest and not held.deleted
                rows.append(replace(row, current=is_current, deleted=held.deleted))
        for row in sorted(rows, key=lambda row: row.id):
            wanted = project in (None, row.key.project) and (since is None or row.logged_at >= since)
            if wanted and (row.current or not current):
                yield row

    def chunks(self, project: ProjectKey, packing: Packing, part: Part) -> Iterator[bytes]:
        # several chunks per project, each with its rows in their order
        rows = sorted(self.overrides(project=project), key=lambda row: row.key.task_id // 100)
        for _, of_block in groupby(rows, key=lambda row: row.key.task_id // 100):
            packed = packing.pack(columns_of(of_block))
            yield packed.counts if part is Part.COUNTS else packed.rows

    def comparisons(self, *, project: ProjectKey | None = None, since: datetime | None = None) -> Iterator[Comparison]:
        current = []
        for (of_project, _), held in self._held.items():
            if held.revisions and not held.deleted and project in (None, of_project):
                newest = held.newest() - 1
                current.append((held.logged[newest], held.revisions[newest]))
        for (_, logged_at), comparison in sorted(current, key=lambda pair: pair[0]):
            if since is None or logged_at >= since:
                yield comparison

    def forget(self, reviewer: str) -> int:
        label, named = f"{FORGOTTEN}{self._next_id()}", 0
        for held in self._held.values():
            for number, comparison in enumerate(held.revisions):
                annotation = comparison.annotation
                author = label if annotation.author == reviewer else annotation.author
                editor = label if annotation.editor == reviewer else annotation.editor
                named += label in (author, editor)
                renamed = replace(annotation, author=author, editor=editor)
                held.revisions[number] = replace(comparison, annotation=renamed)
                rows = held.rows
                held.rows = [replace(r, author=author, editor=editor) if r.revision == number + 1 else r for r in rows]
        return named

    def put(self, wake: WebhookNotice) -> int:
        number = self._next_id()
        self._inbox[number] = replace(wake, id=number)
        self._came[number] = self.clock.now()
        return number

    def waiting(self, *, limit: int = 1000, after: int = 0) -> Sequence[WebhookNotice]:
        return tuple(self._inbox[number] for number in sorted(n for n in self._inbox if n > after)[:limit])

    def waiting_since(self) -> datetime | None:
        return self._came[min(self._inbox)] if self._inbox else None

    def done(self, notice_ids: Iterable[int]) -> None:
        for wake_id in notice_ids:
            self._inbox.pop(wake_id, None)

    def bookmark(self, project: ProjectKey) -> datetime | None:
        return self._bookmarks.get(project)

    def move_bookmark(self, project: ProjectKey, to: datetime, *, back: bool = False) -> None:
        self._bookmarks[project] = to if back else max(to, self._bookmarks.get(project, to))

    def unfinished_sweep(self, project: ProjectKey) -> SweepPoint | None:
        return self._points.get(project)

    def keep_sweep(self, project: ProjectKey, point: SweepPoint | None) -> None:
        self._points[project] = point

    def add_pending(self, tasks: Sequence[ReviewTask], *, rollout: str, due_in_s: float) -> None:
        known = {(e.key, e.rollout) for e, _ in self._pending.values()}
        for task in tasks:
            if (task.key, rollout) not in known:
                number = self._next_id()
                self._pending[number] = (PendingDraft(number, task.key, rollout), self._in(due_in_s))

    def reschedule(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int], due_in_s: float) -> None:
        for pending_draft in self._pending_of(project, rollout, task_ids):
            self._pending[pending_draft.id] = (pending_draft, self._in(due_in_s))

    def claim(self, *, limit: int, lease_s: float) -> Sequence[PendingDraft]:
        due = sorted((at, e.id) for e, at in self._pending.values() if at <= self.clock.now())[:limit]
        claimed = [self._pending[number][0] for _, number in due]
        for pending_draft in claimed:
            self._pending[pending_draft.id] = (pending_draft, self._in(lease_s))
        return tuple(sorted(claimed, key=lambda e: e.id))

    def release(self, pending_ids: Sequence[int], *, due_in_s: float, failed: bool = False) -> None:
        for number in pending_ids:
            if held := self._pending.get(number):
                pending_draft = replace(held[0], attempts=held[0].attempts + failed)
                self._pending[number] = (pending_draft, self._in(due_in_s))

    def clear_pending(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> None:
        for pending_draft in self._pending_of(project, rollout, task_ids):
            del self._pending[pending_draft.id]

    def pending_count(self) -> int:
        return len(self._pending)

    def reviewed_crops(self, project: ProjectKey) -> ReviewedCrops | None:
        return self._reviewed_crops.get(project)

    def keep_reviewed_crops(self, project: ProjectKey, book: ReviewedCrops) -> None:
        self._reviewed_crops[project] = book

    def setup(self, project: ProjectKey) -> SetupVersion | None:
        kept = self._setups.get(project)
        return kept[-1] if kept else None

    def setups(self, project: ProjectKey) -> Sequence[SetupVersion]:
        return tuple(self._setups.get(project, ()))

    def drafted_before_setups(self, project: ProjectKey) -> Provenance | None:
        return None  # it was never a database of an earlier release

    def store_setup(self, project: ProjectKey, setup: ProjectSetup) -> SetupVersion:
        kept = self._setups.setdefault(project, [])
        if not kept or kept[-1].setup != setup:
            kept.append(SetupVersion(len(kept) + 1, setup, self.clock.now()))
        return kept[-1]

    def _pending_of(self, project: ProjectKey, rollout: str, task_ids: Sequence[int]) -> list[PendingDraft]:
        return [
            e
            for e, _ in self._pending.values()
            if e.key.project == project and e.rollout == rollout and e.key.task_id in task_ids
        ]

    def _in(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _hold(self, key: TaskKey, annotation_id: int) -> _Held:
        held = self._held.setdefault((key.project, annotation_id), _Held(key))
        if held.key.task_id == 0:
            held.key = key
        return held

    def _provenance_of(self, override: Override, comparison: Comparison) -> Provenance | None:
        other = self._reviews.get(override.review_id)
        return other.provenance if other and other.id in comparison.review_ids[1:] else comparison.provenance

    def _logged(self, comparison: Comparison, override: Override, revision: int) -> LoggedOverride:
        annotation = comparison.annotation
        return LoggedOverride(
            id=self._next_id(),
            revision=revision,
            current=True,
            key=annotation.key,
            annotation_id=annotation.annotation_id,
            override=override,
            author=annotation.author,
            editor=annotation.editor,
            created_at=annotation.created_at,
            updated_at=annotation.updated_at,
            logged_at=self.clock.now(),
            lead_time_s=annotation.lead_time_s,
            provenance=self._provenance_of(override, comparison),
            exposure=comparison.exposure,
            unexamined=comparison.unexamined,
            left_out=comparison.left_out,
            confirmed=comparison.confirmed,
        )
