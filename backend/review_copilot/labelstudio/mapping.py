"""Find the tags of a label config that can hold a review. Knows no task, no region, and no layout.

Works for generated and for handwritten label configs: tags are found by type and by what they
offer, labels and choices by name, ignoring case, dashes, and underscores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar
from xml.etree import ElementTree as ET

from review_copilot.domain.guideline import UNCOVERED, Guideline, Severity, Verdict
from review_copilot.domain.override import Feedback, Reason
from review_copilot.errors import LabelConfigError
from review_copilot.labelstudio import tag_names

_Word = TypeVar("_Word", bound=StrEnum)


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
class LabelMap:
    """The tags of a label config that a review uses. Names are empty and fields None if the config has no such tag.

    Attributes:
        image: Name of the image tag under review.
        image_field: Field of the task's data that it shows.
        reference_field: Field that a second image shows.
        prompt_field: Field that a text tag shows as the prompt.
        rectangle: Name of the tag that draws boxes.
        labels: Name of the tag that labels them: `rectangle` again for RectangleLabels.
        label_texts: Criterion id (or UNCOVERED) to its label in this config, without criteria that have no label.
        criteria: Normalized label to criterion id, for every name that the guideline or the config uses.
        severity: Per region.
        rationale: Text per region.
        reasons: Per region.
        note: Text per region.
        verdict: Per image.
        summary: Text per image.
        feedback: Per image.
        feedback_note: Text per image.
        problems: Parts of a review that this label config cannot hold, as sentences.
    """

    image: str
    image_field: str
    rectangle: str
    labels: str
    label_texts: Mapping[str, str]
    criteria: Mapping[str, str]
    reference_field: str = ""
    prompt_field: str = ""
    severity: ChoiceField[Severity] | None = None
    rationale: str = ""
    reasons: ChoiceField[Reason] | None = None
    note: str = ""
    verdict: ChoiceField[Verdict] | None = None
    summary: str = ""
    feedback: ChoiceField[Feedback] | None = None
    feedback_note: str = ""
    problems: tuple[str, ...] = ()

    def criterion_of(self, label: str) -> str | None:
        """The criterion id of a label in a result; None if the guideline has no such label."""
        return self.criteria.get(normal(label))


def normal(text: str) -> str:
    """A name without case, dashes, underscores, and surrounding spaces."""
    return re.sub(r"[\s_-]+", " ", text).strip().casefold()


def read_label_config(xml: str, guideline: Guideline) -> LabelMap:
    """Map a label config to a guideline.

    Raises:
        LabelConfigError: It is not XML, shows no image, or has no tag that draws boxes on the image.
    """
    tags = _parsed(xml)
    rectangle, labels = _box_tags(tags)
    image = _image_tag(tags, rectangle)
    label_texts, criteria = _mapped_labels(labels, guideline)
    on_image = [tag for tag in tags if image.get("name", "") in tag.get("toName", "").split(",")]
    per_region = [tag for tag in on_image if _says(tag, "perRegion")]
    per_image = [tag for tag in on_image if not _says(tag, "perRegion") and not _says(tag, "perItem")]
    region_texts, image_texts = _text_names(per_region), _text_names(per_image)
    rationale = _pick(region_texts, ("rationale", "explanation", "reason", "why", "description", ""))
    note = _pick([name for name in region_texts if name != rationale], ("note", "comment"))
    feedback_note = _pick(image_texts, ("feedback",))
    summary = _pick([name for name in image_texts if name != feedback_note], ("summary", "overall", "rationale", ""))
    severity = _choice_field(per_region, tag_names.SEVERITY_CHOICES)
    verdict = _choice_field(per_image, tag_names.VERDICT_CHOICES)
    return LabelMap(
        image=image.get("name", ""),
        image_field=_field(image),
        reference_field=_reference_field(tags, image),
        prompt_field=_prompt_field(tags),
        rectangle=rectangle.get("name", ""),
        labels=labels.get("name", ""),
        label_texts=label_texts,
        criteria=criteria,
        severity=severity,
        rationale=rationale,
        reasons=_choice_field(per_region, tag_names.REASON_CHOICES),
        note=note,
        verdict=verdict,
        summary=summary,
        feedback=_choice_field(per_image, tag_names.FEEDBACK_CHOICES),
        feedback_note=feedback_note,
        problems=(
            *_missing_labels(label_texts, guideline),
            *_missing_choices("severity", severity, tag_names.SEVERITY_CHOICES),
            *_missing_choices("verdict", verdict, tag_names.VERDICT_CHOICES),
            *([] if rationale else ["It has no per-region text area for the rationale."]),
            *([] if summary else ["It has no text area for the summary."]),
        ),
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


def _box_tags(tags: Sequence[ET.Element]) -> tuple[ET.Element, ET.Element]:
    """The tag that draws boxes and the one that labels them; RectangleLabels is both."""
    found = [tag for tag in tags if tag.tag == "RectangleLabels" and tag.get("name")]
    if found:
        return found[0], found[0]
    plain = next((tag for tag in tags if tag.tag == "Rectangle" and tag.get("name")), None)
    if plain is not None:
        labels = (tag for tag in tags if tag.tag == "Labels" and tag.get("toName") == plain.get("toName"))
        if (label_tag := next(labels, None)) is not None:
            return plain, label_tag
    raise LabelConfigError(
        "The label config has no RectangleLabels tag, so it cannot show suggestions.",
        hint="Add one, or generate a label config: review-copilot label-config.",
    )


def _image_tag(tags: Sequence[ET.Element], rectangle: ET.Element) -> ET.Element:
    targets = rectangle.get("toName", "").split(",")
    image = next((tag for tag in tags if tag.tag == "Image" and tag.get("name") in targets), None)
    if image is None:
        raise LabelConfigError(
            f'The rectangle tag "{rectangle.get("name", "")}" does not refer to an Image tag.',
            hint="Set its toName to the name of an Image tag.",
        )
    return image


def _mapped_labels(labels: ET.Element, guideline: Guideline) -> tuple[dict[str, str], dict[str, str]]:
    """Criterion id to the config's label, and every known name, normalized, to criterion id."""
    known = {normal(UNCOVERED): UNCOVERED, normal(guideline.novel.label): UNCOVERED}
    for criterion in guideline.criteria:
        for name in (criterion.label, criterion.id, f"{criterion.id} {criterion.label}"):
            known[normal(name)] = criterion.id
    texts: dict[str, str] = {}
    for label in labels.iter("Label"):
        value, alias = label.get("value", ""), label.get("alias", "")
        criterion_id = known.get(normal(value)) or known.get(normal(alias))
        if criterion_id is not None:
            texts.setdefault(criterion_id, alias or value)
            known.update({normal(name): criterion_id for name in (value, alias) if name})
    return texts, known


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


