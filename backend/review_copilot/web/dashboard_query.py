"""Read the query of a dashboard URL, and create the frame with links to other queries. Knows URLs, and no numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from flask import request, url_for

from review_copilot.domain.guideline import Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import BadRequest
from review_copilot.flows.study_project import Scope
from review_copilot.reports.page_templates import Choice, Frame, Place
from review_copilot.reports.study_words import name_of, person

PLACES = (("overview", "To do first"), ("undrafted", "Without a draft"), ("reviewers", "Reviewers"))


@dataclass(frozen=True)
class Question:
    """The query of a URL.

    Attributes:
        known: Projects to choose from, oldest first.
        project: The selected project.
        scope: The selected part of its log.
    """

    known: tuple[ProjectKey, ...]
    project: ProjectKey
    scope: Scope

    @property
    def name(self) -> str:
        """The project's name in URLs."""
        return _names(self.known)[self.project]


def read_question(known: Sequence[ProjectKey]) -> Question:
    """Read the query of the current request. Without a project in the URL, the newest one is selected.

    Args:
        known: Projects in the log, oldest first.

    Raises:
        BadRequest: There is no such project, or a date is not valid.
    """
    if not known:
        raise BadRequest(
            "The log has no project yet.",
            hint="Connect one: review-copilot connect --project N, then review-copilot preannotate --project N.",
        )
    names = _names(known)
    wanted = request.args.get("project", "") or names[known[-1]]
    found = [key for key, name in names.items() if name == wanted]
    if not found:
        raise BadRequest(
            f"The log has no project {wanted[:40]}.", hint=f"Choose one of these projects: {', '.join(names.values())}."
        )
    until = _day("until")
    scope = Scope(
        since=_day("since"),
        until=until + timedelta(days=1) if until else None,
        criterion=request.args.get("criterion", ""),
        reviewer=request.args.get("reviewer", ""),
    )
    return Question(tuple(known), found[0], scope)


def frame_of(
    asked: Question,
    *,
    here: str,
    guideline: Guideline,
    criteria: Sequence[str],
    reviewers: Sequence[str],
    action: str = "",
) -> Frame:
    """Create the frame around a page.

    Args:
        asked: The query.
        here: The entry of PLACES that the page belongs to.
        guideline: Names the criteria.
        criteria: Criteria to choose from.
        reviewers: Reviewers to choose from, and to link to.
        action: The page that the filters open; `here` if empty.
    """
    names, scope = _names(asked.known), asked.scope
    period = {"since": request.args.get("since"), "until": request.args.get("until")}
    kept = {name: value for name, value in period.items() if value}
    every = {"criterion": scope.criterion, "reviewer": scope.reviewer} | kept
    return Frame(
        style_url=url_for("copilot.style_sheet"),
        action=url_for(f"copilot.{action or here}"),
        places=tuple(
            Place(says, _to(place, {"project": asked.name} | kept), here=place == here) for place, says in PLACES
        ),
        projects=tuple(
            Choice(name, _project_words(key, names), chosen=key == asked.project) for key, name in names.items()
        ),
        since=kept.get("since", ""),
        until=kept.get("until", ""),
        criteria=tuple(Choice(c, name_of(c, guideline), chosen=c == scope.criterion) for c in criteria),
        reviewers=tuple(Choice(r, person(r), chosen=r == scope.reviewer) for r in reviewers),
        download=_to("report", {"project": asked.name} | {k: v for k, v in every.items() if v}),
        undrafted_url=_to("undrafted", {"project": asked.name} | kept),
        narrowed=bool(kept or scope.criterion),
        reviewer_urls={r: _to("reviewer", {"project": asked.name, "reviewer": r} | kept) for r in reviewers},
    )


def bare_frame() -> Frame:
    """Create the frame around a page without a query, such as an error."""
    return Frame(
        style_url=url_for("copilot.style_sheet"),
        action=url_for("copilot.overview"),
        places=(Place("To do first", url_for("copilot.overview")),),
    )


def thumbnail_url(asked: Question, row: int) -> str:
    """The URL of a row's thumbnail."""
    return url_for("copilot.thumbnail", row=row, project=asked.name)


def _to(page: str, asked: Mapping[str, str]) -> str:
    return f"{url_for(f'copilot.{page}')}?{urlencode(asked)}"


def _names(known: Sequence[ProjectKey]) -> Mapping[ProjectKey, str]:
    """Names of projects in URLs: the id, followed by the position among all projects if several have the same id."""
    ids = [key.project_id for key in known]
    return {
        key: str(key.project_id) if ids.count(key.project_id) == 1 else f"{key.project_id}.{place}"
        for place, key in enumerate(known)
    }


def _project_words(key: ProjectKey, names: Mapping[ProjectKey, str]) -> str:
    alone = len({other.instance for other in names}) == 1 and names[key] == str(key.project_id)
    return f"Project {key.project_id}" if alone else f"Project {key.project_id} of {key.instance}"


def _day(name: str) -> datetime | None:
    text = request.args.get(name, "")
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadRequest(f"“{text[:40]}” is not a date.", hint="Use the form 2026-03-02.") from error
