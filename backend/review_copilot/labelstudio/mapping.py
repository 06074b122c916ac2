"""Find the tags of a label config that can hold a review. Knows no task, no region, and no layout.

Works for generated and for handwritten label configs: tags are found by type and by what they
offer, labels and choices by name, ignoring case, dashes, and underscores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar
from xml.etree import ElementTree as ET

from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.override import Feedback, Reason
from review_copilot.errors import LabelConfigError
from review_copilot.labelstudio import tag_names
from review_copilot.labelstudio.box_tags import choose_box_tags, mapped_labels, normal
from review_copilot.labelstudio.tag_conditions import Condition, condition_of

_Word = TypeVar("_Word", bound=StrEnum)
_Item = TypeVar("_Item")


ROLE = "copilot"
"""Attribute of a TextArea that declares its `TextRole`. Label Studio ignores attributes that it does not know."""


class TextRole(StrEnum):
    """What a text area is for. `summary` and `guideline-note` are per image, the others per region."""

    SUMMARY = "summary"
    GUIDELINE_NOTE = "guideline-note"
    RATIONALE = "rationale"
    NOTE = "note"


_NAMES: Mapping[TextRole, Sequence[str]] = {
    TextRole.SUMMARY: ("summary", "overall", "rationale", "conclusion"),
    TextRole.GUIDELINE_NOTE: ("feedback",),
    TextRole.RATIONALE: ("rationale", "explanation", "reason", "why", "description"),
    TextRole.NOTE: ("note", "comment"),
}
"""Words in the names of text areas that declare no role."""


@dataclass(frozen=True, slots=True)
class ChoiceField(Generic[_Word]):
    """One Choices tag that holds a field of a review.

    Attributes:
        name: The tag's name.
        texts: Name of each value in results, without values that the tag does not offer.
    """

    name: str
    texts: Mapping[_Word, str]

    def read(self, text: str) -> _Word | None:
        """The value of a result's text; None if it is not one of the known values."""
        return next((word for word, known in self.texts.items() if normal(known) == normal(text)), None)


@dataclass(frozen=True, slots=True)
class RegionFields:
    """The tags that describe a region with one label. Names are empty and fields None if there is no such tag.

    Attributes:
        severity: Choices.
        rationale: Text.
        reasons: Choices.
        note: Text.
    """

    severity: ChoiceField[Severity] | None = None
    rationale: str = ""
    reasons: ChoiceField[Reason] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class LabelMap:
    """The tags of a label config that a review uses. Names are empty and fields None if the config has no such tag.

    Attributes:
        image: Name of the image tag under review.
        image_value: Its value, such as "$image"; see `data_values.resolve`.
        rectangle: Name of the tag that draws boxes.
        labels: Name of the tag that labels them: `rectangle` again for RectangleLabels.
        label_texts: Criterion id (or UNCOVERED) to its label in this config, without criteria that have no label.
        criteria: Normalized label to criterion id, for every name that the guideline or the config uses.
        reference_value: Value of a second image.
        prompt_value: Value of a text tag that shows the prompt.
        region_fields: Criterion id to the tags of its regions: a tag can be shown for some labels only.
        other_regions: The tags of regions without a label of the guideline.
        all_fields: Both, each combination once.
        drafted: Read-only text per region: what the draft said. It is no part of a review.
        verdict: Per image.
        summary: Text per image.
        feedback: Per image.
        feedback_note: Text per image.
        problems: Parts of a review that this label config cannot hold, as sentences.
    """

    image: str
    image_value: str
    rectangle: str
    labels: str
    label_texts: Mapping[str, str]
    criteria: Mapping[str, str]
    reference_value: str = ""
    prompt_value: str = ""
    region_fields: Mapping[str, RegionFields] = field(default_factory=dict)
    other_regions: RegionFields = RegionFields()
    all_fields: tuple[RegionFields, ...] = ()
    drafted: str = ""
    verdict: ChoiceField[Verdict] | None = None
    summary: str = ""
    feedback: ChoiceField[Feedback] | None = None
    feedback_note: str = ""
    problems: tuple[str, ...] = ()

    def criterion_of(self, label: str) -> str | None:
        """The criterion id of a label in a result; None if the guideline has no such label."""
        return self.criteria.get(normal(label))

    @property
    def holds_suggestions(self) -> bool:
        """Whether it has a label for a criterion; the novel pattern alone is none."""
        return bool(self.label_texts.keys() - {UNCOVERED})

    def fields_of(self, criterion_id: str | None) -> RegionFields:
        """The tags of a region with that criterion; those of any region for None."""
        return self.region_fields.get(criterion_id or "", self.other_regions)


