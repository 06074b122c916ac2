"""Signs that reviewers follow the draft rather than the image (automation bias). Knows columns only.

Two signs, neither of them a proof: submissions left untouched in little time, and what reviewers who were shown no
draft find that those who were shown one do not (Goddard, Roudsari and Wyatt 2012 review the effect).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_copilot.analysis.rates import difference, wilson
from review_copilot.analysis.table import KINDS, Flags, Outcome, OverrideTable
from review_copilot.domain.override import OverrideKind

QUARTERS = 4


@dataclass(frozen=True)
class Share:
    """A share with its 95 % Wilson interval."""

    yes: int
    of: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Pace:
    """Submissions of similar lead time.

    Attributes:
        up_to_s: Longest lead time of the group in seconds.
        untouched: Annotations in which every suggestion stayed as drafted.
    """

    up_to_s: float
    untouched: Share


@dataclass(frozen=True)
class BlindEffect:
    """Blind annotations beside shown ones.

    Attributes:
        blind: Share.
        shown: Share.
        difference: blind - shown.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    blind: Share
    shown: Share
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class AutomationBias:
    """Signs of automation bias.

    Attributes:
        by_pace: Annotations with a lead time in four groups of equal size, quickest first; fewer where times tie.
        missed_when_shown: Annotations with a region that nobody suggested: more of them among blind ones means that
            a draft makes reviewers look less. None without blind annotations.
        found_when_shown: Suggestions that end up in the annotation: fewer of them among blind ones means that the
            draft is either a help or a pull. None without blind annotations.
    """

    by_pace: tuple[Pace, ...]
    missed_when_shown: BlindEffect | None
    found_when_shown: BlindEffect | None


def automation_bias(table: OverrideTable) -> AutomationBias:
    """Look for signs of automation bias."""
    reviewed = table.reviewed
    suggested = table.regions & (table.suggestion >= 0) & (table.suggested >= 0)
    added = table.regions & (table.kind == KINDS.index(OverrideKind.ADDED))
    blind = table.blind
    return AutomationBias(
        by_pace=_by_pace(table, reviewed),
        missed_when_shown=_contrast(*_any_added(table, added, blind)) if blind.any() else None,
        found_when_shown=_contrast(table.kind[suggested] != KINDS.index(OverrideKind.REJECTED), blind[suggested])
        if blind.any()
        else None,
    )


def _by_pace(table: OverrideTable, reviewed: Flags) -> tuple[Pace, ...]:
    rows = np.flatnonzero(reviewed & (table.lead_time_s > 0))
    if not len(rows):
        return ()
    _, first, of = np.unique(table.annotation[rows], return_index=True, return_inverse=True)
    touched = np.bincount(of, weights=table.outcomes()[rows] != Outcome.KEPT) > 0
    lead = table.lead_time_s[rows][first].astype(np.float64)
    edges = np.unique(np.quantile(lead, np.linspace(0, 1, QUARTERS + 1)[1:]))
    group = np.searchsorted(edges, lead)
    return tuple(Pace(float(edge), _share(~touched[group == i])) for i, edge in enumerate(edges))


def _any_added(table: OverrideTable, added: Flags, blind: Flags) -> tuple[Flags, Flags]:
    """For each annotation: whether it has an added region, and whether it was made blind."""
    _, first, of = np.unique(table.annotation, return_index=True, return_inverse=True)
    return np.bincount(of, weights=added) > 0, blind[first]


def _contrast(found: Flags, blind: Flags) -> BlindEffect:
    one, two = _share(found[blind]), _share(found[~blind])
    change, low, high = difference(one.yes, one.of, before_yes=two.yes, before_of=two.of)
    return BlindEffect(one, two, change, low, high)


def _share(found: Flags) -> Share:
    yes, of = int(found.sum()), len(found)
    low, high = wilson(yes, of)
    return Share(yes, of, yes / of if of else float("nan"), low, high)
