"""Where the guideline has gaps: flags with causes, from counts. Knows no rows, no files and no pages.

A criterion is flagged when its overrides go beyond what 95 % of this project's other criteria naturally show (an
e-value, so that looking every day costs nothing) and when it is likelier an exception than one of their kind; false
discoveries are held down over all criteria. The cause is read from what kind of overrides make up the excess, when
they happened, and whether people who saw the same suggestion agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from scipy.special import betainc, expit

from review_copilot.study.confusion import chance_of_way, confused_pairs
from review_copilot.study.criterion_figures import Figures, confidence, figures
from review_copilot.study.flags import EXCEPTION, Cause, Flag, Gaps, Policy
from review_copilot.study.gap_counts import Digest
from review_copilot.study.outlook import outlooks, standings
from review_copilot.study.rates import discoveries, percent
from review_copilot.study.reviewer_differences import odd_reviewers
from review_copilot.study.table import Flags, Floats
from review_copilot.study.ties import log_said_unclear
from review_copilot.study.uncovered import uncovered_flag

MOSTLY = 0.6
"""Share of the overrides beyond nature from which they are "mostly" of one kind."""
MOST_SAID = 6.0
"""Log Bayes factor that "guideline unclear" can add at most (400 to 1)."""
SURELY_DRIFT = 5.0
"""How many times likelier a change must be than a rate that was always high, to be called a drift."""
MAYBE_DRIFT = 3.0
"""From here on another cause is not named either: a few more days will tell."""


@dataclass(frozen=True)
class _Signs:
    """What the tests say of one criterion.

    Attributes:
        drifted: Its rate changed at a date.
        high: Its override rate stands out.
        vague: So does its rate of changed severities, by the effect or more.
        said: Log Bayes factor of "called unclear more often than others".
    """

    drifted: bool
    high: bool
    vague: bool
    said: float


def find_gaps(count: Callable[[frozenset[str]], Digest], policy: Policy | None = None) -> Gaps:
    """Look for everything that can be wrong with a guideline.

    A person who differs from all others is found first; criteria are then judged by the others.

    Args:
        count: Counts everything but the decisions of the named reviewers; called once or twice.
        policy: When to raise a flag.

    Returns:
        Flags without tasks and cases (those need rows: see `cases.gather`), and what is known of the rest.
    """
    rules = policy or Policy()
    counts = count(frozenset())
    flags: list[Flag] = [f for f in (uncovered_flag(counts.submissions, rules),) if f]
    if not len(counts.gap_counts.count):
        return Gaps(tuple(flags), (), ())
    known = figures(counts, rules)
    suspect = frozenset(c for f in _criterion_flags(known, rules) for c in f.criteria)
    people = odd_reviewers(known, rules, leave_out=suspect)
    odd = frozenset(f.evidence.reviewer for f in people if f.evidence.reviewer)
    judged = count(odd) if odd else counts
    by_others = figures(judged, rules) if odd and len(judged.gap_counts.count) else known
    found = _criterion_flags(by_others, rules)
    if found:  # what is natural shows better without them, and with that what else stands out
        apart = frozenset(c for f in found for c in f.criteria)
        by_others = figures(judged, rules, apart=apart)
        found = _criterion_flags(by_others, rules)
    flags += people + found
    flagged = frozenset(c for f in flags for c in f.criteria)
    return Gaps(
        tuple(sorted(flags, key=lambda f: -f.confidence)),
        outlooks(by_others, rules, flagged=flagged),
        standings(by_others),
    )


def _criterion_flags(known: Figures, rules: Policy) -> list[Flag]:
    """Flags about single criteria and pairs, at most one for each criterion."""
    pairs = confused_pairs(known, rules)
    taken = {name for flag in pairs for name in flag.criteria}
    # A change point has no natural spread to be taken for, only chance, of which its e-value takes ample account.
    drifted = discoveries(np.array([c.log_e for c in known.changes]), alpha=1.5 * rules.alpha)
    said = _said_unclear(known)
    boost = _boost(known, said, rules)
    high = _stands_out(known.log_bound + boost, known.log_e + boost, rules)
    severity = known.severity.contrast
    vague = _stands_out(severity.log_bound, severity.log_e, rules)
    vague &= known.severity.yes.sum(axis=1) >= (severity.natural + rules.effect) * known.total
    signs = [_Signs(bool(drifted[c]), bool(high[c]), bool(vague[c]), float(said[c])) for c in range(len(known.names))]
    single = [_single(known, c, signs[c], rules) for c, name in enumerate(known.names) if name not in taken]
    return pairs + [flag for flag in single if flag]


def _stands_out(bound: Floats, log_e: Floats, rules: Policy) -> Flags:
    """Beyond what 95 % of the others naturally show, and likelier an exception than one of their kind."""
    return discoveries(bound, alpha=rules.alpha) & (log_e > EXCEPTION)


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
    up = known.any.yes.sum(axis=1) >= (known.any.contrast.natural + 0.5 * rules.effect) * known.total
    return np.where(up, np.logaddexp(0.0, np.minimum(said, MOST_SAID)) - np.log(2.0), 0.0)


def _single(known: Figures, c: int, signs: _Signs, rules: Policy) -> Flag | None:
    """The flag of one criterion; None where there is none, or where the cause is not clear yet."""
    change = known.changes[c]
    moved = abs(change.after - change.before) >= rules.effect
    if signs.drifted and moved and change.log_against_high > np.log(SURELY_DRIFT):
        return _drift(known, c)
    if not (signs.high or signs.vague) or change.log_against_high > np.log(MAYBE_DRIFT):
        return None
    excess = max(0.0, known.any.excess(c))
    mostly_severity = _chance_of_severity(known, c, excess)
    if signs.vague and mostly_severity > rules.decided:
        return _vague(known, c)
    if not signs.high or mostly_severity > 1 - rules.decided or _may_be_confused(known, c, excess):
        return None
    return _wrong_or_ambiguous(known, c, rules, said=signs.said)


def _chance_of_severity(known: Figures, c: int, excess: float) -> float:
    """Posterior probability (Jeffreys prior) that most overrides beyond nature change the severity alone."""
    overridden, changed = float(known.any.yes[c].sum()), float(known.severity.yes[c].sum())
    natural = float(known.severity.contrast.natural[c]) * float(known.total[c])
    share = min(0.99, (MOSTLY * excess + natural) / max(overridden, 1e-9))
    return float(1.0 - betainc(changed + 0.5, overridden - changed + 0.5, share))


def _may_be_confused(known: Figures, c: int, excess: float) -> bool:
    """Whether half of the excess goes to one other criterion from which too little is known of the way back."""
    to = int(np.argmax(known.moves[c]))
    return bool(known.moves[c, to] >= 0.5 * excess) and chance_of_way(known, to, c) > 0.1


def _wrong_or_ambiguous(known: Figures, c: int, rules: Policy, *, said: float) -> Flag | None:
    tie, overridden = known.ties[c], int(known.overridden[c])
    ambiguous = float(expit(tie.log_loose + said))
    sure = max(ambiguous, 1 - ambiguous)
    anybody_shares = any(t.suggestions for t in known.ties)
    if sure < (rules.decided if anybody_shares else 0.5):
        return None
    cause = Cause.AMBIGUOUS if ambiguous > 0.5 else Cause.MODEL_WRONG
    log_e = float(known.log_e[c]) + max(0.0, min(said, MOST_SAID))
    evidence = replace(
        known.evidence(c, known.any, yes=overridden, log_e=log_e),
        shared=tie.suggestions,
        disputed=tie.disputed,
        tie=tie.tie,
        unclear=int(known.unclear[c]),
    )
    words = "differ from each other" if cause is Cause.AMBIGUOUS else "agree with each other"
    return Flag(
        cause,
        (known.names[c],),
        confidence(log_e) * sure,
        f"Reviewers override {percent(evidence.rate)} of {evidence.reviews} suggestions and {words}; "
        f"this project naturally shows {percent(evidence.natural)}, seldom above {percent(evidence.natural_high)}.",
        evidence,
    )


def _vague(known: Figures, c: int) -> Flag:
    log_e = float(known.severity.contrast.log_e[c])
    evidence = known.evidence(c, known.severity, yes=int(known.severities[c]), log_e=log_e)
    return Flag(
        Cause.SEVERITY_VAGUE,
        (known.names[c],),
        confidence(log_e),
        f"Reviewers change only the severity of {percent(evidence.rate)} of {evidence.reviews} suggestions; "
        f"natural here is {percent(evidence.natural)}.",
        evidence,
    )


def _drift(known: Figures, c: int) -> Flag:
    change = known.changes[c]
    evidence = replace(
        known.evidence(c, known.any, yes=int(known.overridden[c]), log_e=change.log_e),
        changed_on=_date(change.day),
        changed_from=_date(change.first_day),
        changed_to=_date(change.last_day),
        rate_before=change.before,
        rate_after=change.after,
    )
    return Flag(
        Cause.DRIFT,
        (known.names[c],),
        confidence(change.log_e),
        f"The override rate went from {percent(change.before)} to {percent(change.after)} about {evidence.changed_on} "
        f"(between {evidence.changed_from} and {evidence.changed_to}).",
        evidence,
    )


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * 86400, UTC).date().isoformat()
