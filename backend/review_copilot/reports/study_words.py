"""How a study is worded: what an admin reads first, and the numbers behind it. Knows no markup."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from review_copilot.domain.draft_totals import Why
from review_copilot.domain.guideline import UNCOVERED, Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.study import rates
from review_copilot.study.agreement import Agreement
from review_copilot.study.coefficients import Coefficient
from review_copilot.study.criterion_rates import CriterionStudy
from review_copilot.study.flags import Flag

UNKNOWN = "–"


OUTCOMES: Mapping[str, str] = {
    "kept": "kept",
    "rejected": "rejected",
    "relabelled": "relabeled",
    "severity": "severity changed",
    "place": "moved",
    "text": "reworded",
    "marked": "objected to, not changed",
}

WHYS: Mapping[Why, str] = {
    Why.NOTHING_FOUND: "Nothing found",
    Why.FAILED: "Failed",
    Why.NOT_READY: "Not ready",
    Why.WITHHELD: "Withheld",
}

WHY_MEANINGS: Mapping[Why, str] = {
    Why.NOTHING_FOUND: "The copilot looked and saw no flaw. The draft says “pass”.",
    Why.FAILED: "The image could not be read, or the inspector gave no answer. Fix the cause and pre-annotate again.",
    Why.NOT_READY: "The reviewer opened the task before the draft was made.",
    Why.WITHHELD: "Left blank on purpose, to measure what reviewers find without a draft.",
}


def name_of(criterion: str, guideline: Guideline) -> str:
    """A criterion as people call it, such as "PQ-02 Motion blur"; the id alone where the guideline does not know it."""
    if criterion == UNCOVERED:
        return guideline.novel.label
    found = guideline.criterion(criterion)
    return f"{criterion} {found.label}" if found else criterion


def tasks_url(link: str, project: ProjectKey) -> str:
    """What a task's id is put behind to open it in Label Studio's data manager; empty where there is no link."""
    return f"{link}/projects/{project.project_id}/data?task=" if link else ""


def person(name: str) -> str:
    """A reviewer as a person: Label Studio's user ids get a word in front."""
    return f"User {name}" if name.isdecimal() else name or "Somebody unknown"


def standing(criterion: CriterionStudy) -> str:
    """Where a criterion without a flag stands."""
    outlook, stand = criterion.outlook, criterion.standing
    if outlook is None or stand is None:
        return "never suggested"
    if outlook.more_reviews:
        return "not enough reviews yet"
    return "high, but no cause stands out" if unexplained(criterion) else "nothing unusual"


def unexplained(criterion: CriterionStudy) -> bool:
    """Whether a criterion was reviewed enough and is surely higher than nature shows; without a flag, no cause is."""
    outlook, stand = criterion.outlook, criterion.standing
    known = outlook is not None and stand is not None and not outlook.more_reviews
    return known and stand is not None and stand.rate_low > stand.natural_high


FEW_REVIEWS = 30
"""Decisions below which a flag is called likely at most, and without a number: such a number would say too much."""


def certainty(flag: Flag) -> str:
    """How sure a flag is, as a word and a number such as "very sure, over 99 %"."""
    confidence, reviews = flag.confidence, flag.evidence.reviews
    if reviews < FEW_REVIEWS:
        return f"{'likely' if confidence >= 0.8 else 'possible'}, from only {reviews} decisions"
    word = "very sure" if confidence >= 0.99 else "sure" if confidence >= 0.95 else "likely"
    word = word if confidence >= 0.8 else "possible"
    return f"{word}, over 99 %" if confidence > 0.99 else f"{word}, {confidence:.0%}".replace("%", " %")


def percent(share: float | None) -> str:
    """A share as "12 %"; a dash where it is not known."""
    return UNKNOWN if share is None or math.isnan(share) else rates.percent(share)


def points(difference: float) -> str:
    """A difference of shares as "+4 points"."""
    return UNKNOWN if math.isnan(difference) else f"{100 * difference:+.0f} points".replace("-", "−")


def between(low: float, high: float) -> str:
    """An interval of shares as "8 % to 14 %"."""
    return f"{percent(low)} to {percent(high)}"


def number(count: float | None) -> str:
    """A count with thousands apart."""
    return UNKNOWN if count is None else f"{count:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def decimal(value: float | None) -> str:
    """A coefficient with two decimals; a dash where it is not defined."""
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.2f}".replace("-", "−")


def coefficient(value: Coefficient | None) -> str:
    """A coefficient with its interval, such as "0.71 (0.65 to 0.77)"."""
    if value is None or math.isnan(value.value):
        return UNKNOWN
    known = not (math.isnan(value.low) or math.isnan(value.high))
    return decimal(value.value) + (f" ({decimal(value.low)} to {decimal(value.high)})" if known else "")


def dollars(amount: float) -> str:
    """An amount in US dollars, with as many digits as it takes to say something."""
    if math.isnan(amount):
        return UNKNOWN
    if 0 < amount < 0.0001:
        return "under US$ 0.0001"
    return f"US$ {amount:,.2f}" if amount >= 0.1 or not amount else f"US$ {amount:.4f}"


def seconds(time_s: float) -> str:
    """A time as "41 s" or "3 min"; a dash where it is not known."""
    if math.isnan(time_s):
        return UNKNOWN
    return f"{time_s:.0f} s" if time_s < 120 else f"{time_s / 60:.0f} min"


def day(when: str | float | datetime | None) -> str:
    """A day as "2 Mar 2026", from ISO text, seconds since 1970 UTC, or a time; a dash for None and NaN."""
    if when is None or (isinstance(when, float) and math.isnan(when)):
        return UNKNOWN
    if isinstance(when, str):
        moment: date = date.fromisoformat(when)
    else:
        moment = datetime.fromtimestamp(when, UTC) if isinstance(when, float) else when
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def agreement_word(value: float) -> str:
    """How far an alpha can be relied on, by Krippendorff's (2004) own marks of 0.8 and 2/3."""
    if math.isnan(value):
        return "not known yet"
    return "reliable" if value >= 0.8 else "tentative" if value >= 2 / 3 else "low"


def agreement_basis(found: Agreement) -> str:
    """What the headline of agreement rests on, and how far it can be relied on."""
    if not found.headline.units:
        return "not known: nothing was reviewed by two people"
    of = f"{number(found.headline.units)} suggestions seen by two or more"
    if found.basis == "blind":
        of = f"{number(found.blind_tasks)} tasks without a draft"
    return f"alpha, {agreement_word(found.headline.value)}; {of}"


def strangers(criteria: Sequence[CriterionStudy], guideline: Guideline) -> tuple[str, ...]:
    """Ids of criteria in the log that the guideline does not have; empty for a guideline without criteria."""
    if not guideline.criteria:
        return ()
    ids = (c.criterion for c in criteria)
    return tuple(sorted(name for name in ids if name != UNCOVERED and guideline.criterion(name) is None))
