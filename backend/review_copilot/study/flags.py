"""What the study says of a guideline: flags with a cause, and what is not known yet. Nouns only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EXCEPTION = 3.0
"""Log Bayes factor from which a unit is likelier an exception than one of the others' kind (about 20 to 1)."""
FEWEST_SHARED = 5
"""Suggestions seen by two or more people below which agreement is not reported."""


class Cause(StrEnum):
    """What is wrong where reviewers override more than is natural."""

    MODEL_WRONG = "model_wrong"
    """Reviewers override, and agree with each other."""
    AMBIGUOUS = "ambiguous"
    """Reviewers disagree with each other, or say that the guideline is unclear."""
    UNCOVERED = "uncovered"
    """Reviewers mark what no criterion claims."""
    CONFUSED = "confused"
    """One criterion is often relabelled as another, or two into each other."""
    SEVERITY_VAGUE = "severity_vague"
    """Reviewers change the severity of what they keep."""
    DRIFT = "drift"
    """The override rate changed at a date."""
    REVIEWER = "reviewer"
    """One person rejects or accepts what others do not."""
    MISSED = "missed"
    """Reviewers draw by hand what the copilot does not draft."""
    MODEL_CHANGE = "model_change"
    """Since a model version, criteria are worse."""
    GUIDELINE_CHANGE = "guideline_change"
    """Since a guideline revision, criteria are worse."""
    PLACE_VAGUE = "place_vague"
    """Boxes are moved and the finding stands."""
    WORDING_DISLIKED = "wording_disliked"
    """Texts are rewritten and the finding stands."""
    RARE_POOLED = "rare_pooled"
    """Several criteria with few suggestions each are mostly rejected."""
    BULK_HOURS = "bulk_hours"
    """One person accepts nearly everything at certain hours."""
    FATIGUE = "fatigue"
    """One person accepts more the longer a session lasts."""


@dataclass(frozen=True)
class Policy:
    """When a flag is raised.

    Attributes:
        effect: Least difference that matters, as a rate: 0.1 is 10 points above what is natural here.
        touch_effect: The same for moves and rewordings, which habits of people make common.
        missed_effect: The same for the share of tasks in which something was not drafted.
        bar: Share of rejected and relabelled suggestions that is too much whatever else this project shows: one in
            three. An owner who accepts more work than that sets it higher.
        alpha: Bound on the share of false flags for each kind of question, looked at as often as one likes. There are
            about a dozen kinds of question, and e-values reach a bound far less often than they may.
        decided: Posterior probability from which a cause is named.
        pair_effect: Least share of suggestions relabelled into the partner, as the mean of both ways.
        uncovered_effect: Least share of tasks with something uncovered, above what is usual.
    """

    effect: float = 0.10
    touch_effect: float = 0.20
    missed_effect: float = 0.05
    bar: float = 1 / 3
    alpha: float = 0.02
    decided: float = 0.7
    pair_effect: float = 0.05
    uncovered_effect: float = 0.05


