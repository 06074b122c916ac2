"""Plan which label config a project gets, before anything is changed. Knows no server.

A label config that Review Copilot generated and nobody edited follows the guideline. One that people wrote is kept, and
the lines that are missing in it are named; names of its tags never change.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from review_copilot.domain.guideline import Guideline
from review_copilot.errors import LabelConfigError
from review_copilot.labelstudio.label_config import generate
from review_copilot.labelstudio.label_config_style import NOVEL_COLOR, PALETTE
from review_copilot.labelstudio.mapping import LabelMap, read_label_config


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigWish:
    """What the label config should show.

    Attributes:
        guideline: Source of the labels.
        replace: Overwrite a label config that people wrote.
        add_labels: Add the guideline's labels to a label config that people wrote.
        reference: Show the task's `$reference` image.
        prompt: Show the task's `$prompt` text.
        earlier: Guidelines of the project's earlier setups: a config that one of them generates is not edited.
    """

    guideline: Guideline
    replace: bool = False
    add_labels: bool = False
    reference: bool = False
    prompt: bool = False
    earlier: Sequence[Guideline] = ()


@dataclass(frozen=True, slots=True)
class ConfigPlan:
    """The label config that the project will have.

    Attributes:
        xml: The label config.
        labels: It, mapped to the guideline.
        is_change: Whether the project has another one now.
        is_first: Whether the project has none now.
        detail: One sentence for the user.
        missing: Lines to add to a label config that people wrote, as XML; empty if none is missing.
    """

    xml: str
    labels: LabelMap
    is_change: bool
    is_first: bool
    detail: str
    missing: tuple[str, ...] = ()


def plan_config(present: str, wish: ConfigWish) -> ConfigPlan:
    """Plan the label config of a project.

    Args:
        present: The project's label config.
        wish: What it should show.

    Raises:
        LabelConfigError: A label config that people wrote cannot be used, or has a label for no criterion; the hint
            names the options that solve it.
    """
    wanted = generate(wish.guideline, reference=wish.reference, prompt=wish.prompt)
    title = wish.guideline.title
    if same_xml(present, wanted):
        return _plan(present, wish.guideline, f"It already matches {title}.")
    if is_blank(present) or wish.replace:
        return _plan(wanted, wish.guideline, f"It now matches {title}.", is_change=True, is_first=is_blank(present))
    if (updated := _follows(present, wish)) is not None:
        if same_xml(present, updated):
            return _plan(present, wish.guideline, f"It already matches {title}.")
        return _plan(
            updated, wish.guideline, f"It was generated and not edited, and now matches {title}.", is_change=True
        )
    return _kept(present, wish)


def _plan(
    xml: str, guideline: Guideline, detail: str, *, is_change: bool = False, is_first: bool = False
) -> ConfigPlan:
    return ConfigPlan(xml, read_label_config(xml, guideline), is_change, is_first, detail)


def _kept(present: str, wish: ConfigWish) -> ConfigPlan:
    """The plan for a label config that people wrote."""
    options = "To replace the label config, add --replace-config."
    try:
        labels = read_label_config(present, wish.guideline)
    except LabelConfigError as error:
        raise LabelConfigError(error.public, hint=f"{error.hint} {options}") from error
    missing = missing_labels(labels, wish.guideline)
    if wish.add_labels and missing:
        added = with_labels(present, labels, wish.guideline)
        return _plan(added, wish.guideline, f"Added {len(missing)} labels to {labels.labels}.", is_change=True)
    if not labels.holds_suggestions:
        raise LabelConfigError(
            no_label(labels, wish.guideline),
            hint=f"To add the labels to it, add --add-labels. {options}",
        )
    problems = len(labels.problems)
    tags = f"it has no tag for {problems} of a review's fields" if problems else "it has all fields of a review"
    detail = f"It differs from the guideline's label config; {tags}. {options}"
    if missing:
        detail += " To add the missing labels, add --add-labels, or these lines by hand:"
    return ConfigPlan(present, labels, is_change=False, is_first=False, detail=detail, missing=missing)


def _follows(present: str, wish: ConfigWish) -> str | None:
    """The new label config for one that was generated and not edited; None if people wrote or edited it."""
    guidelines = (wish.guideline, *wish.earlier)
    for guideline, reference, prompt in itertools.product(guidelines, (False, True), (False, True)):
        if same_xml(present, generate(guideline, reference=reference, prompt=prompt)):
            return generate(wish.guideline, reference=reference or wish.reference, prompt=prompt or wish.prompt)
    return None


def no_label(labels: LabelMap, guideline: Guideline) -> str:
    """The sentence about a label config without a label for any criterion."""
    return f'The tag "{labels.labels}" has no label for any criterion of {guideline.title}, so it shows no suggestion.'


def missing_labels(labels: LabelMap, guideline: Guideline) -> tuple[str, ...]:
    """The Label lines of the guideline that a label config lacks."""
    return tuple(ET.tostring(tag, encoding="unicode") for tag in _missing_tags(labels, guideline))


def with_labels(xml: str, labels: LabelMap, guideline: Guideline) -> str:
    """The label config with the guideline's missing labels at the end of the tag that labels suggestions.

    Args:
        xml: A label config that `read_label_config` accepts.
        labels: It, mapped to the guideline.
        guideline: Source of the labels.
    """
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))  # noqa: S314  # `labels` was read from it
    root = ET.fromstring(xml.strip(), parser=parser)  # noqa: S314
    for tag in root.iter():
        if tag.get("name") == labels.labels:
            tag.extend(_missing_tags(labels, guideline))
            break
    return ET.tostring(root, encoding="unicode") + "\n"


def _missing_tags(labels: LabelMap, guideline: Guideline) -> list[ET.Element]:
    colored = [(c.id, c.label, c.definition, PALETTE[n % len(PALETTE)]) for n, c in enumerate(guideline.criteria)]
    colored.append(("uncovered", guideline.novel.label, guideline.novel.definition, NOVEL_COLOR))
    return [
        ET.Element("Label", {"value": label, "background": color, "hint": hint})
        for known, label, hint, color in colored
        if known not in labels.label_texts
    ]


def where_fields_go(labels: LabelMap, guideline: Guideline) -> tuple[tuple[str, str], ...]:
    """Each part of a review and the tag that gets it, for people; "not stored" if there is none."""
    per_region = labels.all_fields
    severities = dict.fromkeys(fields.severity.name for fields in per_region if fields.severity)
    rationales = dict.fromkeys(fields.rationale for fields in per_region if fields.rationale)
    stored = sum(criterion.id in labels.label_texts for criterion in guideline.criteria)
    found = {
        "image": f"{labels.image} ({labels.image_value})",
        "reference image": labels.reference_value,
        "boxes": f"{labels.rectangle}, with labels for {stored} of {len(guideline.criteria)} criteria",
        "severity": ", ".join(severities) or "not stored",
        "rationale": ", ".join(rationales) or "not stored",
        "verdict": labels.verdict.name if labels.verdict else "not stored",
        "summary": labels.summary or "not stored",
        "feedback": labels.feedback.name if labels.feedback else "",
        "guideline note": labels.feedback_note,
    }
    return tuple((part, tag) for part, tag in found.items() if tag)


def same_xml(one: str, other: str) -> bool:
    """Whether two label configs are equal except for layout."""
    try:
        return ET.canonicalize(one, strip_text=True) == ET.canonicalize(other, strip_text=True)
    except ET.ParseError:
        return False


def is_blank(label_config: str) -> bool:
    """Whether the project has no label config yet: none, or an empty View, as in new projects."""
    if not label_config.strip():
        return True
    return re.fullmatch(r"\s*<View\s*(/>|>\s*</View>)\s*", label_config) is not None
