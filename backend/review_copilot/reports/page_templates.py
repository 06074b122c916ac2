"""Fill the page templates. Knows Jinja and wording; no numbers are worked out here, and no web framework.

Every page is escaped by Jinja, uses no script and names no other host.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from review_copilot.reports import study_advice, study_charts, study_words
from review_copilot.study.coefficients import Coefficient
from review_copilot.study.criterion_rates import CriterionStudy

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Choice:
    """One entry of a drop-down list."""

    value: str
    says: str
    chosen: bool = False


@dataclass(frozen=True)
class Place:
    """One link of the dashboard's navigation."""

    name: str
    url: str
    here: bool = False


@dataclass(frozen=True)
class Frame:
    """What the dashboard puts around a page; a file that stands alone has none.

    Attributes:
        style_url: Where the style sheet is.
        action: Where the filters lead.
        places: Navigation.
        projects: Projects to choose from.
        since: First day looked at, ISO; empty for no limit.
        until: Last day looked at, ISO; empty for no limit.
        criteria: Criteria to choose from; none where the page has no such filter.
        reviewers: Reviewers to choose from; none where the page has no such filter.
        download: Where the same page is as one file; empty where there is none.
        undrafted_url: Where tasks without a draft are listed.
        reviewer_urls: Where each reviewer's page is.
        narrowed: A filter is set, so the filters are shown on a small screen too.
    """

    style_url: str
    action: str
    places: tuple[Place, ...] = ()
    projects: tuple[Choice, ...] = ()
    since: str = ""
    until: str = ""
    criteria: tuple[Choice, ...] = ()
    reviewers: tuple[Choice, ...] = ()
    download: str = ""
    undrafted_url: str = ""
    reviewer_urls: Mapping[str, str] = field(default_factory=dict)
    narrowed: bool = False


@lru_cache(maxsize=1)
def style() -> str:
    """The style sheet of all pages."""
    return (TEMPLATES / "style.css").read_text("utf-8")


def render(template: str, **values: object) -> str:
    """Fill a page template; `frame` is None for a file that stands alone."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    values = {"frame": None, "style": _Trusted(style()), "style_hash": f"sha256-{digest}"} | values
    return environment(escaped=True).get_template(template).render(values)


class _Trusted(str):
    """Text of ours that goes into a page as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@lru_cache(maxsize=2)
def environment(*, escaped: bool) -> Environment:
    """The templates with the words and charts that they use.

    Args:
        escaped: True for HTML; False for Markdown, whose templates escape by a filter of their own.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=escaped,  # noqa: S701  # Markdown is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "agreement_basis": study_words.agreement_basis,
        "agreement_word": study_words.agreement_word,
        "certainty": study_words.certainty,
        "coefficient": study_words.coefficient,
        "day": study_words.day,
        "decimal": study_words.decimal,
        "dollars": study_words.dollars,
        "facts": study_advice.facts,
        "interval": _interval,
        "named": _named,
        "number": study_words.number,
        "outcome": study_words.OUTCOMES.__getitem__,
        "percent": study_words.percent,
        "person": study_words.person,
        "points": study_words.points,
        "seconds": study_words.seconds,
        "standing": study_words.standing,
        "whisker": _whisker,
        "why": study_words.WHYS.__getitem__,
        "why_meaning": study_words.WHY_MEANINGS.__getitem__,
    }
    return made


@pass_context
def _named(context: Context, criterion: str) -> str:
    return study_words.name_of(criterion, context["report"].guideline)


@pass_context
def _whisker(context: Context, criterion: CriterionStudy) -> study_charts.Whisker | None:
    return study_charts.whisker(criterion, top=context["scale"])


def _interval(value: Coefficient) -> str:
    low, high = study_words.decimal(value.low), study_words.decimal(value.high)
    return "" if study_words.UNKNOWN in (low, high) else f"{low} to {high}"
