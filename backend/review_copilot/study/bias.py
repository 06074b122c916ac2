"""Signs that reviewers follow the draft rather than the image (automation bias). Knows columns only.

Two signs, neither of them a proof: submissions left untouched in little time, and what reviewers who were shown no
draft find that those who were shown one do not (Goddard, Roudsari and Wyatt 2012 review the effect).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from review_copilot.domain.override import OverrideKind
from review_copilot.study.grouped_sums import PLAIN, Cells, cells, keyed
from review_copilot.study.pace import LeadTimes, Pace, by_pace, lead_times_of
from review_copilot.study.rates import Share, difference, share_of
from review_copilot.study.table import KINDS, OverrideTable


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


@dataclass(frozen=True)
class Blindness:
    """What blind annotations are compared by; adds up over parts of a log.

    Attributes:
        annotations: By whether they were made blind: how many, and how many of them have an added region.
        suggestions: By whether they were withheld: how many, and how many of them are in the annotation.
    """

    annotations: Cells = field(metadata=keyed(PLAIN))
    suggestions: Cells = field(metadata=keyed(PLAIN))


def count_blindness(table: OverrideTable) -> Blindness:
    """Count what blind annotations are compared by."""
    suggested = table.regions & (table.suggestion >= 0) & (table.suggested >= 0)
    added = table.regions & (table.kind == KINDS.index(OverrideKind.ADDED))
    _, first, of = np.unique(table.annotation, return_index=True, return_inverse=True)
    any_added = np.bincount(of, weights=added, minlength=len(first)) > 0
    found = table.kind[suggested] != KINDS.index(OverrideKind.REJECTED)
    return Blindness(
        annotations=cells((table.blind[first],), (np.ones(len(first)), any_added)),
        suggestions=cells((table.blind[suggested],), (np.ones(len(found)), found)),
    )


def automation_bias(table: OverrideTable) -> AutomationBias:
    """Look for signs of automation bias."""
    return automation_bias_of(lead_times_of(table), count_blindness(table))


def automation_bias_of(lead_times: LeadTimes, blindness: Blindness) -> AutomationBias:
    """Look for signs of automation bias in what was counted."""
    return AutomationBias(
        by_pace=by_pace(lead_times),
        missed_when_shown=_contrast(blindness.annotations, known=blindness.annotations),
        found_when_shown=_contrast(blindness.suggestions, known=blindness.annotations),
    )


def _contrast(counted: Cells, *, known: Cells) -> BlindEffect | None:
    """Blind ones beside others; None where no annotation is known to be blind."""
    if not known.keys.any():
        return None
    of, yes = (np.bincount(counted.keys[:, 0], weights=column, minlength=2) for column in counted.sums.T)
    shown, blind = (share_of(int(yes[i]), int(of[i])) for i in range(2))
    change, low, high = difference(blind.yes, blind.of, before_yes=shown.yes, before_of=shown.of)
    return BlindEffect(blind, shown, change, low, high)
