"""A study as one HTML page: a file that stands alone and opens offline, or the same inside the dashboard's frame."""

from __future__ import annotations

from dataclasses import dataclass

from review_copilot.flows.study_project import ProjectStudy
from review_copilot.reports.page_templates import Frame, render
from review_copilot.reports.study_advice import Advice, advice
from review_copilot.reports.study_charts import matrix, reliability, scale_top, trend
from review_copilot.reports.study_words import strangers, tasks_url, unexplained
from review_copilot.study.criterion_rates import CriterionStudy
from review_copilot.study.flags import Flag
from review_copilot.study.project_study import Study


@dataclass(frozen=True)
class Overall:
    """All decisions together.

    Attributes:
        suggestions: Decisions.
        overridden: Overrides among them.
        rate: overridden / suggestions; NaN without any.
    """

    suggestions: int
    overridden: int
    rate: float


def overall(study: Study) -> Overall:
    """All decisions of a study together."""
    suggestions = sum(c.suggestions for c in study.criteria)
    overridden = sum(c.overridden for c in study.criteria)
    return Overall(suggestions, overridden, overridden / suggestions if suggestions else float("nan"))


def advised(report: ProjectStudy) -> tuple[tuple[Flag, Advice], ...]:
    """Each flag with its advice."""
    return tuple((flag, advice(flag, report.guideline, report.study)) for flag in report.study.flags)


def waiting(study: Study) -> tuple[CriterionStudy, ...]:
    """Criteria of which more reviews would tell, those with the fewest to go first."""
    open_ones = [c for c in study.criteria if c.outlook is not None and c.outlook.more_reviews]
    return tuple(sorted(open_ones, key=lambda c: c.outlook.more_reviews if c.outlook else 0))


def to_html(report: ProjectStudy, *, frame: Frame | None = None) -> str:
    """The page.

    Args:
        report: What to show.
        frame: The dashboard around it; None for a file with everything in it.
    """
    study = report.study
    return render(
        "study.html.j2",
        frame=frame,
        report=report,
        tasks_url=tasks_url(report.link, report.project),
        flags=advised(report),
        flagged=frozenset(criterion for flag in study.flags for criterion in flag.criteria),
        waiting=waiting(study),
        strangers=strangers(study.criteria, report.guideline),
        unexplained=[c for c in study.criteria if unexplained(c)],
        early=2 * len(waiting(study)) > len(study.criteria),
        revised=any(c.change is not None for c in study.criteria),
        overall=overall(study),
        scale=scale_top(study.criteria),
        trend=trend(study.weeks),
        reliability=reliability(study.calibration),
        matrix=matrix(study.confusions),
    )
