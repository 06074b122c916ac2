"""Does one person accept nearly everything at certain hours, or more the longer a session lasts? Knows counts only.

Each person is compared with themselves: who accepts much at all times is no case of it, and nobody is ranked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit

from review_copilot.study.criterion_figures import confidence, times
from review_copilot.study.flags import EXCEPTION, Cause, Evidence, Flag, Policy
from review_copilot.study.natural_variation import LOGITS, RATES
from review_copilot.study.pace import Visits
from review_copilot.study.rates import discoveries, percent, wilson
from review_copilot.study.table import Flags, Floats, Ints

BREAK_S = 5400
"""A pause of an hour and a half ends a session."""
LEAST_LONG = 8
"""Annotations from which a session is long enough to grow tired in."""
LEFT = (0.02, 0.1, 0.2, 0.33)
"""Shares of a person's own rate that may be left while they do not look."""
HOURS = 24
LONGEST_H = 8
"""Longest stretch of the day that counts as "certain hours"."""
FEWEST = 20
"""Decisions on each side below which nothing is compared."""
_EVEN: Floats = RATES * (1 - RATES) / (RATES * (1 - RATES)).sum()
WOBBLE = 0.35
"""A person's rate at one time of the day differs from that at another by this in logits, without any fault."""
_SHIFTS: Floats = WOBBLE * np.array([-1.5, -0.75, 0.0, 0.75, 1.5])
"""Such differences, in logits."""


@dataclass(frozen=True)
class _Habit:
    log_e: float
    hours: tuple[int, int] | None
    quiet: Flags


def habit_flags(visits: Visits, reviewers: tuple[str, ...], rules: Policy) -> list[Flag]:
    """Flags about people who accept more at certain hours or at the end of sessions, at most one for each person."""
    people = np.unique(visits.reviewer)
    found = [(int(person), *_best(_of(visits, int(person)))) for person in people]
    log_e = np.array([habit.log_e for _, habit, _ in found])
    flagged = discoveries(log_e, alpha=rules.alpha) & (log_e > EXCEPTION)
    return [_flag(reviewers[found[i][0]], *found[i][1:]) for i in np.flatnonzero(flagged).tolist()]


def _of(visits: Visits, person: int) -> Visits:
    mine = np.flatnonzero(visits.reviewer == person)
    mine = mine[np.argsort(visits.made_s[mine], kind="stable")]
    return Visits(visits.reviewer[mine], visits.made_s[mine], visits.decided[mine], visits.overridden[mine])


def _best(mine: Visits) -> tuple[_Habit, Visits]:
    """The likelier of the two habits; its evidence is the mean of both, so that looking for two costs its share."""
    hours, tired = _at_hours(mine), _tired(mine)
    best = hours if hours.log_e >= tired.log_e else tired
    return _Habit(float(np.logaddexp(hours.log_e, tired.log_e) - np.log(2)), best.hours, best.quiet), mine