@dataclass(frozen=True)
class Evidence:
    """The numbers behind a flag; None where one does not apply.

    Attributes:
        reviews: Decisions (annotations for "uncovered") that the flag rests on.
        overridden: Those that count against the draft, in the sense of the cause.
        rate: overridden / reviews.
        rate_low: Lower end of its 95 % Wilson interval.
        rate_high: Upper end.
        natural: Median of what the rest of this project naturally shows.
        natural_high: 95th percentile of it.
        times_likelier: E-value: how many times likelier the data are under the flag than under nature.
        shared: Suggestions that two or more people saw.
        disputed: Those on which they differed.
        tie: How strongly people agree about the same suggestion, 0 (not at all) to 1.
        unclear: Overrides with the reason "guideline unclear".
        there: For a pair, relabelled from the first to the second.
        back: For a pair, relabelled from the second to the first.
        changed_on: For a drift, first day of the new rate, ISO date.
        changed_from: Lower end of the 90 % interval of that day.
        changed_to: Upper end.
        rate_before: For a drift, rate before.
        rate_after: For a drift, rate after.
        reviewer: Who differs.
        `behaviour`: For a reviewer, "accepts everything in seconds" or "overrides what others confirm".
        typical_lead_time_s: For a reviewer, the geometric mean of the seconds for an annotation.
        others_lead_time_s: Median of the same of the others.
        hours: For "bulk_hours", first hour of the day in UTC and the hour in which it ends.
        version: For a change of version, hash of the new one.
        aspect: For "place_vague" and "wording_disliked", "changed" or "changed a lot": which of the two stands out.
        patterns: For "uncovered", how many new patterns there are.
    """

    reviews: int
    overridden: int
    rate: float
    rate_low: float
    rate_high: float
    natural: float
    natural_high: float
    times_likelier: float
    shared: int | None = None
    disputed: int | None = None
    tie: float | None = None
    unclear: int | None = None
    there: int | None = None
    back: int | None = None
    changed_on: str | None = None
    changed_from: str | None = None
    changed_to: str | None = None
    rate_before: float | None = None
    rate_after: float | None = None
    reviewer: str | None = None
    behaviour: str | None = None
    typical_lead_time_s: float | None = None
    others_lead_time_s: float | None = None
    hours: tuple[int, int] | None = None
    version: str | None = None
    aspect: str | None = None
    patterns: int | None = None


@dataclass(frozen=True)
class Case:
    """One typical case behind a flag.

    Attributes:
        task: Label Studio's task id.
        annotation: Label Studio's annotation id.
        row: Row id in the log.
        why: What happened there, as a sentence.
        picture: Address of a picture; empty where none is known.
        link: Address of the task; likewise.
    """

    task: int
    annotation: int
    row: int
    why: str
    picture: str = ""
    link: str = ""


@dataclass(frozen=True)
class Flag:
    """Something an admin should act on.

    Attributes:
        cause: Which kind of thing.
        criteria: The criterion id; two for a pair; empty for the project or a reviewer.
        confidence: Probability that something is wrong and that this is the cause, 0..1.
        summary: What was seen, in a sentence or two.
        evidence: The numbers.
        tasks: Task ids, the most telling first.
        cases: Three typical ones (fewer where there are fewer).
        words: What reviewers wrote there, the most frequent first; at most three.
    """

    cause: Cause
    criteria: tuple[str, ...]
    confidence: float
    summary: str
    evidence: Evidence
    tasks: tuple[int, ...] = ()
    cases: tuple[Case, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outlook:
    """What is known of a criterion that is not flagged.

    Attributes:
        criterion: Its id.
        more_reviews: How many more reviews would tell if the data came out at their mean, for the order of a list; 0
            where there are enough. Too uncertain to be shown: the coefficient of variation of such a time is near .5.
        words: The same as a sentence.
    """

    criterion: str
    more_reviews: int
    words: str


@dataclass(frozen=True)
class Standing:
    """Where one criterion stands among the others.

    Attributes:
        criterion: Its id.
        reviews: Decisions about its suggestions.
        overridden: Overrides among them.
        rate_low: Lower end of the 95 % Wilson interval of the override rate.
        rate_high: Upper end.
        shrunken: Override rate drawn toward what is natural here, 0..1.
        natural: Median of what the other criteria naturally show.
        natural_high: 95th percentile of it.
        q: Benjamini and Hochberg's adjusted p-value of "one of the others' kind", at this one look.
    """

    criterion: str
    reviews: int
    overridden: int
    rate_low: float
    rate_high: float
    shrunken: float
    natural: float
    natural_high: float
    q: float


@dataclass(frozen=True)
class Gaps:
    """What the override log says about the guideline.

    Attributes:
        flags: Most certain first.
        outlooks: One for each criterion without a flag.
        standings: One for each criterion with suggestions.
    """

    flags: tuple[Flag, ...]
    outlooks: tuple[Outlook, ...]
    standings: tuple[Standing, ...]
