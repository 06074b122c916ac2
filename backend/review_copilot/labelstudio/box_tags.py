"""Choose the tag that draws the suggestions, and the image that it draws on. Knows no field of a review."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from review_copilot.domain.guideline import UNCOVERED, Guideline
from review_copilot.errors import LabelConfigError


@dataclass(frozen=True, slots=True)
class BoxTags:
    """The tags of the suggestions.

    Attributes:
        image: Shows the image under review.
        rectangle: Draws boxes on it.
        labels: Labels them; `rectangle` again for RectangleLabels.
        values: Criterion id to the `value` of its Label, as conditions of other tags name it.
        parents: Each tag's parent.
    """

    image: ET.Element
    rectangle: ET.Element
    labels: ET.Element
    values: Mapping[str, str]
    parents: Mapping[ET.Element, ET.Element]


def normal(text: str) -> str:
    """A name without case, dashes, underscores, and surrounding spaces."""
    return re.sub(r"[\s_-]+", " ", text).strip().casefold()


def choose_box_tags(tags: Sequence[ET.Element], guideline: Guideline) -> BoxTags:
    """The pair with the most labels of the guideline; the first of several that have equally many.

    Args:
        tags: All tags, in document order.
        guideline: Its labels count.

    Raises:
        LabelConfigError: No tag draws boxes on an image, or a Repeater repeats all that do.
    """
    pairs = list(_pairs(tags))
    if not pairs:
        raise LabelConfigError(
            "The label config has no RectangleLabels tag, so it cannot show suggestions.",
            hint="Add one, or generate a label config: review-copilot label-config.",
        )
    images = {tag.get("name", ""): tag for tag in tags if tag.tag == "Image"}
    on_images = [
        (images[name], rectangle, labels)
        for rectangle, labels in pairs
        for name in rectangle.get("toName", "").split(",")
        if name in images
    ]
    if not on_images:
        raise LabelConfigError(
            f'The rectangle tag "{pairs[0][0].get("name", "")}" does not refer to an Image tag.',
            hint="Set its toName to the name of an Image tag.",
        )
    repeated = {tag for repeater in tags if repeater.tag == "Repeater" for tag in repeater.iter()}
    single = [found for found in on_images if repeated.isdisjoint(found)]
    if not single:
        raise LabelConfigError(
            f'A Repeater repeats the Image tag "{on_images[0][0].get("name", "")}" for each item of a task, and Review '
            "Copilot drafts one image per task.",
            hint="Give each image a task of its own, with an Image tag outside the Repeater.",
        )
    image, rectangle, labels = max(single, key=lambda found: len(mapped_labels(found[2], guideline)[0]))
    parents = {child: parent for parent in tags for child in parent}
    return BoxTags(image, rectangle, labels, _values(labels, guideline), parents)


def mapped_labels(labels: ET.Element, guideline: Guideline) -> tuple[dict[str, str], dict[str, str]]:
    """Criterion id to the config's label, and every known name, normalized, to criterion id."""
    known = _known_names(guideline)
    texts: dict[str, str] = {}
    for label in labels.iter("Label"):
        value, alias = label.get("value", ""), label.get("alias", "")
        criterion_id = known.get(normal(value)) or known.get(normal(alias))
        if criterion_id is not None:
            texts.setdefault(criterion_id, alias or value)
            known.update({normal(name): criterion_id for name in (value, alias) if name})
    return texts, known


def _known_names(guideline: Guideline) -> dict[str, str]:
    known = {normal(UNCOVERED): UNCOVERED, normal(guideline.novel.label): UNCOVERED}
    for criterion in guideline.criteria:
        for name in (criterion.label, criterion.id, f"{criterion.id} {criterion.label}", *criterion.formerly):
            known[normal(name)] = criterion.id
    return known


def _values(labels: ET.Element, guideline: Guideline) -> dict[str, str]:
    """Criterion id to the `value` of its Label, without aliases."""
    texts, known = mapped_labels(labels, guideline)
    values: dict[str, str] = {}
    for label in labels.iter("Label"):
        criterion_id = known.get(normal(label.get("value", "")))
        if criterion_id in texts and criterion_id is not None:
            values.setdefault(criterion_id, label.get("value", ""))
    return values


def _pairs(tags: Sequence[ET.Element]) -> Iterator[tuple[ET.Element, ET.Element]]:
    """Each tag that draws boxes, with the one that labels them; RectangleLabels, which are both, first."""
    for tag in tags:
        if tag.tag == "RectangleLabels" and tag.get("name"):
            yield tag, tag
    for tag in tags:
        if tag.tag == "Rectangle" and tag.get("name"):
            for labels in tags:
                if labels.tag == "Labels" and labels.get("toName") == tag.get("toName"):
                    yield tag, labels