def _pick(found: Sequence[str], words: Sequence[str]) -> str:
    """The first name that contains the first word found in any name; the word "" matches any name but a note's."""
    for word in words:
        for name in found:
            if (word and word in normal(name)) or (not word and not re.search("note|comment|feedback", normal(name))):
                return name
    return ""


def _says(tag: ET.Element, attribute: str) -> bool:
    return tag.get(attribute, "").casefold() == "true"


def _field(tag: ET.Element) -> str:
    return (tag.get("value") or tag.get("valueList") or "").removeprefix("$")


def _reference_field(tags: Sequence[ET.Element], image: ET.Element) -> str:
    others = [tag for tag in tags if tag.tag == "Image" and tag is not image and _field(tag) != _field(image)]
    named = [tag for tag in others if re.search("ref|template|golden", f"{tag.get('name')} {_field(tag)}".casefold())]
    return _field((named or others)[0]) if others else ""


def _prompt_field(tags: Sequence[ET.Element]) -> str:
    texts = (tag for tag in tags if tag.tag in {"Text", "HyperText"})
    return next((_field(tag) for tag in texts if "prompt" in f"{tag.get('name')} {_field(tag)}".casefold()), "")


def _missing_labels(label_texts: Mapping[str, str], guideline: Guideline) -> list[str]:
    everything = [*(criterion.id for criterion in guideline.criteria), UNCOVERED]
    missing = [f"{guideline.label_of(known)} ({known})" for known in everything if known not in label_texts]
    return [f"It has no label for: {', '.join(missing)}."] if missing else []


def _missing_choices(what: str, field: ChoiceField[_Word] | None, words: Mapping[_Word, str]) -> list[str]:
    if field is None:
        return [f"It has no choices for the {what} ({', '.join(words.values())})."]
    missing = [text for word, text in words.items() if word not in field.texts]
    return [f'Its {what} "{field.name}" does not offer: {", ".join(missing)}.'] if missing else []
