"""A box in the forms that models write it. Knows no unit: numbers stay as they were written.

The count of numbers is kept strict: three numbers are no box, and neither are five.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from review_copilot.inspectors.coordinates import Order
from review_copilot.inspectors.reading.fields import FIELD_NAMES, Unreadable, by_plain_name, is_null

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\bnan\b|\binf(?:inity)?\b", re.IGNORECASE)
_TAGS = re.compile(r"<ref>.*?</ref>|<\|?/?[a-z_]+(?:\s[^>]*)?\|?>", re.IGNORECASE)
_LOCATION = re.compile(r"<loc_?(\d+)>", re.IGNORECASE)
_LETTERS = re.compile(r"[A-Za-z]{3,}")
_NAMED_NUMBER = re.compile(r"""["']?([A-Za-z]\w{0,12}|[xy]\d?)["']?\s*[:=]\s*["']?(-?\d+(?:\.\d+)?)""")

_EDGES: Mapping[str, tuple[str, ...]] = {
    "x": ("x1", "xmin", "left", "x0", "minx", "xleft", "startx", "xstart", "xfrom", "fromx", "leftx", "topleftx", "l"),
    "y": ("y1", "ymin", "top", "y0", "miny", "ytop", "starty", "ystart", "yfrom", "fromy", "topy", "toplefty", "t"),
    "x2": ("x2", "xmax", "right", "maxx", "xright", "endx", "xend", "xto", "tox", "rightx", "bottomrightx", "r"),
    "y2": ("y2", "ymax", "bottom", "maxy", "ybottom", "endy", "yend", "yto", "toy", "bottomy", "bottomrighty", "b"),
}
_FROM_ZERO = ("x0", "y0", "x1", "y1")
"""Corners counted from 0, where `x1` is the right edge."""
_SIZES: Mapping[str, tuple[str, ...]] = {
    "x": ("x", "left", "xmin", "x1", "x0", "topleftx"),
    "y": ("y", "top", "ymin", "y1", "y0", "toplefty"),
    "width": ("width", "w", "boxwidth"),
    "height": ("height", "h", "boxheight"),
}
_CORNERS = (
    ("topleft", "bottomright"),
    ("lefttop", "rightbottom"),
    ("upperleft", "lowerright"),
    ("min", "max"),
    ("start", "end"),
    ("p1", "p2"),
)
FLAT_NAMES = frozenset({"x1", "xmin", "left", "x0", "x", "topleft", "upperleft"})


@dataclass(frozen=True, slots=True)
class WrittenBox:
    """The numbers of a box.

    Attributes:
        numbers: In their order.
        order: Which is which, where their names say so; None where the family's convention does.
        plain: Whether they came as the prompt asks: one flat list of numbers.
    """

    numbers: tuple[float, ...]
    order: Order | None = None
    plain: bool = False


def read_box(written: object) -> WrittenBox | None:
    """The numbers of one box: a list, nested or of corners; named numbers; or text with them.

    Returns:
        The numbers; None where the reply says that there is no box.

    Raises:
        Unreadable: They are not numbers, or not those of one box.
    """
    if is_null(written):
        return None
    if isinstance(written, Mapping):
        return _of_names(by_plain_name(written))
    if isinstance(written, str):
        return _of_text(written)
    if isinstance(written, list):
        return _of_list(written)
    raise Unreadable("its box is not a list of numbers")


def flat_box(named: Mapping[str, Any]) -> WrittenBox | None:
    """The box of a finding that names its edges beside its other fields; None when it names none.

    Raises:
        Unreadable: Some edges are there and others are not.
    """
    return _of_names(named) if FLAT_NAMES & named.keys() else None


def _of_list(written: list[Any]) -> WrittenBox:
    if not written:
        raise Unreadable("its box is an empty list")
    if len(written) == 1 and isinstance(written[0], list | Mapping | str) and not _is_number(written[0]):
        inner = read_box(written[0])
        if inner is None:
            raise Unreadable("its box is not a list of numbers")
        return WrittenBox(inner.numbers, inner.order)
    if all(_is_number(item) for item in written):
        plain = all(isinstance(item, int | float) for item in written)
        return WrittenBox(tuple(_number(item) for item in written), plain=plain)
    if len(written) == 2 and all(isinstance(item, list) and len(item) == 2 for item in written):
        return WrittenBox(tuple(_number(value) for item in written for value in item))
    if len(written) == 2 and all(isinstance(item, Mapping) for item in written):
        return _of_corners(written)
    if len(written) in {4, 5}:
        return _of_outline(written)
    raise Unreadable("its box is not a list of numbers")


def _of_names(named: Mapping[str, Any]) -> WrittenBox:
    for corners in _CORNERS:
        if all(name in named for name in corners):
            return _of_corners([named[name] for name in corners])
    if (sized := _all_of(named, _SIZES)) is not None:
        return WrittenBox(sized, Order.XYWH)
    if all(name in named for name in _FROM_ZERO):
        return WrittenBox(tuple(_number(named[name]) for name in _FROM_ZERO), Order.XYXY)
    if (edges := _all_of(named, _EDGES)) is not None:
        return WrittenBox(edges, Order.XYXY)
    if named.keys() == {"x", "y"}:
        return WrittenBox((_number(named["x"]), _number(named["y"])), Order.XY)
    for name in FIELD_NAMES["box"]:
        if name in named and (inner := read_box(named[name])) is not None:
            return WrittenBox(inner.numbers, inner.order)
    raise Unreadable("the numbers of its box are not all named")


def _all_of(named: Mapping[str, Any], slots: Mapping[str, tuple[str, ...]]) -> tuple[float, ...] | None:
    values = [next((named[name] for name in names if name in named), None) for names in slots.values()]
    if any(value is None for value in values):
        return None
    return tuple(_number(value) for value in values)


def _of_corners(corners: Sequence[Any]) -> WrittenBox:
    numbers: list[float] = []
    order: Order | None = None
    for corner in corners:
        if isinstance(corner, Mapping):
            named = by_plain_name(corner)
            if not {"x", "y"} <= named.keys():
                raise Unreadable("the corners of its box are not named x and y")
            numbers += [_number(named["x"]), _number(named["y"])]
            order = Order.XYXY
        elif isinstance(corner, list) and len(corner) == 2:
            numbers += [_number(value) for value in corner]
        else:
            raise Unreadable("a corner of its box is not two numbers")
    return WrittenBox(tuple(numbers), order)


def _of_outline(corners: list[Any]) -> WrittenBox:
    """The box of its four corners, one after the other; the first one can come again at the end."""
    ring = [_of_corners([corner]) for corner in corners]
    points = [corner.numbers for corner in ring]
    first, second = ({point[axis] for point in points} for axis in range(2))
    closed = len(points) == 4 or points[0] == points[-1]
    if not closed or len(set(points)) != 4 or len(first) != 2 or len(second) != 2:
        raise Unreadable("the corners of its box are not those of a rectangle")
    return WrittenBox((min(first), min(second), max(first), max(second)), ring[0].order)


def _of_text(written: str) -> WrittenBox:
    if located := _LOCATION.findall(written):
        return WrittenBox(tuple(float(number) for number in located))
    bare = _TAGS.sub(" ", written)
    pairs = {name.lower(): number for name, number in _NAMED_NUMBER.findall(bare)}
    if len(pairs) in {2, 4}:
        return _of_names(pairs)
    found = _NUMBER.findall(bare)
    if not found or _LETTERS.search(re.sub(_NUMBER, " ", bare)):
        raise Unreadable("its box has no numbers" if not found else "its box is written in words")
    return WrittenBox(tuple(float(number) for number in found))


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return bool(_NUMBER.fullmatch(value.strip().rstrip("%").strip()))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> float:
    if not _is_number(value):
        raise Unreadable("a number of its box is missing")
    number = float(str(value).strip().rstrip("%"))
    if not math.isfinite(number):
        raise Unreadable("a number of its box is not finite")
    return number
