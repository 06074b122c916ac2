"""How long annotations take, and whether those that take little time are left as drafted. Knows columns only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.study.rates import Share, share_of
from review_copilot.study.table import Flags, Floats, Ints, Outcome, OverrideTable

QUARTERS = 4
FEWEST_TIMED = 10
"""Annotations with and without a draft below which their times are not compared."""


@dataclass(frozen=True)
class LeadTimes:
    """Annotations whose lead time is known, as parallel arrays.

    Attributes:
        reviewer: Number of the reviewer.
        lead_s: Seconds, above 0.
        decided: Whether the annotation decides on a suggestion that was shown.
        touched: Whether one of those was overridden.
        blind: Whether its author saw no draft: it was withheld, had failed, or was not ready.
    """

    reviewer: Ints
    lead_s: Floats
    decided: Flags
    touched: Flags
    blind: Flags


@dataclass(frozen=True)
class TimeSaved:
    """Typical time with and without a draft.

    Attributes:
        drafted: Annotations with a draft whose lead time is known.
        undrafted: Those without one.
        drafted_s: Median seconds with a draft.
        undrafted_s: Median seconds without one.
        saved_s: undrafted_s - drafted_s; negative where drafts cost time.
        low_s: Lower end of its 95 % interval.
        high_s: Upper end.
    """

    drafted: int
    undrafted: int
    drafted_s: float
    undrafted_s: float
    saved_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True)
class Visits:
    """Annotations that decide on a suggestion that was shown, as parallel arrays.

    Attributes:
        reviewer: Number of the reviewer.
        made_s: When it was made, whole seconds since 1970 UTC.
        decided: Suggestions decided on.
        overridden: Those rejected or relabelled.
    """

    reviewer: Ints
    made_s: Ints
    decided: Ints
    overridden: Ints


@dataclass(frozen=True)
class Pace:
    """Submissions of similar lead time.

    Attributes:
        up_to_s: Longest lead time of the group in seconds.
        untouched: Annotations in which every suggestion stayed as drafted.
    """

    up_to_s: float
    untouched: Share


def lead_times_of(table: OverrideTable) -> LeadTimes:
    """The annotations of a table whose lead time is known."""
    _, first, of = np.unique(table.annotation, return_index=True, return_inverse=True)
    reviewed = table.reviewed
    decided = np.bincount(of, weights=reviewed, minlength=len(first)) > 0
    touched = np.bincount(of, weights=reviewed & (table.outcomes() != Outcome.KEPT), minlength=len(first)) > 0
    lead, who = table.lead_time_s[first], table.reviewer[first]
    timed = lead > 0
    return LeadTimes(who[timed], lead[timed], decided[timed], touched[timed], table.blind[first][timed])


def visits_of(table: OverrideTable) -> Visits:
    """The annotations of a table that decide on a suggestion."""
    _, first, of = np.unique(table.annotation, return_index=True, return_inverse=True)
    reviewed = table.reviewed
    decided = np.bincount(of, weights=reviewed, minlength=len(first)).astype(np.int32)
    overridden = np.bincount(of, weights=reviewed & table.overridden, minlength=len(first)).astype(np.int32)
    mine = decided > 0
    made_s = table.time_s[first].astype(np.int64)
    return Visits(table.reviewer[first][mine].astype(np.int32), made_s[mine], decided[mine], overridden[mine])


def median_lead_times(lead_times: LeadTimes, *, people: int) -> list[float]:
    """Typical seconds for an annotation of each reviewer; NaN without any."""
    times = [lead_times.lead_s[lead_times.reviewer == r] for r in range(people)]
    return [float(np.median(t)) if len(t) else float("nan") for t in times]


def time_saved(lead_times: LeadTimes) -> TimeSaved | None:
    """Typical time with a draft beside the time without one; None where either is known for fewer than FEWEST_TIMED.

    Intervals of both medians by order statistics, and of their difference by the method of variance estimates
    recovery (Zou and Donner 2008).
    """
    with_draft, without = (lead_times.lead_s[lead_times.blind == blind].astype(np.float64) for blind in (False, True))
    if min(len(with_draft), len(without)) < FEWEST_TIMED:
        return None
    (quick, quick_low, quick_high), (slow, slow_low, slow_high) = _median(with_draft), _median(without)
    return TimeSaved(
        drafted=len(with_draft),
        undrafted=len(without),
        drafted_s=quick,
        undrafted_s=slow,
        saved_s=slow - quick,
        low_s=slow - quick - float(np.hypot(slow - slow_low, quick_high - quick)),
        high_s=slow - quick + float(np.hypot(slow_high - slow, quick - quick_low)),
    )


def _median(times: Floats) -> tuple[float, float, float]:
    """The median with its 95 % interval."""
    ranked, n = np.sort(times), len(times)
    half = 1.96 * np.sqrt(n) / 2
    low, high = max(0, int(np.floor(n / 2 - half))), min(n - 1, int(np.ceil(n / 2 + half)))
    return float(np.median(ranked)), float(ranked[low]), float(ranked[high])


def by_pace(lead_times: LeadTimes) -> tuple[Pace, ...]:
    """Annotations that decide on a suggestion in four groups of equal size, quickest first; fewer where times tie."""
    lead, touched = lead_times.lead_s[lead_times.decided].astype(np.float64), lead_times.touched[lead_times.decided]
    if not len(lead):
        return ()
    edges = np.unique(np.quantile(lead, np.linspace(0, 1, QUARTERS + 1)[1:]))
    group = np.searchsorted(edges, lead)
    of = np.bincount(group, minlength=len(edges))
    untouched = np.bincount(group, weights=~touched, minlength=len(edges))
    return tuple(
        Pace(float(edge), share_of(int(yes), int(n))) for edge, yes, n in zip(edges, untouched, of, strict=True)
    )
