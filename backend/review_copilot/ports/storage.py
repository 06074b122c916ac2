"""What a database stores: reviews, log, inbox, positions of sweeps, pending drafts. Knows no implementation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from review_copilot.domain.draft_totals import Drafts, Undrafted, Why
from review_copilot.domain.override import Comparison, LoggedOverride, SubmittedAnnotation
from review_copilot.domain.pending_draft import PendingDraft
from review_copilot.domain.review import ProjectKey, Provenance, Review, ReviewTask, TaskKey
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.domain.setup import ProjectSetup, SetupVersion
from review_copilot.domain.task_image import Picture
from review_copilot.ports.chunks import ColumnLog
from review_copilot.ports.labeling import StoredPrediction, WebhookNotice


class ReviewStore(Protocol):
    """Stores what was suggested."""

    def remember(self, reviews: Sequence[Review]) -> None:
        """Store reviews; an existing id is not replaced and is not an error."""
        ...

    def recall(self, key: TaskKey) -> Sequence[Review]:
        """All reviews of a task, oldest first."""
        ...

    def draft_totals(
        self, project: ProjectKey, *, since: datetime | None = None, until: datetime | None = None
    ) -> Drafts:
        """Totals of a project's whole-image drafts, without reading them one by one.

        The newest draft of a task, which determines whether the task shows suggestions, is the one that was written
        last.

        Args:
            project: Which project.
            since: Only drafts made at that time or later, UTC; None for no limit.
            until: Only drafts made before that time, UTC; None for no limit.
        """
        ...

    def undrafted(
        self,
        project: ProjectKey,
        why: Why,
        *,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Undrafted]:
        """The first tasks, by task id, that show no suggestions for a reason; same drafts as `draft_totals`."""
        ...

    def projects(self) -> Sequence[ProjectKey]:
        """Projects in the store, oldest first."""
        ...

    def drafted(
        self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int] | None = None
    ) -> Mapping[int, Review]:
        """Task id to newest whole-image review under one roll-out, without failed and unready ones.

        It includes withheld reviews: they are stored and do not have to be made again.

        Args:
            project: Which project.
            rollout: The roll-out label.
            task_ids: Only these tasks; None for all.
        """
        ...

    def failed(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> frozenset[int]:
        """The tasks among these whose draft under one roll-out failed each time; at most 10,000 ids."""
        ...

    def pictures(self, project: ProjectKey) -> Sequence[Picture]:
        """Hashes of the images of whole-image reviews, in the order in which they were first seen.

        A task whose image changed has one for each.
        """
        ...

    def remember_predictions(self, project: ProjectKey, predictions: Iterable[StoredPrediction]) -> None:
        """Store the predictions in Label Studio, even after it deletes them; an existing id is not replaced.

        An annotation names the prediction that it started from. If all its regions were deleted, nothing else
        leads back to the version that the reviewer saw.
        """
        ...

    def newest_review(self) -> int:
        """Number of the newest review, from any process; 0 without any. It increases by at least 1 with each review."""
        ...

    def predictions_of(self, key: TaskKey) -> Sequence[StoredPrediction]:
        """The stored predictions of a task, by ascending id."""
        ...


@dataclass(frozen=True, slots=True)
class Appended:
    """Result of an append.

    Attributes:
        revisions: New revisions.
        rows: New rows.
        late: Annotations that did not become the newest revision, because another one has a later `updated_at`.
    """

    revisions: int = 0
    rows: int = 0
    late: int = 0


class OverrideLog(Protocol):
    """The append-only log."""

    def append(self, comparison: Comparison) -> Appended:
        """Add a revision, unless the log already contains it.

        It does if the annotation's newest revision has the same content and rows, or if any revision was read with them
        at that `updated_at`. The newest revision is the one that was read with the latest `updated_at`, and of those
        the one written last: regardless of the order and number of reads, the same revision is current in the
        end. A deleted annotation that is confirmed exists again, because it was just read from Label Studio; an
        unconfirmed one stays deleted, and is deleted at once if its task was. An unconfirmed revision becomes confirmed
        when it is read from Label Studio with the same content.
        """
        ...

    def append_all(self, comparisons: Iterable[Comparison], *, surely_newest: bool = False) -> Appended:
        """`append` for many, in order; if one fails, the ones before it remain.

        Args:
            comparisons: What to append.
            surely_newest: They were read from Label Studio after everything in the log about them was written, so they
                are the newest regardless of their time: Label Studio's clock may have been set back.
        """
        ...

    def record_deletion(self, key: TaskKey, *, annotation_ids: Iterable[int] | None = None) -> int:
        """Add tombstones for deleted annotations (all of the task's if None); returns the number of new ones.

        An annotation that is not in the log can be deleted too, because its deletion may arrive first.
        """
        ...

    def living(self, key: TaskKey) -> frozenset[int]:
        """Ids of a task's annotations that are in the log and not deleted."""
        ...

    def newest(self, key: TaskKey) -> Mapping[int, SubmittedAnnotation]:
        """Annotation id to newest revision, for all existing annotations of a task, as they were read."""
        ...

    def living_tasks(self, project: ProjectKey) -> frozenset[int]:
        """Task ids of a project with at least one annotation that is not deleted."""
        ...

    def overrides(
        self, *, project: ProjectKey | None = None, since: datetime | None = None, current: bool = True
    ) -> Iterator[LoggedOverride]:
        """Rows in the order of writing; if `current`, only those of the newest revisions of existing annotations.

        Args:
            project: Only this project.
            since: Only rows that were logged at that time or later.
            current: False for all revisions, including those of deleted annotations.
        """
        ...

    def comparisons(self, *, project: ProjectKey | None = None, since: datetime | None = None) -> Iterator[Comparison]:
        """The newest revision of every existing annotation, in the order of writing, as it was appended.

        Args:
            project: Only this project.
            since: Only revisions that were logged at that time or later.
        """
        ...

    def forget(self, reviewer: str) -> int:
        """Remove a person from the log permanently; returns the number of revisions that named them.

        In every revision, author and editor are replaced with a label that is stored nowhere else. All rows remain, and
        so do the counts: one person's rows still have one label. Text that the person wrote remains, because it belongs
        to the review. Annotations that Label Studio reports later under the same id count as another person's.
        """
        ...


class Inbox(Protocol):
    """A durable queue of webhook notices."""

    def put(self, wake: WebhookNotice) -> int:
        """Store one event durably; returns its id."""
        ...

    def waiting(self, *, limit: int = 1000, after: int = 0) -> Sequence[WebhookNotice]:
        """The oldest events that are not done, with ids greater than `after`."""
        ...

    def done(self, notice_ids: Iterable[int]) -> None:
        """Mark events as done."""
        ...

    def waiting_since(self) -> datetime | None:
        """When the oldest unprocessed event arrived; None if there is none."""
        ...


class WebhookSecretStore(Protocol):
    """Stores hashes of projects' webhook secrets, never the secrets."""

    def add_webhook_secret(self, instance: str, project_id: int, secret_hash: str) -> None:
        """Accept one more secret of a project, before a webhook uses it."""
        ...

    def keep_webhook_secrets(self, instance: str, project_id: int, hashes: AbstractSet[str]) -> None:
        """Make these the project's secrets, as the ones that its webhooks use; all others are deleted."""
        ...

    def webhook_secret_projects(self, instance: str, secret_hash: str) -> frozenset[int]:
        """Ids of the projects with this secret; empty if it is unknown."""
        ...

    def has_webhook_secret(self, instance: str, project_id: int) -> bool:
        """Whether a webhook of the project uses a stored secret."""
        ...


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """Position of a sweep.

    Attributes:
        since: Only tasks changed after it are read; None for all.
        up_to: The latest change of the project when the sweep started, and no later than Label Studio's clock at that
            time; the bookmark may move only up to it, because a task that was read early may have changed again
            before the sweep ended.
        after: Tasks up to this id were read.
    """

    since: datetime | None
    up_to: datetime | None
    after: int = 0


class Bookmarks(Protocol):
    """Stores the positions of sweeps."""

    def bookmark(self, project: ProjectKey) -> datetime | None:
        """Time of the latest change that was swept; None before the first sweep."""
        ...

    def move_bookmark(self, project: ProjectKey, to: datetime, *, back: bool = False) -> None:
        """Store a later time; an earlier one changes nothing, unless `back` allows it."""
        ...

    def unfinished_sweep(self, project: ProjectKey) -> SweepPoint | None:
        """Position of an interrupted sweep; None if the last one finished."""
        ...

    def keep_sweep(self, project: ProjectKey, point: SweepPoint | None) -> None:
        """Store the position of a running sweep; None when it finished."""
        ...


class Rollouts(Protocol):
    """Numbers the roll-outs of a project."""

    def rollout(self, project: ProjectKey, *, guideline_id: str, model_version: str) -> str:
        """The label for drafts of that draft version, such as "photo-quality r3 9f2c1a".

        The same draft version has the same label; a draft version that is new to the project gets the next number.
        """
        ...

    def rollouts(self, project: ProjectKey) -> Sequence[str]:
        """The project's labels, oldest first."""
        ...


class NewTaskMarks(Protocol):
    """Which projects draft new tasks by themselves, and up to which time their new tasks were found."""

    def new_tasks_since(self, project: ProjectKey) -> datetime | None:
        """New tasks are those created after this time, UTC; None if the project does not draft new tasks by itself."""
        ...

    def mark_new_tasks(self, project: ProjectKey, since: datetime | None) -> None:
        """Set that time; None turns it off."""
        ...


class PendingDrafts(Protocol):
    """A durable list of pending drafts: if a process stops, another one continues its work."""

    def add_pending(self, tasks: Sequence[ReviewTask], *, rollout: str, due_in_s: float) -> None:
        """Add pending drafts of tasks, due after this many seconds; existing pending drafts do not change."""
        ...

    def reschedule(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int], due_in_s: float) -> None:
        """Set when pending drafts of a roll-out are due, and release any claims on them."""
        ...

    def claim(self, *, limit: int, lease_s: float) -> Sequence[PendingDraft]:
        """Claim pending drafts that are due, longest due first; no one else can claim them before the lease ends."""
        ...

    def release(self, pending_ids: Sequence[int], *, due_in_s: float, failed: bool = False) -> None:
        """Release claimed pending drafts, due again after this many seconds; `failed` counts an attempt."""
        ...

    def clear_pending(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> None:
        """Remove pending drafts: Label Studio has the draft, or it is no longer needed."""
        ...

    def pending_count(self) -> int:
        """Number of pending drafts, including claimed ones."""
        ...


class ReviewedCropsStore(Protocol):
    """Stores the features of each project's reviewed regions."""

    def reviewed_crops(self, project: ProjectKey) -> ReviewedCrops | None:
        """The stored reviewed crops; None if there are none."""
        ...

    def keep_reviewed_crops(self, project: ProjectKey, book: ReviewedCrops) -> None:
        """Store reviewed crops and replace the previous ones."""
        ...


class Setups(Protocol):
    """Keeps the setup of each project, version after version."""

    def setup(self, project: ProjectKey) -> SetupVersion | None:
        """The project's newest setup; None where it has none of its own."""
        ...

    def setups(self, project: ProjectKey) -> Sequence[SetupVersion]:
        """All setups that the project had, oldest first."""
        ...

    def drafted_before_setups(self, project: ProjectKey) -> Provenance | None:
        """What an earlier release drafted the project with, if it has no setup of its own since; else None."""
        ...

    def store_setup(self, project: ProjectKey, setup: ProjectSetup) -> SetupVersion:
        """Make a setup the project's newest; one that equals the newest is not stored again."""
        ...


class Store(
    ReviewStore,
    OverrideLog,
    ColumnLog,
    Inbox,
    Bookmarks,
    Rollouts,
    NewTaskMarks,
    PendingDrafts,
    ReviewedCropsStore,
    Setups,
    Protocol,
):
    """Everything that one database stores."""

    def close(self) -> None:
        """Close all connections."""
        ...