def read_label_config(xml: str, guideline: Guideline) -> LabelMap:
    """Map a label config to a guideline.

    Of several tags that draw boxes, the one with the most labels of the guideline counts, and the image that it refers
    to is the image under review.

    Raises:
        LabelConfigError: It is not XML, shows no image, repeats the image (Repeater), or has no tag that draws boxes
            on the image.
    """
    tags = _parsed(xml)
    boxes = choose_box_tags(tags, guideline)
    image, rectangle, labels = boxes.image, boxes.rectangle, boxes.labels
    label_texts, criteria = mapped_labels(labels, guideline)
    on_image = [tag for tag in tags if image.get("name", "") in tag.get("toName", "").split(",")]
    per_region = [tag for tag in on_image if _says(tag, "perRegion")]
    per_image = [tag for tag in on_image if not _says(tag, "perRegion") and not _says(tag, "perItem")]
    drafted = tag_names.DRAFTED if tag_names.DRAFTED in _text_names(per_region) else ""
    per_region = [tag for tag in per_region if not drafted or tag.get("name") != drafted]
    feedback_note = _text_field(per_image, TextRole.GUIDELINE_NOTE)
    summary = _text_field([tag for tag in per_image if tag.get("name") != feedback_note], TextRole.SUMMARY)
    conditions = {tag: condition_of(tag, boxes.parents, labels=labels.get("name", "")) for tag in per_region}
    region_fields = {
        known: _region_fields([tag for tag in per_region if conditions[tag].holds(text)], conditions)
        for known, text in boxes.values.items()
    }
    other_regions = _region_fields([tag for tag in per_region if conditions[tag].always], conditions)
    verdict = _choice_field(per_image, tag_names.VERDICT_CHOICES)
    return LabelMap(
        image=image.get("name", ""),
        image_value=_value(image),
        reference_value=_reference_value(tags, image),
        prompt_value=_prompt_value(tags),
        rectangle=rectangle.get("name", ""),
        labels=labels.get("name", ""),
        label_texts=label_texts,
        criteria=criteria,
        region_fields=region_fields,
        other_regions=other_regions,
        all_fields=_once([*region_fields.values(), other_regions]),
        drafted=drafted,
        verdict=verdict,
        summary=summary,
        feedback=_choice_field(per_image, tag_names.FEEDBACK_CHOICES),
        feedback_note=feedback_note,
        problems=(
            *_missing_labels(label_texts, guideline),
            *_missing_severities(region_fields, guideline),
            *_missing_choices("verdict", verdict, tag_names.VERDICT_CHOICES),
            *_missing_rationales(region_fields, guideline),
            *([] if summary else ["It has no text area for the summary."]),
            *_unknown_roles(on_image),
        ),
    )


def _once(items: Iterable[_Item]) -> tuple[_Item, ...]:
    """The items in order, equal ones once; they need not be hashable."""
    found: list[_Item] = []
    for item in items:
        if item not in found:
            found.append(item)
    return tuple(found)


def _region_fields(tags: Sequence[ET.Element], conditions: Mapping[ET.Element, Condition]) -> RegionFields:
    """The tags that describe a region, of those that are shown for it; one that is made for its label comes first."""
    found = sorted(tags, key=lambda tag: conditions[tag].always)
    rationale = _text_field(found, TextRole.RATIONALE)
    note = _text_field([tag for tag in found if tag.get("name") != rationale], TextRole.NOTE)
    own = [tag for tag in found if not conditions[tag].always]
    return RegionFields(
        severity=_choice_field(own, tag_names.SEVERITY_CHOICES) or _choice_field(found, tag_names.SEVERITY_CHOICES),
        rationale=rationale,
        reasons=_choice_field(own, tag_names.REASON_CHOICES) or _choice_field(found, tag_names.REASON_CHOICES),
        note=note,
    )


def _parsed(xml: str) -> list[ET.Element]:
    """All tags in document order."""
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise LabelConfigError("The label config declares a document type.", hint="Remove <!DOCTYPE ...> from it.")
    try:
        return list(ET.fromstring(xml.strip()).iter())  # noqa: S314  # entities are refused above
    except (ET.ParseError, ValueError) as error:
        line = f" (line {error.position[0]})" if isinstance(error, ET.ParseError) else ""
        raise LabelConfigError(
            f"The label config is not valid XML{line}.", hint="Fix it in the project settings."
        ) from error


