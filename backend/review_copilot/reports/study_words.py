"""How a study is worded: what an admin reads first, and the numbers behind it. Knows no markup."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from review_copilot.domain.draft_totals import Why
from review_copilot.domain.guideline import UNCOVERED, Guideline
from review_copilot.domain.review import ProjectKey
from review_copilot.study import rates
from review_copilot.study.coefficients import Coefficient
from review_copilot.study.criterion_rates import CriterionStudy
from review_copilot.study.flags import Cause, Evidence, Flag
from review_copilot.study.reviewer_differences import ACCEPTS

UNKNOWN = "–"


@dataclass(frozen=True)
class Advice:
    """A flag in the words of the person who has to act on it.

    Attributes:
        headline: What is the matter, in a few words.
        action: What to do about it, in a sentence.
        count: The count that the flag rests on.
        kind: The cause in a word or two.
    """

    headline: str
    action: str
    count: str
    kind: str


KINDS: Mapping[Cause, str] = {
    Cause.MODEL_WRONG: "Copilot wrong",
    Cause.AMBIGUOUS: "Guideline unclear",
    Cause.UNCOVERED: "Not covered",
    Cause.CONFUSED: "Confused pair",
    Cause.SEVERITY_VAGUE: "Severity unclear",
    Cause.DRIFT: "Changed",
    Cause.REVIEWER: "One reviewer differs",
}

OUTCOMES: Mapping[str, str] = {
    "kept": "kept",
    "rejected": "deleted",
    "relabelled": "relabelled",
    "severity": "severity changed",
    "place": "moved",
    "text": "reworded",
    "marked": "objected to",
}

WHYS: Mapping[Why, str] = {
    Why.NOTHING_FOUND: "Nothing found",
    Why.FAILED: "Failed",
    Why.NOT_READY: "Not ready",
    Why.WITHHELD: "Withheld",
}

WHY_MEANINGS: Mapping[Why, str] = {
    Why.NOTHING_FOUND: "The copilot looked and saw no flaw. The draft says “pass”.",
    Why.FAILED: "The image could not be read, or the inspector gave no answer. Mend the cause and pre-annotate again.",
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


def advice(flag: Flag, guideline: Guideline) -> Advice:
    """The flag as a headline, something to do, and a count."""
    names = [name_of(criterion, guideline) for criterion in flag.criteria]
    headline, action = _SAYINGS[flag.cause](names, flag.evidence)
    return Advice(headline, action, _count(flag), KINDS[flag.cause])


def _model_wrong(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"Reviewers agree that {names[0]} is suggested wrongly",
        "The guideline holds; change how the copilot looks: its threshold, its prompt, or the examples it is given.",
    )


def _ambiguous(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"Reviewers read {names[0]} differently",
        "Settle the three cases below together, then write the answer into “flag when” and “do not flag when”.",
    )


def _uncovered(_: list[str], __: Evidence) -> tuple[str, str]:
    return (
        "Reviewers mark flaws that no criterion covers",
        "Look at the new patterns below: each comes with a draft criterion to take over or turn down.",
    )


def _confused(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"{names[0]} and {names[1]} are taken for each other",
        "Say in both definitions what tells them apart, or make them one criterion.",
    )


def _severity(names: list[str], _: Evidence) -> tuple[str, str]:
    return (
        f"The severity of {names[0]} is unclear",
        "Rewrite its anchors for minor, major and critical: a number or an example image for each.",
    )


def _drift(names: list[str], evidence: Evidence) -> tuple[str, str]:
    after, before = percent(evidence.rate_after), percent(evidence.rate_before)
    return (
        f"{names[0]}: overrides went from {before} to {after} about {day(evidence.changed_on)}",
        "Ask what changed then: other images, a new roll-out, a new rule, new people.",
    )


def _reviewer(_: list[str], evidence: Evidence) -> tuple[str, str]:
    who = person(evidence.reviewer or "")
    if evidence.behaviour == ACCEPTS:
        return (
            f"{who} accepts everything in seconds",
            "Talk with them before you rely on these reviews: is the time enough, is the task clear?",
        )
    return (
        f"{who} overrides what others confirm",
        "Go through the cases together: they may see something that the others miss, or read the guideline otherwise.",
    )


_SAYINGS: Mapping[Cause, Callable[[list[str], Evidence], tuple[str, str]]] = {
    Cause.MODEL_WRONG: _model_wrong,
    Cause.AMBIGUOUS: _ambiguous,
    Cause.UNCOVERED: _uncovered,
    Cause.CONFUSED: _confused,
    Cause.SEVERITY_VAGUE: _severity,
    Cause.DRIFT: _drift,
    Cause.REVIEWER: _reviewer,
}


def _count(flag: Flag) -> str:
    evidence = flag.evidence
    counted = f"{number(evidence.overridden)} of {number(evidence.reviews)}"
    return {
        Cause.UNCOVERED: f"{counted} annotations",
        Cause.CONFUSED: f"{counted} relabelled",
        Cause.SEVERITY_VAGUE: f"{counted} severities changed",
    }.get(flag.cause, f"{counted} overridden")


def standing(criterion: CriterionStudy) -> str:
    """Where a criterion without a flag stands."""
    outlook, stand = criterion.outlook, criterion.standing
    if outlook is None or stand is None:
        return "never suggested"
    if outlook.more_reviews:
        return f"about {number(outlook.more_reviews)} more reviews would tell"
    return "high, but no cause stands out" if unexplained(criterion) else "nothing unusual"


def unexplained(criterion: CriterionStudy) -> bool:
    """Whether a criterion was reviewed enough and is surely higher than nature shows; without a flag, no cause is."""
    outlook, stand = criterion.outlook, criterion.standing
    known = outlook is not None and stand is not None and not outlook.more_reviews
    return known and stand is not None and stand.rate_low > stand.natural_high


def facts(flag: Flag) -> tuple[tuple[str, str], ...]:
    """The evidence as pairs of term and value, those that do not apply left out."""
    e = flag.evidence
    rows = [
        ("Seen here", f"{percent(e.rate)} ({_count(flag)})"),
        ("95 % interval", between(e.rate_low, e.rate_high)),
        ("Natural in this project", f"{percent(e.natural)}, seldom above {percent(e.natural_high)}"),
        ("Weight of evidence", f"{_times(e.times_likelier)} likelier under the flag than by nature"),
    ]
    if e.shared:
        differed = f"; they differed on {number(e.disputed)}" if e.disputed is not None else ""
        rows.append(("Seen by two or more", f"{number(e.shared)} suggestions{differed}"))
    if e.unclear:
        rows.append(("Reason “guideline unclear”", number(e.unclear)))
    if e.there is not None and e.back is not None:
        rows.append(("Relabelled there and back", f"{number(e.there)} and {number(e.back)}"))
    if e.changed_on:
        rows.append(("Changed", f"{day(e.changed_on)} (between {day(e.changed_from)} and {day(e.changed_to)})"))
    if e.typical_lead_time_s is not None and e.others_lead_time_s is not None:
        rows.append(
            ("Typical time", f"{e.typical_lead_time_s:.0f} s; others {e.others_lead_time_s:.0f} s an annotation")
        )
    return tuple(rows)


def _times(factor: float) -> str:
    if factor >= 1e6:
        return "more than a million times"
    return f"{number(round(factor))} times" if factor >= 10 else f"{factor:.1f} times"


def certainty(confidence: float) -> str:
    """A probability as a word and a number, such as "very sure, over 99 %"."""
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
