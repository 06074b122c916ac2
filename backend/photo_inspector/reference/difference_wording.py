"""Sentences about differences from a reference: place and evidence with its number. Knows no pixels."""

from __future__ import annotations

from photo_inspector.reference.differences import Difference
from photo_inspector.reference.topology import Defect, Diagnosis
from photo_inspector.wording import place_of
from review_copilot.plugin import Box


def defect_sentence(found: Diagnosis, *, box: Box, scale: float, max_words: int) -> str:
    """Rationale for a defect of a board.

    Args:
        found: What it is, in px of the compared size.
        box: Where.
        scale: Pixels of the reviewed image for one px of the compared size.
        max_words: The guideline's most words.

    Example: "Lower left: the trace is broken over 9 px; the reference shows it unbroken."
    """
    along, across = (max(1, round(extent * scale)) for extent in (found.along_px, found.across_px))
    size, taken = f"{along} by {across} px", round(found.taken_percent)
    match found.defect:
        case Defect.OPEN:
            fact, reference = f"the trace is broken over {along} px", "the reference shows it unbroken"
        case Defect.SHORT:
            joined = len(found.counted)
            number = {2: "two", 3: "three", 4: "four"}.get(joined, str(joined))
            fact = f"added copper, {size}, joins {number} edges of copper"
            reference = "the reference keeps them apart"
        case Defect.MOUSEBITE:
            fact = f"a notch of {size} takes {taken} % of the copper's width"
            reference = "the reference edge is whole"
        case Defect.SPUR:
            fact = f"copper of {size} sticks out from the edge and fills {taken} % of the gap"
            reference = "the reference edge is smooth"
        case Defect.SPURIOUS_COPPER:
            fact, reference = f"an island of copper, {size}, touches no conductor", "the reference is bare there"
        case Defect.PIN_HOLE:
            fact, reference = f"a bare spot of {size} lies inside the copper", "the reference is solid there"
    return _sentence(box, (fact, reference), max_words=max_words)


def difference_sentence(found: Difference, *, box: Box, scale: float, max_words: int) -> str:
    """Rationale for a difference that is no circuit's; arguments as for `defect_sentence`.

    Example: "Upper right: an area of 48 by 30 px is 24 % darker than in the reference."
    """
    width, height = (max(1, round(extent * scale)) for extent in (found.width_px, found.height_px))
    area = f"an area of {width} by {height} px"
    if abs(found.brightness) >= 0.5 * found.contrast:
        word = "darker" if found.brightness < 0 else "brighter"
        fact = f"{area} is {_percent(found.brightness)} % {word} than in the reference"
    else:
        fact = f"{area} differs in color from the reference by {_percent(found.contrast)} % of the full range"
    return _sentence(box, (fact,), max_words=max_words)


def _percent(levels: float) -> int:
    return max(1, round(abs(levels) / 255 * 100))


def _sentence(box: Box, clauses: tuple[str, ...], *, max_words: int) -> str:
    """Place and clauses; the last clauses go while the text is longer than allowed."""
    place = place_of(box)
    text = f"{place[0].upper()}{place[1:]}: {'; '.join(clauses)}."
    if len(text.split()) > max_words and len(clauses) > 1:
        return _sentence(box, clauses[:-1], max_words=max_words)
    return " ".join(text.split()[:max_words])
