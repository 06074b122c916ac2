"""A study as Markdown, for a pull request or a wiki. Knows the template; numbers and words come from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from review_copilot.flows.study_project import ProjectStudy
from review_copilot.reports.page_templates import environment
from review_copilot.reports.study_html import advised, overall, waiting
from review_copilot.reports.study_words import strangers, tasks_url

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def plain(text: str) -> str:
    """A text in which nothing is taken for Markdown or HTML; line breaks become spaces."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def to_markdown(report: ProjectStudy) -> str:
    """The whole report as Markdown, ending with a line break."""
    return _rendered(report, plain)


def first_screen(report: ProjectStudy) -> str:
    """The top of the report as plain text, for a terminal: its totals and what to do first. Ends with a line break."""
    text = _rendered(report, lambda text: " ".join(text.split())).replace("**", "")
    title, first, *_ = [*text.split("\n## "), ""]
    return "\n".join(part.strip() for part in (title.lstrip("# "), first) if part.strip()) + "\n"


def _rendered(report: ProjectStudy, written: Callable[[str], str]) -> str:
    made = environment(escaped=False).overlay(autoescape=False)
    made.filters = made.filters | {"plain": written}
    template = made.get_template("study.md.j2")
    return template.render(
        report=report,
        tasks_url=tasks_url(report.link, report.project),
        flags=advised(report),
        flagged=frozenset(criterion for flag in report.study.flags for criterion in flag.criteria),
        waiting=waiting(report.study),
        strangers=strangers(report.study.criteria, report.guideline),
        overall=overall(report.study),
        revised=any(c.change is not None for c in report.study.criteria),
    )
