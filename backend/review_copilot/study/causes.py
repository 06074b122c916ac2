"""The flags of single criteria: which cause fits what stands out. Knows figures, no rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from scipy.special import expit

from review_copilot.study.confusion import explains
from review_copilot.study.criterion_figures import Figures, Stream, confidence
from review_copilot.study.flags import EXCEPTION, FEWEST_SHARED, Cause, Evidence, Flag, Policy
from review_copilot.study.pooling import pooled
from review_copilot.study.rate_changes import Change, changes, periods
from review_copilot.study.rates import discoveries, percent, wilson
from review_copilot.study.table import Flags, Floats, Outcome
from review_copilot.study.ties import log_said_unclear

MOST_SAID = 6.0
"""Log Bayes factor that "guideline unclear" can add at most (400 to 1)."""
SURELY_DRIFT = 5.0
"""How many times likelier a change must be than a rate that was always high, to be called a drift."""
MUCH_MORE = 2.0
"""See `touch_flags`."""
FEW = 15
"""Criteria with fewer reviews than this are judged together: one alone can hardly stand out."""
FEWEST_RARE = 3
"""Fewer rare criteria than this are no group."""


def rate_flags(known: Figures, rules: Policy, *, pairs: list[Flag], steady: Flags) -> list[Flag]:
    """Flags about how often suggestions are rejected or relabelled, at most one for each criterion.

    Args:
        known: Figures of everybody who is to be heard.
        rules: When to raise a flag.
        pairs: What was found by `confusion.confused_pairs`.
        steady: Criteria of which no version changed anything; the others cannot drift as well.
    """
    said = _said_unclear(known)
    boost = _boost(known, said, rules)
    log_e = np.maximum(known.any.contrast.log_e, known.log_bar) + boost
    high = discoveries(known.log_high + boost, alpha=rules.alpha) & (log_e > EXCEPTION)
    disputed = _stands_out(known.disputed, rules)
    mixed = _mixed(known, rules)
    moved = rate_changes(known, rules)
    drifted = discoveries(np.array([change.log_e for change in moved]), alpha=rules.alpha) & steady
    found = []
    for c in range(len(known.names)):
        if explains(known, pairs, c):
            continue
        change = moved[c]
        surely = change.log_against_high > np.log(SURELY_DRIFT)
        # Of what stands out anyway, only the cause is asked; a change must then be likelier than not.
        dated = drifted[c] or (steady[c] and high[c] and change.log_e > EXCEPTION)
        if dated and surely and abs(change.after - change.before) >= rules.effect:
            found.append(_drift(known, c, change))
        elif high[c] or disputed[c] or mixed[c]:
            found += _wrong_or_ambiguous(
                known, c, rules, log_e=float(log_e[c]), said=float(said[c]), disputed=bool(disputed[c])
            )
    return found + _rare(known, rules, taken={f.criteria[0] for f in found} | {c for f in pairs for c in f.criteria})


def _mixed(known: Figures, rules: Policy) -> Flags:
    """Criteria whose severities stand out, and of which as much is rejected or relabelled beyond what is usual.

    Whoever changes the severity of a finding and little else finds the anchors vague. Where the findings themselves are
    turned down as well, and that is likelier an exception than not, both are one cause.
    """
    severity, every = known.severity, known.any
    of_severity, of_all = (s.rates() - s.contrast.natural for s in (severity, every))
    return _stands_out(severity, rules) & (every.contrast.log_e > 0) & (MUCH_MORE * of_all >= of_severity)


def touch_flags(known: Figures, rules: Policy, *, decided: frozenset[str]) -> list[Flag]:
    """Flags about severities, places and texts of what was kept, and about what was not drafted.

    Args:
        known: Figures of everybody who is to be heard.
        rules: When to raise a flag.
        decided: Criteria that are flagged for what was decided. Where much is rejected, more is touched as well, which
            is named only where it goes MUCH_MORE beyond what is usual than the decisions do.
    """
    found = [
        *_of_stream(known, known.severity, rules, cause=Cause.SEVERITY_VAGUE, effect=rules.effect),
        *_of_either(known, (known.moved, known.redrawn), rules, cause=Cause.PLACE_VAGUE),
        *_of_either(known, (known.reworded, known.rewritten), rules, cause=Cause.WORDING_DISLIKED),
        *_of_stream(known, known.missed, rules, cause=Cause.MISSED, effect=rules.missed_effect),
    ]
    excess = known.any.rates() - known.any.contrast.natural
    return [
        flag
        for flag in found
        if flag.cause is Cause.MISSED
        or flag.criteria[0] not in decided
        or flag.evidence.rate - flag.evidence.natural > MUCH_MORE * excess[known.names.index(flag.criteria[0])]
    ]


_SUMMARIES = {
    Cause.SEVERITY_VAGUE: "Reviewers change the severity of {rate} of {of} kept suggestions; usual here is {natural}.",
    Cause.PLACE_VAGUE: "Reviewers move the box in {rate} of {of} kept suggestions; usual here is {natural}.",
    Cause.WORDING_DISLIKED: "Reviewers rewrite the text of {rate} of {of} kept suggestions; usual here is {natural}.",
    Cause.MISSED: "In {rate} of {of} tasks reviewers draw what was not drafted; usual here is {natural}.",
}


def _stands_out(stream: Stream, rules: Policy) -> Flags:
    """Beyond what 95 % of the others naturally show, and likelier an exception than one of their kind."""
    return discoveries(stream.contrast.log_bound, alpha=rules.alpha) & (stream.contrast.log_e > EXCEPTION)


def _of_stream(known: Figures, stream: Stream, rules: Policy, *, cause: Cause, effect: float) -> list[Flag]:
    out = _stands_out(stream, rules) & (stream.rates() >= stream.contrast.natural + 0.7 * effect)
    return [_made(known, c, stream, cause, float(stream.contrast.log_e[c])) for c in np.flatnonzero(out).tolist()]


def _of_either(known: Figures, both: tuple[Stream, Stream], rules: Policy, *, cause: Cause) -> list[Flag]:
    """A flag where all touches stand out, or the big ones alone; the mean of the two e-values is one."""
    each = np.stack([stream.contrast.log_e for stream in both])
    log_e = np.logaddexp(each[0], each[1]) - np.log(2)
    up = np.stack([s.rates() >= s.contrast.natural + 0.7 * rules.touch_effect for s in both])
    bound = np.logaddexp(both[0].contrast.log_bound, both[1].contrast.log_bound) - np.log(2)
    out = discoveries(bound, alpha=rules.alpha) & (log_e > EXCEPTION) & up.any(axis=0)
    found = []
    for c in np.flatnonzero(out).tolist():
        which = int(np.argmax(np.where(up[:, c], each[:, c], -np.inf)))
        flag = _made(known, c, both[which], cause, float(log_e[c]))
        found.append(replace(flag, evidence=replace(flag.evidence, aspect=("changed", "changed a lot")[which])))
    return found


def _made(known: Figures, c: int, stream: Stream, cause: Cause, log_e: float) -> Flag:
    evidence = stream.evidence(c, log_e=log_e)
    words = _SUMMARIES[cause].format(
        rate=percent(evidence.rate), of=evidence.reviews, natural=percent(evidence.natural)
    )
    return Flag(cause, (known.names[c],), confidence(log_e), words, evidence)


def _said_unclear(known: Figures) -> Floats:
    """For each criterion the log Bayes factor of "called unclear" against "no more than others"."""
    elsewhere = known.unclear.sum() - known.unclear
    of = known.overridden.sum() - known.overridden
    return np.array(
        [
            log_said_unclear(int(known.unclear[c]), of=int(known.overridden[c]), elsewhere=float(share))
            for c, share in enumerate((elsewhere + 1) / (of + 30))
        ]
    )


def _boost(known: Figures, said: Floats, rules: Policy) -> Floats:
    """What "guideline unclear" adds to the evidence of the rate, where the rate is up by half the effect or more.

    Given the overrides, what is ticked with them is evidence of its own, so e-values multiply; the mean of the e-value
    without and with it is one again.
    """
    up = known.any.yes.sum(axis=1) >= (known.any.contrast.natural + 0.5 * rules.effect) * known.any.of.sum(axis=1)
    return np.where(up, np.logaddexp(0.0, np.minimum(said, MOST_SAID)) - np.log(2.0), 0.0)


def _wrong_or_ambiguous(
    known: Figures, c: int, rules: Policy, *, log_e: float, said: float, disputed: bool
) -> list[Flag]:
    tie, overridden = known.ties[c], int(known.overridden[c])
    ambiguous = float(expit(tie.log_loose + said))
    if disputed and ambiguous > 0.5:
        log_e = max(log_e, float(known.disputed.contrast.log_e[c]))
    elif disputed and log_e <= EXCEPTION:
        return []
    if 0.5 < ambiguous < rules.decided:
        return []
    cause = Cause.AMBIGUOUS if ambiguous > 0.5 else Cause.MODEL_WRONG
    evidence = replace(
        known.any.evidence(c, log_e=log_e),
        overridden=overridden,
        shared=tie.suggestions,
        disputed=tie.disputed,
        tie=tie.tie if tie.suggestions else None,
        unclear=int(known.unclear[c]),
    )
    agree = "differ from each other" if cause is Cause.AMBIGUOUS else "agree with each other"
    words = "; no two of them saw the same one"
    if tie.suggestions:
        words = f"; too few of them ({tie.suggestions}) were seen by two people to say whether people agree"
    if tie.suggestions >= FEWEST_SHARED:
        words = f"; those who saw the same suggestion {agree}"
    return [
        Flag(
            cause,
            (known.names[c],),
            confidence(log_e) * max(ambiguous, 1 - ambiguous),
            f"Reviewers reject or relabel {percent(evidence.rate)} of {evidence.reviews} suggestions{words}. This "
            f"project naturally shows {percent(evidence.natural)}, seldom above {percent(evidence.natural_high)}.",
            evidence,
        )
    ]


def _rare(known: Figures, rules: Policy, *, taken: set[str]) -> list[Flag]:
    """One flag for all criteria that have few suggestions each and are mostly rejected."""
    few = np.array(
        [i for i, name in enumerate(known.names) if known.reviews[i] < FEW and name not in taken], dtype=np.int64
    )
    if len(few) < FEWEST_RARE:
        return []
    together = pooled(known.any.contrast.log_e[few])
    named = few[(together.affected >= 0.5) & (known.any.rates()[few] >= rules.bar)]
    if together.log_e < np.log(1 / rules.alpha) or len(named) < FEWEST_RARE:
        return []
    yes, of = int(known.overridden[named].sum()), int(known.reviews[named].sum())
    low, high = wilson(yes, of)
    base = known.any.evidence(int(named[0]), log_e=together.log_e)
    evidence = replace(base, reviews=of, overridden=yes, rate=yes / of, rate_low=low, rate_high=high)
    return [
        Flag(
            Cause.RARE_POOLED,
            tuple(known.names[i] for i in named.tolist()),
            confidence(together.log_e),
            f"{yes} of {of} suggestions under {len(named)} rare criteria were rejected or relabelled.",
            evidence,
        )
    ]


def rate_changes(known: Figures, rules: Policy) -> tuple[Change, ...]:
    """The most likely change of each criterion's rate of rejected and relabelled suggestions."""
    gap = known.shaped.gap_counts
    period, starts = periods(gap.day, gap.count)
    return changes(
        known.shaped.by_group(gap.outcome != Outcome.KEPT, period, len(starts)),
        known.shaped.by_group(np.ones(len(gap.count), dtype=np.bool_), period, len(starts)),
        offsets=known.any.offsets,
        starts=starts,
        contrast=known.any.contrast,
        effect=rules.effect,
        end=int(gap.day.max()),
    )


def _drift(known: Figures, c: int, change: Change) -> Flag:
    evidence: Evidence = replace(
        known.any.evidence(c, log_e=change.log_e),
        changed_on=date_of(change.day),
        changed_from=date_of(change.first_day),
        changed_to=date_of(change.last_day),
        rate_before=change.before,
        rate_after=change.after,
    )
    return Flag(
        Cause.DRIFT,
        (known.names[c],),
        confidence(change.log_e),
        f"The share of rejected and relabelled suggestions went from {percent(change.before)} to "
        f"{percent(change.after)} about {evidence.changed_on} (between {evidence.changed_from} and "
        f"{evidence.changed_to}).",
        evidence,
    )


def date_of(day: int) -> str:
    """A day since 1970 UTC as an ISO date."""
    return datetime.fromtimestamp(day * 86400, UTC).date().isoformat()
