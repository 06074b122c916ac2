"""Find what examines each criterion of a guideline: a measure, a model, or nothing. Knows no inspector."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from review_copilot.domain.guideline import Criterion, Guideline, Severity
from review_copilot.domain.measure import Measure

VAGUE = ("appropriate", "nice", "good quality", "bad quality", "etc", "and so on", "somewhat", "reasonable", "proper")
"""Words that reviewers interpret differently."""
ALIKE = 85.0
"""Token-set similarity, 0..100, from which two definitions are reported as overlapping. Between the criteria of the
built-in guidelines, which differ in meaning, the maximum is 64."""

_SYNONYMS = {
    "blur": "defocus",
    "out_of_focus": "defocus",
    "watermark": "overlay",
    "text": "overlay",
    "jpeg": "compression",
    "grain": "noise",
    "color_cast": "colour_cast",
}
"""Common names for a measure, in addition to misspellings."""


@dataclass(frozen=True, slots=True)
class Examiners:
    """What examines one criterion.

    Attributes:
        criterion: The criterion.
        measures: Measures for it that are in the catalog.
        model: Whether a model examines it.
    """

    criterion: Criterion
    measures: tuple[str, ...]
    model: bool

    @property
    def nobody(self) -> bool:
        """Whether nothing examines it."""
        return not self.measures and not self.model

    @property
    def words(self) -> str:
        """The examiners in a few words."""
        by = [f"measures {', '.join(self.measures)}"] if self.measures else []
        return " and ".join(by + (["the model"] if self.model else [])) or "nobody"


def examiners_of(guideline: Guideline, *, catalogue: Sequence[Measure], model: bool) -> tuple[Examiners, ...]:
    """What examines each criterion, in the guideline's order.

    Args:
        guideline: The guideline.
        catalogue: Measures that the inspector offers; empty if it only uses a model.
        model: Whether the inspector uses a model, which examines every criterion.
    """
    known = {measure.name for measure in catalogue}
    return tuple(
        Examiners(criterion, tuple(name for name in criterion.measures if name in known), model)
        for criterion in guideline.criteria
    )


def wrong_measures(guideline: Guideline, catalogue: Sequence[Measure]) -> Iterator[str]:
    """One sentence per measure that no inspector offers, and per unit that no measure has.

    Args:
        guideline: The guideline.
        catalogue: Measures that inspectors offer.
    """
    units = {measure.name: measure.unit for measure in catalogue}
    for criterion in guideline.criteria:
        for name in criterion.measures:
            if name not in units:
                yield f'{criterion.id}: there is no measure "{name}"; {_nearest(name, list(units))}'
        offered = sorted({units[name] for name in criterion.measures if name in units})
        numbered = any(anchor.at_least is not None for anchor in criterion.severity.values())
        if numbered and offered and criterion.unit not in offered:
            yield (
                f'{criterion.id}: its numbers are in "{criterion.unit}", and its measures are in '
                f"{', '.join(map(repr, offered))}; the numbers would not be used"
            )


def warnings_of(guideline: Guideline) -> Iterator[str]:
    """One sentence per weakness that makes reviewers disagree, or that makes a rule unreachable."""
    for criterion in guideline.criteria:
        text = " ".join((criterion.definition, *criterion.flag_when)).casefold()
        for word in VAGUE:
            if re.search(rf"\b{word}\b", text):
                yield f'{criterion.id}: "{word}" means different things to different people; say what is seen'
        if not criterion.do_not_flag_when:
            yield f"{criterion.id}: add a case that looks alike and does not count, under do_not_flag_when"
    for number, one in enumerate(guideline.criteria):
        for other in guideline.criteria[number + 1 :]:
            alike = fuzz.token_set_ratio(one.definition, other.definition)
            if alike >= ALIKE:
                yield f"{one.id} and {other.id}: the definitions overlap ({alike:.0f} of 100); say how they differ"
    yield from _unreachable(guideline)


def _unreachable(guideline: Guideline) -> Iterator[str]:
    """Find a count for "discuss" that is never reached, because that many defects already fail the image."""
    fail, discuss = guideline.verdict.fail, guideline.verdict.discuss
    for kind, count in discuss.items():
        milder = [s.value for s in Severity if kind in set(Severity) and s.rank <= Severity(kind).rank] or [kind]
        if any(fail.get(name, count + 1) <= count for name in milder):
            yield f'verdict: "discuss" at {count} {kind} is never reached, because as many flaws fail the image'


def _nearest(name: str, known: Sequence[str]) -> str:
    meant = _SYNONYMS.get(name.casefold())
    if meant in known:
        return f"did you mean {meant}?"
    near = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else "run `review-copilot guideline measures` for the list"