def _choice_field(tags: Iterable[ET.Element], words: Mapping[_Word, str]) -> ChoiceField[_Word] | None:
    """The Choices tag that offers the most of the words, if it offers at least two."""
    best: ChoiceField[_Word] | None = None
    for tag in tags:
        if tag.tag != "Choices":
            continue
        texts: dict[_Word, str] = {}
        for choice in tag.iter("Choice"):
            value, alias = choice.get("value", ""), choice.get("alias", "")
            word = next((w for w, text in words.items() if normal(text) in {normal(value), normal(alias)}), None)
            if word is not None:
                texts.setdefault(word, alias or value)
        if len(texts) >= 2 and (best is None or len(texts) > len(best.texts)):
            best = ChoiceField(tag.get("name", ""), texts)
    return best


def _text_names(tags: Iterable[ET.Element]) -> list[str]:
    return [tag.get("name", "") for tag in tags if tag.tag == "TextArea"]


def _text_field(tags: Sequence[ET.Element], role: TextRole) -> str:
    """Name of the text area with a role; empty if there is none.

    A text area can declare its role. Otherwise, its name must contain one of the role's words; the first word counts
    most. A text area with any other name is somebody's own, such as a transcription, and never gets a text of ours.
    """
    areas = [tag for tag in tags if tag.tag == "TextArea"]
    declared = _text_names(tag for tag in areas if tag.get(ROLE) == role.value)
    free = _text_names(tag for tag in areas if tag.get(ROLE) is None)
    return next(iter([*declared, *(name for word in _NAMES[role] for name in free if word in normal(name))]), "")


def _unknown_roles(tags: Iterable[ET.Element]) -> list[str]:
    known = ", ".join(role.value for role in TextRole)
    return [
        f'The text area "{tag.get("name", "")}" has {ROLE}="{tag.get(ROLE)}", which is none of: {known}.'
        for tag in tags
        if tag.get(ROLE) is not None and tag.get(ROLE) not in list(TextRole)
    ]


def _says(tag: ET.Element, attribute: str) -> bool:
    return tag.get(attribute, "").casefold() == "true"


def _value(tag: ET.Element) -> str:
    return tag.get("value") or tag.get("valueList") or ""


def _reference_value(tags: Sequence[ET.Element], image: ET.Element) -> str:
    others = [tag for tag in tags if tag.tag == "Image" and tag is not image and _value(tag) != _value(image)]
    named = [tag for tag in others if re.search("ref|template|golden", f"{tag.get('name')} {_value(tag)}".casefold())]
    return _value((named or others)[0]) if others else ""


def _prompt_value(tags: Sequence[ET.Element]) -> str:
    texts = (tag for tag in tags if tag.tag in {"Text", "HyperText"})
    return next((_value(tag) for tag in texts if "prompt" in f"{tag.get('name')} {_value(tag)}".casefold()), "")


def _missing_labels(label_texts: Mapping[str, str], guideline: Guideline) -> list[str]:
    everything = [*(criterion.id for criterion in guideline.criteria), UNCOVERED]
    missing = [f"{guideline.label_of(known)} ({known})" for known in everything if known not in label_texts]
    return [f"It has no label for: {', '.join(missing)}."] if missing else []


def _missing_severities(fields: Mapping[str, RegionFields], guideline: Guideline) -> list[str]:
    distinct = _once([found.severity for found in fields.values()])
    if len(distinct) <= 1:  # the same tag for all labels, or none
        return _missing_choices("severity", next(iter(distinct), None), tag_names.SEVERITY_CHOICES)
    without = [guideline.label_of(known) for known, found in fields.items() if found.severity is None]
    missing = [f"It has no choices for the severity of: {', '.join(without)}."] if without else []
    offered = [severity for severity in distinct if severity is not None]
    return missing + [line for one in offered for line in _missing_choices("severity", one, tag_names.SEVERITY_CHOICES)]


def _missing_rationales(fields: Mapping[str, RegionFields], guideline: Guideline) -> list[str]:
    without = [known for known, found in fields.items() if not found.rationale]
    if not fields or len(without) == len(fields):
        return ["It has no per-region text area for the rationale."]
    named = ", ".join(guideline.label_of(known) for known in without)
    return [f"It has no per-region text area for the rationale of: {named}."] if without else []


def _missing_choices(what: str, field: ChoiceField[_Word] | None, words: Mapping[_Word, str]) -> list[str]:
    if field is None:
        return [f"It has no choices for the {what} ({', '.join(words.values())})."]
    missing = [text for word, text in words.items() if word not in field.texts]
    return [f'Its {what} "{field.name}" does not offer: {", ".join(missing)}.'] if missing else []
