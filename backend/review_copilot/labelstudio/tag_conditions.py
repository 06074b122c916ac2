"""When the editor shows a tag that belongs to a region: always, or only for some labels. Knows no review.

The editor compares `whenLabelValue` with the region's labels: the whole text first, then its parts between commas,
because a label may contain a comma. `whenTagName` names the tag that labels the region. Both can stand at the tag or
at a View around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Condition:
    """For which labels a tag is shown.

    Attributes:
        required: The `whenLabelValue` of the tag and of the Views around it; each one must fit. Empty means any label.
        never: Whether the tag depends on another label tag than the one that draws the suggestions.
    """

    required: tuple[str, ...] = ()
    never: bool = False

    @property
    def always(self) -> bool:
        """Whether it is shown for every label."""
        return not self.required and not self.never

    def holds(self, label: str) -> bool:
        """Whether it is shown for a region with that label, written as in the label config."""
        return not self.never and all(label == text or label in text.split(",") for text in self.required)


def condition_of(tag: ET.Element, parents: Mapping[ET.Element, ET.Element], *, labels: str) -> Condition:
    """The condition of a tag.

    Args:
        tag: The tag.
        parents: Each tag's parent.
        labels: Name of the tag that labels the suggestions.
    """
    required: list[str] = []
    never = False
    place: ET.Element | None = tag
    while place is not None:
        if text := place.get("whenLabelValue", ""):
            required.append(text)
        names = place.get("whenTagName", "")
        if names and (place.get("whenLabelValue") or place is tag) and not place.get("whenChoiceValue"):
            never = never or labels not in names.split(",")
        place = parents.get(place)
    return Condition(tuple(required), never)