def _at_hours(mine: Visits) -> _Habit:
    """Bayes factor of "nearly everything is accepted in some stretch of the day", every stretch being as likely."""
    hour = (mine.made_s // 3600 % HOURS).astype(np.int64)
    yes = np.bincount(hour, weights=mine.overridden, minlength=HOURS)
    of = np.bincount(hour, weights=mine.decided, minlength=HOURS)
    inside = _stretches()
    factors = _quieter(inside @ yes, inside @ of, ~inside @ yes, ~inside @ of)
    best = int(np.argmax(factors))
    start, end = best // LONGEST_H, (best // LONGEST_H + best % LONGEST_H + 1) % HOURS
    return _Habit(float(np.logaddexp.reduce(factors) - np.log(len(factors))), (start, end), inside[best][hour])


@lru_cache(maxsize=1)
def _stretches() -> Flags:
    """The hours of each stretch of the day, by start and then by length; shape (HOURS * LONGEST_H, HOURS)."""
    start, length = np.divmod(np.arange(HOURS * LONGEST_H), LONGEST_H)
    return np.asarray((np.arange(HOURS)[None, :] - start[:, None]) % HOURS <= length[:, None])


def _quieter(yes: Floats, of: Floats, other_yes: Floats, other_of: Floats) -> Floats:
    """Log Bayes factors of "a third of the rate or less" against "the same rate, but for wobble", one for each part."""
    rest = other_yes[:, None] * -np.logaddexp(0.0, -LOGITS) + (other_of - other_yes)[:, None] * -np.logaddexp(
        0.0, LOGITS
    )
    rest = np.exp(rest - rest.max(axis=1, keepdims=True)) * _EVEN
    weights = np.exp(-0.5 * (_SHIFTS / WOBBLE) ** 2)
    rates = np.concatenate([expit(LOGITS + _SHIFTS[:, None]), RATES * np.array(LEFT)[:, None]])
    fits = _fit(yes[:, None, None], of[:, None, None], rates)  # shape (parts, rates, grid)
    tops = fits.max(axis=(1, 2), keepdims=True)
    likely = np.einsum("pg,prg->pr", rest, np.exp(fits - tops))
    stays = likely[:, : len(_SHIFTS)] @ (weights / weights.sum())
    falls = likely[:, len(_SHIFTS) :].mean(axis=1)
    return np.where(np.minimum(of, other_of) < FEWEST, 0.0, np.log(falls + 1e-300) - np.log(stays + 1e-300))


def _fit(yes: float | Floats, of: float | Floats, rate: Floats) -> Floats:
    p = np.clip(rate, 1e-9, 1 - 1e-9)
    return np.asarray(yes * np.log(p) + (of - yes) * np.log1p(-p))


def sessions(made_s: Ints) -> tuple[Ints, Ints, Ints]:
    """Session, place in it from 0, and length of it, of annotations by rising time."""
    starts = np.concatenate([[True], np.diff(made_s) > BREAK_S]) if len(made_s) else np.zeros(0, dtype=np.bool_)
    session = np.cumsum(starts) - 1
    length = np.bincount(session, minlength=1)
    first = np.flatnonzero(starts)
    place = np.arange(len(made_s)) - (first[session] if len(first) else 0)
    return session, place, length[session] if len(made_s) else session


def _tired(mine: Visits) -> _Habit:
    """Bayes factor of "less and less is overridden until a session ends" against "as much as at its beginning"."""
    _, place, length = sessions(mine.made_s)
    long = length >= LEAST_LONG
    depth = np.where(long, place / np.maximum(length - 1, 1), 0.0)
    late = long & (depth >= 0.5)
    none = _Habit(0.0, None, late)
    if mine.decided[late].sum() < FEWEST or mine.decided[long & ~late].sum() < FEWEST:
        return none
    bins = np.minimum((depth[long] * 8).astype(np.int64), 7)
    yes = np.bincount(bins, weights=mine.overridden[long], minlength=8)
    of = np.bincount(bins, weights=mine.decided[long], minlength=8)
    at = (np.arange(8) + 0.5) / 8
    tired = [_slope(yes, of, [RATES * (1 - share * d) for d in at]) for share in (0.6, 0.75, 0.9, 1.0)]
    weights = np.log(np.exp(-0.5 * (_SHIFTS / WOBBLE) ** 2) / np.exp(-0.5 * (_SHIFTS / WOBBLE) ** 2).sum())
    even = [
        w + _slope(yes, of, [expit(LOGITS + s * (d - 0.5)) for d in at]) for w, s in zip(weights, _SHIFTS, strict=True)
    ]
    return _Habit(float(np.logaddexp.reduce(tired) - np.log(len(tired)) - np.logaddexp.reduce(even)), None, late)


def _slope(yes: Floats, of: Floats, rates: list[Floats]) -> float:
    fits = sum(_fit(float(y), float(n), rate) for y, n, rate in zip(yes, of, rates, strict=True))
    top = float(np.max(fits))
    return float(np.log((np.exp(fits - top) * _EVEN).sum()) + top)


def _flag(name: str, habit: _Habit, mine: Visits) -> Flag:
    quiet = habit.quiet
    yes, of = int(mine.overridden[quiet].sum()), int(mine.decided[quiet].sum())
    rest_yes, rest_of = int(mine.overridden[~quiet].sum()), int(mine.decided[~quiet].sum())
    low, high = wilson(yes, of)
    natural = rest_yes / rest_of if rest_of else 0.0
    evidence = Evidence(
        reviews=of,
        overridden=yes,
        rate=yes / of if of else 0.0,
        rate_low=low,
        rate_high=high,
        natural=natural,
        natural_high=wilson(rest_yes, rest_of)[1],
        times_likelier=times(habit.log_e),
        reviewer=name,
        hours=habit.hours,
    )
    when = (
        f"between {habit.hours[0]:02d}:00 and {habit.hours[1]:02d}:00 UTC" if habit.hours else "late in long sessions"
    )
    return Flag(
        Cause.BULK_HOURS if habit.hours else Cause.FATIGUE,
        (),
        confidence(habit.log_e),
        f"{name} rejects or relabels {percent(evidence.rate)} of {of} suggestions {when}, and {percent(natural)} of "
        f"{rest_of} at other times.",
        evidence,
    )
