"""Sentences that a reviewer would sign: place, evidence with its number, criterion. Knows no pixels."""

from __future__ import annotations

from review_copilot.domain.geometry import Box
from review_copilot.domain.guideline import Criterion

_ROWS = ("upper", "middle", "lower")
_COLUMNS = ("left", "centre", "right")


def place_of(box: Box | None) -> str:
    """Where a box lies, such as "upper left"; "whole picture" for None or a box that covers most of it."""
    if box is None or box.area > 0.8:
        return "whole picture"
    if box.width > 0.75:
        return f"{_ROWS[_third(box.y + box.height / 2)]} part" if box.height < 0.75 else "whole picture"
    if box.height > 0.75:
        return f"{_COLUMNS[_third(box.x + box.width / 2)]} part"
    row, column = _third(box.y + box.height / 2), _third(box.x + box.width / 2)
    if row == 1 and column == 1:
        return "centre"
    if row == 1:
        return f"{_COLUMNS[column]} side"
    return f"{_ROWS[row]} {_COLUMNS[column]}"


def rationale(criterion: Criterion, *, box: Box | None, evidence: str, max_words: int) -> str:
    """Place, evidence and criterion, as in "Upper left: pure white over 4 % of the picture. Clipped highlights".

    Args:
        criterion: Which criterion the flaw breaks.
        box: Where; None for the whole picture.
        evidence: Clauses parted by "; ", most telling first; the last ones go when the text is too long.
        max_words: The guideline's most words.
    """
    place = place_of(box)
    clauses = evidence.split("; ")
    while True:
        text = f"{place[0].upper()}{place[1:]}: {'; '.join(clauses)}. {criterion.label}."
        if len(text.split()) <= max_words or len(clauses) == 1:
            return " ".join(text.split()[:max_words]) if len(text.split()) > max_words else text
        clauses = clauses[:-1]


def number(value: float) -> str:
    """A number as people say it: whole from 10 on, one decimal below."""
    return f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}".removesuffix(".0")


def _third(position: float) -> int:
    return min(2, max(0, int(position * 3)))
