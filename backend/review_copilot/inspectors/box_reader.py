"""A finding's box: from what the model wrote to fractions of the whole image. Knows no criterion and no endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from review_copilot.domain.geometry import Box
from review_copilot.domain.suggestion import Dropped
from review_copilot.inspectors.coordinates import Convention, Order, Unit, within
from review_copilot.inspectors.reading.boxes import WrittenBox, flat_box, read_box
from review_copilot.inspectors.reading.fields import Unreadable, field_of, plain_name, read_count
from review_copilot.inspectors.views import View

_MOSTLY_OUTSIDE = 0.5
_LEAST_SIDE_PX = 2.0
_CORNERS = frozenset({Order.XYXY, Order.YXYX})


@dataclass
class BoxReader:
    """Reads the boxes of one reply.

    Attributes:
        convention: How the family writes boxes.
        box_key: What the box is called.
        views: The pictures that were sent, in their order.
        notes: What was put in order.
        dropped: Parts of boxes that reached past the image.
        repaired: Box forms that differ from the requested one, by count.
    """

    convention: Convention
    box_key: str
    views: Sequence[View]
    notes: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    repaired: Counter[str] = field(default_factory=Counter)
    _odd: int = 0
    _seen: int = 0

    def box(self, item: Mapping[str, Any], named: Mapping[str, Any], criterion_id: str) -> Box | None:
        """The box in fractions of the whole image; None for the whole image.

        Raises:
            Unreadable: It is missing, is no box, or lies where no box can lie.
        """
        view = self._view(item, named)
        there, written = self._written(named)
        if not there:
            edges = flat_box(named)
            if edges is None:
                raise Unreadable("it has no box, not even null")
        else:
            edges = read_box(written)
        if edges is None:
            return None if view.box == Box.whole() else view.box
        if not (there and edges.plain and self.box_key in item):
            self.repaired["the form of a box"] += 1
        convention = replace(self.convention, order=edges.order) if edges.order else self.convention
        return within(view.box, self._inside(edges, convention, view, criterion_id))

    def warning(self) -> str:
        """A sentence when boxes fit another convention better; empty otherwise."""
        if not self._odd:
            return ""
        return (
            f"{self._odd} of {self._seen} boxes do not look like {self.convention.unit.value}, "
            f"{self.convention.order.value}: run `review-copilot probe` to find out how this model writes boxes."
        )

    def _written(self, named: Mapping[str, Any]) -> tuple[bool, Any]:
        if plain_name(self.box_key) in named:
            return True, named[plain_name(self.box_key)]
        return field_of(named, "box")

    def _view(self, item: Mapping[str, Any], named: Mapping[str, Any]) -> View:
        there, value = field_of(named, "image")
        if not there or value is None:
            return self.views[0]
        number = read_count(value)
        if number == 0 and len(self.views) == 1:
            number = 1
        self.repaired["the number of a picture"] += item.get("image") != number
        self.repaired += Counter()  # forgets zeros
        if not 1 <= number <= len(self.views):
            raise Unreadable(f"it speaks of picture {number}, which was not sent")
        if self.views[number - 1].reference:
            raise Unreadable(f"it speaks of picture {number}, which is the reference and not the image under review")
        return self.views[number - 1]

    def _inside(self, edges: WrittenBox, convention: Convention, view: View, criterion_id: str) -> Box:
        self._seen += 1
        self._odd += _fits_another(edges, convention, view)
        try:
            box = convention.to_box(edges.numbers, width_px=view.width_px, height_px=view.height_px)
        except ValueError as error:
            raise Unreadable(f"its box is wrong: {error}") from error
        numbers = edges.numbers
        if convention.order in _CORNERS and (numbers[0] > numbers[2] or numbers[1] > numbers[3]):
            self.notes.append(f"The corners of a box of {criterion_id} were swapped; they were put in order.")
        inside = box.clipped()
        if inside is None and box.area > 0:
            raise Unreadable("its box lies outside the image")
        if (
            inside is None
            or inside.width * view.width_px < _LEAST_SIDE_PX
            or inside.height * view.height_px < _LEAST_SIDE_PX
        ):
            raise Unreadable("its box has no area")
        if inside.area < _MOSTLY_OUTSIDE * box.area:
            raise Unreadable("its box lies mostly outside the image")
        if box.area - inside.area > 1e-9:
            self.dropped.append(Dropped(f"Part of a box of {criterion_id}", "it reached past the image"))
        return inside


def _fits_another(edges: WrittenBox, convention: Convention, view: View) -> bool:
    """Whether numbers are outside their range, or look like those of another convention."""
    numbers = edges.numbers
    if len(numbers) != convention.order.numbers:
        return False
    right, bottom = convention.extent(view.width_px, view.height_px)
    if max(numbers) > max(right, bottom) * 1.02 or min(numbers) < 0:
        return True
    fractions = any(number != int(number) for number in numbers) and max(numbers) <= 1
    if fractions and convention.unit is not Unit.FRACTION:
        return True
    return convention.order in _CORNERS and (numbers[0] > numbers[2] or numbers[1] > numbers[3])
