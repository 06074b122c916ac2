"""The dashboard at `/copilot/`: the current study of a project. Only routes; other modules create numbers and pages.

Read-only, and protected by the backend's username and password. The Content-Security-Policy allows no script and no
other host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from flask import Blueprint, Response

from review_copilot.domain.draft_totals import Why
from review_copilot.domain.review import ProjectKey
from review_copilot.errors import BadRequest, CopilotError
from review_copilot.flows.packed_log import rows_of
from review_copilot.flows.review_context import SetupOf
from review_copilot.flows.study_project import (
    ProjectStudy,
    criteria_of,
    latest_tasks,
    reviewers_of,
    scoped,
    study_project,
)
from review_copilot.flows.thumbnails import cut_one, linked_pictures, pictures_of, shown_rows
from review_copilot.flows.uncovered_crops import known_crops
from review_copilot.ports import Clock, ImageSource, Store, WorkspaceOpener
from review_copilot.reports.dashboard_html import (
    MOST_LISTED,
    problem_page,
    reviewer_page,
    reviewers_page,
    undrafted_page,
)
from review_copilot.reports.page_templates import Frame, style
from review_copilot.reports.study_html import to_html
from review_copilot.study.joining import joined
from review_copilot.web.auth import Authenticator
from review_copilot.web.dashboard_query import Question, bare_frame, frame_of, read_question, thumbnail_url
from review_copilot.web.study_cache import StudyCache

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 135" width="240" height="135">'
    '<rect width="240" height="135" fill="#8884"/><text x="120" y="72" fill="#888" font-family="sans-serif" '
    'font-size="15" text-anchor="middle">No picture</text></svg>'
)


@dataclass(frozen=True)
class DashboardSource:
    """What the pages read.

    Attributes:
        store: The log and the drafts.
        setup_of: The setup of a project.
        opener_of: Opens a project; None if its Label Studio is not the configured one or there is no token.
        images: Fetches images.
        clock: Gives the current time.
        link_to: URL of a project's Label Studio in a browser; empty if it is not known.
    """

    store: Store
    setup_of: SetupOf
    opener_of: Callable[[ProjectKey], WorkspaceOpener | None]
    images: ImageSource
    clock: Clock
    link_to: Callable[[ProjectKey], str]


def dashboard_routes(source: DashboardSource, authenticator: Authenticator) -> Blueprint:
    """Create the routes of the dashboard's pages."""
    routes = Blueprint("copilot", __name__, url_prefix="/copilot")
    study_cache = StudyCache(source.store)
    routes.before_request(authenticator.check_basic)
    routes.after_request(_guarded)

    @routes.get("/")
    def overview() -> str:
        """Show what to do first, and all results of the study."""
        asked = read_question(source.store.projects())
        made = _study(source, study_cache, asked)
        if source.opener_of(asked.project) is not None:
            linked = linked_pictures(
                made.study, shown_rows(made.study, study_cache.reading(asked.project)), partial(thumbnail_url, asked)
            )
            made = replace(made, pictures=linked)
        return to_html(made, frame=_frame(source, study_cache, asked, here="overview"))

    @routes.get("/thumbnail/<int:row>")
    def thumbnail(row: int) -> Response:
        """Show the region of one row with its surroundings, or a placeholder if the image is not available."""
        asked = read_question(source.store.projects())
        picture = cut_one(
            rows_of(study_cache.reading(asked.project), rows=[row]),
            row,
            project=asked.project,
            opener=source.opener_of(asked.project),
            images=source.images,
            store=source.store,
        )
        if picture is None:
            return Response(NO_PICTURE, mimetype="image/svg+xml")
        return Response(picture, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    @routes.get("/report.html")
    def report() -> Response:
        """Download the report as one file, with thumbnails if the images are available."""
        asked = read_question(source.store.projects())
        found = _study(source, study_cache, asked)
        pictures = pictures_of(
            found.study,
            shown_rows(found.study, study_cache.reading(asked.project)),
            project=asked.project,
            opener=source.opener_of(asked.project),
            images=source.images,
            store=source.store,
        )
        made = to_html(replace(found, pictures=pictures))
        name = f"project-{asked.project.project_id}-overrides.html"
        return Response(made, mimetype="text/html", headers={"Content-Disposition": f'attachment; filename="{name}"'})

    @routes.get("/undrafted")
    def undrafted() -> str:
        """Show why tasks have no draft."""
        asked = read_question(source.store.projects())
        frame = replace(_frame(source, study_cache, asked, here="undrafted"), criteria=(), reviewers=())
        drafts = study_cache.drafts(asked.project, asked.scope)
        period = {"since": asked.scope.since, "until": asked.scope.until}
        listed = {why: source.store.undrafted(asked.project, why, limit=MOST_LISTED, **period) for why in Why}
        return undrafted_page(asked.project, drafts, listed, link=source.link_to(asked.project), frame=frame)

    @routes.get("/reviewers")
    def reviewers() -> str:
        """List all reviewers by name."""
        asked = read_question(source.store.projects())
        names = reviewers_of(study_cache.counts(asked.project))
        frame = replace(_frame(source, study_cache, asked, here="reviewers"), criteria=(), reviewers=())
        return reviewers_page(asked.project, names, frame)

    @routes.get("/reviewer")
    def reviewer() -> str:
        """Show one reviewer's overrides by criterion."""
        asked = read_question(source.store.projects())
        if not asked.scope.reviewer:
            raise BadRequest("The URL names no reviewer.", hint="Choose one from the list of reviewers.")
        made = _study(source, study_cache, replace(asked, scope=replace(asked.scope, criterion="")))
        frame = replace(_frame(source, study_cache, asked, here="reviewers", action="reviewer"), criteria=())
        own = joined(list(scoped(study_cache.reading(asked.project), made.scope).tables()))
        return reviewer_page(made, latest_tasks(own), frame)

    @routes.get("/style.css")
    def style_sheet() -> Response:
        """The style of all pages."""
        return Response(style(), mimetype="text/css", headers={"Cache-Control": "max-age=3600"})

    @routes.errorhandler(CopilotError)
    def problem(error: CopilotError) -> tuple[str, int]:
        """Show an error as a page."""
        wrong = isinstance(error, BadRequest)
        status = HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.INTERNAL_SERVER_ERROR
        return problem_page(error.public, error.hint, bare_frame()), status

    return routes


def _guarded(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _study(source: DashboardSource, study_cache: StudyCache, asked: Question) -> ProjectStudy:
    made = study_project(
        study_cache.reading(asked.project),
        study_cache.drafts(asked.project, asked.scope),
        project=asked.project,
        guideline=source.setup_of(asked.project).guideline,
        scope=asked.scope,
        clock=source.clock,
        see=partial(known_crops, known=study_cache.crops(asked.project)),
    )
    return replace(made, link=source.link_to(asked.project))


def _frame(source: DashboardSource, study_cache: StudyCache, asked: Question, *, here: str, action: str = "") -> Frame:
    counts, guideline = study_cache.counts(asked.project), source.setup_of(asked.project).guideline
    return frame_of(
        asked,
        here=here,
        action=action,
        guideline=guideline,
        criteria=criteria_of(counts, guideline),
        reviewers=reviewers_of(counts),
    )
