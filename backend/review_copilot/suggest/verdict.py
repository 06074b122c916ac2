"""Verdict and summary of a review, from its suggestions and the examined criteria. Knows no inspector.

"Pass" means that every criterion was examined and that no defect requires another verdict. Uncertain findings do not
decide: if they would make the verdict worse, the verdict is "discuss".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.suggestion import Suggestion

_WORSE = (Verdict.PASS, Verdict.DISCUSS, Verdict.FAIL)
MOST_NAMED = 6
"""Maximum number of unexamined criteria that a summary names; the others are counted."""


def unexamined_criteria(guideline: Guideline, examined: Collection[str]) -> tuple[str, ...]:
    """Ids of the guideline's criteria that were not examined, in the guideline's order."""
    return tuple(criterion.id for criterion in guideline.criteria if criterion.id not in examined)


def decide(
    suggestions: Sequence[Suggestion], guideline: Guideline, *, sure_from: float = 0.0, complete: bool = True
) -> Verdict:
    """The verdict by the guideline's rule, for any inspector.

    Args:
        suggestions: What was found.
        guideline: Its rule is applied to the certain suggestions.
        sure_from: Minimum score of a certain suggestion, 0..1.
        complete: Whether every criterion was examined.

    Returns:
        The rule's verdict on the certain suggestions; "discuss" if the rule is stricter on all of them, or if it is
        "pass" and a criterion was not examined.
    """
    sure = _by_rule([s for s in suggestions if s.score >= sure_from], guideline)
    doubted = _WORSE.index(_by_rule(suggestions, guideline)) > _WORSE.index(sure)
    return Verdict.DISCUSS if doubted or (sure is Verdict.PASS and not complete) else sure


def _by_rule(suggestions: Sequence[Suggestion], guideline: Guideline) -> Verdict:
    """`fail` is applied first, then `discuss`, else pass. A critical suggestion counts as major and minor too."""
    counts: Counter[str] = Counter()
    for suggestion in suggestions:
        counts.update(s.value for s in Severity if s.rank <= suggestion.severity.rank)
        if suggestion.criterion_id == UNCOVERED:
            counts[UNCOVERED] += 1
    for verdict, rule in ((Verdict.FAIL, guideline.verdict.fail), (Verdict.DISCUSS, guideline.verdict.discuss)):
        if any(counts[kind] >= least for kind, least in rule.items()):
            return verdict
    return Verdict.PASS


def with_coverage(
    summary: str,
    *,
    guideline: Guideline,
    unexamined: Sequence[str],
    suggestions: Sequence[Suggestion],
    verdict: Verdict,
) -> str:
    """The summary, which starts with the criteria that were not examined.

    Args:
        summary: The inspector's own; empty to write one from the suggestions.
        guideline: Names the criteria.
        unexamined: Ids of the criteria that were not examined.
        suggestions: What was found.
        verdict: The drafted verdict.
    """
    if not unexamined:
        return summary or summarise(suggestions, verdict)
    others = len(guideline.criteria) - len(unexamined)
    if not others:
        opening = f"Not examined: all {len(unexamined)} criteria."
        return f"{opening} {summarise(suggestions, verdict)}" if suggestions else opening
    opening = f"Not examined: {_named(guideline, unexamined)}."
    if suggestions:
        return f"{opening} {summary or summarise(suggestions, verdict)}"
    return f"{opening} No flaw found in the other {others} {'criterion' if others == 1 else 'criteria'}."


def _named(guideline: Guideline, unexamined: Sequence[str]) -> str:
    names = [guideline.label_of(criterion_id).lower() for criterion_id in unexamined]
    more = len(names) - MOST_NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:MOST_NAMED])} and {more} more"


def summarise(suggestions: Sequence[Suggestion], verdict: Verdict) -> str:
    """One or two sentences: the verdict and what it rests on, worst first."""
    if not suggestions:
        return "No flaw found that the guideline asks to flag."
    worst_first = sorted(suggestions, key=lambda s: (-s.severity.rank, -s.score))
    counts = Counter((s.label, s.severity) for s in worst_first)
    named = [
        f"{label.lower()} ({severity.value})" if count == 1 else f"{label.lower()} ({severity.value}, {count} places)"
        for (label, severity), count in counts.items()
    ]
    listed = named[0] if len(named) == 1 else ", ".join(named[:-1]) + " and " + named[-1]
    opening = {
        Verdict.PASS: "Usable despite",
        Verdict.FAIL: "Not usable because of",
        Verdict.DISCUSS: "To discuss:",
    }[verdict]
    return f"{opening} {listed}."
