"""Study a project's log and drafts. Knows ports and the study; renders no page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import numpy as np

from review_copilot.domain.draft_totals import Cost, Drafts
from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import SettingsError
from review_copilot.flows.look_again import LookAgain, look_again
from review_copilot.flows.packed_log import Reading, some_of
from review_copilot.flows.thumbnails import NO_PICTURES, Pictures
from review_copilot.ports import Clock
from review_copilot.study.calibration import calibration_of
from review_copilot.study.criterion_rates import weeks
from review_copilot.study.project_study import Study, study_of
from review_copilot.study.study_counts import Counts
from review_copilot.study.table import Floats, OverrideTable


@dataclass(frozen=True)
class Scope:
    """Which part of a project's log to study.

    Attributes:
        since: Only annotations created at that time or later, UTC; None for no limit.
        until: Only annotations created before that time, UTC; None for no limit.
        criterion: Only results for this criterion; empty for all. Flags are still found among all criteria, because the
            normal variation is visible only there.
        reviewer: Only this person's annotations; empty for everyone's.
    """

    since: datetime | None = None
    until: datetime | None = None
    criterion: str = ""
    reviewer: str = ""


@dataclass(frozen=True)
class ProjectStudy:
    """The content of a project's report.

    Attributes:
        project: Which project.
        guideline: Defines the criteria.
        study: The study of the log.
        drafts: What the store contains about its drafts.
        scope: The part of the log that was studied.
        made_at: When, UTC.
        link: Label Studio's URL in a browser; empty if unknown.
        pictures: Thumbnails by case and sighting, if images were available.
        again: Submissions whose verdict contradicts their boxes.
    """

    project: ProjectKey
    guideline: Guideline
    study: Study
    drafts: Drafts
    scope: Scope
    made_at: datetime
    link: str = ""
    pictures: Pictures = field(default=NO_PICTURES)
    again: LookAgain = field(default=LookAgain())

    @property
    def cost(self) -> Cost | None:
        """The cost, and the number of suggestions that reviewers kept."""
        kept = sum(c.suggestions - c.overridden for c in self.study.criteria)
        return replace(self.drafts.cost, kept=kept) if self.drafts.cost else None


def find_project(known: Sequence[ProjectKey], project_id: int, *, instance: str = "") -> ProjectKey:
    """The project with an id; if an id was reused, the newest one in the store.

    Args:
        known: Projects, oldest first.
        project_id: Label Studio's project id.
        instance: Only of this Label Studio; empty for any.

    Raises:
        SettingsError: There is no such project.
    """
    found = [key for key in known if key.project_id == project_id and instance in ("", key.instance)]
    if found:
        return found[-1]
    ids = ", ".join(str(i) for i in sorted({key.project_id for key in known}))
    raise SettingsError(
        f"The log has no data on project {project_id}.",
        hint=f"It has data on these projects: {ids}."
        if ids
        else "The log is empty. To fill it, run `review-copilot serve` or `review-copilot sync`.",
    )


def study_project(
    reading: Reading,
    drafts: Drafts,
    *,
    project: ProjectKey,
    guideline: Guideline,
    scope: Scope,
    clock: Clock,
    see: Callable[[OverrideTable], Floats | None] | None = None,
) -> ProjectStudy:
    """Study the part of a project's log that is in the scope.

    Args:
        reading: The project's rows.
        drafts: What the store contains about its drafts.
        project: Which project.
        guideline: Defines the criteria.
        scope: Which part of the log.
        clock: Gives the time of the study.
        see: Measures the uncovered crops of the rows; None to use notes alone.
    """
    rows = reading if scope == replace(scope, since=None, until=None, reviewer="") else scoped(reading, scope)
    counts = rows.counts()
    of_log = counts.words("criteria")
    known = [criterion.id for criterion in guideline.criteria if criterion.id in of_log]
    found = study_of(counts, rows.tables, criteria=known, see=see)
    if scope.reviewer:
        found = replace(found, flags=())
    if scope.criterion:
        found = _narrowed(found, rows, scope.criterion)
    return ProjectStudy(
        project=project,
        guideline=guideline,
        study=found,
        drafts=drafts,
        scope=scope,
        made_at=clock.now(),
        again=look_again(rows.tables(), guideline),
    )


def within(table: OverrideTable, scope: Scope) -> OverrideTable:
    """The rows of the scope's period and reviewer."""
    mask = np.ones(len(table), dtype=np.bool_)
    if scope.since is not None:
        mask &= table.time_s >= scope.since.timestamp()
    if scope.until is not None:
        mask &= table.time_s < scope.until.timestamp()
    if scope.reviewer:
        mask &= table.reviewer == (
            table.reviewers.index(scope.reviewer) if scope.reviewer in table.reviewers else len(table.reviewers)
        )
    return table if mask.all() else table.where(mask)


def scoped(reading: Reading, scope: Scope) -> Reading:
    """The rows of the scope's period and reviewer."""
    return some_of(reading, partial(within, scope=scope))


def _narrowed(found: Study, rows: Reading, criterion: str) -> Study:
    """The results for one criterion; rates that are compared with other criteria do not change."""

    def about(table: OverrideTable) -> OverrideTable:
        number = table.criteria.index(criterion) if criterion in table.criteria else len(table.criteria)
        return table.where(table.suggested == number)

    alone = some_of(rows, about).counts()
    mine = tuple(c for c in found.criteria if c.criterion == criterion)
    agreement = replace(
        found.agreement, criteria=tuple(a for a in found.agreement.criteria if a.criterion == criterion)
    )
    return replace(
        found,
        flags=tuple(flag for flag in found.flags if criterion in flag.criteria),
        criteria=mine,
        confusions=tuple(c for c in found.confusions if criterion in (c.suggested, c.submitted)),
        agreement=agreement,
        calibration=mine[0].calibration if mine else calibration_of(alone.outcome_counts.scores),
        weeks=weeks(alone),
        novel_patterns=(),
    )


def reviewers_of(counts: Counts) -> tuple[str, ...]:
    """All annotators, by name."""
    return tuple(sorted(counts.words("reviewers"), key=_by_name))


def _by_name(name: str) -> tuple[int, str]:
    """Sorts user ids numerically and names alphabetically."""
    return (int(name), "") if name.isdecimal() else (10**9, name.casefold())


def latest_tasks(table: OverrideTable, *, most: int = 5) -> Mapping[str, Sequence[int]]:
    """For each criterion, the tasks with the latest overrides of its suggestions."""
    changed = np.flatnonzero(table.reviewed & (table.outcomes() != 0))
    order = changed[np.argsort(-table.time_s[changed], kind="stable")]
    found: dict[str, list[int]] = {}
    for row in order.tolist():
        tasks = found.setdefault(table.criteria[int(table.suggested[row])], [])
        task = int(table.task[row])
        if len(tasks) < most and task not in tasks:
            tasks.append(task)
    return found


def criteria_of(counts: Counts, guideline: Guideline) -> tuple[str, ...]:
    """All criteria in the log; those of the guideline first, in its order."""
    of_log = counts.words("criteria")
    order: Iterable[str] = (c.id for c in guideline.criteria if c.id in of_log)
    return tuple(dict.fromkeys([*order, *of_log]))
