"""What one database keeps: reviews, log, inbox, where sweeps stand, what is owed. Knows nobody who fulfils it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from review_copilot.domain.draft_totals import Drafts, Undrafted, Why
from review_copilot.domain.override import Comparison, LoggedOverride, SubmittedAnnotation
from review_copilot.domain.pending_draft import PendingDraft
from review_copilot.domain.review import ProjectKey, Review, ReviewTask, TaskKey
from review_copilot.domain.reviewed_crops import ReviewedCrops
from review_copilot.domain.setup import ProjectSetup, SetupVersion
from review_copilot.domain.task_image import Picture
from review_copilot.ports.chunks import ColumnLog
from review_copilot.ports.labeling import StoredPrediction, WebhookNotice


class ReviewStore(Protocol):
    """Remembers what was suggested."""

    def remember(self, reviews: Sequence[Review]) -> None:
        """Keep reviews; the same id again replaces nothing and raises nothing."""
        ...

    def recall(self, key: TaskKey) -> Sequence[Review]:
        """All reviews of a task, oldest first."""
        ...

    def draft_totals(
        self, project: ProjectKey, *, since: datetime | None = None, until: datetime | None = None
    ) -> Drafts:
        """What the whole-image drafts of a project come to, without reading them one by one.

        The newest draft of a task, which says whether it shows something, is the one that was written last.

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
        """The first tasks, by task id, that show no suggestion for one reason; of the same drafts as `draft_totals`."""
        ...

    def projects(self) -> Sequence[ProjectKey]:
        """Projects that the store has heard of, oldest first."""
        ...

    def drafted(
        self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int] | None = None
    ) -> Mapping[int, Review]:
        """Task id to newest whole-image review under one roll-out, failed and unready ones left out.

        A review that is withheld from its reviewer is among them: it was made, and need not be made again.

        Args:
            project: Which project.
            rollout: Under which label.
            task_ids: Only these tasks; None for all.
        """
        ...

    def pictures(self, project: ProjectKey) -> Sequence[Picture]:
        """What was kept of the pictures that were looked at whole, in the order of first sight.

        A task whose picture changed has one for each.
        """
        ...

    def remember_predictions(self, project: ProjectKey, predictions: Iterable[StoredPrediction]) -> None:
        """Keep which predictions Label Studio holds, also after it deleted them; the same id again replaces nothing.

        An annotation names the prediction that it began from. When all its regions were deleted, nothing else
        leads back to the version that the reviewer saw.
        """
        ...

    def newest_review(self) -> int:
        """Number of the newest review, whoever wrote it; 0 without any. It rises with each one, at times by more."""
        ...

    def predictions_of(self, key: TaskKey) -> Sequence[StoredPrediction]:
        """The remembered predictions of a task, by rising id."""
        ...


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did.

    Attributes:
        revisions: Revisions that were new.
        rows: Rows that were new.
        late: Readings that another revision stays in front of, for it carries a later `updated_at`.
    """

    revisions: int = 0
    rows: int = 0
    late: int = 0


class OverrideLog(Protocol):
    """The append-only log."""

    def append(self, comparison: Comparison) -> Appended:
        """Add a revision, unless the log holds it already.

        It does when the annotation's newest revision has the same content and rows, or any revision was read with them
        at that `updated_at`. The newest revision is the one that was read under the latest `updated_at`, and of those
        the one written last: in whatever order readings come, and however often, the same revision is current in the
        end. A confirmed annotation that was deleted lives again, for it was just read from Label Studio; an unconfirmed
        one stays deleted, and is deleted at once where its task was. What was unconfirmed becomes confirmed when it is
        read from Label Studio as it is.
        """
        ...

    def append_all(self, comparisons: Iterable[Comparison], *, surely_newest: bool = False) -> Appended:
        """`append` for many, in their order; what was written until something fails stays written.

        Args:
            comparisons: What to append.
            surely_newest: They were read from Label Studio after all that the log holds of them was written, and so are
                the newest whatever time they carry: the clock that stamps them may have been set back.
        """
        ...

    def record_deletion(self, key: TaskKey, *, annotation_ids: Iterable[int] | None = None) -> int:
        """Add tombstones for annotations that are gone (all of the task's when None); returns how many are new.

        An annotation that the log has never seen can be deleted too, for a deletion may be heard of first.
        """
        ...

    def living(self, key: TaskKey) -> frozenset[int]:
        """Annotation ids of a task that the log holds and that are not deleted."""
        ...

    def newest(self, key: TaskKey) -> Mapping[int, SubmittedAnnotation]:
        """Annotation id to its newest revision, for all living annotations of a task, as they were read."""
        ...

    def living_tasks(self, project: ProjectKey) -> frozenset[int]:
        """Task ids of a project with at least one annotation that is not deleted."""
        ...

    def overrides(
        self, *, project: ProjectKey | None = None, since: datetime | None = None, current: bool = True
    ) -> Iterator[LoggedOverride]:
        """Rows in the order of writing; only those of living annotations' newest revisions when `current`.

        Args:
            project: Only this project.
            since: Only rows that were logged at that time or later.
            current: False for every revision, also of deleted annotations.
        """
        ...

    def comparisons(self, *, project: ProjectKey | None = None, since: datetime | None = None) -> Iterator[Comparison]:
        """The newest revision of every living annotation, in the order of writing, as it was appended.

        Args:
            project: Only this project.
            since: Only revisions that were logged at that time or later.
        """
        ...

    def forget(self, reviewer: str) -> int:
        """Take a person out of the log for good; returns how many revisions named them.

        Author and editor are replaced by a label that is kept nowhere else, in every revision. All rows stay, and so do
        the counts: what one person did still has one label. What the person wrote is the review's and stays. Labelling
        that Label Studio reports later under the same id counts as another person's.
        """
        ...


class Inbox(Protocol):
    """A durable queue of wake-up calls."""

    def put(self, wake: WebhookNotice) -> int:
        """Store one event durably; returns its id."""
        ...

    def waiting(self, *, limit: int = 1000) -> Sequence[WebhookNotice]:
        """The oldest events that are not done."""
        ...

    def done(self, notice_ids: Iterable[int]) -> None:
        """Mark events as done."""
        ...

    def waiting_since(self) -> datetime | None:
        """When the oldest event that is not done came in; None when all are."""
        ...


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """How far a sweep came.

    Attributes:
        since: Only tasks touched after it are looked at; None for all.
        up_to: The newest change of the project when the sweep began, and no later than Label Studio's clock stood then;
            the bookmark may move there and no further, for a task that was read early may have been changed again
            before the sweep ended.
        after: Tasks up to this id have been looked at.
    """

    since: datetime | None
    up_to: datetime | None
    after: int = 0


class Bookmarks(Protocol):
    """Remembers how far a sweep came."""

    def bookmark(self, project: ProjectKey) -> datetime | None:
        """Time of the newest change that was swept; None before the first sweep."""
        ...

    def move_bookmark(self, project: ProjectKey, to: datetime, *, back: bool = False) -> None:
        """Remember a later time; an earlier one changes nothing, unless it may go `back`."""
        ...

    def unfinished_sweep(self, project: ProjectKey) -> SweepPoint | None:
        """Where a sweep that was cut off stood; None when the last one came to its end."""
        ...

    def keep_sweep(self, project: ProjectKey, point: SweepPoint | None) -> None:
        """Remember how far a running sweep came; None when it came to its end."""
        ...


class Rollouts(Protocol):
    """Numbers the roll-outs of a project."""

    def rollout(self, project: ProjectKey, *, guideline_id: str, model_version: str) -> str:
        """The label under which drafts of that content are stored, such as "photo-quality r3 9f2c1a".

        The same content gives the same label again; content that the project has not seen gets the next number.
        """
        ...

    def rollouts(self, project: ProjectKey) -> Sequence[str]:
        """The project's labels, oldest first."""
        ...


class PendingDrafts(Protocol):
    """A durable list of drafts that are owed: what one process leaves behind, another takes up."""

    def add_pending(self, tasks: Sequence[ReviewTask], *, rollout: str, due_in_s: float) -> None:
        """Note that tasks want a draft, to be seen to after so many seconds; what is owed already changes nothing."""
        ...

    def reschedule(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int], due_in_s: float) -> None:
        """Set when pending drafts of a roll-out are due, and take them from whoever holds them."""
        ...

    def claim(self, *, limit: int, lease_s: float) -> Sequence[PendingDraft]:
        """Take pending drafts that are due, the longest due first; nobody else gets them before the lease ends."""
        ...

    def release(self, pending_ids: Sequence[int], *, due_in_s: float, failed: bool = False) -> None:
        """Return claimed pending drafts, due again after so many seconds; `failed` counts an attempt."""
        ...

    def clear_pending(self, project: ProjectKey, *, rollout: str, task_ids: Sequence[int]) -> None:
        """Strike pending drafts out: Label Studio holds the draft, or nobody wants it."""
        ...

    def pending_count(self) -> int:
        """How many pending drafts there are, claimed ones too."""
        ...


class ReviewedCropsStore(Protocol):
    """Keeps what the reviewed regions of each project look like."""

    def reviewed_crops(self, project: ProjectKey) -> ReviewedCrops | None:
        """What was kept last; None when nothing was."""
        ...

    def keep_reviewed_crops(self, project: ProjectKey, book: ReviewedCrops) -> None:
        """Keep it in the place of what was kept before."""
        ...


class Setups(Protocol):
    """Keeps the set-up of each project, version after version."""

    def setup(self, project: ProjectKey) -> SetupVersion | None:
        """The project's newest set-up; None where it has none of its own."""
        ...

    def setups(self, project: ProjectKey) -> Sequence[SetupVersion]:
        """All set-ups that the project had, oldest first."""
        ...

    def store_setup(self, project: ProjectKey, setup: ProjectSetup) -> SetupVersion:
        """Make a set-up the project's newest; one that equals the newest is not stored again."""
        ...


class Store(
    ReviewStore, OverrideLog, ColumnLog, Inbox, Bookmarks, Rollouts, PendingDrafts, ReviewedCropsStore, Setups, Protocol
):
    """Everything that one database keeps."""

    def close(self) -> None:
        """Close all connections."""
        ...
