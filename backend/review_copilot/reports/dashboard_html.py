"""The dashboard's other pages: tasks without a draft, reviewers, one reviewer, and a problem. Knows no Flask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from review_copilot.domain.draft_totals import Drafts, Undrafted, Why
from review_copilot.domain.review import ProjectKey
from review_copilot.flows.study_project import ProjectStudy
from review_copilot.reports.page_templates import Frame, render
from review_copilot.reports.study_charts import scale_top, trend
from review_copilot.reports.study_html import overall
from review_copilot.reports.study_words import tasks_url

MOST_LISTED = 500
"""Tasks listed for each reason; the count tells how many there are."""


def undrafted_page(
    project: ProjectKey, drafts: Drafts, listed: Mapping[Why, Sequence[Undrafted]], *, link: str, frame: Frame
) -> str:
    """Which tasks show no suggestion, and why.

    Args:
        project: Which project.
        drafts: What its drafts come to.
        listed: The first tasks of each reason, `MOST_LISTED` of them at most.
        link: Label Studio's URL in a browser; empty where it is not known.
        frame: The dashboard around it.
    """
    return render(
        "undrafted.html.j2",
        frame=frame,
        project=project,
        drafts=drafts,
        tasks_url=tasks_url(link, project),
        groups=[(why, drafts.undrafted.get(why, 0), listed[why]) for why in Why],
    )


def reviewers_page(project: ProjectKey, reviewers: Sequence[str], frame: Frame) -> str:
    """Everybody who reviewed, by name."""
    return render("reviewers.html.j2", frame=frame, project=project, reviewers=reviewers)


def reviewer_page(report: ProjectStudy, newest: Mapping[str, Sequence[int]], frame: Frame) -> str:
    """One reviewer's own overrides.

    Args:
        report: A study of that person's annotations alone.
        newest: For each criterion, the tasks with their newest overrides.
        frame: The dashboard around it.
    """
    study = report.study
    own = [r for r in study.agreement.reviewers if r.reviewer == report.scope.reviewer]
    return render(
        "reviewer.html.j2",
        frame=frame,
        report=report,
        tasks_url=tasks_url(report.link, report.project),
        newest=newest,
        overall=overall(study),
        scale=scale_top(study.criteria),
        trend=trend(study.weeks),
        time_s=own[0].median_lead_time_s if own else float("nan"),
    )


def problem_page(said: str, hint: str, frame: Frame) -> str:
    """What went wrong, and how to fix it."""
    return render("problem.html.j2", frame=frame, said=said, hint=hint)
