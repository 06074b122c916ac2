"""Study a project: say what its log and its drafts say. Knows ports and the analysis; draws no page."""

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
    """Which part of a project's log is looked at.

    Attributes:
        since: Only annotations made at that time or later, UTC; None for no limit.
        until: Only annotations made before that time, UTC; None for no limit.
        criterion: Only what concerns this criterion; empty for all. Flags are still found among all criteria, for what
            is natural shows only there.
        reviewer: Only this person's annotations; empty for everybody's.
    """

    since: datetime | None = None
    until: datetime | None = None
    criterion: str = ""
    reviewer: str = ""


@dataclass(frozen=True)
class ProjectStudy:
    """Everything that a report of a project shows.

    Attributes:
        project: Which project.
        guideline: Names the criteria.
        study: What the log says.
        drafts: What the store knows of its drafts.
        scope: Which part of the log was looked at.
        made_at: When, UTC.
        link: Label Studio's URL in a browser; empty where it is not known.
        pictures: Thumbnails by case and sighting, where images were at hand.
    """

    project: ProjectKey
    guideline: Guideline
    study: Study
    drafts: Drafts
    scope: Scope
    made_at: datetime
    link: str = ""
    pictures: Pictures = field(default=NO_PICTURES)

    @property
    def cost(self) -> Cost | None:
        """What was spent, beside what reviewers kept."""
        kept = sum(c.suggestions - c.overridden for c in self.study.criteria)
        return replace(self.drafts.cost, kept=kept) if self.drafts.cost else None


def find_project(known: Sequence[ProjectKey], project_id: int, *, instance: str = "") -> ProjectKey:
    """The project of an id: the newest that the store has heard of where an id was used again.

    Args:
        known: Projects, oldest first.
        project_id: Label Studio's project id.
        instance: Only of this Label Studio; empty for any.

    Raises:
        SettingsError: There is none.
    """
    found = [key for key in known if key.project_id == project_id and instance in ("", key.instance)]
    if found:
        return found[-1]
    ids = ", ".join(str(i) for i in sorted({key.project_id for key in known}))
    raise SettingsError(
        f"The log holds nothing of project {project_id}.",
        hint=f"It knows these projects: {ids}." if ids else "It is empty: it fills while `review-copilot serve` runs.",
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
    """Study the part of a project's log that the scope names.

    Args:
        reading: The project's rows.
        drafts: What the store knows of its drafts.
        project: Which project.
        guideline: Names the criteria.
        scope: Which part of the log.
        clock: Stamps the study.
        see: Says what the uncovered crops of the rows look like; None to go by notes alone.
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
        project=project, guideline=guideline, study=found, drafts=drafts, scope=scope, made_at=clock.now()
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
    """What concerns one criterion; rates that are compared with the other criteria stay as they were found."""

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
    """Everybody who annotated, by name."""
    return tuple(sorted(counts.words("reviewers"), key=_by_name))


def _by_name(name: str) -> tuple[int, str]:
    """User ids by number, names by letter."""
    return (int(name), "") if name.isdecimal() else (10**9, name.casefold())


def latest_tasks(table: OverrideTable, *, most: int = 5) -> Mapping[str, Sequence[int]]:
    """For each criterion, the tasks with the newest overrides of its suggestions."""
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
    """Every criterion of the log, in the guideline's order first."""
    of_log = counts.words("criteria")
    order: Iterable[str] = (c.id for c in guideline.criteria if c.id in of_log)
    return tuple(dict.fromkeys([*order, *of_log]))
