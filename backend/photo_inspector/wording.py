"""Sentences that a reviewer would sign: place and evidence with its number. Knows no pixels."""

from __future__ import annotations

from review_copilot.plugin import Box

_ROWS = ("upper", "middle", "lower")
_COLUMNS = ("left", "center", "right")


def place_of(box: Box | None) -> str:
    """Where a box lies, such as "upper left"; "whole image" for None or a box that covers most of it."""
    if box is None or box.area > 0.8:
        return "whole image"
    row, column = _third(box.y + box.height / 2), _third(box.x + box.width / 2)
    if box.width > 0.75 and box.height > 0.75:
        return "whole image"
    if box.width > 0.75:
        return (
            "middle, across the width"
            if row == 1
            else f"{_ROWS[row]} edge"
            if box.height < 0.2
            else f"{_ROWS[row]} part"
        )
    if box.height > 0.75:
        return (
            "center, top to bottom"
            if column == 1
            else f"{_COLUMNS[column]} edge"
            if box.width < 0.2 and (box.x < 0.02 or box.right > 0.98)
            else f"{_COLUMNS[column]} side"
        )
    if row == 1 and column == 1:
        return "center"
    if row == 1:
        return f"{_COLUMNS[column]} side"
    return f"{_ROWS[row]} {_COLUMNS[column]}"


def rationale(*, box: Box | None, evidence: str, max_words: int) -> str:
    """Place and evidence, as in "Upper left: pure white over 4 % of the picture; no detail is left there.".

    Args:
        box: Where; None for the whole image.
        evidence: Clauses parted by "; ", most telling first; the last ones go when the text is too long.
        max_words: The guideline's most words.
    """
    place = place_of(box)
    clauses = evidence.split("; ")
    while True:
        text = f"{place[0].upper()}{place[1:]}: {'; '.join(clauses)}."
        if len(text.split()) <= max_words or len(clauses) == 1:
            return text if len(text.split()) <= max_words else " ".join(text.split()[:max_words])
        clauses = clauses[:-1]


def number(value: float) -> str:
    """A number as people say it: whole from 10 on, one decimal below."""
    return f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}".removesuffix(".0")


def counted(value: float, noun: str) -> str:
    """A number with its noun in the right number, such as "1 stop"."""
    shown = number(value)
    return f"{shown} {noun}" if shown == "1" else f"{shown} {noun}s"


def way_of(degrees: float) -> str:
    """A direction of movement: 0 is sideways, 90 up and down; image rows grow downwards."""
    names = ("from left to right", "from upper left to lower right", "up and down", "from lower left to upper right")
    return names[int((degrees + 22.5) // 45) % 4]


def hue_name(degrees: float) -> str:
    """A hue of the a*b* plane in everyday words."""
    names = ("red", "orange", "yellow", "green", "green", "blue-green", "blue", "magenta")
    return names[int((degrees + 22.5) // 45) % 8]


def lean_words(degrees: float) -> str:
    """Which way a tilted picture leans; positive is clockwise."""
    return "clockwise" if degrees > 0 else "counterclockwise"


def level_name(level: float) -> str:
    """Black, white or plain, for a bar's mean level of 0..255."""
    return "black" if level < 40 else "white" if level > 215 else "plain"


def _third(position: float) -> int:
    return min(2, max(0, int(position * 3)))
